package churn

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// LatentClass is a customer base of two kinds of customers who cannot be told apart, each with constant churn.
//
//	share Share leaves at a renewal with probability Theta1, the rest with Theta2
//	S(t)  Share (1-Theta1)^t + (1-Share) (1-Theta2)^t
//
// All three lie between 0 and 1, and Theta1 <= Theta2: the first class is the loyal one. After n renewals a customer
// belongs to it with the probability that Loyal returns.
//
// Source: finite mixture of shifted geometric distributions; its use against the aggregate retention rate in P. Fader,
// B. Hardie, Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity, Marketing Science
// 29(1), 2010.
type LatentClass struct {
	Share  float64 `json:"share"`
	Theta1 float64 `json:"theta1"`
	Theta2 float64 `json:"theta2"`
}

// Kind returns "latent-class".
func (LatentClass) Kind() string { return "latent-class" }

// Validate returns an error that names the first parameter out of its domain.
func (m LatentClass) Validate() error {
	if err := first(probability(m.Kind(), "Share", m.Share), probability(m.Kind(), "Theta1", m.Theta1), probability(m.Kind(), "Theta2", m.Theta2)); err != nil {
		return err
	}
	if m.Theta1 > m.Theta2 {
		return fmt.Errorf("churn: %s: Theta1 = %v above Theta2 = %v: %w: the loyal class comes first", m.Kind(), m.Theta1, m.Theta2, errParameter)
	}
	return nil
}

func (m LatentClass) valid() bool {
	return m.Share > 0 && m.Share < 1 && m.Theta1 > 0 && m.Theta1 <= m.Theta2 && m.Theta2 < 1
}

// MarshalJSON writes the parameters under the schema "custval/model/latent-class/v1".
func (m LatentClass) MarshalJSON() ([]byte, error) {
	type plain LatentClass
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *LatentClass) UnmarshalJSON(text []byte) error {
	type plain LatentClass
	return unmarshalModel(text, m, (*plain)(m))
}

// FitLatentClass estimates the model by maximum likelihood from several starts; data and errors are those of FitSBG. Where
// one class is enough, or the loyal never leave, parameters run off as told there; three want at least four renewals.
func FitLatentClass(ctx context.Context, cohorts []Cohort, o *fit.Options) (*fit.Estimate[LatentClass], error) {
	f := family{
		params: []mle.Param{{Name: "Share", Scale: fit.Logit}, {Name: "Theta1", Scale: fit.Logit}, {Name: "Theta2", Scale: fit.Logit}},
		logS:   func(t []float64, k int) jet { return mixtureJet(t, k, false) },
		logP:   func(t []float64, k int) jet { return mixtureJet(t, k-1, true) },
	}
	p := overallChurn(cohorts)
	for _, s := range []float64{0.5, 0.25, 0.75} {
		f.starts = append(f.starts, []float64{s, p / 3, p + (1-p)/3}, []float64{s, p / 10, p + (1-p)/10})
	}
	e, err := maximize(ctx, f, cohorts, o, LatentClass{}.remake)
	if e == nil || e.Model.Theta1 <= e.Model.Theta2 {
		return e, err
	}
	// The classes came out in the other order: the same maximum under the other names.
	again := fit.Options{}
	if o != nil {
		again = *o
	}
	again.Start = []float64{1 - e.Model.Share, e.Model.Theta2, e.Model.Theta1}
	return maximize(ctx, f, cohorts, &again, LatentClass{}.remake)
}

func (LatentClass) remake(t []float64) LatentClass { return LatentClass{t[0], t[1], t[2]} }

// mixtureJet is the log of share (1-theta1)^k + (1-share) (1-theta2)^k, or with leave of the same with theta1 and theta2
// as factors of the two terms, with its derivatives.
func mixtureJet(t []float64, k int, leave bool) jet {
	share, x := t[0], float64(k)
	la, lb := math.Log(share), math.Log1p(-share)
	var ga, gb, ha, hb float64 // derivatives of the logs of the terms in their own theta
	for i, v := range []struct{ l, g, h *float64 }{{&la, &ga, &ha}, {&lb, &gb, &hb}} {
		theta := t[i+1]
		*v.l += x * math.Log1p(-theta)
		*v.g, *v.h = -x/(1-theta), -x/((1-theta)*(1-theta))
		if leave {
			*v.l += math.Log(theta)
			*v.g += 1 / theta
			*v.h -= 1 / (theta * theta)
		}
	}
	sum := special.LogAddExp(la, lb)
	w := math.Exp(la - sum)
	u := math.Exp(lb - sum)
	a := [3]float64{1 / share, ga, 0}
	b := [3]float64{-1 / (1 - share), 0, gb}
	j := jet{v: sum}
	for i := range a {
		j.g[i] = w*a[i] + u*b[i]
		for k := i; k < 3; k++ {
			// The between-class part of the second derivative: w u (a-b)(a-b)'.
			j.h[i][k] = w * u * (a[i] - b[i]) * (a[k] - b[k])
		}
	}
	j.h[0][0] -= w*a[0]*a[0] + u*b[0]*b[0]
	j.h[1][1] += w * ha
	j.h[2][2] += u * hb
	return j
}

// logTerms are the logs of the two terms of S(t).
func (m LatentClass) logTerms(t float64) (a, b float64) {
	return math.Log(m.Share) + t*math.Log1p(-m.Theta1), math.Log1p(-m.Share) + t*math.Log1p(-m.Theta2)
}

// Loyal returns the probability that a customer who has made n renewals is of the first class, NaN for a negative n.
func (m LatentClass) Loyal(n int) float64 {
	if !m.valid() || n < 0 {
		return math.NaN()
	}
	a, b := m.logTerms(float64(n))
	return 1 / (1 + math.Exp(b-a))
}

// LogLikelihood returns the log-likelihood of a cohort, NaN for one that does not validate.
func (m LatentClass) LogLikelihood(c Cohort) float64 {
	if !m.valid() {
		return math.NaN()
	}
	logP := func(k int) float64 {
		a, b := m.logTerms(float64(k - 1))
		return special.LogAddExp(a+math.Log(m.Theta1), b+math.Log(m.Theta2))
	}
	return logLikelihood(c, func(k int) float64 { return special.LogAddExp(m.logTerms(float64(k))) }, logP)
}

// Survival returns S(t), 0 at +Inf and NaN for a negative t.
func (m LatentClass) Survival(t float64) float64 {
	if !m.valid() || !(t >= 0) {
		return math.NaN()
	}
	return math.Exp(special.LogAddExp(m.logTerms(t)))
}

// Retention returns r(t), the mean of the classes' retention over those who made t-1 renewals; NaN for t below 1.
func (m LatentClass) Retention(t int) float64 {
	if t < 1 {
		return math.NaN()
	}
	w := m.Loyal(t - 1)
	return w*(1-m.Theta1) + (1-w)*(1-m.Theta2)
}

// PMF returns P(t), NaN for t below 1.
func (m LatentClass) PMF(t int) float64 {
	if !m.valid() || t < 1 {
		return math.NaN()
	}
	a, b := m.logTerms(float64(t - 1))
	return m.Theta1*math.Exp(a) + m.Theta2*math.Exp(b)
}

// Lifetime returns Share/Theta1 + (1-Share)/Theta2.
func (m LatentClass) Lifetime() float64 { return m.DEL(0) }

// ResidualLifetime returns the expected further renewals after n, NaN for a negative n.
func (m LatentClass) ResidualLifetime(n int) float64 { return m.DERL(n, 0) }

// DEL returns the discounted expected lifetime, the mean of the classes'. It is NaN for a negative or infinite d.
func (m LatentClass) DEL(d float64) float64 {
	if !m.valid() {
		return math.NaN()
	}
	return m.Share*Geometric{m.Theta1}.DEL(d) + (1-m.Share)*Geometric{m.Theta2}.DEL(d)
}

// DERL returns the discounted expected residual lifetime after n renewals, the mean of the classes' with the
// probabilities of Loyal. It is NaN for a negative n, and for a negative or infinite d.
func (m LatentClass) DERL(n int, d float64) float64 {
	w := m.Loyal(n)
	return w*Geometric{m.Theta1}.DERL(n, d) + (1-w)*Geometric{m.Theta2}.DERL(n, d)
}

// Rand draws the period in which a new customer leaves.
func (m LatentClass) Rand(r *rand.Rand) int {
	if !m.valid() {
		return 0
	}
	if r.Float64() < m.Share {
		return Geometric{m.Theta1}.Rand(r)
	}
	return Geometric{m.Theta2}.Rand(r)
}
