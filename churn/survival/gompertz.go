package survival

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/special"
)

// Gompertz is the distribution of tenures under a hazard that grows or shrinks exponentially:
//
//	h(t) = Rate exp(Shape t),  S(t) = exp(-Rate (exp(Shape t) - 1)/Shape)
//
// At Shape 0 it is the exponential distribution. Below 0 the hazard dies out and the fraction exp(Rate/Shape) of the customers
// never leaves: mean and high quantiles are +Inf.
//
// Gompertz, Philosophical Transactions of the Royal Society 115 (1825).
type Gompertz struct {
	Shape float64 `json:"shape"` // growth of the hazard per unit of time; any sign
	Rate  float64 `json:"rate"`  // hazard at 0; positive
}

var _ Distribution = Gompertz{}

// Kind returns "gompertz".
func (Gompertz) Kind() string { return "gompertz" }

// Validate returns an error unless Shape is finite and Rate is positive and finite.
func (m Gompertz) Validate() error {
	if err := finiteParam("gompertz", "Shape", m.Shape); err != nil {
		return err
	}
	return positive("gompertz", "Rate", m.Rate)
}

// FitGompertz fits a [Gompertz] distribution to tenures or intervals by maximum likelihood. Options.Start is in the
// order of the fields. Errors are those of [FitRegression] without a design.
func FitGompertz[R Record](ctx context.Context, records []R, o *fit.Options) (*fit.Estimate[Gompertz], error) {
	return typed(ctx, GompertzFamily, records, o, []fit.Param{{Name: "Shape", Scale: fit.Identity}, {Name: "Rate", Scale: fit.Log}},
		func(v []float64) Gompertz { return Gompertz{v[0], v[1]} }, func(theta []float64) ([]float64, [][]float64) {
			rate := math.Exp(theta[0])
			return []float64{theta[1], rate}, [][]float64{{0, 1}, {rate, 0}}
		}, func(v []float64) []float64 { return []float64{math.Log(v[1]), v[0]} })
}

// curve is only called for parameters that validate.
func (m Gompertz) curve() curve {
	return curve{GompertzFamily, math.Log(m.Rate), [2]float64{m.Shape, 0}}
}

// Survival returns P(tenure > t).
func (m Gompertz) Survival(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().survival(t)
}

// Hazard returns the rate of leaving at t of those still there.
func (m Gompertz) Hazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().hazard(t)
}

// CumHazard returns -ln Survival(t).
func (m Gompertz) CumHazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().cumHazard(t)
}

// Density returns the density of tenures at t.
func (m Gompertz) Density(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().density(t)
}

// Quantile returns the time by which the fraction p has left:
//
//	ln(1 - Shape ln(1-p)/Rate)/Shape, +Inf where so many never leave
//
// It is NaN for a p outside [0, 1].
func (m Gompertz) Quantile(p float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	u := -math.Log1p(-p) / m.Rate // Shape u <= -1 where the curve ends above 1-p
	switch {
	case m.Shape*u <= -1 || math.IsInf(u, 1):
		return math.Inf(1)
	case m.Shape == 0:
		return u
	}
	return math.Log1p(m.Shape*u) / m.Shape
}

// Mean returns the mean tenure,
//
//	exp(x) E1(x)/Shape with x = Rate/Shape and E1 the exponential integral; +Inf for a negative Shape
func (m Gompertz) Mean() float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	switch {
	case m.Shape < 0:
		return math.Inf(1)
	case m.Shape < 1e-8*m.Rate:
		return (1 - m.Shape/m.Rate) / m.Rate
	}
	return math.Exp(special.LogUpperGammaScaled(0, m.Rate/m.Shape)) / m.Shape
}

// RestrictedMean returns the mean tenure within a horizon, the integral of Survival from 0 to h, integrated numerically to 12 digits.
//
// It is NaN for a negative h.
func (m Gompertz) RestrictedMean(h float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if math.IsInf(h, 1) {
		return m.Mean()
	}
	return m.curve().restrictedMean(h)
}

// Rand draws a tenure at random.
func (m Gompertz) Rand(r *rand.Rand) float64 { return m.Quantile(r.Float64()) }

// MarshalJSON writes the model in the envelope of its kind.
func (m Gompertz) MarshalJSON() ([]byte, error) {
	type plain Gompertz
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *Gompertz) UnmarshalJSON(text []byte) error {
	type plain Gompertz
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Gompertz(p).Validate(); err != nil {
		return err
	}
	*m = Gompertz(p)
	return nil
}
