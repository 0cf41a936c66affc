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
	last := -1
	var t cnbdByX
	for i := range rows {
		w := &rows[i]
		if w.x != last {
			last = w.x
			t = c.byX(w.x, r, a, b, d.Hess != nil)
		}
		weight := w.weight
		u, v := alpha+w.tx, alpha+w.t
		l := math.Log1p(w.tx / alpha)
		lg := math.Log1p((w.t - w.tx) / u)
		gap := (w.t - w.tx) / (u * v)
		phases := r + t.y
		// The log of Q with its derivatives in r and alpha.
		alive, aliveR, aliveA := -phases*lg, -lg, phases*gap
		var aliveRR, aliveRA, aliveAA float64
		if d.Hess != nil {
			aliveRA, aliveAA = gap, -aliveA*(1/u+1/v)
		}
		if c.k > 1 {
			p := newPhases(c.k, phases, (w.t-w.tx)/v)
			alive += p.log
			aliveR += p.r
			aliveA -= p.j / v
			aliveRR = p.rr
			aliveRA -= p.rj / v
			aliveAA += (p.j + p.jj) / (v * v)
		}
		m, q := alive, 1.0
		if t.leaves {
			m, q = mix(alive, t.left)
		}
		p := 1 - q
		d.Value += weight * (t.value + float64(c.k-1)*w.gaps - r*l - t.y*(logAlpha+l) + m)
		d.Grad[0] += weight * (t.r - l + q*aliveR)
		d.Grad[1] += weight * ((r*w.tx/alpha-t.y)/u + q*aliveA)
		d.Grad[2] += weight * (t.a + p*t.leftA)
		d.Grad[3] += weight * (t.b + p*t.leftB)
		if d.Hess == nil {
			continue
		}
		s := q * p
		d.AddHess(0, 0, weight*(t.rr+q*aliveRR+s*aliveR*aliveR))
		d.AddHess(0, 1, weight*(w.tx/(alpha*u)+q*aliveRA+s*aliveR*aliveA))
		d.AddHess(0, 2, weight*-s*aliveR*t.leftA)
		d.AddHess(0, 3, weight*-s*aliveR*t.leftB)
		d.AddHess(1, 1, weight*((t.y-r*w.tx/alpha*(2+w.tx/alpha))/(u*u)+q*aliveAA+s*aliveA*aliveA))
		d.AddHess(1, 2, weight*-s*aliveA*t.leftA)
		d.AddHess(1, 3, weight*-s*aliveA*t.leftB)
		d.AddHess(2, 2, weight*(t.aa-p*t.leftA*t.leftA+s*t.leftA*t.leftA))
		d.AddHess(2, 3, weight*(t.ab+s*t.leftA*t.leftB))
		d.AddHess(3, 3, weight*(t.bb+p*t.leftB*t.leftB+s*t.leftB*t.leftB))
	}
}

// cnbdByX holds what depends on the parameters and X alone, with its derivatives.
type cnbdByX struct {
	y              float64 // phases up to TX
	value          float64
	leaves         bool    // whether there was an opportunity to leave
	left           float64 // ln a/(b+n-1)
	leftA, leftB   float64
	r, a, b        float64
	rr, aa, ab, bb float64
}

func (c cnbd) byX(x int, r, a, b float64, second bool) cnbdByX {
	n := float64(x + c.first)
	t := cnbdByX{y: float64(c.k) * float64(x)}
	factorial := special.LogGammaRatio(1, float64(c.k-1))
	t.value = special.LogGammaRatio(r, t.y) + special.LogGammaRatio(b, n) - special.LogGammaRatio(a+b, n) - float64(x)*factorial
	both := special.DigammaDiff(a+b, n)
	t.r, t.a, t.b = special.DigammaDiff(r, t.y), -both, special.DigammaDiff(b, n)-both
	if second {
		both = special.TrigammaDiff(a+b, n)
		t.rr, t.aa, t.ab, t.bb = special.TrigammaDiff(r, t.y), -both, -both, special.TrigammaDiff(b, n)-both
	}
	if n > 0 {
		t.leaves = true
		t.left = math.Log(a / (b + n - 1))
		t.leftA, t.leftB = 1/a, -1/(b+n-1)
	}
	return t
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
