package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// ErrUndefined is wrapped by the error of every ratio whose base is zero: a churn rate of no customers, a CAC of no new
// customers. Such a ratio is neither 0 nor infinite.
var ErrUndefined = errors.New("undefined")

// ErrConsumed is the error of a second pass over a stream that can be read only once.
var ErrConsumed = errors.New("stream already consumed: read it again from its source")

// A RowError says what is wrong with one record of the input. The package that reports it adds its own prefix:
//
//	clv: row 42: field "TX": value "39.57": greater than T
type RowError struct {
	Row   int    // 1 is the first record after the header; the first element of a slice
	Field string // the field as the input names it, empty if the whole row is wrong
	Value string // the value found, cut to a readable length
	Err   error  // the reason
}

// maxShown bounds the part of a value that an error repeats.
const maxShown = 80

// Error returns row, field, value and reason.
func (e *RowError) Error() string {
	value := e.Value
	if len(value) > maxShown {
		cut := maxShown
		for cut > maxShown-utf8.UTFMax && !utf8.RuneStart(value[cut]) {
			cut--
		}
		value = value[:cut] + "..."
	}
	switch {
	case e.Field == "" && value == "":
		return fmt.Sprintf("row %d: %v", e.Row, e.Err)
	case e.Field == "":
		return fmt.Sprintf("row %d: value %s: %v", e.Row, strconv.Quote(value), e.Err)
	default:
		return fmt.Sprintf("row %d: field %q: value %s: %v", e.Row, e.Field, strconv.Quote(value), e.Err)
	}
}

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }
