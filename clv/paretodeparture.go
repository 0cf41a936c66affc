package clv

import (
	"math"

	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// A departure is the integral that the Pareto/NBD model takes over the time since the last purchase at which a customer
// may have left,
//
//	integral from 0 to t of (1+u/a)^-n (1+u/b)^-(s+1) du/b
//
// On the scale of v = ln(1+u/b) for b <= a, else v = ln(1+u/a), it is that of
//
//	scale exp(-(linear v + bent ln(1+k(e^v-1)))),    0 < k <= 1,
//
// whose exponent is convex and analytic in the strip |Im v| < pi, for any n and s. Gauss's rules of few points therefore
// give 13 digits, and the derivatives of the integral with it.
type departure struct {
	linear, bent, k float64
	scale, end      float64
	logA, logB      float64 // ln(1+t/a), ln(1+t/b)
	byB             bool    // whether v is ln(1+u/b)
}

func newDeparture(n, s, a, b, t float64) departure {
	d := departure{logA: math.Log1p(t / a), logB: math.Log1p(t / b)}
	if b <= a {
		d.linear, d.bent, d.k, d.scale, d.end, d.byB = s, n, b/a, 1, d.logB, true
	} else {
		d.linear, d.bent, d.k, d.scale, d.end = n-1, s+1, a/b, a/b, d.logA
	}
	return d
}

// alike is the largest 1-k at which the two integrals to infinity, of those who left later than TX and of those whose
// next purchase would have come after T, are short series. Their sum is that of the living and the gone.
const alike = 0.35

// alive returns what the integral's likelihood adds to (alpha+tx)^-n (beta+tx)^-s, as a logarithm, and the share of the
// living in it. The integral must be that of n, s, a, b and t.
func (d *departure) alive(n, s, a, b, t float64) (sum, share float64) {
	if t == 0 {
		return 0, 1
	}
	living := -n*d.logA - s*d.logB
	if 1-d.k > alike {
		return mix(living, math.Log(s)+d.integral())
	}
	left, later := d.bothEnds(n, s, a, b, t)
	share = math.Exp(living)
	all := left + share*later
	return math.Log(all), min(1, share/all)
}

// share is what alive returns as such.
func (d *departure) share(n, s, a, b, t float64) float64 {
	if t == 0 || 1-d.k > alike {
		_, share := d.alive(n, s, a, b, t)
		return share
	}
	left, later := d.bothEnds(n, s, a, b, t)
	share := math.Exp(-n*d.logA - s*d.logB)
	return min(1, share/(left+share*later))
}

// bothEnds returns the parts of those who left after TX, whenever that was, and of those who were alive at T and bought
// next before they left.
func (d *departure) bothEnds(n, s, a, b, t float64) (left, later float64) {
	if d.byB {
		left, later = twoSeries(n+s, n, (a-b)/a, n+1, (a-b)/(a+t))
		return s / (n + s) * left, n / (n + s) * (b + t) / (a + t) * later
	}
	left, later = twoSeries(n+s, s+1, (b-a)/b, s, (b-a)/(b+t))
	return s / (n + s) * a / b * left, n / (n + s) * later
}

// twoSeries returns 2F1(1, c; n+1; y) and 2F1(1, d; n+1; z) for c and d up to n+1, y and z up to alike.
func twoSeries(n, c, y, d, z float64) (f, g float64) {
	f, g = 1, 1
	for i, t, u := 0.0, 1.0, 1.0; t+u > 1e-17; i++ {
		inverse := 1 / (n + 1 + i)
		t *= (c + i) * inverse * y
		u *= (d + i) * inverse * z
		f += t
		g += u
	}
	return f, g
}

// A panel is a piece of the integral with its rule.
type panel struct {
	middle, half float64
	rule         []gaussPoint
}

// A walk goes through the panels of a departure.
type walk struct {
	*departure
	v, y     float64 // the place, and 1+k(e^v-1) there
	exponent float64 // there
	lowest   float64 // of the exponents so far
}

// single returns the whole integral as one panel, if a rule of at most 16 points does.
func (d *departure) single() (panel, bool) {
	fall := d.linear*d.logA + d.bent*d.logB
	if d.byB {
		fall = d.linear*d.logB + d.bent*d.logA
	}
	p := panel{middle: d.end / 2, half: d.end / 2}
	// Each rule's range is where its error stays below 1e-13 for every k, n and s.
	switch {
	case d.end <= 0.1 && fall <= 0.2:
		p.rule = gauss4[:]
	case d.end <= 0.4 && fall <= 0.6:
		p.rule = gauss6[:]
	case d.end <= 1 && fall <= 2:
		p.rule = gauss8[:]
	case (d.end <= 1.5 && fall <= 5) || (d.end <= 2 && fall <= 3):
		p.rule = gauss10[:]
	case d.end <= 2.2 && fall <= 8:
		p.rule = gauss12[:]
	case d.end <= 3 && fall <= 13:
		p.rule = gauss16[:]
	default:
		return p, false
	}
	return p, true
}

// next returns the next panel and moves to its end; the further the integrand has fallen, the fewer digits it asks for.
// It reports false at the end, or where nothing more would be added.
func (w *walk) next() (p panel, more bool) {
	rest := w.end - w.v
	excess := w.exponent - w.lowest
	if !(rest > 0) || excess > 41 {
		return p, false
	}
	fall := 13.0
	switch {
	case excess > 24:
		p.rule, fall = gauss8[:], 18
	case excess > 10:
		p.rule = gauss12[:]
	default:
		p.rule = gauss16[:]
	}
	h := min(rest, 3)
	if slope := w.slope(w.y); slope > 0 {
		h = min(h, fall/slope)
	}
	if slope := w.slope(1 + w.k*math.Expm1(w.v+h)); slope > 0 {
		h = min(h, fall/slope)
	}
	p.half = h / 2
	p.middle = w.v + p.half
	w.v += h
	w.y = 1 + w.k*math.Expm1(w.v)
	w.exponent = w.linear*w.v + w.bent*math.Log(w.y)
	w.lowest = min(w.lowest, w.exponent)
	return p, true
}

// slope is the derivative of the exponent where 1+k(e^v-1) is y.
func (d *departure) slope(y float64) float64 { return d.linear + d.bent*(1-(1-d.k)/y) }

// integral returns the log of the integral, -Inf for t = 0. A t of +Inf is allowed.
func (d *departure) integral() float64 {
	if p, ok := d.single(); ok {
		return math.Log(d.scale * d.over(p))
	}
	sum := 0.0
	for w := (walk{departure: d, y: 1}); ; {
		// Where the bend is over the rest is elementary.
		if (1-d.k)/w.y < 1e-16 {
			slope := d.slope(w.y)
			sum += math.Exp(-w.exponent) * -math.Expm1(-slope*(d.end-w.v)) / slope
			break
		}
		p, more := w.next()
		if !more {
			break
		}
		sum += d.over(p)
	}
	return math.Log(d.scale * sum)
}

// manyPurchases is the bent above which ln(1+k(e^v-1)) must have all of its digits even where it is small.
const manyPurchases = 100

// over applies a panel's rule.
func (d *departure) over(p panel) float64 {
	sum := 0.0
	if d.bent > manyPurchases {
		for i := range p.rule {
			g := &p.rule[i]
			v, w := p.middle-p.half*g.x, p.middle+p.half*g.x
			sum += g.weight * (math.Exp(-d.linear*v-d.bent*math.Log1p(d.k*math.Expm1(v))) +
				math.Exp(-d.linear*w-d.bent*math.Log1p(d.k*math.Expm1(w))))
		}
		return p.half * sum
	}
	middle := d.k * math.Exp(p.middle)
	for i := range p.rule {
		g := &p.rule[i]
		step := p.half * g.x
		e := math.Exp(step)
		low, high := 1-d.k+middle/e, 1-d.k+middle*e
		sum += g.weight * (math.Exp(-d.linear*(p.middle-step)-d.bent*math.Log(low)) +
			math.Exp(-d.linear*(p.middle+step)-d.bent*math.Log(high)))
	}
	return p.half * sum
}

// moments are the first two moments over the time of departure of
//
//	0: ln(1+u/a)    1: 1/(1+u/a)    2: ln(1+u/b)    3: 1/(1+u/b)
type moments struct {
	total  float64 // the integral but for the scale
	first  [4]float64
	second [4][4]float64 // of i <= j
}

// moments integrates the moments with the integral itself.
func (d *departure) moments(m *moments) {
	*m = moments{}
	if p, ok := d.single(); ok {
		d.momentsOver(p, m)
	} else {
		for w := (walk{departure: d, y: 1}); ; {
			p, more := w.next()
			if !more {
				break
			}
			d.momentsOver(p, m)
		}
	}
	if m.total == 0 {
		return
	}
	for i := range m.first {
		m.first[i] /= m.total
		for j := i; j < 4; j++ {
			m.second[i][j] /= m.total
		}
	}
}

func (d *departure) momentsOver(p panel, m *moments) {
	middle := math.Exp(p.middle)
	for i := range p.rule {
		g := &p.rule[i]
		weight := p.half * g.weight
		step := p.half * g.x
		es := math.Exp(step)
		for j, v := range [2]float64{p.middle - step, p.middle + step} {
			var e, y, l float64
			switch {
			case d.bent > manyPurchases:
				less := math.Expm1(v)
				e, y, l = 1+less, 1+d.k*less, math.Log1p(d.k*less)
			case j == 0:
				e = middle / es
				y = 1 - d.k + d.k*e
				l = math.Log(y)
			default:
				e = middle * es
				y = 1 - d.k + d.k*e
				l = math.Log(y)
			}
			f := weight * math.Exp(-d.linear*v-d.bent*l)
			both := 1 / (y * e)
			la, ia, lb, ib := l, both*e, v, both*y
			if !d.byB {
				la, ia, lb, ib = lb, ib, la, ia
			}
			m.total += f
			fa, ga, fb, gb := f*la, f*ia, f*lb, f*ib
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
	}
}

// sumParetoNBD adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in R, Alpha, S,
// Beta. A customer's likelihood is a mixture over what may have happened: alive, or left at some time after TX. The
// gradient of its log is the mean of the gradients of the logs of the parts, and the Hessian the mean of their Hessians
// plus the covariance of their gradients; all of these are linear in the moments. q below is P(alive).
func sumParetoNBD(rows []row, theta []float64, d *mle.Derivs) {
	r, alpha, s, beta := theta[0], theta[1], theta[2], theta[3]
	logAlpha, logS := math.Log(alpha), math.Log(s)
	last := -1
	var value, first, second float64 // of ln Gamma(r+x)/Gamma(r)
	var m moments
	for i := range rows {
		w := &rows[i]
		x, weight := float64(w.x), w.weight
		if w.x != last {
			last = w.x
			value, first = special.LogGammaRatio(r, x), special.DigammaDiff(r, x)
			second = special.TrigammaDiff(r, x)
		}
		n, a, b := r+x, alpha+w.tx, beta+w.tx
		ta, tb := math.Log1p(w.tx/alpha), math.Log1p(w.tx/beta)
		p := newDeparture(n, s, a, b, w.t-w.tx)
		p.moments(&m)
		sum, q := mix(-n*p.logA-s*p.logB, logS+math.Log(p.scale*m.total))
		gone := 1 - q
		d.Value += weight * (value - r*ta - x*(logAlpha+ta) - s*tb + sum)

		na, sb, db := n/a, s/b, (s+1)/b
		va, vb := a/(alpha+w.t), b/(beta+w.t)
		// The gradients of the parts without what all of them have in common: of the living, and the means of the gone.
		live := [4]float64{-p.logA, -na * va, -p.logB, -sb * vb}
		left := [4]float64{-m.first[0], -na * m.first[1], 1/s - m.first[2], -db * m.first[3]}
		var mean [4]float64
		for j := range mean {
			mean[j] = q*live[j] + gone*left[j]
		}
		d.Grad[0] += weight * (first - ta + mean[0])
		d.Grad[1] += weight * (r/alpha + mean[1])
		d.Grad[2] += weight * (mean[2] - tb)
		d.Grad[3] += weight * (s/beta + mean[3])
		if d.Hess == nil {
			continue
		}
		ea := q*va + gone*m.first[1]
		eb := q*vb + gone*m.first[3]
		outer := func(i, j int, of float64) float64 { return q*live[i]*live[j] + gone*of - mean[i]*mean[j] }
		d.AddHess(0, 0, weight*(second+outer(0, 0, m.second[0][0])))
		d.AddHess(0, 1, weight*(1/alpha-ea/a+outer(0, 1, na*m.second[0][1])))
		d.AddHess(0, 2, weight*outer(0, 2, m.second[0][2]-m.first[0]/s))
		d.AddHess(0, 3, weight*outer(0, 3, db*m.second[0][3]))
		d.AddHess(1, 1, weight*(-r/(alpha*alpha)+n/(a*a)*(q*va*va+gone*m.second[1][1])+outer(1, 1, na*na*m.second[1][1])))
		d.AddHess(1, 2, weight*outer(1, 2, na*(m.second[1][2]-m.first[1]/s)))
		d.AddHess(1, 3, weight*outer(1, 3, na*db*m.second[1][3]))
		// The 1/s^2 of the logarithm's second derivative and of the gradient's square cancel.
		d.AddHess(2, 2, weight*outer(2, 2, m.second[2][2]-2*m.first[2]/s))
		d.AddHess(2, 3, weight*(1/beta-eb/b+outer(2, 3, db*(m.second[2][3]-m.first[3]/s))))
		d.AddHess(3, 3, weight*(-s/(beta*beta)+(q*s*vb*vb+gone*(s+1)*m.second[3][3])/(b*b)+outer(3, 3, db*db*m.second[3][3])))
	}
}

// Gauss's rules of 4, 6, 10 and 12 points, the roots of Legendre's polynomials (computed with 40 digits).
var gauss4 = [...]gaussPoint{
	{0.339981043584856265, 0.652145154862546143},
	{0.861136311594052575, 0.347854845137453857},
}

var gauss6 = [...]gaussPoint{
	{0.238619186083196909, 0.467913934572691047},
	{0.661209386466264514, 0.360761573048138608},
	{0.932469514203152028, 0.171324492379170345},
}

var gauss10 = [...]gaussPoint{
	{0.148874338981631211, 0.29552422471475287},
	{0.433395394129247191, 0.269266719309996355},
	{0.679409568299024406, 0.219086362515982044},
	{0.865063366688984511, 0.149451349150580593},
	{0.97390652851717172, 0.0666713443086881376},
}

var gauss12 = [...]gaussPoint{
	{0.125233408511468915, 0.249147045813402785},
	{0.367831498998180194, 0.233492536538354809},
	{0.587317954286617447, 0.203167426723065922},
	{0.769902674194304687, 0.160078328543346226},
	{0.904117256370474857, 0.106939325995318431},
	{0.981560634246719251, 0.0471753363865118272},
}
