package clv

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// PredictDynamic is Predict for a model with covariates that change with time: row i of the design is that of row i of the
// histories, which may be others than those of the fit, and its paths must go on to the horizon: the calendar they come
// from knows the future, or DynamicDesign.Continue gives it one. The design must have the columns of the model.
//
// The stream ends with the errors of Predict, and one if the design does not fit the histories or the model. A customer
// whose path ends before the horizon gives a *ledger.RowError in place of a prediction, and the stream goes on.
func PredictDynamic(ctx context.Context, e *fit.Estimate[DynamicParetoNBD], hs *Histories, d *DynamicDesign, o *PredictOptions) iter.Seq2[Prediction, error] {
	return func(yield func(Prediction, error) bool) {
		p, err := newDynamicPredictor(e, hs, d, o)
		if err != nil {
			yield(Prediction{}, err)
			return
		}
		for v, err := range inOrder(ctx, len(hs.Rows), p.workers, func(i int) (Prediction, error) { return p.of(hs, i) }) {
			if !yield(v, err) {
				return
			}
		}
	}
}

// A dynamicPredictor knows the factors of the rates for each distinct row of covariates.
type dynamicPredictor struct {
	predictor
	d          *DynamicDesign
	base       ParetoNBD
	buy, leave []float64
}

func newDynamicPredictor(e *fit.Estimate[DynamicParetoNBD], hs *Histories, d *DynamicDesign, o *PredictOptions) (*dynamicPredictor, error) {
	if e == nil {
		return nil, errNoEstimate
	}
	if err := e.Model.Validate(); err != nil {
		return nil, err
	}
	p, err := newPredictor(&fit.Estimate[ParetoNBD]{Model: e.Model.Base, Unit: e.Unit}, hs, o)
	if err != nil {
		return nil, err
	}
	if err := d.check(hs); err != nil {
		return nil, err
	}
	if want, got := e.Model.Terms.Columns(), d.Columns(); !slices.Equal(want, got) {
		return nil, fmt.Errorf("clv: the design has the columns %q, the model %q", got, want)
	}
	q := &dynamicPredictor{predictor: *p, d: d, base: e.Model.Base}
	for _, row := range d.values {
		q.buy = append(q.buy, math.Exp(product(e.Model.Effects[0].Coefficients, row)))
		q.leave = append(q.leave, math.Exp(product(e.Model.Effects[1].Coefficients, row)))
	}
	return q, nil
}

// of returns the prediction of row i.
func (p *dynamicPredictor) of(hs *Histories, i int) (Prediction, error) {
	c := &p.d.courses[p.d.of[i]]
	w := PathParetoNBD{base: p.base, starts: c.starts, end: c.end, bought: math.NaN()}
	if h := &hs.Rows[i]; !w.knows(h.T+p.horizon) && hs.rowError(i) == nil {
		return Prediction{Customer: h.Customer}, fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "Horizon", Value: short(p.horizon),
			Err: fmt.Errorf("customer %q: the covariates are known until %s only", h.Customer, p.d.until(i))})
	}
	w.buy, w.leave = make([]float64, len(c.rows)), make([]float64, len(c.rows))
	for k, row := range c.rows {
		w.buy[k], w.leave[k] = p.buy[row], p.leave[row]
	}
	q := p.predictor
	q.model = w
	return q.at(hs, i)
}

// until says when the path of customer i ends: a date, or a time on the customer's clock.
func (d *DynamicDesign) until(i int) string {
	end := d.courses[d.of[i]].end
	if d.dates == nil {
		return short(end)
	}
	tick := float64(d.dates.unit)
	if d.dates.grain == ByDay {
		tick /= float64(Day)
	}
	return tickText(d.dates.grain, d.dates.starts[i]+int64(math.Round(end*tick)))
}

// A DynamicFitFunc fits a model with covariates that change with time, as FitDynamicParetoNBD does.
type DynamicFitFunc func(ctx context.Context, data *Histories, d *DynamicDesign, o *CovOptions) (*fit.Estimate[DynamicParetoNBD], error)

// BootstrapDynamic is Bootstrap for a model with covariates that change with time: a customer is drawn with the path.
// covariates are the options that the estimate was fitted with; their Fit is not used. The draws depend on the order of the
// customers.
func BootstrapDynamic(ctx context.Context, e *fit.Estimate[DynamicParetoNBD], data *Histories, d *DynamicDesign, covariates *CovOptions,
	refit DynamicFitFunc, o *BootstrapOptions) (*Draws[DynamicParetoNBD], error) {
	if e == nil || refit == nil {
		return nil, errNoEstimate
	}
	if err := data.Validate(); err != nil {
		return nil, err
	}
	if err := d.check(data); err != nil {
		return nil, err
	}
	if err := sameUnit(e.Unit, data.Unit); err != nil {
		return nil, err
	}
	return resampleRows(ctx, e, data, d, covariates, refit, o)
}
