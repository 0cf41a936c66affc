package churn

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// Geometric is constant churn: every customer leaves at every renewal with the same probability.
//
//	S(t)  (1-Theta)^t
//	r(t)  1 - Theta
//
// Theta lies between 0 and 1. It is the model behind a lifetime of 1/churn, and the one that real cohorts refute: see
// SBG. Source: shifted geometric distribution.
type Geometric struct {
	Theta float64 `json:"theta"`
}

// Kind returns "geometric".
func (Geometric) Kind() string { return "geometric" }

// Validate returns an error unless Theta lies between 0 and 1, both excluded.
func (m Geometric) Validate() error { return probability(m.Kind(), "Theta", m.Theta) }

func (m Geometric) valid() bool { return m.Theta > 0 && m.Theta < 1 }

// MarshalJSON writes the parameter under the schema "custval/model/geometric/v1".
func (m Geometric) MarshalJSON() ([]byte, error) {
	type plain Geometric
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Geometric) UnmarshalJSON(text []byte) error {
	type plain Geometric
	return unmarshalModel(text, m, (*plain)(m))
}

// FitGeometric estimates the model by maximum likelihood: Theta is all losses over all customer-periods at risk. Data and
// errors are those of FitSBG; Theta runs off to 1 if everybody left at the first renewal.
func FitGeometric(ctx context.Context, cohorts []Cohort, o *fit.Options) (*fit.Estimate[Geometric], error) {
	f := family{
		params: []mle.Param{{Name: "Theta", Scale: fit.Logit}},
		starts: [][]float64{{overallChurn(cohorts)}},
		logS:   func(t []float64, k int) jet { return weibullJet(t[0], 1, k, 1) },
		logP: func(t []float64, k int) jet {
			j := weibullJet(t[0], 1, k-1, 1)
			j.v += math.Log(t[0])
			j.g[0] += 1 / t[0]
			j.h[0][0] -= 1 / (t[0] * t[0])
			return j
		},
	}
	return maximize(ctx, f, cohorts, o, Geometric{}.remake)
}

func (Geometric) remake(t []float64) Geometric { return Geometric{t[0]} }

// overallChurn is the losses per customer and renewal, away from 0 and 1.
func overallChurn(cohorts []Cohort) float64 {
	lost, base := 0.0, 0.0
	for _, c := range cohorts {
		for k := 1; k < len(c.Active); k++ {
			lost += float64(c.Active[k-1] - c.Active[k])
			base += float64(c.Active[k-1])
		}
	}
	if base == 0 {
		return 0.5
	}
	return max(1e-6, min(1-1e-6, lost/base))
}

// LogLikelihood returns the log-likelihood of a cohort, NaN for one that does not validate.
func (m Geometric) LogLikelihood(c Cohort) float64 {
	if !m.valid() {
		return math.NaN()
	}
	stay, leave := math.Log1p(-m.Theta), math.Log(m.Theta)
	return logLikelihood(c, func(k int) float64 { return float64(k) * stay }, func(k int) float64 { return float64(k-1)*stay + leave })
}

// Survival returns (1-Theta)^t, NaN for a negative t.
func (m Geometric) Survival(t float64) float64 {
	if !m.valid() || !(t >= 0) {
		return math.NaN()
	}
	return math.Exp(t * math.Log1p(-m.Theta))
}

// Retention returns 1 - Theta, NaN for t below 1.
func (m Geometric) Retention(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return 1 - m.Theta
}

// PMF returns Theta (1-Theta)^(t-1), NaN for t below 1.
func (m Geometric) PMF(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return m.Theta * m.Survival(float64(t-1))
}

// Lifetime returns 1/Theta.
func (m Geometric) Lifetime() float64 {
	if !m.valid() {
		return math.NaN()
	}
	return 1 / m.Theta
}

// ResidualLifetime returns (1-Theta)/Theta whatever n is, NaN for a negative n.
func (m Geometric) ResidualLifetime(n int) float64 { return m.DERL(n, 0) }

// DEL returns the discounted expected lifetime, (1+d)/(Theta+d), NaN for a negative or infinite d.
func (m Geometric) DEL(d float64) float64 {
	if !m.valid() || !(d >= 0) || math.IsInf(d, 1) {
		return math.NaN()
	}
	return (1 + d) / (m.Theta + d)
}

// DERL returns the discounted expected residual lifetime, (1-Theta)(1+d)/(Theta+d) whatever n is. It is NaN for a
// negative n, and for a negative or infinite d.
func (m Geometric) DERL(n int, d float64) float64 {
	if n < 0 {
		return math.NaN()
	}
	return (1 - m.Theta) * m.DEL(d)
}

// Rand draws the period in which a new customer leaves.
func (m Geometric) Rand(r *rand.Rand) int {
	if !m.valid() {
		return 0
	}
	return periods(r.ExpFloat64() / -math.Log1p(-m.Theta))
}
