package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/money"
)

// table is a driver, a connection, a statement and the result of every query: the least that database/sql runs on.
type table struct {
	columns []string
	types   []string // database types; may be nil
	rows    [][]driver.Value
	err     error // after the rows
	errEnd  error // of Close
	closed  *int
	next    int
}

func (t *table) Connect(context.Context) (driver.Conn, error) { return t, nil }
func (t *table) Driver() driver.Driver                        { return nil }
func (t *table) Prepare(string) (driver.Stmt, error)          { return t, nil }
func (t *table) Begin() (driver.Tx, error)                    { return nil, errors.New("no transactions") }
func (t *table) NumInput() int                                { return 0 }
func (t *table) Exec([]driver.Value) (driver.Result, error)   { return nil, errors.New("no changes") }
func (t *table) Query([]driver.Value) (driver.Rows, error)    { return &cursor{t}, nil }
func (t *table) Close() error                                 { return nil }

type cursor struct{ *table }

func (c *cursor) Columns() []string { return c.columns }

func (c *cursor) ColumnTypeDatabaseTypeName(i int) string {
	if c.types == nil {
		return ""
	}
	return c.types[i]
}

func (c *cursor) Close() error {
	if c.closed != nil {
		*c.closed++
	}
	return c.errEnd
}

func (c *cursor) Next(dst []driver.Value) error {
	if c.next == len(c.rows) {
		if c.err != nil {
			return c.err
		}
		return io.EOF
	}
	copy(dst, c.rows[c.next])
	c.next++
	return nil
}

func query(t testing.TB, tab *table) *sql.Rows {
	t.Helper()
	db := sql.OpenDB(tab)
	t.Cleanup(func() { db.Close() })
	rows, err := db.Query("select")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTransactionsFromRows(t *testing.T) {
	istanbul := zone(t, "Europe/Istanbul")
	closed := 0
	at := time.Date(2024, 5, 6, 22, 0, 0, 0, time.UTC)
	rows := query(t, &table{
		columns: []string{"Customer", "at", "day", "total", "currency", "quantity", "id"},
		types:   []string{"TEXT", "TIMESTAMPTZ", "DATE", "NUMERIC", "CHAR", "INT8", "TEXT"},
		closed:  &closed,
		rows: [][]driver.Value{
			{"alice", at, at, []byte("12.34"), "EUR", int64(2), nil},
			{int64(17), "2024-05-06", at, 0.1, nil, nil, []byte("x")},
			{[]byte("bob"), at, at, int64(5), "jpy", 3.0, int64(9)},
			{float64(12345678901), at, at, float64(1e15), nil, int64(1), true},
		},
	})
	o := &CSVOptions{Currency: "USD", Columns: map[string]string{"amount": "total"}, Location: istanbul, DecimalMark: '.', Grouping: ','}
	got, err := Collect(TransactionsFromRows(context.Background(), rows, o))
	if err != nil {
		t.Fatal(err)
	}
	local := at.In(istanbul)
	want := []Transaction{
		{Customer: "alice", At: local, Amount: money.MustParse("12.34", "EUR"), Quantity: 2},
		{Customer: "17", At: time.Date(2024, 5, 6, 0, 0, 0, 0, istanbul), Amount: money.MustParse("0.1", "USD"), ID: "x"},
		{Customer: "bob", At: local, Amount: money.MustParse("5", "JPY"), Quantity: 3, ID: "9"},
		{Customer: "12345678901", At: local, Amount: money.MustParse("1000000000000000", "USD"), Quantity: 1, ID: "true"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[0].At.Location() != istanbul || closed != 1 {
		t.Errorf("in %v, closed %d times", got[0].At.Location(), closed)
	}
}

func TestDatesOfSQL(t *testing.T) {
	newYork := zone(t, "America/New_York")
	rows := query(t, &table{
		columns: []string{"customer", "at", "amount"}, types: []string{"TEXT", "DATE", "INT8"},
		rows: [][]driver.Value{{"alice", time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), int64(1999)}},
	})
	got, err := Collect(TransactionsFromRows(context.Background(), rows, &CSVOptions{Currency: "USD", Minor: true, Location: newYork}))
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if want := time.Date(2024, 5, 6, 0, 0, 0, 0, newYork); !got[0].At.Equal(want) {
		t.Errorf("the DATE 6 May became %v, want %v", got[0].At, want)
	}
	if got[0].Amount.String() != "USD 19.99" {
		t.Errorf("1999 cents are %v", got[0].Amount)
	}
}

func TestBadSQLRows(t *testing.T) {
	at := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	broken := errors.New("connection lost")
	closed := 0
	rows := query(t, &table{
		columns: []string{"customer", "at", "amount", "quantity"},
		closed:  &closed,
		err:     broken,
		rows: [][]driver.Value{
			{nil, at, int64(1), nil},
			{"a", nil, int64(1), nil},
			{"a", at, nil, nil},
			{"a", at, math.NaN(), nil},
			{"a", at, math.Inf(-1), nil},
			{"a", time.Time{}, int64(1), nil},
			{"a", int64(5), int64(1), nil},
			{"a", 2.5, int64(1), nil},
			{"a", at, true, nil},
			{"a", at, at, nil},
			{"a", at, "1,5", nil},
			{"a\xff", at, int64(1), nil},
			{"a", at, int64(1), 2.5},
			{"a", at, int64(1), 2.0},
		},
	})
	want := []string{
		`ledger: row 1: field "customer": value "": missing`,
		`ledger: row 2: field "at": value "": missing`,
		`ledger: row 3: field "amount": value "": missing`,
		`ledger: row 4: field "amount": value "NaN": not a finite number`,
		`ledger: row 5: field "amount": value "-Inf": not a finite number`,
		`ledger: row 6: field "at": value "0001-01-01T00:00:00Z": the zero time`,
		`ledger: row 7: field "at": value "5": not a date of the layouts 2006-01-02T15:04:05Z07:00, 2006-01-02`,
		`ledger: row 8: field "at": value "2.5": a value of the type float64, which is not a time`,
		`ledger: row 9: field "amount": value "true": a value of the type bool, which is not a number`,
		`ledger: row 10: field "amount": value "2024-05-06T00:00:00Z": a value of the type time.Time, which is not a number`,
		`ledger: row 11: field "amount": value "1,5": ',' is not the decimal mark, which is '.' (CSVOptions.DecimalMark, CSVOptions.Grouping)`,
		`ledger: row 12: field "customer": value "a\xff": not valid UTF-8`,
		`ledger: row 13: field "quantity": value "2.5": not a whole number`,
		`ledger: after row 14: connection lost`,
	}
	var errs []string
	var last error
	for _, err := range TransactionsFromRows(context.Background(), rows, &CSVOptions{Currency: "USD"}) {
		if err != nil {
			errs, last = append(errs, err.Error()), err
		}
	}
	if diff := cmp.Diff(want, errs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !errors.Is(last, broken) || closed != 1 {
		t.Errorf("error %v, closed %d times", last, closed)
	}
}

func TestSQLRowsAreClosed(t *testing.T) {
	some := [][]driver.Value{{"a", "2024-01-01", "1"}, {"b", "2024-01-01", "1"}}
	columns := []string{"customer", "at", "amount"}
	usd := &CSVOptions{Currency: "USD"}
	closed := 0
	for _, err := range TransactionsFromRows(context.Background(), query(t, &table{columns: columns, rows: some, closed: &closed}), usd) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if closed != 1 {
		t.Errorf("after a break: closed %d times", closed)
	}
	for name, o := range map[string]*CSVOptions{"bad options": {Comma: '"'}, "no currency": nil, "no column": {Columns: map[string]string{"id": "x"}}} {
		closed = 0
		_, err := Collect(TransactionsFromRows(context.Background(), query(t, &table{columns: columns, rows: some, closed: &closed}), o))
		if err == nil || closed != 1 {
			t.Errorf("%s: error %v, closed %d times", name, err, closed)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed = 0
	seq := TransactionsFromRows(ctx, query(t, &table{columns: columns, rows: some, closed: &closed}), usd)
	if rows, err := Collect(seq); !errors.Is(err, context.Canceled) || len(rows) != 0 || closed != 1 {
		t.Errorf("canceled: %v, %v, closed %d times", rows, err, closed)
	}
	if _, err := Collect(seq); !errors.Is(err, ErrConsumed) {
		t.Errorf("second pass: %v, want ErrConsumed", err)
	}
	broken := errors.New("cannot close")
	_, err := Collect(TransactionsFromRows(context.Background(), query(t, &table{columns: columns, rows: some, errEnd: broken}), usd))
	if !errors.Is(err, broken) {
		t.Errorf("error of Close: %v, want %v", err, broken)
	}
	for _, err := range TransactionsFromRows(context.Background(), nil, nil) {
		if err == nil || err.Error() != "ledger: no rows" {
			t.Errorf("nil rows: %v", err)
		}
	}
}

// TestOtherRecordsFromRows reads the same table from SQL and from CSV.
func TestOtherRecordsFromRows(t *testing.T) {
	ctx := context.Background()
	o := &CSVOptions{Currency: "USD"}
	for _, text := range []string{"id,acquired,region\na,2024-05-06,north\nb,,\n"} {
		want, err := Collect(ReadCustomers(ctx, strings.NewReader(text), o))
		got, errSQL := Collect(CustomersFromRows(ctx, query(t, tableOf(text)), o))
		if diff := cmp.Diff(want, got); diff != "" || err != nil || errSQL != nil {
			t.Errorf("customers: %v, %v (-CSV +SQL):\n%s", err, errSQL, diff)
		}
	}
	text := "customer,at,name,value,score\na,2024-05-06,nps,,9.5\na,2024-05-06,call,12.5,\n"
	events, err := Collect(ReadEvents(ctx, strings.NewReader(text), o))
	gotEvents, errSQL := Collect(EventsFromRows(ctx, query(t, tableOf(text)), o))
	if diff := cmp.Diff(events, gotEvents); diff != "" || err != nil || errSQL != nil {
		t.Errorf("events: %v, %v (-CSV +SQL):\n%s", err, errSQL, diff)
	}
	text = "customer,duration,ended,plan\na,12.5,true,gold\nb,3,0,\n"
	tenures, err := Collect(ReadTenures(ctx, strings.NewReader(text), o))
	gotTenures, errSQL := Collect(TenuresFromRows(ctx, query(t, tableOf(text)), o))
	if diff := cmp.Diff(tenures, gotTenures); diff != "" || err != nil || errSQL != nil {
		t.Errorf("tenures: %v, %v (-CSV +SQL):\n%s", err, errSQL, diff)
	}
}

// tableOf makes a table of plain CSV; empty fields become NULL.
func tableOf(text string) *table {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	tab := &table{columns: strings.Split(lines[0], ",")}
	for _, line := range lines[1:] {
		var row []driver.Value
		for _, f := range strings.Split(line, ",") {
			if f == "" {
				row = append(row, nil)
			} else {
				row = append(row, []byte(f))
			}
		}
		tab.rows = append(tab.rows, row)
	}
	return tab
}
