package funnel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/funnel"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/google/go-cmp/cmp"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// log makes events of one customer from words such as "visit@3", hours after the start.
func log(customer, platform, words string) []funnel.Event {
	var out []funnel.Event
	for _, w := range strings.Fields(words) {
		name, hours, _ := strings.Cut(w, "@")
		var h int
		if _, err := fmt.Sscan(hours, &h); err != nil {
			panic(err)
		}
		out = append(out, funnel.Event{Customer: customer, At: start.Add(time.Duration(h) * time.Hour), Name: name, Platform: platform})
	}
	return out
}

func counts(g funnel.Group) []int {
	var out []int
	for _, s := range g.Steps {
		out = append(out, s.Count)
	}
	return out
}

func analyze(t *testing.T, events []funnel.Event, o *funnel.Options) *funnel.Report {
	t.Helper()
	r, err := funnel.Analyze(context.Background(), ledger.Slice(events), funnel.Steps("visit", "cart", "order"), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRules(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		reason string
		words  string
		o      funnel.Options
		want   []int
	}{
		{"in order", "visit@0 cart@1 order@2", funnel.Options{}, []int{1, 1, 1}},
		{"no first step, no attempt", "cart@1 order@2", funnel.Options{}, []int{0, 0, 0}},
		{"out of order", "visit@0 order@1 cart@2", funnel.Options{}, []int{1, 1, 0}},
		{"other events between", "visit@0 mail@1 cart@2 visit@3 order@4", funnel.Options{}, []int{1, 1, 1}},
		{"strict allows none", "visit@0 mail@1 cart@2 order@4", funnel.Options{Strict: true}, []int{1, 0, 0}},
		{"not even of another step", "visit@0 cart@1 cart@2 order@4", funnel.Options{Strict: true}, []int{1, 1, 0}},
		{"strict, a later entry goes through", "visit@0 visit@1 cart@2 order@4", funnel.Options{Strict: true}, []int{1, 1, 1}},
		{"the last moment of the window", "visit@0 cart@1 order@24", funnel.Options{Window: day}, []int{1, 1, 1}},
		{"an hour too late", "visit@0 cart@1 order@25", funnel.Options{Window: day}, []int{1, 1, 0}},
		{"a later entry is in time", "visit@0 visit@2 cart@3 order@25", funnel.Options{Window: day}, []int{1, 1, 1}},
		{"but not if the first counts", "visit@0 visit@2 cart@3 order@25", funnel.Options{Window: day, Reentry: funnel.FirstEntry}, []int{1, 1, 0}},
		{"every attempt", "visit@0 cart@1 order@2 visit@3 cart@4 visit@50", funnel.Options{Window: day, Reentry: funnel.EveryEntry}, []int{3, 2, 1}},
		{"none while one is under way", "visit@0 visit@1 cart@2 visit@3 order@4", funnel.Options{Window: day, Reentry: funnel.EveryEntry}, []int{1, 1, 1}},
		{"without a window the first stays under way", "visit@0 visit@1 visit@2", funnel.Options{Reentry: funnel.EveryEntry}, []int{1, 0, 0}},
		{"strict attempts end at once", "visit@0 visit@1 visit@2 cart@3", funnel.Options{Strict: true, Reentry: funnel.EveryEntry}, []int{3, 1, 0}},
		{"entries outside the period", "visit@0 cart@30 visit@40", funnel.Options{Period: ledger.Period{Start: start.Add(day), End: start.Add(2 * day)}}, []int{1, 0, 0}},
		{"events after the end", "visit@0 cart@1 order@2", funnel.Options{End: start.Add(time.Hour)}, []int{1, 1, 0}},
		{"one moment, any order of rows", "order@1 cart@1 visit@1", funnel.Options{}, []int{1, 1, 1}},
	} {
		if got := counts(analyze(t, log("a", "", c.words), &c.o).Total); !cmp.Equal(c.want, got) {
			t.Errorf("%s: %v, want %v (%s)", c.reason, got, c.want, c.words)
		}
	}
}

func TestReport(t *testing.T) {
	var events []funnel.Event
	for i, words := range []string{"visit@0 cart@2 order@6", "visit@0 cart@4", "visit@0", "visit@46 cart@47"} {
		events = append(events, log(fmt.Sprint("w", i), "web", words)...)
	}
	events = append(events, log("p", "app", "visit@1 cart@2 order@3")...)
	o := &funnel.Options{Window: 24 * time.Hour, By: funnel.ByPlatform, End: start.Add(48 * time.Hour)}
	r := analyze(t, events, o)
	web, ok := r.Find("web")
	if !ok || !cmp.Equal(counts(web), []int{4, 3, 1}) {
		t.Fatalf("%+v", r)
	}
	cart := web.Steps[1]
	if cart.Dropped != 1 || cart.Open != 1 || web.Steps[0].Dropped != 1 || cart.Time.Median != 2*time.Hour || cart.Time.N != 3 || cart.Time.Mean != 7*time.Hour/3 {
		t.Errorf("%+v", cart)
	}
	if x, err := cart.Rate(); err != nil || x != .75 {
		t.Errorf("rate %v, %v", x, err)
	}
	if x, err := web.Steps[2].Overall(); err != nil || x != .25 {
		t.Errorf("overall %v, %v", x, err)
	}
	if x, err := cart.DropOff(); err != nil || x != 1/3.0 {
		t.Errorf("drop-off %v, %v", x, err)
	}
	if s := web.Steps[2].Since; s.Median != 6*time.Hour {
		t.Errorf("since entry %+v", s)
	}
	seg := analyze(t, events, &funnel.Options{By: funnel.BySegment(func(c string) string { return c[:1] })})
	if len(seg.Groups) != 2 || seg.Groups[1].Name != "w" {
		t.Errorf("segments: %+v", seg.Groups)
	}
	if !cmp.Equal(counts(r.Total), []int{5, 4, 2}) {
		t.Errorf("total %v", counts(r.Total))
	}
}

// A slow oracle: all chains of events of a customer, by recursion.
func furthest(events []funnel.Event, steps []string, o *funnel.Options, from time.Time, at, k int) int {
	best := k
	for i := at; i < len(events) && k < len(steps); i++ {
		e := events[i]
		if o.Strict && i > at && k > 0 {
			break
		}
		if e.Name != steps[k] || k > 0 && o.Window > 0 && e.At.Sub(from) > o.Window {
			continue
		}
		begin := from
		if k == 0 {
			begin = e.At
		}
		best = max(best, furthest(events, steps, o, begin, i+1, k+1))
	}
	return best
}

func TestAgainstAllChains(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	steps := []string{"visit", "cart", "order"}
	names := append([]string{"mail"}, steps...)
	for range 3000 {
		var events []funnel.Event
		hour := 0
		for range r.IntN(12) {
			hour += 1 + r.IntN(5) // all moments differ
			events = append(events, funnel.Event{Customer: "a", At: start.Add(time.Duration(hour) * time.Hour), Name: names[r.IntN(4)]})
		}
		o := &funnel.Options{Strict: r.IntN(2) == 0, Window: time.Duration(r.IntN(3)*6) * time.Hour}
		want := furthest(events, steps, o, time.Time{}, 0, 0)
		shuffled := append([]funnel.Event(nil), events...)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		got := 0
		for _, n := range counts(analyze(t, shuffled, o).Total) {
			got += n
		}
		if got != want {
			t.Fatalf("reached step %d, want %d: %+v with %+v", got, want, events, o)
		}
		o.Reentry = funnel.FirstEntry
		if first := analyze(t, events, o); first.Total.Steps[0].Count > 1 {
			t.Fatalf("first entry counted %d times", first.Total.Steps[0].Count)
		}
	}
}

func TestOrderOfRowsDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var events []funnel.Event
	for range 2000 {
		events = append(events, funnel.Event{Customer: fmt.Sprint(r.IntN(100)), At: start.Add(time.Duration(r.IntN(200)) * time.Hour), Name: []string{"visit", "cart", "order", "mail"}[r.IntN(4)], Platform: []string{"web", "app"}[r.IntN(2)]})
	}
	for _, o := range []*funnel.Options{nil, {Window: 9 * time.Hour, By: funnel.ByPlatform, Reentry: funnel.EveryEntry, End: start.Add(150 * time.Hour)}, {Strict: true, By: funnel.ByPlatform}} {
		want := text(t, analyze(t, events, o))
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if diff := cmp.Diff(want, text(t, analyze(t, events, o))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func text(t *testing.T, r *funnel.Report) string {
	t.Helper()
	var b strings.Builder
	j, err := json.Marshal(r)
	if err != nil || r.WriteCSV(&b) != nil || strings.Contains(string(j), "NaN") {
		t.Fatal(err, string(j))
	}
	return r.String() + b.String() + string(j)
}

// Impressions to wins of a published worked example: CPM 40, CPC 2, CPL 25, CPO 100, CAC 500; and 1,700 with 15 a lead,
// 120 an opportunity and 300 a win.
func TestCostOfStages(t *testing.T) {
	r, err := funnel.Count([]string{"click", "lead", "opportunity", "win"}, []funnel.Counts{{"search", []int{6000, 500, 120, 25}}, {"social", []int{4000, 300, 80, 15}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Total.Cost(usd("20000"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, st := range s.Stages {
		got = append(got, st.CostPer.String())
	}
	if diff := cmp.Diff([]string{"USD 2.00", "USD 25.00", "USD 100.00", "USD 500.00"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s, err = r.Total.Cost(usd("20000"), map[string]money.Amount{"lead": usd("15"), "opportunity": usd("120"), "win": usd("300")})
	if err != nil || s.Cost.Cost.String() != "USD 1700.00" {
		t.Errorf("%v, %v", s.Cost, err)
	}
	if x, err := r.Groups[0].Steps[1].Rate(); err != nil || x != 500/6000.0 {
		t.Errorf("%v, %v", x, err)
	}
	nobody, err := funnel.Count([]string{"a", "b"}, []funnel.Counts{{"web", []int{5, 0}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.Total.Cost(usd("1"), nil); !errors.Is(err, cac.ErrNoNewCustomers) {
		t.Errorf("%v", err)
	}
}

// Wilson's interval of 81 of 263 (Newcombe 1998).
func TestInterval(t *testing.T) {
	r, err := funnel.Count([]string{"open", "click"}, []funnel.Counts{{"mail", []int{263, 81}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	low, high, err := r.Groups[0].Steps[1].Interval(.95)
	if err != nil || low < .2552885 || low > .2552886 || high < .3662095 || high > .3662096 {
		t.Errorf("%v %v %v", low, high, err)
	}
}

func TestErrors(t *testing.T) {
	run := func(steps []funnel.Step, o *funnel.Options, events ...funnel.Event) error {
		_, err := funnel.Analyze(context.Background(), ledger.Slice(events), steps, o)
		return err
	}
	count := func(n ...int) error {
		_, err := funnel.Count([]string{"a", "b"}, []funnel.Counts{{"x", n}}, 0)
		return err
	}
	good := funnel.Steps("a", "b")
	empty, _ := funnel.Count([]string{"a", "b"}, nil, 0)
	_, rate := empty.Total.Steps[1].Rate()
	_, unknown := empty.Total.Cost(usd("1"), map[string]money.Amount{"c": usd("1")})
	for _, c := range []struct {
		err  error
		want string
	}{
		{run(funnel.Steps("a"), nil), "funnel: 1 steps: at least two make a funnel"},
		{run(funnel.Steps("a", "a"), nil), `funnel: step 2: name "a" is empty or there twice`},
		{run(good, &funnel.Options{Window: -1}), "funnel: window -1ns: negative"},
		{run(good, &funnel.Options{Reentry: "last"}), `funnel: unknown rule "last" for re-entry`},
		{run(good, &funnel.Options{Level: 95}), "funnel: level 95: not between 0 and 1"},
		{run(good, nil, funnel.Event{At: start}), `funnel: row 1: field "customer": value "": empty`},
		{run(good, nil, funnel.Event{Customer: "x", At: start, Name: "a"}, funnel.Event{Customer: "x"}), `funnel: row 2: field "at": value "x": no time`},
		{count(1), `funnel: row 1: field "reached": value "[1]": 1 numbers for 2 steps`},
		{count(1, 2), `funnel: row 1: field "b": value "2": negative, or more than reached the step before`},
		{rate, `funnel: step "b": undefined: nobody came so far`},
		{unknown, "funnel: a cost of something that is no step of [a b]"},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", c.err, c.want)
		}
	}
	if !errors.Is(rate, ledger.ErrUndefined) {
		t.Errorf("%v is not undefined", rate)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := funnel.Analyze(ctx, ledger.Slice[funnel.Event](nil), good, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestReadCSV(t *testing.T) {
	got, err := ledger.Collect(funnel.ReadCSV(context.Background(), strings.NewReader("customer,at,name,platform\na,2025-01-01,visit,web\na,2025-01-02,order,\n"), nil))
	want := []funnel.Event{{"a", start, "visit", "web"}, {"a", start.AddDate(0, 0, 1), "order", ""}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	orders, err := ledger.Collect(funnel.Orders(ledger.Transactions([]ledger.Transaction{
		{Customer: "a", At: start, Amount: usd("5"), Channel: "web"}, {Customer: "a", At: start, Amount: usd("-5")}}), "order"))
	if diff := cmp.Diff([]funnel.Event{{"a", start, "order", "web"}}, orders); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("customer,at,name,platform\na,2025-01-01,visit,web\n")
	f.Add("customer,at,name\na,2025-01-01T10:00:00Z,\"cart\"\na,x,order\n")
	f.Fuzz(func(t *testing.T, text string) {
		var good []funnel.Event
		for e, err := range funnel.ReadCSV(context.Background(), strings.NewReader(text), nil) {
			if err == nil {
				good = append(good, e)
			}
		}
		r, err := funnel.Analyze(context.Background(), ledger.Slice(good), funnel.Steps("visit", "cart", "order"), nil)
		if err != nil {
			t.Fatalf("events that were read are refused: %v", err)
		}
		for k, s := range r.Total.Steps[1:] {
			if s.Count > r.Total.Steps[k].Count {
				t.Fatalf("more in step %d than before it", k+1)
			}
		}
	})
}

func BenchmarkAnalyze(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1e3, 1e5} {
		events := make([]funnel.Event, n)
		for i := range events {
			events[i] = funnel.Event{Customer: fmt.Sprint("customer", r.IntN(n/8)), At: start.Add(time.Duration(r.IntN(1000)) * time.Hour), Name: []string{"visit", "cart", "order"}[r.IntN(3)]}
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := funnel.Analyze(context.Background(), ledger.Slice(events), funnel.Steps("visit", "cart", "order"), &funnel.Options{Window: 48 * time.Hour}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
