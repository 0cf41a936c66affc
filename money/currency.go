package money

import (
	"fmt"
	"strings"
)

// Currency is an ISO 4217 code such as "USD". It is empty only in the zero [Amount].
type Currency string

// ParseCurrency reads a code in any letter case, such as the "usd" that some exports write, and returns it as ISO 4217
// spells it.
//
// It returns an error that wraps [ErrCurrency] if the code is not in the table of ISO 4217.
func ParseCurrency(s string) (Currency, error) {
	if len(s) != 3 {
		return "", currencyError(Currency(s))
	}
	c := Currency(strings.ToUpper(s))
	if err := c.Validate(); err != nil {
		return "", err
	}
	return c, nil
}

// Digits returns the number of digits of the minor unit: 2 for USD (cents), 0 for JPY, 3 for BHD, 4 for CLF.
//
// Special cases are:
//
//	Digits of XAU, XDR, XXX and the other codes to which ISO gives no minor unit = 0, false
//	Digits of "" and of a code that is not in the table of ISO 4217 = 0, false
func (c Currency) Digits() (digits int32, ok bool) {
	m, ok := lookup(c)
	if !ok {
		return 0, false
	}
	return m.digits()
}

// Validate returns an error that wraps [ErrCurrency] unless c is a code of ISO 4217 in capital letters, in force or
// withdrawn.
func (c Currency) Validate() error {
	if _, ok := lookup(c); !ok {
		return currencyError(c)
	}
	return nil
}

func currencyError(c Currency) error {
	return fmt.Errorf("%w: %.12q", ErrCurrency, string(c))
}

// meta packs what belongs to an amount beside its coefficient:
//
//	bits 0-7    scale, the number of digits after the point
//	bits 8-13   place of the currency among those of its first letter
//	bits 14-18  first letter, A = 1; 0 is no currency
type meta uint32

const (
	scaleBits    = 8
	placeBits    = 6
	scaleMask    = 1<<scaleBits - 1
	currencyMask = ^meta(scaleMask)
)

// lookup returns the meta of scale 0 of a currency; ok is false for "" and codes that are not in the table.
func lookup(c Currency) (m meta, ok bool) {
	if len(c) != 3 || c[0] < 'A' || c[0] > 'Z' {
		return 0, false
	}
	letter := c[0] - 'A'
	for list, place := currencies[letter], 0; len(list) >= entrySize; list, place = list[entrySize:], place+1 {
		if list[1] == c[1] && list[2] == c[2] {
			return meta(letter+1)<<(scaleBits+placeBits) | meta(place)<<scaleBits, true
		}
	}
	return 0, false
}

// entry returns the currency's line of the table: three letters and a digit. It is empty for no currency.
func (m meta) entry() string {
	letter := m >> (scaleBits + placeBits)
	if letter == 0 {
		return ""
	}
	at := int(m>>scaleBits&(1<<placeBits-1)) * entrySize
	return currencies[letter-1][at : at+entrySize]
}

func (m meta) currency() Currency {
	if e := m.entry(); e != "" {
		return Currency(e[:3])
	}
	return ""
}

func (m meta) digits() (int32, bool) {
	if e := m.entry(); e != "" && e[3] != '-' {
		return int32(e[3] - '0'), true
	}
	return 0, false
}

// minor returns the digits of the minor unit, 0 where there is none.
func (m meta) minor() int {
	n, _ := m.digits()
	return int(n)
}

// of returns the currency without the scale.
func (m meta) of() meta { return m & currencyMask }

func (m meta) scale() int { return int(m & scaleMask) }

func (m meta) withScale(scale int) meta { return m&currencyMask | meta(scale) }
