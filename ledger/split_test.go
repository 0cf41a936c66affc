package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// splitAll returns the records of a text and the errors among them.
func splitAll(r io.Reader, comma rune, maxRow int) (records [][]string, errs []error) {
	s := newSplitter(context.Background(), r, comma, maxRow)
	for {
		err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return records, errs
		case err == nil:
			var record []string
			for _, f := range s.fields {
				record = append(record, string(f))
			}
			records = append(records, record)
		default:
			errs = append(errs, err)
			if !badRecord(err) {
				return records, errs
			}
		}
	}
}

func oracle(text string, comma rune) ([][]string, error) {
	c := csv.NewReader(strings.NewReader(text))
	c.Comma, c.FieldsPerRecord = comma, -1
	return c.ReadAll()
}

func TestSplitter(t *testing.T) {
	tests := []struct {
		name, text string
		comma      rune
		want       [][]string
		errs       []error
	}{
		{"plain", "a,b\nc,d\n", ',', [][]string{{"a", "b"}, {"c", "d"}}, nil},
		{"no line end at the end", "a,b\nc,d", ',', [][]string{{"a", "b"}, {"c", "d"}}, nil},
		{"CRLF and empty lines", "a,b\r\n\r\n\n\r\nc,d\r\n\r\n", ',', [][]string{{"a", "b"}, {"c", "d"}}, nil},
		{"CR at the end of the file", "a,b\r", ',', [][]string{{"a", "b"}}, nil},
		{"CR inside a line", "a\rb,c\n", ',', [][]string{{"a\rb", "c"}}, nil},
		{"empty fields", ",\n,,\n", ',', [][]string{{"", ""}, {"", "", ""}}, nil},
		{"quotes", `"a,b","c ""d"""` + "\n\"\",x\n", ',', [][]string{{"a,b", `c "d"`}, {"", "x"}}, nil},
		{"quoted line ends", "\"a\nb\r\nc\",d\ne,f\n", ',', [][]string{{"a\nb\nc", "d"}, {"e", "f"}}, nil},
		{"separator of two bytes", "a¦\"b¦\"¦\n¦", '¦', [][]string{{"a", "b¦", ""}, {"", ""}}, nil},
		{"bare quote", "a,b\"c\nd,e\n", ',', [][]string{{"d", "e"}}, []error{errBareQuote}},
		{"text after a quote", "\"a\"b,c\nd,e\n", ',', [][]string{{"d", "e"}}, []error{errAfter}},
		{"a quote never closed costs its line only", "a,\"b\nc,d\ne,f\n", ',', [][]string{{"c", "d"}, {"e", "f"}}, []error{errUnclosed}},
		{"the fault is where the field begins", "\"a\nb\",\"c\nd\"e\nf,g\n", ',', [][]string{{"f", "g"}}, []error{errAfter, errBareQuote}},
		{"quote at the very end", "a,b\n\"", ',', [][]string{{"a", "b"}}, []error{errUnclosed}},
		{"a long line", "a,b\n" + strings.Repeat("x", 100) + "\nc,d\n", ',', [][]string{{"a", "b"}, {"c", "d"}}, []error{errTooLong(32)}},
		{"a long line at the end", "a,b\n" + strings.Repeat("x", 100), ',', [][]string{{"a", "b"}}, []error{errTooLong(32)}},
		{"a quote not closed within the bound", "\"a\n" + strings.Repeat("b,c\n", 20), ',', strings20("b", "c"), []error{errTooLong(32)}},
		{"the longest line", strings.Repeat("x", 32) + "\r\n", ',', nil, []error{errTooLong(32)}},
		{"the longest line that fits", strings.Repeat("x", 32) + "\n", ',', [][]string{{strings.Repeat("x", 32)}}, nil},
		{"nothing", "", ',', nil, nil},
	}
	for _, tt := range tests {
		for name, r := range map[string]io.Reader{
			"at once":     strings.NewReader(tt.text),
			"by the byte": iotest.OneByteReader(strings.NewReader(tt.text)),
			"with EOF":    iotest.DataErrReader(strings.NewReader(tt.text)),
		} {
			records, errs := splitAll(r, tt.comma, 32)
			if diff := cmp.Diff(tt.want, records); diff != "" {
				t.Errorf("%s, %s: records (-want +got):\n%s", tt.name, name, diff)
			}
			if !sameErrors(tt.errs, errs) {
				t.Errorf("%s, %s: errors %v, want %v", tt.name, name, errs, tt.errs)
			}
		}
	}
}

func strings20(fields ...string) [][]string {
	var records [][]string
	for range 20 {
		records = append(records, fields)
	}
	return records
}

func sameErrors(want, got []error) bool {
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i].Error() != got[i].Error() {
			return false
		}
	}
	return true
}

// TestQuotesLoseNoLine makes files of odd quotes: what is read and what is reported add up to the lines.
func TestQuotesLoseNoLine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lines := []string{`"`, `"a`, `a"`, `""`, `"""`, `a,"b`, `b",a`, `x`, ``}
	for range 80 {
		var b strings.Builder
		n := 1 + r.IntN(3)
		pick := []string{lines[r.IntN(len(lines))], lines[r.IntN(len(lines))], lines[r.IntN(len(lines))]}[:n]
		for i := range 3000 {
			b.WriteString(pick[i%n] + "\n")
		}
		// A record has the lines that its quoted fields contain and one more; an error has one, or as many as the
		// record had before the fault; empty lines outside quotes have no record.
		s := newSplitter(context.Background(), strings.NewReader(b.String()), ',', 1000)
		lines := 0
		for {
			err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			lines++
			if err != nil {
				lines += bytes.Count(s.line, []byte("\n"))
				continue
			}
			for _, f := range s.fields {
				lines += bytes.Count(f, []byte("\n"))
			}
		}
		empty := 0
		for i := range 3000 {
			if pick[i%n] == "" {
				empty++
			}
		}
		if lines > 3000 || lines < 3000-empty {
			t.Fatalf("%q: %d lines read or reported of 3000, %d of them empty", pick, lines, empty)
		}
	}
}

func TestSplitterMemoryIsBounded(t *testing.T) {
	endless := io.LimitReader(zeros('x'), 16<<20)
	s := newSplitter(context.Background(), endless, ',', defaultMaxRow)
	var long errTooLong
	if err := s.next(); !errors.As(err, &long) {
		t.Fatalf("got %v, want an error of the bound", err)
	}
	if len(s.buf) > 4*defaultMaxRow {
		t.Errorf("the buffer grew to %d bytes", len(s.buf))
	}
	endless = io.MultiReader(strings.NewReader(`"`), io.LimitReader(zeros('\n'), 8<<20))
	records, errs := splitAll(endless, ',', defaultMaxRow)
	if len(records) != 0 || len(errs) != 1 || !errors.As(errs[0], &long) {
		t.Errorf("an open quote before empty lines: %d records, errors %v", len(records), errs)
	}
}

type zeros byte

func (z zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(z)
	}
	return len(b), nil
}

func TestSplitterIOErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, text := range []string{"a,b\nc,d\n", "a,b\nc,d", "a,b\n\"c", "a,b\n" + strings.Repeat("x", 50)} {
		_, errs := splitAll(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), ',', 40)
		if len(errs) == 0 || !errors.Is(errs[len(errs)-1], broken) {
			t.Errorf("%q: errors %v, want the last to be that of the reader", text, errs)
		}
	}
	for name, r := range map[string]io.Reader{
		"no progress": readerFunc(func([]byte) (int, error) { return 0, nil }),
		"negative":    readerFunc(func([]byte) (int, error) { return -1, nil }),
		"too many":    readerFunc(func(b []byte) (int, error) { return len(b) + 1, nil }),
	} {
		if _, errs := splitAll(r, ',', 40); len(errs) != 1 || badRecord(errs[0]) {
			t.Errorf("%s: errors %v, want one that ends the stream", name, errs)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func FuzzSplitter(f *testing.F) {
	for _, s := range []string{
		"a,b\nc,d\n", "\"a\"\"\n,\",b\r\n\r\n", "a\"b", "\"", "\"a\"b", "\r", "\r\r\n", "a,\"\r\n\r\",\n", "¦;\"¦", "\"\n\"\n\"", "\"\"\r", "\"a\r",
	} {
		f.Add(s, ',', uint8(1))
		f.Add(s, '¦', uint8(7))
	}
	f.Fuzz(func(t *testing.T, text string, comma rune, step uint8) {
		if comma == '"' || comma == '\r' || comma == '\n' || !validRune(comma) {
			comma = ';'
		}
		want, err := oracle(text, comma)
		got, errs := splitAll(&stepReader{text: text, step: int(step)}, comma, defaultMaxRow)
		if (err != nil) != (len(errs) > 0) {
			t.Fatalf("encoding/csv: %v; here: %v", err, errs)
		}
		if err == nil {
			if len(want) == 0 {
				want = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("records (-encoding/csv +here):\n%s", diff)
			}
		}
		if rows := len(got) + len(errs); rows > 1+strings.Count(text, "\n") {
			t.Fatalf("%d rows from %q", rows, text)
		}
		// The size of the reads changes nothing, and a small bound costs no other row.
		again, errsAgain := splitAll(strings.NewReader(text), comma, defaultMaxRow)
		if diff := cmp.Diff(got, again); diff != "" || !sameErrors(errs, errsAgain) {
			t.Fatalf("read at once: %s\n%v, %v", diff, errs, errsAgain)
		}
		splitAll(strings.NewReader(text), comma, 3)
	})
}

// stepReader gives a few bytes at a time.
type stepReader struct {
	text string
	step int
}

func (r *stepReader) Read(b []byte) (int, error) {
	if r.text == "" {
		return 0, io.EOF
	}
	n := min(len(b), len(r.text), 1+r.step)
	copy(b, r.text[:n])
	r.text = r.text[n:]
	return n, nil
}

// TestFieldsDoNotPinTheLine holds that what is kept of a row is its own copy.
func TestFieldsDoNotPinTheLine(t *testing.T) {
	text := []byte("customer,at,amount\nalice,2024-01-01,1\n")
	seq := ReadCSV(context.Background(), bytes.NewReader(text), &CSVOptions{Currency: "USD"})
	log, err := Collect(seq)
	if err != nil || len(log) != 1 {
		t.Fatal(log, err)
	}
	clear(text)
	if log[0].Customer != "alice" || !utf8.ValidString(log[0].Customer) {
		t.Errorf("customer %q, want alice", log[0].Customer)
	}
}
