package radix

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, few - 1, few, 5000} {
		values := make([]float64, n)
		for i := range values {
			switch r.IntN(5) {
			case 0:
				values[i] = float64(r.IntN(7) - 3) // ties
			case 1:
				values[i] = math.Copysign(0, -1)
			case 2:
				values[i] = math.Inf(1 - 2*r.IntN(2))
			default:
				values[i] = r.NormFloat64() * math.Exp(20*r.NormFloat64())
			}
		}
		want := make([]int, n)
		for i := range want {
			want[i] = i
		}
		slices.SortStableFunc(want, func(a, b int) int {
			switch {
			case values[a] < values[b]:
				return -1
			case values[a] > values[b]:
				return 1
			}
			return 0
		})
		for i, k := range Order(values) {
			if int(k.Row) != want[i] {
				t.Fatalf("%d values: place %d has row %d (%v), want %d (%v)", n, i, k.Row, values[k.Row], want[i], values[want[i]])
			}
		}
	}
}
