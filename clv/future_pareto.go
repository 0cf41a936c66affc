package clv

import "math"

// survival returns P(alive at t) of a new customer.
func (m ParetoNBD) survival(t float64) float64 { return math.Exp(-m.S * math.Log1p(t/m.Beta)) }

// buysWithin returns the probability of a purchase before t and before the customer leaves,
//
//	r integral from 0 to t of (1+u/alpha)^-(r+1) (1+u/beta)^-s du/alpha
func (m ParetoNBD) buysWithin(t float64) float64 {
	d := newDeparture(m.S, m.R, m.Beta, m.Alpha, t)
	return min(1, m.R*math.Exp(d.integral()))
}

func (m ParetoNBD) buysAfter(p float64) float64 {
	return logIncreasing(m.buysWithin, p, m.Alpha*math.Expm1(-math.Log1p(-p)/m.R))
}

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone:
//
//	P(alive) ((beta+T)/(beta+T+t))^s
func (m ParetoNBD) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.after(h), t)
}

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m ParetoNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m ParetoNBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below P(alive) E[lambda/(lambda+mu)], the probability that there is a next one.
func (m ParetoNBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.after(h), p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to]. Whoever is alive at
// from is there a new customer of the model with Beta+from.
func (m ParetoNBD) IntervalPMF(n int, from, to float64) float64 {
	if !m.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	later := ParetoNBD{m.R, m.Alpha, m.S, m.Beta + from}
	if n == 0 {
		return -math.Expm1(-m.S*math.Log1p(from/m.Beta)) + m.survival(from)*later.PMF(0, to-from)
	}
	return m.survival(from) * later.PMF(n, to-from)
}
