package experiment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/cac/experiment"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestErrors(t *testing.T) {
	ctx := context.Background()
	ok := experiment.Sample{N: 10, Mean: 1, Variance: 1}
	flat := experiment.Sample{N: 10, Mean: 1}
	rate := experiment.Rate{Conversions: 1, Customers: 10}
	values := []float64{1, 2, 3}
	for _, c := range []struct {
		name string
		call func() error
		is   error
		want string
	}{
		{"one value", func() error { _, err := experiment.SampleOf([]float64{1}); return err }, experiment.ErrTooFew, "experiment: too few customers: 1 values, at least 2"},
		{"NaN", func() error { _, err := experiment.SampleOf([]float64{1, math.NaN()}); return err }, nil, "experiment: value 2: NaN: not a finite number"},
		{"impossible sums", func() error { _, err := experiment.SampleOfSums(10, 100, 1); return err }, nil, "experiment: sum 100 and sum of squares 1: no 10 values have them"},
		{"no variance", func() error { _, err := experiment.Welch(flat, flat, 0); return err }, experiment.ErrNoVariance, "experiment: no variance"},
		{"too few", func() error { _, err := experiment.Welch(ok, experiment.Sample{N: 1}, 0); return err }, experiment.ErrTooFew, "experiment: too few customers: 1 values, at least 2 (treatment)"},
		{"level", func() error { _, err := experiment.Welch(ok, ok, 95); return err }, nil, "experiment: level 95: not between 0 and 1"},
		{"zero control", func() error {
			_, err := experiment.WelchRelative(experiment.Sample{N: 3, Variance: 1}, ok, 0)
			return err
		}, ledger.ErrUndefined, "experiment: zero base: the mean of the control"},
		{"Fieller without end", func() error {
			_, _, err := experiment.Fieller(experiment.Sample{N: 3, Mean: 0.1, Variance: 100}, ok, 0)
			return err
		}, experiment.ErrZeroBase, "experiment: zero base: the mean of the control, 0.1, does not differ from zero"},
		{"ratio lengths", func() error { _, err := experiment.RatioOf(values, values[:2]); return err }, nil, "experiment: 3 numerators and 2 denominators"},
		{"ratio base", func() error { _, err := experiment.RatioOf(values, []float64{1, -1, 0}); return err }, experiment.ErrZeroBase, "experiment: zero base: the denominators sum to zero"},
		{"CUPED lengths", func() error {
			_, err := experiment.CUPED(experiment.Paired{Values: values, Before: values}, experiment.Paired{Values: values}, 0)
			return err
		}, nil, "experiment: treatment: 3 values and 0 covariates"},
		{"rate above 1", func() error {
			_, err := experiment.Newcombe(rate, experiment.Rate{Conversions: 3, Customers: 2}, 0)
			return err
		}, nil, "experiment: 3 conversions of 2 customers (treatment)"},
		{"nobody", func() error { _, _, err := experiment.Rate{}.Interval(0); return err }, experiment.ErrTooFew, "experiment: too few customers: 0 customers"},
		{"nobody converted", func() error {
			_, err := experiment.PooledZ(experiment.Rate{Customers: 3}, experiment.Rate{Customers: 4}, 0)
			return err
		}, ledger.ErrUndefined, "experiment: no variance: nobody or everybody converted"},
		{"one arm", func() error { _, err := experiment.Beliefs(experiment.Beta{}, rate); return err }, experiment.ErrTooFew, "experiment: too few customers: 1 arms, at least 2"},
		{"prior", func() error {
			_, err := experiment.Beliefs(experiment.Beta{Alpha: 1, Beta: -1}, rate, rate)
			return err
		}, nil, "experiment: beta distribution with 1 and -1: not positive numbers up to 1e9"},
		{"expected", func() error { _, err := experiment.Sequential(ok, ok, -1, 0); return err }, nil, "experiment: expected number of customers -1: not a positive number"},
		{"ratio test", func() error { _, err := experiment.SequentialRatio(1, 0, 1, 1); return err }, nil, "experiment: difference 1, variance 0, tau2 1, n 1: not a number or not positive"},
		{"shares", func() error { _, err := experiment.SampleRatio([]int{1, 2}, []float64{1}); return err }, nil, "experiment: 1 shares of 2 arms"},
		{"share", func() error { _, err := experiment.SampleRatio([]int{1, 2}, []float64{1, 0}); return err }, nil, "experiment: arm 2: share 0: not a positive number"},
		{"same rates", func() error { _, err := experiment.SizeForRates(.1, .1, experiment.Design{}); return err }, nil, "experiment: rates of 0.1 and 0.1: no effect to be found"},
		{"formula", func() error {
			_, err := experiment.SizeForRates(.1, .2, experiment.Design{Formula: experiment.StudentTheory})
			return err
		}, nil, `experiment: formula "student": not "pooled" or "unpooled"`},
		{"too small", func() error { _, err := experiment.SizeForMeans(1, 1e-9, experiment.Design{}); return err }, nil, "experiment: 1.57e+19 customers: the effect is too small to be found"},
		{"p-value", func() error { _, err := experiment.Holm([]float64{0.5, 1.5}); return err }, nil, "experiment: p-value 2: 1.5: not between 0 and 1"},
		{"correction", func() error { _, err := experiment.Correction("tukey").Adjust(nil); return err }, nil, `experiment: unknown correction "tukey"`},
		{"no spread", func() error { _, err := experiment.Bootstrap(ctx, []float64{1, 1}, []float64{2, 2}, nil); return err }, experiment.ErrNoVariance, "experiment: no variance: all resamples have the statistic 1"},
		{"resamples", func() error {
			_, err := experiment.Bootstrap(ctx, values, values, &experiment.BootstrapOptions{Resamples: -1})
			return err
		}, nil, "experiment: -1 resamples, 0 workers: out of range"},
		{"currency", func() error {
			_, err := experiment.AnalyzeValues(ctx, []experiment.Arm{{Name: "a", Values: values}, {Name: "b", Values: values}}, nil)
			return err
		}, nil, `experiment: currency "": a currency with a minor unit is needed`},
		{"names", func() error {
			_, err := experiment.AnalyzeValues(ctx, []experiment.Arm{{Name: "a", Values: values}, {Name: "a", Values: values}}, &experiment.Options{Currency: "USD"})
			return err
		}, nil, `experiment: arm 2: name "a" is empty or there twice`},
		{"half a covariate", func() error {
			_, err := experiment.AnalyzeValues(ctx, []experiment.Arm{{Name: "a", Values: values, Before: values}, {Name: "b", Values: values}}, &experiment.Options{Currency: "USD"})
			return err
		}, nil, `experiment: arm "a": all arms need values from before, or none`},
		{"two currencies", func() error {
			_, _, err := experiment.ValuesOf([]money.Amount{usd("1"), money.MustParse("1", "EUR")})
			return err
		}, nil, "experiment: value 2: EUR 1.00: not in USD"},
		{"quantile", func() error { _, _, err := experiment.Winsorize(1, values); return err }, nil, "experiment: quantile 1: not between 0 and 1"},
	} {
		err := c.call()
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v does not wrap %v", c.name, err, c.is)
		}
	}
}

func TestLogErrors(t *testing.T) {
	at := func(d int) time.Time { return time.Date(2025, 1, d, 0, 0, 0, 0, time.UTC) }
	arms := []string{"control", "voucher"}
	ann := experiment.Assignment{Customer: "ann", Arm: "voucher", At: at(5)}
	for _, c := range []struct {
		assigned []experiment.Assignment
		log      []ledger.Transaction
		o        *experiment.LogOptions
		want     string
	}{
		{[]experiment.Assignment{ann, ann}, nil, nil, `experiment: row 2: field "customer": value "ann": assigned before`},
		{[]experiment.Assignment{{Customer: "ann", Arm: "other", At: at(1)}}, nil, nil, `experiment: row 1: field "arm": value "other": not one of the arms`},
		{[]experiment.Assignment{{Customer: "ann", Arm: "control"}}, nil, nil, `experiment: row 1: field "at": value "ann": no time`},
		{[]experiment.Assignment{{Customer: "ann", Arm: "control", At: at(31)}}, nil, nil, `experiment: row 1: field "at": value "2025-01-31T00:00:00Z": not before the end of observation`},
		{[]experiment.Assignment{ann}, []ledger.Transaction{{Customer: "ann", At: at(6), Amount: usd("1")}, {Customer: "ann", At: at(7), Amount: money.MustParse("1", "EUR")}}, nil, `experiment: row 2: field "amount": value "EUR 1.00": not in USD`},
		{[]experiment.Assignment{ann}, []ledger.Transaction{{Customer: "ann", At: at(6), Amount: usd("1")}}, &experiment.LogOptions{Cost: true}, `experiment: row 1: field "cost": value "": the row has no cost`},
		{nil, nil, &experiment.LogOptions{Margin: 2}, "experiment: margin 2: not between 0 and 1, or beside the cost"},
		{nil, nil, &experiment.LogOptions{Window: -1}, "experiment: window -1ns, before 0s: negative"},
	} {
		_, err := experiment.ArmsFromLog(context.Background(), ledger.Transactions(c.log), c.assigned, arms, at(30), c.o)
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	l, err := experiment.ArmsFromLog(context.Background(), ledger.Transactions([]ledger.Transaction{
		{Customer: "zoe", At: at(6), Amount: usd("1")}, {Customer: "ann", At: at(30), Amount: usd("7")}, {Customer: "ann", At: at(5), Amount: usd("10"), Cost: usd("4")},
	}), []experiment.Assignment{ann, {Customer: "late", Arm: "voucher", At: at(25)}}, arms, at(30), &experiment.LogOptions{Window: 10 * 24 * time.Hour, Cost: true})
	if err != nil || l.Immature != 1 || l.Strangers != 1 || len(l.Arms[1].Values) != 1 || l.Arms[1].Values[0] != 6 {
		t.Errorf("%+v: %v", l, err)
	}
}

func TestCancellation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 20_000)
	for i := range values {
		values[i] = r.ExpFloat64()
	}
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	_, err := experiment.Bootstrap(ctx, values, values, &experiment.BootstrapOptions{Resamples: 1_000_000, Progress: func(done, of int) {
		if calls++; calls == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := experiment.AnalyzeValues(ctx, []experiment.Arm{{Name: "a", Values: values}, {Name: "b", Values: values}}, &experiment.Options{Currency: "USD"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestReports(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var arms []experiment.Arm
	for i, name := range []string{"control", "a", "b"} {
		arm := experiment.Arm{Name: name}
		for range 400 {
			x := r.ExpFloat64() * 20
			arm.Before = append(arm.Before, x)
			arm.Values = append(arm.Values, max(0, x+5*float64(i)+3*r.NormFloat64()))
		}
		arms = append(arms, arm)
	}
	before := append([]float64(nil), arms[1].Values...)
	v, err := experiment.AnalyzeValues(context.Background(), arms, &experiment.Options{Currency: "USD", Sequential: 1000, Resamples: 500, Shares: []float64{1, 1, 4}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		if before[i] != arms[1].Values[i] {
			t.Fatal("the arms were changed")
		}
	}
	if len(v.Warnings) != 1 || !strings.Contains(v.String(), "warning: sample ratio") || !v.Mismatch.Suspect {
		t.Errorf("warnings %v", v.Warnings)
	}
	for i, u := range v.Uplifts {
		if truth := 5 * float64(i+1); u.Effect.Low > truth || u.Effect.High < truth || !u.Significant || u.PAdjusted < u.Effect.P {
			t.Errorf("%s: %v adjusted %v, want about %v", u.Arm, u.Effect, u.PAdjusted, truth)
		}
		if u.Sequential.High-u.Sequential.Low <= u.Effect.High-u.Effect.Low {
			t.Errorf("%s: a confidence sequence that is no wider: %v", u.Arm, u.Sequential)
		}
		want, err := money.FromFloat(u.Effect.Estimate*400, "USD", money.HalfEven)
		if err != nil || !u.Worth.Total.Equal(want) || u.Worth.Population != 400 {
			t.Errorf("%s: total %s, want %s", u.Arm, u.Worth.Total, want)
		}
	}
	strict, err := experiment.AnalyzeValues(context.Background(), arms, &experiment.Options{Currency: "USD", Correction: experiment.PlainBonferroni})
	if err != nil || math.Abs(strict.Uplifts[0].Effect.Level-0.975) > 1e-15 {
		t.Errorf("level of simultaneous intervals: %v, %v", strict.Uplifts[0].Effect.Level, err)
	}
	rates, err := experiment.AnalyzeRates(context.Background(), []experiment.RateArm{{Name: "control", Rate: experiment.Rate{Customers: 900}}, {Name: "a", Rate: experiment.Rate{Conversions: 9, Customers: 950}}},
		&experiment.Options{Value: usd("100"), Population: 1000, Sequential: 2000})
	if err != nil || rates.Uplifts[0].Relative != nil || !rates.Uplifts[0].Worth.Total.Equal(usd("947.37")) {
		t.Errorf("%v: %v", rates, err)
	}
	var b bytes.Buffer
	if err := v.WriteCSV(&b); err != nil || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("%s: %v", b.String(), err)
	}
	b.Reset()
	if err := rates.WriteCSV(&b); err != nil || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("%s: %v", b.String(), err)
	}
	for _, x := range []any{v, rates} {
		text, err := json.Marshal(x)
		if err != nil || strings.Contains(string(text), "NaN") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Intervals hold as often as they say: Welch once, the sequence at all looks together.
func TestCoverage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	const runs, customers = 600, 400
	fixed, always, peeked := 0, 0, 0
	for range runs {
		c, s := make([]float64, 0, customers), make([]float64, 0, customers)
		held, fooled := true, false
		for n := 1; n <= customers; n++ {
			c, s = append(c, r.ExpFloat64()), append(s, r.ExpFloat64())
			if n < 50 || n%10 != 0 {
				continue
			}
			x, y := sample(t, c), sample(t, s)
			e, err := experiment.Sequential(x, y, 2*customers, 0)
			if err != nil {
				t.Fatal(err)
			}
			held = held && e.Low <= 0 && e.High >= 0
			w, err := experiment.Welch(x, y, 0)
			if err != nil {
				t.Fatal(err)
			}
			fooled = fooled || w.Significant()
			if n == customers && !w.Significant() {
				fixed++
			}
		}
		if held {
			always++
		}
		if fooled {
			peeked++
		}
	}
	if share := float64(fixed) / runs; math.Abs(share-0.95) > 4*math.Sqrt(.05*.95/runs) {
		t.Errorf("Welch holds in %.3f of the runs", share)
	}
	if share := float64(always) / runs; share < 0.95-4*math.Sqrt(.05*.95/runs) {
		t.Errorf("the sequence holds at all looks in %.3f of the runs", share)
	}
	if share := float64(peeked) / runs; share < 0.1 {
		t.Errorf("peeking at Welch errs in %.3f of the runs only: the test shows nothing", share)
	}
}

// Nothing that takes a slice changes it.
func TestArgumentsAreKept(t *testing.T) {
	ctx := context.Background()
	x, y, p := append([]float64(nil), rawX...), append([]float64(nil), rawY...), []float64{.5, .01, .2}
	o := append([]int(nil), 50, 60)
	for name, call := range map[string]func() error{
		"SampleOf": func() error { _, err := experiment.SampleOf(x); return err },
		"RatioOf":  func() error { _, err := experiment.RatioOf(x, y); return err },
		"CUPED": func() error {
			_, err := experiment.CUPED(experiment.Paired{Values: x, Before: y}, experiment.Paired{Values: y, Before: x}, 0)
			return err
		},
		"Winsorize": func() error { _, _, err := experiment.Winsorize(.5, x, y); return err },
		"Bootstrap": func() error {
			_, err := experiment.Bootstrap(ctx, x, y, &experiment.BootstrapOptions{Statistic: experiment.MedianDifference, Resamples: 50})
			return err
		},
		"Holm":        func() error { _, err := experiment.Holm(p); return err },
		"FDR":         func() error { _, err := experiment.FalseDiscovery(p); return err },
		"SampleRatio": func() error { _, err := experiment.SampleRatio(o, p[:2]); return err },
	} {
		if err := call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !slices.Equal(x, rawX) || !slices.Equal(y, rawY) || !slices.Equal(p, []float64{.5, .01, .2}) || !slices.Equal(o, []int{50, 60}) {
			t.Fatalf("%s changed an argument", name)
		}
	}
}

// The order of customers within an arm has no effect beyond rounding, and that of treatments none.
func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a := []experiment.Arm{{Name: "c", Values: rawX, Before: preX}, {Name: "t", Values: rawY, Before: preY}}
	first, err := experiment.AnalyzeValues(context.Background(), a, &experiment.Options{Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		mixed := experiment.Arm{Name: "t"}
		for _, i := range r.Perm(len(rawY)) {
			mixed.Values, mixed.Before = append(mixed.Values, rawY[i]), append(mixed.Before, preY[i])
		}
		v, err := experiment.AnalyzeValues(context.Background(), []experiment.Arm{a[0], mixed}, &experiment.Options{Currency: "USD"})
		if err != nil || math.Abs(v.Uplifts[0].Effect.P/first.Uplifts[0].Effect.P-1) > 1e-12 {
			t.Fatalf("%v, want %v: %v", v, first, err)
		}
	}
}

// Shifting the treatment by an effect shifts the answer by it, and swapping the arms turns its sign.
func TestEffectProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		x, y := make([]float64, 2+r.IntN(30)), make([]float64, 2+r.IntN(30))
		for i := range x {
			x[i] = r.NormFloat64() * 10
		}
		for i := range y {
			y[i] = r.NormFloat64()*3 + 1
		}
		a := must[experiment.Effect](t)(experiment.Welch(sample(t, x), sample(t, y), 0))
		b := must[experiment.Effect](t)(experiment.Welch(sample(t, y), sample(t, x), 0))
		if a.Estimate != -b.Estimate || a.P != b.P || a.Low != -b.High {
			t.Fatalf("%v and %v", a, b)
		}
		if (a.P < 0.05) != (a.Low > 0 || a.High < 0) {
			t.Fatalf("%v: p-value and interval disagree", a)
		}
		for i := range y {
			y[i] += 1000
		}
		c := must[experiment.Effect](t)(experiment.Welch(sample(t, x), sample(t, y), 0))
		if math.Abs(c.Estimate-a.Estimate-1000) > 1e-9 || math.Abs(c.StdErr/a.StdErr-1) > 1e-9 {
			t.Fatalf("%v and %v", a, c)
		}
		n1, n2 := 1+r.IntN(200), 1+r.IntN(200)
		p, q := experiment.Rate{Conversions: r.IntN(n1 + 1), Customers: n1}, experiment.Rate{Conversions: r.IntN(n2 + 1), Customers: n2}
		e := must[experiment.Effect](t)(experiment.Newcombe(p, q, 0))
		f := must[experiment.Effect](t)(experiment.Newcombe(q, p, 0))
		if e.Low < -1 || e.High > 1 || e.Low > e.Estimate || e.High < e.Estimate || math.Abs(e.Low+f.High) > 1e-15 || e.P < 0 || e.P > 1 {
			t.Fatalf("%v and %v", e, f)
		}
	}
}
