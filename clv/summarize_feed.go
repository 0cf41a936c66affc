package clv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/custval/custval/ledger"
)

// A feed takes entries from readers to the goroutines that own the tables. A reader collects the entries of each table
// and hands them over many at a time: a table that is worked on for a while stays in the processor's cache, which is
// what makes this faster than one map of all customers.
type feed struct {
	p      *Partial
	queues []chan batch
	spare  chan []entry // empty batches to be filled again
	wg     sync.WaitGroup
	failed atomic.Bool
	mu     sync.Mutex
	err    error // the first of an owner
}

// A batch is entries of one table.
type batch struct {
	table int
	rows  []entry
}

const (
	batchRows = 1024
	soloRows  = 1 << 14 // up to here one goroutine is enough
)

func newFeed(p *Partial, owners int) *feed {
	f := &feed{p: p, queues: make([]chan batch, owners), spare: make(chan []entry, tableCount)}
	for i := range f.queues {
		f.queues[i] = make(chan batch, 4)
		f.wg.Add(1)
		go f.own(f.queues[i])
	}
	return f
}

// own enters the batches of a queue. After an error it only empties the queue.
func (f *feed) own(queue <-chan batch) {
	defer f.wg.Done()
	for b := range queue {
		if f.failed.Load() {
			continue
		}
		if err := f.enter(b); err != nil {
			f.mu.Lock()
			if f.err == nil {
				f.err = err
			}
			f.mu.Unlock()
			f.failed.Store(true)
		}
		select {
		case f.spare <- b.rows[:0]:
		default:
		}
	}
}

func (f *feed) enter(b batch) error {
	if err := f.p.tableAt(b.table).addAll(b.rows); err != nil {
		return err
	}
	return f.p.withinLimit()
}

// close waits for the owners and returns the first error of one.
func (f *feed) close() error {
	for _, q := range f.queues {
		close(q)
	}
	f.wg.Wait()
	return f.err
}

// A lane is one reader's end of a feed.
type lane struct {
	*feed
	block []entry // not hashed yet
	rows  [tableCount][]entry
}

func newLane(f *feed) *lane { return &lane{feed: f, block: make([]entry, 0, batchRows)} }

func (l *lane) add(e *entry) {
	l.block = append(l.block, *e)
	if len(l.block) == cap(l.block) {
		l.sort()
	}
}

// sort hands the block's entries to their tables. The ids are hashed in a loop of its own, in which the processor waits
// for the memory of many at once.
func (l *lane) sort() {
	for i := range l.block {
		l.p.hash(&l.block[i])
	}
	for i := range l.block {
		e := &l.block[i]
		t := e.hash >> 56
		rows := l.rows[t]
		if rows == nil {
			rows = l.empty()
		}
		rows = append(rows, *e)
		if len(rows) == cap(rows) {
			l.send(int(t), rows)
			rows = nil
		}
		l.rows[t] = rows
	}
	l.block = l.block[:0]
}

func (l *lane) empty() []entry {
	select {
	case rows := <-l.spare:
		return rows
	default:
		return make([]entry, 0, batchRows)
	}
}

func (l *lane) send(table int, rows []entry) {
	l.queues[table%len(l.queues)] <- batch{table, rows}
}

// flush sends what has been collected.
func (l *lane) flush() {
	l.sort()
	for i, rows := range l.rows {
		if len(rows) > 0 {
			l.send(i, rows)
		}
		l.rows[i] = nil
	}
}

// read enters a log: a short one on the caller's goroutine, a long one on several.
func (p *Partial) read(ctx context.Context, log iter.Seq2[ledger.Transaction, error], o SummaryOptions) error {
	var l *lane
	err := p.scan(ctx, log, &l, func() (bool, error) {
		if err := p.pause(ctx, o.Progress); err != nil {
			return false, err
		}
		if l == nil && p.report.Rows >= soloRows && o.Workers > 1 {
			l = newLane(newFeed(p, o.Workers))
		}
		return l == nil || !l.failed.Load(), nil
	})
	if l == nil {
		return err
	}
	l.flush()
	if late := l.close(); err == nil && late != nil {
		return fmt.Errorf("clv: %w", late)
	}
	return err
}

// scan reads the rows into the tables or, if there is one, a lane. Now and then, and at the end, it calls pause, which
// may end it.
func (p *Partial) scan(ctx context.Context, log iter.Seq2[ledger.Transaction, error], l **lane, pause func() (bool, error)) error {
	var e entry
	for tx, err := range log {
		if err != nil {
			return fmt.Errorf("%s: reading the log: %w", p.prefix, err)
		}
		if p.report.Rows%progressEvery == 0 {
			if more, err := pause(); err != nil || !more {
				return err
			}
		}
		p.report.Rows++
		keep, err := p.check(&tx, &e)
		switch {
		case err != nil:
		case !keep:
			continue
		case *l != nil:
			(*l).add(&e)
		default:
			err = p.enter(&e)
		}
		if err != nil {
			return p.located(err)
		}
	}
	_, err := pause()
	return err
}

// SummarizeAll is Summarize of several logs at once, such as files or partitions of one, each read on a goroutine of its
// own but no more at a time than there are workers. The result is that of one log with all the rows. A RowError's row
// is that of its log, whose number (the first is 1) the error's text tells; of several errors the one of the first log
// is returned.
//
// Ordered and MatchOrders are errors: they need all rows in one stream. Progress is called on the caller's goroutine with
// the rows of all logs.
func SummarizeAll(ctx context.Context, logs []iter.Seq2[ledger.Transaction, error], end time.Time, unit time.Duration, o *SummaryOptions) (*Histories, error) {
	options, err := o.withDefaults(end)
	if err != nil {
		return nil, err
	}
	if options.Ordered || options.MatchOrders {
		return nil, errors.New("clv: SummarizeAll with Ordered or MatchOrders: they need all rows in one stream")
	}
	for i, log := range logs {
		if log == nil {
			return nil, fmt.Errorf("clv: log %d: no log", i+1)
		}
	}
	p, err := options.partial(end)
	if err != nil {
		return nil, err
	}
	if _, err := endTick(p.clock, end, unit); err != nil {
		return nil, err
	}
	if err := p.readAll(ctx, logs, options); err != nil {
		return nil, err
	}
	return p.histories(ctx, end, unit, options.Workers)
}

// readAll reads the logs, each by a Partial of its own that checks and counts, into the tables of p.
func (p *Partial) readAll(ctx context.Context, logs []iter.Seq2[ledger.Transaction, error], o SummaryOptions) error {
	f := newFeed(p, o.Workers)
	readers := make([]*Partial, len(logs))
	errs := make([]error, len(logs))
	var next, rows, firstBad atomic.Int64
	firstBad.Store(int64(len(logs)))
	news := make(chan struct{}, 1)
	tell := func() {
		select {
		case news <- struct{}{}:
		default:
		}
	}
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(logs) || ctx.Err() != nil || f.failed.Load() {
				return
			}
			r := &Partial{o: p.o, prefix: fmt.Sprintf("clv: log %d", i+1), seed: p.seed, end: p.end, last: p.last,
				clock: newClock(p.o.Granularity, p.o.Location)}
			l, before := newLane(f), 0
			errs[i] = r.scan(ctx, logs[i], &l, func() (bool, error) {
				rows.Add(int64(r.report.Rows - before))
				before = r.report.Rows
				tell()
				return !f.failed.Load() && firstBad.Load() > int64(i), ctx.Err()
			})
			l.flush()
			if readers[i] = r; errs[i] != nil {
				for bad := firstBad.Load(); bad > int64(i) && !firstBad.CompareAndSwap(bad, int64(i)); bad = firstBad.Load() {
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(len(logs), o.Workers) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			work()
		}()
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for waiting := true; waiting; {
		select {
		case <-news:
		case <-done:
			waiting = false
		}
		if o.Progress != nil {
			o.Progress(int(rows.Load()))
		}
	}
	late := f.close()
	if err := ctx.Err(); err != nil {
		return err
	}
	if late != nil {
		return fmt.Errorf("clv: %w", late)
	}
	for i, r := range readers {
		if errs[i] != nil {
			return errs[i]
		}
		if err := p.count(r); err != nil {
			return fmt.Errorf("clv: log %d: %w", i+1, err)
		}
	}
	return nil
}

// count takes over what another Partial has counted, its currency and its last tick.
func (p *Partial) count(q *Partial) error {
	if c := q.zero.Currency(); c != "" && c != p.zero.Currency() {
		if err := p.meet(c); err != nil {
			return err
		}
	}
	p.report.Rows += q.report.Rows
	p.report.Refunds += q.report.Refunds
	p.report.AfterEnd += q.report.AfterEnd
	p.report.FreeOrders += q.report.FreeOrders
	p.last = max(p.last, q.last)
	return nil
}
