package survival

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/special"
)

// Weibull is the distribution of tenures under a hazard that is a power of time:
//
//	S(t) = exp(-(t/Scale)^Shape)
//
// The hazard falls for Shape below 1, is constant at 1 and rises above. R's survreg has scale 1/Shape and intercept ln Scale.
//
// Weibull, Journal of Applied Mechanics 18 (1951).
type Weibull struct {
	Shape float64 `json:"shape"` // power of time; positive
	Scale float64 `json:"scale"` // time by which 63.2 % have left; positive
}

var _ Distribution = Weibull{}

// Kind returns "weibull".
func (Weibull) Kind() string { return "weibull" }

// Validate returns an error unless Shape is positive and finite and Scale is positive and finite.
func (m Weibull) Validate() error {
	if err := positive("weibull", "Shape", m.Shape); err != nil {
		return err
	}
	return positive("weibull", "Scale", m.Scale)
}

// FitWeibull fits a [Weibull] distribution to tenures or intervals by maximum likelihood. Options.Start is in the
// order of the fields. Errors are those of [FitRegression] without a design.
func FitWeibull[R Record](ctx context.Context, records []R, o *fit.Options) (*fit.Estimate[Weibull], error) {
	return typed(ctx, WeibullFamily, records, o, []fit.Param{{Name: "Shape", Scale: fit.Log}, {Name: "Scale", Scale: fit.Log}},
		func(v []float64) Weibull { return Weibull{v[0], v[1]} }, func(theta []float64) ([]float64, [][]float64) {
			shape, scale := 1/theta[1], math.Exp(theta[0])
			return []float64{shape, scale}, [][]float64{{0, -shape * shape}, {scale, 0}}
		}, func(v []float64) []float64 { return []float64{math.Log(v[1]), 1 / v[0]} })
}

// curve is only called for parameters that validate.
func (m Weibull) curve() curve {
	return curve{WeibullFamily, math.Log(m.Scale), [2]float64{1 / m.Shape, 0}}
}

// Survival returns P(tenure > t).
func (m Weibull) Survival(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().survival(t)
}

// Hazard returns the rate of leaving at t of those still there.
func (m Weibull) Hazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().hazard(t)
}

// CumHazard returns -ln Survival(t).
func (m Weibull) CumHazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().cumHazard(t)
}

// Density returns the density of tenures at t.
func (m Weibull) Density(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().density(t)
}

// Quantile returns the time by which the fraction p has left:
//
//	Scale (-ln(1-p))^(1/Shape)
//
// It is NaN for a p outside [0, 1].
func (m Weibull) Quantile(p float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return m.Scale * math.Pow(-math.Log1p(-p), 1/m.Shape)
}

// Mean returns the mean tenure,
//
//	Scale Gamma(1 + 1/Shape)
func (m Weibull) Mean() float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.Scale * math.Gamma(1+1/m.Shape)
}

// RestrictedMean returns the mean tenure within a horizon, the integral of Survival from 0 to h:
//
//	Scale Gamma(1 + 1/Shape) P(1/Shape, (h/Scale)^Shape), P the regularized lower incomplete gamma function
//
// It is NaN for a negative h.
func (m Weibull) RestrictedMean(h float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(h >= 0) {
		return math.NaN()
	}
	lg, _ := math.Lgamma(1 + 1/m.Shape)
	return m.Scale * math.Exp(lg+special.LogGammaP(1/m.Shape, math.Pow(h/m.Scale, m.Shape)))
}

// Rand draws a tenure at random.
func (m Weibull) Rand(r *rand.Rand) float64 { return m.Quantile(r.Float64()) }

// MarshalJSON writes the model in the envelope of its kind.
func (m Weibull) MarshalJSON() ([]byte, error) {
	type plain Weibull
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *Weibull) UnmarshalJSON(text []byte) error {
	type plain Weibull
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Weibull(p).Validate(); err != nil {
		return err
	}
	*m = Weibull(p)
	return nil
}
