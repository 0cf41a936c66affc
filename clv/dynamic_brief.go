package clv

import "math"

// A brief piece of a path is one in which little happens: where the rates of a customer fall by a few percent, such as a
// week, the integral of a departure and its moments need four points or three, and a short series for the logarithms.

// brief reports whether a piece of length t is brief for the arguments of newDeparture, and by which rule. Within these
// bounds the error is below 1e-13.
func brief(n, s, a, b, t float64) ([]briefPoint, bool) {
	p, q := t/a, t/b
	fall := n*p + (s+1)*q
	switch {
	case p <= 0.015 && q <= 0.015 && fall <= 0.06:
		return brief3[:], true
	case p <= 0.045 && q <= 0.045 && fall <= 0.2:
		return brief4[:], true
	}
	return nil, false
}

// A briefPoint is a point of a rule on [0, 1].
type briefPoint struct{ x, weight float64 }

// Gauss's rules of three and four points.
var (
	brief3 = [...]briefPoint{
		{0.112701665379258312, 0.277777777777777778},
		{0.5, 0.444444444444444444},
		{0.887298334620741689, 0.277777777777777778},
	}
	brief4 = [...]briefPoint{
		{0.0694318442029737124, 0.173927422568726929},
		{0.330009478207571868, 0.326072577431273071},
		{0.669990521792428132, 0.326072577431273071},
		{0.930568155797026288, 0.173927422568726929},
	}
)

// log1pBrief returns ln(1+p) for 0 <= p <= 0.045 by the series of 2 artanh(p/(2+p)), with a relative error of 1e-16.
func log1pBrief(p float64) float64 {
	z := p / (2 + p)
	w := z * z
	return 2 * z * (1 + w*(1./3+w*(1./5+w*(1./7+w*(1./9+w*(1./11+w*(1./13)))))))
}

// brief fills the moments, and total with the integral itself.
func (m *moments) brief(rule []briefPoint, n, s, a, b, t float64) {
	*m = moments{}
	p, q := t/a, t/b
	for i := range rule {
		g := &rule[i]
		pu, qu := p*g.x, q*g.x
		la, lb := log1pBrief(pu), log1pBrief(qu)
		ia, ib := 1/(1+pu), 1/(1+qu)
		f := g.weight * math.Exp(-n*la-(s+1)*lb)
		fa, ga, fb, gb := f*la, f*ia, f*lb, f*ib
		m.total += f
		m.first[0] += fa
		m.first[1] += ga
		m.first[2] += fb
		m.first[3] += gb
		m.second[0][0] += fa * la
		m.second[0][1] += fa * ia
		m.second[0][2] += fa * lb
		m.second[0][3] += fa * ib
		m.second[1][1] += ga * ia
		m.second[1][2] += ga * lb
		m.second[1][3] += ga * ib
		m.second[2][2] += fb * lb
		m.second[2][3] += fb * ib
		m.second[3][3] += gb * ib
	}
	scale := 1 / m.total
	for i := range m.first {
		m.first[i] *= scale
		for j := i; j < 4; j++ {
			m.second[i][j] *= scale
		}
	}
	m.total *= q
}
