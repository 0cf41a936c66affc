package clv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

// The optima were found by Newton's method with 40 digits.
func TestFitMBGNBDOnCDNOW(t *testing.T) {
	e, err := clv.FitMBGNBD(context.Background(), cdnow(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkFit(t, e, []float64{0.524843167, 6.18308533, 0.891359379, 1.61400219},
		[]float64{0.0832682, 0.695621, 0.15479, 0.537495}, -9582.135715554)
}

func TestFitNBDOnCDNOW(t *testing.T) {
	e, err := clv.FitNBD(context.Background(), cdnow(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkFit(t, e, []float64{0.384766136, 12.0720228}, []float64{0.0209854, 0.808723}, -9763.657614673)
}

func BenchmarkFitMBGNBD(b *testing.B) {
	b.Run("cdnow", func(b *testing.B) { benchmarkFit(b, cdnow(b), clv.FitMBGNBD) })
	m := clv.MBGNBD{R: 0.5, Alpha: 6.2, A: 0.9, B: 1.6}
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), clv.FitMBGNBD) })
	}
	b.Run("days=100000", func(b *testing.B) { benchmarkFit(b, modeltest.Draw(m, 100_000, 1), clv.FitMBGNBD) })
}

func BenchmarkFitNBD(b *testing.B) {
	m := clv.NBD{R: 0.4, Alpha: 12}
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), clv.FitNBD) })
	}
}
