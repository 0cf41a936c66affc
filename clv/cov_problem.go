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
	link   linkage
	params []mle.Param
	base   int // parameters of the plain model
	slots  []slot
	param  []int     // of each effect, the parameter in whose place the coordinate stands that it moves
	sign   []float64 // of each effect
	rows   covRows
	weight float64   // customers
	x      []float64 // the scaled covariates, row by row
	mean   []float64 // of each column
	scale  []float64
}

func newCovProblem[M Linked](ctx context.Context, p patterns, m Cov[M], rows covRows, workers int) (*covProblem, error) {
	link, _ := m.linkage()
	c := &covProblem{link: link, base: len(link.params), slots: m.slots(len(link.params)), rows: rows}
	for i, name := range m.names(link.params) {
		param := mle.Param{Name: name, Scale: fit.Identity}
		if i < c.base {
			param.Scale = link.scale(i)
		}
		c.params = append(c.params, param)
	}
	for _, l := range link.links {
		c.param, c.sign = append(c.param, l.param), append(c.sign, l.sign)
	}
	for _, w := range rows.weights {
		c.weight += w
	}
	return c, c.standardize(ctx, p, workers)
}

// standardize fills x, mean and scale. It returns an error for a column that does not vary or is a combination of those
// before it.
func (c *covProblem) standardize(ctx context.Context, p patterns, workers int) error {
	n, width := len(c.rows.index), len(p.columns)
	c.x, c.mean, c.scale = make([]float64, n*width), make([]float64, width), make([]float64, width)
	varies := make([]bool, width)
	if err := inPieces(ctx, width, 1, workers, func(j, _ int) error {
		varies[j] = c.standardizeColumn(j, p.columns[j])
		return nil
	}); err != nil {
		return err
	}
	if j := slices.Index(varies, false); j >= 0 {
		return fmt.Errorf("clv: covariate %q: %w", p.names[j], errConstant)
	}
	// Cholesky of the correlations: a pivot is the share of a column that those before it do not explain.
	l := square(width)
	for j := range l {
		for k := range j + 1 {
			sum := 0.0
			for i, w := range c.rows.weights {
				sum += w * c.x[i*width+j] * c.x[i*width+k]
			}
			l[j][k] = sum / c.weight
			for q := range k {
				l[j][k] -= l[j][q] * l[k][q]
			}
			if k < j {
				l[j][k] /= l[k][k]
				continue
			}
			if !(l[j][j] > 1e-9) {
				return fmt.Errorf("clv: covariate %q: %w", p.names[j], errCombination)
			}
			l[j][j] = math.Sqrt(l[j][j])
		}
	}
	return nil
}

// standardizeColumn fills x, mean and scale of column j and reports whether it varies.
func (c *covProblem) standardizeColumn(j int, column []float64) bool {
	width := len(c.mean)
	var mean, square, most float64
	for i, at := range c.rows.index {
		v := column[at]
		c.x[i*width+j] = v
		mean += c.rows.weights[i] * v
		most = max(most, math.Abs(v))
	}
	mean /= c.weight
	for i, w := range c.rows.weights {
		v := c.x[i*width+j] - mean
		square += w * v * v
	}
	scale := math.Sqrt(square / c.weight)
	if !(scale > 1e-10*most) || math.IsInf(scale, 1) {
		return false
	}
	for i := range c.rows.index {
		c.x[i*width+j] = (c.x[i*width+j] - mean) / scale
	}
	c.mean[j], c.scale[j] = mean, scale
	return true
}

// maximize searches from the estimate without covariates, base, whose log-likelihood the result is not below.
func (c *covProblem) maximize(ctx context.Context, base []float64, logLik float64, o *CovOptions) (mle.Result, error) {
	options := o.Fit
	if options.GradTol == 0 {
		options.GradTol = 1e-6 // the last Newton steps go on to the last digits, which line searches cannot see
	}
	var err error
	if options.Start, err = c.start(o.Fit.Start); err != nil {
		return mle.Result{}, err
	}
	start := append(c.measured(base), make([]float64, len(c.params)-c.base)...)
	p := mle.Problem{Params: c.params, Rows: len(c.rows.index), Weight: c.weight, Second: true, Sum: c.sum, Starts: [][]float64{start}}
	if o.Ridge > 0 {
		p.Prior = func(theta []float64, d *mle.Derivs) { c.penalty(o.Ridge, theta, d) }
		p.Withhold = fmt.Sprintf("the coefficients are shrunken by an L2 penalty of %g", o.Ridge)
	}
	unit := 0.0 // what a change of the outcome's unit adds to the log-likelihood
	if c.rows.scale > 0 {
		unit = c.weight * math.Log(c.rows.scale)
		if progress := o.Fit.Progress; progress != nil {
			options.Progress = func(p fit.Progress) {
				p.LogLik -= unit
				progress(p)
			}
		}
	}
	if near, err := c.near(ctx, p, options); err == nil {
		p.Starts = [][]float64{near, start}
	}
	r, err := mle.Maximize(ctx, p, &options)
	if r.Theta != nil && err == nil && o.Ridge == 0 && r.LogLik-unit < logLik { // another maximum
		p.Starts, options.Start = [][]float64{start}, nil
		r, err = mle.Maximize(ctx, p, &options)
	}
	r.LogLik -= unit
	return r, err
}

// sum adds the log-likelihood of the rows with its derivatives, by the chain rule from those of the plain model. With L_k
// and L_kl the derivatives of a customer's log-likelihood in the coordinates,
//
//	d/d g_c = sign x_c L_k,    d2/d g_c d g_d = sign sign x_c x_d L_kl
//
// Customers with the same covariates have the same parameters and are summed at once.
func (c *covProblem) sum(theta []float64, lo, hi int, d *mle.Derivs) {
	width := len(c.mean)
	part := mle.Derivs{Grad: make([]float64, c.base)}
	if d.Hess != nil {
		part.Hess = make([]float64, c.base*c.base)
	}
	v, by := make([]float64, c.base), make([]float64, c.base)
	sum := c.rows.kernel(theta[:c.base], d.Hess != nil)
	t := newCovMoments(c, d.Hess != nil)
	m := newCovMoves(c, theta)
	for next := lo; next < hi; {
		next = m.fill(next, hi)
		for i, from := range m.starts[:m.n] {
			m.move(i, by, v)
			part.Value = 0
			clear(part.Grad)
			clear(part.Hess)
			sum(v, by, from, m.starts[i+1], &part)
			c.link.inCoordinates(v, &part)
			t.add(c.x[from*width:(from+1)*width], &part)
		}
	}
	sum(nil, nil, lo, lo, d)
	t.finish(theta, d)
}

// near returns the estimate from one row in eight, or in sixteen, for few more steps to do on many rows. It returns an
// error where there are few, or a start is given.
func (c *covProblem) near(ctx context.Context, p mle.Problem, options fit.Options) ([]float64, error) {
	const enough, many = 32_000, 200_000
	if p.Rows < enough || options.Start != nil {
		return nil, errFew
	}
	step := 8
	if p.Rows > many {
		step = 16
	}
	picked := *c
	picked.x = nil
	picked.rows = covRows{kernel: func(theta []float64, second bool) covSum {
		sum := c.rows.kernel(theta, second)
		return func(v, by []float64, lo, hi int, d *mle.Derivs) {
			if lo == hi {
				sum(v, by, lo, lo, d)
			}
			for i := lo; i < hi; i++ {
				sum(v, by, i*step, i*step+1, d)
			}
		}
	}}
	width := len(c.mean)
	p.Weight = 0
	for i := 0; i < p.Rows; i += step {
		picked.rows.of = append(picked.rows.of, c.rows.of[i])
		picked.x = append(picked.x, c.x[i*width:(i+1)*width]...)
		p.Weight += c.rows.weights[i]
	}
	p.Rows, p.Sum, p.Rough = len(picked.rows.of), picked.sum, true
	options.GradTol, options.Progress = 2e-3, nil // the gradient of all rows is larger there
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

// shift returns by how much each coordinate of the base changes with one unit of each scaled coefficient when the
// covariates are no longer centered.
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

// moved returns the base of theta, moved by so much for one unit of each coefficient.
func (c *covProblem) moved(theta []float64, by [][]float64, sign float64) []float64 {
	move, out := make([]float64, c.base), make([]float64, c.base)
	for p := range move {
		for j := c.base; j < len(theta); j++ {
			move[p] += sign * by[p][j] * theta[j]
		}
	}
	c.link.move(theta[:c.base], move, out)
	return out
}

// unscale maps parameters and covariance to covariates and outcomes as they are.
func (c *covProblem) unscale(r *mle.Result) {
	by, scales := c.shift(), c.scales()
	old := r.Theta
	r.Theta = slices.Clone(old)
	copy(r.Theta, c.moved(old, by, 1))
	for j := c.base; j < len(old); j++ {
		r.Theta[j] = old[j] / scales[j]
	}
	if r.Cov != nil {
		jacobian := square(len(old))
		c.link.jacobian(old[:c.base], r.Theta[:c.base], by, jacobian)
		for j := c.base; j < len(old); j++ {
			jacobian[j][j] = 1 / scales[j]
		}
		r.Cov = sandwich(jacobian, r.Cov)
	}
	if unit := c.rows.scale; unit > 0 {
		for i := range r.Theta {
			r.Theta[i] *= unit
			if r.Cov != nil {
				for j := range r.Cov[i] {
					r.Cov[i][j] *= unit * unit
				}
			}
		}
		r.Theta[0] += c.rows.location
	}
}

// sandwich returns J C J', exactly symmetric.
func sandwich(j, c [][]float64) [][]float64 {
	half, out := make([][]float64, len(j)), square(len(j))
	for i := range j {
		half[i] = make([]float64, len(c))
		for k := range c {
			for l, w := range j[i] {
				half[i][k] += w * c[l][k]
			}
		}
		for k := range i + 1 {
			for l, w := range j[k] {
				out[i][k] += half[i][l] * w
			}
			out[k][i] = out[i][k]
		}
	}
	return out
}

// measured returns parameters in the unit of the outcome that the rows have.
func (c *covProblem) measured(theta []float64) []float64 {
	out := slices.Clone(theta)
	if c.rows.scale > 0 {
		out[0] -= c.rows.location
		for i := range out {
			out[i] /= c.rows.scale
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
	scales := c.scales()
	out := c.measured(theta)
	for j := c.base; j < len(out); j++ {
		out[j] *= scales[j]
	}
	copy(out, c.moved(out, c.shift(), -1))
	return out, nil
}
