package cohort

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sort"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// LogOptions say how FromLog reads a log. The zero value, and a nil pointer, are the defaults.
type LogOptions struct {
	// Value is what a transaction adds, such as its margin; nil means its Amount.
	Value func(t ledger.Transaction) (money.Amount, error)
	// End is the end of observation: periods that end after it are not complete and so not observed. Zero means that all
	// periods are complete.
	End time.Time
}

var errOrder = errors.New("periods must follow one another without overlap")

// FromLog returns the triangle of a log. A customer belongs to the cohort of the period of the earliest purchase (a row
// whose amount is not negative); value in a later period counts at the age of the difference. Refunds reduce value in
// the period of their date and make nobody a customer.
//
// Customers whose first purchase lies outside the periods, and value outside them, are left out: cohorts before the
// first period would not show their age. Rows may come in any order.
//
// FromLog returns an error if there are no periods, if they overlap or leave gaps, the stream's errors with the row, and
// money's errors for mixed currencies.
func FromLog(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period, o *LogOptions) (*Triangle, error) {
	var options LogOptions
	if o != nil {
		options = *o
	}
	if err := checkPeriods(periods); err != nil {
		return nil, err
	}
	accounts := make(map[string]*account)
	row := 0
	for t, err := range log {
		row++
		if err == nil && row%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = add(accounts, periods, &options, row, &t)
		}
		if err != nil {
			return nil, fmt.Errorf("cohort: %w", err)
		}
	}
	return triangle(accounts, complete(periods, options.End))
}

// An account is what one customer has done.
type account struct {
	first  time.Time
	bought bool
	cohort int // the period of the first purchase, -1 outside all
	values map[int]*money.Sum
}

func checkPeriods(periods []ledger.Period) error {
	if len(periods) == 0 {
		return errors.New("cohort: no periods")
	}
	for i, p := range periods {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("cohort: %w", err)
		}
		if i > 0 && !p.Start.Equal(periods[i-1].End) {
			return fmt.Errorf("cohort: %s after %s: %w", p, periods[i-1], errOrder)
		}
	}
	return nil
}

// complete returns the periods that end at or before the end of observation.
func complete(periods []ledger.Period, end time.Time) []ledger.Period {
	for i, p := range periods {
		if !end.IsZero() && p.End.After(end) {
			return periods[:i]
		}
	}
	return periods
}

// index returns the period of t, -1 for none.
func index(periods []ledger.Period, t time.Time) int {
	i := sort.Search(len(periods), func(i int) bool { return periods[i].End.After(t) })
	if i == len(periods) || !periods[i].Contains(t) {
		return -1
	}
	return i
}

func add(accounts map[string]*account, periods []ledger.Period, o *LogOptions, row int, t *ledger.Transaction) error {
	switch {
	case t.Customer == "":
		return &ledger.RowError{Row: row, Field: "Customer", Err: errors.New("empty")}
	case t.At.IsZero():
		return &ledger.RowError{Row: row, Field: "At", Value: t.At.String(), Err: errors.New("no time")}
	}
	a := accounts[t.Customer]
	if a == nil {
		a = &account{cohort: -1, values: make(map[int]*money.Sum)}
		accounts[t.Customer] = a
	}
	at := index(periods, t.At)
	if t.Amount.Sign() >= 0 && (!a.bought || t.At.Before(a.first)) {
		a.first, a.bought, a.cohort = t.At, true, at
	}
	if at < 0 {
		return nil
	}
	value := t.Amount
	if o.Value != nil {
		var err error
		if value, err = o.Value(*t); err != nil {
			return &ledger.RowError{Row: row, Err: err}
		}
	}
	if a.values[at] == nil {
		a.values[at] = new(money.Sum)
	}
	a.values[at].Add(value)
	return nil
}

// triangle adds the accounts up.
func triangle(accounts map[string]*account, periods []ledger.Period) (*Triangle, error) {
	n := len(periods)
	if n == 0 {
		return nil, errors.New("cohort: no period is complete at the end of observation")
	}
	sums := make([][]money.Sum, n)
	rows := make([]Row, n)
	for i, p := range periods {
		sums[i] = make([]money.Sum, n-i)
		rows[i].Cohort = p.String()
	}
	for _, a := range accounts { // sums are exact, so the order does not matter
		if !a.bought || a.cohort < 0 || a.cohort >= n {
			continue
		}
		rows[a.cohort].Customers++
		for at, value := range a.values {
			if at < a.cohort || at >= n {
				continue
			}
			total, err := value.Total()
			if err != nil {
				return nil, fmt.Errorf("cohort: %w", err)
			}
			sums[a.cohort][at-a.cohort].Add(total)
		}
	}
	for i := range rows {
		var running money.Sum
		for age := range sums[i] {
			total, err := sums[i][age].Total()
			if err != nil {
				return nil, fmt.Errorf("cohort: %w", err)
			}
			running.Add(total)
			cumulative, err := running.Total()
			if err != nil {
				return nil, fmt.Errorf("cohort: %w", err)
			}
			rows[i].Cumulative = append(rows[i].Cumulative, cumulative)
		}
	}
	t := &Triangle{Rows: rows}
	return t, t.Validate()
}
