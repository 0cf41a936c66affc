package clv_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
)

// dynamicShop draws customers who come over the first half year and are observed until the end of week 78. Covariates: a
// season that is the same for all, week by week, and mailings, of one week in four, that differ.
func dynamicShop(t testing.TB, m clv.DynamicParetoNBD, n int, seed uint64) (*clv.Histories, *clv.DynamicDesign) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 9))
	hs := &clv.Histories{Unit: clv.Week}
	var paths []clv.Path
	for i := range n {
		born := float64(r.IntN(26*7)) / 7
		p := clv.Path{End: 78 + 26 - born}
		for week := math.Floor(born); week < 78+26; week++ {
			mail := 0.0
			if r.IntN(4) == 0 {
				mail = 1
			}
			season := math.Cos(2 * math.Pi * week / 52)
			p.Starts, p.Rows = append(p.Starts, max(0, week-born)), append(p.Rows, []float64{mail, season})
		}
		h := clv.History{Customer: fmt.Sprintf("c%06d", i), T: 78 - born}
		times := m.Along(p).RandTimes(r, h.T)
		if h.X = len(times); h.X > 0 {
			h.TX = times[h.X-1]
		}
		p, err := p.WithPurchases(times)
		if err != nil {
			t.Fatal(err)
		}
		hs.Rows, paths = append(hs.Rows, h), append(paths, p)
	}
	d, err := clv.NewDynamicDesign(hs, m.Terms, paths)
	if err != nil {
		t.Fatal(err)
	}
	return hs, d
}

var dynamicTruth = clv.DynamicParetoNBD{Base: clv.ParetoNBD{R: 0.9, Alpha: 10, S: 0.8, Beta: 20},
	Terms:   clv.Terms{{Name: "mail"}, {Name: "season"}},
	Effects: []clv.Effect{{Param: "Alpha", Coefficients: []float64{0.7, 0.4}}, {Param: "Beta", Coefficients: []float64{-0.8, 0.5}}}}

func dynamicRecovered(t *testing.T, e *fit.Estimate[clv.DynamicParetoNBD], err error) (within [8]bool) {
	t.Helper()
	if err != nil || e.Cov == nil {
		t.Fatal(err, e)
	}
	for i, want := range []float64{0.9, 10, 0.8, 20, 0.7, 0.4, -0.8, 0.5} {
		p := e.Params[i]
		if z := (p.Value - want) / p.StdErr; !(math.Abs(z) < 4) {
			t.Errorf("%s = %v with standard error %v, want %v", p.Name, p.Value, p.StdErr, want)
		}
	}
	return within
}

func TestDynamicRecovers(t *testing.T) {
	hs, d := dynamicShop(t, dynamicTruth, 3000, 1)
	e, err := clv.FitDynamicParetoNBD(context.Background(), hs, d, nil)
	t.Log(e)
	dynamicRecovered(t, e, err)
}
