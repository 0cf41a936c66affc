package clv

import (
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// TestFutureGolden holds every question about the future against values of the models' definitions, and the quantile of
// the next purchase against the probability whose inverse it is.
func TestFutureGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/future.json").Rows {
		arg := func(name string) float64 { return float64(row.Args[name]) }
		r, alpha, a, b := arg("r"), arg("alpha"), arg("a"), arg("b")
		var models []Forecaster
		switch kind, _, _ := strings.Cut(row.Name, " "); kind {
		case "nbd":
			models = []Forecaster{NBD{r, alpha}}
		case "paretonbd":
			models = []Forecaster{ParetoNBD{r, alpha, arg("s"), arg("beta")}}
		case "ggompertznbd":
			models = []Forecaster{GGompertzNBD{r, alpha, arg("b"), arg("s"), arg("beta")}}
		case "pdo":
			models = []Forecaster{PDO{r, alpha, a, b, arg("period")}}
		case "bgnbd":
			models = []Forecaster{BGNBD{r, alpha, a, b}, BGCNBD{1, r, alpha, a, b}}
		case "mbgnbd":
			models = []Forecaster{MBGNBD{r, alpha, a, b}, MBGCNBD{1, r, alpha, a, b}}
		case "bgcnbd":
			models = []Forecaster{BGCNBD{int(arg("k")), r, alpha, a, b}}
		case "mbgcnbd":
			models = []Forecaster{MBGCNBD{int(arg("k")), r, alpha, a, b}}
		default:
			t.Fatalf("%s: no such model", row.Name)
		}
		h := History{X: int(arg("x")), TX: arg("tx"), T: arg("T")}
		if h.X > 0 {
			h.LogGaps = float64(h.X) * math.Log(h.TX/float64(h.X))
		}
		n, at := int(arg("n")), arg("t")
		for _, m := range models {
			for name, f := range map[string]func() float64{
				"alive":       func() float64 { return m.ProbAlive(h) },
				"alive_at":    func() float64 { return m.ProbAliveAt(h, at) },
				"conditional": func() float64 { return m.ConditionalPMF(h, n, at) },
				"any":         func() float64 { return m.ProbAnyPurchase(h, at) },
				"expected":    func() float64 { return m.ExpectedPurchases(h, at) },
				"discounted":  func() float64 { return DiscountedPurchases(m, h, at, arg("delta")) },
				"new":         func() float64 { return m.NewCustomerPurchases(at) },
				"pmf":         func() float64 { return m.PMF(n, at) },
				"between":     func() float64 { return m.IntervalPMF(n, arg("from"), arg("to")) },
			} {
				if _, ok := row.Want[name]; ok {
					row.Check(t, name, f())
				}
			}
			if any := m.ProbAnyPurchase(h, at); any > 0 {
				// Where the probability hardly rises any more many times have it.
				if got := m.ProbAnyPurchase(h, m.NextPurchaseQuantile(h, any)); !golden.Close(got, any, 1e-12) && any < m.ProbAlive(h)*(1-1e-12) {
					t.Errorf("%s: the next purchase comes with probability %v, at its quantile with %v", row.Name, any, got)
				}
			}
		}
	}
}
