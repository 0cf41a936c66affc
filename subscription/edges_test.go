package subscription_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
	"github.com/shopspring/decimal"
)

// movements returns those of June.
func movements(t *testing.T, b *subscription.Book) []subscription.Movement {
	t.Helper()
	log, err := b.Log(t.Context(), []ledger.Period{june()})
	if err != nil {
		t.Fatal(err)
	}
	return log.Movements
}

func june() ledger.Period { return month(2025, time.June) }

// TestEdges has each rule of a policy with its default and the alternatives. Lines are new, reactivation, expansion,
// contraction and churn of June 2025.
func TestEdges(t *testing.T) {
	paused := row("a", "100", "2025-01-01", "")
	paused.Paused = []ledger.Period{{Start: at("2025-06-05"), End: at("2025-06-20")}}
	pausedToEnd := row("a", "100", "2025-01-01", "2025-06-20")
	pausedToEnd.Paused = []ledger.Period{{Start: at("2025-06-05")}}
	overdue := row("a", "100", "2025-01-01", "")
	overdue.PastDue = []ledger.Period{{Start: at("2025-05-20")}}
	recovered := row("a", "100", "2025-01-01", "")
	recovered.PastDue = []ledger.Period{{Start: at("2025-05-20"), End: at("2025-06-25")}}
	trial := row("a", "100", "2025-06-01", "")
	trial.Trial = ledger.Period{Start: at("2025-06-01"), End: at("2025-06-15")}
	trialLost := row("a", "100", "2025-05-25", "2025-06-08")
	trialLost.Trial = ledger.Period{Start: at("2025-05-25"), End: at("2025-06-08")}
	canceled := row("a", "100", "2025-01-01", "2025-07-10")
	canceled.CancelRequested, canceled.PaidThrough = at("2025-06-03"), at("2025-06-28")
	repeating := off(row("a", "100", "2025-03-10", ""), pct(20, subscription.Repeating))
	once := off(row("a", "100", "2025-05-10", ""), pct(20, subscription.Once))
	forever := off(row("a", "100", "2025-06-10", ""), pct(20, subscription.Forever))
	free := off(row("a", "100", "2025-06-10", ""), pct(100, subscription.Forever))
	yearOff := every(off(row("a", "1200", "2025-06-10", ""), subscription.Discount{Amount: usd("240")}), subscription.Yearly)
	over := off(row("a", "49", "2025-06-10", ""), subscription.Discount{Amount: usd("50")})
	stacked := row("a", "100", "2025-06-10", "")
	stacked.Discounts = []subscription.Discount{pct(10, 0), pct(20, 0), {Amount: usd("5")}, {Amount: usd("3")}}
	inclusive, exclusive := row("a", "120", "2025-06-10", ""), row("a", "100", "2025-06-10", "")
	inclusive.Tax, inclusive.TaxInclusive, exclusive.Tax = usd("20"), true, usd("20")
	metered := row("a", "70", "2025-05-10", "2025-06-10")
	metered.Kind = subscription.Metered
	oneTime := row("a", "70", "2025-06-10", "")
	oneTime.Kind = subscription.OneTime
	downgraded := []subscription.Row{row("a", "100", "2025-01-01", "2025-06-10"), row("a", "0", "2025-06-10", "")}
	back := []subscription.Row{row("a", "100", "2025-01-01", "2025-06-05"), row("a", "100", "2025-06-12", "")}
	flash := []subscription.Row{row("a", "100", "2025-06-05", "2025-06-12"), row("b", "50", "2025-01-01", "")}
	sameDay := []subscription.Row{row("a", "100", "2025-01-01", "2025-06-10 09:00"), row("a", "150", "2025-06-10 09:00", "2025-06-10 09:40"),
		row("a", "100", "2025-06-10 09:40", "")}
	migrated := []subscription.Row{row("a", "100", "2025-01-01", "2025-06-10"), row("a", "100", "2025-06-10", "")}
	migrated[0].Plan, migrated[1].Plan, migrated[0].Subscription, migrated[1].Subscription = "old", "new", "s1", "s2"
	gap := []subscription.Row{row("a", "100", "2025-01-01", "2025-06-10"), row("a", "100", "2025-06-10 00:01", "")}

	for _, tc := range []struct {
		name   string
		policy subscription.Policy
		rows   []subscription.Row
		want   string
	}{
		{"new and churned within the period: both count", subscription.Policy{}, flash, "100 0 0 0 100"},
		{"new and churned within the period: ignored", subscription.ProfitWell(), flash, "0 0 0 0 0"},
		{"up and down on the same day: two movements", subscription.Policy{}, sameDay, "0 0 50 50 0"},
		{"up and down on the same day: one window", subscription.ChartMogul(), sameDay, "0 0 0 0 0"},
		{"up and down on the same day: period-net", subscription.DBTPlaybook(), sameDay, "0 0 0 0 0"},
		{"plan migration: nothing by customer", subscription.Policy{}, migrated, "0 0 0 0 0"},
		{"plan migration: churn and new by item", subscription.Policy{Grain: subscription.ByItem}, migrated, "100 0 0 0 100"},
		{"plan migration: churn and new by Fivetran", subscription.FivetranStripe(), migrated, "100 0 0 0 100"},
		{"plan migration: churn and new by subscription", subscription.Policy{Grain: subscription.BySubscription}, migrated, "100 0 0 0 100"},
		{"a gap of a minute is a gap", subscription.Policy{}, gap, "0 100 0 0 100"},
		{"a gap of a minute within a tolerance", subscription.Policy{Return: subscription.Weekly}, gap, "0 0 100 100 0"},
		{"back after a week: reactivation", subscription.Policy{}, back, "0 100 0 0 100"},
		{"back within a month: never gone", subscription.Policy{Return: subscription.EveryMonth}, back, "0 0 100 100 0"},
		{"back within a month, Recurly", subscription.Recurly(), back, "0 0 0 0 0"},
		{"trial: new on conversion", subscription.Policy{}, []subscription.Row{trial}, "100 0 0 0 0"},
		{"trial that is lost: nothing", subscription.Policy{}, []subscription.Row{trialLost}, "0 0 0 0 0"},
		{"trial that counts and is lost: churn", subscription.Policy{Trials: subscription.TrialsCounted}, []subscription.Row{trialLost}, "0 0 0 0 100"},
		{"pause: contraction and expansion", subscription.Policy{}, []subscription.Row{paused}, "0 0 100 100 0"},
		{"pause: churn and reactivation", subscription.ProfitWell(), []subscription.Row{paused}, "0 100 0 0 100"},
		{"pause: counts", subscription.Policy{Paused: subscription.PauseCounts}, []subscription.Row{paused}, "0 0 0 0 0"},
		{"paused until the end: contraction, then churn of nothing", subscription.Policy{}, []subscription.Row{pausedToEnd}, "0 0 0 100 0"},
		{"past due: 30 days", subscription.Policy{}, []subscription.Row{overdue}, "0 0 0 0 100"},
		{"past due: 60 days", subscription.Policy{PastDueDays: 60}, []subscription.Row{overdue}, "0 0 0 0 0"},
		{"past due: kept", subscription.Stripe(), []subscription.Row{overdue}, "0 0 0 0 0"},
		{"past due and paid again: reactivation", subscription.Policy{}, []subscription.Row{recovered}, "0 100 0 0 100"},
		{"past due: dropped at once", subscription.Policy{PastDue: subscription.DropOverdue}, []subscription.Row{recovered}, "0 100 0 0 0"},
		{"canceled, ends later", subscription.Policy{}, []subscription.Row{canceled}, "0 0 0 0 0"},
		{"canceled, counts until the request", subscription.Stripe(), []subscription.Row{canceled}, "0 0 0 0 100"},
		{"canceled, counts until paid through", subscription.Policy{ChurnAt: subscription.AtPaidThrough}, []subscription.Row{canceled}, "0 0 0 0 100"},
		{"discount for ever", subscription.Policy{}, []subscription.Row{forever}, "80 0 0 0 0"},
		{"discount for ever, list price", subscription.PaddleClassic(), []subscription.Row{forever}, "100 0 0 0 0"},
		{"repeating discount ends", subscription.Policy{}, []subscription.Row{repeating}, "0 0 20 0 0"},
		{"repeating discount does not count", subscription.Stripe(), []subscription.Row{repeating}, "0 0 0 0 0"},
		{"discount once: ignored", subscription.Policy{}, []subscription.Row{once}, "0 0 0 0 0"},
		{"discount once: for an interval", subscription.ProfitWell(), []subscription.Row{once}, "0 0 20 0 0"},
		{"amount off a year: a twelfth", subscription.Policy{}, []subscription.Row{yearOff}, "80 0 0 0 0"},
		{"discount over the price: nothing", subscription.Policy{}, []subscription.Row{over}, "0 0 0 0 0"},
		{"stacked in order: 100 * 0.9 * 0.8 - 5 - 3", subscription.Policy{}, []subscription.Row{stacked}, "64 0 0 0 0"},
		{"stacked by the largest: 100 * 0.8 - 8", subscription.FivetranStripe(), []subscription.Row{stacked}, "72 0 0 0 0"},
		{"free by discount: no customer", subscription.Policy{}, []subscription.Row{free}, "0 0 0 0 0"},
		{"from paying to free: churn", subscription.Policy{}, downgraded, "0 0 0 0 100"},
		{"from paying to free: contraction", subscription.ChartMogul(), downgraded, "0 0 0 100 0"},
		{"tax in the price is taken out", subscription.Policy{}, []subscription.Row{inclusive}, "100 0 0 0 0"},
		{"tax on top is no MRR", subscription.Policy{}, []subscription.Row{exclusive}, "100 0 0 0 0"},
		{"tax in the price counts", subscription.Recurly(), []subscription.Row{inclusive}, "120 0 0 0 0"},
		{"tax on top counts", subscription.Recurly(), []subscription.Row{exclusive}, "120 0 0 0 0"},
		{"unknown interval: nothing", subscription.Policy{}, []subscription.Row{every(row("a", "9", "2025-06-10", ""), 0)}, "0 0 0 0 0"},
		{"one-time price: nothing", subscription.Policy{}, []subscription.Row{oneTime}, "0 0 0 0 0"},
		{"metered: nothing", subscription.Policy{}, []subscription.Row{metered}, "0 0 0 0 0"},
		{"metered: in the interval after", subscription.Policy{Metered: subscription.MeteredTrailing}, []subscription.Row{metered}, "70 0 0 0 0"},
		{"starts at the opening: in the period", subscription.Policy{}, []subscription.Row{row("a", "9", "2025-06-01", "")}, "9 0 0 0 0"},
		{"starts at the closing: in the next one", subscription.Policy{}, []subscription.Row{row("a", "9", "2025-07-01", "")}, "0 0 0 0 0"},
		{"ends at the closing: in the next one", subscription.Policy{}, []subscription.Row{row("a", "9", "2025-05-01", "2025-07-01")}, "0 0 0 0 0"},
		{"first ever, then back: new and reactivation", subscription.Policy{}, []subscription.Row{
			row("a", "9", "2025-06-02", "2025-06-05"), row("a", "8", "2025-06-20", "")}, "9 8 0 0 9"},
		{"first ever, then back: new by period-net", subscription.Policy{Mode: subscription.PeriodNet}, []subscription.Row{
			row("a", "9", "2025-06-02", "2025-06-05"), row("a", "8", "2025-06-20", "")}, "8 0 0 0 0"},
	} {
		r := period(t, book(t, tc.rows...).With(tc.policy), june())
		var got []string
		for _, a := range []money.Amount{r.New, r.Reactivation, r.Expansion, r.Contraction, r.Churn} {
			got = append(got, a.Decimal().String())
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: new, reactivation, expansion, contraction, churn = %s, want %s", tc.name, s, tc.want)
		}
		checkCloses(t, r)
	}
}

func TestPauseKeepsTheCustomer(t *testing.T) {
	paused := row("a", "100", "2025-01-01", "")
	paused.Paused = []ledger.Period{{Start: at("2025-06-05"), End: at("2025-07-20")}}
	b := book(t, paused, row("b", "50", "2025-01-01", ""))
	r := period(t, b, june())
	wantRate(t, "LogoChurn", r.LogoChurn, 0)
	if r.Customers.Closing != 2 || r.Customers.Paying != 1 {
		t.Errorf("Customers = %+v, want 2 of whom 1 pays", r.Customers)
	}
	s := snapshot(t, b, "2025-06-10")
	if s.Customers != 2 || s.Paying != 1 || s.Paused != 1 {
		t.Errorf("Snapshot has %d customers, %d paying, %d paused", s.Customers, s.Paying, s.Paused)
	}
	if got := s.ARPA.String(); got != "USD 50.00" {
		t.Errorf("ARPA = %s, want that of the paying one", got)
	}
}

func TestInvoluntaryChurnOfOverduePayment(t *testing.T) {
	overdue := row("a", "100", "2025-01-01", "2025-06-28")
	overdue.PastDue = []ledger.Period{{Start: at("2025-05-20")}}
	overdue.Reason, overdue.Code = subscription.Voluntary, "too late"
	log := movements(t, book(t, overdue))
	if len(log) != 1 {
		t.Fatalf("Log = %v, want one movement", log)
	}
	if m := log[0]; m.Kind != subscription.Churn || m.Reason != subscription.Involuntary || !m.At.Equal(at("2025-06-19")) {
		t.Errorf("movement = %+v, want involuntary churn on 19 June, 30 days after 20 May", m)
	}
}

func TestDiscountExpiryIsFlagged(t *testing.T) {
	r := off(row("a", "100", "2025-03-10", "2025-06-20"), pct(20, subscription.Repeating))
	next := row("a", "130", "2025-06-20", "")
	log := movements(t, book(t, r, next))
	if len(log) != 2 {
		t.Fatalf("Log = %v, want two movements", log)
	}
	if !log[0].DiscountExpiry || log[1].DiscountExpiry {
		t.Errorf("DiscountExpiry = %v and %v, want true on 10 June and false on 20 June", log[0].DiscountExpiry, log[1].DiscountExpiry)
	}
	p := period(t, book(t, r, next), june())
	wantAmount(t, "DiscountExpiry", p.DiscountExpiry, "20")
	wantAmount(t, "Expansion", p.Expansion, "50")
}

func TestReactivationKnowsItsGap(t *testing.T) {
	log := movements(t, book(t, row("a", "10", "2025-01-01", "2025-05-20"), row("a", "10", "2025-06-10", "")))
	if len(log) != 1 || log[0].Kind != subscription.Reactivation || log[0].Gap != 21*24*time.Hour {
		t.Errorf("Log = %+v, want a reactivation after 21 days", log)
	}
}

func rateOf(from string, day string, value string) money.Rate {
	return money.Rate{Base: money.Currency(from), Quote: "USD", AsOf: at(day), Value: decimal.RequireFromString(value)}
}

// TestExchangeRates follows a customer of EUR 100 who goes to EUR 110 on 10 June and to USD 132 on 20 June.
func TestExchangeRates(t *testing.T) {
	eur := func(amount, from, to string) subscription.Row {
		r := row("a", "1", from, to)
		r.Price = money.MustParse(amount, "EUR")
		return r
	}
	rows := []subscription.Row{eur("100", "2025-01-01", "2025-06-10"), eur("110", "2025-06-10", "2025-06-20"), row("a", "132", "2025-06-20", "")}
	quotes := []money.Rate{rateOf("EUR", "2025-01-01", "1.00"), rateOf("EUR", "2025-06-05", "1.10"), rateOf("EUR", "2025-06-15", "1.20")}
	b, err := book(t, rows...).In("USD", quotes)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		policy subscription.Policy
		want   []string
	}{
		// 100 at 1.00; +10 at 1.10 = 11; EUR 110 at 1.20 is 132, so USD 132 is no movement; FX = 132 - 100 - 11.
		{"spot", subscription.Policy{}, []string{"100", "0", "0", "11", "0", "0", "21", "132"}},
		// At the opening's 1.00: -110 EUR + 132 USD and +10 EUR: 22 + 10.
		{"opening", subscription.Policy{FX: subscription.OpeningRates}, []string{"100", "0", "0", "32", "0", "0", "0", "132"}},
		// At the closing's 1.20: 120, +12, no change.
		{"closing", subscription.Policy{FX: subscription.ClosingRates}, []string{"120", "0", "0", "12", "0", "0", "0", "132"}},
		// Each row at its start: 100, 110 * 1.10 = 121, 132.
		{"start", subscription.Policy{FX: subscription.StartRates}, []string{"100", "0", "0", "32", "0", "0", "0", "132"}},
		// Period-net at the opening's rate: 100 to 132.
		{"period-net", subscription.Policy{Mode: subscription.PeriodNet}, []string{"100", "0", "0", "32", "0", "0", "0", "132"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wantLines(t, period(t, b.With(tc.policy), june()), tc.want...)
		})
	}
	// Revaluation alone, by the mean of the quotes of the month: June has 1.10 and 1.20.
	quotes = append(quotes, rateOf("EUR", "2025-05-10", "1.05"), rateOf("EUR", "2025-07-01", "1.30"))
	b, err = book(t, eur("100", "2025-01-01", "")).In("USD", quotes)
	if err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR by the month's mean", snapshot(t, b.With(subscription.Policy{FX: subscription.MonthlyRates}), "2025-06-10").MRR, "115")
	wantLines(t, period(t, b, june()), "105", "0", "0", "0", "0", "0", "25", "130")

	// A discount that ends in a month without quotes is no matter in June.
	ending := off(eur("100", "2025-06-01", ""), pct(10, subscription.Repeating))
	if b, err = book(t, ending).In("USD", quotes); err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR before the discount ends", snapshot(t, b.With(subscription.Policy{FX: subscription.MonthlyRates}), "2025-06-10").MRR, "103.50")

	if _, err = book(t, rows...).At(at("2025-06-01")); err == nil ||
		err.Error() != "subscription: rows in EUR and USD: say in which currency the results are and at which rates, with Book.In" {
		t.Errorf("mixed currencies: %v", err)
	}
	late, err := book(t, rows...).In("USD", quotes[2:3])
	if err != nil {
		t.Fatal(err)
	}
	if _, err = late.At(at("2025-02-01")); err == nil || err.Error() != "subscription: no exchange rate from EUR to USD at or before 2025-02-01T00:00:00Z" {
		t.Errorf("missing rate: %v", err)
	}
	inverse, err := book(t, eur("100", "2025-01-01", "")).In("USD", []money.Rate{{Base: "USD", Quote: "EUR", AsOf: at("2025-01-01"), Value: decimal.RequireFromString("0.8")}})
	if err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR by the inverse rate", snapshot(t, inverse, "2025-02-01").MRR, "125")
	for _, r := range []money.Rate{rateOf("EUR", "2025-01-01", "0"), rateOf("EUR", "2025-01-01", "-1")} {
		if _, err = late.In("USD", []money.Rate{r}); err == nil || !strings.HasPrefix(err.Error(), `subscription: row 1: field "Value": value "`) {
			t.Errorf("rate %s: %v", r.Value, err)
		}
	}
}

func TestUndefinedRates(t *testing.T) {
	r := period(t, book(t, row("a", "10", "2025-06-05", "")), june())
	for name, rate := range map[string]rate{
		"NRR": r.NRR, "GRR": r.GRR, "FlowNRR": r.FlowNRR, "FlowGRR": r.FlowGRR, "GrossChurn": r.GrossChurn, "NetChurn": r.NetChurn,
		"ChurnOnly": r.ChurnOnly, "Growth": r.Growth, "QuickRatio": r.QuickRatio, "LogoChurn": r.LogoChurn, "LogoRetention": r.LogoRetention,
	} {
		if v, err := rate.Value(); !errors.Is(err, ledger.ErrUndefined) || v != 0 {
			t.Errorf("%s = %v, %v, want undefined", name, v, err)
		}
	}
	if r.NRR.String() != "undefined" || r.LogoChurn.String() != "undefined" {
		t.Errorf("NRR prints as %s and LogoChurn as %s", r.NRR, r.LogoChurn)
	}
	empty := period(t, book(t), june())
	if _, err := empty.ARPA.Value(); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("ARPA of nobody: %v", err)
	}
	if _, err := r.LTV(1); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("LTV without a base: %v", err)
	}
}

// TestWhere reads one currency of a table of two, which needs no rates.
func TestWhere(t *testing.T) {
	euro := row("a", "1", "2025-01-01", "")
	euro.Price = money.MustParse("100", "EUR")
	free := row("c", "1", "2025-01-01", "")
	free.Price = money.Amount{}
	b := book(t, euro, row("b", "50", "2025-01-01", ""), row("b", "50", "2025-02-01", ""), free)
	for _, tc := range []struct {
		keep   func(subscription.Row) bool
		want   string
		issues int
	}{
		{func(r subscription.Row) bool { return r.Price.Currency() != "USD" }, "EUR 100.00", 0},
		{func(r subscription.Row) bool { return r.Price.Currency() != "EUR" }, "USD 100.00", 1},
		{func(r subscription.Row) bool { return r.Customer == "b" && r.From.Equal(at("2025-02-01")) }, "USD 50.00", 0},
	} {
		view := b.Where(tc.keep)
		s, err := view.At(at("2025-06-01"))
		if err != nil || s.MRR.String() != tc.want || len(view.Issues()) != tc.issues {
			t.Errorf("MRR = %v, %v with %d issues, want %s with %d", s, err, len(view.Issues()), tc.want, tc.issues)
		}
	}
	if s, err := b.Where(func(subscription.Row) bool { return false }).At(at("2025-06-01")); err != nil || s.MRR.Sign() != 0 {
		t.Errorf("nothing: %v, %v", s, err)
	}
}

// TestFarFuture takes the ends that warehouses write for open rows as open.
func TestFarFuture(t *testing.T) {
	b := book(t, row("a", "10", "2025-01-01", "9999-12-31"))
	wantAmount(t, "MRR", snapshot(t, b, "2261-06-01").MRR, "10")
	if s, err := b.At(at("2300-01-01")); err == nil {
		t.Errorf("At(2300) = %v, want an error", s)
	}
}
