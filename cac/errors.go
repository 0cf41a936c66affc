package cac

import (
	"errors"
	"fmt"
	"strings"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// The reasons for which a cost, a payback or a return has no value. Test for them with errors.Is; where the place is a
// channel and a period, errors.As finds a *[PlaceError].
var (
	// ErrNoNewCustomers: a cost per customer of no customers. It wraps [ledger.ErrUndefined].
	ErrNoNewCustomers error = undefined("no new customers")
	// ErrZeroBase: a ratio whose base is zero, such as a return on no spend. It wraps [ledger.ErrUndefined].
	ErrZeroBase error = undefined("zero base")
	// ErrNever: the margin never earns the cost back. It wraps [ledger.ErrUndefined].
	ErrNever error = undefined("never pays back")
	// ErrNotIncremental: the treated did not do better than the holdout. It wraps [ledger.ErrUndefined].
	ErrNotIncremental error = undefined("no incremental customers")
	// ErrNonPositiveCost: credits exceed or equal the costs, though there are customers.
	ErrNonPositiveCost = errors.New("net cost is not positive")
	// ErrCurrencyMismatch: amounts of two currencies without a rate between them.
	ErrCurrencyMismatch = errors.New("currencies differ")
	// ErrBasisMismatch: two figures made by different rules, or of different customers.
	ErrBasisMismatch = errors.New("bases differ")
	// ErrInsufficientHistory: a lag, a change or a payback needs periods that are not there.
	ErrInsufficientHistory = errors.New("not enough history")
	// ErrMissingValue: customers whose value is not known.
	ErrMissingValue = errors.New("customers without a value")
)

// undefined is a sentinel that reads as its own text and wraps ledger.ErrUndefined.
type undefined string

func (e undefined) Error() string { return string(e) }
func (e undefined) Unwrap() error { return ledger.ErrUndefined }

// A Place says whose customers a figure is of: a group and a period. The zero Place is all customers.
type Place struct {
	Dimension string        `json:"dimension,omitempty"` // what the group is: "channel", "campaign", "region"; empty for all groups
	Group     string        `json:"group,omitempty"`     // which one; meaningless if Dimension is empty
	Period    ledger.Period `json:"period,omitzero"`     // when they were won; the zero Period for all of time
}

// String returns group and period, such as `channel "Search", period 2025-12`, and "" for the zero Place.
func (p Place) String() string {
	var parts []string
	if p.Dimension != "" {
		parts = append(parts, fmt.Sprintf("%s %q", p.Dimension, p.Group))
	}
	if !p.Period.IsZero() {
		parts = append(parts, "period "+p.Period.String())
	}
	return strings.Join(parts, ", ")
}

// same reports whether two places are the same group and period.
func (p Place) same(o Place) bool {
	return p.Dimension == o.Dimension && (p.Dimension == "" || p.Group == o.Group) &&
		p.Period.Start.Equal(o.Period.Start) && p.Period.End.Equal(o.Period.End)
}

// A PlaceError says in which group and period a figure failed, such as
//
//	cac: channel "Search", period 2025-12: no new customers
type PlaceError struct {
	Place
	Err error // why
}

// Error returns group, period and reason.
func (e *PlaceError) Error() string {
	if at := e.String(); at != "" {
		return fmt.Sprintf("cac: %s: %v", at, e.Err)
	}
	return fmt.Sprintf("cac: %v", e.Err)
}

// Unwrap returns the reason.
func (e *PlaceError) Unwrap() error { return e.Err }

// sameCurrency returns an error that names both currencies if they differ; an amount of no currency goes with any.
func sameCurrency(a, b money.Amount) error {
	if a.Currency() == "" || b.Currency() == "" || a.Currency() == b.Currency() {
		return nil
	}
	return fmt.Errorf("%w: %s and %s", ErrCurrencyMismatch, a.Currency(), b.Currency())
}

// An ownError is an error with the package's name before it; at takes the name off again.
type ownError struct{ err error }

func (e *ownError) Error() string { return "cac: " + e.err.Error() }
func (e *ownError) Unwrap() error { return e.err }

// fail is fmt.Errorf with the package's name in front.
func fail(format string, args ...any) error { return &ownError{fmt.Errorf(format, args...)} }

// prefixed puts the package's name before an error that does not carry it yet.
func prefixed(err error) error {
	switch err.(type) { //nolint:errorlint // only the outermost layer is meant
	case nil, *ownError, *PlaceError:
		return err
	}
	return &ownError{mismatch(err)}
}

// mismatch makes this package's error of one about currencies that package money found.
func mismatch(err error) error {
	var found *money.CurrencyMismatchError
	if errors.As(err, &found) && !errors.Is(err, ErrCurrencyMismatch) {
		return fmt.Errorf("%w: %s and %s", ErrCurrencyMismatch, found.A, found.B)
	}
	return err
}

// bare takes the package's name off an error.
func bare(err error) error {
	if own, ok := err.(*ownError); ok { //nolint:errorlint // only the outermost layer is meant
		return own.err
	}
	return err
}
