package attribution

import (
	"errors"
	"fmt"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Journey is the way of one customer, or of many who went the same way, through the channels, oldest touch first. It
// ended in a conversion, or in nothing; a journey of many may count both.
type Journey struct {
	Channels []string        `json:"channels"`       // the channel of each touch; at least one, none empty
	Ages     []time.Duration `json:"ages,omitempty"` // how long before the conversion each touch was, in nanoseconds in JSON; nil if not known

	// Lead and Opportunity are the numbers of the touches that made the lead and the opportunity, counted from 1; 0 if
	// there is none or it is not known.
	Lead        int `json:"lead,omitempty"`
	Opportunity int `json:"opportunity,omitempty"`

	Conversions int64        `json:"conversions"` // how many journeys of this way converted
	Nulls       int64        `json:"nulls"`       // how many did not
	Value       money.Amount `json:"value"`       // what the conversions brought in total; the zero Amount if not recorded
}

// maxCount is the most journeys that a float64 counts exactly.
const maxCount = 1 << 53

// Validate returns a *[ledger.RowError] without a row if there are no touches, a channel has no name, ages are not one
// per touch, are negative or rise, a milestone is no touch of the journey, a count is negative or both are zero, or a
// value is negative or has no conversions.
func (j *Journey) Validate() error {
	if len(j.Channels) == 0 {
		return bad("channels", "", "no touches")
	}
	for _, c := range j.Channels {
		if c == "" {
			return bad("channels", "", "a channel without a name")
		}
	}
	if err := j.validateAges(); err != nil {
		return err
	}
	for _, m := range []struct {
		name  string
		touch int
	}{{"lead", j.Lead}, {"opportunity", j.Opportunity}} {
		if m.touch < 0 || m.touch > len(j.Channels) {
			return bad(m.name, m.touch, fmt.Sprintf("not one of the %d touches", len(j.Channels)))
		}
	}
	switch {
	case j.Conversions < 0 || j.Conversions > maxCount:
		return bad("conversions", j.Conversions, "not between 0 and 2^53")
	case j.Nulls < 0 || j.Nulls > maxCount:
		return bad("nulls", j.Nulls, "not between 0 and 2^53")
	case j.Conversions == 0 && j.Nulls == 0:
		return bad("conversions", 0, "neither conversions nor nulls")
	case j.Value.Sign() < 0:
		return bad("value", j.Value, "negative")
	case j.Value.Sign() > 0 && j.Conversions == 0:
		return bad("value", j.Value, "value without conversions")
	}
	return nil
}

func (j *Journey) validateAges() error {
	if j.Ages == nil {
		return nil
	}
	if len(j.Ages) != len(j.Channels) {
		return bad("ages", len(j.Ages), fmt.Sprintf("not one for each of the %d touches", len(j.Channels)))
	}
	for i, a := range j.Ages {
		if a < 0 {
			return bad("ages", a, "negative")
		}
		if i > 0 && a > j.Ages[i-1] {
			return bad("ages", a, "older than the touch before it")
		}
	}
	return nil
}

// A Touchpoint is one contact of a customer with a channel.
type Touchpoint struct {
	Customer string    `json:"customer"`           // never empty
	At       time.Time `json:"at"`                 // when
	Channel  string    `json:"channel"`            // where; never empty
	Campaign string    `json:"campaign,omitempty"` // what it answered to, empty if none
}

// Validate returns a *[ledger.RowError] without a row if the customer or the channel is empty or the time is zero or
// outside the years 1900 to 2190.
func (t Touchpoint) Validate() error {
	if t.Channel == "" {
		return bad("channel", "", "empty")
	}
	return validateEvent(t.Customer, t.At)
}

// A Conversion is what journeys lead to: an order, a signup, a won deal.
type Conversion struct {
	Customer string       `json:"customer"` // never empty
	At       time.Time    `json:"at"`       // when
	Value    money.Amount `json:"value"`    // what it brought; the zero Amount if not recorded, never negative
}

// Validate returns a *[ledger.RowError] without a row if the customer is empty, the time is zero or outside the years
// 1900 to 2190, or the value is negative.
func (c Conversion) Validate() error {
	if c.Value.Sign() < 0 {
		return bad("value", c.Value, "negative")
	}
	return validateEvent(c.Customer, c.At)
}

func validateEvent(customer string, at time.Time) error {
	switch {
	case customer == "":
		return bad("customer", "", "empty")
	case at.IsZero():
		return bad("at", "", "no time")
	case at.Year() < 1900 || at.Year() > 2190:
		return bad("at", at.Format(time.RFC3339), "not in the years 1900 to 2190")
	}
	return nil
}

func bad(field string, value any, reason string) *ledger.RowError {
	return &ledger.RowError{Field: field, Value: fmt.Sprint(value), Err: errors.New(reason)}
}

// fail is fmt.Errorf with the package's name in front.
func fail(format string, args ...any) error { return fmt.Errorf("attribution: "+format, args...) }

// atRow numbers the error of a row and puts the package's name before it.
func atRow(row int, err error) error {
	var r *ledger.RowError
	if errors.As(err, &r) {
		numbered := *r
		numbered.Row = row
		return fail("%w", &numbered)
	}
	return fail("%w", &ledger.RowError{Row: row, Err: err})
}
