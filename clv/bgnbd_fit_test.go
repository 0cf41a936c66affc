package clv_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
	"github.com/custval/custval/ledger"
)

// cdnow returns the histories of the CDNOW sample to 1997-09-30 in weeks, or skips the test where the data are absent.
func cdnow(tb testing.TB) *clv.Histories {
	tb.Helper()
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		tb.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ctx := context.Background()
	end := time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC)
	hs, err := clv.Summarize(ctx, ledger.ReadCSV(ctx, f, &ledger.CSVOptions{Currency: "USD"}), end, clv.Week, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return hs
}

// checkFit holds estimates, standard errors and log-likelihood against the exact optimum, to the digits of the table.
func checkFit[M any](t *testing.T, e *fit.Estimate[M], estimates, errors []float64, logLik float64) {
	t.Helper()
	for i, p := range e.Params {
		if !golden.Close(p.Value, estimates[i], 2e-7) {
			t.Errorf("%s = %.10g, want %.9g", p.Name, p.Value, estimates[i])
		}
		if !golden.Close(p.StdErr, errors[i], 1e-5) {
			t.Errorf("standard error of %s = %.8g, want %.6g", p.Name, p.StdErr, errors[i])
		}
	}
	if math.Abs(e.LogLik-logLik) > 1e-8 {
		t.Errorf("log-likelihood %.10f, want %.9f", e.LogLik, logLik)
	}
}

// The optimum was found by Newton's method with 40 digits.
func TestFitBGNBDOnCDNOW(t *testing.T) {
	e, err := clv.FitBGNBD(context.Background(), cdnow(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkFit(t, e, []float64{0.242594522, 4.41360202, 0.792922083, 2.42590702},
		[]float64{0.0125574, 0.378224, 0.185734, 0.705414}, -9582.429206674)
	if e.Customers != 2357 || e.Unit != clv.Week {
		t.Errorf("%d customers in units of %v", e.Customers, e.Unit)
	}
	if !golden.Close(e.AIC(), 19172.858, 1e-7) || !golden.Close(e.BIC(), 19195.919, 1e-7) {
		t.Errorf("AIC %v, BIC %v", e.AIC(), e.BIC())
	}
}

func BenchmarkFitBGNBD(b *testing.B) {
	b.Run("cdnow", func(b *testing.B) { benchmarkFit(b, cdnow(b), clv.FitBGNBD) })
	m := clv.BGNBD{R: 0.25, Alpha: 4.4, A: 0.8, B: 2.4}
	for _, n := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("distinct=", n), func(b *testing.B) { benchmarkFit(b, distinct(m, n), clv.FitBGNBD) })
	}
	b.Run("days=100000", func(b *testing.B) { benchmarkFit(b, modeltest.Draw(m, 100_000, 1), clv.FitBGNBD) })
}

// distinct draws customers no two of whom have the same history.
func distinct[M clv.Model](m M, n int) *clv.Histories {
	hs := modeltest.Draw(m, n, 1)
	for i := range hs.Rows {
		hs.Rows[i].T += 1e-6 * float64(i)
	}
	return hs
}

func benchmarkFit[M any](b *testing.B, hs *clv.Histories, f func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[M], error)) {
	b.ReportAllocs()
	evaluations := 0
	for b.Loop() {
		e, err := f(context.Background(), hs, nil)
		if err != nil {
			b.Fatal(err)
		}
		evaluations = e.Evaluations
	}
	b.ReportMetric(float64(len(hs.Rows))*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
	b.ReportMetric(float64(evaluations), "evaluations")
}

// BenchmarkFloor is what one evaluation of the BG/NBD likelihood cannot do without: two log1p, one exp and one log a
// customer, summed on one core.
func BenchmarkFloor(b *testing.B) {
	hs := distinct(clv.BGNBD{R: 0.25, Alpha: 4.4, A: 0.8, B: 2.4}, 100_000)
	sum := 0.0
	for b.Loop() {
		for i := range hs.Rows {
			h := &hs.Rows[i]
			l := math.Log1p(h.TX/4.4) + math.Log(4.4+h.T)
			sum += math.Log(1+math.Exp(-l)) + l
		}
	}
	if math.IsNaN(sum) {
		b.Fatal("not a number")
	}
}
