package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/clv"
)

// A badRow is a row after a good one with the id 1.
type badRow struct {
	values string // of customer, at, amount, currency as SQL
	want   string // the end of the error
}

const (
	wantSQLiteTime  = `not a time: want 2025-06-30, 2025-06-30 23:59:59 or RFC 3339 as text, or Unix seconds as an integer, in the years 1 to 9999`
	wantSQLiteExact = `not a decimal of at most 18 digits before the point and 9 after it as text, or an integer (a REAL is not exact)`
	wantPostgres    = `not an amount of at most 18 digits before the point and 9 after it`
)

func testBadRows(t *testing.T, db *sql.DB, d dialect, title, types string, minor bool, good string, rows []badRow) {
	ctx := context.Background()
	exec := func(text string) {
		if _, err := db.ExecContext(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE " + title + " " + types)
	for _, r := range rows {
		exec("DELETE FROM " + title)
		exec("INSERT INTO " + title + " VALUES (17, " + r.values + "), (1, " + good + ")")
		tab, err := openTable(ctx, &table{db: db, dialect: d, title: title, currency: "USD", minor: minor, zone: time.UTC})
		if err == nil {
			_, err = tab.summarize(ctx, time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC), clv.Week)
		}
		if want := title + ": id 17: field " + r.want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", r.values, err, want)
		}
	}
	exec("DROP TABLE " + title)
}

func TestBadRowsOfSQLite(t *testing.T) {
	db := temporary(t)
	types := "(id INTEGER PRIMARY KEY, customer, at, amount, currency)"
	testBadRows(t, db, sqlite{}, "orders", types, false, "'a', '2025-01-01', '1.00', 'USD'", []badRow{
		{`NULL, '2025-01-01', '1', 'USD'`, `"customer": value "": missing`},
		{`'  ', '2025-01-01', '1', 'USD'`, `"customer": value "": missing`},
		{`'b', NULL, '1', 'USD'`, `"at": value "": missing`},
		{`'b', '2025-02-30', '1', 'USD'`, `"at": value "2025-02-30": ` + wantSQLiteTime},
		{`'b', '2025-02-28x', '1', 'USD'`, `"at": value "2025-02-28x": ` + wantSQLiteTime},
		{`'b', '28.02.2025', '1', 'USD'`, `"at": value "28.02.2025": ` + wantSQLiteTime},
		{`'b', 'now', '1', 'USD'`, `"at": value "now": ` + wantSQLiteTime},
		{`'b', '2025-01-01 24:00:00', '1', 'USD'`, `"at": value "2025-01-01 24:00:00": ` + wantSQLiteTime},
		{`'b', '2025-01-01 23:59:60', '1', 'USD'`, `"at": value "2025-01-01 23:59:60": ` + wantSQLiteTime},
		{`'b', '2025-01-01T10:00:00+0100', '1', 'USD'`, `"at": value "2025-01-01T10:00:00+0100": ` + wantSQLiteTime},
		{`'b', '2025-01-01T10:00:00.Z', '1', 'USD'`, `"at": value "2025-01-01T10:00:00.Z": ` + wantSQLiteTime},
		{`'b', '2025-01-01T10:00', '1', 'USD'`, `"at": value "2025-01-01T10:00": ` + wantSQLiteTime},
		{`'b', 2460676.5, '1', 'USD'`, `"at": value "2460676.5": ` + wantSQLiteTime},
		{`'b', 1735689600000, '1', 'USD'`, `"at": value "1735689600000": ` + wantSQLiteTime},
		{`'b', '0000-12-31', '1', 'USD'`, `"at": value "0000-12-31": ` + wantSQLiteTime},
		{`'b', '2025-01-01', NULL, 'USD'`, `"amount": value "": missing`},
		{`'b', '2025-01-01', 12.5, 'USD'`, `"amount": value "12.5": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '12,5', 'USD'`, `"amount": value "12,5": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '1e3', 'USD'`, `"amount": value "1e3": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '5.', 'USD'`, `"amount": value "5.": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '.5', 'USD'`, `"amount": value ".5": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '--5', 'USD'`, `"amount": value "--5": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '-', 'USD'`, `"amount": value "-": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '1.2.3', 'USD'`, `"amount": value "1.2.3": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '1234567890123456789', 'USD'`, `"amount": value "1234567890123456789": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '0.1234567891', 'USD'`, `"amount": value "0.1234567891": ` + wantSQLiteExact},
		{`'b', '2025-01-01', x'31', 'USD'`, `"amount": value "1": ` + wantSQLiteExact},
		{`'b', '2030-01-01', 'after the end', 'USD'`, `"amount": value "after the end": ` + wantSQLiteExact},
		{`'b', '2025-01-01', '1', 'EUR'`, `"currency": value "EUR": the rows before are in USD`},
	})
	testBadRows(t, db, sqlite{}, "cents", types, true, "'a', '2025-01-01', 100, 'usd'", []badRow{
		{`'b', '2025-01-01', '100', ' usd '`, `"amount": value "100": not a whole number of minor units as an integer`},
		{`'b', '2025-01-01', 1.5, NULL`, `"amount": value "1.5": not a whole number of minor units as an integer`},
	})
}

func TestBadRowsOfPostgres(t *testing.T) {
	db, _, prefix := server(t)
	types := "(id bigint PRIMARY KEY, customer text, at timestamptz, amount numeric, currency char(3))"
	testBadRows(t, db, postgres{}, prefix+"orders", types, false, "'a', '2025-01-01', '1.00', 'USD'", []badRow{
		{`NULL, '2025-01-01', 1, 'USD'`, `"customer": value "": missing`},
		{`' ', '2025-01-01', 1, 'USD'`, `"customer": value "": missing`},
		{`'b', NULL, 1, 'USD'`, `"at": value "": missing`},
		{`'b', 'infinity', 1, 'USD'`, `"at": value "infinity": not a time of the years 1 to 9999`},
		{`'b', '-infinity', 1, 'USD'`, `"at": value "-infinity": not a time of the years 1 to 9999`},
		{`'b', '2025-01-01', NULL, 'USD'`, `"amount": value "": missing`},
		{`'b', '2025-01-01', 'NaN', 'USD'`, `"amount": value "NaN": ` + wantPostgres},
		{`'b', '2025-01-01', 'Infinity', 'USD'`, `"amount": value "Infinity": ` + wantPostgres},
		{`'b', '2025-01-01', 1e18, 'USD'`, `"amount": value "1000000000000000000": ` + wantPostgres},
		{`'b', '2025-01-01', 0.1234567891, 'USD'`, `"amount": value "0.1234567891": ` + wantPostgres},
		{`'b', '2025-01-01', 1, 'EUR'`, `"currency": value "EUR": the rows before are in USD`},
	})
}

// TestTypesOfPostgres refuses columns that are not exact, and tables that are none.
func TestTypesOfPostgres(t *testing.T) {
	db, _, prefix := server(t)
	ctx := context.Background()
	for i, c := range []struct {
		types string
		minor bool
		want  string
	}{
		{"id int, customer text, at date, amount double precision", false, `column "amount" is of the type FLOAT8: want numeric or an integer, which are exact; a view can cast it`},
		{"id int, customer text, at text, amount numeric", false, `column "at" is of the type TEXT: want a date or a timestamp; a view can cast it`},
		{"id int, customer text, at date, amount numeric", true, `column "amount" is numeric: minor units want an integer type`},
		{"customer text, at date, total numeric", false, `no column "id" among customer, at, total; a view can give the columns their names`},
	} {
		title := fmt.Sprintf("%st%d", prefix, i)
		if _, err := db.ExecContext(ctx, "CREATE TABLE "+title+" ("+c.types+")"); err != nil {
			t.Fatal(err)
		}
		_, err := openTable(ctx, &table{db: db, dialect: postgres{}, title: title, currency: "USD", minor: c.minor, zone: time.UTC})
		if err == nil || err.Error() != title+": "+c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
}

// TestStream names the id of a row that the library's reader refuses.
func TestStream(t *testing.T) {
	db := temporary(t)
	ctx := context.Background()
	if _, err := db.Exec(`CREATE TABLE orders (id TEXT, customer, at, amount); INSERT INTO orders VALUES ('x1', 'a', '2025-01-01', '1.00'), ('x2', 'b', '2025-01-02', '1O.00'), ('x3', 'b', '2025-01-02', 0.5)`); err != nil {
		t.Fatal(err)
	}
	tab, err := openTable(ctx, &table{db: db, dialect: sqlite{}, title: "orders", currency: "USD", zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, err := range tab.stream(ctx) {
		got = append(got, fmt.Sprint(err))
	}
	want := []string{"<nil>", `orders: id x2: field "amount": value "1O.00": not a number`, `orders: id x3: field "amount": value "REAL 0.5": not a number`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q", got)
	}
}

// TestBadInput holds each error against one clear line, and no file may be left behind.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "shop.sqlite")
	db, err := openSQLite(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE bad (id INTEGER PRIMARY KEY, customer, at, amount);
		INSERT INTO bad VALUES (7, 'a', '2025-01-01', '1'), (8, 'b', 'May', '1');
		CREATE TABLE few (id INTEGER PRIMARY KEY, customer, at, amount);
		INSERT INTO few VALUES (7, 'a', '2025-01-01', '1');
		CREATE TABLE spaces (id INTEGER PRIMARY KEY, customer, at, amount);
		INSERT INTO spaces VALUES (7, 'a' || char(9), '2025-01-01', '1');
		CREATE TABLE large (id INTEGER PRIMARY KEY, customer, at, amount);
		INSERT INTO large VALUES (7, 'a', '2025-01-01', 1), (8, 'a', '2025-01-02', 9000000000000000000), (9, 'a', '2025-01-03', 9000000000000000000);
		CREATE TABLE empty (id, customer, at, amount); CREATE TABLE other (customer, at, amount); CREATE TABLE scores (customer)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("customer,at,amount\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*config)
		want   string
	}{
		"two sources":        {func(c *config) { c.parquet = "x" }, "-db, -dsn and -parquet exclude one another"},
		"no file":            {func(c *config) { c.db = filepath.Join(dir, "none") }, "no such file or directory"},
		"no database":        {func(c *config) { c.db = text }, "orders: file is not a database"},
		"no table":           {func(*config) {}, "orders: SQL logic error: no such table: orders"},
		"no id":              {func(c *config) { c.table = "other" }, `other: no column "id" among customer, at, amount; a view can give the columns their names`},
		"no orders":          {func(c *config) { c.table = "empty" }, "empty: no orders"},
		"bad row":            {func(c *config) { c.table = "bad" }, `bad: id 8: field "at": value "May": not a time`},
		"bad end":            {func(c *config) { c.table, c.end = "few", "June" }, "-end June: want a date as 2025-06-30"},
		"bad unit":           {func(c *config) { c.unit = "month" }, "-unit month: want day or week"},
		"bad zone":           {func(c *config) { c.zone = "Mars" }, "-zone Mars: want a name as Europe/Istanbul"},
		"local zone":         {func(c *config) { c.zone = "Local" }, "-zone Local: want a name as Europe/Istanbul"},
		"bad currency":       {func(c *config) { c.currency = "EURO" }, "-currency EURO: money: not an ISO 4217 currency code"},
		"early end":          {func(c *config) { c.table, c.end = "few", "2024-01-01" }, "no purchase on or before 2024-01-01"},
		"one order":          {func(c *config) { c.table = "few" }, "bgnbd"},
		"white space":        {func(c *config) { c.table = "spaces" }, `white space around the name`},
		"sum too large":      {func(c *config) { c.table, c.minor = "large", true }, "integer overflow"},
		"load over a table":  {func(c *config) { c.table, c.load = "few", true }, "few: SQL logic error: table \"few\" already exists"},
		"no server":          {func(c *config) { c.db, c.dsn = "", "postgres://localhost:1/none?connect_timeout=2" }, "failed to connect"},
		"no Parquet file":    {func(c *config) { c.db, c.parquet = "", filepath.Join(dir, "none") }, "no such file or directory"},
		"not Parquet":        {func(c *config) { c.db, c.parquet = "", text }, "text: not a Parquet file"},
		"scores and Parquet": {func(c *config) { c.db, c.parquet, c.scores = "", text, "scores" }, "-load and -scores need a database: give -db or -dsn"},
	} {
		in := byDefault(filepath.Join(dir, "out"))
		in.db = path
		c.change(&in)
		err := run(context.Background(), in, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
		if _, err := os.Stat(in.out); err == nil {
			t.Errorf("%s: files were written", name)
		}
	}
}
