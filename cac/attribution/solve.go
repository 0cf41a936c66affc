package attribution

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// directStates is the most states for which the linear system is solved directly.
const directStates = 2000

const (
	tolerance = 1e-12  // of the residual, and of the estimated error, of the iteration
	maxSweeps = 100000 // of one solution by iteration
)

// The removal effect of channel c is the part of the conversions that is lost when no journey can enter a state of c.
// A journey that is lost is one that has been in such a state. Let u(t) be the part of the visits to state t whose
// journey has been in a state of c, this visit included. Looking backwards,
//
//	u(t) = 1                                              if t is a state of c
//	u(t) = Σ count(s -> t) u(s) / Σ (count(s -> t) + start(t))    otherwise
//
// because the flow of the chain through each state is the number of visits that were seen; and
//
//	RE(c) = Σ conv(t) u(t) / Σ conv(t) = 1 - P(conversion without c) / P(conversion)
//
// The system has non-negative terms only, so that the effect of a tiny channel keeps all its digits, which 1 - P/P does
// not. The same u gives the effect on value.

// An effect is what is lost without a channel, as shares of conversions and of value.
type effect struct {
	conversions, value float64
	sweeps             int
	residual           float64
}

// effects returns the removal effect of every channel. Channels that are in no state have none.
func (c *chain) effects(ctx context.Context, workers int, limit int) ([]effect, error) {
	having := c.having()
	if len(c.states) <= limit {
		return c.direct(ctx, workers, having)
	}
	out := make([]effect, c.channels)
	inflow := c.inflow()
	err := parallel(ctx, workers, c.channels, func(ctx context.Context, i int) error {
		if len(having[i]) == 0 {
			return nil
		}
		u := make([]float64, len(c.states))
		e, err := c.sweep(ctx, having[i], inflow, u)
		if err != nil {
			return err
		}
		e.conversions, e.value = c.lost(u)
		out[i] = e
		return nil
	})
	return out, err
}

// inflow returns what flows into each state from others and from the start.
func (c *chain) inflow() []float64 {
	in := make([]float64, len(c.states))
	for t := range in {
		var sum kahan
		sum.add(c.start[t])
		for e := c.first[t]; e < c.first[t+1]; e++ {
			sum.add(c.count[e])
		}
		in[t] = sum.value()
	}
	return in
}

// lost returns the parts of conversions and of value that u takes away.
func (c *chain) lost(u []float64) (conversions, value float64) {
	var lostConv, lostValue kahan
	for s, x := range u {
		lostConv.add(c.conv[s] * x)
		lostValue.add(c.value[s] * x)
	}
	if c.totals.conv > 0 {
		conversions = lostConv.value() / c.totals.conv
	}
	if c.totals.value > 0 {
		value = lostValue.value() / c.totals.value
	}
	return conversions, value
}

// sweep solves for u by Gauss-Seidel from below: every sweep raises u, and it stops when the last sweep's largest change
// bounds the residual, and the geometric series of the changes the error, by the tolerance.
func (c *chain) sweep(ctx context.Context, removed []int32, inflow, u []float64) (effect, error) {
	fixed := make([]bool, len(u))
	for _, s := range removed {
		fixed[s], u[s] = true, 1
	}
	before := math.Inf(1)
	for n := 1; n <= maxSweeps; n++ {
		change := 0.0
		for t := range u {
			if t%65536 == 0 && ctx.Err() != nil {
				return effect{}, ctx.Err()
			}
			if fixed[t] {
				continue
			}
			sum := 0.0
			lo, hi := c.first[t], c.first[t+1]
			from, count := c.from[lo:hi], c.count[lo:hi]
			for e, s := range from {
				sum += float64(count[e] * u[s])
			}
			x := sum / inflow[t]
			change = max(change, math.Abs(x-u[t]))
			u[t] = x
		}
		ratio := min(change/before, 1)
		if change <= tolerance && (change == 0 || change*ratio <= tolerance*(1-ratio)) {
			return effect{sweeps: n, residual: change}, nil
		}
		before = change
	}
	return effect{}, fmt.Errorf("%w: the iteration still changes after %d sweeps", ErrNotConverged, maxSweeps)
}

// direct solves for all channels by elimination. With M = D - C the matrix of the system, D the inflows and C the
// counts, u = W(.,R) y where W is the inverse of M, R the states of the channel, and W(R,R) y = 1.
func (c *chain) direct(ctx context.Context, workers int, having [][]int32) ([]effect, error) {
	n := len(c.states)
	out := make([]effect, c.channels)
	inverse, err := c.inverse(ctx, workers)
	if err != nil {
		return nil, err
	}
	conv, value := leftSolve(inverse, n, c.conv), leftSolve(inverse, n, c.value)
	err = parallel(ctx, workers, c.channels, func(ctx context.Context, i int) error {
		r := having[i]
		switch {
		case len(r) == 0:
			return nil
		case 2*len(r) > n:
			return c.complement(ctx, r, &out[i])
		}
		y, err := charge(inverse, n, r)
		if err != nil {
			return err
		}
		var lostConv, lostValue kahan
		for k, s := range r {
			lostConv.add(conv[s] * y[k])
			lostValue.add(value[s] * y[k])
		}
		if c.totals.conv > 0 {
			out[i].conversions = lostConv.value() / c.totals.conv
		}
		if c.totals.value > 0 {
			out[i].value = lostValue.value() / c.totals.value
		}
		return nil
	})
	return out, err
}

// leftSolve returns x W for a row vector x.
func leftSolve(w []float64, n int, x []float64) []float64 {
	out := make([]float64, n)
	for i, xi := range x {
		if xi != 0 {
			floats.AddScaled(out, xi, w[i*n:(i+1)*n])
		}
	}
	return out
}

// charge solves W(R,R) y = 1.
func charge(w []float64, n int, r []int32) ([]float64, error) {
	if len(r) == 1 {
		return []float64{1 / w[int(r[0])*(n+1)]}, nil
	}
	block := mat.NewDense(len(r), len(r), nil)
	ones := mat.NewVecDense(len(r), nil)
	for i, s := range r {
		ones.SetVec(i, 1)
		for j, t := range r {
			block.Set(i, j, w[int(s)*n+int(t)])
		}
	}
	var y mat.VecDense
	if err := y.SolveVec(block, ones); err != nil {
		var condition mat.Condition
		if !errors.As(err, &condition) || math.IsInf(float64(condition), 1) {
			return nil, fmt.Errorf("%w: %v", ErrNotConverged, err) //nolint:errorlint // gonum's error is text only here
		}
	}
	return y.RawVector().Data, nil
}

// complement solves the states that are not of the channel, where they are the fewer.
func (c *chain) complement(ctx context.Context, removed []int32, out *effect) error {
	u := make([]float64, len(c.states))
	for _, s := range removed {
		u[s] = 1
	}
	place := make([]int, len(u))
	var rest []int32
	for s := range u {
		place[s] = -1
		if u[s] == 0 {
			place[s] = len(rest)
			rest = append(rest, int32(s))
		}
	}
	n := len(rest)
	a, out0, b := make([]float64, n*n), make([]float64, n), make([]float64, n)
	for i, t := range rest {
		out0[i] = c.start[t]
		for e := c.first[t]; e < c.first[t+1]; e++ {
			if j := place[c.from[e]]; j >= 0 {
				a[i*n+j] += c.count[e]
			} else {
				b[i] += c.count[e]
				out0[i] += c.count[e]
			}
		}
	}
	d, err := eliminate(ctx, a, out0, n, 1)
	if err != nil {
		return err
	}
	substitute(a, d, n, b, 1, 0)
	for i, t := range rest {
		u[t] = b[i]
	}
	out.conversions, out.value = c.lost(u)
	return nil
}

// inverse returns the inverse of M, row by row.
func (c *chain) inverse(ctx context.Context, workers int) ([]float64, error) {
	n := len(c.states)
	a := make([]float64, n*n)
	for t := range n {
		for e := c.first[t]; e < c.first[t+1]; e++ {
			a[t*n+int(c.from[e])] += c.count[e]
		}
	}
	leak := make([]float64, n)
	copy(leak, c.start)
	d, err := eliminate(ctx, a, leak, n, workers)
	if err != nil {
		return nil, err
	}
	const width = 32
	w := make([]float64, n*n)
	err = parallel(ctx, workers, (n+width-1)/width, func(_ context.Context, p int) error {
		lo := p * width
		hi := min(lo+width, n)
		x := make([]float64, n*(hi-lo))
		for j := lo; j < hi; j++ {
			x[j*(hi-lo)+j-lo] = 1
		}
		substitute(a, d, n, x, hi-lo, lo)
		for i := range n {
			copy(w[i*n+lo:i*n+hi], x[i*(hi-lo):(i+1)*(hi-lo)])
		}
		return nil
	})
	return w, err
}

// eliminate factors the matrix with the non-negative off-diagonal elements -a and the row sums leak, of which none is
// negative: Gaussian elimination of Grassmann, Taksar and Heyman (Operations Research 33, 1985), which never subtracts,
// so that every element of the factors is precise to a few units of its last digit whatever the condition. The diagonal
// of a is not used. Below it a holds the multipliers afterwards, above it the upper factor; d is its diagonal.
func eliminate(ctx context.Context, a, leak []float64, n, workers int) ([]float64, error) {
	d := make([]float64, n)
	const chunk = 32
	for k := range n {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		row := a[k*n : (k+1)*n]
		d[k] = leak[k] + floats.Sum(row[k+1:])
		below := func(i int) {
			m := a[i*n+k] / d[k]
			if m == 0 {
				return
			}
			a[i*n+k] = m
			floats.AddScaled(a[i*n+k+1:(i+1)*n], m, row[k+1:])
			leak[i] += m * leak[k]
		}
		left := n - k - 1
		if workers < 2 || left < 512 {
			for i := k + 1; i < n; i++ {
				below(i)
			}
			continue
		}
		_ = parallel(context.Background(), workers, (left+chunk-1)/chunk, func(_ context.Context, p int) error {
			for i := k + 1 + p*chunk; i < min(k+1+(p+1)*chunk, n); i++ {
				below(i)
			}
			return nil
		})
	}
	return d, nil
}

// substitute solves for width right-hand sides x, of which the rows before the first are zero.
func substitute(a, d []float64, n int, x []float64, width, first int) {
	for i := first + 1; i < n; i++ {
		xi := x[i*width : (i+1)*width]
		for k := first; k < i; k++ {
			if m := a[i*n+k]; m != 0 {
				floats.AddScaled(xi, m, x[k*width:(k+1)*width])
			}
		}
	}
	for i := n - 1; i >= 0; i-- {
		xi := x[i*width : (i+1)*width]
		for k := i + 1; k < n; k++ {
			if m := a[i*n+k]; m != 0 {
				floats.AddScaled(xi, m, x[k*width:(k+1)*width])
			}
		}
		floats.Scale(1/d[i], xi)
	}
}

// parallel calls f for 0 to n-1 on several goroutines and waits for all. It returns the error of the lowest number that
// has one, and stops handing out numbers once there is one or the context ends.
func parallel(ctx context.Context, workers, n int, f func(ctx context.Context, i int) error) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f(ctx, i); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, n)
	var next atomic.Int64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for !stop.Load() && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[i] = f(ctx, i); errs[i] != nil {
					stop.Store(true)
				}
			}
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
