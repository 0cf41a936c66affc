package attribution

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// at is a moment of January 2025: day and hour.
func at(day int, hour float64) time.Time {
	return time.Date(2025, 1, day, 0, 0, 0, 0, time.UTC).Add(time.Duration(hour * float64(time.Hour)))
}

func tp(customer string, when time.Time, channel string) Touchpoint {
	return Touchpoint{Customer: customer, At: when, Channel: channel}
}

func won(customer string, when time.Time, value string) Conversion {
	return Conversion{Customer: customer, At: when, Value: usd(value)}
}

// lines writes journeys as text: the path with its milestones, conversions, nulls and value.
func lines(js *Journeys) []string {
	var out []string
	for j := range js.Paths() {
		text := strings.Join(j.Channels, ">")
		if j.Lead+j.Opportunity > 0 {
			text += fmt.Sprintf(" lead %d opportunity %d", j.Lead, j.Opportunity)
		}
		text += fmt.Sprintf(" %d/%d", j.Conversions, j.Nulls)
		if j.Value.Sign() > 0 {
			text += " " + j.Value.Number()
		}
		out = append(out, text)
	}
	return out
}

func TestBuild(t *testing.T) {
	const day = 24 * time.Hour
	end := at(31, 0)
	tests := []struct {
		name        string
		touches     []Touchpoint
		conversions []Conversion
		options     *BuildOptions
		want        []string
		report      Report
	}{
		{
			name:        "a journey, in any order of rows, and one that did not convert",
			touches:     []Touchpoint{tp("1", at(3, 0), "b"), tp("2", at(5, 0), "c"), tp("1", at(1, 0), "a")},
			conversions: []Conversion{won("1", at(4, 0), "10")},
			want:        []string{"a>b 1/0 10.00", "c 0/1"},
			report:      Report{Customers: 2, Touchpoints: 3, Conversions: 1},
		},
		{
			name:        "what follows a conversion belongs to the next; a touch at its moment comes before",
			touches:     []Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(2, 0), "b"), tp("1", at(3, 0), "c"), tp("1", at(5, 0), "d")},
			conversions: []Conversion{won("1", at(2, 0), "10"), won("1", at(4, 0), "20")},
			want:        []string{"a>b 1/0 10.00", "c 1/0 20.00", "d 0/1"},
			report:      Report{Customers: 1, Touchpoints: 4, Conversions: 2},
		},
		{
			name:        "reuse within the lookback",
			touches:     []Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(2, 0), "b"), tp("1", at(3, 0), "c"), tp("1", at(5, 0), "d")},
			conversions: []Conversion{won("1", at(2, 0), "10"), won("1", at(4, 0), "20")},
			options:     &BuildOptions{Repeat: Reuse, Lookback: 2 * day},
			want:        []string{"a>b 1/0 10.00", "b>c 1/0 20.00", "d 0/1"},
			report:      Report{Customers: 1, Touchpoints: 4, Conversions: 2},
		},
		{
			name:        "only the first conversion",
			touches:     []Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(3, 0), "c")},
			conversions: []Conversion{won("1", at(4, 0), "20"), won("1", at(2, 0), "10")},
			options:     &BuildOptions{Repeat: FirstOnly},
			want:        []string{"a 1/0 10.00"},
			report:      Report{Customers: 1, Touchpoints: 2, TouchpointsLeftOut: 1, Conversions: 2, ConversionsLeftOut: 1},
		},
		{
			name:        "the lookback includes its limit; older touches did not convert, and gaps cut them",
			touches:     []Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(2, 0), "b"), tp("1", at(10, 0), "c"), tp("1", at(13, 0), "d"), tp("1", at(14, 0), "e")},
			conversions: []Conversion{won("1", at(16, 0), "10")},
			options:     &BuildOptions{Lookback: 3 * day},
			want:        []string{"a>b 0/1", "c 0/1", "d>e 1/0 10.00"},
			report:      Report{Customers: 1, Touchpoints: 5, Conversions: 1},
		},
		{
			name: "sessions: one channel within the gap of the touch before, direct joins any",
			touches: []Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(1, .4), "a"), tp("1", at(1, .8), "direct"), tp("1", at(1, 1.2), "a"),
				tp("1", at(1, 1.3), "b"), tp("1", at(1, 1.8), "b"), tp("1", at(2, 0), "direct"), tp("1", at(2, 0.1), "a")},
			conversions: []Conversion{won("1", at(4, 0), "20")},
			options:     &BuildOptions{Session: 30 * time.Minute, Direct: "direct"},
			want:        []string{"a>b>b>direct>a 1/0 20.00"},
			report:      Report{Customers: 1, Touchpoints: 8, MergedBySession: 3, Conversions: 1},
		},
		{
			name:        "conversions without a touch are counted",
			touches:     []Touchpoint{tp("1", at(3, 0), "a")},
			conversions: []Conversion{won("1", at(2, 0), "10"), won("2", at(2, 0), "5.50")},
			want:        []string{"a 0/1"},
			report:      Report{Customers: 2, Touchpoints: 1, Conversions: 2, Unattributed: 2, UnattributedValue: usd("15.50")},
		},
		{
			name:        "or came directly",
			touches:     []Touchpoint{tp("1", at(3, 0), "a")},
			conversions: []Conversion{won("1", at(2, 0), "10"), won("2", at(2, 0), "5.50")},
			options:     &BuildOptions{Direct: "(direct)", DirectIfNone: true},
			want:        []string{"(direct) 2/0 15.50", "a 0/1"},
			report:      Report{Customers: 2, Touchpoints: 1, Conversions: 2},
		},
		{
			name:        "conversions at one moment share a journey",
			touches:     []Touchpoint{tp("1", at(1, 0), "a")},
			conversions: []Conversion{won("1", at(2, 0), "10"), won("1", at(2, 0), "20")},
			want:        []string{"a 2/0 30.00"},
			report:      Report{Customers: 1, Touchpoints: 1, Conversions: 2},
		},
		{
			name:        "open journeys are left out",
			touches:     []Touchpoint{tp("1", at(10, 0), "a"), tp("2", at(29, 0), "a"), tp("3", at(29, 0), "b")},
			conversions: []Conversion{won("3", at(30, 0), "1")},
			options:     &BuildOptions{Lookback: 5 * day, Open: OpenIsDropped},
			want:        []string{"a 0/1", "b 1/0 1.00"},
			report:      Report{Customers: 3, Touchpoints: 3, Conversions: 1, OpenLeftOut: 1},
		},
		{
			name:        "nulls are left out",
			touches:     []Touchpoint{tp("1", at(10, 0), "a"), tp("3", at(29, 0), "b")},
			conversions: []Conversion{won("3", at(30, 0), "1")},
			options:     &BuildOptions{Open: NullsLeftOut},
			want:        []string{"b 1/0 1.00"},
			report:      Report{Customers: 2, Touchpoints: 2, Conversions: 1, OpenLeftOut: 1},
		},
		{
			name:        "after the end",
			touches:     []Touchpoint{tp("1", end, "a"), tp("1", end.Add(1), "b")},
			conversions: []Conversion{won("1", end, "1"), won("1", end.Add(1), "2")},
			want:        []string{"a 1/0 1.00"},
			report:      Report{Customers: 1, Touchpoints: 2, TouchpointsAfterEnd: 1, Conversions: 2, ConversionsAfterEnd: 1},
		},
		{
			name:        "by campaign",
			touches:     []Touchpoint{{Customer: "1", At: at(1, 0), Channel: "a", Campaign: "x"}},
			conversions: []Conversion{won("1", at(2, 0), "1")},
			options:     &BuildOptions{By: func(t Touchpoint) string { return t.Channel + "/" + t.Campaign }},
			want:        []string{"a/x 1/0 1.00"},
			report:      Report{Customers: 1, Touchpoints: 1, Conversions: 1},
		},
		{
			name:        "milestones mark the touch before them, in each journey its own",
			touches:     []Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(2, 0), "b"), tp("1", at(3, 0), "c"), tp("1", at(5, 0), "d"), tp("2", at(3, 0), "e")},
			conversions: []Conversion{won("1", at(4, 0), "1"), won("1", at(7, 0), "2"), won("2", at(7, 0), "3")},
			options: &BuildOptions{Milestones: ledger.Slice([]ledger.Event{
				{Customer: "1", At: at(2, 1), Name: "lead"}, {Customer: "1", At: at(2, 2), Name: "lead"}, {Customer: "1", At: at(3, 0), Name: "opportunity"},
				{Customer: "1", At: at(6, 0), Name: "lead"}, {Customer: "2", At: at(1, 0), Name: "lead"}, {Customer: "9", At: at(1, 0), Name: "lead"}, {Customer: "", Name: "visit"}})},
			want:   []string{"a>b>c lead 2 opportunity 3 1/0 1.00", "d lead 1 opportunity 0 1/0 2.00", "e 1/0 3.00"},
			report: Report{Customers: 2, Touchpoints: 5, Conversions: 3},
		},
	}
	for _, test := range tests {
		js, err := Build(context.Background(), ledger.Slice(test.touches), ledger.Slice(test.conversions), end, test.options)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, lines(js)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, diff)
		}
		if diff := cmp.Diff(test.report, js.Report(), cmp.Comparer(money.Amount.Equal)); diff != "" {
			t.Errorf("%s: report (-want +got)\n%s", test.name, diff)
		}
	}
}

// Nothing is lost between records and journeys, whatever the options.
func TestBuildConserves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	end := at(31, 0)
	for range 200 {
		var touches []Touchpoint
		var conversions []Conversion
		var value money.Sum
		for range r.IntN(200) {
			touches = append(touches, tp(fmt.Sprint(r.IntN(20)), at(1, r.Float64()*800), fmt.Sprint("c", r.IntN(4))))
		}
		for range 1 + r.IntN(60) {
			c := won(fmt.Sprint(r.IntN(20)), at(1, r.Float64()*800), fmt.Sprint(r.IntN(100)))
			conversions = append(conversions, c)
			if !c.At.After(end) {
				value.Add(c.Value)
			}
		}
		touches = append(touches, tp("x", at(1, 0), "c0"))
		o := &BuildOptions{Direct: "c0", Lookback: time.Duration(r.IntN(3)*100) * time.Hour, Session: time.Duration(r.IntN(2)*5) * time.Hour,
			Repeat: []Repeat{SinceLast, Reuse}[r.IntN(2)], DirectIfNone: r.IntN(2) == 0}
		build := func() *Journeys {
			js, err := Build(context.Background(), ledger.Slice(touches), ledger.Slice(conversions), end, o)
			if err != nil {
				t.Fatal(err)
			}
			return js
		}
		js := build()
		total, rep := js.Totals(), js.Report()
		if got := total.Conversions + rep.Unattributed + rep.ConversionsAfterEnd; got != int64(len(conversions)) {
			t.Errorf("%+v: %d conversions of %d", o, got, len(conversions))
		}
		want, err := value.Total()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := total.Value.Add(rep.UnattributedValue); err != nil || !got.Equal(want) {
			t.Errorf("%+v: value %s of %s, %v", o, got, want, err)
		}
		if o.Repeat == SinceLast && !o.DirectIfNone {
			// Every touch is in one journey; journeys of several conversions at a moment count it for each, which these are not.
			if got := total.Touches + rep.MergedBySession + rep.TouchpointsAfterEnd; got != int64(len(touches)) {
				t.Errorf("%+v: %d touches of %d", o, got, len(touches))
			}
		}
		before := encoded(t, js)
		r.Shuffle(len(touches), func(i, j int) { touches[i], touches[j] = touches[j], touches[i] })
		r.Shuffle(len(conversions), func(i, j int) { conversions[i], conversions[j] = conversions[j], conversions[i] })
		if after := encoded(t, build()); after != before {
			t.Errorf("%+v: the order of rows matters", o)
		}
	}
}

func TestBuildAges(t *testing.T) {
	js, err := Build(context.Background(), ledger.Slice([]Touchpoint{tp("1", at(1, 0), "a"), tp("1", at(8, 0), "b")}),
		ledger.Slice([]Conversion{won("1", at(8, 0), "30")}), at(31, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := mustAttribute(t, js, TimeDecay{})
	if a, b := r.Credits[0], r.Credits[1]; !near(a.Conversions, 1.0/3, 1e-15) || !a.Value.Equal(usd("10")) || !b.Value.Equal(usd("20")) {
		t.Errorf("got %+v", r.Credits)
	}
}

func TestFromTransactions(t *testing.T) {
	log := []ledger.Transaction{
		{Customer: "1", At: at(1, 0), Amount: usd("10"), ID: "A"}, {Customer: "1", At: at(1, 0), Amount: usd("5"), ID: "A"},
		{Customer: "2", At: at(1, 0), Amount: usd("7"), ID: "A"},
		{Customer: "2", At: at(2, 0), Amount: usd("7")}, {Customer: "2", At: at(3, 0), Amount: usd("-7")},
		{Customer: "3", At: at(4, 0), Amount: usd("0")},
	}
	got, err := ledger.Collect(FromTransactions(ledger.Transactions(log)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Conversion{won("1", at(1, 0), "15"), won("2", at(1, 0), "7"), won("2", at(2, 0), "7"), won("3", at(4, 0), "0")}
	if diff := cmp.Diff(want, got, cmp.Comparer(money.Amount.Equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	log[1].Amount = money.MustParse("5", "EUR")
	_, err = ledger.Collect(FromTransactions(ledger.Transactions(log)))
	if want := `row 2: field "amount": value "EUR 5.00": money: currencies differ: USD and EUR`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
