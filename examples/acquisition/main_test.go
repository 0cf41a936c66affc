package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/examples/internal/story/storytest"
)

func TestStory(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), dir, &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"loaded", "campaigns", "payback", "curves"} {
		for _, format := range []string{".png", ".svg"} {
			if f, err := os.Stat(filepath.Join(dir, name+format)); err != nil || f.Size() < 2000 {
				t.Errorf("%s: %v with error %v", name+format, f, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), filepath.Join(file, "charts"), io.Discard); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a directory inside a file: error %v, want one line", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := run(ctx, t.TempDir(), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: error %v", err)
	}
}

// ownFiles are the simulated shop's files, as anybody's.
func ownFiles(out string) config {
	file := func(name string) string { return filepath.Join("..", "sample", name) }
	return config{orders: file("shop.csv"), costs: file("marketing_costs.csv"), touches: file("marketing_touches.csv"),
		trials: file("marketing_trials.csv"), test: file("marketing_test.csv"), end: "2025-12-31", currency: "USD", out: out}
}

func TestOwnFiles(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := runOwn(context.Background(), ownFiles(dir), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"(total)  USD 61602.62  1200  USD 51.34", "2025-03", "2.7 months (month 3)", "2700 journeys", "at most 42.9 customers", "uplift of"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "payback.svg")); err != nil {
		t.Error(err)
	}
}

// TestBadInput holds each error against one clear line, and no chart may be left behind.
func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		file   string
		change func(c *config, path string)
		want   string
	}{
		"no costs":     {"", func(c *config, _ string) { c.costs = "" }, "-orders and -costs go together"},
		"no orders":    {"", func(c *config, _ string) { c.orders, c.costs, c.trials, c.test = "", "", "", "" }, "-touches needs both"},
		"no file":      {"", func(c *config, path string) { c.costs = path }, "no such file"},
		"bad order":    {"customer,at,amount,cost\na,2025-01-01,1,1\nb,May,1,1\n", func(c *config, path string) { c.orders = path }, `bad.csv: ledger: row 2: field "at": value "May"`},
		"bad cost":     {"amount,date,category\nten,2025-01-01,paid_media\n", func(c *config, path string) { c.costs = path }, `bad.csv: cac: row 1: field "amount": value "ten"`},
		"bad touch":    {"customer,at,channel\na,2025-01-01,\n", func(c *config, path string) { c.touches = path }, `row 1: field "channel": value "": missing`},
		"bad trial":    {"channel,spend,customers\nsearch,5,1\nsearch,x,2\n", func(c *config, path string) { c.trials = path }, `bad.csv: trials: row 2: field "spend": value "x"`},
		"bad test":     {"subscriber,arm,orders,margin\na,gift,1.5,2\n", func(c *config, path string) { c.test = path }, `bad.csv: test: row 1: field "orders": value "1.5"`},
		"no control":   {"subscriber,arm,orders,margin\na,gift,1,2\n", func(c *config, path string) { c.test = path }, `field "arm": want control and at least one other, not [gift]`},
		"no margin":    {"customer,at,amount\na,2024-05-01,1\n", func(c *config, path string) { c.orders, c.touches = path, "" }, "cost"},
		"bad margin":   {"", func(c *config, _ string) { c.margin = "30%" }, "-margin 30%: want a share as 0.30"},
		"bad end":      {"", func(c *config, _ string) { c.end = "June" }, "-end June: want a date as 2025-06-30"},
		"early end":    {"", func(c *config, _ string) { c.end = "2020-01-01" }, "no paid order on or before 2020-01-01"},
		"bad currency": {"", func(c *config, _ string) { c.currency = "EURO" }, "EURO"},
	} {
		dir := t.TempDir()
		in := ownFiles(filepath.Join(dir, "out"))
		path := filepath.Join(dir, "bad.csv")
		if c.file != "" {
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		c.change(&in, path)
		err := runOwn(context.Background(), in, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
		if _, err := os.Stat(in.out); err == nil {
			t.Errorf("%s: charts were written", name)
		}
	}
}
