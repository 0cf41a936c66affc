package budget_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func check[M budget.Curve](t *testing.T, r golden.Row, f *budget.Fit[M], err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	r.Check(t, "rss", f.RSS)
	r.Check(t, "sigma", f.Sigma)
	r.Check(t, "r_squared", f.RSquared)
	ci, err := f.Interval(0.95)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	for i, p := range f.Estimate.Params {
		r.Check(t, fmt.Sprintf("p%d", i), p.Value)
		r.Check(t, fmt.Sprintf("se%d", i), p.StdErr)
		r.Check(t, fmt.Sprintf("lo%d", i), ci[i][0])
		r.Check(t, fmt.Sprintf("hi%d", i), ci[i][1])
	}
	band, err := f.Band(0.95, 90)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	r.Check(t, "band_low", band[0].Low)
	r.Check(t, "band_high", band[0].High)
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	var back budget.Fit[M]
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	again, err := json.Marshal(&back)
	if err != nil || string(again) != string(text) {
		t.Errorf("%s: JSON changes from %s to %s: %v", r.Name, text, again, err)
	}
	if !strings.Contains(f.String(), budget.Caution) {
		t.Errorf("%s: no caution in %s", r.Name, f)
	}
}

func TestFitGolden(t *testing.T) {
	ctx := context.Background()
	for _, r := range golden.Load(t, "testdata/fits.json").Rows {
		var points []budget.Point
		for i := range int(r.Args["n"]) {
			points = append(points, budget.Point{Spend: float64(r.Args[fmt.Sprintf("x%d", i)]), Response: float64(r.Args[fmt.Sprintf("y%d", i)]), Weight: float64(r.Args[fmt.Sprintf("w%d", i)])})
		}
		switch kind, _, _ := strings.Cut(r.Name, "/"); kind {
		case "power":
			f, err := budget.FitPower(ctx, points, nil)
			check(t, r, f, err)
		case "log":
			f, err := budget.FitLog(ctx, points, nil)
			check(t, r, f, err)
		case "negexp":
			f, err := budget.FitNegExp(ctx, points, nil)
			check(t, r, f, err)
		case "michaelis-menten":
			f, err := budget.FitMichaelisMenten(ctx, points, nil)
			check(t, r, f, err)
		case "hill":
			f, err := budget.FitHill(ctx, points, nil)
			check(t, r, f, err)
		default:
			t.Fatalf("unknown kind %q", kind)
		}
	}
}

// Points on a curve give the curve back; in any order, and in any unit of money.
func TestFitRecoversCurves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		size := math.Exp(12*r.Float64() - 2)
		a, s := math.Exp(8*r.Float64()), 0.7+3*r.Float64()
		b := 0.1 + 0.8*r.Float64()
		spends := make([]float64, 12)
		for i := range spends {
			spends[i] = size * math.Exp(3*(float64(i)/11-0.5))
		}
		r.Shuffle(len(spends), func(i, j int) { spends[i], spends[j] = spends[j], spends[i] })
		on := func(c budget.Curve) []budget.Point {
			var points []budget.Point
			for _, x := range spends {
				points = append(points, budget.Point{Spend: x, Response: c.Response(x)})
			}
			return points
		}
		ctx := context.Background()
		compare := func(name string, err error, got, want []float64) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range want {
				if !relative(got[i], want[i], 1e-7) {
					t.Errorf("%s: parameters %v, want %v", name, got, want)
					return
				}
			}
		}
		p, err := budget.FitPower(ctx, on(power(a, b)), nil)
		compare("power", err, []float64{p.Estimate.Model.A, p.Estimate.Model.B}, []float64{a, b})
		l, err := budget.FitLog(ctx, on(logarithmic(a, size)), nil)
		compare("log", err, []float64{l.Estimate.Model.A, l.Estimate.Model.C}, []float64{a, size})
		n, err := budget.FitNegExp(ctx, on(negExp(a, 1/size)), nil)
		compare("negexp", err, []float64{n.Estimate.Model.A, n.Estimate.Model.K}, []float64{a, 1 / size})
		m, err := budget.FitMichaelisMenten(ctx, on(mm(a, size)), nil)
		compare("mm", err, []float64{m.Estimate.Model.A, m.Estimate.Model.C}, []float64{a, size})
		h, err := budget.FitHill(ctx, on(hill(a, size, s)), nil)
		compare("hill", err, []float64{h.Estimate.Model.A, h.Estimate.Model.C, h.Estimate.Model.S}, []float64{a, size, s})
	}
}

// The true parameters lie in nine tenths of 90 % intervals.
func TestFitIntervalsCover(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	true1 := budget.MichaelisMenten{A: 500, C: 300}
	const runs = 1000
	hits := [2]int{}
	for range runs {
		var points []budget.Point
		for i := range 12 {
			x := 50 + 100*float64(i)
			points = append(points, budget.Point{Spend: x, Response: true1.Response(x) + 8*r.NormFloat64()})
		}
		f, err := budget.FitMichaelisMenten(context.Background(), points, nil)
		if err != nil {
			t.Fatal(err)
		}
		ci, err := f.Interval(0.9)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range []float64{true1.A, true1.C} {
			if ci[i][0] <= v && v <= ci[i][1] {
				hits[i]++
			}
		}
	}
	for i, h := range hits { // 4 standard errors of a share of 0.9
		if share := float64(h) / runs; math.Abs(share-0.9) > 4*math.Sqrt(0.9*0.1/runs) {
			t.Errorf("parameter %d: covered in %.3f of the runs, want 0.9", i, share)
		}
	}
}

func TestFitErrors(t *testing.T) {
	ctx := context.Background()
	line := []budget.Point{{Spend: 1, Response: 1}, {Spend: 2, Response: 2}, {Spend: 3, Response: 3}, {Spend: 4, Response: 4}}
	_, err := budget.FitMichaelisMenten(ctx, line, nil)
	if !errors.Is(err, fit.ErrDiverged) {
		t.Errorf("a straight line: %v", err)
	}
	if _, err = budget.FitPower(ctx, []budget.Point{{Spend: 1, Response: 1}, {Spend: 2, Response: 8}, {Spend: 3, Response: 27}, {Spend: 4, Response: 64}}, nil); !errors.Is(err, fit.ErrDiverged) {
		t.Errorf("a cube: %v", err)
	}
	var row *ledger.RowError
	_, err = budget.FitLog(ctx, []budget.Point{{Spend: 1, Response: 1}, {Spend: -2, Response: 2}}, nil)
	if want := `budget: row 2: field "spend": value "-2": not a finite number of at least 0`; !errors.As(err, &row) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = budget.FitLog(ctx, []budget.Point{{Spend: 1, Response: math.NaN()}}, nil)
	if want := `budget: row 1: field "response": value "NaN": not a finite number`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = budget.FitHill(ctx, []budget.Point{{Spend: 1, Response: 1}, {Spend: 2, Response: 2}, {Spend: 2, Response: 3}}, nil)
	if want := "budget: too few points: 2 different spends above 0, 3 parameters"; !errors.Is(err, budget.ErrTooFewPoints) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if _, err = budget.FitLog(ctx, []budget.Point{{Spend: 1}, {Spend: 2}, {Spend: 3}}, nil); err == nil {
		t.Error("no response at all: no error")
	}
	if _, err = budget.FitLog(ctx, line, &fit.Options{Start: []float64{1}}); err == nil || err.Error() != "budget: start: 1 values, the curve has 2 parameters" {
		t.Error(err)
	}
	if _, err = budget.FitLog(ctx, line, &fit.Options{MaxIter: -1}); err == nil {
		t.Error("a negative number of iterations: no error")
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	curve := []budget.Point{{Spend: 1, Response: 1}, {Spend: 2, Response: 1.7}, {Spend: 3, Response: 2.1}, {Spend: 4, Response: 2.4}}
	if f, err := budget.FitLog(done, curve, nil); !errors.Is(err, context.Canceled) || f == nil {
		t.Errorf("canceled: %v, %v", f, err)
	}
	exact, err := budget.FitLog(ctx, curve[:2], nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exact.Interval(0.95); !errors.Is(err, fit.ErrNoCovariance) {
		t.Errorf("two points, two parameters: %v", err)
	}
	if _, err := json.Marshal(exact); err != nil {
		t.Error(err)
	}
}
