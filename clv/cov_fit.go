package clv

import (
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
	// On names, for a parameter, or for Mean, Polarization and their kin in MeanForm, the covariates that act on it. One
	// that it does not name has all of them, one with an empty list none.
	On map[string][]string
	// Equal names covariates that have one coefficient for all parameters they act on.
	Equal []string
	// Beta says what covariates act on in a beta distribution: by default, ShapeForm, its two parameters.
	Beta BetaForm
	// Ridge is the factor of an L2 penalty: Ridge times the sum of the squared coefficients of covariates that are
	// measured in their standard deviations is subtracted from the log-likelihood. 0 means none.
	Ridge float64
	// Fit are the options of the search; Start is in the order of the estimate's Params.
	Fit fit.Options
}

// A BetaForm says what covariates act on in a model with beta distributions; see Cov. Other models have no MeanForm.
type BetaForm uint8

// The forms.
const (
	ShapeForm BetaForm = iota // the two parameters, each on the log scale
	MeanForm                  // the mean and the polarization index, each on the logit scale
)

// FitCovNBD estimates an NBD with covariates as FitCovBGNBD does.
func FitCovNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovNBD], error) {
	return fitCov(ctx, d, o, covPurchases(data, FitNBD, false, nbdKernel))
}

// FitCovParetoNBD estimates a Pareto/NBD with covariates as FitCovBGNBD does.
func FitCovParetoNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovParetoNBD], error) {
	return fitCov(ctx, d, o, covPurchases(data, FitParetoNBD, false, plainKernel(sumParetoNBD)))
}

// FitCovGGompertzNBD estimates a GGompertz/NBD with covariates as FitCovBGNBD does.
func FitCovGGompertzNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovGGompertzNBD], error) {
	return fitCov(ctx, d, o, covPurchases(data, FitGGompertzNBD, false, plainKernel(sumGGompertz)))
}

// FitCovBGNBD estimates a BG/NBD with covariates by maximum likelihood: d has one row a history, in the order of the
// histories. The parameters are those of the base and, on fit.Identity, one coefficient for each column and parameter it
// acts on, named Alpha.age, or Alpha+A+B.age where one stands for several, or Mean.age in MeanForm. The derivatives are
// analytic. The search begins at the fit without covariates, so that its log-likelihood is never below that one and
// fit.Test can compare them.
//
// With a Ridge standard errors are withheld, and Warnings say so; LogLik, AIC and BIC do not count the penalty.
//
// FitCovBGNBD returns the errors of FitBGNBD, and an error if the design has another number of rows than the data, if a
// covariate is constant or a combination of others, and if an option names what is not there.
func FitCovBGNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovBGNBD], error) {
	return fitCov(ctx, d, o, covPurchases(data, FitBGNBD, false, cnbd{1, 0}.kernel))
}

// FitCovMBGNBD estimates an MBG/NBD with covariates as FitCovBGNBD does.
func FitCovMBGNBD(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovMBGNBD], error) {
	return fitCov(ctx, d, o, covPurchases(data, FitMBGNBD, false, cnbd{1, 1}.kernel))
}

// FitCovBGCNBD estimates a BG/CNBD-k with covariates as FitCovBGNBD does, for a k that is given, or, with k = 0, for each
// k from 1 to 12, of which the one with the largest likelihood is returned. Errors are also those of FitBGCNBD.
func FitCovBGCNBD(ctx context.Context, data *Histories, d *Design, k int, o *CovOptions) (*fit.Estimate[CovBGCNBD], error) {
	return fitCovCNBD(ctx, data, d, cnbd{k, 0}, o, FitBGCNBD)
}

// FitCovMBGCNBD estimates an MBG/CNBD-k with covariates as FitCovBGCNBD does.
func FitCovMBGCNBD(ctx context.Context, data *Histories, d *Design, k int, o *CovOptions) (*fit.Estimate[CovMBGCNBD], error) {
	return fitCovCNBD(ctx, data, d, cnbd{k, 1}, o, FitMBGCNBD)
}

func fitCovCNBD[M Linked](ctx context.Context, data *Histories, d *Design, c cnbd, o *CovOptions,
	plain func(ctx context.Context, data *Histories, k int, o *fit.Options) (*fit.Estimate[M], error)) (*fit.Estimate[Cov[M]], error) {
	of := func(k int, start []float64) (*fit.Estimate[Cov[M]], error) {
		options := CovOptions{}
		if o != nil {
			options = *o
		}
		if options.Fit.Start == nil {
			options.Fit.Start = start
		}
		given := func(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[M], error) {
			return plain(ctx, data, k, o)
		}
		return fitCov(ctx, d, &options, covPurchases(data, given, k > 1, cnbd{k, c.first}.kernel))
	}
	if c.k != 0 {
		return of(c.k, nil)
	}
	return largestOfK(ctx, of)
}

// FitCovPDO estimates a PDO of the given period with covariates as FitCovBGNBD does. Errors are also those of FitPDO.
func FitCovPDO(ctx context.Context, data *Histories, d *Design, period float64, o *CovOptions) (*fit.Estimate[CovPDO], error) {
	plain := func(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[PDO], error) {
		return FitPDO(ctx, data, period, o)
	}
	return fitCov(ctx, d, o, covPurchases(data, plain, false, pdoKernel(period)))
}

// FitCovBGBB estimates a BG/BB with covariates as FitCovBGNBD does. Errors are also those of FitBGBB.
func FitCovBGBB(ctx context.Context, data []DiscreteHistory, d *Design, o *CovOptions) (*fit.Estimate[CovBGBB], error) {
	return fitCov(ctx, d, o, covData[BGBB]{
		check: func() error {
			if len(data) == 0 {
				return errNoDiscrete
			}
			return nil
		},
		rows:  len(data),
		plain: func(ctx context.Context, o *fit.Options) (*fit.Estimate[BGBB], error) { return FitBGBB(ctx, data, o) },
		build: func(ctx context.Context, p patterns, workers int) covRows {
			return opportunityRows(ctx, data, p, workers)
		},
	})
}

// FitCovGammaGamma estimates a gamma-gamma with covariates as FitCovBGNBD does, from the customers that FitGammaGamma
// uses, which must be enough to tell the covariates' effects apart.
func FitCovGammaGamma(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovGammaGamma], error) {
	return fitCov(ctx, d, o, covSpends(data, FitGammaGamma, spendRows))
}

// FitCovNormalNormal estimates a normal-normal with covariates as FitCovBGNBD does, from the customers that
// FitNormalNormal uses. A Ridge counts coefficients in standard deviations of the mean spends.
func FitCovNormalNormal(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[CovNormalNormal], error) {
	return fitCov(ctx, d, o, covSpends(data, FitNormalNormal, normalRows))
}

// A covData is what a fit with covariates reads of a model's data.
type covData[M Linked] struct {
	check func() error
	rows  int // of the data, and so of the design
	plain func(ctx context.Context, o *fit.Options) (*fit.Estimate[M], error)
	build covBuilder
	spend bool // whether the warnings of the plain fit say which customers it leaves out
}

func covHistories[M Linked](data *Histories, plain FitFunc[M], build func(ctx context.Context, data *Histories, p patterns, workers int) covRows) covData[M] {
	c := covData[M]{check: data.Validate,
		plain: func(ctx context.Context, o *fit.Options) (*fit.Estimate[M], error) { return plain(ctx, data, o) },
		build: func(ctx context.Context, p patterns, workers int) covRows { return build(ctx, data, p, workers) }}
	if data != nil {
		c.rows = len(data.Rows)
	}
	return c
}

// covPurchases is that of the models in continuous time.
func covPurchases[M Linked](data *Histories, plain FitFunc[M], gaps bool, kernel func(rows []row) covKernel) covData[M] {
	return covHistories(data, plain, func(ctx context.Context, data *Histories, p patterns, workers int) covRows {
		return purchaseRows(ctx, data, p, workers, gaps, kernel)
	})
}

// covSpends is that of the models of spend.
func covSpends[M Linked](data *Histories, plain FitFunc[M], build func(ctx context.Context, data *Histories, p patterns, workers int) covRows) covData[M] {
	c := covHistories(data, plain, build)
	c.spend = true
	return c
}

// fitCov fits a model with covariates.
func fitCov[M Linked](ctx context.Context, d *Design, o *CovOptions, data covData[M]) (*fit.Estimate[Cov[M]], error) {
	if o == nil {
		o = &CovOptions{}
	}
	if err := data.check(); err != nil {
		return nil, err
	}
	if err := checkDesign(d, data.rows); err != nil {
		return nil, err
	}
	m, err := newCov[M](d, o)
	if err != nil {
		return nil, err
	}
	without := o.Fit
	without.Start = nil
	base, err := data.plain(ctx, &without)
	if base == nil || ctx.Err() != nil {
		return nil, err
	}
	m.Base = base.Model
	workers := o.Fit.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	p := newPatterns(ctx, d, workers)
	rows := data.build(ctx, p, workers)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), ctx.Err())
	}
	c, err := newCovProblem(ctx, p, m, rows, workers)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	r, err := c.maximize(ctx, values(base.Params), base.LogLik, o)
	if r.Theta == nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	c.unscale(&r)
	e := mle.Estimate(r, c.params, m.withParams(r.Theta))
	e.Customers, e.Unit = int(c.weight), base.Unit
	e.Evaluations += base.Evaluations
	if data.spend {
		e.Warnings = append(e.Warnings, base.Warnings...)
	}
	if err != nil {
		return e, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	return e, nil
}

// checkDesign returns an error unless the design has a row for each history.
func checkDesign(d *Design, rows int) error {
	if len(d.Terms()) == 0 {
		return d.check(nil)
	}
	if d.Len() != rows {
		return fmt.Errorf("clv: the design has %d rows for %d histories", d.Len(), rows)
	}
	return nil
}

// newCov returns the shape of the model that the options ask for, with coefficients of 0.
func newCov[M Linked](d *Design, o *CovOptions) (Cov[M], error) {
	m := Cov[M]{Terms: d.Terms()}
	if !(o.Ridge >= 0) || math.IsInf(o.Ridge, 1) {
		return m, fmt.Errorf("clv: ridge %v: want 0 or a positive finite number", o.Ridge)
	}
	links, err := linksOf(m, o.Beta)
	if err != nil {
		return m, err
	}
	names := make([]string, 0, len(o.On))
	for name := range o.On {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.ContainsFunc(links, func(l link) bool { return l.name == name }) {
			return m, fmt.Errorf("clv: %s: covariates on %q: they act on %s", m.Kind(), name, linkNames(links))
		}
	}
	for _, l := range links {
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
		if m.Equal, err = m.columns(o.Equal); err != nil {
			return m, err
		}
	}
	if len(m.slots(0)) == 0 {
		return m, errors.New("clv: no covariate acts on any parameter")
	}
	return m, nil
}

// linksOf returns what covariates act on in a form of the model.
func linksOf[M Linked](m Cov[M], form BetaForm) ([]link, error) {
	forms := m.Base.linkages()
	switch {
	case form > MeanForm:
		return nil, fmt.Errorf("clv: beta form %d: want ShapeForm or MeanForm", form)
	case int(form) >= len(forms):
		return nil, fmt.Errorf("clv: %s has no beta distribution, and so no MeanForm", m.Kind())
	}
	return forms[form].links, nil
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
