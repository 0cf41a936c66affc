package clv

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExpAllIsExp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	x := []float64{0, math.Copysign(0, -1), 1, -1, 1e-300, -1e-17, 699.999, -699.999, 700, -700, 709, 710, -745, -800, 1e300,
		math.Inf(1), math.Inf(-1), math.NaN()}
	for range 20_000 {
		x = append(x, 3*r.NormFloat64(), 1400*r.Float64()-700)
	}
	to := make([]float64, len(x))
	expAll(to, x)
	for i, got := range to {
		// Two units in the last place: one of each.
		if want := math.Exp(x[i]); math.Abs(got-want) > 4.5e-16*want || math.IsNaN(got) != math.IsNaN(want) || math.IsInf(got, 1) != math.IsInf(want, 1) {
			t.Errorf("exp(%v) = %v, want %v", x[i], got, want)
		}
	}
	if to[0] != 1 || to[1] != 1 {
		t.Errorf("exp of 0 and -0 is %v and %v, want 1", to[0], to[1])
	}
	expAll(x, x) // in place
	if x[2] != to[2] || x[100] != to[100] {
		t.Errorf("in place exp is %v and %v, want %v and %v", x[2], x[100], to[2], to[100])
	}
}

func BenchmarkExpAll(b *testing.B) {
	x, to := make([]float64, 32), make([]float64, 32)
	for i := range x {
		x[i] = float64(i)/8 - 2
	}
	b.ReportAllocs()
	for b.Loop() {
		expAll(to, x)
	}
	b.ReportMetric(float64(len(x)*b.N)/b.Elapsed().Seconds(), "rows/s")
}
