package cac

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Analyze divides costs by the customers they won, by group and period, under the rules of o. A customer is new in the
// period that holds Customer.Acquired and belongs to the group that its Channel, Campaign or segment names. What lies
// outside the periods or the basis is left out and its sum reported in the table, so that
//
//	Total.Spend + incomplete rows + ExcludedSpend + OutsideSpend + DeferredSpend = all fixed and per-unit lines
//
// Neither the order of lines, customers and periods nor anything but their content has an effect on the result.
//
// Analyze returns an error if an option is not valid; if a line is not (see [Cost.Validate]) or has no date although
// there are periods; if a customer's ID is empty or a duplicate, or Acquired is unknown although there are periods; if
// periods overlap; if ctx is done; and, as a *[PlaceError], if currencies differ and Convert is nil.
func Analyze(ctx context.Context, costs []Cost, customers []ledger.Customer, o *Options) (*Table, error) {
	b, err := newBuilder(costs, o)
	if err != nil {
		return nil, err
	}
	if err := b.addCustomers(ctx, customers); err != nil {
		return nil, err
	}
	for i, c := range b.costs {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, prefixed(ctx.Err())
		}
		if err := b.addCost(i+1, c); err != nil {
			return nil, err
		}
	}
	if err := b.share(); err != nil {
		return nil, err
	}
	return b.table()
}

// place is one cell of the table under construction.
type place struct {
	group  string
	shared bool
	period int
}

type cell struct {
	direct, allocated, value money.Sum
	new, valued              int
	credits                  bool
}

// origin is what a cost per customer can name of a customer.
type origin struct {
	channel, campaign, segment string
	period                     int
	acquired                   time.Time // only the day matters to lines with a period; see addCustomers
}

type builder struct {
	o        Options
	policy   Policy
	costs    []Cost
	periods  []ledger.Period // sorted; one zero Period if there are none
	cells    map[place]*cell
	origins  map[origin]int
	paid     map[string]bool // channels that NewPaid counts
	media    map[string]bool // campaigns that it counts
	age      int             // how far the lag reaches back
	outside  money.Sum
	excluded money.Sum
	deferred money.Sum

	outsideCustomers, uncounted int
}

func newBuilder(costs []Cost, o *Options) (*builder, error) {
	b := &builder{cells: map[place]*cell{}, origins: map[origin]int{}, paid: map[string]bool{}, media: map[string]bool{}}
	if o != nil {
		b.o = *o
	}
	if err := b.o.validate(); err != nil {
		return nil, err
	}
	var err error
	if b.periods, err = ordered(b.o.Periods); err != nil {
		return nil, err
	}
	for i, c := range costs {
		if err := b.check(c); err != nil {
			return nil, fail("%w", numbered(i+1, err))
		}
	}
	currency, err := b.o.currency(costs)
	if err != nil {
		return nil, err
	}
	if b.costs, err = Convert(costs, currency, b.o.Convert); err != nil {
		return nil, err
	}
	b.policy = b.o.policy(currency)
	for _, c := range b.o.PaidChannels {
		b.paid[c] = true
	}
	for _, c := range costs {
		if c.Category == PaidMedia && b.o.PaidChannels == nil {
			b.paid[c.Channel] = c.Channel != ""
			b.media[c.Campaign] = c.Campaign != ""
		}
		if c.Charge != PerCustomer && b.policy.Basis.Share(c.Category, c.Function) > 0 {
			b.age = max(b.age, longest(b.o.Lag.of(c.Category, c.Function)))
		}
	}
	return b, nil
}

func (b *builder) check(c Cost) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if len(b.o.Periods) > 0 && c.Charge != PerCustomer && c.Date.IsZero() && c.Period.IsZero() {
		return &ledger.RowError{Field: "date", Err: errors.New("neither date nor period")}
	}
	return nil
}

// ordered returns the periods by time, and an error if two overlap.
func ordered(periods []ledger.Period) ([]ledger.Period, error) {
	if len(periods) == 0 {
		return []ledger.Period{{}}, nil
	}
	ps := slices.Clone(periods)
	slices.SortFunc(ps, func(a, b ledger.Period) int { return a.Start.Compare(b.Start) })
	for i, p := range ps {
		if err := p.Validate(); err != nil {
			return nil, prefixed(err)
		}
		if i > 0 && p.Start.Before(ps[i-1].End) {
			return nil, fail("periods %s and %s overlap", ps[i-1], p)
		}
	}
	return ps, nil
}

// find returns the index of the period that holds t.
func (b *builder) find(t time.Time) (int, bool) {
	if len(b.o.Periods) == 0 {
		return 0, true
	}
	i := sort.Search(len(b.periods), func(i int) bool { return b.periods[i].End.After(t) })
	return i, i < len(b.periods) && b.periods[i].Contains(t)
}

func (b *builder) at(p place) *cell {
	c := b.cells[p]
	if c == nil {
		c = &cell{}
		b.cells[p] = c
	}
	return c
}

func (b *builder) addCustomers(ctx context.Context, customers []ledger.Customer) error {
	seen := make(map[string]int, len(customers))
	timed := slices.ContainsFunc(b.costs, func(c Cost) bool { return c.Charge == PerCustomer && !c.Period.IsZero() })
	for i, c := range customers {
		if i%4096 == 0 && ctx.Err() != nil {
			return prefixed(ctx.Err())
		}
		if c.ID == "" {
			return fail("%w", &ledger.RowError{Row: i + 1, Field: "id", Err: errors.New("empty")})
		}
		if first, ok := seen[c.ID]; ok {
			return fail("%w", &ledger.RowError{Row: i + 1, Field: "id", Value: c.ID, Err: fmt.Errorf("duplicate of row %d", first)})
		}
		seen[c.ID] = i + 1
		if c.Acquired.IsZero() && (len(b.o.Periods) > 0 || timed) {
			return fail("%w", &ledger.RowError{Row: i + 1, Field: "acquired", Value: c.ID, Err: errors.New("the customer has no date of acquisition")})
		}
		t, inside := b.find(c.Acquired)
		switch {
		case !inside:
			b.outsideCustomers++
			continue
		case !b.counts(c):
			b.uncounted++
			continue
		}
		if err := b.addCustomer(c, t, timed); err != nil {
			return err
		}
	}
	return nil
}

// counts reports whether a new customer belongs to the denominator.
func (b *builder) counts(c ledger.Customer) bool {
	switch b.policy.Denominator {
	case NewPaid:
		return b.paid[c.Channel] || b.media[c.Campaign]
	case NetNew:
		return b.o.Valid(c.ID)
	}
	return true
}

func (b *builder) addCustomer(c ledger.Customer, t int, timed bool) error {
	from := origin{channel: c.Channel, campaign: c.Campaign, period: t}
	if b.o.Segment != nil {
		from.segment = b.o.Segment(c.ID)
	}
	p := place{group: b.group(from.channel, from.campaign, from.segment), period: t}
	into := b.at(p)
	into.new++
	if timed {
		from.acquired = c.Acquired.UTC()
	}
	b.origins[from]++
	if b.o.Value == nil {
		return nil
	}
	v, ok := b.o.Value(c.ID)
	if !ok {
		return nil
	}
	if v.Currency() != "" && b.policy.Currency != "" && v.Currency() != b.policy.Currency {
		return b.row(p, nil).fail(fmt.Errorf("%w: costs in %s, the value of customer %q in %s", ErrCurrencyMismatch, b.policy.Currency, c.ID, v.Currency()))
	}
	into.value.Add(v)
	into.valued++
	return nil
}

func (b *builder) group(channel, campaign, segment string) string {
	switch b.o.By {
	case PerChannel:
		return channel
	case PerCampaign:
		return campaign
	case PerSegment:
		return segment
	}
	return ""
}

// addCost puts a line into the cells it belongs to.
func (b *builder) addCost(row int, c Cost) error {
	if c.Charge == PerCustomer {
		return b.addPerCustomer(row, c)
	}
	whole, err := c.Total()
	if err != nil {
		return fail("%w", numbered(row, err))
	}
	rest := whole
	for _, i := range b.reach(c) {
		part := whole
		if len(b.o.Periods) > 0 {
			if part, err = c.Accrued(b.periods[i]); err != nil {
				return fail("%w", numbered(row, err))
			}
		}
		if rest, err = rest.Sub(part); err != nil {
			return fail("%w", numbered(row, err))
		}
		if err := b.addPart(c, part, i); err != nil {
			return fail("%w", numbered(row, err))
		}
	}
	b.outside.Add(rest)
	return nil
}

// reach returns the periods that a line may touch.
func (b *builder) reach(c Cost) []int {
	if c.Period.IsZero() || len(b.o.Periods) == 0 {
		if i, ok := b.find(c.Date); ok {
			return []int{i}
		}
		return nil
	}
	var touched []int
	for i := sort.Search(len(b.periods), func(i int) bool { return b.periods[i].End.After(c.Period.Start) }); i < len(b.periods); i++ {
		if !b.periods[i].Start.Before(c.Period.End) {
			break
		}
		touched = append(touched, i)
	}
	return touched
}

// addPart puts what has accrued in a period into the periods that the lag names.
func (b *builder) addPart(c Cost, part money.Amount, period int) error {
	counted, err := b.counted(c, part)
	if err != nil {
		return err
	}
	left, err := part.Sub(counted)
	if err != nil {
		return err
	}
	b.excluded.Add(left)
	if counted.Sign() == 0 {
		return nil
	}
	group := b.group(c.Channel, c.Campaign, c.Segment)
	p := place{group: group, shared: group == "" && b.o.By != "", period: period}
	parts, err := spread(counted, b.o.Lag.of(c.Category, c.Function))
	if err != nil {
		return err
	}
	for k, each := range parts {
		switch p.period = period + k; {
		case p.period >= len(b.periods):
			b.deferred.Add(each)
		case b.o.Lag.FirstOwn && p.period < b.age: // takes its own cost, below
		case each.Sign() != 0:
			b.put(p, each)
		}
	}
	if p.period = period; b.o.Lag.FirstOwn && period < b.age {
		b.put(p, counted)
	}
	return nil
}

func (b *builder) put(p place, a money.Amount) {
	into := b.at(p)
	into.direct.Add(a)
	into.credits = into.credits || a.Sign() < 0
}

// counted returns the part of a cost that the basis counts.
func (b *builder) counted(c Cost, a money.Amount) (money.Amount, error) {
	for _, share := range []float64{b.policy.Basis.Share(c.Category, c.Function), b.policy.Basis.newShare()} {
		if share == 1 {
			continue
		}
		var err error
		if a, err = times(a, share); err != nil {
			return a, err
		}
	}
	return a, nil
}

// addPerCustomer charges a line for each new customer whom it won.
func (b *builder) addPerCustomer(row int, c Cost) error {
	each, err := b.counted(c, c.Amount)
	if err != nil {
		return fail("%w", numbered(row, err))
	}
	if each.Sign() == 0 {
		return nil
	}
	for from, n := range b.origins {
		if c.Channel != "" && c.Channel != from.channel || c.Campaign != "" && c.Campaign != from.campaign ||
			c.Segment != "" && c.Segment != from.segment || !c.Period.IsZero() && !c.Period.Contains(from.acquired) {
			continue
		}
		due, err := timesInt(each, int64(n))
		if err != nil {
			return fail("%w", numbered(row, err))
		}
		b.put(place{group: b.group(from.channel, from.campaign, from.segment), period: from.period}, due)
	}
	return nil
}
