package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/money"
)

// A Result is the outcome of a run but for the single scores.
type Result struct {
	Report     clv.Report                    `json:"report"`      // what became of the orders
	Currency   money.Currency                `json:"currency"`    // of the log
	Histories  int                           `json:"histories"`   // distinct (x, tx, T), the rows of the purchase model's fit
	Spends     int                           `json:"spends"`      // distinct (x, spend), the rows of the spend model's fit
	TableBytes int                           `json:"table_bytes"` // size of both as they reached the fit
	Purchases  *fit.Estimate[clv.BGNBD]      `json:"purchases"`
	Spend      *fit.Estimate[clv.GammaGamma] `json:"spend"`
	Scorer     *clv.Scorer                   `json:"scorer"` // of both models: all that a service needs
}

// String returns the report, the sizes and the estimates as text.
func (r *Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v\n%d distinct (x, tx, T) and %d distinct (x, spend) in %d bytes reached the fits\n\n%v\n%v",
		r.Report, r.Histories, r.Spends, r.TableBytes, r.Purchases, r.Spend)
	return b.String()
}

func encodeResult(r Result) ([]byte, error) { return json.Marshal(r) }

func decodeResult(text []byte) (Result, error) {
	var r Result
	err := json.Unmarshal(text, &r)
	return r, err
}

// Fit fits BG/NBD and gamma-gamma to a PCollection of one Table and returns one of the Result, whose Scorer has the value
// options. The fits are those of all customers to the last bit: a row with a count weighs as that many customers, and
// the fits take the rows in an order of their own.
func Fit(s beam.Scope, tables beam.PCollection, o Options, v clv.ValueOptions) (beam.PCollection, error) {
	s = s.Scope("Fit")
	o, err := o.WithDefaults()
	if err == nil {
		err = v.Validate()
	}
	if err != nil {
		return beam.PCollection{}, err
	}
	return beam.ParDo(s, &fitFn{o, v}, tables), nil
}

// fitFn fits the models.
type fitFn struct {
	Options Options
	Value   clv.ValueOptions
}

// ProcessElement returns the Result of a Table.
func (fn *fitFn) ProcessElement(ctx context.Context, t Table) (Result, error) {
	r := Result{Report: t.Report, Currency: t.Currency, TableBytes: len(encodeTable(t))}
	r.Histories, r.Spends = t.Sizes()
	spends, err := t.Spends(fn.Options)
	if err != nil {
		return r, err
	}
	if r.Purchases, err = clv.FitBGNBD(ctx, t.Histories(fn.Options), nil); err != nil {
		return r, err
	}
	if r.Spend, err = clv.FitGammaGamma(ctx, spends, nil); err != nil {
		return r, err
	}
	loc, err := fn.Options.location()
	if err != nil {
		return r, err
	}
	r.Scorer, err = clv.NewScorer(r.Purchases, r.Spend, t.Currency, fn.Value,
		&clv.ScorerOptions{Location: loc, End: fn.Options.End})
	return r, err
}
