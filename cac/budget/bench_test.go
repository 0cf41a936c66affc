package budget_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/cac/budget"
)

func benchmark(b *testing.B, n int, curve func(r *rand.Rand, i int) budget.Curve) {
	r := rand.New(rand.NewPCG(1, 2))
	var channels []budget.Channel
	for i := range n {
		channels = append(channels, budget.Channel{Name: fmt.Sprintf("%04d", i), Curve: curve(r, i), Value: usd("120"), Min: usd("5"), Max: usd("5000")})
	}
	total := cents(b, 400*float64(n))
	b.ReportAllocs()
	gap := 0.0
	for b.Loop() {
		p, err := budget.Allocate(context.Background(), total, channels, nil)
		if err != nil {
			b.Fatal(err)
		}
		gap = p.Gap
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "channels/s")
	b.ReportMetric(gap, "gap")
}

func BenchmarkAllocate(b *testing.B) {
	mixed := func(r *rand.Rand, _ int) budget.Curve { return randomCurve(r, false) }
	concave := func(r *rand.Rand, _ int) budget.Curve {
		return hill(100+900*r.Float64(), 50+500*r.Float64(), 0.5+0.5*r.Float64())
	}
	bent := func(r *rand.Rand, _ int) budget.Curve {
		return hill(100+900*r.Float64(), 50+500*r.Float64(), 1.2+2*r.Float64())
	}
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprintf("concave/%d", n), func(b *testing.B) { benchmark(b, n, mixed) })
		b.Run(fmt.Sprintf("hill/%d", n), func(b *testing.B) { benchmark(b, n, concave) })
		b.Run(fmt.Sprintf("s-shaped/%d", n), func(b *testing.B) { benchmark(b, n, bent) })
	}
}
