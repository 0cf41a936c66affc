package clv

import "math"

func bgExpectedByNodes(r, a, b, y float64) float64 {
	sum := 0.0
	for _, n := range betaNodes(nil, a, b, 1e-17/(y*(1+r))) {
		sum += n.weight * -math.Expm1(-r*math.Log1p(n.value*y)) / n.value
	}
	return sum
}

// bgDiscounted returns E[lambda/(delta + lambda p)] for lambda gamma (r, alpha) and p beta (a, b): the discounted
// purchases, for ever, of a customer who is alive. It is E[1/p] = (a+b-1)/(a-1) at delta 0.
func bgDiscounted(r, alpha, a, b, delta float64) float64 {
	if delta == 0 {
		if a <= 1 {
			return math.Inf(1)
		}
		return (a + b - 1) / (a - 1)
	}
	s := delta * alpha
	var gs, ps [512]node
	rates := gammaNodes(gs[:], r, 1)
	drops := betaNodes(ps[:], a, b, 1e-17*s/(r+60))
	sum := 0.0
	for _, g := range rates {
		inner := 0.0
		for _, p := range drops {
			inner += p.weight / (s + g.value*p.value)
		}
		sum += g.weight * g.value * inner
	}
	return sum
}
