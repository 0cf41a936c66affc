package clv

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"runtime"
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
	*common
	o      PartialOptions
	prefix string // of its errors
	clock  *clock
	seed   maphash.Seed
	tables [tableCount]cells // the first one alone until there are manyCustomers
	spread bool              // they are in all tables
	end    int64             // tick of o.End; math.MaxInt64 if that is not set
	last   int64             // the latest tick entered
	report Report            // of the rows; customers and purchases are counted when Histories asks
	late   *Partial          // takes the rows after the tick split, if there is one
	split  int64
}

// What is common to the tables of a Partial.
type common struct {
	memory atomic.Int64 // bytes of all tables
	zero   money.Amount // of the log's currency, once an amount has told it
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

const (
	tableCount    = 256
	manyCustomers = 1 << 12
)

// Cells are one table of a Partial, whatever its ticks.
type cells interface {
	addAll(b *rows) error
	enter(r *packed, tail []byte, from parcel) error
	parcel(i int, spent parcel) parcel
	record(i int) record
	len() int
	id(i int) string
	lookup(id string, hash uint32) int
	touch(i int) int
	history(i int, v *view) (History, bool, error)
	purchases(i int) int
	total(i int) (money.Amount, error)
	appendTicks(to []int64, i int) []int64
	bytes() int64
}

func (t *table[K]) purchases(i int) int {
	a := t.at(i)
	t.sort(a)
	return int(a.n)
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
	p.prefix, p.seed, p.common = "clv", maphash.MakeSeed(), new(common)
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
		hash := p.hash(e.id)
		var b rows
		b.add(&e, hash)
		err = p.addAll(p.tableOf(hash), &b)
	}
	if err != nil {
		err = p.located(err)
		p.report = before
	}
	return err
}

var errLongID = fmt.Errorf("longer than %d bytes", maxIDSize)

// check turns a row into an entry and counts it. It reports false for a row after the end.
func (p *Partial) check(tx *ledger.Transaction, e *entry) (bool, error) {
	if tx.Customer == "" {
		return false, p.bad("Customer", "", errNoID)
	}
	if len(tx.Customer) > maxIDSize {
		return false, p.bad("Customer", tx.Customer[:100], errLongID)
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
	units, whole := tx.Amount.Minor()
	if !whole {
		units = int64(tx.Amount.Sign())
	}
	side := p
	if p.late != nil && tick > p.split {
		side = p.late
		side.report.Rows++
	}
	side.last = max(side.last, tick)
	switch {
	case units == 0:
		side.report.FreeOrders++
	case units < 0:
		side.report.Refunds++
	}
	e.id, e.tick, e.amount, e.units, e.exact = tx.Customer, tick, tx.Amount, units, !whole
	return true, nil
}

// hash returns the hash of a customer's id: the upper eight bits choose the table, the lower 32 the place in it.
func (p *Partial) hash(id string) uint64 { return maphash.String(p.seed, id) }

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

// addAll enters rows of one table.
func (p *Partial) addAll(table int, b *rows) error {
	t := p.table(table)
	before := t.bytes()
	err := t.addAll(b)
	p.memory.Add(t.bytes() - before)
	if err != nil {
		return err
	}
	return p.withinLimit()
}

// enter adds a parcel to a customer's account, without a look at the limit.
func (p *Partial) enter(id string, from parcel) error {
	hash := p.hash(id)
	r := packed{head: headOf(id), hash: uint32(hash), size: uint32(len(id))}
	t := p.table(p.tableOf(hash))
	before := t.bytes()
	err := t.enter(&r, []byte(id[min(len(id), headSize):]), from)
	p.memory.Add(t.bytes() - before)
	return err
}

func (p *Partial) withinLimit() error {
	if used := p.memory.Load(); p.o.MaxBytes > 0 && used > p.o.MaxBytes {
		return fmt.Errorf("%w: the customers so far need %d bytes, the limit is %d; raise MaxBytes, or summarize and merge parts of the customers",
			ErrMemory, used, p.o.MaxBytes)
	}
	return nil
}

// tableOf returns the number of a hash's table.
func (p *Partial) tableOf(hash uint64) int {
	if !p.spread {
		if t := p.tables[0]; t == nil || t.len() < manyCustomers {
			return 0
		}
		p.spreadOut()
	}
	return int(hash >> 56)
}

// spreadOut moves the customers from the first table to all of them, if they are not there yet.
func (p *Partial) spreadOut() {
	if p.late != nil {
		p.late.spreadOut()
	}
	if p.spread {
		return
	}
	all := p.tables[0]
	p.tables[0], p.spread = nil, true
	if all == nil {
		return
	}
	for i := range all.len() {
		_ = p.enter(all.id(i), all.parcel(i, parcel{})) // the account is new, so that there is nothing to add up
	}
	p.memory.Add(-all.bytes())
}

// table returns a table, made at its first use. Different tables may be used at the same time.
func (p *Partial) table(i int) cells {
	t := &p.tables[i]
	if *t == nil {
		if p.o.Granularity == ByDay {
			*t = &table[int32]{common: p.common}
		} else {
			*t = &table[int64]{common: p.common}
		}
	}
	return *t
}

// Report returns what became of the rows so far.
func (p *Partial) Report() Report {
	p.ready()
	purchases, customers, accounts := 0, 0, 0
	for _, t := range p.tables {
		if t == nil {
			continue
		}
		accounts += t.len()
		for i := range t.len() {
			if n := t.purchases(i); n > 0 {
				purchases += n
				customers++
			}
		}
	}
	return p.report.with(purchases, customers, accounts)
}

// Histories returns the customers as the models see them at the end of observation, sorted by Customer. The Partial can
// take more rows afterwards. Histories returns an error if the unit is not positive, if end is the zero time, if a row
// has been entered whose day is after that of end, and if ctx ends.
func (p *Partial) Histories(ctx context.Context, end time.Time, unit time.Duration) (*Histories, error) {
	return p.histories(ctx, end, unit, runtime.GOMAXPROCS(0))
}

func (p *Partial) histories(ctx context.Context, end time.Time, unit time.Duration, workers int) (*Histories, error) {
	hs, _, err := p.placed(ctx, end, unit, workers)
	return hs, err
}

// placed returns the histories and the account of each.
func (p *Partial) placed(ctx context.Context, end time.Time, unit time.Duration, workers int) (*Histories, []sortKey, error) {
	p.ready()
	tick, err := endTick(p.clock, end, unit)
	if err != nil {
		return nil, nil, err
	}
	if p.last > tick {
		return nil, nil, fmt.Errorf("clv: the summary has rows up to %s, after the end %s; set the End of its options",
			tickText(p.o.Granularity, p.last), end.In(p.o.Location).Format(time.DateOnly))
	}
	keys, err := p.byCustomer(ctx, workers)
	if err != nil {
		return nil, nil, err
	}
	rows := make([]History, len(keys))
	v := newView(p.o.Granularity, unit, tick, p.zero, len(keys))
	var purchases, customers atomic.Int64
	err = inParallel(ctx, len(keys), workers, func(from, to int) error {
		n, found := 0, 0
		for ; from < to; from += viewBatch {
			some := keys[from:min(from+viewBatch, to)]
			p.touch(some)
			for i, k := range some {
				h, ok, err := p.tables[k.table].history(int(k.index), v)
				if err != nil {
					return fmt.Errorf("clv: customer %q: %w", h.Customer, err)
				}
				if ok {
					rows[from+i] = h
					n += h.X + 1
					found++
				}
			}
		}
		purchases.Add(int64(n))
		customers.Add(int64(found))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if found := int(customers.Load()); found < len(rows) { // leave out those without a purchase
		n := 0
		for i := range rows {
			if rows[i].Customer != "" {
				rows[n], keys[n] = rows[i], keys[i]
				n++
			}
		}
		clear(rows[n:])
		rows = rows[:n]
	}
	report := p.report.with(int(purchases.Load()), len(rows), len(keys))
	return &Histories{Unit: unit, End: end.In(p.o.Location), Rows: rows, Report: report}, keys[:len(rows)], nil
}

// viewBatch is how many accounts are fetched at once.
const viewBatch = 64

// touch reads a word of what the accounts' histories need.
func (p *Partial) touch(keys []sortKey) int {
	sum := 0
	for _, k := range keys {
		sum += p.tables[k.table].touch(int(k.index))
	}
	return sum
}

// with returns the report of the rows with what the accounts tell.
func (r Report) with(purchases, customers, accounts int) Report {
	r.Purchases, r.Customers, r.RefundOnly = purchases, customers, accounts-customers
	r.Merged = r.Rows - r.AfterEnd - r.Refunds - purchases
	return r
}
