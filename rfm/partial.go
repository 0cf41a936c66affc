package rfm

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"sync/atomic"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Partial is the summary of a part of a log, before the end of observation is chosen: one file, one day, one machine's
// share. Partials merge in any order and any grouping to the summary of the whole log, to the last bit, because money is
// exact; they encode to a compact binary that can be kept on disk. So yesterday's Partial and today's orders make
// today's.
//
// Where orders are recognized by rows that stand side by side (CountOrders), the lines of one order have to be in one
// part; with MatchOrders they may be anywhere.
//
// A Partial is not safe for concurrent use; it is made by [NewPartial] or by UnmarshalBinary.
type Partial struct {
	o        SummaryOptions
	cal      *calendar
	start    Date // 0 if there is none: see hasStart
	hasStart bool
	currency money.Currency
	counts   counts
	latest   Date // of all rows that count
	hasRows  bool
	seed     maphash.Seed
	shards   []shard
	found    atomic.Int64 // customers
	err      error        // the first failure; the Partial is unusable after it
}

// counts are the row counts of a summary.
type counts struct {
	rows   int // read, in the period or not
	before int // left out: before the start
	after  int // left out: after the end
	lines  int // joined to the order of the row before
}

// NewPartial returns an empty Partial. It returns an error if an option is out of range.
func NewPartial(o *SummaryOptions) (*Partial, error) {
	opt := o.orDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	if opt.Location == nil {
		opt.Location = time.UTC
	}
	p := &Partial{o: opt, cal: newCalendar(opt.Location), seed: maphash.MakeSeed(), shards: make([]shard, shards)}
	if !opt.Start.IsZero() {
		p.hasStart, p.start = true, p.cal.date(opt.Start)
	}
	return p, nil
}

// Customers returns the number of customers met so far, with or without a purchase.
func (p *Partial) Customers() int { return int(p.found.Load()) }

// Add adds the rows of a log, in parallel. It stops at the first error, which leaves the Partial unusable, and within
// 100 ms of the context's cancellation.
//
// Add returns an error if
//   - the log yields one,
//   - a row has no customer, no time or a time outside the years 1 to 9999, or an amount in another currency than the
//     rows before it,
//   - Value is Margin and a row that is not a refund has no cost,
//   - there are more customers than MaxCustomers: it wraps [ErrTooManyCustomers].
func (p *Partial) Add(ctx context.Context, log iter.Seq2[ledger.Transaction, error]) error {
	return p.addUntil(ctx, log, lastDate, nil)
}

func (p *Partial) addUntil(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end Date, by func(ledger.Transaction) string) error {
	if p.err != nil {
		return p.err
	}
	if p.seed == (maphash.Seed{}) {
		return errEmptyPartial
	}
	f := newFeed(p, end)
	f.by = by
	err := f.run(ctx, log)
	f.mergeInto(p)
	if err == nil {
		err = p.check()
	}
	p.err = err
	return err
}

var errEmptyPartial = errors.New("rfm: the zero Partial has no options: use NewPartial or UnmarshalBinary")

// check returns what went wrong in the shards.
func (p *Partial) check() error {
	for i := range p.shards {
		if err := p.shards[i].err; err != nil {
			return err
		}
	}
	return p.full()
}

func (p *Partial) full() error {
	if p.o.MaxCustomers > 0 && p.Customers() > p.o.MaxCustomers {
		return fmt.Errorf("rfm: %w: MaxCustomers is %d", ErrTooManyCustomers, p.o.MaxCustomers)
	}
	return nil
}

// Merge adds what another Partial holds; other is not modified. Both need the same options that decide what is counted
// (Location, Start, Count, Value, KeepDays) and amounts of one currency; otherwise p is left as it was and the error says
// which differs.
func (p *Partial) Merge(other *Partial) error {
	if err := p.mergeable(other); err != nil {
		return err
	}
	if other.currency != "" {
		p.currency = other.currency
	}
	if other.hasRows && (!p.hasRows || other.latest > p.latest) {
		p.latest, p.hasRows = other.latest, true
	}
	p.counts.add(other.counts)
	l := layoutOf(&p.o)
	if p == other {
		other = p.copied()
	}
	for i := range other.shards {
		p.absorb(&other.shards[i], l)
	}
	p.err = p.check()
	return p.err
}

// copied returns a Partial of its own states, so that one can be merged with itself.
func (p *Partial) copied() *Partial {
	q := &Partial{shards: make([]shard, len(p.shards))}
	for i := range p.shards {
		s, t := &p.shards[i], &q.shards[i]
		t.states = append(t.states, s.states...)
		t.costs = append(t.costs, s.costs...)
		for _, d := range s.days {
			t.days = append(t.days, append([]Date(nil), d...))
		}
		t.orders = append(t.orders, s.orders...)
		t.refund = s.refund
	}
	return q
}

func (c *counts) add(d counts) {
	c.rows += d.rows
	c.before += d.before
	c.after += d.after
	c.lines += d.lines
}

func (p *Partial) mergeable(q *Partial) error {
	switch {
	case p.err != nil:
		return p.err
	case q.err != nil:
		return q.err
	case p.seed == (maphash.Seed{}) || q.seed == (maphash.Seed{}):
		return errEmptyPartial
	case p.o.Count != q.o.Count:
		return fmt.Errorf("rfm: merge: one part counts %s, the other %s", p.o.Count, q.o.Count)
	case p.o.Value != q.o.Value:
		return fmt.Errorf("rfm: merge: M is the %s in one part, the %s in the other", p.o.Value, q.o.Value)
	case p.o.KeepDays != q.o.KeepDays:
		return errors.New("rfm: merge: one part keeps days, the other does not")
	case p.o.Location.String() != q.o.Location.String():
		return fmt.Errorf("rfm: merge: one part has the calendar of %s, the other of %s", p.o.Location, q.o.Location)
	case p.hasStart != q.hasStart || p.start != q.start:
		return errors.New("rfm: merge: the parts start on different days")
	case p.currency != "" && q.currency != "" && p.currency != q.currency:
		return fmt.Errorf("rfm: merge: one part has amounts in %s, the other in %s", p.currency, q.currency)
	}
	return nil
}

// absorb adds the states of a shard of another Partial, whose customers may be spread otherwise here.
func (p *Partial) absorb(from *shard, l layout) {
	at := make([]uint32, len(from.states)) // where the customers of from are in their shards
	home := make([]*shard, len(from.states))
	for i := range from.states {
		c := &from.states[i]
		s, j := p.place(c.id, l)
		at[i], home[i] = j, s
		s.combine(j, c)
		if l.costs {
			s.sum(&s.costs[j], from.costs[i], j)
		}
		if l.days {
			for _, d := range from.days[i] {
				s.days[j] = insertDay(s.days[j], d)
			}
		}
	}
	for i := range from.orders {
		m := &from.orders[i]
		s, j := home[m.customer], at[m.customer]
		o := order{amount: m.net, day: m.day}
		s.match(j, &o, lineOf{id: m.id, positive: m.positive, any: m.any})
	}
	if len(p.shards) > 0 && from.refund.Sign() != 0 {
		p.shards[0].sumRefund(from.refund)
	}
}

func (s *columns) sumRefund(a money.Amount) {
	if t, err := s.refund.Add(a); err == nil {
		s.refund = t
	} else if s.err == nil {
		s.err = fmt.Errorf("rfm: sum of refunds: %w", err)
	}
}

// place returns the shard and the index of a customer.
func (p *Partial) place(id string, l layout) (*shard, uint32) {
	hash := maphash.String(p.seed, id)
	s := &p.shards[hash%shards]
	at, isNew := s.find([]byte(id), uint32(hash>>32))
	if isNew {
		s.widen(l)
		p.found.Add(1)
	}
	return s, at
}

// combine adds another state of the same customer.
func (s *columns) combine(at uint32, d *state) {
	c := &s.states[at]
	s.sum(&c.total, d.total, at)
	if d.purchases > 0 {
		if c.purchases == 0 || d.first < c.first {
			c.first = d.first
		}
		if c.purchases == 0 || d.last > c.last {
			c.last = d.last
		}
	}
	c.purchases += d.purchases
	c.positive += d.positive
	c.refunds += d.refunds
}
