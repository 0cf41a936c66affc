package mle

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mathext"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
)

// normal is the likelihood of a normal sample: mean on the identity scale, deviation on the log scale. Estimates and
// covariance are known in closed form.
func normal(xs []float64, second bool) Problem {
	return Problem{
		Params: []Param{{"Mean", fit.Identity}, {"SD", fit.Log}},
		Rows:   len(xs), Weight: float64(len(xs)), Second: second,
		Starts: [][]float64{{0, 1}},
		Sum: func(theta []float64, lo, hi int, d *Derivs) {
			m, s := theta[0], theta[1]
			for _, x := range xs[lo:hi] {
				z := (x - m) / s
				d.Value -= z*z/2 + math.Log(s) + math.Log(2*math.Pi)/2
				d.Grad[0] += z / s
				d.Grad[1] += (z*z - 1) / s
				if d.Hess != nil {
					d.AddHess(0, 0, -1/(s*s))
					d.AddHess(0, 1, -2*z/(s*s))
					d.AddHess(1, 1, (1-3*z*z)/(s*s))
				}
			}
		},
	}
}

func sample(n int) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 3 + 2*r.NormFloat64()
	}
	return xs
}

func moments(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x / float64(len(xs))
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean) / float64(len(xs))
	}
	return mean, math.Sqrt(sd)
}

func TestNormalHasTheClosedForm(t *testing.T) {
	xs := sample(5000)
	mean, sd := moments(xs)
	n := float64(len(xs))
	for _, second := range []bool{false, true} {
		r, err := Maximize(context.Background(), normal(xs, second), nil)
		if err != nil {
			t.Fatal(err)
		}
		check(t, "mean", r.Theta[0], mean, 1e-10)
		check(t, "sd", r.Theta[1], sd, 1e-10)
		check(t, "var of mean", r.Cov[0][0], sd*sd/n, 1e-6)
		check(t, "var of sd", r.Cov[1][1], sd*sd/(2*n), 1e-6)
		if math.Abs(r.Cov[0][1]) > 1e-9 || r.Cov[0][1] != r.Cov[1][0] {
			t.Errorf("covariance of mean and sd %v, %v, want a symmetric 0", r.Cov[0][1], r.Cov[1][0])
		}
		if r.Stop != fit.Converged || len(r.Warnings) > 0 {
			t.Errorf("stopped by %v with %q", r.Stop, r.Warnings)
		}
	}
}

func check(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !golden.Close(got, want, tolerance) {
		t.Errorf("%s = %.15g, want %.15g", name, got, want)
	}
}

func TestWorkersDoNotChangeABit(t *testing.T) {
	xs := sample(5000)
	var want Result
	for _, workers := range []int{1, 2, 7} {
		r, err := Maximize(context.Background(), normal(xs, true), &fit.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if workers == 1 {
			want = r
		} else if !slices.Equal(r.Theta, want.Theta) || r.LogLik != want.LogLik {
			t.Errorf("%d workers: %v, 1 worker: %v", workers, r.Theta, want.Theta)
		}
	}
}

func TestFixedParametersStay(t *testing.T) {
	xs := sample(1000)
	p := normal(xs, true)
	p.Fixed = []bool{true, false}
	p.Starts = [][]float64{{2.5, 1}}
	r, err := Maximize(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	for _, x := range xs {
		want += (x - 2.5) * (x - 2.5) / float64(len(xs))
	}
	check(t, "sd about 2.5", r.Theta[1], math.Sqrt(want), 1e-10)
	if r.Theta[0] != 2.5 || r.Cov[0][0] != 0 {
		t.Errorf("fixed mean %v with variance %v", r.Theta[0], r.Cov[0][0])
	}
}

// TestGammaShape solves ln k - psi(k) = ln mean - mean ln, the likelihood equation of a gamma sample.
func TestGammaShape(t *testing.T) {
	xs := sample(3000)
	var mean, logs float64
	for i, x := range xs {
		xs[i] = math.Exp(x / 4)
		mean += xs[i] / 3000
		logs += x / 4 / 3000
	}
	p := Problem{
		Params: []Param{{"Shape", fit.Log}, {"Rate", fit.Log}}, Rows: len(xs), Weight: 3000, Starts: [][]float64{{1, 1}},
		Sum: func(theta []float64, lo, hi int, d *Derivs) {
			k, b := theta[0], theta[1]
			lg, _ := math.Lgamma(k)
			for _, x := range xs[lo:hi] {
				d.Value += k*math.Log(b) - lg + (k-1)*math.Log(x) - b*x
				d.Grad[0] += math.Log(b) - mathext.Digamma(k) + math.Log(x)
				d.Grad[1] += k/b - x
			}
		},
	}
	r, err := Maximize(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	k := r.Theta[0]
	check(t, "ln k - psi(k)", math.Log(k)-mathext.Digamma(k), math.Log(mean)-logs, 1e-8)
	check(t, "rate", r.Theta[1], k/mean, 1e-9)
}

func TestPriorSteersAndIsNotCounted(t *testing.T) {
	xs := sample(100)
	mean, sd := moments(xs)
	p := normal(xs, true)
	p.Fixed, p.Starts = []bool{false, true}, [][]float64{{0, sd}}
	p.Prior = func(theta []float64, d *Derivs) {
		d.Value -= theta[0] * theta[0] / 2
		d.Grad[0] -= theta[0]
		d.AddHess(0, 0, -1)
	}
	r, err := Maximize(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "shrunken mean", r.Theta[0], mean*100/(100+sd*sd), 1e-10)
	var logLik float64
	for _, x := range xs {
		z := (x - r.Theta[0]) / sd
		logLik -= z*z/2 + math.Log(sd) + math.Log(2*math.Pi)/2
	}
	check(t, "log-likelihood", r.LogLik, logLik, 1e-12)
}

func TestTheBadRowIsNamed(t *testing.T) {
	xs := sample(2000)
	xs[1234] = math.NaN()
	_, err := Maximize(context.Background(), normal(xs, true), nil)
	var bad *BadRow
	if !errors.As(err, &bad) || bad.Row != 1234 {
		t.Errorf("error %v, want row 1235", err)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	p := normal(sample(2000), true)
	p.Sum = func([]float64, int, int, *Derivs) { panic("boom") }
	for _, workers := range []int{1, 2} {
		_, err := Maximize(context.Background(), p, &fit.Options{Workers: workers})
		if err == nil || err.Error() != "panic in the likelihood: boom" {
			t.Errorf("error %v, want the panic's text", err)
		}
	}
}

// TestAParameterThatRunsOff has a likelihood that rises for ever in its parameter.
func TestAParameterThatRunsOff(t *testing.T) {
	for name, c := range map[string]struct {
		sum  func(v float64) (f, g float64)
		want error
	}{
		"steep": {func(v float64) (float64, float64) { return math.Log(v), 1 / v }, fit.ErrDiverged},
		"flat":  {func(v float64) (float64, float64) { return -1 / v, 1 / (v * v) }, nil},
	} {
		p := Problem{Params: []Param{{"A", fit.Log}}, Rows: 1, Weight: 1, Starts: [][]float64{{1}},
			Sum: func(theta []float64, _, _ int, d *Derivs) {
				f, g := c.sum(theta[0])
				d.Value += f
				d.Grad[0] += g
			}}
		r, err := Maximize(context.Background(), p, nil)
		if !errors.Is(err, c.want) || len(r.Warnings) == 0 || r.Cov != nil {
			t.Errorf("%s: %+v with error %v, want %v and a warning", name, r, err, c.want)
		}
	}
}

func TestStopsEarlyWithTheBestSoFar(t *testing.T) {
	r, err := Maximize(context.Background(), normal(sample(100), false), &fit.Options{MaxIter: 2, Start: []float64{-50, 0.5}})
	if !errors.Is(err, fit.ErrNotConverged) || r.Stop != fit.MaxIterations || len(r.Theta) != 2 {
		t.Errorf("got %+v with error %v", r, err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := normal(sample(2000), true)
	inner, calls := p.Sum, 0
	p.Sum = func(theta []float64, lo, hi int, d *Derivs) {
		if calls++; calls == 6 {
			cancel()
		}
		inner(theta, lo, hi, d)
	}
	done := make(chan error, 1)
	var r Result
	go func() {
		var err error
		r, err = Maximize(ctx, p, &fit.Options{Workers: 1})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) || r.Stop != fit.Canceled || r.Theta == nil {
			t.Errorf("got %+v with error %v", r, err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the fit goes on after its context ended")
	}
}

func TestProgressAndStarts(t *testing.T) {
	var last fit.Progress
	p := normal(sample(1000), false)
	if _, err := Maximize(context.Background(), p, &fit.Options{Progress: func(q fit.Progress) { last = q }}); err != nil {
		t.Fatal(err)
	}
	if last.Iter == 0 || last.Evaluations == 0 || last.Gradient > 1 {
		t.Errorf("last progress %+v", last)
	}
	for _, c := range []struct {
		o    fit.Options
		want string
	}{
		{fit.Options{Start: []float64{1}}, "a start of 1 values for 2 parameters"},
		{fit.Options{Start: []float64{1, -1}}, "start of SD: -1 is outside its domain"},
		{fit.Options{Start: []float64{1, math.NaN()}}, "start of SD: NaN is outside its domain"},
		{fit.Options{Workers: -1}, "fit: Workers -1: negative"},
	} {
		if _, err := Maximize(context.Background(), p, &c.o); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}
