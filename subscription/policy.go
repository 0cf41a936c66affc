package subscription

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/money"
)

// A Policy says what counts as MRR and what counts as a movement. There is no single MRR: billing systems differ in how
// they bring prices to a month, in discounts, trials, pauses, overdue payments, the moment of churn, exchange rates and
// rounding, so every result carries the Policy that made it. The zero Policy is the documented default:
//
//	interval     exact: a year is 12 months, a week 12/52 of a month, a day 12/365
//	discounts    Forever and Repeating ones lower MRR while they hold; Once does not
//	tax          is no MRR; tax that a price contains is taken out
//	trials       bring nothing; the customer is new on the day of conversion
//	past due     counts for 30 days and is then involuntary churn, dated on that day
//	paused       MRR falls to 0 as contraction; the customer is kept and comes back as expansion
//	churn        when the subscription ends, not when the end is asked for
//	free         a customer who pays nothing is no customer
//	metered      is no MRR
//	rounding     none within; each reported figure once, half to even, to the minor unit
//	currencies   the rate of the day; what rates alone change is the line FX
//	movements    every change is one (event mode), of each customer, not grouped
//	comings back after any gap are reactivation
//
// Policies are comparable with ==.
type Policy struct {
	Name string `json:"name,omitempty"` // for the reader of a result; empty means that it has none

	Normalizer Normalizer   `json:"normalizer"`
	Discounts  DiscountRule `json:"discounts"`
	Stacking   StackingRule `json:"stacking"`
	Tax        TaxRule      `json:"tax"`
	Trials     TrialRule    `json:"trials"`
	PastDue    PastDueRule  `json:"past_due"`
	// PastDueDays is how long an overdue item counts under KeepDays, in days of 24 hours; 0 means 30.
	PastDueDays int         `json:"past_due_days,omitempty"`
	Paused      PauseRule   `json:"paused"`
	ChurnAt     ChurnRule   `json:"churn_at"`
	Free        FreeRule    `json:"free"`
	Metered     MeteredRule `json:"metered"`
	Rounding    Rounding    `json:"rounding"`
	FX          FXRule      `json:"fx"`

	Mode  Mode  `json:"mode"`
	Grain Grain `json:"grain"`
	// Coalesce groups the changes of one customer in event mode: changes of a period within this time of the first one
	// are one movement, dated at the last, and none if they cancel out. 0 groups only what happens at the same moment.
	Coalesce time.Duration `json:"coalesce_ns,omitempty"`
	// Return is the gap from which a coming back is a reactivation. Who is back sooner never left: the gap is
	// contraction to 0 and expansion. The zero Interval makes every gap churn and reactivation.
	Return     Interval       `json:"return"`
	SamePeriod SamePeriodRule `json:"same_period"`
	LogoChurn  LogoChurnRule  `json:"logo_churn"`
}

// A Normalizer says what a day and a week are in months, for prices that are not charged by month or year. The zero
// Normalizer is exact: 365/12 days and 52/12 weeks a month. A month counts 1 and a year 12 everywhere.
//
//	MRR = price * Day / n      for an interval of n days
//	MRR = price * Week / n     for an interval of n weeks
//	MRR = price / n            for an interval of n months
//	MRR = price / (12 n)       for an interval of n years
type Normalizer struct {
	Day  Fraction `json:"day"`  // days a month; the zero Fraction means 365/12
	Week Fraction `json:"week"` // weeks a month; the zero Fraction means 52/12
}

// A Fraction is an exact ratio of whole numbers. The zero Fraction, with a zero Den, means the default of the field that
// it stands in; Fraction{0, 1} is the number 0.
type Fraction struct{ Num, Den int64 }

// String returns "365/12", "30", or "default".
func (f Fraction) String() string {
	switch f.Den {
	case 0:
		return "default"
	case 1:
		return strconv.FormatInt(f.Num, 10)
	}
	return strconv.FormatInt(f.Num, 10) + "/" + strconv.FormatInt(f.Den, 10)
}

// MarshalText returns the text of String.
func (f Fraction) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads the text of String.
func (f *Fraction) UnmarshalText(text []byte) error {
	if string(text) == "default" {
		*f = Fraction{}
		return nil
	}
	top, bottom, found := strings.Cut(string(text), "/")
	if !found {
		bottom = "1"
	}
	n, err1 := strconv.ParseInt(top, 10, 64)
	d, err2 := strconv.ParseInt(bottom, 10, 64)
	if err1 != nil || err2 != nil || d < 1 || n < 0 {
		return fmt.Errorf("subscription: %.40q is no fraction such as 365/12", text)
	}
	*f = Fraction{n, d}
	return nil
}

func (f Fraction) or(n, d int64) (rational, error) {
	if f == (Fraction{}) {
		return fraction(n, d), nil
	}
	if f.Den < 1 || f.Num < 0 {
		return rational{}, fmt.Errorf("subscription: normalizer %d/%d: not a fraction from 0 on", f.Num, f.Den)
	}
	return fraction(f.Num, f.Den), nil
}

// Rounding says where amounts are rounded. The zero Rounding keeps every MRR as an exact fraction and rounds each
// reported figure once, half to even, to the minor unit of the currency.
//
// Figures that belong together always add up: where the rounded lines of a roll-forward, or the groups of a breakdown,
// miss their total, those with the largest rounding error move by one unit.
type Rounding struct {
	// Items rounds the MRR of every item before anything is summed, as ChartMogul and Kill Bill do; twelve items of
	// USD 0.01 a year are then nothing.
	Items  bool           `json:"items,omitempty"`
	Digits int32          `json:"digits,omitempty"` // decimals; 0 means those of the minor unit, at most 12
	Mode   money.Rounding `json:"mode"`             // the zero value is half to even
}

// DiscountRule says which discounts lower MRR.
type DiscountRule uint8

// The rules for discounts.
const (
	RunningDiscounts DiscountRule = iota // Forever and Repeating ones, while they hold; the zero value
	ForeverDiscounts                     // only Forever ones
	AllDiscounts                         // Once ones as well, for their one interval
	NoDiscounts                          // none: MRR is the list price
)

// String returns the rule's name.
func (r DiscountRule) String() string { return name(r, "running", "forever", "all", "none") }

// StackingRule says how several discounts of one row combine.
type StackingRule uint8

// The rules for several discounts.
const (
	InOrder        StackingRule = iota // each takes its part of what those before it left; the zero value
	LargestPercent                     // the largest percentage, and then the sum of the amounts
)

// String returns the rule's name.
func (r StackingRule) String() string { return name(r, "in-order", "largest-percent") }

// TaxRule says whether tax is MRR.
type TaxRule uint8

// The rules for tax.
const (
	TaxExcluded TaxRule = iota // tax is no MRR; the zero value
	TaxIncluded                // MRR contains the tax
)

// String returns the rule's name.
func (r TaxRule) String() string { return name(r, "excluded", "included") }

// TrialRule says whether trials count.
type TrialRule uint8

// The rules for trials.
const (
	TrialsExcluded TrialRule = iota // an item on trial brings nothing; the zero value
	TrialsCounted                   // an item on trial counts at its price
)

// String returns the rule's name.
func (r TrialRule) String() string { return name(r, "excluded", "counted") }

// PastDueRule says how long an item with an overdue payment counts.
type PastDueRule uint8

// The rules for overdue payments.
const (
	KeepDays    PastDueRule = iota // for Policy.PastDueDays, then it is involuntary churn; the zero value
	KeepOverdue                    // until it is paid or ends
	DropOverdue                    // not at all
)

// String returns the rule's name.
func (r PastDueRule) String() string { return name(r, "keep-days", "keep", "drop") }

// PauseRule says what a pause does.
type PauseRule uint8

// The rules for pauses.
const (
	PauseContracts PauseRule = iota // MRR is 0 and the customer stays a customer; the zero value
	PauseChurns                     // MRR is 0 and the customer is none: churn, then reactivation
	PauseCounts                     // a paused item counts in full
)

// String returns the rule's name.
func (r PauseRule) String() string { return name(r, "contracts", "churns", "counts") }

// ChurnRule says when a subscription that is canceled stops counting.
type ChurnRule uint8

// The moments of churn.
const (
	AtEnd           ChurnRule = iota // when it ends; the zero value
	AtPaidThrough                    // at the end of the last paid service period, where that is known
	AtCancelRequest                  // when the customer asks for the end
)

// String returns the rule's name.
func (r ChurnRule) String() string { return name(r, "end", "paid-through", "cancel-request") }

// FreeRule says whether who pays nothing is a customer.
type FreeRule uint8

// The rules for free plans and full discounts.
const (
	FreeIsNone     FreeRule = iota // from paying to free is churn; the zero value
	FreeIsCustomer                 // from paying to free is contraction, and the customer is counted
)

// String returns the rule's name.
func (r FreeRule) String() string { return name(r, "none", "customer") }

// MeteredRule says whether usage counts.
type MeteredRule uint8

// The rules for metered prices.
const (
	MeteredExcluded MeteredRule = iota // usage brings no MRR; the zero value
	MeteredTrailing                    // the charge of a metered row counts in the interval after it
)

// String returns the rule's name.
func (r MeteredRule) String() string { return name(r, "excluded", "trailing") }

// FXRule says at which rates other currencies enter.
type FXRule uint8

// The rules for exchange rates. A rate is the latest quoted at or before the moment asked for.
const (
	// SpotRates values balances at the rate of the moment. A movement is valued at its own moment in event mode and at
	// the opening in period-net mode; what rates alone change is FX. The zero value.
	SpotRates FXRule = iota
	// OpeningRates values the whole table at the rates of its first opening, so that FX is zero.
	OpeningRates
	// ClosingRates values the whole table at the rates of its last closing: history is restated and FX is zero.
	ClosingRates
	// StartRates values each row for ever at the rate of its start; FX is zero.
	StartRates
	// MonthlyRates is SpotRates with the mean of the rates quoted in the calendar month, in UTC.
	MonthlyRates
)

// String returns the rule's name.
func (r FXRule) String() string {
	return name(r, "spot", "opening", "closing", "start", "monthly")
}

// Mode says what a movement is.
type Mode uint8

// The modes of movements. Both close the roll-forward to the minor unit, and give different churn for the same data.
const (
	// EventMode makes every change a movement: who leaves and comes back within a period is churn and reactivation.
	EventMode Mode = iota
	// PeriodNet compares the opening and the closing of each customer, and sees nothing between them.
	PeriodNet
)

// String returns the mode's name.
func (m Mode) String() string { return name(m, "event", "period-net") }

// Grain says whose balance moves. In a coarser grain the changes of its parts net out.
type Grain uint8

// The grains of movements.
const (
	ByCustomer     Grain = iota // the zero value
	BySubscription              // a second subscription is new, not expansion
	ByItem                      // a change of plan is churn and new, unless the rows have the same Item
	ByParent                    // all customers of an account together
)

// String returns the grain's name.
func (g Grain) String() string { return name(g, "customer", "subscription", "item", "parent") }

// SamePeriodRule says what becomes of who joins and leaves within a period, in event mode.
type SamePeriodRule uint8

// The rules for joining and leaving within one period.
const (
	SamePeriodCounted SamePeriodRule = iota // as new and as churn; the zero value
	SamePeriodIgnored                       // not at all
)

// String returns the rule's name.
func (r SamePeriodRule) String() string { return name(r, "counted", "ignored") }

// LogoChurnRule says which of its definitions the rate PeriodResult.LogoChurn has.
type LogoChurnRule uint8

// The definitions of logo churn.
const (
	// ClosedCohort is the share of the customers at the opening who are gone at the closing. Who came within the period
	// does not enter, and who left and came back is kept. The zero value.
	ClosedCohort LogoChurnRule = iota
	// ChurnsOverOpening is the number of churns within the period over the customers at the opening.
	ChurnsOverOpening
	// ChurnsOverOpeningAndNew adds the new customers to the base.
	ChurnsOverOpeningAndNew
	// ChurnsLessReturns takes the reactivations off the churns; it may be negative.
	ChurnsLessReturns
)

// String returns the rule's name.
func (r LogoChurnRule) String() string {
	return name(r, "closed-cohort", "churns-over-opening", "churns-over-opening-and-new", "churns-less-returns")
}

var errPolicy = errors.New("not one of the rules")

// Validate returns an error if a rule of the policy does not exist or a number is out of its range.
func (p Policy) Validate() error {
	for _, rule := range []struct {
		field string
		value uint8
		text  string
	}{
		{"Discounts", uint8(p.Discounts), p.Discounts.String()}, {"Stacking", uint8(p.Stacking), p.Stacking.String()},
		{"Tax", uint8(p.Tax), p.Tax.String()}, {"Trials", uint8(p.Trials), p.Trials.String()},
		{"PastDue", uint8(p.PastDue), p.PastDue.String()}, {"Paused", uint8(p.Paused), p.Paused.String()},
		{"ChurnAt", uint8(p.ChurnAt), p.ChurnAt.String()}, {"Free", uint8(p.Free), p.Free.String()},
		{"Metered", uint8(p.Metered), p.Metered.String()}, {"FX", uint8(p.FX), p.FX.String()},
		{"Mode", uint8(p.Mode), p.Mode.String()}, {"Grain", uint8(p.Grain), p.Grain.String()},
		{"SamePeriod", uint8(p.SamePeriod), p.SamePeriod.String()}, {"LogoChurn", uint8(p.LogoChurn), p.LogoChurn.String()},
	} {
		if strings.HasPrefix(rule.text, "invalid(") {
			return fmt.Errorf("subscription: policy: %s: %d: %w", rule.field, rule.value, errPolicy)
		}
	}
	if p.Rounding.Mode > money.Floor {
		return fmt.Errorf("subscription: policy: Rounding.Mode: %d: %w", p.Rounding.Mode, errPolicy)
	}
	if p.Rounding.Digits < 0 || p.Rounding.Digits > 12 {
		return fmt.Errorf("subscription: policy: Rounding.Digits: %d: not from 0 to 12", p.Rounding.Digits)
	}
	if p.PastDueDays < 0 || p.PastDueDays > 36500 {
		return fmt.Errorf("subscription: policy: PastDueDays: %d: not from 0 to 36500", p.PastDueDays)
	}
	if p.Coalesce < 0 {
		return fmt.Errorf("subscription: policy: Coalesce: %v: negative", p.Coalesce)
	}
	if p.Return != 0 && !p.Return.Known() {
		return errors.New("subscription: policy: Return: not an interval")
	}
	_, err1 := p.Normalizer.Day.or(1, 1)
	_, err2 := p.Normalizer.Week.or(1, 1)
	return errors.Join(err1, err2)
}

// factor returns what an interval's price is multiplied with to give a month's, and false for an unknown interval.
func (n Normalizer) factor(i Interval) (rational, bool) {
	per := int64(i.Count())
	switch i.Unit() {
	case Day:
		days, _ := n.Day.or(365, 12)
		return days.mul(fraction(1, per)), true
	case Week:
		weeks, _ := n.Week.or(52, 12)
		return weeks.mul(fraction(1, per)), true
	case Month:
		return fraction(1, per), true
	case Year:
		return fraction(1, 12*per), true
	}
	return rational{}, false
}
