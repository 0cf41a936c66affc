package clv

import (
	"context"
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/mle"
)

// donations returns the histories of the annual donation data, or skips the test where they are absent.
func donations(tb testing.TB) []DiscreteHistory {
	tb.Helper()
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		tb.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	f, err := os.Open(filepath.Join(dir, "donations.csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	var hs []DiscreteHistory
	for _, r := range records[1:] {
		var v [4]int
		for i := range v {
			if v[i], err = strconv.Atoi(r[i]); err != nil {
				tb.Fatal(err)
			}
		}
		hs = append(hs, DiscreteHistory{X: v[0], TX: v[1], N: v[2], Count: v[3]})
	}
	return hs
}

// The optimum was found by Newton's method with 40 digits.
func TestFitBGBBOnDonations(t *testing.T) {
	hs := donations(t)
	e, err := FitBGBB(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{1.20352234, 0.749716353, 0.656718214, 2.78344228}
	errors := []float64{0.0693914, 0.0294477, 0.0510099, 0.320819}
	for i, p := range e.Params {
		if !golden.Close(p.Value, want[i], 2e-8) || !golden.Close(p.StdErr, errors[i], 1e-5) {
			t.Errorf("%s = %.10g +- %.8g, want %.9g +- %.6g", p.Name, p.Value, p.StdErr, want[i], errors[i])
		}
	}
	if math.Abs(e.LogLik+33225.581274347) > 1e-8 || e.Customers != 11104 {
		t.Errorf("log-likelihood %.9f of %d customers", e.LogLik, e.Customers)
	}
	total := 0.0
	bySize := map[int]float64{}
	for _, h := range hs {
		v := float64(h.Count) * e.Model.ExpectedPurchases(h, 5)
		total += v
	}
	for x := range 7 {
		bySize[x] = 11104 * e.Model.PMF(x, 6)
	}
	check(t, []checked{
		{"E[purchases in 5] of all", total, 12884.157, 1e-7},
		{"donors expected with x=0", bySize[0], 3454.9, 2e-5},
		{"donors expected with x=6", bySize[6], 1253.1, 5e-5},
	})
}

// The optimum's values come from the definition with 40 digits, the probabilities from table 6 of the paper.
func TestBGBBValues(t *testing.T) {
	m := BGBB{1.20352234, 0.749716353, 0.656718214, 2.78344228}
	at := func(x, tx int) DiscreteHistory { return DiscreteHistory{X: x, TX: tx, N: 6} }
	check(t, []checked{
		{"DERT of 6", m.DERT(at(6, 6), .1), 5.9098942, 1e-8},
		{"DERT of 5", m.DERT(at(5, 6), .1), 5.0894770, 1e-8},
		{"DERT of 4", m.DERT(at(4, 6), .1), 4.2690597, 1e-8},
		{"DERT of 3", m.DERT(at(3, 6), .1), 3.4486424, 1e-8},
		{"DERT of 2", m.DERT(at(2, 6), .1), 2.6282251, 2e-8},
		{"DERT of 1", m.DERT(at(1, 6), .1), 1.8078078, 2e-8},
		{"DERT of 0", m.DERT(at(0, 0), .1), .11475272, 5e-8},
		{"P(alive) of 0", m.ProbAlive(at(0, 0)), .11, .05},
		{"P(alive) of 2, 4", m.ProbAlive(at(2, 4)), .59, .01},
		{"P(alive) of 6", m.ProbAlive(at(6, 6)), .93, .006},
	})
}

func TestBGBBDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		theta := make([]float64, 4)
		for i := range theta {
			theta[i] = math.Exp(r.NormFloat64())
		}
		h := DiscreteHistory{N: r.IntN(40)}
		if h.N > 0 && r.IntN(4) > 0 {
			h.TX = 1 + r.IntN(h.N)
			h.X = 1 + r.IntN(h.TX)
		}
		at := func(theta []float64) mle.Derivs {
			d := mle.Derivs{Grad: make([]float64, 4), Hess: make([]float64, 16)}
			sumBGBB([]discreteRow{{x: h.X, tx: h.TX, n: h.N, weight: 2}}, theta, &d)
			return d
		}
		d := at(theta)
		want := 2 * BGBB{theta[0], theta[1], theta[2], theta[3]}.LogLikelihood(h)
		if math.Abs(d.Value-want) > 1e-11*max(1, math.Abs(want)) {
			t.Errorf("%v %+v: sum %.15g, want %.15g", theta, h, d.Value, want)
		}
		for i := range theta {
			up, down := append([]float64{}, theta...), append([]float64{}, theta...)
			up[i] += 1e-5 * theta[i]
			down[i] -= 1e-5 * theta[i]
			high, low := at(up), at(down)
			size := max(1, math.Abs(d.Value)) / theta[i]
			if want := (high.Value - low.Value) / (up[i] - down[i]); math.Abs(d.Grad[i]-want) > 1e-7*size {
				t.Errorf("%v %+v: gradient %d is %.12g, difference %.12g", theta, h, i, d.Grad[i], want)
			}
			for j := range theta {
				want := (high.Grad[j] - low.Grad[j]) / (up[i] - down[i])
				if got := d.Hess[min(i, j)*4+max(i, j)]; math.Abs(got-want) > 1e-7*size/theta[j] {
					t.Errorf("%v %+v: Hessian %d, %d is %.12g, difference %.12g", theta, h, i, j, got, want)
				}
			}
		}
	}
}
