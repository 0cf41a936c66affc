package clv

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// BatchOptions say how predictions of many customers are computed. The zero value, and a nil pointer, are the defaults.
type BatchOptions struct {
	Into    []float64 // takes the result if its capacity suffices, so that a service need not allocate; nil makes a new slice
	Workers int       // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

// ProbAliveAll returns the model's ProbAlive of each row, in their order, computed in parallel. The numbers have the
// bits of the method's.
//
// It returns an error if the model does not validate, hs is nil or ctx ends, and a *ledger.RowError for the first history
// that does not validate or gives no number.
func ProbAliveAll(ctx context.Context, m Model, hs *Histories, o *BatchOptions) ([]float64, error) {
	return eachOf(ctx, m, hs, o, func(m Model, h *History) float64 { return m.ProbAlive(*h) })
}

// ExpectedPurchasesAll returns the model's ExpectedPurchases in (T, T+t] of each row, in their order, computed in
// parallel. The numbers have the bits of the method's; what customers with the same X share is computed once. Predict
// does the same for a stream.
//
// Errors are those of ProbAliveAll, and one for a t that is negative or not finite.
func ExpectedPurchasesAll(ctx context.Context, m Model, hs *Histories, t float64, o *BatchOptions) ([]float64, error) {
	if !validTime(t) {
		return nil, fmt.Errorf("clv: time %v: want a finite number of units that is not negative", t)
	}
	return eachOf(ctx, m, hs, o, func(m Model, h *History) float64 { return m.ExpectedPurchases(*h, t) })
}

// DiscountedPurchasesAll returns the DiscountedPurchases of each row, in their order, computed in parallel. The numbers
// have the bits of the function's.
//
// Errors are those of ProbAliveAll, and one for a horizon or delta that is negative or not finite.
func DiscountedPurchasesAll(ctx context.Context, m Model, hs *Histories, horizon, delta float64, o *BatchOptions) ([]float64, error) {
	if !validTime(horizon) || !validTime(delta) {
		return nil, fmt.Errorf("clv: horizon %v at the rate %v: want finite numbers that are not negative", horizon, delta)
	}
	return eachOf(ctx, m, hs, o, func(m Model, h *History) float64 { return DiscountedPurchases(m, *h, horizon, delta) })
}

// DERTAll returns the model's DERT of each row at the continuous rate delta a unit, in their order, computed in parallel.
// The numbers have the bits of the method's.
//
// Special cases: +Inf where the method gives it, at delta 0. Errors are those of ProbAliveAll, and one for a delta that is
// negative or not finite.
func DERTAll(ctx context.Context, m Model, hs *Histories, delta float64, o *BatchOptions) ([]float64, error) {
	if !validTime(delta) {
		return nil, fmt.Errorf("clv: discount rate %v: want a finite number that is not negative", delta)
	}
	return eachOf(ctx, m, hs, o, func(m Model, h *History) float64 { return m.DERT(*h, delta) })
}

// eachOf computes one number a row.
func eachOf(ctx context.Context, m Model, hs *Histories, o *BatchOptions, number func(m Model, h *History) float64) ([]float64, error) {
	if m == nil {
		return nil, errors.New("clv: no model")
	}
	if hs == nil {
		return nil, errors.New("clv: no histories")
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &BatchOptions{}
	}
	if o.Workers < 0 {
		return nil, fmt.Errorf("clv: %d workers: negative", o.Workers)
	}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	out := o.Into[:0]
	if cap(out) < len(hs.Rows) {
		out = make([]float64, len(hs.Rows))
	}
	out = out[:len(hs.Rows)]
	m = shared(m)
	err := inPieces(ctx, len(out), 512, workers, func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			h := &hs.Rows[i]
			if out[i] = number(m, h); out[i] != out[i] {
				if err := hs.rowError(i); err != nil {
					return err
				}
				return hs.numberError(i, errNoNumber)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
