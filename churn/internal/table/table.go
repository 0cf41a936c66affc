// Package table prints the results of survival and risk as aligned text and CSV, and writes them as JSON in which a number
// that does not exist is null.
package table

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/internal/text"
)

// A Table is what an exported result prints as text and writes as CSV.
type Table struct {
	Header []string
	Rows   [][]string
}

// New returns a table without rows.
func New(header ...string) *Table { return &Table{Header: header} }

// Add appends a row: numbers in full, text as it is, anything else as fmt prints it.
func (t *Table) Add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case string:
			row[i] = c
		case float64:
			row[i] = cell(c)
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	t.Rows = append(t.Rows, row)
}

// cell writes a number for CSV in full; a missing one is empty.
func cell(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// String aligns the columns: text to the left, numbers to the right with six significant digits.
func (t *Table) String() string {
	words := make([]bool, len(t.Header))
	for j := range t.Header {
		for _, row := range t.Rows {
			_, err := strconv.ParseFloat(row[j], 64)
			words[j] = words[j] || err != nil && row[j] != ""
		}
	}
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = slices.Clone(row)
		for j := range row {
			if !words[j] {
				rows[i][j] = short(row[j])
			}
		}
	}
	return text.Table(t.Header, rows, func(column int) bool { return words[column] })
}

// short rounds the text of a number to six significant digits; a missing one is a dash.
func short(c string) string {
	if c == "" {
		return "-"
	}
	x, err := strconv.ParseFloat(c, 64)
	if err != nil {
		return c
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// Number shows x with six significant digits; a missing one is a dash.
func Number(x float64) string { return short(cell(x)) }

// WriteCSV writes the header and the rows.
func (t *Table) WriteCSV(w io.Writer) error { return text.CSV(w, t.Header, t.Rows) }
