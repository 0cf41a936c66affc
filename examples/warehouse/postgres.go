package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/custval/custval/money"
)

// postgres is PostgreSQL 14 or later. Amounts are numeric, or integers; times are a date, a timestamp with time zone, or one
// without, which is taken to be UTC.
type postgres struct{}

func openPostgres(ctx context.Context, dsn string) (*sql.DB, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close() // there is no connection
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errors.New(strings.Join(strings.Fields(err.Error()), " ")) // which has a line for each address
	}
	return db, nil
}

func (postgres) String() string { return "PostgreSQL" }

func (postgres) parameter(i int) string { return fmt.Sprintf("$%d", i) }

func (postgres) columnType(kind string) string {
	return map[string]string{"text": "text", "day": "date", "amount": "numeric", "number": "double precision"}[kind]
}

func (postgres) amount(a money.Amount) (any, error) { return a.Number(), nil }

func (postgres) layouts() []string { return nil }

func (postgres) check(_ context.Context, t *table) error {
	switch at := t.types["at"]; at {
	case "DATE", "TIMESTAMP", "TIMESTAMPTZ":
	default:
		return fmt.Errorf("column %q is of the type %s: want a date or a timestamp; a view can cast it", "at", at)
	}
	switch amount := t.types["amount"]; amount {
	case "INT2", "INT4", "INT8":
	case "NUMERIC":
		if t.minor {
			return fmt.Errorf("column %q is numeric: minor units want an integer type", "amount")
		}
	default:
		return fmt.Errorf("column %q is of the type %s: want numeric or an integer, which are exact; a view can cast it", "amount", amount)
	}
	return nil
}

func (postgres) stream(t *table) string {
	return fmt.Sprintf("SELECT CAST(id AS text) AS id, trim(CAST(customer AS text)) AS customer, at, CAST(amount AS text) AS amount, %s AS currency FROM %s",
		t.code(), t.name)
}

// NaN is greater than every number in PostgreSQL, so it is not between the two bounds.
const postgresOrders = `
SELECT id, trim(CAST(customer AS text)) COLLATE "C" AS customer, CAST(at AS text) AS said_at, CAST(amount AS text) AS said_amount,
	CASE WHEN at >= '0001-01-01' AND at < '10000-01-01' THEN DAY - DATE '1970-01-01' END AS day,
	CASE WHEN amount BETWEEN -999999999999999999.999999999 AND 999999999999999999.999999999
		AND scale(trim_scale(CAST(amount AS numeric))) <= 9 THEN amount END AS units,
	0 AS billionths, CODE COLLATE "C" AS code
FROM TABLE`

func (postgres) orders(t *table) string {
	zone := quoteText(t.zone.String())
	day := map[string]string{
		"DATE":        "at",
		"TIMESTAMP":   "CAST(at AT TIME ZONE 'UTC' AT TIME ZONE " + zone + " AS date)",
		"TIMESTAMPTZ": "CAST(at AT TIME ZONE " + zone + " AS date)",
	}[t.types["at"]]
	return strings.NewReplacer("DAY", day, "CODE", t.code(), "TABLE", t.name).Replace(postgresOrders)
}

func (postgres) want(_ *table, field string) error {
	if field == "at" {
		return errors.New("not a time of the years 1 to 9999")
	}
	return errors.New("not an amount of at most 18 digits before the point and 9 after it")
}
