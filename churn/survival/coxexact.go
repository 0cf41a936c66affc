package survival

import (
	"context"
	"math"
)

// The exact treatment of ties conditions on how many rows leave at an event: the probability that it is these d is
//
//	prod of r over them / e_d(r),  e_d the elementary symmetric polynomial of degree d over the risk set
//
// which is also the likelihood of a conditional logistic regression (Gail, Lubin and Rubinstein, Biometrika 68, 1981).
// The polynomial and its derivatives grow row by row; all terms are positive.

// atRisk calls f for every row at risk at event e.
func (c *coxData) atRisk(e int, f func(i int)) {
	stop := c.n
	for later := e; later < len(c.time); later++ {
		if c.opens[later] {
			stop = int(c.start[later+1])
			break
		}
	}
	for i := int(c.start[e]); i < stop; i++ {
		if int(c.lo[i]) <= e {
			f(i)
		}
	}
}

// exactEvent adds an event of several rows.
func (c *coxData) exactEvent(ctx context.Context, s *coxSums, e int, t *tied, eta []float64) error {
	p, d := c.p, t.count
	size, sum, most := 0, 0.0, math.Inf(-1)
	c.atRisk(e, func(i int) { size, most = size+1, math.Max(most, eta[i]) })
	mean := make([]float64, p)
	c.atRisk(e, func(i int) {
		r := math.Exp(eta[i] - most)
		sum += r
		for j, x := range c.x[i*p : (i+1)*p] {
			mean[j] += r * x
		}
	})
	for j := range mean {
		mean[j] /= sum
	}
	g := newGrowth(p, d)
	scale, z := float64(d)/sum, make([]float64, p)
	var err error
	count := 0
	c.atRisk(e, func(i int) {
		if count++; count%64 == 0 && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return
		}
		for j, x := range c.x[i*p : (i+1)*p] {
			z[j] = x - mean[j]
		}
		g.add(scale*math.Exp(eta[i]-most), z, size-count)
	})
	if err != nil {
		return err
	}
	value, grad, second := g.value[d], g.grad[d*p:(d+1)*p], g.second[d*p*p:(d+1)*p*p]
	s.logLik += t.weightedLP - math.Log(value) - float64(d)*(most-math.Log(scale))
	for j := range p {
		slope := grad[j] / value
		s.grad[j] -= slope + float64(d)*mean[j]
		for i := c.first[e]; i < c.start[e+1]; i++ {
			s.grad[j] += c.row(i)[j]
		}
		for k := range j + 1 {
			s.info[j][k] += second[j*p+k]/value - slope*grad[k]/value
		}
	}
	return nil
}

// growth is the elementary symmetric polynomials of degrees 0 to d of the rows so far, with derivatives.
type growth struct {
	p, d, rows   int
	value        []float64
	grad, second []float64
}

func newGrowth(p, d int) *growth {
	g := &growth{p: p, d: d, value: make([]float64, d+1), grad: make([]float64, (d+1)*p), second: make([]float64, (d+1)*p*p)}
	g.value[0] = 1
	return g
}

// add takes in a row with its risk r and centered covariates z; left is how many rows follow, so that degrees that cannot
// reach d any more are not grown.
func (g *growth) add(r float64, z []float64, left int) {
	p := g.p
	g.rows++
	for k := min(g.d, g.rows); k >= max(1, g.d-left); k-- {
		v, dv, ddv := g.value[k-1], g.grad[(k-1)*p:k*p], g.second[(k-1)*p*p:k*p*p]
		grad, second := g.grad[k*p:(k+1)*p], g.second[k*p*p:(k+1)*p*p]
		g.value[k] += r * v
		for i, zi := range z {
			grad[i] += r * (dv[i] + zi*v)
			for j, zj := range z[:i+1] {
				second[i*p+j] += r * (ddv[i*p+j] + zi*dv[j] + zj*dv[i] + zi*zj*v)
			}
		}
	}
}
