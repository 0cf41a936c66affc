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

// A Density is a prior distribution of a positive parameter. LogNormal and Gamma make one; the zero Density is Flat.
type Density struct {
	kind densityKind
	a, b float64
}

type densityKind uint8

const (
	flat densityKind = iota
	logNormal
	gammaPrior
)

// LogNormal is the log-normal distribution with the given median and the deviation sigma of the logarithm: the
// parameter lies within a factor of exp(1.96 sigma) of the median with probability 0.95, which is 7 for sigma 1.
func LogNormal(median, sigma float64) Density { return Density{logNormal, median, sigma} }

// Gamma is the gamma distribution with the given shape and rate: mean shape/rate, deviation sqrt(shape)/rate.
func Gamma(shape, rate float64) Density { return Density{gammaPrior, shape, rate} }

// Flat says nothing about the parameter: the likelihood alone decides.
func Flat() Density { return Density{} }

// String returns the name with its parameters.
func (d Density) String() string {
	switch d.kind {
	case logNormal:
		return fmt.Sprintf("log-normal(median %.4g, sigma %.4g)", d.a, d.b)
	case gammaPrior:
		return fmt.Sprintf("gamma(shape %.4g, rate %.4g)", d.a, d.b)
	default:
		return "flat"
	}
}

// Validate returns an error that names the first parameter of the density that is not a positive finite number.
func (d Density) Validate() error {
	names := [2]string{"median", "sigma"}
	switch d.kind {
	case flat:
		return nil
	case gammaPrior:
		names = [2]string{"shape", "rate"}
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

// add adds the log-density of ln v, but for a constant, with its derivatives in v, to parameter j.
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
//
// The medians of Alpha, Beta and Gamma are taken from the data, so that units of time and money do not matter.
type Prior map[string]Density

// FitMAP estimates a model by the largest posterior density of the logarithms of its parameters,
//
//	ln L(theta) + sum over parameters of ln p(ln theta)
//
// for samples too small for the likelihood alone. On the scale of the logarithms the mode depends on no unit, and the
// median of a log-normal prior is its mode. Of model only what is not estimated is read, such as K: zero-valued
// parameters are right.
//
// The covariance is the inverse curvature of the log-posterior, so intervals are approximate intervals of the posterior.
// LogLik, AIC and BIC are those of the likelihood, without the prior; Warnings say that a prior was used. Customers
// without any repeat purchase are enough.
//
// FitMAP returns an error if a history does not validate, if the prior names another parameter or a density does not
// validate, and, with the best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's
// error.
func FitMAP[M Estimable](ctx context.Context, model M, data *Histories, prior Prior, o *fit.Options) (*fit.Estimate[M], error) {
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
	return maximizeUnder(ctx, model, v, data, ds, note[:len(note)-1]+"; log-likelihood, AIC and BIC do not count the prior", o)
}

var errPenalty = errors.New("want a positive finite number")

// FitPenalized estimates a model by its likelihood less an L2 penalty on the logarithms of its parameters,
//
//	ln L(theta) - lambda * sum over parameters of (ln theta - ln median)^2
//
// the median being that of the nil Prior. Of model only what is not estimated is read, such as K.
//
// A penalty is not a statement about the parameters, and shrunken estimates are biased by what nobody knows: standard
// errors are withheld, and Warnings say so. FitMAP with a prior has them. LogLik, AIC and BIC are those of the
// likelihood, without the penalty.
//
// FitPenalized returns the errors of FitMAP, and one for a lambda that is not a positive finite number.
func FitPenalized[M Estimable](ctx context.Context, model M, data *Histories, lambda float64, o *fit.Options) (*fit.Estimate[M], error) {
	if !(lambda > 0) || math.IsInf(lambda, 1) {
		return nil, fmt.Errorf("clv: fit of %s: lambda = %v: %w", model.Kind(), lambda, errPenalty)
	}
	v, err := model.evidence(ctx, data)
	if err != nil {
		return nil, err
	}
	ds := slices.Clone(v.vague)
	for j := range ds {
		ds[j] = LogNormal(ds[j].median(), math.Sqrt(1/(2*lambda)))
	}
	v.problem.Withhold = fmt.Sprintf("the estimates are shrunken by an L2 penalty of %g", lambda)
	return maximizeUnder(ctx, model, v, data, ds, "log-likelihood, AIC and BIC do not count the penalty", o)
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
		ds[j] = prior[name]
	}
	return ds, nil
}

// maximizeUnder finds the best parameters under the densities.
func maximizeUnder[M Estimable](ctx context.Context, model M, v *evidence, data *Histories, ds []Density, note string, o *fit.Options) (*fit.Estimate[M], error) {
	p := v.problem
	start := make([]float64, len(ds))
	for j, d := range ds {
		if start[j] = d.median(); d.kind == flat {
			start[j] = v.vague[j].median()
		}
	}
	small, large := slices.Clone(start), slices.Clone(start)
	for j := range start {
		small[j], large[j] = start[j]/3, start[j]*3
	}
	p.Starts = [][]float64{start, small, large}
	p.Prior = func(theta []float64, d *mle.Derivs) {
		for j := range ds {
			ds[j].add(theta[j], j, d)
		}
	}
	r, err := mle.Maximize(ctx, p, o)
	if r.Theta == nil {
		return nil, v.fitError(model.Kind(), err, data)
	}
	e := mle.Estimate(r, p.Params, model)
	var bad error
	if e.Model, bad = withParams(model, e.Params, r.Theta); bad != nil {
		return nil, bad
	}
	e.Customers, e.Unit = int(p.Weight), data.Unit
	if v.sample == nil {
		e.Unit = 0
	}
	e.Warnings = append(append(e.Warnings, v.warnings...), note)
	return e, v.fitError(model.Kind(), err, data)
}

// fitError adds package and model to the error of a search.
func (v *evidence) fitError(kind string, err error, data *Histories) error {
	if err == nil {
		return nil
	}
	if v.sample == nil {
		return fmt.Errorf("clv: fit of %s: %w", kind, err)
	}
	return fitError(kind, err, v.sample, data)
}
