package churn

import (
	"fmt"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Renewal is a contract whose term ends.
type Renewal struct {
	Customer string       `json:"customer"`
	Due      time.Time    `json:"due"`               // when the term ends
	At       time.Time    `json:"at,omitzero"`       // when it was renewed; the zero time means that it was not
	Expiring money.Amount `json:"expiring,omitzero"` // what the ending term is worth
	Renewed  money.Amount `json:"renewed,omitzero"`  // what the new term is worth, over the same length of time
}

// A RenewalTable counts the contracts whose term ends in a period. Every contract is in one class:
//
//	Due = Early + OnTime + Late + Lost + Pending
//
// A renewal counts where its term ended, whenever it was made.
type RenewalTable struct {
	Period  ledger.Period `json:"period"`
	Grace   time.Duration `json:"grace_ns"` // a renewal later than this after Due is a loss, and a return
	AsOf    time.Time     `json:"as_of"`    // what was not renewed by then is lost once the grace is over
	Due     int           `json:"due"`
	Early   int           `json:"early"`   // renewed before the day on which the term ends
	OnTime  int           `json:"on_time"` // renewed on that day
	Late    int           `json:"late"`    // renewed after it and within the grace
	Lost    int           `json:"lost"`
	Pending int           `json:"pending"` // not renewed, and the grace is not over as of AsOf
	// The values of contracts that are not pending.
	Expiring money.Amount `json:"expiring"`
	Renewed  money.Amount `json:"renewed"` // of those renewed, with what they grew by
	Kept     money.Amount `json:"kept"`    // the same, each at most what it was worth before
}

// Renewals counts the contracts whose term ends in the period. Days are those of the location of Period.Start.
//
// It returns an error with the row for a contract without customer or due date and for a negative value, one for a
// negative grace, and one if the values have several currencies.
func Renewals(contracts []Renewal, p ledger.Period, grace time.Duration, asOf time.Time) (*RenewalTable, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("churn: renewals: %w", err)
	}
	if grace < 0 {
		return nil, fmt.Errorf("churn: renewals: grace %v: negative", grace)
	}
	t := &RenewalTable{Period: p, Grace: grace, AsOf: asOf}
	var expiring, renewed, kept money.Sum
	for i, c := range contracts {
		if err := checkWho(i+1, c.Customer, c.Due); err != nil {
			return nil, err
		}
		if c.Expiring.Sign() < 0 || c.Renewed.Sign() < 0 {
			return nil, rowError(i+1, "expiring", c.Expiring.String()+", renewed "+c.Renewed.String(), errNegative)
		}
		if !p.Contains(c.Due) {
			continue
		}
		t.Due++
		class := t.class(c)
		if class == &t.Pending {
			t.Pending++
			continue
		}
		*class++
		expiring.Add(c.Expiring)
		if class == &t.Lost {
			continue
		}
		least, err := money.Min(c.Expiring, c.Renewed)
		if err != nil {
			return nil, rowError(i+1, "renewed", c.Renewed.String(), err)
		}
		renewed.Add(c.Renewed)
		kept.Add(least)
	}
	for _, s := range []struct {
		sum *money.Sum
		to  *money.Amount
	}{{&expiring, &t.Expiring}, {&renewed, &t.Renewed}, {&kept, &t.Kept}} {
		total, err := s.sum.Total()
		if err != nil {
			return nil, fmt.Errorf("churn: renewals: %w", err)
		}
		*s.to = total
	}
	return t, nil
}

// class returns the count that a contract belongs to.
func (t *RenewalTable) class(c Renewal) *int {
	deadline := c.Due.Add(t.Grace)
	day := ledger.Day(c.Due, t.Period.Start.Location())
	if deadline.Before(day.End) {
		deadline = day.End.Add(-1) // the whole day on which the term ends is in time
	}
	made := !c.At.IsZero() && !c.At.After(t.AsOf)
	switch {
	case made && c.At.Before(day.Start):
		return &t.Early
	case made && c.At.Before(day.End):
		return &t.OnTime
	case made && !c.At.After(deadline):
		return &t.Late
	case !t.AsOf.After(deadline):
		return &t.Pending
	}
	return &t.Lost
}

// Rate returns the renewed of those decided: all that were due without the pending. The error wraps ledger.ErrUndefined
// if nothing is decided.
func (t *RenewalTable) Rate() (Share, error) {
	return share("renewal rate", float64(t.Early+t.OnTime+t.Late), float64(t.Due-t.Pending))
}

// InTime returns those renewed early or on the day of those decided. Its error is that of Rate.
func (t *RenewalTable) InTime() (Share, error) {
	return share("renewal rate", float64(t.Early+t.OnTime), float64(t.Due-t.Pending))
}

// Gross returns the value renewed, each contract at most at what it was worth before, of the value that ended: never
// above 1. The error wraps ledger.ErrUndefined if no value ended.
func (t *RenewalTable) Gross() (float64, error) {
	return valueRatio("gross renewal rate", t.Kept, t.Expiring)
}

// Net returns the value renewed of the value that ended, growth included. Its error is that of Gross.
func (t *RenewalTable) Net() (float64, error) {
	return valueRatio("net renewal rate", t.Renewed, t.Expiring)
}

func valueRatio(what string, part, base money.Amount) (float64, error) {
	if base.IsZero() {
		return 0, fmt.Errorf("churn: %s: no value in the base: %w", what, ledger.ErrUndefined)
	}
	v, err := part.Ratio(base)
	if err != nil {
		return 0, fmt.Errorf("churn: %s: %w", what, err)
	}
	return v, nil
}

// String returns the counts and rates, a line each.
func (t *RenewalTable) String() string {
	lines := [][2]string{{"period", t.Period.String()}, {"due", strconv.Itoa(t.Due)}, {"early", strconv.Itoa(t.Early)},
		{"on time", strconv.Itoa(t.OnTime)}, {"late", strconv.Itoa(t.Late)}, {"lost", strconv.Itoa(t.Lost)}, {"pending", strconv.Itoa(t.Pending)}}
	if s, err := t.Rate(); err == nil {
		lines = append(lines, [2]string{"renewal rate", s.String()})
	}
	if v, err := t.Gross(); err == nil {
		lines = append(lines, [2]string{"gross value", percent(v) + " of " + t.Expiring.String()})
	}
	if v, err := t.Net(); err == nil {
		lines = append(lines, [2]string{"net value", percent(v) + " of " + t.Expiring.String()})
	}
	return factTable(lines)
}
