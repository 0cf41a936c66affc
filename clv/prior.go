package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// A Density is a prior distribution of a parameter: LogNormal and Gamma of a positive one, Normal of one that has any
// sign. The zero Density is Flat.
type Density struct {
	kind densityKind
	a, b float64
}

type densityKind uint8

const (
	flat densityKind = iota
	logNormal
	gammaPrior
	normal
)

// LogNormal is the log-normal distribution with the given median and the deviation sigma of the logarithm: the
// parameter lies within a factor of exp(1.96 sigma) of the median with probability 0.95, which is 7 for sigma 1.
func LogNormal(median, sigma float64) Density { return Density{logNormal, median, sigma} }

// Gamma is the gamma distribution with the given shape and rate: mean shape/rate, deviation sqrt(shape)/rate.
func Gamma(shape, rate float64) Density { return Density{gammaPrior, shape, rate} }

// Normal is the normal distribution with the given mean and standard deviation, for parameters of any sign: Mu of
// NormalNormal and M of CorrelatedParetoNBD.
func Normal(mean, sd float64) Density { return Density{normal, mean, sd} }

// Flat says nothing about the parameter: the likelihood alone decides.
func Flat() Density { return Density{} }

// String returns the name with its parameters.
func (d Density) String() string {
	switch d.kind {
	case logNormal:
		return fmt.Sprintf("log-normal(median %.4g, sigma %.4g)", d.a, d.b)
	case gammaPrior:
		return fmt.Sprintf("gamma(shape %.4g, rate %.4g)", d.a, d.b)
	case normal:
		return fmt.Sprintf("normal(mean %.4g, sd %.4g)", d.a, d.b)
	default:
		return "flat"
	}
}

// Validate returns an error that names the first parameter of the density that is not a positive finite number, a finite
// one for the mean of Normal.
func (d Density) Validate() error {
	names := [2]string{"median", "sigma"}
	switch d.kind {
	case flat:
		return nil
	case gammaPrior:
		names = [2]string{"shape", "rate"}
	case normal:
		if !finite(d.a) {
			return fmt.Errorf("clv: prior %v: mean = %v: %w", d, d.a, errNotFinite)
		}
		if !allPositive(d.b) {
			return fmt.Errorf("clv: prior %v: sd = %v: %w", d, d.b, errNotPositive)
		}
		return nil
	}
	for i, v := range [2]float64{d.a, d.b} {
		if !allPositive(v) {
			return fmt.Errorf("clv: prior %v: %s = %v: %w", d, names[i], v, errNotPositive)
		}
	}
	return nil
}

// median is where a search may begin.
func (d Density) median() float64 {
	if d.kind == gammaPrior {
		return d.a / d.b
	}
	return d.a
}

// moved returns the density of (v-shift)/factor; the shift of a positive parameter is 0.
func (d Density) moved(shift, factor float64) Density {
	switch d.kind {
	case logNormal:
		d.a /= factor
	case gammaPrior:
		d.b *= factor
	case normal:
		d.a, d.b = (d.a-shift)/factor, d.b/factor
	}
	return d
}

// add adds the log-density of ln v, that of v for Normal, but for a constant, with its derivatives in v, to parameter j.
func (d Density) add(v float64, j int, to *mle.Derivs) {
	switch d.kind {
	case logNormal:
		z := (math.Log(v) - math.Log(d.a)) / (d.b * d.b)
		to.Value -= z * (math.Log(v) - math.Log(d.a)) / 2
		to.Grad[j] -= z / v
		if to.Hess != nil {
			to.AddHess(j, j, (z-1/(d.b*d.b))/(v*v))
		}
	case gammaPrior:
		to.Value += d.a*math.Log(v) - d.b*v
		to.Grad[j] += d.a/v - d.b
		if to.Hess != nil {
			to.AddHess(j, j, -d.a/(v*v))
		}
	case normal:
		z := (v - d.a) / (d.b * d.b)
		to.Value -= z * (v - d.a) / 2
		to.Grad[j] -= z
		if to.Hess != nil {
			to.AddHess(j, j, -1/(d.b*d.b))
		}
	}
}

// A Prior is what is known of a model's parameters, by their names, before the data; they are independent. Parameters
// that it does not name are Flat. The nil Prior is a weakly informative one for every parameter, which keeps them from
// running off where the data are few and yields to some hundred customers:
//
//	R, S, A, B        log-normal, median 1, sigma 1.5: between 0.05 and 19
//	Alpha             log-normal, median the mean time between purchases, sigma 2 (that time over K for the CNBD models)
//	Beta              log-normal, median the mean time of observation, sigma 2 (1 for GGompertzNBD, whose Beta has no unit)
//	B of GGompertzNBD log-normal, median one over the mean time of observation, sigma 2
//	B of PDO          log-normal, median the mean time of observation in periods, sigma 2
//	P; Q              log-normal, median 4, sigma 1.5; 1 for Q
//	Gamma             log-normal, median the mean spend, sigma 2
//	M                 flat: its bounds keep it
//	Mu                normal, mean that of the customers' means, deviation 3 times theirs
//	Tau, Sigma        log-normal, median the deviation of the customers' means, sigma 1.5
//	BGBB              log-normal, median 1, sigma 1.5; for Delta median the mean number of opportunities, sigma 2
//
// The medians of Alpha, Beta and Gamma are taken from the data, so that units of time and money do not matter.
type Prior map[string]Density

// FitMAP estimates a model by the largest posterior density of the logarithms of its parameters,
//
//	ln L(theta) + sum over parameters of ln p(ln theta)
//
// for samples too small for the likelihood alone. On the scale of the logarithms the mode depends on no unit, and the
// median of a log-normal prior is its mode; parameters of any sign stay as they are. Of model only what is not estimated is read, such as K: zero-valued
// parameters are right.
//
// The covariance is the inverse curvature of the log-posterior, so intervals are approximate intervals of the posterior.
// LogLik, AIC and BIC are those of the likelihood, without the prior; Warnings say that a prior was used. Customers
// without any repeat purchase are enough.
//
// FitMAP returns an error if a history does not validate, if the prior names another parameter, if a density does not
// validate or is not one of the parameter's sign, and, with the best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's
// error.
func FitMAP[M Estimable[D], D any](ctx context.Context, model M, data D, prior Prior, o *fit.Options) (*fit.Estimate[M], error) {
	v, err := model.evidence(ctx, data)
	if err != nil {
		return nil, err
	}
	ds, err := v.densities(model.Kind(), prior)
	if err != nil {
		return nil, err
	}
	note := "the estimates are posterior modes under"
	for j, p := range v.problem.Params {
		note += fmt.Sprintf(" %s %v,", p.Name, ds[j])
	}
	return maximizeUnder(ctx, model, v, ds, note[:len(note)-1]+"; log-likelihood, AIC and BIC do not count the prior", o)
}

var errPenalty = errors.New("want a positive finite number")

// FitPenalized estimates a model by its likelihood less an L2 penalty on the logarithms of its parameters,
//
//	ln L(theta) - lambda * sum over parameters of (ln theta - ln median)^2
//
// the median being that of the nil Prior. Mu of NormalNormal and M of CorrelatedParetoNBD, which may be negative, are
// not penalized. Of model only what is not estimated is read, such as K.
//
// A penalty is not a statement about the parameters, and shrunken estimates are biased by what nobody knows: standard
// errors are withheld, and Warnings say so. FitMAP with a prior has them. LogLik, AIC and BIC are those of the
// likelihood, without the penalty.
//
// FitPenalized returns the errors of FitMAP, and one for a lambda that is not a positive finite number.
func FitPenalized[M Estimable[D], D any](ctx context.Context, model M, data D, lambda float64, o *fit.Options) (*fit.Estimate[M], error) {
	if !(lambda > 0) || math.IsInf(lambda, 1) {
		return nil, fmt.Errorf("clv: fit of %s: lambda = %v: %w", model.Kind(), lambda, errPenalty)
	}
	v, err := model.evidence(ctx, data)
	if err != nil {
		return nil, err
	}
	ds := slices.Clone(v.vague)
	for j := range ds {
		if v.problem.Params[j].Scale == fit.Log {
			ds[j] = LogNormal(ds[j].median(), math.Sqrt(1/(2*lambda)))
		} else {
			ds[j] = Flat()
		}
	}
	v.problem.Withhold = fmt.Sprintf("the estimates are shrunken by an L2 penalty of %g", lambda)
	return maximizeUnder(ctx, model, v, ds, "log-likelihood, AIC and BIC do not count the penalty", o)
}

// densities returns the prior of each parameter.
func (v *evidence) densities(kind string, prior Prior) ([]Density, error) {
	if prior == nil {
		return v.vague, nil
	}
	names := make([]string, 0, len(prior))
	for name := range prior {
		names = append(names, name)
	}
	slices.Sort(names)
	ds := make([]Density, len(v.problem.Params))
	for _, name := range names {
		j := slices.IndexFunc(v.problem.Params, func(p mle.Param) bool { return p.Name == name })
		if j < 0 {
			return nil, fmt.Errorf("clv: fit of %s: prior of %q, which is not a parameter of the model", kind, name)
		}
		if err := prior[name].Validate(); err != nil {
			return nil, fmt.Errorf("%w, of %s", err, name)
		}
		if d := prior[name]; d.kind != flat && (d.kind == normal) != (v.problem.Params[j].Scale == fit.Identity) {
			return nil, fmt.Errorf("clv: fit of %s: prior of %s: %v: want Normal for a parameter of any sign, LogNormal or Gamma for a positive one",
				kind, name, d)
		}
		ds[j] = prior[name]
	}
	return ds, nil
}

// maximizeUnder finds the best parameters under the densities.
func maximizeUnder[M named](ctx context.Context, model M, v *evidence, ds []Density, note string, o *fit.Options) (*fit.Estimate[M], error) {
	p := v.problem
	in := make([]Density, len(ds)) // the densities in the terms of the search
	start := make([]float64, len(ds))
	for j, d := range ds {
		if d.kind == flat {
			d = v.vague[j]
		}
		shift, factor := v.place(j)
		in[j], start[j] = ds[j].moved(shift, factor), d.moved(shift, factor).median()
	}
	small, large := slices.Clone(start), slices.Clone(start)
	for j := range start {
		if p.Params[j].Scale == fit.Log {
			small[j], large[j] = start[j]/3, start[j]*3
		}
	}
	p.Starts = [][]float64{start, small, large}
	if v.inside != nil {
		for _, s := range p.Starts {
			v.inside(s, -1)
		}
	}
	p.Prior = func(theta []float64, d *mle.Derivs) {
		if v.problem.Prior != nil {
			v.problem.Prior(theta, d)
		}
		for j := range in {
			in[j].add(theta[j], j, d)
		}
	}
	r, err := mle.Maximize(ctx, p, v.options(o))
	if r.Theta == nil {
		return nil, v.fitError(model.Kind(), err)
	}
	r.Theta, r.LogLik = v.natural(r.Theta), r.LogLik+v.offset
	for i := range r.Cov {
		_, by := v.place(i)
		for j := range r.Cov[i] {
			_, factor := v.place(j)
			r.Cov[i][j] *= by * factor
		}
	}
	e := mle.Estimate(r, p.Params, model)
	var bad error
	if e.Model, bad = withParams(model, e.Params, r.Theta); bad != nil {
		return nil, bad
	}
	e.Customers, e.Unit = int(p.Weight), v.unit
	e.Warnings = append(append(e.Warnings, v.warnings...), note)
	return e, v.fitError(model.Kind(), err)
}

// options returns the options in the terms of the search.
func (v *evidence) options(o *fit.Options) *fit.Options {
	if o == nil || v.factor == nil {
		return o
	}
	c := *o
	if len(o.Start) == len(v.factor) {
		c.Start = make([]float64, len(o.Start))
		for j := range c.Start {
			c.Start[j] = (o.Start[j] - v.shift[j]) / v.factor[j]
		}
	}
	if o.Progress != nil {
		c.Progress = func(p fit.Progress) {
			p.LogLik += v.offset
			o.Progress(p)
		}
	}
	return &c
}

// fitError adds package and model to the error of a search.
func (v *evidence) fitError(kind string, err error) error {
	if err == nil {
		return nil
	}
	if v.describe == nil {
		return fmt.Errorf("clv: fit of %s: %w", kind, err)
	}
	return v.describe(err)
}
