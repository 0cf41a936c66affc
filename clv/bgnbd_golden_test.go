package clv

import (
	"math"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// TestBGNBDGolden holds the model against 40-digit values of its definition over a wide box of parameters, the
// log-likelihood relative to its size or 1.
func TestBGNBDGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/bgnbd.json").Rows {
		arg := func(name string) float64 { return float64(row.Args[name]) }
		m := BGNBD{arg("r"), arg("alpha"), arg("a"), arg("b")}
		h := History{X: int(arg("x")), TX: arg("tx"), T: arg("T")}
		want := float64(row.Want["ln_l"])
		if got := m.LogLikelihood(h); math.Abs(got-want) > row.Tolerance*max(1, math.Abs(want)) {
			t.Errorf("%s: ln L = %.15g, want %.15g", row.Name, got, want)
		}
		for name, f := range map[string]func() float64{
			"alive":    func() float64 { return m.ProbAlive(h) },
			"expected": func() float64 { return m.ExpectedPurchases(h, arg("t")) },
			"dert":     func() float64 { return m.DERT(h, arg("delta")) },
		} {
			if _, ok := row.Want[name]; ok {
				row.Check(t, name, f())
			}
		}
	}
}
