package subscription_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/subscription"
	"github.com/google/go-cmp/cmp"
)

// equal compares Rows with their decimals and amounts by value.
var equal = cmp.Options{
	cmp.Comparer(func(x, y time.Time) bool { return x.Equal(y) }),
}

const table = `customer,subscription,plan,price,currency,interval,interval_count,quantity,start,end,reason,code,trial_start,trial_end,` +
	`discount_percent,discount_duration,discount_months,paused_from,paused_to,term_end,region
a,s1,basic,10.00,USD,month,,2,2025-01-01,,,,2025-01-01,2025-01-15,,,,,,2026-01-01,north
a,s2,extra,90,USD,month,3,,2025-02-01,2025-05-01,voluntary,too_dear,,,,,,,,,north
b,,basic,120.00,USD,Yearly,,,2025-01-10,,,,,,10%,repeating,3,2025-06-01,,,
c,,setup,50,USD,one-time,,,2025-01-10,,,,,,,,,,,,
`

func wantTable() []subscription.Row {
	a1 := subscription.Row{Customer: "a", Subscription: "s1", Plan: "basic", Price: usd("10"), Interval: subscription.EveryMonth, Quantity: 2,
		From: at("2025-01-01"), Trial: ledger.Period{Start: at("2025-01-01"), End: at("2025-01-15")},
		Terms: []subscription.Term{{End: at("2026-01-01")}}, Labels: map[string]string{"region": "north"}}
	a2 := subscription.Row{Customer: "a", Subscription: "s2", Plan: "extra", Price: usd("90"), Interval: subscription.Quarterly,
		From: at("2025-02-01"), To: at("2025-05-01"), Reason: subscription.Voluntary, Code: "too_dear", Labels: map[string]string{"region": "north"}}
	b := subscription.Row{Customer: "b", Plan: "basic", Price: usd("120"), Interval: subscription.Yearly, From: at("2025-01-10"),
		Discounts: []subscription.Discount{{Percent: "10", Duration: subscription.Repeating, Months: 3}},
		Paused:    []ledger.Period{{Start: at("2025-06-01")}}}
	c := subscription.Row{Customer: "c", Plan: "setup", Price: usd("50"), Kind: subscription.OneTime, From: at("2025-01-10")}
	return []subscription.Row{a1, a2, b, c}
}

func TestReadCSV(t *testing.T) {
	got, err := ledger.Collect(subscription.ReadCSV(t.Context(), strings.NewReader(table), nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wantTable(), got, equal); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestReadExport has a Turkish export: other names, a semicolon, dates by day, a column of MRR in minor units.
func TestReadExport(t *testing.T) {
	o := &subscription.ReadOptions{Interval: subscription.EveryMonth, CSVOptions: ledger.CSVOptions{Comma: ';', Currency: "TRY", Layouts: []string{"02.01.2006"},
		DecimalMark: ',', Grouping: '.', Columns: map[string]string{"customer": "müşteri", "price": "aylık", "from": "başlangıç", "to": "bitiş"}}}
	b, err := subscription.New(subscription.ReadCSV(t.Context(), strings.NewReader("müşteri;aylık;başlangıç;bitiş\n1;1.234,56;31.12.2024;\n2;100,00;01.01.2025;01.02.2025\n"), o))
	if err != nil {
		t.Fatal(err)
	}
	if s := snapshot(t, b, "2025-01-15"); s.MRR.String() != "TRY 1334.56" {
		t.Errorf("MRR = %s", s.MRR)
	}
	cents := &subscription.ReadOptions{Interval: subscription.Yearly, CSVOptions: ledger.CSVOptions{Currency: "USD", Minor: true}}
	if b, err = subscription.New(subscription.ReadCSV(t.Context(), strings.NewReader("customer,price,start\na,12000,2025-01-01\n"), cents)); err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR of 12,000 cents a year", snapshot(t, b, "2025-02-01").MRR, "10")
}

func TestReadErrors(t *testing.T) {
	const head = "customer,price,currency,interval,start,end,quantity,kind,reason,discount_percent,discount_amount,discount_duration,term_end,interval_count\n"
	for _, tc := range []struct{ row, text string }{
		{",10,USD,month,2025-01-01,,,,,,,,,", `subscription: row 1: field "customer": value "": `},
		{"a,ten,USD,month,2025-01-01,,,,,,,,,", `subscription: row 1: field "price": value "ten": `},
		{"a,10,USD,fortnite,2025-01-01,,,,,,,,,", `subscription: row 1: field "interval": value "fortnite": not a billing interval such as month, 3 months, quarterly, yearly or P1Y`},
		{"a,10,USD,,2025-01-01,,,,,,,,,", `subscription: row 1: field "interval": value "": no interval: give the column interval, or ReadOptions.Interval`},
		{"a,10,USD,month,2025-01-01,2024-12-31,,,,,,,,", `subscription: row 1: field "end": value "2024-12-31": not after From`},
		{"a,10,USD,month,,,,,,,,,,", `subscription: row 1: field "from": value "": a row needs the moment from which it holds`},
		{"a,-10,USD,month,2025-01-01,,,,,,,,,", `subscription: row 1: field "price": value "-10": negative`},
		{"a,10,USD,month,2025-01-01,,-2,,,,,,,", `subscription: row 1: field "quantity": value "-2": negative`},
		{"a,10,USD,month,2025-01-01,,,weird,,,,,,", `subscription: row 1: field "kind": value "weird": subscription: "weird" is no kind of price`},
		{"a,10,USD,month,2025-01-01,,,,voluntary,,,,,", `subscription: row 1: field "reason": value "voluntary": a reason needs an end: To or CancelRequested`},
		{"a,10,USD,month,2025-01-01,,,,,120,,,,", `subscription: row 1: field "discount_percent": value "120": not a percentage from 0 to 100`},
		{"a,10,USD,month,2025-01-01,,,,,1e9,,,,", `subscription: row 1: field "discount_percent": value "1e9": not a percentage from 0 to 100`},
		{"a,10,USD,month,2025-01-01,,,,,5,5,,,", `subscription: row 1: field "discount_percent": value "5": a discount has either Percent or Amount`},
		{"a,10,USD,month,2025-01-01,,,,,5,,repeating,,", `subscription: row 1: field "discount_months": value "": a repeating discount needs Months or End`},
		{"a,10,USD,month,2025-01-01,,,,,,,,2024-01-01,", `subscription: row 1: field "term_end": value "2024-01-01": not after the term's start`},
		{"a,10,USD,month,2025-01-01,,,,,,,,,0", `subscription: row 1: field "interval_count": value "0": not a number of intervals from 1 to 1048575`},
	} {
		_, err := subscription.New(subscription.ReadCSV(t.Context(), strings.NewReader(head+tc.row+"\n"), nil))
		var row *ledger.RowError
		if err == nil || !strings.HasPrefix(err.Error(), tc.text) || !errors.As(err, &row) || row.Row != 1 {
			t.Errorf("%s\n got %v\nwant %s", tc.row, err, tc.text)
		}
	}
	// What is wrong can be left out.
	text := head + "a,10,USD,month,2025-01-01,,,,,,,,,\nb,10,USD,month,2025-01-01,2020-01-01,,,,,,,,\nc,5,USD,month,2025-01-01,,,,,,,,,\n"
	var dropped []int
	b, err := subscription.New(ledger.Skip(subscription.ReadCSV(t.Context(), strings.NewReader(text), nil), func(e *ledger.RowError) { dropped = append(dropped, e.Row) }))
	if err != nil || !slices.Equal(dropped, []int{2}) || b.Len() != 2 {
		t.Errorf("Skip: %v, dropped %v", err, dropped)
	}
}

func TestNewErrors(t *testing.T) {
	good := row("a", "10", "2025-01-01", "")
	with := func(change func(*subscription.Row)) subscription.Row { r := good; change(&r); return r }
	eur := money.MustParse("1", "EUR")
	for _, tc := range []struct {
		row  subscription.Row
		text string
	}{
		{with(func(r *subscription.Row) { r.Customer = "" }), `field "Customer": value "": a row needs a customer`},
		{with(func(r *subscription.Row) { r.From = time.Time{} }), `field "From": value "": a row needs the moment from which it holds`},
		{with(func(r *subscription.Row) { r.From = at("1500-01-01") }), `field "From": value "1500-01-01T00:00:00Z": not in the years 1678 to 2261`},
		{with(func(r *subscription.Row) { r.To = r.From }), `field "To": value "2025-01-01T00:00:00Z": not after From`},
		{with(func(r *subscription.Row) { r.Quantity = -1 }), `field "Quantity": value "-1": negative`},
		{with(func(r *subscription.Row) { r.Price = usd("-1") }), `field "Price": value "USD -1.00": negative`},
		{with(func(r *subscription.Row) { r.Kind = subscription.Credit }), `field "Price": value "USD 10.00": a credit is negative`},
		{with(func(r *subscription.Row) { r.Kind = 9 }), `field "Kind": value "invalid(9)": not a kind of price`},
		{with(func(r *subscription.Row) { r.Tax = eur }), `field "Tax": value "EUR 1.00": not in the currency of the price`},
		{with(func(r *subscription.Row) { r.Tax = usd("-1") }), `field "Tax": value "USD -1.00": negative`},
		{with(func(r *subscription.Row) { r.Reason = subscription.Voluntary }), `field "Reason": value "voluntary": a reason needs an end: To or CancelRequested`},
		{with(func(r *subscription.Row) { r.Trial = ledger.Period{Start: at("2025-02-01"), End: at("2025-01-01")} }),
			`field "Trial": value "2025-02-01T00:00:00Z/2025-01-01T00:00:00Z": the end is not after the start`},
		{with(func(r *subscription.Row) {
			r.Paused = []ledger.Period{{Start: at("2025-02-01"), End: at("2025-01-01")}}
		}),
			`field "Paused": value "2025-02-01T00:00:00Z/2025-01-01T00:00:00Z": the end is not after the start`},
		{with(func(r *subscription.Row) { r.PastDue = []ledger.Period{{End: at("2025-01-01")}} }),
			`field "PastDue": value "0001-01-01T00:00:00Z": not in the years 1678 to 2261`},
		{with(func(r *subscription.Row) { r.Terms = []subscription.Term{{Start: r.From}} }), `field "Terms.End": value "": a term needs an end`},
		{off(good, subscription.Discount{Amount: eur}), `field "Discounts.Amount": value "EUR 1.00": not in the currency of the price`},
		{off(good, subscription.Discount{Percent: "101"}), `field "Discounts.Percent": value "101": not a percentage from 0 to 100`},
		{off(good, subscription.Discount{Percent: "1e2"}), `field "Discounts.Percent": value "1e2": not a percentage from 0 to 100`},
		{off(good, subscription.Discount{Percent: "1", Duration: subscription.Repeating}), `field "Discounts.Months": value "0": a repeating discount needs Months or End`},
		{with(func(r *subscription.Row) { r.Parent = "other" }), `field "Parent": value "other": customer "a" has the parent "a" in row 1`},
	} {
		_, err := subscription.New(subscription.Rows([]subscription.Row{good, tc.row}))
		if want := "subscription: row 2: " + tc.text; err == nil || err.Error() != want {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}

func TestIssues(t *testing.T) {
	item := func(r subscription.Row, item string) subscription.Row { r.Item = item; return r }
	canceled := row("g", "10", "2025-01-10", "")
	canceled.CancelRequested = at("2025-01-01")
	b := book(t,
		row("a", "10", "2025-01-01", "2025-03-01"), row("a", "12", "2025-02-01", ""),
		row("b", "10", "2025-01-01", "2025-03-01"), func() subscription.Row {
			r := row("b", "12", "2025-03-01", "")
			r.From = r.From.Add(time.Second)
			return r
		}(),
		item(row("c", "10", "2025-01-01", ""), "x"), item(row("c", "10", "2025-01-01", ""), "y"),
		every(row("d", "10", "2025-01-01", ""), 0),
		off(row("e", "49", "2025-01-01", ""), subscription.Discount{Amount: usd("50")}),
		canceled,
	)
	var got []string
	for _, i := range b.Issues() {
		got = append(got, i.String())
	}
	want := []string{
		`row 2: customer "a", subscription "a": overlap with row 1`,
		`row 4: customer "b", subscription "b": short gap with row 3: 1s`,
		`row 7: customer "d", subscription "d": unknown interval`,
		`row 8: customer "e", subscription "e": discount over price: USD 50.00 off USD 49.00`,
		`row 9: customer "g", subscription "g": canceled early: asked for on 2025-01-01T00:00:00Z`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := b.Check(); err == nil || !strings.HasPrefix(err.Error(), "subscription: row 2: ") {
		t.Errorf("Check = %v", err)
	}
	if err := book(t, row("a", "10", "2025-01-01", "")).Check(); err != nil {
		t.Errorf("Check of a clean table = %v", err)
	}
}

// fakeDB answers any query with the columns and values it has.
type fakeDB struct {
	columns []string
	values  [][]driver.Value
}

func (f *fakeDB) Connect(context.Context) (driver.Conn, error) { return f, nil }
func (f *fakeDB) Driver() driver.Driver                        { return nil }
func (f *fakeDB) Prepare(string) (driver.Stmt, error)          { return nil, errors.ErrUnsupported }
func (f *fakeDB) Begin() (driver.Tx, error)                    { return nil, errors.ErrUnsupported }
func (f *fakeDB) Close() error                                 { return nil }
func (f *fakeDB) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &fakeRows{f, 0}, nil
}

type fakeRows struct {
	*fakeDB
	next int
}

func (r *fakeRows) Columns() []string { return r.columns }
func (r *fakeRows) Next(dest []driver.Value) error {
	if r.next == len(r.values) {
		return io.EOF
	}
	copy(dest, r.values[r.next])
	r.next++
	return nil
}

func query(t testing.TB, f *fakeDB) *sql.Rows {
	t.Helper()
	db := sql.OpenDB(f)
	rows, err := db.QueryContext(context.Background(), "SELECT")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestFromRows(t *testing.T) {
	f := &fakeDB{
		columns: []string{"customer", "price", "currency", "interval", "quantity", "start", "end", "region"},
		values: [][]driver.Value{
			{"a", []byte("120.00"), "USD", "year", int64(2), at("2025-01-01"), nil, "north"},
			{"b", "10", "USD", "month", nil, at("2025-02-01"), at("2025-06-10"), nil},
		},
	}
	b, err := subscription.New(subscription.FromRows(t.Context(), query(t, f), nil))
	if err != nil {
		t.Fatal(err)
	}
	wantAmount(t, "MRR", snapshot(t, b, "2025-03-01").MRR, "30")
	wantLines(t, period(t, b, june()), "30", "0", "0", "0", "0", "10", "0", "20")
	f.values[1][6] = at("2024-01-01")
	_, err = subscription.New(subscription.FromRows(t.Context(), query(t, f), nil))
	if want := `subscription: row 2: field "end": value "2024-01-01`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestJoin(t *testing.T) {
	contracts := []subscription.Contract{
		{ID: "s1", Customer: "a", Ended: at("2025-06-10"), Reason: subscription.Involuntary, Code: "card",
			Discounts: []subscription.Discount{{Amount: usd("5")}}, Terms: []subscription.Term{{Start: at("2024-06-10"), End: at("2025-06-10")}}},
		{ID: "s2", Customer: "a"}, {ID: "s2", Customer: "b"}, {Customer: "c"},
	}
	items := []subscription.Item{
		{Subscription: "s1", ID: "seats", Price: usd("10"), Interval: subscription.EveryMonth, Quantity: 3, From: at("2025-01-01"), To: at("2025-03-01")},
		{Subscription: "s1", ID: "seats", Price: usd("10"), Interval: subscription.EveryMonth, Quantity: 4, From: at("2025-03-01")},
		{Subscription: "s2", ID: "base", Price: usd("7"), Interval: subscription.EveryMonth, From: at("2025-02-01")},
		{Subscription: "none", Price: usd("7"), Interval: subscription.EveryMonth, From: at("2025-02-01")},
		{Subscription: "s1", Price: usd("7"), Interval: subscription.EveryMonth, From: at("2025-06-10")},
	}
	var errs []string
	var rows []subscription.Row
	for r, err := range subscription.Join(contracts, items) {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		rows = append(rows, r)
	}
	want := []string{
		`row 3: field "ID": value "s2": two contracts have this ID`, `row 4: field "ID": value "": a contract needs an ID`,
		`row 4: field "Subscription": value "none": no such contract`,
		`row 5: field "From": value "2025-06-10T00:00:00Z": not before the contract has ended, on 2025-06-10T00:00:00Z`,
	}
	if diff := cmp.Diff(want, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if len(rows) != 3 || rows[0].To != at("2025-03-01") || rows[0].Reason != 0 || rows[1].To != at("2025-06-10") || rows[1].Code != "card" {
		t.Fatalf("rows %+v", rows)
	}
	wantLines(t, period(t, book(t, rows...), june()), "42", "0", "0", "0", "35", "0", "0", "7")
	if _, err := subscription.New(subscription.Join(contracts, items)); err == nil || err.Error() != "subscription: "+want[0] {
		t.Errorf("New = %v", err)
	}
}

func TestBalances(t *testing.T) {
	text := "customer,at,mrr,currency\na,2025-01-31,100,USD\na,2025-02-28,120,USD\na,2025-03-31,120,USD\nb,2025-01-31,50,USD\nb,2025-03-31,40,USD\nc,2025-02-28,10,USD\n"
	b, err := subscription.NewBalances(subscription.ReadBalances(t.Context(), strings.NewReader(text), nil))
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.RollForward(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, &all.Periods[0], "150", "10", "0", "20", "0", "50", "0", "130")
	wantLines(t, &all.Periods[1], "130", "0", "40", "0", "0", "10", "0", "160")
	both, err := b.Between(at("2025-01-31"), at("2025-03-31"))
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, both, "150", "0", "0", "20", "10", "0", "0", "160")
	wantRate(t, "NRR", both.NRR, 160.0/150)
	if s, err := b.At(at("2025-02-28")); err != nil || !s.MRR.Equal(usd("130")) {
		t.Errorf("At = %v, %v", s, err)
	}
	for name, call := range map[string]func() error{
		"subscription: no snapshot at 2025-02-15T00:00:00Z":                                                 func() error { _, err := b.At(at("2025-02-15")); return err },
		"subscription: no snapshot at 2025-02-01T00:00:00Z":                                                 func() error { _, err := b.Between(at("2025-02-01"), at("2025-02-28")); return err },
		"subscription: balances at moments do not know the events between them: only PeriodNet is possible": func() error { _, err := b.With(subscription.Policy{}); return err },
		"subscription: balances of customers have no grain item": func() error {
			_, err := b.With(subscription.Policy{Mode: subscription.PeriodNet, Grain: subscription.ByItem})
			return err
		},
		`subscription: row 2: field "At": value "2025-01-31T00:00:00Z": row 1 has this customer and date`: func() error {
			x := subscription.Balance{Customer: "a", At: at("2025-01-31"), MRR: usd("1")}
			_, err := subscription.NewBalances(ledger.Slice([]subscription.Balance{x, x}))
			return err
		},
	} {
		if err := call(); err == nil || err.Error() != name {
			t.Errorf("error %v, want %s", err, name)
		}
	}
}
