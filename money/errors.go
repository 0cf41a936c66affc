package money

import (
	"errors"
	"fmt"
)

// Errors of this package wrap one of these, or are a [*CurrencyMismatchError].
var (
	// ErrSyntax is wrapped where text, JSON or bytes are not an amount.
	ErrSyntax = errors.New("money: not an amount")
	// ErrRange is wrapped where a value would need more than 38 digits, or more than 37 after the point.
	ErrRange = errors.New("money: out of range")
	// ErrCurrency is wrapped where a code is not in the table of ISO 4217.
	ErrCurrency = errors.New("money: not an ISO 4217 currency code")
	// ErrNoMinorUnit is wrapped where an operation needs a minor unit and the currency (XAU, or none) has none.
	ErrNoMinorUnit = errors.New("money: currency without a minor unit")
	// ErrUndefined is wrapped by a division by zero and by a ratio with a zero base.
	ErrUndefined = errors.New("money: division by zero")
	// ErrArgument is wrapped where weights, a number of parts, an increment, a rounding mode or a rate make no sense.
	ErrArgument = errors.New("money: invalid argument")
)

// CurrencyMismatchError reports an operation on amounts of two different currencies. Retrieve it with errors.As.
type CurrencyMismatchError struct {
	A, B Currency // in the order of the operands
}

// Error names both currencies.
func (e *CurrencyMismatchError) Error() string {
	return fmt.Sprintf("money: currencies differ: %s and %s", name(e.A), name(e.B))
}

func name(c Currency) string {
	if c == "" {
		return "none"
	}
	return string(c)
}

func rangeError() error {
	return fmt.Errorf("%w: more than %d digits, or more than %d after the point", ErrRange, maxDigits, maxScale)
}

func minorError(m meta) error {
	return fmt.Errorf("%w: %s", ErrNoMinorUnit, name(m.currency()))
}

func roundingError(r Rounding) error {
	return fmt.Errorf("%w: %v", ErrArgument, r)
}
