package special

import (
	"math"
	"testing"
)

// TestLogIntegrate holds the quadrature against closed forms: smooth integrands, singular ends, peaks of any width
// anywhere, ranges without end and integrals far outside the range of floating-point numbers.
func TestLogIntegrate(t *testing.T) {
	inf := math.Inf(1)
	gauss := func(m, s float64) func(float64) float64 {
		return func(u float64) float64 { return -(u - m) * (u - m) / (2 * s * s) }
	}
	lnGauss := func(s float64) float64 { return math.Log(s) + 0.5*math.Log(2*math.Pi) }
	power := func(p float64) func(float64) float64 { return func(u float64) float64 { return p * math.Log(u) } }
	gamma := func(a, rate float64) func(float64) float64 {
		return func(u float64) float64 { return (a-1)*math.Log(u) - rate*u }
	}
	betas := func(a, b float64) func(float64) float64 {
		return func(u float64) float64 { return (a-1)*math.Log(u) + (b-1)*math.Log1p(-u) }
	}
	tests := []struct {
		name      string
		f         func(float64) float64
		a, b      float64
		want, tol float64
	}{
		{"constant", func(float64) float64 { return 3 }, 2, 7, 3 + math.Log(5), 1e-14},
		{"exponential", func(u float64) float64 { return u }, 0, 1, math.Log(math.E - 1), 1e-14},
		{"tiny", func(u float64) float64 { return u - 5000 }, 0, 1, math.Log(math.E-1) - 5000, 1e-14},
		{"huge", func(u float64) float64 { return u + 1e6 }, 0, 1, math.Log(math.E-1) + 1e6, 1e-14},
		{"steep at the upper end", func(u float64) float64 { return 1e5 * u }, 0, 1, 1e5 - math.Log(1e5), 1e-14},
		{"steep at the lower end", func(u float64) float64 { return -1e7 * u }, 0, 1, -math.Log(1e7), 1e-13},
		{"very steep at the lower end", func(u float64) float64 { return -1e200 * u }, 0, 1, -math.Log(1e200), 1e-13},
		{"power -0.5", power(-0.5), 0, 1, math.Log(2), 1e-13},
		{"power -0.9", power(-0.9), 0, 1, math.Log(10), 1e-13},
		{"power -0.97", power(-0.97), 0, 2, math.Log(math.Pow(2, 0.03) / 0.03), 1e-8},
		{"power 3.3", power(3.3), 0, 4, 4.3*math.Log(4) - math.Log(4.3), 1e-13},
		{"beta 0.5 0.5", betas(0.5, 0.5), 0, 1, math.Log(math.Pi), 1e-7}, // 1−u loses digits at 1
		{"beta 0.2 3", betas(0.2, 3), 0, 1, LogBeta(0.2, 3), 1e-13},
		{"beta 300 900", betas(300, 900), 0, 1, LogBeta(300, 900), 1e-13},
		{"beta 3e5 9e6", betas(3e5, 9e6), 0, 1, LogBeta(3e5, 9e6), 1e-13},
		{"peak 1e-2", gauss(0.3, 1e-2), 0, 1, lnGauss(1e-2), 1e-13},
		{"peak 1e-4", gauss(0.9, 1e-4), 0, 1, lnGauss(1e-4), 1e-12},
		{"peak 1e-6", gauss(0.123456, 1e-6), 0, 1, lnGauss(1e-6), 1e-11},
		{"peak 1e-9", gauss(0.7123456, 1e-9), 0, 1, lnGauss(1e-9), 1e-8},
		{"peak near the lower end", gauss(1e-7, 1e-8), 0, 1, lnGauss(1e-8), 1e-12},
		{"peak at the lower end", gauss(0, 1e-6), 0, 1, lnGauss(1e-6) - math.Ln2, 1e-13},
		{"peak at the upper end", gauss(1, 1e-6), 0, 1, lnGauss(1e-6) - math.Ln2, 1e-10},
		{"peak beyond the upper end", gauss(1.1, 1e-2), 0, 1, lnGauss(1e-2) + math.Log(0.5*math.Erfc(10/math.Sqrt2)), 1e-12},
		{"peak of a wide range", gauss(4321, 1), -1e6, 1e6, lnGauss(1), 1e-10},
		{"two peaks", func(u float64) float64 { return LogAddExp(gauss(0.2, 0.01)(u), gauss(0.7, 0.02)(u)) }, 0, 1, math.Log(0.03) + 0.5*math.Log(2*math.Pi), 1e-12},
		{"two-sided exponential", func(u float64) float64 { return -math.Abs(u-0.4) * 1e5 }, 0, 1, math.Log(2e-5), 1e-11},
		{"gamma 0.1", gamma(0.1, 1), 0, inf, lgamma(0.1), 1e-13},
		{"gamma 5", gamma(5, 1), 0, inf, lgamma(5), 1e-13},
		{"gamma 1e5", gamma(1e5, 1), 0, inf, lgamma(1e5), 1e-13},
		{"gamma 3 of rate 1e-8", gamma(3, 1e-8), 0, inf, lgamma(3) + 3*math.Log(1e8), 1e-13},
		{"gamma 3 of rate 1e8", gamma(3, 1e8), 0, inf, lgamma(3) - 3*math.Log(1e8), 1e-13},
		{"heavy tail", func(u float64) float64 { return -1.5 * math.Log1p(u) }, 0, inf, math.Log(2), 1e-13},
		{"very heavy tail", func(u float64) float64 { return -1.05 * math.Log1p(u) }, 0, inf, math.Log(20), 1e-11},
		{"line", gauss(3, 2), -inf, inf, lnGauss(2), 1e-13},
		{"line, far and sharp", gauss(3e5, 1e-1), -inf, inf, lnGauss(1e-1), 1e-9},
		{"downward", func(u float64) float64 { return u }, -inf, 3, 3, 1e-14},
		{"step", func(u float64) float64 {
			if u < 0.25 {
				return math.Inf(-1)
			}
			return 0
		}, 0, 1, math.Log(0.75), 1e-12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			got, e, ok := LogIntegrate(func(u float64) float64 { n++; return tt.f(u) }, tt.a, tt.b, 0)
			if d := math.Abs(got - tt.want); !(d <= tt.tol*math.Max(1, math.Abs(tt.want))) || n > 9000 {
				t.Errorf("got %.17g, want %.17g (difference %.2g, estimated %.2g, converged %v, %d evaluations)", got, tt.want, d, e, ok, n)
			}
			t.Logf("difference %.1e, estimated %.1e, converged %v, %d evaluations", got-tt.want, e, ok, n)
		})
	}
}

// TestIntegrate checks plain values, of either sign.
func TestIntegrate(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name            string
		f               func(float64) float64
		a, b, want, tol float64
	}{
		{"sine", math.Sin, 0, math.Pi, 2, 1e-14},
		{"sine, backwards", math.Sin, math.Pi, 0, -2, 1e-14},
		{"a whole wave", math.Sin, 0, 2 * math.Pi, 0, 1e-13},
		{"many waves", func(u float64) float64 { return math.Cos(100 * u) }, 0, 1, math.Sin(100) / 100, 1e-13},
		{"root", math.Sqrt, 0, 1, 2.0 / 3, 1e-13},
		{"logarithm", math.Log, 0, 1, -1, 1e-13},
		{"inverse root", func(u float64) float64 { return 1 / math.Sqrt(u) }, 0, 4, 4, 1e-13},
		{"bell", func(u float64) float64 { return math.Exp(-u * u) }, -inf, inf, math.Sqrt(math.Pi), 1e-13},
		{"Lorentz", func(u float64) float64 { return 1 / (1 + u*u) }, 0, inf, math.Pi / 2, 1e-13},
		{"sharp Lorentz", func(u float64) float64 { return 1e-6 / (1e-12 + (u-0.3)*(u-0.3)) }, -inf, inf, math.Pi, 1e-9},
		{"exponential", math.Exp, -inf, 0, 1, 1e-13},
		{"zero", func(float64) float64 { return 0 }, 0, 1, 0, 1e-14},
		{"empty", math.Exp, 3, 3, 0, 1e-14},
	}
	for _, tt := range tests {
		got, e, ok := Integrate(tt.f, tt.a, tt.b, math.Max(tt.tol/10, 1e-13))
		if !(math.Abs(got-tt.want) <= tt.tol*math.Max(1, math.Abs(tt.want))) || !ok || !(e < 1e-7) {
			t.Errorf("%s: got %.17g, want %.17g (estimated %.2g, converged %v)", tt.name, got, tt.want, e, ok)
		}
	}
}

// TestIntegrateFails checks that what cannot be integrated says so, within the bound on evaluations.
func TestIntegrateFails(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name string
		f    func(float64) float64
		a, b float64
		want float64
	}{
		{"NaN", func(float64) float64 { return nan }, 0, 1, nan},
		{"+Inf", func(float64) float64 { return inf }, 0, 1, nan},
		{"NaN in a part", func(u float64) float64 { return math.Log(u - 0.9) }, 0, 1, nan},
		{"nothing positive", func(float64) float64 { return -inf }, 0, 1, -inf},
		{"a range without sense", math.Cos, 2, 1, nan},
		{"a bound without sense", math.Cos, nan, 1, nan},
		{"a range beyond", math.Cos, inf, inf, nan},
	}
	for _, tt := range tests {
		got, _, ok := LogIntegrate(tt.f, tt.a, tt.b, 0)
		if ok || got != tt.want && !(math.IsNaN(got) && math.IsNaN(tt.want)) {
			t.Errorf("%s: got %v, %v, want %v, false", tt.name, got, ok, tt.want)
		}
	}
	for name, f := range map[string]func(float64) float64{
		"not integrable": func(u float64) float64 { return -1.2 * math.Log(u) },
		"noise":          func(u float64) float64 { return math.Mod(u*1e17, 1) },
		"wild":           func(u float64) float64 { return math.Sin(1e5 * u) },
	} {
		n := 0
		_, e, ok := LogIntegrate(func(u float64) float64 { n++; return f(u) }, 0, 1, 0)
		if ok && name != "not integrable" || n > 9000 {
			t.Errorf("%s: %d evaluations, estimated %.2g, converged %v", name, n, e, ok)
		}
	}
	if v, e, ok := LogIntegrate(math.Cos, 1, 1, 0); !math.IsInf(v, -1) || e != 0 || !ok {
		t.Errorf("an empty range: got %v, %v, %v", v, e, ok)
	}
}
