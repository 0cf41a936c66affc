package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite": SQLite in Go, without cgo

	"github.com/custval/custval/money"
)

// sqlite is SQLite 3.44 or later. It has neither exact decimals nor time zones: amounts are whole numbers of the minor unit
// (minor) or decimals as text, which the query cuts into two integers; times are dates, times as text, without a zone
// those of UTC, or Unix seconds, and the offsets of a zone come from Go.
type sqlite struct{}

// openSQLite opens a file, which must exist unless it is to be made.
func openSQLite(path string, write bool) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil && !write {
		return nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	mode := "ro"
	if write {
		mode = "rwc"
	}
	u := url.URL{Scheme: "file", Path: absolute, RawQuery: "mode=" + mode + "&_pragma=busy_timeout(5000)"}
	return sql.Open("sqlite", u.String())
}

func (sqlite) String() string { return "SQLite" }

func (sqlite) parameter(int) string { return "?" }

func (sqlite) columnType(kind string) string {
	return map[string]string{"text": "TEXT", "day": "TEXT", "amount": "INTEGER", "number": "REAL"}[kind]
}

func (sqlite) amount(a money.Amount) (any, error) {
	units, ok := a.Minor()
	if !ok {
		return nil, fmt.Errorf("%v is not a whole number of minor units of 64 bits", a)
	}
	return units, nil
}

func (sqlite) layouts() []string {
	return []string{time.RFC3339, time.DateOnly, "2006-01-02 15:04:05Z07:00", "Unix"}
}

func (sqlite) stream(t *table) string {
	return fmt.Sprintf(`SELECT id, trim(CAST(customer AS TEXT)) AS customer, CASE
	WHEN typeof(at) = 'text' AND length(at) > 10 AND at NOT GLOB '*Z' AND at NOT GLOB '*[+-][0-9][0-9]:[0-9][0-9]' THEN at || 'Z'
	ELSE at END AS at, CASE typeof(amount) WHEN 'real' THEN 'REAL ' ELSE '' END || amount AS amount, %s AS currency
FROM %s`, t.code(), t.name)
}

// said cuts text into what the next steps read.
const sqliteSaid = `
SELECT id, trim(CAST(customer AS TEXT)) AS customer, CAST(at AS TEXT) AS said_at, CAST(amount AS TEXT) AS said_amount,
	typeof(at) AS kind, substr(at, 1, 10) AS date, substr(at, 11, 1) AS mark, substr(at, 12, 8) AS time,
	CASE WHEN substr(at, 20, 2) GLOB '.[0-9]' THEN ltrim(substr(at, 21), '0123456789') ELSE substr(at, 20) END AS zone,
	AMOUNT, CODE AS code
FROM TABLE`

const (
	sqliteMinor = `CASE typeof(amount) WHEN 'integer' THEN amount END AS units, 0 AS billionths`
	sqliteText  = `typeof(amount) IN ('integer', 'text') AS exact, CASE WHEN amount GLOB '-*' THEN -1 ELSE 1 END AS sign,
	CASE WHEN amount GLOB '[+-]*' THEN substr(amount, 2) ELSE CAST(amount AS TEXT) END AS digits`
)

// The steps of a decimal as text: cut at the point, and into integers if both parts are digits and not too many.
const sqliteDecimal = `
SELECT *, CASE WHEN exact AND whole <> '' AND decimals <> '' AND whole || decimals NOT GLOB '*[^0-9]*'
	AND length(ltrim(whole, '0')) <= 18 AND length(rtrim(decimals, '0')) <= 9 THEN sign * CAST(whole AS INTEGER) END AS units,
	sign * CAST(substr(decimals || '000000000', 1, 9) AS INTEGER) AS billionths
FROM (SELECT *, CASE instr(digits, '.') WHEN 0 THEN digits ELSE substr(digits, 1, instr(digits, '.') - 1) END AS whole,
	CASE instr(digits, '.') WHEN 0 THEN '0' ELSE substr(digits, instr(digits, '.') + 1) END AS decimals
	FROM (SAID))`

// sqliteUnix is the Unix time of a row; of a date without a clock, of its midnight in UTC. Fractions of a second are left
// out: the functions of SQLite would round them up, to the next day at worst.
const sqliteUnix = `
SELECT *, CASE
	WHEN kind = 'integer' THEN CAST(said_at AS INTEGER)
	WHEN kind <> 'text' OR date(date) IS NOT date THEN NULL
	WHEN length(said_at) = 10 THEN unixepoch(date)
	WHEN mark NOT IN ('T', ' ') OR time(time) IS NOT time OR time >= '24' THEN NULL
	WHEN zone IN ('', 'Z') THEN unixepoch(date || ' ' || time)
	WHEN zone GLOB '[+-][0-9][0-9]:[0-9][0-9]' THEN unixepoch(date || ' ' || time || zone) END AS unix
FROM (READ) LIMIT -1`

// sqliteDay divides days since the year -768, so that integer division rounds down before 1970 too.
const sqliteDay = `
SELECT id, customer, said_at, said_amount, units, billionths, code, CASE
	WHEN unix >= -62135596800 AND unix < 253402300800 THEN
		(unix + CASE WHEN kind = 'text' AND length(said_at) = 10 THEN 0 ELSE EAST END + 86400 * 1000000) / 86400 - 1000000 END AS day
FROM (UNIX) LIMIT -1`

func (s sqlite) orders(t *table) string {
	return strings.NewReplacer("UNIX", s.unix(t), "EAST", t.east).Replace(sqliteDay)
}

func (sqlite) unix(t *table) string {
	amount, read := sqliteText, sqliteDecimal
	if t.minor {
		amount, read = sqliteMinor, "SAID"
	}
	said := strings.NewReplacer("AMOUNT", amount, "CODE", t.code(), "TABLE", t.name).Replace(sqliteSaid)
	return strings.Replace(sqliteUnix, "READ", strings.Replace(read, "SAID", said, 1), 1)
}

// check finds the offsets of the zone for the times that there are.
func (s sqlite) check(ctx context.Context, t *table) error {
	t.east = "0"
	if t.zone == time.UTC {
		return nil
	}
	var first, last sql.NullInt64
	if err := t.db.QueryRowContext(ctx, "SELECT min(unix), max(unix) FROM ("+s.unix(t)+")").Scan(&first, &last); err != nil {
		return err
	}
	t.east = eastOf(t.zone, first.Int64, min(last.Int64, first.Int64+500*365*86400))
	return nil
}

// eastOf is a zone's offset from UTC as SQL: CASE WHEN unix < 1711846800 THEN 3600 ... ELSE 3600 END.
func eastOf(zone *time.Location, first, last int64) string {
	var b strings.Builder
	at := time.Unix(first, 0).In(zone)
	for {
		_, offset := at.Zone()
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Unix() > last {
			if b.Len() == 0 {
				return fmt.Sprint(offset)
			}
			return fmt.Sprintf("CASE%s ELSE %d END", b.String(), offset)
		}
		fmt.Fprintf(&b, " WHEN unix < %d THEN %d", end.Unix(), offset)
		at = end
	}
}

func (sqlite) want(t *table, field string) error {
	switch {
	case field == "at":
		return errors.New("not a time: want 2025-06-30, 2025-06-30 23:59:59 or RFC 3339 as text, or Unix seconds as an integer, in the years 1 to 9999")
	case t.minor:
		return errors.New("not a whole number of minor units as an integer")
	}
	return errors.New("not a decimal of at most 18 digits before the point and 9 after it as text, or an integer (a REAL is not exact)")
}
