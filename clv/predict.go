package clv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"strconv"
	"time"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// A Prediction is what a purchase model expects of one customer.
type Prediction struct {
	Customer  string  `json:"customer"`
	ProbAlive float64 `json:"prob_alive"` // probability that the customer is still a customer at the end of observation
	Purchases float64 `json:"purchases"`  // expected purchases within the horizon, discounted if the options have a rate
}

// PredictOptions say what Predict predicts. The zero value, and a nil pointer, are the defaults.
type PredictOptions struct {
	Horizon  float64  // how far to look ahead, in the histories' unit; 0 means one year
	Discount Discount // weighs later purchases less; the zero Discount counts each as 1
	Workers  int      // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

// Predict returns a prediction for each customer, in the order of the rows. They are computed in parallel, some
// thousands ahead of the reader; when the reader stops, so does the work.
//
// The stream ends with an error if the estimate or the histories are nil, if the model does not validate, if the units of
// estimate and histories differ, if an option is out of range, and if ctx ends. A history that does not validate gives a
// *ledger.RowError in its place, and the stream goes on.
func Predict[M Model](ctx context.Context, e *fit.Estimate[M], hs *Histories, o *PredictOptions) iter.Seq2[Prediction, error] {
	return func(yield func(Prediction, error) bool) {
		p, err := newPredictor(e, hs, o)
		if err != nil {
			yield(Prediction{}, err)
			return
		}
		for v, err := range inOrder(ctx, len(hs.Rows), p.workers, func(i int) (Prediction, error) { return p.at(hs, i) }) {
			if !yield(v, err) {
				return
			}
		}
	}
}

type predictor struct {
	model          Model
	horizon, delta float64
	workers        int
}

func newPredictor[M Model](e *fit.Estimate[M], hs *Histories, o *PredictOptions) (*predictor, error) {
	if e == nil {
		return nil, errors.New("clv: no estimate")
	}
	if hs == nil {
		return nil, errors.New("clv: no histories")
	}
	if err := e.Model.Validate(); err != nil {
		return nil, err
	}
	if err := sameUnit(e.Unit, hs.Unit); err != nil {
		return nil, err
	}
	if o == nil {
		o = &PredictOptions{}
	}
	delta, err := o.Discount.Rate(hs.Unit)
	if err != nil {
		return nil, err
	}
	if !(o.Horizon >= 0) || math.IsInf(o.Horizon, 1) {
		return nil, fmt.Errorf("clv: horizon %v: want a finite number of units that is not negative", o.Horizon)
	}
	if o.Workers < 0 {
		return nil, fmt.Errorf("clv: %d workers: negative", o.Workers)
	}
	p := &predictor{model: shared(e.Model), horizon: o.Horizon, delta: delta, workers: o.Workers}
	if p.horizon == 0 {
		p.horizon = float64(Year) / float64(hs.Unit)
	}
	if p.workers == 0 {
		p.workers = runtime.GOMAXPROCS(0)
	}
	return p, nil
}

func sameUnit(estimate, histories time.Duration) error {
	if histories <= 0 {
		return fmt.Errorf("clv: histories with the unit %v: want a positive one, such as clv.Week", histories)
	}
	if estimate != histories {
		return fmt.Errorf("clv: the model counts time in units of %v, the histories in units of %v", estimate, histories)
	}
	return nil
}

func (p *predictor) at(hs *Histories, i int) (Prediction, error) {
	h := &hs.Rows[i]
	if err := hs.rowError(i); err != nil {
		return Prediction{Customer: h.Customer}, err
	}
	v := Prediction{Customer: h.Customer, ProbAlive: p.model.ProbAlive(*h)}
	if p.delta == 0 {
		v.Purchases = p.model.ExpectedPurchases(*h, p.horizon)
	} else {
		v.Purchases = DiscountedPurchases(p.model, *h, p.horizon, p.delta)
	}
	if !finite(v.ProbAlive) || !finite(v.Purchases) {
		return Prediction{Customer: h.Customer}, hs.numberError(i, errNoNumber)
	}
	return v, nil
}

// rowError returns the first problem of a row with its number, nil if there is none.
func (hs *Histories) rowError(i int) error {
	bad := hs.Rows[i].problem()
	if bad == nil {
		return nil
	}
	bad.Row = i + 1
	return fmt.Errorf("clv: %w", bad)
}

// numberError is the error of a row that validates and still gives no number.
func (hs *Histories) numberError(i int, reason error) error {
	h := &hs.Rows[i]
	return fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1,
		Value: fmt.Sprintf("X %d, TX %s, T %s", h.X, short(h.TX), short(h.T)), Err: reason})
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// inOrder computes n values in blocks, each block in parallel, and yields them in order with their errors. Nothing runs
// while the reader has its turn.
func inOrder[T any](ctx context.Context, n, workers int, compute func(i int) (T, error)) iter.Seq2[T, error] {
	type result struct {
		v   T
		err error
	}
	return func(yield func(T, error) bool) {
		block := 256 // the first is small, so that a reader who wants few rows waits for few
		results := make([]result, 0, min(n, 1<<14))
		for from := 0; from < n; from += len(results) {
			results = results[:min(block, n-from, cap(results))]
			err := inPieces(ctx, len(results), 128, workers, func(lo, hi int) error {
				for i := lo; i < hi; i++ {
					results[i].v, results[i].err = compute(from + i)
				}
				return nil
			})
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for i := range results {
				if !yield(results[i].v, results[i].err) {
					return
				}
			}
			block *= 4
		}
	}
}
