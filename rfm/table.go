package rfm

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/money"
)

// A Row is one customer of a Table.
type Row struct {
	Record
	R       int     `json:"r"` // 1 to Bins, the best
	F       int     `json:"f"`
	M       int     `json:"m"`
	Score   float64 `json:"score"` // combined by the weights
	Segment string  `json:"segment"`
}

// Code returns the three scores side by side: "541", or "10-4-1" where one has two digits.
func (r *Row) Code() string {
	if max(r.R, r.F, r.M) > 9 {
		return fmt.Sprintf("%d-%d-%d", r.R, r.F, r.M)
	}
	return string([]byte{'0' + byte(r.R), '0' + byte(r.F), '0' + byte(r.M)})
}

// A Table is the result of an analysis: one row a scored customer, sorted by customer.
type Table struct {
	Start    Date           `json:"start"`
	End      Date           `json:"end"`
	Currency money.Currency `json:"currency"`
	Rows     []Row          `json:"rows"`
	Unscored []Unscored     `json:"unscored"`
	Report   Report         `json:"report"`
	Scales   Scales         `json:"scales"`
	Map      Map            `json:"map"`
	Weights  Weights        `json:"weights"`
	// Columns hold the scores of Options.Columns beside Rows.
	Columns []ColumnScores    `json:"columns,omitempty"`
	Actions map[string]string `json:"actions"`

	loc *time.Location // of the days; nil, meaning UTC, in a table read from JSON
}

// ColumnScores are the scores of an extra column, 0 for a customer without the measure.
type ColumnScores struct {
	Name   string `json:"name"`
	Scores []int  `json:"scores"`
}

// Row returns the row of a customer, and false for one that is not scored.
func (t *Table) Row(customer string) (Row, bool) {
	i, ok := slices.BinarySearchFunc(t.Rows, customer, func(r Row, id string) int { return strings.Compare(r.Customer, id) })
	if !ok {
		return Row{}, false
	}
	return t.Rows[i], true
}

// In returns the customers of a segment, sorted by customer. An error wraps [ErrUnknownSegment] if the map has no such
// segment.
func (t *Table) In(segment string) ([]Row, error) {
	known := t.Map.Segments()
	if !slices.Contains(known, segment) {
		return nil, unknownSegment(segment, known)
	}
	var rows []Row
	for i := range t.Rows {
		if t.Rows[i].Segment == segment {
			rows = append(rows, t.Rows[i])
		}
	}
	return rows, nil
}

// Top returns the n customers with the highest monetary value, best first; ties by customer. It returns all of them if
// there are fewer.
func (t *Table) Top(n int) []Row {
	order := make([]int32, len(t.Rows))
	for i := range order {
		order[i] = int32(i)
	}
	value := make([]float64, len(t.Rows))
	for i := range t.Rows {
		value[i] = t.Scales.monetary(&t.Rows[i].Record)
	}
	radixSort(order, func(i int32) uint64 { return ^floatKey(value[i] + 0) }, 1, nil)
	rows := make([]Row, 0, max(0, min(n, len(order))))
	for _, i := range order[:cap(rows)] {
		rows = append(rows, t.Rows[i])
	}
	return rows
}

// shownRows is the number of customers that String prints.
const shownRows = 20

// String returns the first customers as a text table, and how many more there are. WriteCSV writes all of them.
func (t *Table) String() string {
	header := []string{"customer", "recency", "frequency", "monetary", "RFM", "segment"}
	var rows [][]string
	for i := range t.Rows[:min(shownRows, len(t.Rows))] {
		r := &t.Rows[i]
		rows = append(rows, []string{r.Customer, strconv.Itoa(r.Recency), strconv.Itoa(r.Frequency), r.Monetary.String(), r.Code(), r.Segment})
	}
	text := textTable(header, rows, 1)
	if more := len(t.Rows) - len(rows); more > 0 {
		text += fmt.Sprintf("... and %d more customers\n", more)
	}
	if len(t.Unscored) > 0 {
		text += fmt.Sprintf("%d customers without a net positive order are not scored\n", len(t.Unscored))
	}
	return text
}

// WriteCSV writes one line a scored customer with a header: customer, recency_days, frequency, monetary, revenue,
// currency, first, last, length_days, gap_days, r, f, m, rfm, score, segment, and the extra columns. Dates are
// 2006-01-02, amounts plain decimals, and gap_days is empty for a single purchase.
func (t *Table) WriteCSV(w io.Writer) error {
	header := []string{"customer", "recency_days", "frequency", "monetary", "revenue", "currency", "first", "last",
		"length_days", "gap_days", "r", "f", "m", "rfm", "score", "segment"}
	for _, c := range t.Columns {
		header = append(header, c.Name)
	}
	return writeCSV(w, header, func(yield func([]string) bool) {
		line := make([]string, 0, len(header))
		for i := range t.Rows {
			r := &t.Rows[i]
			line = append(line[:0], r.Customer, strconv.Itoa(r.Recency), strconv.Itoa(r.Frequency), plain(r.Monetary),
				plain(r.Revenue), string(t.Currency), r.First.String(), r.Last.String(), strconv.Itoa(r.Length()), r.gapText(),
				strconv.Itoa(r.R), strconv.Itoa(r.F), strconv.Itoa(r.M), r.Code(), strconv.FormatFloat(r.Score, 'f', -1, 64), r.Segment)
			for _, c := range t.Columns {
				line = append(line, strconv.Itoa(c.Scores[i]))
			}
			if !yield(line) {
				return
			}
		}
	})
}

func (r *Record) gapText() string {
	gap, ok := r.Gap()
	if !ok {
		return ""
	}
	return strconv.FormatFloat(gap, 'g', -1, 64)
}

// plain returns the digits of an amount without its currency.
func plain(a money.Amount) string {
	text := a.String()
	return text[strings.IndexByte(text, ' ')+1:]
}
