package clv

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// survival returns the probability to be alive at opportunity n of a customer who is alive at 0.
func (m BGBB) survival(n float64) float64 {
	if n <= 4096 {
		p := 1.0
		for j := 0.0; j < n; j++ {
			p *= (m.Delta + j) / (m.Gamma + m.Delta + j)
		}
		return p
	}
	return math.Exp(special.LogGammaRatio(m.Delta, m.Gamma) - special.LogGammaRatio(m.Delta+n, m.Gamma))
}

// ProbAliveAt returns the probability that the customer is still a customer at the opportunity N+n, given the history to
// N alone; n = 1 gives ProbAlive. It is NaN for a negative n.
func (m BGBB) ProbAliveAt(h DiscreteHistory, n int) float64 {
	alive := m.aliveAtEnd(h)
	if math.IsNaN(alive) || n < 0 {
		return math.NaN()
	}
	return alive * m.after(h).survival(float64(n))
}

// ConditionalPMF returns the probability of x purchases at the opportunities N+1 to N+n, given the history to N. It is
// NaN for a negative x or n.
func (m BGBB) ConditionalPMF(h DiscreteHistory, x, n int) float64 {
	alive := m.aliveAtEnd(h)
	p := alive * m.after(h).PMF(x, n)
	if x == 0 {
		p += 1 - alive
	}
	return p
}

// IntervalPMF returns the probability that a new customer makes x purchases at the opportunities from+1 to to. It is NaN
// for a negative x or from, and for a to before from.
func (m BGBB) IntervalPMF(x, from, to int) float64 {
	if !m.valid() || x < 0 || from < 0 || to < from {
		return math.NaN()
	}
	alive := m.survival(float64(from))
	p := alive * BGBB{m.Alpha, m.Beta, m.Gamma, m.Delta + float64(from)}.PMF(x, to-from)
	if x == 0 {
		p += 1 - alive
	}
	return min(1, p)
}

// ProbAnyPurchase returns the probability of at least one purchase at the opportunities N+1 to N+n, given the history
// to N, as the sum over the first of them. It is NaN for a negative n.
func (m BGBB) ProbAnyPurchase(h DiscreteHistory, n int) float64 {
	alive := m.aliveAtEnd(h)
	if math.IsNaN(alive) || n < 0 {
		return math.NaN()
	}
	p, _ := m.after(h).buysWithin(float64(n), math.Inf(1))
	return alive * p
}

// NextPurchaseQuantile returns the number of opportunities after N within which the next purchase comes with probability
// p at least, a whole number. It is +Inf where p is not below the probability that there is a next one, and NaN for a p
// outside [0, 1].
func (m BGBB) NextPurchaseQuantile(h DiscreteHistory, p float64) float64 {
	alive := m.aliveAtEnd(h)
	switch {
	case math.IsNaN(alive) || !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return 0
	case alive == 0:
		return math.Inf(1)
	}
	f, target := m.after(h), p/alive
	if total, _ := f.buysWithin(math.Inf(1), math.Inf(1)); target >= total {
		return math.Inf(1)
	}
	if total, n := f.buysWithin(manyOpportunities, target); total >= target {
		return n
	}
	within := func(n float64) float64 {
		total, _ := f.buysWithin(math.Floor(n), math.Inf(1))
		return total
	}
	// The search ends next to a step.
	n := math.Floor(logIncreasing(within, target, 2*manyOpportunities))
	for range 2 {
		if within(n) < target {
			n++
		}
	}
	return n
}

// manyOpportunities is the number from which sums over opportunities are integrals to 11 digits.
const manyOpportunities = 1 << 16

// buysWithin returns the probability of a purchase at the first n opportunities, which may be +Inf, of a customer who is
// alive at 0, and where it stopped: at n, or where the probability reached enough.
func (m BGBB) buysWithin(n, enough float64) (total, at float64) {
	none, alive := 1.0, 1.0
	for j := 1.0; j <= min(n, manyOpportunities); j++ {
		alive *= (m.Delta + j - 1) / (m.Gamma + m.Delta + j - 1)
		total += none * alive * (m.Alpha / (m.Alpha + m.Beta + j - 1))
		none *= (m.Beta + j - 1) / (m.Alpha + m.Beta + j - 1)
		if total >= enough || none*alive <= 1e-17*total {
			return min(1, total), j
		}
	}
	if n <= manyOpportunities {
		return min(1, total), n
	}
	// The rest by the midpoint rule, on the scale of ln j.
	constant := math.Log(m.Alpha) + special.LogGammaRatio(m.Beta, m.Alpha) + special.LogGammaRatio(m.Delta, m.Gamma)
	log, _, _ := special.LogIntegrate(func(u float64) float64 {
		j := math.Exp(u)
		return u + constant - special.LogGammaRatio(m.Beta+j-1, m.Alpha) - special.LogGammaRatio(m.Delta+j, m.Gamma) -
			math.Log(m.Alpha+m.Beta+j-1)
	}, math.Log(manyOpportunities+0.5), math.Log(n+0.5), 1e-13)
	return min(1, total+math.Exp(log)), n
}

// DiscountedPurchases returns the expected purchases at the opportunities N+1 to N+n, a purchase at N+j counting
// 1/(1+d)^j with d the effective rate a period. For ever is DERT. It is NaN for a negative n and for a negative or
// infinite d.
func (m BGBB) DiscountedPurchases(h DiscreteHistory, n int, d float64) float64 {
	alive := m.aliveAtEnd(h)
	if math.IsNaN(alive) || n < 0 || !validTime(d) {
		return math.NaN()
	}
	if d == 0 {
		return m.ExpectedPurchases(h, n)
	}
	f := m.after(h)
	z, sum, term := 1/(1+d), 0.0, 1.0
	const many = 1 << 20
	last := float64(min(n, many))
	for j := 0.0; j < last && term > 1e-18*sum; j++ {
		term *= (f.Delta + j) / (f.Gamma + f.Delta + j) * z
		sum += term
	}
	if n > many && term > 1e-18*sum {
		// What is left for ever, less that after n.
		later := func(from float64) float64 {
			return f.survival(from) * math.Exp(-from*math.Log1p(d)) * z * discountedSurvival(f.Gamma, f.Delta+from, z, d*z)
		}
		sum += later(many) - later(float64(n))
	}
	return alive * (f.Alpha / (f.Alpha + f.Beta)) * sum
}
