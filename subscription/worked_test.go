package subscription_test

import (
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// Published examples of how systems work, and what they give by hand.

// TestMonthly has the normalizer by system: USD 20 a week is 20 * 52/12 exactly, 80 with 4 weeks to the month, 86.60
// with 4.33, and so on.
func TestMonthly(t *testing.T) {
	kaching := subscription.Policy{Normalizer: subscription.Normalizer{Day: subscription.Fraction{Num: 30437, Den: 1000},
		Week: subscription.Fraction{Num: 4345, Den: 1000}}}
	fourDigits := subscription.Policy{Rounding: subscription.Rounding{Digits: 4}}
	for _, tc := range []struct {
		policy subscription.Policy
		price  string
		every  subscription.Interval
		want   string
		why    string
	}{
		{subscription.Default(), "120", subscription.Yearly, "10", "a year is 12 months"},
		{subscription.Stripe(), "1200", subscription.Yearly, "100", "Stripe's own example"},
		{subscription.Default(), "90", subscription.Quarterly, "30", "a quarter is 3 months"},
		{subscription.Default(), "60", subscription.Every(2, subscription.Month), "30", ""},
		{subscription.Default(), "100", subscription.HalfYearly, "16.67", "rounded half to even"},
		{subscription.Default(), "240", subscription.Biennial, "10", ""},
		{fourDigits, "20", subscription.Weekly, "86.6667", "52/12 weeks"},
		{subscription.Default(), "20", subscription.Weekly, "86.67", "52/12 weeks"},
		{subscription.RevenueCat(), "20", subscription.Weekly, "80", "4 weeks"},
		{subscription.RevenueCat(), "20", subscription.Biweekly, "40", "two weeks count 2"},
		{subscription.RevenueCat(), "20", subscription.Every(4, subscription.Week), "20", "four weeks count 1"},
		{subscription.PaddleClassic(), "20", subscription.Weekly, "86.60", "4.33 weeks"},
		{kaching, "20", subscription.Weekly, "86.90", "4.345 weeks"},
		{kaching, "10", subscription.Daily, "304.37", "30.437 days"},
		{subscription.KillBill(), "20", subscription.Weekly, "0", "weeks bring nothing"},
		{subscription.KillBill(), "20", subscription.Every(30, subscription.Day), "0", "days bring nothing"},
		{subscription.FivetranStripe(), "20", subscription.Daily, "0", "days bring nothing"},
		{subscription.FivetranStripe(), "12", subscription.Weekly, "52", "52/12 weeks"},
		{subscription.Recurly(), "2", subscription.Daily, "60", "30 days"},
		{subscription.Default(), "12", subscription.Daily, "365", "365/12 days"},
		{subscription.Default(), "12", subscription.Every(5, subscription.Day), "73", "365/60"},
	} {
		got, err := tc.policy.Monthly(usd(tc.price), tc.every)
		if err != nil || !got.Equal(usd(tc.want)) {
			t.Errorf("%s: USD %s every %s = %s, %v, want %s (%s)", tc.policy.Name, tc.price, tc.every, got, err, tc.want, tc.why)
		}
	}
}

// TestKillBillTable has the plans of Kill Bill's own test: yearly prices by month, four decimals, half up.
func TestKillBillTable(t *testing.T) {
	for price, want := range map[string]string{
		"18.29": "1.5242", "19.95": "1.6625", "29.95": "2.4958", "49": "4.0833", "59": "4.9167", "149.95": "12.4958",
		"183.29": "15.2742", "239.90": "19.9917", "458.29": "38.1908", "624.95": "52.0792", "2299": "191.5833", "5499": "458.25",
	} {
		got, err := subscription.KillBill().Monthly(usd(price), subscription.Yearly)
		if err != nil || !got.Equal(usd(want)) {
			t.Errorf("USD %s a year = %s, %v, want %s", price, got, err, want)
		}
		r := row("a", price, "2025-01-01", "")
		r.Interval = subscription.Yearly
		wantAmount(t, "MRR of "+price, snapshot(t, book(t, r).With(subscription.KillBill()), "2025-06-01").MRR, want)
	}
}

func times(n int, one func(i int) subscription.Row) []subscription.Row {
	rows := make([]subscription.Row, 0, n)
	for i := range n {
		rows = append(rows, one(i))
	}
	return rows
}

func every(r subscription.Row, i subscription.Interval) subscription.Row { r.Interval = i; return r }

func off(r subscription.Row, d subscription.Discount) subscription.Row {
	r.Discounts = append(r.Discounts, d)
	return r
}

func pct(p int64, d subscription.Duration) subscription.Discount {
	return subscription.Discount{Percent: fmt.Sprint(p), Duration: d, Months: 3}
}

// TestWorkedMRR has published sums of MRR.
func TestWorkedMRR(t *testing.T) {
	year := func(i int, price string) subscription.Row {
		return every(row(fmt.Sprint("y", i), price, "2025-01-01", ""), subscription.Yearly)
	}
	stripe := times(150, func(i int) subscription.Row {
		if i < 100 {
			return row(fmt.Sprint("m", i), "100", "2025-01-01", "")
		}
		return year(i, "600")
	})
	kaching := subscription.Policy{Rounding: subscription.Rounding{}, Normalizer: subscription.Normalizer{
		Day: subscription.Fraction{Num: 30437, Den: 1000}, Week: subscription.Fraction{Num: 4345, Den: 1000}}}
	for _, tc := range []struct {
		name   string
		policy subscription.Policy
		rows   []subscription.Row
		want   string
	}{
		{"100 at 100 a month and 50 at 600 a year", subscription.Stripe(), stripe, "12500"},
		{"the same by default", subscription.Policy{}, stripe, "12500"},
		{"8 a month and 120 a year", subscription.RevenueCat(), []subscription.Row{row("a", "8", "2025-01-01", ""), year(1, "120")}, "18"},
		{"120 a year with 10 % off", subscription.ProfitWell(), []subscription.Row{off(year(1, "120"), pct(10, subscription.Once))}, "9"},
		{"1,200 a year with 20 % off once", subscription.Stripe(), []subscription.Row{off(year(1, "1200"), pct(20, subscription.Once))}, "100"},
		{"the same with all discounts", subscription.ProfitWell(), []subscription.Row{off(year(1, "1200"), pct(20, subscription.Once))}, "80"},
		{"50 % off for ever", subscription.Stripe(), []subscription.Row{off(row("a", "50", "2025-01-01", ""), pct(50, subscription.Forever))}, "25"},
		{"50 % off for three months", subscription.Stripe(), []subscription.Row{off(row("a", "50", "2025-01-01", ""), pct(50, subscription.Repeating))}, "50"},
		{"four plans by Kaching's factors", kaching, []subscription.Row{
			every(row("a", "10", "2025-01-01", ""), subscription.Daily), every(row("b", "20", "2025-01-01", ""), subscription.Weekly),
			every(row("c", "60", "2025-01-01", ""), subscription.Every(2, subscription.Month)), year(1, "120")}, "431.27"},
		{"90 a quarter", subscription.ChartMogul(), []subscription.Row{every(row("a", "90", "2025-01-01", ""), subscription.Quarterly)}, "30"},
	} {
		wantAmount(t, tc.name, snapshot(t, book(t, tc.rows...).With(tc.policy), "2025-02-01").MRR, tc.want)
	}
}

// TestExactSum adds a thousand prices of a third of a cent: the sum is that of the fractions, rounded once.
func TestExactSum(t *testing.T) {
	rows := times(1000, func(i int) subscription.Row {
		return every(row(fmt.Sprint("c", i), "0.01", "2025-01-01", ""), subscription.Quarterly)
	})
	s := snapshot(t, book(t, rows...), "2025-02-01")
	wantAmount(t, "MRR of 1000/3 cents", s.MRR, "3.33")
	wantAmount(t, "ARR of 12 * 1000/3 cents", s.ARR, "40")
	items := snapshot(t, book(t, rows...).With(subscription.Policy{Rounding: subscription.Rounding{Items: true}}), "2025-02-01")
	wantAmount(t, "MRR with rounded items", items.MRR, "0")

	// Any thousand prices and intervals: the sum of the exact fractions, rounded once, half to even.
	m := newMaker(99)
	var all []subscription.Row
	want := new(big.Rat)
	for i := range 1000 {
		r := row(fmt.Sprint("c", i), "1", "2025-01-01", "")
		r.Price = m.amount("USD", 99999)
		r.Interval = subscription.Every(1+m.IntN(40), subscription.Unit(1+m.IntN(4)))
		n := int64(r.Interval.Count())
		factor := map[subscription.Unit]*big.Rat{subscription.Day: big.NewRat(365, 12*n), subscription.Week: big.NewRat(52, 12*n),
			subscription.Month: big.NewRat(1, n), subscription.Year: big.NewRat(1, 12*n)}[r.Interval.Unit()]
		want.Add(want, new(big.Rat).Mul(r.Price.Decimal().Rat(), factor))
		all = append(all, r)
	}
	got := snapshot(t, book(t, all...), "2025-02-01").MRR
	diff := new(big.Rat).Sub(got.Decimal().Rat(), want)
	if diff.Abs(diff).Cmp(big.NewRat(1, 200)) > 0 {
		t.Errorf("MRR = %s, want %s", got, want.FloatString(6))
	}
}

// TestProration has ChartMogul's example: Bronze at 100 a month, on 16 June an upgrade to Gold at 250, invoiced as +125
// and -50 for 15 of 30 days, is an expansion of 150.
func TestProration(t *testing.T) {
	june := month(2025, time.June)
	gold := subscription.InvoiceLine{Customer: "a", Plan: "Gold", Amount: usd("125"), Interval: subscription.EveryMonth,
		ServiceStart: at("2025-06-16"), ServiceEnd: at("2025-07-01"), Full: june}
	back := gold
	back.Plan, back.Amount = "Bronze", usd("-50")
	for _, tc := range []struct {
		line subscription.InvoiceLine
		want string
	}{{gold, "250"}, {back, "-100"}} {
		got, err := tc.line.MRR(subscription.ChartMogul())
		if err != nil {
			t.Fatal(err)
		}
		wantAmount(t, "MRR of the line", got, tc.want)
	}
	bronze := subscription.InvoiceLine{Customer: "a", Plan: "Bronze", Amount: usd("100"), Interval: subscription.EveryMonth,
		ServiceStart: at("2025-06-01"), ServiceEnd: at("2025-07-01")}
	b, err := subscription.New(subscription.FromInvoices(ledger.Slice([]subscription.InvoiceLine{bronze, gold, back}), subscription.ChartMogul()))
	if err != nil {
		t.Fatal(err)
	}
	r := period(t, b.With(subscription.ChartMogul()), june)
	wantLines(t, r, "0", "100", "0", "150", "0", "0", "0", "250")

	taxed := bronze
	taxed.Amount, taxed.Tax = usd("120"), usd("20")
	if got, err := taxed.MRR(subscription.ChartMogul()); err != nil || !got.Equal(usd("100")) {
		t.Errorf("MRR of 120 with 20 tax = %s, %v", got, err)
	}
}

// TestLifecycle is ChartMogul's story of one customer: 4 yearly Gold at 500 are new, 2 monthly Silver at 30 expansion,
// their cancellation contraction and not churn, that of Gold churn, and 3 monthly Gold at 50 later a reactivation.
func TestLifecycle(t *testing.T) {
	gold := every(row("Syncalytics", "500", "2024-01-10", "2025-01-10"), subscription.Yearly)
	gold.Subscription, gold.Quantity = "gold", 4
	silver := row("Syncalytics", "30", "2024-03-05", "2024-08-05")
	silver.Subscription, silver.Quantity = "silver", 2
	again := row("Syncalytics", "50", "2025-06-01", "")
	again.Subscription, again.Quantity = "gold 2", 3
	b := book(t, gold, silver, again).With(subscription.ChartMogul())
	for _, tc := range []struct {
		month ledger.Period
		kind  func(*subscription.PeriodResult) money.Amount
		want  string
	}{
		{month(2024, time.January), func(r *subscription.PeriodResult) money.Amount { return r.New }, "166.67"},
		{month(2024, time.March), func(r *subscription.PeriodResult) money.Amount { return r.Expansion }, "60"},
		{month(2024, time.August), func(r *subscription.PeriodResult) money.Amount { return r.Contraction }, "60"},
		{month(2025, time.January), func(r *subscription.PeriodResult) money.Amount { return r.Churn }, "166.67"},
		{month(2025, time.June), func(r *subscription.PeriodResult) money.Amount { return r.Reactivation }, "150"},
	} {
		wantAmount(t, tc.month.String(), tc.kind(period(t, b, tc.month)), tc.want)
	}
}

// TestWorkedRates has published examples of rates.
func TestWorkedRates(t *testing.T) {
	// M0 = 100, churn 10, contraction 10, expansion 10: gross 20 %, net 10 %.
	b := book(t, row("a", "10", "2025-01-01", "2025-06-10"),
		row("b", "30", "2025-01-01", "2025-06-11"), row("b", "20", "2025-06-11", ""),
		row("c", "60", "2025-01-01", "2025-06-12"), row("c", "70", "2025-06-12", ""))
	r := period(t, b, month(2025, time.June))
	wantRate(t, "gross MRR churn", r.GrossChurn, 0.2)
	wantRate(t, "net MRR churn", r.NetChurn, 0.1)
	wantRate(t, "MRR churn", r.ChurnOnly, 0.1)

	// 100 customers at the start, 12 churns, of which one customer came back and one had joined in the period: 10 %.
	rows := times(100, func(i int) subscription.Row {
		r := row(fmt.Sprint("c", i), "10", "2025-01-01", "")
		if i < 11 {
			r.To = at("2025-06-10")
		}
		return r
	})
	rows = append(rows, row("c0", "10", "2025-06-20", ""), row("new", "10", "2025-06-05", "2025-06-15"))
	r = period(t, book(t, rows...), month(2025, time.June))
	wantRate(t, "customer churn", r.LogoChurn, 0.1)
	if r.Customers.Churned != 12 {
		t.Errorf("churns = %d, want 12", r.Customers.Churned)
	}

	// 500 at the start, 550 at the end, of whom 100 are new: CRR 90 %.
	rows = times(600, func(i int) subscription.Row {
		switch {
		case i < 50:
			return row(fmt.Sprint("c", i), "10", "2025-01-01", "2025-06-10")
		case i < 500:
			return row(fmt.Sprint("c", i), "10", "2025-01-01", "")
		}
		return row(fmt.Sprint("c", i), "10", "2025-06-07", "")
	})
	r = period(t, book(t, rows...), month(2025, time.June))
	wantRate(t, "CRR", r.LogoRetention, 0.9)
	if r.Customers.Joined != 100 || r.Customers.Closing != 550 {
		t.Errorf("Customers = %+v, want 100 joined and 550 at the closing", r.Customers)
	}

	// 3 customers at 100 and 7 at 50: ASP 65.
	rows = times(10, func(i int) subscription.Row {
		return row(fmt.Sprint("c", i), []string{"50", "100"}[min(1, 3/(i+1))], "2025-06-05", "")
	})
	if got := period(t, book(t, rows...), month(2025, time.June)).ASP; got.String() != "USD 65.00" {
		t.Errorf("ASP = %s, want 65", got)
	}

	// Churn of 25 of whom 15 are voluntary at 10: 150.
	rows = times(25, func(i int) subscription.Row {
		r := row(fmt.Sprint("c", i), "10", "2025-01-01", "2025-06-10")
		if r.Reason = subscription.Involuntary; i < 15 {
			r.Reason = subscription.Voluntary
		}
		return r
	})
	n, mrr := period(t, book(t, rows...), month(2025, time.June)).Reasons.Of(subscription.Voluntary)
	wantAmount(t, "voluntary churn", mrr, "150")
	if n != 15 {
		t.Errorf("voluntary churns = %d, want 15", n)
	}
}

func TestFormulas(t *testing.T) {
	value := func(name string, got float64, err error, want float64) {
		t.Helper()
		if d := got - want; err != nil || d > 1e-14 || d < -1e-14 {
			t.Errorf("%s = %v, %v, want %v", name, got, err, want)
		}
	}
	got, err := subscription.RevenueChurn(usd("500"), usd("10000"))
	value("RevenueChurn", got, err, 0.05)
	got, err = subscription.NetRevenueChurn(usd("20"), usd("40"), usd("100"))
	value("NetRevenueChurn", got, err, -0.2)
	got, err = subscription.NetRetention(usd("100"), usd("20"), usd("5"), usd("10"))
	value("NetRetention", got, err, 1.05)
	got, err = subscription.GrossRetention(usd("100"), usd("5"), usd("10"))
	value("GrossRetention", got, err, 0.85)
	got, err = subscription.QuickRatio(usd("325"), usd("270"))
	value("QuickRatio", got, err, 325.0/270)
	got, err = subscription.Growth(usd("100"), usd("90"))
	value("Growth", got, err, -0.1)
	got, err = subscription.Attainment(usd("90"), usd("120"))
	value("Attainment", got, err, 0.75)
	got, err = subscription.CMGR(usd("100"), usd("161.051"), 5)
	value("CMGR", got, err, 0.1)
	got, err = subscription.CMGR(usd("100"), usd("0"), 5)
	value("CMGR to nothing", got, err, -1)
	got, err = subscription.RenewalRate(45, 50)
	value("RenewalRate", got, err, 0.9)
	got, err = subscription.RenewalRate(22, 24)
	value("RenewalRate", got, err, 22.0/24)
	ltv, err := subscription.LTV(usd("100"), 1, 0.05)
	if err != nil || !ltv.Equal(usd("2000")) {
		t.Errorf("LTV = %s, %v, want 2000", ltv, err)
	}
	arpa, err := subscription.ARPA(usd("655"), 8)
	if err != nil || !arpa.Equal(usd("81.88")) {
		t.Errorf("ARPA = %s, %v, want 81.88", arpa, err)
	}
	arr, err := subscription.Annual(usd("8.333"))
	if err != nil || !arr.Equal(usd("99.996")) {
		t.Errorf("Annual = %s, %v, want 99.996", arr, err)
	}
}

func TestFormulaErrors(t *testing.T) {
	eur := money.MustParse("1", "EUR")
	for _, tc := range []struct {
		name string
		call func() error
		text string
		is   error
	}{
		{"no base", func() error { _, err := subscription.RevenueChurn(usd("1"), usd("0")); return err },
			"subscription: revenue churn: the base is zero: undefined", ledger.ErrUndefined},
		{"negative loss", func() error { _, err := subscription.RevenueChurn(usd("-1"), usd("5")); return err },
			"subscription: revenue churn: USD -1.00: negative", nil},
		{"currencies", func() error { _, err := subscription.RevenueChurn(eur, usd("5")); return err },
			"subscription: revenue churn: amounts in EUR and USD", nil},
		{"nothing lost", func() error { _, err := subscription.QuickRatio(usd("5"), usd("0")); return err },
			"subscription: quick ratio: the base is zero: undefined", ledger.ErrUndefined},
		{"nothing due", func() error { _, err := subscription.RenewalRate(0, 0); return err },
			"subscription: renewal rate: none was due: undefined", ledger.ErrUndefined},
		{"more than due", func() error { _, err := subscription.RenewalRate(6, 5); return err },
			"subscription: renewal rate: 6 renewed, but 5 due", nil},
		{"negative count", func() error { _, err := subscription.RenewalRate(-1, 5); return err },
			"subscription: renewal rate of -1 renewed and 5 due: negative", nil},
		{"unknown interval", func() error { _, err := subscription.Monthly(usd("5"), 0); return err },
			"subscription: unknown: not a billing interval such as month, 3 months, quarterly, yearly or P1Y", nil},
		{"no customers", func() error { _, err := subscription.ARPA(usd("5"), 0); return err },
			"subscription: mean of USD 5.00 over none: undefined", ledger.ErrUndefined},
		{"no churn", func() error { _, err := subscription.LTV(usd("5"), 0.5, 0); return err },
			"subscription: LTV: churn 0.00% is not positive: undefined", ledger.ErrUndefined},
		{"margin", func() error { _, err := subscription.LTV(usd("5"), 1.5, 0.1); return err },
			"subscription: LTV: margin 1.5: not above 0 and at most 1", nil},
		{"months", func() error { _, err := subscription.CMGR(usd("5"), usd("5"), 0); return err },
			"subscription: CMGR over 0 months: not at least 1", nil},
	} {
		err := tc.call()
		if err == nil || err.Error() != tc.text || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.text)
		}
	}
}
