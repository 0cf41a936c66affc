package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/ledger"
)

// FitBGBB estimates the model by maximum likelihood from the X, TX, N and Count of the histories. The derivatives are
// analytic; covariance and standard errors come from the observed information. The estimate's Unit is 0: the model
// counts opportunities, whatever the time between them.
//
// FitBGBB returns an error if there are no histories or one does not validate, if no customer ever bought, and, with
// the best estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitBGBB(ctx context.Context, data []DiscreteHistory, o *fit.Options) (*fit.Estimate[BGBB], error) {
	s, err := compressDiscrete(data)
	if err != nil {
		return nil, err
	}
	switch {
	case s.opportunities == 0:
		return nil, fmt.Errorf("clv: fit of bgbb: %w", errNoOpportunities)
	case s.purchases == 0:
		return nil, fmt.Errorf("clv: fit of bgbb: %w", errNeverBought)
	}
	share := min(0.9, s.purchases/s.opportunities)
	p := mle.Problem{
		Params: []mle.Param{{Name: "Alpha"}, {Name: "Beta"}, {Name: "Gamma"}, {Name: "Delta"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumBGBB(s.rows[lo:hi], theta, d) },
		Starts: [][]float64{
			{1, 1, 0.5, 3},
			{2 * share, 2 * (1 - share), 1, 10},
			{1, 1 / share, 1, 5},
			{0.5, 0.5, 2, 4},
		},
	}
	r, err := mle.Maximize(ctx, p, o)
	if r.Theta == nil {
		return nil, discreteError(err, s, data)
	}
	t := r.Theta
	e := mle.Estimate(r, p.Params, BGBB{t[0], t[1], t[2], t[3]})
	e.Customers = int(s.weight)
	return e, discreteError(err, s, data)
}

// discreteError is fitError for discrete histories.
func discreteError(err error, s *discreteSample, data []DiscreteHistory) error {
	if err == nil {
		return nil
	}
	var bad *mle.BadRow
	if errors.As(err, &bad) {
		i := s.rows[bad.Row].index
		err = &ledger.RowError{Row: i + 1, Value: fmt.Sprintf("X %d, TX %d, N %d", data[i].X, data[i].TX, data[i].N),
			Err: fmt.Errorf("log-likelihood %v at the start", bad.Value)}
	}
	return fmt.Errorf("clv: fit of bgbb: %w", err)
}

// A discreteRow is what the likelihood reads of a history, with its weight.
type discreteRow struct {
	x, tx, n int
	weight   float64
	index    int // of the first history that has these values
}

// A discreteSample is the histories of a fit: identical ones merged, in an order that depends on their values alone.
type discreteSample struct {
	rows          []discreteRow
	weight        float64 // customers
	purchases     float64
	opportunities float64
}

var (
	errNoDiscrete      = errors.New("clv: no histories")
	errNeverBought     = errors.New("no customer bought at any opportunity, so the data do not tell how often customers buy")
	errNoOpportunities = errors.New("no customer had an opportunity to buy")
)

func compressDiscrete(data []DiscreteHistory) (*discreteSample, error) {
	if len(data) == 0 {
		return nil, errNoDiscrete
	}
	type key struct{ x, tx, n int }
	places := make(map[key]int)
	s := &discreteSample{}
	for i := range data {
		h := &data[i]
		if bad := h.problem(); bad != nil {
			bad.Row = i + 1
			return nil, fmt.Errorf("clv: %w", bad)
		}
		k := key{h.X, h.TX, h.N}
		at, ok := places[k]
		if !ok {
			at = len(s.rows)
			places[k] = at
			s.rows = append(s.rows, discreteRow{x: h.X, tx: h.TX, n: h.N, index: i})
		}
		s.rows[at].weight += float64(h.customers())
	}
	slices.SortFunc(s.rows, func(a, b discreteRow) int {
		return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.x, b.x), cmp.Compare(b.tx, a.tx))
	})
	for _, r := range s.rows {
		s.weight += r.weight
		s.purchases += r.weight * float64(r.x)
		s.opportunities += r.weight * float64(r.n)
	}
	return s, nil
}

// A bbPart is a weighted sum of the terms of BGBB.mix with the first and second derivatives of their logs: mean
// gradients, and means of the Hessians plus the squares of the gradients.
type bbPart struct {
	total  float64
	first  [4]float64
	second [4][4]float64 // of i <= j
}

// add adds a term of the gradient g and the Hessian whose parts of the two beta distributions are p and q: aa, ab, bb.
func (m *bbPart) add(weight float64, g, p, q *[4]float64) {
	m.total += weight
	for i := range g {
		m.first[i] += weight * g[i]
		for j := i; j < 4; j++ {
			m.second[i][j] += weight * g[i] * g[j]
		}
	}
	m.second[0][0] += weight * p[0]
	m.second[0][1] += weight * p[1]
	m.second[1][1] += weight * p[2]
	m.second[2][2] += weight * q[0]
	m.second[2][3] += weight * q[1]
	m.second[3][3] += weight * q[2]
}

// sumBGBB adds the log-likelihood of the rows with its first and second derivatives in Alpha, Beta, Gamma, Delta. The
// customers who left are summed backwards from the end, so that those who share n and x share the sum: the terms of a
// row are those of the one before it, which left later, and some more. A customer's likelihood is a mixture: the
// gradient of its log is the mean of the gradients of the logs of the parts, and the Hessian the mean of their Hessians
// plus the covariance of their gradients.
func sumBGBB(rows []discreteRow, theta []float64, d *mle.Derivs) {
	alpha, beta, gamma, delta := theta[0], theta[1], theta[2], theta[3]
	var c bbTail
	for i := range rows {
		w := &rows[i]
		if i == 0 || w.n != c.n || w.x != c.x {
			c = newBBTail(w.x, w.n, alpha, beta, gamma, delta)
		}
		c.back(w.tx)
		m := &c.part
		mean := m.first
		for j := range mean {
			mean[j] /= m.total
		}
		weight := w.weight
		d.Value += weight * (c.value + math.Log(m.total))
		for j := range mean {
			d.Grad[j] += weight * (c.first[j] + mean[j])
		}
		if d.Hess == nil {
			continue
		}
		for j := range mean {
			for k := j; k < 4; k++ {
				d.AddHess(j, k, weight*(c.second[j][k]+m.second[j][k]/m.total-mean[j]*mean[k]))
			}
		}
	}
}

// A bbTail is the likelihood of the histories of one x and n, relative to the living: the value and derivatives of
// their log, and the sum over those who left before the opportunities from k+1 on.
type bbTail struct {
	x, n                      int
	alpha, beta, gamma, delta float64
	value                     float64
	first                     [4]float64
	second                    [4][4]float64
	part                      bbPart
	k                         int     // the terms from k on are in part
	term                      float64 // of k, relative to the living
	g, p, q                   [4]float64
}

func newBBTail(x, n int, alpha, beta, gamma, delta float64) bbTail {
	c := bbTail{x: x, n: n, alpha: alpha, beta: beta, gamma: gamma, delta: delta, k: n}
	a, b, e := float64(x), float64(n-x), float64(n)
	c.value = special.LogGammaRatio(alpha, a) + special.LogGammaRatio(beta, b) - special.LogGammaRatio(alpha+beta, e) +
		special.LogGammaRatio(delta, e) - special.LogGammaRatio(gamma+delta, e)
	both, leaves := special.DigammaDiff(alpha+beta, e), special.DigammaDiff(gamma+delta, e)
	c.first = [4]float64{special.DigammaDiff(alpha, a) - both, special.DigammaDiff(beta, b) - both,
		-leaves, special.DigammaDiff(delta, e) - leaves}
	both, leaves = special.TrigammaDiff(alpha+beta, e), special.TrigammaDiff(gamma+delta, e)
	c.second[0][0], c.second[0][1], c.second[1][1] = special.TrigammaDiff(alpha, a)-both, -both, special.TrigammaDiff(beta, b)-both
	c.second[2][2], c.second[2][3], c.second[3][3] = -leaves, -leaves, special.TrigammaDiff(delta, e)-leaves
	// The living have the weight 1 and no derivative of their own.
	c.part.total = 1
	// The term of k = n, which itself is not part of the sum: gamma/(gamma+delta+n) of the living.
	s := gamma + delta + e
	c.term = gamma / s
	c.g = [4]float64{2: 1/gamma - 1/s, 3: -1 / s}
	c.q = [4]float64{1/(s*s) - 1/(gamma*gamma), 1 / (s * s), 1 / (s * s)}
	return c
}

// back extends the sum to the terms from k = tx on.
func (c *bbTail) back(tx int) {
	for c.k > tx {
		c.k--
		k := float64(c.k)
		buys, none := c.alpha+c.beta+k, c.beta+k-float64(c.x)
		leaves, stays := c.gamma+c.delta+k+1, c.delta+k
		c.term *= buys / none * (leaves / stays)
		c.g[0] += 1 / buys
		c.g[1] += 1/buys - 1/none
		c.g[2] += 1 / leaves
		c.g[3] += 1/leaves - 1/stays
		b, l := 1/(buys*buys), 1/(leaves*leaves)
		c.p[0] -= b
		c.p[1] -= b
		c.p[2] += 1/(none*none) - b
		c.q[0] -= l
		c.q[1] -= l
		c.q[2] += 1/(stays*stays) - l
		c.part.add(c.term, &c.g, &c.p, &c.q)
		if c.part.total > 0x1p400 {
			c.shrink()
		}
	}
}

// shrink takes a power of the scale out of the sum.
func (c *bbTail) shrink() {
	const by = 0x1p-400
	c.term *= by
	c.part.total *= by
	c.value += 400 * math.Ln2
	for i := range c.part.first {
		c.part.first[i] *= by
		for j := i; j < 4; j++ {
			c.part.second[i][j] *= by
		}
	}
}
