package risk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
)

// A likelihood is the log-likelihood of a binary outcome whose linear predictor has k coefficients, concave in them.
type likelihood interface {
	// size returns the number of coefficients and of rows that add ranges over.
	size() (k, rows int)
	// add adds rows lo to hi-1 at b to s: the log-likelihood, its gradient and the information, only the lower triangle
	// of which is filled in; the expected one if expected, else the observed one.
	add(b []float64, lo, hi int, expected bool, s *sums)
	// against returns by how much the direction d goes against what a row did, at most, and its largest value over
	// all rows. A direction that goes against none leads to a separated likelihood.
	against(d []float64) (worst, largest float64)
}

// sums are a log-likelihood with its derivatives.
type sums struct {
	logLik float64
	grad   []float64
	info   []float64 // k rows of k; minus the second derivatives
}

func newSums(k int) *sums { return &sums{grad: make([]float64, k), info: make([]float64, k*k)} }

func (s *sums) reset() {
	s.logLik = 0
	clear(s.grad)
	clear(s.info)
}

func (s *sums) plus(o *sums) {
	s.logLik += o.logLik
	for j, x := range o.grad {
		s.grad[j] += x
	}
	for j, x := range o.info {
		s.info[j] += x
	}
}

// A newton searches the maximum of a likelihood less a penalty by Newton's method.
type newton struct {
	lik     likelihood
	penalty []float64 // by coefficient; nil for none
	names   []string  // of the coefficients, for errors
	free    int       // coefficients before this one are intercepts, which errors name last
	least   float64   // smallest weight of a row, at most 1
	mean    float64   // mean weight
	maxIter int
	workers int

	b           []float64
	sums        *sums
	factor      [][]float64
	partial     []*sums // one a chunk, used again
	iter, evals int
}

// Newton's method squares the error from step to step, so that the step after one with a decrement below newtonDone is
// exact to rounding. Where the likelihood rises without end the decrement falls by a factor e only.
const (
	newtonDone    = 1e-13 // for weights of 1
	separatedAt   = 1e-3  // a decrement, for weights of 1, below which a slow fall makes separation likely
	separatedFall = 0.2   // what is slow
	pivotLeast    = 1e-10
	chunkLeast    = 4096
	chunksMost    = 256
	blockCells    = 1 << 22 // of the information matrix, updated in some 10 ms
	cellsMost     = 1 << 22 // of the information matrices of all chunks
)

// evaluate sums over fixed chunks, which are added in their order: the bits do not depend on the number of workers.
func (n *newton) evaluate(ctx context.Context, b []float64, expected bool) (*sums, error) {
	n.evals++
	k, rows := n.lik.size()
	most := min(chunksMost, max(2, cellsMost/(k*k)))
	chunk := max(chunkLeast, (rows+most-1)/most)
	chunks := (rows + chunk - 1) / chunk
	block := max(16, blockCells/(k*k)) // rows between two looks at the context
	for len(n.partial) < chunks {
		n.partial = append(n.partial, newSums(k))
	}
	var next atomic.Int64
	work := func() {
		for {
			c := int(next.Add(1)) - 1
			if c >= chunks || ctx.Err() != nil {
				return
			}
			n.partial[c].reset()
			end := min((c+1)*chunk, rows)
			for lo := c * chunk; lo < end && ctx.Err() == nil; lo += block {
				n.lik.add(b, lo, min(lo+block, end), expected, n.partial[c])
			}
		}
	}
	workers := n.workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var others sync.WaitGroup
	for range min(workers, chunks) - 1 {
		others.Add(1)
		go func() {
			defer others.Done()
			work()
		}()
	}
	work()
	others.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("risk: %w", err)
	}
	total := newSums(k)
	for _, p := range n.partial[:chunks] {
		total.plus(p)
	}
	for i := range k {
		for j := range i {
			total.info[j*k+i] = total.info[i*k+j]
		}
	}
	return total, nil
}

// run searches from start.
func (n *newton) run(ctx context.Context, start []float64) error {
	n.b = start
	var err error
	if n.sums, err = n.evaluate(ctx, n.b, false); err != nil {
		return err
	}
	last := math.Inf(1)
	var step []float64
	for n.iter = 1; n.iter <= n.maxIter; n.iter++ {
		factor, bad := n.factorize()
		if bad >= 0 && n.iter == 1 {
			return n.collinear(bad)
		}
		if bad >= 0 {
			return n.stuck(step, fmt.Errorf("risk: %w: the information of the coefficients is singular; set Ridge", fit.ErrNotConverged))
		}
		slope := n.slope()
		step = linalg.Solve(factor, slope)
		decrement := linalg.Dot(slope, step)
		if decrement < separatedAt*n.least && decrement > separatedFall*last && decrement > 1e-14*n.least && n.separates(step) {
			return n.separated(step)
		}
		if err := n.move(ctx, step, decrement); err != nil {
			return n.stuck(step, err)
		}
		if decrement < n.done() {
			n.factor, bad = n.factorize()
			if bad >= 0 {
				return n.stuck(step, fmt.Errorf("risk: %w: the information of the coefficients is singular; set Ridge", fit.ErrNotConverged))
			}
			return nil
		}
		last = decrement
	}
	return n.stuck(step, fmt.Errorf("risk: %w after %d iterations: raise MaxIter or set Ridge", fit.ErrNotConverged, n.maxIter))
}

// stuck returns the error of a search that did not end well, which is separation where no row speaks against the last step
// or the point that it came to.
func (n *newton) stuck(step []float64, err error) error {
	if !errors.Is(err, fit.ErrNotConverged) {
		return err
	}
	for _, direction := range [...][]float64{step, n.b} {
		if direction != nil && n.separates(direction) {
			return n.separated(direction)
		}
	}
	return err
}

// done returns the decrement at which a last step is taken.
func (n *newton) done() float64 { return newtonDone * min(1, n.mean, 1e8*n.least) }

// objective returns the penalized log-likelihood.
func (n *newton) objective(s *sums, b []float64) float64 {
	value := s.logLik
	for j, w := range n.penalty {
		value -= w / 2 * b[j] * b[j]
	}
	return value
}

// penalized returns the information with the penalty's.
func (n *newton) penalized(info []float64) [][]float64 {
	k := len(n.b)
	m := linalg.NewMatrix(k)
	for j := range m {
		copy(m[j], info[j*k:(j+1)*k])
		if n.penalty != nil {
			m[j][j] += n.penalty[j]
		}
	}
	return m
}

// factorize returns the Cholesky factor of the penalized information.
func (n *newton) factorize() ([][]float64, int) {
	return linalg.Cholesky(n.penalized(n.sums.info), pivotLeast)
}

func (n *newton) slope() []float64 {
	slope := make([]float64, len(n.b))
	copy(slope, n.sums.grad)
	for j, w := range n.penalty {
		slope[j] -= w * n.b[j]
	}
	return slope
}

// move takes the step, halved until the likelihood does not fall by more than rounding explains.
func (n *newton) move(ctx context.Context, step []float64, decrement float64) error {
	before := n.objective(n.sums, n.b)
	for scale := 1.0; scale > 1e-10; scale /= 2 {
		b := make([]float64, len(step))
		for j := range b {
			b[j] = n.b[j] + scale*step[j]
		}
		s, err := n.evaluate(ctx, b, false)
		if err != nil {
			return err
		}
		after := n.objective(s, b)
		if after >= before-1e-10*math.Abs(before) || (decrement < n.done() && !math.IsNaN(after)) {
			n.b, n.sums = b, s
			return nil
		}
	}
	return fmt.Errorf("risk: %w: no step raises the likelihood; set Ridge", fit.ErrNotConverged)
}

// separates reports whether the likelihood rises for ever along a step: whether no row speaks against it.
func (n *newton) separates(step []float64) bool {
	d := make([]float64, len(step))
	for j, x := range step {
		if n.penalty == nil || n.penalty[j] == 0 {
			d[j] = x
		}
	}
	worst, largest := n.lik.against(d)
	return largest > 0 && worst <= 1e-7*largest
}

// collinear names the covariate of a pivot that vanished, and those that it is made of.
func (n *newton) collinear(bad int) error {
	e := &CovariateError{Covariate: n.names[bad], Err: fmt.Errorf("%w: it does not vary", ErrCollinear)}
	before := make([]int, bad)
	for j := range before {
		before[j] = j
	}
	info := n.penalized(n.sums.info)
	if l, b := linalg.Cholesky(linalg.Within(info, before), pivotLeast); b < 0 && bad > 0 {
		for j, w := range linalg.Solve(l, linalg.Pick(info[bad], before)) {
			if math.Abs(w) > 1e-6 && (j >= n.free || n.free > 1) {
				e.With = append(e.With, n.names[j])
			}
		}
	}
	if len(e.With) > 0 {
		e.Err = fmt.Errorf("%w: it is a linear combination of them; leave one out or set Ridge", ErrCollinear)
	}
	return e
}

// separated names the covariates along which the likelihood rises without end.
func (n *newton) separated(direction []float64) error {
	first := n.free
	if first >= len(direction) {
		first = 0
	}
	at := first
	for j := first; j < len(direction); j++ {
		if math.Abs(direction[j]) > math.Abs(direction[at]) {
			at = j
		}
	}
	sign := "+Inf"
	if direction[at] < 0 {
		sign = "-Inf"
	}
	e := &CovariateError{Covariate: n.names[at],
		Err: fmt.Errorf("%w to %s; leave it out, merge levels or set Ridge", ErrSeparation, sign)}
	for j := first; j < len(direction); j++ {
		if j != at && math.Abs(direction[j]) > 0.05*math.Abs(direction[at]) {
			e.With = append(e.With, n.names[j])
		}
	}
	return e
}
