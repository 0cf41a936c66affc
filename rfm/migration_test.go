package rfm

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestTransitions(t *testing.T) {
	before := map[string]string{"1": "Champions", "2": "Champions", "3": "Loyal", "4": "Loyal", "5": "At Risk", "6": "At Risk", "7": "New", "8": "New"}
	after := map[string]string{"1": "Champions", "2": "Loyal", "3": "Loyal", "4": "At Risk", "5": "Champions", "6": "Lost", "7": "Loyal", "9": "New"}
	m, err := Transitions(before, after)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range m.Flows {
		got = append(got, fmt.Sprintf("%s > %s %d", f.From, f.To, f.Customers))
	}
	want := []string{"At Risk > Champions 1", "At Risk > Lost 1", "Champions > Champions 1", "Champions > Loyal 1", "Loyal > At Risk 1",
		"Loyal > Loyal 1", "New > Loyal 1", "New > (left) 1", "(entered) > New 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if m.Both != 7 || m.Stayed != 2 || m.Moved != 5 || m.Entered != 1 || m.Left != 1 || m.Stability != Number(2.0/7) {
		t.Errorf("%+v", m)
	}
	wantText := `from \ to  At Risk  Champions  Lost  Loyal  New  (left)
At Risk          0          1     1      0    0       0
Champions        0          1     0      1    0       0
Lost             0          0     0      0    0       0
Loyal            1          0     0      1    0       0
New              0          0     0      1    0       1
(entered)        0          0     0      0    1       0
2 of 7 customers in both periods stayed (28.6%); 1 entered, 1 left
`
	if diff := cmp.Diff(wantText, m.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if m.Count("New", Left) != 1 || m.Count(Entered, "New") != 1 || m.Count("Lost", "New") != 0 {
		t.Error("Count")
	}
	if _, err := Transitions(map[string]string{"a": Left}, nil); err == nil || err.Error() != `rfm: customer "a": segment "(left)": want a name of its own` {
		t.Errorf("a segment named like a state: %v", err)
	}
}

// Customers and money roll forward: what a segment opens with and closes with adds up to the two tables.
func TestMigrateAddsUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	log := slices.Concat(randomLog(r, 4000, 500)...)
	for _, o := range []*Options{nil, {SummaryOptions: SummaryOptions{Start: day("2025-01-01")}}, {Map: RPackage(), Nested: true}} {
		before, after, m, err := Migrate(context.Background(), ledger.Transactions(log), day("2025-06-30"), day("2025-12-31"), o)
		if err != nil {
			t.Fatal(err)
		}
		if o != nil && !o.Start.IsZero() && after.Start.String() != "2025-07-04" { // as long after 1 January as the ends are apart
			t.Errorf("second period from %s", after.Start)
		}
		if m.Both+m.Left != len(before.Rows) || m.Both+m.Entered != len(after.Rows) || m.Stayed+m.Moved != m.Both {
			t.Errorf("customers do not add up: %+v", m)
		}
		b, a := before.Segments(), after.Segments()
		var beforeSum, afterSum money.Sum
		for i, c := range m.Changes {
			if c.Opening+c.In-c.Out+c.Entered-c.Left != c.Closing || c.Opening != b.Rows[i].Customers || c.Closing != a.Rows[i].Customers {
				t.Errorf("roll-forward %+v of %+v to %+v", c, b.Rows[i], a.Rows[i])
			}
			if !c.Before.Equal(b.Rows[i].Revenue) || !c.After.Equal(a.Rows[i].Revenue) {
				t.Errorf("%s: money %s and %s, want %s and %s", c.Segment, c.Before, c.After, b.Rows[i].Revenue, a.Rows[i].Revenue)
			}
		}
		for _, f := range m.Flows {
			beforeSum.Add(f.Before)
			afterSum.Add(f.After)
		}
		x, _ := beforeSum.Total()
		y, _ := afterSum.Total()
		if !x.Equal(b.Total.Revenue) || !y.Equal(a.Total.Revenue) {
			t.Errorf("flows carry %s and %s, want %s and %s", x, y, b.Total.Revenue, a.Total.Revenue)
		}
		var csv bytes.Buffer
		if err := m.WriteCSV(&csv); err != nil || strings.Count(csv.String(), "\n") != len(m.Flows)+1 {
			t.Errorf("CSV: %v\n%s", err, csv.String())
		}
	}
}

// A shop where nothing changes but the calendar keeps its customers where they are.
func TestMigrationOnFixedScales(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	log := slices.Concat(randomLog(r, 2000, 300)...)
	var later []ledger.Transaction
	for _, row := range log {
		row.At = row.At.AddDate(1, 0, 0)
		later = append(later, row)
	}
	ctx, o := context.Background(), &Options{SummaryOptions: SummaryOptions{Start: day("2025-01-01")}}
	before, err := Analyze(ctx, ledger.Transactions(log), day("2025-12-31"), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Start, o.Scales = day("2026-01-01"), &before.Scales
	after, err := Analyze(ctx, ledger.Transactions(later), day("2026-12-31"), o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Compare(before, after)
	if err != nil || m.Stability != 1 || m.Moved+m.Entered+m.Left != 0 {
		t.Errorf("%v, %v", m, err)
	}
	fresh, err := Analyze(ctx, ledger.Transactions(later), day("2026-12-31"), &Options{Bins: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compare(before, fresh); err == nil || err.Error() != "rfm: the periods are scored on different scales: score the second with Options.Scales of the first" {
		t.Errorf("other scales: %v", err)
	}
	if _, err := Compare(after, before); err == nil || err.Error() != "rfm: the second period ends on 2025-12-31, not after the first on 2026-12-31" {
		t.Errorf("periods swapped: %v", err)
	}
}
