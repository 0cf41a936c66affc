package clv

import (
	"math"
	"math/rand/v2"

	"github.com/custval/custval/internal/special"
)

// GGompertzNBD is the gamma-Gompertz/NBD model: while a customer is alive the purchases are a Poisson process, and the
// customer leaves for good after a lifetime whose hazard grows with time; the rate of purchase and the hazard vary
// between customers, independently.
//
//	purchases while alive    Poisson with rate lambda
//	lambda                   gamma with shape R and rate Alpha: mean R/Alpha
//	lifetime                 Gompertz with the hazard B eta e^(B t)
//	eta                      gamma with shape S and rate Beta: mean S/Beta
//	alive at t               (Beta/(Beta-1+e^(B t)))^S of all customers
//
// All five parameters are positive; Alpha and 1/B have the unit of time of the histories. For Beta < 1 most who leave do
// so early, for Beta > S+1 most leave around ln(Beta/S)/B. As B falls to 0 with Beta/B fixed the model becomes the
// Pareto/NBD model with Beta/B in place of Beta.
//
// Sources: A. Bemmaor, N. Glady, Modeling Purchasing Behavior with Sudden "Death": A Flexible Customer Lifetime Model,
// Management Science 58(5), 2012; J. Adler, comment, Management Science 69(3), 2023, for the conditional expectation.
type GGompertzNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	B     float64 `json:"b"`
	S     float64 `json:"s"`
	Beta  float64 `json:"beta"`
}

// Kind returns "ggompertznbd".
func (GGompertzNBD) Kind() string { return "ggompertznbd" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m GGompertzNBD) Validate() error {
	return positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}, {"B", m.B}, {"S", m.S}, {"Beta", m.Beta}})
}

func (m GGompertzNBD) valid() bool { return allPositive(m.R, m.Alpha, m.B, m.S, m.Beta) }

// MarshalJSON writes the parameters under the schema "custval/model/ggompertznbd/v1".
func (m GGompertzNBD) MarshalJSON() ([]byte, error) {
	type plain GGompertzNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *GGompertzNBD) UnmarshalJSON(text []byte) error {
	type plain GGompertzNBD
	return unmarshalModel(text, m, (*plain)(m))
}

func (m GGompertzNBD) lifetime() gompertz { return gompertz{m.B, m.S, m.Beta} }

// LogLikelihood returns ln L(R, Alpha, B, S, Beta | x, tx, T), the sum of the customers who are still alive and of those
// who left after tx; with F the share of those who left before u,
//
//	ln Gamma(r+x)/Gamma(r) + r ln alpha
//	  + ln( (alpha+T)^-(r+x) (1-F(T)) + integral from tx to T of (alpha+u)^-(r+x) dF(u) )
//
// The integral is a quadrature of about 13 digits, wherever the integrand has its mass.
func (m GGompertzNBD) LogLikelihood(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	x := float64(h.X)
	l := math.Log1p(h.TX / m.Alpha)
	sum, _ := m.mix(h)
	return special.LogGammaRatio(m.R, x) - m.R*l - x*(math.Log(m.Alpha)+l) - m.S*m.lifetime().fall(h.TX) + sum
}

// mix returns the log of the sum of the two cases, with (alpha+tx)^-(r+x) and the survival to tx taken out, and
// P(alive).
func (m GGompertzNBD) mix(h History) (sum, alive float64) {
	t := h.T - h.TX
	p := passage{gompertz: m.lifetime().after(h.TX), n: m.R + float64(h.X), a: m.Alpha + h.TX, leaves: true}
	return mix(-p.n*math.Log1p(t/p.a)-p.s*p.fall(t), math.Log(p.integral(t)))
}

// ProbAlive returns P(alive at T | x, tx, T), the share of the first term in the sum that LogLikelihood takes the
// logarithm of.
func (m GGompertzNBD) ProbAlive(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	_, alive := m.mix(h)
	return alive
}

// after returns the model of the future of a customer who is alive at T: the posterior of lambda and eta, eta in the
// scale of the hazard at T.
func (m GGompertzNBD) after(h History) GGompertzNBD {
	return GGompertzNBD{m.R + float64(h.X), m.Alpha + h.T, m.B, m.S, m.lifetime().after(h.T).beta}
}

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T]: with U = beta-1+e^(bT),
//
//	P(alive) (r+x)/(alpha+T) integral from 0 to t of (U/(U+e^(bT) (e^(bu)-1)))^s du
//
// It is NaN for a negative or infinite t.
func (m GGompertzNBD) ExpectedPurchases(h History, t float64) float64 {
	return m.ProbAlive(h) * m.after(h).NewCustomerPurchases(t)
}

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t]:
//
//	r/alpha integral from 0 to t of (beta/(beta-1+e^(bu)))^s du
//
// It is NaN for a negative or infinite t.
func (m GGompertzNBD) NewCustomerPurchases(t float64) float64 {
	if !m.valid() || !validTime(t) {
		return math.NaN()
	}
	p := passage{gompertz: m.lifetime()}
	return m.R / m.Alpha * p.integral(t)
}

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t], as an integral over the
// lifetime of negative binomial probabilities. It is NaN for a negative n and for a negative or infinite t.
func (m GGompertzNBD) PMF(n int, t float64) float64 {
	if !m.valid() || n < 0 || !validTime(t) {
		return math.NaN()
	}
	if n == 0 {
		sum, _ := m.mix(History{T: t})
		return math.Exp(sum)
	}
	if t == 0 {
		return 0
	}
	x, life := float64(n), m.lifetime()
	// On the scale of u = ln(time) the integrand has one peak, or two.
	left, _, _ := special.LogIntegrate(func(u float64) float64 {
		at := math.Exp(u)
		return u + logNB(x, m.R, at/m.Alpha) - m.S*life.fall(at) - math.Log(life.after(at).beta)
	}, math.Inf(-1), math.Log(t), 1e-13)
	sum, _ := mix(logNB(x, m.R, t/m.Alpha)-m.S*life.fall(t), math.Log(m.S*m.B)+left)
	return min(1, math.Exp(sum))
}

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time:
//
//	P(alive) (r+x)/(alpha+T) integral over u > 0 of e^(-delta u) P(alive at T+u | alive at T) du
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases, which is
// finite for all parameters.
func (m GGompertzNBD) DERT(h History, delta float64) float64 {
	if !validTime(delta) {
		return math.NaN()
	}
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || alive == 0 {
		return alive
	}
	f := m.after(h)
	p := passage{gompertz: f.lifetime(), delta: delta}
	return alive * f.R / f.Alpha * p.integral(math.Inf(1))
}

// withinHorizon integrates the rate of purchases, plain and discounted.
func (m GGompertzNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || !validTime(horizon) || !validTime(delta) {
		return math.NaN(), math.NaN()
	}
	f := m.after(h)
	rate := alive * f.R / f.Alpha
	plain, less := passage{gompertz: f.lifetime()}, passage{gompertz: f.lifetime(), delta: delta}
	return rate * plain.integral(horizon), rate * less.integral(horizon)
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m GGompertzNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m GGompertzNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

func (m GGompertzNBD) gaps(r *rand.Rand) func() float64 {
	lambda, logEta := randGamma(r, m.R)/m.Alpha, logRandGamma(r, m.S)-math.Log(m.Beta)
	left := special.LogAddExp(0, math.Log(r.ExpFloat64())-logEta) / m.B // ln(1+E/eta)
	return func() float64 {
		gap := r.ExpFloat64() / lambda
		if left -= gap; !(left >= 0) {
			return math.Inf(1)
		}
		return gap
	}
}

// survival returns P(alive at t) of a new customer.
func (m GGompertzNBD) survival(t float64) float64 { return math.Exp(-m.S * m.lifetime().fall(t)) }

// buysWithin returns the probability of a purchase before t and before the customer leaves,
//
//	r/alpha integral from 0 to t of (1+u/alpha)^-(r+1) P(alive at u) du
func (m GGompertzNBD) buysWithin(t float64) float64 {
	p := passage{gompertz: m.lifetime(), n: m.R + 1, a: m.Alpha}
	return min(1, m.R/m.Alpha*p.integral(t))
}

func (m GGompertzNBD) buysAfter(p float64) float64 {
	return logIncreasing(m.buysWithin, p, m.Alpha*math.Expm1(-math.Log1p(-p)/m.R))
}

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone: with
// U = beta-1+e^(bT),
//
//	P(alive) (U/(U+e^(bT) (e^(bt)-1)))^s
func (m GGompertzNBD) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.after(h), t)
}

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m GGompertzNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m GGompertzNBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below the probability that there is a next one.
func (m GGompertzNBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.after(h), p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to]. Whoever is alive at
// from is there a new customer of the model whose hazard has grown.
func (m GGompertzNBD) IntervalPMF(n int, from, to float64) float64 {
	if !m.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	later := m
	later.Beta = m.lifetime().after(from).beta
	if n == 0 {
		return -math.Expm1(-m.S*m.lifetime().fall(from)) + m.survival(from)*later.PMF(0, to-from)
	}
	return m.survival(from) * later.PMF(n, to-from)
}
