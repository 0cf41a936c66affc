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
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// HistoricOptions say how Historic reads a log. The zero value, and a nil pointer, are the defaults.
type HistoricOptions struct {
	// Compound grows past margins at this rate to the end: what the customer would have been worth at interest. The zero
	// Discount leaves them as they were.
	Compound Discount
}

// A Past is what one customer has been worth so far.
type Past struct {
	Customer   string       `json:"customer"`
	First      time.Time    `json:"first"`      // first order
	Last       time.Time    `json:"last"`       // last order
	Orders     int          `json:"orders"`     // adjacent rows of one customer with the same non-empty ID are one order, every other row is its own
	FullPrice  int          `json:"full_price"` // orders without a discount
	Returns    int          `json:"returns"`    // refund rows
	Revenue    money.Amount `json:"revenue"`    // amounts of the orders
	Refunds    money.Amount `json:"refunds"`    // amounts of the refunds, as a positive amount
	Cost       money.Amount `json:"cost"`       // cost of the goods, of all rows that state it
	Margin     money.Amount `json:"margin"`     // Revenue - Refunds - Cost
	Compounded money.Amount `json:"compounded"` // Margin with interest to the end, rounded half to even; Margin where there is none

	times []time.Time // of the orders
}

// AverageOrder returns Revenue a order, rounded half to even to the minor unit. It returns an error that wraps
// ledger.ErrUndefined for a customer without orders.
func (p Past) AverageOrder() (money.Amount, error) {
	if p.Orders == 0 {
		return money.Amount{}, fmt.Errorf("clv: average order of %q: no orders: %w", p.Customer, ledger.ErrUndefined)
	}
	return p.Revenue.MulRat(1, int64(p.Orders), money.HalfEven)
}

// CustomerValue returns the customer and the margin, for ByGroup.
func (p Past) CustomerValue() (string, money.Amount) { return p.Customer, p.Margin }

// Pasts are the customers of a log, sorted by Customer.
type Pasts []Past

var errNoCustomer = errors.New("empty")

// Historic returns what each customer has been worth from the rows at or before end.
//
// A row with a negative amount is a refund, every other row an order or a part of one. Customers with refunds alone are
// listed with no orders. Rows may come in any order but for the line items of one order, which are adjacent.
//
// Historic returns the stream's errors, a RowError for a row without customer or time, and money's errors for mixed
// currencies.
func Historic(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, o *HistoricOptions) (Pasts, error) {
	var options HistoricOptions
	if o != nil {
		options = *o
	}
	rate, err := options.Compound.Rate(Year)
	if err != nil {
		return nil, err
	}
	accounts := make(map[string]*pastAccount)
	var previous ledger.Transaction
	row := 0
	for t, err := range log {
		row++
		switch {
		case err != nil:
		case row%1024 == 0:
			err = ctx.Err()
		case t.Customer == "":
			err = &ledger.RowError{Row: row, Field: "Customer", Err: errNoCustomer}
		case t.At.IsZero():
			err = &ledger.RowError{Row: row, Field: "At", Value: t.At.String(), Err: errNoTimeOfRow}
		}
		if err != nil {
			return nil, fmt.Errorf("clv: %w", err)
		}
		if t.At.After(end) {
			continue
		}
		a := accounts[t.Customer]
		if a == nil {
			a = &pastAccount{past: Past{Customer: t.Customer}}
			accounts[t.Customer] = a
		}
		item := t.ID != "" && t.ID == previous.ID && t.Customer == previous.Customer && t.Amount.Sign() >= 0 && previous.Amount.Sign() >= 0
		a.add(&t, item, rate*float64(end.Sub(t.At))/float64(Year))
		previous = t
	}
	pasts := make(Pasts, 0, len(accounts))
	for _, a := range accounts {
		if err := a.close(rate != 0); err != nil {
			return nil, fmt.Errorf("clv: customer %q: %w", a.past.Customer, err)
		}
		pasts = append(pasts, a.past)
	}
	slices.SortFunc(pasts, func(a, b Past) int { return cmp.Compare(a.Customer, b.Customer) })
	_, err = pasts.Total() // one currency for all
	return pasts, err
}

var errNoTimeOfRow = errors.New("no time")

// A pastAccount is a Past in the making.
type pastAccount struct {
	past       Past
	revenue    money.Sum
	refunds    money.Sum
	cost       money.Sum
	discounted bool // the order that the last row belongs to has a discount
	compounds  []compound
}

// A compound is a margin with the log of its interest.
type compound struct {
	margin   money.Amount
	interest float64
}

// add enters a row; item tells that it continues the order of the row before it.
func (a *pastAccount) add(t *ledger.Transaction, item bool, interest float64) {
	p := &a.past
	a.cost.Add(t.Cost)
	margin, err := t.Amount.Sub(t.Cost)
	if err == nil { // a mix of currencies is found by the sums
		a.compounds = append(a.compounds, compound{margin, interest})
	}
	if t.Amount.Sign() < 0 {
		p.Returns++
		a.refunds.Add(t.Amount.Neg())
		return
	}
	a.revenue.Add(t.Amount)
	free := t.Discount.Sign() == 0
	switch {
	case !item:
		p.Orders++
		p.times = append(p.times, t.At)
		a.discounted = !free
		if free {
			p.FullPrice++
		}
	case !free && !a.discounted:
		a.discounted = true
		p.FullPrice--
	}
	if p.First.IsZero() || t.At.Before(p.First) {
		p.First = t.At
	}
	if t.At.After(p.Last) {
		p.Last = t.At
	}
}

// close fills the sums.
func (a *pastAccount) close(interest bool) error {
	p := &a.past
	var errs [6]error
	p.Revenue, errs[0] = a.revenue.Total()
	p.Refunds, errs[1] = a.refunds.Total()
	p.Cost, errs[2] = a.cost.Total()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	net, err := p.Revenue.Sub(p.Refunds)
	if err != nil {
		return err
	}
	if p.Margin, err = net.Sub(p.Cost); err != nil {
		return err
	}
	slices.SortFunc(p.times, time.Time.Compare)
	p.Compounded = p.Margin
	if !interest {
		return nil
	}
	// In a fixed order, so that the order of the rows does not matter.
	slices.SortFunc(a.compounds, func(x, y compound) int {
		return cmp.Or(cmp.Compare(x.interest, y.interest), cmp.Compare(x.margin.Float64(), y.margin.Float64()))
	})
	grown := 0.0
	for _, c := range a.compounds {
		grown += c.margin.Float64() * math.Exp(c.interest)
	}
	if p.Margin.Currency() == "" {
		return nil
	}
	p.Compounded, err = money.FromFloat(grown, p.Margin.Currency(), money.HalfEven)
	return err
}

// Total returns the sum of the margins.
func (ps Pasts) Total() (money.Amount, error) {
	var sum money.Sum
	for _, p := range ps {
		sum.Add(p.Margin)
	}
	total, err := sum.Total()
	if err != nil {
		return total, fmt.Errorf("clv: %w", err)
	}
	return total, nil
}

// RepeatRate returns the share of the customers with an order who have two or more, with both counts. It wraps
// ledger.ErrUndefined if nobody has ordered.
func (ps Pasts) RepeatRate() (Share, error) {
	var s Share
	for _, p := range ps {
		if p.Orders > 0 {
			s.Of++
		}
		if p.Orders > 1 {
			s.Count++
		}
	}
	return s.complete("repeat rate")
}

// ReturnRate returns the refund rows for each order, with both counts. It wraps ledger.ErrUndefined without orders.
func (ps Pasts) ReturnRate() (Share, error) {
	var s Share
	for _, p := range ps {
		s.Count, s.Of = s.Count+p.Returns, s.Of+p.Orders
	}
	return s.complete("return rate")
}

// ReturnRateByValue returns the refunds as a share of the revenue. It wraps ledger.ErrUndefined without revenue.
func (ps Pasts) ReturnRateByValue() (float64, error) {
	var refunds, revenue money.Sum
	for _, p := range ps {
		refunds.Add(p.Refunds)
		revenue.Add(p.Revenue)
	}
	back, err := refunds.Total()
	if err != nil {
		return 0, fmt.Errorf("clv: %w", err)
	}
	all, err := revenue.Total()
	if err != nil {
		return 0, fmt.Errorf("clv: %w", err)
	}
	if all.IsZero() {
		return 0, fmt.Errorf("clv: return rate by value: no revenue: %w", ledger.ErrUndefined)
	}
	return back.Ratio(all)
}

// A Share is a ratio of counts.
type Share struct {
	Count int     `json:"count"` // numerator
	Of    int     `json:"of"`    // denominator
	Value float64 `json:"value"` // Count/Of
}

func (s Share) complete(what string) (Share, error) {
	if s.Of == 0 {
		return s, fmt.Errorf("clv: %s: nobody to count: %w", what, ledger.ErrUndefined)
	}
	s.Value = float64(s.Count) / float64(s.Of)
	return s, nil
}

func (ps Pasts) records() [][]string {
	records := [][]string{{"customer", "first", "last", "orders", "full_price", "returns", "revenue", "refunds", "cost", "margin", "compounded"}}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	for _, p := range ps {
		records = append(records, []string{p.Customer, day(p.First), day(p.Last), strconv.Itoa(p.Orders), strconv.Itoa(p.FullPrice),
			strconv.Itoa(p.Returns), p.Revenue.Number(), p.Refunds.Number(), p.Cost.Number(), p.Margin.Number(), p.Compounded.Number()})
	}
	return records
}

// String returns the table as aligned text.
func (ps Pasts) String() string { return text.Aligned(ps.records()) }

// WriteCSV writes the table with a header.
func (ps Pasts) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(ps.records()) }
