package clv

import "math"

// A bgSeries is the power series of the expected purchases E of a beta-geometric/NBD customer who is alive, with gamma
// shape r and beta (a, b), in a time y in units of the gamma rate:
//
//	(1+y)^r E = sum over j >= 1 of C_j z^j,    C_j = (r)_j/j! sum over i < j of B(a, b+i)/B(a, b),    z = y/(1+y)
//
// All terms are positive. The coefficients depend on r, a and b alone, which customers with the same X share.
type bgSeries struct {
	r, a, b      float64
	n            float64 // coefficients so far
	rising, stay float64 // (r)_n/n! and B(a, b+n)/B(a, b)
	sum          float64 // of the latter below n
}

// The series is used for shapes up to bgMostShape, whose coefficients cannot overflow, where bgTerms is at most
// bgMostTerms. No sum goes on beyond bgMostBlocks blocks of eight terms.
const (
	bgMostShape  = 100
	bgMostTerms  = 600
	bgMostBlocks = 100
)

func newBGSeries(r, a, b float64) bgSeries { return bgSeries{r: r, a: a, b: b, rising: 1, stay: 1} }

// bgTerms is a bound on the terms that a sum at y takes.
func bgTerms(r, y float64) float64 {
	mean := r * y
	return mean + 9*math.Sqrt(mean*(1+y)) + 38*(1+y)
}

// next computes the next eight coefficients.
func (s *bgSeries) next(c *[8]float64) {
	r, b, both := s.r, s.b, s.a+s.b
	n, rising, stay, sum := s.n, s.rising, s.stay, s.sum
	for i := range c {
		at := both + n
		inverse := 1 / ((n + 1) * at) // one division for both ratios
		sum += stay
		rising *= (r + n) * (at * inverse)
		stay *= (b + n) * ((n + 1) * inverse)
		c[i] = rising * sum
		n++
	}
	s.n, s.rising, s.stay, s.sum = n, rising, stay, sum
}

// A bgSum is the sum of a series at z, eight terms at a time.
type bgSum struct {
	z, power, sum float64 // power is that of z at the next term
}

func newBGSum(z float64) bgSum { return bgSum{z: z, power: z} }

// add adds the terms of the blocks until those after them are below the last digit, and returns how many blocks that
// took. Terms rise to a peak and then fall faster and faster, or by a ratio below z, so that a term that is small
// enough tells of all that follow.
func (p *bgSum) add(coef [][8]float64) (blocks int, done bool) {
	z := p.z
	z2 := z * z
	z4 := z2 * z2
	z6, z8 := z2*z4, z4*z4
	sum, power, tiny := p.sum, p.power, 1e-17*(1-z)
	for i := range coef {
		c := &coef[i]
		last := c[7] * z
		low := c[0] + c[1]*z + (c[2]+c[3]*z)*z2
		high := c[4] + c[5]*z + (c[6]+last)*z2
		sum += power * (low + high*z4)
		if last*z6*power <= tiny*sum {
			p.sum = sum
			return i + 1, true
		}
		power *= z8
	}
	p.sum, p.power = sum, power
	return len(coef), false
}

// bgExpected returns the expected purchases of a beta-geometric/NBD process with gamma shape r and beta (a, b) in a
// time y in units of the gamma rate, for a customer who is alive at its start:
//
//	E[(1 - (1+p y)^-r)/p] = sum over j >= 1 of NBD(j; r, y/(1+y)) sum over i < j of B(a, b+i)/B(a, b)
//
// The series has positive terms only; where it would be long the expectation over p is a quadrature.
func bgExpected(r, a, b, y float64) float64 {
	switch {
	case !(bgTerms(r, y) <= bgMostTerms):
		return bgExpectedByNodes(r, a, b, y)
	case r > bgMostShape:
		return bgExpectedLarge(r, a, b, y)
	}
	var coef [4][8]float64
	s, p := newBGSeries(r, a, b), newBGSum(y/(1+y))
	for range bgMostBlocks / len(coef) {
		for i := range coef {
			s.next(&coef[i])
		}
		if _, done := p.add(coef[:]); done {
			break
		}
	}
	return p.sum * math.Exp(-r*math.Log1p(y))
}

// bgExpectedLarge is bgExpected for large shapes, term by term.
func bgExpectedLarge(r, a, b, y float64) float64 {
	z := y / (1 + y)
	// The terms relative to that of j = 0, with the power of the scale taken out where they grow large.
	const large = 0x1p500
	term, weight, inner, sum := 1.0, 1.0, 0.0, 0.0
	logScale := -r * math.Log1p(y)
	for j := 1.0; j < 1e5; j++ {
		growth := z * (r + j - 1) / j
		term *= growth
		inner += weight
		add := term * inner
		sum += add
		weight *= (b + j - 1) / (a + b + j - 1)
		if sum > large {
			term, sum, logScale = term/large, sum/large, logScale+500*math.Ln2
		}
		// The rest is below a geometric series once the ratio of terms is below 1.
		if ratio := growth * (1 + 1/j); ratio < 1 && add*ratio < 1e-16*(1-ratio)*sum {
			break
		}
	}
	if sum == 0 {
		return 0
	}
	return math.Exp(logScale + math.Log(sum))
}
