package clv_test

import (
	"context"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

func TestPredictCov(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, bgShop, bgDoes, 600, 21)
	e, err := clv.FitCovBGNBD(ctx, hs, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ledger.Collect(clv.PredictCov(ctx, e, hs, d, &clv.PredictOptions{Horizon: 26}))
	if err != nil || len(all) != 600 {
		t.Fatal(len(all), err)
	}
	for i, p := range all {
		m := e.Model.For(d.Row(i))
		if h := hs.Rows[i]; p.Customer != h.Customer || p.ProbAlive != m.ProbAlive(h) || p.Purchases != m.ExpectedPurchases(h, 26) {
			t.Fatalf("row %d: %+v", i, p)
		}
	}
	// The same customer alone and in the batch.
	one, err := d.Pick([]int{17})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := ledger.Collect(clv.PredictCov(ctx, e, &clv.Histories{Unit: clv.Week, Rows: hs.Rows[17:18]}, one, &clv.PredictOptions{Horizon: 26}))
	if err != nil || alone[0] != all[17] {
		t.Errorf("alone %+v, in the batch %+v, %v", alone, all[17], err)
	}
	other, err := clv.NewDesign(clv.Numeric("age", make([]float64, 600)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		d    *clv.Design
		want string
	}{
		{other, `clv: the design has the columns ["age"], the model ["income" "channel=search" "channel=social"]`},
		{one, "clv: the design has 1 rows for 600 histories"},
	} {
		if _, err := ledger.Collect(clv.PredictCov(ctx, e, hs, c.d, nil)); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestBootstrapCov(t *testing.T) {
	ctx := context.Background()
	hs, d := covShop(t, clv.NBD{R: 0.9, Alpha: 10}, paretoDoes[:1], 1500, 22)
	o := &clv.CovOptions{On: map[string][]string{"Alpha": {"income"}}}
	e, err := clv.FitCovNBD(ctx, hs, d, o)
	if err != nil {
		t.Fatal(err)
	}
	draws, err := clv.BootstrapCov(ctx, e, hs, d, o, clv.FitCovNBD, &clv.BootstrapOptions{Samples: 100, Seed: 1})
	if err != nil || draws.Failed > 0 {
		t.Fatal(err, draws)
	}
	ps, err := draws.ParamIntervals(0.9)
	if err != nil {
		t.Fatal(err)
	}
	wald, err := e.Interval(0.9)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range ps {
		width := wald[i][1] - wald[i][0]
		if d := p.Interval.High - p.Interval.Low; d < 0.6*width || d > 1.6*width || p.Name != e.Params[i].Name {
			t.Errorf("%s: %v, Wald %v", p.Name, p.Interval, wald[i])
		}
	}
}
