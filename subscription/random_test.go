package subscription_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
	"github.com/shopspring/decimal"
)

// histories is how many random histories the property tests look at.
func histories(t *testing.T) int {
	if os.Getenv("CUSTVAL_LONG") != "" {
		return 10_000
	}
	t.Log("1,000 histories; CUSTVAL_LONG makes them 10,000")
	return 1_000
}

// maker makes random histories of subscriptions from January to June 2025.
type maker struct {
	*rand.Rand
	currencies []money.Currency
	credits    bool // some prices are negative
	plain      bool // only monthly prices, so that every MRR is whole cents
}

func newMaker(seed uint64) *maker {
	return &maker{Rand: rand.New(rand.NewPCG(1, seed)), currencies: []money.Currency{"USD"}}
}

// day is a moment in the half year, on an hour of a day and often at midnight on the first.
func (m *maker) day() time.Time {
	switch m.IntN(4) {
	case 0:
		return time.Date(2025, time.Month(1+m.IntN(7)), 1, 0, 0, 0, 0, time.UTC)
	case 1:
		return time.Date(2025, 1, 1+m.IntN(200), m.IntN(24), 0, 0, 0, time.UTC)
	}
	return time.Date(2025, 1, 1+m.IntN(200), 0, 0, 0, 0, time.UTC)
}

func (m *maker) after(t time.Time) time.Time {
	return t.Add(time.Duration(1+m.IntN(24*60)) * time.Hour)
}

func (m *maker) stretch() ledger.Period {
	start := m.day()
	p := ledger.Period{Start: start, End: m.after(start)}
	if m.IntN(6) == 0 {
		p.End = time.Time{}
	}
	return p
}

func (m *maker) amount(c money.Currency, limit int64) money.Amount {
	a, err := money.FromMinor(1+m.Int64N(limit), c)
	if err != nil {
		panic(err)
	}
	return a
}

func (m *maker) row(customer int) subscription.Row {
	c := m.currencies[m.IntN(len(m.currencies))]
	r := subscription.Row{
		Customer: fmt.Sprintf("c%d", customer), Parent: fmt.Sprintf("p%d", customer/2),
		Subscription: fmt.Sprintf("s%d-%d", customer, m.IntN(2)), Plan: string(rune('A' + m.IntN(3))),
		Price: m.amount(c, 9999), Interval: subscription.EveryMonth, Quantity: int64(m.IntN(4)), From: m.day(),
	}
	if !m.plain {
		all := []subscription.Interval{subscription.EveryMonth, subscription.Yearly, subscription.Quarterly, subscription.Weekly,
			subscription.Daily, subscription.Every(7, subscription.Month), subscription.Every(11, subscription.Day)}
		r.Interval = all[m.IntN(len(all))]
		if m.credits && m.IntN(10) == 0 {
			r.Kind, r.Price = subscription.Credit, r.Price.Neg()
		}
	}
	if m.IntN(3) > 0 {
		r.To = m.after(r.From)
		r.Reason = subscription.Reason(m.IntN(3))
		if m.IntN(2) == 0 {
			r.CancelRequested = r.From.Add(time.Duration(m.Int64N(int64(r.To.Sub(r.From)))))
			r.PaidThrough = r.To.Add(time.Duration(m.IntN(10)-3) * 24 * time.Hour)
		}
	}
	if m.IntN(5) == 0 {
		r.Trial = ledger.Period{Start: r.From, End: m.after(r.From)}
	}
	for m.IntN(4) == 0 {
		r.Paused = append(r.Paused, m.stretch())
	}
	for m.IntN(5) == 0 {
		r.PastDue = append(r.PastDue, m.stretch())
	}
	for m.IntN(4) == 0 {
		r.Discounts = append(r.Discounts, m.discount(&r, c))
	}
	return r
}

func (m *maker) discount(r *subscription.Row, c money.Currency) subscription.Discount {
	d := subscription.Discount{Duration: subscription.Duration(m.IntN(3)), Months: 1 + m.IntN(4)}
	if m.IntN(2) == 0 && !m.plain {
		d.Amount = m.amount(c, 5000)
	} else {
		d.Percent = fmt.Sprint(1 + m.IntN(100))
	}
	if m.IntN(2) == 0 {
		d.Start = m.day()
	}
	if d.Start.IsZero() || d.Start.After(r.From) {
		return d
	}
	d.Start = r.From
	return d
}

// rows makes a history of a few customers.
func (m *maker) rows() []subscription.Row {
	var rows []subscription.Row
	for c := range 1 + m.IntN(5) {
		for range 1 + m.IntN(4) {
			rows = append(rows, m.row(c))
		}
	}
	return rows
}

// policy is one of the presets or any combination of rules.
func (m *maker) policy() subscription.Policy {
	if all := subscription.Presets(); m.IntN(2) == 0 {
		return all[m.IntN(len(all))]
	}
	return subscription.Policy{
		Discounts: subscription.DiscountRule(m.IntN(4)), Stacking: subscription.StackingRule(m.IntN(2)),
		Tax: subscription.TaxRule(m.IntN(2)), Trials: subscription.TrialRule(m.IntN(2)),
		PastDue: subscription.PastDueRule(m.IntN(3)), PastDueDays: m.IntN(20), Paused: subscription.PauseRule(m.IntN(3)),
		ChurnAt: subscription.ChurnRule(m.IntN(3)), Free: subscription.FreeRule(m.IntN(2)), FX: subscription.FXRule(m.IntN(5)),
		Rounding:  subscription.Rounding{Items: m.IntN(3) == 0, Mode: money.Rounding(m.IntN(7)), Digits: []int32{0, 0, 4}[m.IntN(3)]},
		Mode:      subscription.Mode(m.IntN(2)),
		Coalesce:  []time.Duration{0, time.Hour, 10 * 24 * time.Hour}[m.IntN(3)],
		Return:    []subscription.Interval{0, subscription.Weekly, subscription.EveryMonth}[m.IntN(3)],
		LogoChurn: subscription.LogoChurnRule(m.IntN(4)), SamePeriod: subscription.SamePeriodRule(m.IntN(2)),
	}
}

// rates quotes euros and yen in dollars for every third day of the half year.
func (m *maker) rates() []money.Rate {
	var out []money.Rate
	for d := -40; d < 300; d += 3 {
		at := time.Date(2025, 1, 1+d, 0, 0, 0, 0, time.UTC)
		out = append(out,
			money.Rate{Base: "EUR", Quote: "USD", AsOf: at, Value: decimal.New(int64(10000+m.IntN(2000)), -4)},
			money.Rate{Base: "USD", Quote: "JPY", AsOf: at, Value: decimal.New(int64(14000+m.IntN(2000)), -2)},
			money.Rate{Base: "EUR", Quote: "JPY", AsOf: at, Value: decimal.New(int64(16000+m.IntN(2000)), -2)})
	}
	return out
}

func halfYear() []ledger.Period {
	return ledger.Months(at("2025-02-01"), at("2025-08-01"), time.UTC)
}
