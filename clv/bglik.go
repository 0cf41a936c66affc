package clv

import (
	"math"

	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// sumBGNBD adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in R, Alpha, A, B.
// The log-likelihood is that of LogLikelihood. Rows of one x share what depends on x alone, and the derivatives with
// respect to A and B are combinations of sums over them.
func sumBGNBD(rows []row, theta []float64, d *mle.Derivs) {
	r, alpha, a, b := theta[0], theta[1], theta[2], theta[3]
	var c bgByX
	var space bgSpace
	for from := 0; from < len(rows); {
		x, to := rows[from].x, from+1
		for to < len(rows) && rows[to].x == x {
			to++
		}
		if x == 0 {
			sumBGZero(rows[from:to], r, alpha, d)
		} else {
			c.move(x, r, a, b)
			s := bgSums{}
			s.add(rows[from:to], r+float64(x), alpha, c.left, &space)
			s.derivs(&c, r, alpha, a, b, d)
		}
		from = to
	}
}

// sumBGZero adds the rows without a repeat purchase, -r ln(1+T/alpha) each. They are alive for certain.
func sumBGZero(rows []row, r, alpha float64, d *mle.Derivs) {
	var log logSum
	var first, second float64
	scale := 1 / alpha
	for i := range rows {
		w := &rows[i]
		v := 1 / (alpha + w.t)
		share := w.weight * w.t * v
		first += share
		second += share * (1 + alpha*v)
		log.add(w.t*scale, w.weight)
	}
	l := log.total()
	d.Value -= r * l
	d.Grad[0] -= l
	d.Grad[1] += r * first * scale
	if d.Hess != nil {
		d.AddHess(0, 1, first*scale)
		d.AddHess(1, 1, -r*second*scale*scale)
	}
}

// bgSums are sums over rows with the same x > 0, each row with its weight. In them q is P(alive), p = 1-q, u and v are
// alpha+TX and alpha+T, g is ln(v/u) and gap its derivative 1/u - 1/v.
type bgSums struct {
	weight     float64
	logs       float64 // ln(u/alpha)
	mixed      float64 // ln( 1/q ) where alive is the greater part, else ln( 1/p )
	excess     float64 // the log of the alive part over that of the others where it is positive
	share      float64 // TX/u
	one, bent  float64 // 1/u^2 and TX/alpha (2+TX/alpha)/u^2
	u          float64 // 1/u
	p, pp      float64 // p and p^2
	g, gap     float64 // q g and q gap
	turn       float64 // q gap (1/u+1/v)
	s, sg, sgg float64 // q p, q p g and q p g^2
	sa, saa    float64 // q p gap and q p gap^2
	sga        float64 // q p g gap
}

// bgSpace keeps 1/u, g, q and p of some dozens of rows.
type bgSpace [64]struct{ u, g, alive, gone float64 }

// add sums the rows: first what takes a logarithm and an exponential, for some dozens, then the products.
func (s *bgSums) add(rows []row, n, alpha, left float64, space *bgSpace) {
	var logs, mixed logSum
	scale := 1 / alpha
	for len(rows) > 0 {
		part := rows[:min(len(space), len(rows))]
		rows = rows[len(part):]
		for i := range part {
			w := &part[i]
			u := 1 / (alpha + w.tx)
			g := math.Log1p((w.t - w.tx) * u)
			more := -n*g - left // the log of the odds of being alive
			e := math.Exp(-math.Abs(more))
			top := 1 / (1 + e)
			// Selected as integers, which takes no branch: it would be mispredicted every other time.
			q, p := math.Float64bits(top), math.Float64bits(e*top)
			if more < 0 {
				q, p = p, q
			}
			k := &space[i]
			k.u, k.g, k.alive, k.gone = u, g, math.Float64frombits(q), math.Float64frombits(p)
			s.excess += w.weight * max(more, 0)
			mixed.add(e, w.weight)
			logs.add(w.tx*scale, w.weight)
		}
		for i := range part {
			w := &part[i]
			k := &space[i]
			u, g, p := k.u, k.g, k.gone
			v := 1 / (alpha + w.t)
			gap := (w.t - w.tx) * u * v
			q := w.weight * k.alive
			at, uu := w.tx*scale, w.weight*u*u
			s.weight += w.weight
			s.share += w.weight * w.tx * u
			s.u += w.weight * u
			s.one += uu
			s.bent += at * (2 + at) * uu
			s.p += w.weight * p
			s.pp += w.weight * p * p
			s.g += q * g
			s.gap += q * gap
			s.turn += q * gap * (u + v)
			both := q * p
			s.s += both
			s.sg += both * g
			s.sgg += both * g * g
			s.sa += both * gap
			s.saa += both * gap * gap
			s.sga += both * g * gap
		}
	}
	s.logs, s.mixed = logs.total(), mixed.total()
}

// derivs adds the likelihood of the rows to d.
func (s *bgSums) derivs(c *bgByX, r, alpha, a, b float64, d *mle.Derivs) {
	x := float64(c.x)
	n := r + x
	// Of the log of the part of those who left.
	leftA, leftB := 1/a, -1/(b+x-1)
	d.Value += s.weight*(c.value+c.left-x*math.Log(alpha)) - n*s.logs + s.excess + s.mixed
	d.Grad[0] += s.weight*c.r - s.logs - s.g
	d.Grad[1] += (r/alpha)*s.share - x*s.u + n*s.gap
	d.Grad[2] += s.weight*c.a + s.p*leftA
	d.Grad[3] += s.weight*c.b + s.p*leftB
	if d.Hess == nil {
		return
	}
	d.AddHess(0, 0, s.weight*c.rr+s.sgg)
	d.AddHess(0, 1, s.share/alpha+s.gap-n*s.sga)
	d.AddHess(0, 2, s.sg*leftA)
	d.AddHess(0, 3, s.sg*leftB)
	d.AddHess(1, 1, x*s.one-r*s.bent-n*s.turn+n*n*s.saa)
	d.AddHess(1, 2, -n*s.sa*leftA)
	d.AddHess(1, 3, -n*s.sa*leftB)
	d.AddHess(2, 2, s.weight*c.aa-s.pp*leftA*leftA)
	d.AddHess(2, 3, s.weight*c.ab+s.s*leftA*leftB)
	d.AddHess(3, 3, s.weight*c.bb+(s.p+s.s)*leftB*leftB)
}

// bgByX holds what depends on the parameters and X alone: the sums of
// ln Gamma(r+x)/Gamma(r) and ln B(a, b+x)/B(a, b) with their derivatives. The zero value is that of X = 0.
type bgByX struct {
	x              int
	value, left    float64 // left is ln a/(b+x-1)
	r, a, b        float64 // first derivatives
	rr, aa, ab, bb float64 // second derivatives
}

// move goes on to another x: by steps to a larger one nearby, else all anew.
func (c *bgByX) move(x int, r, a, b float64) {
	const near = 6
	if x <= c.x || x-c.x > near {
		*c = newBGByX(x, r, a, b)
		return
	}
	ratio := 1.0
	for i := c.x; i < x; i++ {
		n := float64(i)
		rate, stay, both := r+n, b+n, a+b+n
		ratio *= rate * stay / both
		ir, is, ib := 1/rate, 1/stay, 1/both
		c.r += ir
		c.a -= ib
		c.b += a * is * ib
		c.rr -= ir * ir
		c.aa += ib * ib
		c.bb -= a * (stay + both) * (is * ib) * (is * ib)
	}
	c.ab = c.aa
	c.value += math.Log(ratio)
	c.left = math.Log(a / (b + float64(x) - 1))
	c.x = x
}

func newBGByX(x int, r, a, b float64) bgByX {
	n := float64(x)
	c := bgByX{x: x}
	c.value = special.LogGammaRatio(r, n) + special.LogGammaRatio(b, n) - special.LogGammaRatio(a+b, n)
	c.left = math.Log(a / (b + n - 1))
	both := special.DigammaDiff(a+b, n)
	c.r, c.a, c.b = special.DigammaDiff(r, n), -both, special.DigammaDiff(b, n)-both
	both = special.TrigammaDiff(a+b, n)
	c.rr, c.aa, c.ab, c.bb = special.TrigammaDiff(r, n), -both, -both, special.TrigammaDiff(b, n)-both
	return c
}

// A logSum is a sum of the logs of 1+y for y >= 0. Those of weight 1 are multiplied, hundreds of them to one logarithm;
// what is kept is the product less 1, so that a sum of tiny y has all of its digits.
type logSum struct{ more, sum float64 }

// add adds weight ln(1+y).
func (s *logSum) add(y, weight float64) {
	if s.more < 1e60 && weight == 1 {
		s.more += y + s.more*y
	} else {
		s.addAlone(y, weight)
	}
}

//go:noinline
func (s *logSum) addAlone(y, weight float64) {
	switch {
	case weight == 1:
		s.sum, s.more = s.total(), y
	case weight <= 4 && y < 1e12 && s.more < 1e12 && weight == math.Floor(weight): // a few factors are faster than a log
		for ; weight > 0; weight-- {
			s.more += y + s.more*y
		}
	default:
		s.sum += weight * math.Log1p(y)
	}
}

func (s *logSum) total() float64 { return s.sum + math.Log1p(s.more) }

// mix returns ln(e^a + e^b) and the share of the first term.
func mix(a, b float64) (sum, share float64) {
	if a >= b {
		e := math.Exp(b - a)
		return a + math.Log1p(e), 1 / (1 + e)
	}
	e := math.Exp(a - b)
	return b + math.Log1p(e), e / (1 + e)
}
