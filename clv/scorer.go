package clv

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Scorer says what customers are worth: a fitted purchase model, a fitted spend model and what value means. It is a
// plain value without data, safe for concurrent use, and is stored as one JSON file.
//
// Batches go through All and Top. A service keeps a State a customer, which Observe moves from order to order and Advance
// through time, and asks Score; the log is not needed.
type Scorer struct {
	worth
	unit  time.Duration
	end   time.Time // of the data that the models were fitted to
	grain Granularity
	loc   *time.Location
}

// ScorerOptions say how a Scorer reads the transactions that Observe takes. The zero value, and a nil pointer, are the
// defaults.
type ScorerOptions struct {
	Location    *time.Location // whose calendar days count; nil means that of End
	Granularity Granularity    // what counts as one purchase; by day if zero
	End         time.Time      // end of observation of the data that the models were fitted to; for information
}

// FitScorer fits BG/NBD and gamma-gamma to the histories and returns their Scorer. Observe will take calendar days in the
// location of hs.End, which Summarize sets.
//
// FitScorer returns the errors of FitBGNBD, FitGammaGamma and NewScorer; a fit that has not converged gives no Scorer.
func FitScorer(ctx context.Context, hs *Histories, v ValueOptions) (*Scorer, error) {
	if err := v.Validate(); err != nil { // before the work
		return nil, err
	}
	purchases, err := FitBGNBD(ctx, hs, nil)
	if err != nil {
		return nil, err
	}
	spend, err := FitGammaGamma(ctx, hs, nil)
	if err != nil {
		return nil, err
	}
	currency, err := hs.currency()
	if err != nil {
		return nil, err
	}
	return NewScorer(purchases, spend, currency, v, &ScorerOptions{End: hs.End})
}

// NewScorer returns the Scorer of any fitted pair of models. Values are in the currency, which must be that of the
// histories that the spend model was fitted to.
//
// NewScorer returns an error if an estimate is nil, a model or an option not valid, if the purchase estimate has no unit,
// or if the currency has no minor unit to round to.
func NewScorer[M Model, S SpendModel](purchases *fit.Estimate[M], spend *fit.Estimate[S], currency money.Currency, v ValueOptions, o *ScorerOptions) (*Scorer, error) {
	if purchases == nil || spend == nil {
		return nil, errors.New("clv: scorer: no estimate")
	}
	s := &Scorer{worth: worth{purchases: purchases.Model, spend: spend.Model, v: v, currency: currency}, unit: purchases.Unit}
	if o != nil {
		s.loc, s.grain, s.end = o.Location, o.Granularity, o.End
	}
	return s, s.complete()
}

// complete checks a Scorer and derives what is not stored.
func (s *Scorer) complete() error {
	if err := errors.Join(s.purchases.Validate(), s.spend.Validate()); err != nil {
		return fmt.Errorf("clv: scorer: %w", err)
	}
	if err := s.v.Validate(); err != nil {
		return err
	}
	var err error
	if s.delta, err = s.v.Discount.Rate(s.unit); err != nil {
		return err
	}
	if _, err := money.FromFloat(0, s.currency, s.v.Rounding); err != nil {
		return fmt.Errorf("clv: scorer: %w", err)
	}
	if s.grain > ByInstant {
		return fmt.Errorf("clv: scorer: unknown granularity %d", uint8(s.grain))
	}
	if s.loc == nil {
		s.loc = s.end.Location()
	}
	return nil
}

// Purchases returns the purchase model.
func (s *Scorer) Purchases() Model { return s.purchases }

// Spend returns the spend model.
func (s *Scorer) Spend() SpendModel { return s.spend }

// Unit returns the unit of the model's time.
func (s *Scorer) Unit() time.Duration { return s.unit }

// Currency returns the currency of the values.
func (s *Scorer) Currency() money.Currency { return s.currency }

// Options returns what value means.
func (s *Scorer) Options() ValueOptions { return s.v }

// A Score is what a customer is worth.
type Score struct {
	Customer  string       `json:"customer"`
	ProbAlive float64      `json:"prob_alive"` // probability that the customer is still a customer
	Purchases float64      `json:"purchases"`  // expected purchases within the horizon; for ever, discounted ones
	Value     money.Amount `json:"value"`      // what they are expected to earn, discounted
}

// All returns the score of each customer in the order of the rows, computed in parallel some thousands ahead of the
// reader.
//
// The stream ends with an error if hs is nil or of another unit than the model. A history that does not validate, has
// another currency or whose value is infinite (ErrInfinite) gives a *ledger.RowError in its place, and the stream goes on.
func (s *Scorer) All(hs *Histories) iter.Seq2[Score, error] {
	return func(yield func(Score, error) bool) {
		if hs == nil {
			yield(Score{}, errors.New("clv: no histories"))
			return
		}
		if err := sameUnit(s.unit, hs.Unit); err != nil {
			yield(Score{}, err)
			return
		}
		many := *s
		many.purchases = shared(s.purchases)
		rows := inOrder(context.Background(), len(hs.Rows), runtime.GOMAXPROCS(0), func(i int) (Score, error) { return many.row(hs, i) })
		for v, err := range rows {
			if !yield(v, err) {
				return
			}
		}
	}
}

func (s *Scorer) row(hs *Histories, i int) (Score, error) {
	h := &hs.Rows[i]
	if err := hs.rowError(i); err != nil {
		return Score{Customer: h.Customer}, err
	}
	if c := h.Spend.Currency(); c != "" && c != s.currency {
		return Score{Customer: h.Customer}, fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "Spend", Value: h.Spend.String(),
			Err: &money.CurrencyMismatchError{A: s.currency, B: c}})
	}
	v, err := s.score(*h)
	if err != nil {
		return Score{Customer: h.Customer}, hs.numberError(i, err)
	}
	return v, nil
}

// Top returns the n customers of the highest value, the best first and equal ones by Customer; all of them if there are
// no more. It returns the first error of All, and one if n is negative.
func (s *Scorer) Top(hs *Histories, n int) (Scores, error) {
	if n < 0 {
		return nil, fmt.Errorf("clv: top %d: negative", n)
	}
	var best Scores
	for v, err := range s.All(hs) {
		if err != nil {
			return nil, err
		}
		best = append(best, v)
		if len(best) >= 2*n+1024 {
			best = best.first(n)
		}
	}
	return slices.Clip(best.first(n)), nil
}

// Scores are scores of several customers.
type Scores []Score

// first sorts the scores and returns the best n.
func (ss Scores) first(n int) Scores {
	slices.SortFunc(ss, func(a, b Score) int {
		c, err := b.Value.Cmp(a.Value)
		if err != nil { // of one currency all
			c = 0
		}
		return cmp.Or(c, strings.Compare(a.Customer, b.Customer))
	})
	return ss[:min(n, len(ss))]
}

// Total returns the sum of the values. It returns an error if their currencies differ.
func (ss Scores) Total() (money.Amount, error) {
	var sum money.Sum
	for _, s := range ss {
		sum.Add(s.Value)
	}
	return sum.Total()
}

// String returns the scores as an aligned table.
func (ss Scores) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "customer\tP(alive)\tpurchases\tvalue\t\n")
	for _, s := range ss {
		fmt.Fprintf(w, "%s\t%.3f\t%.2f\t%v\t\n", oneLine(s.Customer), s.ProbAlive, s.Purchases, s.Value)
	}
	_ = w.Flush() // a strings.Builder does not fail
	return strings.TrimSuffix(b.String(), "\n")
}

// oneLine keeps an id from breaking a table.
func oneLine(id string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, id)
}

// WriteCSV writes a header and one record a customer, with all digits: customer, prob_alive, purchases, value, currency.
func (ss Scores) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"customer", "prob_alive", "purchases", "value", "currency"}); err != nil {
		return err
	}
	for _, s := range ss {
		if math.IsNaN(s.ProbAlive) || math.IsNaN(s.Purchases) {
			return fmt.Errorf("clv: customer %q: a score that is not a number", s.Customer)
		}
		record := []string{s.Customer, strconv.FormatFloat(s.ProbAlive, 'g', -1, 64), strconv.FormatFloat(s.Purchases, 'g', -1, 64),
			s.Value.Number(), string(s.Value.Currency())}
		if err := c.Write(record); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
