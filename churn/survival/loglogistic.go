package survival

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
)

// LogLogistic is the distribution of tenures whose logarithm is logistic:
//
//	S(t) = 1/(1 + (t/Scale)^Shape)
//
// The hazard falls for Shape up to 1 and has a peak above; the odds of having left are a power of time.
type LogLogistic struct {
	Shape float64 `json:"shape"` // power of time in the odds; positive
	Scale float64 `json:"scale"` // the median; positive
}

var _ Distribution = LogLogistic{}

// Kind returns "log-logistic".
func (LogLogistic) Kind() string { return "log-logistic" }

// Validate returns an error unless Shape is positive and finite and Scale is positive and finite.
func (m LogLogistic) Validate() error {
	if err := positive("log-logistic", "Shape", m.Shape); err != nil {
		return err
	}
	return positive("log-logistic", "Scale", m.Scale)
}

// FitLogLogistic fits a [LogLogistic] distribution to tenures or intervals by maximum likelihood. Options.Start is in the
// order of the fields. Errors are those of [FitRegression] without a design.
func FitLogLogistic[R Record](ctx context.Context, records []R, o *fit.Options) (*fit.Estimate[LogLogistic], error) {
	return typed(ctx, LogLogisticFamily, records, o, []fit.Param{{Name: "Shape", Scale: fit.Log}, {Name: "Scale", Scale: fit.Log}},
		func(v []float64) LogLogistic { return LogLogistic{v[0], v[1]} }, func(theta []float64) ([]float64, [][]float64) {
			shape, scale := 1/theta[1], math.Exp(theta[0])
			return []float64{shape, scale}, [][]float64{{0, -shape * shape}, {scale, 0}}
		}, func(v []float64) []float64 { return []float64{math.Log(v[1]), 1 / v[0]} })
}

// curve is only called for parameters that validate.
func (m LogLogistic) curve() curve {
	return curve{LogLogisticFamily, math.Log(m.Scale), [2]float64{1 / m.Shape, 0}}
}

// Survival returns P(tenure > t).
func (m LogLogistic) Survival(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().survival(t)
}

// Hazard returns the rate of leaving at t of those still there.
func (m LogLogistic) Hazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().hazard(t)
}

// CumHazard returns -ln Survival(t).
func (m LogLogistic) CumHazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().cumHazard(t)
}

// Density returns the density of tenures at t.
func (m LogLogistic) Density(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().density(t)
}

// Quantile returns the time by which the fraction p has left:
//
//	Scale (p/(1-p))^(1/Shape)
//
// It is NaN for a p outside [0, 1].
func (m LogLogistic) Quantile(p float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	return m.Scale * math.Pow(p/(1-p), 1/m.Shape)
}

// Mean returns the mean tenure,
//
//	Scale (pi/Shape)/sin(pi/Shape), +Inf for Shape up to 1
func (m LogLogistic) Mean() float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if m.Shape <= 1 {
		return math.Inf(1)
	}
	return m.Scale * math.Pi / m.Shape / math.Sin(math.Pi/m.Shape)
}

// RestrictedMean returns the mean tenure within a horizon, the integral of Survival from 0 to h, integrated numerically to 12 digits.
//
// It is NaN for a negative h.
func (m LogLogistic) RestrictedMean(h float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if math.IsInf(h, 1) {
		return m.Mean()
	}
	return m.curve().restrictedMean(h)
}

// Rand draws a tenure at random.
func (m LogLogistic) Rand(r *rand.Rand) float64 { return m.Quantile(r.Float64()) }

// MarshalJSON writes the model in the envelope of its kind.
func (m LogLogistic) MarshalJSON() ([]byte, error) {
	type plain LogLogistic
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *LogLogistic) UnmarshalJSON(text []byte) error {
	type plain LogLogistic
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := LogLogistic(p).Validate(); err != nil {
		return err
	}
	*m = LogLogistic(p)
	return nil
}
