package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A table is the orders of a database: a table or a view with the columns id, customer, at and amount, and perhaps
// currency. The id is whatever tells one row from another; errors name it.
type table struct {
	db       *sql.DB
	dialect  dialect
	title    string            // as its owner calls it
	name     string            // the same, quoted for SQL
	types    map[string]string // of the columns, as the database calls them
	currency money.Currency    // where no column says it
	minor    bool              // amounts are whole numbers of the minor unit
	zone     *time.Location    // whose calendar days count
	east     string            // SQLite: seconds east of UTC at a moment, as SQL
}

// A dialect is what differs between the databases.
type dialect interface {
	String() string
	// check says what is wrong with the types of the columns, and prepares what orders needs.
	check(ctx context.Context, t *table) error
	// stream is a query of the columns that ledger.TransactionsFromRows reads, and of the id.
	stream(t *table) string
	// layouts are how stream's column at is written where it is text.
	layouts() []string
	// orders is a query of what the summary is made from:
	//
	//	id, customer
	//	day                the calendar day since 1970-01-01 as an integer; NULL if at is no time
	//	units, billionths  the amount, exact, in two numbers of one sign; units is NULL if amount is no amount
	//	code               the currency
	//	said_at, said_amount  the text of both, for errors
	orders(t *table) string
	// want says what the field must be.
	want(t *table, field string) error
	// parameter is the i-th parameter of a statement, the first being 1.
	parameter(i int) string
	// types are the column types of the tables that this program makes, by the names text, day, amount and number.
	columnType(kind string) string
	// amount is an amount as a parameter for a column of the type amount.
	amount(a money.Amount) (any, error)
}

// openTable looks at the columns of the table.
func openTable(ctx context.Context, t *table) (*table, error) {
	if err := t.look(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", t.title, err)
	}
	return t, nil
}

func (t *table) look(ctx context.Context) error {
	t.name = quoteName(t.title)
	columns, err := columnsOf(ctx, t.db, t.name)
	if err != nil {
		return err
	}
	t.types = map[string]string{}
	var names []string
	for _, c := range columns {
		t.types[c.Name()] = c.DatabaseTypeName()
		names = append(names, c.Name())
	}
	for _, name := range []string{"id", "customer", "at", "amount"} {
		if _, ok := t.types[name]; !ok {
			return fmt.Errorf("no column %q among %s; a view can give the columns their names", name, strings.Join(names, ", "))
		}
	}
	return t.dialect.check(ctx, t)
}

// A querier is a database, or a transaction of one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

func columnsOf(ctx context.Context, q querier, name string) (types []*sql.ColumnType, err error) {
	rows, err := q.QueryContext(ctx, "SELECT * FROM "+name+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Err(), rows.Close()) }()
	return rows.ColumnTypes()
}

// hasCurrency reports whether the table has a column of currencies.
func (t *table) hasCurrency() bool {
	_, ok := t.types["currency"]
	return ok
}

// code is the currency of a row as SQL.
func (t *table) code() string {
	if !t.hasCurrency() {
		return quoteText(string(t.currency))
	}
	return "upper(coalesce(nullif(trim(CAST(currency AS TEXT)), ''), " + quoteText(string(t.currency)) + "))"
}

// quoteName quotes the name of a table or column; a point separates a schema from a name.
func quoteName(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = `"` + strings.ReplaceAll(p, `"`, `""`) + `"`
	}
	return strings.Join(parts, ".")
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// stream reads the orders one by one as they come out of the database; none is kept.
func (t *table) stream(ctx context.Context) iter.Seq2[ledger.Transaction, error] {
	return func(yield func(ledger.Transaction, error) bool) {
		rows, err := t.db.QueryContext(ctx, t.dialect.stream(t))
		if err != nil {
			yield(ledger.Transaction{}, fmt.Errorf("%s: %w", t.title, err))
			return
		}
		o := &ledger.CSVOptions{Currency: t.currency, Layouts: t.dialect.layouts(), Location: t.zone, Minor: t.minor}
		schema := ledger.Schema{Required: []string{"customer", "at", "amount", "currency"}, Optional: []string{"id"}, Prefix: t.title}
		var id string
		read := func(r *ledger.Record) (ledger.Transaction, error) {
			tx := ledger.Transaction{Customer: r.Text("customer"), At: r.Time("at"), Amount: r.Amount("amount")}
			if r.Err() != nil {
				id = r.Text("id")
			}
			return tx, nil
		}
		for tx, err := range ledger.FromRows(ctx, rows, o, schema, read) {
			var bad *ledger.RowError
			if errors.As(err, &bad) {
				err = &orderError{table: t.title, id: id, row: bad}
			}
			if !yield(tx, err) {
				return
			}
		}
	}
}

// An orderError says what is wrong with an order, which it names by its id.
type orderError struct {
	table, id string
	row       *ledger.RowError
}

// Error is one line: orders: id 17: field "amount": value "12.5O": not a number.
func (e *orderError) Error() string {
	return fmt.Sprintf("%s: id %s: field %q: value %q: %v", e.table, e.id, e.row.Field, e.row.Value, e.row.Err)
}

func (e *orderError) Unwrap() error { return e.row }
