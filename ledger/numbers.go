package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/custval/custval/money"
)

// numberFormat is how the numbers of a file are written.
type numberFormat struct {
	mark     rune
	grouping rune // 0 for none
	minor    bool // amounts are whole minor units
}

var (
	errNoNumber  = errors.New("not a number")
	errMinor     = errors.New("not a whole number of minor units (CSVOptions.Minor)")
	errNotWhole  = errors.New("not a whole number")
	errIntRange  = errors.New("does not fit in 64 bits")
	errNotFinite = errors.New("not a finite number")
)

// maxNumber bounds the text of a number; no amount, count or score that means anything is as long.
const maxNumber = 128

// plain rewrites a number as [+-]digits[.digits], appended to dst. A number that is written so already is returned as
// it is.
func (f numberFormat) plain(dst, b []byte) ([]byte, error) {
	if len(b) > maxNumber {
		return nil, fmt.Errorf("a number of more than %d bytes", maxNumber)
	}
	if f.mark == '.' && f.grouping == 0 {
		return b, checkPlain(b)
	}
	i := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		dst, i = append(dst, b[0]), 1
	}
	var digits, group, groups, decimals int // digits in the whole part, since the last separator; separators; after the mark
	marked := false
	for i < len(b) {
		r, size := utf8.DecodeRune(b[i:])
		i += size
		switch {
		case '0' <= r && r <= '9':
			dst = append(dst, byte(r))
			if marked {
				decimals++
			} else {
				digits++
				group++
			}
		case r == f.mark && !marked && digits > 0:
			dst = append(dst, '.')
			marked = true
		case f.groups(r) && !marked && group > 0:
			if group > 3 || groups > 0 && group != 3 {
				return nil, f.errGroups()
			}
			groups++
			group = 0
		case f.groups(r) && (marked || groups > 0):
			return nil, f.errGroups()
		default:
			return nil, f.errRune(b, r)
		}
	}
	switch {
	case groups > 0 && group != 3:
		return nil, f.errGroups()
	case digits == 0 || marked && decimals == 0:
		return nil, errNoNumber
	}
	return dst, nil
}

func (f numberFormat) groups(r rune) bool {
	return f.grouping != 0 && (r == f.grouping || f.grouping == ' ' && (r == '\u00a0' || r == '\u202f'))
}

func (f numberFormat) errGroups() error {
	return fmt.Errorf("digits are not in groups of three separated by %q", f.grouping)
}

// errRune says why r has no place in the number b.
func (f numberFormat) errRune(b []byte, r rune) error {
	hasDigit := bytes.ContainsAny(b, "0123456789")
	if hasDigit && r != f.mark && (r == '.' || r == ',') {
		return fmt.Errorf("%q is not the decimal mark, which is %q (CSVOptions.DecimalMark, CSVOptions.Grouping)", r, f.mark)
	}
	return errNoNumber
}

// checkPlain returns an error unless b is [+-]digits[.digits].
func checkPlain(b []byte) error {
	s := b
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	whole := digitsOf(s)
	if whole == len(s) && whole > 0 {
		return nil
	}
	if whole > 0 && s[whole] == '.' && whole+1 < len(s) && whole+1+digitsOf(s[whole+1:]) == len(s) {
		return nil
	}
	r, _ := utf8.DecodeRune(s[whole:])
	return numberFormat{mark: '.'}.errRune(s, r)
}

// digitsOf counts the digits that b begins with.
func digitsOf(b []byte) int {
	for i, c := range b {
		if c < '0' || c > '9' {
			return i
		}
	}
	return len(b)
}

// amount reads an amount of money in the format of the file.
func (f numberFormat) amount(scratch, b []byte, c money.Currency, digits int32) (money.Amount, error) {
	if f.mark == '.' && f.grouping == 0 && !f.minor {
		if units, ok := minorUnits(b, digits); ok {
			return money.FromMinor(units, c)
		}
	}
	p, err := f.plain(scratch, b)
	if err != nil {
		return money.Amount{}, err
	}
	return plainAmount(p, c, digits, f.minor)
}

// plainAmount reads [+-]digits[.digits], as an amount of minor units if minor is true. Digits is that of the currency,
// negative if it has no minor unit.
func plainAmount(p []byte, c money.Currency, digits int32, minor bool) (money.Amount, error) {
	if !minor {
		if units, ok := minorUnits(p, digits); ok {
			return money.FromMinor(units, c)
		}
		return money.Parse(string(p), c)
	}
	if digits < 0 {
		return money.Amount{}, fmt.Errorf("%s has no minor unit (CSVOptions.Minor)", c)
	}
	whole, ok := wholePart(p)
	if !ok {
		return money.Amount{}, errMinor
	}
	units, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil {
		return money.Amount{}, errIntRange
	}
	return money.FromMinor(units, c)
}

// minorUnits reads [+-]digits[.digits] as a count of minor units, if it has at most 18 digits and no more decimals than
// the currency.
func minorUnits(b []byte, digits int32) (units int64, ok bool) {
	negative := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 || digits < 0 || len(b)+int(digits) > 18 {
		return 0, false
	}
	left := int32(-1) // decimals still to come; -1 before the mark
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9' && left != 0:
			units = 10*units + int64(c-'0')
			if left > 0 {
				left--
			}
		case c == '.' && left < 0 && i > 0 && i+1 < len(b) && digits > 0:
			left = digits
		default:
			return 0, false
		}
	}
	if left < 0 {
		left = digits
	}
	for ; left > 0; left-- {
		units *= 10
	}
	if negative {
		units = -units
	}
	return units, true
}

// wholePart cuts decimals that are all zero off a plain number.
func wholePart(p []byte) ([]byte, bool) {
	whole, decimals, _ := bytes.Cut(p, []byte("."))
	return whole, len(bytes.Trim(decimals, "0")) == 0
}

func (f numberFormat) integer(scratch, b []byte) (int64, error) {
	p, err := f.plain(scratch, b)
	if err != nil {
		return 0, err
	}
	whole, ok := wholePart(p)
	if !ok {
		return 0, errNotWhole
	}
	n, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil {
		return 0, errIntRange
	}
	return n, nil
}

// float reads a number that may have an exponent, which amounts may not.
func (f numberFormat) float(scratch, b []byte) (float64, error) {
	mantissa, exponent := b, []byte(nil)
	if i := bytes.IndexAny(b, "eE"); i >= 0 {
		mantissa, exponent = b[:i], b[i+1:]
		digits := bytes.TrimLeft(exponent, "+-")
		if len(exponent)-len(digits) > 1 || len(digits) == 0 || digitsOf(digits) != len(digits) || len(digits) > 9 {
			return 0, errNoNumber
		}
	}
	p, err := f.plain(scratch, mantissa)
	if err != nil {
		return 0, err
	}
	text := string(p)
	if exponent != nil {
		text += "e" + string(exponent)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(x, 0) {
		return 0, errNotFinite
	}
	return x, nil
}

// appendFloat appends the shortest decimal text that gives x back, without an exponent.
func appendFloat(dst []byte, x float64, bits int) ([]byte, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil, errNotFinite
	}
	return strconv.AppendFloat(dst, x, 'f', -1, bits), nil
}
