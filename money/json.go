package money

import (
	"encoding/json"
	"fmt"
)

// MarshalJSON returns {"amount":"12.50","currency":"USD"}: the number of [Amount.Number] as a string, so that no reader
// takes it for a float. The zero [Amount] is {"amount":"0","currency":""}.
func (a Amount) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 48)
	b = append(b, `{"amount":"`...)
	b = a.appendNumber(b, a.meta.minor())
	b = append(b, `","currency":"`...)
	b = append(b, a.Currency()...)
	return append(b, `"}`...), nil
}

// UnmarshalJSON reads an object with exactly the members "amount" and "currency". The amount is a string of the syntax
// of [Parse] or a number without an exponent; either is read from its text and never becomes a float64, so
// 9007199254740993 keeps its last digit. The currency may be empty only where the amount is zero.
//
// It returns an error, and leaves a as it was, for null, for other JSON than such an object, for unknown members (names
// are case-sensitive), and for members that are missing or there twice.
//
// A null in the place of an Amount within a larger value is an error too, because encoding/json passes it on. A field of
// type *Amount takes null as nil.
func (a *Amount) UnmarshalJSON(data []byte) error {
	r := jsonReader{data: data}
	v, err := r.amount()
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// jsonReader reads one object from the start of data to its end.
type jsonReader struct {
	data []byte
	at   int
}

func (r *jsonReader) amount() (Amount, error) {
	var number, currency []byte
	if !r.take('{') {
		return Amount{}, r.expected("an object")
	}
	for {
		field, err := r.text()
		if err != nil {
			return Amount{}, err
		}
		if !r.take(':') {
			return Amount{}, r.expected("a colon")
		}
		switch {
		case string(field) == "amount" && number == nil:
			number, err = r.number()
		case string(field) == "currency" && currency == nil:
			currency, err = r.text()
		case string(field) == "amount" || string(field) == "currency":
			err = jsonError("field %q is there twice", field)
		default:
			err = jsonError("unknown field %.40q", field)
		}
		if err != nil {
			return Amount{}, err
		}
		if r.take(',') {
			continue
		}
		if !r.take('}') {
			return Amount{}, r.expected("a comma or a closing brace")
		}
		break
	}
	if r.next(); r.at != len(r.data) {
		return Amount{}, r.expected("the end")
	}
	switch {
	case number == nil:
		return Amount{}, jsonError(`field "amount" is missing`)
	case currency == nil:
		return Amount{}, jsonError(`field "currency" is missing`)
	}
	return assemble(currency, number)
}

// assemble returns the amount of the two halves of a printed one. No currency goes with zero only.
func assemble(currency, number []byte) (Amount, error) {
	m := meta(0)
	if len(currency) != 0 {
		c := Currency("")
		if len(currency) == 3 {
			c = Currency(currency)
		}
		known, ok := lookup(c)
		if !ok {
			return Amount{}, currencyError(Currency(currency[:min(len(currency), maxText)]))
		}
		m = known
	}
	a, err := parse(number, m, m.minor())
	if err == nil && m == 0 && !a.IsZero() {
		return Amount{}, fmt.Errorf("%w: an amount other than zero without one", ErrCurrency)
	}
	return a, err
}

// next skips white space and returns the next byte, 0 at the end.
func (r *jsonReader) next() byte {
	for ; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (r *jsonReader) take(c byte) bool {
	if r.next() != c || r.at == len(r.data) {
		return false
	}
	r.at++
	return true
}

// text reads a string and returns what it denotes, never nil. Escapes go through encoding/json.
func (r *jsonReader) text() ([]byte, error) {
	if !r.take('"') {
		return nil, r.expected("a string")
	}
	start, escaped := r.at, false
	for ; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; {
		case c == '\\':
			escaped = true
			r.at++
		case c < ' ':
			return nil, jsonError("a control character in a string at byte %d", r.at+1)
		case c == '"':
			r.at++
			if !escaped {
				return r.data[start : r.at-1 : r.at-1], nil
			}
			s := ""
			if err := json.Unmarshal(r.data[start-1:r.at], &s); err != nil {
				return nil, jsonError("%v", err)
			}
			return append([]byte{}, s...), nil
		}
	}
	return nil, jsonError("a string does not end")
}

// number reads a string, or the text of a number without an exponent.
func (r *jsonReader) number() ([]byte, error) {
	c := r.next()
	if c == '"' {
		return r.text()
	}
	start := r.at
	if c == '-' {
		r.at++
	}
	first := r.at
	for r.at < len(r.data) && (r.data[r.at]-'0' <= 9 || r.data[r.at] == '.') {
		r.at++
	}
	switch n := r.data[first:r.at]; {
	case len(n) == 0:
		return nil, r.expected("a number or a string")
	case n[0] == '0' && len(n) > 1 && n[1] != '.':
		return nil, jsonError("a number starts with 0")
	case r.at < len(r.data) && r.data[r.at]|0x20 == 'e':
		return nil, jsonError("a number with an exponent")
	}
	return r.data[start:r.at:r.at], nil
}

func (r *jsonReader) expected(what string) error {
	if r.next(); r.at == len(r.data) {
		return jsonError("%s is expected at byte %d, not the end", what, r.at+1)
	}
	return jsonError("%s is expected at byte %d, not %q", what, r.at+1, rune(r.data[r.at]))
}

func jsonError(format string, args ...any) error {
	return fmt.Errorf("%w: JSON: %s", ErrSyntax, fmt.Sprintf(format, args...))
}
