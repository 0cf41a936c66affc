package subscription

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// counters are what units add up to in one period.
type counters struct {
	sums    [FX]rational // by kind
	counts  [FX]int64
	kept    rational // change of the opening cohort's balance at the opening's rates
	lowered rational // what the opening cohort pays less
	expiry  rational
	lost    int64 // of the opening cohort
	joined  int64 // at the closing and not in the opening cohort
	reasons map[reasonKey]*reasonSum
}

type reasonKey struct {
	reason Reason
	code   int32
}

type reasonSum struct {
	count int64
	mrr   rational
}

// flow is how balances and counts change in a stretch of time: a period or the gap before it.
type flow struct {
	balances []rational
	alive    int64
	paying   int64
}

// tally collects what the units of one worker do.
type tally struct {
	periods []counters
	flows   []flow // the gap before period 0, period 0, the gap before period 1, ...
}

func newTally(periods, balances int) *tally {
	t := &tally{periods: make([]counters, periods), flows: make([]flow, 2*periods)}
	for i := range t.flows {
		t.flows[i].balances = make([]rational, balances)
	}
	return t
}

func (f *flow) add(w *walker, before, after int) {
	n := w.e.balances
	for c := range f.balances {
		f.balances[c] = f.balances[c].add(w.balances[after*n+c])
		if before >= 0 {
			f.balances[c] = f.balances[c].sub(w.balances[before*n+c])
		}
	}
	f.alive += one(w.alive(after)) - one(w.alive(before))
	f.paying += one(w.pays(after)) - one(w.pays(before))
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// unit adds the unit whose path the walker has.
func (t *tally) unit(w *walker, cuts []span) {
	add := func(m *move) { t.periods[m.period].add(m) }
	w.unitPeriods(cuts, func(v visit) {
		t.flows[2*v.period+1].add(w, v.before, v.after)
		opening := cuts[v.period].from
		t.periods[v.period].cohort(w, v, opening)
		w.moves(v, opening, add)
	}, func(next, before, after int) {
		if next < len(cuts) {
			t.flows[2*next].add(w, before, after)
		}
	})
}

func (c *counters) cohort(w *walker, v visit, opening int64) {
	was, is := w.alive(v.before), w.alive(v.after)
	switch {
	case was:
		v0, v1 := w.value(v.before, opening), w.value(v.after, opening)
		c.kept = c.kept.add(v1.sub(v0))
		c.lowered = c.lowered.add(v0.sub(least(v0, v1)))
		c.lost += one(!is)
	case is:
		c.joined++
	}
}

func (c *counters) add(m *move) {
	c.sums[m.kind-1] = c.sums[m.kind-1].add(m.amount)
	c.counts[m.kind-1]++
	c.expiry = c.expiry.add(m.expiry)
	if m.kind == Churn {
		c.reason(reasonKey{m.reason, m.code}, reasonSum{1, m.amount})
	}
}

func (c *counters) reason(k reasonKey, add reasonSum) {
	if c.reasons == nil {
		c.reasons = map[reasonKey]*reasonSum{}
	}
	sum := c.reasons[k]
	if sum == nil {
		sum = &reasonSum{}
		c.reasons[k] = sum
	}
	sum.count += add.count
	sum.mrr = sum.mrr.add(add.mrr)
}

// merge adds another worker's tally. Sums are exact, so that the number of workers changes nothing.
func (t *tally) merge(o *tally) {
	for i := range t.periods {
		c, d := &t.periods[i], &o.periods[i]
		for k := range c.sums {
			c.sums[k] = c.sums[k].add(d.sums[k])
			c.counts[k] += d.counts[k]
		}
		c.kept, c.lowered, c.expiry = c.kept.add(d.kept), c.lowered.add(d.lowered), c.expiry.add(d.expiry)
		c.lost, c.joined = c.lost+d.lost, c.joined+d.joined
		for k, sum := range d.reasons {
			c.reason(k, *sum)
		}
	}
	for i := range t.flows {
		f, g := &t.flows[i], &o.flows[i]
		for c := range f.balances {
			f.balances[c] = f.balances[c].add(g.balances[c])
		}
		f.alive, f.paying = f.alive+g.alive, f.paying+g.paying
	}
}

const chunks = 256

// eachUnit calls visit for every unit of the rows, by several workers at once; start makes the visit of one worker. A
// unit is the rows lo to hi, whose path the walker has. All units of a parent come to the same worker.
func (e *engine) eachUnit(ctx context.Context, start func() func(w *walker, lo, hi int)) error {
	n := len(e.data.items)
	bounds := []int{0}
	for c := 1; c < chunks; c++ {
		at := max(n*c/chunks, bounds[len(bounds)-1])
		for at > 0 && at < n && e.data.items[at-1].parent == e.data.items[at].parent {
			at++
		}
		bounds = append(bounds, at)
	}
	bounds = append(bounds, n)
	workers := min(runtime.GOMAXPROCS(0), 1+n/4096)
	errs := make([]error, chunks)
	var next atomic.Int64
	var failed atomic.Bool
	var group sync.WaitGroup
	visits := make([]func(*walker, int, int), workers)
	for i := range visits {
		visits[i] = start()
	}
	for _, visit := range visits {
		group.Add(1)
		go func() {
			defer group.Done()
			w := &walker{e: e}
			for c := next.Add(1) - 1; c < chunks && !failed.Load(); c = next.Add(1) - 1 {
				if errs[c] = w.chunk(ctx, bounds[c], bounds[c+1], visit); errs[c] != nil {
					failed.Store(true)
				}
			}
		}()
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) chunk(ctx context.Context, lo, hi int, visit func(*walker, int, int)) error {
	items := w.e.data.items
	for i, units := lo, 0; i < hi; units++ {
		if units%512 == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("subscription: %w", err)
			}
		}
		j := i + 1
		for j < hi && w.e.sameUnit(&items[i], &items[j]) {
			j++
		}
		err := w.path(i, j)
		if err == nil {
			visit(w, i, j)
			err = w.err
		}
		if err != nil {
			return err
		}
		i = j
	}
	return nil
}

// spans turns periods into moments.
func spans(periods []ledger.Period) ([]span, error) {
	out := make([]span, len(periods))
	for i, p := range periods {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("subscription: period %d: %w", i+1, err)
		}
		from, ok1 := moment(p.Start)
		to, ok2 := moment(p.End)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("subscription: period %d: %s: %w", i+1, p, errYear)
		}
		out[i] = span{from, to}
	}
	return out, nil
}

// layers splits periods that may overlap into lists that do not, each in order of time. The lists hold indices.
func layers(cuts []span) [][]int {
	order := make([]int, len(cuts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cuts[a].from, cuts[b].from) })
	var out [][]int
	for _, i := range order {
		placed := false
		for l := range out {
			if last := out[l][len(out[l])-1]; cuts[last].to <= cuts[i].from {
				out[l], placed = append(out[l], i), true
				break
			}
		}
		if !placed {
			out = append(out, []int{i})
		}
	}
	return out
}

// RollForward is a table of periods, each with its opening, its movements, its closing and its rates.
type RollForward struct {
	Policy  Policy         `json:"policy"`
	Periods []PeriodResult `json:"periods"`
}

// Period returns movements and rates of one period; see [PeriodResult]. It is RollForward for a single one.
//
// It returns an error if the period is empty, the policy is not valid, or an exchange rate is missing.
func (b *Book) Period(p ledger.Period) (*PeriodResult, error) {
	t, err := b.RollForward(context.Background(), []ledger.Period{p})
	if err != nil {
		return nil, err
	}
	return &t.Periods[0], nil
}

// RollForward returns movements and rates of any periods: calendar months of [ledger.Months], quarters, fiscal years,
// rolling days of [Rolling]. The results are in the order of the periods; where one period ends and another starts, its
// closing is the other's opening, to the minor unit. Periods may overlap; what does is read in another pass.
//
// It returns an error if a period is empty, the policy is not valid, an exchange rate is missing, or ctx is done.
func (b *Book) RollForward(ctx context.Context, periods []ledger.Period) (*RollForward, error) {
	cuts, err := spans(periods)
	if err != nil {
		return nil, err
	}
	first, last := int64(open), int64(-open)
	for _, c := range cuts {
		first, last = min(first, c.from), max(last, c.to)
	}
	e, err := b.engine(first, last)
	if err != nil {
		return nil, err
	}
	out := &RollForward{Policy: b.policy, Periods: make([]PeriodResult, len(periods))}
	for _, layer := range layers(cuts) {
		if err := e.layer(ctx, periods, cuts, layer, out.Periods); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// layer fills in the results of periods that do not overlap.
func (e *engine) layer(ctx context.Context, periods []ledger.Period, cuts []span, layer []int, out []PeriodResult) error {
	own := make([]span, len(layer))
	for i, k := range layer {
		own[i] = cuts[k]
	}
	total := newTally(len(own), e.balances)
	var tallies []*tally
	err := e.eachUnit(ctx, func() func(*walker, int, int) {
		t := newTally(len(own), e.balances)
		tallies = append(tallies, t)
		return func(w *walker, _, _ int) { t.unit(w, own) }
	})
	if err != nil {
		return err
	}
	for _, t := range tallies {
		total.merge(t)
	}
	state := flow{balances: make([]rational, e.balances)}
	for i, k := range layer {
		state = state.plus(&total.flows[2*i])
		closing := state.plus(&total.flows[2*i+1])
		r, err := e.result(periods[k], own[i], &total.periods[i], state, closing)
		if err != nil {
			return err
		}
		out[k] = r
		state = closing
	}
	return nil
}

func (f flow) plus(g *flow) flow {
	out := flow{balances: slices.Clone(f.balances), alive: f.alive + g.alive, paying: f.paying + g.paying}
	for c := range out.balances {
		out.balances[c] = out.balances[c].add(g.balances[c])
	}
	return out
}

// worthAt values the balances of all units at the rates of a moment.
func (f flow) worthAt(e *engine, t int64) (rational, error) {
	w := walker{e: e, balances: f.balances, steps: make([]step, 1)}
	return w.value(0, t), w.err
}

// result turns the exact sums of a period into figures that add up.
func (e *engine) result(p ledger.Period, cut span, c *counters, before, after flow) (PeriodResult, error) {
	opening, err := before.worthAt(e, cut.from)
	if err != nil {
		return PeriodResult{}, err
	}
	closing, err := after.worthAt(e, cut.to)
	if err != nil {
		return PeriodResult{}, err
	}
	x := figures{e: e, counters: c, opening: opening, closing: closing, before: before, after: after}
	s := c.sums
	x.fx = closing.sub(opening).sub(s[NewBusiness-1]).sub(s[Reactivation-1]).sub(s[Expansion-1]).add(s[Contraction-1]).add(s[Churn-1])
	r := PeriodResult{Period: p, Policy: e.policy, Currency: e.scale.currency, Incomplete: cut.to > e.observed}
	if err := x.amounts(&r); err != nil {
		return r, err
	}
	if r.Reasons, err = x.reasons(r.Churn); err != nil {
		return r, err
	}
	x.rates(&r)
	return r, x.err
}

// figures are the exact sums of one period.
type figures struct {
	e *engine
	*counters
	opening, closing, fx rational
	before, after        flow
	err                  error
}

// amounts rounds the lines so that they close.
func (x *figures) amounts(r *PeriodResult) error {
	sc := x.e.scale
	opening, closing := sc.units(x.opening), sc.units(x.closing)
	s := x.sums
	lines := sc.closeTo(new(big.Int).Sub(closing, opening), []rational{
		s[NewBusiness-1], s[Reactivation-1], s[Expansion-1], s[Contraction-1].neg(), s[Churn-1].neg(), x.fx,
	})
	lines[3].Neg(lines[3])
	lines[4].Neg(lines[4])
	var err error
	for i, to := range []*money.Amount{&r.New, &r.Reactivation, &r.Expansion, &r.Contraction, &r.Churn, &r.FX} {
		if *to, err = sc.amount(lines[i]); err != nil {
			return err
		}
	}
	if r.Opening, err = sc.amount(opening); err != nil {
		return err
	}
	if r.Closing, err = sc.amount(closing); err != nil {
		return err
	}
	r.DiscountExpiry, err = sc.round(x.expiry)
	r.Customers = Counts{
		Opening: x.before.alive, New: x.counts[NewBusiness-1], Reactivated: x.counts[Reactivation-1],
		Expanded: x.counts[Expansion-1], Contracted: x.counts[Contraction-1], Churned: x.counts[Churn-1],
		Closing: x.after.alive, Lost: x.lost, Joined: x.joined, Paying: x.after.paying,
	}
	return err
}

// reasons splits the churn by reason and code so that the parts add up to it.
func (x *figures) reasons(churn money.Amount) (Reasons, error) {
	keys := slices.SortedFunc(maps.Keys(x.counters.reasons), func(a, b reasonKey) int {
		return cmp.Or(cmp.Compare(order(a.reason), order(b.reason)), cmp.Compare(a.code, b.code))
	})
	parts := make([]rational, len(keys))
	for i, k := range keys {
		parts[i] = x.counters.reasons[k].mrr
	}
	whole, err := exactAmount(churn)
	if err != nil {
		return nil, err
	}
	out := make(Reasons, len(keys))
	for i, u := range x.e.scale.closeTo(x.e.scale.units(whole), parts) {
		k := keys[i]
		out[i] = ReasonShare{Reason: k.reason, Code: x.e.data.codes[k.code], Customers: x.counters.reasons[k].count}
		if out[i].MRR, err = x.e.scale.amount(u); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// order shows voluntary churn first and unknown last.
func order(r Reason) int { return (int(r) + 2) % 3 }
