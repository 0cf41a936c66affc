package clv

import (
	"math"

	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// A cnbd is the shape of a model with a beta-geometric dropout and Erlang-k times between purchases: k = 1 are the
// exponential ones.
type cnbd struct {
	k     int
	first int // 1 if a customer may leave after the first purchase, else 0
}

// problem is the likelihood of a sample; starts are in R, Alpha, A, B.
func (c cnbd) problem(s *sample, starts [][]float64) mle.Problem {
	return mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "A"}, {Name: "B"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { c.sum(s.rows[lo:hi], theta, d) },
		Starts: starts,
	}
}

// sum adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in R, Alpha, A, B. With
// y = kx phases, n dropout opportunities and Q the probability that fewer than k phases pass in (TX, T],
//
//	(k-1) LogGaps - x ln (k-1)! + ln Gamma(r+y)/Gamma(r) + ln B(a,b+n)/B(a,b) + r ln alpha - (r+y) ln(alpha+TX)
//	  + ln( Q + [n > 0] a/(b+n-1) ),   Q = ((alpha+TX)/(alpha+T))^(r+y) S
//
// q below is P(alive).
func (c cnbd) sum(rows []row, theta []float64, d *mle.Derivs) {
	r, alpha, a, b := theta[0], theta[1], theta[2], theta[3]
	logAlpha := math.Log(alpha)
	second := d.Hess != nil
	last := -1
	var n cnbdCount
	var s cnbdStay
	logs := newCNBDLogs()
	for i := range rows {
		w := &rows[i]
		if w.x != last {
			logs.turn(r + n.y)
			last = w.x
			n, s = c.count(w.x, r, second), c.stay(w.x, a, b, second)
		}
		c.add(w, r, alpha, logAlpha, &n, &s, &logs, d)
	}
	logs.finish(r+n.y, d)
}

// kernel is sum for customers of different Alpha, A and B; what depends on R and X alone is computed once.
func (c cnbd) kernel(rows []row) covKernel {
	return func(theta []float64, second bool) covSum {
		r, logBase := theta[0], math.Log(theta[1])
		const most = 64
		var known [most]bool
		var counts [most]cnbdCount
		counted := -1
		var n cnbdCount
		logs := newCNBDLogs()
		return func(v, by []float64, lo, hi int, d *mle.Derivs) {
			if lo == hi {
				logs.finish(r+n.y, d)
				return
			}
			alpha, a, b := v[1], v[2], v[3]
			logAlpha := logBase + by[1]
			last := -1
			var s cnbdStay
			for i := lo; i < hi; i++ {
				w := &rows[i]
				if w.x != last {
					last = w.x
					s = c.stay(w.x, a, b, second)
				}
				if w.x != counted {
					logs.turn(r + n.y)
					counted = w.x
					switch {
					case w.x >= most:
						n = c.count(w.x, r, second)
					case !known[w.x]:
						counts[w.x], known[w.x] = c.count(w.x, r, second), true
						fallthrough
					default:
						n = counts[w.x]
					}
				}
				c.add(w, r, alpha, logAlpha, &n, &s, &logs, d)
			}
		}
	}
}

// add adds one row, but for the logs that logs takes.
func (c cnbd) add(w *row, r, alpha, logAlpha float64, n *cnbdCount, s *cnbdStay, logs *cnbdLogs, d *mle.Derivs) {
	weight := w.weight
	u, v := alpha+w.tx, alpha+w.t
	iu, iv := 1/u, 1/v
	at, rest := w.tx/alpha, (w.t-w.tx)*iu
	gap := rest * iv
	phases := r + n.y
	var lg float64
	if s.leaves || at > 0 {
		lg = logPlus1(rest)
		logs.before.add(at, weight)
	} else { // of Q alone only the sum is needed, and TX is 0
		logs.before.add(rest, weight)
	}
	// The log of Q with its derivatives in r and alpha.
	alive, aliveR, aliveA := -phases*lg, -lg, phases*gap
	var aliveRR, aliveRA, aliveAA float64
	if d.Hess != nil {
		aliveRA, aliveAA = gap, -aliveA*(iu+iv)
	}
	if c.k > 1 {
		p := newPhases(c.k, phases, (w.t-w.tx)*iv)
		alive += p.log
		aliveR += p.r
		aliveA -= p.j * iv
		aliveRR = p.rr
		aliveRA -= p.rj * iv
		aliveAA += (p.j + p.jj) * iv * iv
	}
	value, q := alive, 1.0
	if s.leaves {
		e := math.Exp(alive)
		value = 0
		logs.mixed.times(s.ratio*(e+s.left), weight)
		q = e / (e + s.left)
	}
	p := 1 - q
	value += n.value + s.value
	if n.y > 0 {
		value += float64(c.k-1)*w.gaps - n.y*logAlpha
	}
	d.Value += weight * value
	g := d.Grad[:4]
	g[0] += weight * (n.r + q*aliveR)
	g[1] += weight * ((r*at-n.y)*iu + q*aliveA)
	g[2] += weight * (s.a + p*s.leftA)
	g[3] += weight * (s.b + p*s.leftB)
	if d.Hess == nil {
		return
	}
	both := q * p * weight
	h := d.Hess[:16]
	h[0] += weight*(n.rr+q*aliveRR) + both*aliveR*aliveR
	h[1] += weight*(at*iu+q*aliveRA) + both*aliveR*aliveA
	h[2] -= both * aliveR * s.leftA
	h[3] -= both * aliveR * s.leftB
	h[5] += weight*((n.y-r*at*(2+at))*iu*iu+q*aliveAA) + both*aliveA*aliveA
	h[6] -= both * aliveA * s.leftA
	h[7] -= both * aliveA * s.leftB
	h[10] += weight*(s.aa-p*s.leftA*s.leftA) + both*s.leftA*s.leftA
	h[11] += weight*s.ab + both*s.leftA*s.leftB
	h[15] += weight*(s.bb+p*s.leftB*s.leftB) + both*s.leftB*s.leftB
}

// A cnbdLogs sums the logs of which only the sums over customers are needed.
type cnbdLogs struct {
	mixed      logProduct // of the mixtures
	before     logSum     // ln((alpha+TX)/alpha) of the rows with the latest number of phases
	value, sum float64    // those of the other rows, with and without their factor -(r+y)
}

func newCNBDLogs() cnbdLogs { return cnbdLogs{mixed: logProduct{product: 1}} }

// turn ends a run of rows with the same r+y.
func (s *cnbdLogs) turn(phases float64) {
	if s.before == (logSum{}) {
		return
	}
	l := s.before.total()
	s.value -= phases * l
	s.sum += l
	s.before = logSum{}
}

// finish adds the sums to d, after which there are none.
func (s *cnbdLogs) finish(phases float64, d *mle.Derivs) {
	s.turn(phases)
	d.Value += s.value + s.mixed.log()
	d.Grad[0] -= s.sum
	*s = newCNBDLogs()
}

// A logProduct is a sum of logs, which begins with a product of 1: those of weight 1 are multiplied, dozens of them to
// one logarithm.
type logProduct struct{ product, sum float64 }

// times adds weight ln y.
func (p *logProduct) times(y, weight float64) {
	const small, large = 1e-100, 1e100
	if weight != 1 || !(y > small && y < large) {
		p.sum += weight * math.Log(y)
		return
	}
	if p.product *= y; p.product < small || p.product > large {
		p.sum += math.Log(p.product)
		p.product = 1
	}
}

func (p *logProduct) log() float64 { return p.sum + math.Log(p.product) }

// logPlus1 is math.Log1p, which for large x is slower than the logarithm and not more accurate.
func logPlus1(x float64) float64 {
	switch {
	case x > 0.5:
		return math.Log(1 + x)
	case x == 0:
		return 0
	}
	return math.Log1p(x)
}

// cnbdCount holds what depends on R and X alone, ln Gamma(r+y)/Gamma(r) - x ln (k-1)! with its derivatives.
type cnbdCount struct {
	y     float64 // phases up to TX
	value float64
	r, rr float64
}

func (c cnbd) count(x int, r float64, second bool) cnbdCount {
	n := cnbdCount{y: float64(c.k) * float64(x)}
	n.value = special.LogGammaRatio(r, n.y) - float64(x)*special.LogGammaRatio(1, float64(c.k-1))
	n.r = special.DigammaDiff(r, n.y)
	if second {
		n.rr = special.TrigammaDiff(r, n.y)
	}
	return n
}

// cnbdStay holds what depends on A, B and X alone: the probability B(a,b+n)/B(a,b) to stay at all n opportunities as
// e^value ratio, and a/(b+n-1), with the derivatives of their logs.
type cnbdStay struct {
	value, ratio float64
	leaves       bool // whether there was an opportunity to leave
	left         float64
	leftA, leftB float64
	a, b         float64
	aa, ab, bb   float64
}

func (c cnbd) stay(x int, a, b float64, second bool) cnbdStay {
	n := x + c.first
	if n == 0 {
		return cnbdStay{ratio: 1}
	}
	last := 1 / (b + float64(n-1))
	s := cnbdStay{ratio: 1, leaves: true, left: a * last, leftA: 1 / a, leftB: -last}
	const few, small, large = 16, 1e-15, 1e15 // within them no product leaves the range of numbers
	if n > few || min(a, b) < small || max(a, b) > large {
		y := float64(n)
		s.value = special.LogGammaRatio(b, y) - special.LogGammaRatio(a+b, y)
		both := special.DigammaDiff(a+b, y)
		s.a, s.b = -both, special.DigammaDiff(b, y)-both
		if second {
			both = special.TrigammaDiff(a+b, y)
			s.aa, s.ab, s.bb = -both, -both, special.TrigammaDiff(b, y)-both
		}
		return s
	}
	// The sums over the opportunities of 1/(a+b+i) and 1/(b+i), and of their squares.
	var both, bothSquares, stays, squares float64
	for i := range n {
		at := b + float64(i)
		each := 1 / (at * (a + at))
		p, q := at*each, (a+at)*each
		s.ratio *= at * p
		both += p
		bothSquares += p * p
		stays += q
		squares += q * q
	}
	s.a, s.b = -both, stays-both
	s.aa, s.ab, s.bb = bothSquares, bothSquares, bothSquares-squares
	return s
}

// phases is the log of the sum over j < k of (R)_j/j! w^j with its derivatives in R and, as j, in ln w.
type phases struct {
	log    float64
	r, j   float64
	rr, rj float64
	jj     float64
}

// newPhases sums the terms. Their share is the distribution of the phases that have passed since the last purchase.
func newPhases(k int, shape, w float64) phases {
	var p phases
	term, total := 1.0, 1.0
	first, second := 0.0, 0.0 // derivatives of ln (R)_j
	var r, j, rr, rj, jj float64
	for i := 1; i < k; i++ {
		n := float64(i)
		at := shape + n - 1
		term *= at / n * w
		first += 1 / at
		second -= 1 / (at * at)
		total += term
		r += term * first
		j += term * n
		rr += term * (first*first + second)
		rj += term * first * n
		jj += term * n * n
	}
	p.log = math.Log(total)
	p.r, p.j = r/total, j/total
	p.rr, p.rj, p.jj = rr/total-p.r*p.r, rj/total-p.r*p.j, jj/total-p.j*p.j
	return p
}
