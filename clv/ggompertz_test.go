package clv

import (
	"context"
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// The values come from computations with 40 digits by quadrature of the definition.
func TestGGompertzValues(t *testing.T) {
	m := GGompertzNBD{.55, 10.6, .05, .6, 2}
	h := func(x int, tx, T float64) History { return History{X: x, TX: tx, T: T} }
	check(t, []checked{
		{"ln L (0,0,38.86)", m.LogLikelihood(h(0, 0, 38.86)), -.6271345371309, 1e-12},
		{"ln L (2,30.43,38.86)", m.LogLikelihood(h(2, 30.43, 38.86)), -9.3720592676912, 1e-13},
		{"ln L (10,20,40)", m.LogLikelihood(h(10, 20, 40)), -24.244848609295, 1e-13},
		{"ln L (26,30.86,31)", m.LogLikelihood(h(26, 30.86, 31)), -38.997794253258, 1e-13},
		{"ln L (30,10,40)", m.LogLikelihood(h(30, 10, 40)), -22.9909687350588, 1e-13},
		{"ln L (50,5,100)", m.LogLikelihood(h(50, 5, 100)), 3.34240497087618, 1e-13},
		{"ln L of b=8", GGompertzNBD{.55, 10.6, 8, .6, 11.7}.LogLikelihood(h(5, 30, 100)), -158.25104786924, 1e-13},
		{"P(alive) (0,0,38.86)", m.ProbAlive(h(0, 0, 38.86)), .3498379705714, 1e-12},
		{"P(alive) (26,30.86,31)", m.ProbAlive(h(26, 30.86, 31)), .99638468092561, 1e-13},
		{"expected (2,30.43,38.86)", m.ExpectedPurchases(h(2, 30.43, 38.86), 39), .94213382407592, 1e-13},
		{"expected (10,20,40)", m.ExpectedPurchases(h(10, 20, 40), 39), .21528611647975, 1e-13},
		{"expected (26,30.86,31)", m.ExpectedPurchases(h(26, 30.86, 31), 39), 15.426000748509, 1e-13},
		{"expected (0,0,38.86)", m.ExpectedPurchases(h(0, 0, 38.86), 39), .092870201156452, 1e-13},
		{"expected (50,5,100)", m.ExpectedPurchases(h(50, 5, 100), 39), 1.61355830e-41, 1e-8},
		{"DERT (0,0,38.86)", m.DERT(h(0, 0, 38.86), .0027), .1248245906126, 1e-12},
		{"DERT (2,30.43,38.86)", m.DERT(h(2, 30.43, 38.86), .0027), 1.2662992803735, 1e-12},
	})
}

func TestGGompertzDerivatives(t *testing.T) {
	checkDerivatives(t, 5, true, sumGGompertz, func(theta []float64, h History) float64 {
		return GGompertzNBD{theta[0], theta[1], theta[2], theta[3], theta[4]}.LogLikelihood(h)
	})
}

// TestGGompertzLimit holds the model with a small B against the Pareto/NBD model with Beta/B, whose values it has up to
// terms of the order B.
func TestGGompertzLimit(t *testing.T) {
	want := ParetoNBD{.55, 10.6, .6, 11.7}
	const b = 1e-12
	m := GGompertzNBD{want.R, want.Alpha, b, want.S, b * want.Beta}
	for _, h := range []History{{}, {T: 39}, {X: 2, TX: 30.43, T: 38.86}, {X: 26, TX: 30.86, T: 31}, {X: 200, TX: 90, T: 100}, {X: 5000, TX: 500, T: 510}} {
		check(t, []checked{
			{"ln L", m.LogLikelihood(h), want.LogLikelihood(h), 1e-9},
			{"P(alive)", m.ProbAlive(h), want.ProbAlive(h), 1e-9},
			{"expected", m.ExpectedPurchases(h, 52), want.ExpectedPurchases(h, 52), 1e-9},
			{"DERT", m.DERT(h, .1), want.DERT(h, .1), 1e-9},
			{"alive at", m.ProbAliveAt(h, 20), want.ProbAliveAt(h, 20), 1e-9},
			{"PMF", m.ConditionalPMF(h, 3, 20), want.ConditionalPMF(h, 3, 20), 1e-9},
		})
	}
}

// TestFitGGompertzOnCDNOW has its maximum at the Pareto/NBD limit.
func TestFitGGompertzOnCDNOW(t *testing.T) {
	hs := cdnowHistories(t)
	e, err := FitGGompertzNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v\n%v %d evaluations", e, e.Warnings, e.Evaluations)
	if math.Abs(e.LogLik+9594.976178940) > 1e-6 || !golden.Close(e.Model.Beta/e.Model.B, 11.6687354, 1e-5) || len(e.Warnings) == 0 || e.Cov != nil {
		t.Errorf("%+v", e)
	}
	for _, p := range e.Params {
		if math.IsNaN(p.Value) {
			t.Errorf("%s is not a number", p.Name)
		}
	}
}

// cdnowHistories returns the histories of the CDNOW sample in weeks from the authors' summary, or skips the test where
// the data are absent.
func cdnowHistories(tb testing.TB) *Histories {
	tb.Helper()
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		tb.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	f, err := os.Open(filepath.Join(dir, "cdnow_summary_weeks.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	hs := &Histories{Unit: Week}
	for _, r := range records[1:] {
		x, err := strconv.Atoi(r[1])
		tx, errTX := strconv.ParseFloat(r[2], 64)
		end, errT := strconv.ParseFloat(r[3], 64)
		if err = errors.Join(err, errTX, errT); err != nil {
			tb.Fatal(err)
		}
		// The summary is rounded: weeks are whole days over 7.
		hs.Rows = append(hs.Rows, History{Customer: r[0], X: x, TX: math.Round(7*tx) / 7, T: math.Round(7*end) / 7})
	}
	return hs
}

func TestGGompertzGolden(t *testing.T) {
	checkGolden(t, "testdata/ggompertz.json", func(arg func(string) float64) GGompertzNBD {
		return GGompertzNBD{arg("r"), arg("alpha"), arg("b"), arg("s"), arg("beta")}
	})
}
