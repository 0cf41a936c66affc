package survival

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/special"
)

// GeneralizedGamma is a distribution of tenures that has others as special cases, so that they can be tested against it:
// Weibull at Q = 1, log-normal at Q = 0, gamma at Q = Sigma, inverse Weibull at Q = -1. With w = (ln t - Mu)/Sigma and
// k = 1/Q²,
//
//	S(t) = Gamma(k, k exp(Q w))/Gamma(k) for Q > 0, one minus it for Q < 0
//
// Prentice, Biometrika 61 (1974); the parameters are his.
type GeneralizedGamma struct {
	Mu    float64 `json:"mu"`    // location of the logarithm
	Sigma float64 `json:"sigma"` // scale of the logarithm; positive
	Q     float64 `json:"q"`     // shape; any sign
}

var _ Distribution = GeneralizedGamma{}

// Kind returns "generalized-gamma".
func (GeneralizedGamma) Kind() string { return "generalized-gamma" }

// Validate returns an error unless Mu is finite and Sigma is positive and finite and Q is finite.
func (m GeneralizedGamma) Validate() error {
	if err := finiteParam("generalized-gamma", "Mu", m.Mu); err != nil {
		return err
	}
	if err := positive("generalized-gamma", "Sigma", m.Sigma); err != nil {
		return err
	}
	return finiteParam("generalized-gamma", "Q", m.Q)
}

// FitGeneralizedGamma fits a [GeneralizedGamma] distribution to tenures or intervals by maximum likelihood. Options.Start is in the
// order of the fields. Errors are those of [FitRegression] without a design.
func FitGeneralizedGamma[R Record](ctx context.Context, records []R, o *fit.Options) (*fit.Estimate[GeneralizedGamma], error) {
	return typed(ctx, GeneralizedGammaFamily, records, o, []fit.Param{{Name: "Mu", Scale: fit.Identity}, {Name: "Sigma", Scale: fit.Log}, {Name: "Q", Scale: fit.Identity}},
		func(v []float64) GeneralizedGamma { return GeneralizedGamma{v[0], v[1], v[2]} }, func(theta []float64) ([]float64, [][]float64) {
			return theta, unitMatrix(3)
		}, same)
}

// curve is only called for parameters that validate.
func (m GeneralizedGamma) curve() curve {
	return curve{GeneralizedGammaFamily, m.Mu, [2]float64{m.Sigma, m.Q}}
}

// Survival returns P(tenure > t).
func (m GeneralizedGamma) Survival(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().survival(t)
}

// Hazard returns the rate of leaving at t of those still there.
func (m GeneralizedGamma) Hazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().hazard(t)
}

// CumHazard returns -ln Survival(t).
func (m GeneralizedGamma) CumHazard(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().cumHazard(t)
}

// Density returns the density of tenures at t.
func (m GeneralizedGamma) Density(t float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().density(t)
}

// Quantile returns the time by which the fraction p has left, by bisection of the survival curve.
//
// It is NaN for a p outside [0, 1].
func (m GeneralizedGamma) Quantile(p float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	return m.curve().quantile(p)
}

// Mean returns the mean tenure,
//
//	exp(Mu) Gamma(k + Sigma/Q)/Gamma(k) k^(-Sigma/Q); +Inf where k + Sigma/Q is not positive
func (m GeneralizedGamma) Mean() float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if m.Q == 0 {
		return math.Exp(m.Mu + m.Sigma*m.Sigma/2)
	}
	k, s := 1/(m.Q*m.Q), m.Sigma/m.Q
	if !(k+s > 0) {
		return math.Inf(1)
	}
	if k > 1e10 { // to first order in Q
		return math.Exp(m.Mu + m.Sigma*m.Sigma/2 - m.Q*m.Sigma*(m.Sigma*m.Sigma+3)/6)
	}
	ratio := special.LogGammaRatio(k, s)
	if s < 0 {
		ratio = -special.LogGammaRatio(k+s, -s)
	}
	return math.Exp(m.Mu + ratio - s*math.Log(k))
}

// RestrictedMean returns the mean tenure within a horizon, the integral of Survival from 0 to h, integrated numerically to 12 digits.
//
// It is NaN for a negative h.
func (m GeneralizedGamma) RestrictedMean(h float64) float64 {
	if m.Validate() != nil {
		return math.NaN()
	}
	if math.IsInf(h, 1) {
		return m.Mean()
	}
	return m.curve().restrictedMean(h)
}

// Rand draws a tenure at random.
func (m GeneralizedGamma) Rand(r *rand.Rand) float64 { return m.Quantile(r.Float64()) }

// MarshalJSON writes the model in the envelope of its kind.
func (m GeneralizedGamma) MarshalJSON() ([]byte, error) {
	type plain GeneralizedGamma
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *GeneralizedGamma) UnmarshalJSON(text []byte) error {
	type plain GeneralizedGamma
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := GeneralizedGamma(p).Validate(); err != nil {
		return err
	}
	*m = GeneralizedGamma(p)
	return nil
}
