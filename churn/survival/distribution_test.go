package survival

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
)

func TestDistributions(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/distributions.json").Rows {
		kind, _, _ := strings.Cut(row.Name, "/")
		a := func(name string) float64 { return float64(row.Args[name]) }
		d := map[string]Distribution{"exponential": Exponential{a("rate")}, "weibull": Weibull{a("shape"), a("scale")},
			"log-normal": LogNormal{a("mu"), a("sigma")}, "log-logistic": LogLogistic{a("shape"), a("scale")},
			"gompertz": Gompertz{a("shape"), a("rate")}, "generalized-gamma": GeneralizedGamma{a("mu"), a("sigma"), a("q")}}[kind]
		x := a("t")
		checkAll(t, row, map[string]float64{"survival": d.Survival(x), "cum_hazard": d.CumHazard(x), "density": d.Density(x),
			"hazard": d.Hazard(x), "restricted_mean": d.RestrictedMean(x), "mean": d.Mean()})
	}
}

var someDistributions = []Distribution{Exponential{.1}, Weibull{1.4, 8}, Weibull{.6, 8}, LogNormal{2, .6}, LogLogistic{2, 6},
	LogLogistic{.7, 6}, Gompertz{.05, .08}, Gompertz{-.05, .08}, Gompertz{0, .08}, GeneralizedGamma{2, .6, .5},
	GeneralizedGamma{2, .6, -.5}, GeneralizedGamma{2, .6, 0}}

func TestDistributionInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range someDistributions {
		last := 1.0
		for _, x := range []float64{-1, 0, 1e-9, .1, 1, 3, 10, 100, 1e5, math.Inf(1)} {
			s := d.Survival(x)
			if !(s >= 0 && s <= last*(1+1e-15)) {
				t.Errorf("%s %v: survival %v after %v", d.Kind(), d, s, last)
			}
			last = s
			if x > 0 && s > 1e-200 && !math.IsInf(x, 1) {
				near(t, d.Kind()+" hazard", d.Hazard(x), d.Density(x)/s, 1e-11)
				near(t, d.Kind()+" cumulative hazard", math.Exp(-d.CumHazard(x)), s, 1e-12)
			}
		}
		for range 20 {
			p := r.Float64()
			if q := d.Quantile(p); !math.IsInf(q, 1) {
				near(t, d.Kind()+" quantile", 1-d.Survival(q), p, 1e-11)
			} else if d.Survival(math.Inf(1)) < 1-p-1e-12 {
				t.Errorf("%v: quantile %v is infinite", d, p)
			}
		}
		for _, x := range []float64{d.Survival(math.NaN()), d.Hazard(math.NaN()), d.Density(math.NaN()), d.CumHazard(math.NaN()),
			d.Quantile(math.NaN()), d.Quantile(-1), d.RestrictedMean(-1)} {
			if !math.IsNaN(x) {
				t.Errorf("%s: got %v, want NaN", d.Kind(), x)
			}
		}
		if d.RestrictedMean(0) != 0 || d.Quantile(0) != 0 {
			t.Errorf("%s: at 0: %v, %v", d.Kind(), d.RestrictedMean(0), d.Quantile(0))
		}
	}
}

func TestInvalidDistributionsAreNaN(t *testing.T) {
	for _, d := range []Distribution{Exponential{}, Weibull{}, LogNormal{}, LogLogistic{1, -1}, Gompertz{}, GeneralizedGamma{},
		Weibull{math.NaN(), 1}, Gompertz{math.Inf(1), 1}} {
		if d.Validate() == nil {
			t.Errorf("%#v validates", d)
		}
		for _, x := range []float64{d.Survival(1), d.Hazard(1), d.CumHazard(1), d.Density(1), d.Quantile(.5), d.Mean(), d.RestrictedMean(1)} {
			if !math.IsNaN(x) {
				t.Errorf("%#v: got %v, want NaN", d, x)
			}
		}
	}
}
