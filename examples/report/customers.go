package report

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/rfm"
)

// customers lists those from whom most is expected.
func customers(ctx context.Context, f *facts) (Section, error) {
	var s Section
	m, err := f.modeled()
	if err != nil {
		return s, err
	}
	t, err := rfm.Analyze(ctx, ledger.Transactions(f.log), f.end, nil)
	if err != nil {
		return s, err
	}
	past := map[string]clv.Past{}
	for _, p := range f.pasts {
		past[p.Customer] = p
	}
	histories := map[string]clv.History{}
	for _, h := range f.histories.Rows {
		histories[h.Customer] = h
	}
	c := string(f.currency)
	table := &Table{Caption: fmt.Sprintf("The %s of highest residual value", f.people(min(f.o.Top, len(m.scores)))), Sortable: true, Columns: []Column{
		{"Customer", false}, {"Channel", false}, {"Segment", false}, {"Orders", true}, {"Last order", false}, {"Earned so far (" + c + ")", true},
		{"Still a customer", true}, {"Purchases in 52 weeks", true}, {"Residual value (" + c + ")", true}, {f.level() + " interval (" + c + ")", true}}}
	for _, sc := range m.scores[:min(f.o.Top, len(m.scores))] {
		segment := ""
		if row, ok := t.Row(sc.Customer); ok {
			segment = row.Segment
		}
		h := histories[sc.Customer]
		ends := missing()
		if m.precise() {
			i, err := clv.ValueInterval(m.purchases, m.spend, h, m.value, f.o.Level)
			if err != nil {
				return s, err
			}
			ends = Cell{Text: whole(i.Low) + " to " + whole(i.High), Number: i.Low.Float64()}
		}
		p := past[sc.Customer]
		table.Rows = append(table.Rows, []Cell{text(sc.Customer), text(cmp.Or(f.channel(sc.Customer), "\u2013")), text(cmp.Or(segment, "\u2013")), number(p.Orders),
			text(p.Last.In(f.end.Location()).Format(time.DateOnly)), amount(f.profits[sc.Customer]), rate(sc.ProbAlive),
			value(m.purchases.Model.ExpectedPurchases(h, m.year), 1), amount(sc.Value),
			ends})
	}
	spread, err := clv.Concentrate(m.scores)
	if err != nil {
		return s, err
	}
	s.Lead = fmt.Sprintf("The best tenth of the customers holds %s of the residual value, the best fifth %s.", share(spread.TopDecile), share(spread.TopFifth))
	lorenz := &LineChart{Title: "How unevenly the residual value is spread", X: Axis{Title: "share of customers, lowest value first (%)", Percent: true, High: 1},
		Y: Axis{Title: "share of the residual value (%)", Percent: true, High: 1}, Series: []Series{{Name: "customers"},
			{Name: "if all were alike", Points: []Point{{0, 0}, {1, 1}}, Dashed: true, Tone: Gray}}}
	for _, p := range spread.Lorenz {
		lorenz.Series[0].Points = append(lorenz.Series[0].Points, Point{p.Customers, p.Value})
	}
	lorenz.Says = fmt.Sprintf("The further the line sags below the straight one, the more uneven. The Gini coefficient is %.2f: 0 if all were alike, near 1 if one held everything.", spread.Gini)
	s.Blocks = []Block{table, Note("Still a customer is the probability that the customer has not left for good. Residual value is the " + f.earned.word +
		" of all expected orders, discounted; its interval is that of the expectation, and what one customer does will vary more."), lorenz}
	return s, nil
}
