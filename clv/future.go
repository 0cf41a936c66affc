package clv

import "math"

// A Forecaster answers further questions about the future. Every model of continuous time in this package is one.
//
// The methods return NaN for invalid parameters, for a History that does not validate, for a negative count and for a
// time or probability out of range.
type Forecaster interface {
	Model
	// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T. What
	// happens after T is not known: a silence up to T+t says more, see ProbAlive of a history with a later T.
	ProbAliveAt(h History, t float64) float64
	// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to].
	IntervalPMF(n int, from, to float64) float64
	// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
	ConditionalPMF(h History, n int, t float64) float64
	// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
	ProbAnyPurchase(h History, t float64) float64
	// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p. It is +Inf
	// where p is not below the probability that the customer ever buys again.
	NextPurchaseQuantile(h History, p float64) float64
}

// A prospect is the future of a customer who is alive at its start. Its methods may assume valid arguments.
type prospect interface {
	// PMF returns the probability of n purchases within t.
	PMF(n int, t float64) float64
	// survival returns the probability to be alive after t.
	survival(t float64) float64
	// buysWithin returns the probability of a purchase within t without loss where it is small, for t = +Inf that of any.
	buysWithin(t float64) float64
	// buysAfter returns the inverse of buysWithin for 0 < p < buysWithin(+Inf).
	buysAfter(p float64) float64
}

// validTime reports whether t is a time that can be asked about.
func validTime(t float64) bool { return t >= 0 && !math.IsInf(t, 1) }

// aliveAt is ProbAliveAt of a customer who is alive at T with the given probability.
func aliveAt(alive float64, f prospect, t float64) float64 {
	if math.IsNaN(alive) || !validTime(t) {
		return math.NaN()
	}
	return alive * f.survival(t)
}

// conditionalPMF is ConditionalPMF of a customer who is alive at T with the given probability.
func conditionalPMF(alive float64, f prospect, n int, t float64) float64 {
	switch {
	case math.IsNaN(alive) || n < 0 || !validTime(t):
		return math.NaN()
	case n == 0:
		return 1 - alive + alive*f.PMF(0, t)
	}
	return alive * f.PMF(n, t)
}

// anyPurchase is ProbAnyPurchase of a customer who is alive at T with the given probability.
func anyPurchase(alive float64, f prospect, t float64) float64 {
	if math.IsNaN(alive) || !validTime(t) {
		return math.NaN()
	}
	return alive * f.buysWithin(t)
}

// nextPurchase is NextPurchaseQuantile of a customer who is alive at T with the given probability.
func nextPurchase(alive float64, f prospect, p float64) float64 {
	switch {
	case math.IsNaN(alive) || !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return 0
	case p >= alive*f.buysWithin(math.Inf(1)):
		return math.Inf(1)
	}
	return f.buysAfter(p / alive)
}

// logIncreasing returns the positive t at which the increasing function f is p, to the last digits, by bisection on
// the log scale with secant steps. Where it lies beyond the range of numbers the result is 0 or +Inf.
func logIncreasing(f func(t float64) float64, p, guess float64) float64 {
	const most = 700
	at := math.Log(guess)
	g := func(u float64) float64 { return f(math.Exp(u)) - p }
	lo, hi := at, at
	glo := g(at)
	ghi := glo
	for step := 1.0; glo > 0; step *= 2 {
		if hi, ghi = lo, glo; lo < -most {
			return 0
		}
		lo -= step
		glo = g(lo)
	}
	for step := 1.0; ghi < 0; step *= 2 {
		if lo, glo = hi, ghi; hi > most {
			return math.Inf(1)
		}
		hi += step
		ghi = g(hi)
	}
	// Illinois' method: false position that halves the weight of an end that stays.
	side := 0
	for range 200 {
		if hi-lo <= 4e-16*max(1, math.Abs(lo)) || glo == ghi {
			break
		}
		mid := (lo*ghi - hi*glo) / (ghi - glo)
		if !(mid > lo && mid < hi) {
			mid = (lo + hi) / 2
		}
		v := g(mid)
		switch {
		case v == 0:
			return math.Exp(mid)
		case v > 0:
			hi, ghi = mid, v
			if side == 1 {
				glo /= 2
			}
			side = 1
		default:
			lo, glo = mid, v
			if side == -1 {
				ghi /= 2
			}
			side = -1
		}
	}
	if -glo < ghi {
		return math.Exp(lo)
	}
	return math.Exp(hi)
}
