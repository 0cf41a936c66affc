package subscription

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// An InvoiceLine is one line of an invoice for a subscription, for businesses whose truth is what they invoiced. Its MRR
// is
//
//	(Amount - Tax) * months * (full period / service period)
//
// where months is what the interval counts to a month and the last factor is 1 for a line that is not prorated. It is
// then rounded.
type InvoiceLine struct {
	Customer     string
	Subscription string
	Plan         string
	Amount       money.Amount // of the line, for its quantity; negative for a credit
	Tax          money.Amount // within Amount
	Interval     Interval
	ServiceStart time.Time
	ServiceEnd   time.Time
	// Full is the billing period of which a prorated line covers a part, such as the month in which the plan changed. The
	// zero Period means that the line is not prorated.
	Full ledger.Period
}

var (
	errService = errors.New("not after ServiceStart")
	errFull    = errors.New("the service period is not within it")
)

// MRR returns what the line is worth a month by the policy's normalizer and rounding. Periods are compared by their
// length in time, so half of a month of 30 days is 15 days.
//
// It returns an error for an unknown interval, a service period without length, one that is not within Full, and a tax in
// another currency.
func (l InvoiceLine) MRR(p Policy) (money.Amount, error) {
	x, err := l.exact(p)
	if err != nil {
		return money.Amount{}, prefixed(err)
	}
	s, err := newScale(l.Amount.Currency(), p.Rounding.Digits, p.Rounding.Mode)
	if err != nil {
		return money.Amount{}, err
	}
	return s.round(x)
}

func (l InvoiceLine) exact(p Policy) (rational, error) {
	if err := p.Validate(); err != nil {
		return rational{}, err
	}
	amount, err := exactAmount(l.Amount)
	if err != nil {
		return amount, bad("Amount", l.Amount.String(), err)
	}
	tax, err := exactAmount(l.Tax)
	if err != nil {
		return amount, bad("Tax", l.Tax.String(), err)
	}
	f, ok := p.Normalizer.factor(l.Interval)
	switch {
	case !ok:
		return amount, bad("Interval", l.Interval.String(), errInterval)
	case tax.sign() != 0 && l.Tax.Currency() != l.Amount.Currency():
		return amount, bad("Tax", l.Tax.String(), errCurrency)
	case !l.ServiceEnd.After(l.ServiceStart):
		return amount, bad("ServiceEnd", showTime(l.ServiceEnd), errService)
	}
	x := f.mul(amount.sub(tax))
	if l.Full.IsZero() {
		return x, nil
	}
	if l.ServiceStart.Before(l.Full.Start) || l.ServiceEnd.After(l.Full.End) {
		return x, bad("Full", l.Full.String(), errFull)
	}
	return x.mul(fraction(int64(l.Full.Duration()), int64(l.ServiceEnd.Sub(l.ServiceStart)))), nil
}

// FromInvoices makes Rows of invoice lines, for [New]: each is a monthly price of the line's MRR by the policy, during its
// service period; a negative line is a Credit. A subscription that is not invoiced for its next period so ends with the
// last one. Read the Book by the same policy, except that its discounts, tax and interval rules have been applied.
func FromInvoices(lines iter.Seq2[InvoiceLine, error], p Policy) iter.Seq2[Row, error] {
	return ledger.Map(lines, func(l InvoiceLine) (Row, error) {
		mrr, err := l.MRR(p)
		if err != nil {
			return Row{}, err
		}
		r := Row{Customer: l.Customer, Subscription: l.Subscription, Item: "line", Plan: l.Plan, Price: mrr, Interval: EveryMonth,
			From: l.ServiceStart, To: l.ServiceEnd}
		if r.Subscription == "" {
			r.Subscription = l.Customer
		}
		if mrr.Sign() < 0 {
			r.Kind = Credit
		}
		return r, nil
	})
}

// String returns the line in a few words.
func (l InvoiceLine) String() string {
	return fmt.Sprintf("%s %s from %s to %s", l.Customer, l.Amount, showTime(l.ServiceStart), showTime(l.ServiceEnd))
}
