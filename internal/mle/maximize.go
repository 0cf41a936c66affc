package mle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"github.com/custval/custval/fit"
)

// Maximize searches from each start until one converges, and returns the best end point.
//
// With an error that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error the result is the best point so
// far. A *BadRow names a row that has no likelihood at any start. A panic of Sum becomes an error.
func Maximize(ctx context.Context, p Problem, o *fit.Options) (Result, error) {
	if err := p.validate(o); err != nil {
		return Result{}, err
	}
	options := o.WithDefaults()
	obj := newObjective(ctx, &p, options.Workers)
	var best *end
	var first error
	for i, start := range p.starts(o) {
		e, err := obj.search(i, start, options)
		if obj.err != nil {
			return obj.canceled(best, e)
		}
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if best == nil || better(e, best) {
			best = e
		}
		if best.stop == fit.Converged && !best.ranOff(&p, obj.free) {
			break
		}
	}
	if best == nil {
		return Result{Evaluations: obj.evals}, first
	}
	return obj.result(best)
}

// An end is where one search stopped.
type end struct {
	theta  []float64 // all parameters
	u      []float64 // the free ones, working scale
	f      float64
	logLik float64
	known  bool      // whether logLik is set without an evaluation at u
	hess   []float64 // of f; nil before it is known
	iter   int
	stop   fit.Stop
}

// better prefers a converged end, then the higher likelihood.
func better(a, b *end) bool {
	if (a.stop == fit.Converged) != (b.stop == fit.Converged) {
		return a.stop == fit.Converged
	}
	return a.f < b.f
}

// search runs from one start to its end and polishes it.
func (o *objective) search(index int, start []float64, options fit.Options) (*end, error) {
	u := o.start(start)
	o.evaluate(u)
	if o.err != nil {
		return nil, o.err
	}
	if math.IsInf(o.f, 1) {
		if bad := o.badRow(); bad != nil {
			return nil, bad
		}
		return nil, errors.New("the likelihood is not a finite number at the start")
	}
	e := &end{u: slices.Clone(u), f: o.f}
	if len(u) > 0 {
		o.minimize(index, e, options)
		if o.err == nil && !o.p.Rough {
			o.polish(e, options)
		}
	}
	o.keep(e)
	return e, nil
}

// keep copies the likelihood and the parameters at the end's point.
func (o *objective) keep(e *end) {
	if o.err == nil && !e.known {
		o.evaluate(e.u)
		e.logLik = o.logLik
	}
	o.move(e.u)
	e.theta = slices.Clone(o.theta)
}

// minimize runs gonum's search and judges how it ended by what it reached and not by what it says.
func (o *objective) minimize(index int, e *end, options fit.Options) {
	problem := optimize.Problem{
		Func: func(u []float64) float64 { o.evaluate(u); return o.f },
		Grad: func(g, u []float64) { o.evaluate(u); copy(g, o.grad) },
		Status: func() (optimize.Status, error) {
			if o.err != nil {
				return optimize.Failure, o.err
			}
			return optimize.NotTerminated, nil
		},
	}
	var method optimize.Method = &optimize.BFGS{}
	if o.p.Second {
		problem.Hess = func(h *mat.SymDense, u []float64) {
			o.evaluate(u)
			for i := range u {
				for j := i; j < len(u); j++ {
					h.SetSym(i, j, o.hess[i*len(u)+j])
				}
			}
		}
		method = &optimize.Newton{Linesearcher: &optimize.Backtracking{}}
	}
	r, err := optimize.Minimize(problem, slices.Clone(e.u), &optimize.Settings{
		GradientThreshold: options.GradTol,
		MajorIterations:   options.MaxIter,
		Converger:         optimize.NeverTerminate{},
		Recorder:          &recorder{o, index, options.Progress},
	}, method)
	e.stop = fit.NoProgress
	if r == nil {
		return
	}
	if r.F <= e.f {
		e.u, e.f = slices.Clone(r.X), r.F
	}
	e.iter = r.MajorIterations
	if err == nil && r.Status == optimize.GradientThreshold {
		e.stop = fit.Converged
	} else if r.Status == optimize.IterationLimit {
		e.stop = fit.MaxIterations
	}
}

// polish takes plain Newton steps from the end of the search: they give the last digits, and they tell whether a line
// search that failed was at the maximum.
func (o *objective) polish(e *end, options fit.Options) {
	const steps = 12
	// With many rows a step of no more than last is the last one. Its error is of the order of its square, what it gains is
	// below the rounding of the sum, and the Hessian changes by less than 1e-6 of itself; few rows are worth all digits of
	// the covariance. With a prior the likelihood alone still has a slope.
	const last, many = 1e-7, 1 << 14
	settles := o.hess != nil && o.p.Prior == nil && o.p.Rows >= many
	o.evaluate(e.u)
	gain := math.Inf(1)
	for range steps {
		h := o.hess
		if h == nil {
			if e.hess == nil {
				e.hess = o.differences(e.u)
			}
			h = e.hess
		} else {
			e.hess = append(e.hess[:0], h...)
		}
		step, ok := newtonStep(h, o.grad)
		if o.err != nil || !ok {
			break
		}
		gain = -floats.Dot(step, o.grad)
		before := floats.Norm(o.grad, math.Inf(1))
		if before <= 1e-12 {
			break
		}
		if settles && before <= last && gain <= last*last && floats.Norm(step, math.Inf(1)) <= last {
			floats.Add(e.u, step)
			e.f -= gain / 2
			e.logLik, e.known = o.logLik+gain/2*o.p.Weight, true
			break
		}
		next := slices.Clone(e.u)
		floats.Add(next, step)
		o.evaluate(next)
		// At the maximum the value no longer changes in its last digits, but the gradient still falls.
		if slack := 1e-13 * math.Max(1, math.Abs(e.f)); !(o.f <= e.f+slack) || floats.Norm(o.grad, math.Inf(1)) > before {
			o.evaluate(e.u)
			break
		}
		e.u, e.f = next, o.f
	}
	if norm := floats.Norm(o.grad, math.Inf(1)); norm <= options.GradTol || (norm <= 1e-6 && gain <= 1e-12) {
		e.stop = fit.Converged
	}
	if o.hess == nil && o.err == nil {
		e.hess = o.differences(e.u)
	} else if o.err == nil {
		e.hess = append(e.hess[:0], o.hess...)
	}
}

// newtonStep solves H step = -gradient and reports whether H is positive definite and the step not a wild one.
func newtonStep(h, grad []float64) ([]float64, bool) {
	n := len(grad)
	var chol mat.Cholesky
	if !chol.Factorize(mat.NewSymDense(n, slices.Clone(h))) {
		return nil, false
	}
	step := mat.NewVecDense(n, nil)
	if err := chol.SolveVecTo(step, mat.NewVecDense(n, slices.Clone(grad))); err != nil {
		return nil, false
	}
	step.ScaleVec(-1, step)
	s := step.RawVector().Data
	norm := floats.Norm(s, math.Inf(1))
	return s, norm < 1 // NaN is wild too
}

// A recorder passes the progress of gonum's search on; gonum calls it on the caller's goroutine.
type recorder struct {
	o        *objective
	start    int
	progress func(fit.Progress)
}

func (*recorder) Init() error { return nil }

func (r *recorder) Record(l *optimize.Location, op optimize.Operation, s *optimize.Stats) error {
	if op == optimize.MajorIteration && r.progress != nil {
		r.progress(fit.Progress{Start: r.start, Iter: s.MajorIterations, Evaluations: r.o.evals,
			LogLik: -l.F * r.o.p.Weight, Gradient: floats.Norm(l.Gradient, math.Inf(1))})
	}
	return nil
}

// canceled returns the best point so far with the error that ended the work.
func (o *objective) canceled(best, last *end) (Result, error) {
	if best == nil || (last != nil && better(last, best)) {
		best = last
	}
	if best == nil {
		return Result{Evaluations: o.evals, Stop: fit.Canceled}, o.err
	}
	r := Result{Theta: best.theta, LogLik: -best.f * o.p.Weight, Iter: best.iter, Evaluations: o.evals, Stop: fit.Canceled}
	return r, o.err
}

// result puts covariance, warnings and the error of an end that is no maximum together.
func (o *objective) result(e *end) (Result, error) {
	r := Result{Theta: e.theta, LogLik: e.logLik, Iter: e.iter, Evaluations: o.evals, Stop: e.stop}
	for k, i := range o.free {
		if o.beyond(k, e.u[k]) != 0 && e.stop == fit.Converged {
			e.stop = fit.NoProgress
		}
		if far(o.p.Params[i].Scale, e.u[k]) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s ran off to %.3g: the data do not tell it from its limit",
				o.p.Params[i].Name, e.theta[i]))
		}
	}
	switch {
	case e.stop == fit.Converged:
	case len(r.Warnings) > 0:
		r.Stop = fit.Diverged
		return r, fmt.Errorf("%w: %s; try a simpler model, other starts or more data", fit.ErrDiverged, strings.Join(r.Warnings, "; "))
	case e.stop == fit.MaxIterations:
		return r, fmt.Errorf("%w after %d iterations; raise MaxIter or give a Start nearer to the estimates", fit.ErrNotConverged, e.iter)
	default:
		return r, fmt.Errorf("%w: no step raises the likelihood after %d iterations; try another Start, another unit of time or a simpler model",
			fit.ErrNotConverged, e.iter)
	}
	if len(r.Warnings) > 0 {
		r.Warnings = append(r.Warnings, "no covariance: the likelihood is flat where a parameter ran off")
		return r, nil
	}
	if o.p.Rough {
		return r, nil
	}
	if o.p.Withhold != "" {
		r.Warnings = append(r.Warnings, "standard errors are withheld: "+o.p.Withhold)
		return r, nil
	}
	o.covariance(e, &r)
	return r, nil
}

// far reports whether a working value is where no data set puts an identified parameter: 1e7 or 1e-7 on the log scale.
func far(s fit.Scale, u float64) bool {
	switch s {
	case fit.Identity:
		return math.Abs(u) > 1e7
	default:
		return math.Abs(u) > 16
	}
}

func (e *end) ranOff(p *Problem, free []int) bool {
	for k, i := range free {
		if far(p.Params[i].Scale, e.u[k]) {
			return true
		}
	}
	return false
}

// covariance inverts the information matrix on the working scale and maps it to the natural one with the full outer
// product of the derivatives. A matrix that is not safely positive definite has no covariance: it is not patched.
func (o *objective) covariance(e *end, r *Result) {
	n, size := len(o.free), len(o.p.Params)
	if n == 0 {
		return
	}
	var chol mat.Cholesky
	if !chol.Factorize(mat.NewSymDense(n, slices.Clone(e.hess))) || !(chol.Cond() < 1e13) {
		r.Warnings = append(r.Warnings, "no covariance: the information matrix is not positive definite at the estimate; "+
			"the likelihood is flat along a ridge or the estimate lies on a boundary")
		return
	}
	var inverse mat.SymDense
	if err := chol.InverseTo(&inverse); err != nil {
		r.Warnings = append(r.Warnings, "no covariance: the information matrix cannot be inverted")
		return
	}
	cov := make([][]float64, size)
	for i := range cov {
		cov[i] = make([]float64, size)
	}
	for k, i := range o.free {
		_, di, _ := natural(o.p.Params[i].Scale, e.u[k])
		for l, j := range o.free {
			_, dj, _ := natural(o.p.Params[j].Scale, e.u[l])
			cov[i][j] = di * dj * inverse.At(k, l) / o.p.Weight
		}
		if se := math.Sqrt(inverse.At(k, k) / o.p.Weight); o.p.Params[i].Scale != fit.Identity && se > 2 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s is identified only in part: the standard error of its %s is %.2g",
				o.p.Params[i].Name, o.p.Params[i].Scale, se))
		}
	}
	r.Cov = cov
}

// Estimate returns the public form of a result.
func Estimate[M any](r Result, params []Param, model M) *fit.Estimate[M] {
	e := &fit.Estimate[M]{Model: model, Cov: r.Cov, LogLik: r.LogLik, Iter: r.Iter, Evaluations: r.Evaluations,
		Stop: r.Stop, Warnings: r.Warnings}
	for i, p := range params {
		se := math.NaN()
		if r.Cov != nil {
			se = math.Sqrt(r.Cov[i][i])
		}
		e.Params = append(e.Params, fit.Param{Name: p.Name, Value: r.Theta[i], StdErr: se, Scale: p.Scale})
	}
	return e
}
