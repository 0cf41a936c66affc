package clv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/custval/custval/ledger"
)

// A feed takes rows from readers to the goroutines that own the tables. A reader collects the rows of each table and hands
// them over many at a time: what adding them needs is then fetched for many rows at once, which is what makes this faster
// than one map of all customers. Without owners the rows are entered where they are handed over.
type feed struct {
	p      *Partial
	spill  *spill // nil if the memory is to hold everything
	queues []chan *batch
	spare  chan *batch // to be filled again
	wg     sync.WaitGroup
	failed atomic.Bool
	mu     sync.Mutex
	err    error // the first of an owner
	closed bool
}

// A batch is rows of one table on their way.
type batch struct {
	table int // tableCount more for one of the late rows
	rows
}

const (
	batchRows  = 1024
	batchBytes = 1 << 16 // of the tails of ids
	blockRows  = 256
	soloRows   = 1 << 14 // up to here one goroutine is enough
)

func newFeed(p *Partial, s *spill) *feed {
	if s != nil {
		p.spreadOut()
	}
	return &feed{p: p, spill: s, spare: make(chan *batch, tableCount)}
}

// start starts owners, which share all tables among them.
func (f *feed) start(owners int) {
	f.p.spreadOut()
	f.queues = make([]chan *batch, owners)
	for i := range f.queues {
		f.queues[i] = make(chan *batch, 4)
		f.wg.Add(1)
		go f.own(i)
	}
}

// own enters the batches of a queue. After an error it only empties the queue.
func (f *feed) own(owner int) {
	defer f.wg.Done()
	for b := range f.queues[owner] {
		f.enter(b, owner)
	}
}

func (f *feed) enter(b *batch, owner int) {
	if !f.failed.Load() {
		p, table := f.p, b.table
		if table >= tableCount {
			p, table = p.late, table-tableCount
		}
		err := p.addAll(table, &b.rows)
		if f.spill != nil && errors.Is(err, ErrMemory) {
			err = f.spill.out(p, owner, max(1, len(f.queues)))
		}
		if err != nil {
			f.fail(err)
		}
	}
	b.reset()
	select {
	case f.spare <- b:
	default:
	}
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	f.failed.Store(true)
}

// close waits for the owners and returns the first error of one.
func (f *feed) close() error {
	if !f.closed {
		f.closed = true
		for _, q := range f.queues {
			close(q)
		}
		f.wg.Wait()
	}
	return f.err
}

// A lane is one reader's end of a feed.
type lane struct {
	*feed
	block   []entry // not hashed yet
	batches [2 * tableCount]*batch
	touched int
}

func newLane(f *feed) *lane { return &lane{feed: f, block: make([]entry, 0, blockRows)} }

// next returns where the next entry goes.
func (l *lane) next() *entry {
	if len(l.block) == cap(l.block) {
		l.deal()
	}
	l.block = l.block[:len(l.block)+1]
	return &l.block[len(l.block)-1]
}

// undo takes the last entry back.
func (l *lane) undo() { l.block = l.block[:len(l.block)-1] }

// deal puts the block's entries into the batches of their tables. The ids are touched in a loop of its own, in which the
// processor waits for the memory of many at once.
func (l *lane) deal() {
	sum := 0
	for i := range l.block {
		id := l.block[i].id
		sum += int(id[len(id)-1])
	}
	l.touched = sum
	for i := range l.block {
		e := &l.block[i]
		hash := l.p.hash(e.id)
		n := 0
		if l.p.spread {
			n = int(hash >> 56)
		}
		if l.p.late != nil && e.tick > l.p.split {
			n += tableCount
		}
		b := l.batches[n]
		if b == nil {
			b = l.empty(n)
			l.batches[n] = b
		}
		b.add(e, hash)
		if len(b.all) == batchRows || len(b.tails) > batchBytes {
			l.send(b)
		}
	}
	l.block = l.block[:0]
}

func (l *lane) empty(table int) *batch {
	select {
	case b := <-l.spare:
		b.table = table
		return b
	default:
		b := &batch{table: table}
		if l.p.spread {
			b.all = make([]packed, 0, batchRows/8) // to grow: a log may end before
		}
		return b
	}
}

// send hands a batch over, or enters it here if there is nobody else.
func (l *lane) send(b *batch) {
	l.batches[b.table] = nil
	if len(l.queues) == 0 {
		l.enter(b, 0)
		return
	}
	l.queues[b.table%len(l.queues)] <- b
}

// flush sends what has been collected.
func (l *lane) flush() {
	l.deal()
	for _, b := range l.batches {
		if b != nil {
			l.send(b)
		}
	}
	clear(l.block[:cap(l.block)])
}

// read enters a log: a short one on the caller's goroutine, a long one on several.
func (p *Partial) read(ctx context.Context, log iter.Seq2[ledger.Transaction, error], o SummaryOptions) error {
	return p.readWith(ctx, log, nil, o)
}

// readWith is read with a spill.
func (p *Partial) readWith(ctx context.Context, log iter.Seq2[ledger.Transaction, error], s *spill, o SummaryOptions) error {
	f := newFeed(p, s)
	defer f.close() // if the log panics
	l := newLane(f)
	many := false
	err := p.scan(log, l, func() (bool, error) {
		if err := p.pause(ctx, o.Progress); err != nil {
			return false, err
		}
		if !many && p.report.Rows >= soloRows {
			many = true
			l.flush()
			if o.Workers > 1 {
				f.start(o.Workers)
			} else {
				p.spreadOut()
			}
		}
		return !f.failed.Load(), nil
	})
	l.flush()
	if late := f.close(); err == nil && late != nil {
		return fmt.Errorf("clv: %w", late)
	}
	return err
}

// scan reads the rows into a lane. Now and then, and at the end, it calls pause, which may end it.
func (p *Partial) scan(log iter.Seq2[ledger.Transaction, error], l *lane, pause func() (bool, error)) error {
	var failure error
	log(func(tx ledger.Transaction, err error) bool { // called so, and not ranged over, because a row is long to copy
		if err != nil {
			failure = fmt.Errorf("%s: reading the log: %w", p.prefix, err)
			return false
		}
		if p.report.Rows%progressEvery == 0 {
			more, err := pause()
			if failure = err; err != nil || !more {
				return false
			}
		}
		p.report.Rows++
		keep, err := p.check(&tx, l.next())
		if err != nil {
			failure = p.located(err)
		}
		if err != nil || !keep {
			l.undo()
		}
		return err == nil
	})
	if failure == nil {
		_, failure = pause()
	}
	return failure
}
