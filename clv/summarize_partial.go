package clv

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Partial is a summary in the making: what Summarize knows of the customers after a part of the log. Parts can be
// summarized apart (by file, by day, by machine), stored, merged in any order and turned into Histories:
//
//	yesterday's Partial + today's orders = the Partial of all orders
//
// bit for bit, because amounts are exact and purchase times are a set. It holds a customer's distinct purchase days and
// spend; it holds no rows. It is not safe for concurrent use, reading included.
//
// The zero Partial is that of NewPartial(nil).
type Partial struct {
	o      PartialOptions
	prefix string // of its errors
	clock  *clock
	seed   maphash.Seed
	tables [tableCount]cells
	memory *atomic.Int64
	zero   money.Amount // of the log's currency, once an amount has told it
	end    int64        // tick of o.End; math.MaxInt64 if that is not set
	last   int64        // the latest tick entered
	report Report       // of the rows; customers and purchases are counted when Histories asks
}

// PartialOptions say how a Partial reads its rows. The zero value, and a nil pointer, are the defaults.
type PartialOptions struct {
	Location    *time.Location // whose calendar days count; nil means UTC
	Granularity Granularity    // what counts as one purchase; by day if zero
	End         time.Time      // rows after it are left out and counted; the zero time leaves none out
	MaxBytes    int64          // most memory that the customers may take, their Histories included; 0 means no limit
}

// ErrMemory is wrapped by the error of a summary that outgrows the limit that its caller set.
var ErrMemory = errors.New("out of the memory allowed")

const tableCount = 256

// Cells are one table of a Partial, whatever its ticks.
type cells interface {
	add(e *entry) error
	addAll(rows []entry) error
	absorb(e *entry, from cells, i int) error
	record(i int) record
	restore(e *entry, r record) error
	len() int
	id(i int) string
	history(i int, end int64, unit time.Duration, zero money.Amount) (History, bool, error)
	purchases(i int) int
}

func (t *table[K]) len() int { return t.n }

func (t *table[K]) id(i int) string { return t.at(i).id }

func (t *table[K]) purchases(i int) int {
	a := t.at(i)
	a.sort()
	return len(a.days)
}

// NewPartial returns an empty Partial. It returns an error for an unknown granularity, a negative limit and an End out
// of range.
func NewPartial(o *PartialOptions) (*Partial, error) {
	p := &Partial{}
	if o != nil {
		p.o = *o
	}
	if p.o.Granularity > ByInstant {
		return nil, fmt.Errorf("clv: unknown granularity %d", uint8(p.o.Granularity))
	}
	if p.o.MaxBytes < 0 {
		return nil, fmt.Errorf("clv: memory limit %d: negative", p.o.MaxBytes)
	}
	p.ready()
	if !p.o.End.IsZero() {
		var err error
		if p.end, err = p.clock.tick(p.o.End); err != nil {
			return nil, fmt.Errorf("clv: end %v: %w", p.o.End, err)
		}
	}
	return p, nil
}

// ready makes a Partial usable; it does nothing the second time.
func (p *Partial) ready() {
	if p.clock != nil {
		return
	}
	if p.o.Location == nil {
		p.o.Location = time.UTC
	}
	p.prefix, p.seed, p.memory = "clv", maphash.MakeSeed(), new(atomic.Int64)
	p.end, p.last = math.MaxInt64, math.MinInt64
	p.clock = newClock(p.o.Granularity, p.o.Location)
}

// Add enters one row. It returns a *ledger.RowError, whose row is the number of rows added so far, if the customer is
// empty, the time is missing or out of range, or the currency is not that of the rows before; the Partial is then as
// before but for the count. It returns an error that wraps ErrMemory once the customers need more than the limit.
func (p *Partial) Add(tx ledger.Transaction) error {
	p.ready()
	before := p.report
	p.report.Rows++
	var e entry
	keep, err := p.check(&tx, &e)
	if err == nil && keep {
		err = p.enter(&e)
	}
	if err != nil {
		err = p.located(err)
		p.report = before
	}
	return err
}

// check turns a row into an entry and counts it. It reports false for a row after the end.
func (p *Partial) check(tx *ledger.Transaction, e *entry) (bool, error) {
	if tx.Customer == "" {
		return false, p.bad("Customer", "", errNoID)
	}
	tick, err := p.clock.tick(tx.At)
	if err != nil {
		return false, p.bad("At", tx.At.Format(time.RFC3339), err)
	}
	if c := tx.Amount.Currency(); c != "" && c != p.zero.Currency() {
		if err := p.meet(c); err != nil {
			return false, p.bad("Amount", tx.Amount.String(), err)
		}
	}
	if tick > p.end {
		p.report.AfterEnd++
		return false, nil
	}
	p.last = max(p.last, tick)
	switch tx.Amount.Sign() {
	case 0:
		p.report.FreeOrders++
	case -1:
		p.report.Refunds++
	}
	e.id, e.tick, e.amount = tx.Customer, tick, tx.Amount
	return true, nil
}

// hash sets what a table finds the entry's account by.
func (p *Partial) hash(e *entry) {
	e.hash, e.head = maphash.String(p.seed, e.id), headOf(e.id)
}

// meet takes the first currency as the log's and refuses another.
func (p *Partial) meet(c money.Currency) error {
	zero, err := money.Parse("0", c)
	if err != nil {
		return err
	}
	if _, err := p.zero.Add(zero); err != nil {
		return err
	}
	p.zero, err = plain(zero)
	return err
}

// plain returns an equal amount whose form does not depend on how it was computed.
func plain(a money.Amount) (money.Amount, error) {
	if units, ok := a.Minor(); ok && a.Currency() != "" {
		return money.FromMinor(units, a.Currency())
	}
	if a.Currency() == "" {
		return money.Amount{}, nil
	}
	return money.Parse(a.Number(), a.Currency())
}

func (p *Partial) bad(field, value string, reason error) error {
	return &ledger.RowError{Row: p.report.Rows, Field: field, Value: value, Err: reason}
}

// enter hashes an entry and puts it into its table.
func (p *Partial) enter(e *entry) error {
	p.hash(e)
	if err := p.table(e.hash).add(e); err != nil {
		return err
	}
	return p.withinLimit()
}

func (p *Partial) withinLimit() error {
	if used := p.memory.Load(); p.o.MaxBytes > 0 && used > p.o.MaxBytes {
		return fmt.Errorf("%w: the customers so far need %d bytes, the limit is %d; raise MaxBytes, or summarize and merge parts of the customers",
			ErrMemory, used, p.o.MaxBytes)
	}
	return nil
}

// table returns the table of a hash, made at its first use. Different tables may be used at the same time.
func (p *Partial) table(hash uint64) cells { return p.tableAt(int(hash >> 56)) }

func (p *Partial) tableAt(i int) cells {
	t := &p.tables[i]
	if *t == nil {
		if p.o.Granularity == ByDay {
			*t = &table[int32]{memory: p.memory}
		} else {
			*t = &table[int64]{memory: p.memory}
		}
	}
	return *t
}

// Report returns what became of the rows so far.
func (p *Partial) Report() Report {
	p.ready()
	r := p.report
	for _, t := range p.tables {
		if t == nil {
			continue
		}
		for i := range t.len() {
			n := t.purchases(i)
			r.Purchases += n
			if n > 0 {
				r.Customers++
			} else {
				r.RefundOnly++
			}
		}
	}
	r.Merged = r.Rows - r.AfterEnd - r.Refunds - r.Purchases
	return r
}

// Histories returns the customers as the models see them at the end of observation, sorted by Customer. The Partial can
// take more rows afterwards. Histories returns an error if the unit is not positive, if end is the zero time, if a row
// has been entered whose day is after that of end, and if ctx ends.
func (p *Partial) Histories(ctx context.Context, end time.Time, unit time.Duration) (*Histories, error) {
	return p.histories(ctx, end, unit, runtime.GOMAXPROCS(0))
}

func (p *Partial) histories(ctx context.Context, end time.Time, unit time.Duration, workers int) (*Histories, error) {
	p.ready()
	tick, err := endTick(p.clock, end, unit)
	if err != nil {
		return nil, err
	}
	if p.last > tick {
		return nil, fmt.Errorf("clv: the summary has rows up to %s, after the end %s; set the End of its options",
			tickText(p.o.Granularity, p.last), end.In(p.o.Location).Format(time.DateOnly))
	}
	hs := &Histories{Unit: unit, End: end.In(p.o.Location), Report: p.Report()}
	keys, err := p.byCustomer(ctx, workers)
	if err != nil {
		return nil, err
	}
	rows := make([]History, len(keys))
	err = inParallel(ctx, len(keys), workers, func(from, to int) error {
		for i := from; i < to; i++ {
			k := keys[i]
			h, ok, err := p.tables[k.table].history(int(k.index), tick, unit, p.zero)
			if err != nil {
				return fmt.Errorf("clv: customer %q: %w", h.Customer, err)
			}
			if ok {
				rows[i] = h
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if hs.Report.RefundOnly > 0 {
		rows = slices.DeleteFunc(rows, func(h History) bool { return h.Customer == "" })
	}
	hs.Rows = rows
	return hs, nil
}
