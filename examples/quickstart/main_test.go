package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/examples/internal/story/storytest"
)

func TestSampleShop(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), config{unit: "week", currency: "USD", out: dir}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "shop", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"cumulative", "alive", "values"} {
		for ext, magic := range map[string]string{".png": "\x89PNG", ".svg": "<?xml"} {
			picture, err := os.ReadFile(filepath.Join(dir, name+ext))
			if err != nil {
				t.Fatal(err)
			}
			if len(picture) < 2000 || !strings.HasPrefix(string(picture), magic) {
				t.Errorf("%s%s is no picture: %d bytes", name, ext, len(picture))
			}
		}
	}
}

// TestCDNOW holds the numbers of the public data set against the published ones: 2,357 customers, 946 repeat buyers,
// the exact optimum of both models, and 1,882 purchases in the 39 weeks that follow.
func TestCDNOW(t *testing.T) {
	data := os.Getenv("CUSTVAL_DATA")
	if data == "" {
		t.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	var out bytes.Buffer
	c := config{csv: filepath.Join(data, "cdnow.csv"), end: "1997-09-30", unit: "week", currency: "USD", out: t.TempDir()}
	if err := run(context.Background(), c, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"2357 customers, 946 of them repeat buyers", "0.242595   0.0125574", "4.4136    0.378224", "0.792922    0.185734", "2.42591    0.705414",
		"6.24957     1.19006", "3.74422    0.290133", "15.4435     4.15942", "next 39 weeks", "What happened: 1882",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q", want)
		}
	}
}

// TestBadInput holds each error against one clear line, and no picture may be left behind.
func TestBadInput(t *testing.T) {
	for name, c := range map[string]struct {
		file, end, unit, want string
	}{
		"no file":     {want: "no such file"},
		"empty":       {file: "\n", want: "header"},
		"no rows":     {file: "customer,at,amount\n", want: "no rows after the header"},
		"no column":   {file: "customer,at\na,2025-01-01\n", want: `no column "amount"`},
		"bad amount":  {file: "customer,at,amount\na,2025-01-01,1\nb,2025-01-02,twelve\n", want: `row 2: field "amount": value "twelve"`},
		"bad date":    {file: "customer,at,amount\na,1.2.2025,1\n", want: `row 1: field "at": value "1.2.2025"`},
		"bad end":     {file: "customer,at,amount\na,2025-01-01,1\n", end: "June", want: "-end June: want a date as 2025-06-30"},
		"bad unit":    {file: "customer,at,amount\na,2025-01-01,1\n", unit: "month", want: "-unit month: want day or week"},
		"one order":   {file: "customer,at,amount\na,2025-01-01,1\n", want: "bgnbd"},
		"early end":   {file: "customer,at,amount\na,2025-01-01,1\n", end: "2024-01-01", want: "no purchase on or before 2024-01-01"},
		"no repeater": {file: "customer,at,amount\na,2025-01-01,1\nb,2025-02-01,1\n", want: "no customer has a repeat purchase"},
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
		err := run(context.Background(), in, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
		if _, err := os.Stat(in.out); err == nil {
			t.Errorf("%s: charts were written", name)
		}
	}
}
