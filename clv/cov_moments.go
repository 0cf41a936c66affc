package clv

import "github.com/custval/custval/internal/mle"

// A covMoments sums what the derivatives with covariates are made of: those in the coordinates times 1, the covariates x and
// their products, as far as covariates act on the coordinates.
type covMoments struct {
	c     *covProblem
	value float64
	terms []float64   // of a customer: 1, x, and x_c x_d for c <= d row by row
	grad  [][]float64 // of each coordinate
	hess  [][]float64 // of each pair of coordinates, upper triangle row by row; nil if not wanted
}

func newCovMoments(c *covProblem, second bool) *covMoments {
	width := len(c.mean)
	all := 1 + width + width*(width+1)/2
	acts := make([]bool, c.base)
	for _, s := range c.slots {
		acts[c.param[s.effect]] = true
	}
	t := &covMoments{c: c, terms: make([]float64, all)}
	t.terms[0] = 1
	for p := range c.base {
		n := 1
		if acts[p] {
			n += width
		}
		t.grad = append(t.grad, make([]float64, n))
		if !second {
			continue
		}
		for q := p; q < c.base; q++ {
			switch {
			case acts[p] && acts[q]:
				n = all
			case acts[p] || acts[q]:
				n = 1 + width
			default:
				n = 1
			}
			t.hess = append(t.hess, make([]float64, n))
		}
	}
	return t
}

// add adds the derivatives in the coordinates of customers with the covariates x.
func (t *covMoments) add(x []float64, part *mle.Derivs) {
	t.value += part.Value
	k := 1 + copy(t.terms[1:], x)
	if t.hess != nil {
		for c, v := range x {
			for _, w := range x[c:] {
				t.terms[k] = v * w
				k++
			}
		}
	}
	for p, g := range part.Grad {
		addTimes(t.grad[p], g, t.terms)
	}
	if t.hess == nil {
		return
	}
	base, pair := len(part.Grad), 0
	for p := range base {
		for q := p; q < base; q++ {
			addTimes(t.hess[pair], part.Hess[p*base+q], t.terms)
			pair++
		}
	}
}

// addTimes adds f times as many of the terms as there are sums.
func addTimes(sums []float64, f float64, terms []float64) {
	terms = terms[:len(sums)]
	for i := range sums {
		sums[i] += f * terms[i]
	}
}

// finish adds the sums to d, in the parameters theta.
func (t *covMoments) finish(theta []float64, d *mle.Derivs) {
	d.Value += t.value
	c := t.c
	// The gradient and the Hessian in the coordinates and coefficients.
	grad := make([]float64, len(theta))
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
	for j := c.base; j < len(grad); j++ {
		d.Grad[j] += grad[j]
	}
	if d.Hess == nil {
		return
	}
	hess := t.curvature(len(theta))
	// Those in the parameters of the base.
	half := square(len(theta))
	out := square(len(theta))
	for i := range hess {
		for j := range hess {
			if j >= c.base {
				half[i][j] = hess[i][j]
				continue
			}
			for k := range c.base {
				half[i][j] += hess[i][k] * slopes[k][j]
			}
		}
	}
	for j := range hess {
		for i := range hess {
			if i >= c.base {
				out[i][j] = half[i][j]
				continue
			}
			for k := range c.base {
				out[i][j] += slopes[k][i] * half[k][j]
			}
		}
	}
	c.link.bend(theta[:c.base], grad, out)
	for i := range out {
		for j := i; j < len(out); j++ {
			d.AddHess(i, j, out[i][j])
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
