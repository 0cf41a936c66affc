package clv_test

import (
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/modeltest"
)

func TestCorrelatedParetoNBDContract(t *testing.T) {
	bounded := func(m clv.CorrelatedParetoNBD, share float64) clv.CorrelatedParetoNBD {
		low, high := m.Bounds()
		if m.M = share * high; share < 0 {
			m.M = -share * low
		}
		return m
	}
	simulated := bounded(clv.CorrelatedParetoNBD{R: 1.5, Alpha: 2, S: 1.2, Beta: 4}, 0.5)
	modeltest.Run(t, modeltest.Spec[clv.CorrelatedParetoNBD]{
		Models: []clv.CorrelatedParetoNBD{
			simulated,
			bounded(clv.CorrelatedParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7}, 0.9),
			bounded(clv.CorrelatedParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7}, -0.9),
			bounded(clv.CorrelatedParetoNBD{R: 2, Alpha: 0.5, S: 1, Beta: 300, Span: 4}, 0.6),
			bounded(clv.CorrelatedParetoNBD{R: 1.1, Alpha: 40, S: 3, Beta: 0.8, Span: 0.25}, -0.5),
		},
		Invalid: []clv.CorrelatedParetoNBD{{}, {R: -1, Alpha: 1, S: 1, Beta: 1}, {R: 1, Alpha: 1, S: 1, Beta: 1, M: 99},
			{R: 1, Alpha: 1, S: 1, Beta: 1, Span: -1}},
		Simulated: simulated,
		Unit: func(m clv.CorrelatedParetoNBD, factor float64) clv.CorrelatedParetoNBD {
			if m.Span == 0 {
				m.Span = 1
			}
			m.Alpha, m.Beta, m.Span = m.Alpha*factor, m.Beta*factor, m.Span*factor
			return m
		},
		Fit:       clv.FitCorrelatedParetoNBD,
		Customers: 2500,
		Params: func(m clv.CorrelatedParetoNBD) []float64 {
			return []float64{m.R, m.Alpha, m.S, m.Beta, m.M}
		},
	})
}
