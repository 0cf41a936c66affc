package clv

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// FitGGompertzNBD estimates the model by maximum likelihood from the X, TX, T and Count of the histories. The
// derivatives are exact: the integral over the lifetime that the likelihood contains is taken together with those of
// its derivatives. Covariance and standard errors come from the observed information.
//
// Many data sets, CDNOW among them, show no growing hazard: the likelihood rises as B falls to 0 with Beta/B fixed,
// towards that of the Pareto/NBD model, which is fitted as well. The estimate is then this limit, at a B so small that
// the likelihoods agree, without standard errors, and a warning says so: use FitParetoNBD.
//
// FitGGompertzNBD returns an error if a history does not validate, if no customer has a repeat purchase, and, with the
// best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitGGompertzNBD(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[GGompertzNBD], error) {
	s, err := compress(ctx, data, false)
	if err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of ggompertznbd: %w", err)
	}
	rate, age := s.rate(), s.elapsed/s.weight
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "B"}, {Name: "S"}, {Name: "Beta"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumGGompertz(s.rows[lo:hi], theta, d) },
		Starts: [][]float64{
			{0.6, 0.6 / (1.5 * rate), 0.5 / age, 0.6, 0.5},
			{1, 1 / (1.2 * rate), 3 / age, 1, 10},
			{0.6, 0.6 / (1.5 * rate), 8 / age, 0.5, 100},
			{3, 3 / (2 * rate), 0.1 / age, 0.3, 0.05},
		},
	}
	limit := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "S"}, {Name: "Beta"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { sumParetoNBD(s.rows[lo:hi], theta, d) },
		Starts: [][]float64{{0.6, 0.6 / (1.5 * rate), 0.6, 0.4 * age}},
	}
	// A few steps towards the limit give a start; where the hazard grows they would lead on without end.
	near, nearErr := mle.Maximize(ctx, limit, limitOptions(o, 20))
	if t := near.Theta; t != nil && ctx.Err() == nil && t[3] < 100*age {
		b := 0.2 / age
		p.Starts = append([][]float64{{t[0], t[1], b, t[2], b * t[3]}}, p.Starts...)
	}
	r, err := mle.Maximize(ctx, p, o)
	r.Evaluations += near.Evaluations
	model := func(t []float64) GGompertzNBD { return GGompertzNBD{t[0], t[1], t[2], t[3], t[4]} }
	small := func(v float64) float64 { return 1e-10 * math.Abs(v) }
	if r.Theta == nil || ctx.Err() != nil || r.Theta[2]*age > 1e-4 && r.LogLik > near.LogLik+small(near.LogLik) {
		return fitted(model, p, r, err, s, data)
	}
	if nearErr != nil {
		limit.Starts = [][]float64{near.Theta}
		near, nearErr = mle.Maximize(ctx, limit, limitOptions(o, 0))
	}
	if nearErr == nil && near.LogLik >= r.LogLik-small(r.LogLik) {
		return fitted(model, p, atLimit(&p, near, r, 1e-9/age), nil, s, data)
	}
	return fitted(model, p, r, err, s, data)
}

// limitOptions returns the options for the fit of the limit, of at most the given iterations or 0 for those of o.
func limitOptions(o *fit.Options, iterations int) *fit.Options {
	var c fit.Options
	if o != nil {
		c = *o
	}
	c.Start, c.Progress = nil, nil
	if iterations > 0 {
		c.MaxIter = iterations
	}
	return &c
}

// atLimit returns the result at the Pareto/NBD limit with the given small B, and says so.
func atLimit(p *mle.Problem, limit, r mle.Result, b float64) mle.Result {
	t := limit.Theta
	theta := []float64{t[0], t[1], b, t[2], b * t[3]}
	d := mle.Derivs{Grad: make([]float64, len(theta))}
	p.Sum(theta, 0, p.Rows, &d)
	return mle.Result{Theta: theta, LogLik: d.Value, Iter: r.Iter, Evaluations: r.Evaluations, Stop: fit.Converged,
		Warnings: []string{
			fmt.Sprintf("B runs off to 0 with Beta/B = %.6g: the data show no hazard that grows with age, and the model is "+
				"its limit, the Pareto/NBD model with R %.6g, Alpha %.6g, S %.6g, Beta %.6g and log-likelihood %.6f; use FitParetoNBD",
				t[3], t[0], t[1], t[2], t[3], limit.LogLik),
			"no covariance: the likelihood is flat along B and Beta with Beta/B fixed",
		}}
}

// A leaving gathers the integral over the time of departure with the means of the gradient of the integrand's
// logarithm, and of its Hessian plus the square of its gradient. Parameters are R, Alpha, B, S, Beta.
type leaving struct {
	total  float64
	first  [5]float64
	second [5][5]float64 // of i <= j
}

// A ggPoint is what the derivatives need of a time y since the first purchase.
type ggPoint struct {
	l, alphaY float64 // ln((alpha+y)/(alpha+tx)), alpha+y
	y, fall   float64 // fall is that of gompertz at y
	hazard    float64 // at y over b s, which is the derivative of fall in by
	early     float64 // 1/(beta-1+e^(by))
}

// add adds a part with the weight and the logarithm
//
//	-n ln(alpha+y) - k fall(y) [+ ln b + ln s - ln beta + by where leaves],    k = s or s+1 where leaves
func (m *leaving) add(weight float64, p *ggPoint, n, b, s, beta float64, leaves, second bool) {
	k := s
	ia, ib := 1/p.alphaY, 1/beta
	fb, fbeta := p.y*p.hazard, p.early-ib
	var g [5]float64
	if leaves {
		k++
		g = [5]float64{-p.l, -n * ia, 1/b + p.y - k*fb, 1/s - p.fall, -ib - k*fbeta}
	} else {
		g = [5]float64{-p.l, -n * ia, -k * fb, -p.fall, -k * fbeta}
	}
	m.total += weight
	for i := range g {
		m.first[i] += weight * g[i]
	}
	if !second {
		return
	}
	for i := range g {
		v := weight * g[i]
		for j := i; j < 5; j++ {
			m.second[i][j] += v * g[j]
		}
	}
	h := &m.second
	h[0][1] -= weight * ia
	h[1][1] += weight * n * ia * ia
	h[2][2] -= weight * k * p.y * fb * (1 - p.hazard)
	h[2][3] -= weight * fb
	h[2][4] += weight * k * fb * p.early
	h[3][4] -= weight * fbeta
	h[4][4] += weight * k * fbeta * (ib + p.early)
	if leaves {
		h[2][2] -= weight / (b * b)
		h[3][3] -= weight / (s * s)
		h[4][4] += weight * ib * ib
	}
}

// sumGGompertz adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in R, Alpha, B,
// S, Beta. A customer's likelihood is a mixture over what may have happened: alive, or left at some time after TX. The
// gradient of its log is the mean of the gradients of the logs of the parts, and the Hessian the mean of their Hessians
// plus the covariance of their gradients.
func sumGGompertz(rows []row, theta []float64, d *mle.Derivs) {
	r, alpha, b, s, beta := theta[0], theta[1], theta[2], theta[3], theta[4]
	logAlpha := math.Log(alpha)
	life := gompertz{b, s, beta}
	second := d.Hess != nil
	last := -1
	var value, first, curve float64 // of ln Gamma(r+x)/Gamma(r)
	for i := range rows {
		w := &rows[i]
		x, weight := float64(w.x), w.weight
		if w.x != last {
			last = w.x
			value, first, curve = special.LogGammaRatio(r, x), special.DigammaDiff(r, x), special.TrigammaDiff(r, x)
		}
		n, a, t := r+x, alpha+w.tx, w.t-w.tx
		l, before, grown := math.Log1p(w.tx/alpha), life.fall(w.tx), math.Exp(-b*w.tx)
		p := passage{gompertz: life.after(w.tx), n: n, a: a, leaves: true}
		at := func(u float64) (q ggPoint, log float64) {
			q.l, q.alphaY, q.y = math.Log1p(u/a), a+u, w.tx+u
			var fall float64
			if v := b * u; v < 300 {
				e := math.Expm1(v)
				fall = math.Log1p(e / p.beta)
				q.early = 1 / (p.beta + e)
				q.hazard = (1 + e) * q.early
				q.early *= grown
			} else {
				fall, q.hazard = p.fall(u), 1/p.after(u).beta
				q.early = math.Exp(-b*q.y) * q.hazard
			}
			q.fall = before + fall
			return q, -n*q.l - s*fall
		}
		var m leaving
		for walk := (passageWalk{passage: &p, end: t}); walk.next(m.total); {
			for k := range walk.rule {
				g := &walk.rule[k]
				for _, u := range [2]float64{walk.middle - walk.half*g.x, walk.middle + walk.half*g.x} {
					q, log := at(u)
					m.add(walk.half*g.weight*q.hazard*math.Exp(log), &q, n, b, s, beta, true, second)
				}
			}
		}
		q, log := at(t)
		sum, alive := mix(log, math.Log(b*s*m.total))
		d.Value += weight * (value - r*l - x*(logAlpha+l) - s*before + sum)
		m.scale(1 - alive)
		m.add(alive, &q, n, b, s, beta, false, second)
		mean := &m.first
		for j := range mean {
			d.Grad[j] += weight * mean[j]
		}
		d.Grad[0] += weight * (first - l)
		d.Grad[1] += weight * r / alpha
		if !second {
			continue
		}
		for j := range mean {
			for k := j; k < 5; k++ {
				d.AddHess(j, k, weight*(m.second[j][k]-mean[j]*mean[k]))
			}
		}
		d.AddHess(0, 0, weight*curve)
		d.AddHess(0, 1, weight/alpha)
		d.AddHess(1, 1, weight*-r/(alpha*alpha))
	}
}

// scale makes the total what is given, unless it is 0.
func (m *leaving) scale(total float64) {
	if m.total == 0 {
		return
	}
	by := total / m.total
	m.total = total
	for i := range m.first {
		m.first[i] *= by
		for j := i; j < 5; j++ {
			m.second[i][j] *= by
		}
	}
}
