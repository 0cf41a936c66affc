package report

import (
	"cmp"
	"context"
	"fmt"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
)

// products ranks what is sold by what it earns.
func products(ctx context.Context, f *facts) (Section, error) {
	var s Section
	by, word := cac.ProductOf, "product"
	if !f.has(by) {
		by, word = func(t ledger.Transaction) string { return t.Category }, "category"
	}
	if !f.has(by) {
		return s, missingf("The orders name neither products nor categories.")
	}
	o := &cac.ProfitOptions{}
	if !f.earned.costs {
		o.Margin = f.earned.share
	}
	p, err := cac.Profitability(ctx, ledger.Transactions(f.log), by, o)
	if err != nil {
		return s, err
	}
	c := string(f.currency)
	t := &Table{Caption: fmt.Sprintf("Revenue and profit by %s, the most profitable first", word), Sortable: true, Columns: []Column{{capital(word), false}, {"Order lines", true},
		{"Revenue (" + c + ")", true}, {"Refunds (" + c + ")", true}, {"Cost of the goods (" + c + ")", true}, {"Profit (" + c + ")", true}, {"Profit of revenue", true}}}
	const most = 20
	row := func(r cac.ProfitRow) []Cell {
		margin := missing()
		if v, err := r.Margin(); err == nil {
			margin = rate(v)
		}
		profit := total(r.Profit)
		if r.NoCost > 0 {
			profit = missing()
		}
		return []Cell{text(cmp.Or(r.Group, "not named")), number(r.Lines), total(r.Revenue), total(r.Refunds), total(r.Cost), profit, margin}
	}
	bars := &BarChart{Title: "Profit by " + word, Axis: Axis{Title: "profit after the cost of the goods (" + c + ")"}}
	for _, r := range p.Top(most) {
		t.Rows = append(t.Rows, row(r))
		if r.NoCost == 0 && len(bars.Bars) < 10 {
			bars.Bars = append(bars.Bars, Bar{Name: cmp.Or(r.Group, "not named"), Parts: []float64{r.Profit.Float64()}, Label: whole(r.Profit)})
		}
	}
	t.Total = row(p.Total)
	t.Total[0] = text("All")
	best := p.Rows[0]
	s.Lead = fmt.Sprintf("Most profit comes from %s: %s", cmp.Or(best.Group, "goods without a name"), f.money(best.Profit))
	if part, err := best.Profit.Ratio(p.Total.Profit); err == nil && p.Total.NoCost == 0 && p.Total.Profit.Sign() > 0 {
		s.Lead += ", " + share(part) + " of all"
	}
	s.Lead += "."
	if m, err := best.Margin(); err == nil && len(p.Rows) > 1 {
		top, by := best, m
		for _, r := range p.Rows {
			if v, err := r.Margin(); err == nil && r.NoCost == 0 && v > by {
				top, by = r, v
			}
		}
		if top.Group != best.Group {
			s.Lead += fmt.Sprintf(" The highest margin is that of %s, %s of the revenue; that of %s is %s.", cmp.Or(top.Group, "goods without a name"), share(by),
				cmp.Or(best.Group, "goods without a name"), share(m))
		} else {
			s.Lead += fmt.Sprintf(" The margin there is the highest too, %s of the revenue.", share(m))
		}
	}
	bars.Says = fmt.Sprintf("Each bar is what a %s earned after the cost of its goods, the most profitable first.", word)
	if len(bars.Bars) > 0 {
		s.Blocks = append(s.Blocks, bars)
	}
	s.Blocks = append(s.Blocks, t)
	if len(p.Rows) > most {
		s.Blocks = append(s.Blocks, Note(fmt.Sprintf("The table has the first %d of %s rows; the last line sums up all of them.", most, count(len(p.Rows)))))
	}
	if !f.earned.costs && f.earned.word == "revenue" {
		s.Blocks = append(s.Blocks, Note("The log has no cost of the goods for every order, so what is called profit here is revenue."))
	}
	return s, nil
}

// has tells whether any row has the property.
func (f *facts) has(by cac.Grouping) bool {
	for _, t := range f.log {
		if by(t) != "" {
			return true
		}
	}
	return false
}
