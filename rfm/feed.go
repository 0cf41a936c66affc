package rfm

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"runtime"
	"sync"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A feed reads one log: it checks the rows, joins the lines of an order, and hands batches of orders to the shards. It
// belongs to the goroutine that reads; helpers fill the shards beside it.
type feed struct {
	p        *Partial
	l        layout
	cal      *calendar
	end      Date
	batches  []*batch
	full     chan *batch
	spare    chan *batch
	pending  pending
	counts   counts
	currency money.Currency
	latest   Date
	hasRows  bool
	workers  int
}

// A pending order gathers adjacent lines of one ID.
type pending struct {
	open     bool
	customer string
	id       string
	net      money.Amount
	cost     money.Amount
	day      Date // earliest line that is not a refund, else the earliest line
	any      bool // there is a line that is not a refund
	positive int
}

const (
	batchOrders   = 2048 // orders of a full batch
	progressRows  = 1 << 20
	cancelledRows = 1 << 12 // rows between two looks at the context
)

func newFeed(p *Partial, end Date) *feed {
	return &feed{p: p, l: layoutOf(&p.o), cal: newCalendar(p.o.Location), end: end,
		batches: make([]*batch, shards), currency: p.currency, latest: p.latest,
		hasRows: p.hasRows, workers: workers(p.o.Workers)}
}

func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// run reads the log to its end or first error, with helpers that are gone when it returns.
func (f *feed) run(ctx context.Context, log iter.Seq2[ledger.Transaction, error]) error {
	n := f.workers
	f.full, f.spare = make(chan *batch, 2*n), make(chan *batch, 4*n+shards)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	defer close(f.full)
	for range n - 1 {
		helpers.Add(1)
		go func() {
			defer helpers.Done()
			for b := range f.full {
				f.apply(b)
			}
		}()
	}
	if err := f.read(ctx, log); err != nil {
		return err
	}
	for _, b := range f.batches {
		if b != nil && len(b.orders) > 0 {
			f.send(b)
		}
	}
	return nil
}

// send hands a batch over, or applies it here if the helpers are busy.
func (f *feed) send(b *batch) {
	if f.workers > 1 {
		select {
		case f.full <- b:
			return
		default:
		}
	}
	f.apply(b)
}

func (f *feed) apply(b *batch) {
	s := &f.p.shards[b.shard]
	s.mu.Lock()
	added := s.add(b, f.l)
	s.mu.Unlock()
	if added > 0 {
		f.p.found.Add(int64(added))
	}
	clear(b.orders)
	clear(b.lines)
	b.orders, b.costs, b.lines = b.orders[:0], b.costs[:0], b.lines[:0]
	select {
	case f.spare <- b:
	default:
	}
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
		if f.counts.rows%cancelledRows == 0 {
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

var (
	errNoCustomer = errors.New("empty; every row needs its customer")
	errNoTime     = errors.New("the zero time; every row needs its time")
	errYear       = errors.New("outside the years 1 to 9999")
	errNoCost     = errors.New("not recorded, and the margin needs it; choose the total or fill it in")
)

// row takes one row of the log.
func (f *feed) row(t *ledger.Transaction) *ledger.RowError {
	if t.Customer == "" {
		return &ledger.RowError{Field: "customer", Err: errNoCustomer}
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
	sign := t.Amount.Sign()
	if t.ID == "" || f.l.match {
		f.flush()
		f.put(t.Customer, t.Amount, t.Cost, day, kindOf(sign, max(sign, 0), sign >= 0),
			lineOf{id: t.ID, positive: sign > 0, any: sign >= 0})
		return nil
	}
	return f.join(t, day, sign)
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

// join adds a line to the pending order, or starts one.
func (f *feed) join(t *ledger.Transaction, day Date, sign int) *ledger.RowError {
	q := &f.pending
	if !q.open || q.id != t.ID || q.customer != t.Customer {
		f.flush()
		*q = pending{open: true, customer: t.Customer, id: t.ID, day: day}
	} else {
		f.counts.lines++
	}
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

// flush puts the pending order into its batch.
func (f *feed) flush() {
	q := &f.pending
	if !q.open {
		return
	}
	f.put(q.customer, q.net, q.cost, q.day, kindOf(q.net.Sign(), q.positive, q.any), lineOf{})
	*q = pending{}
}

func (f *feed) put(customer string, amount, cost money.Amount, day Date, k kind, line lineOf) {
	hash := maphash.String(f.p.seed, customer)
	at := int(hash % shards)
	b := f.batches[at]
	if b == nil {
		select {
		case b = <-f.spare:
		default:
			b = &batch{}
		}
		b.shard = at
		f.batches[at] = b
	}
	b.orders = append(b.orders, order{customer: customer, hash: hash, amount: amount, day: day, kind: k})
	if f.l.costs {
		b.costs = append(b.costs, cost)
	}
	if f.l.match {
		b.lines = append(b.lines, line)
	}
	if len(b.orders) >= batchOrders {
		f.batches[at] = nil
		f.send(b)
	}
}

// mergeInto hands the feed's counts to the Partial when the reading is over.
func (f *feed) mergeInto(p *Partial) {
	p.counts.add(f.counts)
	p.currency, p.latest, p.hasRows = f.currency, f.latest, f.hasRows
}
