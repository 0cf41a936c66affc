package sample_test

import (
	"context"
	"testing"

	"github.com/custval/custval/cac/attribution"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
)

// TestShopCustomers holds that everybody in the log and the touch-points is there once, with a platform and a region, and
// that those who bought come on a desktop more often.
func TestShopCustomers(t *testing.T) {
	ctx := context.Background()
	customers, err := ledger.Collect(ledger.ReadCustomers(ctx, sample.ShopCustomers(), nil))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]ledger.Customer{}
	for _, c := range customers {
		if _, ok := seen[c.ID]; ok || c.Attributes["platform"] == "" || c.Attributes["region"] == "" {
			t.Errorf("%v", c)
		}
		seen[c.ID] = c
	}
	bought := map[string]bool{}
	for x, err := range ledger.ReadCSV(ctx, sample.Shop(), &ledger.CSVOptions{Currency: "USD"}) {
		if err != nil {
			t.Fatal(err)
		}
		bought[x.Customer] = true
		if _, ok := seen[x.Customer]; !ok {
			t.Errorf("%s is missing", x.Customer)
		}
	}
	for p, err := range attribution.ReadTouchpoints(ctx, sample.MarketingTouches(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := seen[p.Customer]; !ok {
			t.Errorf("%s is missing", p.Customer)
		}
	}
	var desktop, all [2]float64
	for _, c := range customers {
		i := 0
		if bought[c.ID] {
			i = 1
		}
		all[i]++
		if c.Attributes["platform"] == "desktop" {
			desktop[i]++
		}
	}
	if no, yes := desktop[0]/all[0], desktop[1]/all[1]; no < 0.14 || no > 0.22 || yes < 0.25 || yes > 0.35 {
		t.Errorf("desktops: %.2f of the visitors and %.2f of the customers", no, yes)
	}
}
