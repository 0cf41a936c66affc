package ledger

import (
	"errors"
	"iter"
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

// numbered gives a RowError that does not know its row the number of the element; the error itself is not modified.
func numbered(err error, row int) error {
	var bad *RowError
	if !errors.As(err, &bad) || bad.Row != 0 {
		return err
	}
	return &RowError{Row: row, Field: bad.Field, Value: bad.Value, Err: bad.Err}
}

// ends reports whether no element may follow the error.
func ends(err error) bool {
	var bad *RowError
	return err != nil && !errors.As(err, &bad)
}

// Skip drops the rows that are a *RowError and passes each to report, which may be nil. Every other error ends the
// stream and is passed on.
func Skip[T any](seq iter.Seq2[T, error], report func(*RowError)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for t, err := range seq {
			var bad *RowError
			if errors.As(err, &bad) {
				if report != nil {
					report(bad)
				}
				continue
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}
