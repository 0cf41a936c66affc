package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/money"
)

// readAll returns how many rows a stream has and the texts of its errors.
func readAll(text string, o *CSVOptions) (rows int, errs []string) {
	for _, err := range ReadCSV(context.Background(), strings.NewReader(text), o) {
		if err != nil {
			errs = append(errs, err.Error())
		} else {
			rows++
		}
	}
	return rows, errs
}

// TestBadRows has one row wrong between two good ones.
func TestBadRows(t *testing.T) {
	const good = "alice,2024-05-06,12.34,USD,1,2,0.50"
	header := "Kunde,at,amount,currency,quantity,cost,discount"
	columns := map[string]string{"customer": "Kunde"}
	for _, tt := range []struct{ row, want string }{
		{",2024-05-06,12.34,USD,1,2,3", `field "Kunde": value "": missing`},
		{"  ,2024-05-06,12.34,USD,1,2,3", `field "Kunde": value "": missing`},
		{"a\xff,2024-05-06,12.34,USD,1,2,3", `field "Kunde": value "a\xff": not valid UTF-8`},
		{"a,,12.34,USD,1,2,3", `field "at": value "": missing`},
		{"a,06.05.2024,12.34,USD,1,2,3", `field "at": value "06.05.2024": not a date of the layouts 2006-01-02T15:04:05Z07:00, 2006-01-02`},
		{"a,2023-02-29,12.34,USD,1,2,3", `field "at": value "2023-02-29": not a date of the layouts 2006-01-02T15:04:05Z07:00, 2006-01-02`},
		{"a,NaT,12.34,USD,1,2,3", `field "at": value "NaT": not a date of the layouts 2006-01-02T15:04:05Z07:00, 2006-01-02`},
		{"a,0001-01-01,12.34,USD,1,2,3", `field "at": value "0001-01-01": the zero time`},
		{"a,2024-05-06,,USD,1,2,3", `field "amount": value "": missing`},
		{"a,2024-05-06,NaN,USD,1,2,3", `field "amount": value "NaN": not a number`},
		{"a,2024-05-06,-Inf,USD,1,2,3", `field "amount": value "-Inf": not a number`},
		{"a,2024-05-06,1e3,USD,1,2,3", `field "amount": value "1e3": not a number`},
		{"a,2024-05-06,$12,USD,1,2,3", `field "amount": value "$12": not a number`},
		{"a,2024-05-06,(12),USD,1,2,3", `field "amount": value "(12)": not a number`},
		{"a,2024-05-06,12-,USD,1,2,3", `field "amount": value "12-": not a number`},
		{"a,2024-05-06,--12,USD,1,2,3", `field "amount": value "--12": not a number`},
		{"a,2024-05-06,.5,USD,1,2,3", `field "amount": value ".5": not a number`},
		{"a,2024-05-06,5.,USD,1,2,3", `field "amount": value "5.": not a number`},
		{"a,2024-05-06,1.2.3,USD,1,2,3", `field "amount": value "1.2.3": not a number`},
		{"a,2024-05-06,-,USD,1,2,3", `field "amount": value "-": not a number`},
		{`a,2024-05-06,"1,234.56",USD,1,2,3`, `field "amount": value "1,234.56": ',' is not the decimal mark, which is '.' (CSVOptions.DecimalMark, CSVOptions.Grouping)`},
		{"a,2024-05-06,12.34,,1,2,3", `field "currency": value "": no currency: the column is empty and CSVOptions.Currency is not set`},
		{"a,2024-05-06,12.34,Euro,1,2,3", `field "currency": value "Euro": not a currency code: want three capital letters of ISO 4217, such as USD`},
		{"a,2024-05-06,12.34,ÄÖÜ,1,2,3", `field "currency": value "ÄÖÜ": not a currency code: want three capital letters of ISO 4217, such as USD`},
		{"a,2024-05-06,12.34,USD,1.5,2,3", `field "quantity": value "1.5": not a whole number`},
		{"a,2024-05-06,12.34,USD,99999999999999999999,2,3", `field "quantity": value "99999999999999999999": does not fit in 64 bits`},
		{"a,2024-05-06,12.34,USD,1,x,3", `field "cost": value "x": not a number`},
		{"a,2024-05-06,12.34,USD,1,2,-3", `field "discount": value "-3": negative`},
		{"a,2024-05-06,12.34,USD,1,2", `value "a,2024-05-06,12.34,USD,1,2": 6 fields, but the header has 7`},
		{"a,2024-05-06,12.34,USD,1,2,3,4", `value "a,2024-05-06,12.34,USD,1,2,3,4": 8 fields, but the header has 7`},
		{"a", `value "a": 1 fields, but the header has 7`},
		{`a"b,2024-05-06,12.34,USD,1,2,3`, `value "a\"b,2024-05-06,12.34,USD,1,2,3": a quote (") in a field that does not begin with one`},
		{`"a"b,2024-05-06,12.34,USD,1,2,3`, `value "\"a\"b,2024-05-06,12.34,USD,1,2,3": text after the closing quote (") of a field`},
		{`"a,2024-05-06,12.34,USD,1,2,3`, `value "\"a,2024-05-06,12.34,USD,1,2,3": a quote (") that is not closed before the end of the file`},
		{strings.Repeat("y", 300) + ",2024-05-06,x,USD,1,2,3", `value "` + strings.Repeat("y", 80) + `...": a row of more than 200 bytes (CSVOptions.MaxRow)`},
		{"a,2024-05-06," + strings.Repeat("1", 129) + ",USD,1,2,3", `field "amount": value "` + strings.Repeat("1", 80) + `...": a number of more than 128 bytes`},
		{"a,2024-05-06," + strings.Repeat("ş", 60) + ",USD,1,2,3", `field "amount": value "` + strings.Repeat("ş", 40) + `...": not a number`},
	} {
		text := header + "\n" + good + "\n" + tt.row + "\n" + good + "\n"
		rows, errs := readAll(text, &CSVOptions{Columns: columns, MaxRow: 200})
		want := []string{"ledger: row 2: " + tt.want}
		if diff := cmp.Diff(want, errs); diff != "" || rows != 2 {
			t.Errorf("%q: %d rows, errors (-want +got):\n%s", tt.row, rows, diff)
		}
	}
}

// TestBadFiles has faults that end the stream.
func TestBadFiles(t *testing.T) {
	const ok = "customer,at,amount\na,2024-01-01,1\n"
	for _, tt := range []struct {
		name, text string
		o          *CSVOptions
		want       string
	}{
		{"empty", "", nil, "ledger: no header: the file is empty"},
		{"empty but for line ends", "\r\n\n\n", nil, "ledger: no header: the file is empty"},
		{"only a BOM", "\ufeff", nil, "ledger: no header: the file is empty"},
		{"UTF-16", "\xff\xfec\x00", nil, "ledger: the file is UTF-16: save it as UTF-8"},
		{"a column missing", "customer,date,total\n", nil, `ledger: header: no column "at", "amount"; the columns are "customer", "date", "total"`},
		{"a mapped column missing", ok, &CSVOptions{Currency: "USD", Columns: map[string]string{"id": "Name"}},
			`ledger: header: no column "Name" (field "id"); the columns are "customer", "at", "amount"`},
		{"another separator", "customer;at;amount\n", nil,
			`ledger: header: no column "customer", "at", "amount"; the columns are "customer;at;amount"; it looks separated by ';' (CSVOptions.Comma)`},
		{"a field that does not exist", ok, &CSVOptions{Columns: map[string]string{"user": "customer"}},
			`ledger: CSVOptions.Columns: no field "user"; the fields are customer, at, amount, currency, id, channel, campaign, product, category, quantity, cost, discount`},
		{"no currency", ok, nil, `ledger: no currency: the header has no column "currency" and CSVOptions.Currency is not set`},
		{"two columns of one name", "customer,at,amount,at\n", nil, `ledger: header: field "at": two columns are named "at"`},
		{"two columns but for case", "customer,At,amount,AT\n", nil, `ledger: header: field "at": two columns are named "at"`},
		{"quote in the header", "cust\"omer,at\n", nil, `ledger: header: value "cust\"omer,at": a quote (") in a field that does not begin with one`},
		{"header not UTF-8", "customer,at,amount,\xff\n", nil, `ledger: header: column 4: value "\xff": not valid UTF-8`},
		{"bad currency", ok, &CSVOptions{Currency: "usd"}, `ledger: CSVOptions.Currency: "usd": not a currency code: want three capital letters of ISO 4217, such as USD`},
		{"bad separator", ok, &CSVOptions{Comma: '"'}, `ledger: CSVOptions.Comma: '"' cannot separate fields`},
		{"bad mark", ok, &CSVOptions{DecimalMark: '1'}, `ledger: CSVOptions.DecimalMark: '1' cannot mark decimals`},
		{"bad grouping", ok, &CSVOptions{Grouping: '-'}, `ledger: CSVOptions.Grouping: '-' cannot separate digits`},
		{"grouping is the mark", ok, &CSVOptions{Grouping: '.'}, `ledger: CSVOptions: DecimalMark and Grouping are both '.'`},
		{"bad bound", ok, &CSVOptions{MaxRow: -1}, `ledger: CSVOptions.MaxRow: -1 is negative`},
		{"bad workers", ok, &CSVOptions{Workers: -1}, `ledger: CSVOptions.Workers: -1 is negative`},
		{"layout without a day", ok, &CSVOptions{Layouts: []string{"dd.mm.yyyy"}},
			`ledger: CSVOptions.Layouts: "dd.mm.yyyy" has no day; write it as in package time, such as 02.01.2006`},
	} {
		rows, errs := readAll(tt.text, tt.o)
		if diff := cmp.Diff([]string{tt.want}, errs); diff != "" || rows != 0 {
			t.Errorf("%s: %d rows, errors (-want +got):\n%s", tt.name, rows, diff)
		}
	}
	if rows, errs := readAll("customer,at,amount,currency\n", nil); rows != 0 || errs != nil {
		t.Errorf("a header alone: %d rows, errors %v; want none", rows, errs)
	}
	for _, err := range ReadCSV(context.Background(), nil, nil) {
		if err == nil || err.Error() != "ledger: no reader" {
			t.Errorf("nil reader: %v", err)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	broken := errors.New("broken")
	usd := &CSVOptions{Currency: "USD"}
	text := "customer,at,amount\na,2024-01-01,1\nb,x,1\nc,2024-01-01,1\nd,2024"
	r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
	var errs []error
	rows := 0
	seq := ReadCSV(context.Background(), r, usd)
	for _, err := range seq {
		if err == nil {
			rows++
		} else {
			errs = append(errs, err)
		}
	}
	if rows != 2 || len(errs) != 2 || !errors.Is(errs[1], broken) || errs[1].Error() != "ledger: after row 3: broken" {
		t.Errorf("%d rows, errors %v; want 2 rows, then after row 3: broken", rows, errs)
	}
	var bad *RowError
	if !errors.As(errs[0], &bad) || bad.Row != 2 || bad.Field != "at" || bad.Value != "x" {
		t.Errorf("row error %#v", bad)
	}
	_, err := Collect(seq)
	if !errors.Is(err, ErrConsumed) || err.Error() != "ledger: stream already consumed: read it again from its source" {
		t.Errorf("second pass: %v, want ErrConsumed", err)
	}

	seq = ReadCSV(context.Background(), strings.NewReader("customer,at,amount\na,2024-01-01,1\nb,2024-01-01,1\n"), usd)
	for _, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if rows, err := Collect(seq); !errors.Is(err, ErrConsumed) || len(rows) != 0 {
		t.Errorf("second pass after a break: %v, want ErrConsumed", err)
	}
}

func TestCancellation(t *testing.T) {
	endless := func() io.Reader {
		return io.MultiReader(strings.NewReader("customer,at,amount\n"), readerFunc(func(b []byte) (int, error) {
			return copy(b, strings.Repeat("a,2024-01-01,1\n", len(b)/15+1)), nil
		}))
	}
	usd := &CSVOptions{Currency: "USD"}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	for _, err := range Skip(ReadCSV(ctx, endless(), usd), nil) {
		if err != nil {
			want := fmt.Sprintf("ledger: after row %d: context canceled", 1000)
			if !errors.Is(err, context.Canceled) || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			break
		}
		if n++; n == 1000 {
			cancel()
		}
	}
	if n != 1000 {
		t.Errorf("%d rows after the cancellation at 1000", n)
	}

	ctx, cancel = context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	// One line without an end.
	_, err := Collect(Skip(ReadCSV(ctx, io.MultiReader(strings.NewReader("customer,at,amount\n"), zeros('x')), usd), nil))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless line: %v, want the deadline", err)
	}
}

func TestRowErrorText(t *testing.T) {
	reason := errors.New("greater than T")
	for _, tt := range []struct {
		err  *RowError
		want string
	}{
		{&RowError{Row: 42, Field: "TX", Value: "39.57", Err: reason}, `row 42: field "TX": value "39.57": greater than T`},
		{&RowError{Row: 1, Value: "a\nb", Err: reason}, `row 1: value "a\nb": greater than T`},
		{&RowError{Row: 1, Err: reason}, `row 1: greater than T`},
		{&RowError{Row: 1, Field: "at", Err: reason}, `row 1: field "at": value "": greater than T`},
		{&RowError{Row: 1, Value: strings.Repeat("ş", 41) + "x", Err: reason}, `row 1: value "` + strings.Repeat("ş", 40) + `...": greater than T`},
		{&RowError{Row: 1, Value: "x" + strings.Repeat("ş", 40), Err: reason}, `row 1: value "x` + strings.Repeat("ş", 39) + `...": greater than T`},
		{&RowError{Row: 1, Value: strings.Repeat("\x80", 90), Err: reason}, `row 1: value "` + strings.Repeat(`\x80`, 76) + `...": greater than T`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
		if !errors.Is(tt.err, reason) {
			t.Errorf("%v does not wrap its reason", tt.err)
		}
	}
}

func TestConvert(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2025, 1, d, 0, 0, 0, 0, time.UTC) }
	rate := func(base, quote money.Currency, value string, at time.Time) money.Rate {
		return money.Rate{Base: base, Quote: quote, Value: money.MustParse(value, "XXX").Decimal(), AsOf: at}
	}
	rates := []money.Rate{
		rate("EUR", "USD", "1.0845", day(10)), rate("EUR", "USD", "1.05", day(5)), rate("EUR", "GBP", "0.8", day(1)),
		rate("JPY", "USD", "0.0064", time.Time{}),
	}
	amount := money.MustParse
	log := []Transaction{
		{Customer: "before", At: day(5).Add(-1), Amount: amount("10", "EUR")},
		{Customer: "at", At: day(5), Amount: amount("10.01", "EUR")},
		{Customer: "between", At: day(10).Add(-1), Amount: amount("10.01", "EUR"), Cost: amount("1", "EUR"), Discount: amount("100", "JPY")},
		{Customer: "after", At: day(30), Amount: amount("-10.01", "EUR"), Cost: amount("3", "USD")},
		{Customer: "same", At: day(1), Amount: amount("7", "USD")},
		{Customer: "no pair", At: day(30), Amount: amount("7", "GBP")},
		{Customer: "ever", At: day(1).AddDate(-50, 0, 0), Amount: amount("100", "JPY")},
	}
	show := func(o *ConvertOptions) (lines []string) {
		for tr, err := range Convert(Transactions(log), "USD", rates, o) {
			if err != nil {
				lines = append(lines, err.Error())
				continue
			}
			line := tr.Customer + ": " + tr.Amount.String()
			for _, a := range []money.Amount{tr.Cost, tr.Discount} {
				if a.Currency() != "" {
					line += ", " + a.String()
				}
			}
			lines = append(lines, line)
		}
		return lines
	}
	want := []string{
		`ledger: convert: row 1: field "Amount": value "EUR 10.00": from EUR to USD: no rate at or before its time, 2025-01-04T23:59:59Z`,
		"at: USD 10.5105",
		"between: USD 10.5105, USD 1.05, USD 0.64",
		"after: USD -10.855845, USD 3.00",
		"same: USD 7.00",
		`ledger: convert: row 6: field "Amount": value "GBP 7.00": from GBP to USD: no rate at or before its time, 2025-01-30T00:00:00Z`,
		"ever: USD 0.64",
	}
	if diff := cmp.Diff(want, show(nil)); diff != "" {
		t.Errorf("exact (-want +got):\n%s", diff)
	}
	want[1], want[2], want[3] = "at: USD 10.52", "between: USD 10.52, USD 1.05, USD 0.64", "after: USD -10.86, USD 3.00"
	if diff := cmp.Diff(want, show(&ConvertOptions{Round: true, Rounding: money.Up})); diff != "" {
		t.Errorf("rounded up (-want +got):\n%s", diff)
	}
	if log[2].Amount.Currency() != "EUR" {
		t.Error("Convert changed its input")
	}
	if rates[0].AsOf != day(10) {
		t.Error("Convert changed the order of the rates")
	}
	for _, tt := range []struct {
		to    money.Currency
		rates []money.Rate
		o     *ConvertOptions
		want  string
	}{
		{"usd", nil, nil, `ledger: convert: to "usd": not a currency code: want three capital letters of ISO 4217, such as USD`},
		{"XAU", nil, &ConvertOptions{Round: true}, "ledger: convert: XAU has no minor unit to round to"},
		{"USD", nil, &ConvertOptions{Round: true, Rounding: 7}, "ledger: convert: ConvertOptions.Rounding: 7 is no rounding mode"},
		{"USD", []money.Rate{rate("EUR", "USD", "1", day(1)), rate("EUR", "USD", "2", day(1))}, nil,
			"ledger: convert: two rates from EUR as of 2025-01-01 00:00:00 +0000 UTC: 1 and 2"},
	} {
		_, err := Collect(Convert(Transactions(log), tt.to, tt.rates, tt.o))
		if err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
	bad := []money.Rate{rate("EUR", "USD", "0", day(1))}
	if rows, err := Collect(Convert(Transactions(log), "USD", bad, nil)); err == nil || len(rows) != 0 {
		t.Errorf("a rate of 0: %v", err)
	}
}
