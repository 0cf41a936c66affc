package churn

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// SBG is the shifted beta-geometric model: each customer leaves at every renewal with a probability that stays the same
// but differs between customers.
//
//	leaves at a renewal  with probability theta
//	theta                beta with Alpha and Beta: mean Alpha/(Alpha+Beta)
//	S(t)                 B(Alpha, Beta+t) / B(Alpha, Beta)
//	r(t)                 (Beta+t-1) / (Alpha+Beta+t-1)
//
// Both parameters are positive. Retention rises with age although nobody's changes: those with a high theta leave first.
// 1/(Alpha+Beta+1) tells how much customers differ, from 0 for all the same to 1 for some who leave at once and others
// who never do.
//
// Source: P. Fader, B. Hardie, How to Project Customer Retention, Journal of Interactive Marketing 21(1), 2007; the
// expected values from their Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity,
// Marketing Science 29(1), 2010.
type SBG struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

// Kind returns "sbg".
func (SBG) Kind() string { return "sbg" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m SBG) Validate() error {
	return first(positive(m.Kind(), "Alpha", m.Alpha), positive(m.Kind(), "Beta", m.Beta))
}

func (m SBG) valid() bool {
	return m.Alpha > 0 && m.Beta > 0 && !math.IsInf(m.Alpha, 1) && !math.IsInf(m.Beta, 1)
}

// MarshalJSON writes the parameters under the schema "custval/model/sbg/v1".
func (m SBG) MarshalJSON() ([]byte, error) {
	type plain SBG
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *SBG) UnmarshalJSON(text []byte) error {
	type plain SBG
	return unmarshalModel(text, m, (*plain)(m))
}

// FitSBG estimates the model by maximum likelihood from any number of cohorts, each with as many renewals as were seen.
// Covariance and standard errors come from the observed information.
//
// FitSBG returns an error with the row and field for a cohort that is empty or rises, one if nobody left or no renewal
// was observed, and, with the best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's
// error. Where retention does not rise with age, no beta distribution of theta fits better than a single value and the
// parameters run off together: the estimate then has no covariance and Warnings that say so, or the fit diverges.
// FitGeometric is the model then, or FitBdW if retention falls.
func FitSBG(ctx context.Context, cohorts []Cohort, o *fit.Options) (*fit.Estimate[SBG], error) {
	f := family{
		params: []mle.Param{{Name: "Alpha"}, {Name: "Beta"}},
		starts: betaStarts(cohorts),
		logS:   func(t []float64, k int) jet { return betaWeibullJet(t[0], t[1], 1, k, 2) },
		logP:   func(t []float64, k int) jet { return sbgLogP(t[0], t[1], k) },
	}
	return maximize(ctx, f, cohorts, o, SBG{}.remake)
}

func (SBG) remake(t []float64) SBG { return SBG{t[0], t[1]} }

// betaStarts are starts of Alpha and Beta around the churn at the first renewal observed.
func betaStarts(cohorts []Cohort) [][]float64 {
	lost, base := 1.0, 2.0 // a little shrinkage keeps the rate inside (0, 1)
	for _, c := range cohorts {
		if len(c.Active) > 1 {
			lost += float64(c.Active[0] - c.Active[1])
			base += float64(c.Active[0])
		}
	}
	p := max(0.001, min(0.999, lost/base))
	var starts [][]float64
	for _, n := range []float64{3, 1, 10, 0.3} {
		starts = append(starts, []float64{p * n, (1 - p) * n})
	}
	return starts
}

// sbgLogP is the log of P(k) = S(k-1) alpha/(alpha+beta+k-1).
func sbgLogP(alpha, beta float64, k int) jet {
	j := betaWeibullJet(alpha, beta, 1, k-1, 2)
	u := 1 / (alpha + beta + float64(k-1))
	j.v += math.Log(alpha * u)
	j.g[0] += 1/alpha - u
	j.g[1] -= u
	j.h[0][0] += u*u - 1/(alpha*alpha)
	j.h[0][1] += u * u
	j.h[1][1] += u * u
	return j
}

// LogLikelihood returns the log-likelihood of a cohort: sum of losses ln P(k) plus survivors ln S(K). It is NaN for a
// cohort that does not validate.
func (m SBG) LogLikelihood(c Cohort) float64 {
	if !m.valid() {
		return math.NaN()
	}
	return logLikelihood(c, func(k int) float64 { return m.logS(float64(k)) }, func(k int) float64 {
		return m.logS(float64(k-1)) + math.Log(m.Alpha/(m.Alpha+m.Beta+float64(k-1)))
	})
}

func (m SBG) logS(t float64) float64 { return special.LogBetaRatio(m.Alpha, m.Beta, 0, t) }

// Survival returns S(t) = B(Alpha, Beta+t)/B(Alpha, Beta), 0 at +Inf and NaN for a negative t.
func (m SBG) Survival(t float64) float64 {
	switch {
	case !m.valid() || !(t >= 0):
		return math.NaN()
	case math.IsInf(t, 1):
		return 0
	}
	return math.Exp(m.logS(t))
}

// Retention returns r(t) = (Beta+t-1)/(Alpha+Beta+t-1), NaN for t below 1.
func (m SBG) Retention(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	x := m.Beta + float64(t-1)
	return x / (m.Alpha + x)
}

// PMF returns P(t) = B(Alpha+1, Beta+t-1)/B(Alpha, Beta), NaN for t below 1.
func (m SBG) PMF(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return math.Exp(m.logS(float64(t-1))) * m.Alpha / (m.Alpha + m.Beta + float64(t-1))
}

// Lifetime returns (Alpha+Beta-1)/(Alpha-1), +Inf for Alpha <= 1. LifetimeWithin has a horizon.
func (m SBG) Lifetime() float64 { return 1 + m.ResidualLifetime(0) }

// ResidualLifetime returns (Beta+n)/(Alpha-1), +Inf for Alpha <= 1 and NaN for a negative n.
func (m SBG) ResidualLifetime(n int) float64 { return m.DERL(n, 0) }

// DEL returns the discounted expected lifetime, 2F1(1, Beta; Alpha+Beta; 1/(1+d)), equation 5 of the 2010 paper. It is
// NaN for a negative or infinite d, and at d = 0 the Lifetime.
func (m SBG) DEL(d float64) float64 { return 1 + m.DERL(0, d)/(1+d) }

// DERL returns the discounted expected residual lifetime after n renewals,
//
//	(Beta+n)/(Alpha+Beta+n) 2F1(1, Beta+n+1; Alpha+Beta+n+1; 1/(1+d))
//
// equation 6 of the 2010 paper for a customer who has made n renewals. It is NaN for a negative n, and for a negative or
// infinite d.
func (m SBG) DERL(n int, d float64) float64 {
	if !m.valid() || n < 0 || !(d >= 0) || math.IsInf(d, 1) {
		return math.NaN()
	}
	b := m.Beta + float64(n)
	if d == 0 {
		if m.Alpha <= 1 {
			return math.Inf(1)
		}
		return b / (m.Alpha - 1)
	}
	if m.Alpha+b < 1e5 && d > 1e-9 {
		if l := special.LogHyp2F1C(1, b+1, m.Alpha+b+1, 1/(1+d), d/(1+d)); !math.IsNaN(l) {
			return b / (m.Alpha + b) * math.Exp(l)
		}
	}
	return residual(m.logSAt, m.Alpha, n, d) // beyond the range of the closed form
}

// logSAt is ln S(e^u) for u of any size.
func (m SBG) logSAt(u float64) float64 { return BdW{m.Alpha, m.Beta, 1}.logSAt(u) }

// Rand draws the period in which a new customer leaves.
func (m SBG) Rand(r *rand.Rand) int {
	if !m.valid() {
		return 0
	}
	return BdW{m.Alpha, m.Beta, 1}.Rand(r)
}
