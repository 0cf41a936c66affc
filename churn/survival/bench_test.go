package survival

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/ledger"
)

func benchTenures(n int) []ledger.Tenure {
	r := rand.New(rand.NewPCG(1, 2))
	ts := make([]ledger.Tenure, n)
	for i := range ts {
		life, end := r.ExpFloat64()*10, 20*r.Float64()
		ts[i] = ledger.Tenure{Duration: min(life, end), Ended: life <= end}
	}
	return ts
}

func BenchmarkKaplanMeier(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ts := benchTenures(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := KaplanMeier(ts, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// benchCox draws customers with ten covariates that matter.
func benchCox(n int) ([]ledger.Tenure, *Design) {
	r := rand.New(rand.NewPCG(1, 2))
	ts, columns := benchTenures(n), make([][]float64, 10)
	var covariates []Covariate
	for j := range columns {
		columns[j] = make([]float64, n)
		for i := range columns[j] {
			columns[j][i] = r.NormFloat64()
			ts[i].Duration *= 1 + 0.1*float64(j)*min(1, max(-0.9, columns[j][i]))
		}
		covariates = append(covariates, Numeric(fmt.Sprint("x", j), columns[j]))
	}
	d, err := NewDesign(covariates...)
	if err != nil {
		panic(err)
	}
	return ts, d
}

func BenchmarkCox(b *testing.B) {
	for _, n := range []int{1e3, 1e5} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ts, d := benchCox(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FitCox(context.Background(), ts, d, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkConcordance(b *testing.B) {
	for _, n := range []int{1e3, 1e5} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ts, d := benchCox(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ConcordanceOf(ts, d.columns[0], nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ts := benchTenures(n)
			for i := range ts {
				ts[i].Customer = [...]string{"basic", "pro", "team"}[i%3]
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compare(ts, Customer, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkCumulativeIncidence(b *testing.B) {
	for _, n := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ts := benchTenures(n)
			for i := range ts {
				ts[i].Reason = [...]string{"voluntary", "involuntary"}[i%2]
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := CumulativeIncidence(ts, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkRegression(b *testing.B) {
	for f := range familyNames {
		b.Run(familyNames[f], func(b *testing.B) {
			n := 10000
			ts, d := benchCox(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FitRegression(context.Background(), Family(f), ts, d, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
