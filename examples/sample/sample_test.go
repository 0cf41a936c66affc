package sample_test

import (
	"context"
	"testing"

	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
)

// TestSaaS holds that the sample is a clean history in which everything that it promises happens.
func TestSaaS(t *testing.T) {
	ctx := context.Background()
	book, err := subscription.New(subscription.ReadCSV(ctx, sample.SaaS(), &subscription.ReadOptions{CSVOptions: ledger.CSVOptions{Currency: "USD"}}))
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Check(); err != nil {
		t.Error(err)
	}
	seen := map[string]int{}
	for r, err := range book.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		seen["plan "+r.Plan]++
		seen["interval "+r.Interval.String()]++
		seen["region "+r.Labels["region"]]++
		seen["size "+r.Labels["size"]]++
		seen["training "+r.Labels["training"]]++
		seen["reason "+r.Reason.String()]++
		for what, has := range map[string]bool{
			"discount": len(r.Discounts) > 0, "trial": !r.Trial.Start.IsZero(), "pause": len(r.Paused) > 0, "overdue": len(r.PastDue) > 0,
			"term": len(r.Terms) > 0, "ends later": r.To.After(sample.SaaSEnd),
		} {
			if has {
				seen[what]++
			}
		}
	}
	for _, what := range []string{"plan starter", "plan team", "plan business", "interval month", "interval year", "region Asia", "size large",
		"training yes", "reason voluntary", "reason involuntary", "discount", "trial", "pause", "overdue", "term", "ends later"} {
		if seen[what] < 5 {
			t.Errorf("%s: %d rows, want at least 5", what, seen[what])
		}
	}
	if s, err := book.At(sample.SaaSEnd); err != nil || s.Customers < 100 {
		t.Errorf("at the end: %v with error %v", s, err)
	}
}
