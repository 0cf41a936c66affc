package special

import "math"

// LogHyp2F1 returns ln 2F1(a, b; c; z) for a, b, c > 0 and 0 <= z < 1, where Gauss's function is positive.
//
// Special cases: 0 at z = 0; at z = 1 the finite limit if c > a+b, else +Inf; NaN outside the domain.
func LogHyp2F1(a, b, c, z float64) float64 {
	return LogHyp2F1C(a, b, c, z, 1-z)
}

// LogHyp2F1C is LogHyp2F1 where zc = 1 − z is given as well, so that z may be close to 1: the smaller of z and zc is
// taken as exact.
//
// Small z takes Gauss's series. c = a+1, c = b+1 and a or b = 1 are incomplete beta integrals (see LogBetaInt), fast and of
// any size. Other arguments near z = 1 continue the series by Taylor steps that halve the distance from 1. Relative error
// seen: 4e-14 for c = a+1 with a and b from 1e-3 to 1e5, and 5e-14 for general parameters from 0.1 to 100 and for a = 1 with
// b and c to 1000, z and zc from 1e-10, 1e-15 for a = 1 where c is above 1000 and 2 b z; other values below 0.01 are exact
// to about 2e-15 absolute.
//
// Special cases: those of LogHyp2F1, and NaN where z + zc is not 1, for parameters above 1e10, and where two million terms
// are not enough.
func LogHyp2F1C(a, b, c, z, zc float64) float64 {
	if a > b {
		a, b = b, a
	}
	switch {
	case !(a >= 0 && b >= 0 && c > 0 && pair(z, zc)) || b > largest || c > largest:
		return math.NaN()
	case z == 0 || a == 0:
		return 0
	case zc == 0 && c > a+b:
		return LogGammaRatio(c-a, a) - LogGammaRatio(c-a-b, a)
	case zc == 0:
		return math.Inf(1)
	case b == c:
		return -a * logOf(zc, z)
	case a == c:
		return -b * logOf(zc, z)
	case (z <= 0.5 && b*z < 50) || math.Max(a, 1)*(b+60)*z <= 0.5*(c+60):
		// In the second case 60 terms fall by half at least: a value near 0 keeps its digits.
		return math.Log1p(gaussSeries(a, b, c, z))
	case c == b+1:
		return (1-a)*logOf(zc, z) + logTail(b, 1-a, z, zc)
	case c == a+1:
		return (1-b)*logOf(zc, z) + logTail(a, 1-b, z, zc)
	case a == 1 && b < c && c > 1:
		return logTailSmallB(c-1, b-c+1, c-b, z, zc)
	case b == 1 && a < c && c > 1:
		return logTailSmallB(c-1, a-c+1, c-a, z, zc)
	case zc >= 0.25 || c-a-b > 10:
		s := gaussSums(a, b, c, z)
		return s.log()
	}
	return logHypNearOne(a, b, c, zc)
}

// logOf is ln x of one of two numbers with x + y = 1.
func logOf(x, y float64) float64 {
	if x <= y {
		return math.Log(x)
	}
	return math.Log1p(-y)
}

// gaussSeries is 2F1 − 1 by Gauss's series, where it does not overflow.
func gaussSeries(a, b, c, z float64) float64 {
	term, sum := 1.0, 0.0
	for n := 0.0; n < maxTerms; n++ {
		r := (a + n) * (b + n) * z / ((c + n) * (n + 1))
		term *= r
		sum += term
		if r < 1 && term <= 1e-17*sum {
			return sum
		}
	}
	return math.NaN()
}

const (
	largest  = 1e10  // parameter of the incomplete beta and gamma functions and of 2F1
	maxTerms = 2e6   // of any series or fraction, after which the value is NaN; none of the tested ones comes near
	rescale  = 1e200 // sums above are divided by it
)

var logRescale = math.Log(rescale)

// scaled is a function value base + excess and its derivative, all to be multiplied by e^scale. The base is the function
// at 0, kept apart so that values near 1 keep their digits.
type scaled struct {
	base, excess, slope, scale float64
}

// shrink divides everything by rescale and returns what a term has to be multiplied by.
func (s *scaled) shrink() float64 {
	s.base /= rescale
	s.excess /= rescale
	s.slope /= rescale
	s.scale += logRescale
	return 1 / rescale
}

func (s *scaled) log() float64 {
	if s.scale == 0 {
		return math.Log1p(s.excess)
	}
	return math.Log(s.base+s.excess) + s.scale
}

// gaussSums is 2F1 with its derivative by Gauss's series.
func gaussSums(a, b, c, z float64) scaled {
	s := scaled{base: 1}
	term := 1.0
	for n := 0.0; n < maxTerms; n++ {
		r := (a + n) * (b + n) * z / ((c + n) * (n + 1))
		term *= r
		s.excess += term
		s.slope += (n + 1) * term
		if r < 1 && (n+1)*term <= 1e-17*s.slope*(1-r) {
			s.slope /= z
			return s
		}
		if s.slope > rescale {
			term *= s.shrink()
		}
	}
	return scaled{excess: math.NaN()}
}

// logHypNearOne is ln 2F1 for z > 3/4 with zc = 1 − z, by Taylor series that continue Gauss's towards 1, each halving
// the distance from it. The coefficients follow from the hypergeometric equation; their terms are positive where
// c <= (a+b+1) z, and next to it the few negative ones are small.
func logHypNearOne(a, b, c, zc float64) float64 {
	s := a + b + 1
	y := 0.5 // the distance from 1
	switch {
	case c > 0.9*s+1:
		y = math.Max(1-c/s, 0.01)
	case c > 0.5*s:
		y = 1 - c/s
	}
	y = math.Max(y, 0.01)
	y = math.Max(y, zc)
	f := gaussSums(a, b, c, 1-y)
	terms := 0
	for y > zc {
		next := math.Max(y/2, zc)
		h := y - next
		r := h / y
		z := 1 - y
		g0, g1 := f.base+f.excess, f.slope*h
		f.slope = g1
		sum := g1
		for n := 0.0; ; n++ {
			g := ((n+a)*(n+b)*g0*h + (n+1)*(n*(1-2*y)+((s-c)-s*y))*g1) * r / (z * (n + 1) * (n + 2))
			g0, g1 = g1, g
			sum += g
			f.slope += (n + 2) * g
			if math.Abs((n+2)*g) <= 1e-18*f.slope && math.Abs(g) < math.Abs(g0) {
				break
			}
			if terms++; terms > maxTerms {
				return math.NaN()
			}
			if f.slope > rescale {
				k := f.shrink()
				g0, g1, sum = g0*k, g1*k, sum*k
			}
		}
		f.excess += sum
		f.slope /= h
		y = next
		if f.slope > rescale {
			f.shrink()
		}
	}
	return f.log()
}

// LogHyp2F1Neg returns ln 2F1(a, b; c; −z) for a, b, c > 0 and z >= 0, where c is at least a or b.
// Relative error seen: 3e-14 for a = 1 with z from 1e-6 to 1e6, b from 0.01 to 10 and c from b to b+300, and for a, b from 0.1
// to 50 with z from 1e-5 to 1000.
//
// Special cases: 0 at z = 0, NaN outside the domain.
func LogHyp2F1Neg(a, b, c, z float64) float64 {
	if !(a > 0 && b > 0 && (c >= a || c >= b) && z >= 0) || math.IsInf(z, 1) || math.Max(a, math.Max(b, c)) > largest {
		return math.NaN()
	}
	if z == 0 {
		return 0
	}
	if c < b || b == 1 {
		a, b = b, a
	}
	l := math.Log1p(z)
	switch {
	case a == 1 && c >= b && (z < 30 || (b+60)*z <= 0.5*(c+60)):
		return -math.Log1p(gaussFraction(b, c, z))
	case a == 1 && c >= b && c > 1:
		return logTailSmallB(c-1, 1-b, b, z/(1+z), 1/(1+z)) - l
	case c < b:
		a, b = b, a
	}
	// Pfaff: (1+z)^−a 2F1(a, c−b; c; z/(1+z))
	return -a*l + LogHyp2F1C(a, c-b, c, z/(1+z), 1/(1+z))
}
