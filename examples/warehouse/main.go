// Warehouse gets the same numbers out of a database: orders are streamed and never held, or summarized by the database
// itself, so that one row a customer crosses the wire; scores go back into a table, and both come and go as Parquet.
//
//	go run ./examples/warehouse
//	go run ./examples/warehouse -db shop.sqlite -table orders -minor -end 2025-06-30 -scores scores
//	go run ./examples/warehouse -dsn postgres://localhost/shop -table sales.orders -zone Europe/Istanbul -currency TRY
//	go run ./examples/warehouse -parquet orders.parquet -out results
//
// Without flags it builds a SQLite database of the simulated shop (examples/sample) in a temporary file. A table or view needs
// the columns id, customer, at and amount, a Parquet file the last three; a column currency is used where there is one.
// Nothing is written to a database unless -scores or -load says so.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A config is what the flags say.
type config struct {
	db, dsn, parquet     string
	table, scores        string
	load, minor          bool
	end, unit, zone, out string
	currency             string
}

func main() {
	var c config
	flag.StringVar(&c.db, "db", "", "file of a SQLite database; a temporary one with a simulated shop if this, -dsn and -parquet are empty")
	flag.StringVar(&c.dsn, "dsn", "", "PostgreSQL database, as postgres://user:password@host/name")
	flag.StringVar(&c.parquet, "parquet", "", "Parquet file of orders to read in place of a database")
	flag.StringVar(&c.table, "table", "orders", "table or view of the orders, with the columns id, customer, at, amount and perhaps currency")
	flag.StringVar(&c.scores, "scores", "", "table to write the scores to, whose contents are replaced; none if empty")
	flag.BoolVar(&c.load, "load", false, "make -table, which must not exist, from the simulated shop first")
	flag.BoolVar(&c.minor, "minor", false, "amounts are integers of the minor unit: 1999 is USD 19.99")
	flag.StringVar(&c.end, "end", "", "end of observation, as 2025-06-30; the last day of the orders if empty")
	flag.StringVar(&c.unit, "unit", "week", "unit of the models' time: day or week")
	flag.StringVar(&c.zone, "zone", "UTC", "time zone whose calendar days count, as Europe/Istanbul")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.StringVar(&c.out, "out", filepath.Join(os.TempDir(), "custval-warehouse"), "directory of the Parquet files")
	flag.Parse()
	story.Main("warehouse", func(ctx context.Context, out io.Writer) error { return run(ctx, c, out) })
}

// A source is where the orders come from: a table, or a Parquet file, which nobody but the library can summarize.
type source struct {
	title       string
	table       *table // nil for a Parquet file
	orders      func(context.Context) iter.Seq2[ledger.Transaction, error]
	rows        int
	first, last time.Time // calendar days, at midnight in UTC
	sample      bool
	close       func() error
}

// run is the whole program.
func run(ctx context.Context, c config, out io.Writer) (err error) {
	unit, ok := map[string]time.Duration{"day": clv.Day, "week": clv.Week}[c.unit]
	if !ok {
		return fmt.Errorf("-unit %s: want day or week", c.unit)
	}
	zone, err := time.LoadLocation(c.zone)
	if err != nil || zone == time.Local {
		return fmt.Errorf("-zone %s: want a name as Europe/Istanbul", c.zone)
	}
	if _, err := money.Parse("0", money.Currency(c.currency)); err != nil {
		return fmt.Errorf("-currency %s: %w", c.currency, err)
	}
	p := story.New(out)

	p.Title("The orders")
	s, err := open(ctx, c, zone)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	p.Say("%s: %d orders from %s to %s.", s.title, s.rows, s.first.Format(time.DateOnly), s.last.Format(time.DateOnly))
	end, err := endOf(c, s, zone)
	if err != nil {
		return err
	}

	p.Title("Streamed through the library, until %s", end.Format(time.DateOnly))
	streamed, err := clv.Summarize(ctx, s.orders(ctx), end, unit, &clv.SummaryOptions{Location: zone})
	if err != nil {
		return err
	}
	p.Say("Each order was read, added to its customer and forgotten; what stays in memory are %d customers and their days of\n"+
		"purchase. What became of the rows:\n\n%s", len(streamed.Rows), streamed.Report)

	hs := streamed
	if s.table != nil {
		p.Title("Summarized by the database")
		if hs, err = s.table.summarize(ctx, end, unit); err != nil {
			return err
		}
		if err := same(streamed, hs); err != nil {
			return err
		}
		p.Say("The same rules as SQL, of the calendar day and the exact amount of each order:\n\n%s\n", summarySQL)
		p.Say("%d rows came back instead of %d, and they are equal to the last digit: purchases, times, the logs of the gaps, what\n"+
			"each customer spent, and the account of the rows. Amounts were added up as integers or decimals, never as floating-point\n"+
			"numbers, and times came back as whole days.", len(hs.Rows)+hs.Report.RefundOnly+1, s.rows)
	}

	p.Title("What the customers are worth")
	scores, err := value(ctx, p, c, hs)
	if err != nil {
		return err
	}

	if s.table != nil {
		p.Title("Back into the database")
		if err := store(ctx, p, c, s, end, scores); err != nil {
			return err
		}
	}

	p.Title("Parquet")
	if err := files(ctx, p, c, s, hs, scores); err != nil {
		return err
	}
	return p.Err()
}

// open finds the orders.
func open(ctx context.Context, c config, zone *time.Location) (s *source, err error) {
	switch {
	case c.db != "" && c.dsn != "" || c.parquet != "" && c.db+c.dsn != "":
		return nil, errors.New("-db, -dsn and -parquet exclude one another")
	case c.parquet != "" && (c.load || c.scores != ""):
		return nil, errors.New("-load and -scores need a database: give -db or -dsn")
	case c.parquet != "":
		return fromParquet(ctx, c, zone)
	}
	s = &source{title: "SQLite, " + filepath.Base(c.db), close: func() error { return nil }}
	var db *sql.DB
	var d dialect = sqlite{}
	switch {
	case c.dsn != "":
		s.title, d = "PostgreSQL", postgres{}
		db, err = openPostgres(ctx, c.dsn)
	case c.db != "":
		db, err = openSQLite(c.db, c.load || c.scores != "")
	default:
		s.title, s.sample, c.load = "The simulated shop in SQLite", true, true
		var dir string
		if dir, err = os.MkdirTemp("", "custval-warehouse-"); err != nil {
			return nil, err
		}
		s.close = func() error { return os.RemoveAll(dir) }
		db, err = openSQLite(filepath.Join(dir, "shop.sqlite"), true)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	remove := s.close
	s.close = func() error { return errors.Join(db.Close(), remove()) }
	if err := s.read(ctx, c, db, d, zone); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// read looks at the table, after making it if it has to be.
func (s *source) read(ctx context.Context, c config, db *sql.DB, d dialect, zone *time.Location) error {
	if c.load {
		if err := load(ctx, db, d, c.table, ledger.ReadCSV(ctx, sample.Shop(), &ledger.CSVOptions{Currency: "USD"})); err != nil {
			return err
		}
		_, c.minor = d.(sqlite)
	}
	var err error
	s.table, err = openTable(ctx, &table{db: db, dialect: d, title: c.table, currency: money.Currency(c.currency), minor: c.minor, zone: zone})
	if err != nil {
		return err
	}
	census, err := s.table.census(ctx, db, 0)
	if err != nil {
		return err
	}
	if census.rows == 0 {
		return fmt.Errorf("%s: no orders", c.table)
	}
	s.orders, s.rows, s.first, s.last = s.table.stream, census.rows, census.first, census.last
	return nil
}

// fromParquet opens a file and reads it once for its first and last day.
func fromParquet(ctx context.Context, c config, zone *time.Location) (*source, error) {
	f, err := openParquet(c.parquet, money.Currency(c.currency), c.minor, zone)
	if err != nil {
		return nil, err
	}
	s := &source{title: filepath.Base(c.parquet), orders: f.orders, close: f.Close}
	for t, err := range f.orders(ctx) {
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		day := dayTime(dayOf(t.At))
		if s.rows++; s.rows == 1 {
			s.first, s.last = day, day
		}
		if day.Before(s.first) {
			s.first = day
		}
		if day.After(s.last) {
			s.last = day
		}
	}
	if s.rows == 0 {
		return nil, errors.Join(fmt.Errorf("%s: no orders", c.parquet), f.Close())
	}
	return s, nil
}

// endOf is the start of the last day that counts.
func endOf(c config, s *source, zone *time.Location) (time.Time, error) {
	day := s.last
	switch {
	case c.end != "":
		var err error
		if day, err = time.Parse(time.DateOnly, c.end); err != nil {
			return day, fmt.Errorf("-end %s: want a date as 2025-06-30", c.end)
		}
	case s.sample:
		day = sample.ShopEnd
	}
	return startOfDay(day, zone), nil
}

// same returns an error if two summaries differ in anything.
func same(a, b *clv.Histories) error {
	one, err := json.Marshal(a)
	if err != nil {
		return err
	}
	other, err := json.Marshal(b)
	if err != nil || string(one) == string(other) {
		return err
	}
	for i := range min(len(a.Rows), len(b.Rows)) {
		x, y := a.Rows[i], b.Rows[i]
		if x.Customer != y.Customer || x.X != y.X || x.TX != y.TX || x.T != y.T || x.LogGaps != y.LogGaps || !x.Spend.Equal(y.Spend) {
			return fmt.Errorf("two summaries of the same orders differ, first in customer %q and %q: %+v and %+v", x.Customer, y.Customer, x, y)
		}
	}
	return fmt.Errorf("two summaries of the same orders differ: %d and %d customers, %+v and %+v", len(a.Rows), len(b.Rows), a.Report, b.Report)
}
