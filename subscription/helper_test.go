package subscription_test

import (
	"context"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

// at reads "2025-06-15" or "2025-06-15 10:20" in UTC; the empty text is the zero time.
func at(s string) time.Time {
	switch len(s) {
	case 0:
		return time.Time{}
	case len(time.DateOnly):
		s += " 00:00"
	}
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

// row is a monthly USD price from one moment to another.
func row(customer, mrr, from, to string) subscription.Row {
	return subscription.Row{
		Customer: customer, Price: usd(mrr), Interval: subscription.EveryMonth, From: at(from), To: at(to),
	}
}

func book(t testing.TB, rows ...subscription.Row) *subscription.Book {
	t.Helper()
	b, err := subscription.New(subscription.Rows(rows))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func month(year int, m time.Month) ledger.Period { return ledger.Month(year, m, time.UTC) }

func period(t testing.TB, b *subscription.Book, p ledger.Period) *subscription.PeriodResult {
	t.Helper()
	r, err := b.Period(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func roll(t testing.TB, b *subscription.Book, ps []ledger.Period) *subscription.RollForward {
	t.Helper()
	r, err := b.RollForward(context.Background(), ps)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func snapshot(t testing.TB, b *subscription.Book, s string) *subscription.Snapshot {
	t.Helper()
	r, err := b.At(at(s))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rate is a MoneyRate or a CountRate.
type rate interface{ Value() (float64, error) }

// wantRate checks a rate to 15 digits.
func wantRate(t testing.TB, name string, r rate, want float64) {
	t.Helper()
	got, err := r.Value()
	if err != nil {
		t.Errorf("%s: %v", name, err)
	} else if diff := got - want; diff > 1e-15*max(want, -want) || -diff > 1e-15*max(want, -want) {
		t.Errorf("%s = %.17g, want %.17g", name, got, want)
	}
}

func wantAmount(t testing.TB, name string, got money.Amount, want string) {
	t.Helper()
	if !got.Equal(usd(want)) {
		t.Errorf("%s = %s, want USD %s", name, got, want)
	}
}

// lines checks opening, new, reactivation, expansion, contraction, churn, FX and closing.
func wantLines(t testing.TB, r *subscription.PeriodResult, want ...string) {
	t.Helper()
	names := []string{"Opening", "New", "Reactivation", "Expansion", "Contraction", "Churn", "FX", "Closing"}
	got := []money.Amount{r.Opening, r.New, r.Reactivation, r.Expansion, r.Contraction, r.Churn, r.FX, r.Closing}
	for i, name := range names {
		wantAmount(t, name, got[i], want[i])
	}
}

func amounts(texts ...string) []money.Amount {
	var out []money.Amount
	for _, s := range texts {
		out = append(out, usd(s))
	}
	return out
}
