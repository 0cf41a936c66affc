package main

import (
	"flag"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSuite measures one call of the quickest subjects.
func TestSuite(t *testing.T) {
	if err := flag.Set("test.benchtime", "1x"); err != nil {
		t.Fatal(err)
	}
	s := suite{match: regexp.MustCompile(`CDNOW|gamma-gamma|ProbAliveAll BG|100 k shuffled`), count: 1}
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := s.results.plain(&b); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", b.String())
	var subjects []string
	for _, r := range s.results {
		subjects = append(subjects, r.subject)
		if !(r.nanoseconds > 0) || r.rows == 0 {
			t.Errorf("%+v", r)
		}
	}
	want := []string{
		"fit BG/NBD: CDNOW's 2,357 customers", "fit BG/NBD: CDNOW's 2,357 customers, from its own result",
		"fit gamma-gamma: 40,000 repeat customers", "fit gamma-gamma: 40,000 repeat customers, from its own result",
		"ProbAliveAll BG/NBD", "Summarize: 100 k shuffled rows",
	}
	if diff := cmp.Diff(want, subjects); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	rs := results{
		{subject: "fit", rows: 1000, nanoseconds: 1_234_567, evaluations: 6, each: 12.34, ratio: 0.456, allocs: 7, peak: 1_250_000},
		{subject: "other", rows: 3, nanoseconds: 987, allocs: 0, peak: -1},
	}
	for _, c := range []struct {
		write func(*strings.Builder) error
		want  string
	}{
		{func(b *strings.Builder) error { return rs.plain(b) }, `subject    time  per second  evaluations  ns each  to floor  allocs  peak MB
fit      1.23ms       810 k            6     12.3      0.46       7      1.2
other     987ns      3.04 M                                       0
`},
		{func(b *strings.Builder) error { return rs.markdown(b) }, `| subject | time | per second | evaluations | ns each | to floor | allocs | peak MB |
|---|---:|---:|---:|---:|---:|---:|---:|
| fit | 1.23ms | 810 k | 6 | 12.3 | 0.46 | 7 | 1.2 |
| other | 987ns | 3.04 M |  |  |  | 0 |  |
`},
	} {
		var b strings.Builder
		if err := c.write(&b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, b.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[float64]string{12: "12ns", 1234: "1.23µs", 12_345_678: "12.35ms", 1_234_567_890: "1.23s", 123_456_789_000: "2m3.46s"} {
		if got := duration(ns); got != want {
			t.Errorf("%v ns is %s, want %s", ns, got, want)
		}
	}
}
