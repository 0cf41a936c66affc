package clv

import "github.com/custval/custval/internal/mle"

// A covMoments sums what the derivatives with covariates are made of: those in the coordinates times 1, the covariates x
// and their products, as far as covariates act on the coordinates. Customers are taken by the dozen, each number of
// theirs in a lane, because sums over lanes are twice as fast as sums over terms.
type covMoments struct {
	c     *covProblem
	value float64
	sums  [][]float64 // of each of parts, times as many of the terms as it takes
	grad  [][]float64 // the sums of the gradient
	hess  [][]float64 // those of the upper triangle, row by row; nil if not wanted
	full  int         // lanes that are taken
	terms []lanes     // 1, x, and x_c x_d for c <= d row by row
	parts []lanes     // the derivatives in the coordinates: the gradient, then the upper triangle
}

type lanes [32]float64

func newCovMoments(c *covProblem, second bool) *covMoments {
	width := len(c.mean)
	linear, all := 1+width, 1+width+width*(width+1)/2
	acts := make([]bool, c.base)
	for _, s := range c.slots {
		acts[c.param[s.effect]] = true
	}
	t := &covMoments{c: c}
	n, terms := c.base, linear
	if second {
		n, terms = n+c.base*(c.base+1)/2, all
	}
	t.sums = make([][]float64, 0, n)
	space := make([]float64, n*terms)
	take := func(k int) {
		t.sums = append(t.sums, space[:k:k])
		space = space[k:]
	}
	for p := range c.base {
		if acts[p] {
			take(linear)
		} else {
			take(1)
		}
	}
	for p := range c.base {
		for q := p; second && q < c.base; q++ {
			switch {
			case acts[p] && acts[q]:
				take(all)
			case acts[p] || acts[q]:
				take(linear)
			default:
				take(1)
			}
		}
	}
	t.grad = t.sums[:c.base]
	if second {
		t.hess = t.sums[c.base:]
	}
	t.terms, t.parts = make([]lanes, terms), make([]lanes, n)
	for i := range t.terms[0] {
		t.terms[0][i] = 1
	}
	return t
}

// add adds the derivatives in the coordinates of customers with the covariates x.
func (t *covMoments) add(x []float64, part *mle.Derivs) {
	t.value += part.Value
	i := t.full
	for c, v := range x {
		t.terms[1+c][i] = v
	}
	base := len(part.Grad)
	for p, g := range part.Grad {
		t.parts[p][i] = g
	}
	if t.hess != nil {
		products := t.terms[1+len(x):]
		for c, v := range x {
			for d, w := range x[c:] {
				products[d][i] = v * w
			}
			products = products[len(x)-c:]
		}
		pairs := t.parts[base:]
		for p := range base {
			row := part.Hess[p*base+p : (p+1)*base]
			for q, h := range row {
				pairs[q][i] = h
			}
			pairs = pairs[len(row):]
		}
	}
	if t.full++; t.full == len(lanes{}) {
		t.flush()
	}
}

// flush adds the lanes to the sums.
func (t *covMoments) flush() {
	for p, sums := range t.sums {
		part := &t.parts[p]
		clear(part[t.full:])
		if !part.zero() {
			part.addTo(sums, t.terms)
		}
	}
	t.full = 0
}

func (l *lanes) zero() bool {
	for _, v := range l {
		if v != 0 {
			return false
		}
	}
	return true
}

// addTo adds the sums over lanes of the part times as many of the terms as there are sums.
func (l *lanes) addTo(sums []float64, terms []lanes) {
	k := 0
	for ; k+4 <= len(sums); k += 4 {
		a, b, c, d := &terms[k], &terms[k+1], &terms[k+2], &terms[k+3]
		var sa, sb, sc, sd float64
		for i, v := range l {
			sa += v * a[i]
			sb += v * b[i]
			sc += v * c[i]
			sd += v * d[i]
		}
		sums[k] += sa
		sums[k+1] += sb
		sums[k+2] += sc
		sums[k+3] += sd
	}
	for ; k < len(sums); k++ {
		var s, odd float64
		a := &terms[k]
		for i := 0; i < len(l); i += 2 {
			s += l[i] * a[i]
			odd += l[i+1] * a[i+1]
		}
		sums[k] += s + odd
	}
}

// finish adds the sums to d, in the parameters theta.
func (t *covMoments) finish(theta []float64, d *mle.Derivs) {
	t.flush()
	d.Value += t.value
	c, n := t.c, len(theta)
	// The gradient and the Hessian in the coordinates and coefficients.
	grad := make([]float64, n)
	for p := range c.base {
		grad[p] = t.grad[p][0]
	}
	for _, s := range c.slots {
		grad[s.param] += c.sign[s.effect] * t.grad[c.param[s.effect]][1+s.column]
	}
	slopes := c.link.slopes(theta[:c.base])
	for q := range c.base {
		for p := range c.base {
			d.Grad[q] += slopes[p][q] * grad[p]
		}
	}
	for j := c.base; j < n; j++ {
		d.Grad[j] += grad[j]
	}
	if d.Hess == nil {
		return
	}
	hess := t.curvature(n)
	// Those in the parameters of the base: first the columns, then the rows.
	moved := make([]float64, c.base)
	for _, row := range hess {
		clear(moved)
		for k, h := range row[:c.base] {
			for j, slope := range slopes[k] {
				moved[j] += h * slope
			}
		}
		copy(row, moved)
	}
	for j := range n {
		clear(moved)
		for k, slope := range slopes {
			h := hess[k][j]
			for i, s := range slope {
				moved[i] += h * s
			}
		}
		for i, h := range moved {
			hess[i][j] = h
		}
	}
	c.link.bend(theta[:c.base], grad, hess)
	for i, row := range hess {
		for j := i; j < n; j++ {
			d.AddHess(i, j, row[j])
		}
	}
}

// curvature returns the Hessian in coordinates and coefficients.
func (t *covMoments) curvature(n int) [][]float64 {
	c, width := t.c, len(t.c.mean)
	of := func(p, q int) []float64 {
		p, q = min(p, q), max(p, q)
		return t.hess[p*c.base-p*(p-1)/2+q-p]
	}
	h := square(n)
	for p := range c.base {
		for q := range c.base {
			h[p][q] = of(p, q)[0]
		}
	}
	for _, a := range c.slots {
		pa, sa := c.param[a.effect], c.sign[a.effect]
		for p := range c.base {
			v := sa * of(p, pa)[1+a.column]
			h[p][a.param] += v
			h[a.param][p] += v
		}
		for _, b := range c.slots {
			k, l := min(a.column, b.column), max(a.column, b.column)
			product := 1 + width + k*width - k*(k-1)/2 + l - k
			h[a.param][b.param] += sa * c.sign[b.effect] * of(pa, c.param[b.effect])[product]
		}
	}
	return h
}
