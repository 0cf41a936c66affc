package clv

import "math/rand/v2"

// The methods of the two models, which share all they compute.

// LogLikelihood returns ln L(R, Alpha, A, B | x, tx, T, LogGaps) for the model's K:
//
//	(k-1) LogGaps - x ln (k-1)! + ln Gamma(r+kx)/Gamma(r) + ln B(a,b+x)/B(a,b) - r ln(1+tx/alpha) - kx ln(alpha+tx)
//	  + ln( ((alpha+tx)/(alpha+T))^(r+kx) S + [x > 0] a/(b+x-1) )
//	S = sum over j < k of (r+kx)_j/j! ((T-tx)/(alpha+T))^j
func (m BGCNBD) LogLikelihood(h History) float64 { return m.model().logLikelihood(h) }

// ProbAlive returns P(alive at T | x, tx, T), 1 for a customer without a repeat purchase.
func (m BGCNBD) ProbAlive(h History) float64 { return m.model().probAlive(h) }

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T], with j the phases passed since tx, w_j their
// probabilities and I the regularized incomplete beta function at t/(alpha+T+t):
//
//	P(alive) sum over n >= 1 of B(a, b+x+n-1)/B(a, b+x) sum over j < k of w_j I(kn-j, r+kx+j)
//
// It is NaN for a negative or infinite t.
func (m BGCNBD) ExpectedPurchases(h History, t float64) float64 { return m.model().expected(h, t) }

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t]. It is NaN for a
// negative or infinite t.
func (m BGCNBD) NewCustomerPurchases(t float64) float64 { return m.model().expected(History{}, t) }

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t]. It is NaN for a negative
// n and for a negative or infinite t.
func (m BGCNBD) PMF(n int, t float64) float64 { return m.ConditionalPMF(History{}, n, t) }

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time; with f = lambda/(lambda+delta) and j the phases passed since tx it is
//
//	P(alive) E[ f^(k-j) / (1 - (1-p) f^k) | alive, x, tx, T ]
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases,
// P(alive) (A+B+x-1)/(A-1), which is +Inf for A <= 1.
func (m BGCNBD) DERT(h History, delta float64) float64 { return m.model().dert(h, delta) }

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone.
func (m BGCNBD) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.model().after(h), t)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to], as a sum over the
// phases that pass before from.
func (m BGCNBD) IntervalPMF(n int, from, to float64) float64 { return m.model().interval(n, from, to) }

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m BGCNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.model().after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m BGCNBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.model().after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below P(alive).
func (m BGCNBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.model().after(h), p)
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m BGCNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m.model(), r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m BGCNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m.model(), r, T) }

// LogLikelihood returns ln L(R, Alpha, A, B | x, tx, T, LogGaps) for the model's K:
//
//	(k-1) LogGaps - x ln (k-1)! + ln Gamma(r+kx)/Gamma(r) + ln B(a,b+x+1)/B(a,b) - r ln(1+tx/alpha) - kx ln(alpha+tx)
//	  + ln( ((alpha+tx)/(alpha+T))^(r+kx) S + a/(b+x) )
//	S = sum over j < k of (r+kx)_j/j! ((T-tx)/(alpha+T))^j
func (m MBGCNBD) LogLikelihood(h History) float64 { return m.model().logLikelihood(h) }

// ProbAlive returns P(alive at T | x, tx, T), below 1 for every customer.
func (m MBGCNBD) ProbAlive(h History) float64 { return m.model().probAlive(h) }

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T], with j the phases passed since tx, w_j their
// probabilities and I the regularized incomplete beta function at t/(alpha+T+t):
//
//	P(alive) sum over n >= 1 of B(a, b+x+n)/B(a, b+x+1) sum over j < k of w_j I(kn-j, r+kx+j)
//
// It is NaN for a negative or infinite t.
func (m MBGCNBD) ExpectedPurchases(h History, t float64) float64 { return m.model().expected(h, t) }

// NewCustomerPurchases returns E[X(t)], the expected repeat purchases of a new customer in (0, t]. It is NaN for a
// negative or infinite t.
func (m MBGCNBD) NewCustomerPurchases(t float64) float64 { return m.model().expected(History{}, t) }

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t]. It is NaN for a negative
// n and for a negative or infinite t.
func (m MBGCNBD) PMF(n int, t float64) float64 { return m.ConditionalPMF(History{}, n, t) }

// DERT returns the discounted expected residual purchases, each purchase in (T, T+u] discounted by e^(-delta u) at the
// continuous rate delta a unit of time; with f = lambda/(lambda+delta) and j the phases passed since tx it is
//
//	P(alive) E[ f^(k-j) / (1 - (1-p) f^k) | alive, x, tx, T ]
//
// It is NaN for a negative or infinite delta. At delta 0 it is the expected number of all future purchases,
// P(alive) (A+B+x)/(A-1), which is +Inf for A <= 1.
func (m MBGCNBD) DERT(h History, delta float64) float64 { return m.model().dert(h, delta) }

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone.
func (m MBGCNBD) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.model().after(h), t)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to], as a sum over the
// phases that pass before from.
func (m MBGCNBD) IntervalPMF(n int, from, to float64) float64 { return m.model().interval(n, from, to) }

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m MBGCNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.model().after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m MBGCNBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.model().after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below P(alive).
func (m MBGCNBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.model().after(h), p)
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m MBGCNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m.model(), r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m MBGCNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m.model(), r, T) }
