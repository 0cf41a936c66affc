package churn

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// A Fitted model is one of this package's curves: SBG, BdW, Geometric, DiscreteWeibull or LatentClass.
type Fitted[M any] interface {
	Curve
	remake(theta []float64) M // the model of other parameters, in the order of the fields
}

// ProjectOptions control Project. The zero value, and nil, are the defaults.
type ProjectOptions struct {
	Level float64 // of the intervals; 0 means 0.95
	Draws int     // futures drawn for the intervals; 0 means 2000
	Seed  uint64  // of the draws; the same seed gives the same intervals
	// Known leaves the uncertainty of the parameters out: the intervals are then those of chance alone. It is needed for an
	// estimate without a covariance.
	Known bool
}

func (o *ProjectOptions) defaults() (ProjectOptions, error) {
	var opts ProjectOptions
	if o != nil {
		opts = *o
	}
	if opts.Level == 0 {
		opts.Level = 0.95
	}
	if opts.Draws == 0 {
		opts.Draws = 2000
	}
	if !(opts.Level > 0 && opts.Level < 1) {
		return opts, fmt.Errorf("churn: level %v: want a number between 0 and 1", opts.Level)
	}
	if opts.Draws < 100 || opts.Draws > 1e6 {
		return opts, fmt.Errorf("churn: draws %d: want 100 to 1,000,000", opts.Draws)
	}
	return opts, nil
}

// A Projection is how many customers of each cohort will be left after further renewals.
type Projection struct {
	Model  string         `json:"model"` // its Kind
	Level  float64        `json:"level"`
	Rows   []ProjectedRow `json:"rows"`   // by cohort, then by step
	Totals []ProjectedRow `json:"totals"` // over all cohorts, by step; Cohort is -1 and Age 0
}

// A ProjectedRow is a cohort after some further renewals.
type ProjectedRow struct {
	Cohort   int     `json:"cohort"`   // its index
	Step     int     `json:"step"`     // renewals from now on, 1 first
	Age      int     `json:"age"`      // renewals since the start of the cohort
	Expected float64 `json:"expected"` // customers left: the last number observed times S(Age)/S(age now), at the estimate
	Low      float64 `json:"low"`      // interval of the number that will be seen
	High     float64 `json:"high"`
}

// Project returns how many customers of each cohort are expected to make each of the next renewals, from the last number
// observed, with prediction intervals. The intervals have both uncertainties: of the parameters, drawn from the normal
// approximation on the scale on which they are unbounded, and of the customers, each of whom renews or not. The same
// parameters are drawn for all cohorts, so the totals are right too.
//
// Memory is for steps times draws, of which there may be 50 million.
//
// Project returns an error if steps is out of range, for a cohort that does not validate, and one that wraps
// fit.ErrNoCovariance if the estimate has none, unless ProjectOptions.Known.
func Project[M Fitted[M]](ctx context.Context, e *fit.Estimate[M], cohorts []Cohort, steps int, o *ProjectOptions) (*Projection, error) {
	opts, err := o.defaults()
	if err != nil {
		return nil, err
	}
	if steps <= 0 || steps > 5e7/opts.Draws {
		return nil, fmt.Errorf("churn: project: %d steps: want 1 to %d with %d draws", steps, int(5e7)/opts.Draws, opts.Draws)
	}
	if err := e.Model.Validate(); err != nil {
		return nil, err
	}
	for i, c := range cohorts {
		if err := c.check(i + 1); err != nil {
			return nil, fmt.Errorf("churn: %w", err)
		}
	}
	draw, err := drawer(e, opts.Known)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(opts.Seed, 0x636875726e))
	models := make([]M, opts.Draws) // the same for all cohorts
	for i := range models {
		models[i] = draw(r)
	}
	p := &Projection{Model: e.Model.Kind(), Level: opts.Level, Totals: make([]ProjectedRow, steps)}
	futures, totals := grid(steps, opts.Draws), grid(steps, opts.Draws)
	for i, c := range cohorts {
		now, age := float64(c.Active[len(c.Active)-1]), c.Age+len(c.Active)-1
		for k, m := range models {
			if err := ctx.Err(); err != nil {
				return nil, streamError(err)
			}
			n := now
			for s := range steps {
				n = binomial(r, n, m.Retention(age+s+1))
				futures[s][k] = n
				totals[s][k] += n
			}
		}
		for s := range steps {
			now *= e.Model.Retention(age + s + 1)
			p.Totals[s].Expected += now
			row := ProjectedRow{Cohort: i, Step: s + 1, Age: age + s + 1, Expected: now}
			row.Low, row.High = middle(futures[s], opts.Level)
			p.Rows = append(p.Rows, row)
		}
	}
	for s := range p.Totals {
		t := &p.Totals[s]
		t.Cohort, t.Step = -1, s+1
		t.Low, t.High = middle(totals[s], opts.Level)
	}
	return p, nil
}

// grid returns rows of n numbers.
func grid(rows, n int) [][]float64 {
	g := make([][]float64, rows)
	for i := range g {
		g[i] = make([]float64, n)
	}
	return g
}

// middle returns the quantiles around the middle share of the values, which it sorts.
func middle(values []float64, level float64) (low, high float64) {
	slices.Sort(values)
	return stat.Quantile(values, (1-level)/2), stat.Quantile(values, (1+level)/2)
}

func binomial(r *rand.Rand, n, p float64) float64 {
	if n == 0 || !(p > 0) {
		return 0
	}
	if p >= 1 {
		return n
	}
	return distuv.Binomial{N: n, P: p, Src: r}.Rand()
}

// drawer returns a function that draws models around the estimate, or the estimate itself if it is taken as known.
func drawer[M Fitted[M]](e *fit.Estimate[M], known bool) (func(r *rand.Rand) M, error) {
	if known {
		return func(*rand.Rand) M { return e.Model }, nil
	}
	root, err := workingRoot(e)
	if err != nil {
		return nil, err
	}
	n := len(e.Params)
	return func(r *rand.Rand) M {
		for {
			z, theta := make([]float64, n), make([]float64, n)
			for i := range z {
				z[i] = r.NormFloat64()
			}
			for i, p := range e.Params {
				u := 0.0
				for k := range i + 1 {
					u += root.At(i, k) * z[k]
				}
				theta[i] = moved(p, u)
			}
			m := e.Model.remake(theta)
			if l, ok := any(m).(LatentClass); ok && l.Theta1 > l.Theta2 {
				m = e.Model.remake([]float64{1 - l.Share, l.Theta2, l.Theta1}) // the same curve with its classes in order
			}
			if m.Validate() == nil {
				return m
			}
		}
	}, nil
}

// slope returns the derivative of a parameter in its working value.
func slope(p fit.Param) float64 {
	switch p.Scale {
	case fit.Log:
		return p.Value
	case fit.Logit:
		return p.Value * (1 - p.Value)
	}
	return 1
}

// moved returns a parameter whose working value is changed by u.
func moved(p fit.Param, u float64) float64 {
	switch p.Scale {
	case fit.Log:
		return p.Value * math.Exp(u)
	case fit.Logit:
		return 1 / (1 + (1-p.Value)/p.Value*math.Exp(-u))
	}
	return p.Value + u
}

// workingRoot returns the Cholesky factor of the covariance on the working scale.
func workingRoot[M any](e *fit.Estimate[M]) (*mat.TriDense, error) {
	n := len(e.Params)
	if e.Cov == nil {
		return nil, fmt.Errorf("churn: the estimate has %w; set Known for the intervals of chance alone", fit.ErrNoCovariance)
	}
	cov := mat.NewSymDense(n, nil)
	for i := range n {
		for k := i; k < n; k++ {
			cov.SetSym(i, k, e.Cov[i][k]/(slope(e.Params[i])*slope(e.Params[k])))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(cov) {
		return nil, fmt.Errorf("churn: the covariance is not positive definite: %w", fit.ErrNoCovariance)
	}
	root := mat.NewTriDense(n, mat.Lower, nil)
	chol.LTo(root)
	return root, nil
}

// String returns the totals as a table, and the cohorts above them if there are at most ten rows of each.
func (p *Projection) String() string {
	var rows [][]string
	add := func(name string, r ProjectedRow) {
		rows = append(rows, []string{name, strconv.Itoa(r.Step), decimals(r.Expected, 1), decimals(r.Low, 0), decimals(r.High, 0)})
	}
	if len(p.Rows) > len(p.Totals) {
		for _, r := range p.Rows {
			add(strconv.Itoa(r.Cohort), r)
		}
	}
	for _, r := range p.Totals {
		add("all", r)
	}
	return textTable([]string{"cohort", "renewal", "expected", "low", "high"}, rows, 1)
}

// WriteCSV writes one line a cohort and step with a header, the totals last with the cohort "all".
func (p *Projection) WriteCSV(w io.Writer) error {
	var rows [][]string
	add := func(name, age string, r ProjectedRow) {
		rows = append(rows, []string{name, strconv.Itoa(r.Step), age, number(r.Expected), number(r.Low), number(r.High)})
	}
	for _, r := range p.Rows {
		add(strconv.Itoa(r.Cohort), strconv.Itoa(r.Age), r)
	}
	for _, r := range p.Totals {
		add("all", "", r)
	}
	return writeCSV(w, []string{"cohort", "step", "age", "expected", "low", "high"}, rows)
}

// A CurveBand is a fitted curve with confidence intervals.
type CurveBand struct {
	Model string     `json:"model"`
	Level float64    `json:"level"`
	Rows  []CurveRow `json:"rows"` // t = 0 first
}

// A CurveRow is a fitted curve at one renewal.
type CurveRow struct {
	T             int     `json:"t"`
	Survival      float64 `json:"survival"` // S(t)
	SurvivalLow   float64 `json:"survival_low"`
	SurvivalHigh  float64 `json:"survival_high"`
	Retention     float64 `json:"retention"` // r(t); 1 at t = 0
	RetentionLow  float64 `json:"retention_low"`
	RetentionHigh float64 `json:"retention_high"`
}

// Band returns S(t) and r(t) up to a number of renewals with intervals by the delta method on the logit scale, so that
// they lie between 0 and 1. They are those of the curve, not of the number of customers to be seen: Project has these.
//
// Band returns an error if renewals is negative or level not between 0 and 1, and one that wraps fit.ErrNoCovariance.
func Band[M Fitted[M]](e *fit.Estimate[M], renewals int, level float64) (*CurveBand, error) {
	z := stat.TwoSided(level)
	switch {
	case math.IsNaN(z):
		return nil, fmt.Errorf("churn: level %v: want a number between 0 and 1", level)
	case renewals < 0 || renewals > 1e6:
		return nil, fmt.Errorf("churn: band: %d renewals: want 0 to 1,000,000", renewals)
	case e.Model.Validate() != nil:
		return nil, e.Model.Validate()
	}
	root, err := workingRoot(e)
	if err != nil {
		return nil, err
	}
	b := &CurveBand{Model: e.Model.Kind(), Level: level}
	for t := range renewals + 1 {
		row := CurveRow{T: t, Survival: 1, SurvivalLow: 1, SurvivalHigh: 1, Retention: 1, RetentionLow: 1, RetentionHigh: 1}
		if t > 0 {
			row.Survival, row.Retention = e.Model.Survival(float64(t)), e.Model.Retention(t)
			row.SurvivalLow, row.SurvivalHigh = delta(e, root, z, func(m M) float64 { return m.Survival(float64(t)) })
			row.RetentionLow, row.RetentionHigh = delta(e, root, z, func(m M) float64 { return m.Retention(t) })
		}
		b.Rows = append(b.Rows, row)
	}
	return b, nil
}

// delta returns the interval of a probability, symmetric on the logit scale, by central differences along the columns of
// the root of the covariance.
func delta[M Fitted[M]](e *fit.Estimate[M], root *mat.TriDense, z float64, f func(M) float64) (low, high float64) {
	logit := func(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
	variance := 0.0
	const h = 1e-4 // of a standard deviation
	for k := range e.Params {
		at := func(step float64) float64 {
			theta := make([]float64, len(e.Params))
			for i, p := range e.Params {
				theta[i] = p.Value
				if i >= k {
					theta[i] = moved(p, step*root.At(i, k))
				}
			}
			return logit(f(e.Model.remake(theta)))
		}
		d := (at(h) - at(-h)) / (2 * h)
		variance += d * d
	}
	center, half := logit(f(e.Model)), z*math.Sqrt(variance)
	if math.IsNaN(half) || math.IsInf(center, 0) {
		return f(e.Model), f(e.Model) // 0 or 1 to the last digit
	}
	return 1 / (1 + math.Exp(half-center)), 1 / (1 + math.Exp(-half-center))
}

// String returns the curve as a table.
func (b *CurveBand) String() string {
	var rows [][]string
	for _, r := range b.Rows {
		rows = append(rows, []string{strconv.Itoa(r.T), decimals(r.Survival, 4), decimals(r.SurvivalLow, 4), decimals(r.SurvivalHigh, 4),
			decimals(r.Retention, 4), decimals(r.RetentionLow, 4), decimals(r.RetentionHigh, 4)})
	}
	return textTable([]string{"t", "S(t)", "low", "high", "r(t)", "low", "high"}, rows, 0)
}

// WriteCSV writes one line a renewal with a header.
func (b *CurveBand) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range b.Rows {
		rows = append(rows, []string{strconv.Itoa(r.T), number(r.Survival), number(r.SurvivalLow), number(r.SurvivalHigh),
			number(r.Retention), number(r.RetentionLow), number(r.RetentionHigh)})
	}
	return writeCSV(w, []string{"t", "survival", "survival_low", "survival_high", "retention", "retention_low", "retention_high"}, rows)
}

// A Fitness is how well a curve describes cohorts.
type Fitness struct {
	Model     string       `json:"model"`
	ChiSquare float64      `json:"chi_square"` // Pearson's, over the pooled cells
	Deviance  float64      `json:"deviance"`   // 2 (ln L of the observed rates - ln L of the curve), over all cells
	DF        int          `json:"df"`         // pooled cells less cohorts less parameters
	P         float64      `json:"p"`          // P(chi-squared with DF degrees > ChiSquare)
	Rows      []FitnessRow `json:"rows"`
}

// A FitnessRow is the losses of a cohort at one renewal, or with K = 0 those still there at the end.
type FitnessRow struct {
	Cohort   int     `json:"cohort"`
	K        int     `json:"k"` // renewals since the start of the cohort
	Observed int     `json:"observed"`
	Expected float64 `json:"expected"`
}

// GoodnessOfFit tests a fitted curve against the cohorts that it was fitted to: Pearson's chi-squared of the losses at
// each renewal and of the survivors, neighboring cells of a cohort pooled until five are expected. A small P says that
// the curve is not the whole story; with many customers it always becomes small, and Rows tell by how much the curve
// misses.
//
// It returns an error for a cohort that does not validate, and one that wraps ledger.ErrUndefined if no degrees of
// freedom are left.
func GoodnessOfFit[M Fitted[M]](e *fit.Estimate[M], cohorts []Cohort) (*Fitness, error) {
	if err := e.Model.Validate(); err != nil {
		return nil, err
	}
	if _, _, err := terms(cohorts); err != nil {
		return nil, err
	}
	f := &Fitness{Model: e.Model.Kind(), DF: -len(e.Params)}
	for i, c := range cohorts {
		n, last := float64(c.Active[0]), len(c.Active)-1
		base := e.Model.Survival(float64(c.Age))
		observed, expected, cells := 0.0, 0.0, 0
		var pooled float64
		flush := func() {
			pooled = (observed - expected) * (observed - expected) / expected
			f.ChiSquare += pooled
			cells++
			observed, expected = 0, 0
		}
		var rows []FitnessRow
		for k := 1; k <= last; k++ {
			rows = append(rows, FitnessRow{i, c.Age + k, c.Active[k-1] - c.Active[k], n * e.Model.PMF(c.Age+k) / base})
			at, lost := float64(c.Active[k-1]), float64(c.Active[k-1]-c.Active[k])
			r := e.Model.Retention(c.Age + k)
			f.Deviance += 2 * (xlog(lost, lost/at, 1-r) + xlog(at-lost, (at-lost)/at, r))
		}
		rows = append(rows, FitnessRow{i, 0, c.Active[last], n * e.Model.Survival(float64(c.Age+last)) / base})
		f.Rows = append(f.Rows, rows...)
		rest := n // expected in this row and the following ones
		for _, r := range rows {
			observed += float64(r.Observed)
			expected += r.Expected
			if rest -= r.Expected; expected >= 5 && (rest >= 5 || r.K == 0) {
				flush()
			}
		}
		if expected > 0 {
			flush()
		}
		f.DF += cells - 1
	}
	if f.DF <= 0 {
		return nil, fmt.Errorf("churn: goodness of fit: %w", errFreedom)
	}
	f.P = distuv.ChiSquared{K: float64(f.DF)}.Survival(f.ChiSquare)
	return f, nil
}

var errFreedom = fmt.Errorf("more parameters than cells of at least five customers, so no degrees of freedom: %w", ledger.ErrUndefined)

// xlog is n ln(p/q), 0 for n = 0.
func xlog(n, p, q float64) float64 {
	if n == 0 {
		return 0
	}
	return n * math.Log(p/q)
}

// String returns the tests and the table of observed and expected numbers.
func (f *Fitness) String() string {
	var rows [][]string
	for _, r := range f.Rows {
		k := strconv.Itoa(r.K)
		if r.K == 0 {
			k = "still there"
		}
		rows = append(rows, []string{strconv.Itoa(r.Cohort), k, strconv.Itoa(r.Observed), decimals(r.Expected, 1)})
	}
	return textTable([]string{"cohort", "left at renewal", "observed", "expected"}, rows, 0) +
		fmt.Sprintf("\nchi-squared %.2f on %d degrees of freedom, p = %.3g; deviance %.2f", f.ChiSquare, f.DF, f.P, f.Deviance)
}

// WriteCSV writes one line a row with a header; k is empty for those still there.
func (f *Fitness) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range f.Rows {
		k := strconv.Itoa(r.K)
		if r.K == 0 {
			k = ""
		}
		rows = append(rows, []string{strconv.Itoa(r.Cohort), k, strconv.Itoa(r.Observed), number(r.Expected)})
	}
	return writeCSV(w, []string{"cohort", "k", "observed", "expected"}, rows)
}
