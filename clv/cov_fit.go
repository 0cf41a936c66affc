package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// CovOptions control a fit with covariates. The zero value, and a nil pointer, are the defaults.
type CovOptions struct {
	// On names, for a parameter, the covariates that act on it. A parameter that it does not name has all of them, one
	// with an empty list none.
	On map[string][]string
	// Equal names covariates that have one coefficient for all parameters they act on.
	Equal []string
	// Ridge is the factor of an L2 penalty: Ridge times the sum of the squared coefficients of covariates that are
	// measured in their standard deviations is subtracted from the log-likelihood. 0 means none.
	Ridge float64
	// Fit are the options of the search; Start is in the order of the estimate's Params.
	Fit fit.Options
}

// FitCovNBD estimates an NBD with covariates as FitCovBGNBD does.
func FitCovNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovNBD], error) {
	return fitCov(ctx, data, d, o, FitNBD, purchaseRows(sumNBD))
}

// FitCovParetoNBD estimates a Pareto/NBD with covariates as FitCovBGNBD does.
func FitCovParetoNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovParetoNBD], error) {
	return fitCov(ctx, data, d, o, FitParetoNBD, purchaseRows(sumParetoNBD))
}

// FitCovGGompertzNBD estimates a GGompertz/NBD with covariates as FitCovBGNBD does.
func FitCovGGompertzNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovGGompertzNBD], error) {
	return fitCov(ctx, data, d, o, FitGGompertzNBD, purchaseRows(sumGGompertz))
}

// FitCovBGNBD estimates a BG/NBD with covariates by maximum likelihood: d has one row a history, in the order of the
// histories. The parameters are those of the base and, on fit.Identity, one coefficient for each column and parameter it
// acts on, named Alpha.age, or Alpha+A+B.age where one stands for several. The derivatives are analytic. The search
// begins at the fit without covariates, so that its log-likelihood is never below that one and fit.Test can compare them.
//
// With a Ridge standard errors are withheld, and Warnings say so; LogLik, AIC and BIC do not count the penalty.
//
// FitCovBGNBD returns the errors of FitBGNBD, and an error if the design has another number of rows than the data, if a
// covariate is constant or a combination of others, and if an option names what is not there.
func FitCovBGNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovBGNBD], error) {
	return fitCov(ctx, data, d, o, FitBGNBD, purchaseRows(sumBGNBD))
}

// FitCovMBGNBD estimates an MBG/NBD with covariates as FitCovBGNBD does.
func FitCovMBGNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovMBGNBD], error) {
	return fitCov(ctx, data, d, o, FitMBGNBD, purchaseRows(cnbd{1, 1}.sum))
}

// FitCovGammaGamma estimates a gamma-gamma with covariates as FitCovBGNBD does, from the customers that FitGammaGamma
// uses, which must be enough to tell the covariates' effects apart.
func FitCovGammaGamma(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovGammaGamma], error) {
	return fitCov(ctx, data, d, o, FitGammaGamma, spendRows)
}

// A covRows is the data of a likelihood, sorted by covariates first.
type covRows struct {
	index   []int // the history of each row
	weights []float64
	sum     func(theta []float64, lo, hi int, d *mle.Derivs)
}

// patterns orders the rows of a design; customers with the same covariates get the same number.
type patterns struct {
	d     *Design
	of    []int32 // of each row of the design
	order []int   // the rows by their pattern
}

func newPatterns(ctx context.Context, d *Design, workers int) patterns {
	order := make([]int, d.rows)
	for i := range order {
		order[i] = i
	}
	compare := func(i, j int) int {
		for _, column := range d.columns {
			if column[i] != column[j] {
				return cmp.Compare(column[i], column[j])
			}
		}
		return 0
	}
	sortParallel(ctx, order, make([]int, len(order)), compare, workers)
	p := patterns{d, make([]int32, d.rows), order}
	n := int32(0)
	for k, i := range order {
		if k > 0 && compare(order[k-1], i) != 0 {
			n++
		}
		p.of[i] = n
	}
	return p
}

// A covBuilder makes the rows of a likelihood from data that the plain fit has accepted. If ctx ends they are any.
type covBuilder func(ctx context.Context, data *Histories, p patterns, workers int) covRows

// purchaseRows is that of the models in continuous time.
func purchaseRows(sum func(rows []row, theta []float64, d *mle.Derivs)) covBuilder {
	return func(ctx context.Context, data *Histories, p patterns, workers int) covRows {
		rows := make([]row, len(data.Rows))
		for k, i := range p.order {
			rows[k] = newRow(&data.Rows[i], i, false)
		}
		spare := make([]row, len(rows))
		for from := 0; from < len(rows); {
			to := from + 1
			for to < len(rows) && p.of[rows[to].index] == p.of[rows[from].index] {
				to++
			}
			if to-from > 1 {
				sortParallel(ctx, rows[from:to], spare[from:to], row.compare, workers)
			}
			from = to
		}
		n := 0
		for _, r := range rows { // merge equal ones
			if n > 0 && p.of[rows[n-1].index] == p.of[r.index] && rows[n-1].compare(r) == 0 {
				rows[n-1].weight += r.weight
				continue
			}
			rows[n] = r
			n++
		}
		rows = rows[:n]
		c := covRows{sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sum(rows[lo:hi], theta, d) },
			index: make([]int, 0, n), weights: make([]float64, 0, n)}
		for _, r := range rows {
			c.index, c.weights = append(c.index, r.index), append(c.weights, r.weight)
		}
		return c
	}
}

// spendRows is that of the gamma-gamma.
func spendRows(ctx context.Context, data *Histories, p patterns, workers int) covRows {
	type customer struct {
		spendRow
		index int
	}
	var all []customer
	for i := range data.Rows {
		h := &data.Rows[i]
		if h.X == 0 || h.Spend.Sign() <= 0 {
			continue
		}
		mean := h.MeanSpend()
		total := float64(h.X) * mean
		all = append(all, customer{spendRow{h.X, total, math.Log(total), math.Log(mean), float64(h.customers())}, i})
	}
	sortParallel(ctx, all, make([]customer, len(all)), func(a, b customer) int {
		return cmp.Or(cmp.Compare(p.of[a.index], p.of[b.index]), cmp.Compare(a.x, b.x), cmp.Compare(a.total, b.total),
			cmp.Compare(a.weight, b.weight))
	}, workers)
	rows := make([]spendRow, len(all))
	c := covRows{sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumGammaGamma(rows[lo:hi], theta, d) }}
	for i, r := range all {
		rows[i] = r.spendRow
		c.index, c.weights = append(c.index, r.index), append(c.weights, r.weight)
	}
	return c
}

// fitCov fits a model with covariates.
func fitCov[M Linked](ctx context.Context, data *Histories, d *Design, o *CovOptions, plain FitFunc[M], build covBuilder) (*fit.Estimate[Cov[M]], error) {
	if o == nil {
		o = &CovOptions{}
	}
	if err := data.Validate(); err != nil {
		return nil, err
	}
	if err := d.check(data); err != nil {
		return nil, err
	}
	m, err := newCov[M](d, o)
	if err != nil {
		return nil, err
	}
	without := o.Fit
	without.Start = nil
	base, err := plain(ctx, data, &without)
	if base == nil || ctx.Err() != nil {
		return nil, err
	}
	m.Base = base.Model
	workers := o.Fit.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	of := newPatterns(ctx, d, workers)
	rows := build(ctx, data, of, workers)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), ctx.Err())
	}
	c, err := newCovProblem(of, m, rows)
	if err != nil {
		return nil, err
	}
	start := append(values(base.Params), make([]float64, len(c.params)-len(base.Params))...)
	options := o.Fit
	if options.GradTol == 0 {
		options.GradTol = 1e-6 // the last Newton steps go on to the last digits, which line searches cannot see
	}
	if options.Start, err = c.start(o.Fit.Start); err != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	p := mle.Problem{Params: c.params, Rows: len(c.rows.index), Weight: c.weight, Second: true, Sum: c.sum, Starts: [][]float64{start}}
	if o.Ridge > 0 {
		p.Prior = func(theta []float64, d *mle.Derivs) { c.penalty(o.Ridge, theta, d) }
		p.Withhold = fmt.Sprintf("the coefficients are shrunken by an L2 penalty of %g", o.Ridge)
	}
	if near, err := c.near(ctx, p, options); err == nil {
		p.Starts = [][]float64{near, start}
	}
	r, err := mle.Maximize(ctx, p, &options)
	if r.Theta != nil && err == nil && o.Ridge == 0 && r.LogLik < base.LogLik { // another maximum
		p.Starts = [][]float64{start}
		r, err = mle.Maximize(ctx, p, &options)
	}
	if r.Theta == nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	c.unscale(&r)
	e := mle.Estimate(r, c.params, m.withParams(r.Theta))
	e.Customers, e.Unit = int(c.weight), base.Unit
	e.Evaluations += base.Evaluations
	for _, warning := range base.Warnings {
		if base.Unit == 0 { // which customers a model of spend leaves out
			e.Warnings = append(e.Warnings, warning)
		}
	}
	if err != nil {
		return e, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	return e, nil
}

// newCov returns the shape of the model that the options ask for, with coefficients of 0.
func newCov[M Linked](d *Design, o *CovOptions) (Cov[M], error) {
	m := Cov[M]{Terms: d.Terms()}
	if !(o.Ridge >= 0) || math.IsInf(o.Ridge, 1) {
		return m, fmt.Errorf("clv: ridge %v: want 0 or a positive finite number", o.Ridge)
	}
	names := make([]string, 0, len(o.On))
	for name := range o.On {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.ContainsFunc(m.Base.links(), func(l link) bool { return l.name == name }) {
			return m, fmt.Errorf("clv: %s: covariates on %q: they act on %s", m.Kind(), name, linkNames(m.Base.links()))
		}
	}
	for _, l := range m.Base.links() {
		e := Effect{Param: l.name, Coefficients: make([]float64, len(d.columns))}
		if on, ok := o.On[l.name]; ok {
			columns, err := m.columns(on)
			if err != nil {
				return m, err
			}
			e.Columns = columns
		}
		m.Effects = append(m.Effects, e)
	}
	if len(o.Equal) > 0 {
		var err error
		if m.Equal, err = m.columns(o.Equal); err != nil {
			return m, err
		}
	}
	if len(m.slots(0)) == 0 {
		return m, errors.New("clv: no covariate acts on any parameter")
	}
	return m, nil
}

func linkNames(ls []link) string {
	names := ls[0].name
	for i, l := range ls[1:] {
		if i == len(ls)-2 {
			names += " and " + l.name
		} else {
			names += ", " + l.name
		}
	}
	return names
}

// columns returns the columns of the named terms, not nil.
func (m Cov[M]) columns(terms []string) ([]int, error) {
	out := []int{}
	for _, name := range terms {
		at, found := 0, false
		for _, t := range m.Terms {
			if t.Name == name {
				found = true
				for k := range t.width() {
					out = append(out, at+k)
				}
			}
			at += t.width()
		}
		if !found {
			return nil, fmt.Errorf("clv: %s: no covariate is named %q", m.Kind(), name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
