package stat

import (
	"math"
	"slices"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// Values of R: qnorm, prop.test without continuity correction, quantile type 7.
func TestAgainstR(t *testing.T) {
	low, high := Wilson(45, 50, 0.95)
	zeroLow, zeroHigh := Wilson(0, 10, 0.95)
	allLow, allHigh := Wilson(10, 10, 0.95)
	sorted := []float64{1, 2, 4, 8, 16}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"z of 97.5 %", NormalQuantile(0.975), 1.959963984540054},
		{"two-sided z of 95 %", TwoSided(0.95), 1.959963984540054},
		{"Wilson low", low, 0.7863976856252035}, {"Wilson high", high, 0.9565242350681097},
		{"Wilson of none, low", zeroLow, 0}, {"Wilson of none, high", zeroHigh, 0.2775327998628892},
		{"Wilson of all, low", allLow, 0.7224672001371107}, {"Wilson of all, high", allHigh, 1},
		{"quantile 0", Quantile(sorted, 0), 1}, {"quantile 0.1", Quantile(sorted, 0.1), 1.4},
		{"quantile 0.9", Quantile(sorted, 0.9), 12.8}, {"quantile 1", Quantile(sorted, 1), 16},
		{"median of four", Median([]float64{8, 1, 4, 2}), 3},
	} {
		if !golden.Close(c.got, c.want, 1e-12) {
			t.Errorf("%s = %.16g, want %.16g", c.name, c.got, c.want)
		}
	}
}

func TestOutOfRange(t *testing.T) {
	for name, v := range map[string]float64{
		"quantile of p < 0": NormalQuantile(-0.1), "quantile of NaN": NormalQuantile(math.NaN()), "level 1": TwoSided(1), "level 0": TwoSided(0),
		"no values": Quantile(nil, 0.5), "p > 1": Quantile([]float64{1}, 1.5), "median of nothing": Median(nil),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s: %v, want NaN", name, v)
		}
	}
	for _, c := range [][3]float64{{1, 0, 0.95}, {-1, 10, 0.95}, {11, 10, 0.95}, {1, 10, 1.5}, {math.NaN(), 10, 0.95}} {
		if low, high := Wilson(c[0], c[1], c[2]); !math.IsNaN(low) || !math.IsNaN(high) {
			t.Errorf("Wilson%v = %v, %v, want NaN", c, low, high)
		}
	}
	values := []float64{3, 1, 2}
	if Median(values); !slices.Equal(values, []float64{3, 1, 2}) {
		t.Error("Median modifies its argument")
	}
}
