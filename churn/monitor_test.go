package churn

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
)

const dayLong = 24 * time.Hour

func purchase(c string, at time.Time) ledger.Event {
	return ledger.Event{Customer: c, At: at, Name: Purchase}
}

// lines shows transitions one a line.
func lines(ts []Transition) string {
	var out []string
	for _, t := range ts {
		s := fmt.Sprintf("%s %s %s", t.At.Format("01-02T15"), t.Customer, t.Name)
		if t.From != t.To {
			s += " from " + t.From.String()
		}
		if t.Late {
			s += ", late"
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

func TestMonitorStory(t *testing.T) {
	m := must(NewMonitor(MonitorOptions{Activity: Purchase, Silence: Silence{AtRisk: 10 * dayLong, Dormant: 20 * dayLong, Lost: 40 * dayLong},
		Triggers: []Trigger{{Name: "no visit", Event: "visit", After: 7 * dayLong}, {Name: "third purchase", Event: Purchase, Count: 3}}}))
	d := func(n int) time.Time { return day(2025, 1, 1).AddDate(0, 0, n) }
	var got []Transition
	step := func(ts []Transition, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ts...)
	}
	step(m.Observe(purchase("ada", d(0))))
	step(m.Observe(ledger.Event{Customer: "ada", At: d(5), Name: "visit"}))
	step(m.Advance(d(10)))                   // ten days to the instant: in time
	step(m.Advance(d(11)))                   // at risk since day 10
	step(m.Advance(d(11)))                   // said once
	step(m.Observe(purchase("ada", d(15))))  // back, and no visit for seven days since day 5
	step(m.Observe(purchase("bob", d(30))))  // ada is at risk since day 25
	step(m.Advance(d(36)))                   // ada dormant since day 35
	step(m.Observe(purchase("ada", d(40))))  // back from dormant, the third purchase; bob's visit missing since day 37
	step(m.Advance(d(41).Add(-time.Second))) // bob at risk since day 40
	want := strings.TrimSpace(`
01-01T00 ada new from none
01-11T00 ada at risk from new
01-13T00 ada no visit
01-16T00 ada returning from at risk
01-26T00 ada at risk from returning
01-31T00 bob new from none
02-05T00 ada dormant from at risk
02-07T00 bob no visit
02-10T00 ada resurrected from dormant
02-10T00 ada third purchase
02-10T00 bob at risk from new`)
	if diff := gocmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if m.Stage("ada") != StageResurrected || m.Stage("nobody") != StageNone || m.Customers() != 2 {
		t.Errorf("stages %v, %v of %d customers", m.Stage("ada"), m.Stage("nobody"), m.Customers())
	}
	if _, err := m.Advance(d(1)); err == nil || err.Error() != "churn: monitor: advance to 2025-01-02T00:00:00Z: before 2025-02-10T23:59:59Z, where the monitor is" {
		t.Errorf("backwards: %v", err)
	}
}

func TestMonitorRhythm(t *testing.T) {
	// Ada comes every two days, Bob every thirty; who has no rhythm yet has 60 days.
	m := must(NewMonitor(MonitorOptions{Rhythm: &Rhythm{Default: 60 * dayLong}}))
	var got []Transition
	for i := range 5 {
		got = append(got, must(m.Observe(purchase("bob", day(2025, 1, 1).AddDate(0, 0, 30*i))))...)
	}
	for i := range 4 {
		got = append(got, must(m.Observe(purchase("ada", day(2025, 5, 1).AddDate(0, 0, 2*i))))...)
	}
	got = append(got, must(m.Advance(day(2025, 6, 20)))...)
	want := strings.TrimSpace(`
01-01T00 bob new from none
01-31T00 bob active from new
05-01T00 ada new from none
05-03T00 ada active from new
05-09T00 ada at risk from active
05-11T00 ada dormant from at risk
05-15T00 ada lost from dormant
05-31T00 bob at risk from active`)
	if diff := gocmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestMonitorLate(t *testing.T) {
	o := MonitorOptions{Activity: Purchase, Silence: Silence{AtRisk: 10 * dayLong, Dormant: 20 * dayLong}, Triggers: []Trigger{{Name: "second", Count: 2}}}
	d := func(n int) time.Time { return day(2025, 1, 1).AddDate(0, 0, n) }
	for _, c := range []struct {
		name    string
		advance int
		late    ledger.Event
		want    string
		stage   Stage
	}{
		{"proves a risk wrong", 12, purchase("a", d(8)), "01-13T00 a returning from at risk, late\n01-13T00 a second, late", StageReturning},
		{"proves dormancy wrong, not the risk", 25, purchase("a", d(8)), "01-26T00 a at risk from dormant, late\n01-26T00 a second, late", StageAtRisk},
		{"changes nothing but the count", 15, purchase("a", d(2)), "01-16T00 a second, late", StageAtRisk},
		{"delivered twice", 5, purchase("a", d(0)), "01-06T00 a second, late", StageNew},
		{"a customer nobody knew", 25, purchase("b", d(3)), "01-04T00 b new from none, late\n01-14T00 b at risk from new, late\n01-24T00 b dormant from at risk, late", StageDormant},
		{"before the first", 5, purchase("a", d(-3)), "01-06T00 a active from new, late\n01-06T00 a second, late", StageActive},
	} {
		m := must(NewMonitor(o))
		must(m.Observe(purchase("a", d(0))))
		must(m.Advance(d(c.advance)))
		got := must(m.Observe(c.late))
		if diff := gocmp.Diff(c.want, lines(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
		if s := m.Stage(c.late.Customer); s != c.stage {
			t.Errorf("%s: stage %s, want %s", c.name, s, c.stage)
		}
		if ts := must(m.Advance(d(c.advance))); len(ts) != 0 {
			t.Errorf("%s: said again: %v", c.name, lines(ts))
		}
		// What comes later is counted from the right silence, once.
		var all []string
		for _, x := range must(m.Advance(d(200))) {
			if x.Customer == c.late.Customer {
				all = append(all, x.Name)
			}
		}
		if len(all) > 2 || (len(all) > 0 && all[len(all)-1] != "dormant") {
			t.Errorf("%s: later %v", c.name, all)
		}
	}
}

// randomEvents are events of a few customers in the order of time, on whole hours so that instants coincide.
func randomEvents(r *rand.Rand) []ledger.Event {
	var es []ledger.Event
	for range 5 + r.IntN(60) {
		e := ledger.Event{Customer: string(rune('a' + r.IntN(5))), At: day(2025, 1, 1).Add(time.Duration(r.IntN(60*24)) * time.Hour), Name: Purchase}
		if r.IntN(3) == 0 {
			e.Name = "visit"
		}
		es = append(es, e)
	}
	slices.SortStableFunc(es, func(a, b ledger.Event) int { return a.At.Compare(b.At) })
	return es
}

func randomOptions(r *rand.Rand) MonitorOptions {
	o := MonitorOptions{Activity: Purchase, Triggers: []Trigger{
		{Name: "quiet", After: time.Duration(1+r.IntN(200)) * time.Hour},
		{Name: "nagging", Event: "visit", After: time.Duration(24+r.IntN(200)) * time.Hour, Repeat: true},
		{Name: "third", Event: Purchase, Count: 3}, {Name: "every second visit", Event: "visit", Count: 2, Repeat: true}}}
	if r.IntN(2) == 0 {
		o.Rhythm = &Rhythm{Default: 100 * time.Hour, Least: time.Hour}
		o.Memory = 2 + r.IntN(5)
	} else {
		o.Silence = Silence{AtRisk: time.Duration(20+r.IntN(100)) * time.Hour, Lost: 200 * time.Hour}
	}
	return o
}

// TestMonitorRestart: the transitions depend neither on when Advance is called nor on stopping, storing and going on.
func TestMonitorRestart(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		o, es := randomOptions(r), randomEvents(r)
		end := day(2025, 5, 1)
		plain := must(NewMonitor(o))
		var want []Transition
		for _, e := range es {
			want = append(want, must(plain.Observe(e))...)
		}
		want = append(want, must(plain.Advance(end))...)

		m := must(NewMonitor(o))
		var got []Transition
		last := es[0].At
		for _, e := range es {
			for range r.IntN(3) {
				if now := last.Add(time.Duration(r.Int64N(int64(e.At.Sub(last)) + 1))); !now.Before(m.Now()) {
					got = append(got, must(m.Advance(now))...)
				}
			}
			if r.IntN(3) == 0 {
				var again Monitor
				text := must(json.Marshal(m))
				if err := json.Unmarshal(text, &again); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				if back := must(json.Marshal(&again)); string(back) != string(text) {
					t.Fatalf("round %d: stored as\n%s\nread as\n%s", round, text, back)
				}
				m = &again
			}
			got = append(got, must(m.Observe(e))...)
			last = e.At
		}
		got = append(got, must(m.Advance(end))...)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d (-want +got)\n%s", round, diff)
		}
		if !slices.IsSortedFunc(got, func(a, b Transition) int { return a.At.Compare(b.At) }) {
			t.Fatalf("round %d: not in the order of time\n%s", round, lines(got))
		}
	}
}

// TestMonitorByDefinition compares the stages by fixed silences with those worked out customer by customer.
func TestMonitorByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		es, end := randomEvents(r), day(2025, 4, 1)
		s := Silence{AtRisk: time.Duration(5+r.IntN(100)) * time.Hour, Dormant: 150 * time.Hour, Lost: 400 * time.Hour}
		m := must(NewMonitor(MonitorOptions{Activity: Purchase, Silence: s}))
		var got []Transition
		for x, err := range m.Run(ledger.Slice(es), end) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, x)
		}
		var want []Transition
		for c := 'a'; c < 'f'; c++ {
			stage := StageNone
			var last time.Time
			silent := func(until time.Time) {
				for i, limit := range []time.Duration{s.AtRisk, s.Dormant, s.Lost} {
					if at := last.Add(limit); stage != StageNone && at.Before(until) {
						to := StageAtRisk + Stage(i)
						want = append(want, Transition{string(c), at, to.String(), stage, to, false})
						stage = to
					}
				}
			}
			for _, e := range es {
				if e.Customer != string(c) || e.Name != Purchase || e.At.Equal(last) {
					continue
				}
				silent(e.At)
				to := map[Stage]Stage{StageNone: StageNew, StageAtRisk: StageReturning, StageDormant: StageResurrected, StageLost: StageResurrected}[stage]
				if to == StageNone {
					to = StageActive
				}
				if to != stage {
					want = append(want, Transition{string(c), e.At, to.String(), stage, to, false})
				}
				stage, last = to, e.At
			}
			silent(end)
		}
		order := func(a, b Transition) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
		}
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d (-want +got)\n%s", round, diff)
		}
	}
}

func TestMonitorErrors(t *testing.T) {
	for _, c := range []struct {
		o    MonitorOptions
		text string
	}{
		{MonitorOptions{Silence: Silence{AtRisk: 5, Dormant: 4}}, "churn: silence: at risk, dormant and lost must be positive and rise"},
		{MonitorOptions{Silence: Silence{AtRisk: -5}}, "churn: silence: at risk, dormant and lost must be positive and rise"},
		{MonitorOptions{Rhythm: &Rhythm{}}, "churn: monitor: Rhythm.Default is needed for customers without a rhythm of their own"},
		{MonitorOptions{Rhythm: &Rhythm{Default: 1}, Silence: Silence{Lost: 1}}, "churn: monitor: both Silence and Rhythm"},
		{MonitorOptions{Memory: 1}, "churn: monitor: memory 1: want 2 to 1,000,000"},
		{MonitorOptions{Triggers: []Trigger{{After: 1}}}, "churn: monitor: trigger 1 has no name"},
		{MonitorOptions{Triggers: []Trigger{{Name: "lost", After: 1}}}, `churn: monitor: trigger 1: the name "lost" is taken`},
		{MonitorOptions{Triggers: []Trigger{{Name: "x"}}}, `churn: monitor: trigger "x": want a positive After or a positive Count, and not both`},
		{MonitorOptions{Triggers: []Trigger{{Name: "x", After: 1, Count: 1}}}, `churn: monitor: trigger "x": want a positive After or a positive Count, and not both`},
		{MonitorOptions{Triggers: []Trigger{{Name: "x", After: 1, Repeat: true}}}, `churn: monitor: trigger "x": repeats every 1ns: want a minute or more`},
	} {
		if _, err := NewMonitor(c.o); err == nil || err.Error() != c.text {
			t.Errorf("%+v: error %q, want %q", c.o, err, c.text)
		}
	}
	m := must(NewMonitor(MonitorOptions{}))
	for text, e := range map[string]ledger.Event{
		`churn: monitor: event of customer "": field "customer": value "": no customer`:                                   {At: day(2025, 1, 1)},
		`churn: monitor: event of customer "a": field "at": value "": no time`:                                            {Customer: "a"},
		`churn: monitor: event of customer "a": field "at": value "0900-01-01T00:00:00Z": outside the years 1678 to 2262`: {Customer: "a", At: day(900, 1, 1)},
	} {
		if _, err := m.Observe(e); err == nil || err.Error() != text {
			t.Errorf("error %q, want %q", err, text)
		}
	}
	for _, err := range m.Run(ledger.Slice([]ledger.Event{{At: day(2025, 1, 1)}}), time.Time{}) {
		if err == nil || err.Error() != `churn: row 1: field "customer": value "": no customer` {
			t.Errorf("of a stream: %v", err)
		}
	}
	if m.Customers() != 0 || !m.Now().IsZero() {
		t.Error("an error changes the state")
	}
	for _, text := range []string{`{}`, `{"schema":"custval/monitor/v2"}`, `{"schema":"custval/monitor/v1","options":{},"now":"2025-01-01T00:00:00Z","customers":[{"id":"a"}]}`,
		`{"schema":"custval/monitor/v1","options":{},"now":"2025-01-01T00:00:00Z","customers":[{"id":"a","first":"2026-01-01T00:00:00Z","stage":"none"}]}`,
		`{"schema":"custval/monitor/v1","options":{"silence":{"at_risk_ns":5}},"now":"2025-01-01T00:00:00Z","customers":[{"id":"a","first":"2024-01-01T00:00:00Z","last":"2024-01-01T00:00:00Z","times":["2024-01-01T00:00:00Z"],"stage":"new"}]}`} {
		if err := json.Unmarshal([]byte(text), m); err == nil {
			t.Errorf("%s is read", text)
		}
	}
}

func FuzzMonitorJSON(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		m := must(NewMonitor(randomOptions(r)))
		for _, e := range randomEvents(r) {
			must(m.Observe(e))
		}
		f.Add(must(json.Marshal(m)))
	}
	f.Add([]byte(`{"schema":"custval/monitor/v1","options":{"rhythm":{"default_ns":1}},"now":"2025-01-01T00:00:00Z","customers":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, again Monitor
		if json.Unmarshal(text, &m) != nil {
			return
		}
		stored := must(json.Marshal(&m))
		if err := json.Unmarshal(stored, &again); err != nil {
			t.Fatalf("%s is stored as %s, which is not read: %v", text, stored, err)
		}
		if back := must(json.Marshal(&again)); string(back) != string(stored) {
			t.Fatalf("%s is stored as %s", stored, back)
		}
		at := m.Now().Add(time.Hour)
		if at.Year() < 1700 || at.Year() > 2200 {
			return
		}
		a, b := must(m.Observe(purchase("a", at))), must(again.Observe(purchase("a", at)))
		if diff := gocmp.Diff(a, b); diff != "" {
			t.Fatal(diff)
		}
	})
}

func BenchmarkMonitor(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var es []ledger.Event
	for i := range 100_000 {
		es = append(es, purchase(fmt.Sprint(r.IntN(10_000)), day(2025, 1, 1).Add(time.Duration(i)*time.Minute)))
	}
	b.ReportAllocs()
	for b.Loop() {
		m := must(NewMonitor(MonitorOptions{Rhythm: &Rhythm{Default: 30 * dayLong}}))
		for _, e := range es {
			if _, err := m.Observe(e); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(es)*b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestMonitorLateProperties: with events in any order each customer's stages still follow one another, nothing is said
// twice, and stopping and going on changes nothing.
func TestMonitorLateProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 300 {
		o, es := randomOptions(r), randomEvents(r)
		for range r.IntN(8) {
			i, j := r.IntN(len(es)), r.IntN(len(es))
			es[i], es[j] = es[j], es[i]
		}
		plain, m := must(NewMonitor(o)), must(NewMonitor(o))
		var want, got []Transition
		for _, e := range es {
			want = append(want, must(plain.Observe(e))...)
			got = append(got, must(m.Observe(e))...)
			var again Monitor
			if err := json.Unmarshal(must(json.Marshal(m)), &again); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			m = &again
		}
		want = append(want, must(plain.Advance(day(2025, 5, 1)))...)
		got = append(got, must(m.Advance(day(2025, 5, 1)))...)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d (-want +got)\n%s", round, diff)
		}
		stage := map[string]Stage{}
		for _, x := range got {
			if x.From != stage[x.Customer] || (x.From == x.To) == slices.Contains(stageNames[:], x.Name) {
				t.Fatalf("round %d: %s was %s\n%s", round, x.Customer, stage[x.Customer], lines(got))
			}
			stage[x.Customer] = x.To
		}
		for c, s := range stage {
			if m.Stage(c) != s {
				t.Fatalf("round %d: %s is %s, said %s", round, c, m.Stage(c), s)
			}
		}
	}
}
