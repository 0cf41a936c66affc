package clv

import (
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// A covProblem is a likelihood with covariates that are centered and scaled, which changes nothing but how well the
// search does: unscale maps its result back.
type covProblem struct {
	params []mle.Param
	base   int // parameters of the plain model
	slots  []slot
	param  []int     // of each effect, the parameter that it acts on
	sign   []float64 // of each effect
	rows   covRows
	weight float64   // customers
	of     []int32   // of each row, its pattern
	x      []float64 // the scaled covariates, row by row
	mean   []float64 // of each column
	scale  []float64
}

func newCovProblem[M Linked](p patterns, m Cov[M], rows covRows) (*covProblem, error) {
	names := baseParams(m.Base)
	c := &covProblem{base: len(names), slots: m.slots(len(names)), rows: rows}
	for i, name := range m.names(names) {
		param := mle.Param{Name: name}
		if i >= c.base {
			param.Scale = fit.Identity
		}
		c.params = append(c.params, param)
	}
	for _, l := range m.Base.links() {
		c.param = append(c.param, slices.Index(names, l.name))
		c.sign = append(c.sign, l.sign)
	}
	for i, w := range rows.weights {
		c.weight += w
		c.of = append(c.of, p.of[rows.index[i]])
	}
	return c, c.standardize(p.d)
}

// standardize fills x, mean and scale. It returns an error for a column that does not vary or is a combination of those
// before it.
func (c *covProblem) standardize(d *Design) error {
	n, width := len(c.rows.index), len(d.columns)
	c.x = make([]float64, n*width)
	names := d.Columns()
	for j, column := range d.columns {
		var mean, square, most float64
		for i, at := range c.rows.index {
			mean += c.rows.weights[i] * column[at] / c.weight
			most = max(most, math.Abs(column[at]))
		}
		for i, at := range c.rows.index {
			v := column[at] - mean
			square += c.rows.weights[i] * v * v / c.weight
		}
		scale := math.Sqrt(square)
		if !(scale > 1e-10*most) || math.IsInf(scale, 1) {
			return fmt.Errorf("clv: covariate %q: %w", names[j], errConstant)
		}
		for i, at := range c.rows.index {
			c.x[i*width+j] = (column[at] - mean) / scale
		}
		c.mean, c.scale = append(c.mean, mean), append(c.scale, scale)
	}
	// Cholesky of the correlations: a pivot is the share of a column that those before it do not explain.
	l := make([][]float64, width)
	for j := range l {
		l[j] = make([]float64, width)
		for k := range j + 1 {
			for i := range n {
				l[j][k] += c.rows.weights[i] / c.weight * c.x[i*width+j] * c.x[i*width+k]
			}
			for q := range k {
				l[j][k] -= l[j][q] * l[k][q]
			}
			if k < j {
				l[j][k] /= l[k][k]
				continue
			}
			if !(l[j][j] > 1e-9) {
				return fmt.Errorf("clv: covariate %q: %w", names[j], errCombination)
			}
			l[j][j] = math.Sqrt(l[j][j])
		}
	}
	return nil
}

// sum adds the log-likelihood of the rows with its derivatives, by the chain rule from those of the plain model: with
// v the parameters of a customer and V the second derivatives in their logarithms,
//
//	d/d theta_p = v_p L_p/theta_p,    d/d g_c = sign x_c v_p L_p,    d2/d g_c d g_d = sign sign x_c x_d V_pq
//
// Customers with the same covariates have the same parameters and are summed at once.
func (c *covProblem) sum(theta []float64, lo, hi int, d *mle.Derivs) {
	width := len(c.mean)
	part := mle.Derivs{Grad: make([]float64, c.base)}
	if d.Hess != nil {
		part.Hess = make([]float64, c.base*c.base)
	}
	v := make([]float64, c.base)
	eta := make([]float64, len(c.param))
	for from := lo; from < hi; {
		to := from + 1
		for to < hi && c.of[to] == c.of[from] {
			to++
		}
		x := c.x[from*width : (from+1)*width]
		clear(eta)
		for _, s := range c.slots {
			eta[s.effect] += theta[s.param] * x[s.column]
		}
		copy(v, theta[:c.base])
		for e, p := range c.param {
			v[p] *= math.Exp(c.sign[e] * eta[e])
		}
		part.Value = 0
		clear(part.Grad)
		clear(part.Hess)
		c.rows.sum(v, from, to, &part)
		c.chain(theta, v, x, &part, d)
		from = to
	}
}

// chain adds the sum over customers with the parameters v and the covariates x.
func (c *covProblem) chain(theta, v, x []float64, part, d *mle.Derivs) {
	d.Value += part.Value
	for p, g := range part.Grad {
		part.Grad[p] = v[p] * g // in the logarithm
		d.Grad[p] += part.Grad[p] / theta[p]
	}
	for _, s := range c.slots {
		d.Grad[s.param] += c.sign[s.effect] * x[s.column] * part.Grad[c.param[s.effect]]
	}
	if d.Hess == nil {
		return
	}
	n := c.base
	for p := range n {
		for q := p; q < n; q++ {
			h := v[p] * v[q] * part.Hess[p*n+q]
			d.AddHess(p, q, h/(theta[p]*theta[q]))
			if p == q {
				h += part.Grad[p]
			}
			part.Hess[p*n+q], part.Hess[q*n+p] = h, h
		}
	}
	for k, s := range c.slots {
		p, xs := c.param[s.effect], c.sign[s.effect]*x[s.column]
		if xs == 0 {
			continue
		}
		row := part.Hess[p*n : (p+1)*n]
		for q, h := range row {
			d.AddHess(q, s.param, xs*h/theta[q])
		}
		for _, t := range c.slots[:k] {
			h := xs * c.sign[t.effect] * x[t.column] * row[c.param[t.effect]]
			switch {
			case t.param < s.param:
				d.AddHess(t.param, s.param, h)
			case t.param > s.param:
				d.AddHess(s.param, t.param, h)
			default: // one coefficient in two places
				d.AddHess(s.param, s.param, 2*h)
			}
		}
		d.AddHess(s.param, s.param, xs*xs*row[p])
	}
}

// penalty subtracts the ridge.
func (c *covProblem) penalty(ridge float64, theta []float64, d *mle.Derivs) {
	for j := c.base; j < len(theta); j++ {
		d.Value -= ridge * theta[j] * theta[j]
		d.Grad[j] -= 2 * ridge * theta[j]
		if d.Hess != nil {
			d.AddHess(j, j, -2*ridge)
		}
	}
}

// shift returns by how much the logarithm of each parameter of the base changes with one unit of each scaled coefficient
// when the covariates are no longer centered.
func (c *covProblem) shift() [][]float64 {
	by := make([][]float64, c.base)
	for p := range by {
		by[p] = make([]float64, len(c.params))
	}
	for _, s := range c.slots {
		by[c.param[s.effect]][s.param] -= c.sign[s.effect] * c.mean[s.column] / c.scale[s.column]
	}
	return by
}

// scales returns the scale of each coefficient's column, 1 for parameters of the base.
func (c *covProblem) scales() []float64 {
	out := make([]float64, len(c.params))
	for p := range c.base {
		out[p] = 1
	}
	for _, s := range c.slots {
		out[s.param] = c.scale[s.column]
	}
	return out
}

// unscale maps parameters and covariance to covariates as they are.
func (c *covProblem) unscale(r *mle.Result) {
	by, scales := c.shift(), c.scales()
	old := slices.Clone(r.Theta)
	for p := range c.base {
		move := 0.0
		for j := c.base; j < len(old); j++ {
			move += by[p][j] * old[j]
		}
		r.Theta[p] = old[p] * math.Exp(move)
	}
	for j := c.base; j < len(old); j++ {
		r.Theta[j] = old[j] / scales[j]
	}
	if r.Cov == nil {
		return
	}
	// The derivatives of the new parameters in the old ones.
	n := len(old)
	jacobian := make([][]float64, n)
	for i := range jacobian {
		jacobian[i] = make([]float64, n)
		jacobian[i][i] = r.Theta[i] / old[i]
		if i >= c.base {
			jacobian[i][i] = 1 / scales[i]
			continue
		}
		for j := c.base; j < n; j++ {
			jacobian[i][j] = by[i][j] * r.Theta[i]
		}
	}
	r.Cov = sandwich(jacobian, r.Cov)
}

// sandwich returns J C J', exactly symmetric.
func sandwich(j, c [][]float64) [][]float64 {
	n := len(j)
	half := make([][]float64, n)
	out := make([][]float64, n)
	for i := range n {
		half[i], out[i] = make([]float64, n), make([]float64, n)
		for k := range n {
			for l := range n {
				half[i][k] += j[i][l] * c[l][k]
			}
		}
	}
	for i := range n {
		for k := range i + 1 {
			for l := range n {
				out[i][k] += half[i][l] * j[k][l]
			}
			out[k][i] = out[i][k]
		}
	}
	return out
}

// start maps a start for covariates as they are to scaled ones; nil stays nil.
func (c *covProblem) start(theta []float64) ([]float64, error) {
	if theta == nil {
		return nil, nil
	}
	if len(theta) != len(c.params) {
		return nil, fmt.Errorf("a start of %d values for %d parameters", len(theta), len(c.params))
	}
	by, scales := c.shift(), c.scales()
	out := slices.Clone(theta)
	for j := c.base; j < len(out); j++ {
		out[j] *= scales[j]
	}
	for p := range c.base {
		for j := c.base; j < len(out); j++ {
			out[p] *= math.Exp(-by[p][j] * out[j])
		}
	}
	return out, nil
}
