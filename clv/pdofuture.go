package clv

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// A pdoFuture is the future of a customer of the PDO model who is alive at its start: the rate of purchase is gamma with
// r and alpha, the probability to leave at an opportunity beta with a and b, and the opportunities come at first and
// every period after.
type pdoFuture struct{ r, alpha, a, b, period, first float64 }

// opportunities returns how many lie in (0, t].
func (f pdoFuture) opportunities(t float64) float64 {
	return opportunities(t-f.first+f.period, f.period)
}

// at returns the time of the opportunity k from 1, and 0 for k = 0.
func (f pdoFuture) at(k float64) float64 {
	if k == 0 {
		return 0
	}
	return f.first + (k-1)*f.period
}

// stays returns the probability to stay at the first n opportunities.
func (f pdoFuture) stays(n float64) float64 {
	return math.Exp(special.LogBetaRatio(f.a, f.b, 0, n))
}

func (f pdoFuture) survival(t float64) float64 { return f.stays(f.opportunities(t)) }

// expected returns the expected purchases within t.
func (f pdoFuture) expected(t float64) float64 {
	k := f.opportunities(t)
	if k == 0 {
		return f.r / f.alpha * t
	}
	time := f.first + f.period*sumSurvival(f.a, f.b, k-1) + f.stays(k)*max(0, t-f.at(k))
	return f.r / f.alpha * time
}

// forEver returns the expected purchases of all time, discounted at the rate delta.
func (f pdoFuture) forEver(delta float64) float64 {
	if delta == 0 {
		return f.r / f.alpha * (f.first + f.period*discountedSurvival(f.a, f.b, 1, 0))
	}
	z, rest := math.Exp(-delta*f.period), -math.Expm1(-delta*f.period)
	before := -math.Expm1(-delta*f.first) / delta
	return f.r / f.alpha * (before + math.Exp(-delta*f.first)*rest/delta*discountedSurvival(f.a, f.b, z, rest))
}

// discounted returns the expected purchases within t, discounted at the rate delta.
func (f pdoFuture) discounted(t, delta float64) float64 {
	if delta == 0 {
		return f.expected(t)
	}
	// The discounted length of an interval.
	length := func(d float64) float64 { return -math.Expm1(-delta*d) / delta }
	k := f.opportunities(t)
	if k == 0 {
		return f.r / f.alpha * length(t)
	}
	// The intervals after each opportunity, the last of them cut off at t.
	sum, stays, z := length(f.first), 1.0, math.Exp(-delta*f.period)
	weight, whole := math.Exp(-delta*f.first), length(f.period)
	for j := 1.0; j < k; j++ {
		if j == fewOpportunities {
			sum += weight * whole * smoothSum(func(n float64) float64 {
				return special.LogBetaRatio(f.a, f.b, 0, n) - delta*f.period*(n-j)
			}, j, k-1)
			break
		}
		stays *= (f.b + j - 1) / (f.a + f.b + j - 1)
		if weight*stays/delta <= 1e-18*sum {
			return f.r / f.alpha * sum
		}
		sum += weight * stays * whole
		weight *= z
	}
	sum += math.Exp(-delta*f.at(k)) * f.stays(k) * length(max(0, t-f.at(k)))
	return f.r / f.alpha * sum
}

// fewOpportunities are summed one by one before a sum goes over to an integral.
const fewOpportunities = 2000

// smoothSum returns the sum of e^f(n) over the integers from one number to another by Euler's and Maclaurin's formula at
// the middle of the steps: where the scale of f is l integers, its error is 7/5760 l^-4 of the terms at the ends.
func smoothSum(f func(n float64) float64, from, to float64) float64 {
	log, _, ok := special.LogIntegrate(func(u float64) float64 { return u + f(math.Exp(u)) }, math.Log(from-0.5), math.Log(to+0.5), 1e-13)
	if !ok && math.IsNaN(log) {
		return math.NaN()
	}
	step := func(n float64) float64 { return math.Exp(f(n)) - math.Exp(f(n-1)) }
	return math.Exp(log) + (step(from)-step(to+1))/24
}

// PMF returns the probability of n purchases within t: those who left at each opportunity, and the living.
func (f pdoFuture) PMF(n int, t float64) float64 {
	if t == 0 {
		if n == 0 {
			return 1
		}
		return 0
	}
	x, k := float64(n), f.opportunities(t)
	count := special.LogGammaRatio(f.r, x) - special.LogGammaRatio(1, x)
	probability := func(at float64) float64 { // as a logarithm
		l := count - f.r*math.Log1p(at/f.alpha)
		if n > 0 {
			l -= x * math.Log1p(f.alpha/at)
		}
		return l
	}
	// The probability of n purchases is smooth on the scale of its own spread.
	few := math.Ceil(max(fewOpportunities, 50*math.Sqrt(x)))
	sum, stays := 0.0, 1.0
	for j := 1.0; j <= k; j++ {
		both := f.a + f.b + j - 1
		if stays <= 1e-18*sum {
			break
		}
		if j == few && j < k {
			sum += f.a * smoothSum(func(j float64) float64 {
				return special.LogBetaRatio(f.a, f.b, 0, j-1) - math.Log(f.a+f.b+j-1) + probability(f.at(j))
			}, j, k)
			break
		}
		sum += stays * (f.a / both) * math.Exp(probability(f.at(j)))
		stays *= (f.b + j - 1) / both
	}
	return min(1, sum+f.stays(k)*math.Exp(probability(t)))
}

// buysWithin returns the probability of a purchase within t and before the customer leaves, a sum over the intervals
// between opportunities. After many of them the survival is a power of time to all digits, as for Pareto/NBD.
func (f pdoFuture) buysWithin(t float64) float64 {
	const many = 1 << 16
	k := math.Inf(1)
	if !math.IsInf(t, 1) {
		k = f.opportunities(t)
	}
	sum, stays := 0.0, 1.0
	for j := 0.0; j <= k; j++ {
		from := f.at(j)
		none := -f.r * math.Log1p(from/f.alpha)
		reached := stays * math.Exp(none)
		if reached <= 1e-17*sum {
			break
		}
		if j == many {
			middle := f.b + j + (f.a-1)/2
			tail := ParetoNBD{f.r, f.alpha + from, f.a, (middle - 0.5) * f.period}
			sum += reached * math.Exp(-f.a*math.Log1p(-0.5/middle)) * tail.buysWithin(t-from)
			break
		}
		to := t
		if j < k {
			to = f.at(j + 1)
		}
		sum += reached * -math.Expm1(-f.r*math.Log1p(max(0, to-from)/(f.alpha+from)))
		stays *= (f.b + j) / (f.a + f.b + j)
	}
	return min(1, sum)
}

func (f pdoFuture) buysAfter(p float64) float64 {
	return logIncreasing(f.buysWithin, p, f.alpha*math.Expm1(-math.Log1p(-p)/f.r))
}
