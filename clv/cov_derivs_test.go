package clv

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/money"
)

// derivsShop draws customers of any model, some of them alike, with spends of both signs for the normal-normal.
func derivsShop(t *testing.T) (*Histories, []DiscreteHistory, *Design) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	hs := &Histories{Unit: Week}
	var ds []DiscreteHistory
	var age []float64
	var club []bool
	m, discrete := MBGCNBD{2, 0.9, 2, 0.7, 2}, BGBB{1.2, 0.8, 0.7, 2.8}
	for i := range 60 {
		h := m.Rand(r, 5+float64(r.IntN(30)))
		if h.X > 0 {
			h.Spend = money.MustParse(fmt.Sprintf("%.2f", 5+float64(h.X)*(20+10*r.NormFloat64())), "USD")
		}
		if h.X > 0 && h.Spend.Sign() <= 0 {
			h.Spend = money.MustParse("3", "USD")
		}
		h.Count = 1 + i%3
		g := discrete.Rand(r, 4+r.IntN(5))
		hs.Rows, ds = append(hs.Rows, h), append(ds, g)
		age, club = append(age, float64(r.IntN(12))), append(club, r.IntN(2) == 0)
	}
	hs.Rows, ds = append(hs.Rows, hs.Rows[:10]...), append(ds, ds[:10]...)
	age, club = append(age, age[:10]...), append(club, club[:10]...)
	d, err := NewDesign(Numeric("age", age), Indicator("club", club))
	if err != nil {
		t.Fatal(err)
	}
	return hs, ds, d
}

// The derivatives of each likelihood with covariates against differences, off the maximum, and its value against the sum
// over customers.
func TestCovDerivatives(t *testing.T) {
	ctx := context.Background()
	hs, ds, d := derivsShop(t)
	purchases := func(gaps bool, kernel func(rows []row) covKernel) covBuilder {
		return func(ctx context.Context, p patterns, workers int) covRows {
			return purchaseRows(ctx, hs, p, workers, gaps, kernel)
		}
	}
	of := func(h func(i int) float64) func(int) float64 {
		return func(i int) float64 { return h(i) * float64(hs.Rows[i].customers()) }
	}
	spends := func(build func(ctx context.Context, data *Histories, p patterns, workers int) covRows) covBuilder {
		return func(ctx context.Context, p patterns, workers int) covRows { return build(ctx, hs, p, workers) }
	}
	testCovDerivs(t, NBD{0.8, 4}, d, purchases(false, nbdKernel), func(m func(i int) NBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, ParetoNBD{0.8, 4, 0.6, 9}, d, purchases(false, plainKernel(sumParetoNBD)), func(m func(i int) ParetoNBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, GGompertzNBD{0.8, 4, 0.05, 0.6, 2}, d, purchases(false, plainKernel(sumGGompertz)), func(m func(i int) GGompertzNBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, BGNBD{0.8, 4, 0.7, 2}, d, purchases(false, cnbd{1, 0}.kernel), func(m func(i int) BGNBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, MBGNBD{0.8, 4, 0.7, 2}, d, purchases(false, cnbd{1, 1}.kernel), func(m func(i int) MBGNBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, BGCNBD{3, 0.8, 4, 0.7, 2}, d, purchases(true, cnbd{3, 0}.kernel), func(m func(i int) BGCNBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, MBGCNBD{2, 0.8, 4, 0.7, 2}, d, purchases(true, cnbd{2, 1}.kernel), func(m func(i int) MBGCNBD) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, PDO{0.8, 4, 0.7, 5, 3}, d, purchases(false, pdoKernel(3)), func(m func(i int) PDO) func(int) float64 {
		return of(func(i int) float64 { return m(i).LogLikelihood(hs.Rows[i]) })
	})
	testCovDerivs(t, BGBB{1.2, 0.8, 0.7, 2.8}, d, func(ctx context.Context, p patterns, workers int) covRows {
		return opportunityRows(ctx, ds, p, workers)
	}, func(m func(i int) BGBB) func(int) float64 {
		return func(i int) float64 { return m(i).LogLikelihood(ds[i]) * float64(ds[i].customers()) }
	})
	testCovDerivs(t, GammaGamma{4, 3, 15}, d, spends(spendRows), func(m func(i int) GammaGamma) func(int) float64 {
		return of(func(i int) float64 {
			if hs.Rows[i].X == 0 {
				return 0
			}
			return m(i).LogLikelihood(hs.Rows[i].X, hs.Rows[i].MeanSpend())
		})
	})
	sample, err := newNormalSample(hs)
	if err != nil {
		t.Fatal(err)
	}
	testCovDerivs(t, NormalNormal{0.1, 0.8, 1.2}, d, spends(normalRows), func(m func(i int) NormalNormal) func(int) float64 {
		return of(func(i int) float64 {
			if hs.Rows[i].X == 0 {
				return 0
			}
			return m(i).LogLikelihood(hs.Rows[i].X, (hs.Rows[i].MeanSpend()-sample.mean)/sample.sd)
		})
	})
	if ctx.Err() != nil {
		t.Fatal(ctx.Err())
	}
}

func testCovDerivs[M Linked](t *testing.T, base M, d *Design, build covBuilder, logLik func(m func(i int) M) func(int) float64) {
	t.Helper()
	for form := range base.linkages() {
		for _, equal := range [][]string{nil, {"age"}} {
			o := &CovOptions{Beta: BetaForm(form), Equal: equal}
			m, err := newCov[M](d, o)
			if err != nil {
				t.Fatal(err)
			}
			m.Base = base
			p := newPatterns(context.Background(), d, 2)
			c, err := newCovProblem(context.Background(), p, m, build(context.Background(), p, 2), 2)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(3, uint64(form)))
			theta := baseValues(base, c.link.params)
			for len(theta) < len(c.params) {
				theta = append(theta, 0.3*r.NormFloat64())
			}
			name := fmt.Sprintf("%s form %d equal %q", m.Kind(), form, equal)
			checkCovDerivs(t, name, c, theta)
			// The value, by the models of the customers.
			at := mle.Derivs{Grad: make([]float64, len(theta))}
			c.sum(theta, 0, len(c.rows.index), &at)
			res := mle.Result{Theta: theta}
			c.rows.scale = 0 // stay in the unit of the rows
			c.unscale(&res)
			model := m.withParams(res.Theta)
			sum, of := 0.0, logLik(func(i int) M { return model.For(d.Row(i)) })
			for i := range d.Len() {
				sum += of(i)
			}
			if !golden.Close(at.Value, sum, 1e-12) {
				t.Errorf("%s: log-likelihood %v, sum over customers %v", name, at.Value, sum)
			}
		}
	}
}

func checkCovDerivs(t *testing.T, name string, c *covProblem, theta []float64) {
	t.Helper()
	n := len(theta)
	at := func(theta []float64) mle.Derivs {
		d := mle.Derivs{Grad: make([]float64, n), Hess: make([]float64, n*n)}
		c.sum(theta, 0, len(c.rows.index), &d)
		return d
	}
	center := at(theta)
	for j := range n {
		h := 1e-3
		if c.params[j].Scale == fit.Log {
			h *= theta[j]
		}
		var ds [4]mle.Derivs
		for k, by := range [4]float64{-2, -1, 1, 2} {
			moved := append([]float64(nil), theta...)
			moved[j] += by * h
			ds[k] = at(moved)
		}
		slope := func(f func(d *mle.Derivs) float64) float64 {
			return (f(&ds[0]) - 8*f(&ds[1]) + 8*f(&ds[2]) - f(&ds[3])) / (12 * h)
		}
		if want := slope(func(d *mle.Derivs) float64 { return d.Value }); !(math.Abs(center.Grad[j]-want) <= 1e-8*(1+math.Abs(want))) {
			t.Errorf("%s: derivative in %s is %v, by differences %v", name, c.params[j].Name, center.Grad[j], want)
		}
		for i := range n {
			got := center.Hess[min(i, j)*n+max(i, j)]
			if want := slope(func(d *mle.Derivs) float64 { return d.Grad[i] }); !(math.Abs(got-want) <= 1e-7*(1+math.Abs(want))) {
				t.Errorf("%s: second derivative in %s and %s is %v, by differences %v", name, c.params[i].Name, c.params[j].Name, got, want)
			}
		}
	}
}
