// Package input reads the files that the example programs are given, or their samples.
package input

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"github.com/custval/custval/ledger"
)

// Read collects the records of a file, or those of the sample if path is empty. Errors name the file; one without records
// is an error.
func Read[T any](path string, sample io.Reader, read func(io.Reader) iter.Seq2[T, error]) ([]T, error) {
	if path == "" {
		return ledger.Collect(read(sample))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is only read
	records, err := ledger.Collect(read(f))
	if err == nil && len(records) == 0 {
		err = errors.New("no rows after the header")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return records, nil
}

// Day reads the date of a flag, as 2025-06-30; an empty text is the day that is given instead.
func Day(flag, text string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fmt.Errorf("-%s %s: want a date as 2025-06-30", flag, text)
	}
	return day, nil
}

// Span returns the first and the last calendar day of a log.
func Span(log []ledger.Transaction) (first, last time.Time) {
	for i, t := range log {
		if i == 0 || t.At.Before(first) {
			first = t.At
		}
		if i == 0 || t.At.After(last) {
			last = t.At
		}
	}
	return ledger.Day(first, nil).Start, ledger.Day(last, nil).Start
}
