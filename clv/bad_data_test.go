package clv_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/money"
)

// A fitter is one of the fits of histories, with what it made reduced to what the table needs.
type fitter struct {
	name  string
	spend bool // whether it reads X and Spend alone
	fit   func(ctx context.Context, hs *clv.Histories) (*fit.Summary, error)
}

func anyFit[M interface{ Kind() string }](f func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[M], error)) func(context.Context, *clv.Histories) (*fit.Summary, error) {
	return func(ctx context.Context, hs *clv.Histories) (*fit.Summary, error) {
		e, err := f(ctx, hs, nil)
		if e == nil {
			return nil, err
		}
		return &fit.Summary{Kind: e.Model.Kind(), Params: e.Params, LogLik: e.LogLik, Customers: e.Customers, Warnings: e.Warnings}, err
	}
}

func fitters() []fitter {
	type hs = *clv.Histories
	return []fitter{
		{"nbd", false, anyFit(clv.FitNBD)}, {"paretonbd", false, anyFit(clv.FitParetoNBD)},
		{"correlatedparetonbd", false, anyFit(clv.FitCorrelatedParetoNBD)}, {"ggompertznbd", false, anyFit(clv.FitGGompertzNBD)},
		{"bgnbd", false, anyFit(clv.FitBGNBD)}, {"mbgnbd", false, anyFit(clv.FitMBGNBD)},
		{"bgcnbd", false, anyFit(func(ctx context.Context, data hs, o *fit.Options) (*fit.Estimate[clv.BGCNBD], error) {
			return clv.FitBGCNBD(ctx, data, 2, o)
		})},
		{"mbgcnbd", false, anyFit(func(ctx context.Context, data hs, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
			return clv.FitMBGCNBD(ctx, data, 2, o)
		})},
		{"pdo", false, anyFit(func(ctx context.Context, data hs, o *fit.Options) (*fit.Estimate[clv.PDO], error) {
			return clv.FitPDO(ctx, data, 2, o)
		})},
		{"gammagamma", true, anyFit(clv.FitGammaGamma)}, {"normalnormal", true, anyFit(clv.FitNormalNormal)},
		{"FitMAP", false, anyFit(func(ctx context.Context, data hs, o *fit.Options) (*fit.Estimate[clv.ParetoNBD], error) {
			return clv.FitMAP(ctx, clv.ParetoNBD{}, data, nil, o)
		})},
		{"FitPenalized", false, anyFit(func(ctx context.Context, data hs, o *fit.Options) (*fit.Estimate[clv.BGNBD], error) {
			return clv.FitPenalized(ctx, clv.BGNBD{}, data, 1, o)
		})},
	}
}

// fewGood is a few good histories with spends.
func fewGood() *clv.Histories {
	usd := func(s string) money.Amount { return money.MustParse(s, "USD") }
	return &clv.Histories{Unit: clv.Week, Rows: []clv.History{
		{Customer: "a", X: 1, TX: 5, T: 10, LogGaps: 1.6, Spend: usd("20")}, {Customer: "b", X: 3, TX: 8, T: 10, LogGaps: 2.5, Spend: usd("90")},
		{Customer: "c", T: 10, Spend: usd("0")}, {Customer: "d", X: 1, TX: 2, T: 9, LogGaps: 0.69, Spend: usd("35")},
		{Customer: "e", T: 7, Spend: usd("0")}, {Customer: "f", X: 6, TX: 11, T: 12, LogGaps: 3.2, Spend: usd("240")},
	}}
}

// Every fit tells the row, the field and the value of a bad history by the same words.
func TestBadHistoriesInEveryFit(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *clv.History)
		want   string
	}{
		{"recency after the end", func(h *clv.History) { h.TX = 11 }, `row 2: field "TX": value "11": greater than T`},
		{"purchases at no time", func(h *clv.History) { h.TX = 0 }, `row 2: field "TX": value "0": 0 though X is not: repeat purchases need a later time than the first`},
		{"recency without a purchase", func(h *clv.History) { h.X = 0 }, `row 2: field "TX": value "8": not 0 though X is 0`},
		{"recency NaN", func(h *clv.History) { h.TX = math.NaN() }, `row 2: field "TX": value "NaN": not a finite number`},
		{"negative recency", func(h *clv.History) { h.TX = -2 }, `row 2: field "TX": value "-2": negative`},
		{"endless", func(h *clv.History) { h.T = math.Inf(1) }, `row 2: field "T": value "+Inf": not a finite number`},
		{"end NaN", func(h *clv.History) { h.T = math.NaN() }, `row 2: field "T": value "NaN": not a finite number`},
		{"negative end", func(h *clv.History) { h.T = -1 }, `row 2: field "T": value "-1": negative`},
		{"negative purchases", func(h *clv.History) { h.X = -1 }, `row 2: field "X": value "-1": negative`},
		{"negative weight", func(h *clv.History) { h.Count = -1 }, `row 2: field "Count": value "-1": negative`},
	} {
		for _, f := range fitters() {
			hs := fewGood()
			c.change(&hs.Rows[1])
			s, err := f.fit(context.Background(), hs)
			if want := "clv: " + c.want; err == nil || err.Error() != want || s != nil {
				t.Errorf("%s, %s: %v with %v, want %s", c.name, f.name, err, s, want)
			}
		}
	}
	// Counts of purchases are whole by their type: a fractional one has no way in.
}

// Data that identify a model in part or not at all end in an error or in an estimate with a warning, and never in a
// parameter that is not a number, nor in an infinite likelihood.
func TestPoorDataInEveryFit(t *testing.T) {
	good := fewGood()
	silent := &clv.Histories{Unit: clv.Week, Rows: []clv.History{{T: 10}, {T: 20}, {T: 5}}}
	equal := &clv.Histories{Unit: clv.Week}
	for i := range 30 {
		equal.Rows = append(equal.Rows, clv.History{Customer: fmt.Sprint(i), X: 2, TX: 8, T: 12, LogGaps: 2.7, Spend: money.MustParse("60", "USD")})
	}
	at := &clv.Histories{Unit: clv.Week}
	for i := range 30 {
		at.Rows = append(at.Rows, clv.History{Customer: fmt.Sprint(i), X: 1 + i%3, TX: 12, T: 12, LogGaps: float64(1+i%3) * math.Log(12/float64(1+i%3)),
			Spend: money.MustParse(fmt.Sprint(20+i), "USD")})
	}
	heavy := fewGood()
	heavy.Rows[1] = clv.History{Customer: "b", X: 5000, TX: 8, T: 10, LogGaps: 5000 * -6.6, Spend: money.MustParse("150000", "USD")}
	for _, c := range []struct {
		name  string
		data  *clv.Histories
		fails bool // of every model of purchases, without an estimate
	}{
		{"nil", nil, true}, {"empty", &clv.Histories{Unit: clv.Week}, true}, {"no unit", &clv.Histories{Rows: good.Rows}, true},
		{"no repeat purchase", silent, false}, {"no time", &clv.Histories{Unit: clv.Week, Rows: []clv.History{{}, {}}}, true},
		{"one customer", &clv.Histories{Unit: clv.Week, Rows: good.Rows[1:2]}, false},
		{"one silent customer", &clv.Histories{Unit: clv.Week, Rows: silent.Rows[:1]}, false},
		{"all alike", equal, false}, {"all bought at the end", at, false}, {"one with 5000 purchases", heavy, false},
		{"tiny times", scaled(good, 1e-9), false}, {"huge times", scaled(good, 1e9), false},
	} {
		for _, f := range fitters() {
			s, err := f.fit(context.Background(), c.data)
			prior := strings.HasPrefix(f.name, "Fit")
			if (c.fails || (c.data == silent && !prior)) && (err == nil || s != nil) {
				t.Errorf("%s, %s: %v, %v, want an error alone", c.name, f.name, s, err)
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "clv: ") || len(err.Error()) < 15) {
				t.Errorf("%s, %s: %v: want an error that says what is wrong", c.name, f.name, err)
			}
			if s == nil {
				if err == nil {
					t.Errorf("%s, %s: neither an estimate nor an error", c.name, f.name)
				}
				continue
			}
			if math.IsNaN(s.LogLik) || math.IsInf(s.LogLik, 0) {
				t.Errorf("%s, %s: log-likelihood %v, %v", c.name, f.name, s.LogLik, err)
			}
			certain := err == nil && len(s.Warnings) == 0
			for _, p := range s.Params {
				if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
					t.Errorf("%s, %s: %s = %v, %v", c.name, f.name, p.Name, p.Value, err)
				}
				if certain && math.IsNaN(p.StdErr) {
					t.Errorf("%s, %s: %s has no standard error, and no word says why", c.name, f.name, p.Name)
				}
			}
			if one := c.data != nil && c.data.Customers() == 1; one && certain {
				t.Errorf("%s, %s: fitted without a word: %v", c.name, f.name, s.Params)
			}
		}
	}
}

// scaled returns the histories with longer times.
func scaled(hs *clv.Histories, by float64) *clv.Histories {
	out := &clv.Histories{Unit: hs.Unit}
	for _, h := range hs.Rows {
		h.TX, h.T, h.LogGaps = by*h.TX, by*h.T, h.LogGaps+float64(h.X)*math.Log(by)
		out.Rows = append(out.Rows, h)
	}
	return out
}

// A context that has ended ends every fit with its error.
func TestCanceledInEveryFit(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, f := range fitters() {
		if s, err := f.fit(ctx, fewGood()); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, %v, want the context's error", f.name, s, err)
		}
	}
	if _, err := clv.FitBGBB(ctx, discrete(donors, 50, 1), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("bgbb: %v, want the context's error", err)
	}
}

// The same for discrete opportunities.
func TestBadDiscreteHistories(t *testing.T) {
	good := []clv.DiscreteHistory{{X: 2, TX: 4, N: 6}, {X: 0, N: 6}, {X: 5, TX: 6, N: 6}, {X: 1, TX: 1, N: 6}}
	for _, c := range []struct {
		h    clv.DiscreteHistory
		want string
	}{
		{clv.DiscreteHistory{X: 2, TX: 7, N: 6}, `clv: row 2: field "TX": value "7": greater than N`},
		{clv.DiscreteHistory{X: 3, TX: 2, N: 6}, `clv: row 2: field "X": value "3": greater than TX: at most one purchase an opportunity`},
		{clv.DiscreteHistory{X: 0, TX: 2, N: 6}, `clv: row 2: field "TX": value "2": not 0 though X is 0`},
		{clv.DiscreteHistory{X: 2, TX: 0, N: 6}, `clv: row 2: field "X": value "2": greater than TX: at most one purchase an opportunity`},
		{clv.DiscreteHistory{X: -1, N: 6}, `clv: row 2: field "X": value "-1": negative`},
		{clv.DiscreteHistory{TX: -1, N: 6}, `clv: row 2: field "TX": value "-1": negative`},
		{clv.DiscreteHistory{N: -6}, `clv: row 2: field "N": value "-6": negative`},
		{clv.DiscreteHistory{X: 1, TX: 1, N: 6, Count: -2}, `clv: row 2: field "Count": value "-2": negative`},
	} {
		data := append([]clv.DiscreteHistory(nil), good...)
		data[1] = c.h
		if e, err := clv.FitBGBB(context.Background(), data, nil); err == nil || err.Error() != c.want || e != nil {
			t.Errorf("%+v: %v, want %s", c.h, err, c.want)
		}
		if _, err := clv.FitMAP(context.Background(), clv.BGBB{}, data, nil, nil); err == nil || err.Error() != c.want {
			t.Errorf("%+v with a prior: %v, want %s", c.h, err, c.want)
		}
	}
	for name, data := range map[string][]clv.DiscreteHistory{"nil": nil, "nobody bought": {{N: 6}, {N: 4}}, "no opportunity": {{}, {}}} {
		if e, err := clv.FitBGBB(context.Background(), data, nil); err == nil || e != nil {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
	for name, data := range map[string][]clv.DiscreteHistory{"one customer": good[:1], "one who always buys": {{X: 6, TX: 6, N: 6}}, "all alike": {{X: 2, TX: 4, N: 6, Count: 80}}} {
		e, err := clv.FitBGBB(context.Background(), data, nil)
		if err == nil && len(e.Warnings) == 0 {
			t.Errorf("%s: fitted without a word: %v", name, e)
		}
		if e == nil {
			continue
		}
		for _, p := range e.Params {
			if math.IsNaN(p.Value) {
				t.Errorf("%s: %s is not a number", name, p.Name)
			}
		}
	}
}
