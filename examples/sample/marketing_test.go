package sample_test

import (
	"context"
	"testing"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
)

// TestMarketing holds that costs and touch-points are clean and belong to the shop: every customer's last touch is of the
// channel that the log names, on the day of the first order and within four weeks of the others.
func TestMarketing(t *testing.T) {
	ctx := context.Background()
	usd := &ledger.CSVOptions{Currency: "USD"}
	costs, err := ledger.Collect(cac.ReadCosts(ctx, sample.MarketingCosts(), usd))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[cac.Category]int{}
	for _, c := range costs {
		kinds[c.Category]++
	}
	for _, kind := range []cac.Category{cac.PaidMedia, cac.Payroll, cac.Tools, cac.Agency, cac.Other} {
		if kinds[kind] == 0 {
			t.Errorf("no costs of %s", kind)
		}
	}
	won, err := cac.Acquire(ctx, ledger.ReadCSV(ctx, sample.Shop(), usd), nil)
	if err != nil {
		t.Fatal(err)
	}
	touches, err := ledger.Collect(attribution.ReadTouchpoints(ctx, sample.MarketingTouches(), nil))
	if err != nil {
		t.Fatal(err)
	}
	first, last := map[string]attribution.Touchpoint{}, map[string]attribution.Touchpoint{}
	for _, p := range touches {
		if _, ok := first[p.Customer]; !ok {
			first[p.Customer] = p
		}
		if p.At.Before(last[p.Customer].At) {
			t.Errorf("%s: touches out of order", p.Customer)
		}
		last[p.Customer] = p
	}
	for _, c := range won.Customers() {
		if p := last[c.ID]; p.Channel != c.Channel || !p.At.Equal(c.Acquired) || c.Acquired.Before(sample.MarketingStart) || !c.Acquired.Before(sample.MarketingEnd) {
			t.Errorf("%s: won by %s on %s, last touch %v", c.ID, c.Channel, c.Acquired, p)
		}
		if age := c.Acquired.Sub(first[c.ID].At).Hours() / 24; age > 28 {
			t.Errorf("%s: first touch %v days before", c.ID, age)
		}
	}
	if len(last) != len(won.Rows)+1500 {
		t.Errorf("%d customers and visitors, want %d", len(last), len(won.Rows)+1500)
	}
}
