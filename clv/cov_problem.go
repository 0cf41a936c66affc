package clv

import (
	"context"
	"errors"
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
	t := newChained(c, d.Hess != nil)
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
		t.add(v, x, &part)
		from = to
	}
	t.finish(theta, d)
}

// A chained sums derivatives in the logarithms of the base's parameters and in each coefficient in each of its places,
// which finish folds into parameters.
type chained struct {
	c     *covProblem
	value float64
	param []int     // of each place, the parameter of the base that it moves
	sign  []float64 // of each place
	by    []float64 // by how much it moves its logarithm: 1, or sign x
	grad  []float64
	hess  []float64 // upper triangle
	log   []float64 // second derivatives of one customer in the logarithms
	// Neighbors that move the same parameter.
	blocks []block
}

type block struct{ param, from, to int }

func newChained(c *covProblem, second bool) *chained {
	n := c.base + len(c.slots)
	t := &chained{c: c, param: make([]int, n), sign: make([]float64, n), by: make([]float64, n), grad: make([]float64, n)}
	for p := range c.base {
		t.param[p], t.by[p] = p, 1
	}
	for k, s := range c.slots {
		t.param[c.base+k], t.sign[c.base+k] = c.param[s.effect], c.sign[s.effect]
	}
	for a, p := range t.param {
		if k := len(t.blocks) - 1; k >= 0 && t.blocks[k].param == p {
			t.blocks[k].to++
			continue
		}
		t.blocks = append(t.blocks, block{p, a, a + 1})
	}
	if second {
		t.hess, t.log = make([]float64, n*n), make([]float64, c.base*c.base)
	}
	return t
}

// add adds the sum over customers with the parameters v and the covariates x.
func (t *chained) add(v, x []float64, part *mle.Derivs) {
	base := t.c.base
	t.value += part.Value
	for p := range part.Grad {
		part.Grad[p] *= v[p]
	}
	for k, s := range t.c.slots {
		t.by[base+k] = t.sign[base+k] * x[s.column]
	}
	for a, p := range t.param {
		t.grad[a] += t.by[a] * part.Grad[p]
	}
	if t.hess == nil {
		return
	}
	for p := range base {
		for q := p; q < base; q++ {
			h := v[p] * v[q] * part.Hess[p*base+q]
			if p == q {
				h += part.Grad[p]
			}
			t.log[p*base+q], t.log[q*base+p] = h, h
		}
	}
	n := len(t.param)
	for a, p := range t.param {
		if t.by[a] == 0 {
			continue
		}
		of := t.hess[a*n : (a+1)*n]
		for _, block := range t.blocks {
			h := t.by[a] * t.log[p*base+block.param]
			if h == 0 || block.to <= a {
				continue
			}
			from := max(a, block.from)
			moved, of := t.by[from:block.to], of[from:block.to]
			for b, by := range moved {
				of[b] += h * by
			}
		}
	}
}

// finish adds the sums to d, on the natural scale of theta.
func (t *chained) finish(theta []float64, d *mle.Derivs) {
	d.Value += t.value
	c, n := t.c, len(t.param)
	// The place's parameter, and the derivative of what it sums in it.
	param, slope := make([]int, n), make([]float64, n)
	for a := range n {
		if a < c.base {
			param[a], slope[a] = a, 1/theta[a]
		} else {
			param[a], slope[a] = c.slots[a-c.base].param, 1
		}
		d.Grad[param[a]] += slope[a] * t.grad[a]
	}
	if d.Hess == nil {
		return
	}
	for a := range n {
		for b := a; b < n; b++ {
			h := t.hess[a*n+b]
			if a == b && a < c.base {
				h -= t.grad[a]
			}
			h *= slope[a] * slope[b]
			if a != b && param[a] == param[b] {
				h *= 2 // one coefficient in two places
			}
			d.AddHess(min(param[a], param[b]), max(param[a], param[b]), h)
		}
	}
}

// near returns the estimate from one row in sixteen, for few more steps to do on many rows. It returns an error where
// there are few, or a start is given.
func (c *covProblem) near(ctx context.Context, p mle.Problem, options fit.Options) ([]float64, error) {
	const step, enough = 16, 32_000
	if p.Rows < enough || options.Start != nil {
		return nil, errFew
	}
	picked := *c
	picked.of, picked.x = nil, nil
	picked.rows = covRows{sum: func(theta []float64, lo, hi int, d *mle.Derivs) {
		for i := lo; i < hi; i++ {
			c.rows.sum(theta, i*step, i*step+1, d)
		}
	}}
	width := len(c.mean)
	p.Weight = 0
	for i := 0; i < p.Rows; i += step {
		picked.of = append(picked.of, c.of[i])
		picked.x = append(picked.x, c.x[i*width:(i+1)*width]...)
		p.Weight += c.rows.weights[i]
	}
	p.Rows, p.Sum, p.Withhold = len(picked.of), picked.sum, "not needed"
	options.GradTol, options.Progress = 1e-4, nil
	r, err := mle.Maximize(ctx, p, &options)
	return r.Theta, err
}

var errFew = errors.New("few rows")

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
