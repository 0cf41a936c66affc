package experiment_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/cac/experiment"
)

func arms(n int) []experiment.Arm {
	r := rand.New(rand.NewPCG(1, 2))
	out := []experiment.Arm{{Name: "control"}, {Name: "a"}, {Name: "b"}}
	for i := range out {
		for range n {
			x := r.ExpFloat64() * 20
			out[i].Before = append(out[i].Before, x)
			out[i].Values = append(out[i].Values, max(0, x+3*r.NormFloat64()))
		}
	}
	return out
}

func BenchmarkAnalyzeValues(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := arms(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := experiment.AnalyzeValues(context.Background(), a, &experiment.Options{Currency: "USD"}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(3*n)*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}

func BenchmarkBootstrap(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			a := arms(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := experiment.Bootstrap(context.Background(), a[0].Values, a[1].Values, &experiment.BootstrapOptions{Resamples: 200}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(2*200*n)*float64(b.N)/b.Elapsed().Seconds(), "draws/s")
		})
	}
}

func BenchmarkBeliefs(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := experiment.Beliefs(experiment.Beta{}, experiment.Rate{Conversions: 200, Customers: 10000}, experiment.Rate{Conversions: 250, Customers: 10000}); err != nil {
			b.Fatal(err)
		}
	}
}
