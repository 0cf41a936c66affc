package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/ledger"
)

// BGCNBD is the BG/CNBD-k model: BGNBD for customers who buy more regularly than by chance. The time between purchases
// is Erlang with K phases, so K = 1 is BGNBD.
//
//	time between purchases   sum of K exponential times with rate lambda: mean K/lambda
//	lambda                   gamma with shape R and rate Alpha: mean R/Alpha
//	leaves after a purchase  with probability p, the first purchase excepted
//	p                        beta with A and B: mean A/(A+B)
//
// K is at least 1 and at most 100, the other four are positive; Alpha has the unit of time of the histories. The
// likelihood reads LogGaps.
//
// Source: T. Reutterer, M. Platzer, N. Schröder, Leveraging Purchase Regularity for Predicting Customer Behavior the
// Easy Way, International Journal of Research in Marketing 38(1), 2021. The expected purchases, the discounted ones and
// the distributions of the future are exact, by conditioning on the phases that have passed since the last purchase.
type BGCNBD struct {
	K     int     `json:"k"`
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// MBGCNBD is the MBG/CNBD-k model: BGCNBD where a customer may also leave right after the first purchase. K = 1 is
// MBGNBD.
type MBGCNBD struct {
	K     int     `json:"k"`
	R     float64 `json:"r"`
	Alpha float64 `json:"alpha"`
	A     float64 `json:"a"`
	B     float64 `json:"b"`
}

// maxK is the largest K: beyond, purchases are as good as clockwork.
const maxK = 100

var errK = errors.New("want a whole number from 1 to 100")

// A cnbdModel is either model with its shape.
type cnbdModel struct {
	cnbd
	r, alpha, a, b float64
}

func (m BGCNBD) model() cnbdModel  { return cnbdModel{cnbd{m.K, 0}, m.R, m.Alpha, m.A, m.B} }
func (m MBGCNBD) model() cnbdModel { return cnbdModel{cnbd{m.K, 1}, m.R, m.Alpha, m.A, m.B} }

func (m cnbdModel) valid() bool {
	return m.k >= 1 && m.k <= maxK && allPositive(m.r, m.alpha, m.a, m.b)
}

func (m cnbdModel) validate(kind string) error {
	if m.k < 1 || m.k > maxK {
		return fmt.Errorf("clv: %s: K = %d: %w", kind, m.k, errK)
	}
	return positive(kind, []param{{"R", m.r}, {"Alpha", m.alpha}, {"A", m.a}, {"B", m.b}})
}

// Kind returns "bgcnbd".
func (BGCNBD) Kind() string { return "bgcnbd" }

// Kind returns "mbgcnbd".
func (MBGCNBD) Kind() string { return "mbgcnbd" }

// Validate returns an error that names the first parameter outside its domain.
func (m BGCNBD) Validate() error { return m.model().validate(m.Kind()) }

// Validate returns an error that names the first parameter outside its domain.
func (m MBGCNBD) Validate() error { return m.model().validate(m.Kind()) }

// MarshalJSON writes the parameters under the schema "custval/model/bgcnbd/v1".
func (m BGCNBD) MarshalJSON() ([]byte, error) {
	type plain BGCNBD
	return marshalModel(m, plain(m))
}

// MarshalJSON writes the parameters under the schema "custval/model/mbgcnbd/v1".
func (m MBGCNBD) MarshalJSON() ([]byte, error) {
	type plain MBGCNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *BGCNBD) UnmarshalJSON(text []byte) error {
	type plain BGCNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *MBGCNBD) UnmarshalJSON(text []byte) error {
	type plain MBGCNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// FitBGCNBD estimates the model by maximum likelihood from the X, TX, T, LogGaps and Count of the histories, for a k
// that is given, or, with k = 0, for each k from 1 to 12, of which the one with the largest likelihood is returned. K
// is part of the Model and not of the Params: covariance, standard errors and the number of parameters in AIC and BIC
// are those of R, Alpha, A and B given K. The derivatives are analytic.
//
// FitBGCNBD returns an error if k is negative or above 100, if a history does not validate or has a LogGaps that its X
// and TX do not allow, if for k other than 1 no history has LogGaps, if no customer has a repeat purchase, and, with
// the best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitBGCNBD(ctx context.Context, data *Histories, k int, o *fit.Options) (*fit.Estimate[BGCNBD], error) {
	return fitCNBD(ctx, data, cnbd{k, 0}, o, func(k int, t []float64) BGCNBD { return BGCNBD{k, t[0], t[1], t[2], t[3]} })
}

// FitMBGCNBD estimates the model as FitBGCNBD does.
func FitMBGCNBD(ctx context.Context, data *Histories, k int, o *fit.Options) (*fit.Estimate[MBGCNBD], error) {
	return fitCNBD(ctx, data, cnbd{k, 1}, o, func(k int, t []float64) MBGCNBD { return MBGCNBD{k, t[0], t[1], t[2], t[3]} })
}

// chosenUpTo is the largest k that a fit chooses by itself.
const chosenUpTo = 12

func fitCNBD[M Model](ctx context.Context, data *Histories, c cnbd, o *fit.Options, model func(k int, t []float64) M) (*fit.Estimate[M], error) {
	var zero M
	if c.k < 0 || c.k > maxK {
		return nil, fmt.Errorf("clv: fit of %s: k = %d: %w, or 0 to choose it", zero.Kind(), c.k, errK)
	}
	s, err := compress(ctx, data, c.k != 1)
	if err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", zero.Kind(), err)
	}
	if c.k != 1 {
		if err := checkGaps(data); err != nil {
			return nil, fmt.Errorf("clv: fit of %s: %w", zero.Kind(), err)
		}
	}
	if c.k > 0 {
		return fitFor(ctx, c, data, s, o, nil, model)
	}
	return largestOfK(ctx, func(k int, start []float64) (*fit.Estimate[M], error) {
		return fitFor(ctx, cnbd{k, c.first}, data, s, o, start, model)
	})
}

// largestOfK fits a model for each k, from the estimate of the one before where that is known, and returns the one of the
// largest likelihood.
func largestOfK[M any](ctx context.Context, fitFor func(k int, start []float64) (*fit.Estimate[M], error)) (*fit.Estimate[M], error) {
	var best *fit.Estimate[M]
	var first error
	var start []float64
	evaluations := 0
	for k := 1; k <= chosenUpTo; k++ {
		e, err := fitFor(k, start)
		if ctx.Err() != nil {
			return later(best, e), err
		}
		if err != nil {
			first = errors.Join(first, err)
			continue
		}
		evaluations += e.Evaluations
		start = values(e.Params)
		start[1] *= float64(k) / float64(k+1) // the same rate of purchases
		if best == nil || e.LogLik > best.LogLik {
			best = e
			if k == chosenUpTo {
				best.Warnings = append(best.Warnings, "the largest K that is tried has the largest likelihood; try a larger one")
			}
		}
	}
	if best == nil {
		return nil, first
	}
	best.Evaluations = evaluations
	return best, nil
}

// later returns the best estimate, or the last where there is none.
func later[M any](best, last *fit.Estimate[M]) *fit.Estimate[M] {
	if best == nil {
		return last
	}
	return best
}

// fitFor fits the model for c.k, from start where that is known.
func fitFor[M Model](ctx context.Context, c cnbd, data *Histories, s *sample, o *fit.Options, start []float64,
	model func(k int, t []float64) M) (*fit.Estimate[M], error) {
	starts := bgStarts(s)
	for i := range starts {
		starts[i][1] /= float64(c.k)
	}
	if len(start) > 0 {
		starts = append([][]float64{start}, starts...)
	}
	p := c.problem(s, starts)
	r, err := mle.Maximize(ctx, p, o)
	return fitted(func(t []float64) M { return model(c.k, t) }, p, r, err, s, data)
}

var (
	errNoGaps = errors.New("no history has LogGaps, the sum of the logs of the times between purchases; Summarize fills it")
	errGaps   = errors.New("greater than X ln(TX/X), the largest that X times between purchases can have")
)

// checkGaps returns an error for LogGaps that cannot be.
func checkGaps(hs *Histories) error {
	any := false
	for i := range hs.Rows {
		h := &hs.Rows[i]
		any = any || h.LogGaps != 0
		if x := float64(h.X); h.X > 0 && h.LogGaps > x*math.Log(h.TX/x)+1e-9*(1+math.Abs(h.LogGaps)) {
			return &ledger.RowError{Row: i + 1, Field: "LogGaps", Value: strconv.FormatFloat(h.LogGaps, 'g', -1, 64), Err: errGaps}
		}
	}
	if !any {
		return errNoGaps
	}
	return nil
}

// mix returns the log of the sum of the cases alive and gone but for factors of both, and P(alive).
func (m cnbdModel) mix(h History) (sum, alive float64) {
	shape := m.r + float64(m.k)*float64(h.X)
	idle := -shape * math.Log1p((h.T-h.TX)/(m.alpha+h.TX))
	if m.k > 1 {
		idle += math.Log(phaseSum(m.k, shape, (h.T-h.TX)/(m.alpha+h.T)))
	}
	n := float64(h.X + m.first)
	if n == 0 {
		return idle, 1
	}
	return mix(idle, math.Log(m.a/(m.b+n-1)))
}

// phaseSum returns the sum over j < k of (shape)_j/j! w^j.
func phaseSum(k int, shape, w float64) float64 {
	term, sum := 1.0, 1.0
	for j := 1.0; j < float64(k); j++ {
		term *= (shape + j - 1) / j * w
		sum += term
	}
	return sum
}

func (m cnbdModel) logLikelihood(h History) float64 {
	if !m.valid() || !h.usable() || (m.k > 1 && !finite(h.LogGaps)) {
		return math.NaN()
	}
	n, s := m.count(h.X, m.r, false), m.stay(h.X, m.a, m.b, false)
	l := math.Log1p(h.TX / m.alpha)
	sum, _ := m.mix(h)
	gaps := 0.0
	if m.k > 1 {
		gaps = float64(m.k-1) * h.LogGaps
	}
	return n.value + s.value + math.Log(s.ratio) + gaps - m.r*l - n.y*(math.Log(m.alpha)+l) + sum
}

func (m cnbdModel) probAlive(h History) float64 {
	if !m.valid() || !h.usable() {
		return math.NaN()
	}
	_, alive := m.mix(h)
	return alive
}

// after returns the future of a customer who is alive at T.
func (m cnbdModel) after(h History) erlang {
	return erlang{k: m.k, shape: m.r + float64(m.k)*float64(h.X), rate: m.alpha + h.T, a: m.a, b: m.b + float64(h.X+m.first),
		passed: (h.T - h.TX) / (m.alpha + h.T)}
}

func (m cnbdModel) expected(h History, t float64) float64 {
	alive := m.probAlive(h)
	if math.IsNaN(alive) || !validTime(t) {
		return math.NaN()
	}
	return alive * m.after(h).expected(t)
}

// withinHorizon is of both models.
func (m cnbdModel) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.probAlive(h)
	if math.IsNaN(alive) || !validTime(horizon) || !validTime(delta) {
		return math.NaN(), math.NaN()
	}
	f := m.after(h)
	purchases = f.expected(horizon)
	return alive * purchases, alive * f.discountedWithin(horizon, delta, purchases)
}

func (m BGCNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	return m.model().withinHorizon(h, horizon, delta)
}

func (m MBGCNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	return m.model().withinHorizon(h, horizon, delta)
}

func (m cnbdModel) dert(h History, delta float64) float64 {
	alive := m.probAlive(h)
	if math.IsNaN(alive) || !validTime(delta) {
		return math.NaN()
	}
	if alive == 0 {
		return 0
	}
	return alive * m.after(h).discounted(delta)
}

func (m cnbdModel) interval(n int, from, to float64) float64 {
	if !m.valid() || n < 0 || !validTime(from) || !validTime(to) || to < from {
		return math.NaN()
	}
	stays := m.probAlive(History{})
	p := stays * m.after(History{}).interval(n, from, to)
	if n == 0 {
		p += 1 - stays
	}
	return p
}

// gaps is of both models; a customer of the modified one may leave before the first gap.
func (m cnbdModel) gaps(r *rand.Rand) func() float64 {
	lambda, p := randGamma(r, m.r)/m.alpha, randBeta(r, m.a, m.b)
	opportunity := m.first == 1
	return func() float64 {
		if opportunity && r.Float64() < p {
			lambda = 0
		}
		opportunity = true
		return randGamma(r, float64(m.k)) / lambda
	}
}
