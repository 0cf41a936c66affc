package clv

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// The units in which model time is usually counted.
const (
	Day  = 24 * time.Hour
	Week = 7 * 24 * time.Hour
)

// A History is all that the continuous-time models need to know of one customer: how often, how recently and for how
// long. The first purchase makes someone a customer and is not counted in X.
type History struct {
	Customer string       `json:"customer,omitempty"`
	X        int          `json:"x"`                  // repeat purchases
	TX       float64      `json:"tx"`                 // time of the last purchase since the first, in Histories.Unit; 0 if X is 0
	T        float64      `json:"t"`                  // time of the end of observation since the first purchase, in Histories.Unit
	LogGaps  float64      `json:"log_gaps,omitempty"` // sum of the natural logs of the X times between purchases; only the CNBD-k models read it
	Count    int          `json:"count,omitempty"`    // customers with this history, 0 meaning 1: the weight in every fit
	Spend    money.Amount `json:"spend"`              // total of the X repeat purchases
}

// Histories are the customers of one log up to one end of observation, sorted by Customer.
type Histories struct {
	Unit   time.Duration `json:"unit"`   // the unit of TX and T
	End    time.Time     `json:"end"`    // the end of observation
	Rows   []History     `json:"rows"`   // one a customer
	Report Report        `json:"report"` // what Summarize merged and left out; zero for histories made by hand
}

// Customers returns the number of customers that the history stands for.
func (h History) customers() int { return max(1, h.Count) }

// MeanSpend returns the exact mean of the X repeat purchases as a float64, NaN if there are none.
func (h History) MeanSpend() float64 {
	if h.X <= 0 {
		return math.NaN()
	}
	return h.Spend.Float64() / float64(h.X)
}

var (
	errNegative   = errors.New("negative")
	errNotFinite  = errors.New("not a finite number")
	errTXAfterT   = errors.New("greater than T")
	errTXWithoutX = errors.New("not 0 though X is 0")
	errXWithoutTX = errors.New("0 though X is not: repeat purchases need a later time than the first")
)

// Validate returns a *ledger.RowError without a row number that names the first bad field: a negative X, TX, T or
// Count, a time that is not a finite number, TX greater than T, TX not 0 where X is 0, or TX 0 where X is not.
func (h History) Validate() error {
	if bad := h.problem(); bad != nil {
		return bad
	}
	return nil
}

func (h History) problem() *ledger.RowError {
	switch {
	case h.X < 0:
		return &ledger.RowError{Field: "X", Value: strconv.Itoa(h.X), Err: errNegative}
	case h.Count < 0:
		return &ledger.RowError{Field: "Count", Value: strconv.Itoa(h.Count), Err: errNegative}
	case !finite(h.T):
		return badTime("T", h.T, errNotFinite)
	case h.T < 0:
		return badTime("T", h.T, errNegative)
	case !finite(h.TX):
		return badTime("TX", h.TX, errNotFinite)
	case h.TX < 0:
		return badTime("TX", h.TX, errNegative)
	case h.TX > h.T:
		return badTime("TX", h.TX, errTXAfterT)
	case h.X == 0 && h.TX != 0:
		return badTime("TX", h.TX, errTXWithoutX)
	case h.X > 0 && h.TX == 0:
		return badTime("TX", h.TX, errXWithoutTX)
	}
	return nil
}

func badTime(field string, v float64, reason error) *ledger.RowError {
	return &ledger.RowError{Field: field, Value: strconv.FormatFloat(v, 'g', -1, 64), Err: reason}
}

// usable reports whether the models are defined at h; their float methods return NaN where it is false.
func (h History) usable() bool { return h.problem() == nil }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Validate returns an error that names the first bad row and field, or an error if the unit is not positive or there
// are no rows.
func (hs *Histories) Validate() error {
	if hs == nil || len(hs.Rows) == 0 {
		return errors.New("clv: no histories")
	}
	if hs.Unit <= 0 {
		return fmt.Errorf("clv: histories with the unit %v: want a positive one, such as clv.Week", hs.Unit)
	}
	for i := range hs.Rows {
		if bad := hs.Rows[i].problem(); bad != nil {
			bad.Row = i + 1
			return fmt.Errorf("clv: %w", bad)
		}
	}
	return nil
}

// Customers returns the number of customers: rows with a Count stand for that many.
func (hs *Histories) Customers() int {
	n := 0
	for i := range hs.Rows {
		n += hs.Rows[i].customers()
	}
	return n
}
