package subscription

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Contract is a subscription without its items, for tables that keep the two apart. Its fields mean what those of [Row]
// of the same name do and hold for all its items.
type Contract struct {
	ID       string // never empty, and unique
	Customer string
	Parent   string

	Ended     time.Time // the zero time means that it runs on; items without an end of their own end here
	Discounts []Discount
	Trial     ledger.Period
	Paused    []ledger.Period
	PastDue   []ledger.Period

	Signed          time.Time
	CancelRequested time.Time
	PaidThrough     time.Time
	Reason          Reason
	Code            string
	Terms           []Term
	Labels          map[string]string
}

// An Item is one line of a [Contract] at one price and quantity, from one moment to another. Its fields mean what those
// of [Row] of the same name do.
type Item struct {
	Subscription string // the ID of the Contract
	ID           string // the line; rows of one line have the same ID
	Plan         string
	Price        money.Amount
	Interval     Interval
	Quantity     int64
	Kind         Kind
	Tax          money.Amount
	TaxInclusive bool
	From         time.Time
	To           time.Time // the zero time means until the Contract ends
	Discounts    []Discount
}

var (
	errNoID       = errors.New("a contract needs an ID")
	errSameID     = errors.New("two contracts have this ID")
	errNoContract = errors.New("no such contract")
	errAfterEnd   = errors.New("not before the contract has ended")
)

// Join makes Rows of contracts and their items, for [New]. The facts of a contract go to each of its items: the end of a
// contract, and its reason, to the items that have no end before it; its discounts come after those of the item, and an
// amount off, which is for the whole contract, only to the line of its first item.
//
// The stream has a *[ledger.RowError] for a contract without an ID or with one that another has (Row counts contracts) and
// for an item of an unknown contract or one that starts when its contract has ended (Row counts items).
func Join(contracts []Contract, items []Item) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		byID := make(map[string]*Contract, len(contracts))
		for i := range contracts {
			c := &contracts[i]
			var reason error
			switch {
			case c.ID == "":
				reason = errNoID
			case byID[c.ID] != nil:
				reason = errSameID
			}
			if reason == nil {
				byID[c.ID] = c
			} else if !yield(Row{}, &ledger.RowError{Row: i + 1, Field: "ID", Value: c.ID, Err: reason}) {
				return
			}
		}
		lead := make(map[string]string, len(contracts)) // the first line of each contract
		starts := make(map[string]time.Time, len(contracts))
		for i := range items {
			it := &items[i]
			if at, found := starts[it.Subscription]; !found || it.From.Before(at) {
				starts[it.Subscription] = it.From
			}
		}
		for i := range items {
			it := &items[i]
			c := byID[it.Subscription]
			var row Row
			err := joinable(c, it, i+1)
			if err == nil {
				line, found := lead[c.ID]
				if !found {
					line, lead[c.ID] = it.line(), it.line()
				}
				row = c.row(it, starts[c.ID], it.line() == line)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

func joinable(c *Contract, it *Item, row int) error {
	switch {
	case c == nil:
		return &ledger.RowError{Row: row, Field: "Subscription", Value: it.Subscription, Err: errNoContract}
	case !c.Ended.IsZero() && !it.From.Before(c.Ended):
		return &ledger.RowError{Row: row, Field: "From", Value: showTime(it.From),
			Err: fmt.Errorf("%w, on %s", errAfterEnd, showTime(c.Ended))}
	}
	return nil
}

// line tells the lines of a contract apart.
func (it *Item) line() string {
	if it.ID == "" {
		return it.Plan
	}
	return it.ID
}

// row returns the item with the facts of its contract, which starts with its first item.
func (c *Contract) row(it *Item, start time.Time, lead bool) Row {
	r := Row{
		Customer: c.Customer, Subscription: c.ID, Item: it.ID, Plan: it.Plan, Parent: c.Parent,
		Price: it.Price, Interval: it.Interval, Quantity: it.Quantity, Kind: it.Kind, Tax: it.Tax, TaxInclusive: it.TaxInclusive,
		From: it.From, To: it.To, Trial: c.Trial, Paused: c.Paused, PastDue: c.PastDue, Labels: c.Labels,
	}
	for _, d := range it.Discounts {
		r.Discounts = append(r.Discounts, started(d, it.From))
	}
	for _, d := range c.Discounts {
		if d.Amount.Sign() == 0 || lead {
			r.Discounts = append(r.Discounts, started(d, start))
		}
	}
	if last := it.To.IsZero() || !c.Ended.IsZero() && !it.To.Before(c.Ended); last {
		r.To, r.CancelRequested, r.PaidThrough = c.Ended, c.CancelRequested, c.PaidThrough
		if !r.To.IsZero() || !r.CancelRequested.IsZero() {
			r.Reason, r.Code = c.Reason, c.Code
		}
	}
	if it.From.Equal(start) {
		r.Signed = c.Signed
	}
	r.Terms = termsOf(c.Terms, &r)
	return r
}

func started(d Discount, from time.Time) Discount {
	if d.Start.IsZero() {
		d.Start = from
	}
	return d
}
