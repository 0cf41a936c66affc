package attribution

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/ledger"
)

// chainJourneys walks a chain of the given order over three channels: what follows depends on the channel so many touches
// back, and so does conversion.
func chainJourneys(r *rand.Rand, order, n int) []Journey {
	names := []string{"a", "b", "c"}
	out := make([]Journey, n)
	for i := range out {
		var walk []int
		for range order {
			c := r.IntN(3)
			for len(walk) > 0 && walk[len(walk)-1] == c {
				c = r.IntN(3)
			}
			walk = append(walk, c)
		}
		for r.Float64() < 0.75 {
			now, key := walk[len(walk)-1], walk[len(walk)-order]
			step := 1
			if p := []float64{0.9, 0.5, 0.15}[key]; r.Float64() > p {
				step = 2
			}
			walk = append(walk, (now+step)%3)
		}
		for _, c := range walk {
			out[i].Channels = append(out[i].Channels, names[c])
		}
		if r.Float64() < []float64{0.05, 0.3, 0.6}[walk[len(walk)-order]] {
			out[i].Conversions = 1
		} else {
			out[i].Nulls = 1
		}
	}
	return out
}

func TestSelectOrderFindsTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for order := 1; order <= 3; order++ {
		js, err := New(chainJourneys(r, order, 20000), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []Criterion{ByBIC, ByAUC} {
			got, err := SelectOrder(context.Background(), js, &OrderOptions{Criterion: by})
			if err != nil {
				t.Fatal(err)
			}
			if got.Best != order {
				t.Errorf("%s: order %d, want %d\n%s", by, got.Best, order, got)
			}
		}
		aic, err := SelectOrder(context.Background(), js, &OrderOptions{Criterion: ByAIC})
		if err != nil {
			t.Fatal(err)
		}
		if aic.Best < order {
			t.Errorf("aic: order %d of %d\n%s", aic.Best, order, aic)
		}
	}
}

// The likelihood of a chain of the order of the longest journey is that of the paths themselves; of order 1, for a case
// worked by hand: start to a 3 and to b 1; from a to b 2, conversion 1; from b to conversion 2, null 1.
func TestOrderLikelihood(t *testing.T) {
	in := []Journey{
		{Channels: []string{"a", "b"}, Conversions: 1, Nulls: 1},
		{Channels: []string{"a"}, Conversions: 1},
		{Channels: []string{"b"}, Conversions: 1},
	}
	js, err := New(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := SelectOrder(context.Background(), js, &OrderOptions{Max: 2, Folds: 2})
	if err != nil {
		t.Fatal(err)
	}
	ln := math.Log
	one := 3*ln(3.0/4) + ln(1.0/4) + 2*ln(2.0/3) + ln(1.0/3) + 2*ln(2.0/3) + ln(1.0/3)
	two := 2*ln(2.0/4) + ln(1.0/4) + ln(1.0/4) + 2*ln(1.0/2)
	for i, want := range []OrderFit{
		{Order: 1, States: 2, Parameters: 3, LogLik: one, AIC: 6 - 2*one, BIC: 3*ln(4) - 2*one},
		{Order: 2, States: 3, Parameters: 3, LogLik: two, AIC: 6 - 2*two, BIC: 3*ln(4) - 2*two},
	} {
		f := got.Fits[i]
		if f.Order != want.Order || f.States != want.States || f.Parameters != want.Parameters ||
			!near(f.LogLik, want.LogLik, 1e-14) || !near(f.AIC, want.AIC, 1e-14) || !near(f.BIC, want.BIC, 1e-14) {
			t.Errorf("got %+v, want %+v", f, want)
		}
	}
}

func TestAreaUnderCurve(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		s := make([]scoredEnd, 1+r.IntN(30))
		for i := range s {
			s[i] = scoredEnd{float64(r.IntN(6)), fold{float64(r.IntN(3)), float64(r.IntN(3))}}
		}
		s = append(s, scoredEnd{2, fold{1, 1}})
		var wins, pairs float64
		for _, a := range s {
			for _, b := range s {
				n := a.conversions * b.nulls
				pairs += n
				switch {
				case a.score > b.score:
					wins += n
				case a.score == b.score:
					wins += n / 2
				}
			}
		}
		got, err := areaUnderCurve(context.Background(), s)
		if err != nil || !near(got, wins/pairs, 1e-14) {
			t.Errorf("got %v, want %v, %v", got, wins/pairs, err)
		}
	}
}

func TestFoldsKeepAllJourneys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	js, err := New(randomJourneys(r, 5, 100, 5), nil)
	if err != nil {
		t.Fatal(err)
	}
	folds, err := spread(context.Background(), js, OrderOptions{Folds: 7})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range js.paths {
		var sum fold
		for _, f := range folds[i*7 : (i+1)*7] {
			sum.conversions += f.conversions
			sum.nulls += f.nulls
		}
		if sum.conversions != p.conversions || sum.nulls != p.nulls {
			t.Errorf("path %d: %+v, want %v and %v", i, sum, p.conversions, p.nulls)
		}
	}
}

func TestOrderWithoutNulls(t *testing.T) {
	js, err := New([]Journey{{Channels: []string{"a"}, Conversions: 9}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := SelectOrder(context.Background(), js, nil)
	if err != nil || got.Fits[0].AUC != nil || got.Best != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err = SelectOrder(context.Background(), js, &OrderOptions{Criterion: ByAUC}); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("got %v", err)
	}
}
