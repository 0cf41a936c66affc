package survival

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// coxNewton searches the maximum of the partial likelihood of standardized covariates, less the penalty.
type coxNewton struct {
	data    *coxData
	ties    Ties
	penalty []float64 // nil for none
	maxIter int

	b           []float64
	sums, null  *coxSums // at b and at 0
	factor      [][]float64
	iter, evals int
	stop        fit.Stop
}

// Newton's method squares the error from step to step, so that the step after one with a decrement below newtonDone is
// exact to rounding. Where the likelihood rises without end the decrement falls by a factor e only.
const (
	newtonDone    = 1e-9
	separatedAt   = 1e-3 // a decrement below which a slow fall tells separation
	separatedFall = 0.2  // what is slow
	pivotLeast    = 1e-10
)

func (n *coxNewton) run(ctx context.Context) error {
	n.b = make([]float64, n.data.p)
	var err error
	if n.sums, err = n.evaluate(ctx, n.b); err != nil {
		return err
	}
	n.null = n.sums
	last := math.Inf(1)
	for n.iter = 1; n.iter <= n.maxIter; n.iter++ {
		factor, bad := n.factorize()
		if bad >= 0 && n.iter == 1 {
			return n.collinear(bad)
		}
		if bad >= 0 {
			return n.separated(n.b)
		}
		slope := n.slope()
		step := linalg.Solve(factor, slope)
		decrement := linalg.Dot(slope, step)
		if n.penalty == nil && decrement < separatedAt && decrement > 1e-14 && decrement > separatedFall*last {
			rises, err := n.rises(ctx, step)
			if err != nil {
				return err
			}
			if rises {
				return n.separated(step)
			}
		}
		if err := n.move(ctx, step, decrement); err != nil {
			return err
		}
		if decrement < newtonDone {
			n.factor, bad = n.factorize()
			if bad >= 0 {
				return n.separated(n.b)
			}
			return nil
		}
		last = decrement
	}
	n.iter, n.stop = n.maxIter, fit.MaxIterations
	return fmt.Errorf("survival: cox: %w after %d iterations: raise MaxIter or set Ridge", fit.ErrNotConverged, n.maxIter)
}

// soFar returns the fit at the point that a search without success has reached, nil if there is none.
func (n *coxNewton) soFar(tenures []ledger.Tenure, d *Design, o *CoxOptions) *CoxFit {
	if n.stop == fit.Converged {
		return nil
	}
	factor, bad := n.factorize()
	if bad >= 0 {
		return nil
	}
	n.factor = factor
	return n.result(tenures, d, o)
}

func (n *coxNewton) evaluate(ctx context.Context, b []float64) (*coxSums, error) {
	n.evals++
	return n.data.evaluate(ctx, n.ties, b)
}

// objective returns the penalized log-likelihood.
func (n *coxNewton) objective(s *coxSums, b []float64) float64 {
	value := s.logLik
	for j, w := range n.penalty {
		value -= w / 2 * b[j] * b[j]
	}
	return value
}

// factorize returns the Cholesky factor of the penalized information.
func (n *coxNewton) factorize() ([][]float64, int) {
	info := n.sums.info
	if n.penalty != nil {
		info = linalg.NewMatrix(n.data.p)
		for j := range info {
			copy(info[j], n.sums.info[j])
			info[j][j] += n.penalty[j]
		}
	}
	return linalg.Cholesky(info, pivotLeast)
}

func (n *coxNewton) slope() []float64 {
	slope := make([]float64, n.data.p)
	copy(slope, n.sums.grad)
	for j, w := range n.penalty {
		slope[j] -= w * n.b[j]
	}
	return slope
}

// move takes the step, halved until the likelihood does not fall by more than rounding explains.
func (n *coxNewton) move(ctx context.Context, step []float64, decrement float64) error {
	before := n.objective(n.sums, n.b)
	for scale := 1.0; scale > 1e-10; scale /= 2 {
		b := make([]float64, len(step))
		for j := range b {
			b[j] = n.b[j] + scale*step[j]
		}
		s, err := n.evaluate(ctx, b)
		if err != nil {
			return err
		}
		after := n.objective(s, b)
		if after >= before-1e-10*math.Abs(before) || (decrement < newtonDone && !math.IsNaN(after)) {
			n.b, n.sums = b, s
			return nil
		}
	}
	n.stop = fit.NoProgress
	return fmt.Errorf("survival: cox: %w: no step raises the likelihood; set Ridge", fit.ErrNotConverged)
}

// collinear names the covariate of a pivot that vanished, and those that it is made of.
func (n *coxNewton) collinear(bad int) error {
	c := n.data
	e := &CovariateError{Covariate: c.columns[bad], Err: fmt.Errorf("%w: it does not vary among the customers at risk when one leaves", ErrCollinear)}
	var before []int
	for j := range bad {
		before = append(before, j)
	}
	if l, b := linalg.Cholesky(linalg.Within(n.sums.info, before), pivotLeast); b < 0 && bad > 0 {
		weights := linalg.Solve(l, linalg.Pick(n.sums.info[bad], before))
		for j, w := range weights {
			if math.Abs(w) > 1e-6 {
				e.With = append(e.With, c.columns[j])
			}
		}
	}
	if len(e.With) > 0 {
		e.Err = fmt.Errorf("%w: it is a linear combination of them; leave one out or set Ridge", ErrCollinear)
	}
	return e
}

// rises reports whether the likelihood does not fall far along a step. It falls there unless the step puts those who leave
// above everybody at risk with them, as separation does; only a fall refutes that, not what rounding makes of a sum.
func (n *coxNewton) rises(ctx context.Context, step []float64) (bool, error) {
	const far = 300 // exp of it is far from overflow
	most := 0.0
	for i := range n.data.n {
		most = max(most, math.Abs(linalg.Dot(n.data.row(int32(i)), step)))
	}
	b := make([]float64, len(step))
	for j := range b {
		b[j] = n.b[j] + far/most*step[j]
	}
	s, err := n.evaluate(ctx, b)
	if err != nil {
		return false, err
	}
	return !(s.logLik < n.sums.logLik-1e-9*math.Abs(n.sums.logLik)), nil
}

// separated names the covariates along which the likelihood rises without end.
func (n *coxNewton) separated(direction []float64) error {
	largest, at := 0.0, 0
	for j, d := range direction {
		if math.Abs(d) > largest {
			largest, at = math.Abs(d), j
		}
	}
	sign := "+Inf"
	if direction[at] < 0 {
		sign = "-Inf"
	}
	e := &CovariateError{Covariate: n.data.columns[at],
		Err: fmt.Errorf("%w to %s; leave it out, merge levels or set Ridge", ErrSeparation, sign)}
	for j, d := range direction {
		if j != at && math.Abs(d) > 0.05*largest {
			e.With = append(e.With, n.data.columns[j])
		}
	}
	return e
}

// result puts the fit on the scale of the covariates.
func (n *coxNewton) result(tenures []ledger.Tenure, d *Design, o *CoxOptions) *CoxFit {
	c := n.data
	m := Cox{Ties: o.Ties, Terms: d.Terms(), Coef: make([]float64, c.p), Means: c.mean}
	for j := range m.Coef {
		m.Coef[j] = n.b[j] / c.scale[j]
	}
	cov := c.unscale(linalg.Inverse(n.factor))
	f := &CoxFit{NullLogLik: n.null.logLik, Estimate: fit.Estimate[Cox]{LogLik: n.sums.logLik, Cov: cov,
		Customers: customers(tenures, o.Intervals), Iter: n.iter, Evaluations: n.evals, Stop: n.stop}}
	path := c.newPath(n.sums, n.ties)
	if o.Cluster != nil {
		f.NaiveCov = cov
		f.Estimate.Cov = c.robust(n.sums, path, tenures, o, cov)
		nullPath := c.newPath(n.null, n.ties)
		f.RobustScore = c.robustScore(n.null, nullPath, tenures, o)
	}
	for i, dead := range c.dead {
		if dead {
			f.Events += c.weight[i]
		}
	}
	m.Cov = f.Estimate.Cov
	m.Baselines = c.baselines(n.sums, path)
	f.Estimate.Model = m
	for j, name := range c.columns {
		f.Estimate.Params = append(f.Estimate.Params, fit.Param{Name: name, Value: m.Coef[j],
			StdErr: math.Sqrt(f.Estimate.Cov[j][j]), Scale: fit.Identity})
	}
	f.test(n)
	return f
}

// test fills in the three tests that all coefficients are 0.
func (f *CoxFit) test(n *coxNewton) {
	p := n.data.p
	f.LikelihoodRatio = newChiSquare(2*(f.Estimate.LogLik-f.NullLogLik), p)
	l, bad := linalg.Cholesky(f.Estimate.Cov, 1e-14)
	if bad >= 0 {
		f.Wald = ChiSquare{math.NaN(), p, math.NaN()} // fewer clusters than covariates
	} else {
		f.Wald = newChiSquare(linalg.Quadratic(l, f.Estimate.Model.Coef), p)
	}
	if l, bad = linalg.Cholesky(n.null.info, pivotLeast); bad >= 0 {
		f.Score = ChiSquare{math.NaN(), p, math.NaN()} // collinear covariates under a ridge
	} else {
		f.Score = newChiSquare(linalg.Quadratic(l, n.null.grad), p)
	}
}

// unscale returns the covariance of the coefficients from that of the standardized ones.
func (c *coxData) unscale(cov [][]float64) [][]float64 {
	for j := range cov {
		for k := range cov {
			cov[j][k] /= c.scale[j] * c.scale[k]
		}
	}
	return cov
}

// customers counts the rows with their weights, or the names where a customer has several rows.
func customers(tenures []ledger.Tenure, intervals bool) int {
	if intervals {
		seen := make(map[string]bool)
		for i := range tenures {
			seen[tenures[i].Customer] = true
		}
		return len(seen)
	}
	sum := 0.0
	for i := range tenures {
		if w := tenures[i].Weight; w != 0 {
			sum += w
		} else {
			sum++
		}
	}
	return int(math.Round(sum))
}
