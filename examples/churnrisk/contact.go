package main

import (
	"math"
	"strconv"
	"time"

	"github.com/custval/custval/churn/risk"
	"github.com/custval/custval/churn/survival"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

const horizon = 6 // months to look ahead

// contacts lists the accounts that it pays to call: by what a call is expected to keep, not by risk alone.
func contacts(p *story.Printer, c config, end time.Time, contact money.Amount, book *subscription.Book, rows []subscription.Row, tenures []ledger.Tenure, d *survival.Design, f *survival.CoxFit) (*risk.ContactList, error) {
	by, err := book.By(end, subscription.Customers("customer", func(customer string) string { return customer }))
	if err != nil {
		return nil, err
	}
	mrr := map[string]money.Amount{}
	for _, g := range by.Groups {
		mrr[g.Key] = g.MRR
	}
	bound := cannotLeave(rows, end)
	var prospects []risk.Prospect
	held := 0
	for i, t := range tenures {
		pays, runs := mrr[t.Customer]
		if t.Ended || !runs || pays.IsZero() {
			continue
		}
		if bound[t.Customer] {
			held++
			continue
		}
		// A tenure counts for a year of MRR, of which four fifths are margin.
		value, err := pays.MulRat(12*4, 5, money.HalfEven)
		if err != nil {
			return nil, err
		}
		leaves, err := riskOf(f, d.Row(i), t.Labels[contract], t.Duration)
		if err != nil {
			return nil, err
		}
		prospects = append(prospects, risk.Prospect{Customer: t.Customer, Risk: leaves, Value: value})
	}
	list, err := risk.Contacts(prospects, risk.ContactOptions{Contact: contact, IncentiveShare: 0.08, Accept: 0.3, Decline: 0.6, Most: 12})
	if err != nil {
		return nil, err
	}
	best := "twelve"
	if n := len(list.Rows); n != 12 {
		best = strconv.Itoa(n)
	}
	p.Say("%d accounts pay and could leave within %d months; %d more are bound by a contract or have canceled already. An account\n"+
		"is worth its margin of a year, 80 %% of MRR. A call costs %s %s; one month free (8 %% of the year) keeps three in ten of\n"+
		"those who would leave, and four in ten of the others take it as well. The best %s of the %d calls that pay:\n\n%s",
		len(prospects), horizon, held, c.currency, c.contact, best, list.Paying, list)
	p.Say("Neither the riskiest accounts lead the list nor the largest, but those where risk and value meet. That calls work, and\n" +
		"on how many, is an assumption until a part of the list is left uncalled at random and compared.")
	return list, nil
}

// cannotLeave returns who is bound by a yearly contract beyond the horizon, and who has already asked for the end.
func cannotLeave(rows []subscription.Row, end time.Time) map[string]bool {
	until := end.AddDate(0, horizon, 0)
	out := map[string]bool{}
	for _, r := range rows {
		if r.From.After(end) || (!r.To.IsZero() && !r.To.After(end)) {
			continue
		}
		if !r.CancelRequested.IsZero() {
			out[r.Customer] = true
		}
		for _, t := range r.Terms {
			if t.End.After(until) {
				out[r.Customer] = true
			}
		}
	}
	return out
}

// riskOf is the probability to leave within the horizon of an account that has come to an age: 1 - S(age+horizon)/S(age).
// Where few accounts have been that old little is known; there the last months before stand for what follows.
func riskOf(f *survival.CoxFit, row []float64, stratum string, age float64) (float64, error) {
	curve, err := f.Estimate.Model.PredictRow(row, stratum, nil)
	if err != nil {
		return 0, err
	}
	known := 0.0
	for _, b := range f.Estimate.Model.Baselines {
		for _, s := range b.Steps {
			if b.Stratum == stratum && s.AtRisk >= fewest {
				known = s.Time
			}
		}
	}
	from := math.Max(0, math.Min(age, known-horizon))
	before := curve.Survival(from)
	if before == 0 {
		return 1, nil
	}
	return 1 - curve.Survival(from+horizon)/before, nil
}
