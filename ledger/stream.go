package ledger

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Transactions returns a stream over a slice. It can be read any number of times.
func Transactions(ts []Transaction) iter.Seq2[Transaction, error] { return Slice(ts) }

// Slice returns a stream over a slice of anything. It can be read any number of times.
func Slice[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Collect reads a stream to its end. It stops at the first error and returns it with the rows read so far.
func Collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var rows []T
	for row, err := range seq {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// Map applies f to every element. Errors of the stream pass through. An error of f takes the place of the element: the
// stream goes on after it if it is a *RowError, which gets the element's number where it has none, and ends otherwise.
func Map[T, U any](seq iter.Seq2[T, error], f func(T) (U, error)) iter.Seq2[U, error] {
	return func(yield func(U, error) bool) {
		row := 0
		for t, err := range seq {
			row++
			var u U
			if err == nil {
				u, err = f(t)
				err = numbered(err, row)
			}
			if !yield(u, err) || ends(err) {
				return
			}
		}
	}
}

// Filter keeps the elements for which keep is true, and all errors.
func Filter[T any](seq iter.Seq2[T, error], keep func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for t, err := range seq {
			if (err != nil || keep(t)) && !yield(t, err) || ends(err) {
				return
			}
		}
	}
}

// numbered gives a RowError that does not know its row the number of the element, and keeps the prefix before it; the
// error itself is not modified.
func numbered(err error, row int) error {
	var bad *RowError
	if !errors.As(err, &bad) || bad.Row != 0 {
		return err
	}
	known := &RowError{Row: row, Field: bad.Field, Value: bad.Value, Err: bad.Err}
	if prefix, ok := strings.CutSuffix(err.Error(), bad.Error()); ok && prefix != "" {
		return fmt.Errorf("%s%w", prefix, known)
	}
	return known
}

// ends reports whether no element may follow the error.
func ends(err error) bool {
	if err == nil {
		return false
	}
	var bad *RowError
	return !errors.As(err, &bad)
}

// Skip drops the rows that are a *RowError and passes each to report, which may be nil. Every other error ends the
// stream and is passed on.
func Skip[T any](seq iter.Seq2[T, error], report func(*RowError)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for t, err := range seq {
			if err != nil && !ends(err) {
				if report != nil {
					report(rowError(err))
				}
				continue
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// rowError returns the RowError in the chain of err.
func rowError(err error) *RowError {
	var bad *RowError
	errors.As(err, &bad)
	return bad
}
