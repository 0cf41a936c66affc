package clv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/modeltest"
)

var dynamicTerms = clv.Terms{{Name: "mail"}, {Name: "season", Levels: []string{"none", "summer", "winter"}}}

func dynamicModel(base clv.ParetoNBD, buy, leave []float64) clv.DynamicParetoNBD {
	return clv.DynamicParetoNBD{Base: base, Terms: dynamicTerms,
		Effects: []clv.Effect{{Param: "Alpha", Coefficients: buy}, {Param: "Beta", Coefficients: leave}}}
}

// weekly returns a path of random rows that change every step until end, 0 for one that goes on for ever.
func weekly(r *rand.Rand, pieces int, step, end float64) clv.Path {
	p := clv.Path{End: end}
	for k := range pieces {
		row := []float64{r.NormFloat64(), 0, 0}
		if season := r.IntN(3); season > 0 {
			row[season] = 1
		}
		p.Starts, p.Rows = append(p.Starts, float64(k)*step), append(p.Rows, row)
	}
	return p
}

// answers are all numbers that a model gives of a history.
func answers(m clv.Forecaster, h clv.History, t float64) map[string]float64 {
	return map[string]float64{
		"LogLikelihood":        m.LogLikelihood(h),
		"ProbAlive":            m.ProbAlive(h),
		"ExpectedPurchases":    m.ExpectedPurchases(h, t),
		"NewCustomerPurchases": m.NewCustomerPurchases(t),
		"PMF(0)":               m.PMF(0, t),
		"PMF(3)":               m.PMF(3, t),
		"DERT":                 m.DERT(h, 0.003),
		"DiscountedPurchases":  clv.DiscountedPurchases(m, h, t, 0.01),
		"ProbAliveAt":          m.ProbAliveAt(h, t),
		"ConditionalPMF":       m.ConditionalPMF(h, 2, t),
		"ProbAnyPurchase":      m.ProbAnyPurchase(h, t),
		"IntervalPMF(0)":       m.IntervalPMF(0, t/2, t),
		"IntervalPMF(2)":       m.IntervalPMF(2, t/2, t),
		"NextPurchaseQuantile": m.NextPurchaseQuantile(h, 0.5*m.ProbAnyPurchase(h, t)),
	}
}

func same(t *testing.T, what string, want, got map[string]float64, tolerance float64) {
	t.Helper()
	for name, w := range want {
		g := got[name]
		if name == "LogLikelihood" && math.Abs(g-w) <= tolerance*max(1, math.Abs(w)) {
			continue
		}
		if !golden.Close(g, w, tolerance) {
			t.Errorf("%s: %s = %.15g, want %.15g (%.2g)", what, name, g, w, g/w-1)
		}
	}
}

var dynamicBases = []clv.ParetoNBD{
	{R: 0.553, Alpha: 10.58, S: 0.606, Beta: 11.67}, {R: 0.55, Alpha: 10.6, S: 1, Beta: 11.7}, {R: 1.2, Alpha: 1000, S: 0.6, Beta: 0.01},
	{R: 1.2, Alpha: 0.01, S: 0.6, Beta: 1e5}, {R: 40, Alpha: 200, S: 15, Beta: 100},
}

// Coefficients of zero give the plain model, whatever the path; a path that never changes gives the model with static
// covariates.
func TestDynamicReducesToTheStaticModels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, base := range dynamicBases {
		none := dynamicModel(base, make([]float64, 3), make([]float64, 3))
		buy, leave := []float64{0.3, -0.5, 0.8}, []float64{-0.7, 0.4, 0.1}
		static := clv.CovParetoNBD(dynamicModel(base, buy, leave))
		for _, h := range modeltest.Points() {
			p := weekly(r, 90, 7.3, 0)
			p.Purchases = []float64{1, 2, 3}
			what := fmt.Sprintf("%+v %+v", base, h)
			same(t, what, answers(base, h, 26), answers(none.Along(p), h, 26), 1e-10)

			row := p.Rows[0]
			still := clv.ConstantPath(row)
			for _, v := range row {
				still.Purchases = append(still.Purchases, float64(h.X)*v)
			}
			same(t, what+" constant", answers(static.For(row), h, 26), answers(dynamicModel(base, buy, leave).Along(still), h, 26), 1e-10)
		}
	}
}

// A piece that is split in two changes nothing.
func TestDynamicSplitPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, base := range dynamicBases {
		m := dynamicModel(base, []float64{0.3, -0.5, 0.8}, []float64{-0.7, 0.4, 0.1})
		for _, h := range modeltest.Points() {
			p := weekly(r, 12, 52, 0)
			p.Purchases = []float64{1, 2, 3}
			q := clv.Path{Purchases: p.Purchases}
			for k, start := range p.Starts {
				q.Starts, q.Rows = append(q.Starts, start), append(q.Rows, p.Rows[k])
				for range r.IntN(4) {
					if at := q.Starts[len(q.Starts)-1] + 20*r.Float64(); k == 11 || at < p.Starts[k+1] {
						q.Starts, q.Rows = append(q.Starts, at), append(q.Rows, p.Rows[k])
					}
				}
			}
			same(t, fmt.Sprintf("%+v %+v", base, h), answers(m.Along(p), h, 26), answers(m.Along(q), h, 26), 1e-10)
		}
	}
}
