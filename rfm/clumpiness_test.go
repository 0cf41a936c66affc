package rfm

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func TestClumpinessGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/clumpiness.json").Rows {
		var days []int
		for i := range int(row.Args["events"]) {
			days = append(days, int(row.Args[fmt.Sprint("day", i)]))
		}
		got, err := Clumpiness(days, int(row.Args["n"]))
		if err != nil {
			t.Fatal(err)
		}
		row.Check(t, "h", got)
	}
}

func TestCriticalClumpinessGolden(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/critical.json").Rows {
		events, n, alpha := int(row.Args["events"]), int(row.Args["n"]), float64(row.Args["alpha"])
		got, err := CriticalClumpiness(context.Background(), events, n, alpha, nil)
		if err != nil || !got.Exact {
			t.Fatalf("%s: %+v, %v", row.Name, got, err)
		}
		row.Check(t, "h", got.Value)
		drawn, err := CriticalClumpiness(context.Background(), events, n, alpha, &CriticalOptions{Exact: -1, Draws: 20000, Seed: 3})
		if err != nil || drawn.Exact {
			t.Fatalf("%s: %+v, %v", row.Name, drawn, err)
		}
		if !golden.Close(drawn.Value, float64(row.Want["h"]), 0.05) { // three standard errors of 20,000 draws
			t.Errorf("%s: simulated %v, exact %v", row.Name, drawn.Value, row.Want["h"])
		}
		again, _ := CriticalClumpiness(context.Background(), events, n, alpha, &CriticalOptions{Exact: -1, Draws: 20000, Seed: 3})
		if again != drawn {
			t.Errorf("%s: the same seed gave %v and %v", row.Name, drawn, again)
		}
	}
}

func TestClumpinessErrors(t *testing.T) {
	for _, tt := range []struct {
		days []int
		n    int
		want string
	}{
		{nil, 30, "rfm: clumpiness of no events: undefined"},
		{[]int{0}, 30, "rfm: clumpiness: day 0, number 1: want days that rise within 1 to 30"},
		{[]int{3, 3}, 30, "rfm: clumpiness: day 3, number 2: want days that rise within 1 to 30"},
		{[]int{31}, 30, "rfm: clumpiness: day 31, number 1: want days that rise within 1 to 30"},
	} {
		if _, err := Clumpiness(tt.days, tt.n); err == nil || err.Error() != tt.want {
			t.Errorf("%v: got %v, want %s", tt.days, err, tt.want)
		}
	}
	if _, err := Clumpiness(nil, 3); !errors.Is(err, ledger.ErrUndefined) {
		t.Error("no events: not ErrUndefined")
	}
	for _, tt := range []struct {
		events, n int
		alpha     float64
		want      string
	}{
		{6, 30, 0, "rfm: critical clumpiness at level 0: want above 0 and below 1"},
		{0, 30, 0.05, "rfm: critical clumpiness of 0 events on 30 days: want 1 to 30 events"},
		{31, 30, 0.05, "rfm: critical clumpiness of 31 events on 30 days: want 1 to 30 events"},
		{1, 1000000, 0.05, "rfm: critical clumpiness on 1000000 days: want at most 100000"},
	} {
		if _, err := CriticalClumpiness(context.Background(), tt.events, tt.n, tt.alpha, nil); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestSummaryClumpiness(t *testing.T) {
	log := []ledger.Transaction{
		// As A above, counted from the day after the first purchase on 1 March: days 1, 6, 11, 16, 21, 26 of 30.
		sale("a", "2025-03-01", "1", ""), sale("a", "2025-03-02", "1", ""), sale("a", "2025-03-07", "1", ""), sale("a", "2025-03-12", "1", ""),
		sale("a", "2025-03-17", "1", ""), sale("a", "2025-03-22", "1", ""), sale("a", "2025-03-27", "1", ""), sale("a", "2025-03-27", "1", ""),
		sale("b", "2025-03-05", "1", ""),
		// As C: days 13 to 18.
		sale("c", "2025-03-01", "1", ""), sale("c", "2025-03-14", "1", ""), sale("c", "2025-03-15", "1", ""), sale("c", "2025-03-16", "1", ""),
		sale("c", "2025-03-17", "1", ""), sale("c", "2025-03-18", "1", ""), sale("c", "2025-03-19", "1", ""),
	}
	s := summarize(t, log, "2025-03-31", &SummaryOptions{KeepDays: true})
	for i, want := range []float64{0.035686902102842, 0, 0.340802371109306} {
		h, events, n, ok := s.Clumpiness(i, nil)
		if ok != (want > 0) || ok && (!golden.Close(h, want, 1e-12) || events != 6 || n != 30) {
			t.Errorf("%s: clumpiness %v of %d events in %d days, %t", s.Rows[i].Customer, h, events, n, ok)
		}
	}
	share, err := s.Clumpy(context.Background(), 0.05, nil, nil)
	if err != nil || share.Customers != 2 || share.Clumpy != 1 || share.Share != 0.5 {
		t.Errorf("%+v, %v", share, err)
	}
	table, err := s.Segment(context.Background(), &Options{Columns: []Column{Clump(nil), Length()}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(table.Columns); got != "[{clumpiness [1 0 3]} {length [4 1 2]}]" {
		t.Errorf("columns %s", got)
	}
	if _, err := summarize(t, log, "2025-03-31", nil).Clumpy(context.Background(), 0.05, nil, nil); err == nil {
		t.Error("clumpiness without days")
	}
	h, events, n, ok := s.Clumpiness(1, &ClumpOptions{KeepFirst: true})
	if want, _ := Clumpiness([]int{5}, 31); !ok || h != want || events != 1 || n != 31 {
		t.Errorf("with the first purchase: %v of %d events in %d days", h, events, n)
	}
}
