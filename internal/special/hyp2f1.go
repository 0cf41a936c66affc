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
func LogHyp2F1C(a, b, c, z, zc float64) float64 {
	if a > b {
		a, b = b, a
	}
	switch {
	case !(a >= 0 && b >= 0 && c > 0 && z >= 0 && zc >= 0 && z <= 1 && zc <= 1) || math.IsInf(b, 1) || math.IsInf(c, 1):
		return math.NaN()
	case z == 0 || a == 0:
		return 0
	case zc == 0 && c > a+b:
		return LogGammaRatio(c-a-b, a) - LogGammaRatio(c-a, a)
	case zc == 0:
		return math.Inf(1)
	case b == c:
		return -a * logOf(zc, z)
	case a == c:
		return -b * logOf(zc, z)
	case z <= 0.5 && b*z < 50:
		return math.Log1p(gaussSeries(a, b, c, z))
	case c == b+1:
		return (1-a)*logOf(zc, z) + logTailAny(b, 1-a, z, zc)
	case c == a+1:
		return (1-b)*logOf(zc, z) + logTailAny(a, 1-b, z, zc)
	}
	return logHypGeneral(a, b, c, z, zc)
}

// logOf is ln x of one of two numbers with x + y = 1.
func logOf(x, y float64) float64 {
	if x <= y {
		return math.Log(x)
	}
	return math.Log1p(-y)
}

// logTailAny is logTail, b <= 1.
func logTailAny(a, b, z, zc float64) float64 {
	return logTail(a, b, z, zc)
}

// gaussSeries is 2F1 − 1 by Gauss's series.
func gaussSeries(a, b, c, z float64) float64 {
	term, sum := 1.0, 0.0
	for n := 0.0; n < 1e6; n++ {
		term *= (a + n) / (c + n) * (b + n) / (n + 1) * z
		sum += term
		if term <= 1e-17*sum && (a+n)*(b+n)*z < (c+n)*(n+1) {
			break
		}
	}
	return sum
}

func logHypGeneral(a, b, c, z, zc float64) float64 {
	lz, lc := logs(z, zc)
	_ = lz
	v, _, ok := LogIntegrate(func(t float64) float64 {
		return (b-1)*math.Log(t) + (c-b-1)*math.Log1p(-t) - a*math.Log1p(-z*t)
	}, 0, 1, 1e-13)
	_ = lc
	if !ok || c <= b {
		return math.NaN()
	}
	return v - LogBeta(b, c-b)
}

// LogHyp2F1Neg returns ln 2F1(a, b; c; −z) for a, b, c > 0 and z >= 0, where c is at least a or b.
//
// Special cases: 0 at z = 0, NaN outside the domain.
func LogHyp2F1Neg(a, b, c, z float64) float64 {
	if !(a > 0 && b > 0 && (c >= a || c >= b) && z >= 0) || math.IsInf(z, 1) {
		return math.NaN()
	}
	if c < b {
		a, b = b, a
	}
	// Pfaff: (1+z)^−a 2F1(a, c−b; c; z/(1+z))
	return -a*math.Log1p(z) + LogHyp2F1C(a, c-b, c, z/(1+z), 1/(1+z))
}
