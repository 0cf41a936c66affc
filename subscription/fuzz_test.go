package subscription_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"month", "3 months", "P3M", "every 14 days", "biweekly", "", "p", "99999999999999999999 days", "1048575y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := subscription.ParseInterval(s)
		if (err == nil) != i.Known() {
			t.Fatalf("ParseInterval(%q) = %s, %v", s, i, err)
		}
		if err != nil {
			return
		}
		if back, err := subscription.ParseInterval(i.String()); err != nil || back != i {
			t.Fatalf("%q is %s, which comes back as %s, %v", s, i, back, err)
		}
	})
}

func FuzzMoneyRateJSON(f *testing.F) {
	f.Add(`{"value":0.95,"exact":"19/20","part":{"amount":"95.00","currency":"USD"},"base":{"amount":"100.00","currency":"USD"}}`)
	f.Add(`{"value":null}`)
	f.Add(`{"value":1,"exact":"1/0"}`)
	f.Add(`{"value":1,"exact":"1/-3"}`)
	f.Fuzz(func(t *testing.T, s string) {
		var r subscription.MoneyRate
		if json.Unmarshal([]byte(s), &r) != nil {
			return
		}
		if v, err := r.Value(); err == nil && math.IsNaN(v) {
			t.Fatalf("%q has the value NaN", s)
		}
		if v, err := r.Value(); err == nil && math.IsInf(v, 0) {
			return // an exact number beyond float64: it cannot be written, and does not come from a result
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back subscription.MoneyRate
		if err := json.Unmarshal(text, &back); err != nil || !back.Equal(r) {
			t.Fatalf("%q: %s comes back as %v, %v", s, text, back, err)
		}
	})
}

func FuzzPeriodResultJSON(f *testing.F) {
	f.Add(`{"policy":{"discounts":"all","return":"3 months"},"arpa":{"total":{"amount":"1.00","currency":"USD"},"count":3,"exact":"1","mode":0}}`)
	f.Add(`{"arpa":{"value":null,"count":0},"reasons":[{"reason":"voluntary","customers":1}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		var r subscription.PeriodResult
		if json.Unmarshal([]byte(s), &r) == nil {
			_, _ = r.String(), r.Reasons.String()
			_, _ = r.LTV(0.5)
		}
	})
}

func FuzzReadCSV(f *testing.F) {
	f.Add(table)
	f.Add("customer,price,currency,interval,start,discount_percent\na,10,USD,month,2025-01-01,12.5%\n")
	f.Fuzz(func(t *testing.T, s string) {
		rows, _ := ledger.Collect(ledger.Skip(subscription.ReadCSV(t.Context(), strings.NewReader(s), nil), nil))
		b, err := subscription.New(subscription.Rows(rows))
		if err != nil {
			return // parents that differ
		}
		r, err := b.Period(june())
		if err == nil {
			checkCloses(t, r)
		}
	})
}
