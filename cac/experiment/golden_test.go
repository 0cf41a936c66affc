package experiment_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/custval/custval/cac/experiment"
	"github.com/custval/custval/internal/golden"
)

func series(r golden.Row, name string, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(r.Args[fmt.Sprintf("%s%d", name, i)])
	}
	return out
}

func TestComputedGolden(t *testing.T) {
	for _, r := range golden.Load(t, "testdata/computed.json").Rows {
		kind, _, _ := strings.Cut(r.Name, " ")
		arg := func(name string) float64 { return float64(r.Args[name]) }
		switch kind {
		case "welch":
			c := experiment.Sample{N: int(arg("n1")), Mean: arg("m1"), Variance: arg("v1")}
			s := experiment.Sample{N: int(arg("n2")), Mean: arg("m2"), Variance: arg("v2")}
			e, err := experiment.Welch(c, s, arg("level"))
			if err != nil {
				t.Fatal(err)
			}
			for name, got := range map[string]float64{"estimate": e.Estimate, "std_err": e.StdErr, "df": e.DF, "t": e.Statistic, "p": e.P, "low": e.Low, "high": e.High} {
				r.Check(t, name, got)
			}
			if e, err = experiment.WelchRelative(c, s, arg("level")); err != nil {
				t.Fatal(err)
			}
			for name, got := range map[string]float64{"rel": e.Estimate, "rel_p": e.P, "rel_low": e.Low, "rel_high": e.High} {
				r.Check(t, name, got)
			}
			low, high, err := experiment.Fieller(c, s, arg("level"))
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "fieller_low", low)
			r.Check(t, "fieller_high", high)
		case "cuped":
			a, err := experiment.CUPED(
				experiment.Paired{Values: series(r, "yc", 9), Before: series(r, "xc", 9)},
				experiment.Paired{Values: series(r, "yt", 14), Before: series(r, "xt", 14)}, arg("level"))
			if err != nil {
				t.Fatal(err)
			}
			for name, got := range map[string]float64{"theta": a.Theta, "estimate": a.Estimate, "std_err": a.StdErr, "df": a.DF, "p": a.P, "low": a.Low, "high": a.High} {
				r.Check(t, name, got)
			}
			if math.Abs(a.Reduction-(1-a.StdErr*a.StdErr/(a.Plain.StdErr*a.Plain.StdErr))) > 1e-12 || a.Reduction < 0.5 {
				t.Errorf("reduction %v", a.Reduction)
			}
		case "bootstrap":
			checkBootstrap(t, r)
		case "beliefs":
			var arms []experiment.Rate
			for i := range int(arg("arms")) {
				arms = append(arms, experiment.Rate{Conversions: int(arg(fmt.Sprintf("x%d", i))), Customers: int(arg(fmt.Sprintf("n%d", i)))})
			}
			b, err := experiment.Beliefs(experiment.Beta{}, arms...)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for i := range b {
				r.Check(t, fmt.Sprintf("best%d", i), b[i].ProbBest)
				r.Check(t, fmt.Sprintf("loss%d", i), b[i].ExpectedLoss)
				sum += b[i].ProbBest
			}
			if math.Abs(sum-1) > 1e-10 {
				t.Errorf("%s: the probabilities to be best sum to %v", r.Name, sum)
			}
		case "srm":
			n := int(arg("arms"))
			observed := make([]int, n)
			for i, o := range series(r, "o", n) {
				observed[i] = int(o)
			}
			m, err := experiment.SampleRatio(observed, series(r, "s", n))
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "chi2", m.Statistic)
			r.Check(t, "p", m.P)
		case "t": // see TestStudentGolden
		default:
			t.Errorf("unknown row %q", r.Name)
		}
	}
}

func checkBootstrap(t *testing.T, r golden.Row) {
	t.Helper()
	c, s := series(r, "yc", 9), series(r, "yt", 14)
	ctx := context.Background()
	b, err := experiment.Bootstrap(ctx, c, s, &experiment.BootstrapOptions{Resamples: 40_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.Check(t, "estimate", b.Estimate)
	r.Check(t, "acceleration", b.Acceleration)
	want := float64(r.Want["true_std_err"])
	if math.Abs(b.StdErr/want-1) > 0.02 { // 5 standard errors of a standard deviation of 40,000 draws
		t.Errorf("standard error %v, want about %v", b.StdErr, want)
	}
	own, err := experiment.Bootstrap(ctx, c, s, &experiment.BootstrapOptions{Resamples: 40_000, Seed: 2, Statistic: experiment.MeanDifference})
	if err != nil {
		t.Fatal(err)
	}
	r.Check(t, "acceleration", own.Acceleration)
	for _, pair := range [][2]float64{{b.BCaLow, own.BCaLow}, {b.BCaHigh, own.BCaHigh}, {b.PercentileLow, own.PercentileLow}, {b.PercentileHigh, own.PercentileHigh}} {
		if math.Abs(pair[0]-pair[1]) > 0.05*want {
			t.Errorf("the two ways to resample a mean differ: %v and %v", pair[0], pair[1])
		}
	}
	for _, workers := range []int{1, 3, 16} {
		again, err := experiment.Bootstrap(ctx, c, s, &experiment.BootstrapOptions{Resamples: 40_000, Seed: 1, Workers: workers})
		if err != nil || again != b {
			t.Errorf("%d workers: %v, want %v: %v", workers, again, b, err)
		}
	}
}

func TestRGolden(t *testing.T) {
	for _, r := range golden.Load(t, "testdata/stats_r.json").Rows {
		arg := func(name string) float64 { return float64(r.Args[name]) }
		switch {
		case strings.HasPrefix(r.Name, "size rates"):
			n, err := experiment.SizeForRates(arg("p1"), arg("p2"), experiment.Design{Level: arg("level"), Power: arg("power")})
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "n", n.Exact)
		case strings.HasPrefix(r.Name, "power rates"):
			p, err := experiment.PowerForRates(arg("p1"), arg("p2"), int(arg("n")), experiment.Design{Level: arg("level")})
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "power", p)
		case strings.HasPrefix(r.Name, "size means"):
			n, err := experiment.SizeForMeans(arg("sd"), arg("delta"), experiment.Design{Level: arg("level"), Power: arg("power"), Formula: experiment.StudentTheory, OneSided: strings.Contains(r.Name, "one-sided")})
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "n", n.Exact)
		case strings.HasPrefix(r.Name, "adjust"):
			p := series(r, "p", int(arg("m")))
			for name, adjust := range map[string]func([]float64) ([]float64, error){"holm": experiment.Holm, "bonferroni": experiment.Bonferroni, "bh": experiment.FalseDiscovery} {
				got, err := adjust(p)
				if err != nil {
					t.Fatal(err)
				}
				for i := range got {
					r.Check(t, fmt.Sprintf("%s%d", name, i), got[i])
				}
			}
		case strings.HasPrefix(r.Name, "rates"):
			c, s := experiment.Rate{Conversions: int(arg("x1")), Customers: int(arg("n1"))}, experiment.Rate{Conversions: int(arg("x2")), Customers: int(arg("n2"))}
			e, err := experiment.PooledZ(c, s, 0)
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "chi2", e.Statistic*e.Statistic)
			r.Check(t, "p", e.P)
			r.Check(t, "wald_low", e.Low)
			r.Check(t, "wald_high", e.High)
			low, high, err := s.Interval(0)
			if err != nil {
				t.Fatal(err)
			}
			r.Check(t, "wilson_low", low)
			r.Check(t, "wilson_high", high)
		case r.Name == "t.test":
			e, err := experiment.Welch(sample(t, rawX), sample(t, rawY), 0)
			if err != nil {
				t.Fatal(err)
			}
			for name, got := range map[string]float64{"t": e.Statistic, "df": e.DF, "p": e.P, "low": e.Low, "high": e.High} {
				r.Check(t, name, got)
			}
		default:
			t.Errorf("unknown row %q", r.Name)
		}
	}
}
