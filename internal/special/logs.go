package special

import "math"

// LogAddExp returns ln(e^a + e^b) without overflow.
//
// Special cases: LogAddExp(-Inf, b) = b; LogAddExp(+Inf, b) = +Inf; NaN if either is NaN.
func LogAddExp(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	switch {
	case math.IsNaN(a) || math.IsNaN(b):
		return math.NaN()
	case math.IsInf(a, 0) || math.IsInf(b, -1):
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// LogSubExp returns ln(e^a − e^b) for a >= b.
//
// Special cases: -Inf for a == b, NaN for a < b.
func LogSubExp(a, b float64) float64 {
	switch {
	case math.IsNaN(a) || math.IsNaN(b) || a < b:
		return math.NaN()
	case a == b:
		return math.Inf(-1)
	case math.IsInf(b, -1) || math.IsInf(a, 1):
		return a
	}
	return a + Log1mExp(b-a)
}

// LogSumExp returns ln Σ e^x over xs, summed in the order given. The sum of nothing is -Inf.
func LogSumExp(xs []float64) float64 {
	top := math.Inf(-1)
	for _, x := range xs {
		if x > top || math.IsNaN(x) {
			top = x
		}
		if math.IsNaN(top) {
			return top
		}
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, x := range xs {
		sum += math.Exp(x - top)
	}
	return top + math.Log(sum)
}

// Log1mExp returns ln(1 − e^x) for x < 0, accurate at both ends.
//
// Special cases: Log1mExp(0) = -Inf, Log1mExp(-Inf) = 0 and NaN for x > 0.
func Log1mExp(x float64) float64 {
	if x > -math.Ln2 {
		return math.Log(-math.Expm1(x)) // NaN for x > 0
	}
	return math.Log1p(-math.Exp(x))
}

// Expm1Ratio returns (e^x − 1)/x with its limit 1 at x = 0, so that for example
//
//	(1 − q^(s−1))/(s−1) = −ln q · Expm1Ratio((s−1)·ln q)
//
// holds through s = 1.
//
// Special cases: Expm1Ratio(-Inf) = 0, Expm1Ratio(+Inf) = +Inf.
func Expm1Ratio(x float64) float64 {
	switch {
	case x == 0:
		return 1
	case math.IsInf(x, 1):
		return x
	}
	return math.Expm1(x) / x
}

// LogExpm1Ratio returns ln((e^x − 1)/x), which does not overflow.
func LogExpm1Ratio(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case math.Abs(x) < 0.5: // x/2 + ln(sinh(x/2)/(x/2)); the even part by its series
		h := x * x / 4
		return x/2 + math.Log1p(h/6*(1+h/20*(1+h/42*(1+h/72*(1+h/110)))))
	case x > 0:
		return x + Log1mExp(-x) - math.Log(x)
	}
	return Log1mExp(x) - math.Log(-x)
}

// log1pmx returns ln(1+x) − x for x > −1 without cancellation.
func log1pmx(x float64) float64 {
	if x < -0.35 || x > 0.5 {
		return math.Log1p(x) - x
	}
	// ln(1+x) = 2 atanh s with s = x/(2+x), and 2s − x = −x s.
	s := x / (2 + x)
	q := s * s
	sum := 1.0 / 3
	p := q
	for k := 5.0; ; k += 2 {
		t := p / k
		sum += t
		if t < 1e-17 {
			break
		}
		p *= q
	}
	return s * (2*q*sum - x)
}
