package validate

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Holdout is a log cut at one date: what the customers did before, as histories to fit, and what they did after.
type Holdout struct {
	Calibration *clv.Histories // customers with a purchase up to the split
	End         time.Time      // the end of the holdout period
	Duration    float64        // its length in the histories' unit
	Rows        []Outcome      // one a customer of Calibration, in the same order
	New         int            // customers whose first purchase came after the split; they are in neither
}

// An Outcome is what one customer did in the holdout period.
type Outcome struct {
	Customer  string       `json:"customer"`
	Purchases int          `json:"purchases"` // distinct days with a purchase
	Spend     money.Amount `json:"spend"`     // net of refunds that were dated in the period and are not of the only purchase
}

// SplitOptions are those of clv.Summarize that a split can use. The zero value, and a nil pointer, are the defaults.
type SplitOptions struct {
	Location *time.Location // whose calendar days count; nil means the location of the split
	Workers  int            // goroutines; 0 means GOMAXPROCS
}

// Split cuts a log in one pass: rows to the calendar day of split, itself included, are for calibration, rows to that of
// end are the holdout, later ones are left out. A day is wholly in one of them.
//
// Split returns an error if end is not after split, and those of clv.Summarize.
func Split(ctx context.Context, log iter.Seq2[ledger.Transaction, error], split, end time.Time, unit time.Duration, o *SplitOptions) (*Holdout, error) {
	var options SplitOptions
	if o != nil {
		options = *o
	}
	if options.Location == nil {
		options.Location = split.Location()
	}
	if !ledger.Day(end, options.Location).Start.After(ledger.Day(split, options.Location).Start) {
		return nil, fmt.Errorf("validate: split at %s and end at %s: want an end on a later day", split.Format(time.DateOnly), end.Format(time.DateOnly))
	}
	calibration, later, err := clv.SummarizeSplit(ctx, log, split, end, unit, &clv.SummaryOptions{Location: options.Location, Workers: options.Workers})
	if err != nil {
		return nil, err
	}
	if len(calibration.Rows) == 0 {
		return nil, fmt.Errorf("validate: no purchase on or before %s", split.Format(time.DateOnly))
	}
	h := &Holdout{Calibration: calibration, End: end, Duration: later.Duration, New: later.New, Rows: make([]Outcome, len(calibration.Rows))}
	for i, after := range later.Rows {
		h.Rows[i] = Outcome{calibration.Rows[i].Customer, after.Purchases, after.Spend}
	}
	return h, nil
}

// Naive returns the forecast "the same as before": each customer's repeat purchases a unit of time since the first one,
// times the length of the holdout period. It is what a model has to beat.
func (h *Holdout) Naive() []float64 {
	forecast := make([]float64, len(h.Rows))
	for i, c := range h.Calibration.Rows {
		if c.T > 0 {
			forecast[i] = float64(c.X) / c.T * h.Duration
		}
	}
	return forecast
}

// A Forecaster expects purchases; every model of clv is one.
type Forecaster interface {
	ExpectedPurchases(h clv.History, t float64) float64
}

// Forecast returns the model's expected purchases of each customer in the holdout period. It returns an error that names
// the customer for whom the model gives no number.
func (h *Holdout) Forecast(m Forecaster) ([]float64, error) {
	forecast := make([]float64, len(h.Rows))
	for i, c := range h.Calibration.Rows {
		v := m.ExpectedPurchases(c, h.Duration)
		if !(v >= 0) || v > 1e300 {
			return nil, fmt.Errorf("validate: customer %q: expected purchases %v", c.Customer, v)
		}
		forecast[i] = v
	}
	return forecast, nil
}

// Actual returns the purchases of each customer in the holdout period.
func (h *Holdout) Actual() []float64 {
	actual := make([]float64, len(h.Rows))
	for i, r := range h.Rows {
		actual[i] = float64(r.Purchases)
	}
	return actual
}
