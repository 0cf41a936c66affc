// Package text prints the tables of results.
package text

import (
	"fmt"
	"strings"
	"text/tabwriter"
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
