package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// summarySQL is clv.Summarize in SQL. It follows the dialect's query of the orders, WITH custval_orders AS (...), and gives
// one row a customer. The purchases of a day are one purchase. A refund, a negative amount, is none; it reduces the spend of
// its day, and if it is older than the first purchase, that of the others; a customer with refunds only has x = -1.
// LAST_DAY is the end of observation.
//
// Times are whole days, so nothing is rounded before they are divided by the unit; days, which lists the later purchases,
// is for the logs of the gaps between them. Leave it out if no CNBD-k model is to read them.
const summarySQL = `daily AS (
	SELECT customer, day, sum(units) AS units, sum(billionths) AS billionths,
		count(*) FILTER (WHERE units >= 0 AND billionths >= 0) > 0 AS bought
	FROM custval_orders WHERE day <= LAST_DAY GROUP BY customer, day
), dated AS (
	SELECT *, min(day) FILTER (WHERE bought) OVER (PARTITION BY customer) AS first FROM daily
)
SELECT customer,
	count(*) FILTER (WHERE bought) - 1 AS x,
	max(day) FILTER (WHERE bought) - first AS tx,
	LAST_DAY - first AS t,
	string_agg(CAST(day - first AS TEXT), ' ' ORDER BY day) FILTER (WHERE bought AND day > first) AS days,
	CAST(sum(units) FILTER (WHERE day <> first) AS TEXT) AS units,
	CAST(sum(billionths) FILTER (WHERE day <> first) AS TEXT) AS billionths
FROM dated GROUP BY customer, first ORDER BY customer`

// countsSQL accounts for the rows.
const countsSQL = `SELECT count(*), count(*) FILTER (WHERE BAD), min(day), max(day), min(code), max(code),
	count(*) FILTER (WHERE day > LAST_DAY),
	count(*) FILTER (WHERE day <= LAST_DAY AND (units < 0 OR billionths < 0)),
	count(*) FILTER (WHERE day <= LAST_DAY AND units = 0 AND billionths = 0)
FROM custval_orders`

const badSQL = `coalesce(customer, '') = '' OR day IS NULL OR units IS NULL`

// worstSQL finds the first row that is bad, or whose currency is not that of the first row.
const worstSQL = `SELECT CAST(id AS TEXT),
	CASE WHEN coalesce(customer, '') = '' THEN 'customer' WHEN day IS NULL THEN 'at' WHEN units IS NULL THEN 'amount' ELSE 'currency' END,
	CASE WHEN coalesce(customer, '') = '' THEN '' WHEN day IS NULL THEN said_at WHEN units IS NULL THEN said_amount ELSE code END,
	(SELECT code FROM custval_orders ORDER BY id LIMIT 1)
FROM custval_orders WHERE BAD OR code <> (SELECT code FROM custval_orders ORDER BY id LIMIT 1) ORDER BY id LIMIT 1`

func (t *table) query(text string, end int64) string {
	return "WITH custval_orders AS (" + t.dialect.orders(t) + ")" +
		strings.NewReplacer("BAD", badSQL, "LAST_DAY", strconv.FormatInt(end, 10)).Replace(text)
}

// A census is what becomes of the rows at an end of observation.
type census struct {
	rows                          int
	first, last                   time.Time // calendar days, at midnight in UTC
	currency                      money.Currency
	afterEnd, refunds, freeOrders int
}

// census counts the rows in the database and refuses those that are bad.
func (t *table) census(ctx context.Context, q querier, end int64) (census, error) {
	var c census
	var bad int
	var first, last sql.NullInt64
	var code, other sql.NullString
	err := q.QueryRowContext(ctx, t.query(" "+countsSQL, end)).Scan(&c.rows, &bad, &first, &last, &code, &other,
		&c.afterEnd, &c.refunds, &c.freeOrders)
	if err != nil {
		return c, fmt.Errorf("%s: %w", t.title, err)
	}
	if bad > 0 || code != other {
		return c, t.worst(ctx, q)
	}
	c.first, c.last, c.currency = dayTime(first.Int64), dayTime(last.Int64), money.Currency(code.String)
	return c, nil
}

// worst describes the first bad row.
func (t *table) worst(ctx context.Context, q querier) error {
	var id, field string
	var value, code sql.NullString
	if err := q.QueryRowContext(ctx, t.query(" "+worstSQL, 0)).Scan(&id, &field, &value, &code); err != nil {
		return fmt.Errorf("%s: %w", t.title, err)
	}
	bad := &ledger.RowError{Field: field, Value: value.String}
	switch {
	case field == "currency":
		bad.Err = fmt.Errorf("the rows before are in %s", code.String)
	case field == "customer", value.String == "":
		bad.Err = errors.New("missing")
	default:
		bad.Err = t.dialect.want(t, field)
	}
	return &orderError{table: t.title, id: id, row: bad}
}

// summarize is clv.Summarize in the database: one row a customer comes back, and the account of the rows. Both are of one
// state of the table, even if others write to it.
func (t *table) summarize(ctx context.Context, end time.Time, unit time.Duration) (hs *clv.Histories, err error) {
	tx, err := t.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.title, err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	day := dayOf(end.In(t.zone))
	c, err := t.census(ctx, tx, day)
	if err != nil {
		return nil, err
	}
	hs = &clv.Histories{Unit: unit, End: end.In(t.zone), Rows: []clv.History{},
		Report: clv.Report{Rows: c.rows, Refunds: c.refunds, AfterEnd: c.afterEnd, FreeOrders: c.freeOrders}}
	if c.rows == 0 {
		return hs, nil
	}
	rows, err := tx.QueryContext(ctx, t.query(", "+summarySQL, day))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.title, err)
	}
	defer func() { _ = rows.Close() }() // its error is that of rows.Err
	for rows.Next() {
		h, err := history(rows, c.currency, t.minor, unit)
		if err != nil {
			return nil, fmt.Errorf("%s: customer %q: %w", t.title, h.Customer, err)
		}
		if h.X < 0 {
			hs.Report.RefundOnly++
			continue
		}
		hs.Rows = append(hs.Rows, h)
		hs.Report.Purchases += h.X + 1
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.title, err)
	}
	r := &hs.Report
	r.Customers = len(hs.Rows)
	r.Merged = r.Rows - r.AfterEnd - r.Refunds - r.Purchases
	return hs, nil
}

var errSpaces = errors.New("white space around the name, which the database takes for a part of it: trim it in a view")

// history reads one row of the summary. X is -1 if the customer has refunds only.
func history(rows *sql.Rows, currency money.Currency, minor bool, unit time.Duration) (h clv.History, err error) {
	var tx, t sql.NullInt64
	var days, units, billionths sql.NullString
	if err := rows.Scan(&h.Customer, &h.X, &tx, &t, &days, &units, &billionths); err != nil {
		return h, err
	}
	if strings.TrimSpace(h.Customer) != h.Customer {
		return h, errSpaces
	}
	if !utf8.ValidString(h.Customer) {
		return h, errors.New("not valid UTF-8")
	}
	if h.X < 0 {
		return h, nil
	}
	h.TX, h.T = inUnits(tx.Int64, unit), inUnits(t.Int64, unit)
	before := int64(0)
	for _, text := range strings.Fields(days.String) {
		day, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return h, err
		}
		h.LogGaps += math.Log(inUnits(day-before, unit))
		before = day
	}
	if h.X == 0 {
		units, billionths = sql.NullString{}, sql.NullString{}
	}
	h.Spend, err = amountOf(units.String, billionths.String, currency, minor)
	return h, err
}

// inUnits divides whole days by the unit: the only step that can round.
func inUnits(days int64, unit time.Duration) float64 {
	return float64(days) * float64(clv.Day) / float64(unit)
}

// amountOf brings the two parts of an exact sum together.
func amountOf(units, billionths string, currency money.Currency, minor bool) (money.Amount, error) {
	if units == "" {
		units = "0"
	}
	if minor {
		n, err := strconv.ParseInt(units, 10, 64)
		if err != nil {
			return money.Amount{}, err
		}
		return money.FromMinor(n, currency)
	}
	whole, err := money.Parse(units, currency)
	if err != nil || billionths == "" || billionths == "0" {
		return whole, err
	}
	n, err := strconv.ParseInt(billionths, 10, 64)
	if err != nil {
		return money.Amount{}, err
	}
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	part, err := money.Parse(fmt.Sprintf("%s%d.%09d", sign, n/1e9, n%1e9), currency)
	if err != nil {
		return money.Amount{}, err
	}
	return whole.Add(part)
}

// dayOf is the calendar day of t, wherever t is, since 1970-01-01.
func dayOf(t time.Time) int64 {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

func dayTime(day int64) time.Time { return time.Unix(day*86400, 0).UTC() }
