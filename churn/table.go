package churn

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/money"
)

// textTable returns rows under a header as aligned text; the first left columns are flush left, the others right.
func textTable(header []string, rows [][]string, left int) string {
	return strings.TrimSuffix(text.Table(header, rows, text.First(left)), "\n")
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
	if err := text.CSV(w, header, rows); err != nil {
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
