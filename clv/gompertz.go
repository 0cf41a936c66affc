package clv

import "math"

// A gompertz is the lifetime of the gamma-Gompertz model: P(alive at u) = (beta/(beta-1+e^(bu)))^s.
type gompertz struct{ b, s, beta float64 }

// fall returns -ln P(alive at u)/s = ln(1+(e^(bu)-1)/beta).
func (g gompertz) fall(u float64) float64 {
	w := g.b * u
	if w < 300 {
		return math.Log1p(math.Expm1(w) / g.beta)
	}
	return w - math.Log(g.beta) + math.Log1p((g.beta-1)*math.Exp(-w))
}

// after returns the lifetime that is left to those who are alive at u. Its beta, 1+(beta-1)e^(-bu), is also b s over
// the hazard at u.
func (g gompertz) after(u float64) gompertz {
	w := g.b * u
	return gompertz{g.b, g.s, g.beta*math.Exp(-w) - math.Expm1(-w)}
}

// A passage is the integral over the time u of
//
//	e^(-delta u) (1+u/a)^-n P(alive at u)
//
// and, where leaves is set, times the hazard at u, that is over the time at which the customer leaves. Without n the
// second factor is 1.
//
// The integrand is analytic but for -a and the zeros of beta-1+e^(bu), which lie at ln(1-beta)/b for beta < 1 and pi/b
// beside the positive axis at ln(beta-1)/b for beta > 1. Gauss's rule of 16 points has 13 digits on panels no longer
// than their distance from these, over which the logarithm of no factor changes by more than 13.
type passage struct {
	gompertz
	n, a, delta float64
	leaves      bool
}

const mostPassagePanels = 5000

// reach returns the longest panel that begins at u, and the factor by which the integrand may change per unit of it: the
// larger of the slopes at its ends.
func (p *passage) reach(u float64) (longest, slope float64) {
	h := math.Inf(1)
	if p.n > 0 {
		h = p.a + u
	}
	switch {
	case p.beta < 1:
		h = min(h, u-math.Log1p(-p.beta)/p.b)
	case p.beta > 1:
		before, beside := math.Log(p.beta-1)/p.b-u, math.Pi/p.b
		if before > 0 {
			h = min(h, max(beside, before/2))
		} else {
			h = min(h, math.Hypot(before, beside))
		}
	}
	const fall = 13
	slope = p.slope(u)
	h = min(h, fall/slope)
	slope = max(slope, p.slope(u+h))
	return min(h, fall/slope), slope
}

// slope returns the sum of the absolute slopes of the logarithms of the factors at u.
func (p *passage) slope(u float64) float64 {
	beta := p.after(u).beta
	slope := p.delta + p.s*p.b/beta
	if p.n > 0 {
		slope += p.n / (p.a + u)
	}
	if p.leaves {
		slope += p.b * math.Abs(1-1/beta)
	}
	return slope
}

// rest returns a bound of the integral from u to t.
func (p *passage) rest(u, t float64) float64 {
	l := -p.delta*u - p.s*p.fall(u)
	if p.n > 0 {
		l -= p.n * math.Log1p(u/p.a)
	}
	if p.leaves {
		return math.Exp(l)
	}
	// The hazard grows or falls towards b s.
	longest := min(t-u, max(1, p.after(u).beta)/(p.b*p.s), 1/p.delta)
	if p.n > 1 {
		longest = min(longest, (p.a+u)/(p.n-1))
	}
	return math.Exp(l) * longest
}

// integral returns the integral from 0 to t; t may be +Inf.
func (p *passage) integral(t float64) float64 {
	sum := 0.0
	for w := (passageWalk{passage: p, end: t}); w.next(sum); {
		part := 0.0
		for i := range w.rule {
			g := &w.rule[i]
			for _, u := range [2]float64{w.middle - w.half*g.x, w.middle + w.half*g.x} {
				part += g.weight * p.at(u)
			}
		}
		sum += w.half * part
	}
	if p.leaves {
		sum *= p.b * p.s
	}
	return sum
}

// at returns the integrand, without the factor b s of the hazard.
func (p *passage) at(u float64) float64 {
	var l, scale float64
	if w := p.b * u; w < 300 {
		e := math.Expm1(w)
		l = -p.s * math.Log1p(e/p.beta)
		scale = (1 + e) / (p.beta + e)
	} else {
		l, scale = -p.s*p.fall(u), 1/p.after(u).beta
	}
	if !p.leaves {
		scale = 1
	}
	l -= p.delta * u
	if p.n > 0 {
		l -= p.n * math.Log1p(u/p.a)
	}
	return scale * math.Exp(l)
}

// A passageWalk goes through the panels of a passage.
type passageWalk struct {
	*passage
	end          float64
	at           float64
	panels       int
	middle, half float64
	rule         []gaussPoint
}

// next moves to the next panel. It reports false at the end, and where the rest would not change the sum so far.
func (w *passageWalk) next(sum float64) bool {
	if !(w.at < w.end) || w.panels == mostPassagePanels {
		return false
	}
	if w.panels > 0 {
		scale := 1.0
		if w.leaves {
			scale = 1 / (w.b * w.s) // sums are without the factor
		}
		if w.rest(w.at, w.end)*scale <= 1e-17*sum {
			return false
		}
	}
	reach, slope := w.reach(w.at)
	h := min(w.end-w.at, reach)
	// On a panel as long as allowed the singularities leave 12 points 14 digits, and ten on one of seven tenths; what
	// the logarithm changes asks for the rest.
	switch fall := h * slope; {
	case h <= 0.15*reach && fall <= 0.8:
		w.rule = gauss6[:]
	case h <= 0.4*reach && fall <= 2:
		w.rule = gauss8[:]
	case h <= 0.7*reach && fall <= 3.5:
		w.rule = gauss10[:]
	case fall <= 6:
		w.rule = gauss12[:]
	default:
		w.rule = gauss16[:]
	}
	w.half = h / 2
	w.middle = w.at + w.half
	if w.at+h == w.at {
		return false
	}
	w.at += h
	w.panels++
	return true
}
