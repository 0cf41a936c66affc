package subscription

import (
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Row is one temporal row of a table of subscriptions: one item of one subscription, at one price and quantity, from
// one moment to another. A change of plan, price or quantity ends a row and starts the next at the same moment. Rows
// overlap where a customer has several items or subscriptions. Only Customer, Price, Interval and From are needed.
type Row struct {
	Customer     string // who pays; never empty
	Subscription string // the contract; empty means that the customer has one, of the same name
	Item         string // the line within the subscription; empty means that Plan tells the lines apart
	Plan         string // what is subscribed to, for tables by plan
	Parent       string // the account that the customer belongs to, for the grain ByParent; empty means the customer itself

	Price    money.Amount // for one unit and one interval; negative only in a Credit
	Interval Interval     // how often Price is charged; the zero Interval is unknown and brings no MRR
	Quantity int64        // units, such as seats; 0 means 1
	Kind     Kind         // Recurring, Metered, OneTime or Credit

	Tax          money.Amount // tax for one unit and one interval
	TaxInclusive bool         // whether Price contains Tax

	From time.Time // the row holds at this moment
	To   time.Time // and no longer at this one; the zero time means that it runs on

	Discounts []Discount      // what is taken off, in this order
	Trial     ledger.Period   // when the item is on trial; the zero Period means never
	Paused    []ledger.Period // when it is paused; a zero End means that it still is
	PastDue   []ledger.Period // when a payment is overdue; a zero End means that it still is

	Signed          time.Time // when the row was agreed, for committed MRR; the zero time means at From
	CancelRequested time.Time // when the end was asked for; the zero time means not
	PaidThrough     time.Time // the end of the last service period that was paid, for the policy AtPaidThrough
	Reason          Reason    // why the row ended, of a row that has an end
	Code            string    // the same in the words of the billing system, such as "too_expensive"

	Terms  []Term            // the contract terms of the subscription, for renewals; rows of one subscription may repeat them
	Labels map[string]string // anything else by name: region, channel, sales person
}

// Kind says how a price recurs.
type Kind uint8

// The kinds of prices.
const (
	Recurring Kind = iota // charged every interval; the zero value
	Metered               // charged for usage after each interval: no MRR unless the policy says so
	OneTime               // charged once: no MRR
	Credit                // a recurring deduction with a negative price
)

// String returns "recurring", "metered", "one-time" or "credit".
func (k Kind) String() string { return name(k, "recurring", "metered", "one-time", "credit") }

// MarshalText returns the text of String.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text of String.
func (k *Kind) UnmarshalText(text []byte) (err error) {
	*k, err = value(text, "kind of price", Kind.String)
	return err
}

// Reason says who ended a subscription.
type Reason uint8

// The reasons of churn. Those of a period add up to its churn, so unknown ones are shown and not counted as voluntary.
const (
	Unknown     Reason = iota // not recorded; the zero value
	Voluntary                 // the customer canceled
	Involuntary               // a payment failed
)

// String returns "unknown", "voluntary" or "involuntary".
func (r Reason) String() string { return name(r, "unknown", "voluntary", "involuntary") }

// MarshalText returns the text of String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the text of String.
func (r *Reason) UnmarshalText(text []byte) (err error) {
	*r, err = value(text, "reason", Reason.String)
	return err
}

// Duration says how long a discount holds.
type Duration uint8

// The durations of discounts.
const (
	Forever   Duration = iota // as long as the row; the zero value
	Repeating                 // for a number of months, or until a date
	Once                      // for one billing interval
)

// String returns "forever", "repeating" or "once".
func (d Duration) String() string { return name(d, "forever", "repeating", "once") }

// MarshalText returns the text of String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text of String.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = value(text, "duration of a discount", Duration.String)
	return err
}

// A Discount takes a percentage or an amount off a row's price. Whether it lowers MRR depends on its duration and on the
// policy's [DiscountRule].
//
// An amount off is per billing interval and for the whole row, whatever its quantity, so on a yearly price a twelfth of
// it comes off MRR.
type Discount struct {
	ID       string
	Percent  string       // percent off as a plain decimal number from 0 to 100: "12.5" is an eighth; empty means none
	Amount   money.Amount // amount off for each interval, not negative; a Discount has either Percent or Amount
	Duration Duration     // Forever, Repeating or Once
	Months   int          // how long a Repeating one holds, unless End says it
	Start    time.Time    // the zero time means the row's From
	End      time.Time    // the zero time means as Duration and Months say
}

// A Term is a contract term with its renewal.
type Term struct {
	Start     time.Time // the zero time means the row's From
	End       time.Time // when the term is due for renewal; never the zero time
	Renewed   time.Time // when it was renewed; the zero time means not, unless the subscription runs on after End
	RenewedAs string    // the subscription that follows; empty means the same one
}
