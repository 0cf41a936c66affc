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
	for _, name := range []string{"waterfall", "retention", "cohorts"} {
		for _, format := range []string{".png", ".svg"} {
			if f, err := os.Stat(filepath.Join(dir, name+format)); err != nil || f.Size() < 2000 {
				t.Errorf("%s: %v with error %v", name+format, f, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	const header = "customer,price,interval,start\n"
	tests := []struct{ name, text, end, want string }{
		{"no end", header, "", "-csv needs -end, the last day that the file covers"},
		{"bad end", header, "tomorrow", "-end tomorrow: want a date as 2025-12-31"},
		{"empty", "", "2025-12-31", "FILE: subscription: no header: the file is empty"},
		{"no rows", header, "2025-12-31", "no recurring revenue on 2025-12-31"},
		{"price", header + "a,10,month,2025-01-01\nb,ten,month,2025-01-01\n", "2025-12-31", "row 2"},
		{"interval", header + "a,10,bimonthly,2025-01-01\n", "2025-12-31", "bimonthly"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			file := filepath.Join(dir, "in.csv")
			if err := os.WriteFile(file, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			out := filepath.Join(dir, "out")
			err := run(context.Background(), config{csv: file, end: test.end, currency: "USD", out: out}, &bytes.Buffer{})
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), file, "FILE"), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %q", err, test.want)
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Error("charts were written all the same")
			}
		})
	}
}

// TestSmall runs a file that has less than the sample: no contract, no cohort but one, months without an opening.
func TestSmall(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(file, []byte("customer,price,interval,start\na,10,month,2025-10-01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), config{csv: file, end: "2025-12-31", currency: "EUR", out: filepath.Join(dir, "out")}, &bytes.Buffer{}); err != nil {
		t.Error(err)
	}
}
