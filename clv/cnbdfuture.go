package clv

import (
	"math"

	"github.com/custval/custval/internal/special"
)

// An erlang is the future of a customer who is alive, of the models whose purchases come after k phases each:
//
//	phases passed since the last purchase   j < k with a weight in proportion to (shape)_j/j! passed^j
//	rate of the phases, given j             gamma with shape+j and rate
//	leaves after a purchase                 with probability p, which is beta with a and b
//
// A new customer has passed = 0.
type erlang struct {
	k              int
	shape, rate    float64
	a, b           float64
	passed         float64
	fixed, current int // with fixed = 1 the phases passed are known to be current
}

// weights returns the distribution of the phases passed, as far as it is above 0.
func (e erlang) weights(space []float64) []float64 {
	space = append(space[:0], 1)
	if e.fixed == 1 {
		space[0] = 0
		for range e.current - 1 {
			space = append(space, 0)
		}
		if e.current == 0 {
			space[0] = 1
			return space
		}
		return append(space, 1)
	}
	total := 1.0
	for j := 1; j < e.k && e.passed > 0; j++ {
		n := float64(j)
		space = append(space, space[j-1]*(e.shape+n-1)/n*e.passed)
		total += space[j]
	}
	for j := range space {
		space[j] /= total
	}
	return space
}

// stay returns the log of B(a, b+n)/B(a, b), the probability of staying after n purchases.
func (e erlang) stay(n float64) float64 {
	return special.LogBetaRatio(e.a, e.b, 0, n)
}

// phasesAtLeast returns the log of the probability that n more phases pass in a time y in units of the rate, given j.
func (e erlang) phasesAtLeast(n, j, y float64) float64 {
	if n <= 0 {
		return 0
	}
	return special.LogIncBetaXY(n, e.shape+j, y/(1+y), 1/(1+y))
}

// block returns the log of the probability that n to n+count-1 more phases pass in y, given j; a negative n counts as 0.
func (e erlang) block(n, count, j, y float64) float64 {
	if n < 0 {
		n, count = 0, count+n
	}
	shape := e.shape + j
	term, sum := 1.0, 1.0
	z := y / (1 + y)
	for i := 1.0; i < count; i++ {
		term *= (shape + n + i - 1) / (n + i) * z
		sum += term
	}
	return logNB(n, shape, y) + math.Log(sum)
}

// longSum is the number of phases beyond which sums over purchases go over to an integral, direct the number of
// purchases that are summed before it.
const (
	longSum = 20000
	direct  = 300
)

// phases returns about how many phases a sum over their number must go through.
func (e erlang) phases(y float64) float64 {
	mean := (e.shape + float64(e.k)) * y
	return mean + 9*math.Sqrt(mean*(1+y)) + 38*(1+y)
}

// tailSum returns the sum of e^f(n) over the integers n >= from by Euler's and Maclaurin's formula at the middle of a
// step: for an f that is smooth on the scale of n there, its error is below 1e-10 of the sum. Beyond to there is nothing.
func tailSum(f func(n float64) float64, from, to float64) float64 {
	log, _, ok := special.LogIntegrate(func(u float64) float64 {
		n := math.Exp(u)
		return u + f(n)
	}, math.Log(from-0.5), math.Log(to), 1e-13)
	if !ok && math.IsNaN(log) {
		return math.NaN()
	}
	return math.Exp(log) + (math.Exp(f(from))-math.Exp(f(from-1)))/24
}

// expected returns the expected purchases within t:
//
//	sum over n >= 1 of B(a,b+n-1)/B(a,b) sum over j of w_j P(at least kn-j phases | j)
func (e erlang) expected(t float64) float64 {
	y := t / e.rate
	if y == 0 {
		return 0
	}
	if e.phases(y) > manyPhases {
		return e.expectedLong(y)
	}
	var space [16]float64
	sum := 0.0
	for j, w := range e.weights(space[:]) {
		if w > 0 {
			sum += w * e.expectedGiven(j, y)
		}
	}
	return sum
}

// expectedGiven sums over the phases that pass, given j at the start; all terms are positive.
func (e erlang) expectedGiven(j int, y float64) float64 {
	// The terms relative to the first, with the power of the scale taken out where they grow large.
	const large = 0x1p500
	shape, z := e.shape+float64(j), y/(1+y)
	term, sum, logScale := 1.0, 0.0, -shape*math.Log1p(y)
	weight, inner := 1.0, 0.0 // of the next purchase, and of those so far
	phase := j
	for i := 1.0; i < 10*longSum; i++ {
		growth := z * (shape + i - 1) / i
		term *= growth
		if phase++; phase == e.k {
			phase = 0
			inner += weight
			n := math.Floor((i + float64(j)) / float64(e.k))
			weight *= (e.b + n - 1) / (e.a + e.b + n - 1)
		}
		add := term * inner
		sum += add
		if sum > large {
			term, sum, logScale = term/large, sum/large, logScale+500*math.Ln2
		}
		if ratio := growth * (1 + 1/i); inner > 0 && ratio < 1 && add*ratio < 1e-16*(1-ratio)*sum {
			break
		}
	}
	if sum == 0 {
		return 0
	}
	return math.Exp(logScale + math.Log(sum))
}

// sumFrom returns the sum of e^f(n) over the integers n >= first, f being a term of purchases in y.
func (e erlang) sumFrom(first float64, f func(n float64) float64, y float64) float64 {
	sum := tailSum(f, direct, e.phases(y)/float64(e.k)+2*direct)
	for n := float64(direct - 1); n >= first; n-- {
		sum += math.Exp(f(n))
	}
	return sum
}

// PMF returns the probability of n purchases within t. After the last of them the customer has stayed, or left.
func (e erlang) PMF(n int, t float64) float64 {
	y := t / e.rate
	var space [16]float64
	x, k, sum := float64(n), float64(e.k), 0.0
	stay, leave := e.stay(x), math.Inf(-1)
	if n > 0 {
		if t == 0 {
			return 0
		}
		leave = e.stay(x-1) + math.Log(e.a/(e.a+e.b+x-1))
	}
	for i, w := range e.weights(space[:]) {
		if w == 0 {
			continue
		}
		j := float64(i)
		p := stay + e.block(k*x-j, k, j, y)
		if n > 0 {
			p = special.LogAddExp(p, leave+e.phasesAtLeast(k*x-j, j, y))
		}
		sum += w * math.Exp(p)
	}
	return min(1, sum)
}

// survival returns the probability to be alive after t:
//
//	sum over n >= 0 of B(a,b+n)/B(a,b) P(n purchases' phases)
func (e erlang) survival(t float64) float64 {
	y := t / e.rate
	if y == 0 {
		return 1
	}
	var space [16]float64
	weights := e.weights(space[:])
	k := float64(e.k)
	f := func(n float64) float64 {
		sum := 0.0
		for j, w := range weights {
			if w > 0 {
				sum += w * math.Exp(e.block(k*n-float64(j), k, float64(j), y))
			}
		}
		return e.stay(n) + math.Log(sum)
	}
	return e.sumOver(f, y)
}

// sumOver returns the sum of e^f(n) over n >= 0, f being a term of purchases in y.
func (e erlang) sumOver(f func(n float64) float64, y float64) float64 {
	length := e.phases(y)
	if length > longSum {
		return min(1, e.sumFrom(0, f, y))
	}
	sum := 0.0
	for n := 0.0; n <= length/float64(e.k)+2; n++ {
		sum += math.Exp(f(n))
	}
	return min(1, sum)
}

func (e erlang) buysWithin(t float64) float64 {
	if math.IsInf(t, 1) {
		return 1
	}
	var space [16]float64
	sum := 0.0
	for j, w := range e.weights(space[:]) {
		if w > 0 {
			sum += w * math.Exp(e.phasesAtLeast(float64(e.k-j), float64(j), t/e.rate))
		}
	}
	return min(1, sum)
}

func (e erlang) buysAfter(p float64) float64 {
	return logIncreasing(e.buysWithin, p, e.rate*float64(e.k)/e.shape)
}

// interval returns the probability of n purchases in (from, to] for a customer who is alive at 0 with no phase passed:
// a sum over the phases that pass before from, each of which leads to a future that is known.
func (e erlang) interval(n int, from, to float64) float64 {
	if from == 0 {
		return e.PMF(n, to)
	}
	y, k := from/e.rate, float64(e.k)
	gone := 0.0
	if n == 0 {
		gone = 1 - e.survival(from)
	}
	f := func(m float64) float64 {
		sum := 0.0
		for j := range e.k {
			later := erlang{k: e.k, shape: e.shape + k*m, rate: e.rate + from, a: e.a, b: e.b + m, fixed: 1, current: j}
			sum += math.Exp(logNB(k*m+float64(j), e.shape, y)) * later.PMF(n, to-from)
		}
		return e.stay(m) + math.Log(sum)
	}
	return min(1, gone+e.sumOver(f, y))
}

// discounted returns the discounted purchases for ever: given the rate lambda, p and j, with f = lambda/(lambda+delta)
// the discount of one phase,
//
//	f^(k-j) / (1 - (1-p) f^k)
func (e erlang) discounted(delta float64) float64 {
	if delta == 0 {
		if e.a <= 1 {
			return math.Inf(1)
		}
		return (e.a + e.b - 1) / (e.a - 1)
	}
	s, k := delta*e.rate, float64(e.k)
	var space [16]float64
	var gs, ps [512]node
	drops := betaNodes(ps[:], e.a, e.b, 1e-17*min(1, s/(e.shape+60)))
	sum := 0.0
	for i, w := range e.weights(space[:]) {
		if w == 0 {
			continue
		}
		j := float64(i)
		for _, g := range gammaNodes(gs[:], e.shape+j, risingOrder(e.shape+j, k-j, s)) {
			phase := -math.Log1p(s / g.value) // ln f
			ends := -math.Expm1(k * phase)    // 1 - f^k
			inner := 0.0
			for _, p := range drops {
				inner += p.weight / (p.value + (1-p.value)*ends)
			}
			sum += w * g.weight * math.Exp((k-j)*phase) * inner
		}
	}
	return sum
}

// risingOrder returns the slope of ln f^n in ln v, f being v/(v+s), where f^n times a gamma density of v is largest: the
// power is of the order n only for v far below s.
func risingOrder(shape, n, s float64) float64 {
	root := math.Hypot(s-shape, 2*math.Sqrt(s*(shape+n)))
	v := (shape - s + root) / 2
	if s > shape {
		v = 2 * s * (shape + n) / (s - shape + root)
	}
	return n * s / (v + s)
}

// discountedWithin returns the purchases within a positive horizon, discounted at a positive rate, given the plain ones,
// by Gauss's rule over s = ln(1+u/c). Regular purchases make the rate of the expected ones a wave, whose length is a gap:
// after g gaps its harmonics reach to about 1.3 sqrt(k/g), and it is gone when the phases or the rate have blurred it.
func (e erlang) discountedWithin(horizon, delta, purchases float64) float64 {
	end, k := min(horizon, 45/delta), float64(e.k)
	gap := e.rate * k / e.shape
	c := min(e.rate, gap)
	waves := min(1.8*k, 1.4*math.Sqrt(e.shape)+3)
	sum := 0.0
	for s, length := 0.0, math.Log1p(end/c); s < length; {
		u := c * math.Expm1(s)
		h := 2.0
		if g := u / gap; g < waves {
			h = min(1, math.Log1p(1.6*gap*math.Sqrt(max(1, g)/k)/(c+u)))
		}
		h = min(h, math.Log1p(12/(delta*(c+u))))
		if h = min(h, length-s); s+h == s {
			break
		}
		half := h / 2
		for _, g := range gauss16 {
			for _, at := range [2]float64{s + half*(1-g.x), s + half*(1+g.x)} {
				u := c * math.Expm1(at)
				sum += half * g.weight * math.Exp(at-delta*u) * e.expected(u)
			}
		}
		s += h
	}
	return math.Exp(-delta*horizon)*purchases + delta*c*sum
}
