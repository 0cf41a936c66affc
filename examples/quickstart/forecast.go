package main

import (
	"context"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/validate"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/ledger"
)

// forecast prints what the model expects of the customers, beside what happened where the log goes on after the end of
// observation.
func forecast(ctx context.Context, p *story.Printer, m clv.BGNBD, hs *clv.Histories, log []ledger.Transaction, last time.Time, horizon float64) error {
	if !last.After(hs.End) {
		total := 0.0
		for _, h := range hs.Rows {
			total += m.ExpectedPurchases(h, horizon)
		}
		p.Say("Expected purchases: %.0f. The log ends with the observation, so there is nothing to compare them with.", total)
		return nil
	}
	held, err := validate.Split(ctx, ledger.Transactions(log), hs.End, last, hs.Unit, nil)
	if err != nil {
		return err
	}
	card, err := held.Scorecard(m)
	if err != nil {
		return err
	}
	naive, err := validate.Score("same as before", held.Naive(), held.Actual(), nil)
	if err != nil {
		return err
	}
	groups, err := held.ByFrequency(m, 7)
	if err != nil {
		return err
	}
	p.Say("Expected purchases: %.0f. What happened: %.0f (the forecast is %+.1f %% away).", card.Expected, card.Actual, 100*card.Bias)
	p.Say("\nA customer, by the number of repeat purchases until the end of observation:\n\n%s", groups)
	p.Say("The model beside a forecast that everybody goes on as before:\n\n%s", validate.Scorecards{card, naive})
	return nil
}

// score prints the best customers and what all of them are worth together, and returns every customer's value.
func score(p *story.Printer, s *clv.Scorer, hs *clv.Histories) ([]float64, error) {
	top, err := s.Top(hs, len(hs.Rows))
	if err != nil {
		return nil, err
	}
	total, err := top.Total()
	if err != nil {
		return nil, err
	}
	p.Say("Margin of the next 52 weeks' purchases, at 30 %% of the spend and discounted by 10 %% a year. The ten best:\n\n%s", top[:min(10, len(top))])
	p.Say("All %d customers together: %s.", len(top), total)
	values := make([]float64, len(top))
	for i, sc := range top {
		values[i] = sc.Value.Float64()
	}
	share := 0.0
	all := total.Float64()
	for _, v := range values[:len(values)/10] {
		share += v / all
	}
	p.Say("The best tenth of them holds %.0f %% of it.", 100*share)
	return values, nil
}
