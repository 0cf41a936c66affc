package survival

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/ledger"
)

// A TimeScale is the function g of time along which a coefficient is suspected to change.
type TimeScale uint8

// The time scales. KaplanMeierTime is robust to a few very long tenures.
const (
	KaplanMeierTime TimeScale = iota // 1 - S(t-), S the Kaplan-Meier estimate of all tenures without weights
	IdentityTime                     // t
	LogTime                          // ln t; needs positive times
	RankTime                         // the mean rank of t among all durations
)

var timeScaleNames = []string{"km", "identity", "log", "rank"}

// String returns "km", "identity", "log" or "rank".
func (s TimeScale) String() string { return table.Name(timeScaleNames, int(s)) }

// MarshalText writes the name of the time scale.
func (s TimeScale) MarshalText() ([]byte, error) {
	return table.MarshalName("survival: no time scale", timeScaleNames, int(s))
}

// UnmarshalText reads the name of a time scale.
func (s *TimeScale) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("survival: no time scale", timeScaleNames, text)
	*s = TimeScale(i)
	return err
}

// A ProportionalityTest tests that the coefficients of a Cox regression do not change with time.
type ProportionalityTest struct {
	Scale  TimeScale          `json:"scale"`
	Terms  []ProportionalTerm `json:"terms"`  // each covariate by itself, all columns of a categorical one together
	Global ChiSquare          `json:"global"` // all covariates
}

// A ProportionalTerm is the test of one covariate.
type ProportionalTerm struct {
	Term string    `json:"term"`
	Test ChiSquare `json:"test"`
}

// TestProportionality tests the assumption of proportional hazards against coefficients b + theta g(t): it is the score
// test of theta = 0. A small P says that the effect of the covariate changes with time; plot the scaled Schoenfeld
// residuals to see how, and use it as a stratum or in intervals with its product with time.
//
// It takes the tenures, design and options that the fit was made from and returns their errors; exact ties and the penalty
// of a ridge are not supported.
//
// Grambsch and Therneau, Biometrika 81 (1994), as the exact score test rather than its approximation.
func (f *CoxFit) TestProportionality(ctx context.Context, tenures []ledger.Tenure, d *Design, o *CoxOptions, scale TimeScale) (*ProportionalityTest, error) {
	if int(scale) >= len(timeScaleNames) {
		return nil, fmt.Errorf("survival: no time scale %d", scale)
	}
	if f.Estimate.Model.Ties == Exact {
		return nil, errors.New("survival: cox: exact ties have no test of proportionality; use Efron or Breslow")
	}
	if o != nil && o.Ridge > 0 {
		return nil, errors.New("survival: cox: the test of proportionality needs a fit without ridge")
	}
	c, s, h, err := f.again(ctx, tenures, d, o)
	if err != nil {
		return nil, err
	}
	g, err := c.timeScale(tenures, scale)
	if err != nil {
		return nil, err
	}
	squared := make([]float64, len(g))
	for e := range g {
		squared[e] = g[e] * g[e]
	}
	p := c.p
	first, second := c.moment(s, f.Estimate.Model.Ties, g), c.moment(s, f.Estimate.Model.Ties, squared)
	info, slope := linalg.NewMatrix(2*p), make([]float64, 2*p)
	for j := range p {
		for k := range p {
			info[j][k], info[p+j][p+k] = s.info[j][k], second[j][k]
			info[j][p+k], info[p+k][j] = first[j][k], first[j][k]
		}
	}
	c.timeSlope(h, g, slope[p:])
	t := &ProportionalityTest{Scale: scale}
	column := 0
	for _, term := range f.Estimate.Model.Terms {
		width := len(term.Columns())
		t.Terms = append(t.Terms, ProportionalTerm{term.Name, scoreTest(info, slope, p, column, width)})
		column += width
	}
	t.Global = scoreTest(info, slope, p, 0, p)
	return t, ctx.Err()
}

// scoreTest tests some of the coefficients of time with all others of them 0.
func scoreTest(info [][]float64, slope []float64, p, from, width int) ChiSquare {
	var index []int
	for j := range p {
		index = append(index, j)
	}
	for j := from; j < from+width; j++ {
		index = append(index, p+j)
	}
	l, bad := linalg.Cholesky(linalg.Within(info, index), 1e-12)
	if bad >= 0 {
		return ChiSquare{math.NaN(), width, math.NaN()}
	}
	return newChiSquare(linalg.Quadratic(l, linalg.Pick(slope, index)), width)
}

// timeScale returns g at each event, less its mean over the events.
func (c *coxData) timeScale(tenures []ledger.Tenure, scale TimeScale) ([]float64, error) {
	g := make([]float64, len(c.time))
	var value func(t float64) float64
	switch scale {
	case KaplanMeierTime, RankTime:
		plain := make([]ledger.Tenure, len(tenures))
		for i := range tenures {
			plain[i] = ledger.Tenure{Entry: tenures[i].Entry, Duration: tenures[i].Duration, Ended: tenures[i].Ended}
		}
		km, err := KaplanMeier(plain, nil)
		if err != nil {
			return nil, err
		}
		ranks := make([]float64, len(km.Points))
		before := 0.0
		for i := range km.Points {
			here := km.Points[i].Events + km.Points[i].Censored
			ranks[i] = before + (here+1)/2
			before += here
		}
		value = func(t float64) float64 {
			i := km.at(t)
			if scale == RankTime {
				return ranks[i]
			}
			if i == 0 {
				return 0
			}
			return 1 - km.Points[i-1].Survival
		}
	case LogTime:
		value = math.Log
	default:
		value = func(t float64) float64 { return t }
	}
	mean, count := 0.0, 0.0
	for e, t := range c.time {
		if g[e] = value(t); !isFinite(g[e]) {
			return nil, fmt.Errorf("survival: cox: the time scale %v has no value at time %v", scale, t)
		}
		n := float64(c.start[e+1] - c.first[e])
		mean, count = mean+n*g[e], count+n
	}
	for e := range g {
		g[e] -= mean / count
	}
	return g, nil
}

// timeSlope sums g times the Schoenfeld residuals.
func (c *coxData) timeSlope(h *coxPath, g, slope []float64) {
	for e := range c.time {
		for i := c.first[e]; i < c.start[e+1]; i++ {
			for j, x := range c.row(i) {
				slope[j] += g[e] * c.weight[i] * (x - h.mean[e*c.p+j])
			}
		}
	}
}

// moment sums g times the variance of the covariates over the risk sets. As in evaluate, the part over rows comes from the
// hazard that each has met, here multiplied by g.
func (c *coxData) moment(s *coxSums, ties Ties, g []float64) [][]float64 {
	m := &coxSums{info: linalg.NewMatrix(c.p), grad: make([]float64, c.p), risk: s.risk, step: make([]float64, len(g)),
		own: make([]float64, len(g)), cum: make([]float64, len(g))}
	r, t, mean := c.newRiskSet(), &tied{d1: make([]float64, c.p)}, make([]float64, c.p)
	for e := len(g) - 1; e >= 0; e-- {
		m.step[e], m.own[e] = g[e]*s.step[e], g[e]*s.own[e]
		r.move(c, s.risk, e)
		c.tiedAt(e, s.risk, nil, t)
		parts := t.parts(ties)
		unit := t.weight / float64(parts)
		for k := range parts {
			f := float64(k) / float64(parts)
			for j := range mean {
				mean[j] = (r.s1[j] - f*t.d1[j]) / (r.s0 - f*t.d0)
			}
			m.subtractOuter(g[e]*unit, mean)
		}
	}
	c.accumulate(m)
	// The context ends only the long search, not this one pass.
	_ = c.sumRows(context.Background(), m, ties)
	mirror(m.info)
	return m.info
}

// String returns the tests as a table.
func (t *ProportionalityTest) String() string { return t.table().String() }

// WriteCSV writes the tests with a header.
func (t *ProportionalityTest) WriteCSV(w io.Writer) error { return t.table().WriteCSV(w) }

func (t *ProportionalityTest) table() *table.Table {
	out := table.New("term", "chi_square", "df", "p")
	for _, term := range t.Terms {
		out.Add(term.Term, term.Test.Statistic, float64(term.Test.DF), term.Test.P)
	}
	out.Add("GLOBAL", t.Global.Statistic, float64(t.Global.DF), t.Global.P)
	return out
}

// MarshalJSON writes the tests; a number that does not exist is null.
func (t *ProportionalityTest) MarshalJSON() ([]byte, error) { return table.Marshal(*t) }
