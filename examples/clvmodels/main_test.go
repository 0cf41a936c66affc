package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/examples/internal/story/storytest"
)

func TestStory(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), config{unit: "week", currency: "USD", out: dir}, &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"frequencies.png", "frequencies.svg"} {
		if f, err := os.Stat(filepath.Join(dir, name)); err != nil || f.Size() < 2000 {
			t.Errorf("%s: %v with error %v", name, f, err)
		}
	}
}

// TestOwnFile reads the shop's log as anybody's file: the same fits, and nothing is said that holds for the simulated shop only.
func TestOwnFile(t *testing.T) {
	c := config{csv: filepath.Join("..", "sample", "shop.csv"), end: "2025-06-30", unit: "day", currency: "USD", out: t.TempDir()}
	var out bytes.Buffer
	if err := run(context.Background(), c, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1200 customers", "  R  0.696967", "2025-03-02, 2025-05-02 and 2025-07-02"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "simulated") {
		t.Errorf("the output tells of the simulated shop:\n%s", out.String())
	}
}

// TestShortLog has too little for a backtest, which is said.
func TestShortLog(t *testing.T) {
	dir := t.TempDir()
	shop, err := os.ReadFile(filepath.Join("..", "sample", "shop.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfterN(shop, []byte("\n"), 2001)
	c := config{csv: filepath.Join(dir, "log.csv"), unit: "week", currency: "USD", out: dir}
	if err := os.WriteFile(c.csv, bytes.Join(lines[:2000], nil), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(context.Background(), c, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "the log is too short") {
		t.Errorf("the output does not say that the log is too short:\n%s", out.String())
	}
}

// TestBadInput holds each error against one clear line, and no chart may be left behind.
func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		file, end, unit, want string
	}{
		"no file":    {want: "no such file"},
		"no rows":    {file: "customer,at,amount\n", want: "log.csv: no rows after the header"},
		"bad amount": {file: "customer,at,amount\na,2025-01-01,1\nb,2025-01-02,twelve\n", want: `log.csv: ledger: row 2: field "amount": value "twelve"`},
		"bad end":    {file: "customer,at,amount\na,2025-01-01,1\n", end: "June", want: "-end June: want a date as 2025-06-30"},
		"bad unit":   {file: "customer,at,amount\na,2025-01-01,1\n", unit: "month", want: "-unit month: want day or week"},
		"one order":  {file: "customer,at,amount\na,2025-01-01,1\n", want: "nbd"},
		"early end":  {file: "customer,at,amount\na,2025-01-01,1\n", end: "2024-01-01", want: "no purchase on or before 2024-01-01"},
	} {
		dir := t.TempDir()
		in := config{csv: filepath.Join(dir, "log.csv"), end: c.end, unit: "week", currency: "USD", out: filepath.Join(dir, "out")}
		if c.unit != "" {
			in.unit = c.unit
		}
		if c.file != "" {
			if err := os.WriteFile(in.csv, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := run(context.Background(), in, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
		if _, err := os.Stat(in.out); err == nil {
			t.Errorf("%s: charts were written", name)
		}
	}
}
