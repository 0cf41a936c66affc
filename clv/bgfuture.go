package clv

import "math"

// bgExpected returns the expected purchases of a beta-geometric/NBD process with gamma shape r and beta (a, b) in a
// time y in units of the gamma rate, for a customer who is alive at its start:
//
//	E[(1 - (1+p y)^-r)/p] = sum over j >= 1 of NBD(j; r, y/(1+y)) sum over i < j of B(a, b+i)/B(a, b)
//
// The series has positive terms only; where it would be long the expectation over p is a quadrature.
func bgExpected(r, a, b, y float64) float64 {
	mean := r * y
	if terms := mean + 9*math.Sqrt(mean*(1+y)) + 38*(1+y); terms > 600 {
		return bgExpectedByNodes(r, a, b, y)
	}
	z := y / (1 + y)
	// The terms relative to that of j = 0, with the power of the scale taken out where they grow large.
	const large = 0x1p500
	term, weight, inner, sum := 1.0, 1.0, 0.0, 0.0
	logScale := -r * math.Log1p(y)
	for j := 1.0; j < 1e5; j++ {
		both := a + b + j - 1
		inverse := 1 / (j * both) // one division for both ratios
		growth := z * (r + j - 1) * both * inverse
		term *= growth
		inner += weight
		add := term * inner
		sum += add
		weight *= (b + j - 1) * j * inverse
		if int(j)&3 != 0 {
			continue // to end a few terms late is cheaper than to look at each
		}
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
