package clv

import "math"

// DiscountedPurchases returns the expected purchases of a customer in (T, T+horizon], a purchase at T+u counting
// e^(-delta u) at the continuous rate delta a unit:
//
//	integral of e^(-delta u) dE(u) from 0 to H = e^(-delta H) E(H) + delta integral of e^(-delta u) E(u) du
//
// where E(u) is ExpectedPurchases. Both terms are positive. The integral is taken by Gauss's rule over the logarithm of
// time, with a relative error below 1e-10.
//
// Special cases: ExpectedPurchases at delta = 0; 0 at horizon 0; NaN for a horizon or delta that is negative or not
// finite, and where the model gives NaN. For ever is DERT.
func DiscountedPurchases(m Model, h History, horizon, delta float64) float64 {
	if !(horizon >= 0 && delta >= 0) || math.IsInf(horizon, 1) || math.IsInf(delta, 1) {
		return math.NaN()
	}
	if own, ok := m.(horizonModel); ok && delta > 0 && horizon > 0 {
		_, d := own.withinHorizon(h, horizon, delta)
		return d
	}
	return discountedPurchases(m, h, horizon, delta, m.ExpectedPurchases(h, horizon))
}

// A horizonModel has a faster way to the purchases within a positive horizon at a positive rate, plain and discounted.
type horizonModel interface {
	withinHorizon(h History, horizon, delta float64) (purchases, discounted float64)
}

// discountedPurchases is DiscountedPurchases by quadrature, given E(horizon).
//
// With u = c (e^s - 1) the integrand is analytic around the real axis up to the imaginary parts +-pi, if the
// singularities of E, which lie where time runs backwards to before the first purchase, are at -c or beyond: so a c up
// to T is right for every model. Panels of four (two, where the discount cuts E off, and no longer than 12/delta) need
// 16 points for ten digits.
func discountedPurchases(m Model, h History, horizon, delta, purchases float64) float64 {
	if delta == 0 || horizon == 0 || math.IsNaN(purchases) {
		return purchases
	}
	end := min(horizon, 45/delta) // beyond, the integrand is below the last digit
	c := max(h.T, 1e-4*end)
	length := math.Log1p(end / c)
	panel := 4.0
	if delta*end > 2 {
		panel = 2
	}
	n := math.Ceil(max(length/panel, delta*end/12))
	half := length / n / 2
	sum := 0.0
	for i := 0.0; i < n; i++ {
		middle := (2*i + 1) * half
		for _, g := range gauss16 {
			for _, s := range [2]float64{middle - half*g.x, middle + half*g.x} {
				u := c * math.Expm1(s)
				sum += g.weight * math.Exp(s-delta*u) * m.ExpectedPurchases(h, u)
			}
		}
	}
	return math.Exp(-delta*horizon)*purchases + delta*c*half*sum
}

// A gaussPoint is a point of a rule on [-1, 1] that stands for itself and its mirror image.
type gaussPoint struct{ x, weight float64 }

// Gauss's rules of 16 and 8 points, the roots of Legendre's polynomials (computed with 40 digits).
var gauss16 = [...]gaussPoint{
	{0.0950125098376374402, 0.189450610455068496},
	{0.281603550779258913, 0.182603415044923589},
	{0.458016777657227386, 0.169156519395002538},
	{0.617876244402643748, 0.149595988816576732},
	{0.755404408355003034, 0.124628971255533872},
	{0.865631202387831744, 0.0951585116824927848},
	{0.944575023073232576, 0.0622535239386478929},
	{0.989400934991649933, 0.0271524594117540949},
}

var gauss8 = [...]gaussPoint{
	{0.183434642495649805, 0.362683783378361983},
	{0.525532409916328986, 0.313706645877887287},
	{0.79666647741362674, 0.222381034453374471},
	{0.960289856497536232, 0.101228536290376259},
}

// withinHorizon sums the series of bgExpected for E at the end and at the points of Gauss's rule at once: they share all
// but the powers of z = y/(1+y). Where the series is long or the horizon so far that one panel does not do, it is left
// to the general way.
func (m BGNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	f := m.after(h)
	y := horizon / f.Alpha
	mean := f.R * y
	length := math.Log1p(y)
	series := mean+9*math.Sqrt(mean*(1+y))+38*(1+y) <= 300
	if !series || length > 4 || (length > 2 && delta*horizon > 2) || delta*horizon > 20 {
		purchases = m.ExpectedPurchases(h, horizon)
		return purchases, discountedPurchases(m, h, horizon, delta, purchases)
	}
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || !allPositive(horizon, delta) {
		return math.NaN(), math.NaN()
	}
	rule := gauss16[:]
	if length < 1 && delta*horizon < 2 {
		rule = gauss8[:]
	}
	// Element 0 is the end of the horizon, the others are the points.
	var z, weight, sum, term [1 + 2*len(gauss16)]float64
	z[0], term[0], weight[0] = y/(1+y), 1, math.Exp(-f.R*length)
	n := 1
	for _, g := range rule {
		for _, x := range [2]float64{-g.x, g.x} {
			s := length / 2 * (1 + x)
			z[n], term[n] = -math.Expm1(-s), 1
			weight[n] = g.weight * math.Exp(s*(1-f.R)-delta*f.Alpha*(z[n]/(1-z[n])))
			n++
		}
	}
	zs, terms, sums := z[:n], term[:n], sum[:n]
	w, inner := 1.0, 0.0
	for j := 1.0; j < 1e5; j++ {
		ratio := (f.R + j - 1) / j
		inner += w
		w *= (f.B + j - 1) / (f.A + f.B + j - 1)
		for k := range zs {
			terms[k] *= zs[k] * ratio
			sums[k] += terms[k] * inner
		}
		if q := z[0] * ratio * (1 + 1/j); q < 1 && terms[0]*inner*q < 1e-16*(1-q)*sums[0] {
			break
		}
	}
	integral := 0.0
	for k := 1; k < n; k++ {
		integral += weight[k] * sums[k]
	}
	purchases = alive * weight[0] * sums[0]
	return purchases, math.Exp(-delta*horizon)*purchases + alive*delta*f.Alpha*length/2*integral
}
