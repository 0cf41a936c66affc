package churn

import (
	"errors"
	"fmt"
	"time"

	"github.com/custval/custval/ledger"
)

var (
	errProbability = errors.New("want a probability between 0 and 1")
	errNoCustomer  = errors.New("no customer")
	errNoTime      = errors.New("no time")
	errBeforeStart = errors.New("not after the start")
	errNotWhole    = errors.New("want a whole number of at least 0")
	errDuration    = errors.New("not a positive duration that a time.Duration holds")
	errNegative    = errors.New("negative")
)

func rowError(row int, field, value string, reason error) error {
	return fmt.Errorf("churn: %w", &ledger.RowError{Row: row, Field: field, Value: value, Err: reason})
}

// streamError adds the package's name to an error that a stream gave.
func streamError(err error) error { return fmt.Errorf("churn: %w", err) }

// checkWho returns an error unless a record has a customer and a time.
func checkWho(row int, customer string, at time.Time) error {
	if customer == "" {
		return rowError(row, "customer", "", errNoCustomer)
	}
	if at.IsZero() {
		return rowError(row, "at", "", errNoTime)
	}
	return nil
}
