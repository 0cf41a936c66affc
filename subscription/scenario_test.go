package subscription_test

import (
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// scenario is one month of eleven customers that has every kind of movement once. Its figures are worked by hand.
func scenario() []subscription.Row {
	rows := []subscription.Row{
		row("A", "100", "2025-01-05", ""),
		row("B", "100", "2025-01-10", "2025-06-10"), row("B", "150", "2025-06-10", ""),
		row("C", "50", "2025-02-01", "2025-06-15 10:00"), row("C", "50", "2025-06-15 10:00", "2025-06-15 10:20"),
		row("C", "50", "2025-06-15 10:20", ""),
		row("D", "80", "2025-03-20", "2025-06-20"),
		row("E", "60", "2025-01-15", "2025-02-15"), row("E", "60", "2025-06-12", ""),
		row("F", "40", "2025-06-03", "2025-06-25"),
		row("G", "90", "2025-06-08", ""),
		row("H", "70", "2025-01-10", "2025-06-10"), row("H", "70", "2025-06-22", ""),
		row("I", "20", "2025-04-01", ""), row("I", "30", "2025-04-01", "2025-06-18"),
		row("J", "25", "2025-06-01", ""),
		row("K", "99", "2025-06-01", ""),
	}
	rows[3].Quantity, rows[4].Quantity, rows[5].Quantity = 4, 3, 4
	rows[10].Interval = subscription.Quarterly
	rows[13].Subscription, rows[14].Subscription = "i1", "i2"
	rows[15].Trial = ledger.Period{Start: at("2025-06-01"), End: at("2025-06-15")}
	rows[16].Trial = ledger.Period{Start: at("2025-06-01"), End: at("2025-07-01")}
	return rows
}

func TestScenarioEventMode(t *testing.T) {
	r := period(t, book(t, scenario()...), month(2025, time.June))
	wantLines(t, r, "600", "95", "130", "100", "80", "190", "0", "655")
	want := subscription.Counts{Opening: 6, New: 3, Reactivated: 2, Expanded: 2, Contracted: 2, Churned: 3, Closing: 8,
		Lost: 1, Joined: 3, Paying: 8}
	if r.Customers != want {
		t.Errorf("Customers = %+v, want %+v", r.Customers, want)
	}
	wantRate(t, "GrossChurn", r.GrossChurn, 270.0/600)
	wantRate(t, "NetChurn", r.NetChurn, 1.0/15)
	wantRate(t, "ChurnOnly", r.ChurnOnly, 190.0/600)
	wantRate(t, "QuickRatio", r.QuickRatio, 325.0/270)
	wantRate(t, "QuickRatioNR", r.QuickRatioNR, 195.0/270)
	wantRate(t, "NRR", r.NRR, 0.9)
	wantRate(t, "GRR", r.GRR, 49.0/60)
	wantRate(t, "LogoChurn", r.LogoChurn, 1.0/6)
	wantRate(t, "LogoRetention", r.LogoRetention, 5.0/6)
	wantRate(t, "churns over opening", r.LogoChurnBy(subscription.ChurnsOverOpening), 0.5)
	wantRate(t, "churns over opening and new", r.LogoChurnBy(subscription.ChurnsOverOpeningAndNew), 1.0/3)
	if got := r.ARPA; got.Count != 8 || !got.Total.Equal(usd("655")) || got.String() != "USD 81.88" {
		t.Errorf("ARPA = %v, want 655/8", got)
	}
	if got := r.ASP; got.Count != 3 || !got.Total.Equal(usd("95")) {
		t.Errorf("ASP = %v, want 95/3", got)
	}
	ltv, err := r.LTV(1)
	if err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "LTV", ltv, "491.25")
}

func TestScenarioPeriodNet(t *testing.T) {
	r := period(t, book(t, scenario()...).With(subscription.Policy{Mode: subscription.PeriodNet}), month(2025, time.June))
	wantLines(t, r, "600", "55", "60", "50", "30", "80", "0", "655")
	want := subscription.Counts{Opening: 6, New: 2, Reactivated: 1, Expanded: 1, Contracted: 1, Churned: 1, Closing: 8,
		Lost: 1, Joined: 3, Paying: 8}
	if r.Customers != want {
		t.Errorf("Customers = %+v, want %+v", r.Customers, want)
	}
	wantRate(t, "GrossChurn", r.GrossChurn, 11.0/60)
	wantRate(t, "NetChurn", r.NetChurn, 0)
	wantRate(t, "FlowNRR", r.FlowNRR, 1)
	wantRate(t, "QuickRatio", r.QuickRatio, 1.5)
	wantRate(t, "QuickRatioNR", r.QuickRatioNR, 105.0/110)
	wantRate(t, "NRR", r.NRR, 0.9)
	wantRate(t, "GRR", r.GRR, 49.0/60)
	if got := r.ASP; got.Count != 2 || !got.Total.Equal(usd("55")) {
		t.Errorf("ASP = %v, want 55/2", got)
	}
}

func TestScenarioCoalesced(t *testing.T) {
	r := period(t, book(t, scenario()...).With(subscription.Policy{Coalesce: time.Hour}), month(2025, time.June))
	wantLines(t, r, "600", "95", "130", "50", "30", "190", "0", "655")
}

func TestScenarioBySubscription(t *testing.T) {
	b := book(t, scenario()...)
	r := period(t, b.With(subscription.Policy{Grain: subscription.BySubscription}), month(2025, time.June))
	wantLines(t, r, "600", "95", "130", "100", "50", "220", "0", "655")
	if r.Customers.Opening != 7 || r.Customers.Churned != 4 {
		t.Errorf("Customers = %+v, want 7 at the opening and 4 churns", r.Customers)
	}
	wantRate(t, "Polar's churn", r.LogoChurnBy(subscription.ChurnsOverOpening), 4.0/7)
	wantRate(t, "RevenueCat's churn", r.LogoChurnBy(subscription.ChurnsLessReturns), 2.0/7)
}

func TestScenarioAtCancelRequest(t *testing.T) {
	rows := scenario()
	rows[6].CancelRequested = at("2025-06-05")
	b := book(t, rows...).With(subscription.Policy{ChurnAt: subscription.AtCancelRequest})
	wantLines(t, period(t, b, month(2025, time.June)), "600", "95", "130", "100", "80", "190", "0", "655")
	before, after := snapshot(t, b, "2025-06-04"), snapshot(t, b, "2025-06-05")
	wantAmount(t, "MRR before the request", before.MRR, "640")
	wantAmount(t, "MRR after the request", after.MRR, "560")
}
