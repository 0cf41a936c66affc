package survival

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
)

// Exponential is the distribution of tenures under a hazard that never changes:
//
//	S(t) = exp(-Rate t)
//
// A customer who has stayed for years is as likely to leave tomorrow as a new one.
type Exponential struct {
	Rate float64 `json:"rate"` // of leaving per unit of time; positive
}

var _ Distribution = Exponential{}

// Kind returns "exponential".
func (Exponential) Kind() string { return "exponential" }

// Validate returns an error unless Rate is positive and finite.
func (m Exponential) Validate() error {
	return positive("exponential", "Rate", m.Rate)
}

// FitExponential fits an [Exponential] distribution to tenures or intervals by maximum likelihood. The estimate is events over time at risk. Options.Start is in the
// order of the fields. Errors are those of [FitRegression] without a design.
func FitExponential[R Record](ctx context.Context, records []R, o *fit.Options) (*fit.Estimate[Exponential], error) {
	return typed(ctx, ExponentialFamily, records, o, []fit.Param{{Name: "Rate", Scale: fit.Log}},
		func(v []float64) Exponential { return Exponential{v[0]} }, func(theta []float64) ([]float64, [][]float64) {
			rate := math.Exp(-theta[0])
			return []float64{rate}, [][]float64{{-rate}}
		}, func(v []float64) []float64 { return []float64{-math.Log(v[0])} })
}

// curve is only called for parameters that validate.
func (m Exponential) curve() curve {
	return curve{ExponentialFamily, -math.Log(m.Rate), [2]float64{1, 0}}
}

// Survival returns P(tenure > t).
func (m Exponential) Survival(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().survival(t)
}

// Hazard returns the rate of leaving at t of those still there.
func (m Exponential) Hazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().hazard(t)
}

// CumHazard returns -ln Survival(t).
func (m Exponential) CumHazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().cumHazard(t)
}

// Density returns the density of tenures at t.
func (m Exponential) Density(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().density(t)
}

// Quantile returns the time by which the fraction p has left:
//
//	-ln(1-p)/Rate
//
// It is NaN for a p outside [0, 1].
func (m Exponential) Quantile(p float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return -math.Log1p(-p) / m.Rate
}

// Mean returns the mean tenure,
//
//	1/Rate
func (m Exponential) Mean() float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return 1 / m.Rate
}

// RestrictedMean returns the mean tenure within a horizon, the integral of Survival from 0 to h:
//
//	(1 - exp(-Rate h))/Rate
//
// It is NaN for a negative h.
func (m Exponential) RestrictedMean(h float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(h >= 0) {
		return math.NaN()
	}
	return -math.Expm1(-m.Rate*h) / m.Rate
}

// Rand draws a tenure at random.
func (m Exponential) Rand(r *rand.Rand) float64 { return m.Quantile(r.Float64()) }

// MarshalJSON writes the model in the envelope of its kind.
func (m Exponential) MarshalJSON() ([]byte, error) {
	type plain Exponential
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *Exponential) UnmarshalJSON(text []byte) error {
	type plain Exponential
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Exponential(p).Validate(); err != nil {
		return err
	}
	*m = Exponential(p)
	return nil
}
