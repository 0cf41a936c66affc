package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/examples/internal/story/storytest"
)

func TestStory(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), config{currency: "USD", contact: "60", out: dir}, &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"contacts.csv", "survival.png", "survival.svg", "projection.png", "projection.svg"} {
		if f, err := os.Stat(filepath.Join(dir, name)); err != nil || f.Size() < 500 {
			t.Errorf("%s: %v with error %v", name, f, err)
		}
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := filepath.Join(t.TempDir(), "out")
	if err := run(ctx, config{currency: "USD", contact: "60", out: dir}, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("files were written all the same")
	}
}

// TestOwnFile reads the business's table as anybody's file: the same curves, and nothing is said that holds for it only.
func TestOwnFile(t *testing.T) {
	dir := t.TempDir()
	c := config{csv: filepath.Join("..", "sample", "saas.csv"), end: "2026-01-01", covariates: "region,size", currency: "USD", contact: "45.50", out: dir}
	var out bytes.Buffer
	if err := run(context.Background(), c, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"349 accounts have paid at least once", "region=Europe", "size=small", "A call costs USD 45.50"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
	for _, lack := range []string{"simulated", "training", "Three years"} {
		if strings.Contains(out.String(), lack) {
			t.Errorf("the output has %q:\n%s", lack, out.String())
		}
	}
}

// TestBadInput holds each error against one clear line, and no file may be left behind.
func TestBadInput(t *testing.T) {
	header := "customer,plan,price,interval,start,end\n"
	good := header + "a,x,10,month,2025-01-01,\nb,x,10,month,2025-01-01,2025-06-01\n"
	for name, c := range map[string]struct {
		file, end, covariates, contact, want string
	}{
		"no file":      {want: "no such file"},
		"no end":       {file: good, end: "none", want: "-end is needed with -csv"},
		"no rows":      {file: header, want: "subscriptions.csv: no rows after the header"},
		"bad price":    {file: header + "a,x,10,month,2025-01-01,\nb,x,ten,month,2025-01-01,\n", want: `row 2: field "price": value "ten"`},
		"bad interval": {file: header + "a,x,10,moon,2025-01-01,\n", want: `row 1: field "interval": value "moon"`},
		"bad end":      {file: good, end: "June", want: "-end June: want a date as 2025-06-30"},
		"bad contact":  {file: good, contact: "a call", want: "-contact a call -currency USD"},
		"early end":    {file: good, end: "2024-01-01", want: "no account has paid before 2024-01-01"},
		"one plan":     {file: good, want: "all accounts have one plan"},
		"no covariate": {file: good, covariates: "region", want: `-covariates: no account has a value in the column "region"`},
	} {
		dir := t.TempDir()
		in := config{csv: filepath.Join(dir, "subscriptions.csv"), end: "2026-01-01", covariates: c.covariates, currency: "USD", contact: "60", out: filepath.Join(dir, "out")}
		switch c.end {
		case "":
		case "none":
			in.end = ""
		default:
			in.end = c.end
		}
		if c.contact != "" {
			in.contact = c.contact
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
			t.Errorf("%s: files were written", name)
		}
	}
}
