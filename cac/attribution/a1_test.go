package attribution

import (
	"context"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func days(n ...int) []time.Duration {
	out := make([]time.Duration, len(n))
	for i, d := range n {
		out[i] = time.Duration(d) * 24 * time.Hour
	}
	return out
}

const (
	ps, display, email, direct = "Paid Search", "Display", "Email", "Direct"
)

// caseA1 is a worked example of six paths; every expected value below was computed by hand in fractions, the Markov ones
// also by two other programs.
func caseA1() []Journey {
	return []Journey{
		{Channels: []string{ps, display, email, direct}, Conversions: 10, Nulls: 30, Value: usd("1000"), Ages: days(21, 14, 7, 0)},
		{Channels: []string{display, display, ps}, Conversions: 6, Nulls: 24, Value: usd("300"), Ages: days(10, 6, 1)},
		{Channels: []string{email}, Conversions: 5, Nulls: 15, Value: usd("250"), Ages: days(0)},
		{Channels: []string{direct}, Conversions: 4, Nulls: 6, Value: usd("80"), Ages: days(0)},
		{Channels: []string{ps, direct}, Conversions: 8, Nulls: 12, Value: usd("960"), Ages: days(3, 0)},
		{Channels: []string{display, email, ps, email}, Conversions: 3, Nulls: 27, Value: usd("90"), Ages: days(28, 14, 7, 0)},
	}
}

func journeysA1(t testing.TB) *Journeys {
	t.Helper()
	js, err := New(caseA1(), &Options{Direct: direct})
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func mustAttribute(t testing.TB, js *Journeys, m Model) *Result {
	t.Helper()
	r, err := Attribute(context.Background(), js, m)
	if err != nil {
		t.Fatalf("%s: %v", m.Name(), err)
	}
	return r
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func float(r *big.Rat) float64 { f, _ := r.Float64(); return f }

func near(got, want, tolerance float64) bool {
	return got == want || math.Abs(got-want) <= tolerance*math.Abs(want)
}

func TestCaseA1(t *testing.T) {
	js := journeysA1(t)
	// In the order Paid Search, Display, Email, Direct.
	tests := []struct {
		model Model
		want  [4]string // fractions, or decimals of ten digits
		tol   float64
	}{
		{First{}, [4]string{"18", "9", "5", "4"}, 1e-15},
		{Last{}, [4]string{"6", "0", "8", "22"}, 1e-15},
		{LastNonDirect{}, [4]string{"14", "0", "18", "4"}, 1e-15},
		{Linear{}, [4]string{"37/4", "29/4", "9", "21/2"}, 1e-15},
		{LinearDistinct{}, [4]string{"21/2", "13/2", "17/2", "21/2"}, 1e-15},
		{Position{}, [4]string{"107/10", "29/5", "15/2", "12"}, 1e-15},
		{Position{First: 0.3, Middle: 0.3, Last: 0.4}, [4]string{"189/20", "6", "163/20", "62/5"}, 1e-15},
		{TimeDecay{}, [4]string{"7.87523336", "4.46600588", "9.73563218", "13.92312857"}, 2e-9},
		{TimeDecay{Whole: true}, [4]string{"7.894253", "5.036782", "9.735632", "13.333333"}, 1e-7},
		{Markov{}, [4]string{"28008/3065", "24392/3065", "6044/613", "5544/613"}, 1e-15},
		{Markov{KeepRepeats: true}, [4]string{"28008/3065", "24392/3065", "6044/613", "5544/613"}, 1e-15},
		{Markov{IgnoreNulls: true}, [4]string{"754277616/74933531", "539349048/74933531", "664363728/74933531", "739616724/74933531"}, 1e-15},
		{Shapley{}, [4]string{"21/2", "13/2", "17/2", "21/2"}, 1e-15},
		{Shapley{Ordered: true}, [4]string{"37/4", "29/4", "9", "21/2"}, 1e-15},
	}
	for _, test := range tests {
		r := mustAttribute(t, js, test.model)
		for i, channel := range []string{ps, display, email, direct} {
			c, ok := r.Credit(channel)
			if want := float(rat(test.want[i])); !ok || !near(c.Conversions, want, test.tol) {
				t.Errorf("%s: %s: got %.12g, want %.12g", r.Model, channel, c.Conversions, want)
			}
		}
		if r.Conversions != 36 || !r.Value.Equal(usd("2680")) {
			t.Errorf("%s: totals %d and %s", r.Model, r.Conversions, r.Value)
		}
	}
}

func TestCaseA1Markov(t *testing.T) {
	js := journeysA1(t)
	ctx := context.Background()
	re, err := Markov{}.Removal(ctx, js)
	if err != nil {
		t.Fatal(err)
	}
	if !near(re.Conversion, 0.24, 1e-15) || !near(re.Value, 2680.0/150, 1e-15) || re.Solver != "direct" || re.States != 4 {
		t.Errorf("got %+v", re)
	}
	want := map[string]string{ps: "389/630", display: "3049/5670", email: "1511/2268", direct: "11/18"}
	for _, e := range re.Effects {
		if w := float(rat(want[e.Channel])); !near(e.Conversions, w, 1e-15) {
			t.Errorf("%s: got %v, want %v", e.Channel, e.Conversions, w)
		}
	}

	conv, value := exactEffects(caseA1(), 1, js.channels)
	for i, e := range re.Effects {
		if !near(e.Conversions, float(conv[i]), 1e-15) || !near(e.Value, float(value[i]), 1e-15) {
			t.Errorf("%s: got %v and %v, want %v and %v", e.Channel, e.Conversions, e.Value, conv[i], value[i])
		}
	}

	// 2,680.00 by these credits, and spend divided by them.
	r := mustAttribute(t, js, Markov{})
	parts, err := r.Allocate(usd("2680.00"))
	if err != nil {
		t.Fatal(err)
	}
	money := map[string]string{}
	for i, c := range r.Credits {
		money[c.Channel] = parts[i].Number()
	}
	if diff := cmp.Diff(map[string]string{ps: "680.27", display: "592.45", email: "734.00", direct: "673.28"}, money); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	costs, err := cac.AttributeCAC(map[string]moneyAmount{ps: usd("400"), display: usd("300"), email: usd("100")}, r.ByChannel())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range costs {
		if w, ok := map[string]string{ps: "153250/3501", display: "229875/6098", email: "15325/1511", direct: "0"}[c.Channel]; !ok || !near(c.Unrounded, float(rat(w)), 1e-15) {
			t.Errorf("%s: got %v, want %s", c.Channel, c.Unrounded, w)
		}
	}
}

type moneyAmount = money.Amount

func TestCaseA1Transitions(t *testing.T) {
	js := journeysA1(t)
	start, conv, null := StateStart, StateConversion, StateNull
	tests := []struct {
		model Markov
		want  map[[2]string]string
	}{
		{Markov{}, map[[2]string]string{
			{start, ps}: "2/5", {start, display}: "2/5", {start, email}: "2/15", {start, direct}: "1/15",
			{ps, display}: "1/3", {ps, conv}: "1/20", {ps, null}: "1/5", {ps, direct}: "1/6", {ps, email}: "1/4",
			{display, email}: "7/10", {display, ps}: "3/10",
			{email, direct}: "1/3", {email, conv}: "1/15", {email, null}: "7/20", {email, ps}: "1/4",
			{direct, conv}: "11/35", {direct, null}: "24/35",
		}},
		{Markov{KeepRepeats: true}, map[[2]string]string{
			{start, ps}: "2/5", {start, display}: "2/5", {start, email}: "2/15", {start, direct}: "1/15",
			{ps, display}: "1/3", {ps, conv}: "1/20", {ps, null}: "1/5", {ps, direct}: "1/6", {ps, email}: "1/4",
			{display, email}: "7/13", {display, display}: "3/13", {display, ps}: "3/13",
			{email, direct}: "1/3", {email, conv}: "1/15", {email, null}: "7/20", {email, ps}: "1/4",
			{direct, conv}: "11/35", {direct, null}: "24/35",
		}},
		{Markov{IgnoreNulls: true}, map[[2]string]string{
			{start, ps}: "1/2", {start, display}: "1/4", {start, email}: "5/36", {start, direct}: "1/9",
			{ps, display}: "10/27", {ps, conv}: "2/9", {ps, direct}: "8/27", {ps, email}: "1/9",
			{display, email}: "13/19", {display, ps}: "6/19",
			{email, direct}: "10/21", {email, conv}: "8/21", {email, ps}: "1/7",
			{direct, conv}: "1",
		}},
		{Markov{KeepRepeats: true, IgnoreNulls: true}, map[[2]string]string{
			{start, ps}: "1/2", {start, display}: "1/4", {start, email}: "5/36", {start, direct}: "1/9",
			{ps, display}: "10/27", {ps, conv}: "6/27", {ps, direct}: "8/27", {ps, email}: "1/9",
			{display, email}: "13/25", {display, display}: "6/25", {display, ps}: "6/25",
			{email, direct}: "10/21", {email, conv}: "8/21", {email, ps}: "1/7",
			{direct, conv}: "1",
		}},
	}
	for _, test := range tests {
		ts, err := test.model.Transitions(context.Background(), js)
		if err != nil {
			t.Fatal(err)
		}
		if len(ts) != len(test.want) {
			t.Errorf("%s: %d transitions, want %d", test.model.Name(), len(ts), len(test.want))
		}
		for _, s := range ts {
			w, ok := test.want[[2]string{s.From[0], s.To[0]}]
			if !ok || !near(s.Probability, float(rat(w)), 1e-15) {
				t.Errorf("%s: %v to %v: got %v, want %s", test.model.Name(), s.From, s.To, s.Probability, w)
			}
		}
	}
}

func TestCaseM1(t *testing.T) {
	js, err := New([]Journey{
		{Channels: []string{"C1", "C2", "C3"}, Conversions: 1},
		{Channels: []string{"C1"}, Nulls: 1},
		{Channels: []string{"C2", "C3"}, Nulls: 1},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	re, err := Markov{}.Removal(context.Background(), js)
	if err != nil {
		t.Fatal(err)
	}
	r := mustAttribute(t, js, Markov{})
	for i, want := range [][2]float64{{0.5, 0.2}, {1, 0.4}, {1, 0.4}} {
		if got := [2]float64{re.Effects[i].Conversions, r.Credits[i].Conversions}; !near(got[0], want[0], 1e-15) || !near(got[1], want[1], 1e-15) {
			t.Errorf("%s: got %v, want %v", r.Credits[i].Channel, got, want)
		}
	}
	if !near(re.Conversion, 1.0/3, 1e-15) {
		t.Errorf("P = %v", re.Conversion)
	}
}

func TestOrderedShapley(t *testing.T) {
	got, err := OrderedShapley(context.Background(), journeysA1(t))
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		channel  string
		position int
	}
	want := map[key]float64{{ps, 1}: 6.5, {display, 2}: 4.5, {email, 3}: 2.5, {direct, 4}: 2.5, {display, 1}: 2.75, {ps, 3}: 2.75,
		{email, 1}: 5, {direct, 1}: 4, {direct, 2}: 4, {email, 2}: 0.75, {email, 4}: 0.75}
	have := map[key]float64{}
	for _, p := range got {
		have[key{p.Channel, p.Position}] = p.Conversions
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTouchWeights(t *testing.T) {
	path := func(n int) Journey {
		return Journey{Channels: slices.Repeat([]string{"a"}, n)}
	}
	marked := func(n, lead, opportunity int) Journey {
		j := path(n)
		j.Lead, j.Opportunity = lead, opportunity
		return j
	}
	type toucher interface {
		Touches(Journey) ([]float64, error)
	}
	tests := []struct {
		name  string
		model toucher
		in    Journey
		want  []string
	}{
		{"first", First{}, path(3), []string{"1", "0", "0"}},
		{"last", Last{}, path(3), []string{"0", "0", "1"}},
		{"linear", Linear{}, path(3), []string{"1/3", "1/3", "1/3"}},
		{"all weight on a lead that is not there", WShaped{Lead: 1}, path(4), []string{"1/4", "1/4", "1/4", "1/4"}},
		{"U of one", Position{}, path(1), []string{"1"}},
		{"U of two", Position{}, path(2), []string{"1/2", "1/2"}},
		{"U of two by either convention", Position{Two: Renormalize}, path(2), []string{"1/2", "1/2"}},
		{"30/30/40 splits the middle", Position{First: .3, Middle: .3, Last: .4}, path(2), []string{"9/20", "11/20"}},
		{"30/30/40 renormalizes", Position{First: .3, Middle: .3, Last: .4, Two: Renormalize}, path(2), []string{"3/7", "4/7"}},
		{"U of five", Position{}, path(5), []string{"2/5", "1/15", "1/15", "1/15", "2/5"}},
		{"J", Position{First: .2, Middle: .2, Last: .6}, path(3), []string{"1/5", "1/5", "3/5"}},
		{"W of six, the last makes the opportunity", WShaped{}, marked(6, 3, 0), []string{"3/10", "1/30", "3/10", "1/30", "1/30", "3/10"}},
		{"W of six, marked", WShaped{}, marked(6, 3, 6), []string{"3/10", "1/30", "3/10", "1/30", "1/30", "3/10"}},
		{"W of two, the first makes the lead", WShaped{}, marked(2, 1, 0), []string{"2/3", "1/3"}},
		{"W of one", WShaped{}, marked(1, 1, 1), []string{"1"}},
		{"W without a lead", WShaped{}, path(3), []string{"3/7", "1/7", "3/7"}},
		{"full path of eight", FullPath{}, marked(8, 3, 6), []string{"9/40", "1/40", "9/40", "1/40", "1/40", "9/40", "1/40", "9/40"}},
		{"full path, all milestones in one", FullPath{}, marked(1, 1, 1), []string{"1"}},
		{"full path of four", FullPath{}, marked(4, 2, 3), []string{"1/4", "1/4", "1/4", "1/4"}},
		{"half-life of a week", TimeDecay{}, Journey{Channels: path(4).Channels, Ages: days(21, 14, 7, 0)}, []string{"1/15", "2/15", "4/15", "8/15"}},
		{"ages beyond any exponent", TimeDecay{HalfLife: time.Second}, Journey{Channels: path(2).Channels, Ages: days(20000, 20000)}, []string{"1/2", "1/2"}},
		{"distinct channels", LinearDistinct{}, Journey{Channels: []string{"a", "b", "a"}}, []string{"1/4", "1/2", "1/4"}},
		{"last non-direct", LastNonDirect{Direct: "d"}, Journey{Channels: []string{"a", "b", "d", "d"}}, []string{"0", "1", "0", "0"}},
		{"all direct", LastNonDirect{Direct: "d"}, Journey{Channels: []string{"d", "d"}}, []string{"0", "1"}},
	}
	for _, test := range tests {
		got, err := test.model.Touches(test.in)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for i, w := range test.want {
			if len(got) != len(test.want) || !near(got[i], float(rat(w)), 1e-15) {
				t.Errorf("%s: got %v, want %v", test.name, got, test.want)
				break
			}
		}
	}
}

func TestMilestoneWeights(t *testing.T) {
	tests := []struct {
		name    string
		n       int
		touches []int
		weights []float64
		rest    float64
		want    []string
	}{
		{"W of six", 6, []int{0, 2, 5}, []float64{.3, .3, .3}, .1, []string{"3/10", "1/30", "3/10", "1/30", "1/30", "3/10"}},
		{"W of two", 2, []int{0, 0, 1}, []float64{.3, .3, .3}, .1, []string{"2/3", "1/3"}},
		{"full path of eight", 8, []int{0, 2, 5, 7}, []float64{.225, .225, .225, .225}, .1, []string{"9/40", "1/40", "9/40", "1/40", "1/40", "9/40", "1/40", "9/40"}},
		{"a milestone that is not there", 3, []int{0, -1, 2}, []float64{.3, .3, .3}, .1, []string{"3/7", "1/7", "3/7"}},
		{"no milestones", 2, nil, nil, 1, []string{"1/2", "1/2"}},
	}
	for _, test := range tests {
		got, err := MilestoneWeights(test.n, test.touches, test.weights, test.rest)
		if err != nil || len(got) != len(test.want) {
			t.Errorf("%s: %v, %v", test.name, got, err)
			continue
		}
		for i, w := range test.want {
			if !near(got[i], float(rat(w)), 1e-15) {
				t.Errorf("%s: got %v, want %v", test.name, got, test.want)
				break
			}
		}
	}
}

// The parts of a payment by position are split to the cent by the largest remainder.
func TestPositionToMoney(t *testing.T) {
	w, err := Position{}.Touches(Journey{Channels: []string{"a", "b", "c", "d", "e"}})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := usd("99.99").AllocateBy(w)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"40.00", "6.67", "6.67", "6.66", "39.99"} {
		if parts[i].Number() != want {
			t.Errorf("got %v, want %s at %d", parts, want, i)
		}
	}
}
