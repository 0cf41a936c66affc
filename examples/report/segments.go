package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/rfm"
)

// segments puts every customer into a cell of recency and frequency.
func segments(ctx context.Context, f *facts) (Section, error) {
	var s Section
	if !slices.ContainsFunc(f.pasts, func(p clv.Past) bool { c, err := p.Revenue.Cmp(p.Refunds); return err == nil && c > 0 }) {
		return s, missingf("No customer has paid more than was refunded, so there are no segments.")
	}
	t, err := rfm.Analyze(ctx, ledger.Transactions(f.log), f.end, nil)
	if err != nil {
		return s, err
	}
	h := t.HeatMap()
	cells := make(map[[2]int]rfm.HeatCell)
	most, bins := 0, 0
	for _, c := range h.Cells {
		cells[[2]int{c.R, c.F}] = c
		most, bins = max(most, c.Customers), max(bins, c.F)
	}
	grid := &Table{Caption: "Customers by recency score (rows) and frequency score (columns), with the segment of each cell", Columns: []Column{{"Recency score", false}}}
	for c := 1; c <= bins; c++ {
		title := "Frequency " + strconv.Itoa(c)
		switch c {
		case 1:
			title += ", least often"
		case bins:
			title += ", most often"
		}
		grid.Columns = append(grid.Columns, Column{title, false})
	}
	for r := h.Bins; r >= 1; r-- {
		name := strconv.Itoa(r)
		switch r {
		case 1:
			name += ", longest ago"
		case h.Bins:
			name += ", most recent"
		}
		row := []Cell{text(name)}
		for c := 1; c <= bins; c++ {
			segment, err := t.Map.Segment(r, c, 1)
			if err != nil {
				return s, err
			}
			n := cells[[2]int{r, c}].Customers
			row = append(row, Cell{Text: count(n), Note: segment, Number: float64(n), Shade: ShadeOf(float64(n), 0, float64(most))})
		}
		grid.Rows = append(grid.Rows, row)
	}
	sums := t.Segments()
	c := string(f.currency)
	table := &Table{Caption: "Segments and what to do about them", Columns: []Column{{"Segment", false}, {"Customers", true}, {"Share", true}, {"Revenue (" + c + ")", true},
		{"Share of revenue", true}, {"Average order (" + c + ")", true}, {"Days since last order", true}, {"What to do", false}}}
	bars := &BarChart{Title: "Share of the revenue by segment", Axis: Axis{Title: "share of the revenue so far (%)", Percent: true}}
	best := sums.Rows[0]
	for _, r := range sums.Rows {
		if r.Customers == 0 {
			continue
		}
		if float64(r.RevenueShare) > float64(best.RevenueShare) {
			best = r
		}
		table.Rows = append(table.Rows, []Cell{text(r.Segment), number(r.Customers), rate(float64(r.Share)), total(r.Revenue), f.ratio(float64(r.RevenueShare)),
			amount(r.AverageOrder), value(float64(r.MedianRecency), 0), text(capital(r.Action))})
		if v := float64(r.RevenueShare); v == v {
			bars.Bars = append(bars.Bars, Bar{Name: r.Segment, Parts: []float64{v}, Label: share(v)})
		}
	}
	table.Total = []Cell{text("All"), number(sums.Total.Customers), rate(1), total(sums.Total.Revenue), f.ratio(float64(sums.Total.RevenueShare)), amount(sums.Total.AverageOrder),
		value(float64(sums.Total.MedianRecency), 0), text("")}
	s.Lead = fmt.Sprintf("%s of the customers are %s and bring %s of the revenue.", share(float64(best.Share)), best.Segment, share(float64(best.RevenueShare)))
	slices.SortStableFunc(bars.Bars, func(a, b Bar) int { return cmp.Compare(b.Parts[0], a.Parts[0]) })
	bars.Says = "Each bar is a segment's part of all revenue so far, the largest first."
	s.Blocks = []Block{grid}
	if len(bars.Bars) > 0 {
		s.Blocks = append(s.Blocks, bars)
	}
	s.Blocks = append(s.Blocks, table, Note(fmt.Sprintf("Scores run from 1 to %d by how recently and how often customers bought; %d is best. Customers who did the same have the same score.", h.Bins, h.Bins)))
	if sums.Unscored > 0 {
		s.Blocks = append(s.Blocks, Note(fmt.Sprintf("%s without an order that is more than its refunds are in no segment.", capital(f.people(sums.Unscored)))))
	}
	return s, nil
}

// ratio is a rate that may not exist.
func (f *facts) ratio(v float64) Cell {
	if v != v {
		return missing()
	}
	return rate(v)
}
