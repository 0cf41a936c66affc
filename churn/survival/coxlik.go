package survival

import (
	"context"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
)

// coxSums is the partial likelihood at one point with its derivatives, all for the standardized covariates, and the
// hazard that goes with it.
type coxSums struct {
	logLik float64
	grad   []float64
	info   [][]float64 // minus the second derivative

	risk []float64 // exp(x b) of each row
	step []float64 // of the baseline hazard at each event
	own  []float64 // the part of it that those who leave at the event meet: less than step with Efron's ties
	cum  []float64 // sum of the steps within the stratum
}

// evaluate sums the partial log-likelihood at b. With r = exp(x b), S0 and S1 the sums of w r and w r x over the risk
// set and D0, D1 those over the d rows with total weight W that leave at an event,
//
//	ln L = sum of w x b over the rows that leave - sum over events of W/d sum_{k<d} ln(S0 - k/d D0)
//
// for Efron's ties; Breslow's have no k/d. The information is a sum of w E x x' over rows less one of xbar xbar' over
// events, where E, the hazard that a row has met times r, is what the martingale residual subtracts. That form has no
// running matrix.
func (c *coxData) evaluate(ctx context.Context, ties Ties, b []float64) (*coxSums, error) {
	m := len(c.time)
	s := &coxSums{grad: make([]float64, c.p), info: linalg.NewMatrix(c.p), risk: make([]float64, c.n), step: make([]float64, m),
		own: make([]float64, m), cum: make([]float64, m)}
	eta := make([]float64, c.n)
	for i := range eta {
		eta[i] = linalg.Dot(c.x[i*c.p:(i+1)*c.p], b)
		s.risk[i] = math.Exp(eta[i])
	}
	if err := c.sumEvents(ctx, s, ties, eta); err != nil {
		return nil, err
	}
	step, own := s.step, s.own
	if ties == Exact { // tied events have added their derivatives already
		s.step, s.own = c.untied(step), c.untied(own)
	}
	c.accumulate(s)
	if err := c.sumRows(ctx, s, ties); err != nil {
		return nil, err
	}
	mirror(s.info)
	if ties == Exact {
		s.step, s.own = step, own
		c.accumulate(s)
	}
	return s, nil
}

// untied returns the steps with 0 for the events at which several rows leave.
func (c *coxData) untied(steps []float64) []float64 {
	out := make([]float64, len(steps))
	for e := range out {
		if c.start[e+1]-c.first[e] == 1 {
			out[e] = steps[e]
		}
	}
	return out
}

func (c *coxData) accumulate(s *coxSums) {
	for _, sp := range c.strata {
		sum := 0.0
		for e := sp.lo; e < sp.hi; e++ {
			sum += s.step[e]
			s.cum[e] = sum
		}
	}
}

// sumRows adds what each row contributes through the hazard that it has met.
func (c *coxData) sumRows(ctx context.Context, s *coxSums, ties Ties) error {
	for i := range c.n {
		if i%8192 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		expected := c.weight[i] * s.expected(c, i)
		row := c.x[i*c.p : (i+1)*c.p]
		residual := -expected
		if e := c.hi[i] - 1; c.dead[i] && (ties != Exact || c.start[e+1]-c.first[e] == 1) {
			residual += c.weight[i]
		}
		for j, xj := range row {
			s.grad[j] += residual * xj
			scaled, line := expected*xj, s.info[j]
			for k, xk := range row[:j+1] {
				line[k] += scaled * xk
			}
		}
	}
	return nil
}

// expected returns r times the hazard that row i has met.
func (s *coxSums) expected(c *coxData, i int) float64 {
	e := c.hi[i] - 1
	hazard := s.cum[e]
	if c.dead[i] {
		hazard += s.own[e] - s.step[e]
	}
	if lo := c.lo[i]; lo > 0 && !c.opens[lo-1] {
		hazard -= s.cum[lo-1]
	}
	return s.risk[i] * hazard
}

func mirror(a [][]float64) {
	for j := range a {
		for k := range j {
			a[k][j] = a[j][k]
		}
	}
}

// riskSet is the running sums of the rows at risk, from the last event of a stratum to the first.
type riskSet struct {
	s0     float64
	s1     []float64
	active int
	late   []int32 // rows not yet taken out again, by lo
}

func (c *coxData) newRiskSet() *riskSet { return &riskSet{s1: make([]float64, c.p), late: c.late} }

// move changes the sums from those of event e+1 to those of event e.
func (r *riskSet) move(c *coxData, risk []float64, e int) {
	if c.opens[e] {
		r.reset()
	}
	for i := c.start[e]; i < c.start[e+1]; i++ {
		w := c.weight[i] * risk[i]
		r.s0 += w
		for j, x := range c.row(i) {
			r.s1[j] += w * x
		}
	}
	r.active += int(c.start[e+1] - c.start[e])
	for n := len(r.late); n > 0 && int(c.lo[r.late[n-1]]) > e; n-- {
		i := r.late[n-1]
		r.late = r.late[:n-1]
		if r.active--; r.active == int(c.start[e+1]-c.start[e]) {
			r.restart(c, risk, e)
			continue
		}
		w := c.weight[i] * risk[i]
		r.s0 -= w
		for j, x := range c.row(i) {
			r.s1[j] -= w * x
		}
	}
}

func (r *riskSet) reset() {
	r.s0, r.active = 0, 0
	clear(r.s1)
}

// restart sums the rows of event e alone: nobody else is left, and what the differences left behind is rounding.
func (r *riskSet) restart(c *coxData, risk []float64, e int) {
	r.s0 = 0
	clear(r.s1)
	for i := c.start[e]; i < c.start[e+1]; i++ {
		w := c.weight[i] * risk[i]
		r.s0 += w
		for j, x := range c.row(i) {
			r.s1[j] += w * x
		}
	}
}

// tied is the sums of the rows that leave at an event.
type tied struct {
	count      int
	weight     float64
	d0         float64
	d1         []float64
	weightedLP float64 // sum of w x b
}

func (c *coxData) tiedAt(e int, risk, eta []float64, t *tied) {
	t.count, t.weight, t.d0, t.weightedLP = int(c.start[e+1]-c.first[e]), 0, 0, 0
	clear(t.d1)
	for i := c.first[e]; i < c.start[e+1]; i++ {
		w := c.weight[i] * risk[i]
		t.weight += c.weight[i]
		t.d0 += w
		if eta != nil {
			t.weightedLP += c.weight[i] * eta[i]
		}
		for j, x := range c.row(i) {
			t.d1[j] += w * x
		}
	}
}

// parts returns in how many parts the hazard of an event falls: one for Breslow's ties, one a row for Efron's.
func (t *tied) parts(ties Ties) int {
	if ties == Efron {
		return t.count
	}
	return 1
}

// sumEvents adds what the risk sets contribute.
func (c *coxData) sumEvents(ctx context.Context, s *coxSums, ties Ties, eta []float64) error {
	r, t := c.newRiskSet(), &tied{d1: make([]float64, c.p)}
	mean := make([]float64, c.p)
	for e := len(c.time) - 1; e >= 0; e-- {
		if e%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		r.move(c, s.risk, e)
		c.tiedAt(e, s.risk, eta, t)
		if ties == Exact && t.count > 1 {
			if err := c.exactEvent(ctx, s, e, t, eta); err != nil {
				return err
			}
			s.step[e] = t.weight / r.s0
			s.own[e] = s.step[e]
			continue
		}
		s.logLik += t.weightedLP
		parts := t.parts(ties)
		unit := t.weight / float64(parts)
		for k := range parts {
			f := float64(k) / float64(parts)
			s0 := r.s0 - f*t.d0
			s.logLik -= unit * math.Log(s0)
			s.step[e] += unit / s0
			s.own[e] += (1 - f) * unit / s0
			for j := range mean {
				mean[j] = (r.s1[j] - f*t.d1[j]) / s0
			}
			s.subtractOuter(unit, mean)
		}
	}
	return nil
}

func (s *coxSums) subtractOuter(w float64, mean []float64) {
	for j, mj := range mean {
		scaled, line := w*mj, s.info[j]
		for k, mk := range mean[:j+1] {
			line[k] -= scaled * mk
		}
	}
}
