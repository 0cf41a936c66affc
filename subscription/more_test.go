package subscription_test

import (
	"encoding"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

// TestTexts reads back the names of all enumerations and refuses others.
func TestTexts(t *testing.T) {
	for _, tc := range []struct {
		value encoding.TextMarshaler
		into  encoding.TextUnmarshaler
		want  string
	}{
		{subscription.Metered, new(subscription.Kind), "metered"},
		{subscription.Involuntary, new(subscription.Reason), "involuntary"},
		{subscription.Once, new(subscription.Duration), "once"},
		{subscription.CancelUndone, new(subscription.EventKind), "cancel-undone"},
		{subscription.SharedSubscription, new(subscription.IssueKind), "shared subscription"},
		{subscription.FX, new(subscription.MovementKind), "fx"},
		{subscription.Pending, new(subscription.RenewalStatus), "pending"},
		{subscription.TrialsEnded, new(subscription.TrialBasis), "ended"},
		{subscription.NoDiscounts, new(subscription.DiscountRule), "none"},
		{subscription.Fraction{Num: 365, Den: 12}, new(subscription.Fraction), "365/12"},
		{subscription.Fraction{Num: 30, Den: 1}, new(subscription.Fraction), "30"},
		{subscription.HalfYearly, new(subscription.Interval), "6 months"},
	} {
		text, err := tc.value.MarshalText()
		if err != nil || string(text) != tc.want {
			t.Errorf("%v is %s, %v, want %s", tc.value, text, err, tc.want)
		}
		if err := tc.into.UnmarshalText(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if again, _ := tc.into.(encoding.TextMarshaler).MarshalText(); string(again) != tc.want {
			t.Errorf("%s comes back as %s", tc.want, again)
		}
		if err := tc.into.UnmarshalText([]byte("invalid(31)")); err == nil || !strings.HasPrefix(err.Error(), "subscription: ") {
			t.Errorf("%T reads nonsense: %v", tc.into, err)
		}
	}
}

// TestCurrencies has minor units of 0 and 3 digits, none at all, and amounts beyond a word.
func TestCurrencies(t *testing.T) {
	priced := func(amount string, c money.Currency) subscription.Row {
		r := every(row("a", "1", "2025-01-01", ""), subscription.Yearly)
		r.Price = money.MustParse(amount, c)
		return r
	}
	for _, tc := range []struct {
		amount, want string
		currency     money.Currency
	}{
		{"1000", "JPY 83", "JPY"}, {"1", "BHD 0.083", "BHD"}, {"12000000000000000000000000.12", "USD 1000000000000000000000000.01", "USD"},
		{"0.000000000000012", "USD 0.00", "USD"},
	} {
		b := book(t, priced(tc.amount, tc.currency))
		if got := snapshot(t, b, "2025-02-01").MRR.String(); got != tc.want {
			t.Errorf("%s %s a year is %s a month, want %s", tc.currency, tc.amount, got, tc.want)
		}
		checkCloses(t, period(t, b, month(2025, time.January)))
	}
	gold := book(t, priced("12", "XAU"))
	if _, err := gold.At(at("2025-02-01")); err == nil || err.Error() != "subscription: currency XAU has no minor unit: the policy must say to how many digits to round" {
		t.Errorf("gold: %v", err)
	}
	if s, err := gold.With(subscription.Policy{Rounding: subscription.Rounding{Digits: 3}}).At(at("2025-02-01")); err != nil || !s.MRR.Equal(money.MustParse("1", "XAU")) {
		t.Errorf("gold to three digits: %v, %v", s, err)
	}
}

func TestInvoiceErrors(t *testing.T) {
	good := subscription.InvoiceLine{Customer: "a", Amount: usd("10"), Interval: subscription.EveryMonth, ServiceStart: at("2025-06-01"), ServiceEnd: at("2025-07-01")}
	for want, change := range map[string]func(*subscription.InvoiceLine){
		`field "Interval": value "unknown": not a billing interval such as month, 3 months, quarterly, yearly or P1Y`: func(l *subscription.InvoiceLine) { l.Interval = 0 },
		`field "Tax": value "EUR 1.00": not in the currency of the price`:                                             func(l *subscription.InvoiceLine) { l.Tax = money.MustParse("1", "EUR") },
		`field "ServiceEnd": value "2025-06-01T00:00:00Z": not after ServiceStart`:                                    func(l *subscription.InvoiceLine) { l.ServiceEnd = l.ServiceStart },
		`field "Full": value "2025-05": the service period is not within it`:                                          func(l *subscription.InvoiceLine) { l.Full = month(2025, time.May) },
	} {
		l := good
		change(&l)
		_, err := subscription.New(subscription.FromInvoices(ledger.Slice([]subscription.InvoiceLine{good, l}), subscription.Policy{}))
		if err == nil || err.Error() != "subscription: row 2: "+want {
			t.Errorf("error %v, want subscription: row 2: %s", err, want)
		}
	}
}

// TestDailySums has two days: 10 of 100 leaves on the first and 9 of 90 on the second.
func TestDailySums(t *testing.T) {
	b := book(t, row("a", "10", "2025-01-01", "2025-06-01 12:00"), row("b", "9", "2025-01-01", "2025-06-02 12:00"), row("c", "81", "2025-01-01", ""))
	table := roll(t, b, ledger.Days(at("2025-06-01"), at("2025-06-03"), nil))
	gross, err := table.SumOfGrossChurn()
	if err != nil || gross != 0.2 {
		t.Errorf("gross = %v, %v, want 0.2", gross, err)
	}
	logos, err := table.SumOfLogoChurn()
	if err != nil || logos != 1.0/3+1.0/2 {
		t.Errorf("logos = %v, %v, want 5/6", logos, err)
	}
}

// TestViews checks that views leave the Book as it is, and that Books can be read at the same time.
func TestViews(t *testing.T) {
	b := book(t, scenario()...)
	done := make(chan error)
	for _, p := range subscription.Presets() {
		go func() {
			_, err := b.With(p).Until(at("2025-06-10")).Period(june())
			done <- err
		}()
	}
	for range subscription.Presets() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if b.Policy() != subscription.Default() || period(t, b, june()).Incomplete || b.Currencies()[0] != "USD" {
		t.Errorf("the Book has the policy %s", b.Policy().Name)
	}
	if s := snapshot(t, b, "2025-06-10").String(); !strings.HasPrefix(s, "at 2025-06-10T00:00:00Z, policy default\nMRR ") {
		t.Errorf("Snapshot prints as\n%s", s)
	}
	bal, err := subscription.NewBalances(ledger.Slice([]subscription.Balance{{Customer: "a", At: at("2025-01-01"), MRR: usd("10")}}))
	if err != nil {
		t.Fatal(err)
	}
	if bal, err = bal.In("EUR", []money.Rate{{Base: "USD", Quote: "EUR", AsOf: at("2024-01-01"), Value: rateOf("EUR", "2024-01-01", "0.5").Value}}); err != nil {
		t.Fatal(err)
	}
	if s, err := bal.At(at("2025-01-01")); err != nil || s.MRR.String() != "EUR 5.00" {
		t.Errorf("in euros: %v, %v", s, err)
	}
	if _, err := bal.RollForward(t.Context(), nil); err == nil || err.Error() != "subscription: 1 snapshots: two are needed for a comparison" {
		t.Errorf("one snapshot: %v", err)
	}
}
