package budget

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sort"

	"github.com/custval/custval/money"
)

// A Channel is what a budget can be spent on.
type Channel struct {
	Name  string       // unique and not empty
	Curve Curve        // customers won by a spend in units of the budget's currency, in the period of the plan; safe for concurrent calls
	Value money.Amount // what a customer of the channel is worth: a CLV on margin. Where Curve gives revenue, the margin on one unit of it

	Min     money.Amount // the least spend; the zero Amount: 0
	Max     money.Amount // the greatest spend; the zero Amount, of no currency: no limit. USD 0.00 closes the channel
	Entry   money.Amount // the least spend if there is any: 0 or at least Entry; the zero Amount: no such rule
	Current money.Amount // what is spent now, for comparison only; the zero Amount: not known
}

// An Objective is what a plan makes as large as it can.
type Objective string

// The objectives.
const (
	MaxValue     Objective = "value"     // customers times what they are worth, the sum over channels; the default
	MaxCustomers Objective = "customers" // the number of customers, whatever they are worth
)

// Options are the rules of a plan. The zero Options, like nil, are the defaults.
type Options struct {
	Objective Objective // empty: MaxValue
	Unspent   bool      // allow money to be left where no channel can take it; without it that is ErrInfeasible
	Gap       float64   // search of S-shaped channels stops when the plan is proved to be within this part of the best; 0: 1e-9
	Nodes     int       // and after so many sub-problems at the latest; 0: 200,000 divided by the number of channels, at least 200
}

func (o *Options) withDefaults(channels int) (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	if r.Objective == "" {
		r.Objective = MaxValue
	}
	if r.Objective != MaxValue && r.Objective != MaxCustomers {
		return r, fail("unknown objective %q", string(r.Objective))
	}
	if !(r.Gap >= 0 && r.Gap < 1) {
		return r, fail("gap %v: not at least 0 and below 1", r.Gap)
	}
	if r.Nodes < 0 {
		return r, fail("nodes %d: negative", r.Nodes)
	}
	if r.Gap == 0 {
		r.Gap = 1e-9
	}
	if r.Nodes == 0 {
		r.Nodes = max(200, 200_000/max(1, channels))
	}
	return r, nil
}

// A span is what a channel may be given: [low, high], or with an entry above 0 either low = 0 or [entry, high].
type span struct{ low, high, entry float64 }

// lower returns the part of s at or below x.
func (s span) lower(x float64) span {
	s.high = min(s.high, x)
	if s.high < s.entry {
		s.high, s.entry = 0, 0
	}
	return s
}

// raise returns the part of s at or above x > low.
func (s span) raise(x float64) span {
	return span{low: max(s.low, s.entry, x), high: s.high}
}

// An item is a channel as the solver sees it: f(x) = value * Response(x), convex up to bend and concave beyond it.
type item struct {
	index   int // in the caller's order
	name    string
	curve   Curve
	value   float64
	span    span
	bend    float64
	inverse func(marginal float64) float64 // spend beyond bend with that marginal response of the curve
	class   int                            // items of one class are interchangeable
	capped  bool                           // span.high is the channel's own maximum and not what the budget leaves
}

func (c *item) f(x float64) float64 {
	if c.value == 0 {
		return 0
	}
	return c.value * c.curve.Response(x)
}

func (c *item) slope(x float64) float64 {
	if c.value == 0 {
		return 0
	}
	return c.value * c.curve.Marginal(x)
}

// at returns the spend in the concave part within [low, high] whose last unit returns price.
func (c *item) at(price, low, high float64) float64 {
	switch {
	case price <= 0:
		return high
	case c.value == 0:
		return low
	}
	return min(max(c.inverse(price/c.value), low), high)
}

// compile checks the channels and sorts them by name, so that their order does not matter. Without a limit on the total
// (limit = +Inf) price is the marginal return down to which money is spent.
func compile(channels []Channel, currency money.Currency, o Options, limit, price float64) ([]item, error) {
	if len(channels) == 0 {
		return nil, fail("no channels")
	}
	items := make([]item, len(channels))
	seen := make(map[string]bool, len(channels))
	minima := 0.0
	for i, c := range channels {
		if c.Name == "" || seen[c.Name] {
			return nil, fail("channel %d: name %q is empty or there twice", i+1, c.Name)
		}
		seen[c.Name] = true
		it, err := compileOne(c, currency, o)
		if err != nil {
			return nil, &ChannelError{c.Name, unprefixed(err)}
		}
		it.index = i
		items[i] = it
		minima += it.span.low
	}
	for i := range items {
		c := &items[i]
		// what is left when every other channel has its minimum is as good as no limit
		room := max(c.span.low, limit-(minima-c.span.low))
		c.capped = c.span.high <= room
		c.span.high = min(c.span.high, room)
		if c.span.high < c.span.entry { // never to be had with this budget
			c.span.high, c.span.entry = c.span.low, 0
		}
		if err := c.shape(price); err != nil {
			return nil, &ChannelError{c.name, err}
		}
	}
	sort.Slice(items, func(i, j int) bool { return items[i].name < items[j].name })
	classify(items)
	return items, nil
}

func compileOne(c Channel, currency money.Currency, o Options) (item, error) {
	it := item{name: c.Name, curve: c.Curve, value: 1}
	if c.Curve == nil {
		return it, errors.New("no response curve")
	}
	if err := validate(c.Curve); err != nil {
		return it, err
	}
	for _, a := range []struct {
		name   string
		amount money.Amount
	}{{"value", c.Value}, {"minimum", c.Min}, {"maximum", c.Max}, {"entry", c.Entry}, {"current spend", c.Current}} {
		if a.amount.Currency() != "" && a.amount.Currency() != currency {
			return it, fmt.Errorf("%s %s: not in %s", a.name, a.amount, currency)
		}
		if a.amount.Sign() < 0 {
			return it, fmt.Errorf("%s %s: negative", a.name, a.amount)
		}
		if _, ok := a.amount.Minor(); !ok && a.name != "value" && a.name != "current spend" {
			return it, fmt.Errorf("%s %s: not a whole number of minor units", a.name, a.amount)
		}
	}
	if o.Objective == MaxValue {
		if c.Value.Currency() == "" {
			return it, errors.New("no value of a customer; give one, or choose MaxCustomers")
		}
		it.value = c.Value.Float64()
	}
	it.span = span{low: c.Min.Float64(), high: math.Inf(1), entry: c.Entry.Float64()}
	if c.Max.Currency() != "" {
		it.span.high = c.Max.Float64()
	}
	if it.span.high < it.span.low {
		return it, fmt.Errorf("the minimum %s exceeds the maximum %s", c.Min, c.Max)
	}
	if it.span.low > 0 || it.span.entry == 0 {
		it.span = span{low: max(it.span.low, it.span.entry), high: it.span.high}
		if it.span.high < it.span.low {
			return it, fmt.Errorf("the entry %s exceeds the maximum %s, but the minimum demands a spend", c.Entry, c.Max)
		}
	} else if it.span.high < it.span.entry {
		it.span.high, it.span.entry = 0, 0
	}
	return it, nil
}

// shape finds where the curve bends and how to invert its marginal response.
func (c *item) shape(price float64) error {
	curve, scale, carry := c.curve, 1.0, 0.0
	for { // a steady spend is a shifted and stretched curve
		s, ok := curve.(Steady)
		if !ok {
			break
		}
		curve, carry, scale = s.Curve, s.Carry+float64(s.multiplier()*carry), scale*s.multiplier()
	}
	if s, ok := curve.(Shape); ok {
		c.bend, c.inverse = s.Inflection(), s.Spend
		if scale != 1 || carry != 0 {
			c.bend = max(0, (s.Inflection()-carry)/scale)
			c.inverse = func(marginal float64) float64 { return max(0, (s.Spend(marginal/scale)-carry)/scale) }
		}
		if !(c.bend >= 0) {
			return fmt.Errorf("%w: inflection at %v", ErrShape, c.bend)
		}
		return c.probe()
	}
	high := c.span.high
	if math.IsInf(high, 1) {
		var err error
		if high, err = reach(c, price); err != nil {
			return err
		}
	}
	bend, err := examine(c.curve, min(c.span.low, high), high)
	if err != nil {
		return err
	}
	c.bend = bend
	c.inverse = func(marginal float64) float64 {
		if !(c.curve.Marginal(high) < marginal) {
			return high
		}
		if c.curve.Marginal(bend) <= marginal {
			return bend
		}
		return root(func(x float64) float64 { return c.curve.Marginal(x) - marginal }, bend, high)
	}
	return nil
}

// probe looks at a curve at a few spends: wrong parameters of a literal, or overflow, would spoil the whole plan.
func (c *item) probe() error {
	for _, x := range []float64{c.span.low, c.span.entry, c.span.high} {
		if math.IsInf(x, 1) {
			continue
		}
		if r, m := c.curve.Response(x), c.curve.Marginal(x); !(r >= 0 && r <= math.MaxFloat64) || !(m >= 0) {
			return fmt.Errorf("%w: response %v and marginal response %v at a spend of %v", ErrShape, r, m, x)
		}
	}
	return nil
}

// reach returns a spend beyond which the channel returns less than price for good, as far as can be seen.
func reach(c *item, price float64) (float64, error) {
	last := -1.0
	for k := -20; k <= 60; k++ {
		x := math.Ldexp(1, k)
		if c.slope(x) >= price {
			last = x
		}
	}
	switch {
	case last < 0:
		return max(c.span.low, c.span.entry, 1), nil
	case last > 1e18:
		return 0, ErrUnbounded
	}
	return max(4*last, c.span.low, c.span.entry), nil
}

// examine returns the inflection of a curve of which nothing is known, and an error if it is neither concave nor
// S-shaped between two spends.
func examine(c Curve, low, high float64) (float64, error) {
	const steps = 192
	xs := make([]float64, 0, 2*steps)
	for i := range steps + 1 {
		xs = append(xs, low+(high-low)*float64(i)/steps)
		if i > 0 && i < steps {
			xs = append(xs, low+(high-low)*math.Pow(1e-6, 1-float64(i)/steps))
		}
	}
	sort.Float64s(xs)
	marginals := make([]float64, len(xs))
	top, scale, before := 0, 0.0, math.Inf(-1)
	for i, x := range xs {
		r, m := c.Response(x), c.Marginal(x)
		if !(r >= 0 && r <= math.MaxFloat64) || !(m >= 0) {
			return 0, fmt.Errorf("%w: response %v and marginal response %v at a spend of %v", ErrShape, r, m, x)
		}
		if r < before-1e-12*math.Abs(before) {
			return 0, fmt.Errorf("%w: the response falls before a spend of %v", ErrShape, x)
		}
		before, marginals[i] = r, m
		if m > marginals[top] {
			top = i
		}
		if !math.IsInf(m, 1) {
			scale = max(scale, m)
		}
	}
	for i := 1; i < len(xs); i++ {
		rises := marginals[i] > marginals[i-1]+1e-9*scale
		falls := marginals[i] < marginals[i-1]-1e-9*scale
		if i <= top && falls || i > top && rises {
			return 0, fmt.Errorf("%w: the marginal response rises and falls more than once, about a spend of %v", ErrShape, xs[i])
		}
	}
	if top == 0 || marginals[top] <= marginals[0]+1e-9*scale {
		return low, nil
	}
	a, b := xs[top-1], xs[min(top+1, len(xs)-1)]
	for range 100 { // golden section for the steepest spend
		const g = 0.3819660112501051
		x, y := a+g*(b-a), b-g*(b-a)
		if c.Marginal(x) < c.Marginal(y) {
			a = x
		} else {
			b = y
		}
	}
	return b, nil
}

// classify gives interchangeable items the same class.
func classify(items []item) {
	type key struct {
		curve Curve
		value float64
		span  span
	}
	classes := map[key]int{}
	for i := range items {
		c := &items[i]
		c.class = -1 - i
		if !reflect.TypeOf(c.curve).Comparable() {
			continue
		}
		if s, ok := c.curve.(Steady); ok && !reflect.TypeOf(s.Curve).Comparable() {
			continue
		}
		k := key{c.curve, c.value, c.span}
		if _, ok := classes[k]; !ok {
			classes[k] = len(classes)
		}
		c.class = classes[k]
	}
}
