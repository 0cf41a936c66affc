package clv

import (
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// TestDiscountedGolden holds the discounted purchases of new customers against the definitions, over a wide box of
// parameters, horizons and discount rates.
func TestDiscountedGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/horizon_wide.json").Rows {
		arg := func(name string) float64 { return float64(row.Args[name]) }
		r, alpha, a, b := arg("r"), arg("alpha"), arg("a"), arg("b")
		horizon, delta := arg("horizon"), arg("delta")
		var m Model
		switch kind, _, _ := strings.Cut(row.Name, " "); kind {
		case "paretonbd":
			m = ParetoNBD{r, alpha, arg("s"), arg("beta")}
		case "pdo":
			m = PDO{r, alpha, a, b, arg("period")}
		case "bgnbd":
			m = BGNBD{r, alpha, a, b}
			// With its chance to leave at 0 MBG/NBD is BG/NBD with one purchase more.
			if b > 1 {
				mbg := MBGNBD{r, alpha, a, b - 1}
				row.Check(t, "discounted", DiscountedPurchases(mbg, History{}, horizon, delta)/mbg.ProbAlive(History{}))
			}
		case "bgcnbd":
			m = BGCNBD{int(arg("k")), r, alpha, a, b}
		default:
			t.Fatalf("%s: no such model", row.Name)
		}
		row.Check(t, "discounted", DiscountedPurchases(m, History{}, horizon, delta))
		if delta*horizon > 50 { // nothing is left to come
			if got, want := m.DERT(History{}, delta), DiscountedPurchases(m, History{}, horizon, delta); !golden.Close(got, want, 1e-9) {
				t.Errorf("%s: for ever %v, within a long horizon %v", row.Name, got, want)
			}
		}
	}
	// With opportunities close together PDO is Pareto/NBD, but for the middle of a period.
	h, pdo, pareto := History{}, PDO{1, 1, 0.5, 1e7, 1e-4}, ParetoNBD{1, 1, 0.5, 1e3}
	if got, want := DiscountedPurchases(pdo, h, 1e6, 1e-5), DiscountedPurchases(pareto, h, 1e6, 1e-5); !golden.Close(got, want, 1e-6) {
		t.Errorf("PDO with ten thousand million opportunities: %v, want %v", got, want)
	}
	if got, want := pdo.PMF(3, 1000), pareto.PMF(3, 1000); !golden.Close(got, want, 1e-4) {
		t.Errorf("PMF of PDO with ten million opportunities: %v, want %v", got, want)
	}
}

// TestLongFuture holds the closed form of the expected purchases against the sum over the phases, and what comes within a
// horizon of many thousand purchases against DERT.
func TestLongFuture(t *testing.T) {
	for _, k := range []int{1, 2, 3, 12, 100} {
		for _, a := range []float64{0.01, 0.5, 5} {
			for _, shape := range []float64{0.01, 0.7, 300} {
				for _, passed := range []float64{0, 0.7} {
					e := erlang{k: k, shape: shape, rate: 1, a: a, b: 0.5, passed: passed}
					y := 5000 / (shape + 38)
					want := 0.0
					for j, w := range e.weights(nil) {
						if w > 1e-18 {
							want += w * e.expectedGiven(j, y)
						}
					}
					if got := e.expectedLong(y); !golden.Close(got, want, 1e-9) {
						t.Errorf("%+v: %v purchases, want %v", e, got, want)
					}
				}
			}
		}
		m := BGCNBD{k, 0.3, 3e-5 / float64(k), 0.5, 3}
		// For a shape and a rate this small the rule of DERT for lambda has seven digits.
		if got, want := DiscountedPurchases(m, History{}, 500, 0.1), m.DERT(History{}, 0.1); !golden.Close(got, want, 1e-7) {
			t.Errorf("K = %d: %v purchases within a long horizon, %v for ever", k, got, want)
		}
	}
}
