package clv

import "testing"

func TestCorrelatedGolden(t *testing.T) {
	checkGolden(t, "testdata/correlatedparetonbd.json", func(arg func(string) float64) CorrelatedParetoNBD {
		return CorrelatedParetoNBD{R: arg("r"), Alpha: arg("alpha"), S: arg("s"), Beta: arg("beta"), M: arg("m"), Span: arg("span")}
	})
}
