package money

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Minor units of ISO 4217 other than 2.
func TestDigits(t *testing.T) {
	groups := map[int32]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
		2: "USD EUR GBP TRY CHF HUF MGA MRU XCG ZWG SLE VED BGN XCD CNY INR BRL DEM HRK ANG ZWL",
	}
	special := map[Currency]bool{}
	for digits, codes := range groups {
		for _, code := range strings.Fields(codes) {
			special[Currency(code)] = digits != 2
			if got, ok := Currency(code).Digits(); got != digits || !ok {
				t.Errorf("%s: %d, %t, want %d", code, got, ok, digits)
			}
		}
	}
	for _, code := range strings.Fields("XAU XAG XPT XPD XDR XSU XUA XBA XBB XBC XBD XTS XXX") {
		if got, ok := Currency(code).Digits(); got != 0 || ok {
			t.Errorf("%s: %d, %t, want none", code, got, ok)
		}
		if err := Currency(code).Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []Currency{"", "usd", "ZZZ", "US", "USDX", "[[[", "@@@"} {
		if got, ok := c.Digits(); got != 0 || ok {
			t.Errorf("%q: %d, %t", c, got, ok)
		}
		if err := c.Validate(); !errors.Is(err, ErrCurrency) {
			t.Errorf("%q: %v", c, err)
		}
	}
	// in the table, every currency in force has the digits of the groups above
	withdrawn := strings.Fields("ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE ROL TPE TRL")
	for _, c := range table() {
		if n, ok := c.Digits(); ok && n != 2 && !special[c] && !slices.Contains(withdrawn, string(c)) {
			t.Errorf("%s has %d digits", c, n)
		}
	}
}

func table() (all []Currency) {
	for _, list := range currencies {
		for ; list != ""; list = list[entrySize:] {
			all = append(all, Currency(list[:3]))
		}
	}
	return all
}

func TestTable(t *testing.T) {
	all := table()
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) || len(all) < 180 {
		t.Errorf("%d codes, not sorted or not unique", len(all))
	}
	for i, list := range currencies {
		if len(list)%entrySize != 0 || len(list)/entrySize >= 1<<placeBits {
			t.Errorf("letter %c: %d bytes", 'A'+i, len(list))
		}
		for ; list != ""; list = list[entrySize:] {
			m, ok := lookup(Currency(list[:3]))
			if list[0] != byte('A'+i) || !strings.ContainsRune("01234-", rune(list[3])) || !ok || m.entry() != list[:entrySize] || m.of() != m {
				t.Errorf("entry %s", list[:entrySize])
			}
		}
	}
}

func TestParseCurrency(t *testing.T) {
	for _, s := range []string{"usd", "Usd", "USD"} {
		if c, err := ParseCurrency(s); c != "USD" || err != nil {
			t.Errorf("%s: %s, %v", s, c, err)
		}
	}
	tests := []struct{ s, want string }{
		{"", `money: not an ISO 4217 currency code: ""`},
		{"$", `money: not an ISO 4217 currency code: "$"`},
		{"zzz", `money: not an ISO 4217 currency code: "ZZZ"`},
		{"ſek", `money: not an ISO 4217 currency code: "ſek"`}, // four bytes; its upper case is SEK
		{strings.Repeat("x", 1000), `money: not an ISO 4217 currency code: "xxxxxxxxxxxx"`},
	}
	for _, tt := range tests {
		if c, err := ParseCurrency(tt.s); c != "" || err == nil || err.Error() != tt.want {
			t.Errorf("%q: %q, %v, want %s", tt.s, c, err, tt.want)
		}
	}
}
