package ledger

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"runtime"
	"sync"
)

// A division says how text is divided among goroutines.
type division struct {
	workers int
	alone   int // rows that are read before others help
	block   int // bytes of text that are handed over at once
	trickle int // a source that gives less at once is not read ahead
}

func newDivision(workers int) division {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return division{workers: workers, alone: 1 << 12, block: 64 << 10, trickle: 4 << 10}
}

// readParallel is ReadRecords with a decode that may run on several goroutines at a time.
func readParallel[T any](ctx context.Context, r io.Reader, o *CSVOptions, s Schema, decode func(*Record) (T, error)) iter.Seq2[T, error] {
	c, err := o.config()
	return readDivided(ctx, r, c, err, s, decode)
}

func readDivided[T any](ctx context.Context, r io.Reader, c *config, err error, s Schema, decode func(*Record) (T, error)) iter.Seq2[T, error] {
	var fork func(st *stream[T], src source, row int)
	alone := math.MaxInt
	if err == nil && c.division.workers > 1 {
		alone = c.division.alone
		fork = func(st *stream[T], src source, row int) { forked(st, src.(*csvSource), row, c.division) }
	}
	return records(ctx, s.prefix(), decode, func() (source, error) {
		if err != nil {
			return nil, err
		}
		return openCSV(ctx, r, c, s)
	}, alone, fork)
}

// A pipeline reads text on its caller's goroutine, cuts it into blocks between rows and has them decoded by workers, as
// many as it takes. The blocks come back in their order, so that rows and errors are those of one goroutine.
//
// Where rows begin and end depends on quotes, of which a wrong one changes everything behind it. A block is cut at a line
// end with an even number of quotes before it, which is right for every file without wrong quotes. A worker that finds
// its block's last row open says so; the rest of the text is then read by one goroutine.
type pipeline[T any] struct {
	division
	depth  int // most blocks that are handed over
	ctx    context.Context
	decode func(*Record) (T, error)
	src    *csvSource // where the reading stands; its splitter has the text read and not handed over
	jobs   chan *block[T]
	wg     sync.WaitGroup
	queue  []*block[T] // handed over, in order
	spare  []*block[T]
	ended  bool // there are no more blocks; the splitter has what is left
	slow   bool // the source gave little
}

// A block is some whole rows.
type block[T any] struct {
	text []byte
	rows []T
	bad  []badRow
	n    int    // rows, bad ones included
	open []byte // the text from the row on that the block does not end
	done chan struct{}
}

// A badRow is an error between rows.
type badRow struct {
	before int // so many good rows of the block come first
	err    *RowError
}

// forked reads what follows the first rows.
func forked[T any](st *stream[T], src *csvSource, row int, d division) {
	p := &pipeline[T]{division: d, ctx: st.ctx, decode: st.decode, src: src}
	if row, more := p.work(st, row); more {
		src.rec.row = row
		st.run(src, row, math.MaxInt)
	}
}

// work yields rows until the splitter's text is left alone, which it reports, or the stream is over. Its workers are gone
// when it returns, even if the consumer panics.
func (p *pipeline[T]) work(st *stream[T], row int) (int, bool) {
	p.depth = p.workers + 2
	p.jobs = make(chan *block[T], p.depth) // never full
	defer p.wg.Wait()
	defer close(p.jobs)
	for range p.workers {
		src := p.src.twin()
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			for b := range p.jobs {
				b.read(src, p.decode)
				b.done <- struct{}{}
			}
		}()
	}
	return p.run(st, row)
}

func (p *pipeline[T]) run(st *stream[T], row int) (int, bool) {
	for {
		for !p.ended && len(p.queue) < p.depth && (!p.slow || len(p.queue) == 0) {
			p.fill()
		}
		if err := p.ctx.Err(); err != nil {
			st.fail(after(row, err))
			return row, false
		}
		if len(p.queue) == 0 {
			return row, true
		}
		b := p.queue[0]
		p.queue = append(p.queue[:0], p.queue[1:]...)
		<-b.done
		if !b.yield(st, row) {
			return row, false
		}
		row += b.n
		if b.open != nil {
			p.giveBack(b.open)
			return row, true
		}
		p.spare = append(p.spare, b)
	}
}

// fill reads text and hands a block over. Where the source gives little, that is what there is, and nothing if other
// blocks wait to be yielded.
func (p *pipeline[T]) fill() {
	s := p.src.split
	for p.slow = false; !p.ended; {
		if s.end-s.pos >= p.block || p.slow {
			if p.send() || p.slow && len(p.queue) > 0 {
				return
			}
		}
		had := s.end - s.pos
		switch {
		case had > s.max+p.block: // no end in sight
			p.ended = true
		case !s.more(): // the end, or an error after the rows that are there
			p.send()
			p.ended = true
		default:
			p.slow = s.end-s.pos-had < p.trickle
		}
	}
}

// send hands the whole rows of the text over, if there are any.
func (p *pipeline[T]) send() bool {
	s := p.src.split
	cut := lastRowEnd(s.buf[s.pos:s.end])
	if cut == 0 {
		return false
	}
	var b *block[T]
	if n := len(p.spare); n > 0 {
		b, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		b = &block[T]{done: make(chan struct{}, 1)}
	}
	b.text = append(b.text[:0], s.buf[s.pos:s.pos+cut]...)
	s.pos += cut
	p.queue = append(p.queue, b)
	p.jobs <- b
	return true
}

// giveBack puts text before the splitter's own, that of the blocks handed over between them.
func (p *pipeline[T]) giveBack(text []byte) {
	s := p.src.split
	all := bytes.Clone(text)
	for _, b := range p.queue {
		<-b.done
		all = append(all, b.text...)
	}
	all = append(all, s.buf[s.pos:s.end]...)
	s.buf, s.pos, s.end = all, 0, len(all)
	p.queue = nil
}

// lastRowEnd returns the length of the text up to the last line end that is not in quotes, 0 if there is none.
func lastRowEnd(text []byte) int {
	end := bytes.LastIndexByte(text, '\n')
	if end < 0 {
		return 0
	}
	quotes := bytes.Count(text[:end], []byte{'"'})
	for quotes%2 != 0 {
		before := bytes.LastIndexByte(text[:end], '\n')
		if before < 0 {
			return 0
		}
		quotes -= bytes.Count(text[before:end], []byte{'"'})
		end = before
	}
	return end + 1
}

// read decodes the rows of the block.
func (b *block[T]) read(src *csvSource, decode func(*Record) (T, error)) {
	clear(b.rows)
	b.rows, b.bad, b.open, b.n = b.rows[:0], b.bad[:0], nil, 0
	s := src.split
	s.buf, s.pos, s.end, s.err = b.text, 0, len(b.text), io.EOF
	for src.rec.row = 0; ; b.n++ {
		at := s.pos
		rec, err := src.next()
		var t T
		if err == nil {
			t, err = decode(rec)
			err = rec.failed(err)
		}
		if err == nil {
			b.rows = append(b.rows, t)
			continue
		}
		bad := rowError(err)
		switch {
		case bad == nil: // io.EOF
			return
		case errors.Is(err, errUnclosed):
			b.open = b.text[at:]
			return
		}
		b.bad = append(b.bad, badRow{len(b.rows), bad})
	}
}

// yield passes the rows and errors on, after the rows of the blocks before. It returns false where the stream is over.
func (b *block[T]) yield(st *stream[T], row int) bool {
	bad := b.bad
	for i := range b.rows {
		for len(bad) > 0 && bad[0].before == i {
			if !bad[0].report(st, row) {
				return false
			}
			bad = bad[1:]
		}
		if i%progressRows == 0 && st.ctx.Err() != nil {
			st.fail(after(row+i+len(b.bad)-len(bad), st.ctx.Err()))
			return false
		}
		if !st.yield(b.rows[i], nil) {
			return false
		}
	}
	for ; len(bad) > 0; bad = bad[1:] {
		if !bad[0].report(st, row) {
			return false
		}
	}
	return true
}

// progressRows is how many rows are passed on between two looks at the context.
const progressRows = 64

func (b badRow) report(st interface{ fail(error) bool }, row int) bool {
	b.err.Row += row
	return st.fail(b.err)
}
