package rfm

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Number is a float64 that may be undefined, such as the share of a total that is zero: it is NaN in Go, null in JSON,
// "-" in a printed table and empty in CSV.
type Number float64

// Undefined is the Number without a value.
func Undefined() Number { return Number(math.NaN()) }

// Defined reports whether n is a finite number.
func (n Number) Defined() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON returns the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number or null.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Undefined()
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

func (n Number) csv() string {
	if !n.Defined() {
		return ""
	}
	return strconv.FormatFloat(float64(n), 'g', -1, 64)
}

// percent returns the share as 12.3%.
func (n Number) percent() string {
	if !n.Defined() {
		return "-"
	}
	return strconv.FormatFloat(100*float64(n), 'f', 1, 64) + "%"
}

func (n Number) short() string {
	if !n.Defined() {
		return "-"
	}
	return strconv.FormatFloat(float64(n), 'f', -1, 64)
}

// ratio returns a/b, undefined for b = 0.
func ratio(a, b float64) Number {
	if b == 0 {
		return Undefined()
	}
	return Number(a / b)
}

// textTable aligns rows under a header: the first left columns to the left, the others to the right, the last one
// without trailing blanks.
func textTable(header []string, rows [][]string, left int) string {
	widths := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range append([][]string{header}, rows...) {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if i < left || i == len(row)-1 && isText(header[i]) {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// isText reports whether a last column is prose.
func isText(header string) bool { return header == "action" || header == "top" }

// writeCSV writes a header and rows.
func writeCSV(w io.Writer, header []string, rows iter.Seq[[]string]) error {
	c := csv.NewWriter(w)
	if err := c.Write(header); err != nil {
		return fmt.Errorf("rfm: %w", err)
	}
	for row := range rows {
		if err := c.Write(row); err != nil {
			return fmt.Errorf("rfm: %w", err)
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("rfm: %w", err)
	}
	return nil
}

// decodeStrict decodes one JSON value without unknown fields or anything after it.
func decodeStrict(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
