package money

import (
	"fmt"
	"strconv"
)

// String returns the currency and the value with at least the digits of the minor unit, and more only where the value
// has them: "USD 12.50", "USD 0.125", "JPY 1250", "XAU 1.5". Amounts of one currency that are equal print alike. The zero
// [Amount] is "0".
func (a Amount) String() string {
	var buf [64]byte
	return string(a.append(buf[:0], a.meta.minor()))
}

// Number returns what [Amount.String] returns without the currency: "12.50". It suits the columns of a table.
func (a Amount) Number() string {
	var buf [64]byte
	return string(a.appendNumber(buf[:0], a.meta.minor()))
}

// GoString returns the amount as Go source, for the verb %#v.
func (a Amount) GoString() string {
	if a.meta.of() == 0 {
		return "money.Amount{}"
	}
	return fmt.Sprintf("money.MustParse(%q, %q)", a.Number(), a.Currency())
}

func (a Amount) append(b []byte, least int) []byte {
	if e := a.meta.entry(); e != "" {
		b = append(b, e[:3]...)
		b = append(b, ' ')
	}
	return a.appendNumber(b, least)
}

// appendNumber appends the value with at least the given number of digits after the point and no needless ones beyond.
func (a Amount) appendNumber(b []byte, least int) []byte {
	var buf [64]byte
	var digits []byte
	scale := a.meta.scale()
	if a.wide != nil { // trimmed when it was made
		digits = a.wide.Coefficient().Append(buf[:0], 10)
	} else {
		a = a.trim(least)
		scale = a.meta.scale()
		digits = strconv.AppendInt(buf[:0], a.coef, 10)
	}
	if digits[0] == '-' {
		b = append(b, '-')
		digits = digits[1:]
	}
	if whole := len(digits) - scale; whole > 0 {
		b = append(b, digits[:whole]...)
		digits = digits[whole:]
	} else {
		b = append(b, '0')
	}
	if max(scale, least) > 0 {
		b = append(b, '.')
	}
	b = appendZeros(b, scale-len(digits))
	b = append(b, digits...)
	return appendZeros(b, least-scale)
}

func appendZeros(b []byte, n int) []byte {
	for range max(n, 0) {
		b = append(b, '0')
	}
	return b
}
