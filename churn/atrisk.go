package churn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// AtRiskOptions say whom AtRisk lists. The zero value, and nil, have the defaults.
type AtRiskOptions struct {
	Rhythm   Rhythm
	Location *time.Location // whose calendar days count; nil means that of end
	Lost     bool           // list lost customers too
	NoValue  bool           // leave the money out; needed for a log of several currencies
}

// A RiskTable is the customers who are overdue by their own rhythm, those who have spent most first.
type RiskTable struct {
	End       time.Time `json:"end"`
	Customers int       `json:"customers"` // all who have purchased, overdue or not
	Usual     float64   `json:"usual"`     // silence in days that customers without a rhythm of their own may have; 0 if all have one
	Rows      []RiskRow `json:"rows"`
}

// A RiskRow is one overdue customer.
type RiskRow struct {
	Customer  string       `json:"customer"`
	Stage     Stage        `json:"stage"`          // StageAtRisk, StageDormant or StageLost
	Last      time.Time    `json:"last"`           // the day of the last purchase
	Silence   int          `json:"silence"`        // days since then
	Usual     float64      `json:"usual"`          // silence in days beyond which this customer is at risk
	Overdue   float64      `json:"overdue"`        // Silence / Usual, above 1
	Own       bool         `json:"own"`            // Usual is the customer's own, not that of all
	Purchases int          `json:"purchases"`      // days with a purchase
	Value     money.Amount `json:"value,omitzero"` // net spend so far, refunds subtracted
}

// AtRisk lists who is slipping away, without a model: customers who have been silent for longer than the 95th percentile
// of the gaps between their own purchases. Those with fewer than three gaps are judged by the gaps of all customers.
//
//	overdue = days since the last purchase / quantile of the own gaps in days
//
// A customer is at risk above 1, dormant above 2 and, unless AtRiskOptions.Lost, left out as lost above 4. Purchases of
// one calendar day are one, and count up to the day of end. Refunds are no purchases. Rows may come in any order; memory is
// for customers and their days with purchases.
//
// AtRisk returns an error of the stream, one with the row for a transaction without customer or time or of another
// currency, one if no customer has purchased twice and Rhythm.Default is not set, and one for options out of range.
func AtRisk(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, o *AtRiskOptions) (*RiskTable, error) {
	var opts AtRiskOptions
	if o != nil {
		opts = *o
	}
	rhythm, err := opts.Rhythm.defaults()
	if err != nil {
		return nil, err
	}
	if end.IsZero() {
		return nil, errors.New("churn: at risk: no end of observation")
	}
	loc := cmp.Or(opts.Location, end.Location())
	today := dayNumber(end, loc)
	key := func(time.Time) int64 { return 0 }
	if opts.NoValue {
		key = nil
	}
	all, err := buyers(ctx, log, loc, today, key)
	if err != nil {
		return nil, err
	}
	t := &RiskTable{End: end, Customers: len(all)}
	for _, b := range all {
		if len(b.days)-1 < rhythm.MinGaps {
			if t.Usual, err = rhythm.fallback(all); err != nil {
				return nil, err
			}
			break
		}
	}
	for i, customer := range slices.Sorted(maps.Keys(all)) {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, streamError(ctx.Err())
		}
		b := all[customer]
		usual, own := rhythm.usual(b.gaps(), t.Usual, days(rhythm.Least))
		last := b.days[len(b.days)-1]
		r := RiskRow{Customer: customer, Silence: int(today - last), Usual: usual, Own: own, Purchases: len(b.days)}
		r.Overdue = float64(r.Silence) / usual
		r.Stage = rhythm.stage(r.Overdue)
		if !r.Stage.Silent() || (r.Stage == StageLost && !opts.Lost) {
			continue
		}
		r.Last = dayStart(last, loc)
		if len(b.paid) > 0 {
			r.Value = b.paid[0].amount
		}
		t.Rows = append(t.Rows, r)
	}
	for i := range t.Rows {
		if _, err := t.Rows[i].Value.Cmp(t.Rows[0].Value); err != nil {
			return nil, fmt.Errorf("churn: at risk: customers %s and %s: %w", t.Rows[0].Customer, t.Rows[i].Customer, errors.Join(err, errConvert))
		}
	}
	slices.SortStableFunc(t.Rows, func(a, b RiskRow) int {
		order, _ := b.Value.Cmp(a.Value) // one currency, as just seen
		return cmp.Or(order, cmp.Compare(b.Overdue, a.Overdue), cmp.Compare(a.Customer, b.Customer))
	})
	return t, nil
}

// String returns the list as a table.
func (t *RiskTable) String() string {
	var rows [][]string
	for _, r := range t.Rows {
		rows = append(rows, []string{r.Customer, r.Stage.String(), r.Last.Format(time.DateOnly), strconv.Itoa(r.Silence), decimals(r.Usual, 1),
			decimals(r.Overdue, 2), strconv.Itoa(r.Purchases), r.Value.String()})
	}
	return textTable([]string{"customer", "stage", "last", "silence", "usual", "overdue", "purchases", "value"}, rows, 3)
}

// WriteCSV writes one line a customer with a header.
func (t *RiskTable) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range t.Rows {
		rows = append(rows, []string{r.Customer, r.Stage.String(), r.Last.Format(time.DateOnly), strconv.Itoa(r.Silence), number(r.Usual),
			number(r.Overdue), strconv.FormatBool(r.Own), strconv.Itoa(r.Purchases), amountText(r.Value), currencyOf(r.Value)})
	}
	return writeCSV(w, []string{"customer", "stage", "last", "silence", "usual", "overdue", "own", "purchases", "value", "currency"}, rows)
}
