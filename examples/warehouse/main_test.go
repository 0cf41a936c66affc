package main

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/internal/story/storytest"
	"github.com/custval/custval/money"
)

// byDefault is what the flags say if none is given.
func byDefault(out string) config {
	return config{table: "orders", unit: "week", zone: "UTC", currency: "USD", out: out}
}

func TestStory(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), byDefault(dir), &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"orders.parquet", "scores.parquet"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(text) < 10_000 || !bytes.HasPrefix(text, []byte("PAR1")) || !bytes.HasSuffix(text, []byte("PAR1")) {
			t.Errorf("%s is no Parquet file: %d bytes", name, len(text))
		}
	}
}

// TestOwnDatabases runs the program on databases that it did not make, and twice, so that the second run replaces the scores.
func TestOwnDatabases(t *testing.T) {
	check := func(t *testing.T, c config, name string) string {
		t.Helper()
		var text string
		for i := range 2 {
			var out bytes.Buffer
			if err := run(context.Background(), c, &out); err != nil {
				t.Fatal(err)
			}
			text = out.String()
			c.load = false
			for _, want := range []string{name + ": 6027 orders from 2024-01-01 to 2025-12-31.", "4614  purchases", "1201 rows came back instead of 6027",
				"1200 scores were written into the table " + c.scores, "Their sum, by the database, is USD 24279.39."} {
				if !strings.Contains(text, want) {
					t.Errorf("run %d: the output lacks %q:\n%s", i+1, want, text)
				}
			}
		}
		return text
	}
	t.Run("SQLite", func(t *testing.T) {
		dir := t.TempDir()
		c := byDefault(filepath.Join(dir, "out"))
		c.db, c.load, c.minor, c.scores, c.end = filepath.Join(dir, "shop.sqlite"), true, true, "my scores", "2025-06-30"
		check(t, c, "SQLite, shop.sqlite")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		_, dsn, prefix := server(t)
		c := byDefault(t.TempDir())
		c.dsn, c.table, c.load, c.scores, c.end = dsn, prefix+"orders", true, prefix+"Scores", "2025-06-30"
		check(t, c, "PostgreSQL")
	})
}

// TestOwnParquet reads the file that the story wrote.
func TestOwnParquet(t *testing.T) {
	dir := t.TempDir()
	if err := run(context.Background(), byDefault(dir), io.Discard); err != nil {
		t.Fatal(err)
	}
	c := byDefault(filepath.Join(dir, "out"))
	c.parquet, c.end = filepath.Join(dir, "orders.parquet"), "2025-06-30"
	var out bytes.Buffer
	if err := run(context.Background(), c, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"orders.parquet: 6027 orders from 2024-01-01 to 2025-12-31.", "4614  purchases", "c0001141     0.821       4.68  USD 686.56"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	same, err := os.ReadFile(filepath.Join(dir, "scores.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(c.out, "scores.parquet")); err != nil || !bytes.Equal(got, same) {
		t.Errorf("the scores of both runs differ: %d and %d bytes, error %v", len(got), len(same), err)
	}
}

// TestScoresAreWholeOrNot leaves the old scores in place if one of the new ones cannot be stored, and a table of another kind
// as it is.
func TestScoresAreWholeOrNot(t *testing.T) {
	ctx := context.Background()
	check := func(t *testing.T, db *sql.DB, d dialect, prefix string) {
		asOf := time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC)
		score := func(customer, value string) clv.Score {
			return clv.Score{Customer: customer, ProbAlive: 0.5, Purchases: 1.0 / 3, Value: money.MustParse(value, "USD")}
		}
		_, minor := d.(sqlite)
		title := prefix + "scores"
		total := func(want string) {
			t.Helper()
			n, sum, err := storedTotal(ctx, db, title, "USD", minor)
			if err != nil || n != 2 || sum.String() != want {
				t.Errorf("%d scores of %v, error %v, want 2 of %s", n, sum, err, want)
			}
		}
		if err := writeScores(ctx, db, d, title, asOf, clv.Scores{score("a", "1.10"), score("b", "2.20")}); err != nil {
			t.Fatal(err)
		}
		total("USD 3.30")
		if err := writeScores(ctx, db, d, title, asOf, clv.Scores{score("a", "5"), score("b", "5"), score("a", "5")}); err == nil {
			t.Error("two scores of one customer are no error")
		}
		total("USD 3.30")
		if err := writeScores(ctx, db, d, title, asOf, clv.Scores{score("a", "0.01"), score("c", "-7")}); err != nil {
			t.Error(err)
		}
		total("USD -6.99")
		if _, err := db.ExecContext(ctx, "CREATE TABLE "+prefix+"other (customer VARCHAR(9), value INTEGER); INSERT INTO "+prefix+"other VALUES ('a', 1)"); err != nil {
			t.Fatal(err)
		}
		err := writeScores(ctx, db, d, prefix+"other", asOf, clv.Scores{score("a", "1")})
		want := prefix + "other: the table has the columns customer, value and not customer, as_of, prob_alive, purchases, value, currency: it is not overwritten"
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
		var left int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM "+prefix+"other").Scan(&left); err != nil || left != 1 {
			t.Errorf("%d rows are left of the other table, error %v", left, err)
		}
	}
	t.Run("SQLite", func(t *testing.T) { check(t, temporary(t), sqlite{}, "") })
	t.Run("PostgreSQL", func(t *testing.T) {
		db, _, prefix := server(t)
		check(t, db, postgres{}, prefix)
	})
}
