package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// CorrelatedParetoNBD is Pareto/NBD in which customers who buy more often may also live longer, or shorter: the rates
// lambda and mu have the gamma distributions of ParetoNBD and are joined by Sarmanov's density
//
//	f(lambda) f(mu) (1 + m (e^(-c lambda) - LA)(e^(-c mu) - LB))
//	LA = (alpha/(alpha+c))^r,  LB = (beta/(beta+c))^s
//
// M lies within the bounds that keep the density positive; 0 is ParetoNBD. Correlation is that of lambda and mu. Span is
// the time c of the kernel, in the unit of the histories: customers are told apart by whether they buy, and leave, in
// about that time. It is chosen and not estimated; 0 means 1. A model with other units of time has another Span: one in
// weeks with Span 1 is one in days with Span 7, Alpha and Beta 7 times as large and the same M.
//
// The density is a mixture, with weights of both signs, of four independent ones whose Alpha and Beta are shifted by
// Span, and so is every prediction: P(alive) and expectations use the correlation as the likelihood does.
//
// Sources: O. Sarmanov, Generalized normal correlation and two-dimensional Frechet classes, 1966; P. Fader, B. Hardie,
// notes on a correlated Pareto/NBD.
type CorrelatedParetoNBD struct {
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	S     float64 `json:"s"`
	Beta  float64 `json:"beta"`
	M     float64 `json:"m"`
	Span  float64 `json:"span,omitempty"`
}

// span returns the time of the kernel.
func (m CorrelatedParetoNBD) span() float64 {
	if m.Span == 0 {
		return 1
	}
	return m.Span
}

// Kind returns "correlatedparetonbd".
func (CorrelatedParetoNBD) Kind() string { return "correlatedparetonbd" }

var errCorrelation = errors.New("outside the bounds that keep the density positive")

// Validate returns an error that names the first parameter that is not a positive finite number, or M outside Bounds.
func (m CorrelatedParetoNBD) Validate() error {
	if err := positive(m.Kind(), []param{{"R", m.R}, {"Alpha", m.Alpha}, {"S", m.S}, {"Beta", m.Beta}, {"Span", m.span()}}); err != nil {
		return err
	}
	if low, high := m.Bounds(); !(m.M >= low && m.M <= high) {
		return fmt.Errorf("clv: %s: M = %v: %w, %.6g and %.6g", m.Kind(), m.M, errCorrelation, low, high)
	}
	return nil
}

func (m CorrelatedParetoNBD) valid() bool {
	if !allPositive(m.R, m.Alpha, m.S, m.Beta, m.span()) {
		return false
	}
	low, high := m.Bounds()
	return m.M >= low && m.M <= high
}

// means returns LA and LB, the means of e^(-c lambda) and e^(-c mu), with their complements.
func (m CorrelatedParetoNBD) means() (la, lb, ca, cb float64) {
	x, y := -m.R*math.Log1p(m.span()/m.Alpha), -m.S*math.Log1p(m.span()/m.Beta)
	return math.Exp(x), math.Exp(y), -math.Expm1(x), -math.Expm1(y)
}

// Bounds returns the lowest and the highest M at which the density is nowhere negative.
func (m CorrelatedParetoNBD) Bounds() (low, high float64) {
	la, lb, ca, cb := m.means()
	return -1 / max(la*lb, ca*cb), 1 / max(la*cb, lb*ca)
}

// Correlation returns the correlation of lambda and mu, m LA LB sqrt(r s) c^2/((alpha+c)(beta+c)).
func (m CorrelatedParetoNBD) Correlation() float64 {
	if !m.valid() {
		return math.NaN()
	}
	la, lb, _, _ := m.means()
	c := m.span()
	return m.M * la * lb * math.Sqrt(m.R*m.S) * (c / (m.Alpha + c)) * (c / (m.Beta + c))
}

// MarshalJSON writes the parameters under the schema "custval/model/correlatedparetonbd/v1".
func (m CorrelatedParetoNBD) MarshalJSON() ([]byte, error) {
	type plain CorrelatedParetoNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *CorrelatedParetoNBD) UnmarshalJSON(text []byte) error {
	type plain CorrelatedParetoNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// FitCorrelatedParetoNBD estimates the model by maximum likelihood. The search begins at the estimate of ParetoNBD with
// M 0, so that its likelihood is never below that model's; fit.Test compares the two with one degree of freedom. Of
// Options.Start, which has all five parameters, that estimate takes the first four.
//
// The Span is a week, whatever the unit of the histories, so that the estimates do not depend on it.
//
// Where the data ask for more correlation than Sarmanov's density can have, M ends at its bound, the estimate has no
// covariance and says so.
//
// Errors are those of FitParetoNBD.
func FitCorrelatedParetoNBD(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[CorrelatedParetoNBD], error) {
	options := o.WithDefaults()
	if n := len(options.Start); n != 0 && n != 5 {
		return nil, fmt.Errorf("clv: fit of correlatedparetonbd: a start of %d values for 5 parameters", n)
	} else if n == 5 {
		options.Start = options.Start[:4]
	}
	plain, err := FitParetoNBD(ctx, data, &options)
	if err != nil {
		return nil, err
	}
	s, err := compress(ctx, data, false)
	if err != nil {
		return nil, err
	}
	n, span := plain.Model, weekIn(data)
	low, high := CorrelatedParetoNBD{R: n.R, Alpha: n.Alpha, S: n.S, Beta: n.Beta, Span: span}.Bounds()
	start := []float64{n.R, n.Alpha, n.S, n.Beta, -low / (high - low)} // M as the share of the way between its bounds
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "S"}, {Name: "Beta"}, {Name: "M", Scale: fit.Logit}},
		Rows:   len(s.rows), Weight: s.weight,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { sumBetween(s.rows[lo:hi], theta, span, d) },
		Starts: [][]float64{start},
	}
	options.Start = nil
	r, err := mle.Maximize(ctx, p, &options)
	at := func(t []float64) CorrelatedParetoNBD {
		m := CorrelatedParetoNBD{R: t[0], Alpha: t[1], S: t[2], Beta: t[3], Span: span}
		low, high := m.Bounds()
		m.M = low + t[4]*(high-low)
		return m
	}
	if errors.Is(err, fit.ErrNotConverged) || errors.Is(err, fit.ErrDiverged) {
		if e := correlatedEdge(ctx, s, r, span, &options); e != nil {
			e.Unit = data.Unit
			return e, nil
		}
	}
	e, err := fitted(at, p, r, err, s, data)
	if e != nil && len(e.Params) > 0 {
		correlatedParams(e, at)
	}
	return e, err
}

// weekIn returns the length of a week in the unit of the histories.
func weekIn(data *Histories) float64 { return float64(Week) / float64(data.Unit) }

// correlatedEdge searches along the edge of the bounds from where a search between them got stuck, and returns nil
// unless it ends higher.
func correlatedEdge(ctx context.Context, s *sample, stuck mle.Result, span float64, o *fit.Options) *fit.Estimate[CorrelatedParetoNBD] {
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "Beta"}},
		Rows:   len(s.rows), Weight: s.weight,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { sumAtEdge(s.rows[lo:hi], theta, span, d) },
		Starts: [][]float64{{stuck.Theta[0], stuck.Theta[1], stuck.Theta[3]}},
	}
	r, err := mle.Maximize(ctx, p, o)
	if err != nil || r.LogLik < stuck.LogLik {
		return nil
	}
	m := atEdge(r.Theta, span)
	e := &fit.Estimate[CorrelatedParetoNBD]{Model: m, LogLik: r.LogLik, Customers: int(s.weight), Iter: stuck.Iter + r.Iter,
		Evaluations: stuck.Evaluations + r.Evaluations, Stop: r.Stop, Warnings: boundWarnings(m)}
	for _, q := range []param{{"R", m.R}, {"Alpha", m.Alpha}, {"S", m.S}, {"Beta", m.Beta}, {"M", m.M}} {
		e.Params = append(e.Params, fit.Param{Name: q.name, Value: q.value, StdErr: math.NaN()})
	}
	e.Params[4].Scale = fit.Identity
	return e
}

func boundWarnings(m CorrelatedParetoNBD) []string {
	return []string{fmt.Sprintf("M is at its bound, %.6g: the data ask for a stronger correlation than this density can have", m.M),
		"no covariance: the estimate lies on a boundary"}
}

// correlatedParams turns the last parameter of a search, the share of the way between the bounds, into M.
func correlatedParams(e *fit.Estimate[CorrelatedParetoNBD], at func(theta []float64) CorrelatedParetoNBD) {
	theta := make([]float64, len(e.Params))
	for i, p := range e.Params {
		theta[i] = p.Value
	}
	if share := theta[4]; e.Cov == nil && (share < 1e-6 || share > 1-1e-6) {
		e.Warnings = boundWarnings(e.Model)
	}
	e.Params[4] = fit.Param{Name: "M", Value: e.Model.M, StdErr: math.NaN(), Scale: fit.Identity}
	if e.Cov == nil {
		return
	}
	slope := make([]float64, len(theta)) // of M in the parameters of the search
	for i := range theta {
		step := 1e-6 * theta[i]
		up, down := append([]float64(nil), theta...), append([]float64(nil), theta...)
		up[i], down[i] = theta[i]+step, theta[i]-step
		slope[i] = (at(up).M - at(down).M) / (up[i] - down[i])
	}
	last := make([]float64, len(theta)) // covariance of each parameter with M
	variance := 0.0
	for i := range theta {
		for j := range theta {
			last[i] += e.Cov[i][j] * slope[j]
		}
		variance += slope[i] * last[i]
	}
	for i := range 4 {
		e.Cov[i][4], e.Cov[4][i] = last[i], last[i]
	}
	e.Cov[4][4] = variance
	e.Params[4].StdErr = math.Sqrt(variance)
}

// shifts returns those of Alpha and Beta in the four parts of the mixture.
func (m CorrelatedParetoNBD) shifts() [4][2]float64 {
	c := m.span()
	return [4][2]float64{{0, 0}, {c, c}, {c, 0}, {0, c}}
}

// parts returns the independent models of the mixture and their weights.
func (m CorrelatedParetoNBD) parts() (ms [4]ParetoNBD, weights [4]float64) {
	la, lb, _, _ := m.means()
	c := m.M * la * lb
	for k, by := range m.shifts() {
		ms[k] = ParetoNBD{m.R, m.Alpha + by[0], m.S, m.Beta + by[1]}
	}
	return ms, [4]float64{1 + c, c, -c, -c}
}

// sumSarmanov adds the log-likelihood of the rows with its gradient in R, Alpha, S, Beta and M.
func (m CorrelatedParetoNBD) sumSarmanov(rows []row, d *mle.Derivs) {
	la, lb, _, _ := m.means()
	_, weights := m.parts()
	// Derivatives of LA LB.
	span := m.span()
	gab := [4]float64{-la * lb * math.Log1p(span/m.Alpha), la * lb * m.R * span / (m.Alpha * (span + m.Alpha)),
		-la * lb * math.Log1p(span/m.Beta), la * lb * m.S * span / (m.Beta * (span + m.Beta))}
	var part [4]mle.Derivs
	for k := range part {
		part[k].Grad = make([]float64, 4)
	}
	sub := make([]float64, 4)
	for i := range rows {
		one, w := rows[i:i+1], rows[i].weight
		for k, by := range m.shifts() {
			part[k].Value = 0
			clear(part[k].Grad)
			sub[0], sub[1], sub[2], sub[3] = m.R, m.Alpha+by[0], m.S, m.Beta+by[1]
			sumParetoNBD(one, sub, &part[k])
		}
		top := max(part[0].Value, part[1].Value, part[2].Value, part[3].Value)
		var l [4]float64
		total := 0.0
		for k := range l {
			l[k] = math.Exp((part[k].Value - top) / w)
			total += weights[k] * l[k]
		}
		if !(total > 0) {
			d.Value = math.NaN() // beyond the bounds by rounding
			return
		}
		spread := l[0] + l[1] - l[2] - l[3]
		d.Value += top + w*math.Log(total)
		for j := range 4 {
			g := spread * m.M * gab[j]
			for k := range l {
				g += weights[k] * l[k] * part[k].Grad[j] / w
			}
			d.Grad[j] += w * g / total
		}
		d.Grad[4] += w * spread * la * lb / total
	}
}

// sumBetween is sumSarmanov in R, Alpha, S, Beta and the share of the way of M between its bounds.
func sumBetween(rows []row, theta []float64, span float64, d *mle.Derivs) {
	m := CorrelatedParetoNBD{R: theta[0], Alpha: theta[1], S: theta[2], Beta: theta[3], Span: span}
	la, lb, ca, cb := m.means()
	low, high := m.Bounds()
	m.M = low + theta[4]*(high-low)
	inner := mle.Derivs{Grad: make([]float64, 5)}
	m.sumSarmanov(rows, &inner)
	gla := [4]float64{-la * math.Log1p(span/m.Alpha), la * m.R * span / (m.Alpha * (span + m.Alpha)), 0, 0}
	glb := [4]float64{0, 0, -lb * math.Log1p(span/m.Beta), lb * m.S * span / (m.Beta * (span + m.Beta))}
	d.Value += inner.Value
	for i := range gla {
		bottom, top := gla[i]*lb+la*glb[i], gla[i]*cb-la*glb[i]
		if ca*cb > la*lb {
			bottom = -gla[i]*cb - ca*glb[i]
		}
		if lb*ca > la*cb {
			top = glb[i]*ca - lb*gla[i]
		}
		d.Grad[i] += inner.Grad[i] + inner.Grad[4]*((1-theta[4])*bottom*low*low-theta[4]*top*high*high)
	}
	d.Grad[4] += inner.Grad[4] * (high - low)
}

// atEdge returns the model at the edge of the highest bounds: LA = LB, where a rising M meets both, with M there. The
// bound has a bend at it, at which a search between the bounds gets stuck.
func atEdge(theta []float64, span float64) CorrelatedParetoNBD {
	m := CorrelatedParetoNBD{R: theta[0], Alpha: theta[1], Beta: theta[2], Span: span}
	m.S = m.R * math.Log1p(span/m.Alpha) / math.Log1p(span/m.Beta)
	la, _, ca, _ := m.means()
	m.M = 1 / (la * ca)
	return m
}

// sumAtEdge is sumSarmanov along the edge, in R, Alpha and Beta.
func sumAtEdge(rows []row, theta []float64, span float64, d *mle.Derivs) {
	m := atEdge(theta, span)
	la, _, _, _ := m.means()
	inner := mle.Derivs{Grad: make([]float64, 5)}
	m.sumSarmanov(rows, &inner)
	a, b := math.Log1p(span/m.Alpha), math.Log1p(span/m.Beta)
	inM := -(1 - 2*la) * m.M * m.M // of M in LA
	d.Value += inner.Value
	d.Grad[0] += inner.Grad[0] + inner.Grad[2]*a/b - inner.Grad[4]*inM*la*a
	d.Grad[1] += inner.Grad[1] + (inner.Grad[4]*inM*la-inner.Grad[2]/b)*m.R*span/(m.Alpha*(span+m.Alpha))
	d.Grad[2] += inner.Grad[3] + inner.Grad[2]*m.S*span/(b*m.Beta*(span+m.Beta))
}

// posterior returns the parts with their shares in the likelihood of a history, and its log.
func (m CorrelatedParetoNBD) posterior(h History) (ms [4]ParetoNBD, shares [4]float64, logLik float64) {
	ms, weights := m.parts()
	var l [4]float64
	top := math.Inf(-1)
	for k := range l {
		l[k] = ms[k].LogLikelihood(h)
		top = max(top, l[k])
	}
	total := 0.0
	for k := range l {
		shares[k] = weights[k] * math.Exp(l[k]-top)
		total += shares[k]
	}
	for k := range shares {
		shares[k] /= total
	}
	return ms, shares, top + math.Log(total)
}

// mean averages a prediction over the parts, and returns NaN for what is out of range.
func (m CorrelatedParetoNBD) mean(h History, of func(n ParetoNBD) float64) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	ms, shares, _ := m.posterior(h)
	sum := 0.0
	for k, n := range ms {
		sum += shares[k] * of(n)
	}
	return sum
}

// chance keeps the rounding of weights of both signs from leaving the probabilities.
func chance(p float64) float64 { return max(0, min(1, p)) }

// prior averages a prediction for new customers over the parts.
func (m CorrelatedParetoNBD) prior(of func(n ParetoNBD) float64) float64 {
	if !m.valid() {
		return math.NaN()
	}
	ms, weights := m.parts()
	sum := 0.0
	for k, n := range ms {
		sum += weights[k] * of(n)
	}
	return sum
}

// LogLikelihood returns the log of L00 + m LA LB (L00 + L11 - L10 - L01), where Lij is the likelihood of ParetoNBD with
// Alpha + i Span and Beta + j Span.
func (m CorrelatedParetoNBD) LogLikelihood(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	_, _, l := m.posterior(h)
	return l
}

// ProbAlive returns P(alive at T | x, tx, T).
func (m CorrelatedParetoNBD) ProbAlive(h History) float64 {
	return chance(m.mean(h, func(n ParetoNBD) float64 { return n.ProbAlive(h) }))
}

// ExpectedPurchases returns E[purchases in (T, T+t] | x, tx, T].
func (m CorrelatedParetoNBD) ExpectedPurchases(h History, t float64) float64 {
	return m.mean(h, func(n ParetoNBD) float64 { return n.ExpectedPurchases(h, t) })
}

// NewCustomerPurchases returns the expected repeat purchases of a new customer in (0, t].
func (m CorrelatedParetoNBD) NewCustomerPurchases(t float64) float64 {
	return m.prior(func(n ParetoNBD) float64 { return n.NewCustomerPurchases(t) })
}

// PMF returns P(X(t) = n), the probability of n repeat purchases of a new customer in (0, t].
func (m CorrelatedParetoNBD) PMF(n int, t float64) float64 {
	return chance(m.prior(func(q ParetoNBD) float64 { return q.PMF(n, t) }))
}

// DERT returns the discounted expected residual purchases at the continuous rate delta a unit of time. It is NaN for a
// negative or infinite delta. At delta 0 it is the expected number of all future purchases, which is +Inf for S <= 1.
func (m CorrelatedParetoNBD) DERT(h History, delta float64) float64 {
	if delta == 0 && m.S <= 1 && m.ProbAlive(h) > 0 {
		return math.Inf(1)
	}
	return m.mean(h, func(n ParetoNBD) float64 { return n.DERT(h, delta) })
}

// ProbAliveAt returns the probability that the customer is still one at T+t.
func (m CorrelatedParetoNBD) ProbAliveAt(h History, t float64) float64 {
	return chance(m.mean(h, func(n ParetoNBD) float64 { return n.ProbAliveAt(h, t) }))
}

// ConditionalPMF returns P(n purchases in (T, T+t] | x, tx, T).
func (m CorrelatedParetoNBD) ConditionalPMF(h History, n int, t float64) float64 {
	return chance(m.mean(h, func(q ParetoNBD) float64 { return q.ConditionalPMF(h, n, t) }))
}

// ProbAnyPurchase returns the probability of at least one purchase in (T, T+t].
func (m CorrelatedParetoNBD) ProbAnyPurchase(h History, t float64) float64 {
	return chance(m.mean(h, func(n ParetoNBD) float64 { return n.ProbAnyPurchase(h, t) }))
}

// IntervalPMF returns the probability that a new customer makes n purchases in (from, to].
func (m CorrelatedParetoNBD) IntervalPMF(n int, from, to float64) float64 {
	return chance(m.prior(func(q ParetoNBD) float64 { return q.IntervalPMF(n, from, to) }))
}

// Rand draws the history of a new customer observed for T units. A negative or infinite T and invalid parameters give
// a history whose T is NaN.
func (m CorrelatedParetoNBD) Rand(r *rand.Rand, T float64) History { return randHistory(m, r, T) }

// RandTimes draws the times of the repeat purchases of a new customer in (0, T], nil for none and for an invalid T.
func (m CorrelatedParetoNBD) RandTimes(r *rand.Rand, T float64) []float64 { return randTimes(m, r, T) }

// NextPurchaseQuantile returns the time from T within which the next purchase comes with probability p, +Inf where p is
// not below the probability that there is a next one.
func (m CorrelatedParetoNBD) NextPurchaseQuantile(h History, p float64) float64 {
	ever := m.mean(h, func(n ParetoNBD) float64 { return n.ProbAlive(h) * n.after(h).buysWithin(math.Inf(1)) })
	switch {
	case math.IsNaN(ever) || !(p >= 0 && p <= 1):
		return math.NaN()
	case p == 0:
		return 0
	case p >= ever:
		return math.Inf(1)
	}
	return logIncreasing(func(t float64) float64 { return m.ProbAnyPurchase(h, t) }, p, (m.Alpha+h.T)/(m.R+float64(h.X)))
}

// gaps draws lambda and mu by rejection from the independent ones.
func (m CorrelatedParetoNBD) gaps(r *rand.Rand) func() float64 {
	c := m.span()
	la, lb, ca, cb := m.means()
	most := 1 + max(m.M*max(la*lb, ca*cb), -m.M*max(la*cb, lb*ca))
	for {
		lambda, mu := randGamma(r, m.R)/m.Alpha, randGamma(r, m.S)/m.Beta
		if r.Float64()*most > 1+m.M*(math.Exp(-lambda*c)-la)*(math.Exp(-mu*c)-lb) {
			continue
		}
		left := r.ExpFloat64() / mu
		return func() float64 {
			gap := r.ExpFloat64() / lambda
			if left -= gap; left < 0 {
				return math.Inf(1)
			}
			return gap
		}
	}
}
