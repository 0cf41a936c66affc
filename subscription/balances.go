package subscription

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Balance is the MRR of one customer at one moment, as exports by month have it.
type Balance struct {
	Customer string
	Parent   string // empty means the customer itself
	At       time.Time
	MRR      money.Amount // not negative
}

// Balances is a history of which only snapshots are known: what happened between them is not. So it has the metrics that
// compare two snapshots, and nothing else: movements are period-net, and there is no log, no renewal and no reason.
type Balances struct {
	book  *Book
	dates []int64
}

// NewBalances reads snapshots into Balances, in any order. A customer that a snapshot does not have pays nothing then. It
// returns an error if the stream does, for a row without customer or date, with a negative MRR, or that repeats customer
// and date.
func NewBalances(rows iter.Seq2[Balance, error]) (*Balances, error) {
	var all []numberedBalance
	seen := map[balanceKey]int{}
	n := 0
	for r, err := range rows {
		if err != nil {
			return nil, prefixed(err)
		}
		n++
		t, ok := moment(r.At)
		k := balanceKey{r.Customer, t}
		switch {
		case r.Customer == "":
			err = bad("Customer", "", errNoCustomer)
		case r.At.IsZero():
			err = bad("At", "", errors.New("a balance needs a date"))
		case !ok:
			err = bad("At", showTime(r.At), errYear)
		case r.MRR.Sign() < 0:
			err = bad("MRR", r.MRR.String(), errNegative)
		case seen[k] > 0:
			err = bad("At", showTime(r.At), fmt.Errorf("row %d has this customer and date", seen[k]))
		}
		if err != nil {
			return nil, prefixed(numbered(err, n))
		}
		seen[k] = n
		all = append(all, numberedBalance{r, t})
	}
	b := &Balances{}
	for _, r := range all {
		b.dates = append(b.dates, r.t)
	}
	slices.Sort(b.dates)
	b.dates = slices.Compact(b.dates)
	book, err := New(b.rows(all))
	if err != nil {
		return nil, err
	}
	b.book = book.With(Policy{Name: "period-net", Mode: PeriodNet})
	return b, nil
}

type balanceKey struct {
	customer string
	t        int64
}

type numberedBalance struct {
	Balance
	t int64
}

// rows makes a row of each balance, from its snapshot to the next; the last ones run on.
func (b *Balances) rows(all []numberedBalance) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range all {
			i, _ := slices.BinarySearch(b.dates, r.t)
			row := Row{Customer: r.Customer, Parent: r.Parent, Price: r.MRR, Interval: EveryMonth, From: r.At}
			if i+1 < len(b.dates) {
				row.To = clock(b.dates[i+1])
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// Dates returns the dates of the snapshots, in order and in UTC.
func (b *Balances) Dates() []time.Time {
	out := make([]time.Time, len(b.dates))
	for i, t := range b.dates {
		out[i] = clock(t)
	}
	return out
}

// In is [Book.In].
func (b *Balances) In(c money.Currency, rates []money.Rate) (*Balances, error) {
	book, err := b.book.In(c, rates)
	if err != nil {
		return nil, err
	}
	return &Balances{book: book, dates: b.dates}, nil
}

// With returns a view under another policy, of which the rules of prices mean nothing here: the balances are MRR already.
// It returns an error if the policy is in event mode, because the events between snapshots are not known.
func (b *Balances) With(p Policy) (*Balances, error) {
	if p.Mode != PeriodNet {
		return nil, errors.New("subscription: balances at moments do not know the events between them: only PeriodNet is possible")
	}
	if p.Grain != ByCustomer && p.Grain != ByParent {
		return nil, fmt.Errorf("subscription: balances of customers have no grain %s", p.Grain)
	}
	return &Balances{book: b.book.With(p), dates: b.dates}, nil
}

// At returns the snapshot of a date. It returns an error if there is none.
func (b *Balances) At(at time.Time) (*Snapshot, error) {
	if err := b.known(at); err != nil {
		return nil, err
	}
	return b.book.At(at)
}

func (b *Balances) known(at time.Time) error {
	t, ok := moment(at)
	if _, found := slices.BinarySearch(b.dates, t); !ok || !found {
		return fmt.Errorf("subscription: no snapshot at %s", showTime(at))
	}
	return nil
}

// Between compares two snapshots: the opening is that of from, the closing that of to, and the period is between them. It
// returns an error if one of them does not exist or to is not after from.
func (b *Balances) Between(from, to time.Time) (*PeriodResult, error) {
	t, err := b.RollForward(context.Background(), []time.Time{from, to})
	if err != nil {
		return nil, err
	}
	return &t.Periods[0], nil
}

// RollForward compares each of the snapshots, which must be at least two and in order, with the one before it; nil means
// all that there are.
func (b *Balances) RollForward(ctx context.Context, dates []time.Time) (*RollForward, error) {
	if dates == nil {
		dates = b.Dates()
	}
	if len(dates) < 2 {
		return nil, fmt.Errorf("subscription: %d snapshots: two are needed for a comparison", len(dates))
	}
	periods, shifted := make([]ledger.Period, len(dates)-1), make([]ledger.Period, len(dates)-1)
	for i, d := range dates {
		if err := b.known(d); err != nil {
			return nil, err
		}
		if i > 0 {
			periods[i-1] = ledger.Period{Start: dates[i-1], End: d}
			// A snapshot is what holds at its moment, so it belongs to the period that it closes.
			shifted[i-1] = ledger.Period{Start: dates[i-1].Add(1), End: d.Add(1)}
		}
	}
	t, err := b.book.RollForward(ctx, shifted)
	if err != nil {
		return nil, err
	}
	for i := range t.Periods {
		t.Periods[i].Period = periods[i]
		t.Periods[i].Reasons = nil
	}
	return t, nil
}

// ReadBalances reads Balances from CSV text. The fields customer, at, mrr and currency are required, the currency unless
// CSVOptions.Currency says it; parent is optional. Other columns are ignored. [ledger.ReadRecords] has the rules.
func ReadBalances(ctx context.Context, r io.Reader, o *ledger.CSVOptions) iter.Seq2[Balance, error] {
	return ledger.ReadRecords(ctx, r, o, balanceSchema(), decodeBalance)
}

// BalancesFromRows reads Balances from a SQL query with the fields of [ReadBalances] as columns.
func BalancesFromRows(ctx context.Context, rows *sql.Rows, o *ledger.CSVOptions) iter.Seq2[Balance, error] {
	return ledger.FromRows(ctx, rows, o, balanceSchema(), decodeBalance)
}

func balanceSchema() ledger.Schema {
	return ledger.Schema{Required: []string{"customer", "at", "mrr", "currency"}, Optional: []string{"parent"}, Prefix: "subscription"}
}

func decodeBalance(rec *ledger.Record) (Balance, error) {
	return Balance{Customer: rec.Text("customer"), Parent: rec.Text("parent"), At: rec.Time("at"), MRR: rec.Amount("mrr")}, nil
}
