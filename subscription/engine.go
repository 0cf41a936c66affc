package subscription

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// engine reads the rows of a Book by its policy. It is read-only once made.
//
// Every figure comes the same way: a row under a policy is a step function of time (events), the rows of one unit of the
// policy's grain add up to the unit's path (walker), and results are read off the paths.
type engine struct {
	data     *data
	policy   Policy
	scale    scale
	factors  []rational // by interval
	known    []bool
	digits   []int32 // of each currency, for the rounding of items
	grace    int64   // how long an overdue item counts
	balances int     // currencies that a unit's balance has: 1 where nothing is converted later
	fixed    int64   // the moment of all rates under OpeningRates and ClosingRates
	rates    *rateTable
	observed int64
}

// engine returns the reader for the Book, for results over the span [first, last].
func (b *Book) engine(first, last int64) (*engine, error) {
	p := b.policy
	if err := p.Validate(); err != nil {
		return nil, err
	}
	e := &engine{data: b.data, policy: p, balances: 1, rates: b.rates, observed: b.observed}
	currency := b.currency
	switch cs := b.data.currencies; {
	case currency != "":
	case len(cs) > 1:
		return nil, fmt.Errorf("subscription: rows in %s and %s: say in which currency the results are and at which rates, with Book.In",
			cs[0], cs[1])
	case len(cs) == 1:
		currency = cs[0]
	}
	var err error
	if e.scale, err = newScale(currency, p.Rounding.Digits, p.Rounding.Mode); err != nil {
		return nil, err
	}
	if b.converts() && p.FX != StartRates {
		e.balances = len(b.data.currencies)
	}
	e.fixed = first
	if p.FX == ClosingRates {
		e.fixed = last
	}
	for _, i := range b.data.intervals {
		f, ok := p.Normalizer.factor(i)
		e.factors, e.known = append(e.factors, f), append(e.known, ok)
	}
	for _, c := range b.data.currencies {
		s, err := newScale(c, p.Rounding.Digits, p.Rounding.Mode)
		if err != nil && p.Rounding.Items {
			return nil, err
		}
		e.digits = append(e.digits, s.digits)
	}
	days := int64(p.PastDueDays)
	if days == 0 {
		days = 30
	}
	switch p.PastDue {
	case KeepDays:
		e.grace = days * int64(24*time.Hour)
	case KeepOverdue:
		e.grace = open
	}
	return e, nil
}

// converts reports whether any row is in another currency than the results.
func (b *Book) converts() bool {
	cs := b.data.currencies
	return b.currency != "" && (len(cs) > 1 || len(cs) == 1 && cs[0] != b.currency)
}

// rate returns the exchange rate of a currency at a moment, by the policy.
func (e *engine) rate(currency int32, t int64) (rational, error) {
	c := e.data.currencies[currency]
	switch e.policy.FX {
	case OpeningRates, ClosingRates:
		t = e.fixed
	case MonthlyRates:
		return e.rates.mean(c, t)
	}
	return e.rates.at(c, t)
}

// constant reports whether rates do not change within a table, so that there is no FX.
func (e *engine) constant() bool {
	return e.balances == 1 && !e.convertsLater() || e.policy.FX == OpeningRates || e.policy.FX == ClosingRates
}

// convertsLater reports whether balances are kept in their own currencies and valued when they are read.
func (e *engine) convertsLater() bool {
	cs := e.data.currencies
	return e.policy.FX != StartRates && e.rates != nil && (len(cs) > 1 || len(cs) == 1 && cs[0] != e.scale.currency)
}

// lifetime returns when a row counts at most: from its start to the end that the policy's moment of churn gives it.
func (e *engine) lifetime(it *item) span {
	s := span{it.from, it.to}
	m := it.more
	switch {
	case e.policy.ChurnAt == AtCancelRequest && it.cancel < s.to:
		s.to = max(it.cancel, s.from)
	case e.policy.ChurnAt == AtPaidThrough && m != nil && it.to != open && m.paidThrough != open:
		s.to = max(m.paidThrough, s.from)
	}
	if it.kind == Metered && e.policy.Metered == MeteredTrailing {
		return e.trailing(it)
	}
	return s
}

// state is what a row is worth at a moment, in its own currency.
type state struct {
	mrr      rational
	counted  bool // makes who has it a customer
	overdue  bool // not counted because it is overdue
	paused   bool
	onTrial  bool
	excluded bool // runs but is no MRR by its kind or interval
}

// worth returns the state of a row at a moment of its lifetime.
func (e *engine) worth(it *item, t int64) state {
	if it.kind == OneTime || it.kind == Metered && e.policy.Metered == MeteredExcluded || !e.known[it.interval] {
		return state{excluded: true}
	}
	var s state
	if m := it.more; m != nil {
		if m.trial.has(t) && e.policy.Trials == TrialsExcluded {
			return state{onTrial: true}
		}
		for _, o := range m.pastDue {
			if o.has(t) && e.grace != open && t-o.from >= e.grace {
				return state{overdue: true}
			}
		}
		for _, p := range m.paused {
			s.paused = s.paused || p.has(t)
		}
		switch {
		case s.paused && e.policy.Paused == PauseContracts:
			s.counted = e.counts(it, e.price(it, t))
			return s
		case s.paused && e.policy.Paused == PauseChurns:
			return s
		}
	}
	s.mrr = e.price(it, t)
	s.counted = e.counts(it, s.mrr)
	return s
}

func (e *engine) counts(it *item, mrr rational) bool {
	return mrr.sign() != 0 || e.policy.Free == FreeIsCustomer && it.kind == Recurring
}

// price returns a row's price as MRR, net of the discounts of the moment.
func (e *engine) price(it *item, t int64) rational {
	p := it.price
	m := it.more
	if m != nil && m.tax.sign() > 0 {
		switch {
		case m.taxInclusive && e.policy.Tax == TaxExcluded:
			p = p.sub(m.tax)
		case !m.taxInclusive && e.policy.Tax == TaxIncluded:
			p = p.add(m.tax)
		}
		if p.sign() < 0 && it.kind != Credit {
			p = rational{}
		}
	}
	if it.quantity != 1 {
		p = p.mul(whole(it.quantity))
	}
	if m != nil && len(m.discounts) > 0 && p.sign() > 0 {
		p = e.discounted(p, m.discounts, t)
	}
	p = p.mul(e.factors[it.interval])
	if e.policy.Rounding.Items {
		p = p.round(e.digits[it.currency], e.policy.Rounding.Mode)
	}
	return p
}

// lowers reports whether a discount takes off MRR at a moment.
func (e *engine) lowers(d *discount, t int64) bool {
	switch e.policy.Discounts {
	case NoDiscounts:
		return false
	case ForeverDiscounts:
		return d.duration == Forever && d.span.has(t)
	case RunningDiscounts:
		return d.duration != Once && d.span.has(t)
	}
	return d.span.has(t)
}

func (e *engine) discounted(p rational, ds []discount, t int64) rational {
	if e.policy.Stacking == LargestPercent {
		var percent, amount rational
		for i := range ds {
			if d := &ds[i]; e.lowers(d, t) {
				amount = amount.add(d.amount)
				if d.percent.cmp(percent) > 0 {
					percent = d.percent
				}
			}
		}
		p = p.sub(p.mul(percent)).sub(amount)
	} else {
		for i := range ds {
			if d := &ds[i]; e.lowers(d, t) {
				p = p.sub(p.mul(d.percent)).sub(d.amount)
			}
		}
	}
	if p.sign() < 0 {
		return rational{}
	}
	return p
}

// event is a change of a unit's balance.
type event struct {
	t        int64
	mrr      rational // the change, in the currency
	currency int32
	count    int32 // change of the number of rows that make a customer
	code     int32
	reason   Reason
	ends     bool // the row ends or is dropped here
	expiry   bool // a discount ended
}

// events appends the changes that a row makes. The last two results are false on an error of rates.
func (e *engine) events(it *item, out []event) ([]event, error) {
	life := e.lifetime(it)
	if life.from >= life.to {
		return out, nil
	}
	conversion, currency := whole(1), it.currency
	if e.policy.FX == StartRates && e.rates != nil {
		var err error
		if conversion, err = e.rate(it.currency, it.from); err != nil {
			return out, err
		}
		currency = 0
	}
	if e.balances == 1 {
		currency = 0
	}
	if it.more == nil {
		s := e.worth(it, life.from)
		if !s.counted && s.mrr.sign() == 0 {
			return out, nil
		}
		mrr := s.mrr
		if e.policy.FX == StartRates && e.rates != nil {
			mrr = mrr.mul(conversion)
		}
		out = append(out, event{t: life.from, mrr: mrr, currency: currency, count: 1})
		if life.to != open {
			out = append(out, event{t: life.to, mrr: mrr.neg(), currency: currency, count: -1, reason: it.reason, code: it.code, ends: true})
		}
		return out, nil
	}
	return e.timeline(it, life, currency, conversion, out), nil
}

// trailing moves a metered row to the interval after its own, in which its charge counts.
func (e *engine) trailing(it *item) span {
	if it.to == open {
		return span{}
	}
	i := e.data.intervals[it.interval]
	from := clock(it.from)
	return span{until(i.From(from, 1)), until(i.From(from, 2))}
}

// timeline appends the changes of a row that has trials, pauses, overdue payments or discounts.
func (e *engine) timeline(it *item, life span, currency int32, conversion rational, out []event) []event {
	m := it.more
	cuts := make([]int64, 1, 8)
	cuts[0] = life.from
	cut := func(s span) {
		for _, t := range [2]int64{s.from, s.to} {
			if t > life.from && t < life.to {
				cuts = append(cuts, t)
			}
		}
	}
	cut(m.trial)
	for _, p := range m.paused {
		cut(p)
	}
	for _, p := range m.pastDue {
		if e.grace != open && p.from <= math.MaxInt64-e.grace {
			cut(span{p.from + e.grace, p.to})
		}
	}
	for _, d := range m.discounts {
		cut(d.span)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var before state
	for _, t := range cuts {
		now := e.worth(it, t)
		ev := event{t: t, mrr: now.mrr.sub(before.mrr).mul(conversion), currency: currency, count: counted(now) - counted(before)}
		if before.counted && !now.counted {
			ev.ends, ev.code = true, it.code
			if now.overdue {
				ev.reason = Involuntary
			}
		}
		if before.counted && now.counted && before.paused == now.paused && ev.mrr.sign() > 0 {
			ev.expiry = slices.ContainsFunc(m.discounts, func(d discount) bool { return d.span.to == t })
		}
		if ev.count != 0 || ev.mrr.sign() != 0 {
			out = append(out, ev)
		}
		before = now
	}
	if life.to != open && (before.counted || before.mrr.sign() != 0) {
		out = append(out, event{t: life.to, mrr: before.mrr.neg().mul(conversion), currency: currency, count: -counted(before),
			reason: it.reason, code: it.code, ends: true})
	}
	return out
}

func counted(s state) int32 {
	if s.counted {
		return 1
	}
	return 0
}

// sameUnit reports whether two rows belong to the same unit of the grain.
func (e *engine) sameUnit(x, y *item) bool {
	switch e.policy.Grain {
	case ByParent:
		return x.parent == y.parent
	case BySubscription:
		return x.customer == y.customer && x.subscription == y.subscription
	case ByItem:
		return sameKey(x, y)
	}
	return x.customer == y.customer
}

// unit returns the name of the unit of a row.
func (e *engine) unit(i int) (customer, subscription, item, parent string) {
	it, d := &e.data.items[i], e.data
	parent = d.parents[it.parent]
	switch e.policy.Grain {
	case ByParent:
		return "", "", "", parent
	case BySubscription:
		return d.customers[it.customer], d.subscriptions[it.subscription], "", parent
	case ByItem:
		return d.customers[it.customer], d.subscriptions[it.subscription], d.keys[it.key], parent
	}
	return d.customers[it.customer], "", "", parent
}
