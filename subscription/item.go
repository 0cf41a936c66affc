package subscription

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Moments are nanoseconds since 1970, which int64 has for the years 1678 to 2261. What ends after that runs on.
const (
	open      = math.MaxInt64
	firstYear = 1678
	lastYear  = 2261
)

// item is a Row as the Book keeps it: names are numbers, money is an exact fraction, and what few rows have is apart.
type item struct {
	from, to, cancel int64 // open where there is none
	price            rational
	amount           money.Amount // the price as it was given
	quantity         int64
	parent, customer int32
	subscription     int32
	key, plan        int32
	interval         int32 // index of data.intervals
	currency         int32
	code             int32
	row              int32
	kind             Kind
	reason           Reason
	more             *more
}

type more struct {
	tax             rational
	taxAmount       money.Amount
	taxInclusive    bool
	discounts       []discount
	trial           span
	paused, pastDue []span
	paidThrough     int64
	signed          int64
	terms           []Term
	labels          map[string]string
	source          []Discount
}

// span is a half-open stretch of time; the zero span is empty.
type span struct{ from, to int64 }

func (s span) has(t int64) bool { return s.from <= t && t < s.to }

type discount struct {
	percent, amount rational
	duration        Duration
	span            span
}

var (
	errNoCustomer = errors.New("a row needs a customer")
	errNegative   = errors.New("negative")
	errNoTime     = errors.New("a row needs the moment from which it holds")
	errYear       = fmt.Errorf("not in the years %d to %d", firstYear, lastYear)
	errOrder      = errors.New("not after From")
	errPeriod     = errors.New("the end is not after the start")
	errCurrency   = errors.New("not in the currency of the price")
	errReason     = errors.New("a reason needs an end: To or CancelRequested")
	errBothOff    = errors.New("a discount has either Percent or Amount")
	errPercent    = errors.New("not a percentage from 0 to 100")
	errMonths     = errors.New("a repeating discount needs Months or End")
	errTerm       = errors.New("not after the term's start")
	errTermEnd    = errors.New("a term needs an end")
)

// bad returns the error of one field; the row's number is set by who knows it.
func bad(field, value string, reason error) error {
	return &ledger.RowError{Field: field, Value: value, Err: reason}
}

func moment(t time.Time) (int64, bool) {
	if y := t.Year(); y < firstYear || y > lastYear {
		return 0, false
	}
	return t.UnixNano(), true
}

// until returns a moment at which something ends: never for the zero time and for the far future.
func until(t time.Time) int64 {
	if t.IsZero() || t.Year() > lastYear {
		return open
	}
	n, _ := moment(t)
	return n
}

func showTime(t time.Time) string { return t.Format(time.RFC3339) }

// Validate returns a *[ledger.RowError] that names the field if the row cannot be true: without customer or From, an end
// that is not after From, a negative quantity, price or discount, amounts of several currencies.
func (r *Row) Validate() error {
	_, err := newItem(r)
	return err
}

// newItem returns the row without its names.
func newItem(r *Row) (item, error) {
	it := item{amount: r.Price, quantity: r.Quantity, kind: r.Kind, reason: r.Reason, cancel: until(r.CancelRequested), to: until(r.To)}
	if r.Quantity == 0 {
		it.quantity = 1
	}
	var ok bool
	switch it.from, ok = moment(r.From); {
	case r.Customer == "":
		return it, bad("Customer", "", errNoCustomer)
	case r.From.IsZero():
		return it, bad("From", "", errNoTime)
	case !ok:
		return it, bad("From", showTime(r.From), errYear)
	case !r.To.IsZero() && !r.To.After(r.From):
		return it, bad("To", showTime(r.To), errOrder)
	case r.Quantity < 0:
		return it, bad("Quantity", fmt.Sprint(r.Quantity), errNegative)
	case r.Kind > Credit:
		return it, bad("Kind", r.Kind.String(), errors.New("not a kind of price"))
	case r.Price.Sign() < 0 && r.Kind != Credit:
		return it, bad("Price", r.Price.String(), errNegative)
	case r.Price.Sign() > 0 && r.Kind == Credit:
		return it, bad("Price", r.Price.String(), errors.New("a credit is negative"))
	case r.Reason > Involuntary:
		return it, bad("Reason", r.Reason.String(), errors.New("not a reason"))
	case r.Reason != Unknown && r.To.IsZero() && r.CancelRequested.IsZero():
		return it, bad("Reason", r.Reason.String(), errReason)
	}
	var err error
	if it.price, err = exactAmount(r.Price); err != nil {
		return it, bad("Price", r.Price.String(), err)
	}
	it.more, err = newMore(r, &it)
	return it, err
}

// newMore returns what few rows have, nil if the row has none of it.
func newMore(r *Row, it *item) (*more, error) {
	if r.Tax.Sign() == 0 && len(r.Discounts) == 0 && r.Trial.IsZero() && len(r.Paused) == 0 && len(r.PastDue) == 0 &&
		r.Signed.IsZero() && r.PaidThrough.IsZero() && len(r.Terms) == 0 && len(r.Labels) == 0 {
		return nil, nil
	}
	m := &more{taxAmount: r.Tax, taxInclusive: r.TaxInclusive, terms: slices.Clone(r.Terms), labels: r.Labels, paidThrough: open, signed: it.from,
		source: slices.Clone(r.Discounts)}
	if !r.PaidThrough.IsZero() {
		m.paidThrough = until(r.PaidThrough)
	}
	if !r.Signed.IsZero() {
		m.signed = until(r.Signed)
	}
	var err error
	if m.tax, err = sameCurrency(r.Tax, r.Price.Currency(), "Tax"); err != nil {
		return nil, err
	}
	for _, d := range r.Discounts {
		off, err := newDiscount(d, r)
		if err != nil {
			return nil, err
		}
		m.discounts = append(m.discounts, off)
	}
	if !r.Trial.IsZero() {
		if m.trial, err = newSpan(r.Trial, "Trial"); err != nil {
			return nil, err
		}
	}
	if m.paused, err = newSpans(r.Paused, "Paused"); err != nil {
		return nil, err
	}
	if m.pastDue, err = newSpans(r.PastDue, "PastDue"); err != nil {
		return nil, err
	}
	for _, t := range m.terms {
		start := t.Start
		if start.IsZero() {
			start = r.From
		}
		switch {
		case t.End.IsZero():
			return nil, bad("Terms.End", "", errTermEnd)
		case !t.End.After(start):
			return nil, bad("Terms.End", showTime(t.End), errTerm)
		}
	}
	return m, nil
}

// sameCurrency returns a non-negative amount as a fraction.
func sameCurrency(a money.Amount, c money.Currency, field string) (rational, error) {
	switch {
	case a.Sign() < 0:
		return rational{}, bad(field, a.String(), errNegative)
	case a.Sign() > 0 && c != "" && a.Currency() != c:
		return rational{}, bad(field, a.String(), errCurrency)
	}
	x, err := exactAmount(a)
	if err != nil {
		return rational{}, bad(field, a.String(), err)
	}
	return x, nil
}

// newSpan reads a period whose zero End means that it goes on.
func newSpan(p ledger.Period, field string) (span, error) {
	from, ok := moment(p.Start)
	switch {
	case !ok:
		return span{}, bad(field, showTime(p.Start), errYear)
	case !p.End.IsZero() && !p.End.After(p.Start):
		return span{}, bad(field, showTime(p.Start)+"/"+showTime(p.End), errPeriod)
	}
	return span{from, until(p.End)}, nil
}

func newSpans(ps []ledger.Period, field string) ([]span, error) {
	var out []span
	for _, p := range ps {
		s, err := newSpan(p, field)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func newDiscount(d Discount, r *Row) (discount, error) {
	off := discount{duration: d.Duration}
	var err error
	if off.amount, err = sameCurrency(d.Amount, r.Price.Currency(), "Discounts.Amount"); err != nil {
		return off, err
	}
	var ok bool
	if off.percent, ok = parsePercent(d.Percent); !ok {
		return off, bad("Discounts.Percent", d.Percent, errPercent)
	}
	if off.percent.sign() > 0 && off.amount.sign() > 0 {
		return off, bad("Discounts", d.ID, errBothOff)
	}
	off.percent = off.percent.mul(fraction(1, 100))
	start := d.Start
	if start.IsZero() {
		start = r.From
	}
	end := d.End
	switch {
	case d.Duration > Once:
		return off, bad("Discounts.Duration", d.Duration.String(), errors.New("not a duration"))
	case d.Months < 0:
		return off, bad("Discounts.Months", fmt.Sprint(d.Months), errNegative)
	case !end.IsZero() && !end.After(start):
		return off, bad("Discounts.End", showTime(end), errPeriod)
	case !end.IsZero() || d.Duration == Forever:
	case d.Duration == Once:
		end = r.Interval.From(start, 1)
	case d.Months == 0:
		return off, bad("Discounts.Months", "0", errMonths)
	default:
		end = ledger.AddMonths(start, d.Months)
	}
	var from int64
	if from, ok = moment(start); !ok {
		return off, bad("Discounts.Start", showTime(start), errYear)
	}
	off.span = span{from, until(end)}
	return off, nil
}

// maxPercent is how long the text of a percentage may be: more decimals than any price list has.
const maxPercent = 18

// parsePercent reads a plain decimal number from 0 to 100; the empty text is 0.
func parsePercent(s string) (rational, bool) {
	if s == "" {
		return rational{}, true
	}
	units, decimals, dot := int64(0), int32(0), false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.' && !dot && i > 0 && i+1 < len(s):
			dot = true
		case c >= '0' && c <= '9':
			units = 10*units + int64(c-'0')
			if dot {
				decimals++
			}
		default:
			return rational{}, false
		}
		if i >= maxPercent {
			return rational{}, false
		}
	}
	x := fraction(units, pow10(decimals))
	return x, x.cmp(whole(100)) <= 0
}
