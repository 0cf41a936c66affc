package validate

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
)

func writeCSV(w io.Writer, records [][]string) error { return csv.NewWriter(w).WriteAll(records) }

// number formats for tables; what does not exist is empty.
func number(v float64, digits int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}
