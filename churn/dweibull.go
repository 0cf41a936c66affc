package churn

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// DiscreteWeibull is churn that changes with age and is the same for all customers.
//
//	S(t)  (1-Theta)^(t^C)
//
// Theta, between 0 and 1, is the churn at the first renewal. C is positive: above 1 churn rises with age, below 1 it
// falls, at 1 the model is Geometric. A falling churn is more often customers who differ, see SBG; BdW has both.
//
// Source: T. Nakagawa, S. Osaki, The Discrete Weibull Distribution, IEEE Transactions on Reliability 24(5), 1975.
type DiscreteWeibull struct {
	Theta float64 `json:"theta"`
	C     float64 `json:"c"`
}

// Kind returns "discrete-weibull".
func (DiscreteWeibull) Kind() string { return "discrete-weibull" }

// Validate returns an error that names the first parameter out of its domain.
func (m DiscreteWeibull) Validate() error {
	return first(probability(m.Kind(), "Theta", m.Theta), positive(m.Kind(), "C", m.C))
}

func (m DiscreteWeibull) valid() bool {
	return Geometric{m.Theta}.valid() && m.C > 0 && !math.IsInf(m.C, 1)
}

// MarshalJSON writes the parameters under the schema "custval/model/discrete-weibull/v1".
func (m DiscreteWeibull) MarshalJSON() ([]byte, error) {
	type plain DiscreteWeibull
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *DiscreteWeibull) UnmarshalJSON(text []byte) error {
	type plain DiscreteWeibull
	return unmarshalModel(text, m, (*plain)(m))
}

// FitDiscreteWeibull estimates the model by maximum likelihood; data and errors are those of FitSBG.
func FitDiscreteWeibull(ctx context.Context, cohorts []Cohort, o *fit.Options) (*fit.Estimate[DiscreteWeibull], error) {
	f := family{
		params: []mle.Param{{Name: "Theta", Scale: fit.Logit}, {Name: "C"}},
		logS:   func(t []float64, k int) jet { return weibullJet(t[0], t[1], k, 2) },
		logP: func(t []float64, k int) jet {
			return leaving(weibullJet(t[0], t[1], k-1, 2), weibullJet(t[0], t[1], k, 2), DiscreteWeibull{t[0], t[1]}.logR(k))
		},
	}
	for _, c := range []float64{1, 0.6, 1.5} {
		f.starts = append(f.starts, []float64{overallChurn(cohorts), c})
	}
	return maximize(ctx, f, cohorts, o, DiscreteWeibull{}.remake)
}

func (DiscreteWeibull) remake(t []float64) DiscreteWeibull { return DiscreteWeibull{t[0], t[1]} }

// weibullJet is ln S(k) = k^c ln(1-theta) with its derivatives in theta and, if there are two parameters, c.
func weibullJet(theta, c float64, k, parameters int) jet {
	if k == 0 {
		return jet{}
	}
	l := math.Log(float64(k))
	u, stay := math.Exp(c*l), 1-theta
	var j jet
	j.v = u * math.Log1p(-theta)
	j.g[0], j.h[0][0] = -u/stay, -u/(stay*stay)
	if parameters == 2 {
		j.g[1], j.h[0][1], j.h[1][1] = j.v*l, j.g[0]*l, j.v*l*l
	}
	return j
}

func (m DiscreteWeibull) logR(k int) float64 {
	_, du := weibullStep(m.C, k)
	return du * math.Log1p(-m.Theta)
}

// LogLikelihood returns the log-likelihood of a cohort, NaN for one that does not validate.
func (m DiscreteWeibull) LogLikelihood(c Cohort) float64 {
	if !m.valid() {
		return math.NaN()
	}
	logS := func(k int) float64 { return math.Pow(float64(k), m.C) * math.Log1p(-m.Theta) }
	return logLikelihood(c, logS, func(k int) float64 { return logS(k-1) + special.Log1mExp(m.logR(k)) })
}

// logSAt is ln S(e^u).
func (m DiscreteWeibull) logSAt(u float64) float64 { return math.Exp(m.C*u) * math.Log1p(-m.Theta) }

// Survival returns (1-Theta)^(t^C), NaN for a negative t.
func (m DiscreteWeibull) Survival(t float64) float64 {
	if !m.valid() || !(t >= 0) {
		return math.NaN()
	}
	return math.Exp(math.Pow(t, m.C) * math.Log1p(-m.Theta))
}

// Retention returns r(t) = (1-Theta)^(t^C - (t-1)^C), NaN for t below 1.
func (m DiscreteWeibull) Retention(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return math.Exp(m.logR(t))
}

// PMF returns P(t) = S(t-1) - S(t), NaN for t below 1.
func (m DiscreteWeibull) PMF(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return m.Survival(float64(t-1)) * -math.Expm1(m.logR(t))
}

// Lifetime returns the expected periods of a new customer, always finite.
func (m DiscreteWeibull) Lifetime() float64 { return 1 + m.ResidualLifetime(0) }

// ResidualLifetime returns the expected further renewals after n, NaN for a negative n.
func (m DiscreteWeibull) ResidualLifetime(n int) float64 { return m.DERL(n, 0) }

// DEL returns the discounted expected lifetime, NaN for a negative or infinite d.
func (m DiscreteWeibull) DEL(d float64) float64 { return 1 + m.DERL(0, d)/(1+d) }

// DERL returns the discounted expected residual lifetime after n renewals, computed as BdW's. It is NaN for a negative n,
// and for a negative or infinite d.
func (m DiscreteWeibull) DERL(n int, d float64) float64 {
	if !m.valid() || n < 0 || !(d >= 0) || math.IsInf(d, 1) {
		return math.NaN()
	}
	return residual(m.logSAt, math.Inf(1), n, d)
}

// Rand draws the period in which a new customer leaves.
func (m DiscreteWeibull) Rand(r *rand.Rand) int {
	if !m.valid() {
		return 0
	}
	return periods(math.Pow(r.ExpFloat64()/-math.Log1p(-m.Theta), 1/m.C))
}
