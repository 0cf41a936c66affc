package clv

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// On brief pieces the short way gives what the departure gives.
func TestBriefDepartures(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	differ := func(got, want float64) bool { // what counts is the error against 1
		return math.Abs(got-want) > 1e-12
	}
	rules := map[int]int{}
	for range 20_000 {
		log := func(lo, hi float64) float64 { return lo * math.Pow(hi/lo, r.Float64()) }
		n, s, a, b := log(0.01, 5000), log(0.001, 50), log(1e-3, 1e5), log(1e-3, 1e5)
		u := min(a/max(1, 10*n), b/(1+s)) * log(1e-6, 0.5)
		rule, ok := brief(n, s, a, b, u)
		if !ok {
			continue
		}
		rules[len(rule)]++
		var got, want moments
		got.brief(rule, n, s, a, b, u)
		d := newDeparture(n, s, a, b, u)
		d.moments(&want)
		if !golden.Close(got.total, d.scale*want.total, 1e-12) {
			t.Errorf("%v %v %v %v %v: %v, want %v", n, s, a, b, u, got.total, d.scale*want.total)
		}
		for i := range 4 {
			if differ(got.first[i], want.first[i]) {
				t.Errorf("%v %v %v %v %v: moment %d is %v, want %v", n, s, a, b, u, i, got.first[i], want.first[i])
			}
			for j := i; j < 4; j++ {
				if differ(got.second[i][j], want.second[i][j]) {
					t.Errorf("%v %v %v %v %v: moment %d, %d is %v, want %v", n, s, a, b, u, i, j, got.second[i][j], want.second[i][j])
				}
			}
		}
	}
	if rules[3] < 1000 || rules[4] < 1000 {
		t.Errorf("rules %v", rules)
	}
	for _, p := range []float64{1e-12, 1e-5, 0.03, 0.045} {
		if got, want := log1pBrief(p), math.Log1p(p); !golden.Close(got, want, 4e-16) {
			t.Errorf("ln(1+%v) = %v, want %v", p, got, want)
		}
	}
}
