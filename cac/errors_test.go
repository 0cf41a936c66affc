package cac_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func eur(s string) money.Amount { return money.MustParse(s, "EUR") }

// second drops the first result.
func second[T any](_ T, err error) error { return err }

// only returns the error of the only row of a table by channel in January.
func only(costs []cac.Cost, customers []ledger.Customer, f func(cac.Row) error) error {
	t, err := cac.ByChannel(costs, customers, nil, jan)
	if err != nil {
		return err
	}
	return f(t.Rows[0])
}

func cost(r cac.Row) error { return second(r.CAC()) }

func TestErrors(t *testing.T) {
	ads := func(amount money.Amount) cac.Cost {
		return cac.Cost{Amount: amount, Date: day(2025, 1, 5), Channel: "ads", Category: cac.PaidMedia}
	}
	analyze := func(c cac.Cost, o cac.Options) error {
		return second(cac.Analyze(context.Background(), []cac.Cost{c}, nil, &o))
	}
	customer := func(cs ...ledger.Customer) error { return second(cac.ByChannel(nil, cs, nil, jan)) }
	const row, place = "RowError", "PlaceError"
	for _, c := range []struct {
		reason string
		err    error
		is     any // a sentinel, or the name of a type
		want   string
	}{
		{"no customers", second(cac.CAC(usd("5000"), 0)), cac.ErrNoNewCustomers, "cac: no new customers"},
		{"which is undefined", second(cac.CAC(usd("5000"), 0)), ledger.ErrUndefined, "cac: no new customers"},
		{"nothing spent and nobody won", second(cac.CAC(usd("0"), 0)), cac.ErrNoNewCustomers, "cac: no new customers"},
		{"a negative count", second(cac.CAC(usd("5000"), -1)), nil, "cac: -1 new customers: negative"},
		{"credits exceed costs", second(cac.CAC(usd("-200"), 10)), cac.ErrNonPositiveCost, "cac: net cost is not positive: USD -200.00"},
		{"a currency without a minor unit cannot be rounded", second(cac.CAC(money.MustParse("5", "XAU"), 2)), money.ErrNoMinorUnit, "cac: money: currency without a minor unit: XAU"},

		{"typed: no customers", only([]cac.Cost{ads(usd("5000"))}, nil, cost), cac.ErrNoNewCustomers, `cac: channel "ads", period 2025-01: no new customers`},
		{"typed: it has a place", only([]cac.Cost{ads(usd("5000"))}, nil, cost), place, `cac: channel "ads", period 2025-01: no new customers`},
		{"typed: non-positive", only([]cac.Cost{ads(usd("-200"))}, won(10, jan, "ads"), cost), cac.ErrNonPositiveCost, `cac: channel "ads", period 2025-01: net cost is not positive: USD -200.00`},
		{"typed: credits to the cent", only([]cac.Cost{ads(usd("200")), ads(usd("-200"))}, won(10, jan, "ads"), cost), cac.ErrNonPositiveCost, `cac: channel "ads", period 2025-01: net cost is not positive: USD 0.00`},
		{"typed: currencies", second(cac.ByChannel([]cac.Cost{ads(usd("1")), ads(eur("2"))}, nil, nil, jan)), cac.ErrCurrencyMismatch,
			`cac: channel "ads", period 2025-01-05: row 2: field "amount": value "EUR 2.00": currencies differ: USD and EUR, and Options.Currency names none`},
		{"typed: no rate", analyze(ads(eur("2")), cac.Options{Currency: "USD"}), cac.ErrCurrencyMismatch,
			`cac: channel "ads", period 2025-01-05: row 1: field "amount": value "EUR 2.00": currencies differ: EUR and USD, and no rate is given`},
		{"typed: value in another currency", second(cac.ByChannel([]cac.Cost{ads(eur("2"))}, won(1, jan, "ads"), worth("3"), jan)), cac.ErrCurrencyMismatch,
			`cac: channel "ads", period 2025-01: currencies differ: costs in EUR, the value of customer "ads2025-01 0" in USD`},
		{"typed: history", func() error {
			table, err := cac.Analyze(context.Background(), []cac.Cost{ads(usd("5"))}, won(1, jan, "ads"), &cac.Options{By: cac.PerChannel, Periods: []ledger.Period{jan, feb}, Lag: cac.Lag{Periods: 1}})
			if err != nil {
				return err
			}
			return cost(table.Rows[0])
		}(), cac.ErrInsufficientHistory, `cac: channel "ads", period 2025-01: not enough history`},
		{"typed: bases", second(cac.Change(cac.Figure{Customers: 1, Spend: usd("1"), Basis: cac.Paid()}, cac.Figure{Customers: 1, Spend: usd("1")})), cac.ErrBasisMismatch, "cac: bases differ: paid and fully loaded"},
		{"denominators", second(cac.Combine(cac.Figure{Denominator: cac.NewAll}, cac.Figure{Denominator: cac.NewPaid})), cac.ErrBasisMismatch,
			"cac: bases differ: denominators new_customers and new_customers_paid"},
		{"value of other customers", second(cac.Compare(cac.Value{Amount: usd("1"), Of: cac.Place{Dimension: "channel", Group: "ads"}}, cac.Figure{Spend: usd("1"), Customers: 1})), cac.ErrBasisMismatch,
			`cac: bases differ: a value of channel "ads" and a cost of all customers`},
		{"value in another currency", second(cac.Compare(cac.Value{Amount: eur("1")}, cac.Figure{Spend: usd("1"), Customers: 1})), cac.ErrCurrencyMismatch, "cac: currencies differ: EUR and USD"},

		{"values in two currencies", second(cac.ByChannel(nil, join(won(1, jan, "ads"), []ledger.Customer{{ID: "x", Acquired: jan.Start, Channel: "ads"}}),
			func(id string) (money.Amount, bool) {
				return map[bool]money.Amount{true: usd("1"), false: eur("1")}[id == "x"], true
			}, jan)), cac.ErrCurrencyMismatch,
			`cac: channel "ads", period 2025-01: currencies differ: EUR and USD`},
		{"orders in two currencies", second(cac.Acquire(context.Background(), ledger.Transactions([]ledger.Transaction{
			{Customer: "x", At: jan.Start, Amount: usd("1")}, {Customer: "x", At: feb.Start, Amount: eur("1")}}), nil)), cac.ErrCurrencyMismatch,
			`cac: customer "x": currencies differ: USD and EUR`},
		{"LTV:CAC of nothing spent", second(cac.LTVToCAC(usd("300"), usd("0"))), ledger.ErrUndefined, "cac: zero base"},
		{"LTV:CAC of a credit", second(cac.LTVToCAC(usd("300"), usd("-1"))), cac.ErrNonPositiveCost, "cac: net cost is not positive: USD -1.00"},
		{"LTV:CAC in two currencies", second(cac.LTVToCAC(eur("300"), usd("1"))), cac.ErrCurrencyMismatch, "cac: currencies differ: EUR and USD"},
		{"ROI of nothing spent", second(cac.ROI(usd("300"), usd("0"))), cac.ErrZeroBase, "cac: zero base"},
		{"ROMI with a margin in percent", second(cac.ROMI(usd("300"), 30, usd("1"))), nil, "cac: margin 30: greater than 1"},
		{"break-even without margin", second(cac.BreakEvenROAS(0)), cac.ErrZeroBase, "cac: zero base: margin 0"},

		{"payback of no revenue", second(cac.PaybackMonths(usd("600"), usd("0"), .8)), cac.ErrNever, "cac: never pays back: a month earns nothing"},
		{"payback of a loss", second(cac.PaybackMonths(usd("600"), usd("100"), -.1)), ledger.ErrUndefined, "cac: never pays back: a month earns nothing"},
		{"payback with a margin in percent", second(cac.PaybackMonths(usd("600"), usd("100"), 80)), nil, "cac: margin 80: greater than 1"},
		{"payback of a credit", second(cac.PaybackMonths(usd("-1"), usd("100"), .8)), cac.ErrNonPositiveCost, "cac: net cost is not positive: USD -1.00"},
		{"churn in percent", second(cac.ChurnAdjustedPayback(usd("600"), usd("80"), 3)), nil, "cac: churn 3: not between 0 and 1"},
		{"a cohort in two currencies", second(cac.CohortPayback(usd("600"), []money.Amount{usd("1"), eur("1")})), cac.ErrCurrencyMismatch, "cac: month 2: currencies differ: USD and EUR"},
		{"an impossible projection", second(cac.Projection{Cost: usd("1"), Profit: usd("1"), Expansion: -1}.Payback()), nil, "cac: expansion -1: not above -1"},

		{"not incremental", second(cac.IncrementalCAC(usd("1"), cac.Holdout{Treated: 10, TreatedConversions: 2, Held: 10, HeldConversions: 3}, 0)), cac.ErrNotIncremental,
			"cac: no incremental customers: 3 of the treated were to be expected, 2 came"},
		{"an empty holdout", second(cac.IncrementalCAC(usd("1"), cac.Holdout{Treated: 10}, 0)), nil, "cac: held: 0 people: a group needs some"},
		{"more conversions than people", second(cac.IncrementalCAC(usd("1"), cac.Holdout{Treated: 10, TreatedConversions: 11, Held: 1}, 0)), nil, "cac: treated: 11 conversions of 10 people"},
		{"nothing incremental at all", second(cac.DiscountedCAC(usd("1"), 1)), cac.ErrNotIncremental, "cac: no incremental customers: share 1"},
		{"more for less", second(cac.MarginalCAC(usd("-1"), 3)), cac.ErrNonPositiveCost, "cac: net cost is not positive: USD -1.00 for +3 customers"},
		{"no clicks", second(cac.CPC(usd("1"), 0)), ledger.ErrUndefined, "cac: zero base: no clicks"},
		{"a rate of zero", second(cac.FunnelCAC(usd("1"), .5, 0)), cac.ErrNoNewCustomers, "cac: no new customers: rate 2 is 0"},
		{"a funnel that widens", second(cac.StackedCost(usd("1"), cac.Stage{Name: "a", Count: 1}, cac.Stage{Name: "b", Count: 2})), nil, `cac: stage "b": count 2: more than the 1 of stage "a"`},
		{"a credit that is not a number", second(cac.AttributedCAC(usd("1"), -1)), nil, "cac: credit -1: not a number of customers"},
		{"a credit too small for money", second(cac.AttributedCAC(usd("1"), 1e-300)), money.ErrRange, "cac: quotient too large: money: out of range"},
		{"spend without credit", second(cac.AttributeCAC(map[string]money.Amount{"tv": usd("1")}, nil)), cac.ErrNoNewCustomers, `cac: channel "tv": no new customers`},

		{"unknown category", analyze(cac.Cost{Category: "beer"}, cac.Options{}), row, `cac: row 1: field "category": value "beer": unknown category`},
		{"unknown function", analyze(cac.Cost{Function: "hr"}, cac.Options{}), row, `cac: row 1: field "function": value "hr": neither marketing nor sales`},
		{"unknown charge", analyze(cac.Cost{Charge: "yearly"}, cac.Options{}), row, `cac: row 1: field "charge": value "yearly": not fixed, per_unit or per_customer`},
		{"units of a fixed line", analyze(cac.Cost{Units: 3}, cac.Options{}), row, `cac: row 1: field "units": value "3": units of a line that is not per unit`},
		{"a period that ends before it starts", analyze(cac.Cost{Period: ledger.Period{Start: feb.Start, End: jan.Start}}, cac.Options{}), row,
			`cac: row 1: field "period": value "2025-02-01T00:00:00Z/2025-01-01T00:00:00Z": the end is not after the start`},
		{"a commission on a date", analyze(cac.Cost{Charge: cac.PerCustomer, Date: day(2025, 1, 1)}, cac.Options{}), row,
			`cac: row 1: field "date": value "2025-01-01": a cost per customer has a period, or neither date nor period`},
		{"no date", analyze(cac.Cost{Amount: usd("1")}, cac.Options{Periods: []ledger.Period{jan}}), row, `cac: row 1: field "date": value "": neither date nor period`},
		{"a customer without a date", customer(ledger.Customer{ID: "a"}), row, `cac: row 1: field "acquired": value "a": the customer has no date of acquisition`},
		{"a customer without a name", customer(ledger.Customer{Acquired: jan.Start}), row, `cac: row 1: field "id": value "": empty`},
		{"a customer twice", customer(ledger.Customer{ID: "a", Acquired: jan.Start}, ledger.Customer{ID: "a", Acquired: jan.Start}), row, `cac: row 2: field "id": value "a": duplicate of row 1`},
		{"periods that overlap", second(cac.ByChannel(nil, nil, nil, jan, ledger.Year(2025, nil))), nil, "cac: periods 2025-01 and 2025 overlap"},
		{"segments of nobody", analyze(cac.Cost{}, cac.Options{By: cac.PerSegment}), nil, "cac: grouping by segment needs Options.Segment"},
		{"net new without a rule", analyze(cac.Cost{}, cac.Options{Denominator: cac.NetNew}), nil, "cac: net new customers need Options.Valid"},
		{"unknown denominator", analyze(cac.Cost{}, cac.Options{Denominator: "all"}), nil, `cac: unknown denominator "all"`},
		{"unknown dimension", analyze(cac.Cost{}, cac.Options{By: "city"}), nil, `cac: unknown dimension "city"`},
		{"unknown sharing", analyze(cac.Cost{}, cac.Options{Sharing: cac.Sharing{Rule: "fair"}}), nil, `cac: unknown sharing rule "fair"`},
		{"a negative weight", analyze(cac.Cost{}, cac.Options{Sharing: cac.Sharing{Rule: cac.ByWeights, Weights: map[string]float64{"a": -1}}}), nil, `cac: sharing: weight -1 of "a": not a finite number of at least 0`},
		{"a lag without periods", analyze(cac.Cost{}, cac.Options{Lag: cac.Lag{Periods: 1}}), nil, "cac: a lag needs periods"},
		{"a lag into the past", analyze(cac.Cost{}, cac.Options{Lag: cac.Lag{Periods: -1}}), nil, "cac: lag of -1 periods: not between 0 and 1000"},
		{"weights that do not add up", second(cac.LaggedCAC(nil, cac.Lag{Weights: []float64{.5, .4}})), nil, "cac: lag: weights add up to 0.9, not to 1"},
		{"a share above one", analyze(cac.Cost{}, cac.Options{Basis: cac.NewLogo(1.2)}), nil, `cac: basis "new logo": new-business share 1.2: not between 0 and 1`},
		{"a series in two currencies", second(cac.LaggedCAC([]cac.Point{{Period: jan, Marketing: usd("1")}, {Period: feb, Marketing: eur("1")}}, cac.Lag{})), cac.ErrCurrencyMismatch,
			"cac: period 2025-02: currencies differ: USD and EUR"},
		{"points beyond expectation", second(cac.LoyaltyProgram{Redemption: .7, Tiers: []cac.Tier{{Name: "gold", Points: 100, Redeemed: 71}}}.Evaluate()), nil,
			`cac: tier "gold": 71 points are redeemed already, more than the 70 expected of 100`},
		{"rates of nothing", second(cac.ConversionRates([]cac.Traffic{{Platform: "web"}}, "visits", 0)), ledger.ErrUndefined, `cac: platform "web": zero base: nothing was counted in the denominator`},
		{"rates of an unknown base", second(cac.ConversionRates(nil, "", 0)), nil, "cac: conversion rates need the name of their denominator, such as visits or clicks"},
		{"more conversions than visits", second(cac.ConversionRates([]cac.Traffic{{Platform: "web", Visits: 1, Conversions: 2}}, "visits", 0)), row, `cac: row 1: field "conversions": value "2": of 1 visits`},
		{"new costs above all costs", second(cac.CARRRatios(usd("1"), usd("2"), usd("1"), usd("1"))), nil, "cac: CAC ratio: cost for new customers USD 2.00 exceeds all cost USD 1.00"},
		{"ARR that was lost twice", second(cac.NetSalesEfficiency(usd("1"), usd("-1"), usd("1"))), nil, "cac: churned ARR USD -1.00: negative; it is the amount lost"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.reason, c.err, c.want)
			continue
		}
		var bad *ledger.RowError
		var at *cac.PlaceError
		switch want := c.is.(type) {
		case error:
			if !errors.Is(c.err, want) {
				t.Errorf("%s: %v does not wrap %v", c.reason, c.err, want)
			}
		case string:
			if want == row && !errors.As(c.err, &bad) || want == place && (!errors.As(c.err, &at) || at.Group != "ads" || at.Period != jan) {
				t.Errorf("%s: %v is no %s", c.reason, c.err, want)
			}
		}
	}
}

func TestFirstPeriodOfAValidOrganicChannelIsFree(t *testing.T) {
	table, err := cac.ByChannel(nil, won(12, jan, "word of mouth"), nil, jan)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := table.Rows[0].CAC(); err != nil || f.Unrounded != 0 {
		t.Errorf("%v, %v: customers without cost cost nothing", f, err)
	}
}

func TestNaNIsRefused(t *testing.T) {
	nan := time.Duration(0).Seconds() / time.Duration(0).Seconds()
	for name, err := range map[string]error{
		"payback":    second(cac.PaybackMonths(usd("1"), usd("1"), nan)),
		"haircut":    second(cac.HaircutPayback(usd("1"), usd("1"), .5, nan)),
		"churn":      second(cac.ChurnAdjustedPayback(usd("1"), usd("1"), nan)),
		"break-even": second(cac.BreakEvenROAS(nan)),
		"credit":     second(cac.AttributedCAC(usd("1"), nan)),
		"rate":       second(cac.FunnelCAC(usd("1"), nan)),
		"share":      second(cac.DiscountedCAC(usd("1"), nan)),
		"baseline":   second(cac.BaselineCAC(usd("1"), 1, nan)),
		"level":      second(cac.IncrementalCAC(usd("1"), cac.Holdout{Treated: 2, TreatedConversions: 2, Held: 2}, nan)),
		"viral":      second(cac.ViralCoefficient(nan, .5)),
		"lag":        cac.Lag{Weights: []float64{nan}}.Validate(),
		"basis":      cac.NewLogo(nan).Validate(),
		"expansion":  second(cac.Projection{Cost: usd("1"), Profit: usd("1"), Expansion: nan}.Payback()),
		"redemption": second(cac.LoyaltyProgram{Redemption: nan, Tiers: []cac.Tier{{}}}.Evaluate()),
	} {
		if err == nil {
			t.Errorf("%s: NaN is accepted", name)
		}
	}
}
