package clv_test

import (
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

func TestBGNBDContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.BGNBD]{
		Models: []clv.BGNBD{
			{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}, {R: 0.25, Alpha: 4.4, A: 1, B: 1}, {R: 0.25, Alpha: 4.4, A: 0.4, B: 0.6},
			{R: 0.01, Alpha: 10, A: 0.02, B: 30}, {R: 40, Alpha: 200, A: 5, B: 5},
		},
		Invalid: []clv.BGNBD{{}, {R: 1, Alpha: -1, A: 1, B: 1}, {R: 1, Alpha: 1, A: 1}},
		// A shop whose customers buy often enough for 3,000 of them to tell all four parameters.
		Simulated: clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5},
		Unit:      func(m clv.BGNBD, factor float64) clv.BGNBD { m.Alpha *= factor; return m },
		Fit:       clv.FitBGNBD,
		Params:    func(m clv.BGNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} },
	})
}
