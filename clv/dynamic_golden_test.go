package clv_test

import (
	"math"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/golden"
)

// goldenPath draws the path of a seed as testdata/gen_dynamic.py does.
func goldenPath(seed int64, pieces int, step float64) clv.Path {
	draw := func() float64 {
		seed = (seed*1103515245 + 12345) % (1 << 31)
		return float64(seed) / (1 << 31)
	}
	var p clv.Path
	at := 0.0
	for range pieces {
		p.Starts = append(p.Starts, at)
		first := draw()
		p.Rows = append(p.Rows, []float64{float64(2*first) - 1, float64(2*draw()) - 1})
		at += float64(step * (0.5 + draw()))
	}
	return p
}

// TestDynamicGolden holds the model against 30-digit values of its definition over a wide box of parameters and paths of up
// to 300 pieces, the log-likelihood relative to its size or 1.
func TestDynamicGolden(t *testing.T) {
	rows := golden.Load(t, "testdata/dynamic.json").Rows
	if len(rows) < 200 {
		t.Fatalf("%d points", len(rows))
	}
	worst := map[string]float64{}
	for _, row := range rows {
		arg := func(name string) float64 { return float64(row.Args[name]) }
		m := clv.DynamicParetoNBD{Base: clv.ParetoNBD{R: arg("r"), Alpha: arg("alpha"), S: arg("s"), Beta: arg("beta")},
			Terms: clv.Terms{{Name: "u"}, {Name: "v"}}, Effects: []clv.Effect{
				{Param: "Alpha", Coefficients: []float64{arg("buy_1"), arg("buy_2")}},
				{Param: "Beta", Coefficients: []float64{arg("leave_1"), arg("leave_2")}}}}
		p := goldenPath(int64(arg("seed")), int(arg("pieces")), arg("step"))
		p.Purchases = []float64{arg("bought_1"), arg("bought_2")}
		w := m.Along(p)
		h := clv.History{X: int(arg("x")), TX: arg("tx"), T: arg("T")}
		if want, got := float64(row.Want["ln_l"]), w.LogLikelihood(h); !(math.Abs(got-want) <= row.Tolerance*max(1, math.Abs(want))) {
			t.Errorf("%s: ln L = %.15g, want %.15g", row.Name, got, want)
		}
		for name, f := range map[string]func() float64{
			"alive":      func() float64 { return w.ProbAlive(h) },
			"expected":   func() float64 { return w.ExpectedPurchases(h, arg("t")) },
			"discounted": func() float64 { return clv.DiscountedPurchases(w, h, arg("t"), arg("delta")) },
			"any":        func() float64 { return w.ProbAnyPurchase(h, arg("t")) },
			"pmf":        func() float64 { return w.PMF(int(arg("n")), arg("t")) },
		} {
			if want, ok := row.Want[name]; ok {
				got := f()
				row.Check(t, name, got)
				worst[name] = max(worst[name], math.Abs(got/float64(want)-1))
			}
		}
	}
	t.Logf("worst relative differences %v", worst)
}
