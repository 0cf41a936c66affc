package clv_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
)

// Points at which other packages return NaN or a wrong number, by the generators of testdata with 30 digits. Each name is
// a row of the table in docs/MODELS.md.
func TestPointsWhereOthersFail(t *testing.T) {
	cdnow := clv.ParetoNBD{R: .5533971, Alpha: 10.5801985, S: .6060625, Beta: 11.6562237}
	pareto := func(alpha, beta float64) clv.ParetoNBD { return clv.ParetoNBD{R: .55, Alpha: alpha, S: .6, Beta: beta} }
	grown := clv.GGompertzNBD{R: .55, Alpha: 10.6, B: .05, S: .6, Beta: 2}
	sudden := clv.GGompertzNBD{R: .55, Alpha: 10.6, B: 30, S: .6, Beta: 2}
	bb := func(gamma float64) clv.BGBB { return clv.BGBB{Alpha: 1.2, Beta: .75, Gamma: gamma, Delta: 2.78} }
	h := func(x int, tx, end float64) clv.History { return clv.History{X: x, TX: tx, T: end} }
	d := func(x, tx, n int) clv.DiscreteHistory { return clv.DiscreteHistory{X: x, TX: tx, N: n} }
	alike := clv.BGBB{Alpha: 1000, Beta: 1000, Gamma: 1000, Delta: 1000}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Pareto/NBD with x above 200: ln L", cdnow.LogLikelihood(h(200, 38.5, 39)), 77.9469493349351},
		{"Pareto/NBD with x above 200: P(alive)", cdnow.ProbAlive(h(200, 38.5, 39)), .980679896768183},
		{"Pareto/NBD with x in the thousands: ln L", cdnow.LogLikelihood(h(5000, 38.5, 39)), 18108.8137241691},
		{"Pareto/NBD with x in the thousands: P(alive)", cdnow.ProbAlive(h(5000, 38.5, 39)), 8.15020567445112e-19},
		{"alpha far above beta: ln L", pareto(1e4, 1e-3).LogLikelihood(h(3, 20, 39)), -32.8091426062991},
		{"alpha far above beta: P(alive)", pareto(1e4, 1e-3).ProbAlive(h(3, 20, 39)), .668986878928401},
		{"beta far above alpha: ln L", pareto(10.5, 1e4).LogLikelihood(h(100, 38, 39)), -29.8664532092096},
		{"beta far above alpha: P(alive)", pareto(10.5, 1e4).ProbAlive(h(100, 38, 39)), .999803072591209},
		{"alpha near 0: ln L", pareto(1e-3, 1e4).LogLikelihood(h(60, 30, 39)), -33.8476102001672},
		{"alpha near 0: P(alive)", pareto(1e-3, 1e4).ProbAlive(h(60, 30, 39)), .004166931945827},
		{"Pareto/NBD PMF at 165", cdnow.PMF(165, 39), 7.09531015598604e-20},
		{"Pareto/NBD PMF at 300", cdnow.PMF(300, 39), 4.56792913945442e-34},
		{"Pareto/NBD PMF at 1000", cdnow.PMF(1000, 39), 2.84162898445262e-107},
		{"GGompertz/NBD with x = 500: ln L", grown.LogLikelihood(h(500, 30.9, 31)), 742.626730020211},
		{"GGompertz/NBD with x = 500: P(alive)", grown.ProbAlive(h(500, 30.9, 31)), .995221306290901},
		{"GGompertz/NBD silent after 5,000 purchases: ln L", grown.LogLikelihood(h(5000, 20, 31)), 20471.9595478017},
		{"GGompertz/NBD with B T beyond 709: ln L", sudden.LogLikelihood(h(2, 20, 39)), -367.173384731348},
		{"GGompertz/NBD with B T beyond 709: P(alive)", sudden.ProbAlive(h(2, 20, 39)), 8.67762603998386e-150},
		{"BG/BB over 104 opportunities: ln L", bb(.66).LogLikelihood(d(3, 90, 104)), -19.8866264821354},
		{"BG/BB over 104 opportunities: expected", bb(.66).ExpectedPurchases(d(3, 90, 104), 5), .171048389893259},
		{"BG/BB over 5,000 opportunities: expected", bb(.66).ExpectedPurchases(d(3000, 4990, 5000), 5), .956781398687732},
		{"BG/BB at gamma = 1: expected", bb(1).ExpectedPurchases(d(3, 5, 6), 5), 1.50802053518329},
		{"BG/BB at gamma = 500: expected", bb(500).ExpectedPurchases(d(3, 5, 6), 5), 5.68810925560e-5},
		{"BG/BB at (1000,1000,1000,1000): expected", alike.ExpectedPurchases(d(3, 5, 6), 5), .162944295916848},
		{"CNBD-k at once: P(X(0) = 0)", clv.BGCNBD{K: 2, R: .5, Alpha: 2, A: .3, B: .6}.PMF(0, 0), 1},
		{"BG/NBD at b = 1, x = 0: P(alive)", clv.BGNBD{R: 1, Alpha: 1, A: 1, B: 1}.ProbAlive(h(0, 0, 3)), 1},
	} {
		if !golden.Close(c.got, c.want, 1e-11) {
			t.Errorf("%s = %.15g, want %.15g", c.name, c.got, c.want)
		}
	}
}

// What has no answer has none: negative times and counts, a recency after the end, purchases of a customer who is not
// described by the model. Other packages return numbers that look right.
func TestNoAnswerWhereOthersGuess(t *testing.T) {
	pareto := clv.ParetoNBD{R: .55, Alpha: 10.6, S: .6, Beta: 11.7}
	mbg := clv.MBGNBD{R: .5, Alpha: 6, A: .9, B: 1.6}
	bb := clv.BGBB{Alpha: 1.2, Beta: .75, Gamma: .66, Delta: 2.78}
	for name, v := range map[string]float64{
		"P(alive) after the end":             pareto.ProbAlive(clv.History{X: 2, TX: 40, T: 39}),
		"P(X = -1)":                          mbg.PMF(-1, 10),
		"purchases in a negative time":       mbg.ExpectedPurchases(clv.History{X: 2, TX: 30, T: 39}, -1),
		"purchases after -1 of them":         mbg.ExpectedPurchases(clv.History{X: -1, TX: 30, T: 39}, 1),
		"two purchases in no time":           mbg.ProbAlive(clv.History{X: 2}),
		"ln L of a recency after N":          bb.LogLikelihood(clv.DiscreteHistory{X: 2, TX: 7, N: 6}),
		"ln L of a recency without purchase": bb.LogLikelihood(clv.DiscreteHistory{TX: 2, N: 6}),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s: %v, want NaN", name, v)
		}
	}
}

// Customers that make other packages' fits of Pareto/NBD fail, return the start as the estimate or stop at a wall of NaN.
func TestFitsWhereOthersFail(t *testing.T) {
	ctx := context.Background()
	base := modeltest.Draw(clv.ParetoNBD{R: 0.8, Alpha: 10, S: 0.6, Beta: 12}, 1000, 1)
	with := func(rows ...clv.History) *clv.Histories {
		return &clv.Histories{Unit: base.Unit, Rows: append(append([]clv.History(nil), base.Rows...), rows...)}
	}
	var heavy, returning []clv.History
	for i := range 40 {
		heavy = append(heavy, clv.History{X: 500 + 10*i, TX: 38, T: 39})
	}
	for _, h := range base.Rows {
		if h.X > 0 {
			returning = append(returning, h)
		}
	}
	for name, hs := range map[string]*clv.Histories{
		"one customer with 5,000 purchases": with(clv.History{X: 5000, TX: 38, T: 39}), "40 customers with more than 500": with(heavy...),
		"no customer without a repeat purchase": {Unit: clv.Week, Rows: returning},
	} {
		e, err := clv.FitParetoNBD(ctx, hs, nil)
		if err != nil && !errors.Is(err, fit.ErrDiverged) {
			t.Errorf("%s: %v", name, err)
		}
		if e == nil || math.IsNaN(e.LogLik) {
			t.Errorf("%s: %v", name, e)
			continue
		}
		sum := logLik(e.Model, hs)
		for _, f := range []float64{0.98, 1.02} {
			m := e.Model
			for _, o := range []clv.ParetoNBD{{R: m.R * f, Alpha: m.Alpha, S: m.S, Beta: m.Beta}, {R: m.R, Alpha: m.Alpha * f, S: m.S, Beta: m.Beta},
				{R: m.R, Alpha: m.Alpha, S: m.S * f, Beta: m.Beta}, {R: m.R, Alpha: m.Alpha, S: m.S, Beta: m.Beta * f}} {
				if l := logLik(o, hs); l > sum+1e-7*math.Abs(sum) {
					t.Errorf("%s: ln L is %v at %+v, %v at the estimate %+v", name, l, o, sum, m)
				}
			}
		}
	}
	if _, err := clv.FitParetoNBD(ctx, &clv.Histories{Unit: clv.Week, Rows: []clv.History{{T: 10}, {T: 20}}}, nil); err == nil {
		t.Error("customers without a repeat purchase were fitted")
	}
	// A strict tolerance at the maximum is no error.
	if _, err := clv.FitBGNBD(ctx, modeltest.Draw(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 1000, 1), &fit.Options{GradTol: 1e-12}); err != nil {
		t.Errorf("a strict tolerance: %v", err)
	}
}
