package clv

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/ledger"
)

// BGBB is the beta-geometric/beta-Bernoulli model of purchases on discrete opportunities, such as yearly donations or
// the issues of an event: at each opportunity a customer first may leave for good, and if not, buys or not.
//
//	leaves before an opportunity    with probability theta
//	theta                           beta with Gamma and Delta: mean Gamma/(Gamma+Delta)
//	buys at it while alive          with probability p
//	p                               beta with Alpha and Beta: mean Alpha/(Alpha+Beta)
//
// All four parameters are positive. Opportunities are counted from 1; what made someone a customer is opportunity 0 and
// not counted in X.
//
// Source: P. Fader, B. Hardie, J. Shang, Customer-Base Analysis in a Discrete-Time Noncontractual Setting, Marketing
// Science 29(6), 2010.
type BGBB struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	Gamma float64 `json:"gamma"`
	Delta float64 `json:"delta"`
}

// A DiscreteHistory is all that BGBB needs to know of one customer.
type DiscreteHistory struct {
	Customer string `json:"customer,omitempty"`
	X        int    `json:"x"`               // opportunities at which the customer bought
	TX       int    `json:"tx"`              // the last of them, 1 for the first opportunity; 0 if X is 0
	N        int    `json:"n"`               // opportunities up to the end of observation
	Count    int    `json:"count,omitempty"` // customers with this history, 0 meaning 1: the weight in every fit
}

var (
	errTXAfterN   = errors.New("greater than N")
	errXAboveTX   = errors.New("greater than TX: at most one purchase an opportunity")
	errTXUnneeded = errors.New("not 0 though X is 0")
	errManyN      = errors.New("more than ten million opportunities: use a model in continuous time")
)

// mostN bounds the opportunities over which BGBB sums.
const mostN = 10_000_000

// Validate returns a *ledger.RowError without a row number that names the first bad field: a negative X, TX, N or
// Count, an N above ten million, TX greater than N, X greater than TX, or TX not 0 where X is 0.
func (h DiscreteHistory) Validate() error {
	if bad := h.problem(); bad != nil {
		return bad
	}
	return nil
}

func (h DiscreteHistory) problem() *ledger.RowError {
	bad := func(field string, v int, reason error) *ledger.RowError {
		return &ledger.RowError{Field: field, Value: strconv.Itoa(v), Err: reason}
	}
	switch {
	case h.X < 0:
		return bad("X", h.X, errNegative)
	case h.TX < 0:
		return bad("TX", h.TX, errNegative)
	case h.N < 0:
		return bad("N", h.N, errNegative)
	case h.Count < 0:
		return bad("Count", h.Count, errNegative)
	case h.N > mostN:
		return bad("N", h.N, errManyN)
	case h.TX > h.N:
		return bad("TX", h.TX, errTXAfterN)
	case h.X > h.TX:
		return bad("X", h.X, errXAboveTX)
	case h.X == 0 && h.TX > 0:
		return bad("TX", h.TX, errTXUnneeded)
	}
	return nil
}

// customers returns the number of customers that the history stands for.
func (h DiscreteHistory) customers() int { return max(1, h.Count) }

// usable reports whether the model is defined at h.
func (h DiscreteHistory) usable() bool { return h.problem() == nil }

// Kind returns "bgbb".
func (BGBB) Kind() string { return "bgbb" }

// Validate returns an error that names the first parameter that is not a positive finite number.
func (m BGBB) Validate() error {
	return positive(m.Kind(), []param{{"Alpha", m.Alpha}, {"Beta", m.Beta}, {"Gamma", m.Gamma}, {"Delta", m.Delta}})
}

func (m BGBB) valid() bool { return allPositive(m.Alpha, m.Beta, m.Gamma, m.Delta) }

// MarshalJSON writes the parameters under the schema "custval/model/bgbb/v1".
func (m BGBB) MarshalJSON() ([]byte, error) {
	type plain BGBB
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *BGBB) UnmarshalJSON(text []byte) error {
	type plain BGBB
	return unmarshalModel(text, m, (*plain)(m))
}

// mix returns the log of the likelihood, equation 6 of the paper, and the share in it of those who are alive at N. With the first of those who left, before opportunity tx+1, taken out, the terms are a product that falls:
//
//	L = B(alpha+x, beta+tx-x)/B(alpha, beta) B(gamma+1, delta+tx)/B(gamma, delta) (sum over i of c(i) + alive)
//	c(0) = 1, c(i+1) = c(i) (beta+k-x)/(alpha+beta+k) (delta+k)/(gamma+delta+k+1), k = tx+i, i < n-tx
//	alive = c(n-tx) (gamma+delta+n)/gamma
func (m BGBB) mix(h DiscreteHistory) (logL, alive float64) {
	x, tx, n := float64(h.X), float64(h.TX), float64(h.N)
	both := m.Gamma + m.Delta
	term, sum := 1.0, 0.0
	for k := tx; k < n; k++ {
		sum += term
		term *= (m.Beta + k - x) / (m.Alpha + m.Beta + k) * ((m.Delta + k) / (both + k + 1))
	}
	living := term * ((both + n) / m.Gamma)
	logL = special.LogGammaRatio(m.Alpha, x) + special.LogGammaRatio(m.Beta, tx-x) - special.LogGammaRatio(m.Alpha+m.Beta, tx)
	if h.TX == h.N {
		return logL + special.LogGammaRatio(m.Delta, n) - special.LogGammaRatio(both, n), 1
	}
	logL += math.Log(m.Gamma) + special.LogGammaRatio(m.Delta, tx) - special.LogGammaRatio(both, tx+1) + math.Log(sum+living)
	return logL, living / (sum + living)
}

// LogLikelihood returns ln L(Alpha, Beta, Gamma, Delta | x, tx, n), equation 6 of the paper:
//
//	B(alpha+x, beta+n-x) B(gamma, delta+n)/(B(alpha, beta) B(gamma, delta))
//	  + sum over i from 0 to n-tx-1 of B(alpha+x, beta+tx-x+i) B(gamma+1, delta+tx+i)/(B(alpha, beta) B(gamma, delta))
func (m BGBB) LogLikelihood(h DiscreteHistory) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	logL, _ := m.mix(h)
	return logL
}

// aliveAtEnd returns the probability to be alive at opportunity N, the last one seen.
func (m BGBB) aliveAtEnd(h DiscreteHistory) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	_, alive := m.mix(h)
	return alive
}

// after returns the model of the future of a customer who is alive at N: the posterior of p and theta.
func (m BGBB) after(h DiscreteHistory) BGBB {
	return BGBB{m.Alpha + float64(h.X), m.Beta + float64(h.N-h.X), m.Gamma, m.Delta + float64(h.N)}
}

// ProbAlive returns P(alive at N+1 | x, tx, n), the probability that the customer is there at the next opportunity,
// equation 11 of the paper.
func (m BGBB) ProbAlive(h DiscreteHistory) float64 {
	alive := m.aliveAtEnd(h)
	n := float64(h.N)
	return alive * ((m.Delta + n) / (m.Gamma + m.Delta + n))
}

// ExpectedPurchases returns E[purchases at the opportunities N+1 to N+n | x, tx, N], equation 13 of the paper as
//
//	P(alive at N) (alpha+x)/(alpha+beta+N) sum over j from 1 to n of P(alive at N+j | alive at N)
//
// which is regular at Gamma = 1. It is NaN for a negative n.
func (m BGBB) ExpectedPurchases(h DiscreteHistory, n int) float64 {
	return m.aliveAtEnd(h) * m.after(h).NewCustomerPurchases(n)
}

// NewCustomerPurchases returns E[X(n)], the expected purchases of a new customer at the opportunities 1 to n, equation 8
// of the paper as
//
//	alpha/(alpha+beta) sum over j from 1 to n of B(gamma, delta+j)/B(gamma, delta)
//
// It is NaN for a negative n.
func (m BGBB) NewCustomerPurchases(n int) float64 {
	if !m.valid() || n < 0 {
		return math.NaN()
	}
	return m.Alpha / (m.Alpha + m.Beta) * sumSurvival(m.Gamma, m.Delta, float64(n))
}

// sumSurvival returns the sum over j from 1 to n of B(g, d+j)/B(g, d), the expected opportunities before a customer
// leaves: term by term for small n, else in the closed form
//
//	d/(g-1) (1 - Gamma(d+1+n) Gamma(g+d)/(Gamma(d+1) Gamma(g+d+n)))
//
// with its limit at g = 1.
func sumSurvival(g, d, n float64) float64 {
	const many = 10_000
	sum, term := 0.0, 1.0
	if n <= many {
		for j := 0.0; j < n && term > 1e-18*sum; j++ {
			term *= (d + j) / (g + d + j)
			sum += term
		}
		return sum
	}
	// l is the ln of the ratio of gammas.
	e := g - 1
	var l float64
	switch {
	case e == 0:
		return d * special.DigammaDiff(d+1, n)
	case e > 0:
		l = special.LogGammaRatio(d+1, e) - special.LogGammaRatio(d+1+n, e)
	default:
		l = special.LogGammaRatio(g+d+n, -e) - special.LogGammaRatio(g+d, -e)
	}
	return d * -math.Expm1(l) / e
}

// discountedSurvival returns the sum over j >= 1 of B(g, d+j)/B(g, d) z^(j-1) for 0 <= z < 1, as the mean of
//
//	(1-theta)/(1-z+z theta)
//
// over theta ~ beta(g, d); rest is 1-z.
func discountedSurvival(g, d, z, rest float64) float64 {
	if z == 0 {
		return d / (g + d)
	}
	if rest == 0 {
		if g <= 1 {
			return math.Inf(1)
		}
		return d / (g - 1)
	}
	if z <= 0.5 {
		sum, term := 0.0, 1.0
		for j := 0.0; term > 1e-18*sum; j++ {
			term *= (d + j) / (g + d + j)
			sum += term
			term *= z
		}
		return sum
	}
	var space [512]node
	sum := 0.0
	for _, n := range betaNodes(space[:0], g, d+1, 1e-17*rest) {
		sum += n.weight / (rest + z*n.value)
	}
	return d / (g + d) * sum
}

// PMF returns P(X(n) = x), the probability of x purchases of a new customer at the opportunities 1 to n, equation 7 of
// the paper, a sum of positive terms. It is NaN for a negative x or n and for an n above ten million.
func (m BGBB) PMF(x, n int) float64 {
	switch {
	case !m.valid() || x < 0 || n < 0 || n > mostN:
		return math.NaN()
	case x > n:
		return 0
	}
	// The terms of those who left before opportunity i+1, with powers of the scale taken out where they grow large.
	const large = 0x1p500
	k, scale := float64(x), 0.0
	both := m.Gamma + m.Delta
	term, sum := 1.0, 0.0
	for i := k; i < float64(n); i++ {
		sum += term
		term *= (i + 1) / (i + 1 - k) * ((m.Beta + i - k) / (m.Alpha + m.Beta + i)) * ((m.Delta + i) / (both + i + 1))
		if sum > large {
			term, sum, scale = term/large, sum/large, scale+500*math.Ln2
		}
	}
	first := special.LogGammaRatio(m.Alpha, k) - special.LogGammaRatio(m.Alpha+m.Beta, k) +
		special.LogGammaRatio(m.Delta, k) - special.LogGammaRatio(both, k)
	sum = m.Gamma/(both+k)*sum + term*(both+float64(n))/(both+k)
	return min(1, math.Exp(first+scale+math.Log(sum)))
}

// DERT returns the discounted expected residual purchases: a purchase at N+j counts 1/(1+d)^j, d being the effective
// rate a period between opportunities, equation 14 of the paper.
//
//	P(alive at N) (alpha+x)/(alpha+beta+N) sum over j >= 1 of P(alive at N+j | alive at N)/(1+d)^j
//
// It is NaN for a negative or infinite d. At d = 0 it is the expected number of all future purchases, which is +Inf for
// Gamma <= 1.
func (m BGBB) DERT(h DiscreteHistory, d float64) float64 {
	if !(d >= 0) || math.IsInf(d, 1) {
		return math.NaN()
	}
	alive := m.aliveAtEnd(h)
	if math.IsNaN(alive) || alive == 0 {
		return alive
	}
	f := m.after(h)
	z := 1 / (1 + d)
	return alive * (f.Alpha / (f.Alpha + f.Beta)) * z * discountedSurvival(f.Gamma, f.Delta, z, d*z)
}

// Rand draws the history of a new customer over n opportunities. A negative n and invalid parameters give a history
// whose N is -1.
func (m BGBB) Rand(r *rand.Rand, n int) DiscreteHistory {
	if !m.valid() || n < 0 {
		return DiscreteHistory{N: -1}
	}
	h := DiscreteHistory{N: n}
	p, theta := randBeta(r, m.Alpha, m.Beta), randBeta(r, m.Gamma, m.Delta)
	for i := 1; i <= n && r.Float64() >= theta; i++ {
		if r.Float64() < p {
			h.X, h.TX = h.X+1, i
		}
	}
	return h
}
