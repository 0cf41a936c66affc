package main

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// batchRows is how many rows one INSERT has: few enough for the parameters that a statement may have.
const batchRows = 500

// An inserter puts rows into a table, many with each statement.
type inserter struct {
	q       querier
	dialect dialect
	into    string // table and columns
	width   int
	args    []any
	rows    int // so far
}

func (in *inserter) add(ctx context.Context, row ...any) error {
	in.width = len(row)
	in.args = append(in.args, row...)
	in.rows++
	if len(in.args) == batchRows*in.width {
		return in.flush(ctx)
	}
	return nil
}

func (in *inserter) flush(ctx context.Context) error {
	if len(in.args) == 0 {
		return nil
	}
	var b strings.Builder
	for i := range in.args {
		switch {
		case i == 0:
			b.WriteString("INSERT INTO " + in.into + " VALUES (")
		case i%in.width == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString(in.dialect.parameter(i + 1))
	}
	b.WriteString(")")
	_, err := in.q.ExecContext(ctx, b.String(), in.args...)
	in.args = in.args[:0]
	return err
}

// inTransaction runs f in one transaction: all that it does is done, or nothing.
func inTransaction(ctx context.Context, db *sql.DB, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback() // the first error is the one to tell
		return err
	}
	return tx.Commit()
}

// load makes a table of orders, which must not exist, in one transaction and fills it from a log of calendar days.
func load(ctx context.Context, db *sql.DB, d dialect, title string, log iter.Seq2[ledger.Transaction, error]) error {
	err := inTransaction(ctx, db, func(tx *sql.Tx) error {
		name := quoteName(title)
		create := fmt.Sprintf("CREATE TABLE %s (id INTEGER PRIMARY KEY, customer %s NOT NULL, at %s NOT NULL, amount %s NOT NULL, currency %[2]s NOT NULL)",
			name, d.columnType("text"), d.columnType("day"), d.columnType("amount"))
		if _, err := tx.ExecContext(ctx, create); err != nil {
			return err
		}
		in := &inserter{q: tx, dialect: d, into: name + " (id, customer, at, amount, currency)"}
		for t, err := range log {
			if err != nil {
				return err
			}
			amount, err := d.amount(t.Amount)
			if err == nil {
				err = in.add(ctx, in.rows+1, t.Customer, t.At.Format(time.DateOnly), amount, string(t.Amount.Currency()))
			}
			if err != nil {
				return err
			}
		}
		return in.flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	return nil
}

// scoreColumns are those of the table of scores.
var scoreColumns = []string{"customer", "as_of", "prob_alive", "purchases", "value", "currency"}

// writeScores replaces the contents of the table of scores, which it makes if there is none, in one transaction. A table with
// other columns is somebody else's and stays as it is.
func writeScores(ctx context.Context, db *sql.DB, d dialect, title string, asOf time.Time, scores clv.Scores) error {
	err := inTransaction(ctx, db, func(tx *sql.Tx) error {
		name := quoteName(title)
		create := fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (customer %s PRIMARY KEY, as_of %s NOT NULL, prob_alive %s NOT NULL, purchases %[4]s NOT NULL, value %[5]s NOT NULL, currency %[2]s NOT NULL)",
			name, d.columnType("text"), d.columnType("day"), d.columnType("number"), d.columnType("amount"))
		if _, err := tx.ExecContext(ctx, create); err != nil {
			return err
		}
		if err := ownColumns(ctx, tx, name); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+name); err != nil {
			return err
		}
		in := &inserter{q: tx, dialect: d, into: name + " (" + strings.Join(scoreColumns, ", ") + ")"}
		for _, s := range scores {
			value, err := d.amount(s.Value)
			if err == nil {
				err = in.add(ctx, s.Customer, asOf.Format(time.DateOnly), s.ProbAlive, s.Purchases, value, string(s.Value.Currency()))
			}
			if err != nil {
				return fmt.Errorf("customer %q: %w", s.Customer, err)
			}
		}
		return in.flush(ctx)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	return nil
}

// ownColumns returns an error unless the columns are those of a table of scores.
func ownColumns(ctx context.Context, q querier, name string) error {
	columns, err := columnsOf(ctx, q, name)
	if err != nil {
		return err
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.Name())
	}
	if got, want := strings.Join(names, ", "), strings.Join(scoreColumns, ", "); got != want {
		return fmt.Errorf("the table has the columns %s and not %s: it is not overwritten", got, want)
	}
	return nil
}

// storedTotal is the number of scores in the table and the sum of their values.
func storedTotal(ctx context.Context, db *sql.DB, title string, currency money.Currency, minor bool) (int, money.Amount, error) {
	var n int
	var sum sql.NullString
	err := db.QueryRowContext(ctx, "SELECT count(*), CAST(sum(value) AS TEXT) FROM "+quoteName(title)).Scan(&n, &sum)
	if err != nil {
		return 0, money.Amount{}, fmt.Errorf("%s: %w", title, err)
	}
	total, err := amountOf(sum.String, "", currency, minor)
	return n, total, err
}
