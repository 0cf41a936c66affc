package main

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// parse reads flags as a shell would hand them over.
func parse(t *testing.T, args ...string) *config {
	t.Helper()
	f := flag.NewFlagSet("customervalue", flag.ContinueOnError)
	c := newConfig(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestReadme runs the first command of README.md and wants what README.md shows.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "    go run ./cmd/customervalue ")
	command, rest, _ := strings.Cut(strings.ReplaceAll(rest, "\\\n", " "), "\n")
	_, rest, _ = strings.Cut(rest, "```text\n")
	want, _, _ := strings.Cut(rest, "```")
	args := strings.Fields(strings.ReplaceAll(command, "../examples", "../../../examples"))
	out := t.TempDir()
	var got bytes.Buffer
	if err := run(context.Background(), parse(t, append(args, "-out", out)...), &got); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(got.String(), out, "result")
	text = regexp.MustCompile(` iterations and \d+ evaluations`).ReplaceAllString(text, " iterations")
	want = regexp.MustCompile(` iterations and \d+ evaluations`).ReplaceAllString(want, " iterations")
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("README.md shows another output (-README.md +program):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(out, "result.json")); err != nil {
		t.Error(err)
	}
}

func TestFlags(t *testing.T) {
	c := parse(t, "-columns", "customer=Kunde,amount=Betrag", "-layouts", "02.01.2006|2006-01-02", "-comma", ";",
		"-end", "2025-06-30", "-location", "Europe/Istanbul", "-margin", "0.3")
	j, err := c.job()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"customer": "Kunde", "amount": "Betrag"}, j.Format.Columns); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"02.01.2006", "2006-01-02"}, j.Format.Layouts); diff != "" {
		t.Errorf("layouts (-want +got):\n%s", diff)
	}
	if got := j.End.String(); got != "2025-06-30 00:00:00 +0300 +03" {
		t.Errorf("end %s", got)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-end", "30.06.2025"}, `-end "30.06.2025": want a day, such as 2025-06-30`},
		{nil, `-end "": want a day, such as 2025-06-30`},
		{[]string{"-end", "2025-06-30", "-location", "Mars"}, `-location "Mars": unknown time zone Mars`},
		{[]string{"-end", "2025-06-30", "-columns", "amount"}, `-columns "amount": want FIELD=COLUMN`},
		{[]string{"-end", "2025-06-30"}, "pipeline: no directory for the results"},
		{[]string{"-end", "2025-06-30", "-out", t.TempDir()}, "pipeline: no order files"},
		{[]string{"-simulate", "10", "-out", t.TempDir()}, "clv: margin 0: want a share above 0 and up to 1, 0.30 for 30 %"},
	} {
		if err := run(context.Background(), parse(t, tt.args...), os.Stdout); err == nil || err.Error() != tt.want {
			t.Errorf("%v: error %v, want %s", tt.args, err, tt.want)
		}
	}
}
