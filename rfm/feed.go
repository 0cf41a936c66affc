package rfm

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A feed reads one log on the goroutine of its caller: it checks the rows and joins the lines of an order. The orders go
// in chunks to sorters, which hash them and fill the shards, on helpers and, where those are busy, on the reader itself.
type feed struct {
	p        *Partial
	l        layout
	cal      *calendar
	end      Date
	chunk    *chunk
	full     chan *chunk
	spare    chan *chunk
	own      *sorter
	by       func(ledger.Transaction) string // the group of a row, nil for none
	open     []pending                       // the order that is being read, a part for each group
	order    [2]string                       // its customer and ID
	counts   counts
	currency money.Currency
	latest   Date
	hasRows  bool
	workers  int
	helpers  sync.WaitGroup
	helped   bool
}

// A chunk is a run of orders as they were read.
type chunk struct {
	orders []read
	costs  []money.Amount
	lines  []lineOf
}

// A read order has its customer's id still in the caller's memory.
type read struct {
	customer string
	amount   money.Amount
	day      Date
	kind     kind
}

// A sorter deals chunks to the shards. It belongs to one goroutine.
type sorter struct {
	p       *Partial
	l       layout
	batches []batch
	hashes  []uint64
}

// A pending order gathers adjacent lines of one ID.
type pending struct {
	customer string // with the group before it, if there is one
	net      money.Amount
	cost     money.Amount
	day      Date // earliest line that is not a refund, else the earliest line
	any      bool // there is a line that is not a refund
	positive int
}

const (
	chunkOrders  = 4096 // orders of a full chunk
	batchOrders  = 2048 // orders of a full batch
	progressRows = 1 << 20
	canceledRows = 1 << 12 // rows between two looks at the context
)

func newFeed(p *Partial, end Date) *feed {
	f := &feed{p: p, l: layoutOf(&p.o), cal: newCalendar(p.o.Location), end: end, chunk: &chunk{},
		currency: p.currency, latest: p.latest, hasRows: p.hasRows, workers: workers(p.o.Workers)}
	f.own = f.newSorter()
	return f
}

func (f *feed) newSorter() *sorter {
	return &sorter{p: f.p, l: f.l, batches: make([]batch, shards)}
}

func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// run reads the log to its end or first error, with helpers that are gone when it returns.
func (f *feed) run(ctx context.Context, log iter.Seq2[ledger.Transaction, error]) error {
	f.full, f.spare = make(chan *chunk, f.workers), make(chan *chunk, 2*f.workers)
	defer f.helpers.Wait()
	defer close(f.full)
	if err := f.read(ctx, log); err != nil {
		return err
	}
	f.own.deal(f.chunk)
	f.own.finish()
	return nil
}

// help starts the helpers; a log of less than one chunk needs none.
func (f *feed) help() {
	f.helped = true
	for range f.workers - 1 {
		f.helpers.Add(1)
		go func() {
			defer f.helpers.Done()
			s := f.newSorter()
			for c := range f.full {
				s.deal(c)
				f.recycle(c)
			}
			s.finish()
		}()
	}
}

// send hands the full chunk over, or deals it here if the helpers are busy.
func (f *feed) send() {
	c := f.chunk
	if f.workers > 1 {
		if !f.helped {
			f.help()
		}
		select {
		case f.full <- c:
			select {
			case f.chunk = <-f.spare:
			default:
				f.chunk = &chunk{}
			}
			return
		default:
		}
	}
	f.own.deal(c)
	c.reset()
}

func (f *feed) recycle(c *chunk) {
	c.reset()
	select {
	case f.spare <- c:
	default:
	}
}

func (c *chunk) reset() {
	clear(c.orders)
	clear(c.lines)
	c.orders, c.costs, c.lines = c.orders[:0], c.costs[:0], c.lines[:0]
}

// deal puts the orders of a chunk into the batches of their shards.
func (s *sorter) deal(c *chunk) {
	s.hashes = s.hashes[:0]
	for i := range c.orders { // apart from what follows, so that the ids are fetched side by side
		s.hashes = append(s.hashes, maphash.String(s.p.seed, c.orders[i].customer))
	}
	for i := range c.orders {
		o := &c.orders[i]
		hash := s.hashes[i]
		b := &s.batches[hash%shards]
		if cap(b.orders) == 0 {
			b.orders, b.ids = make([]order, 0, 32), make([]byte, 0, 512)
		}
		b.orders = append(b.orders, order{amount: o.amount, tag: uint32(hash >> 32), id: uint32(len(b.ids)), day: o.day, kind: o.kind})
		b.ids = append(b.ids, o.customer...)
		if s.l.costs {
			b.costs = append(b.costs, c.costs[i])
		}
		if s.l.match {
			b.lines = append(b.lines, c.lines[i])
		}
		if len(b.orders) >= batchOrders || len(b.ids) > maxBatchBytes {
			s.apply(int(hash % shards))
		}
	}
}

// maxBatchBytes keeps long ids from filling the memory, and offsets within 32 bits.
const maxBatchBytes = 1 << 18

// finish applies what is left in the batches.
func (s *sorter) finish() {
	for i := range s.batches {
		if len(s.batches[i].orders) > 0 {
			s.apply(i)
		}
	}
}

func (s *sorter) apply(i int) {
	to := &s.p.shards[i]
	to.mu.Lock()
	added := to.add(&s.batches[i], s.l)
	to.mu.Unlock()
	if added > 0 {
		s.p.found.Add(int64(added))
	}
	s.batches[i].reset()
}

func (f *feed) read(ctx context.Context, log iter.Seq2[ledger.Transaction, error]) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("rfm: %w", err)
	}
	for t, err := range log {
		if err != nil {
			return fmt.Errorf("rfm: %w", err)
		}
		f.counts.rows++
		if f.counts.rows%canceledRows == 0 {
			if err := f.pause(ctx); err != nil {
				return err
			}
		}
		if err := f.row(&t); err != nil {
			err.Row = f.counts.rows
			return fmt.Errorf("rfm: %w", err)
		}
	}
	f.flush()
	return nil
}

func (f *feed) pause(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("rfm: stopped after %d rows: %w", f.counts.rows, err)
	}
	if f.p.o.Progress != nil && f.counts.rows%progressRows == 0 {
		f.p.o.Progress(f.counts.rows)
	}
	return f.p.full()
}

// maxID is the length of the longest id of a customer or an order.
const maxID = 1024

var (
	errNoCustomer = errors.New("empty; every row needs its customer")
	errLongID     = fmt.Errorf("longer than %d bytes", maxID)
	errZeroByte   = errors.New("has a zero byte")
	errNoTime     = errors.New("the zero time; every row needs its time")
	errYear       = errors.New("outside the years 1 to 9999")
	errNoCost     = errors.New("not recorded, and the margin needs it; choose the total or fill it in")
)

// row takes one row of the log.
func (f *feed) row(t *ledger.Transaction) *ledger.RowError {
	if t.Customer == "" {
		return &ledger.RowError{Field: "customer", Err: errNoCustomer}
	}
	if len(t.Customer) > maxID {
		return &ledger.RowError{Field: "customer", Value: t.Customer, Err: errLongID}
	}
	if len(t.ID) > maxID {
		return &ledger.RowError{Field: "id", Value: t.ID, Err: errLongID}
	}
	if t.At.IsZero() {
		return &ledger.RowError{Field: "at", Err: errNoTime}
	}
	day := f.cal.date(t.At)
	if !day.valid() {
		return &ledger.RowError{Field: "at", Value: t.At.UTC().Format(time.RFC3339), Err: errYear}
	}
	if err := f.money(t); err != nil {
		return err
	}
	switch {
	case f.p.hasStart && day < f.p.start:
		f.counts.before++
		return nil
	case day > f.end:
		f.counts.after++
		return nil
	}
	if !f.hasRows || day > f.latest {
		f.latest, f.hasRows = day, true
	}
	customer := t.Customer
	if f.by != nil {
		group := f.by(*t)
		if strings.Contains(group, groupEnd) {
			return &ledger.RowError{Field: "group", Value: group, Err: errZeroByte}
		}
		customer = group + groupEnd + customer
	}
	sign := t.Amount.Sign()
	if t.ID == "" || f.l.match {
		f.flush()
		f.put(customer, t.Amount, t.Cost, day, kindOf(sign, max(sign, 0), sign >= 0),
			lineOf{id: t.ID, positive: sign > 0, any: sign >= 0})
		return nil
	}
	return f.join(t, customer, day, sign)
}

// money checks the currencies and the cost of a row.
func (f *feed) money(t *ledger.Transaction) *ledger.RowError {
	if c := t.Amount.Currency(); c != f.currency && c != "" {
		if f.currency != "" {
			return &ledger.RowError{Field: "amount", Value: t.Amount.String(), Err: mixed(c, f.currency)}
		}
		f.currency = c
	}
	if !f.l.costs {
		return nil
	}
	c := t.Cost.Currency()
	switch {
	case c == "" && t.Amount.Sign() >= 0:
		return &ledger.RowError{Field: "cost", Err: errNoCost}
	case c != "" && f.currency != "" && c != f.currency:
		return &ledger.RowError{Field: "cost", Value: t.Cost.String(), Err: mixed(c, f.currency)}
	case c != "":
		f.currency = c
	}
	return nil
}

func mixed(c, earlier money.Currency) error {
	return fmt.Errorf("mixed currencies: earlier rows are in %s, this one in %s; convert the log to one currency", earlier, c)
}

// join adds a line to the order that is being read, or starts one.
func (f *feed) join(t *ledger.Transaction, customer string, day Date, sign int) *ledger.RowError {
	if f.order[0] != t.Customer || f.order[1] != t.ID {
		f.flush()
		f.order = [2]string{t.Customer, t.ID}
	}
	i := slices.IndexFunc(f.open, func(q pending) bool { return q.customer == customer })
	if i < 0 {
		i = len(f.open)
		f.open = append(f.open, pending{customer: customer, day: day})
	} else {
		f.counts.lines++
	}
	q := &f.open[i]
	var err error
	if q.net, err = q.net.Add(t.Amount); err == nil && f.l.costs {
		q.cost, err = q.cost.Add(t.Cost)
	}
	if err != nil {
		return &ledger.RowError{Field: "amount", Value: t.Amount.String(), Err: err}
	}
	switch {
	case sign >= 0 && (!q.any || day < q.day):
		q.day, q.any = day, true
	case !q.any && day < q.day:
		q.day = day
	}
	q.positive += max(sign, 0)
	return nil
}

// flush puts the order that was read into the chunk.
func (f *feed) flush() {
	if len(f.open) == 0 {
		return
	}
	for i := range f.open {
		q := &f.open[i]
		f.put(q.customer, q.net, q.cost, q.day, kindOf(q.net.Sign(), q.positive, q.any), lineOf{})
	}
	clear(f.open)
	f.open, f.order = f.open[:0], [2]string{}
}

func (f *feed) put(customer string, amount, cost money.Amount, day Date, k kind, line lineOf) {
	c := f.chunk
	c.orders = append(c.orders, read{customer: customer, amount: amount, day: day, kind: k})
	if f.l.costs {
		c.costs = append(c.costs, cost)
	}
	if f.l.match {
		c.lines = append(c.lines, line)
	}
	if len(c.orders) >= chunkOrders {
		f.send()
	}
}

// mergeInto hands the feed's counts to the Partial when the reading is over.
func (f *feed) mergeInto(p *Partial) {
	p.counts.add(f.counts)
	p.currency, p.latest, p.hasRows = f.currency, f.latest, f.hasRows
}
