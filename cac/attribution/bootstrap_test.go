package attribution

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// For a model of one touch a credit is a multinomial count, whose standard error is known.
func TestBootstrapOfCounts(t *testing.T) {
	js := journeysA1(t)
	s, err := Bootstrap(context.Background(), js, Last{}, &BootstrapOptions{Replicates: 20000, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	const n = 150.0
	for _, r := range s.Rows {
		p := r.Conversions.Value / n
		want := math.Sqrt(n * p * (1 - p))
		if got := r.Conversions.StdErr; math.Abs(got-want) > 0.02*want {
			t.Errorf("%s: standard error %v, want %v", r.Channel, got, want)
		}
		if r.Conversions.Value > 0 && !(r.Conversions.Low < r.Conversions.Value && r.Conversions.Value < r.Conversions.High) {
			t.Errorf("%s: %+v", r.Channel, r.Conversions)
		}
		if r.Conversions.Value == 0 && r.Conversions != (Interval{}) {
			t.Errorf("%s: %+v", r.Channel, r.Conversions)
		}
	}
	// The value of the last channel: 10 conversions of 100, 4 of 20, 8 of 120 for Direct.
	direct := s.Rows[0]
	mean := 2040 / n
	if want := math.Sqrt(n * ((10*1e4+4*400+8*14400)/n - mean*mean)); direct.Channel != "Direct" || math.Abs(direct.Value.StdErr-want) > 0.02*want {
		t.Errorf("value: standard error %v, want %v", direct.Value.StdErr, want)
	}
	// The interval of 22 of 150 is close to the binomial one.
	if lo, hi := direct.Conversions.Low, direct.Conversions.High; math.Abs(lo-14) > 1 || math.Abs(hi-31) > 1 {
		t.Errorf("interval %v to %v", lo, hi)
	}
	if s.Failed != 0 || s.Replicates != 20000 || s.Currency != "USD" {
		t.Errorf("%+v", s)
	}
}

func TestBootstrapAnyWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	js, err := New(randomJourneys(r, 6, 300, 6), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Model{Markov{Order: 2}, TimeDecay{}, Shapley{}} {
		var want *Intervals
		for _, workers := range []int{1, 2, 5} {
			calls := 0
			o := &BootstrapOptions{Replicates: 100, Workers: workers, Seed: 9}
			if workers == 5 {
				o.Progress = func(int) { calls++ }
			}
			got, err := Bootstrap(context.Background(), js, m, o)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %d workers (-want +got)\n%s", m.Name(), workers, diff)
			}
			if workers == 5 && calls != 2 {
				t.Errorf("%d calls of Progress", calls)
			}
		}
		other, err := Bootstrap(context.Background(), js, m, &BootstrapOptions{Replicates: 100, Seed: 10})
		if err != nil || cmp.Equal(want.Rows, other.Rows) {
			t.Errorf("another seed gives the same, %v", err)
		}
	}
}

// One conversion among many journeys: a third of the replicates draw none, which are counted and do no harm.
func TestBootstrapFailures(t *testing.T) {
	js, err := New([]Journey{{Channels: []string{"a"}, Conversions: 1}, {Channels: []string{"b"}, Nulls: 1000}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Bootstrap(context.Background(), js, Markov{}, &BootstrapOptions{Replicates: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(float64(s.Failed)-1000/math.E) > 60 || s.Failed+s.Replicates != 1000 || s.Rows[0].Share.Low != 1 {
		t.Errorf("%+v", s)
	}
}

func TestBootstrapStops(t *testing.T) {
	js, err := New(benchJourneys(20000), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := Bootstrap(ctx, js, Markov{Order: 2}, &BootstrapOptions{Replicates: 100000}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestBinomial(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ n, p float64 }{{1, 0.3}, {5, 0.5}, {20, 0.9}, {1000, 0.002}, {100, 0.12}, {60, 0.4}, {1e6, 0.3}, {1e6, 1e-6}, {1e12, 0.7}} {
		const draws = 100000
		mean, sd := c.n*c.p, math.Sqrt(c.n*c.p*(1-c.p))
		var sum, squares, cubes float64
		for range draws {
			x := binomial(r, c.n, c.p)
			if x < 0 || x > c.n || x != math.Floor(x) {
				t.Fatalf("%+v: drew %v", c, x)
			}
			z := (x - mean) / sd
			sum += z
			squares += z * z
			cubes += z * z * z
		}
		kurtosis := 3 + (1-6*c.p*(1-c.p))/(sd*sd)
		if z := sum / math.Sqrt(draws); math.Abs(z) > 4 {
			t.Errorf("%+v: mean off by %v standard errors", c, z)
		}
		if z := (squares/draws - 1) / math.Sqrt((kurtosis-1)/draws); math.Abs(z) > 4 {
			t.Errorf("%+v: variance off by %v standard errors", c, z)
		}
		if skew := (1 - 2*c.p) / sd; math.Abs(cubes/draws-skew) > 0.05+0.05*skew*skew*skew {
			t.Errorf("%+v: skewness %v, want %v", c, cubes/draws, skew)
		}
	}
	if binomial(r, 0, 0.5) != 0 || binomial(r, 9, 0) != 0 || binomial(r, 9, 1) != 9 {
		t.Error("edges")
	}
}
