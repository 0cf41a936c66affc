package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"sync/atomic"
)

// A Schema says which fields a record has. Names are those that CSVOptions.Columns uses; a file's header has them too
// unless that maps them.
type Schema struct {
	// Required fields must have a column and a value in every row. The field "currency" is special: where it is required,
	// CSVOptions.Currency may stand in for the column and for an empty value.
	Required []string

	// Optional fields may lack the column or the value; the methods of Record then return the zero value.
	Optional []string

	// Rest keeps the columns that are no field of the schema, for [Record.Rest].
	Rest bool

	// Prefix begins the text of every error: the name of the package that reads; "" means ledger.
	Prefix string
}

func (s Schema) prefix() string {
	if s.Prefix == "" {
		return "ledger"
	}
	return s.Prefix
}

// ReadRecords reads records of any kind from CSV text: decode makes a T of each row by the methods of [Record], which
// remember the first thing that is wrong. It is what the ready-made readers are built on.
//
//	s := ledger.Schema{Required: []string{"sku", "at"}, Optional: []string{"stock"}}
//	seq := ledger.ReadRecords(ctx, r, nil, s, func(rec *ledger.Record) (Item, error) {
//		return Item{SKU: rec.Text("sku"), At: rec.Time("at"), Stock: rec.Int("stock")}, nil
//	})
//
// A row that cannot be read, and every error of decode, is a [*RowError] with the row, the column and the value, and the
// stream goes on with the next row: rows plus errors are the rows of the file. Rows are what is between line ends outside
// quotes, without empty lines, which are passed over. Where a quote is wrong or not closed within CSVOptions.MaxRow, the
// row ends with the line in which the quoted field begins.
//
// Any other error ends the stream: an error of r or of ctx, wrapped with the last row that was read; options or a header
// that are wrong; no header; [ErrConsumed] for a second pass. A call of r.Read that blocks is not interrupted.
//
// Spaces around a field are cut off, in quotes or not. A byte order mark at the beginning is passed over. Memory is
// bounded by CSVOptions.MaxRow and a table of at most 4.5 MiB, and its texts of up to 64 bytes, for each text field.
func ReadRecords[T any](ctx context.Context, r io.Reader, o *CSVOptions, s Schema,
	decode func(*Record) (T, error)) iter.Seq2[T, error] {
	c, err := o.config()
	return records(ctx, s.prefix(), decode, func() (source, error) {
		if err != nil {
			return nil, err
		}
		return openCSV(ctx, r, c, s)
	}, math.MaxInt, nil)
}

// A source reads rows into a Record.
type source interface {
	// next reads the next row. It returns io.EOF at the end, and a *RowError if only this row is wrong.
	next() (*Record, error)
	close() error
}

// records is the stream over a source that can be opened once. Where the source can be read by several goroutines, fork
// does that after the first rows, which are alone.
func records[T any](ctx context.Context, prefix string, decode func(*Record) (T, error),
	open func() (source, error), alone int, fork func(st *stream[T], src source, row int)) iter.Seq2[T, error] {
	used := new(atomic.Bool)
	return func(yield func(T, error) bool) {
		st := &stream[T]{ctx: ctx, prefix: prefix, decode: decode, yield: yield}
		if !used.CompareAndSwap(false, true) {
			st.fail(ErrConsumed)
			return
		}
		src, err := open()
		if err != nil {
			st.fail(err)
			return
		}
		defer src.close() // a stream that ends by itself closes it before, and reports the error
		if row, more := st.run(src, 0, alone); more {
			fork(st, src, row)
		}
	}
}

// A stream is the consumer's end of a reader.
type stream[T any] struct {
	ctx    context.Context
	prefix string
	decode func(*Record) (T, error)
	yield  func(T, error) bool
}

func (st *stream[T]) fail(err error) bool {
	var zero T
	return st.yield(zero, fmt.Errorf("%s: %w", st.prefix, err))
}

// run yields the rows after the first ones. It returns how far it came, and whether that is because of the limit.
func (st *stream[T]) run(src source, row, limit int) (int, bool) {
	done := st.ctx.Done()
	for ; row < limit; row++ {
		select {
		case <-done:
			st.fail(after(row, st.ctx.Err()))
			return row, false
		default:
		}
		rec, err := src.next()
		switch {
		case err == nil:
			t, err := st.decode(rec)
			if err = rec.failed(err); err != nil {
				if !st.fail(err) {
					return row, false
				}
			} else if !st.yield(t, nil) {
				return row, false
			}
		case errors.Is(err, io.EOF):
			if err := src.close(); err != nil {
				st.fail(after(row, err))
			}
			return row, false
		case !ends(err):
			if !st.fail(err) {
				return row, false
			}
		default:
			st.fail(after(row, err))
			return row, false
		}
	}
	return row, true
}

// after says how far a stream came.
func after(row int, err error) error { return fmt.Errorf("after row %d: %w", row, err) }

// csvSource reads rows of CSV text.
type csvSource struct {
	split *splitter
	rec   *Record
	width int               // columns of the header
	twin  func() *csvSource // a source without text that reads the same fields, for another goroutine
}

func openCSV(ctx context.Context, r io.Reader, c *config, s Schema) (source, error) {
	if r == nil {
		return nil, errors.New("no reader")
	}
	split := newSplitter(ctx, r, c.comma, c.maxRow)
	if err := split.skipBOM(); err != nil {
		return nil, err
	}
	header := c.header
	if len(header) == 0 {
		err := split.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil, errors.New("no header: the file is empty")
		case err != nil && badRecord(err):
			return nil, fmt.Errorf("header: value %q: %w", shown(string(split.line)), err)
		case err != nil:
			return nil, fmt.Errorf("header: %w", err)
		}
		for _, f := range split.fields {
			header = append(header, string(bytes.TrimSpace(f)))
		}
	}
	rec, err := newRecord(header, c, s)
	if err != nil {
		return nil, err
	}
	return &csvSource{split: split, rec: rec, width: len(header), twin: func() *csvSource {
		own := *c // with what a parser remembers
		rec, _ := newRecord(header, &own, s)
		return &csvSource{split: &splitter{ctx: ctx, comma: split.comma, max: split.max}, rec: rec, width: len(header)}
	}}, nil
}

func (s *csvSource) next() (*Record, error) {
	err := s.split.next()
	if err != nil && !badRecord(err) {
		return nil, err
	}
	s.rec.reset()
	if err == nil && len(s.split.fields) != s.width {
		err = fmt.Errorf("%d fields, but the header has %d", len(s.split.fields), s.width)
	}
	if err != nil {
		return nil, &RowError{Row: s.rec.row, Value: shown(string(s.split.line)), Err: err}
	}
	s.rec.fields = s.split.fields
	return s.rec, nil
}

func (s *csvSource) close() error { return nil }

// skipBOM passes over a byte order mark of UTF-8 and refuses UTF-16.
func (s *splitter) skipBOM() error {
	for s.end < 3 && s.more() {
	}
	b := s.buf[s.pos:s.end]
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		s.pos += 3
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return errors.New("the file is UTF-16: save it as UTF-8")
	}
	return nil
}
