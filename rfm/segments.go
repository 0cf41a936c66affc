package rfm

import (
	"io"
	"slices"
	"strconv"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/money"
)

// A SegmentRow sums up the customers of one segment.
type SegmentRow struct {
	Segment         string       `json:"segment"`
	Customers       int          `json:"customers"`
	Share           Number       `json:"share"`            // of the scored customers
	Purchases       int          `json:"purchases"`        // sum of the frequencies
	Revenue         money.Amount `json:"revenue"`          // net of refunds
	RevenueShare    Number       `json:"revenue_share"`    // of the revenue of the scored customers; undefined if that is zero
	AverageOrder    money.Amount `json:"average_order"`    // Revenue / Purchases, rounded to the minor unit; the zero Amount if there is none
	MedianRecency   Number       `json:"median_recency"`   // days; undefined without customers, like the next two
	MedianFrequency Number       `json:"median_frequency"` // purchases
	MedianMonetary  Number       `json:"median_monetary"`  // currency units
	Action          string       `json:"action"`           // recommended next
}

// A SegmentTable has one row a segment, in the order of the map's rules, empty segments included.
type SegmentTable struct {
	End             Date           `json:"end"`
	Currency        money.Currency `json:"currency"`
	Rows            []SegmentRow   `json:"rows"`
	Total           SegmentRow     `json:"total"`            // of all scored customers
	Unscored        int            `json:"unscored"`         // customers without a net positive order
	UnscoredRevenue money.Amount   `json:"unscored_revenue"` // zero or negative; Total.Revenue and this are the revenue of the log
}

// Segments returns the segment table: customers, revenue and their shares, average order, median recency and the
// recommended next action.
func (t *Table) Segments() *SegmentTable {
	names := t.segments()
	of := make([]int, len(t.Rows))
	at := positions(names)
	sizes := make([]int, len(names))
	for i := range t.Rows {
		of[i] = at[t.Rows[i].Segment]
		sizes[of[i]]++
	}
	members := make([][]int32, len(names))
	for k := range members {
		members[k] = make([]int32, 0, sizes[k])
	}
	all := make([]int32, len(t.Rows))
	for i, k := range of {
		members[k] = append(members[k], int32(i))
		all[i] = int32(i)
	}
	s := &SegmentTable{End: t.End, Currency: t.Currency, Rows: make([]SegmentRow, len(names))}
	_ = inWorkers(len(names)+1, workers(0), func(k int) error {
		if k == 0 {
			s.Total = t.sumUp("(all)", all)
			return nil
		}
		s.Rows[k-1] = t.sumUp(names[k-1], members[k-1])
		return nil
	})
	total := s.Total.Revenue.Float64()
	for k := range s.Rows {
		r := &s.Rows[k]
		r.Share = ratio(float64(r.Customers), float64(len(t.Rows)))
		r.RevenueShare = ratio(r.Revenue.Float64(), total)
		r.Action = t.Actions[r.Segment]
	}
	s.Total.Share, s.Total.RevenueShare = ratio(float64(len(t.Rows)), float64(len(t.Rows))), ratio(total, total)
	s.Unscored = len(t.Unscored)
	var left money.Sum
	for i := range t.Unscored {
		left.Add(t.Unscored[i].Revenue)
	}
	left.Add(zero(t.Currency))
	s.UnscoredRevenue, _ = left.Total() // the report's total of the same amounts had no error
	return s
}

// segments returns the map's segments, with any others that rows have been given by hand at the end.
func (t *Table) segments() []string {
	names := t.Map.Segments()
	known := positions(names)
	var others []string
	for i := range t.Rows {
		if s := t.Rows[i].Segment; len(known) > 0 {
			if _, ok := known[s]; !ok {
				known[s] = -1
				others = append(others, s)
			}
		}
	}
	slices.Sort(others)
	return append(names, others...)
}

func positions(names []string) map[string]int {
	at := make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	return at
}

// sumUp sums up the rows of the given places.
func (t *Table) sumUp(segment string, members []int32) SegmentRow {
	r := SegmentRow{Segment: segment, Customers: len(members)}
	var revenue money.Sum
	recency, frequency, value := make([]float64, len(members)), make([]float64, len(members)), make([]float64, len(members))
	for i, at := range members {
		c := &t.Rows[at].Record
		revenue.Add(c.Revenue)
		r.Purchases += c.Frequency
		recency[i], frequency[i], value[i] = float64(c.Recency), float64(c.Frequency), c.Monetary.Float64()
	}
	revenue.Add(zero(t.Currency))
	r.Revenue, _ = revenue.Total() // amounts of one currency that already had a sum
	if r.Purchases > 0 {
		r.AverageOrder, _ = average(r.Revenue, r.Purchases)
	}
	for _, m := range []struct {
		values []float64
		to     *Number
	}{{recency, &r.MedianRecency}, {frequency, &r.MedianFrequency}, {value, &r.MedianMonetary}} {
		sortFloats(m.values, nil)
		*m.to = Number(stat.Quantile(m.values, 0.5))
	}
	return r
}

// zero returns no money of a currency.
func zero(c money.Currency) money.Amount {
	a, err := money.Parse("0", c)
	if err != nil {
		return money.Amount{} // no currency: every amount was the zero Amount
	}
	return a
}

func (s *SegmentTable) rows() []SegmentRow { return append(slices.Clone(s.Rows), s.Total) }

// String returns the table as text, a line a segment, a total, and the customers that are not scored.
func (s *SegmentTable) String() string {
	header := []string{"segment", "customers", "share", "revenue", "share of revenue", "average order", "median recency", "action"}
	var rows [][]string
	for _, r := range s.rows() {
		rows = append(rows, []string{r.Segment, strconv.Itoa(r.Customers), r.Share.percent(), r.Revenue.String(),
			r.RevenueShare.percent(), orDash(r.Purchases > 0, r.AverageOrder.String()), r.MedianRecency.short(), r.Action})
	}
	if s.Unscored > 0 {
		rows = append(rows, []string{"(not scored)", strconv.Itoa(s.Unscored), "", s.UnscoredRevenue.String(), "", "", "", ""})
	}
	return textTable(header, rows, 1)
}

func orDash(ok bool, text string) string {
	if !ok {
		return "-"
	}
	return text
}

// WriteCSV writes the table with a header, the total as segment "(all)" and the customers that are not scored as
// "(not scored)". Shares are fractions, amounts plain decimals, undefined values empty.
func (s *SegmentTable) WriteCSV(w io.Writer) error {
	header := []string{"segment", "customers", "share", "purchases", "revenue", "currency", "revenue_share", "average_order",
		"median_recency", "median_frequency", "median_monetary", "action"}
	var lines [][]string
	for _, r := range s.rows() {
		lines = append(lines, []string{r.Segment, strconv.Itoa(r.Customers), r.Share.csv(), strconv.Itoa(r.Purchases),
			plain(r.Revenue), string(s.Currency), r.RevenueShare.csv(), plain(r.AverageOrder), r.MedianRecency.csv(),
			r.MedianFrequency.csv(), r.MedianMonetary.csv(), r.Action})
	}
	lines = append(lines, []string{"(not scored)", strconv.Itoa(s.Unscored), "", "", plain(s.UnscoredRevenue), string(s.Currency), "", "", "", "", "", ""})
	return writeCSV(w, header, slices.Values(lines))
}

// Segment returns the row of a segment. An error wraps [ErrUnknownSegment] if there is none.
func (s *SegmentTable) Segment(segment string) (SegmentRow, error) {
	var known []string
	for _, r := range s.Rows {
		if r.Segment == segment {
			return r, nil
		}
		known = append(known, r.Segment)
	}
	return SegmentRow{}, unknownSegment(segment, known)
}
