package churn

import (
	"context"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// BdW is the beta-discrete-Weibull model: as SBG, but a customer's own probability of leaving changes with age.
//
//	S(t | theta)  (1-theta)^(t^C)
//	theta         beta with Gamma and Delta
//	S(t)          B(Gamma, Delta + t^C) / B(Gamma, Delta)
//
// All three parameters are positive. With C above 1 a customer becomes more likely to leave with age, below 1 less; at 1
// the model is SBG{Gamma, Delta}.
//
// Source: P. Fader, B. Hardie, Y. Liu, J. Davin, T. Steenburgh, "How to Project Customer Retention" Revisited: The Role
// of Duration Dependence, Journal of Interactive Marketing 43, 2018.
type BdW struct {
	Gamma float64 `json:"gamma"`
	Delta float64 `json:"delta"`
	C     float64 `json:"c"`
}

// Kind returns "bdw".
func (BdW) Kind() string { return "bdw" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m BdW) Validate() error {
	return first(positive(m.Kind(), "Gamma", m.Gamma), positive(m.Kind(), "Delta", m.Delta), positive(m.Kind(), "C", m.C))
}

func (m BdW) valid() bool { return SBG{m.Gamma, m.Delta}.valid() && m.C > 0 && !math.IsInf(m.C, 1) }

// MarshalJSON writes the parameters under the schema "custval/model/bdw/v1".
func (m BdW) MarshalJSON() ([]byte, error) {
	type plain BdW
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *BdW) UnmarshalJSON(text []byte) error {
	type plain BdW
	return unmarshalModel(text, m, (*plain)(m))
}

// FitBdW estimates the model by maximum likelihood; data and errors are those of FitSBG. fit.Test of the two estimates
// tells whether C differs from 1. Three parameters want at least four renewals; with fewer the likelihood is flat.
func FitBdW(ctx context.Context, cohorts []Cohort, o *fit.Options) (*fit.Estimate[BdW], error) {
	f := family{
		params: []mle.Param{{Name: "Gamma"}, {Name: "Delta"}, {Name: "C"}},
		logS:   func(t []float64, k int) jet { return betaWeibullJet(t[0], t[1], t[2], k, 3) },
		logP: func(t []float64, k int) jet {
			return leaving(betaWeibullJet(t[0], t[1], t[2], k-1, 3), betaWeibullJet(t[0], t[1], t[2], k, 3), BdW{t[0], t[1], t[2]}.logR(k))
		},
	}
	for _, s := range betaStarts(cohorts) {
		for _, c := range []float64{1, 1.6} {
			f.starts = append(f.starts, []float64{s[0], s[1], c})
		}
	}
	return maximize(ctx, f, cohorts, o, BdW{}.remake)
}

func (BdW) remake(t []float64) BdW { return BdW{t[0], t[1], t[2]} }

// betaWeibullJet is ln S(k) = ln B(g, d+u) - ln B(g, d) with u = k^c and its derivatives in g, d and, if there are three
// parameters, c.
func betaWeibullJet(g, d, c float64, k, parameters int) jet {
	if k == 0 {
		return jet{}
	}
	l := math.Log(float64(k))
	u := math.Exp(c * l)
	j := jet{v: special.LogBetaRatio(g, d, 0, u)}
	sum, own := special.TrigammaDiff(g+d, u), special.TrigammaDiff(d, u)
	first := special.DigammaDiff(g+d, u)
	j.g[0], j.g[1] = -first, special.DigammaDiff(d, u)-first
	j.h[0][0], j.h[0][1], j.h[1][1] = -sum, -sum, own-sum
	if parameters == 2 {
		return j
	}
	du := u * l // du/dc
	fu, fud := -special.DigammaDiff(d+u, g), -special.TrigammaDiff(d+u, g)
	j.g[2] = fu * du
	j.h[0][2] = -special.Trigamma(g+d+u) * du
	j.h[1][2] = fud * du
	j.h[2][2] = fud*du*du + fu*du*l
	return j
}

// leaving is ln P(k) = ln S(k-1) + ln(1 - e^ratio) from the jets of ln S(k-1) and ln S(k) and their difference, which is
// given apart since it may be tiny.
func leaving(before, after jet, ratio float64) jet {
	q := 1 / math.Expm1(-ratio) // e^ratio/(1 - e^ratio)
	j := before
	j.v += special.Log1mExp(ratio)
	for a := range j.g {
		da := after.g[a] - before.g[a]
		j.g[a] -= q * da
		for b := a; b < len(j.g); b++ {
			j.h[a][b] -= q*(after.h[a][b]-before.h[a][b]) + q*(1+q)*da*(after.g[b]-before.g[b])
		}
	}
	return j
}

// logR is ln r(k).
func (m BdW) logR(k int) float64 {
	u0, du := weibullStep(m.C, k)
	return special.LogBetaRatio(m.Gamma, m.Delta+u0, 0, du)
}

// weibullStep returns (k-1)^c and k^c - (k-1)^c.
func weibullStep(c float64, k int) (before, step float64) {
	if k == 1 {
		return 0, 1
	}
	x := float64(k)
	return math.Pow(x-1, c), -math.Pow(x, c) * math.Expm1(c*math.Log1p(-1/x))
}

// LogLikelihood returns the log-likelihood of a cohort, NaN for one that does not validate.
func (m BdW) LogLikelihood(c Cohort) float64 {
	if !m.valid() {
		return math.NaN()
	}
	logS := func(k int) float64 { return m.logS(float64(k)) }
	return logLikelihood(c, logS, func(k int) float64 { return logS(k-1) + special.Log1mExp(m.logR(k)) })
}

func (m BdW) logS(t float64) float64 {
	if t == 0 {
		return 0
	}
	return m.logSAt(math.Log(t))
}

// logSAt is ln S(e^u) for u of any size; where t^C is beyond 1e17 it is the power law that S becomes.
func (m BdW) logSAt(u float64) float64 {
	if s := m.C * u; s > 40+math.Max(0, 2*math.Log(m.Gamma+m.Delta)) {
		return special.LogGammaRatio(m.Delta, m.Gamma) - m.Gamma*s
	}
	return special.LogBetaRatio(m.Gamma, m.Delta, 0, math.Exp(m.C*u))
}

// Survival returns S(t) = B(Gamma, Delta+t^C)/B(Gamma, Delta), 0 at +Inf and NaN for a negative t.
func (m BdW) Survival(t float64) float64 {
	switch {
	case !m.valid() || !(t >= 0):
		return math.NaN()
	case math.IsInf(t, 1):
		return 0
	}
	return math.Exp(m.logS(t))
}

// Retention returns r(t) = S(t)/S(t-1), NaN for t below 1.
func (m BdW) Retention(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return math.Exp(m.logR(t))
}

// PMF returns P(t) = S(t-1) - S(t), NaN for t below 1.
func (m BdW) PMF(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	return math.Exp(m.logS(float64(t-1))) * -math.Expm1(m.logR(t))
}

// Lifetime returns the expected periods of a new customer, +Inf unless Gamma C > 1. LifetimeWithin has a horizon.
func (m BdW) Lifetime() float64 { return 1 + m.ResidualLifetime(0) }

// ResidualLifetime returns the expected further renewals after n, +Inf unless Gamma C > 1 and NaN for a negative n.
func (m BdW) ResidualLifetime(n int) float64 { return m.DERL(n, 0) }

// DEL returns the discounted expected lifetime, NaN for a negative or infinite d and the Lifetime at d = 0.
func (m BdW) DEL(d float64) float64 { return 1 + m.DERL(0, d)/(1+d) }

// DERL returns the discounted expected residual lifetime after n renewals: the first terms are added up, the rest by
// Gregory's formula from the integral, to a relative error of about 1e-11. It is NaN for a negative n, and for a negative
// or infinite d.
func (m BdW) DERL(n int, d float64) float64 {
	if !m.valid() || n < 0 || !(d >= 0) || math.IsInf(d, 1) {
		return math.NaN()
	}
	return residual(m.logSAt, m.Gamma*m.C, n, d)
}

// Rand draws the period in which a new customer leaves.
func (m BdW) Rand(r *rand.Rand) int {
	if !m.valid() {
		return 0
	}
	theta := distuv.Beta{Alpha: m.Gamma, Beta: m.Delta, Src: r}.Rand()
	return periods(math.Pow(r.ExpFloat64()/-math.Log1p(-theta), 1/m.C))
}
