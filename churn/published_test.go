package churn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/custval/custval/fit"
)

// TestProjectionTables has the rest of the projections, by R from its fits (see TestFitPublished).
func TestProjectionTables(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name  string
		curve Curve
		want  []float64
		del   float64 // at 10 %
		derl  float64 // likewise, after four renewals; 0 if not known
	}{
		{"regular, BG 7", must(FitSBG(ctx, seen(regular, 7), nil)).Model,
			[]float64{.62670605, .47381932, .38797395, .33206790, .29234709, .26245581, .23902361, .22008496, .20441078, .19119018, .17986498, .17003745}, 3.694908366, 0},
		{"regular, BG 4", must(FitSBG(ctx, seen(regular, 4), nil)).Model,
			[]float64{.62919796, .47214706, .38332759, .32546927, .28445109, .25368042, .22964332, .21028567, .19432186, .18090382, .16944812, .15953950}, 3.62114775, 5.6838102},
		{"high end, BG 4", must(FitSBG(ctx, seen(highEnd, 4), nil)).Model,
			[]float64{.85878894, .74955957, .66283418, .59249621, .53443235, .48578068, .44449220, .40906371, .37836898, .35154854, .32793590, .30700667}, 5.46380935, 5.87382271},
		{"regular, BdW 4", must(FitBdW(ctx, seen(regular, 4), nil)).Model,
			[]float64{.63097093, .46841308, .38121380, .32604533, .28753945, .25888583, .23658514, .21864429, .20383906, .19137293, .18070350, .17144763}, 3.69162946, 6.03509727},
		{"high end, BdW 4", must(FitBdW(ctx, seen(highEnd, 4), nil)).Model, nil, 5.99429015, 7.3175404},
	} {
		for i, want := range c.want {
			near(t, fmt.Sprintf("%s: S(%d)", c.name, i+1), c.curve.Survival(float64(i+1)), want, 3e-7)
		}
		near(t, c.name+": DEL", c.curve.DEL(0.1), c.del, 2e-7)
		if c.derl != 0 {
			near(t, c.name+": DERL", c.curve.DERL(4, 0.1), c.derl, 2e-7)
		}
	}
}

func TestLikelihoodsPublished(t *testing.T) {
	// Of the high-end customers at (1, 1) and (.01, .01), and of constant churn for the regular ones.
	c := seen(highEnd, 7)[0]
	near(t, "(1, 1)", SBG{1, 1}.LogLikelihood(c), -2115.5455, 1e-8)
	near(t, "(.01, .01)", SBG{.01, .01}.LogLikelihood(c), -2741.7009, 2e-8)
	four := seen(regular, 4)[0]
	near(t, "geometric .2", Geometric{.2}.LogLikelihood(four), -1487.98, 4e-6)
	near(t, "geometric .5", Geometric{.5}.LogLikelihood(four), -1719.70, 4e-6)
	for _, d := range []struct {
		data         []int
		statistic, p float64
	}{{regular, .35274, .5526}, {highEnd, 4.771178, .028940}} {
		s, b := must(FitSBG(context.Background(), seen(d.data, 4), nil)), must(FitBdW(context.Background(), seen(d.data, 4), nil))
		lr := must(fit.Test(s.Summary(), b.Summary()))
		near(t, "statistic", lr.Statistic, d.statistic, 2e-5)
		near(t, "p", lr.P, d.p, 1e-4)
	}
}

func TestSBGFromRates(t *testing.T) {
	// The regular customers' first four retention rates: .75976212 and 1.28627926, squares 1.1644765e-4, by R; a published
	// spreadsheet has 1.1645e-4.
	var rates []float64
	for k := 1; k <= 4; k++ {
		rates = append(rates, float64(regular[k])/float64(regular[k-1]))
	}
	m, squares, err := SBGFromRates(context.Background(), rates, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "alpha", m.Alpha, .75976212, 1e-6)
	near(t, "beta", m.Beta, 1.28627926, 1e-6)
	near(t, "squares", squares, 1.1644765e-4, 1e-7)
	// Rates of an SBG give it back.
	rates = nil
	for k := 1; k <= 6; k++ {
		rates = append(rates, SBG{0.4, 7}.Retention(k))
	}
	m, squares, err = SBGFromRates(context.Background(), rates, nil)
	if err != nil || !(squares < 1e-18) {
		t.Fatalf("%v with squares %v, %v", m, squares, err)
	}
	near(t, "alpha", m.Alpha, 0.4, 1e-6)
	near(t, "beta", m.Beta, 7, 1e-6)
	if _, _, err := SBGFromRates(context.Background(), []float64{.9, .8, .7}, nil); !errors.Is(err, fit.ErrDiverged) && !errors.Is(err, fit.ErrNotConverged) {
		t.Errorf("falling rates: %v", err)
	}
	if _, _, err := SBGFromRates(context.Background(), []float64{.9, math.NaN()}, nil); err == nil || err.Error() != `churn: row 2: field "rate": value "NaN": want a number between 0 and 1` {
		t.Errorf("NaN: %v", err)
	}
}
