package attribution

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/money"
)

type timeDuration = time.Duration

// allModels has every model of the package.
func allModels() []Model {
	return []Model{
		First{}, Last{}, LastNonDirect{Direct: "c01"}, Linear{}, LinearDistinct{},
		Position{}, Position{First: 0.3, Middle: 0.3, Last: 0.4, Two: Renormalize}, WShaped{}, FullPath{},
		TimeDecay{}, TimeDecay{HalfLife: time.Hour}, TimeDecay{Whole: true},
		Custom{Label: "later is more", Weights: func(j Journey) []float64 {
			w := make([]float64, len(j.Channels))
			for i := range w {
				w[i] = float64(i + 1)
			}
			return w
		}},
		Markov{}, Markov{Order: 2}, Markov{Order: 3}, Markov{KeepRepeats: true, Order: 2}, Markov{IgnoreNulls: true},
		Shapley{}, Shapley{Ordered: true}, ByGame{Game: ConversionGame},
	}
}

func TestCreditsSumToTotals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		js, err := New(randomJourneys(r, 2+r.IntN(12), 1+r.IntN(200), 1+r.IntN(12)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range allModels() {
			result := mustAttribute(t, js, m)
			conversions, share := 0.0, 0.0
			var value money.Sum
			for _, c := range result.Credits {
				conversions += c.Conversions
				share += c.Share
				value.Add(c.Value)
				if c.Conversions < 0 || c.Value.Sign() < 0 {
					t.Errorf("%s: %+v", result.Model, c)
				}
			}
			total, err := value.Total()
			if err != nil || conversions != float64(js.totals.Conversions) || share != 1 || !total.Equal(js.totals.Value) {
				t.Errorf("%s: %v of %d conversions, share %v, %s of %s, %v", result.Model, conversions, js.totals.Conversions, share, total, js.totals.Value, err)
			}
		}
	}
}

func TestProportionsSumExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		w := make([]float64, 1+r.IntN(40))
		for i := range w {
			w[i] = r.ExpFloat64() * []float64{1, 1e-9, 1e9, 0}[r.IntN(4)]
		}
		w[r.IntN(len(w))] = 1
		total := float64(r.Int64N(1 << (1 + r.IntN(52))))
		sum, all := 0.0, 0.0
		for _, x := range w {
			all += x
		}
		for i, x := range proportions(w, total) {
			sum += x
			if want := w[i] / all * total; x < 0 || math.Abs(x-want) > 1e-12*want && math.Abs(x-want) > total*0x1p-49 {
				t.Fatalf("weight %v of %v became %v of %v", w[i], all, x, total)
			}
		}
		if sum != total {
			t.Fatalf("%v adds up to %v, not %v", w, sum, total)
		}
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOrderOfInput(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	in := randomJourneys(r, 8, 400, 8)
	in = append(in, in[:100]...) // repeats
	ctx := context.Background()
	var want []string
	for round := range 4 {
		js, err := New(in, &Options{Direct: "c03"})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{encoded(t, js)}
		for _, m := range allModels() {
			got = append(got, encoded(t, mustAttribute(t, js, m)))
		}
		orders, err := SelectOrder(ctx, js, &OrderOptions{Max: 3})
		if err != nil {
			t.Fatal(err)
		}
		intervals, err := Bootstrap(ctx, js, TimeDecay{}, &BootstrapOptions{Replicates: 20, Workers: 1 + round})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, encoded(t, orders), encoded(t, intervals))
		if round == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("round %d (-want +got)\n%s", round, diff)
		}
		r.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
	}
}

// Twice the journeys give twice the credit, and the same shares.
func TestDuplicatedData(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	in := randomJourneys(r, 6, 200, 8)
	once, err := New(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, times := range []int{2, 3, 8} {
		many, err := New(slices.Repeat(in, times), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range allModels() {
			a, b := mustAttribute(t, once, m), mustAttribute(t, many, m)
			for i := range a.Credits {
				if !near(b.Credits[i].Share, a.Credits[i].Share, 1e-13) || !near(b.Credits[i].Conversions, float64(times)*a.Credits[i].Conversions, 1e-13) {
					t.Errorf("%s, %d times: %+v became %+v", m.Name(), times, a.Credits[i], b.Credits[i])
				}
			}
		}
	}
}

// Rows of one way are the same as one row that counts them.
func TestCountsAreRepeats(t *testing.T) {
	one, err := New([]Journey{{Channels: []string{"a", "b"}, Conversions: 2, Nulls: 1, Value: usd("4"), Ages: days(1, 0)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	rows := []Journey{
		{Channels: []string{"a", "b"}, Conversions: 1, Value: usd("2"), Ages: days(1, 0)},
		{Channels: []string{"a", "b"}, Nulls: 1},
		{Channels: []string{"a", "b"}, Conversions: 1, Value: usd("2"), Ages: days(1, 0)},
	}
	three, err := New(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := encoded(t, one), encoded(t, three); a != b {
		t.Errorf("%s\n%s", a, b)
	}
	if len(one.atoms) != 1 || len(three.atoms) != 1 || one.atoms[0].count != 2 || three.atoms[0].count != 2 {
		t.Errorf("%+v, %+v", one.atoms, three.atoms)
	}
}

// A channel in no converting journey gets nothing; a channel in all of them has a removal effect of 1.
func TestChannelsOfNoUse(t *testing.T) {
	js, err := New([]Journey{
		{Channels: []string{"all", "b"}, Conversions: 3, Nulls: 1, Value: usd("30")},
		{Channels: []string{"c", "all"}, Conversions: 1, Value: usd("1")},
		{Channels: []string{"none", "c"}, Nulls: 5},
		{Channels: []string{"none"}, Nulls: 5},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range allModels() {
		if _, ok := m.(TimeDecay); ok {
			continue // no ages
		}
		if _, ok := m.(Markov); ok {
			continue // the chain remembers less than a journey: none leads to c, from which others convert
		}
		r := mustAttribute(t, js, m)
		if c, ok := r.Credit("none"); !ok || c.Conversions != 0 || c.Value.Sign() != 0 {
			t.Errorf("%s: %+v", m.Name(), c)
		}
	}
	re, err := Markov{Order: 2}.Removal(context.Background(), js)
	if err != nil {
		t.Fatal(err)
	}
	if e := re.Effects[0]; e.Channel != "all" || e.Conversions != 1 || e.Value != 1 {
		t.Errorf("got %+v", e)
	}
	if e := re.Effects[3]; e.Conversions != 0 || e.Value != 0 {
		t.Errorf("got %+v", e)
	}
}

func TestInputIsNotModified(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	in := randomJourneys(r, 5, 50, 6)
	before := encoded(t, in)
	js, err := New(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := encoded(t, js)
	for _, m := range allModels() {
		mustAttribute(t, js, m)
	}
	if _, err := Bootstrap(context.Background(), js, Markov{}, &BootstrapOptions{Replicates: 5}); err != nil {
		t.Fatal(err)
	}
	in2 := js.Channels()
	in2[0] = "changed"
	if encoded(t, in) != before || encoded(t, js) != first {
		t.Error("input or journeys were modified")
	}
}
