package clv

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

// Regularity is the shape of the times between a customer's purchases, if these are gamma distributed with a shape K
// that all customers share and rates that differ:
//
//	K < 1    bursts: many purchases close together, then long breaks
//	K = 1    purchases at random, as the NBD, Pareto/NBD and BG/NBD models assume
//	K > 1    regular purchases; a whole K is that of the BG/CNBD-k and MBG/CNBD-k models
//
// Given X and TX, the gaps are TX times a Dirichlet variable with all parameters K, whatever the customer's rate and
// lifetime, so K needs no other assumption and the LogGaps of the histories are all there is to know of it.
type Regularity struct {
	K float64 `json:"k"`
}

// Kind returns "regularity".
func (Regularity) Kind() string { return "regularity" }

// Validate returns an error if K is not a positive finite number.
func (m Regularity) Validate() error { return positive(m.Kind(), []param{{"K", m.K}}) }

// MarshalJSON writes K under the schema "custval/model/regularity/v1".
func (m Regularity) MarshalJSON() ([]byte, error) {
	type plain Regularity
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Regularity) UnmarshalJSON(text []byte) error {
	type plain Regularity
	return unmarshalModel(text, m, (*plain)(m))
}

// LogLikelihood returns the log density of the gaps of a history given X and TX, in units of TX:
//
//	ln Gamma(kX) - X ln Gamma(k) + (k-1) (LogGaps - X ln TX)
//
// It is 0 for X below 2, where TX says all of the gaps.
func (m Regularity) LogLikelihood(h History) float64 {
	if !allPositive(m.K) || !h.usable() || !finite(h.LogGaps) {
		return math.NaN()
	}
	if h.X < 2 {
		return 0
	}
	x := float64(h.X)
	return logDirichlet(m.K, x) + (m.K-1)*(h.LogGaps-x*math.Log(h.TX))
}

// logDirichlet returns ln Gamma(kx) - x ln Gamma(k).
func logDirichlet(k, x float64) float64 {
	// ln Gamma(k) = ln Gamma(k+1) - ln k keeps its digits for a small k.
	one, _ := math.Lgamma(k + 1)
	all, _ := math.Lgamma(k*x + 1)
	return all - math.Log(k*x) - x*(one-math.Log(k))
}

// FitRegularity estimates K by maximum likelihood of the gaps between purchases, given the number and the time of the
// last, from the customers with at least two repeat purchases; the others know nothing of it. A warning says how many
// were left out. Purchases that were merged by day make gaps of whole days, which look somewhat more regular than they
// are if customers buy more often than every few days.
//
// FitRegularity returns an error if a history does not validate or has a LogGaps that its X and TX do not allow, if no
// history has LogGaps, if no customer has two repeat purchases, and, with the best estimate so far, one that wraps
// fit.ErrDiverged where the gaps are as regular as clockwork, fit.ErrNotConverged or the context's error.
//
// Sources: the density of the gaps given their sum is that of J. E. Mosimann, Biometrika 49, 1962; the question is that
// of R. Wheat, D. Morrison, Estimating Purchase Regularity with Two Interpurchase Times, Journal of Marketing Research
// 27(1), 1990, who use two gaps of each customer where this uses all.
func FitRegularity(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[Regularity], error) {
	if err := data.Validate(); err != nil {
		return nil, err
	}
	if err := checkGaps(data); err != nil {
		return nil, fmt.Errorf("clv: fit of regularity: %w", err)
	}
	s := regularitySample(data)
	if s.customers == 0 {
		return nil, fmt.Errorf("clv: fit of regularity: %w", errNoTwoGaps)
	}
	p := mle.Problem{
		Params: []mle.Param{{Name: "K"}}, Rows: len(s.counts), Weight: s.customers, Second: true,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { s.sum(lo, hi, theta[0], d) },
		Starts: [][]float64{{1}, {3}, {0.3}},
	}
	r, err := mle.Maximize(ctx, p, o)
	if r.Theta == nil {
		return nil, fmt.Errorf("clv: fit of regularity: %w", err)
	}
	e := mle.Estimate(r, p.Params, Regularity{r.Theta[0]})
	e.Customers, e.Unit = int(s.customers), data.Unit
	if left := data.Customers() - e.Customers; left > 0 {
		e.Warnings = append(e.Warnings, fmt.Sprintf("%d customers with less than two repeat purchases are not used", left))
	}
	if err != nil {
		err = fmt.Errorf("clv: fit of regularity: %w", err)
	}
	return e, err
}

var errNoTwoGaps = errors.New("no customer has two repeat purchases, so there are no gaps to compare")

// A gapSample is what the likelihood of K needs of customers with the same X.
type gapSample struct {
	counts    []gapCount
	customers float64
}

type gapCount struct{ x, customers, shares float64 } // shares is the sum of LogGaps - X ln TX

// regularitySample sums by X, over the histories in the order of their values so that the order of rows does not
// matter.
func regularitySample(hs *Histories) gapSample {
	sorted, err := compress(context.Background(), hs, true)
	if err != nil {
		return gapSample{}
	}
	var s gapSample
	for i := range sorted.rows {
		r := &sorted.rows[i]
		if r.x < 2 {
			continue
		}
		x := float64(r.x)
		if n := len(s.counts); n == 0 || s.counts[n-1].x != x {
			s.counts = append(s.counts, gapCount{x: x})
		}
		c := &s.counts[len(s.counts)-1]
		c.customers += r.weight
		c.shares += r.weight * (r.gaps - x*math.Log(r.tx))
		s.customers += r.weight
	}
	return s
}

func (s *gapSample) sum(lo, hi int, k float64, d *mle.Derivs) {
	one, two := special.Digamma(k), special.Trigamma(k)
	for _, c := range s.counts[lo:hi] {
		x := c.x
		d.Value += c.customers*logDirichlet(k, x) + (k-1)*c.shares
		d.Grad[0] += c.customers*x*(special.Digamma(k*x)-one) + c.shares
		d.AddHess(0, 0, c.customers*x*(x*special.Trigamma(k*x)-two))
	}
}
