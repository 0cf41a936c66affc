package money

import (
	"bytes"
	"database/sql/driver"
	"fmt"
)

// AppendText appends the text of [Amount.String], such as "USD 12.50".
func (a Amount) AppendText(b []byte) ([]byte, error) { return a.append(b, a.meta.minor()), nil }

// MarshalText returns the text of [Amount.String], such as "USD 12.50". With encoding/json the methods for JSON go first.
func (a Amount) MarshalText() ([]byte, error) { return a.AppendText(nil) }

// UnmarshalText reads a code of ISO 4217, one blank, and a number of the syntax of [Parse]: "USD 12.50". A zero without
// a currency is the zero [Amount].
//
// It returns an error that wraps [ErrSyntax], [ErrCurrency] or [ErrRange], and leaves a as it was, if text is not that.
func (a *Amount) UnmarshalText(text []byte) error {
	currency, number, found := bytes.Cut(text, []byte(" "))
	if !found {
		currency, number = nil, text
	} else if len(currency) == 0 {
		return syntaxError(string(text[:min(len(text), maxText)]), "it starts with a blank")
	}
	v, err := assemble(currency, number)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// Value stores the amount as the text of [Amount.String] in a database column.
func (a Amount) Value() (driver.Value, error) { return a.String(), nil }

// Scan reads a database column that [Amount.Value] has written, as a string or bytes. For amounts in a column of numbers
// use [Parse] with their text, and [FromMinor] for whole numbers of cents.
//
// It returns an error, and leaves a as it was, for other types, for text that is not an amount, and for NULL; scan a
// column that can be NULL into an *Amount variable's address (a **Amount) or a sql.Null[money.Amount].
func (a *Amount) Scan(src any) error {
	switch v := src.(type) {
	case string:
		if len(v) > 2*maxText {
			return syntaxError(v[:maxText], "longer than an amount can be")
		}
		return a.UnmarshalText([]byte(v))
	case []byte:
		return a.UnmarshalText(v)
	case nil:
		return fmt.Errorf("%w: NULL", ErrSyntax)
	}
	return fmt.Errorf("%w: a column of type %T; text is expected", ErrSyntax, src)
}
