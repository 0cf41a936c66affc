package clv

import "github.com/custval/custval/internal/mle"

// plainKernel is that of a likelihood whose sum over customers with the same parameters is that of the plain model.
func plainKernel[T any](sum func(rows []T, theta []float64, d *mle.Derivs)) func(rows []T) covKernel {
	return func(rows []T) covKernel {
		return func([]float64, bool) func(v []float64, lo, hi int, d *mle.Derivs) {
			return func(v []float64, lo, hi int, d *mle.Derivs) { sum(rows[lo:hi], v, d) }
		}
	}
}

func pdoKernel(period float64) func(rows []row) covKernel {
	return plainKernel(func(rows []row, theta []float64, d *mle.Derivs) { sumPDO(rows, theta, period, d) })
}
