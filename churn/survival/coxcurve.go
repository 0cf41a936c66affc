package survival

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
)

// Cox is a fitted proportional-hazards model: the coefficients and the baseline hazard of each stratum. It is immutable;
// [FitCox] makes it.
type Cox struct {
	Ties      Ties        `json:"ties"`
	Terms     Terms       `json:"terms"`
	Coef      []float64   `json:"coef"`      // log hazard ratio per unit, in the order of Terms.Columns()
	Means     []float64   `json:"means"`     // of the columns: the customer whom the baseline describes
	Cov       [][]float64 `json:"cov"`       // of Coef
	Baselines []Baseline  `json:"baselines"` // in the order of the strata's names
}

// A Baseline is the cumulative hazard of one stratum for a customer at Cox.Means.
type Baseline struct {
	Stratum string         `json:"stratum"`
	Steps   []BaselineStep `json:"steps"` // one for each time at which a customer left
}

// A BaselineStep is the baseline from one time with events to the next.
type BaselineStep struct {
	Time      float64   `json:"time"`
	AtRisk    float64   `json:"at_risk"`
	Events    float64   `json:"events"`
	CumHazard float64   `json:"cum_hazard"` // at Means
	Variance  float64   `json:"variance"`   // of CumHazard for known coefficients
	Shift     []float64 `json:"shift"`      // integral of (mean covariates at risk - Means) over the cumulative hazard
}

// Kind returns "cox".
func (Cox) Kind() string { return "cox" }

// MarshalJSON writes the model in the envelope of its kind.
func (m Cox) MarshalJSON() ([]byte, error) {
	type plain Cox
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *Cox) UnmarshalJSON(text []byte) error {
	type plain Cox
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Cox(p).Validate(); err != nil {
		return err
	}
	*m = Cox(p)
	return nil
}

// Validate returns an error unless the lengths agree, the numbers are finite and the cumulative hazards do not fall.
func (m Cox) Validate() error {
	p := len(m.Terms.Columns())
	if len(m.Coef) != p || len(m.Means) != p || len(m.Cov) != p {
		return fmt.Errorf("survival: cox: %d coefficients, %d means and %d rows of covariance for %d columns", len(m.Coef),
			len(m.Means), len(m.Cov), p)
	}
	for j := range p {
		if len(m.Cov[j]) != p || !isFinite(m.Coef[j]) || !isFinite(m.Means[j]) {
			return fmt.Errorf("survival: cox: coefficient %d is not complete", j+1)
		}
	}
	for _, b := range m.Baselines {
		last := BaselineStep{Time: math.Inf(-1)}
		for i, s := range b.Steps {
			if !(s.Time > last.Time) || !(s.CumHazard >= last.CumHazard) || !isFinite(s.CumHazard) || len(s.Shift) != p {
				return fmt.Errorf("survival: cox: stratum %q: step %d does not follow the one before", b.Stratum, i+1)
			}
			last = s
		}
	}
	return nil
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// LinearPredictor returns b'(x - Means) of a row of covariates coded as [Terms.Row] and [Design.Row] do: the logarithm of
// the hazard relative to the customer at Means. It is NaN for a row of another length.
func (m Cox) LinearPredictor(row []float64) float64 {
	if len(row) != len(m.Coef) {
		return math.NaN()
	}
	sum := 0.0
	for j, b := range m.Coef {
		sum += b * (row[j] - m.Means[j])
	}
	return sum
}

// Scores returns the linear predictor of every row of a design: who is likelier to leave soon has the higher one.
func (m Cox) Scores(d *Design) []float64 {
	if d == nil {
		return nil
	}
	scores := make([]float64, d.rows)
	for i := range scores {
		scores[i] = m.LinearPredictor(d.Row(i))
	}
	return scores
}

// HazardRatio returns exp(b'(x1 - x0)): how many times the hazard of a customer with row x0 one with row x1 has.
func (m Cox) HazardRatio(x1, x0 []float64) float64 {
	return math.Exp(m.LinearPredictor(x1) - m.LinearPredictor(x0))
}

// HazardRatioInterval returns the interval of [Cox.HazardRatio] at a level such as 0.95,
//
//	exp(b'dx -+ z sqrt(dx' Cov dx)),  dx = x1 - x0
//
// It is NaN for rows of another length or a level outside (0, 1).
func (m Cox) HazardRatioInterval(x1, x0 []float64, level float64) (lower, upper float64) {
	if len(x1) != len(m.Coef) || len(x0) != len(m.Coef) {
		return math.NaN(), math.NaN()
	}
	dx := make([]float64, len(x1))
	for j := range dx {
		dx[j] = x1[j] - x0[j]
	}
	center, half := linalg.Dot(m.Coef, dx), stat.TwoSided(level)*math.Sqrt(linalg.Form(m.Cov, dx))
	return math.Exp(center - half), math.Exp(center + half)
}

// Predict returns the survival curve of a customer with the given profile in a stratum, "" where the fit has none:
//
//	S(t | x) = exp(-H0(t) exp(b'x))
//
// Its standard error counts both the coefficients and the baseline: with r = exp(b'x),
//
//	var ln S = r² (sum of the variances of the steps of H0 + q' Cov q),  q = integral of (x - mean at risk) dH0
//
// The points are the times at which customers left; AtRisk and Events are those of the stratum. The RestrictedMean of
// such a curve has no standard error.
//
// Predict returns an error for a profile that does not fit the model, and for a stratum that it does not know or in which
// nobody left.
func (m Cox) Predict(p Profile, stratum string, o *CurveOptions) (*Curve, error) {
	row, err := m.Terms.Row(p)
	if err != nil {
		return nil, err
	}
	return m.PredictRow(row, stratum, o)
}

// PredictRow is [Cox.Predict] for a row of covariates coded as [Terms.Row] and [Design.Row] do.
func (m Cox) PredictRow(row []float64, stratum string, o *CurveOptions) (*Curve, error) {
	band, level, err := o.resolve()
	if err != nil {
		return nil, err
	}
	if len(row) != len(m.Coef) {
		return nil, fmt.Errorf("survival: cox: a row of %d covariates for %d coefficients", len(row), len(m.Coef))
	}
	base, err := m.baseline(stratum)
	if err != nil {
		return nil, err
	}
	dx := make([]float64, len(row))
	for j := range dx {
		dx[j] = row[j] - m.Means[j]
	}
	ratio := math.Exp(linalg.Dot(m.Coef, dx))
	if !isFinite(ratio) {
		return nil, errors.New("survival: cox: the hazard of the row is not a finite number")
	}
	c := &Curve{Method: "cox", Group: stratum, Band: band, Level: level, Points: make([]Point, len(base.Steps))}
	z, q := stat.TwoSided(level), make([]float64, len(dx))
	for i := range base.Steps {
		s, pt := &base.Steps[i], &c.Points[i]
		for j := range q {
			q[j] = dx[j]*s.CumHazard - s.Shift[j]
		}
		sigma := ratio * math.Sqrt(s.Variance+linalg.Form(m.Cov, q))
		*pt = Point{Time: s.Time, AtRisk: s.AtRisk, Events: s.Events, CumHazard: ratio * s.CumHazard, CumHazardStdErr: sigma}
		pt.Survival = math.Exp(-pt.CumHazard)
		pt.StdErr = pt.Survival * sigma
		pt.Lower, pt.Upper = band.limits(pt.Survival, sigma, z)
		c.Events += s.Events
	}
	c.Customers = c.Points[0].AtRisk
	return c, nil
}

func (m Cox) baseline(stratum string) (*Baseline, error) {
	for i := range m.Baselines {
		if m.Baselines[i].Stratum != stratum {
			continue
		}
		if len(m.Baselines[i].Steps) == 0 {
			return nil, fmt.Errorf("survival: cox: stratum %q: %w", stratum, ErrNoEvents)
		}
		return &m.Baselines[i], nil
	}
	return nil, fmt.Errorf("survival: cox: no stratum %q", stratum)
}

// String returns the coefficients, their hazard ratios and the tests as a table.
func (f *CoxFit) String() string {
	t := table.New("covariate", "coef", "hazard_ratio", "lower_95", "upper_95", "std_err", "z", "p")
	z := stat.TwoSided(0.95)
	for _, p := range f.Estimate.Params {
		t.Add(p.Name, p.Value, math.Exp(p.Value), math.Exp(p.Value-z*p.StdErr), math.Exp(p.Value+z*p.StdErr), p.StdErr,
			p.Value/p.StdErr, twoSidedP(p.Value/p.StdErr))
	}
	text := t.String()
	t = table.New("test", "statistic", "df", "p")
	add := func(name string, c ChiSquare) { t.Add(name, c.Statistic, float64(c.DF), c.P) }
	add("likelihood ratio", f.LikelihoodRatio)
	add("Wald", f.Wald)
	add("score", f.Score)
	if f.RobustScore != nil {
		add("robust score", *f.RobustScore)
	}
	return fmt.Sprintf("%s%d customers, %s events, partial log-likelihood %s, ties: %v\n%s", text, f.Estimate.Customers,
		table.Number(f.Events), table.Number(f.Estimate.LogLik), f.Estimate.Model.Ties, t)
}

// MarshalJSON writes the fit; a number that does not exist is null.
func (f *CoxFit) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Estimate        *fit.Estimate[Cox] `json:"estimate"`
		NullLogLik      float64            `json:"null_log_lik"`
		Events          float64            `json:"events"`
		LikelihoodRatio any                `json:"likelihood_ratio"`
		Wald            any                `json:"wald"`
		Score           any                `json:"score"`
		RobustScore     any                `json:"robust_score"`
		NaiveCov        [][]float64        `json:"naive_cov"`
	}{&f.Estimate, f.NullLogLik, f.Events, table.Finite(f.LikelihoodRatio), table.Finite(f.Wald), table.Finite(f.Score),
		table.Finite(f.RobustScore), f.NaiveCov})
}
