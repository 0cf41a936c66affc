package clv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// The contract of the models in continuous time, as far as it has a meaning for opportunities.

func bgbbs() []clv.BGBB {
	return []clv.BGBB{
		{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 2.78}, {Alpha: 1, Beta: 1, Gamma: 1, Delta: 1}, {Alpha: 0.02, Beta: 0.5, Gamma: 0.01, Delta: 0.3},
		{Alpha: 1000, Beta: 1000, Gamma: 1000, Delta: 1000}, {Alpha: 3, Beta: 30, Gamma: 500, Delta: 40}, {Alpha: 5, Beta: 2, Gamma: 2, Delta: 60},
	}
}

func discretePoints() []clv.DiscreteHistory {
	return []clv.DiscreteHistory{
		{}, {N: 1}, {N: 6}, {X: 1, TX: 1, N: 1}, {X: 1, TX: 1, N: 6}, {X: 3, TX: 5, N: 6}, {X: 6, TX: 6, N: 6}, {X: 10, TX: 50, N: 104}, {X: 200, TX: 4000, N: 5000},
	}
}

func TestBGBBPredictions(t *testing.T) {
	for _, m := range bgbbs() {
		for _, h := range discretePoints() {
			alive := m.ProbAlive(h)
			if !(alive >= 0 && alive <= 1) || !golden.Close(m.ProbAliveAt(h, 1), alive, 1e-12) || math.IsNaN(m.LogLikelihood(h)) || m.LogLikelihood(h) > 0 {
				t.Errorf("%+v %+v: P(alive) = %v, %v, ln L %v", m, h, alive, m.ProbAliveAt(h, 1), m.LogLikelihood(h))
			}
			later := h
			later.N++
			if q := m.ProbAlive(later); q > alive*(1+1e-12) {
				t.Errorf("%+v %+v: silence raises P(alive) from %v to %v", m, h, alive, q)
			}
			if v := m.ExpectedPurchases(h, 0); v != 0 {
				t.Errorf("%+v %+v: %v purchases at no opportunity", m, h, v)
			}
			for _, n := range []int{1, 7, 60} {
				total, mean, expected, discounted := 0.0, 0.0, 0.0, 0.0
				for x := range n + 1 {
					p := m.ConditionalPMF(h, x, n)
					total, mean = total+p, mean+p*float64(x)
				}
				for j := 1; j <= n; j++ {
					v := m.ProbAliveAt(h, j) * (m.Alpha + float64(h.X)) / (m.Alpha + m.Beta + float64(h.N))
					expected, discounted = expected+v, discounted+v*math.Pow(1.1, -float64(j))
				}
				got := m.ExpectedPurchases(h, n)
				if math.Abs(total-1) > 1e-11 || !golden.Close(mean, got, 1e-9) || !golden.Close(expected, got, 1e-11) {
					t.Errorf("%+v %+v: PMF over %d sums to %v with mean %v, sum %v, ExpectedPurchases %v", m, h, n, total, mean, expected, got)
				}
				if v := m.DiscountedPurchases(h, n, 0.1); !golden.Close(v, discounted, 1e-11) {
					t.Errorf("%+v %+v: discounted purchases in %d are %v, sum %v", m, h, n, v, discounted)
				}
				some := m.ProbAnyPurchase(h, n)
				if none := m.ConditionalPMF(h, 0, n); math.Abs(none+some-1) > 1e-12 {
					t.Errorf("%+v %+v: %v for any and %v for no purchase", m, h, some, none)
				}
				if q := m.NextPurchaseQuantile(h, some*(1-1e-9)); some > 0 && q > float64(n) {
					t.Errorf("%+v %+v: quantile %v of the probability within %d", m, h, q, n)
				}
			}
			for _, d := range []float64{1e-4, 0.02, 1.5} {
				if got, want := m.DERT(h, d), m.DiscountedPurchases(h, 2_000_000, d); !golden.Close(got, want, 1e-9) {
					t.Errorf("%+v %+v: DERT at %v is %v, the sum %v", m, h, d, got, want)
				}
			}
			if v := m.DERT(h, 0); alive > 0 && math.IsInf(v, 1) != (m.Gamma <= 1) {
				t.Errorf("%+v %+v: all future purchases %v", m, h, v)
			}
		}
		for _, n := range []int{1, 12} {
			if one, two := m.NewCustomerPurchases(n), m.ExpectedPurchases(clv.DiscreteHistory{}, n); !golden.Close(one, two, 1e-12) {
				t.Errorf("%+v: new customer %v, history of nothing %v", m, one, two)
			}
			for x := range 3 {
				if one, two := m.IntervalPMF(x, 0, n), m.PMF(x, n); !golden.Close(one, two, 1e-12) {
					t.Errorf("%+v: IntervalPMF %v, PMF %v", m, one, two)
				}
			}
		}
		if m.PMF(0, 0) != 1 || m.PMF(1, 0) != 0 || m.PMF(7, 6) != 0 {
			t.Errorf("%+v: PMF at the edges", m)
		}
	}
}

// TestBGBBNextPurchase finds quantiles far out, where the sum over opportunities is an integral.
func TestBGBBNextPurchase(t *testing.T) {
	m := clv.BGBB{Alpha: 0.05, Beta: 1, Gamma: 0.001, Delta: 5}
	for _, n := range []int{1, 2, 1000, 65536, 65537, 3_000_000} {
		p := m.ProbAnyPurchase(clv.DiscreteHistory{}, n)
		if q := m.NextPurchaseQuantile(clv.DiscreteHistory{}, p*(1-1e-13)); math.Abs(q-float64(n)) > 1e-7*float64(n) {
			t.Errorf("quantile %v of the probability %v within %d", q, p, n)
		}
	}
	if q := m.NextPurchaseQuantile(clv.DiscreteHistory{}, 1); !math.IsInf(q, 1) {
		t.Errorf("certain within %v", q)
	}
}

func TestBGBBGarbage(t *testing.T) {
	m := bgbbs()[0]
	good := clv.DiscreteHistory{X: 1, TX: 1, N: 2}
	bad := []clv.DiscreteHistory{{X: -1}, {TX: -1}, {N: -1}, {X: 1, TX: 3, N: 2}, {X: 2, TX: 1, N: 2}, {TX: 1, N: 2}, {X: 1, N: 2}, {Count: -1}}
	values := map[string]float64{
		"ExpectedPurchases(-1)": m.ExpectedPurchases(good, -1), "NewCustomerPurchases(-1)": m.NewCustomerPurchases(-1), "PMF(-1, 1)": m.PMF(-1, 1),
		"PMF(1, -1)": m.PMF(1, -1), "DERT(-1)": m.DERT(good, -1), "DERT(NaN)": m.DERT(good, math.NaN()), "DERT(Inf)": m.DERT(good, math.Inf(1)),
		"ProbAliveAt(-1)": m.ProbAliveAt(good, -1), "ConditionalPMF(-1)": m.ConditionalPMF(good, -1, 2), "ConditionalPMF of -1": m.ConditionalPMF(good, 0, -1),
		"IntervalPMF backwards": m.IntervalPMF(0, 2, 1), "ProbAnyPurchase(-1)": m.ProbAnyPurchase(good, -1), "quantile of 2": m.NextPurchaseQuantile(good, 2),
		"discounted -1": m.DiscountedPurchases(good, -1, 0.1), "discounted at -1": m.DiscountedPurchases(good, 1, -1),
	}
	for i, h := range bad {
		values[fmt.Sprint("LogLikelihood ", i)], values[fmt.Sprint("ProbAlive ", i)] = m.LogLikelihood(h), m.ProbAlive(h)
		values[fmt.Sprint("ExpectedPurchases ", i)], values[fmt.Sprint("DERT ", i)] = m.ExpectedPurchases(h, 1), m.DERT(h, 0.1)
		values[fmt.Sprint("NextPurchaseQuantile ", i)], values[fmt.Sprint("ConditionalPMF ", i)] = m.NextPurchaseQuantile(h, 0.5), m.ConditionalPMF(h, 0, 1)
	}
	for _, invalid := range []clv.BGBB{{}, {Alpha: 1, Beta: -1, Gamma: 1, Delta: 1}, {Alpha: 1, Beta: 1, Gamma: math.NaN(), Delta: 1}} {
		if invalid.Validate() == nil {
			t.Errorf("%+v validates", invalid)
		}
		values[fmt.Sprintf("%+v", invalid)] = invalid.ProbAlive(good) + invalid.PMF(0, 1) + invalid.NewCustomerPurchases(1)
		if h := invalid.Rand(rand.New(rand.NewPCG(1, 2)), 5); h.N != -1 {
			t.Errorf("%+v draws %+v", invalid, h)
		}
	}
	for name, v := range values {
		if !math.IsNaN(v) {
			t.Errorf("%s = %v, want NaN", name, v)
		}
	}
}

func TestBGBBRand(t *testing.T) {
	const n, opportunities = 40000, 8
	m := clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 2.78}
	r := rand.New(rand.NewPCG(1, 2))
	var counts [opportunities + 1]float64
	for range n {
		h := m.Rand(r, opportunities)
		if err := h.Validate(); err != nil {
			t.Fatal(err)
		}
		counts[h.X]++
	}
	for x, c := range counts {
		p := m.PMF(x, opportunities)
		if se := math.Sqrt(p * (1 - p) / n); math.Abs(c/n-p) > 4*se {
			t.Errorf("simulated P(X = %d) = %v with standard error %v, PMF %v", x, c/n, se, p)
		}
	}
}

func drawDiscrete(m clv.BGBB, n int) []clv.DiscreteHistory {
	r := rand.New(rand.NewPCG(1, 2))
	hs := make([]clv.DiscreteHistory, n)
	for i := range hs {
		hs[i] = m.Rand(r, 6+r.IntN(20))
	}
	return hs
}

func marshaled(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFitBGBB(t *testing.T) {
	ctx := context.Background()
	want := clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 8}
	hs := drawDiscrete(want, 20000)
	e, err := clv.FitBGBB(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []float64{want.Alpha, want.Beta, want.Gamma, want.Delta} {
		if p := e.Params[i]; !(math.Abs(math.Log(p.Value/v)) < 4*p.StdErr/p.Value) {
			t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, v)
		}
	}
	sum := 0.0
	for _, h := range hs {
		sum += e.Model.LogLikelihood(h)
	}
	if !golden.Close(sum, e.LogLik, 1e-11) || e.Customers != len(hs) || e.Stop != fit.Converged || e.Unit != 0 {
		t.Errorf("the histories' log-likelihoods sum to %v, the fit says %v: %+v", sum, e.LogLik, e)
	}
	text := marshaled(t, e)
	for _, workers := range []int{1, 2, 7} {
		if f, err := clv.FitBGBB(ctx, hs, &fit.Options{Workers: workers}); err != nil || marshaled(t, f) != text {
			t.Errorf("%d workers change the estimate (%v)", workers, err)
		}
	}
	shuffled := slices.Clone(hs)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(hs), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if f, err := clv.FitBGBB(ctx, shuffled, nil); err != nil || marshaled(t, f) != text {
		t.Errorf("shuffled rows change the estimate (%v)", err)
	}
	weighted := slices.Clone(hs[:5000])
	for i := range weighted {
		weighted[i].Count = 2
	}
	a, err := clv.FitBGBB(ctx, weighted, nil)
	b, errB := clv.FitBGBB(ctx, slices.Concat(hs[:5000], hs[:5000]), nil)
	if err != nil || errB != nil || marshaled(t, a) != marshaled(t, b) {
		t.Errorf("repeated rows instead of weights: %v, %v", err, errB)
	}
	var back fit.Estimate[clv.BGBB]
	if err := json.Unmarshal([]byte(text), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*e, back); diff != "" {
		t.Errorf("estimate after JSON (-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "/bgbb/", "/bgnbd/")), &back); err == nil {
		t.Error("the estimate of another model is read without an error")
	}
}

func TestFitBGBBCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hs := drawDiscrete(clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 8}, 5000)
	start := time.Now()
	_, err := clv.FitBGBB(ctx, hs, &fit.Options{Progress: func(fit.Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled fit returns %v after %v", err, time.Since(start))
	}
}

func TestFitBGBBErrors(t *testing.T) {
	for _, c := range []struct {
		change clv.DiscreteHistory
		want   string
	}{
		{clv.DiscreteHistory{X: 1, TX: 7, N: 6}, `clv: row 2: field "TX": value "7": greater than N`},
		{clv.DiscreteHistory{X: 3, TX: 2, N: 6}, `clv: row 2: field "X": value "3": greater than TX: at most one purchase an opportunity`},
		{clv.DiscreteHistory{X: 0, TX: 2, N: 6}, `clv: row 2: field "TX": value "2": not 0 though X is 0`},
		{clv.DiscreteHistory{X: 1, TX: 0, N: 6}, `clv: row 2: field "X": value "1": greater than TX: at most one purchase an opportunity`},
		{clv.DiscreteHistory{X: -1, N: 6}, `clv: row 2: field "X": value "-1": negative`},
		{clv.DiscreteHistory{TX: -1, N: 6}, `clv: row 2: field "TX": value "-1": negative`},
		{clv.DiscreteHistory{N: 10_000_001}, `clv: row 2: field "N": value "10000001": more than ten million opportunities: use a model in continuous time`},
		{clv.DiscreteHistory{N: -6}, `clv: row 2: field "N": value "-6": negative`},
		{clv.DiscreteHistory{N: 6, Count: -1}, `clv: row 2: field "Count": value "-1": negative`},
	} {
		_, err := clv.FitBGBB(context.Background(), []clv.DiscreteHistory{{X: 1, TX: 2, N: 6}, c.change}, nil)
		var bad *ledger.RowError
		if !errors.As(err, &bad) || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	for want, hs := range map[string][]clv.DiscreteHistory{
		"clv: no histories": nil,
		"clv: fit of bgbb: no customer bought at any opportunity, so the data do not tell how often customers buy": {{N: 6}, {N: 3}},
		"clv: fit of bgbb: no customer had an opportunity to buy":                                                  {{}, {}},
	} {
		if e, err := clv.FitBGBB(context.Background(), hs, nil); err == nil || err.Error() != want {
			t.Errorf("%v, %v, want %s", e, err, want)
		}
	}
	// One customer identifies no distribution.
	e, err := clv.FitBGBB(context.Background(), []clv.DiscreteHistory{{X: 3, TX: 5, N: 6}}, nil)
	if err == nil && len(e.Warnings) == 0 {
		t.Errorf("one customer fitted without a word: %v", e)
	}
	if e != nil {
		for _, p := range e.Params {
			if math.IsNaN(p.Value) {
				t.Errorf("one customer gives %s = NaN", p.Name)
			}
		}
	}
}

func BenchmarkFitBGBB(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			hs := drawDiscrete(clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 8}, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := clv.FitBGBB(context.Background(), hs, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}
