package clv

import (
	"math"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// TestBGBBGolden holds the model against 50-digit values of its definition over a wide box of parameters, the
// log-likelihood relative to its size or 1.
func TestBGBBGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/bgbb.json").Rows {
		arg := func(name string) float64 { return float64(row.Args[name]) }
		m := BGBB{arg("alpha"), arg("beta"), arg("gamma"), arg("delta")}
		h := DiscreteHistory{X: int(arg("x")), TX: int(arg("tx")), N: int(arg("n"))}
		want := float64(row.Want["ln_l"])
		if got := m.LogLikelihood(h); math.Abs(got-want) > row.Tolerance*max(1, math.Abs(want)) {
			t.Errorf("%s: ln L = %.15g, want %.15g", row.Name, got, want)
		}
		for name, f := range map[string]func() float64{
			"alive":    func() float64 { return m.ProbAlive(h) },
			"expected": func() float64 { return m.ExpectedPurchases(h, int(arg("ahead"))) },
			"dert":     func() float64 { return m.DERT(h, arg("d")) },
			"pmf":      func() float64 { return m.PMF(int(arg("m")), int(arg("size"))) },
		} {
			if _, ok := row.Want[name]; ok {
				row.Check(t, name, f())
			}
		}
	}
}
