package report

import (
	"context"
	"fmt"
	"strconv"

	"github.com/custval/custval/churn"
	"github.com/custval/custval/ledger"
)

// ages is the greatest age, in months or quarters, of the retention table.
const ages = 12

// retention shows how many of each cohort come back, by age.
func retention(ctx context.Context, f *facts) (Section, error) {
	var s Section
	loc := f.end.Location()
	months := ledger.Months(ledger.Month(f.first.Year(), f.first.Month(), loc).Start, f.after, loc)
	periods, word := months, "month"
	layout := func(p ledger.Period) string { return p.Start.Format("2006-01") }
	if len(months) > 30 {
		word = "quarter"
		periods = nil
		for q := ledger.Quarter(f.first.Year(), 1+int(f.first.Month()-1)/3, loc); q.Start.Before(f.after); q = ledger.Quarter(q.End.Year(), 1+int(q.End.Month()-1)/3, loc) {
			periods = append(periods, q)
		}
		layout = func(p ledger.Period) string {
			return fmt.Sprintf("%d Q%d", p.Start.Year(), 1+int(p.Start.Month()-1)/3)
		}
	}
	if len(periods) < 2 {
		return s, missingf("The log covers %s: too little for cohorts.", f.span())
	}
	if last := &periods[len(periods)-1]; last.End.Before(f.after) {
		return s, fmt.Errorf("the periods end on %s", day(last.End))
	}
	t, err := churn.CohortsBy(ctx, churn.Purchases(ledger.Transactions(f.log)), periods, &churn.CohortOptions{End: f.after})
	if err != nil {
		return s, err
	}
	high := 0.0
	for _, r := range t.Rows {
		for k, c := range r.Cells {
			if v, err := c.Rate(); err == nil && k > 0 && k <= ages && c.Mature {
				high = max(high, v.Value)
			}
		}
	}
	most := 0
	table := &Table{Caption: fmt.Sprintf("Share of each cohort that bought again, by %ss since the first order", word)}
	cells := func(cs []churn.CohortCell) []Cell {
		var row []Cell
		for k := 1; k <= most; k++ {
			if k >= len(cs) || !cs[k].Mature || cs[k].Base == 0 {
				row = append(row, Cell{})
				continue
			}
			v := float64(cs[k].Active) / float64(cs[k].Base)
			row = append(row, Cell{Text: decimals(100*v, 0), Number: v, Shade: ShadeOf(v, 0, high)})
		}
		return row
	}
	for _, r := range t.Rows {
		if r.Size == 0 {
			continue
		}
		for k, c := range r.Cells {
			if c.Mature && k <= ages {
				most = max(most, k)
			}
		}
	}
	if most == 0 {
		return s, missingf("No cohort is a whole %s old yet.", word)
	}
	for _, r := range t.Rows {
		if r.Size > 0 {
			table.Rows = append(table.Rows, append([]Cell{text(layout(r.Period)), number(r.Size)}, cells(r.Cells)...))
		}
	}
	table.Columns = []Column{{"First order", false}, {"Customers", true}}
	for k := 1; k <= most; k++ {
		table.Columns = append(table.Columns, Column{strconv.Itoa(k), true})
	}
	table.Total = append([]Cell{text("All"), text("")}, cells(t.Total)...)
	table.Caption += " (%)"
	curve := &LineChart{Title: "Average retention by age", X: Axis{Title: word + "s since the first order", Low: 1, High: float64(max(2, most))},
		Y: Axis{Title: "customers who bought in that " + word + " (%)", Percent: true}, Series: []Series{{Name: "all cohorts, with the " + f.level() + " interval"}}}
	line := &curve.Series[0]
	var first, last float64
	for k := 1; k <= most && k < len(t.Total); k++ {
		v, err := t.Total[k].Rate()
		if err != nil {
			break
		}
		low, high, err := v.Interval(f.o.Level)
		if err != nil {
			return s, err
		}
		line.Points = append(line.Points, Point{float64(k), v.Value})
		line.Low, line.High = append(line.Low, low), append(line.High, high)
		if k == 1 {
			first = v.Value
		}
		last = v.Value
	}
	s.Lead = fmt.Sprintf("In the %s after the first, %s of the customers buy again", word, share(first))
	if n := len(line.Points); n > 1 {
		s.Lead += fmt.Sprintf("; %d %ss after it, %s do", n, word, share(last))
		for k := 1; k <= n; k++ {
			curve.X.Ticks = append(curve.X.Ticks, Tick{float64(k), strconv.Itoa(k)})
		}
	}
	s.Lead += "."
	curve.Says = fmt.Sprintf("The part of all customers who buy in the %ss after their first order, from %s to %s.", word, share(first), share(last))
	s.Blocks = []Block{table}
	if len(line.Points) > 1 {
		s.Blocks = append(s.Blocks, curve)
	}
	s.Blocks = append(s.Blocks, Note(fmt.Sprintf("Read a row from left to right. A customer counts in every %s with a purchase, so a pause is no loss; %ss that had not ended on %s are left empty.", word, word, day(f.end))))
	return s, nil
}
