package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// acquisition sets what customers cost against what they are worth, by channel.
func acquisition(ctx context.Context, f *facts) (Section, error) {
	var s Section
	if len(f.o.Costs) == 0 {
		return s, missingf("Costs of acquisition were not given.")
	}
	period, err := f.spent()
	if err != nil {
		return s, err
	}
	worth := func(customer string) (money.Amount, bool) {
		_, _, all, err := f.worth(customer)
		return all, err == nil
	}
	t, err := cac.Analyze(ctx, f.o.Costs, f.won, &cac.Options{By: cac.PerChannel, Periods: []ledger.Period{period}, Value: worth,
		Sharing: cac.Sharing{Rule: cac.ByNewCustomers}, Currency: f.currency})
	if err != nil {
		return s, err
	}
	c := string(f.currency)
	table := &Table{Caption: "Full cost and value by channel", Columns: []Column{{"Channel", false}, {"New customers", true}, {"Cost (" + c + ")", true},
		{"Cost a customer, CAC (" + c + ")", true}, {"Lifetime value a customer, CLV (" + c + ")", true}, {"CLV:CAC", true}, {"Earned back after (months)", true}}}
	bars := &BarChart{Title: "CLV:CAC by channel", Axis: Axis{Title: "CLV for each " + c + " of acquisition cost"}}
	curves := &LineChart{Title: "How much of their cost customers have earned, by age", X: Axis{Title: "months since the first order"}, Y: Axis{Title: "earned, of the cost of acquisition (%)", Percent: true}}
	type line struct {
		row   cac.Row
		ratio float64
		cells []Cell
		back  repayment
	}
	measure := func(r cac.Row, name string) (line, error) {
		l := line{row: r}
		cost, ratio, value := missing(), missing(), missing()
		if v, err := r.CAC(); err == nil {
			cost = amount(v.Cost)
		}
		if v, err := r.MeanValue(); err == nil {
			value = amount(v.Amount)
		}
		if v, err := r.LTVToCAC(); err == nil {
			ratio, l.ratio = Cell{Text: decimals(v, 1), Number: v}, v
		}
		var err error
		if l.back, err = f.repay(r, period); err != nil {
			return l, err
		}
		l.cells = []Cell{text(name), number(r.New), total(r.Spend), cost, value, ratio, l.back.cell}
		return l, nil
	}
	var lines []line
	for _, r := range t.Groups {
		l, err := measure(r, cmp.Or(r.Group, "unknown"))
		if err != nil {
			return s, err
		}
		lines = append(lines, l)
	}
	all, err := measure(t.Total, "All")
	if err != nil {
		return s, err
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.ratio, a.ratio) })
	tone := Blue
	for _, l := range lines {
		table.Rows = append(table.Rows, l.cells)
		if l.ratio > 0 {
			bars.Bars = append(bars.Bars, Bar{Name: l.cells[0].Text, Parts: []float64{l.ratio}, Label: decimals(l.ratio, 1)})
		}
		if len(l.back.curve) > 1 && len(curves.Series) < tones-1 {
			curves.Series = append(curves.Series, Series{Name: l.cells[0].Text, Points: l.back.curve, Tone: tone})
			tone++
		}
	}
	table.Total = all.cells
	s.Lead = fmt.Sprintf("From %s to %s, %s were won for %s in all", day(period.Start), day(period.End.AddDate(0, 0, -1)), f.people(t.Total.New), f.money(t.Total.Spend))
	if figure, err := t.Total.CAC(); err == nil {
		s.Lead += fmt.Sprintf(", %s each", with(f.currency, exact(figure.Cost)))
		if ratio, err := t.Total.LTVToCAC(); err == nil {
			s.Lead += fmt.Sprintf("; they are worth %s times that", decimals(ratio, 1))
		}
	}
	s.Lead += "." + all.back.says
	bars.Says = "For each " + c + " that acquisition cost, customers are worth as many as the bar is long: below 1 a channel loses money."
	if len(bars.Bars) > 1 {
		bars.Says = fmt.Sprintf("%s returns most, %s for each one spent, %s least, %s.", capital(bars.Bars[0].Name), bars.Bars[0].Label, bars.Bars[len(bars.Bars)-1].Name, bars.Bars[len(bars.Bars)-1].Label)
	}
	if len(bars.Bars) > 0 {
		s.Blocks = append(s.Blocks, bars)
	}
	s.Blocks = append(s.Blocks, table)
	if len(curves.Series) > 0 {
		most := 0.0
		for _, l := range curves.Series {
			most = max(most, l.Points[len(l.Points)-1].X)
		}
		curves.Series = append(curves.Series, Series{Name: "the cost", Points: []Point{{0, 1}, {most, 1}}, Dashed: true, Tone: Gray})
		curves.Says = "Each line is the customers of a channel; where it crosses 100\u00a0% they have earned what they cost."
		s.Blocks = append(s.Blocks, curves)
	}
	notes := "The cost is everything that acquisition cost, salaries and tools included; what belongs to no channel is shared between the channels by the customers whom they won."
	for _, l := range lines {
		if _, err := l.row.CAC(); errors.Is(err, cac.ErrNoNewCustomers) {
			notes += fmt.Sprintf(" %s cost %s and won nobody by the last touch: it has no cost a customer.", capital(l.cells[0].Text), f.money(l.row.Spend))
		}
	}
	if slices.ContainsFunc(lines, func(l line) bool { return l.back.open }) {
		notes += " Not yet means that the cost has not been earned back in the months that all of these customers have had."
	}
	s.Blocks = append(s.Blocks, Note(notes))
	return s, nil
}

// spent is the days from the first cost to the last, within the log.
func (f *facts) spent() (ledger.Period, error) {
	var p ledger.Period
	for i, c := range f.o.Costs {
		if err := c.Validate(); err != nil {
			return p, fmt.Errorf("costs: row %d: %w", i+1, err)
		}
		at := c.Period
		if at.IsZero() {
			if c.Date.IsZero() {
				continue // due for each customer, whenever they come
			}
			at = ledger.Day(c.Date, nil)
		}
		if p.Start.IsZero() || at.Start.Before(p.Start) {
			p.Start = at.Start
		}
		if at.End.After(p.End) {
			p.End = at.End
		}
	}
	if p.End.After(f.after) {
		p.End = f.after
	}
	if p.Start.IsZero() || !p.End.After(p.Start) {
		return p, missingf("No cost of acquisition is dated on or before %s.", day(f.end))
	}
	return p, nil
}

// A repayment is when the customers of a channel had earned what they cost.
type repayment struct {
	cell  Cell
	curve []Point
	open  bool // not in the months observed
	says  string
}

// repay follows the profit of the customers of a row by whole months of their age, as many as all of them have had.
func (f *facts) repay(r cac.Row, period ledger.Period) (repayment, error) {
	out := repayment{cell: missing()}
	if r.New == 0 || r.Spend.Sign() <= 0 {
		return out, nil
	}
	won := map[string]time.Time{}
	var youngest time.Time
	for _, c := range f.won {
		if !period.Contains(c.Acquired) || r.Dimension != "" && c.Channel != r.Group {
			continue
		}
		won[c.ID] = ledger.Day(c.Acquired, f.end.Location()).Start
		if c.Acquired.After(youngest) {
			youngest = won[c.ID]
		}
	}
	months := 0
	for months < 600 && !ledger.AddMonths(youngest, months+1).After(f.after) {
		months++
	}
	if months == 0 {
		return out, nil
	}
	sums := make([]money.Sum, months)
	for _, t := range f.log {
		at, ok := won[t.Customer]
		if !ok {
			continue
		}
		age := 0
		for age < months && !t.At.Before(ledger.AddMonths(at, age+1)) {
			age++
		}
		if age == months {
			continue
		}
		p, err := f.profit(t)
		if err != nil {
			return out, err
		}
		sums[age].Add(p)
	}
	profits := make([]money.Amount, months)
	var so money.Amount
	out.curve = []Point{{0, 0}}
	for i := range sums {
		var err error
		if profits[i], err = sums[i].Total(); err != nil {
			return out, err
		}
		if so, err = so.Add(profits[i]); err != nil {
			return out, err
		}
		part, err := so.Ratio(r.Spend)
		if err != nil {
			return out, err
		}
		out.curve = append(out.curve, Point{float64(i + 1), part})
	}
	p, err := cac.CohortPayback(r.Spend, profits)
	if err != nil {
		return out, err
	}
	if p.Status == cac.PaidBack {
		out.cell = Cell{Text: decimals(p.Months, 1), Number: p.Months}
		out.says = fmt.Sprintf(" All channels together had earned the cost back after %s months.", decimals(p.Months, 1))
	} else {
		out.open = true
		out.cell = Cell{Text: "not yet, " + share(p.Share), Number: 1e6}
		out.says = fmt.Sprintf(" After %s months, the age that all of them have reached, all channels together have earned %s of the cost.", strconv.Itoa(months), share(p.Share))
	}
	return out, nil
}
