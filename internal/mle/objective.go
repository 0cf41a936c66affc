package mle

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// chunk is the number of rows that are summed in one go. It is fixed, and so is the order in which the chunks' sums are
// added, so that the result has the same bits for any number of workers.
const chunk = 512

// An objective is minus the mean log-likelihood, prior included, over the working values of the free parameters.
type objective struct {
	ctx     context.Context
	p       *Problem
	free    []int
	workers int
	theta   []float64 // the current point, natural scale, fixed parameters included
	parts   []Derivs  // one a chunk
	total   Derivs    // likelihood and prior on the natural scale
	logLik  float64   // likelihood alone at the current point
	evals   int
	err     error // the first panic or the end of the context; every later value is +Inf

	at   []float64 // the point of the cached values below, nil for none
	f    float64
	grad []float64 // over the free parameters
	hess []float64 // likewise, full symmetric matrix; only where the problem has second derivatives
}

func newObjective(ctx context.Context, p *Problem, workers int) *objective {
	n := len(p.Params)
	o := &objective{ctx: ctx, p: p, free: p.free(), workers: workers, theta: make([]float64, n)}
	if o.workers == 0 {
		o.workers = runtime.GOMAXPROCS(0)
	}
	o.parts = make([]Derivs, (p.Rows+chunk-1)/chunk)
	for i := range o.parts {
		o.parts[i] = newDerivs(n, p.Second)
	}
	o.total = newDerivs(n, p.Second)
	o.grad = make([]float64, len(o.free))
	if p.Second {
		o.hess = make([]float64, len(o.free)*len(o.free))
	}
	return o
}

func newDerivs(n int, second bool) Derivs {
	d := Derivs{Grad: make([]float64, n)}
	if second {
		d.Hess = make([]float64, n*n)
	}
	return d
}

func (d *Derivs) reset() {
	d.Value = 0
	clear(d.Grad)
	clear(d.Hess)
}

func (d *Derivs) add(e *Derivs) {
	d.Value += e.Value
	for i, v := range e.Grad {
		d.Grad[i] += v
	}
	for i, v := range e.Hess {
		d.Hess[i] += v
	}
}

// start sets the fixed parameters and returns the working values of the free ones.
func (o *objective) start(theta []float64) []float64 {
	copy(o.theta, theta)
	o.at = nil
	u := make([]float64, len(o.free))
	for k, i := range o.free {
		u[k] = working(o.p.Params[i].Scale, theta[i])
	}
	return u
}

// evaluate computes value, gradient and Hessian at u unless they are the cached ones.
func (o *objective) evaluate(u []float64) {
	if o.at != nil && slices.Equal(o.at, u) {
		return
	}
	o.at = append(o.at[:0], u...)
	if o.err == nil {
		o.err = o.ctx.Err()
	}
	if o.err != nil || !o.move(u) {
		o.refuse()
		return
	}
	o.evals++
	o.sum()
	if o.err != nil || math.IsNaN(o.total.Value) || math.IsInf(o.total.Value, 0) {
		o.refuse()
		return
	}
	o.chain()
}

// move sets theta at u, or at the nearest point within the limits, and reports whether u is finite.
func (o *objective) move(u []float64) bool {
	for k, i := range o.free {
		if math.IsNaN(u[k]) || math.IsInf(u[k], 0) {
			return false
		}
		scale := o.p.Params[i].Scale
		o.theta[i], _, _ = natural(scale, u[k]-o.beyond(k, u[k]))
	}
	return true
}

// beyond returns by how much a working value is over its limit, with its sign.
func (o *objective) beyond(k int, u float64) float64 {
	most := limit(o.p.Params[o.free[k]].Scale)
	return u - max(-most, min(most, u))
}

// refuse makes the current point worse than any other.
func (o *objective) refuse() {
	o.f = math.Inf(1)
	clear(o.grad)
	clear(o.hess)
}

// sum fills total at theta.
func (o *objective) sum() {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				err := fmt.Errorf("panic in the likelihood: %v", r)
				failed.CompareAndSwap(nil, &err)
			}
		}()
		for i := int(next.Add(1)) - 1; i < len(o.parts); i = int(next.Add(1)) - 1 {
			if o.ctx.Err() != nil {
				return
			}
			o.parts[i].reset()
			o.p.Sum(o.theta, i*chunk, min((i+1)*chunk, o.p.Rows), &o.parts[i])
		}
	}
	if n := min(o.workers, len(o.parts)); n == 1 {
		work()
	} else {
		var wg sync.WaitGroup
		for range n {
			wg.Add(1)
			go func() { defer wg.Done(); work() }()
		}
		wg.Wait()
	}
	if err := failed.Load(); err != nil {
		o.err = *err
	} else {
		o.err = o.ctx.Err()
	}
	if o.err != nil {
		return
	}
	o.total.reset()
	for i := range o.parts {
		o.total.add(&o.parts[i])
	}
	o.logLik = o.total.Value
	if o.p.Prior != nil {
		o.p.Prior(o.theta, &o.total)
	}
}

// chain turns total into the mean objective on the working scale.
func (o *objective) chain() {
	n, scale := len(o.p.Params), -1/o.p.Weight
	o.f = scale * o.total.Value
	for k, i := range o.free {
		_, di, d2 := natural(o.p.Params[i].Scale, o.at[k]-o.beyond(k, o.at[k]))
		o.grad[k] = scale * di * o.total.Grad[i]
		if o.hess == nil {
			continue
		}
		for l := k; l < len(o.free); l++ {
			j := o.free[l]
			_, dj, _ := natural(o.p.Params[j].Scale, o.at[l]-o.beyond(l, o.at[l]))
			h := di * dj * o.total.Hess[i*n+j]
			if k == l {
				h += d2 * o.total.Grad[i]
			}
			o.hess[k*len(o.free)+l] = scale * h
			o.hess[l*len(o.free)+k] = scale * h
		}
	}
	o.wall()
}

// wall makes the objective beyond the limits that of the nearest point within them plus half the squared distance, so
// that a search that runs off meets a slope and not a cliff.
func (o *objective) wall() {
	for k := range o.free {
		over := o.beyond(k, o.at[k])
		if over == 0 {
			continue
		}
		o.f += over * over / 2
		o.grad[k] = over
		if o.hess != nil {
			for l := range o.free {
				o.hess[k*len(o.free)+l], o.hess[l*len(o.free)+k] = 0, 0
			}
			o.hess[k*len(o.free)+k] = 1
		}
	}
}

// badRow returns the first row whose log-likelihood at theta is not finite, or nil if only the sum is not.
func (o *objective) badRow() error {
	d := newDerivs(len(o.p.Params), false)
	for i := range o.p.Rows {
		d.reset()
		o.p.Sum(o.theta, i, i+1, &d)
		if math.IsNaN(d.Value) || math.IsInf(d.Value, 0) {
			return &BadRow{i, d.Value}
		}
	}
	return nil
}

// differences fills hess at u by central differences of the gradient.
func (o *objective) differences(u []float64) []float64 {
	n := len(u)
	h := make([]float64, n*n)
	at := slices.Clone(u)
	for k := range n {
		step := 1e-4 * max(1, math.Abs(u[k])/10)
		at[k] = u[k] + step
		o.evaluate(at)
		up, width := slices.Clone(o.grad), at[k]
		at[k] = u[k] - step
		o.evaluate(at)
		width -= at[k]
		for l := range n {
			h[k*n+l] = (up[l] - o.grad[l]) / width
		}
		at[k] = u[k]
	}
	for k := range n {
		for l := range k {
			mean := (h[k*n+l] + h[l*n+k]) / 2
			h[k*n+l], h[l*n+k] = mean, mean
		}
	}
	o.evaluate(u)
	return h
}
