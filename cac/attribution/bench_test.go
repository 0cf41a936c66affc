package attribution

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// benchJourneys makes n journeys over 30 channels, of 1 to about 30 touches, 4.3 in the mean.
func benchJourneys(n int) []Journey {
	r := rand.New(rand.NewPCG(1, 2))
	names := make([]string, 30)
	for i := range names {
		names[i] = fmt.Sprintf("channel %02d", i)
	}
	out := make([]Journey, n)
	for i := range out {
		j := &out[i]
		c := r.IntN(30)
		for {
			j.Channels = append(j.Channels, names[c])
			j.Ages = append(j.Ages, 0)
			if r.Float64() < 0.23 {
				break
			}
			c = min(29, int(30*r.Float64()*r.Float64()))
		}
		for k := len(j.Ages) - 2; k >= 0; k-- {
			j.Ages[k] = j.Ages[k+1] + time.Duration(r.Int64N(int64(100*time.Hour)))
		}
		if r.IntN(10) == 0 {
			j.Conversions = 1
			j.Value, _ = money.FromMinor(r.Int64N(20000), "USD")
		} else {
			j.Nulls = 1
		}
	}
	return out
}

func sizes(b *testing.B) []int {
	if testing.Short() {
		return []int{1e3, 1e5}
	}
	return []int{1e3, 1e5, 1e6}
}

// benchModel times a model on raw journeys, compression included, and on compressed ones.
func benchModel(b *testing.B, m Model) {
	for _, n := range sizes(b) {
		in := benchJourneys(n)
		b.Run(fmt.Sprintf("raw/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				js, err := New(in, nil)
				if err != nil {
					b.Fatal(err)
				}
				mustAttribute(b, js, m)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "journeys/s")
		})
		js, err := New(in, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("compressed/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustAttribute(b, js, m)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "journeys/s")
		})
	}
}

func BenchmarkMarkov1(b *testing.B)   { benchModel(b, Markov{}) }
func BenchmarkMarkov2(b *testing.B)   { benchModel(b, Markov{Order: 2}) }
func BenchmarkMarkov3(b *testing.B)   { benchModel(b, Markov{Order: 3}) }
func BenchmarkShapley(b *testing.B)   { benchModel(b, Shapley{}) }
func BenchmarkTimeDecay(b *testing.B) { benchModel(b, TimeDecay{}) }

func BenchmarkBuild(b *testing.B) {
	for _, n := range sizes(b) {
		r := rand.New(rand.NewPCG(1, 2))
		touches := make([]Touchpoint, n)
		for i := range touches {
			touches[i] = tp(fmt.Sprint(r.IntN(n/5+1)), at(1, r.Float64()*700), fmt.Sprintf("channel %02d", r.IntN(30)))
		}
		conversions := make([]Conversion, n/20)
		for i := range conversions {
			conversions[i] = won(fmt.Sprint(r.IntN(n/5+1)), at(1, r.Float64()*700), "10")
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Build(context.Background(), ledger.Slice(touches), ledger.Slice(conversions), at(31, 0), nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "touches/s")
		})
	}
}

// BenchmarkDirect solves chains of nearly as many states as are solved directly.
func BenchmarkDirect(b *testing.B) {
	states := 1900
	if testing.Short() {
		states = 400
	}
	r := rand.New(rand.NewPCG(1, 2))
	in := make([]Journey, 20*states)
	for i := range in {
		for range 1 + r.IntN(8) {
			in[i].Channels = append(in[i].Channels, fmt.Sprintf("c%04d", r.IntN(states)))
		}
		in[i].Conversions, in[i].Nulls = int64(i%3), 1
	}
	js, err := New(in, nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		mustAttribute(b, js, Markov{})
	}
}

func BenchmarkShapleyExact20(b *testing.B) {
	js, err := New(benchJourneys(1e5), nil)
	if err != nil {
		b.Fatal(err)
	}
	js, err = js.Relabel(context.Background(), func(c string) string {
		if c > "channel 18" {
			return "other"
		}
		return c
	})
	if err != nil {
		b.Fatal(err)
	}
	g := ConversionGame(js)
	for b.Loop() {
		if _, err := ShapleyExact(context.Background(), g); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBootstrapMarkov1(b *testing.B) {
	n := int(1e5)
	if testing.Short() {
		n = 1e4
	}
	js, err := New(benchJourneys(n), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Bootstrap(context.Background(), js, Markov{}, &BootstrapOptions{Replicates: 50}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(50*float64(b.N)/b.Elapsed().Seconds(), "replicates/s")
}
