package clv_test

import (
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

func TestGGompertzContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.GGompertzNBD]{
		Models: []clv.GGompertzNBD{
			{R: 0.55, Alpha: 10.6, B: 0.05, S: 0.6, Beta: 2}, {R: 0.55, Alpha: 10.6, B: 8, S: 0.6, Beta: 11.7},
			{R: 0.55, Alpha: 10.6, B: 1e-9, S: 0.6, Beta: 1e-8}, {R: 0.01, Alpha: 10, B: 0.1, S: 0.02, Beta: 1},
			{R: 40, Alpha: 200, B: 0.2, S: 5, Beta: 1e5}, {R: 1.2, Alpha: 0.01, B: 20, S: 30, Beta: 1e-3},
		},
		Invalid:   []clv.GGompertzNBD{{}, {R: 1, Alpha: -1, B: 1, S: 1, Beta: 1}, {R: 1, Alpha: 1, B: 1, S: 1}},
		Simulated: clv.GGompertzNBD{R: 1.2, Alpha: 4, B: 0.15, S: 0.8, Beta: 20},
		Unit: func(m clv.GGompertzNBD, factor float64) clv.GGompertzNBD {
			m.Alpha *= factor
			m.B /= factor
			return m
		},
		Customers: 1000,
		Fit:       clv.FitGGompertzNBD,
		Params:    func(m clv.GGompertzNBD) []float64 { return []float64{m.R, m.Alpha, m.B, m.S, m.Beta} },
	})
}
