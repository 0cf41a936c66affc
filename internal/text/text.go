// Package text lays out the tables of results.
package text

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// Aligned returns records as lines of columns, each aligned to the right.
func Aligned(records [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, record := range records {
		fmt.Fprintln(w, strings.Join(record, "\t")+"\t")
	}
	_ = w.Flush() // a strings.Builder does not fail
	return b.String()
}

// Table returns rows under their header, the columns two blanks apart, aligned to the left where left reports it and to
// the right elsewhere. Every line ends with a newline and none with blanks.
func Table(header []string, rows [][]string, left func(column int) bool) string {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if left(i) {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// First returns a function that reports whether a column is one of the first n, for Table.
func First(n int) func(column int) bool { return func(column int) bool { return column < n } }

// CSV writes a header and rows as comma-separated values.
func CSV(w io.Writer, header []string, rows [][]string) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	return out.WriteAll(rows) // flushes
}
