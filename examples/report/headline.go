package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/custval/custval/churn"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// headline is the figures of a meeting, each with what is known of its precision.
func headline(ctx context.Context, f *facts) (Section, error) {
	var s Section
	var revenue money.Sum
	for _, t := range f.log {
		revenue.Add(t.Amount)
	}
	sold, err := revenue.Total()
	if err != nil {
		return s, err
	}
	earned, err := f.earnedSoFar()
	if err != nil {
		return s, err
	}
	figures := Figures{
		{Name: "Customers", Value: count(len(f.pasts)), Note: "with at least one order"},
		{Name: "Revenue", Value: f.money(sold), Note: "net of refunds, " + f.span()},
		{Name: "Earned so far", Value: f.money(earned), Note: f.earning()},
	}
	repeat, err := f.repeats()
	if err != nil {
		return s, err
	}
	figures = append(figures, Figure{Name: "Repeat rate", Value: share(repeat.Value), Interval: f.rates(repeat.Interval), Note: "customers who bought on a second day"})
	half := f.window()
	alive := churn.Share{Base: float64(len(f.pasts))}
	for _, p := range f.pasts {
		if !p.Last.Before(f.after.Add(-half)) {
			alive.Part++
		}
	}
	alive.Value = alive.Part / alive.Base
	weeks := fmt.Sprintf("%.0f weeks", half.Hours()/(24*7))
	figures = append(figures, Figure{Name: "Active customers", Value: count(int(alive.Part)), Interval: share(alive.Value) + " of all", Note: "bought within the last " + weeks})
	lost, err := churn.InactivityRate(ctx, ledger.Transactions(f.log), ledger.Period{Start: f.after.Add(-half), End: f.after}, half)
	switch {
	case err == nil:
		figures = append(figures, Figure{Name: "Churn", Value: share(lost.Value), Interval: f.rates(lost.Interval),
			Note: fmt.Sprintf("of %s active %s ago, bought nothing since", f.people(int(lost.Base)), weeks)})
	case !errors.Is(err, ledger.ErrUndefined):
		return s, err
	}
	s.Lead = fmt.Sprintf("%s have bought for %s since %s; %s bought more than once.", capital(f.people(len(f.pasts))), f.money(sold), day(f.first), share(repeat.Value))
	if f.model != nil {
		purchases, value, err := f.base(f.model)
		if err != nil {
			return s, err
		}
		figures = append(figures,
			Figure{Name: "Purchases, next 52 weeks", Value: decimals(purchases.Value, 0), Interval: f.ends(purchases),
				Note: "expected of today\u2019s customers"},
			Figure{Name: "Residual value of the base", Value: with(f.currency, decimals(value.Value, 0)), Interval: f.ends(value),
				Note: fmt.Sprintf("%s of all their future orders, discounted by %s a year", f.earned.word, plain(f.o.Discount))})
		s.Lead += fmt.Sprintf(" Today\u2019s customers are expected to bring another %s of %s", with(f.currency, decimals(value.Value, 0)), f.earned.word)
		if value.High > value.Low {
			s.Lead += fmt.Sprintf(", %s to %s with a confidence of %s", decimals(value.Low, 0), decimals(value.High, 0), f.level())
		}
		s.Lead += "."
		if value.High <= value.Low {
			s.Lead += " How sure that is cannot be told: the orders hardly determine the model, so take it as a guess."
		}
	}
	s.Blocks = []Block{figures}
	if f.why != nil {
		_, err := f.modeled()
		s.Blocks = append(s.Blocks, Note(err.Error()))
	}
	return s, nil
}

// repeats is the share of customers who bought on a second day.
func (f *facts) repeats() (churn.Share, error) {
	n := 0
	for _, h := range f.histories.Rows {
		if h.X > 0 {
			n++
		}
	}
	if len(f.histories.Rows) == 0 {
		return churn.Share{}, ledger.ErrUndefined
	}
	return churn.Share{Part: float64(n), Base: float64(len(f.histories.Rows)), Value: float64(n) / float64(len(f.histories.Rows))}, nil
}

// window is how long a customer may be silent and still be called active: 26 weeks, or a third of a log that is short.
func (f *facts) window() time.Duration {
	third := f.after.Sub(f.first) / 3
	weeks := max(1, third/clv.Week)
	return min(26, weeks) * clv.Week
}

// rates writes the interval of a rate.
func (f *facts) rates(interval func(level float64) (low, high float64, err error)) string {
	low, high, err := interval(f.o.Level)
	if err != nil {
		return ""
	}
	return f.interval(share(low), share(high))
}

func (f *facts) span() string { return day(f.first) + " to " + day(f.end) }

// earning says what "earned" means in this report.
func (f *facts) earning() string {
	switch {
	case f.earned.costs:
		return "revenue less the cost of the goods"
	case f.earned.word == "margin":
		return share(f.earned.share) + " of the revenue where an order has no cost of its own"
	}
	return "all of the revenue, for the log has no costs"
}

// earnedSoFar adds up what customers have earned so far.
func (f *facts) earnedSoFar() (money.Amount, error) {
	var sum money.Sum
	for _, p := range f.profits {
		sum.Add(p)
	}
	return sum.Total()
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
