package special

import "math"

const (
	maxPanels   = 200
	maxRestarts = 6
	scanPoints  = 49
	maxStuck    = 12  // bisections that gain nothing, after which the rest is taken for rounding
	flat        = 4.0 // spread of logarithms up to which an integrand is first tried as it stands
	epsilon     = 0x1p-52
	finiteReach = 6.1  // of the double exponential variable: e^(π sinh 6.1) is 1e304
	openReach   = 6.79 // likewise e^(π/2 sinh 6.79)
)

// LogIntegrate returns the logarithm of the integral of e^f over [a, b],
//
//	log = ln ∫_a^b e^f(u) du
//
// f being the logarithm of a positive integrand (-Inf where that is zero). a may be -Inf and b +Inf. The integrand
// may have integrable power singularities at the ends (best at 0, where floating-point numbers are dense) and sharp peaks
// anywhere that the slopes of f lead to. rel is the wanted relative error, at least 1e-14 (0 means 1e-13); err is the
// estimated one, which is larger than rel where the rounding of f or of the abscissas under a sharp peak allows no less.
// ok is false if neither was reached, if f gives NaN or +Inf (both results are NaN then), or if no point with a positive
// integrand was found (-Inf). The number of evaluations is bounded by 9,000; a smooth integrand takes 21 to 500.
//
// A flat integrand is tried with one Gauss-Kronrod rule of 21 points. Else the variable is changed by a double
// exponential map, the maximum is sought in the logarithm and divided out, and panels around it are bisected with the same
// rule until the summed error is small enough. A singularity at an end that is not 0 is cut off where floating-point
// numbers end: change the variable so that it lies at 0.
func LogIntegrate(f func(u float64) float64, a, b, rel float64) (log, err float64, ok bool) {
	q := quadrature{rel: rel, log: true, f: f}
	return q.integrate(a, b)
}

// Integrate returns the integral of f over [a, b] by the method of LogIntegrate, err being relative to the integral of
// |f|.
func Integrate(f func(u float64) float64, a, b, rel float64) (value, err float64, ok bool) {
	q := quadrature{rel: rel, f: f}
	return q.integrate(a, b)
}

type mapKind uint8

const (
	finite mapKind = iota
	upward
	downward
	line
)

type panel struct {
	lo, hi, value, err float64
}

type quadrature struct {
	f       func(float64) float64
	rel     float64
	log     bool // f is a logarithm
	kind    mapKind
	a, b    float64
	lnWidth float64
	top     float64 // the logarithm that is divided out
	tooHigh float64 // a logarithm seen that lies too far above top
	where   float64
	bad     bool // f gave NaN or +Inf
	points  [128]float64
	count   int     // of points
	noise   float64 // relative rounding error of the integrand at its peak
	reach   float64
	direct  bool // without a change of variable
}

// at returns the abscissa and the logarithm of its derivative at t.
func (q *quadrature) at(t float64) (u, w float64) {
	if q.direct {
		return t, 0
	}
	e := math.Exp(t)
	ei := 1 / e
	sh, ch := (e-ei)/2, (e+ei)/2
	switch q.kind {
	case finite:
		g := math.Exp(-math.Pi * math.Abs(sh)) // s/(1−s) of the nearer end
		s := g / (1 + g)
		if sh < 0 {
			u = q.a + (q.b-q.a)*s
		} else {
			u = q.b - (q.b-q.a)*s
		}
		w = q.lnWidth + math.Log(math.Pi*ch/((1+g)*(1+g))) - math.Pi*math.Abs(sh)
		if !(u > q.a && u < q.b) {
			w = math.Inf(-1)
		}
	case upward:
		d := math.Exp(math.Pi / 2 * sh)
		u = q.a + d
		w = math.Log(math.Pi/2*ch) + math.Pi/2*sh
		if u == q.a {
			w = math.Inf(-1)
		}
	case downward:
		d := math.Exp(-math.Pi / 2 * sh)
		u = q.b - d
		w = math.Log(math.Pi/2*ch) - math.Pi/2*sh
		if u == q.b {
			w = math.Inf(-1)
		}
	case line:
		x := math.Pi / 2 * sh
		u = math.Sinh(x)
		w = math.Log(math.Pi / 2 * ch * math.Cosh(x))
	}
	return u, w
}

// logAbs is the logarithm of the transformed integrand's absolute value at t, and its sign.
func (q *quadrature) logAbs(t float64) (v, sign float64) {
	u, w := q.at(t)
	if math.IsInf(w, -1) {
		return w, 1
	}
	v, sign = q.f(u), 1
	if !q.log {
		if v < 0 {
			sign = -1
		}
		v = math.Log(math.Abs(v))
	}
	if math.IsNaN(v) || math.IsInf(v, 1) {
		q.bad = true
	}
	return v + w, sign
}

// value is the transformed integrand at t with e^top divided out.
func (q *quadrature) value(t float64) float64 {
	v, sign := q.logAbs(t)
	v -= q.top
	if v > 600 {
		if v > q.tooHigh {
			q.tooHigh, q.where = v, t
		}
		v = 600
	}
	return sign * math.Exp(v)
}

func (q *quadrature) integrate(a, b float64) (value, err float64, ok bool) {
	nan := math.NaN()
	sign := 1.0
	switch {
	case math.IsNaN(a) || math.IsNaN(b) || a > b && q.log || math.IsInf(a, 1) || math.IsInf(b, -1):
		return nan, nan, false
	case a == b && q.log:
		return math.Inf(-1), 0, true
	case a == b:
		return 0, 0, true
	case a > b:
		a, b, sign = b, a, -1
	}
	if !(q.rel >= 1e-14) {
		if q.rel != 0 {
			q.rel = 1e-14
		} else {
			q.rel = 1e-13
		}
	}
	q.a, q.b = a, b
	lo, hi := math.IsInf(a, -1), math.IsInf(b, 1)
	switch {
	case lo && hi:
		q.kind = line
	case hi:
		q.kind = upward
	case lo:
		q.kind = downward
	default:
		q.lnWidth = math.Log(b - a)
		if value, err, ok = q.tryFlat(); ok {
			return sign * value, err, true
		}
		q.bad = false
	}
	q.reach = openReach
	if q.kind == finite {
		q.reach = finiteReach
	}
	if !q.scan() {
		if q.bad {
			return nan, nan, false
		}
		if q.log {
			return math.Inf(-1), math.Inf(1), false
		}
		return 0, 0, true
	}
	for range maxRestarts {
		sum, rel, done := q.adapt()
		if q.bad {
			return nan, nan, false
		}
		if q.tooHigh > 0 { // a higher peak than the scan saw
			q.top += q.tooHigh
			q.tooHigh = 0
			q.addPeak(q.where)
			continue
		}
		if q.log {
			return math.Log(sum) + q.top, rel, done
		}
		return sign * sum * math.Exp(q.top), rel, done
	}
	return nan, nan, false
}

// tryFlat integrates over a finite range with one rule and no change of variable, if the integrand is so smooth and flat
// that this is enough.
func (q *quadrature) tryFlat() (value, err float64, ok bool) {
	q.direct = true
	defer func() { q.direct, q.top, q.tooHigh = false, 0, 0 }()
	mid, _ := q.logAbs(q.a + (q.b-q.a)/2)
	lo, _ := q.logAbs(q.a + (q.b-q.a)*0.01)
	hi, _ := q.logAbs(q.a + (q.b-q.a)*0.99)
	if q.bad || !(math.Abs(lo-mid) < flat && math.Abs(hi-mid) < flat) {
		return 0, 0, false
	}
	q.top = mid
	p := q.kronrod(q.a, q.b)
	rel := p.err / math.Abs(p.value)
	if q.bad || q.tooHigh > 0 || !(rel <= q.rel) {
		return 0, 0, false
	}
	if q.log {
		return math.Log(p.value) + q.top, rel, true
	}
	return p.value * math.Exp(q.top), rel, true
}

// scan looks for the peaks and sets top and the points at which the range is first divided.
func (q *quadrature) scan() bool {
	var g [scanPoints]float64
	reach := q.reach
	step := 2 * reach / (scanPoints - 1)
	best := math.Inf(-1)
	for i := range g {
		g[i], _ = q.logAbs(-reach + step*float64(i))
		if g[i] > best || math.IsNaN(g[i]) {
			best = g[i]
			u, _ := q.at(-reach + step*float64(i))
			if q.log {
				q.noise = epsilon * math.Abs(q.f(u))
			}
		}
	}
	if q.bad || math.IsInf(best, 0) {
		return false
	}
	q.top = best
	for _, t := range [...]float64{-reach, -2, 0, 2, reach} {
		q.addPoint(t)
	}
	for i := range g {
		if i > 0 && g[i-1] > g[i] || i+1 < scanPoints && g[i+1] >= g[i] {
			continue
		}
		if lo, hi := g[max(i-1, 0)], g[min(i+1, scanPoints-1)]; q.count < 60 && g[i]-math.Min(lo, hi) > 1 {
			q.addPeak(-reach + step*float64(i))
		}
	}
	return true
}

// addPeak refines the peak of the logarithm near t by golden section and adds points on both sides of it.
func (q *quadrature) addPeak(t float64) {
	const golden = 0.38196601125010515
	w := 2 * q.reach / (scanPoints - 1)
	lo, hi := t-w, t+w
	gt, _ := q.logAbs(t)
	for range 100 {
		gl, _ := q.logAbs(lo)
		gh, _ := q.logAbs(hi)
		if gt-math.Min(gl, gh) < 2 || hi-lo < 1e-14*math.Max(1, math.Abs(t)) {
			break
		}
		// one golden step in the longer part
		var x float64
		if hi-t > t-lo {
			x = t + golden*(hi-t)
		} else {
			x = t - golden*(t-lo)
		}
		gx, _ := q.logAbs(x)
		switch {
		case gx > gt && x > t:
			lo, t, gt = t, x, gx
		case gx > gt:
			hi, t, gt = t, x, gx
		case x > t:
			hi = x
		default:
			lo = x
		}
	}
	w = math.Max(hi-t, t-lo)
	if gt >= q.top {
		q.top = gt
		u, lw := q.at(t)
		if q.log {
			q.noise = epsilon * math.Abs(q.f(u))
		}
		if n := epsilon * math.Abs(u) / (w * math.Exp(lw)); n < 1 { // the abscissa's rounding against the width
			q.noise = math.Max(q.noise, n)
		}
	}
	if w > q.reach/(scanPoints-1) { // not sharper than the scan
		q.addPoint(t)
		return
	}
	for _, d := range [...]float64{1.5, 6, 24, 96} {
		q.addPoint(t - d*w)
		q.addPoint(t + d*w)
	}
}

func (q *quadrature) addPoint(t float64) {
	if q.count < len(q.points) {
		q.points[q.count] = t
		q.count++
	}
}

// adapt integrates the panels between the points and bisects the worst until the error is small enough.
func (q *quadrature) adapt() (sum, rel float64, ok bool) {
	var panels [maxPanels]panel
	n, stuck := 0, 0
	// insertion sort; the points are few
	p := q.points[:q.count]
	for i := 1; i < len(p); i++ {
		for j := i; j > 0 && p[j] < p[j-1]; j-- {
			p[j], p[j-1] = p[j-1], p[j]
		}
	}
	last := -q.reach
	for _, t := range p {
		if t > last && t <= q.reach {
			panels[n] = q.kronrod(last, t)
			n++
			last = t
		}
	}
	for {
		total, e, absolute := 0.0, 0.0, 0.0
		worst := 0
		for i := range panels[:n] {
			total += panels[i].value
			absolute += math.Abs(panels[i].value)
			e += panels[i].err
			if panels[i].err > panels[worst].err {
				worst = i
			}
		}
		if q.bad || q.tooHigh > 0 {
			return total, 0, false
		}
		if e == 0 {
			return total, q.noise, true
		}
		if e <= math.Max(q.rel, 2*q.noise)*absolute {
			return total, math.Max(e/absolute, q.noise), true
		}
		w := panels[worst]
		mid := w.lo + (w.hi-w.lo)/2
		if n == maxPanels || stuck == maxStuck || !(mid > w.lo && mid < w.hi) {
			return total, e / absolute, false
		}
		l, r := q.kronrod(w.lo, mid), q.kronrod(mid, w.hi)
		if l.err+r.err >= 0.9*w.err && math.Abs(l.value+r.value-w.value) <= 1e-5*math.Abs(w.value) {
			stuck++
		}
		panels[worst], panels[n] = l, r
		n++
	}
}

// kronrod integrates one panel; the error is estimated as in QUADPACK (Piessens et al., 1983).
func (q *quadrature) kronrod(lo, hi float64) panel {
	c, h := lo+(hi-lo)/2, (hi-lo)/2
	var left, right [10]float64
	mid := q.value(c)
	k := kronrodWeight[10] * mid
	g := 0.0
	for i := range left {
		d := h * kronrodNode[i]
		left[i], right[i] = q.value(c-d), q.value(c+d)
		s := left[i] + right[i]
		k += kronrodWeight[i] * s
		if i%2 == 1 {
			g += gaussWeight[i/2] * s
		}
	}
	mean := k / 2
	spread := kronrodWeight[10] * math.Abs(mid-mean)
	for i := range left {
		spread += kronrodWeight[i] * (math.Abs(left[i]-mean) + math.Abs(right[i]-mean))
	}
	e := math.Abs(k - g)
	if spread > 0 && e > 0 {
		r := 200 * e / spread
		e = spread * math.Min(1, r*math.Sqrt(r))
	}
	return panel{lo, hi, k * h, e * h}
}
