package validate

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

func aligned(records [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, record := range records {
		fmt.Fprintln(w, strings.Join(record, "\t")+"\t")
	}
	_ = w.Flush() // a strings.Builder does not fail
	return b.String()
}

func writeCSV(w io.Writer, records [][]string) error { return csv.NewWriter(w).WriteAll(records) }

// number formats for tables; what does not exist is empty.
func number(v float64, digits int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
