package rfm

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func own(c *Coverage) map[string]int {
	m := make(map[string]int)
	for _, s := range c.Segments {
		m[s.Segment] = s.Own
	}
	return m
}

func cellNames(cells []Cell) string {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c.String())
	}
	return b.String()
}

// Expected cells were counted independently from the published rectangles.
func TestPresetCoverage(t *testing.T) {
	for _, tt := range []struct {
		m         *Map
		cells     int
		own       map[string]int
		uncovered string
		overlaps  int
		shadowed  string
	}{
		{Grid(), 25, map[string]int{"Champions": 2, "Loyal Customers": 4, "Potential Loyalists": 4, "New Customers": 1,
			"Promising": 1, "Need Attention": 1, "About To Sleep": 2, "Can't Lose Them": 2, "At Risk": 4, "Hibernating": 4}, "", 0, ""},
		{RxFMGrid(), 25, own(Grid().Coverage()), "", 0, ""},
		{RPackage(), 125, map[string]int{"Champions": 1, "Potential Loyalist": 35, "Loyal Customers": 15, "Promising": 8,
			"New Customers": 15, "Can't Lose Them": 6, "At Risk": 7, "Need Attention": 4, "About To Sleep": 10, "Lost": 14},
			"215 241 251 252 341 351 441 451 541 551", 58, ""},
		{RxFMTable(), 25, nil, "", 20, "New Customers, Promising, Can't Lose Them, Lost"},
		{PyMC(), 64, map[string]int{"Premium Customer": 8, "Repeat Customer": 7, "Top Spender": 13, "At Risk Customer": 11, "Inactive Customer": 7},
			"121 131 141 142 213 221 231 241 242 321 331 341 342 421 431 432 441 442", 0, ""},
	} {
		t.Run(tt.m.Name, func(t *testing.T) {
			if err := tt.m.Validate(); err != nil {
				t.Fatal(err)
			}
			c := tt.m.Coverage()
			if c.Cells != tt.cells || len(c.Overlaps) != tt.overlaps {
				t.Errorf("%d cells, %d overlaps; want %d and %d", c.Cells, len(c.Overlaps), tt.cells, tt.overlaps)
			}
			if tt.own != nil {
				if diff := cmp.Diff(tt.own, own(c)); diff != "" {
					t.Errorf("own cells (-want +got)\n%s", diff)
				}
			}
			if got := cellNames(c.Uncovered); got != tt.uncovered {
				t.Errorf("uncovered: got %s, want %s", got, tt.uncovered)
			}
			var shadowed []string
			for _, s := range c.Segments {
				if s.Shadowed {
					shadowed = append(shadowed, s.Segment)
				}
			}
			if got := strings.Join(shadowed, ", "); got != tt.shadowed {
				t.Errorf("shadowed: got %s, want %s", got, tt.shadowed)
			}
		})
	}
	old := RPackage02().Coverage()
	if len(old.Uncovered) != 36 {
		t.Errorf("rfm 0.2: %d cells uncovered, want 36", len(old.Uncovered))
	}
	for _, segment := range []string{"New Customers", "Promising", "Can't Lose Them"} {
		if own(old)[segment] != 0 {
			t.Errorf("rfm 0.2: %s has %d cells, want none", segment, own(old)[segment])
		}
	}
}

// The eight rows of the copied table that are confirmed overlap in 17 of 25 cells.
func TestEightRowTable(t *testing.T) {
	m := RxFMTable()
	rules := m.Rules[:0]
	for _, r := range m.Rules {
		if r.Segment != "Promising" && r.Segment != "About To Sleep" && r.Segment != "Can't Lose Them" {
			rules = append(rules, r)
		}
	}
	m.Rules = rules
	if c := m.Coverage(); len(c.Overlaps) != 17 || len(c.Uncovered) != 0 {
		t.Errorf("%d overlaps and %d uncovered cells, want 17 and none", len(c.Overlaps), len(c.Uncovered))
	}
}

func TestGridIsAPartition(t *testing.T) {
	if !Grid().Coverage().Partition() || RxFMTable().Coverage().Partition() {
		t.Error("the grid is a partition, the copied table is not")
	}
}

func TestMapSegment(t *testing.T) {
	for _, tt := range []struct {
		m       *Map
		r, f, o int
		want    string
	}{
		{Grid(), 5, 4, 1, "Champions"},
		{Grid(), 1, 5, 5, "Can't Lose Them"},
		{Grid(), 4, 3, 5, "Potential Loyalists"},
		{Grid(), 3, 3, 3, "Need Attention"},
		{RPackage(), 5, 5, 5, "Champions"},
		{RPackage(), 5, 5, 1, "Others"},
		{RPackage(), 1, 1, 1, "Lost"},
		{RxFMTable(), 5, 4, 3, "Champions"}, // FM 3.5 rounds to 4
		{RxFMTable(), 5, 4, 2, "Loyal Customers"},
		{PyMC(), 4, 4, 4, "Premium Customer"},
		{PyMC(), 1, 2, 1, "Other"},
	} {
		if got, err := tt.m.Segment(tt.r, tt.f, tt.o); err != nil || got != tt.want {
			t.Errorf("%s: segment of %d%d%d = %q, %v; want %q", tt.m.Name, tt.r, tt.f, tt.o, got, err, tt.want)
		}
	}
	weighted := RxFMTable()
	weighted.FrequencyWeight, weighted.MonetaryWeight = 1, 3
	for _, tt := range []struct{ f, m, want int }{{1, 5, 4}, {5, 1, 2}, {2, 4, 4}, {3, 3, 3}, {1, 3, 3}} {
		if got := weighted.FM(tt.f, tt.m); got != tt.want {
			t.Errorf("FM(%d, %d) weighted 1 to 3 = %d, want %d", tt.f, tt.m, got, tt.want)
		}
	}
}

func TestMapErrors(t *testing.T) {
	base := func(f func(m *Map)) *Map {
		m := Grid()
		f(m)
		return m
	}
	for _, tt := range []struct {
		name string
		m    *Map
		want string
	}{
		{"overlap without priority", base(func(m *Map) { m.Rules[1].R = Range{3, 5} }),
			`rfm: map "grid": cell 54 belongs to "Champions" and "Loyal Customers", one of 2 cells with more than one rule: set Priority to FirstMatch or part them`},
		{"hole without default", base(func(m *Map) { m.Rules = append(m.Rules[:5:5], m.Rules[6:]...) }),
			`rfm: map "grid": no rule for cell 33: add one or set Default`},
		{"holes", base(func(m *Map) { m.Rules = m.Rules[:8] }),
			`rfm: map "grid": no rule for cells 11 12 13 14 21 22 23 24: add one or set Default`},
		{"no rules", &Map{Name: "mine", Bins: 5}, `rfm: map "mine" has no rules`},
		{"bins", &Map{Name: "mine", Bins: 50}, `rfm: map "mine": 50 bins: want 2 to 20`},
		{"range outside", base(func(m *Map) { m.Rules[0].R = Range{5, 6} }),
			`rfm: map "grid": rule 1 ("Champions"): R from 5 to 6: want a range within 1 to 5`},
		{"range upside down", base(func(m *Map) { m.Rules[0].R = Range{5, 4} }),
			`rfm: map "grid": rule 1 ("Champions"): R from 5 to 4: want a range within 1 to 5`},
		{"wrong axis", base(func(m *Map) { m.Rules[0].M = Range{5, 5} }),
			`rfm: map "grid": rule 1 ("Champions"): a range of M, which the axes RF do not have`},
		{"no segment", base(func(m *Map) { m.Rules[2].Segment = "" }), `rfm: map "grid": rule 3 (""): no segment`},
		{"unknown cell", base(func(m *Map) { m.Rules[0] = Rule{Segment: "Champions", Cells: []string{"555"}} }),
			`rfm: map "grid": rule 1 ("Champions"): cell "555": not a cell of RF with 5 bins`},
		{"cell twice", base(func(m *Map) { m.Rules[0] = Rule{Segment: "Champions", Cells: []string{"55", "55"}} }),
			`rfm: map "grid": rule 1 ("Champions"): cell "55" twice`},
		{"weights", base(func(m *Map) { m.FrequencyWeight = -1 }), `rfm: map "grid": weights -1 and 0: want 0 to 1000`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.m.Validate()
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := Grid().Segment(0, 1, 1); err == nil || err.Error() != `rfm: map "grid": score 0: want 1 to 5` {
		t.Errorf("score 0: %v", err)
	}
}

func TestMapJSON(t *testing.T) {
	for _, m := range []*Map{Grid(), RxFMTable(), RPackage(), RPackage02(), PyMC(), RxFMGrid()} {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Map
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, &back); diff != "" {
			t.Errorf("%s (-want +got)\n%s", m.Name, diff)
		}
	}
	for text, want := range map[string]string{
		`{"schema":"custval/rfm-map/v2","name":"x"}`: `rfm: map: schema "custval/rfm-map/v2": want "custval/rfm-map/v1"`,
		`{"schema":"custval/rfm-map/v1","nome":"x"}`: `rfm: map: json: unknown field "nome"`,
		`{"schema":"custval/rfm-map/v1","bins":5}`:   `rfm: map "" has no rules`,
	} {
		var m Map
		if err := json.Unmarshal([]byte(text), &m); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func FuzzMapJSON(f *testing.F) {
	for _, m := range []*Map{Grid(), RPackage(), PyMC()} {
		text, _ := json.Marshal(m)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var m Map
		if err := json.Unmarshal(text, &m); err != nil {
			return
		}
		if err := m.Validate(); err != nil {
			t.Fatalf("accepted an invalid map: %v", err)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Map
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatalf("cannot read what it wrote: %v\n%s", err, again)
		}
	})
}
