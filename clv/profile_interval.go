package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/stat"
)

// ProfileOptions control ProfileIntervals. The zero value, and a nil pointer, are the defaults.
type ProfileOptions struct {
	Params   []string            // the parameters by their names; nil means all
	Workers  int                 // goroutines that sum the likelihood; 0 means GOMAXPROCS. The result does not depend on it
	Progress func(done, all int) // called after each end of an interval on the caller's goroutine; may be nil
}

// ProfileIntervals returns the profile-likelihood interval of the parameters: the values that a likelihood-ratio test
// would not reject. With L(v) the largest log-likelihood over the other parameters given the value v, they are those with
//
//	2 (ln L - L(v)) <= z^2
//
// z being that of a two-sided normal interval. Unlike Wald's they do not take the log-likelihood for a parabola and
// do not depend on the parameter's scale. Where the likelihood has no lower or upper bound, because the data do not tell
// the parameter from 0 or from infinity (it is not below the limit at a ten-millionth of its unit or ten million times
// it), the end is 0 or +Inf. A fit that diverged has profile intervals where it has no standard errors.
//
// e is the estimate by maximum likelihood from the same data. ProfileIntervals returns an error if the level is not
// between 0 and 1, if a parameter is not one of the model, if the estimate has another unit or likelihood than the data
// give, is no maximum, or was made under a prior or penalty, and the context's error.
func ProfileIntervals[M Estimable[D], D any](ctx context.Context, e *fit.Estimate[M], data D, level float64, o *ProfileOptions) (ParamIntervals, error) {
	if e == nil {
		return nil, errNoEstimate
	}
	if err := checkLevel(level); err != nil {
		return nil, err
	}
	if o == nil {
		o = &ProfileOptions{}
	}
	p, err := newProfiler(ctx, e, data, level, o)
	if err != nil {
		return nil, err
	}
	var picked []int
	for j, param := range e.Params {
		if o.Params == nil || slices.Contains(o.Params, param.Name) {
			picked = append(picked, j)
		}
	}
	for _, name := range o.Params {
		if !slices.ContainsFunc(e.Params, func(p fit.Param) bool { return p.Name == name }) {
			return nil, fmt.Errorf("clv: profile of %s: %q is not one of its parameters", e.Model.Kind(), name)
		}
	}
	out := make(ParamIntervals, 0, len(picked))
	for k, j := range picked {
		i := Interval{Value: e.Params[j].Value}
		for side, end := range [2]*float64{&i.Low, &i.High} {
			if *end, err = p.end(ctx, j, float64(2*side-1)); err != nil {
				return nil, fmt.Errorf("clv: profile of %s: %s: %w", e.Model.Kind(), e.Params[j].Name, err)
			}
			shift, factor := p.place(j)
			*end = shift + factor**end
			if o.Progress != nil {
				o.Progress(2*k+side+1, 2*len(picked))
			}
		}
		out = append(out, ParamInterval{e.Params[j].Name, i})
	}
	return out, nil
}

// A profiler maximizes the likelihood given one parameter. All is in the terms of the search.
type profiler struct {
	*evidence
	params  []fit.Param
	best    []float64
	logLik  float64
	cut     float64 // z
	settled bool    // whether the estimate is a maximum and not only the best point of a fit that diverged
	options fit.Options
}

var (
	errOtherData  = errors.New("the estimate has another log-likelihood than these histories give it: want the data that it was fitted to")
	errNoMaximum  = errors.New("the estimate is not the maximum of the likelihood: want a fit that converged, without a prior")
	errNotTheBest = errors.New("the likelihood is larger elsewhere than at the estimate")
)

func newProfiler[M Estimable[D], D any](ctx context.Context, e *fit.Estimate[M], data D, level float64, o *ProfileOptions) (*profiler, error) {
	kind := e.Model.Kind()
	if e.Stop != fit.Converged && e.Stop != fit.Diverged {
		return nil, fmt.Errorf("clv: profile of %s: %w: %v", kind, fit.ErrNotConverged, e.Stop)
	}
	v, err := e.Model.evidence(ctx, data)
	if err != nil {
		return nil, err
	}
	if e.Unit != 0 {
		if err := sameUnit(e.Unit, v.unit); err != nil {
			return nil, err
		}
	}
	if len(e.Params) != len(v.problem.Params) {
		return nil, fmt.Errorf("clv: profile of %s: %w", kind, errOtherData)
	}
	params := v.searched(e.Params)
	p := &profiler{evidence: v, params: params, best: values(params), logLik: e.LogLik - v.offset, cut: stat.TwoSided(level),
		settled: e.Stop == fit.Converged && e.Cov != nil, options: fit.Options{Workers: o.Workers}}
	if v.inside != nil {
		v.inside(p.best, -1)
	}
	d := mle.Derivs{Grad: make([]float64, len(p.best))}
	p.problem.Sum(p.best, 0, p.problem.Rows, &d)
	if !(math.Abs(d.Value-p.logLik) <= 1e-7*(1+math.Abs(p.logLik))) {
		return nil, fmt.Errorf("clv: profile of %s: %w", kind, errOtherData)
	}
	if p.settled {
		for j, g := range d.Grad {
			if !(math.Abs(g*slope(p.params[j].Scale, p.best[j])) <= 1e-4*p.problem.Weight) {
				return nil, fmt.Errorf("clv: profile of %s: %w", kind, errNoMaximum)
			}
		}
	}
	return p, nil
}

// depth returns the signed root of the likelihood ratio given the working value u of parameter j, starting from theta,
// which it sets to where the likelihood is largest.
func (p *profiler) depth(ctx context.Context, j int, u float64, theta []float64) (float64, error) {
	q := p.problem
	q.Fixed = make([]bool, len(p.best))
	q.Fixed[j] = true
	q.Withhold = "not needed"
	v := fromScale(p.params[j].Scale, u)
	warm, cold := slices.Clone(theta), slices.Clone(p.best)
	warm[j], cold[j] = v, v
	if p.inside != nil {
		p.inside(warm, j)
		p.inside(cold, j)
	}
	q.Starts = [][]float64{warm, cold}
	r, err := mle.Maximize(ctx, q, &p.options)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	// One that ran off has come close enough to the largest likelihood, which lies at the limit.
	if r.Theta == nil || (err != nil && !errors.Is(err, fit.ErrDiverged) && !errors.Is(err, fit.ErrNotConverged)) {
		return 0, err
	}
	drop := p.logLik - r.LogLik
	if p.settled && drop < -1e-6*(1+math.Abs(p.logLik)) {
		return 0, errNotTheBest
	}
	for k := range theta {
		if k == j || !(math.Abs(toScale(p.params[k].Scale, r.Theta[k])) > edge(p.params[k].Scale)) {
			theta[k] = r.Theta[k]
		}
	}
	return math.Sqrt(2 * max(0, drop)), nil
}

// edge is the working value beyond which no data tell a parameter from its limit.
func edge(s fit.Scale) float64 {
	if s == fit.Identity {
		return 1e7
	}
	return 16.1 // e^16.1 is ten million
}

// end returns the end of the interval of parameter j in a direction, -1 or 1. The root of the ratio is nearly linear in
// the working value, so that few steps do; each is a search from where the last one ended.
func (p *profiler) end(ctx context.Context, j int, direction float64) (float64, error) {
	scale := p.params[j].Scale
	from := toScale(scale, p.best[j])
	limit := fromScale(scale, math.Inf(int(direction)))
	step := p.cut * p.params[j].StdErr / slope(scale, p.best[j])
	if !(step > 1e-8 && step < 4) {
		step = 1
	}
	theta := slices.Clone(p.best)
	in, out := 0.0, 0.0 // distances from the estimate, inside and outside of the interval
	inDepth, outDepth := -p.cut, 0.0
	for range 60 {
		if math.Abs(from) > edge(scale) && from*direction > 0 {
			return limit, nil
		}
		at := from + direction*step
		if math.Abs(at) > edge(scale) && at*direction > 0 {
			step = math.Max(in, direction*(math.Copysign(edge(scale), direction)-from))
			at = from + direction*step
		}
		depth, err := p.depth(ctx, j, at, theta)
		if err != nil {
			return 0, err
		}
		if depth >= p.cut {
			out, outDepth = step, depth-p.cut
			break
		}
		if in, inDepth = step, depth-p.cut; math.Abs(at) >= edge(scale) && at*direction > 0 {
			return limit, nil
		}
		step *= max(1.2, min(3, 1.05*p.cut/max(depth, 1e-3)))
	}
	if out == 0 {
		return limit, nil
	}
	side := 0
	for range 60 {
		if out-in <= 1e-9*max(1, math.Abs(from)) {
			break
		}
		mid := (in*outDepth - out*inDepth) / (outDepth - inDepth)
		if !(mid > in && mid < out) {
			mid = (in + out) / 2
		}
		depth, err := p.depth(ctx, j, from+direction*mid, theta)
		if err != nil {
			return 0, err
		}
		d := depth - p.cut
		switch {
		case math.Abs(d) <= 1e-7*p.cut:
			return fromScale(scale, from+direction*mid), nil
		case d > 0:
			if out, outDepth = mid, d; side == 1 {
				inDepth /= 2
			}
			side = 1
		default:
			if in, inDepth = mid, d; side == -1 {
				outDepth /= 2
			}
			side = -1
		}
	}
	return fromScale(scale, from+direction*(in+out)/2), nil
}
