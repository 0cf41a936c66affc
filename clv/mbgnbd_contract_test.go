package clv_test

import (
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

func TestMBGNBDContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.MBGNBD]{
		Models: []clv.MBGNBD{
			{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614}, {R: 0.25, Alpha: 4.4, A: 1, B: 1}, {R: 0.25, Alpha: 4.4, A: 0.4, B: 0.6},
			{R: 0.01, Alpha: 10, A: 0.02, B: 30}, {R: 40, Alpha: 200, A: 5, B: 5},
		},
		Invalid:   []clv.MBGNBD{{}, {R: 1, Alpha: -1, A: 1, B: 1}, {R: 1, Alpha: 1, A: 1}},
		Simulated: clv.MBGNBD{R: 1.2, Alpha: 6, A: 0.8, B: 2.5},
		Unit:      func(m clv.MBGNBD, factor float64) clv.MBGNBD { m.Alpha *= factor; return m },
		Fit:       clv.FitMBGNBD,
		Params:    func(m clv.MBGNBD) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} },
	})
}

func TestNBDContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.NBD]{
		Models: []clv.NBD{
			{R: 0.385, Alpha: 12.07}, {R: 1, Alpha: 1}, {R: 0.01, Alpha: 10}, {R: 40, Alpha: 200},
		},
		Invalid:   []clv.NBD{{}, {R: 1, Alpha: -1}, {Alpha: 1}},
		Simulated: clv.NBD{R: 0.8, Alpha: 5},
		Unit:      func(m clv.NBD, factor float64) clv.NBD { m.Alpha *= factor; return m },
		Fit:       clv.FitNBD,
		Params:    func(m clv.NBD) []float64 { return []float64{m.R, m.Alpha} },
	})
}
