package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// A splitter cuts CSV text into records. It reads what encoding/csv reads in its strict mode: fields separated by comma,
// records by \n or \r\n, empty lines left out, quoted fields with "" for a quote. After a record that is wrong it goes
// on at the line after the one that is to blame, so that no row disappears in a quote that is never closed.
type splitter struct {
	ctx   context.Context
	src   io.Reader
	comma []byte // one rune
	max   int    // bytes of a record

	buf      []byte
	pos, end int // the unread part of buf
	err      error

	fields  [][]byte // of the last record; valid until the next call of next
	line    []byte   // the text of the last record, or of the bad line, at least its beginning
	spans   []span
	scratch []byte // texts of quoted fields
}

// A span is a field while its record is still being read, because the buffer may move.
type span struct {
	from, to int
	quoted   bool // in scratch; else from the start of the record in buf
}

// What a splitter reports about one record. After any other error there is none.
var (
	errBareQuote = errors.New(`a quote (") in a field that does not begin with one`)
	errAfter     = errors.New(`text after the closing quote (") of a field`)
	errUnclosed  = errors.New(`a quote (") that is not closed before the end of the file`)
)

type errTooLong int

func (e errTooLong) Error() string {
	return fmt.Sprintf("a row of more than %d bytes (CSVOptions.MaxRow)", int(e))
}

// badRecord reports whether the record is at fault and not the source.
func badRecord(err error) bool {
	var long errTooLong
	return errors.Is(err, errBareQuote) || errors.Is(err, errAfter) || errors.Is(err, errUnclosed) || errors.As(err, &long)
}

const readSize = 64 << 10

func newSplitter(ctx context.Context, src io.Reader, comma rune, maxRow int) *splitter {
	return &splitter{ctx: ctx, src: src, comma: utf8.AppendRune(nil, comma), max: maxRow, buf: make([]byte, readSize)}
}

// more reads more of the source behind the unread part. Afterwards positions count from pos again, because the unread
// part may have moved to the start of the buffer. It returns false at the end of the source or of patience.
func (s *splitter) more() bool {
	if s.err != nil {
		return false
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		if s.err = s.ctx.Err(); s.err != nil {
			return false
		}
		n, err := s.src.Read(s.buf[s.end:])
		if n < 0 || n > len(s.buf)-s.end {
			s.err = errors.New("the reader returned an impossible count")
			return false
		}
		s.end += n
		s.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// next reads the next record into fields. It returns io.EOF at the end.
func (s *splitter) next() error {
	for {
		eol, err := s.findLine(0)
		if err != nil {
			return err
		}
		line := trimEOL(s.buf[s.pos:s.pos+eol], s.atEnd(eol))
		if len(line) == 0 {
			s.pos += eol
			continue
		}
		s.line = line
		if bytes.IndexByte(line, '"') >= 0 {
			return s.quoted(eol)
		}
		s.pos += eol
		s.plain(line)
		return nil
	}
}

// atEnd reports whether nothing follows the n unread bytes.
func (s *splitter) atEnd(n int) bool { return s.err != nil && s.pos+n == s.end }

// findLine returns the length of the unread text up to the end of the line that holds the byte at from, its line end
// included. A line that makes the record longer than max is passed over and reported.
func (s *splitter) findLine(from int) (int, error) {
	seen := from
	for {
		if i := bytes.IndexByte(s.buf[s.pos+seen:s.end], '\n'); i >= 0 {
			if seen+i > s.max {
				return 0, s.tooLong(from, seen+i+1)
			}
			return seen + i + 1, nil
		}
		seen = s.end - s.pos
		if seen > s.max {
			return 0, s.tooLong(from, seen)
		}
		if s.more() {
			continue
		}
		switch {
		case !errors.Is(s.err, io.EOF):
			return 0, s.err
		case seen > from:
			return seen, nil
		}
		return 0, io.EOF
	}
}

// tooLong passes over a record's first line, of which n bytes have been read, perhaps with its end. A later line, one in
// quotes, is left alone: the record ends where its quote began.
func (s *splitter) tooLong(from, n int) error {
	if from > 0 {
		return errTooLong(s.max)
	}
	for n < 2*maxShown && s.buf[s.pos+n-1] != '\n' && s.more() { // what an error shows does not depend on the size of the reads
		if i := bytes.IndexByte(s.buf[s.pos+n:s.end], '\n'); i >= 0 {
			n += i + 1
		} else {
			n = s.end - s.pos
		}
	}
	s.line = append(s.line[:0:0], s.buf[s.pos:s.pos+min(n, 2*maxShown)]...)
	ended := s.buf[s.pos+n-1] == '\n'
	s.pos += n
	for !ended {
		if i := bytes.IndexByte(s.buf[s.pos:s.end], '\n'); i >= 0 {
			s.pos += i + 1
			break
		}
		s.pos = s.end
		if !s.more() {
			break // an error of the source is returned by the next call
		}
	}
	return errTooLong(s.max)
}

// plain cuts a line without quotes.
func (s *splitter) plain(line []byte) {
	fields := s.fields[:0]
	if len(s.comma) == 1 {
		comma := s.comma[0]
		start := 0
		for i, c := range line {
			if c == comma {
				fields = append(fields, line[start:i:i])
				start = i + 1
			}
		}
		s.fields = append(fields, line[start:])
		return
	}
	for {
		field, rest, found := bytes.Cut(line, s.comma)
		fields = append(fields, field)
		if !found {
			s.fields = fields
			return
		}
		line = rest
	}
}

// quoted cuts a record with quotes, whose first line has eol bytes. Positions count from the start of the record.
func (s *splitter) quoted(eol int) error {
	s.spans, s.scratch = s.spans[:0], s.scratch[:0]
	first := len(s.line)
	at, stop := 0, len(s.line) // the field's start; the end of the current line's text
	for {
		text := s.buf[s.pos : s.pos+stop]
		if at == stop || text[at] != '"' {
			length := bytes.Index(text[at:], s.comma)
			last := length < 0
			if last {
				length = stop - at
			}
			if bytes.IndexByte(text[at:at+length], '"') >= 0 {
				return s.bad(errBareQuote, eol)
			}
			s.spans = append(s.spans, span{from: at, to: at + length})
			if last {
				break
			}
			at += length + len(s.comma)
			continue
		}
		closed, lines, err := s.quotedField(at+1, stop, eol)
		if err != nil {
			return err
		}
		at, stop, eol = closed, lines.stop, lines.eol
		if at == stop {
			break
		}
		at += len(s.comma)
	}
	record := s.buf[s.pos : s.pos+eol]
	s.fields = s.fields[:0]
	for _, f := range s.spans {
		if f.quoted {
			s.fields = append(s.fields, s.scratch[f.from:f.to:f.to])
		} else {
			s.fields = append(s.fields, record[f.from:f.to:f.to])
		}
	}
	s.line = record[:first]
	s.pos += eol
	return nil
}

// extent is where the text of the current line ends, without and with its line end.
type extent struct{ stop, eol int }

// quotedField reads a field from behind its opening quote. It returns the position behind the closing quote, where the
// line ends or a comma follows, and the extent of that line.
func (s *splitter) quotedField(at, stop, eol int) (int, extent, error) {
	from := len(s.scratch)
	opened := extent{stop, eol} // a fault is put down to the line where the field begins
	for {
		text := s.buf[s.pos : s.pos+stop]
		i := bytes.IndexByte(text[at:], '"')
		if i < 0 {
			s.scratch = append(append(s.scratch, text[at:]...), '\n')
			at = eol
			next, err := s.findLine(at)
			if err != nil {
				return 0, extent{}, s.unclosed(err, opened.eol)
			}
			eol = next
			stop = at + len(trimEOL(s.buf[s.pos+at:s.pos+eol], s.atEnd(eol)))
			continue
		}
		s.scratch = append(s.scratch, text[at:at+i]...)
		at += i + 1
		rest := text[at:]
		switch {
		case len(rest) > 0 && rest[0] == '"':
			s.scratch = append(s.scratch, '"')
			at++
		case len(rest) == 0 || bytes.HasPrefix(rest, s.comma):
			s.spans = append(s.spans, span{from: from, to: len(s.scratch), quoted: true})
			return at, extent{stop, eol}, nil
		default:
			return 0, extent{}, s.bad(errAfter, opened.eol)
		}
	}
}

// unclosed reports a field that no quote closes, because of the end of the file, the bound or the source.
func (s *splitter) unclosed(err error, eol int) error {
	switch {
	case errors.Is(err, io.EOF):
		return s.bad(errUnclosed, eol)
	case badRecord(err):
		return s.bad(err, eol)
	}
	return err
}

// bad puts the record down as wrong and goes on behind its first eol bytes.
func (s *splitter) bad(err error, eol int) error {
	s.line = trimEOL(s.buf[s.pos:s.pos+min(eol, s.end-s.pos)], true)
	s.pos += eol
	return err
}

// trimEOL cuts \n or \r\n off a line; at the end of the file also a single \r.
func trimEOL(line []byte, last bool) []byte {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
		last = true
	}
	if n > 0 && last && line[n-1] == '\r' {
		n--
	}
	return line[:n]
}
