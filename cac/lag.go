package cac

import (
	"maps"
	"math"
	"slices"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// maxLag bounds how many periods a lag reaches back.
const maxLag = 1000

// A Lag says in which later period the customers come that a cost has won. The zero Lag is none: customers are divided
// into the cost of their own period. Weights are by age, {0, 0, 1} meaning two periods later and {0.5, 0.3, 0.2} half in
// the same period and the rest in the two after it; they are not negative and add up to 1.
type Lag struct {
	Periods    int                    `json:"periods,omitempty"`    // all of it so many periods later; for lines that the fields below do not name
	Weights    []float64              `json:"weights,omitempty"`    // a distributed lag in place of Periods
	Functions  map[Function][]float64 `json:"functions,omitempty"`  // weights of marketing or sales of their own
	Categories map[Category][]float64 `json:"categories,omitempty"` // weights of a category of its own, before Functions
	FirstOwn   bool                   `json:"first_own,omitempty"`  // periods without history take their own cost instead of being undefined; that cost then also counts later
}

// Validate returns an error if weights are negative or do not add up to 1, or if both Periods and Weights are set.
func (l Lag) Validate() error {
	if l.Periods < 0 || l.Periods > maxLag {
		return fail("lag of %d periods: not between 0 and %d", l.Periods, maxLag)
	}
	if l.Periods > 0 && l.Weights != nil {
		return fail("lag: both periods and weights")
	}
	if err := checkWeights("lag", l.Weights); err != nil {
		return err
	}
	for _, f := range slices.Sorted(maps.Keys(l.Functions)) {
		if err := f.validate(); err != nil {
			return fail("lag: %w", err)
		}
		if err := checkWeights("lag of "+string(f), l.Functions[f]); err != nil {
			return err
		}
	}
	for _, c := range slices.Sorted(maps.Keys(l.Categories)) {
		if !slices.Contains(Categories(), c) {
			return fail("lag: unknown category %q", string(c))
		}
		if err := checkWeights("lag of "+string(c), l.Categories[c]); err != nil {
			return err
		}
	}
	return nil
}

func checkWeights(name string, weights []float64) error {
	if weights == nil {
		return nil
	}
	if len(weights) > maxLag+1 {
		return fail("%s: %d weights: more than %d", name, len(weights), maxLag+1)
	}
	sum := 0.0
	for _, w := range weights {
		if !(w >= 0 && w <= 1) {
			return fail("%s: weight %v: not between 0 and 1", name, w)
		}
		sum += w
	}
	if !(math.Abs(sum-1) <= 1e-9) {
		return fail("%s: weights add up to %v, not to 1", name, sum)
	}
	return nil
}

// of returns the weights by age of a line.
func (l Lag) of(c Category, f Function) []float64 {
	if c == "" {
		c = Other
	}
	if f == "" {
		f = Marketing
	}
	if w, ok := l.Categories[c]; ok && w != nil {
		return w
	}
	if w, ok := l.Functions[f]; ok && w != nil {
		return w
	}
	if l.Weights != nil {
		return l.Weights
	}
	w := make([]float64, l.Periods+1)
	w[l.Periods] = 1
	return w
}

// longest returns the greatest age that has a weight in any of the weights.
func longest(all ...[]float64) int {
	age := 0
	for _, weights := range all {
		for k, w := range weights {
			if w > 0 {
				age = max(age, k)
			}
		}
	}
	return age
}

func (l Lag) clone() Lag {
	l.Weights = slices.Clone(l.Weights)
	l.Functions, l.Categories = maps.Clone(l.Functions), maps.Clone(l.Categories)
	for f, w := range l.Functions {
		l.Functions[f] = slices.Clone(w)
	}
	for c, w := range l.Categories {
		l.Categories[c] = slices.Clone(w)
	}
	return l
}

// spread divides an amount by weights that add up to 1. The parts are exact, with as many digits as the product needs,
// and add up to the amount.
func spread(a money.Amount, weights []float64) ([]money.Amount, error) {
	parts := make([]money.Amount, len(weights))
	last, rest := longest(weights), a
	for k, w := range weights[:last] {
		if w == 0 {
			continue
		}
		part, err := times(a, w)
		if err == nil {
			rest, err = rest.Sub(part)
		}
		if err != nil {
			return nil, prefixed(err)
		}
		parts[k] = part
	}
	parts[last] = rest
	return parts, nil
}

// A Point is what was spent and won in one period.
type Point struct {
	Period    ledger.Period // may be zero; it is only named in errors and results
	Marketing money.Amount  // cost of marketing
	Sales     money.Amount  // cost of sales; the zero Amount if there is none
	New       int           // new customers
}

// LaggedCAC returns, for each of a series of successive periods, the cost that the lag assigns to it with its new
// customers; Row.CAC divides the two. The parts of a cost add up to it exactly. In a period before which the lag reaches
// beyond the first point, Row.CAC returns an error that wraps [ErrInsufficientHistory], unless the lag has FirstOwn set,
// by which such a period takes its own cost. The categories of the lag do not matter here.
//
// LaggedCAC returns an error if the lag is not valid, a count is negative or the currencies differ.
func LaggedCAC(points []Point, lag Lag) ([]Row, error) {
	if err := lag.Validate(); err != nil {
		return nil, err
	}
	weights := map[Function][]float64{Marketing: lag.of(Other, Marketing), Sales: lag.of(Other, Sales)}
	if lag.Categories[Other] != nil {
		return nil, fail("lag: a series has no categories")
	}
	policy := Policy{Basis: FullyLoaded(), Denominator: NewAll, Lag: lag.clone()}
	sums, age := make([]money.Sum, len(points)), 0
	rows := make([]Row, len(points))
	for i, p := range points {
		rows[i] = Row{Period: p.Period, New: p.New, Policy: policy}
		if p.New < 0 {
			return nil, rows[i].fail(fail("%d new customers: negative", p.New))
		}
		if err := sameCurrency(points[0].currency(), p.currency()); err != nil {
			return nil, rows[i].fail(err)
		}
		if err := sameCurrency(p.Marketing, p.Sales); err != nil {
			return nil, rows[i].fail(err)
		}
		for f, cost := range map[Function]money.Amount{Marketing: p.Marketing, Sales: p.Sales} {
			if cost.Sign() == 0 {
				continue
			}
			age = max(age, longest(weights[f]))
			parts, err := spread(cost, weights[f])
			if err != nil {
				return nil, rows[i].fail(err)
			}
			for k, part := range parts[:min(len(parts), len(points)-i)] {
				sums[i+k].Add(part)
			}
		}
	}
	for i, p := range points {
		var err error
		if i < age {
			rows[i].Incomplete = !lag.FirstOwn
			if lag.FirstOwn {
				sums[i] = money.Sum{}
				sums[i].Add(p.Marketing)
				sums[i].Add(p.Sales)
			}
		}
		if rows[i].Spend, err = sums[i].Total(); err != nil {
			return nil, rows[i].fail(err)
		}
		rows[i].Direct = rows[i].Spend
		rows[i].Credits = p.Marketing.Sign() < 0 || p.Sales.Sign() < 0
	}
	return rows, nil
}

// currency returns an amount that has the point's currency.
func (p Point) currency() money.Amount {
	if p.Marketing.Currency() == "" {
		return p.Sales
	}
	return p.Marketing
}
