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
