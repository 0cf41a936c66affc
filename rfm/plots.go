package rfm

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/money"
)

// A HeatCell is one cell of recency and frequency scores.
type HeatCell struct {
	R            int          `json:"r"`
	F            int          `json:"f"`
	Customers    int          `json:"customers"`
	Share        Number       `json:"share"` // of the scored customers
	Revenue      money.Amount `json:"revenue"`
	MeanMonetary Number       `json:"mean_monetary"` // currency units; undefined without customers
}

// A HeatMap has every cell of R and F, empty ones included, from R 1, F 1 on, F running faster.
type HeatMap struct {
	Bins  int        `json:"bins"` // of R; Cells is Bins times the bins of F
	Cells []HeatCell `json:"cells"`
}

// HeatMap returns customers, revenue and mean monetary value by the scores of recency and frequency.
func (t *Table) HeatMap() *HeatMap {
	rs, fs := t.Scales.R.Bins, t.Scales.F.Bins
	revenue, total := make([]money.Sum, rs*fs), make([]float64, rs*fs)
	h := &HeatMap{Bins: rs, Cells: make([]HeatCell, rs*fs)}
	for i := range t.Rows {
		r := &t.Rows[i]
		at := (r.R-1)*fs + r.F - 1
		h.Cells[at].Customers++
		revenue[at].Add(r.Revenue)
		total[at] += r.Monetary.Float64()
	}
	for at := range h.Cells {
		c := &h.Cells[at]
		c.R, c.F = at/fs+1, at%fs+1
		c.Share = ratio(float64(c.Customers), float64(len(t.Rows)))
		c.MeanMonetary = ratio(total[at], float64(c.Customers))
		revenue[at].Add(zero(t.Currency))
		c.Revenue, _ = revenue[at].Total()
	}
	return h
}

// String returns the number of customers with R across and F down, the best at the top right.
func (h *HeatMap) String() string {
	fs := len(h.Cells) / h.Bins
	header := []string{"F \\ R"}
	for r := 1; r <= h.Bins; r++ {
		header = append(header, strconv.Itoa(r))
	}
	var rows [][]string
	for f := fs; f >= 1; f-- {
		row := []string{strconv.Itoa(f)}
		for r := 1; r <= h.Bins; r++ {
			row = append(row, strconv.Itoa(h.Cells[(r-1)*fs+f-1].Customers))
		}
		rows = append(rows, row)
	}
	return textTable(header, rows, 1)
}

// WriteCSV writes one line a cell with a header.
func (h *HeatMap) WriteCSV(w io.Writer) error {
	return writeCSV(w, []string{"r", "f", "customers", "share", "revenue", "mean_monetary"}, func(yield func([]string) bool) {
		for i := range h.Cells {
			c := &h.Cells[i]
			if !yield([]string{strconv.Itoa(c.R), strconv.Itoa(c.F), strconv.Itoa(c.Customers), c.Share.csv(), plain(c.Revenue), c.MeanMonetary.csv()}) {
				return
			}
		}
	})
}

// A Measure names what a histogram counts.
type Measure uint8

// The measures of a record.
const (
	Recency   Measure = iota // days
	Frequency                // purchases
	Monetary                 // currency units
)

var measureNames = []string{"recency", "frequency", "monetary"}

// String returns recency, frequency or monetary.
func (m Measure) String() string { return name(measureNames, uint8(m)) }

// MarshalText returns String.
func (m Measure) MarshalText() ([]byte, error) { return nameText(measureNames, uint8(m), "measure") }

// UnmarshalText reads what MarshalText writes.
func (m *Measure) UnmarshalText(text []byte) error {
	v, err := nameOf(measureNames, text, "measure")
	*m = Measure(v)
	return err
}

// A Bar counts the customers with From <= value < To; the last bar of a histogram also holds To itself.
type Bar struct {
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Customers int     `json:"customers"`
	Share     Number  `json:"share"`
}

// A Histogram has bars of equal width from the least to the greatest value; all bars together hold every scored customer.
type Histogram struct {
	Measure Measure `json:"measure"`
	Bars    []Bar   `json:"bars"`
}

// Histogram returns the distribution of a measure in n bars; if all values are equal it has one bar. It returns an error
// unless n is 1 to 10,000 and the measure is known.
func (t *Table) Histogram(m Measure, n int) (*Histogram, error) {
	if int(m) >= len(measureNames) {
		return nil, fmt.Errorf("rfm: measure %d: not one of %q", m, measureNames)
	}
	if n < 1 || n > 10000 {
		return nil, fmt.Errorf("rfm: histogram of %d bars: want 1 to 10000", n)
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("rfm: histogram of a table without rows")
	}
	values := make([]float64, len(t.Rows))
	for i := range t.Rows {
		values[i] = t.value(m, i)
	}
	least, most := slices.Min(values), slices.Max(values)
	if least == most {
		n = 1
	}
	h := &Histogram{Measure: m, Bars: make([]Bar, n)}
	edge := func(k int) float64 {
		if k == n {
			return most
		}
		return least + (most-least)*(float64(k)/float64(n))
	}
	for k := range h.Bars {
		h.Bars[k].From, h.Bars[k].To = edge(k), edge(k+1)
	}
	for _, v := range values {
		k := 0
		if most > least {
			k = min(n-1, int((v-least)/(most-least)*float64(n)))
		}
		for k > 0 && v < h.Bars[k].From { // the division may round across an edge
			k--
		}
		for k < n-1 && v >= h.Bars[k].To {
			k++
		}
		h.Bars[k].Customers++
	}
	for k := range h.Bars {
		h.Bars[k].Share = ratio(float64(h.Bars[k].Customers), float64(len(values)))
	}
	return h, nil
}

func (t *Table) value(m Measure, i int) float64 {
	switch m {
	case Recency:
		return float64(t.Rows[i].Recency)
	case Frequency:
		return float64(t.Rows[i].Frequency)
	}
	return t.Rows[i].Monetary.Float64()
}

func (h *Histogram) rows() ([]string, [][]string) {
	var rows [][]string
	for _, b := range h.Bars {
		rows = append(rows, []string{strconv.FormatFloat(b.From, 'g', -1, 64), strconv.FormatFloat(b.To, 'g', -1, 64),
			strconv.Itoa(b.Customers), b.Share.csv()})
	}
	return []string{"from", "to", "customers", "share"}, rows
}

// String returns the bars as a text table.
func (h *Histogram) String() string {
	header, rows := h.rows()
	for i := range rows {
		rows[i][3] = h.Bars[i].Share.percent()
	}
	return textTable(header, rows, 0)
}

// WriteCSV writes one line a bar with a header.
func (h *Histogram) WriteCSV(w io.Writer) error {
	header, rows := h.rows()
	return writeCSV(w, header, slices.Values(rows))
}

// A ParetoPoint says which share of the revenue the best customers bring.
type ParetoPoint struct {
	Customers    int          `json:"customers"` // the best so many
	Share        Number       `json:"share"`     // of the scored customers
	Revenue      money.Amount `json:"revenue"`   // theirs
	RevenueShare Number       `json:"revenue_share"`
}

// A Pareto is the curve of revenue over customers, best customers first, with the Gini coefficient of revenue.
type Pareto struct {
	Points []ParetoPoint `json:"points"` // from no customer to all of them
	// Gini is 0 for equal revenues and near 1 if one customer brings all; undefined where a revenue is negative or the
	// total is zero.
	Gini Number `json:"gini"`
}

// Pareto returns n+1 points of the curve that says "the best 20 % of the customers bring 80 % of the revenue", at equal
// steps of the customers, rounded to whole customers. It returns an error unless n is 1 to 10,000.
func (t *Table) Pareto(n int) (*Pareto, error) {
	if n < 1 || n > 10000 {
		return nil, fmt.Errorf("rfm: pareto curve of %d steps: want 1 to 10000", n)
	}
	if len(t.Rows) == 0 {
		return nil, fmt.Errorf("rfm: pareto curve of a table without rows")
	}
	order := make([]int32, len(t.Rows))
	value := make([]float64, len(t.Rows))
	for i := range order {
		order[i], value[i] = int32(i), t.Rows[i].Revenue.Float64()+0
	}
	radixSort(order, func(i int32) uint64 { return ^floatKey(value[i]) }, 1, nil)
	p := &Pareto{Points: make([]ParetoPoint, 0, n+1), Gini: gini(order, value)}
	var sum money.Sum
	sum.Add(zero(t.Currency))
	done := 0
	for k := 0; k <= n; k++ {
		to := int(math.Round(float64(k) * float64(len(order)) / float64(n)))
		for ; done < to; done++ {
			sum.Add(t.Rows[order[done]].Revenue)
		}
		revenue, err := sum.Total()
		if err != nil {
			return nil, fmt.Errorf("rfm: %w", err)
		}
		p.Points = append(p.Points, ParetoPoint{Customers: to, Share: ratio(float64(to), float64(len(order))), Revenue: revenue})
	}
	total := p.Points[n].Revenue.Float64()
	for k := range p.Points {
		p.Points[k].RevenueShare = ratio(p.Points[k].Revenue.Float64(), total)
	}
	return p, nil
}

// gini returns the Gini coefficient of values in falling order:
//
//	G = (n + 1 - 2 sum_i i x_(i) / sum x) / n   with the greatest value first
func gini(order []int32, value []float64) Number {
	n := float64(len(order))
	if value[order[len(order)-1]] < 0 {
		return Undefined()
	}
	sum, ranked := 0.0, 0.0
	for i, at := range order {
		sum += value[at]
		ranked += float64(float64(i+1) * value[at])
	}
	if sum == 0 {
		return Undefined()
	}
	return Number(max(0, (n+1-2*ranked/sum)/n))
}

func (p *Pareto) rows() ([]string, [][]string) {
	var rows [][]string
	for _, x := range p.Points {
		rows = append(rows, []string{strconv.Itoa(x.Customers), x.Share.csv(), plain(x.Revenue), x.RevenueShare.csv()})
	}
	return []string{"customers", "share", "revenue", "revenue_share"}, rows
}

// String returns the points as a text table and the Gini coefficient below it.
func (p *Pareto) String() string {
	header, rows := p.rows()
	for i, x := range p.Points {
		rows[i][1], rows[i][2], rows[i][3] = x.Share.percent(), x.Revenue.String(), x.RevenueShare.percent()
	}
	text := textTable(header, rows, 0)
	if p.Gini.Defined() {
		text += "Gini coefficient " + strconv.FormatFloat(float64(p.Gini), 'f', 3, 64) + "\n"
	}
	return text
}

// WriteCSV writes one line a point with a header.
func (p *Pareto) WriteCSV(w io.Writer) error {
	header, rows := p.rows()
	return writeCSV(w, header, slices.Values(rows))
}

// HighValue returns the fewest best customers by revenue who bring at least the given share of the revenue, best first:
// HighValue(0.8) for the usual 80 %. Ties are in the order of the customers. It returns an error for a share outside
// (0, 1] or a total revenue that is not positive.
func (t *Table) HighValue(share float64) ([]Row, error) {
	if !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("rfm: share %v of the revenue: want above 0 and at most 1", share)
	}
	order, value := make([]int32, len(t.Rows)), make([]float64, len(t.Rows))
	total := 0.0
	for i := range order {
		order[i], value[i] = int32(i), t.Rows[i].Revenue.Float64()+0
		total += value[i]
	}
	if !(total > 0) {
		return nil, fmt.Errorf("rfm: share of a total revenue of %v: %w", total, errNotPositive)
	}
	radixSort(order, func(i int32) uint64 { return ^floatKey(value[i]) }, 1, nil)
	var rows []Row
	sum := 0.0
	for _, i := range order {
		if sum >= share*total*(1-1e-12) { // rounding of the sum does not add a customer
			break
		}
		sum += value[i]
		rows = append(rows, t.Rows[i])
	}
	return rows, nil
}
