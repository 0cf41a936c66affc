package pipeline

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Format says how the order files are written. It is ledger.CSVOptions in a form that travels to the workers; the zero
// value reads a header of customer, at, amount and currency, commas, RFC 3339 or 2006-01-02 dates and plain amounts.
type Format struct {
	Columns     map[string]string // the column of a field, such as "amount": "Total"
	Comma       string            // one character; empty means ","
	Currency    money.Currency    // of the amounts where no column says it
	Layouts     []string          // of dates, in the words of package time
	Location    string            // where dates without a zone are; empty means UTC
	DecimalMark string            // one character; empty means "."
	Grouping    string            // one character; empty means none
	Minor       bool              // amounts are whole numbers of the minor unit
}

// options returns the form that package ledger takes.
func (f Format) options() (*ledger.CSVOptions, error) {
	loc, err := Options{Location: f.Location}.location()
	if err != nil {
		return nil, err
	}
	o := &ledger.CSVOptions{Columns: f.Columns, Currency: f.Currency, Layouts: f.Layouts, Location: loc, Minor: f.Minor}
	for _, c := range []struct {
		name, text string
		to         *rune
	}{{"Comma", f.Comma, &o.Comma}, {"DecimalMark", f.DecimalMark, &o.DecimalMark}, {"Grouping", f.Grouping, &o.Grouping}} {
		r, size := utf8.DecodeRuneInString(c.text)
		if size != len(c.text) {
			return nil, fmt.Errorf("pipeline: %s %q: want one character", c.name, c.text)
		}
		if size > 0 {
			*c.to = r
		}
	}
	return o, nil
}

// ReadOrders reads the files of a glob, such as "orders/*.csv" or "gs://bucket/orders/*.csv.gz", to a
// PCollection<Order>. A file is read by one worker and as a stream, so a large log should come in several; those that end
// in .gz are decompressed.
//
// The pipeline fails if no file matches, and at the first row that cannot be read, that has no customer or that has
// another currency than the rows before it in the file: the error names the file, the row, the column and the value.
func ReadOrders(s beam.Scope, glob string, f Format) (beam.PCollection, error) {
	s = s.Scope("ReadOrders")
	if glob == "" {
		return beam.PCollection{}, errors.New("pipeline: no order files")
	}
	if _, err := f.options(); err != nil {
		return beam.PCollection{}, err
	}
	return beam.ParDo(s, &readFn{f}, files(s, glob)), nil
}

// files returns the files of a glob, spread over the workers.
func files(s beam.Scope, glob string) beam.PCollection {
	matches := fileio.MatchAll(s, beam.Create(s, glob), fileio.MatchEmptyDisallow())
	return beam.Reshuffle(s, fileio.ReadMatches(s, matches))
}

// readFn reads the orders of a file.
type readFn struct{ Format Format }

// ProcessElement emits the orders of a file.
func (fn *readFn) ProcessElement(ctx context.Context, file fileio.ReadableFile, emit func(Order)) error {
	o, err := fn.Format.options()
	if err != nil {
		return err
	}
	in, err := file.Open(ctx)
	if err != nil {
		return fmt.Errorf("pipeline: %w", err)
	}
	defer func() { _ = in.Close() }() // it was only read
	row, currency := 0, fn.Format.Currency
	for tx, err := range ledger.ReadCSV(ctx, in, o) {
		row++
		if err == nil {
			err = check(tx, row, &currency)
		}
		if err != nil {
			return fmt.Errorf("pipeline: file %s: %w", file.Metadata.Path, err)
		}
		emit(Order{Customer: tx.Customer, At: tx.At, Amount: tx.Amount})
	}
	return nil
}

// check refuses what a summary would refuse without knowing the file. The first currency of a file is that of all.
func check(tx ledger.Transaction, row int, currency *money.Currency) error {
	if *currency == "" {
		*currency = tx.Amount.Currency()
	}
	if c := tx.Amount.Currency(); c != *currency {
		return fmt.Errorf("ledger: %w", &ledger.RowError{Row: row, Field: "amount", Value: tx.Amount.String(),
			Err: &money.CurrencyMismatchError{A: *currency, B: c}})
	}
	return nil
}
