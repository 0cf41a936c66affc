package clv

import (
	"math"
	"testing"

	"github.com/custval/custval/internal/golden"
)

// The models of spend at 200 points each of a wide box: shapes from 0.01 to 50, spends from 1e-4 to 1e4, up to 5,000
// purchases. The log-likelihood is held relative to its size or 1.
func TestSpendModelsGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/gammagamma_box.json").Rows {
		m := GammaGamma{float64(row.Args["p"]), float64(row.Args["q"]), float64(row.Args["gamma"])}
		checkSpend(t, row, m.LogLikelihood, m.Mean)
	}
	for _, row := range golden.Load(t, "testdata/normalnormal.json").Rows {
		m := NormalNormal{float64(row.Args["mu"]), float64(row.Args["tau"]), float64(row.Args["sigma"])}
		checkSpend(t, row, m.LogLikelihood, m.Mean)
	}
}

func checkSpend(t *testing.T, row golden.Row, logLikelihood, mean func(x int, mean float64) float64) {
	t.Helper()
	x, z := int(row.Args["x"]), float64(row.Args["mean"])
	want := float64(row.Want["log_likelihood"])
	if got := logLikelihood(x, z); !(math.Abs(got-want) <= row.Tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s: log-likelihood %.15g, want %.15g", row.Name, got, want)
	}
	row.Check(t, "mean", mean(x, z))
}
