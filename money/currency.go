package money

import "strings"

// Currency is an ISO 4217 code such as "USD". It is empty only in the zero Amount.
type Currency string

var digitsOf = map[int32]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
	3: "BHD IQD JOD KWD LYD OMR TND",
	4: "CLF UYW",
}

const withoutDigits = "XAU XAG XPT XPD XDR XSU XUA XBA XBB XBC XBD XTS XXX"

// Digits returns the number of digits of the minor unit: 2 for USD, 0 for JPY, 3 for BHD. It reports false for a
// currency without a minor unit (XAU) and for a code that is not three capital letters.
func (c Currency) Digits() (digits int32, ok bool) {
	if !c.wellFormed() || strings.Contains(withoutDigits, string(c)) {
		return 0, false
	}
	for n, codes := range digitsOf {
		if strings.Contains(codes, string(c)) {
			return n, true
		}
	}
	return 2, true
}

func (c Currency) wellFormed() bool {
	if len(c) != 3 {
		return false
	}
	for i := range len(c) {
		if c[i] < 'A' || c[i] > 'Z' {
			return false
		}
	}
	return true
}
