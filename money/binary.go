package money

import (
	"fmt"
	"math/big"
)

// The binary form of an amount, version 1:
//
//	byte 0     version
//	byte 1-3   code of the currency, three zero bytes for none
//	byte 4     scale: digits after the point, without trailing zeros
//	byte 5     1 if negative, else 0
//	byte 6-    magnitude of the coefficient, big-endian without leading zeros: 0 to 16 bytes
const (
	binaryVersion = 1
	binaryHeader  = 6
	binaryMax     = binaryHeader + 16
)

// AppendBinary appends the form that [Amount.MarshalBinary] returns.
func (a Amount) AppendBinary(b []byte) ([]byte, error) {
	code := "\x00\x00\x00"
	if e := a.meta.entry(); e != "" {
		code = e[:3]
	}
	b = append(b, binaryVersion)
	b = append(b, code...)
	a = a.trim(0)
	negative := byte(0)
	if a.Sign() < 0 {
		negative = 1
	}
	coef, scale := a.coefficient()
	b = append(b, byte(scale), negative)
	return append(b, coef.Bytes()...), nil
}

// MarshalBinary returns a versioned form of 6 to 22 bytes. Amounts of one currency are equal if and only if their bytes
// are. It also serves encoding/gob.
func (a Amount) MarshalBinary() ([]byte, error) { return a.AppendBinary(make([]byte, 0, binaryMax)) }

// UnmarshalBinary reads the form that [Amount.MarshalBinary] returns.
//
// It returns an error that wraps [ErrSyntax], [ErrCurrency] or [ErrRange], and leaves a as it was, for another version, a
// wrong length, an unknown currency, and bytes that MarshalBinary would not write.
func (a *Amount) UnmarshalBinary(data []byte) error {
	if len(data) == 0 {
		return binaryError("empty")
	}
	if data[0] != binaryVersion {
		return binaryError("version %d is not known", data[0])
	}
	if len(data) < binaryHeader || len(data) > binaryMax {
		return binaryError("%d bytes, not %d to %d", len(data), binaryHeader, binaryMax)
	}
	m := meta(0)
	if code := Currency(data[1:4]); code != "\x00\x00\x00" {
		known, ok := lookup(code)
		if !ok {
			return currencyError(code)
		}
		m = known
	}
	scale, sign, magnitude := int(data[4]), data[5], data[binaryHeader:]
	coef := new(big.Int).SetBytes(magnitude)
	switch {
	case sign > 1 || sign == 1 && coef.Sign() == 0:
		return binaryError("sign %d", sign)
	case len(magnitude) > 0 && magnitude[0] == 0:
		return binaryError("a leading zero")
	case scale > maxScale:
		return rangeError()
	case m == 0 && coef.Sign() != 0:
		return fmt.Errorf("%w: an amount other than zero without one", ErrCurrency)
	case scale > 0 && new(big.Int).Rem(coef, bigPower(1)).Sign() == 0:
		return binaryError("a trailing zero")
	}
	if sign == 1 {
		coef.Neg(coef)
	}
	v, err := fromBig(coef, scale, m)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

func binaryError(format string, args ...any) error {
	return fmt.Errorf("%w: binary: %s", ErrSyntax, fmt.Sprintf(format, args...))
}
