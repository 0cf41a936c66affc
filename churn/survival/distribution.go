package survival

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/special"
)

// A Distribution is a parametric distribution of tenures. All methods are NaN for a NaN argument and for parameters that
// do not validate; for times below 0 survival is 1 and hazard and density are 0.
type Distribution interface {
	Kind() string
	Validate() error
	Survival(t float64) float64       // P(tenure > t)
	Hazard(t float64) float64         // rate of leaving at t of those still there
	CumHazard(t float64) float64      // -ln Survival(t)
	Density(t float64) float64        // Hazard(t) Survival(t)
	Quantile(p float64) float64       // time by which the fraction p has left; +Inf if so many never leave
	Mean() float64                    // +Inf where the tail is too heavy or some never leave
	RestrictedMean(h float64) float64 // integral of Survival from 0 to h
	Rand(r *rand.Rand) float64        // a tenure drawn at random
}

// positive returns an error unless a parameter is a positive finite number.
func positive(kind, name string, x float64) error {
	if !(x > 0) || math.IsInf(x, 1) {
		return fmt.Errorf("survival: %s: %s %v is not a positive number", kind, name, x)
	}
	return nil
}

func finiteParam(kind, name string, x float64) error {
	if !isFinite(x) {
		return fmt.Errorf("survival: %s: %s %v is not a finite number", kind, name, x)
	}
	return nil
}

// curve evaluates a family at a linear predictor and shapes; it serves the methods of all distributions.
type curve struct {
	family Family
	eta    float64
	shapes [2]float64
}

func (c curve) at(t float64, density bool) float64 {
	l := c.value(t, density)
	if density && math.IsInf(t, 1) {
		return math.Inf(-1)
	}
	return l
}

// value returns ln S or ln f without derivatives.
func (c curve) value(t float64, density bool) float64 {
	if c.family == GompertzFamily {
		r := math.Exp(c.eta)
		v := -r * t * special.Expm1Ratio(c.shapes[0]*t)
		if density {
			v += c.eta + c.shapes[0]*t
		}
		return v
	}
	sigma := c.shapes[0]
	z := (math.Log(t) - c.eta) / sigma
	v, _, _ := c.family.standard(z, c.shapes[1], density)
	if density {
		v -= math.Log(sigma) + math.Log(t)
	}
	return v
}

func (c curve) survival(t float64) float64 { return math.Exp(-c.cumHazard(t)) }

func (c curve) cumHazard(t float64) float64 {
	switch {
	case math.IsNaN(t):
		return t
	case t <= 0:
		return 0
	case math.IsInf(t, 1):
		if g := c.shapes[0]; c.family == GompertzFamily && g < 0 {
			return -math.Exp(c.eta) / g
		}
		return t
	}
	return 0 - c.at(t, false)
}

func (c curve) density(t float64) float64 {
	switch {
	case math.IsNaN(t):
		return t
	case t < 0 || math.IsInf(t, 1):
		return 0
	case t == 0:
		return c.atZero()
	}
	return math.Exp(c.at(t, true))
}

// atZero returns the limit of the density, which is that of the hazard, at 0.
func (c curve) atZero() float64 {
	order, q := 1/c.shapes[0], c.shapes[1] // the density goes like t^(order-1)
	switch c.family {
	case GompertzFamily:
		return math.Exp(c.eta)
	case LogNormalFamily:
		return 0
	case GeneralizedGammaFamily:
		if q <= 0 {
			return 0
		}
		order /= q
	}
	switch {
	case order > 1:
		return 0
	case order < 1:
		return math.Inf(1)
	}
	const tiny = 1e-300
	return math.Exp(c.at(tiny, true))
}

func (c curve) hazard(t float64) float64 {
	if t > 0 && !math.IsInf(t, 1) {
		return math.Exp(c.at(t, true) - c.at(t, false))
	}
	return c.density(t)
}

// quantile inverts the survival curve by bisection of ln t; it serves where there is no closed form.
func (c curve) quantile(p float64) float64 {
	switch {
	case !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return 0
	case p == 1:
		return math.Inf(1)
	}
	// Of the two tails the smaller one keeps its digits.
	want, upper := math.Log1p(-p), true
	if p < 0.5 {
		want, upper = math.Log(p), false
	}
	left := func(x float64) bool { // whether fewer than p have left at e^x
		v := c.at(math.Exp(x), false)
		if upper {
			return v > want
		}
		return special.Log1mExp(v) < want
	}
	lo, hi := -700.0, 700.0
	for hi-lo > 1e-16*math.Max(1, math.Max(math.Abs(lo), math.Abs(hi))) {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			break
		}
		if left(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp(lo + (hi-lo)/2)
}

// restrictedMean integrates the survival curve numerically to 12 digits.
func (c curve) restrictedMean(h float64) float64 {
	switch {
	case !(h >= 0):
		return math.NaN()
	case h == 0:
		return 0
	}
	value, _, ok := special.Integrate(c.survival, 0, h, 1e-12)
	if !ok {
		return math.NaN()
	}
	return value
}

// typed fits a family without covariates and turns the estimate into that of a model with fields of its own: fields gives
// their values and the derivatives with respect to the parameters of the regression, back the regression of a start.
func typed[M Distribution, R Record](ctx context.Context, family Family, records []R, o *fit.Options, params []fit.Param,
	build func([]float64) M, fields func(theta []float64) ([]float64, [][]float64), back func([]float64) []float64) (*fit.Estimate[M], error) {
	var options *fit.Options
	if o != nil {
		copied := *o
		options = &copied
		if o.Start != nil {
			if len(o.Start) != len(params) {
				return nil, fmt.Errorf("survival: option Start: %d values for %d parameters", len(o.Start), len(params))
			}
			if err := build(o.Start).Validate(); err != nil {
				return nil, fmt.Errorf("%w (option Start)", err)
			}
			options.Start = back(o.Start)
		}
	}
	r, err := FitRegression(ctx, family, records, nil, options)
	if r == nil {
		return nil, err
	}
	theta := make([]float64, len(r.Params))
	for i, p := range r.Params {
		theta[i] = p.Value
	}
	values, slopes := fields(theta)
	e := &fit.Estimate[M]{Model: build(values), Params: params, Cov: transform(slopes, r.Cov), LogLik: r.LogLik,
		Customers: r.Customers, Iter: r.Iter, Evaluations: r.Evaluations, Stop: r.Stop, Warnings: r.Warnings}
	for i := range e.Params {
		e.Params[i].Value, e.Params[i].StdErr = values[i], math.NaN()
		if e.Cov != nil {
			e.Params[i].StdErr = math.Sqrt(e.Cov[i][i])
		}
	}
	return e, err
}

func same(theta []float64) []float64 { return theta }

func unitMatrix(n int) [][]float64 {
	m := linalg.NewMatrix(n)
	for i := range m {
		m[i][i] = 1
	}
	return m
}
