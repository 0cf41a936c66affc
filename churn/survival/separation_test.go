package survival

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/custval/custval/ledger"
)

// monotone reports whether the partial likelihood of two covariates rises without end in some direction: whether nobody
// who leaves is below anybody at risk then, and somebody is above. It tries the directions at right angles to the
// differences, where that can change, and one between each two of them.
func monotone(ts []ledger.Tenure, x, y []float64) bool {
	var gaps [][2]float64
	for i := range ts {
		for j := range ts {
			if ts[i].Ended && ts[j].Duration >= ts[i].Duration && (x[i] != x[j] || y[i] != y[j]) {
				gaps = append(gaps, [2]float64{x[i] - x[j], y[i] - y[j]})
			}
		}
	}
	var angles []float64
	for _, g := range gaps {
		at := math.Atan2(g[1], g[0])
		angles = append(angles, math.Mod(at+2.5*math.Pi, 2*math.Pi), math.Mod(at+3.5*math.Pi, 2*math.Pi))
	}
	slices.Sort(angles)
	for i, a := range angles {
		next := angles[0] + 2*math.Pi
		if i+1 < len(angles) {
			next = angles[i+1]
		}
		for _, angle := range []float64{a, (a + next) / 2} {
			c, s := math.Cos(angle), math.Sin(angle)
			least, most := 0.0, 0.0
			for _, g := range gaps {
				d := c*g[0] + s*g[1]
				least, most = min(least, d), max(most, d)
			}
			if least > -1e-9 && most > 1e-9 {
				return true
			}
		}
	}
	return false
}

func TestSeparationIsCertain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[bool]int{}
	for range 8000 {
		n := 4 + r.IntN(12)
		ts, x, y := make([]ledger.Tenure, n), make([]float64, n), make([]float64, n)
		for i := range ts {
			ts[i] = ledger.Tenure{Duration: float64(1 + i), Ended: r.Float64() < .6}
			x[i], y[i] = math.Exp(r.NormFloat64()), math.Exp(r.NormFloat64())
		}
		d, err := NewDesign(Numeric("x", x), Numeric("y", y))
		if err != nil {
			t.Fatal(err)
		}
		_, err = FitCox(context.Background(), ts, d, nil)
		if err != nil && !errors.Is(err, ErrSeparation) {
			continue // without events, or collinear
		}
		want := monotone(ts, x, y)
		if got := err != nil; got != want {
			t.Errorf("separation %v, want %v: %v\n%v\n%v\n%v", got, want, err, ts, x, y)
		}
		seen[want]++
	}
	if seen[true] < 200 || seen[false] < 200 {
		t.Errorf("too few of a kind: %v", seen)
	}
}
