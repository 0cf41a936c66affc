package survival

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
)

// LogNormal is the distribution of tenures whose logarithm is normal:
//
//	S(t) = 1 - Phi((ln t - Mu)/Sigma)
//
// The hazard rises to a peak and then falls.
type LogNormal struct {
	Mu    float64 `json:"mu"`    // mean of the logarithm: half have left by exp(Mu)
	Sigma float64 `json:"sigma"` // standard deviation of the logarithm; positive
}

var _ Distribution = LogNormal{}

// Kind returns "log-normal".
func (LogNormal) Kind() string { return "log-normal" }

// Validate returns an error unless Mu is finite and Sigma is positive and finite.
func (m LogNormal) Validate() error {
	if err := finiteParam("log-normal", "Mu", m.Mu); err != nil {
		return err
	}
	return positive("log-normal", "Sigma", m.Sigma)
}

// FitLogNormal fits a [LogNormal] distribution to tenures or intervals by maximum likelihood. Options.Start is in the
// order of the fields. Errors are those of [FitRegression] without a design.
func FitLogNormal[R Record](ctx context.Context, records []R, o *fit.Options) (*fit.Estimate[LogNormal], error) {
	return typed(ctx, LogNormalFamily, records, o, []fit.Param{{Name: "Mu", Scale: fit.Identity}, {Name: "Sigma", Scale: fit.Log}},
		func(v []float64) LogNormal { return LogNormal{v[0], v[1]} }, func(theta []float64) ([]float64, [][]float64) {
			return theta, unitMatrix(2)
		}, same)
}

// curve is only called for parameters that validate.
func (m LogNormal) curve() curve { return curve{LogNormalFamily, m.Mu, [2]float64{m.Sigma, 0}} }

// Survival returns P(tenure > t).
func (m LogNormal) Survival(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().survival(t)
}

// Hazard returns the rate of leaving at t of those still there.
func (m LogNormal) Hazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().hazard(t)
}

// CumHazard returns -ln Survival(t).
func (m LogNormal) CumHazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().cumHazard(t)
}

// Density returns the density of tenures at t.
func (m LogNormal) Density(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().density(t)
}

// Quantile returns the time by which the fraction p has left:
//
//	exp(Mu + Sigma z), z the standard normal quantile
//
// It is NaN for a p outside [0, 1].
func (m LogNormal) Quantile(p float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return math.Exp(m.Mu + m.Sigma*stat.NormalQuantile(p))
}

// Mean returns the mean tenure,
//
//	exp(Mu + Sigma²/2)
func (m LogNormal) Mean() float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return math.Exp(m.Mu + m.Sigma*m.Sigma/2)
}

// RestrictedMean returns the mean tenure within a horizon, the integral of Survival from 0 to h:
//
//	Mean Phi(z - Sigma) + h (1 - Phi(z)) with z = (ln h - Mu)/Sigma
//
// It is NaN for a negative h.
func (m LogNormal) RestrictedMean(h float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if !(h >= 0) {
		return math.NaN()
	}
	if h == 0 || math.IsInf(h, 1) {
		return math.Min(h, m.Mean())
	}
	z := (math.Log(h) - m.Mu) / m.Sigma
	return m.Mean()*math.Erfc((m.Sigma-z)/math.Sqrt2)/2 + h*math.Erfc(z/math.Sqrt2)/2
}

// Rand draws a tenure at random.
func (m LogNormal) Rand(r *rand.Rand) float64 { return m.Quantile(r.Float64()) }

// MarshalJSON writes the model in the envelope of its kind.
func (m LogNormal) MarshalJSON() ([]byte, error) {
	type plain LogNormal
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *LogNormal) UnmarshalJSON(text []byte) error {
	type plain LogNormal
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := LogNormal(p).Validate(); err != nil {
		return err
	}
	*m = LogNormal(p)
	return nil
}
