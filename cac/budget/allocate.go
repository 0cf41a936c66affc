package budget

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/custval/custval/money"
)

// Allocate divides a budget among channels so that the customers they win are worth most,
//
//	maximize  sum of Value_i Response_i(x_i)   where  sum of x_i = budget,  Min_i <= x_i <= Max_i
//
// With concave curves the plan is the only one that meets the conditions of Karush, Kuhn and Tucker: the last unit
// returns the same in every channel, the shadow price, less in channels at their minimum and more in those at their
// maximum. The price is found by bisection with the curves' own inverse. With S-shaped curves, or entry amounts, equal
// returns may be a local optimum only: the concave envelopes bound what is possible and a branch and bound search finds
// the best plan; Plan.Gap reports how far from it the plan can be at most.
//
// The plan is rounded to the minor unit and adds up to the budget. It does not depend on the order of the channels.
//
// Allocate returns a *[ChannelError] for a channel that makes no sense or whose curve is unsuitable ([ErrShape]); an
// error that wraps [ErrInfeasible] and explains why if no plan keeps to the bounds; an error if the budget is negative or
// not a whole number of minor units; and, with the best plan so far, the context's error.
func Allocate(ctx context.Context, budget money.Amount, channels []Channel, o *Options) (*Plan, error) {
	opt, err := o.withDefaults(len(channels))
	if err != nil {
		return nil, err
	}
	units, ok := budget.Minor()
	if !ok || budget.Currency() == "" || budget.Sign() < 0 {
		return nil, fail("budget %s: not an amount of at least 0 in whole minor units", budget)
	}
	total := budget.Float64()
	items, err := compile(channels, budget.Currency(), opt, total, 0)
	if err != nil {
		return nil, err
	}
	if err := feasible(budget, channels, opt); err != nil {
		return nil, err
	}
	high := 0.0
	for i := range items {
		high += items[i].span.high
	}
	spend := min(total, high)
	if spend < total*(1-1e-12) && !opt.Unspent {
		return nil, fail("%w: some entry amounts exceed the budget or the maximum of their channels, which leaves room for %v of the budget of %s; raise a maximum or allow unspent money",
			ErrInfeasible, spend, budget)
	}
	s, ok, err := solve(ctx, items, spend, opt)
	if err != nil && !ok {
		return nil, fail("%w", err)
	}
	if !ok && opt.Unspent {
		items = append(items, idle(total))
		if s, ok, err = solve(ctx, items, total, opt); ok {
			items, s.x, spend = items[:len(items)-1], s.x[:len(items)-1], total-s.x[len(items)-1]
		}
	}
	if !ok {
		return nil, fail("%w: no choice of channels adds up to %s with their entry and maximum amounts", ErrInfeasible, budget)
	}
	bent := false
	for i := range items {
		bent = bent || items[i].bend > items[i].span.low || items[i].span.entry > 0
	}
	if bent && err == nil && (s.nodes > 1 || s.bound > s.value) && len(s.x) == len(items) && spend == min(total, high) {
		polish(items, spend, &s)
		s.bound = max(s.bound, s.value)
	}
	if spend < total {
		if units, err = floorUnits(spend, budget.Currency()); err != nil {
			return nil, err
		}
	}
	p, planErr := newPlan(channels, items, s.x, budget, units, true, opt)
	if planErr != nil {
		return nil, planErr
	}
	p.Best, p.Bound, p.Nodes = s.value, s.bound, s.nodes
	if s.bound > 0 {
		p.Gap = max(0, (s.bound-s.value)/s.bound)
	}
	p.prices(items, s.x)
	if err != nil {
		return p, fail("%w", err)
	}
	return p, nil
}

// idle is a channel that takes what is not spent.
func idle(total float64) item {
	return item{index: -1, name: "\xff", curve: Log{1, 1}, value: 0, span: span{high: total},
		inverse: func(float64) float64 { return 0 }, class: math.MinInt}
}

// feasible explains why the bounds leave no plan, if so.
func feasible(budget money.Amount, channels []Channel, o Options) error {
	var low, high money.Sum
	limited := true
	largest := -1
	for i, c := range channels {
		least := c.Min
		if c.Min.Sign() > 0 && c.Entry.Sign() > 0 {
			var err error
			if least, err = money.Max(c.Min, c.Entry); err != nil {
				return fail("%w", err)
			}
		}
		low.Add(least)
		high.Add(c.Max)
		limited = limited && c.Max.Currency() != ""
		if largest < 0 || c.Min.Float64() > channels[largest].Min.Float64() {
			largest = i
		}
	}
	l, err := low.Total()
	if err != nil {
		return fail("%w", err)
	}
	h, err := high.Total()
	if err != nil {
		return fail("%w", err)
	}
	if cmp, err := l.Cmp(budget); err == nil && cmp > 0 {
		over, _ := l.Sub(budget)
		return fail("%w: the minimum spends add up to %s, %s more than the budget of %s; the largest is %s of %q",
			ErrInfeasible, l, over, budget, channels[largest].Min, channels[largest].Name)
	}
	if cmp, err := h.Cmp(budget); err == nil && limited && cmp < 0 && !o.Unspent {
		short, _ := budget.Sub(h)
		return fail("%w: the maximum spends add up to %s, %s less than the budget of %s; raise a maximum or allow unspent money",
			ErrInfeasible, h, short, budget)
	}
	return nil
}

// A Target is where a budget that is not fixed ends. Exactly one of the first two is set.
type Target struct {
	MarginalReturn float64      // value returned by the last unit spent: 1 breaks even, 1.25 keeps a quarter; for MaxValue
	MarginalCAC    money.Amount // what one more customer may cost; the same in every channel
	Limit          money.Amount // most to spend in all; the zero Amount, of no currency: no limit
}

// AllocateTarget finds the budget itself: it spends on each channel as long as the last unit returns the target,
//
//	Value_i Response_i'(x_i) >= MarginalReturn     or     1 / Response_i'(x_i) <= MarginalCAC
//
// within the bounds, and what maximizes value - MarginalReturn * spend (or customers - spend / MarginalCAC) where a curve
// is S-shaped or has an entry amount. The channels do not depend on each other, so the plan is the best there is
// whatever their shapes. If it exceeds the Limit, the limit is allocated as [Allocate] does. With MarginalCAC the
// objective is the number of customers, and channels need no value.
//
// AllocateTarget returns the errors of [Allocate], and one that wraps [ErrUnbounded] if a channel returns more than the
// target however much is spent.
func AllocateTarget(ctx context.Context, channels []Channel, t Target, o *Options) (*Plan, error) {
	opt, err := o.withDefaults(len(channels))
	if err != nil {
		return nil, err
	}
	price := t.MarginalReturn
	currency := t.MarginalCAC.Currency()
	switch {
	case t.MarginalReturn != 0 && currency != "":
		return nil, fail("target: both a marginal return and a marginal CAC")
	case currency != "":
		if t.MarginalCAC.Sign() <= 0 {
			return nil, fail("target: marginal CAC %s: not positive", t.MarginalCAC)
		}
		price, opt.Objective = 1/t.MarginalCAC.Float64(), MaxCustomers
	case !(price > 0 && price <= math.MaxFloat64):
		return nil, fail("target: marginal return %v: not a positive number", price)
	case opt.Objective == MaxCustomers:
		return nil, fail("target: a marginal return needs values; with MaxCustomers give a marginal CAC")
	default:
		if currency, err = currencyOf(channels); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fail("%w", err)
	}
	items, err := compile(channels, currency, opt, math.Inf(1), price)
	if err != nil {
		return nil, err
	}
	x := make([]float64, len(items))
	sum, value := 0.0, 0.0
	for i := range items {
		c := &items[i]
		if x[i], err = c.standalone(price); err != nil {
			return nil, &ChannelError{c.name, err}
		}
		sum += x[i]
		value += c.f(x[i])
	}
	if t.Limit.Currency() != "" && sum > t.Limit.Float64() {
		withinLimit := opt
		withinLimit.Unspent = true
		return Allocate(ctx, t.Limit, channels, &withinLimit)
	}
	nothing, err := money.FromMinor(0, currency)
	if err != nil {
		return nil, fail("%w", err)
	}
	p, err := newPlan(channels, items, x, nothing, 0, false, opt)
	if err != nil {
		return nil, err
	}
	p.Budget, p.Unspent, p.Best, p.Bound = p.Spend, nothing, value, value
	p.prices(items, x)
	return p, nil
}

// standalone returns the spend that maximizes f(x) - price x; the least of several.
func (c *item) standalone(price float64) (float64, error) {
	best := c.span.low
	low := max(c.span.low, c.span.entry)
	for _, x := range []float64{low, c.at(price, min(max(low, c.bend), c.span.high), c.span.high)} {
		if math.IsInf(x, 1) || math.IsNaN(x) {
			return 0, ErrUnbounded
		}
		if x > best && c.f(x)-c.f(best) > price*(x-best) {
			best = x
		}
	}
	if best > 9e15 {
		return 0, fmt.Errorf("%w: the return falls to the target at a spend of %.3g only", ErrUnbounded, best)
	}
	return best, nil
}

func currencyOf(channels []Channel) (money.Currency, error) {
	for _, c := range channels {
		if c.Value.Currency() != "" {
			return c.Value.Currency(), nil
		}
	}
	return "", fail("no channel has the value of a customer; give one, or a marginal CAC")
}

// Evaluate returns the plan that spends given amounts, in the order of the channels, whatever its merit: what is spent
// today, or another's proposal. Bounds do not matter. Its Gap and Bound are zero: nothing is optimized. It returns an
// error if a spend is missing, negative or in another currency.
func Evaluate(channels []Channel, spend []money.Amount, o *Options) (*Plan, error) {
	opt, err := o.withDefaults(len(channels))
	if err != nil {
		return nil, err
	}
	if len(spend) != len(channels) {
		return nil, fail("%d spends of %d channels", len(spend), len(channels))
	}
	total, err := money.Total(spend...)
	if err != nil {
		return nil, fail("%w", err)
	}
	if total.Currency() == "" {
		c, err := currencyOf(channels)
		if err != nil {
			return nil, err
		}
		if total, err = money.FromMinor(0, c); err != nil {
			return nil, fail("%w", err)
		}
	}
	open := make([]Channel, len(channels))
	limit := 0.0
	for i, c := range channels {
		if spend[i].Sign() < 0 {
			return nil, &ChannelError{c.Name, fmt.Errorf("spend %s: negative", spend[i])}
		}
		open[i] = c
		open[i].Min, open[i].Max, open[i].Entry = money.Amount{}, money.Amount{}, money.Amount{}
		limit += spend[i].Float64()
	}
	items, err := compile(open, total.Currency(), opt, limit, 0)
	if err != nil {
		return nil, err
	}
	x := make([]float64, len(items))
	value := 0.0
	for i := range items {
		x[i] = spend[items[i].index].Float64()
		value += items[i].f(x[i])
	}
	p := &Plan{Objective: opt.Objective, Budget: total, Best: value}
	for i := range channels {
		p.Rows = append(p.Rows, Row{Spend: spend[i]})
	}
	if err := p.complete(open, items, x); err != nil {
		return nil, err
	}
	p.prices(items, x)
	return p, nil
}

func floorUnits(x float64, c money.Currency) (int64, error) {
	a, err := money.FromFloat(x, c, money.Down)
	if err != nil {
		return 0, fail("%w", err)
	}
	units, ok := a.Minor()
	if !ok {
		return 0, fail("spend %v: too large", x)
	}
	return units, nil
}

// rounded returns the spends in minor units, in the order of the items, within the bounds and, if exact, adding up to
// total by the method of the largest remainder.
func rounded(items []item, x []float64, unit float64, total int64, exact bool) ([]int64, error) {
	units := make([]int64, len(x))
	low, high := make([]int64, len(x)), make([]int64, len(x))
	rest := make([]float64, len(x))
	left := total
	for i := range items {
		v := x[i] * unit
		if !(v < 9e18) {
			return nil, &ChannelError{items[i].name, fmt.Errorf("spend %v: too large for minor units", x[i])}
		}
		s := items[i].span
		low[i], high[i] = int64(math.Round(s.low*unit)), int64(math.Round(min(s.high*unit, 9e18)))
		if s.entry > 0 && x[i] >= s.entry {
			low[i] = int64(math.Round(s.entry * unit))
		} else if s.entry > 0 {
			high[i] = low[i]
		}
		if exact {
			units[i] = int64(math.Floor(v + 1e-6))
		} else {
			units[i] = int64(math.RoundToEven(v))
		}
		units[i] = min(max(units[i], low[i]), high[i])
		rest[i] = v - float64(units[i])
		left -= units[i]
	}
	if !exact {
		return units, nil
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	step := int64(1)
	if left < 0 {
		step = -1
	}
	sort.SliceStable(order, func(a, b int) bool { return float64(step)*(rest[order[a]]-rest[order[b]]) > 1e-6 })
	for pass := 0; left != 0; pass++ {
		before := left
		for _, i := range order {
			if next := units[i] + step; left != 0 && next >= low[i] && next <= high[i] {
				units[i] = next
				left -= step
			}
		}
		if before == left || pass > 1000 {
			return nil, errors.New("budget: rounding finds no room within the bounds")
		}
	}
	return units, nil
}
