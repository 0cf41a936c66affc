package ledger

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/money"
)

func TestAmountFormats(t *testing.T) {
	us := numberFormat{mark: '.', grouping: ','}
	de := numberFormat{mark: ',', grouping: '.'}
	fr := numberFormat{mark: ',', grouping: ' '}
	ch := numberFormat{mark: '.', grouping: '’'}
	plain := numberFormat{mark: '.'}
	comma := numberFormat{mark: ','}
	cents := numberFormat{mark: '.', minor: true}
	const bad = ""
	for _, tt := range []struct {
		f        numberFormat
		text     string
		currency money.Currency
		want     string // "" for an error
		reason   string
	}{
		{plain, "12.34", "USD", "USD 12.34", "as it is"},
		{plain, "+12.3", "USD", "USD 12.30", "a plus, one decimal"},
		{plain, "-0.05", "USD", "USD -0.05", "negative below one"},
		{plain, "12", "USD", "USD 12.00", "no decimals"},
		{plain, "0012.50", "USD", "USD 12.50", "leading zeros"},
		{plain, "12.345", "USD", "USD 12.345", "more decimals than cents"},
		{plain, "1999", "JPY", "JPY 1999", "no minor digits"},
		{plain, "1999.5", "JPY", "JPY 1999.5", "half a yen is kept"},
		{plain, "1.2345", "BHD", "BHD 1.2345", "more than three"},
		{plain, "1.5", "XAU", "XAU 1.5", "no minor unit"},
		{plain, "12345678901234567890.12", "USD", "USD 12345678901234567890.12", "beyond int64"},
		{plain, "1,234", "USD", bad, "no grouping was stated"},
		{comma, "1234,56", "TRY", "TRY 1234.56", "decimal comma"},
		{comma, "1.234", "TRY", bad, "a point is neither"},
		{comma, "1.234,56", "TRY", bad, "grouping was not stated"},
		{de, "1.234,56", "TRY", "TRY 1234.56", "the Turkish export"},
		{de, "1.234.567,8", "EUR", "EUR 1234567.80", "two groups"},
		{de, "1234567,8", "EUR", "EUR 1234567.80", "no groups at all"},
		{de, "-999,99", "EUR", "EUR -999.99", "too short for groups"},
		{de, "1.234", "EUR", "EUR 1234.00", "a group, not decimals"},
		{de, "1.23.4", "EUR", bad, "groups of two"},
		{de, "12.34", "EUR", bad, "a group of two"},
		{de, "1234.567", "EUR", bad, "a first group of four"},
		{de, "1.2345,6", "EUR", bad, "a last group of four"},
		{de, "1.234567", "EUR", bad, "some groups only"},
		{de, "1..234", "EUR", bad, "an empty group"},
		{de, ".123", "EUR", bad, "begins with a separator"},
		{de, "1.234.", "EUR", bad, "ends with a separator"},
		{de, "1,234.567", "EUR", bad, "a separator among decimals"},
		{de, "1,2,3", "EUR", bad, "two marks"},
		{de, ",5", "EUR", bad, "no whole part"},
		{de, "5,", "EUR", bad, "no decimals after the mark"},
		{de, "-", "EUR", bad, "a sign alone"},
		{de, "+-5", "EUR", bad, "two signs"},
		{de, "5-", "EUR", bad, "a sign at the end"},
		{us, "1,00,000", "INR", bad, "Indian groups"},
		{us, "100,000.00", "INR", "INR 100000.00", "groups of three"},
		{fr, "1 234 567,5", "EUR", "EUR 1234567.50", "spaces"},
		{fr, "1\u00a0234,5", "EUR", "EUR 1234.50", "no-break space"},
		{fr, "1\u202f234,5", "EUR", "EUR 1234.50", "narrow no-break space"},
		{ch, "1’234.50", "CHF", "CHF 1234.50", "the Swiss apostrophe"},
		{ch, "1'234.50", "CHF", bad, "another apostrophe"},
		{plain, "١٢", "USD", bad, "digits that are not ASCII"},
		{plain, "−5", "USD", bad, "a minus that is not ASCII"},
		{plain, "0x10", "USD", bad, "hexadecimal"},
		{plain, "1_000", "USD", bad, "underscore"},
		{plain, "", "USD", bad, "nothing"},
		{cents, "1999", "USD", "USD 19.99", "cents"},
		{cents, "-1999", "JPY", "JPY -1999", "yen have no cents"},
		{cents, "1999", "BHD", "BHD 1.999", "three digits"},
		{cents, "1999.00", "USD", "USD 19.99", "decimals of zero"},
		{cents, "19.99", "USD", bad, "not whole"},
		{cents, "5", "XAU", bad, "no minor unit"},
		{cents, "9223372036854775808", "USD", bad, "too many cents"},
		{numberFormat{mark: ',', grouping: '.', minor: true}, "1.999", "USD", "USD 19.99", "cents in groups"},
	} {
		digits, ok := tt.currency.Digits()
		if !ok {
			digits = -1
		}
		a, err := tt.f.amount(nil, []byte(tt.text), tt.currency, digits)
		if got := a.String(); err == nil && got != tt.want || err != nil && tt.want != bad {
			t.Errorf("%s: %q = %s, %v; want %q", tt.reason, tt.text, got, err, tt.want)
		}
	}
}

// TestAmountsAreThoseOfMoney compares the short cuts with money.Parse on random texts.
func TestAmountsAreThoseOfMoney(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const alphabet = "0123456789012345678901234567890123456789...-+,e "
	for range 8_000 {
		b := make([]byte, r.IntN(24))
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		for _, c := range []money.Currency{"USD", "JPY", "BHD", "XAU", "CLF"} {
			digits, ok := c.Digits()
			if !ok {
				digits = -1
			}
			want, errWant := money.Parse(string(b), c)
			got, err := numberFormat{mark: '.'}.amount(nil, b, c, digits)
			if (err == nil) != (errWant == nil) || err == nil && (!got.Equal(want) || got.String() != want.String()) {
				t.Fatalf("%q %s: %v, %v; money.Parse gives %v, %v", b, c, got, err, want, errWant)
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	de := numberFormat{mark: ',', grouping: '.'}
	for text, want := range map[string]float64{
		"1": 1, "-1,5": -1.5, "1.234,5": 1234.5, "1e3": 1000, "1,5E-3": 0.0015, "+2e+2": 200, "1e-400": 0,
	} {
		if got, err := de.float(nil, []byte(text)); err != nil || got != want {
			t.Errorf("float %q = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "e3", "1e", "1e+", "1e+-3", "1e400", "nan", "Inf", "0x1p3", "1.5", "1_0", "1e3e3", "1e9999999999"} {
		if got, err := de.float(nil, []byte(text)); err == nil {
			t.Errorf("float %q = %v, want an error", text, got)
		}
	}
	for text, want := range map[string]int64{"3": 3, "-3,00": -3, "1.000": 1000, "9223372036854775807": math.MaxInt64} {
		if got, err := de.integer(nil, []byte(text)); err != nil || got != want {
			t.Errorf("integer %q = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "3,5", "9223372036854775808", "1e3", "three"} {
		if got, err := de.integer(nil, []byte(text)); err == nil {
			t.Errorf("integer %q = %v, want an error", text, got)
		}
	}
}

func TestTimes(t *testing.T) {
	paulo, istanbul := zone(t, "America/Sao_Paulo"), zone(t, "Europe/Istanbul")
	const bad = ""
	for _, tt := range []struct {
		layouts []string
		loc     *time.Location
		text    string
		want    string // RFC 3339 with nanoseconds; "" for an error
		reason  string
	}{
		{nil, nil, "2024-05-06", "2024-05-06T00:00:00Z", "a date is midnight UTC"},
		{nil, istanbul, "2024-05-06", "2024-05-06T00:00:00+03:00", "a date is midnight there"},
		{nil, paulo, "2017-10-15", "2017-10-15T01:00:00-02:00", "midnight was skipped"},
		{nil, nil, "2024-05-06T01:02:03Z", "2024-05-06T01:02:03Z", "RFC 3339"},
		{nil, nil, "2024-05-06T01:02:03.25+03:00", "2024-05-05T22:02:03.25Z", "an offset is expressed in UTC"},
		{nil, istanbul, "2024-05-06T01:02:03-05:30", "2024-05-06T09:32:03+03:00", "an offset is expressed in the location"},
		{nil, nil, "2024-05-06 01:02:03", bad, "no T"},
		{nil, nil, "2024-05-06T24:00:00Z", bad, "hour 24"},
		{nil, nil, "2024-05-06T01:02:60Z", bad, "leap second"},
		{nil, nil, "2024-02-30", bad, "30 February"},
		{nil, nil, "2023-02-29", bad, "no leap year"},
		{nil, nil, "2000-02-29", "2000-02-29T00:00:00Z", "leap year of 400"},
		{nil, nil, "1900-02-29", bad, "no leap year of 100"},
		{nil, nil, "2024-13-01", bad, "month 13"},
		{nil, nil, "2024-00-01", bad, "month 0"},
		{nil, nil, "2024-01-00", bad, "day 0"},
		{nil, nil, "2024-1-1", bad, "one digit"},
		{nil, nil, "2024-05-06x", bad, "something after it"},
		{nil, nil, "20240506", bad, "no dashes"},
		{[]string{"02.01.2006"}, istanbul, "31.12.2025", "2025-12-31T00:00:00+03:00", "the Turkish export"},
		{[]string{"02/01/2006", "01/02/2006"}, nil, "03/04/2025", "2025-04-03T00:00:00Z", "day first by order"},
		{[]string{"01/02/2006", "02/01/2006"}, nil, "03/04/2025", "2025-03-04T00:00:00Z", "month first by order"},
		{[]string{"01/02/2006", "02/01/2006"}, nil, "13/04/2025", "2025-04-13T00:00:00Z", "only the second fits"},
		{[]string{"2006-01-02 15:04:05 -0700"}, nil, "2024-05-06 01:02:03 -0430", "2024-05-06T05:32:03Z", "Shopify"},
		{[]string{"2006-01-02 15:04:05"}, istanbul, "2024-05-06 01:02:03", "2024-05-06T01:02:03+03:00", "WooCommerce"},
		{[]string{"2006-01-02 15:04:05"}, nil, "2024-05-06 1:02:03.5", "2024-05-06T01:02:03.5Z", "as package time reads it"},
		{[]string{"2 Jan 2006"}, paulo, "15 Oct 2017", "2017-10-15T01:00:00-02:00", "a date in words"},
		{[]string{"2006-01-02T15:04:05Z07:00"}, nil, "2024-05-06T01:02:03+00:00", "2024-05-06T01:02:03Z", "offset zero"},
		{[]string{"2006-01-02 15:04 MST"}, nil, "2024-05-06 01:02 UTC", "2024-05-06T01:02:00Z", "UTC by name"},
		{[]string{"2006-01-02 15:04 MST"}, nil, "2024-05-06 01:02 GMT", "2024-05-06T01:02:00Z", "GMT by name"},
		{[]string{"2006-01-02 15:04 MST"}, nil, "2024-05-06 01:02 PST", bad, "a zone that is not known would be UTC"},
		{[]string{"2006-01-02 15:04 MST"}, zone(t, "America/Los_Angeles"), "2024-01-06 01:02 PST", "2024-01-06T01:02:00-08:00", "known there"},
		{[]string{"Unix"}, nil, "1714990000", "2024-05-06T10:06:40Z", "seconds"},
		{[]string{"UnixMilli"}, istanbul, "1714990000123", "2024-05-06T13:06:40.123+03:00", "milliseconds"},
		{[]string{"Unix"}, nil, "2024-05-06", bad, "not seconds"},
	} {
		p, err := newTimeParser(tt.layouts, tt.loc)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from what is remembered
			at, err := p.parse([]byte(tt.text))
			if got := at.Format(time.RFC3339Nano); err == nil && got != tt.want || err != nil && tt.want != bad {
				t.Errorf("%s: %q = %s, %v; want %q", tt.reason, tt.text, got, err, tt.want)
			}
		}
	}
}

func FuzzTimes(f *testing.F) {
	layouts := []string{
		time.RFC3339, time.DateOnly, time.DateTime, "02.01.2006", "01/02/2006", "2006-01-02 15:04:05 -0700", "02-01-2006 15:04",
		"2006/01/02T15:04:05-07:00", "20060102", "02.01.2006 -0700",
	}
	for i, l := range layouts {
		f.Add(time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC).Format(l), uint8(i))
		f.Add(time.Date(2024, 2, 29, 23, 59, 59, 5e8, time.FixedZone("", -12600)).Format(l), uint8(i))
	}
	f.Add("2024-05-06T1:02:03+24:00", uint8(0))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		layout := layouts[int(which)%len(layouts)]
		if len(text) > maxNumber {
			return
		}
		loc := zone(t, zones[int(which)%len(zones)])
		p, err := newTimeParser([]string{layout}, loc)
		if err != nil {
			t.Fatal(err)
		}
		want, errWant := time.ParseInLocation(layout, text, loc)
		got, err := p.parse([]byte(text))
		if (err == nil) != (errWant == nil) {
			t.Fatalf("%q by %s: %v; package time: %v", text, layout, err, errWant)
		}
		if err != nil {
			return
		}
		if !strings.Contains(layout, "15") && !strings.Contains(layout, "07") {
			day, err := time.Parse(layout, text)
			if err != nil {
				t.Fatal(err)
			}
			want = date(day.Year(), day.Month(), day.Day(), loc)
		}
		if !got.Equal(want) || got.Location() != loc {
			t.Fatalf("%q by %s: %v; package time: %v", text, layout, got, want)
		}
	})
}

func FuzzNumbers(f *testing.F) {
	f.Add("1.234,56", ',', '.', false)
	f.Add("1 234", '.', ' ', true)
	f.Add("-12.34", '.', rune(0), false)
	f.Fuzz(func(t *testing.T, text string, mark, grouping rune, minor bool) {
		c, err := (&CSVOptions{DecimalMark: mark, Grouping: grouping, Minor: minor}).config()
		if err != nil {
			return
		}
		a, err := c.numbers.amount(nil, []byte(text), "USD", 2)
		if err != nil {
			return
		}
		// What was accepted has the digits of the text, in their order.
		keep := func(s string) string {
			s = strings.Map(func(r rune) rune {
				if '0' <= r && r <= '9' {
					return r
				}
				return -1
			}, s)
			return strings.Trim(s, "0")
		}
		if got := a.Decimal().String(); keep(got) != keep(text) {
			t.Fatalf("%q became %s", text, got)
		}
		if _, err := strconv.ParseFloat(a.Decimal().String(), 64); err != nil {
			t.Fatal(err)
		}
	})
}

func TestInterner(t *testing.T) {
	var in interner
	r := rand.New(rand.NewPCG(1, 2))
	for range 150_000 {
		want := strconv.Itoa(r.IntN(200_000))
		if got := in.text([]byte(want)); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	}
	if len(in.places) > maxInterned {
		t.Errorf("%d places, want at most %d", len(in.places), maxInterned)
	}
	b := []byte("customer")
	in = interner{} // one that does not rest
	if n := testing.AllocsPerRun(100, func() { in.text(b) }); n != 0 {
		t.Errorf("%v allocations for a text that is there", n)
	}
	long := []byte(strings.Repeat("x", maxInternedLen+1))
	if in.text(long) != string(long) || in.text(nil) != "" {
		t.Error("long and empty texts")
	}
}

// Texts that hardly ever come again are not looked up for a while, and come back right all the same.
func TestInternerRests(t *testing.T) {
	var in interner
	var text []byte
	rested := 0
	for i := range 6 * maxInterned {
		text = strconv.AppendInt(text[:0], int64(i), 10)
		if got := in.text(text); got != string(text) {
			t.Fatalf("%q for %q", got, text)
		}
		if in.rest > 0 {
			rested++
		}
	}
	if rested == 0 {
		t.Error("the interner never rests though no text comes twice")
	}
	in.rest = maxInterned
	var cut []string // stay what they were while the page goes on
	for i := range 3 * pageSize {
		cut = append(cut, in.text(strconv.AppendInt(text[:0], int64(i), 10)))
	}
	for i, got := range cut {
		if want := strconv.Itoa(i); got != want {
			t.Fatalf("%q became %q", want, got)
		}
	}
	in = interner{}
	for i := range 2 * trialLooks {
		if in.text(strconv.AppendInt(text[:0], int64(i%1000), 10)); in.rest > 0 {
			t.Fatal("the interner rests though every text comes again")
		}
	}
}
