package cac

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// AcquireOptions are the rules of [Acquire]. The zero AcquireOptions, like nil, are the defaults.
type AcquireOptions struct {
	RefundWindow time.Duration // how long after the first order refunds can undo an acquisition; 0: all refunds count
	Dormant      time.Duration // the silence after which a purchase is a reactivation; 0: none is
}

// An Acquisition is how a customer was won.
type Acquisition struct {
	Customer   ledger.Customer // with the time of the first paid order and its channel and campaign
	FirstOrder money.Amount    // what the first order paid, less its refunds inside the window: the revenue of the acquisition MER
	Refunded   bool            // all that was paid inside the window was refunded: not net new
	Returns    []time.Time     // purchases after a silence longer than Dormant: reactivations, which are not new customers
}

// Acquisitions are the customers of an order log with how each was won.
type Acquisitions struct {
	Rows   []Acquisition `json:"rows"`   // by customer
	Trials int           `json:"trials"` // customers who have never paid: they are none yet and not in Rows
}

// paid is one row of a customer's log.
type paid struct {
	at                    time.Time
	amount                money.Amount
	id, channel, campaign string
}

// purchase is 1 for a row that paid something, else 0: of rows at one moment those come first.
func (p paid) purchase() int { return max(0, p.amount.Sign()) }

// Acquire finds out of an order log when and through what each customer was won: the first order that paid something.
// Orders of nothing are trials and make no customer. The first order is the row with the earliest time and the rows with
// the same non-empty ID or, where it has none, of the same moment; of several rows at that moment the channel and
// campaign first in the alphabet count, so that the order of rows does not matter. A refund belongs to the first order if
// it has its ID or, without IDs, if it falls before the second purchase.
//
// Acquire keeps the log in memory. It stops at the first error of the stream and checks ctx now and then. It returns an
// error if a row has no customer or no time.
func Acquire(ctx context.Context, log iter.Seq2[ledger.Transaction, error], o *AcquireOptions) (*Acquisitions, error) {
	if o == nil {
		o = &AcquireOptions{}
	}
	if o.RefundWindow < 0 || o.Dormant < 0 {
		return nil, fail("acquisitions: a negative refund window or dormancy")
	}
	rows := map[string][]paid{}
	err := each(ctx, log, func(_ int, t ledger.Transaction) error {
		rows[t.Customer] = append(rows[t.Customer], paid{t.At, t.Amount, t.ID, t.Channel, t.Campaign})
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &Acquisitions{}
	for customer, history := range rows {
		a, ok, err := acquired(customer, history, o)
		if err != nil {
			return nil, fail("customer %q: %w", customer, mismatch(bare(err)))
		}
		if !ok {
			out.Trials++
			continue
		}
		out.Rows = append(out.Rows, a)
	}
	slices.SortFunc(out.Rows, func(a, b Acquisition) int { return strings.Compare(a.Customer.ID, b.Customer.ID) })
	return out, nil
}

// each passes the rows of a log to f with their numbers; a RowError of f or of the stream gets the package's prefix.
func each(ctx context.Context, log iter.Seq2[ledger.Transaction, error], f func(row int, t ledger.Transaction) error) error {
	row := 0
	for t, err := range log {
		row++
		if err == nil && row%4096 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return prefixed(err)
		}
		switch {
		case t.Customer == "":
			err = &ledger.RowError{Row: row, Field: "customer", Err: errors.New("empty")}
		case t.At.IsZero():
			err = &ledger.RowError{Row: row, Field: "at", Value: t.Customer, Err: errors.New("no time")}
		default:
			err = f(row, t)
		}
		if err != nil {
			return prefixed(err)
		}
	}
	return prefixed(ctx.Err())
}

func acquired(customer string, rows []paid, o *AcquireOptions) (Acquisition, bool, error) {
	slices.SortFunc(rows, func(a, b paid) int {
		return cmp.Or(a.at.Compare(b.at), b.purchase()-a.purchase(), strings.Compare(a.channel, b.channel), strings.Compare(a.campaign, b.campaign), strings.Compare(a.id, b.id))
	})
	at := slices.IndexFunc(rows, func(r paid) bool { return r.amount.Sign() > 0 })
	if at < 0 {
		return Acquisition{}, false, nil
	}
	first := rows[at]
	a := Acquisition{Customer: ledger.Customer{ID: customer, Acquired: first.at, Channel: first.channel, Campaign: first.campaign}}
	var order, net money.Sum
	last, second := first.at, false
	for _, r := range rows[at:] {
		same := r.id == first.id && (r.id != "" || r.at.Equal(first.at))
		inside := o.RefundWindow == 0 || !r.at.After(first.at.Add(o.RefundWindow))
		second = second || r.amount.Sign() > 0 && !same
		if inside {
			net.Add(r.amount)
			if same || first.id == "" && r.amount.Sign() < 0 && !second {
				order.Add(r.amount)
			}
		}
		if r.amount.Sign() > 0 {
			if o.Dormant > 0 && r.at.Sub(last) > o.Dormant {
				a.Returns = append(a.Returns, r.at)
			}
			last = r.at
		}
	}
	var err error
	if a.FirstOrder, err = order.Total(); err != nil {
		return a, false, err
	}
	left, err := net.Total()
	a.Refunded = left.Sign() <= 0
	return a, true, err
}

type acquisitionJSON struct {
	Customer   string       `json:"customer"`
	Acquired   time.Time    `json:"acquired"`
	Channel    string       `json:"channel"`
	Campaign   string       `json:"campaign"`
	FirstOrder money.Amount `json:"first_order"`
	Refunded   bool         `json:"refunded"`
	Returns    []time.Time  `json:"returns"`
}

// MarshalJSON writes the acquisition as one flat object.
func (a Acquisition) MarshalJSON() ([]byte, error) {
	return json.Marshal(acquisitionJSON{a.Customer.ID, a.Customer.Acquired, a.Customer.Channel, a.Customer.Campaign, a.FirstOrder, a.Refunded, append([]time.Time{}, a.Returns...)})
}

// String returns how many customers each channel has won, how many of them were refunded and how many came back.
func (a *Acquisitions) String() string {
	counts := map[string]*[3]int{}
	all := &[3]int{}
	for _, r := range a.Rows {
		c := counts[r.Customer.Channel]
		if c == nil {
			c = &[3]int{}
			counts[r.Customer.Channel] = c
		}
		for _, n := range []*[3]int{c, all} {
			n[0]++
			if r.Refunded {
				n[1]++
			}
			if len(r.Returns) > 0 {
				n[2]++
			}
		}
	}
	var rows [][]string
	for _, name := range append(slices.Sorted(maps.Keys(counts)), "(total)") {
		c := counts[name]
		switch {
		case c == nil:
			c = all
		case name == "":
			name = "(none)"
		}
		rows = append(rows, []string{name, fmt.Sprint(c[0]), fmt.Sprint(c[1]), fmt.Sprint(c[2])})
	}
	return table.Text([]string{"channel", "customers", "refunded", "reactivated"}, rows, 1) + fmt.Sprintf("trials: %d\n", a.Trials)
}

// WriteCSV writes the customers with the header
// customer,acquired,channel,campaign,first_order,currency,refunded,reactivations.
func (a *Acquisitions) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(a.Rows))
	for i, r := range a.Rows {
		rows[i] = []string{r.Customer.ID, r.Customer.Acquired.Format(rfc3339), r.Customer.Channel, r.Customer.Campaign, plain(r.FirstOrder),
			string(r.FirstOrder.Currency()), fmt.Sprint(r.Refunded), fmt.Sprint(len(r.Returns))}
	}
	return table.CSV(w, []string{"customer", "acquired", "channel", "campaign", "first_order", "currency", "refunded", "reactivations"}, rows)
}

// Customers returns the customers, for [Analyze].
func (a *Acquisitions) Customers() []ledger.Customer {
	out := make([]ledger.Customer, len(a.Rows))
	for i, r := range a.Rows {
		out[i] = r.Customer
	}
	return out
}

// Valid returns the function that [Options] take for the denominator [NetNew]: false for customers who were refunded.
func (a *Acquisitions) Valid() func(customer string) bool {
	gone := map[string]bool{}
	for _, r := range a.Rows {
		if r.Refunded {
			gone[r.Customer.ID] = true
		}
	}
	return func(customer string) bool { return !gone[customer] }
}

// FirstRevenue returns the net revenue of the first orders of the customers won in a period, which [AMER] takes.
func (a *Acquisitions) FirstRevenue(p ledger.Period) (money.Amount, error) {
	var sum money.Sum
	for _, r := range a.Rows {
		if p.Contains(r.Customer.Acquired) {
			sum.Add(r.FirstOrder)
		}
	}
	t, err := sum.Total()
	return t, prefixed(err)
}

// Reactivations returns how many customers came back in a period after a silence; none of them is new.
func (a *Acquisitions) Reactivations(p ledger.Period) int {
	n := 0
	for _, r := range a.Rows {
		if slices.ContainsFunc(r.Returns, p.Contains) {
			n++
		}
	}
	return n
}
