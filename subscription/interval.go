package subscription

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// A Unit is a unit of the calendar in which billing intervals are counted.
type Unit uint8

// The units of billing intervals. The zero Unit is none.
const (
	Day Unit = iota + 1
	Week
	Month
	Year
)

// String returns the unit's name in the singular, such as "month".
func (u Unit) String() string { return name(u, "none", "day", "week", "month", "year") }

// An Interval is how often a price is charged: every so many days, weeks, months or years. It is made by [Every] or is
// one of the constants below. The zero Interval is an unknown one: a price with it brings no MRR, and the Book's Issues
// say so.
type Interval uint32

// The common intervals.
const (
	Daily      = Interval(1<<unitBits | uint32(Day))
	Weekly     = Interval(1<<unitBits | uint32(Week))
	Biweekly   = Interval(2<<unitBits | uint32(Week))
	EveryMonth = Interval(1<<unitBits | uint32(Month))
	Quarterly  = Interval(3<<unitBits | uint32(Month))
	HalfYearly = Interval(6<<unitBits | uint32(Month))
	Yearly     = Interval(1<<unitBits | uint32(Year))
	Biennial   = Interval(2<<unitBits | uint32(Year))
)

const (
	unitBits = 3
	maxCount = 1<<20 - 1
)

// Every returns the interval of n units: Every(3, Month) is a quarter. It is the zero Interval, which is unknown, unless
// n is 1 to 1,048,575 and the unit is one of the four.
func Every(n int, u Unit) Interval {
	if n < 1 || n > maxCount || u < Day || u > Year {
		return 0
	}
	return Interval(uint32(n)<<unitBits | uint32(u))
}

// Unit returns the unit in which the interval is counted, 0 if the interval is unknown.
func (i Interval) Unit() Unit {
	if !i.Known() {
		return 0
	}
	return Unit(i & (1<<unitBits - 1))
}

// Count returns the number of units, 0 if the interval is unknown.
func (i Interval) Count() int {
	if !i.Known() {
		return 0
	}
	return int(i >> unitBits)
}

// Known reports whether the interval is one of n days, weeks, months or years.
func (i Interval) Known() bool {
	u, n := Unit(i&(1<<unitBits-1)), i>>unitBits
	return u >= Day && u <= Year && n >= 1 && n <= maxCount
}

// String returns the interval as "month" or "3 months", and "unknown" for an unknown one. [ParseInterval] reads it.
func (i Interval) String() string {
	switch {
	case !i.Known():
		return "unknown"
	case i.Count() == 1:
		return i.Unit().String()
	}
	return strconv.Itoa(i.Count()) + " " + i.Unit().String() + "s"
}

// MarshalText returns the text of String.
func (i Interval) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what [ParseInterval] reads, and "unknown".
func (i *Interval) UnmarshalText(text []byte) error {
	if string(text) == "unknown" {
		*i = 0
		return nil
	}
	parsed, err := ParseInterval(string(text))
	if err != nil {
		return err
	}
	*i = parsed
	return nil
}

// From returns the end of the n-th interval after the anchor. Months and years keep the anchor's day and clamp it to the
// month's last, counting from the anchor each time: monthly from 31 January falls on 28 February, 31 March, 30 April.
// Days and weeks are calendar days in the anchor's location: the clock time stays where the clocks change. The anchor
// itself is returned for an unknown interval.
func (i Interval) From(anchor time.Time, n int) time.Time {
	count := i.Count() * n
	switch i.Unit() {
	case Day:
		return anchor.AddDate(0, 0, count)
	case Week:
		return anchor.AddDate(0, 0, 7*count)
	case Month:
		return ledger.AddMonths(anchor, count)
	case Year:
		return ledger.AddMonths(anchor, 12*count)
	}
	return anchor
}

var errInterval = errors.New("not a billing interval such as month, 3 months, quarterly, yearly or P1Y")

// ParseInterval reads a billing interval: a word (month, monthly, quarter, quarterly, annual, yearly, biweekly and the
// like, in any case), a count and a unit ("3 months", "3-month", "14 days", "6mo"), or an ISO 8601 period of one unit
// ("P3M"). Bimonthly and semimonthly are refused, because people mean different things by them.
func ParseInterval(s string) (Interval, error) {
	word := strings.ToLower(strings.TrimSpace(s))
	if i := namedInterval(word); i != 0 {
		return i, nil
	}
	if rest, ok := strings.CutPrefix(word, "p"); ok && len(rest) >= 2 {
		if u := isoUnit(rest[len(rest)-1]); u != 0 {
			return countedInterval(rest[:len(rest)-1], u, s)
		}
	}
	word = strings.TrimPrefix(word, "every ")
	end := 0
	for end < len(word) && word[end] >= '0' && word[end] <= '9' {
		end++
	}
	return countedInterval(word[:end], unitOf(strings.Trim(word[end:], " -_")), s)
}

func countedInterval(digits string, u Unit, s string) (Interval, error) {
	n := 1
	if digits != "" {
		var err error
		if n, err = strconv.Atoi(digits); err != nil {
			n = 0
		}
	}
	i := Every(n, u)
	if i == 0 {
		return 0, fmt.Errorf("subscription: %.40q: %w", s, errInterval)
	}
	return i, nil
}

func isoUnit(c byte) Unit {
	switch c {
	case 'd':
		return Day
	case 'w':
		return Week
	case 'm':
		return Month
	case 'y':
		return Year
	}
	return 0
}

func unitOf(word string) Unit {
	switch word {
	case "d", "day", "days":
		return Day
	case "w", "wk", "week", "weeks":
		return Week
	case "m", "mo", "mon", "month", "months":
		return Month
	case "y", "yr", "year", "years":
		return Year
	}
	return 0
}

func namedInterval(word string) Interval {
	switch word {
	case "daily":
		return Daily
	case "weekly":
		return Weekly
	case "biweekly", "bi-weekly", "fortnightly", "fortnight":
		return Biweekly
	case "monthly":
		return EveryMonth
	case "quarterly", "quarter":
		return Quarterly
	case "half-yearly", "halfyearly", "half-year", "biannual", "semiannual", "semi-annual", "semiannually":
		return HalfYearly
	case "yearly", "annual", "annually", "annum":
		return Yearly
	case "biennial", "biennially":
		return Biennial
	}
	return 0
}

// name returns the text of an enumeration's value.
func name[T ~uint8](v T, names ...string) string {
	if int(v) >= len(names) {
		return "invalid(" + strconv.Itoa(int(v)) + ")"
	}
	return names[v]
}

// value finds the enumeration's value that has the text.
func value[T ~uint8](text []byte, kind string, all func(T) string) (T, error) {
	for v := T(0); v < 32; v++ {
		if s := all(v); s == string(text) && !strings.HasPrefix(s, "invalid(") {
			return v, nil
		}
	}
	return 0, fmt.Errorf("subscription: %.40q is no %s", text, kind)
}
