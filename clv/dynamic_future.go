package clv

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// survival returns P(alive at t) of a new customer.
func (w PathParetoNBD) survival(t float64) float64 {
	if !w.knows(t) {
		return math.NaN()
	}
	_, b := w.elapsed(t)
	return math.Exp(-w.base.S * math.Log1p(b/w.base.Beta))
}

// buysWithin returns the probability of a purchase before t and before the customer leaves,
//
//	r integral from 0 to t of (1+A(u)/alpha)^-(r+1) (1+B(u)/beta)^-s dA(u)/alpha
func (w PathParetoNBD) buysWithin(t float64) float64 {
	if !w.knows(t) {
		return math.NaN()
	}
	sum := 0.0
	w.buying(t, func(_ func(float64) float64, _, _, share float64) bool {
		sum += share
		return true
	})
	return min(1, sum)
}

// buying visits the pieces until t: the probability to buy first within the first v units of the piece, when it begins,
// how long it is, and the probability of the whole piece.
func (w PathParetoNBD) buying(t float64, visit func(part func(v float64) float64, at, length, share float64) bool) {
	r, s := w.base.R, w.base.S
	at, y, z, fall := 0.0, w.base.Alpha, w.base.Beta, 0.0
	w.each(0, t, func(k int, length float64) bool {
		b, a, weight := z/w.leave[k], y/w.buy[k], r*math.Exp(-fall)
		part := func(v float64) float64 {
			d := newDeparture(s, r, b, a, v)
			return weight * math.Exp(d.integral())
		}
		if !visit(part, at, length, part(length)) {
			return false
		}
		fall += s*math.Log1p(length/b) + r*math.Log1p(length/a)
		at += length
		y += w.buy[k] * length
		z += w.leave[k] * length
		return true
	})
}

// buysAfter returns the inverse of buysWithin, NaN where the path ends before.
func (w PathParetoNBD) buysAfter(p float64) float64 {
	until, before := math.NaN(), 0.0
	w.buying(w.end-w.from, func(part func(float64) float64, at, length, share float64) bool {
		if before+share < p {
			before += share
			return true
		}
		rest, guess := p-before, length
		if math.IsInf(guess, 1) {
			guess = 1
		}
		until = at + min(length, logIncreasing(part, rest, guess))
		return false
	})
	return until
}

// PMF returns P(X(t) = n), the probability of n repeat purchases in (0, t] of a new customer whose first purchase is at
// the beginning of the path, as an integral over the lifetime of negative binomial probabilities. It is NaN for a
// negative n and for a negative or infinite t.
func (w PathParetoNBD) PMF(n int, t float64) float64 {
	if !w.valid() || n < 0 || !validTime(t) || !w.knows(t) {
		return math.NaN()
	}
	if n == 0 {
		sum, _ := w.mix(History{T: t})
		return math.Exp(sum)
	}
	if t == 0 {
		return 0
	}
	x, m := float64(n), w.base
	total, a := 0.0, 0.0
	w.living(t, func(k int, length, at, z, fall float64) bool {
		// On the scale of u = ln(time) the integrand has one peak.
		low := math.Log(at)
		log, _, _ := special.LogIntegrate(func(u float64) float64 {
			v := math.Exp(u) - at
			return u + logNB(x, m.R, (a+w.buy[k]*v)/m.Alpha) - (m.S+1)*math.Log1p(w.leave[k]*v/z)
		}, low, math.Log(at+length), 1e-12)
		total += math.Exp(math.Log(m.S*w.leave[k]/z) - fall + log)
		a += w.buy[k] * length
		return true
	})
	_, b := w.elapsed(t)
	return total + math.Exp(logNB(x, m.R, a/m.Alpha)-m.S*math.Log1p(b/m.Beta))
}

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone:
//
//	P(alive) ((beta+B(T))/(beta+B(T+t)))^s
func (w PathParetoNBD) ProbAliveAt(h History, t float64) float64 {
	if !w.usable(h) {
		return math.NaN()
	}
	return aliveAt(w.ProbAlive(h), w.after(h), t)
}

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (w PathParetoNBD) ConditionalPMF(h History, n int, t float64) float64 {
	if !w.usable(h) {
		return math.NaN()
	}
	return conditionalPMF(w.ProbAlive(h), w.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (w PathParetoNBD) ProbAnyPurchase(h History, t float64) float64 {
	if !w.usable(h) {
		return math.NaN()
	}
	return anyPurchase(w.ProbAlive(h), w.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below the probability that there is a next one, and NaN where it may come after the path's End.
func (w PathParetoNBD) NextPurchaseQuantile(h History, p float64) float64 {
	if !w.usable(h) {
		return math.NaN()
	}
	alive, f := w.ProbAlive(h), w.after(h)
	if !math.IsInf(w.end, 1) { // where the future is not known to its end, only what comes before is
		switch {
		case p == 0:
			return 0
		case !(p > 0 && p <= alive*f.buysWithin(w.end-f.from)):
			return math.NaN()
		}
		return f.buysAfter(p / alive)
	}
	return nextPurchase(alive, f, p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to]. Whoever is alive at
// from is there a new customer of the model with Beta+B(from).
func (w PathParetoNBD) IntervalPMF(n int, from, to float64) float64 {
	if !w.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from || !w.knows(to) {
		return math.NaN()
	}
	alive := w.survival(from)
	_, b := w.elapsed(from)
	gone := -math.Expm1(-w.base.S * math.Log1p(b/w.base.Beta))
	w.base.Beta += b
	w.from += from
	if n == 0 {
		return gone + alive*w.PMF(0, to-from)
	}
	return alive * w.PMF(n, to-from)
}
