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

// An ggPoint is what the derivatives need of a time y since the first purchase, with fall that of gompertz.
type ggPoint struct {
	n, s, b, beta float64 // n is r+x
	l, alphaY     float64 // ln((alpha+y)/(alpha+tx)), alpha+y
	y, fall       float64
	hazard        float64 // over b s: dFall/dy over b
	early         float64 // 1/(beta-1+e^(by))
}

func newGGPoint(n, s, b, beta, l, alphaY, y, fall float64) ggPoint {
	p := ggPoint{n: n, s: s, b: b, beta: beta, l: l, alphaY: alphaY, y: y, fall: fall}
	if w := b * y; w < 300 {
		e := math.Expm1(w)
		p.early = 1 / (beta + e)
		p.hazard = (1 + e) * p.early
	} else {
		p.hazard = 1 / (1 + (beta-1)*math.Exp(-w))
		p.early = math.Exp(-w) * p.hazard
	}
	return p
}

// fallBeta returns the derivative of fall in beta.
func (p *ggPoint) fallBeta() float64 {
	if w := p.b * p.y; w < 300 {
		return -math.Expm1(w) * p.early / p.beta
	}
	return p.early - 1/p.beta
}

// derivatives returns the gradient and the upper Hessian of
//
//	-n ln(alpha+y) - k fall(y) [+ ln b + ln s - ln beta + by where leaves],    k = s or s+1 where leaves
func (p *ggPoint) derivatives(leaves bool, g *[5]float64, h *[5][5]float64) {
	k := p.s
	fb, fbeta := p.y*p.hazard, p.fallBeta()
	fbb := p.y * p.y * p.hazard * (1 - p.hazard)
	fbbeta := -p.y * p.hazard * p.early
	fbetabeta := -fbeta * (1/p.beta + p.early)
	if leaves {
		k++
	}
	*g = [5]float64{-p.l, -p.n / p.alphaY, -k * fb, -p.fall, -k * fbeta}
	h[0][1], h[1][1] = -1/p.alphaY, p.n/(p.alphaY*p.alphaY)
	h[2][2], h[2][3], h[2][4] = -k*fbb, -fb, -k*fbbeta
	h[3][3], h[3][4], h[4][4] = 0, -fbeta, -k*fbetabeta
	if leaves {
		g[2] += 1/p.b + p.y
		g[3] += 1 / p.s
		g[4] -= 1 / p.beta
		h[2][2] -= 1 / (p.b * p.b)
		h[3][3] -= 1 / (p.s * p.s)
		h[4][4] += 1 / (p.beta * p.beta)
	}
}

func (m *leaving) add(weight float64, g *[5]float64, h *[5][5]float64, second bool) {
	m.total += weight
	for i := range g {
		v := weight * g[i]
		m.first[i] += v
		if !second {
			continue
		}
		for j := i; j < 5; j++ {
			m.second[i][j] += v*g[j] + weight*h[i][j]
		}
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
	var g [5]float64
	var h [5][5]float64
	for i := range rows {
		w := &rows[i]
		x, weight := float64(w.x), w.weight
		if w.x != last {
			last = w.x
			value, first, curve = special.LogGammaRatio(r, x), special.DigammaDiff(r, x), special.TrigammaDiff(r, x)
		}
		n, a, t := r+x, alpha+w.tx, w.t-w.tx
		l, before := math.Log1p(w.tx/alpha), life.fall(w.tx)
		p := passage{gompertz: life.after(w.tx), n: n, a: a, leaves: true}
		var m leaving
		for walk := (passageWalk{passage: &p, end: t}); walk.next(m.total); {
			for k := range gauss16 {
				q := &gauss16[k]
				for _, u := range [2]float64{walk.middle - walk.half*q.x, walk.middle + walk.half*q.x} {
					log, fall := math.Log1p(u/a), p.fall(u)
					point := newGGPoint(n, s, b, beta, log, a+u, w.tx+u, before+fall)
					point.derivatives(true, &g, &h)
					m.add(walk.half*q.weight*point.hazard*math.Exp(-n*log-s*fall), &g, &h, second)
				}
			}
		}
		gone := math.Log(b * s * m.total)
		log, fall := math.Log1p(t/a), p.fall(t)
		sum, alive := mix(-n*log-s*fall, gone)
		d.Value += weight * (value - r*l - x*(logAlpha+l) - s*before + sum)
		point := newGGPoint(n, s, b, beta, log, a+t, w.t, before+fall)
		point.derivatives(false, &g, &h)
		left := 0.0
		if m.total > 0 {
			left = (1 - alive) / m.total
		}
		var mean [5]float64
		for j := range mean {
			mean[j] = alive*g[j] + left*m.first[j]
			d.Grad[j] += weight * mean[j]
		}
		d.Grad[0] += weight * (first - l)
		d.Grad[1] += weight * r / alpha
		if !second {
			continue
		}
		for j := range mean {
			for k := j; k < 5; k++ {
				d.AddHess(j, k, weight*(alive*(g[j]*g[k]+h[j][k])+left*m.second[j][k]-mean[j]*mean[k]))
			}
		}
		d.AddHess(0, 0, weight*curve)
		d.AddHess(0, 1, weight/alpha)
		d.AddHess(1, 1, weight*-r/(alpha*alpha))
	}
}
