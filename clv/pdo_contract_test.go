package clv_test

import (
	"context"
	"testing"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
)

func TestPDOContract(t *testing.T) {
	modeltest.Run(t, modeltest.Spec[clv.PDO]{
		Models: []clv.PDO{
			{R: 0.55, Alpha: 10.6, A: 0.6, B: 40, Period: 0.3}, {R: 0.55, Alpha: 10.6, A: 0.6, B: 2, Period: 4},
			{R: 0.55, Alpha: 10.6, A: 1, B: 1, Period: 13}, {R: 0.01, Alpha: 10, A: 0.02, B: 30, Period: 1},
			{R: 40, Alpha: 200, A: 5, B: 5, Period: 7}, {R: 1.2, Alpha: 0.01, A: 3, B: 1000, Period: 0.1},
		},
		Invalid:   []clv.PDO{{}, {R: 1, Alpha: -1, A: 1, B: 1, Period: 1}, {R: 1, Alpha: 1, A: 1, B: 1}},
		Simulated: clv.PDO{R: 1.2, Alpha: 6, A: 0.8, B: 5, Period: 4},
		Unit: func(m clv.PDO, factor float64) clv.PDO {
			m.Alpha *= factor
			m.Period *= factor
			return m
		},
		Fit: func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.PDO], error) {
			period := 4.0
			if hs != nil && hs.Unit == clv.Day {
				period = 28
			}
			return clv.FitPDO(ctx, hs, period, o)
		},
		Params: func(m clv.PDO) []float64 { return []float64{m.R, m.Alpha, m.A, m.B} },
	})
}
