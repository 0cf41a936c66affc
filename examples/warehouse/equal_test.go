package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A form is one way in which a table may store orders.
type form struct {
	name                 string
	customer, at, amount string // column types
	currency             money.Currency
	minor, days          bool
	decimals             int                              // most that an amount has
	write                func(o *stored) (at, amount any) // as parameters of a statement
}

// A stored order is what a random log has.
type stored struct {
	customer string
	at       time.Time
	amount   money.Amount
	shape    int // of its time as text
}

func (o *stored) units() int64 {
	n, ok := o.amount.Minor()
	if !ok {
		panic(o.amount)
	}
	return n
}

// padded writes an amount with a sign and zeros before it.
func (o *stored) padded() string {
	n, negative := strings.CutPrefix(o.amount.Number(), "-")
	if negative {
		return "-00" + n
	}
	return "+00" + n
}

// timeText writes a time in one of the ways that SQLite takes.
func (o *stored) timeText() string {
	at := o.at
	switch o.shape {
	case 0:
		return at.UTC().Format("2006-01-02 15:04:05")
	case 1:
		return at.UTC().Format("2006-01-02T15:04:05.999999999")
	case 2:
		return at.UTC().Format(time.RFC3339Nano)
	case 3:
		return at.In(time.FixedZone("", 5*3600+45*60)).Format(time.RFC3339)
	case 4:
		return at.In(time.FixedZone("", -11*3600)).Format("2006-01-02 15:04:05.000Z07:00")
	}
	return at.Format(time.RFC3339Nano)
}

var sqliteForms = []form{
	{name: "cents and days", customer: "TEXT", at: "TEXT", amount: "INTEGER", currency: "EUR", minor: true, days: true, decimals: 2,
		write: func(o *stored) (any, any) { return o.at.Format(time.DateOnly), o.units() }},
	{name: "text and times", customer: "TEXT", at: "DATETIME", amount: "TEXT", currency: "EUR", decimals: 9,
		write: func(o *stored) (any, any) { return o.timeText(), o.amount.Number() }},
	{name: "yen and seconds", customer: "", at: "INTEGER", amount: "", currency: "JPY", decimals: 0,
		write: func(o *stored) (any, any) { return o.at.Unix(), o.units() }},
	{name: "dinars and days", customer: "VARCHAR(20)", at: "DATE", amount: "TEXT", currency: "KWD", days: true, decimals: 3,
		write: func(o *stored) (any, any) { return o.at.Format(time.DateOnly), o.padded() }},
}

var postgresForms = []form{
	{name: "numeric and timestamptz", customer: "text", at: "timestamptz", amount: "numeric", currency: "EUR", decimals: 9,
		write: func(o *stored) (any, any) { return o.at, o.amount.Number() }},
	{name: "numeric and date", customer: "varchar", at: "date", amount: "numeric(30, 4)", currency: "EUR", days: true, decimals: 4,
		write: func(o *stored) (any, any) { return o.at.Format(time.DateOnly), o.amount.Number() }},
	{name: "cents and timestamp", customer: "text", at: "timestamp", amount: "bigint", currency: "EUR", minor: true, decimals: 2,
		write: func(o *stored) (any, any) { return o.at.UTC(), o.units() }},
	{name: "yen and timestamptz", customer: "text", at: "timestamptz(0)", amount: "integer", currency: "JPY", decimals: 0,
		write: func(o *stored) (any, any) { return o.at.Truncate(time.Second), o.units() }},
}

var zones = []string{"UTC", "Europe/Istanbul", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Auckland"}

// randomLog has what summaries can get wrong: several orders a day, times within seconds of midnight and of changes of the
// clocks, refunds before, on and after the first purchase, customers with refunds only, free orders, rows after the end.
func randomLog(r *rand.Rand, f form, zone *time.Location) (log []stored, end time.Time) {
	names := []string{"a", "A", "b", "B", "Ä", "zoë", "_", "10", "9", "a b", "名", "\U0001F600", "O'Neil \"x\"", "a.b", "aa"}
	from := time.Date([]int{1968, 1999, 2007, 2018, 2023}[r.IntN(5)], time.Month(1+r.IntN(12)), 1+r.IntN(28), 0, 0, 0, 0, zone)
	span := 2 + r.IntN(400)
	for range 1 + r.IntN(120) {
		day := r.IntN(span)
		at := time.Date(from.Year(), from.Month(), from.Day()+day, 12, 0, 0, 0, zone)
		if f.days {
			at = ledger.Day(at, zone).Start
		} else {
			at = ledger.Day(at, zone).Start
			if r.IntN(2) == 0 {
				at = at.Add(time.Duration(r.IntN(7_000_001)-3_500_000) * time.Microsecond)
			} else {
				at = at.Add(time.Duration(r.IntN(86_400_000)) * time.Millisecond)
			}
			if r.IntN(10) == 0 { // to be rounded up by whoever rounds
				at = ledger.Day(at, zone).End.Add(-time.Duration(1+r.IntN(400)) * time.Microsecond)
			}
		}
		digits := f.decimals
		if r.IntN(2) == 0 {
			digits = min(digits, 2)
		}
		n := r.Int64N(2_000_000) - 500_000
		switch r.IntN(12) {
		case 0:
			n = 0
		case 1:
			n = -n
		}
		text := fmt.Sprintf("%d", n)
		if digits > 0 {
			sign := ""
			if n < 0 {
				sign, n = "-", -n
			}
			text = fmt.Sprintf("%s%d.%0*d", sign, n/100, digits, r.Int64N(pow10(digits)))
		}
		log = append(log, stored{names[r.IntN(1+r.IntN(len(names)))], at, money.MustParse(text, f.currency), r.IntN(6)})
	}
	last := from.AddDate(0, 0, r.IntN(span+3)-1)
	return log, ledger.Day(last, zone).Start.Add(time.Duration(r.IntN(20)) * time.Hour)
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// testForms compares, for random logs in every form and zone, the summary by the library of the log itself, that of the
// stream, and that by the database.
func testForms(t *testing.T, db *sql.DB, d dialect, prefix string, forms []form, logs int) {
	ctx := context.Background()
	units := []time.Duration{clv.Day, clv.Week, 1_000_003 * time.Second}
	for kind, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for i := range logs {
				zone, err := time.LoadLocation(zones[i%len(zones)])
				if err != nil {
					t.Fatal(err)
				}
				log, end := randomLog(r, f, zone)
				title := prefix + fmt.Sprintf("t%d_%d", kind, i)
				fill(t, db, d, title, f, log)
				tab, err := openTable(ctx, &table{db: db, dialect: d, title: title, currency: f.currency, minor: f.minor, zone: zone})
				if err != nil {
					t.Fatal(err)
				}
				var txs []ledger.Transaction
				for _, o := range log {
					txs = append(txs, ledger.Transaction{Customer: o.customer, At: o.at, Amount: o.amount})
				}
				r.Shuffle(len(txs), func(i, j int) { txs[i], txs[j] = txs[j], txs[i] })
				unit := units[i%len(units)]
				o := &clv.SummaryOptions{Location: zone}
				want, err := clv.Summarize(ctx, ledger.Transactions(txs), end, unit, o)
				if err != nil {
					t.Fatal(err)
				}
				streamed, err := clv.Summarize(ctx, tab.stream(ctx), end, unit, o)
				if err != nil {
					t.Fatal(err)
				}
				if err := same(want, streamed); err != nil {
					t.Fatalf("log %d, %v, streamed: %v", i, zone, err)
				}
				got, err := tab.summarize(ctx, end, unit)
				if err != nil {
					t.Fatal(err)
				}
				if err := same(want, got); err != nil {
					t.Fatalf("log %d, %v, end %v: %v", i, zone, end, err)
				}
				if _, err := db.ExecContext(ctx, "DROP TABLE "+quoteName(title)); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func fill(t *testing.T, db *sql.DB, d dialect, title string, f form, log []stored) {
	t.Helper()
	ctx := context.Background()
	err := inTransaction(ctx, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE TABLE %s (id INTEGER PRIMARY KEY, customer %s, at %s, amount %s)", quoteName(title), f.customer, f.at, f.amount))
		if err != nil {
			return err
		}
		in := &inserter{q: tx, dialect: d, into: quoteName(title) + " (id, customer, at, amount)"}
		for i := range log {
			at, amount := f.write(&log[i])
			if err := in.add(ctx, i+1, log[i].customer, at, amount); err != nil {
				return err
			}
		}
		return in.flush(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func temporary(t testing.TB) *sql.DB {
	t.Helper()
	db, err := openSQLite(filepath.Join(t.TempDir(), "test.sqlite"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA synchronous = OFF"); err != nil { // it is gone after the test
		t.Fatal(err)
	}
	return db
}

// server returns a database and the prefix of names in a schema of its own, which is dropped in the end.
func server(t testing.TB) (db *sql.DB, dsn, prefix string) {
	t.Helper()
	dsn = os.Getenv("CUSTVAL_POSTGRES")
	if dsn == "" {
		t.Skip("CUSTVAL_POSTGRES does not name a PostgreSQL database to test with")
	}
	ctx := context.Background()
	db, err := openPostgres(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	schema := fmt.Sprintf("custval_%s_%d", strings.ToLower(strings.Map(letters, t.Name())), os.Getpid())
	if _, err := db.ExecContext(ctx, "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(ctx, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db, dsn, schema + "."
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return '_'
}

func TestSQLiteEqualsLibrary(t *testing.T) { testForms(t, temporary(t), sqlite{}, "", sqliteForms, 28) }

func TestPostgresEqualsLibrary(t *testing.T) {
	db, _, prefix := server(t)
	testForms(t, db, postgres{}, prefix, postgresForms, 28)
}

// TestSampleAtManyEnds holds the sample shop, summarized at each of several ends by both databases, against the library.
func TestSampleAtManyEnds(t *testing.T) {
	ctx := context.Background()
	log, err := ledger.Collect(ledger.ReadCSV(ctx, sample.Shop(), &ledger.CSVOptions{Currency: "USD"}))
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, db *sql.DB, d dialect, title string, minor bool) {
		if err := load(ctx, db, d, title, ledger.Transactions(log)); err != nil {
			t.Fatal(err)
		}
		tab, err := openTable(ctx, &table{db: db, dialect: d, title: title, currency: "EUR", minor: minor, zone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		first := log[0].At
		for _, days := range []int{-1, 0, 1, 100, 546, 800} {
			end := first.AddDate(0, 0, days)
			want, err := clv.Summarize(ctx, ledger.Slice(slices.Clone(log)), end, clv.Week, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tab.summarize(ctx, end, clv.Week)
			if err != nil {
				t.Fatal(err)
			}
			if err := same(want, got); err != nil {
				t.Errorf("%v: %v", end, err)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) { check(t, temporary(t), sqlite{}, "orders", true) })
	t.Run("PostgreSQL", func(t *testing.T) {
		db, _, prefix := server(t)
		check(t, db, postgres{}, prefix+"orders", false)
	})
}
