package special

import (
	"math"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// floor is the absolute error that is allowed instead of the relative one where a logarithm is close to its zero but above
// minimum, so that 0 never passes.
const (
	floor   = 2e-15
	minimum = 1e-6
)

// goldenFuncs are the functions with computed values, by the name of their file.
var goldenFuncs = []struct {
	name string
	args []string
	f    func(x []float64) float64
}{
	{"digamma", []string{"x"}, func(x []float64) float64 { return Digamma(x[0]) }},
	{"trigamma", []string{"x"}, func(x []float64) float64 { return Trigamma(x[0]) }},
	{"log_gamma_ratio", []string{"a", "n"}, func(x []float64) float64 { return LogGammaRatio(x[0], x[1]) }},
	{"digamma_diff", []string{"a", "n"}, func(x []float64) float64 { return DigammaDiff(x[0], x[1]) }},
	{"trigamma_diff", []string{"a", "n"}, func(x []float64) float64 { return TrigammaDiff(x[0], x[1]) }},
	{"log_beta", []string{"a", "b"}, func(x []float64) float64 { return LogBeta(x[0], x[1]) }},
	{"log_beta_ratio", []string{"a", "b", "da", "db"}, func(x []float64) float64 { return LogBetaRatio(x[0], x[1], x[2], x[3]) }},
	{"log_inc_beta", []string{"a", "b", "x", "y"}, func(x []float64) float64 { return LogIncBetaXY(x[0], x[1], x[2], x[3]) }},
	{"log_beta_int", []string{"a", "b", "z", "zc"}, func(x []float64) float64 { return LogBetaIntC(x[0], x[1], x[2], x[3]) }},
	{"log_hyp2f1", []string{"a", "b", "c", "z", "zc"}, func(x []float64) float64 { return LogHyp2F1C(x[0], x[1], x[2], x[3], x[4]) }},
	{"log_hyp2f1_general", []string{"a", "b", "c", "z", "zc"}, func(x []float64) float64 { return LogHyp2F1C(x[0], x[1], x[2], x[3], x[4]) }},
	{"log_hyp2f1_neg", []string{"a", "b", "c", "z"}, func(x []float64) float64 { return LogHyp2F1Neg(x[0], x[1], x[2], x[3]) }},
	{"log_hyp2f1_long", []string{"a", "b", "c", "z", "zc"}, func(x []float64) float64 { return LogHyp2F1C(x[0], x[1], x[2], x[3], x[4]) }},
	{"log_hyp2f1_neg_long", []string{"a", "b", "c", "z"}, func(x []float64) float64 { return LogHyp2F1Neg(x[0], x[1], x[2], x[3]) }},
	{"log_gamma_p", []string{"a", "x"}, func(x []float64) float64 { return LogGammaP(x[0], x[1]) }},
	{"log_gamma_q", []string{"a", "x"}, func(x []float64) float64 { return LogGammaQ(x[0], x[1]) }},
	{"log_upper_gamma_scaled", []string{"a", "x"}, func(x []float64) float64 { return LogUpperGammaScaled(x[0], x[1]) }},
	{"upper_gamma_scaled", []string{"a", "x"}, func(x []float64) float64 { return UpperGammaScaled(x[0], x[1]) }},
	{"log_tricomi", []string{"a", "b", "z"}, func(x []float64) float64 { return LogTricomi(x[0], x[1], x[2]) }},
}

func TestGolden(t *testing.T) {
	for _, g := range goldenFuncs {
		t.Run(g.name, func(t *testing.T) {
			worst, at := 0.0, ""
			nearZero := 0
			file := golden.Load(t, "testdata/"+g.name+".json")
			for _, r := range file.Rows {
				x := make([]float64, len(g.args))
				for i, name := range g.args {
					x[i] = float64(r.Args[name])
				}
				got, want := g.f(x), float64(r.Want["v"])
				e := math.Abs(got - want)
				if e > r.Tolerance*math.Abs(want) && e <= floor && math.Abs(want) > minimum {
					nearZero++
					continue
				}
				if !(e <= r.Tolerance*math.Abs(want)) {
					t.Errorf("%s: got %.17g, want %.17g (relative difference %.2g, absolute %.2g)", r.Name, got, want, e/math.Abs(want), e)
				}
				if e/math.Abs(want) > worst {
					worst, at = e/math.Abs(want), r.Name
				}
			}
			t.Logf("%d rows, %d by absolute error, worst relative error %.2g at %s", len(file.Rows), nearZero, worst, at)
		})
	}
}
