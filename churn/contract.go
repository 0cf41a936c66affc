package churn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/ledger"
)

// A Cohort is the customers of a contract who started together and how many were left at each renewal.
type Cohort struct {
	Start time.Time `json:"start"` // when they started; the fits do not read it
	// Active[0] is the starting size, Active[k] the customers left after k renewals. It never rises; its length less one is
	// the number of renewals observed.
	Active []int `json:"active"`
	// Age is the number of renewals that the customers of Active[0] had already made when they were first seen (left
	// truncation): 24 for those two years old, month by month, when the data begin. 0 for a cohort seen from its start.
	Age int `json:"age,omitempty"`
}

// Validate returns an error if the cohort is empty or its numbers rise.
func (c Cohort) Validate() error {
	if err := c.check(1); err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	return nil
}

func (c Cohort) check(row int) error {
	switch {
	case len(c.Active) == 0:
		return &ledger.RowError{Row: row, Field: "Active", Err: errors.New("empty")}
	case c.Active[0] == 0:
		return &ledger.RowError{Row: row, Field: "Active[0]", Value: "0", Err: errors.New("no customers at the start")}
	case c.Age < 0:
		return &ledger.RowError{Row: row, Field: "Age", Value: strconv.Itoa(c.Age), Err: errNegative}
	}
	for k, n := range c.Active {
		at := func() string { return fmt.Sprintf("Active[%d]", k) }
		if n < 0 {
			return &ledger.RowError{Row: row, Field: at(), Value: strconv.Itoa(n), Err: errNegative}
		}
		if k > 0 && n > c.Active[k-1] {
			return &ledger.RowError{Row: row, Field: at(), Value: strconv.Itoa(n), Err: fmt.Errorf("more than the %d before; who has left a contract does not come back", c.Active[k-1])}
		}
	}
	return nil
}

// CohortsOf makes cohorts of tenures, so that a retention curve can be fitted to them: period is the time between two
// renewals in the unit of the tenures (30.4375 for months of tenures in days), and end the end of observation in time,
// whose unit is unit. A customer whose tenure ended after d periods made ceil(d) - 1 renewals; a fraction of 1e-6 of a
// period is taken for rounding.
//
// Customers are together in a cohort if the same number of whole periods fits between their start and the end, since
// that many renewals of theirs could be seen. Start is the earliest of theirs; the cohorts are sorted by it. Entry, the
// age when a tenure was first seen, is rounded up to a renewal and separates cohorts too. Cohorts are of whole
// customers: weights must be whole numbers.
//
// CohortsOf returns an error with the row for a tenure without start, that starts after the end, whose duration is not a
// positive number or reaches beyond the end by more than a period, and whose weight is not whole.
func CohortsOf(tenures []ledger.Tenure, end time.Time, unit time.Duration, period float64) ([]Cohort, error) {
	if unit <= 0 || !(period > 0) || math.IsInf(period, 1) {
		return nil, fmt.Errorf("churn: cohorts of tenures: unit %v, period %v: want positive ones", unit, period)
	}
	type key struct{ seen, age int }
	type group struct {
		start time.Time
		lost  []int // by period, from 1
		n     int
	}
	groups := map[key]*group{}
	for i, t := range tenures {
		switch {
		case t.Start.IsZero():
			return nil, rowError(i+1, "start", "", errNoTime)
		case t.Start.After(end):
			return nil, rowError(i+1, "start", timeText(t.Start), errors.New("after the end of observation"))
		case !(t.Duration > t.Entry) || !(t.Entry >= 0) || math.IsInf(t.Duration, 1):
			return nil, rowError(i+1, "duration", exactly(t.Duration), errors.New("not a number after the entry"))
		}
		weight := cmp.Or(t.Weight, 1)
		if weight != math.Trunc(weight) || !(weight > 0 && weight < 1<<31) {
			return nil, rowError(i+1, "weight", exactly(t.Weight), errNotWhole)
		}
		periods := func(x float64) float64 { return x / period }
		seen := int(math.Floor(periods(float64(end.Sub(t.Start))/float64(unit)) + 1e-6))
		age := int(math.Ceil(periods(t.Entry) - 1e-6))
		lived := periods(t.Duration)
		if lived > float64(seen)+2 {
			return nil, rowError(i+1, "duration", exactly(t.Duration), errors.New("reaches beyond the end of observation"))
		}
		gone := int(math.Ceil(lived - 1e-6)) // the period in which the customer left
		if !t.Ended || gone > seen {
			gone = 0
			if !t.Ended && int(math.Floor(lived+1e-6)) < seen {
				// Observation of this one stopped early: it is a cohort with fewer renewals.
				seen = int(math.Floor(lived + 1e-6))
			}
		}
		if seen < age || (gone > 0 && gone <= age) {
			continue // never seen at a renewal
		}
		k := key{seen, age}
		g := groups[k]
		if g == nil {
			g = &group{start: t.Start, lost: make([]int, seen+1)}
			groups[k] = g
		}
		if t.Start.Before(g.start) {
			g.start = t.Start
		}
		g.n += int(weight)
		if gone > 0 {
			g.lost[gone] += int(weight)
		}
	}
	var cs []Cohort
	for k, g := range groups {
		c := Cohort{Start: g.start, Active: []int{g.n}, Age: k.age}
		left := g.n
		for _, lost := range g.lost[k.age+1:] {
			left -= lost
			c.Active = append(c.Active, left)
		}
		cs = append(cs, c)
	}
	slices.SortFunc(cs, func(a, b Cohort) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(len(b.Active), len(a.Active)), cmp.Compare(a.Age, b.Age))
	})
	return cs, nil
}

// A term is one kind of customer of the likelihood: those who left in period k, those still there after k renewals, and
// those first seen after k.
type term struct {
	kind   termKind
	k      int
	weight float64
}

type termKind uint8

const (
	left termKind = iota
	alive
	entered
)

// terms checks the cohorts and adds the customers of the same kind up. The order of the cohorts does not matter.
func terms(cohorts []Cohort) (ts []term, customers int, err error) {
	counts := map[term]int{} // weight 0
	losses, renewals := 0, 0
	for i, c := range cohorts {
		if err := c.check(i + 1); err != nil {
			return nil, 0, fmt.Errorf("churn: %w", err)
		}
		last := len(c.Active) - 1
		customers += c.Active[0]
		renewals += last
		losses += c.Active[0] - c.Active[last]
		for k := 1; k <= last; k++ {
			counts[term{left, c.Age + k, 0}] += c.Active[k-1] - c.Active[k]
		}
		counts[term{alive, c.Age + last, 0}] += c.Active[last]
		counts[term{entered, c.Age, 0}] += c.Active[0]
	}
	switch {
	case len(cohorts) == 0:
		return nil, 0, errors.New("churn: no cohorts")
	case renewals == 0:
		return nil, 0, errors.New("churn: no cohort was observed for a renewal: want at least two numbers in Active")
	case losses == 0:
		return nil, 0, errors.New("churn: nobody left, so the data do not tell how fast customers leave")
	}
	for t, n := range counts {
		if n > 0 && (t.kind == left || t.k > 0) {
			t.weight = float64(n)
			ts = append(ts, t)
		}
	}
	slices.SortFunc(ts, func(a, b term) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.k, b.k)) })
	return ts, customers, nil
}

// A jet is a value with its first and second derivatives in up to five parameters.
type jet struct {
	v float64
	g [5]float64
	h [5][5]float64 // i <= j
}

// A family is what a fit needs of a model: the logs of S(k) and of P(k), the probability of leaving in period k.
type family struct {
	params []mle.Param
	starts [][]float64
	logS   func(theta []float64, k int) jet
	logP   func(theta []float64, k int) jet
}

// maximize fits a family to cohorts.
func maximize[M Curve](ctx context.Context, f family, cohorts []Cohort, o *fit.Options, model func(theta []float64) M) (*fit.Estimate[M], error) {
	ts, customers, err := terms(cohorts)
	if err != nil {
		return nil, err
	}
	p := mle.Problem{
		Params: f.params, Rows: len(ts), Weight: float64(customers), Second: true, Starts: f.starts,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) {
			for _, t := range ts[lo:hi] {
				f.add(t, theta, d)
			}
		},
	}
	r, err := mle.Maximize(ctx, p, o)
	var zero M
	if err != nil {
		err = fmt.Errorf("churn: fit of %s: %w", zero.Kind(), err)
	}
	if r.Theta == nil {
		return nil, err
	}
	e := mle.Estimate(r, p.Params, model(r.Theta))
	e.Customers = customers
	return e, err
}

func (f *family) add(t term, theta []float64, d *mle.Derivs) {
	var j jet
	w := t.weight
	switch t.kind {
	case left:
		j = f.logP(theta, t.k)
	case alive:
		j = f.logS(theta, t.k)
	case entered:
		j, w = f.logS(theta, t.k), -w
	}
	d.Value += w * j.v
	for i := range theta {
		d.Grad[i] += w * j.g[i]
		for k := i; k < len(theta) && d.Hess != nil; k++ {
			d.AddHess(i, k, w*j.h[i][k])
		}
	}
}

// logLikelihood is the log-likelihood of a cohort under any curve.
func logLikelihood(c Cohort, logS func(k int) float64, logP func(k int) float64) float64 {
	if c.check(1) != nil {
		return math.NaN()
	}
	sum, last := 0.0, len(c.Active)-1
	for k := 1; k <= last; k++ {
		if n := c.Active[k-1] - c.Active[k]; n > 0 {
			sum += float64(n) * logP(c.Age+k)
		}
	}
	if n := c.Active[last]; n > 0 {
		sum += float64(n) * logS(c.Age+last)
	}
	if c.Age > 0 {
		sum -= float64(c.Active[0]) * logS(c.Age)
	}
	return sum
}
