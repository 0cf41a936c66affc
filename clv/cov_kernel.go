package clv

import (
	"math"

	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// plainKernel is that of a likelihood whose sum over customers with the same parameters is that of the plain model.
func plainKernel[T any](sum func(rows []T, theta []float64, d *mle.Derivs)) func(rows []T) covKernel {
	return func(rows []T) covKernel {
		return func([]float64, bool) covSum {
			return func(v, _ []float64, lo, hi int, d *mle.Derivs) {
				if lo < hi {
					sum(rows[lo:hi], v, d)
				}
			}
		}
	}
}

// pdoKernel is sumPDO, with one space for the tables.
func pdoKernel(period float64) func(rows []row) covKernel {
	return func(rows []row) covKernel {
		return func([]float64, bool) covSum {
			var table pdoTable
			return func(v, _ []float64, lo, hi int, d *mle.Derivs) {
				if lo < hi {
					table.sum(rows[lo:hi], v, period, d)
				}
			}
		}
	}
}

// nbdKernel is sumNBD for customers of different Alpha; what depends on R and X alone is computed once for neighbors of
// the same X, which share a logarithm.
func nbdKernel(rows []row) covKernel {
	return func(theta []float64, _ bool) covSum {
		r, logBase := theta[0], math.Log(theta[1])
		last := -1
		var value, first, second float64 // of ln Gamma(r+x)/Gamma(r)
		var logs logSum                  // ln(1+T/alpha) of the neighbors
		var kept, sum float64            // of those before, with and without their factor -(r+x)
		turn := func() {
			l := logs.total()
			kept -= (r + float64(last)) * l
			sum += l
			logs = logSum{}
		}
		return func(v, by []float64, lo, hi int, d *mle.Derivs) {
			if lo == hi {
				turn()
				d.Value += kept
				d.Grad[0] -= sum
				return
			}
			alpha, logAlpha := v[1], logBase+by[1]
			for i := lo; i < hi; i++ {
				w := &rows[i]
				x, weight := float64(w.x), w.weight
				if w.x != last {
					turn()
					last = w.x
					value, first, second = special.LogGammaRatio(r, x), special.DigammaDiff(r, x), special.TrigammaDiff(r, x)
				}
				to, at := 1/(alpha+w.t), w.t/alpha
				logs.add(at, weight)
				d.Value += weight * (value - x*logAlpha)
				d.Grad[0] += weight * first
				d.Grad[1] += weight * (r*at - x) * to
				if d.Hess != nil {
					d.AddHess(0, 0, weight*second)
					d.AddHess(0, 1, weight*at*to)
					d.AddHess(1, 1, weight*(x-r*at*(2+at))*to*to)
				}
			}
		}
	}
}

// gammaGammaKernel is sumGammaGamma for customers of different Gamma; what depends on P, Q and X alone is computed once
// for neighbors of the same X, which share a logarithm.
func gammaGammaKernel(rows []spendRow) covKernel {
	return func(theta []float64, second bool) covSum {
		p, q, logBase := theta[0], theta[1], math.Log(theta[2])
		var c spendByX
		var logs logSum              // ln(1+total/gamma) of the neighbors
		var kept, keptP, sum float64 // of those before: with their factors in the value and in that of P, and alone
		turn := func() {
			l := logs.total()
			kept -= (c.a + q) * l
			keptP -= float64(c.x) * l
			sum += l
			logs = logSum{}
		}
		return func(v, by []float64, lo, hi int, d *mle.Derivs) {
			if lo == hi {
				turn()
				d.Value += kept
				d.Grad[0] += keptP
				d.Grad[1] -= sum
				return
			}
			gamma, logGamma := v[2], logBase+by[2]
			for i := lo; i < hi; i++ {
				w := &rows[i]
				if w.x != c.x { // never 0
					turn()
					c = newSpendByX(w.x, p, q, second)
				}
				s, to := 1/(gamma+w.total), w.total/gamma
				spent, rest := w.logTotal-logGamma, 0.0 // less ln(1+total/gamma)
				value := c.norm + c.a*spent
				if c.accurate {
					spent, rest = -math.Log1p(gamma/w.total), -math.Log1p(to)
					value = logBetaPrime(c.betaPrime, w.total, gamma)
				} else {
					logs.add(to, w.weight)
				}
				n, share := float64(w.x), to*s
				d.Value += w.weight * (value - w.logMean)
				d.Grad[0] += w.weight * n * (c.p + spent)
				d.Grad[1] += w.weight * (c.q + rest)
				d.Grad[2] += w.weight * (q*share - c.a*s)
				if second {
					d.AddHess(0, 0, w.weight*c.pp)
					d.AddHess(0, 1, w.weight*c.pq)
					d.AddHess(0, 2, w.weight*-n*s)
					d.AddHess(1, 1, w.weight*c.qq)
					d.AddHess(1, 2, w.weight*share)
					d.AddHess(2, 2, w.weight*(c.a*s*s-q*share*(1/gamma+s)))
				}
			}
		}
	}
}
