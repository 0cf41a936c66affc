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
	if err := run(context.Background(), config{currency: "USD", out: dir}, &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"segments.csv", "heatmap.png", "heatmap.svg", "lorenz.png", "lorenz.svg"} {
		if f, err := os.Stat(filepath.Join(dir, name)); err != nil || f.Size() < 2000 {
			t.Errorf("%s: %v with error %v", name, f, err)
		}
	}
}

// TestOwnFile reads the shop's log as anybody's file, and one of a few orders without categories.
func TestOwnFile(t *testing.T) {
	dir := t.TempDir()
	small := filepath.Join(dir, "small.csv")
	if err := os.WriteFile(small, []byte("customer,at,amount\na,2025-01-01,1\nb,2025-02-02,2\na,2025-03-01,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, c := range map[string]struct {
		end        string
		want, lack []string
	}{
		filepath.Join("..", "sample", "shop.csv"): {"2025-12-31", []string{"Until 2025-12-31", "of the customers of 2025-06-30", "within each category"}, []string{"June", "shoes and"}},
		small: {"", []string{"Until 2025-03-01", "Nobody had bought by then"}, []string{"category"}},
	} {
		var out bytes.Buffer
		if err := run(context.Background(), config{csv: file, end: c.end, currency: "EUR", out: filepath.Join(dir, "out")}, &out); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: the output lacks %q:\n%s", file, want, out.String())
			}
		}
		for _, lack := range c.lack {
			if strings.Contains(out.String(), lack) {
				t.Errorf("%s: the output has %q:\n%s", file, lack, out.String())
			}
		}
	}
}

// TestBadInput holds each error against one clear line, and no file may be left behind.
func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		file, end, want string
	}{
		"no file":    {want: "no such file"},
		"no rows":    {file: "customer,at,amount\n", want: "log.csv: no rows after the header"},
		"bad amount": {file: "customer,at,amount\na,2025-01-01,1\nb,2025-01-02,twelve\n", want: `log.csv: ledger: row 2: field "amount": value "twelve"`},
		"bad end":    {file: "customer,at,amount\na,2025-01-01,1\n", end: "June", want: "-end June: want a date as 2025-06-30"},
		"early end":  {file: "customer,at,amount\na,2025-01-01,1\n", end: "2024-01-01", want: "none of the 1 rows is in the period"},
	} {
		dir := t.TempDir()
		in := config{csv: filepath.Join(dir, "log.csv"), end: c.end, currency: "USD", out: filepath.Join(dir, "out")}
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
			t.Errorf("%s: files were written", name)
		}
	}
}
