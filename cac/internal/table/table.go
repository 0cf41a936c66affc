// Package table lays out results of the cac packages as aligned text and as CSV.
package table

import (
	"io"
	"math"
	"strconv"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/money"
)

// Undefined is what a cell shows where a ratio has no base.
const Undefined = "undefined"

// Text returns the rows under their header, columns aligned and two blanks apart; the first left columns are aligned to
// the left, the others to the right. Every line ends with a newline.
func Text(header []string, rows [][]string, left int) string {
	return text.Table(header, rows, text.First(left))
}

// CSV writes the header and the rows as comma-separated values.
func CSV(w io.Writer, header []string, rows [][]string) error { return text.CSV(w, header, rows) }

// Plain returns the number of an amount without its currency.
func Plain(a money.Amount) string {
	return a.Number()
}

// Minor returns an amount rounded half to even to the minor unit, with its currency: what a person reads.
func Minor(a money.Amount) string { return a.Round(money.HalfEven).String() }

// Fixed returns x with so many decimals, or [Undefined] if err is not nil.
func Fixed(x float64, decimals int, err error) string {
	if err != nil || math.IsNaN(x) {
		return Undefined
	}
	return strconv.FormatFloat(x, 'f', decimals, 64)
}

// Percent returns x in percent with one decimal, or [Undefined] if err is not nil.
func Percent(x float64, err error) string {
	if err != nil || math.IsNaN(x) {
		return Undefined
	}
	return strconv.FormatFloat(100*x, 'f', 1, 64) + "%"
}

// Float returns the shortest text of x that reads back the same, or nothing if err is not nil.
func Float(x float64, err error) string {
	if err != nil || math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
