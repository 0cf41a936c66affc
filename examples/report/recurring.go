package report

import (
	"context"
	"fmt"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// recurring is what subscriptions bring a month, and what moved it over the last year.
func recurring(ctx context.Context, f *facts) (Section, error) {
	var s Section
	if f.o.Subscriptions == nil {
		return s, missingf("Subscriptions were not given.")
	}
	book := f.o.Subscriptions.Until(f.after)
	now, err := book.At(f.after.Add(-1)) // as the closing of the year: what happens at the next midnight is not in it
	if err != nil {
		return s, err
	}
	year := ledger.Period{Start: f.after.AddDate(-1, 0, 0), End: f.after}
	p, err := book.Period(year)
	if err != nil {
		return s, err
	}
	if now.MRR.IsZero() && p.Opening.IsZero() {
		return s, missingf("No subscription brought anything on %s or a year before.", day(f.end))
	}
	c := string(now.Currency)
	figures := Figures{
		{Name: "MRR", Value: with(now.Currency, whole(now.MRR)), Note: "recurring revenue a month; a year ago " + with(now.Currency, whole(p.Opening))},
		{Name: "ARR", Value: with(now.Currency, whole(now.ARR)), Note: "recurring revenue a year, twelve times MRR"},
		{Name: "Paying customers", Value: count(int(now.Paying)), Note: fmt.Sprintf("of %s with a subscription", count(int(now.Customers)))},
	}
	if a, err := now.ARPA.Value(); err == nil {
		figures = append(figures, Figure{Name: "MRR a paying customer", Value: with(now.Currency, exact(a))})
	}
	for _, r := range []struct {
		name, note string
		rate       subscription.MoneyRate
	}{{"Net revenue retention", "what customers of a year ago pay now, of what they paid then", p.NRR}, {"Gross revenue retention", "the same without what they added", p.GRR}} {
		if v, err := r.rate.Value(); err == nil {
			figures = append(figures, Figure{Name: r.name, Value: share(v), Note: r.note})
		}
	}
	if v, err := p.LogoChurn.Value(); err == nil {
		figures = append(figures, Figure{Name: "Customers lost in a year", Value: share(v), Note: fmt.Sprintf("%s of %s", count(int(p.LogoChurn.Part)), count(int(p.LogoChurn.Base)))})
	}
	s.Lead = fmt.Sprintf("Subscriptions bring %s a month", with(now.Currency, whole(now.MRR)))
	if g, err := p.Growth.Value(); err == nil {
		s.Lead += fmt.Sprintf(", %s against a year ago", signed(g))
	}
	s.Lead += "."
	if v, err := p.NRR.Value(); err == nil {
		if v >= 1 {
			s.Lead += fmt.Sprintf(" The customers of then pay %s of what they paid: they grow without a single new one.", share(v))
		} else {
			s.Lead += fmt.Sprintf(" The customers of then pay %s of what they paid; new ones must make up for the rest.", share(v))
		}
	}
	bars := &BarChart{Title: "What moved MRR over the last year", Axis: Axis{Title: "MRR (" + c + ")"}}
	at := 0.0
	for i, step := range []struct {
		name string
		by   money.Amount
		tone Tone
	}{{"A year ago", p.Opening, Blue}, {"New customers", p.New, Up}, {"Returned customers", p.Reactivation, Up}, {"Expansion", p.Expansion, Up},
		{"Contraction", p.Contraction.Neg(), Down}, {"Churn", p.Churn.Neg(), Down}, {"Exchange rates", p.FX, Gray}, {"Now", p.Closing, Blue}} {
		v := step.by.Float64()
		if step.name == "Exchange rates" && v == 0 {
			continue
		}
		b := Bar{Name: step.name, Start: at, Parts: []float64{v}, Tone: step.tone, Label: whole(step.by)}
		switch {
		case i == 0 || step.name == "Now":
			b.Start, at = 0, v
		default:
			if v > 0 {
				b.Label = "+" + b.Label
			}
			at += v
		}
		bars.Bars = append(bars.Bars, b)
	}
	bars.Says = fmt.Sprintf("New and returned customers and expansion added to the %s of a year ago, contraction and churn took away; %s remain.", with(now.Currency, whole(p.Opening)), with(now.Currency, whole(p.Closing)))
	months := ledger.Months(year.Start, year.End, f.end.Location())
	s.Blocks = []Block{figures, bars}
	if len(months) > 1 && months[0].Start.Equal(year.Start) && months[len(months)-1].End.Equal(year.End) {
		t, err := f.moves(ctx, book, months, c)
		if err != nil {
			return s, err
		}
		s.Blocks = append(s.Blocks, t)
	}
	plans, err := book.By(f.after.Add(-1), subscription.Plans())
	if err != nil {
		return s, err
	}
	t := &Table{Caption: "MRR by plan on " + day(f.end), Columns: []Column{{"Plan", false}, {"Customers", true}, {"MRR (" + c + ")", true}, {"Share", true}}}
	for _, g := range plans.Groups {
		part := missing()
		if v, err := g.Share.Value(); err == nil {
			part = rate(v)
		}
		t.Rows = append(t.Rows, []Cell{text(g.Key), number(int(g.Customers)), amount(g.MRR), part})
	}
	t.Total = []Cell{text("All"), number(int(now.Paying)), amount(plans.Total), rate(1)}
	if !plans.Total.IsZero() {
		s.Blocks = append(s.Blocks, t)
	}
	s.Blocks = append(s.Blocks, Note("A year\u2019s contract counts a twelfth a month; trials bring nothing until they convert; who pauses stays a customer who does not pay."))
	return s, nil
}

// moves is the movements of MRR month by month.
func (f *facts) moves(ctx context.Context, book *subscription.Book, months []ledger.Period, c string) (*Table, error) {
	roll, err := book.RollForward(ctx, months)
	if err != nil {
		return nil, err
	}
	t := &Table{Caption: "MRR month by month (" + c + ")", Columns: []Column{{"Month", false}, {"Opening", true}, {"New", true}, {"Returned", true},
		{"Expansion", true}, {"Contraction", true}, {"Churn", true}, {"Closing", true}}}
	for _, p := range roll.Periods {
		t.Rows = append(t.Rows, []Cell{text(p.Period.Start.Format("2006-01")), total(p.Opening), total(p.New), total(p.Reactivation), total(p.Expansion),
			total(p.Contraction.Neg()), total(p.Churn.Neg()), total(p.Closing)})
	}
	return t, nil
}
