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

func (m BGNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	if purchases, discounted, ok := m.after(h).aliveWithin(horizon, delta); ok && !math.IsNaN(alive) {
		return alive * purchases, alive * discounted
	}
	purchases = m.ExpectedPurchases(h, horizon)
	return purchases, discountedPurchases(m, h, horizon, delta, purchases)
}

// fewTerms reports whether the series within the horizon is short and one panel of Gauss's rule does for the integral
// over it. Both arguments must be positive.
func (m BGNBD) fewTerms(horizon, delta float64) bool {
	y := horizon / m.Alpha
	return bgTerms(m.R, y) <= 300 && m.R <= bgMostShape && y <= 50 && (y <= 6 || delta*horizon <= 2) && delta*horizon <= 20 &&
		allPositive(horizon, delta)
}

// bgFewBlocks is the most blocks of eight terms where fewTerms holds.
const bgFewBlocks = 38

// aliveWithin is withinHorizon of a customer who is alive at the start. It is not ok where fewTerms does not hold.
func (m BGNBD) aliveWithin(horizon, delta float64) (purchases, discounted float64, ok bool) {
	if !m.fewTerms(horizon, delta) {
		return 0, 0, false
	}
	var coef [bgFewBlocks][8]float64
	y := horizon / m.Alpha
	s, end, n := newBGSeries(m.R, m.A, m.B), newBGSum(y/(1+y)), 0
	for done := false; !done && n < len(coef); n++ {
		s.next(&coef[n])
		_, done = end.add(coef[n : n+1])
	}
	purchases, discounted = m.discount(horizon, delta, end.sum, coef[:n])
	return purchases, discounted, true
}

// discount sums the series of bgExpected at the points of Gauss's rule over s = ln(1+u/alpha), given its sum at the end
// and as many coefficients as that took: those before it take no more.
func (m BGNBD) discount(horizon, delta, atEnd float64, coef [][8]float64) (purchases, discounted float64) {
	length := math.Log1p(horizon / m.Alpha)
	rule := gauss16[:]
	if length < 1 && delta*horizon < 2 {
		rule = gauss8[:]
	}
	integral := 0.0
	for _, g := range rule {
		for _, x := range [2]float64{-g.x, g.x} {
			s := length / 2 * (1 + x)
			p := newBGSum(-math.Expm1(-s))
			p.add(coef)
			integral += g.weight * math.Exp(s*(1-m.R)-delta*m.Alpha*(p.z/(1-p.z))) * p.sum
		}
	}
	purchases = atEnd * math.Exp(-m.R*length)
	return purchases, math.Exp(-delta*horizon)*purchases + delta*m.Alpha*length/2*integral
}
