package money

import (
	"fmt"
	"math/big"
)

// Limits of the text of a number.
const (
	maxText      = 64 // bytes
	maxParsed    = 38 // digits, leading and trailing zeros included
	smallestWide = 19 // digits from which a number may not fit in an int64
)

// Parse reads a plain decimal number as an amount of the currency c:
//
//	[+-] digits [. digits]
//
// in ASCII, of at most 64 bytes and 38 digits. There is no exponent, no grouping, no blank, no bare point, and no text
// that takes more than a microsecond or so to refuse. The number may have more digits than the minor unit: nothing is
// rounded.
//
// It returns an error that wraps [ErrSyntax] if s is not such a number, [ErrRange] if it has 38 digits after the point,
// or [ErrCurrency] if c is not a code of ISO 4217.
//
// Special case: "-0.00" is zero, and prints as "0.00".
func Parse(s string, c Currency) (Amount, error) {
	m, ok := lookup(c)
	if !ok {
		return Amount{}, currencyError(c)
	}
	return parse(s, m, 0)
}

// MustParse is [Parse] for tests, examples and package variables: it panics on an error.
func MustParse(s string, c Currency) Amount {
	a, err := Parse(s, c)
	if err != nil {
		panic(err)
	}
	return a
}

// parse reads a number of the currency of m. It allows slack more digits, for the zeros that the printed form pads.
func parse[T string | []byte](s T, m meta, slack int) (Amount, error) {
	if len(s) == 0 {
		return Amount{}, syntaxError("", "empty")
	}
	if len(s) > maxText {
		return Amount{}, syntaxError(string(s[:maxText]), "longer than 64 bytes")
	}
	i := 0
	if s[0] == '-' || s[0] == '+' {
		i = 1
	}
	var coef uint64 // overflows silently beyond 19 digits, where it is not used
	digits, point := 0, -1
	for ; i < len(s); i++ {
		switch ch := s[i]; {
		case ch-'0' <= 9:
			coef = coef*10 + uint64(ch-'0')
			digits++
		case ch == '.' && point < 0 && digits > 0:
			point = digits
		default:
			return Amount{}, syntaxError(string(s), fmt.Sprintf("byte %d: %q is not expected", i+1, rune(ch)))
		}
	}
	scale := 0
	if point >= 0 {
		scale = digits - point
	}
	switch {
	case digits == 0 || point == digits:
		return Amount{}, syntaxError(string(s), "a digit is missing at the end")
	case digits > maxParsed+slack:
		return Amount{}, syntaxError(string(s), "more than 38 digits")
	case digits < smallestWide:
		value := int64(coef)
		if s[0] == '-' {
			value = -value
		}
		if scale == m.minor() {
			return Amount{coef: value, meta: m.withScale(scale)}, nil
		}
		return small(value, scale, m), nil
	}
	return parseWide(string(s), scale, m)
}

// parseWide reads a number whose syntax is known to be good.
func parseWide(s string, scale int, m meta) (Amount, error) {
	digits := make([]byte, 0, maxText)
	for i := range len(s) {
		if s[i] != '.' {
			digits = append(digits, s[i])
		}
	}
	coef, ok := new(big.Int).SetString(string(digits), 10)
	if !ok {
		return Amount{}, syntaxError(s, "not a number")
	}
	return fromBig(coef, scale, m)
}

func syntaxError(s, reason string) error {
	return fmt.Errorf("%w: %q: %s", ErrSyntax, s, reason)
}
