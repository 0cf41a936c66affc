package churn

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/custval/custval/money"
)

// textTable returns rows under a header as aligned text; the first left columns are flush left, the others right.
func textTable(header []string, rows [][]string, left int) string {
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		var l strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i > 0 {
				l.WriteString("  ")
			}
			if i < left {
				l.WriteString(cell + pad)
			} else {
				l.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	line(header)
	for _, row := range rows {
		line(row)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// factTable returns lines of a name and a value as aligned text.
func factTable(lines [][2]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\n", l[0], l[1])
	}
	_ = w.Flush() // a strings.Builder does not fail
	return strings.TrimSuffix(b.String(), "\n")
}

// writeCSV writes a header and rows.
func writeCSV(w io.Writer, header []string, rows [][]string) error {
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	for _, row := range rows {
		if err := out.Write(row); err != nil {
			return fmt.Errorf("churn: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("churn: %w", err)
	}
	return nil
}

// percent shows a share as 12.3 %, and a dash where it is undefined.
func percent(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
}

// number shows a float64 with all of its digits, and nothing where it is undefined.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// decimals shows a float64 with a fixed number of decimals.
func decimals(v float64, n int) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', n, 64)
}

// currencyOf returns the currency of an amount, empty for the zero Amount.
func currencyOf(a money.Amount) string { return string(a.Currency()) }

// amountText shows an amount without its currency, and nothing for the zero Amount.
func amountText(a money.Amount) string {
	if a.Currency() == "" {
		return ""
	}
	return a.Number()
}

// timeText shows an instant in RFC 3339, and nothing for the zero time.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// exactly shows any float64, NaN and infinities too, for errors.
func exactly(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
