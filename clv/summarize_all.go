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
	s := options.spill()
	defer s.close()
	if err := p.readAll(ctx, logs, s, options); err != nil {
		return nil, err
	}
	return p.merged(ctx, s, end, unit, options.Workers)
}

// readAll reads the logs, each by a Partial of its own that checks and counts, into the tables of p.
func (p *Partial) readAll(ctx context.Context, logs []iter.Seq2[ledger.Transaction, error], s *spill, o SummaryOptions) error {
	f := newFeed(p, s)
	f.start(o.Workers)
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
			r := &Partial{common: new(common), o: p.o, prefix: fmt.Sprintf("clv: log %d", i+1), seed: p.seed, end: p.end, last: p.last,
				clock: newClock(p.o.Granularity, p.o.Location)}
			l, before := newLane(f), 0
			errs[i] = r.scan(logs[i], l, func() (bool, error) {
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
	for i, r := range readers {
		if errs[i] != nil {
			return errs[i]
		}
		if r == nil {
			continue // late says why
		}
		if err := p.count(r); err != nil {
			return fmt.Errorf("clv: log %d: %w", i+1, err)
		}
	}
	if late != nil {
		return fmt.Errorf("clv: %w", late)
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
