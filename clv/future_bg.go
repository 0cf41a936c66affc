package clv

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// survival returns P(alive at t) of a new customer: E[(1+p t/alpha)^-r] over p.
func (m BGNBD) survival(t float64) float64 {
	return math.Exp(special.LogHyp2F1Neg(m.R, m.A, m.A+m.B, t/m.Alpha))
}

func (m BGNBD) buysWithin(t float64) float64 { return -math.Expm1(-m.R * math.Log1p(t/m.Alpha)) }

func (m BGNBD) buysAfter(p float64) float64 { return m.Alpha * math.Expm1(-math.Log1p(-p)/m.R) }

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone:
//
//	P(alive) 2F1(R+x, A; A+B+x; -t/(Alpha+T))
func (m BGNBD) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.after(h), t)
}

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m BGNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m BGNBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below P(alive).
func (m BGNBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.after(h), p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to]. Given p, with s the
// length of the interval, it is the mean over lambda of
//
//	e^(-lambda p from) ( (1-p)^n Poisson(n; lambda s) + p (1-p)^(n-1) P(Poisson(lambda s) >= n) )    for n > 0
//
// and the mean over p is a quadrature.
func (m BGNBD) IntervalPMF(n int, from, to float64) float64 {
	if !m.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	if from == 0 {
		return m.PMF(n, to)
	}
	if n == 0 {
		return m.intervalNone(from, to)
	}
	if from == to {
		return 0
	}
	x, s := float64(n), to-from
	norm := special.LogBeta(m.A, m.B)
	// On the logit scale v the density of p times the rest has one peak.
	log, _, _ := special.LogIntegrate(func(v float64) float64 {
		l, c := special.LogAddExp(0, -v), special.LogAddExp(0, v) // -ln p, -ln(1-p)
		p := math.Exp(-l)
		at := m.Alpha + p*from
		y := s / at
		stays := -c + logNB(x, m.R, y)
		leaves := -l + special.LogIncBetaXY(x, m.R, y/(1+y), 1/(1+y))
		return -m.A*l - (m.B+x-1)*c - norm - m.R*math.Log1p(p*from/m.Alpha) + special.LogAddExp(stays, leaves)
	}, math.Inf(-1), math.Inf(1), 1e-13)
	return min(1, math.Exp(log))
}

// intervalNone returns the probability of no purchase in (from, to]: the mean over p of those who had left before and
// those who had not and do not buy,
//
//	1 - (1+p from/alpha)^-r + (1+(p from+s)/alpha)^-r
func (m BGNBD) intervalNone(from, to float64) float64 {
	var space [512]node
	sum := 0.0
	for _, p := range betaNodes(space[:0], m.A, m.B, 1e-17*m.Alpha/(to*(1+m.R))) {
		left := -m.R * math.Log1p(p.value*from/m.Alpha)
		idle := -m.R * math.Log1p((p.value*from+to-from)/m.Alpha)
		sum += p.weight * (-math.Expm1(left) + math.Exp(idle))
	}
	return min(1, sum)
}

// ProbAliveAt returns the probability that the customer is still a customer at T+t, given the history to T alone:
//
//	P(alive) 2F1(R+x, A; A+B+x+1; -t/(Alpha+T))
func (m MBGNBD) ProbAliveAt(h History, t float64) float64 {
	return aliveAt(m.ProbAlive(h), m.after(h), t)
}

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T.
func (m MBGNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m MBGNBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below P(alive).
func (m MBGNBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.after(h), p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to]: that of the BG/NBD
// model with B+1 for those who stay after the first purchase, and none for the others.
func (m MBGNBD) IntervalPMF(n int, from, to float64) float64 {
	if !m.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	first, stays := m.after(History{}), m.ProbAlive(History{})
	if n == 0 {
		return 1 - stays + stays*first.IntervalPMF(0, from, to)
	}
	return stays * first.IntervalPMF(n, from, to)
}

func (m NBD) survival(float64) float64 { return 1 }

func (m NBD) buysWithin(t float64) float64 { return -math.Expm1(-m.R * math.Log1p(t/m.Alpha)) }

func (m NBD) buysAfter(p float64) float64 { return m.Alpha * math.Expm1(-math.Log1p(-p)/m.R) }

// ProbAliveAt returns 1: the model knows no end.
func (m NBD) ProbAliveAt(h History, t float64) float64 { return aliveAt(m.ProbAlive(h), m.after(h), t) }

// ConditionalPMF returns the probability of n purchases in (T, T+t], given the history to T: negative binomial with
// R+x and Alpha+T.
func (m NBD) ConditionalPMF(h History, n int, t float64) float64 {
	return conditionalPMF(m.ProbAlive(h), m.after(h), n, t)
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t], given the history to T.
func (m NBD) ProbAnyPurchase(h History, t float64) float64 {
	return anyPurchase(m.ProbAlive(h), m.after(h), t)
}

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf for p = 1.
func (m NBD) NextPurchaseQuantile(h History, p float64) float64 {
	return nextPurchase(m.ProbAlive(h), m.after(h), p)
}

// IntervalPMF returns the probability that a new customer makes n repeat purchases in (from, to], which depends on
// to - from alone.
func (m NBD) IntervalPMF(n int, from, to float64) float64 {
	if !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	return m.PMF(n, to-from)
}
