package clv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/money"
)

// published is the estimate on CDNOW, rounded as in note 025 of Fader and Hardie (2013).
var published = GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}

func TestGammaGammaGolden(t *testing.T) {
	for _, r := range golden.Load(t, "testdata/gammagamma.json").Rows {
		m := GammaGamma{float64(r.Args["p"]), float64(r.Args["q"]), float64(r.Args["gamma"])}
		x, mean := int(r.Args["x"]), float64(r.Args["mean"])
		r.Check(t, "log_likelihood", m.LogLikelihood(x, mean))
		r.Check(t, "mean", m.Mean(x, mean))
	}
}

// The conditional means of the first ten customers of CDNOW that note 025 prints.
func TestGammaGammaPublishedMeans(t *testing.T) {
	for _, c := range []struct {
		x          int
		mean, want float64
	}{
		{2, 22.35, 24.65}, {1, 11.77, 18.91}, {0, 0, 35.17}, {7, 73.74, 71.46}, {2, 25.55, 27.28},
	} {
		// The note has the estimates of more digits behind it; the means of the customers are rounded to the cent.
		m := GammaGamma{P: 6.24957232, Q: 3.74422465, Gamma: 15.4435208}
		if got := m.Mean(c.x, c.mean); math.Abs(got-c.want) > 0.0101 {
			t.Errorf("Mean(%d, %v) = %.4f, want %v", c.x, c.mean, got, c.want)
		}
	}
}

func TestGammaGammaFitCDNOW(t *testing.T) {
	hs := summarize(t, cdnow(t), day("1997-09-30"), Week, nil)
	e, err := FitGammaGamma(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The exact optimum, found by Newton's method with 40 digits.
	for i, want := range []struct{ value, se float64 }{{6.24957232, 1.19006}, {3.74422465, 0.290133}, {15.4435208, 4.15942}} {
		if got := e.Params[i]; !golden.Close(got.Value, want.value, 1e-7) || !golden.Close(got.StdErr, want.se, 1e-5) {
			t.Errorf("%s = %.9g with standard error %.6g, want %.9g and %.6g", got.Name, got.Value, got.StdErr, want.value, want.se)
		}
	}
	if !golden.Close(e.LogLik, -4055.917694802, 1e-12) {
		t.Errorf("log-likelihood %.9f, want -4055.917694802", e.LogLik)
	}
	if e.Customers != 946 || e.Unit != 0 {
		t.Errorf("%d customers and unit %v, want 946 and 0", e.Customers, e.Unit)
	}
	if diff := cmp.Diff([]string{"1411 customers without a repeat purchase are not used"}, e.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	t.Logf("\n%s", e)
}

// spenders are repeat customers with random frequencies and means drawn from the model.
func spenders(m GammaGamma, n int, r *rand.Rand) *Histories {
	hs := &Histories{Unit: Week, Rows: make([]History, n)}
	for i := range hs.Rows {
		x := 1 + int(r.ExpFloat64()*3)
		spend, err := money.FromFloat(m.Rand(r, x)*float64(x), "USD", money.HalfEven)
		if err != nil {
			panic(err)
		}
		hs.Rows[i] = History{Customer: fmt.Sprint(i), X: x, TX: 1, T: 2, Spend: spend}
	}
	return hs
}

func TestGammaGammaRecovers(t *testing.T) {
	for _, m := range []GammaGamma{published, {P: 2, Q: 1.8, Gamma: 400}, {P: 40, Q: 25, Gamma: 30}, {P: 5, Q: 0.8, Gamma: 50}} {
		r := rand.New(rand.NewPCG(1, 2))
		e, err := FitGammaGamma(context.Background(), spenders(m, 20_000, r), nil)
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		for i, want := range []float64{m.P, m.Q, m.Gamma} {
			if p := e.Params[i]; !(math.Abs(p.Value-want) < 4*p.StdErr) {
				t.Errorf("%+v: %s = %v with standard error %v", m, p.Name, p.Value, p.StdErr)
			}
		}
	}
}

func TestGammaGammaRandMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	m := GammaGamma{P: 6, Q: 8, Gamma: 20}
	const n = 200_000
	var sum, square float64
	for range n {
		z := m.Rand(r, 3)
		sum += z
		square += z * z
	}
	mean := sum / n
	se := math.Sqrt((square/n - mean*mean) / n)
	if want := m.PopulationMean(); math.Abs(mean-want) > 4*se {
		t.Errorf("mean of %d draws %v, want %v within %v", n, mean, want, 4*se)
	}
}

// The density integrates to 1 and has the population mean.
func TestGammaGammaDensity(t *testing.T) {
	for _, m := range []GammaGamma{published, {P: 0.7, Q: 3, Gamma: 5}, {P: 30, Q: 20, Gamma: 9}} {
		for _, x := range []int{1, 4} {
			var total, mean float64
			const step = 1e-3 // over the log of the mean
			for u := -40.0; u < 40; u += step {
				z := math.Exp(u)
				w := math.Exp(m.LogLikelihood(x, z)+u) * step
				total += w
				mean += w * z
			}
			if math.Abs(total-1) > 1e-9 || math.Abs(mean/m.PopulationMean()-1) > 1e-6 {
				t.Errorf("%+v, x %d: total %v and mean %v, want 1 and %v", m, x, total, mean, m.PopulationMean())
			}
		}
	}
}

func TestGammaGammaDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		theta := []float64{math.Exp(r.NormFloat64() + 1), math.Exp(r.NormFloat64() + 1), math.Exp(r.NormFloat64() + 3)}
		var rows []spendRow
		for x := 1; x < 30; x += 1 + r.IntN(4) {
			mean := 30 * math.Exp(r.NormFloat64())
			rows = append(rows, spendRow{x: x, total: float64(x) * mean, logTotal: math.Log(float64(x) * mean), logMean: math.Log(mean), weight: 1 + r.Float64()})
		}
		at := func(theta []float64) *mle.Derivs {
			d := &mle.Derivs{Grad: make([]float64, 3), Hess: make([]float64, 9)}
			sumGammaGamma(rows, theta, d)
			return d
		}
		d := at(theta)
		want := 0.0
		for _, w := range rows {
			want += w.weight * GammaGamma{theta[0], theta[1], theta[2]}.LogLikelihood(w.x, w.total/float64(w.x))
		}
		if !golden.Close(d.Value, want, 1e-12) {
			t.Errorf("%v: value %v, want %v", theta, d.Value, want)
		}
		for i := range theta {
			h := 1e-5 * theta[i]
			up, down := append([]float64{}, theta...), append([]float64{}, theta...)
			up[i] += h
			down[i] -= h
			a, b := at(up), at(down)
			if got, want := d.Grad[i], (a.Value-b.Value)/(2*h); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("%v: gradient %d is %v, differences give %v", theta, i, got, want)
			}
			for j := range i + 1 {
				got, want := d.Hess[j*3+i], (a.Grad[j]-b.Grad[j])/(2*h)
				if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
					t.Errorf("%v: second derivative %d, %d is %v, differences give %v", theta, j, i, got, want)
				}
			}
		}
	}
}

// Other libraries return a negative mean where the expectation does not exist.
func TestGammaGammaMeanSpecialCases(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	low := GammaGamma{P: 0.2, Q: 0.5, Gamma: 10}
	for _, c := range []struct {
		reason string
		m      GammaGamma
		x      int
		mean   float64
		want   float64
	}{
		{"p x + q below 1", low, 2, 30, inf},
		{"p x + q = 1", GammaGamma{P: 0.25, Q: 0.5, Gamma: 10}, 2, 30, inf},
		{"p x + q above 1", low, 5, 30, 0.2 * (10 + 150) / 0.5},
		{"no population mean", low, 0, 0, inf},
		{"x = 0 takes no mean", published, 0, nan, published.P * published.Gamma / (published.Q - 1)},
		{"free orders only", published, 2, 0, 6.25 * 15.44 / (12.5 + 3.74 - 1)},
		{"negative x", published, -1, 30, nan},
		{"negative mean", published, 1, -30, nan},
		{"no mean", published, 1, nan, nan},
		{"infinite mean", published, 1, inf, nan},
		{"invalid model", GammaGamma{P: 1, Q: -1, Gamma: 1}, 1, 30, nan},
	} {
		if got := c.m.Mean(c.x, c.mean); !golden.Close(got, c.want, 1e-14) {
			t.Errorf("%s: Mean(%d, %v) = %v, want %v", c.reason, c.x, c.mean, got, c.want)
		}
	}
	for _, got := range []float64{
		published.LogLikelihood(0, 10), published.LogLikelihood(-1, 10), published.LogLikelihood(1, 0), published.LogLikelihood(1, -1),
		published.LogLikelihood(1, nan), published.LogLikelihood(1, inf), GammaGamma{}.LogLikelihood(1, 10), GammaGamma{}.PopulationMean(),
		published.Rand(rand.New(rand.NewPCG(1, 2)), 0), GammaGamma{P: nan}.Rand(rand.New(rand.NewPCG(1, 2)), 1),
	} {
		if !math.IsNaN(got) {
			t.Errorf("%v for an argument outside the domain, want NaN", got)
		}
	}
}

func TestGammaGammaFitRefuses(t *testing.T) {
	row := func(x int, spend string) History {
		return History{Customer: "a", X: x, TX: float64(min(x, 1)), T: 2, Spend: usd(spend)}
	}
	euro := row(1, "3")
	euro.Spend = money.MustParse("3", "EUR")
	mixed := &money.CurrencyMismatchError{A: "USD", B: "EUR"}
	for _, c := range []struct {
		reason string
		rows   []History
		want   string
	}{
		{"no rows", nil, "clv: no histories"},
		{"no repeat purchase", []History{row(0, "0")}, "clv: fit of gammagamma: no customer has repeat purchases with a positive spend"},
		{"no spend", []History{row(1, "0"), row(1, "-3")}, "clv: fit of gammagamma: no customer has repeat purchases with a positive spend"},
		{"one customer", []History{row(2, "20")},
			"clv: fit of gammagamma: all 1 customers have the same mean spend, 10, so that the likelihood has no maximum: diverged; value them at that spend"},
		{"equal spends", []History{row(2, "20"), row(1, "10"), row(3, "30")},
			"clv: fit of gammagamma: all 3 customers have the same mean spend, 10, so that the likelihood has no maximum: diverged; value them at that spend"},
		{"a bad history", []History{row(1, "2"), {X: 1, TX: 3, T: 2}}, `clv: row 2: field "TX": value "3": greater than T`},
		{"two currencies", []History{row(1, "2"), euro}, `clv: row 2: field "Spend": value "EUR 3.00": ` + mixed.Error()},
	} {
		e, err := FitGammaGamma(context.Background(), &Histories{Unit: Week, Rows: c.rows}, nil)
		if err == nil || err.Error() != c.want || e != nil {
			t.Errorf("%s: estimate %v and error\n%v, want\n%s", c.reason, e, err, c.want)
		}
	}
	if _, err := FitGammaGamma(context.Background(), nil, nil); err == nil {
		t.Error("no error for nil histories")
	}
}

// Spends that are all but equal make P and Q run away; that is no estimate, and never a log-likelihood of 0.
func TestGammaGammaRunOff(t *testing.T) {
	hs := &Histories{Unit: Week}
	for i := range 50 {
		hs.Rows = append(hs.Rows, History{Customer: fmt.Sprint(i), X: 1 + i%4, TX: 1, T: 2, Spend: usd(fmt.Sprintf("%d.%02d", 10*(1+i%4), i%2))})
	}
	e, err := FitGammaGamma(context.Background(), hs, nil)
	if err == nil && len(e.Warnings) == 0 {
		t.Fatalf("no word of the run-off:\n%s", e)
	}
	t.Logf("%v\n%v", err, e)
	if err != nil && !errors.Is(err, fit.ErrDiverged) && !errors.Is(err, fit.ErrNotConverged) {
		t.Errorf("error %v", err)
	}
}

func TestGammaGammaWarnsOfCorrelation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	hs := spenders(published, 2000, r)
	e, err := FitGammaGamma(context.Background(), hs, nil)
	if err != nil || len(e.Warnings) != 0 {
		t.Errorf("independent spend: warnings %q and error %v", e.Warnings, err)
	}
	for i := range hs.Rows {
		h := &hs.Rows[i]
		spend, err := money.FromFloat(h.Spend.Float64()*math.Sqrt(float64(h.X)), "USD", money.HalfEven)
		if err != nil {
			t.Fatal(err)
		}
		h.Spend = spend
	}
	e, err = FitGammaGamma(context.Background(), hs, nil)
	if err != nil || len(e.Warnings) != 1 || !strings.HasPrefix(e.Warnings[0], "spend and frequency are correlated (r = 0.") {
		t.Errorf("spend that rises with frequency: warnings %q and error %v", e.Warnings, err)
	}
}

func TestGammaGammaFitInvariances(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	hs := spenders(published, 3000, r)
	base, err := FitGammaGamma(context.Background(), hs, &fit.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	shuffled := &Histories{Unit: Week, Rows: append([]History{}, hs.Rows...)}
	r.Shuffle(len(shuffled.Rows), func(i, j int) {
		shuffled.Rows[i], shuffled.Rows[j] = shuffled.Rows[j], shuffled.Rows[i]
	})
	same, err := FitGammaGamma(context.Background(), shuffled, &fit.Options{Workers: 7})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(base, same); diff != "" {
		t.Errorf("row order or workers change the fit (-want +got):\n%s", diff)
	}
	weighted := &Histories{Unit: Week, Rows: append([]History{}, hs.Rows...)}
	doubled := &Histories{Unit: Week, Rows: append(append([]History{}, hs.Rows...), hs.Rows...)}
	for i := range weighted.Rows {
		weighted.Rows[i].Count = 2
	}
	a, err := FitGammaGamma(context.Background(), weighted, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := FitGammaGamma(context.Background(), doubled, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("duplicates differ from weights (-weights +duplicates):\n%s", diff)
	}
	if !golden.Close(a.Params[0].StdErr, base.Params[0].StdErr/math.Sqrt2, 1e-6) {
		t.Errorf("standard error %v of twice the customers, want %v", a.Params[0].StdErr, base.Params[0].StdErr/math.Sqrt2)
	}
	// A billion times the money is the same model with another Gamma.
	for i := range shuffled.Rows {
		spend, err := shuffled.Rows[i].Spend.MulInt(1_000_000_000)
		if err != nil {
			t.Fatal(err)
		}
		shuffled.Rows[i].Spend = spend
	}
	rich, err := FitGammaGamma(context.Background(), shuffled, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m, n := base.Model, rich.Model; !golden.Close(n.P, m.P, 1e-6) || !golden.Close(n.Q, m.Q, 1e-6) || !golden.Close(n.Gamma, 1e9*m.Gamma, 1e-6) {
		t.Errorf("a billion times the money gives %+v, want %+v with Gamma times 1e9", n, m)
	}
}

func TestGammaGammaJSON(t *testing.T) {
	text, err := json.Marshal(published)
	if err != nil {
		t.Fatal(err)
	}
	var m GammaGamma
	if err := json.Unmarshal(text, &m); err != nil || m != published {
		t.Errorf("%s became %+v (%v)", text, m, err)
	}
	for _, bad := range []string{`{}`, `{"schema":"custval/model/bgnbd/v1"}`, strings.Replace(string(text), "6.25", "-1", 1), `{"p":1,"q":2,"gamma":3}`} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	e, err := FitGammaGamma(context.Background(), spenders(published, 100, rand.New(rand.NewPCG(1, 2))), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(e); err != nil {
		t.Fatal(err)
	}
	var back fit.Estimate[GammaGamma]
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*e, back); diff != "" {
		t.Errorf("estimate (-want +got):\n%s", diff)
	}
}

func TestGammaGammaFitStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := FitGammaGamma(ctx, spenders(published, 1000, rand.New(rand.NewPCG(1, 2))), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func ExampleGammaGamma_Mean() {
	m := GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}
	fmt.Printf("two purchases of USD 22.35 on average: %.2f\n", m.Mean(2, 22.35))
	fmt.Printf("a new customer: %.2f\n", m.PopulationMean())
	// Output:
	// two purchases of USD 22.35 on average: 24.66
	// a new customer: 35.22
}

func ExampleFitGammaGamma() {
	r := rand.New(rand.NewPCG(1, 2))
	truth := GammaGamma{P: 6, Q: 4, Gamma: 15}
	hs := &Histories{Unit: Week}
	for i := range 2000 {
		x := 1 + r.IntN(5)
		spend, err := money.FromFloat(truth.Rand(r, x)*float64(x), "EUR", money.HalfEven)
		if err != nil {
			fmt.Println(err)
			return
		}
		hs.Rows = append(hs.Rows, History{Customer: fmt.Sprint(i), X: x, TX: 20, T: 39, Spend: spend})
	}
	e, err := FitGammaGamma(context.Background(), hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e)
	fmt.Printf("a new customer spends %.2f a purchase\n", e.Model.PopulationMean())
	// Output:
	// gammagamma  estimate  std. error  95% low  95% high
	//            P   6.22341    0.965425   4.5918   8.43477
	//            Q    4.1184    0.209131  3.72825   4.54938
	//        Gamma   14.9968     3.04123  10.0781   22.3159
	// log-likelihood -8183.1162, AIC 16372.23, BIC 16389.04, 2000 customers
	// converged after 4 iterations and 4 evaluations
	//
	// a new customer spends 29.93 a purchase
}

func BenchmarkFitGammaGamma(b *testing.B) {
	for _, n := range []int{1e3, 4e4, 1e6} {
		b.Run(fmt.Sprintf("customers=%d", n), func(b *testing.B) {
			hs := spenders(published, n, rand.New(rand.NewPCG(1, 2)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := FitGammaGamma(context.Background(), hs, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}
