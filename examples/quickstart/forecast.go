package main

import (
	"context"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

// forecast prints expected purchases by how often the customers bought before, beside what happened where the log goes
// on after the end of observation.
func forecast(ctx context.Context, p *printer, m clv.BGNBD, hs *clv.Histories, log []ledger.Transaction, last time.Time, horizon float64, held bool) error {
	const classes = 8 // 0 to 6 repeat purchases, and more
	var customers [classes]int
	var expected, actual [classes]float64
	happened, err := later(ctx, hs, log, last)
	if err != nil {
		return err
	}
	var total, truth float64
	for i, h := range hs.Rows {
		c := min(h.X, classes-1)
		e := m.ExpectedPurchases(h, horizon)
		customers[c]++
		expected[c] += e
		actual[c] += happened[i]
		total, truth = total+e, truth+happened[i]
	}
	if held {
		p.say("Expected purchases: %.0f. What happened: %.0f (the forecast is %+.1f %% away).", total, truth, 100*(total/truth-1))
		p.say("\n  repeat purchases  customers  expected a customer  happened a customer")
	} else {
		p.say("Expected purchases: %.0f. The log ends with the observation, so there is nothing to compare them with.", total)
		p.say("\n  repeat purchases  customers  expected a customer")
	}
	for c, n := range customers {
		if n == 0 {
			continue
		}
		name := string(rune('0' + c))
		if c == classes-1 {
			name += "+"
		}
		if held {
			p.say("  %16s  %9d  %19.3f  %19.3f", name, n, expected[c]/float64(n), actual[c]/float64(n))
		} else {
			p.say("  %16s  %9d  %19.3f", name, n, expected[c]/float64(n))
		}
	}
	return nil
}

// later returns how many purchases each customer made after the end of observation.
func later(ctx context.Context, hs *clv.Histories, log []ledger.Transaction, last time.Time) ([]float64, error) {
	n := make([]float64, len(hs.Rows))
	if !last.After(hs.End) {
		return n, nil
	}
	all, err := clv.Summarize(ctx, ledger.Transactions(log), last, hs.Unit, nil)
	if err != nil {
		return nil, err
	}
	// Both are sorted by customer, and whoever bought before the end is in both.
	i := 0
	for _, h := range all.Rows {
		if i < len(hs.Rows) && h.Customer == hs.Rows[i].Customer {
			n[i] = float64(h.X - hs.Rows[i].X)
			i++
		}
	}
	return n, nil
}

// score prints the best customers and what all of them are worth together, and returns every customer's value.
func score(p *printer, s *clv.Scorer, hs *clv.Histories) ([]float64, error) {
	top, err := s.Top(hs, len(hs.Rows))
	if err != nil {
		return nil, err
	}
	total, err := top.Total()
	if err != nil {
		return nil, err
	}
	p.say("Margin of the next 52 weeks' purchases, at 30 %% of the spend and discounted by 10 %% a year. The ten best:\n\n%s", top[:min(10, len(top))])
	p.say("All %d customers together: %s.", len(top), total)
	values := make([]float64, len(top))
	for i, sc := range top {
		values[i] = sc.Value.Float64()
	}
	share := 0.0
	all := total.Float64()
	for _, v := range values[:len(values)/10] {
		share += v / all
	}
	p.say("The best tenth of them holds %.0f %% of it.", 100*share)
	return values, nil
}
