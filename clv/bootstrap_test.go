package clv_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
)

func bootstrapped(t *testing.T, n int) (*fit.Estimate[clv.NBD], *clv.Histories) {
	t.Helper()
	hs := modeltest.Draw(clv.NBD{R: 0.8, Alpha: 5}, n, 3)
	e, err := clv.FitNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e, hs
}

func TestBootstrapAgreesWithTheCovariance(t *testing.T) {
	e, hs := bootstrapped(t, 2000)
	d, err := clv.Bootstrap(context.Background(), e, hs, clv.FitNBD, &clv.BootstrapOptions{Samples: 400, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Models) != 400 || d.Failed != 0 {
		t.Fatalf("%d models, %d failed", len(d.Models), d.Failed)
	}
	// The deviation of 400 draws is within 15 % of the standard error, four deviations of a deviation.
	for j, p := range e.Params {
		var mean, square float64
		for _, theta := range d.Params {
			mean += theta[j] / 400
		}
		for _, theta := range d.Params {
			square += (theta[j] - mean) * (theta[j] - mean) / 399
		}
		if ratio := math.Sqrt(square) / p.StdErr; math.Abs(ratio-1) > 0.15 {
			t.Errorf("%s: deviation of the draws is %v times the standard error", p.Name, ratio)
		}
	}
	i, err := d.Interval(func(m clv.NBD) float64 { return m.NewCustomerPurchases(52) }, 0.95)
	if err != nil || !(i.Low < i.Value && i.Value < i.High) {
		t.Errorf("%v, %v", i, err)
	}
}

func TestBootstrapDependsOnSeedAlone(t *testing.T) {
	e, hs := bootstrapped(t, 500)
	run := func(hs *clv.Histories, seed uint64, workers int) [][]float64 {
		d, err := clv.Bootstrap(context.Background(), e, hs, clv.FitNBD, &clv.BootstrapOptions{Samples: 20, Seed: seed, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return d.Params
	}
	want := run(hs, 1, 1)
	if diff := cmp.Diff(want, run(hs, 1, 3)); diff != "" {
		t.Errorf("three workers (-want +got):\n%s", diff)
	}
	back := &clv.Histories{Unit: hs.Unit, End: hs.End, Rows: slices.Clone(hs.Rows)}
	slices.Reverse(back.Rows)
	if diff := cmp.Diff(want, run(back, 1, 2)); diff != "" {
		t.Errorf("rows in another order (-want +got):\n%s", diff)
	}
	if cmp.Equal(want, run(hs, 2, 1)) {
		t.Error("another seed gave the same draws")
	}
}

// A row that stands for many customers is resampled as so many customers.
func TestBootstrapOfWeights(t *testing.T) {
	hs := &clv.Histories{Unit: clv.Week, Rows: []clv.History{
		{X: 0, T: 30, Count: 500}, {X: 1, TX: 10, T: 30, Count: 200}, {X: 4, TX: 25, T: 30, Count: 200}, {X: 9, TX: 28, T: 30, Count: 100},
	}}
	e, err := clv.FitNBD(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	const samples = 300
	var mean, square float64
	refit := func(ctx context.Context, data *clv.Histories, o *fit.Options) (*fit.Estimate[clv.NBD], error) {
		if n := data.Customers(); n != 1000 {
			t.Errorf("a sample of %d customers", n)
		}
		for _, h := range data.Rows {
			if h.X == 0 {
				mean += float64(h.Count) / samples
				square += float64(h.Count) * float64(h.Count) / samples
			}
		}
		return clv.FitNBD(ctx, data, o)
	}
	d, err := clv.Bootstrap(context.Background(), e, hs, refit, &clv.BootstrapOptions{Samples: samples, Workers: 1})
	if err != nil || d.Failed != 0 {
		t.Fatal(err, d.Failed)
	}
	// Binomial with 1000 and 1/2: mean 500, variance 250.
	if variance := square - mean*mean; math.Abs(mean-500) > 4 || math.Abs(variance/250-1) > 0.35 {
		t.Errorf("copies of the first row: mean %v, variance %v, want 500 and 250", mean, variance)
	}
}

// Another package aborts all intervals when one of sixty refits fails.
func TestBootstrapCountsFailedRefits(t *testing.T) {
	e, hs := bootstrapped(t, 300)
	var calls atomic.Int64
	refit := func(ctx context.Context, data *clv.Histories, o *fit.Options) (*fit.Estimate[clv.NBD], error) {
		switch calls.Add(1) {
		case 3:
			return nil, errors.New("out of luck")
		case 5:
			panic("at the disco")
		case 7:
			m := clv.NBD{R: 1, Alpha: 1e30}
			return &fit.Estimate[clv.NBD]{Model: m, Params: []fit.Param{{Name: "R", Value: 1}, {Name: "Alpha", Value: 1e30}}}, nil
		}
		return clv.FitNBD(ctx, data, o)
	}
	var last clv.BootstrapProgress
	o := &clv.BootstrapOptions{Samples: 60, Workers: 1, Progress: func(p clv.BootstrapProgress) { last = p }}
	d, err := clv.Bootstrap(context.Background(), e, hs, refit, o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"out of luck", "panic in the fit: at the disco", "Alpha: a parameter ran off"}
	if diff := cmp.Diff(want, d.Failures); diff != "" || d.Failed != 3 || len(d.Models) != 57 {
		t.Errorf("%d failed, %d models, reasons (-want +got):\n%s", d.Failed, len(d.Models), diff)
	}
	if want := (clv.BootstrapProgress{Done: 60, Failed: 3, Samples: 60}); last != want {
		t.Errorf("progress %+v, want %+v", last, want)
	}
	all := func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[clv.NBD], error) {
		return nil, errors.New("no")
	}
	if _, err := clv.Bootstrap(context.Background(), e, hs, all, &clv.BootstrapOptions{Samples: 5}); err == nil ||
		err.Error() != "clv: bootstrap: 5 of 5 refits failed: no" {
		t.Errorf("all refits failed: %v", err)
	}
}

func TestBootstrapStopsSoon(t *testing.T) {
	e, hs := bootstrapped(t, 20_000)
	ctx, cancel := context.WithCancel(context.Background())
	var at time.Time
	o := &clv.BootstrapOptions{Samples: 1_000_000, Progress: func(p clv.BootstrapProgress) {
		if p.Done == 2 {
			at = time.Now()
			cancel()
		}
	}}
	if _, err := clv.Bootstrap(ctx, e, hs, clv.FitNBD, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
	t.Logf("stopped %v after the cancellation", time.Since(at))
}

func TestBootstrapErrors(t *testing.T) {
	e, hs := bootstrapped(t, 300)
	days := &clv.Histories{Unit: clv.Day, Rows: hs.Rows}
	bad := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{X: 1, TX: 5, T: 4}}}
	for _, c := range []struct {
		name string
		data *clv.Histories
		o    *clv.BootstrapOptions
		want string
	}{
		{"unit", days, nil, "clv: the model counts time in units of 168h0m0s, the histories in units of 24h0m0s"},
		{"row", bad, nil, `clv: row 1: field "TX": value "5": greater than T`},
		{"nothing", nil, nil, "clv: no histories"},
		{"samples", hs, &clv.BootstrapOptions{Samples: 1}, "clv: bootstrap of 1 samples: want 2 or more"},
		{"workers", hs, &clv.BootstrapOptions{Workers: -1}, "clv: bootstrap with -1 workers: negative"},
		{"iterations", hs, &clv.BootstrapOptions{MaxIter: -1}, "clv: bootstrap with MaxIter -1: negative"},
	} {
		if _, err := clv.Bootstrap(context.Background(), e, c.data, clv.FitNBD, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
