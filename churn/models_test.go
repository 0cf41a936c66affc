package churn

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

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
)

// The survivors of 1000 customers over twelve years of Fader and Hardie, How to Project Customer Retention, Journal of
// Interactive Marketing 21(1), 2007, table 1.
var (
	regular = []int{1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173}
	highEnd = []int{1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394}
)

func seen(active []int, renewals int) []Cohort { return []Cohort{{Active: active[:renewals+1]}} }

func TestFitPublished(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name     string
		active   []int
		renewals int
		sbg      [3]float64 // alpha, beta, log-likelihood
		bdw      [4]float64 // gamma, delta, c, log-likelihood
		weibull  float64    // log-likelihood
	}{
		// Estimates to eight digits by an independent maximization in R of the likelihoods of the 2007 and 2018 papers,
		// which print .704, 1.182 and .668, 3.806 for seven renewals.
		{"regular", regular, 7, [3]float64{.70407733, 1.18204307, -1680.26518846}, [4]float64{.45561394, .77932547, 1.28345138, -1679.60283}, -1688.52024},
		{"high end", highEnd, 7, [3]float64{.6680884, 3.8060953, -1611.1581474}, [4]float64{.21425333, 1.42657484, 1.72356492, -1605.31421}, -1619.92647},
		{"regular", regular, 4, [3]float64{.76366507, 1.29583029, -1401.55942358}, [4]float64{.52302943, .89428284, 1.19639856, -1401.38305168}, -1404.00818},
		{"high end", highEnd, 4, [3]float64{1.2809762, 7.7903828, -1225.1349070}, [4]float64{.25933571, 1.72255128, 1.58436159, -1222.74931824}, -1226.54885},
	} {
		t.Run(fmt.Sprintf("%s %d", c.name, c.renewals), func(t *testing.T) {
			data := seen(c.active, c.renewals)
			e := must(FitSBG(ctx, data, nil))
			near(t, "alpha", e.Model.Alpha, c.sbg[0], 5e-7)
			near(t, "beta", e.Model.Beta, c.sbg[1], 5e-7)
			near(t, "ll", e.LogLik, c.sbg[2], 5e-11)
			near(t, "ll of the model", e.Model.LogLikelihood(data[0]), e.LogLik, 1e-12)
			b := must(FitBdW(ctx, data, nil))
			near(t, "gamma", b.Model.Gamma, c.bdw[0], 5e-7)
			near(t, "delta", b.Model.Delta, c.bdw[1], 5e-7)
			near(t, "c", b.Model.C, c.bdw[2], 5e-7)
			near(t, "bdw ll", b.LogLik, c.bdw[3], 3e-9)
			w := must(FitDiscreteWeibull(ctx, data, nil))
			near(t, "discrete Weibull ll", w.LogLik, c.weibull, 4e-9)
			if e.Customers != 1000 {
				t.Errorf("%d customers", e.Customers)
			}
		})
	}
}

func TestFitGeometric(t *testing.T) {
	// 674 lost in 2481 customer-years; log-likelihoods by hand from 674 ln p + 1807 ln (1-p).
	e := must(FitGeometric(context.Background(), seen(regular, 4), nil))
	near(t, "theta", e.Model.Theta, 674.0/2481, 1e-12)
	near(t, "ll", e.LogLik, -1451.155556, 1e-9)
	near(t, "standard error", e.Params[0].StdErr, math.Sqrt(674.0/2481*1807/2481/2481), 1e-9)
	near(t, "ll(.5)", Geometric{0.5}.LogLikelihood(seen(regular, 4)[0]), 2481*math.Log(0.5), 1e-13)
}

func TestProjectionsPublished(t *testing.T) {
	// Survival to eight digits from the fits of TestFitPublished by R; years 8 to 12 of the first are printed in the 2007
	// paper as .460 .436 .414 .395 .378.
	sbg := must(FitSBG(context.Background(), seen(highEnd, 7), nil)).Model
	for i, want := range []float64{.85067926, .74685941, .66978898, .60991913, .56183428, .52221556, .48890641, .46043966, .43577958, .41417239, .39505533, .37799906} {
		near(t, fmt.Sprintf("S(%d)", i+1), sbg.Survival(float64(i+1)), want, 6e-8)
	}
	for i, want := range []float64{.85067926, .87795652, .89680731, .91061386, .92116192, .92948328, .93621571, .94177465, .94644232, .95041715, .95384276, .95682561} {
		near(t, fmt.Sprintf("r(%d)", i+1), sbg.Retention(i+1), want, 6e-8)
	}
	bdw := must(FitBdW(context.Background(), seen(highEnd, 4), nil)).Model
	for i, want := range []float64{.86914708, .74192862, .65478470, .59293324, .54661082, .51036940, .48104474, .45668880, .43603729, .41823233, .40266977, .38891073} {
		near(t, fmt.Sprintf("BdW S(%d)", i+1), bdw.Survival(float64(i+1)), want, 5e-8)
	}
	// Discounted residual lifetimes at 10 %: the 2010 paper and its note print 7.530 for n = 7.
	for n, want := range []float64{5.414479, 5.901377, 6.293891, 6.619920, 6.896707, 7.135661, 7.344721, 7.529628, 7.694663, 7.843101, 7.977500, 8.099891} {
		near(t, fmt.Sprintf("DERL(%d)", n), sbg.DERL(n, 0.1), want, 2e-7)
	}
	near(t, "DEL", sbg.DEL(0.1), 5.922253433, 3e-8)
	near(t, "DEL regular", must(FitSBG(context.Background(), seen(regular, 7), nil)).Model.DEL(0.1), 3.694908366, 3e-8)
	// Four renewals: lifetimes of new customers and of those who have made four renewals.
	near(t, "BdW DEL", bdw.DEL(0.1), 5.99429015, 1e-7)
	near(t, "BdW DERL", bdw.DERL(4, 0.1), 7.3175404, 1e-7)
	// Marketing Science 2010: USD 288, 394 and 568 for customers in their first, second and fifth year at USD 100.
	m := SBG{0.764, 1.296}
	for n, want := range map[int]float64{0: 288.22, 1: 393.94, 4: 568.25} {
		near(t, "residual value", 100*m.DERL(n, 0.1), want, 2e-5)
	}
}

func TestSeveralCohorts(t *testing.T) {
	full := []int{10000, 8000, 6480, 5307, 4391}
	var cs []Cohort
	for n := len(full); n > 1; n-- {
		cs = append(cs, Cohort{Active: full[:n]})
	}
	e := must(FitSBG(context.Background(), cs, nil))
	near(t, "alpha", e.Model.Alpha, 3.79812713, 5e-7)
	near(t, "beta", e.Model.Beta, 15.19191367, 5e-7)
	near(t, "ll", e.LogLik, -40255.83728, 1e-9)
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	again := must(FitSBG(context.Background(), cs, &fit.Options{Workers: 3}))
	if diff := cmp.Diff(e, again); diff != "" {
		t.Errorf("another order and three workers (-want +got)\n%s", diff)
	}
}

// TestTwoSegments has the customers of the example in the 2010 paper: a third who stay with .9, the rest with .5.
func TestTwoSegments(t *testing.T) {
	full := []int{10000, 6334, 4367, 3264, 2604}
	var cs []Cohort
	for n := len(full); n > 1; n-- {
		cs = append(cs, Cohort{Active: full[:n]})
	}
	s := must(FitSBG(context.Background(), cs, nil))
	near(t, "alpha", s.Model.Alpha, 1.6670881, 3e-7)
	near(t, "beta", s.Model.Beta, 2.8566114, 3e-7)
	near(t, "ll", s.LogLik, -44644.1155, 1e-8)
	e := must(FitLatentClass(context.Background(), cs, nil))
	near(t, "share", e.Model.Share, 1.0/3, 1e-3)
	near(t, "theta1", e.Model.Theta1, 0.1, 2e-3)
	near(t, "theta2", e.Model.Theta2, 0.5, 1e-3)
	if e.LogLik < s.LogLik {
		t.Errorf("two classes %v fit worse than a beta %v", e.LogLik, s.LogLik)
	}
	near(t, "naive residual value", Geometric{1 - 16569.0/23965}.DERL(0, 0.1), 1.861210, 1e-6)
	// The order of the start's classes does not matter.
	swapped := must(FitLatentClass(context.Background(), cs, &fit.Options{Start: []float64{0.6, 0.5, 0.05}}))
	near(t, "swapped share", swapped.Model.Share, e.Model.Share, 1e-7)
}

func TestCurvesGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/curves.json").Rows {
		t.Run(row.Name, func(t *testing.T) {
			a := func(name string) float64 { return float64(row.Args[name]) }
			var m Curve
			switch strings.Fields(row.Name)[0] {
			case "sbg":
				m = SBG{a("a"), a("b")}
			case "bdw":
				m = BdW{a("gamma"), a("delta"), a("c")}
			case "dw":
				m = DiscreteWeibull{a("theta"), a("c")}
			case "latent":
				m = LatentClass{a("p"), a("t1"), a("t2")}
			}
			for name := range row.Want {
				switch name {
				case "survival":
					row.Check(t, name, m.Survival(a("t")))
				case "retention":
					row.Check(t, name, m.Retention(int(a("t"))))
				case "pmf":
					row.Check(t, name, m.PMF(int(a("t"))))
				case "derl":
					row.Check(t, name, m.DERL(int(a("n")), a("rate")))
				}
			}
		})
	}
}

func curves() []Curve {
	return []Curve{Geometric{0.2}, Geometric{1e-6}, SBG{0.668, 3.806}, SBG{5, 2}, SBG{1e6, 4e6}, BdW{0.456, 0.779, 1.283}, BdW{2, 3, 0.8},
		DiscreteWeibull{0.3, 0.7}, DiscreteWeibull{0.01, 1.7}, LatentClass{0.3, 0.05, 0.6}}
}

func TestCurveProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, m := range curves() {
		t.Run(fmt.Sprintf("%s %+v", m.Kind(), m), func(t *testing.T) {
			if m.Survival(0) != 1 || m.Survival(math.Inf(1)) != 0 {
				t.Errorf("S(0) = %v, S(Inf) = %v", m.Survival(0), m.Survival(math.Inf(1)))
			}
			product, sum := 1.0, 0.0
			for k := 1; k <= 60; k++ {
				product *= m.Retention(k)
				sum += m.PMF(k)
				near(t, fmt.Sprintf("product of retention up to %d", k), product, m.Survival(float64(k)), 1e-11)
				near(t, fmt.Sprintf("P and S at %d", k), sum+m.Survival(float64(k)), 1, 1e-12)
			}
			near(t, "DEL by terms", m.DEL(0.25), terms025(m), 1e-10)
			for n := range 4 {
				// DERL(n) = r(n+1) (1 + DERL(n+1)/(1+d)), Bellman's equation of a customer at the renewal.
				for _, d := range []float64{0.3, 0.01, 1e-5} {
					near(t, fmt.Sprintf("DERL(%d, %v)", n, d), m.DERL(n, d), m.Retention(n+1)*(1+m.DERL(n+1, d)/(1+d)), 1e-9)
				}
				if rest := m.ResidualLifetime(n); !math.IsInf(rest, 1) {
					near(t, fmt.Sprintf("residual lifetime %d", n), rest, m.Retention(n+1)*(1+m.ResidualLifetime(n+1)), 1e-9)
				}
			}
			near(t, "lifetime", m.Lifetime(), 1+m.ResidualLifetime(0), 1e-12)
			near(t, "lifetime within 3", LifetimeWithin(m, 3), 1+m.Survival(1)+m.Survival(2), 1e-14)
			for _, bad := range []float64{m.Survival(-1), m.Survival(math.NaN()), m.Retention(0), m.PMF(0), m.DEL(-1), m.DEL(math.NaN()), m.DERL(-1, 0.1), m.DERL(0, math.Inf(1)), m.LogLikelihood(Cohort{}), m.LogLikelihood(Cohort{Active: []int{3, 4}})} {
				if !math.IsNaN(bad) {
					t.Errorf("out of the domain: %v, want NaN", bad)
				}
			}
			// Simulated customers survive as the curve says: within 5 standard errors.
			const n = 20000
			c := RandCohort(m, r, n, 8)
			for k, got := range c.Active {
				s := m.Survival(float64(k))
				if math.Abs(float64(got)-n*s) > 5*math.Sqrt(n*s*(1-s))+1e-9 {
					t.Errorf("%d of %d left after %d, expected %.1f", got, n, k, n*s)
				}
			}
			left := 0.0
			for k := 1; k < len(c.Active); k++ {
				left += float64(c.Active[k-1]-c.Active[k]) * math.Log(m.PMF(k))
			}
			near(t, "log-likelihood", m.LogLikelihood(c), left+float64(c.Active[8])*math.Log(m.Survival(8)), 1e-10)
			// Left truncation: the likelihood of what came after age 3, given that age.
			young := Cohort{Active: c.Active[3:], Age: 3}
			head := 0.0
			for k := 1; k <= 3; k++ {
				head += float64(c.Active[k-1]-c.Active[k]) * math.Log(m.PMF(k))
			}
			near(t, "truncated", m.LogLikelihood(young), m.LogLikelihood(c)-head-float64(c.Active[3])*math.Log(m.Survival(3)), 1e-8)
		})
	}
}

func terms025(m Curve) float64 {
	sum := 0.0
	for k := range 400 {
		sum += m.Survival(float64(k)) * math.Pow(1.25, -float64(k))
	}
	return sum
}

func TestCurveLimits(t *testing.T) {
	for k := 1; k < 30; k++ {
		near(t, "BdW with c = 1", BdW{0.7, 2, 1}.Survival(float64(k)), SBG{0.7, 2}.Survival(float64(k)), 1e-13)
		near(t, "sBG of large parameters", SBG{2e9, 8e9}.Survival(float64(k)), math.Pow(0.8, float64(k)), 1e-7)
		near(t, "Weibull with c = 1", DiscreteWeibull{0.2, 1}.Survival(float64(k)), Geometric{0.2}.Survival(float64(k)), 1e-13)
		if a, b := (SBG{0.7, 2}).Retention(k), (SBG{0.7, 2}).Retention(k+1); !(a < b && b < 1) {
			t.Errorf("retention of sBG falls at %d: %v, %v", k, a, b)
		}
		if a, b := (SBG{0.7, 2}).DERL(k, 0.1), (SBG{0.7, 2}).DERL(k+1, 0.1); !(a < b) {
			t.Errorf("DERL falls at %d: %v, %v", k, a, b)
		}
	}
	for d, c := range map[float64]float64{0.1: 1e-9, 1e-4: 1e-9, 0: 1e-8} {
		near(t, "BdW DERL with c = 1", BdW{2.3, 4, 1}.DERL(2, d), SBG{2.3, 4}.DERL(2, d), c)
		near(t, "Weibull DERL with c = 1", DiscreteWeibull{0.01, 1}.DERL(2, d), Geometric{0.01}.DERL(2, d), c)
	}
	near(t, "sBG of 1e12", SBG{1e12, 4e12}.DERL(3, 0.05), Geometric{0.2}.DERL(3, 0.05), 1e-9)
	if v := (SBG{1, 2}).Lifetime(); !math.IsInf(v, 1) {
		t.Errorf("lifetime with alpha 1 = %v", v)
	}
	if v := (BdW{0.5, 2, 2}).Lifetime(); !math.IsInf(v, 1) {
		t.Errorf("lifetime with gamma c = 1 is %v", v)
	}
	// For large n the survivors leave by a power law: DERL(n, d) d is E (1 + X/(n d))^-alpha with X exponential, which for
	// a small alpha is 1 - alpha e^(nd) E1(nd); e^.001 E1(.001) is 6.3378739.
	near(t, "sBG of old customers", 1-SBG{1e-6, 1}.DERL(1e9, 1e-12)*1e-12, 6.3378739e-6, 1e-4)
	near(t, "barely finite", SBG{1.001, 2}.Lifetime(), (1.001+2-1)/0.001, 1e-10)
	near(t, "barely finite BdW", BdW{1.01, 2, 1}.Lifetime(), (1.01+2-1)/0.01, 1e-9)
}

// families are the likelihoods as the fits see them.
func families() map[string]family {
	return map[string]family{
		"sbg": {params: nil, logS: func(t []float64, k int) jet { return betaWeibullJet(t[0], t[1], 1, k, 2) }, logP: func(t []float64, k int) jet { return sbgLogP(t[0], t[1], k) }},
		"bdw": {logS: func(t []float64, k int) jet { return betaWeibullJet(t[0], t[1], t[2], k, 3) }, logP: func(t []float64, k int) jet {
			return leaving(betaWeibullJet(t[0], t[1], t[2], k-1, 3), betaWeibullJet(t[0], t[1], t[2], k, 3), BdW{t[0], t[1], t[2]}.logR(k))
		}},
		"weibull": {logS: func(t []float64, k int) jet { return weibullJet(t[0], t[1], k, 2) }, logP: func(t []float64, k int) jet {
			return leaving(weibullJet(t[0], t[1], k-1, 2), weibullJet(t[0], t[1], k, 2), DiscreteWeibull{t[0], t[1]}.logR(k))
		}},
		"latent": {logS: func(t []float64, k int) jet { return mixtureJet(t, k, false) }, logP: func(t []float64, k int) jet { return mixtureJet(t, k-1, true) }},
	}
}

func TestDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, f := range families() {
		for range 20 {
			n := map[string]int{"sbg": 2, "bdw": 3, "weibull": 2, "latent": 3}[name]
			theta := make([]float64, n)
			for i := range theta {
				if theta[i] = math.Exp(r.NormFloat64()); name == "latent" || (name == "weibull" && i == 0) {
					theta[i] = 0.05 + 0.9*r.Float64()
				}
			}
			k := 1 + r.IntN(8)
			for what, of := range map[string]func([]float64, int) jet{"S": f.logS, "P": f.logP} {
				j := of(theta, k)
				for i := range theta {
					h := 1e-5 * theta[i]
					at := func(x float64) jet {
						moved := slices.Clone(theta)
						moved[i] += x
						return of(moved, k)
					}
					up, down := at(h), at(-h)
					close := func(got, want float64) bool { return math.Abs(got-want) <= 1e-6*(1e-2+math.Abs(want)) }
					if want := (up.v - down.v) / (2 * h); !close(j.g[i], want) {
						t.Errorf("%s %s at %v, k %d: d/d%d = %v, differences %v", name, what, theta, k, i, j.g[i], want)
					}
					for l := range theta {
						got := j.h[min(i, l)][max(i, l)]
						if want := (up.g[l] - down.g[l]) / (2 * h); !close(got, want) {
							t.Errorf("%s %s at %v, k %d: d2/d%dd%d = %v, differences %v", name, what, theta, k, i, l, got, want)
						}
					}
				}
			}
		}
	}
}

func TestRecovery(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var data, wide []Cohort
	for n := 4; n <= 12; n++ {
		data = append(data, RandCohort(SBG{0.9, 3.1}, r, 4000, n))
		wide = append(wide, RandCohort(BdW{0.6, 1.5, 1.4}, r, 8000, n))
	}
	check := func(ps []fit.Param, want ...float64) {
		t.Helper()
		for i, p := range ps {
			if !(math.Abs(p.Value-want[i]) < 4*p.StdErr) {
				t.Errorf("%s = %v with standard error %v, drawn from %v", p.Name, p.Value, p.StdErr, want[i])
			}
		}
	}
	e := must(FitSBG(context.Background(), data, nil))
	check(e.Params, 0.9, 3.1)
	check(must(FitBdW(context.Background(), wide, nil)).Params, 0.6, 1.5, 1.4)
	// Nested models keep the order of their likelihoods.
	g := must(FitGeometric(context.Background(), data, nil))
	b := must(FitBdW(context.Background(), data, nil))
	if !(g.LogLik < e.LogLik && e.LogLik <= b.LogLik+1e-9) {
		t.Errorf("log-likelihoods %v, %v, %v", g.LogLik, e.LogLik, b.LogLik)
	}
	if lr, err := fit.Test(e.Summary(), b.Summary()); err != nil || lr.P < 1e-4 {
		t.Errorf("sBG against BdW on data of sBG: %+v, %v", lr, err)
	}
}

func TestFitErrors(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		data []Cohort
		text string
	}{
		{"none", nil, "churn: no cohorts"},
		{"empty", []Cohort{{Active: []int{5, 4}}, {}}, `churn: row 2: field "Active": value "": empty`},
		{"rises", []Cohort{{Active: []int{5, 6}}}, `churn: row 1: field "Active[1]": value "6": more than the 5 before; who has left a contract does not come back`},
		{"negative", []Cohort{{Active: []int{5, -6}}}, `churn: row 1: field "Active[1]": value "-6": negative`},
		{"nobody", []Cohort{{Active: []int{0, 0}}}, `churn: row 1: field "Active[0]": value "0": no customers at the start`},
		{"age", []Cohort{{Active: []int{5, 4}, Age: -1}}, `churn: row 1: field "Age": value "-1": negative`},
		{"not observed", []Cohort{{Active: []int{5}}}, "churn: no cohort was observed for a renewal: want at least two numbers in Active"},
		{"nobody left", []Cohort{{Active: []int{5, 5, 5}}}, "churn: nobody left, so the data do not tell how fast customers leave"},
	} {
		for model, err := range map[string]error{"sbg": second(FitSBG(ctx, c.data, nil)), "bdw": second(FitBdW(ctx, c.data, nil)),
			"geometric": second(FitGeometric(ctx, c.data, nil)), "latent": second(FitLatentClass(ctx, c.data, nil)), "weibull": second(FitDiscreteWeibull(ctx, c.data, nil))} {
			if err == nil || err.Error() != c.text {
				t.Errorf("%s of %s: error %q, want %q", model, c.name, err, c.text)
			}
		}
	}
	// Falling retention: no beta distribution of churn explains it, and the fit says so with what it has.
	e, err := FitSBG(ctx, []Cohort{{Active: []int{1000, 900, 720, 504}}}, nil)
	if e == nil || e.Cov != nil || len(e.Warnings) == 0 || (err != nil && !errors.Is(err, fit.ErrDiverged)) {
		t.Errorf("falling retention: %v, %v", e, err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := FitSBG(canceled, seen(regular, 7), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		m    Curve
		text string
	}{
		{SBG{0, 1}, "churn: sbg: Alpha = 0: out of its domain: want a positive finite number"},
		{SBG{1, math.Inf(1)}, "churn: sbg: Beta = +Inf: out of its domain: want a positive finite number"},
		{BdW{1, 1, math.NaN()}, "churn: bdw: C = NaN: out of its domain: want a positive finite number"},
		{Geometric{1}, "churn: geometric: Theta = 1: out of its domain: want a number between 0 and 1"},
		{DiscreteWeibull{0.5, -1}, "churn: discrete-weibull: C = -1: out of its domain: want a positive finite number"},
		{LatentClass{0.5, 0.6, 0.4}, "churn: latent-class: Theta1 = 0.6 above Theta2 = 0.4: out of its domain: the loyal class comes first"},
	} {
		if err := c.m.Validate(); err == nil || err.Error() != c.text {
			t.Errorf("%+v: error %q, want %q", c.m, err, c.text)
		}
		for _, v := range []float64{c.m.Survival(1), c.m.Retention(1), c.m.PMF(1), c.m.Lifetime(), c.m.ResidualLifetime(1), c.m.DEL(0.1), c.m.DERL(1, 0.1), c.m.LogLikelihood(Cohort{Active: []int{2, 1}}), LifetimeWithin(c.m, 2)} {
			if !math.IsNaN(v) {
				t.Errorf("%+v gives %v, want NaN", c.m, v)
			}
		}
		if n := c.m.Rand(rand.New(rand.NewPCG(1, 2))); n != 0 {
			t.Errorf("%+v draws %d", c.m, n)
		}
		if _, err := json.Marshal(c.m); err == nil {
			t.Errorf("%+v is stored", c.m)
		}
	}
}

func FuzzModelJSON(f *testing.F) {
	for _, m := range curves() {
		f.Add(must(json.Marshal(m)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var m SBG
		if json.Unmarshal(text, &m) == nil && m.Validate() != nil {
			t.Errorf("%s is read as %+v", text, m)
		}
		var l LatentClass
		if json.Unmarshal(text, &l) == nil && l.Validate() != nil {
			t.Errorf("%s is read as %+v", text, l)
		}
	})
}
