package clv_test

import (
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

func TestParetoNBDContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.ParetoNBD]{
		Models: []clv.ParetoNBD{
			{R: 0.553, Alpha: 10.58, S: 0.606, Beta: 11.67}, {R: 0.55, Alpha: 10.6, S: 1, Beta: 11.7}, {R: 0.55, Alpha: 10.6, S: 2, Beta: 10.6},
			{R: 1.2, Alpha: 1000, S: 0.6, Beta: 0.01}, {R: 1.2, Alpha: 0.01, S: 0.6, Beta: 1e5}, {R: 0.01, Alpha: 10, S: 0.02, Beta: 30},
			{R: 40, Alpha: 200, S: 15, Beta: 100},
		},
		Invalid:   []clv.ParetoNBD{{}, {R: 1, Alpha: -1, S: 1, Beta: 1}, {R: 1, Alpha: 1, S: 1}},
		Simulated: clv.ParetoNBD{R: 1.2, Alpha: 6, S: 0.8, Beta: 20},
		Unit:      func(m clv.ParetoNBD, factor float64) clv.ParetoNBD { m.Alpha *= factor; m.Beta *= factor; return m },
		Fit:       clv.FitParetoNBD,
		Params:    func(m clv.ParetoNBD) []float64 { return []float64{m.R, m.Alpha, m.S, m.Beta} },
	})
}
