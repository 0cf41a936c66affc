package clv

import (
	"math"
	"math/rand/v2"

	"github.com/custval/custval/internal/special"
)

// PDO is the periodic death opportunity model: while a customer is alive the purchases are a Poisson process, and at
// every multiple of a fixed Period since the first purchase the customer may leave for good.
//
//	purchases while alive     Poisson with rate lambda
//	lambda                    gamma with shape R and rate Alpha: mean R/Alpha
//	leaves at an opportunity  with probability p
//	p                         beta with A and B: mean A/(A+B)
//
// All parameters are positive; Alpha and Period have the unit of time of the histories. The Period is chosen and not
// estimated: compare the log-likelihoods of several. The probability p is taken to vary between customers by a beta
// distribution, independently of lambda.
//
// The model lies between two others: with a Period beyond the end of observation it is NBD, and as the Period falls to
// 0 with B Period fixed it becomes Pareto/NBD with S = A and Beta = B Period. An opportunity at T itself is past. A
// purchase and an opportunity at one moment are taken as the opportunity first.
//
// Up to a million opportunities are allowed between the first purchase and T, and any number within a horizon. With more
// before T the methods return NaN: use ParetoNBD.
//
// Source: K. Jerath, P. Fader, B. Hardie, New Perspectives on Customer "Death" Using a Generalization of the Pareto/NBD
// Model, Marketing Science 30(5), 2011.
type PDO struct {
	R      float64 `json:"r"`
	Alpha  float64 `json:"alpha"`
	A      float64 `json:"a"`
	B      float64 `json:"b"`
	Period float64 `json:"period"`
}

// mostOpportunities bounds the work of one call.
const mostOpportunities = 1 << 20

// Kind returns "pdo".
func (PDO) Kind() string { return "pdo" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m PDO) Validate() error {
	return positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}, {"A", m.A}, {"B", m.B}, {"Period", m.Period}})
}

func (m PDO) valid() bool { return allPositive(m.R, m.Alpha, m.A, m.B, m.Period) }

// MarshalJSON writes the parameters under the schema "custval/model/pdo/v1".
func (m PDO) MarshalJSON() ([]byte, error) {
	type plain PDO
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *PDO) UnmarshalJSON(text []byte) error {
	type plain PDO
	return unmarshalModel(text, m, (*plain)(m))
}

// opportunities returns how many multiples of the period lie in (0, t]. A t within rounding of a multiple counts as it.
func opportunities(t, period float64) float64 {
	q := t / period
	if n := math.Round(q); math.Abs(q-n) <= 1e-9*max(1, q) {
		return n
	}
	return max(0, math.Floor(q))
}

func (m PDO) usable(h History) bool {
	return m.valid() && h.usable() && h.T <= mostOpportunities*m.Period
}

// LogLikelihood returns ln L(R, Alpha, A, B | x, tx, T), the sum of the customers who are still alive and of those who
// left at an opportunity after tx; with J the number of opportunities up to T it is, j Period being later than tx,
//
//	ln Gamma(r+x)/Gamma(r) + r ln alpha
//	  + ln( B(a,b+J)/B(a,b) (alpha+T)^-(r+x) + sum over j <= J of B(a+1,b+j-1)/B(a,b) (alpha+j Period)^-(r+x) )
func (m PDO) LogLikelihood(h History) float64 {
	if !m.usable(h) {
		return math.NaN()
	}
	x := float64(h.X)
	l := math.Log1p(h.TX / m.Alpha)
	sum, _ := m.mix(h)
	return special.LogGammaRatio(m.R, x) - m.R*l - x*(math.Log(m.Alpha)+l) +
		m.logStays(0, opportunities(h.TX, m.Period)) + sum
}

// logStays returns the log of the probability to stay at n opportunities after the first from.
func (m PDO) logStays(from, n float64) float64 {
	return special.LogGammaRatio(m.B+from, n) - special.LogGammaRatio(m.A+m.B+from, n)
}

// mix returns the log of the sum of the two cases, with (alpha+tx)^-(r+x) and the probability to be alive at tx taken
// out, and P(alive).
func (m PDO) mix(h History) (sum, alive float64) {
	n, a := m.R+float64(h.X), m.Alpha+h.TX
	past, last := opportunities(h.TX, m.Period), opportunities(h.T, m.Period)
	living := m.logStays(past, last-past) - n*math.Log1p((h.T-h.TX)/a)
	if last <= past {
		return living, 1
	}
	// Those who left, relative to those who left at the first opportunity.
	first := past + 1
	both, at := m.A+m.B+past, m.Alpha+first*m.Period
	total, stays := 0.0, 1.0
	for j := 0.0; first+j <= last; j++ {
		reached := stays * math.Exp(-n*math.Log1p(j*m.Period/at))
		if reached <= 1e-17*total {
			break
		}
		total += reached * (both / (both + j))
		stays *= (m.B + past + j) / (both + j)
	}
	left := math.Log(m.A/both) - n*math.Log1p((first*m.Period-h.TX)/a) + math.Log(total)
	return mix(living, left)
}

// ProbAlive returns P(alive at T | x, tx, T), the share of the first term in the sum that LogLikelihood takes the
// logarithm of. It is 1 before the first opportunity after tx.
func (m PDO) ProbAlive(h History) float64 {
	if !m.usable(h) {
		return math.NaN()
	}
	_, alive := m.mix(h)
	return alive
}

// after returns the future of a customer who is alive at T: the posterior of lambda and p, with the time to the next
// opportunity.
func (m PDO) after(h History) pdoFuture {
	past := opportunities(h.T, m.Period)
	return pdoFuture{m.R + float64(h.X), m.Alpha + h.T, m.A, m.B + past, m.Period, (past+1)*m.Period - h.T}
}

// fresh returns the future of a new customer.
func (m PDO) fresh() pdoFuture { return pdoFuture{m.R, m.Alpha, m.A, m.B, m.Period, m.Period} }

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T]:
//
//	P(alive) (r+x)/(alpha+T) integral from 0 to t of P(alive at T+u | alive at T) du
//
// The integral is a sum over the opportunities in closed form. It is NaN for a negative or infinite t.
func (m PDO) ExpectedPurchases(h History, t float64) float64 {
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || !validTime(t) {
		return math.NaN()
	}
	return alive * m.after(h).expected(t)
}

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t]: R/Alpha times the
// expected time alive. It is NaN for a negative or infinite t.
func (m PDO) NewCustomerPurchases(t float64) float64 {
	if !m.valid() || !validTime(t) {
		return math.NaN()
	}
	return m.fresh().expected(t)
}

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t], a sum of negative
// binomial probabilities over the opportunities. It is NaN for a negative n and for a negative or infinite t.
func (m PDO) PMF(n int, t float64) float64 {
	if !m.valid() || n < 0 || !validTime(t) {
		return math.NaN()
	}
	return m.fresh().PMF(n, t)
}

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time:
//
//	P(alive) (r+x)/(alpha+T) integral over u > 0 of e^(-delta u) P(alive at T+u | alive at T) du
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases, which is
// +Inf for A <= 1.
func (m PDO) DERT(h History, delta float64) float64 {
	if !validTime(delta) {
		return math.NaN()
	}
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || alive == 0 {
		return alive
	}
	return alive * m.after(h).forEver(delta)
}

// withinHorizon sums the purchases over the opportunities, plain and discounted.
func (m PDO) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || !validTime(horizon) || !validTime(delta) {
		return math.NaN(), math.NaN()
	}
	f := m.after(h)
	return alive * f.expected(horizon), alive * f.discounted(horizon, delta)
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m PDO) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m PDO) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

func (m PDO) gaps(r *rand.Rand) func() float64 {
	lambda, p := randGamma(r, m.R)/m.Alpha, randBeta(r, m.A, m.B)
	// The first opportunity at which the customer leaves is geometric; a p of 0 never comes.
	left := m.Period * (1 + math.Floor(-r.ExpFloat64()/math.Log1p(-p)))
	return func() float64 {
		gap := r.ExpFloat64() / lambda
		if left -= gap; !(left >= 0) {
			return math.Inf(1)
		}
		return gap
	}
}

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone: with J
// and K the opportunities up to T and T+t,
//
//	P(alive) B(a, b+K)/B(a, b+J)
func (m PDO) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.after(h), t)
}

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m PDO) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m PDO) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below the probability that there is a next one.
func (m PDO) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.after(h), p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to].
func (m PDO) IntervalPMF(n int, from, to float64) float64 {
	if !m.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	later := m.after(History{T: from})
	later.alpha = m.Alpha
	alive := m.fresh().survival(from)
	if n == 0 {
		return 1 - alive + alive*later.PMF(0, to-from)
	}
	return alive * later.PMF(n, to-from)
}
