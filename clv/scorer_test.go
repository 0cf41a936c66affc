package clv

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

var yearly = ValueOptions{Horizon: 52, Margin: 0.30, Discount: Annual(0.10)}

func newTestScorer(t testing.TB, v ValueOptions, o *ScorerOptions) *Scorer {
	t.Helper()
	s, err := NewScorer(estimateOf(cdnowModel), estimateOf(published), "USD", v, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// simulated are customers of the CDNOW models with spend in dollars.
func simulated(n int, seed uint64) *Histories {
	r := rand.New(rand.NewPCG(seed, 2))
	hs := &Histories{Unit: Week, End: day("1997-09-30"), Rows: make([]History, n)}
	for i := range hs.Rows {
		h := cdnowModel.Rand(r, 27+12*r.Float64())
		h.Customer = fmt.Sprintf("c%06d", i)
		total := 0.0
		if h.X > 0 {
			total = published.Rand(r, h.X) * float64(h.X)
		}
		spend, err := money.FromFloat(total, "USD", money.HalfEven)
		if err != nil {
			panic(err)
		}
		h.Spend = spend
		hs.Rows[i] = h
	}
	return hs
}

func TestScorerEqualsItsParts(t *testing.T) {
	hs := simulated(20_000, 1)
	for _, v := range []ValueOptions{yearly, {Horizon: 10, Margin: 1}, {Margin: 0.3, Discount: Annual(0.15)}} {
		rows := hs.Rows
		if v.Horizon == 0 {
			rows = rows[:500] // for ever has no closed form
		}
		s := newTestScorer(t, v, nil)
		i := 0
		for sc, err := range s.All(&Histories{Unit: Week, Rows: rows}) {
			if err != nil {
				t.Fatal(err)
			}
			h := rows[i]
			value, err := Value(cdnowModel, published, h, Week, v)
			if err != nil {
				t.Fatal(err)
			}
			purchases := cdnowModel.ExpectedPurchases(h, v.Horizon)
			if v.Horizon == 0 {
				purchases = cdnowModel.DERT(h, s.delta)
			}
			if sc.Customer != h.Customer || sc.ProbAlive != cdnowModel.ProbAlive(h) || math.Abs(sc.Purchases/purchases-1) > 1e-12 || !sc.Value.Equal(value) {
				t.Fatalf("%+v: score %+v, want %v alive, %v purchases, %v", h, sc, cdnowModel.ProbAlive(h), purchases, value)
			}
			i++
		}
		if i != len(rows) {
			t.Errorf("%d scores, want %d", i, len(rows))
		}
	}
}

func TestScorerTop(t *testing.T) {
	hs := simulated(5000, 1)
	hs.Rows = append(hs.Rows, hs.Rows[:100]...) // equal values, told apart by the customer
	for i := range 100 {
		hs.Rows[5000+i].Customer = "again " + hs.Rows[i].Customer
	}
	s := newTestScorer(t, yearly, nil)
	all, err := ledger.Collect(s.All(hs))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b Score) int {
		c, _ := b.Value.Cmp(a.Value)
		return cmp.Or(c, strings.Compare(a.Customer, b.Customer))
	})
	for _, n := range []int{0, 1, 20, 3000, 5100, 99_999} {
		got, err := s.Top(hs, n)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(all[:min(n, len(all))], []Score(got), exact); diff != "" {
			t.Errorf("top %d (-want +got):\n%s", n, diff)
		}
	}
	if _, err := s.Top(hs, -1); err == nil || err.Error() != "clv: top -1: negative" {
		t.Errorf("error %v", err)
	}
}

func TestFitScorer(t *testing.T) {
	hs := simulated(5000, 1)
	s, err := FitScorer(context.Background(), hs, yearly)
	if err != nil {
		t.Fatal(err)
	}
	if s.Unit() != Week || s.Currency() != "USD" || s.Options() != yearly || s.Purchases().Kind() != "bgnbd" || s.Spend().Kind() != "gammagamma" {
		t.Errorf("scorer %+v", s)
	}
	top, err := s.Top(hs, 3)
	if err != nil || len(top) != 3 {
		t.Fatal(top, err)
	}
	total, err := top.Total()
	if want, _ := money.Total(top[0].Value, top[1].Value, top[2].Value); err != nil || !total.Equal(want) {
		t.Errorf("total %v, %v, want %v", total, err, want)
	}
	if _, err := FitScorer(context.Background(), hs, ValueOptions{}); err == nil || !strings.Contains(err.Error(), "margin") {
		t.Errorf("error %v without a margin", err)
	}
	if _, err := FitScorer(context.Background(), nil, yearly); err == nil {
		t.Error("no error without histories")
	}
	never := &Histories{Unit: Week, Rows: []History{{T: 3}, {T: 5}}}
	if s, err := FitScorer(context.Background(), never, yearly); err == nil || s != nil {
		t.Error("no error without repeat purchases")
	}
}

func TestNewScorerErrors(t *testing.T) {
	bg, gg := estimateOf(cdnowModel), estimateOf(published)
	unitless := &fit.Estimate[BGNBD]{Model: cdnowModel}
	for _, c := range []struct {
		make func() (*Scorer, error)
		want string
	}{
		{func() (*Scorer, error) { return NewScorer[BGNBD](nil, gg, "USD", yearly, nil) }, "clv: scorer: no estimate"},
		{func() (*Scorer, error) { return NewScorer[BGNBD, GammaGamma](bg, nil, "USD", yearly, nil) }, "clv: scorer: no estimate"},
		{func() (*Scorer, error) { return NewScorer(unitless, gg, "USD", yearly, nil) }, "clv: unit 0s: want a positive one, such as clv.Week"},
		{func() (*Scorer, error) { return NewScorer(estimateOf(BGNBD{}), gg, "USD", yearly, nil) }, "clv: scorer: clv: bgnbd: R = 0: want a positive finite number"},
		{func() (*Scorer, error) { return NewScorer(bg, gg, "USD", ValueOptions{}, nil) }, "clv: margin 0: want a share above 0 and up to 1, 0.30 for 30 %"},
		{func() (*Scorer, error) { return NewScorer(bg, gg, "USD", yearly, &ScorerOptions{Granularity: 7}) }, "clv: scorer: unknown granularity 7"},
	} {
		if _, err := c.make(); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	for _, c := range []money.Currency{"", "XAU", "dollar"} {
		if _, err := NewScorer(bg, gg, c, yearly, nil); err == nil {
			t.Errorf("no error for the currency %q", c)
		}
	}
}

func TestScorerAllErrors(t *testing.T) {
	s := newTestScorer(t, yearly, nil)
	euro := customer
	euro.Spend = money.MustParse("3", "EUR")
	bad := customer
	bad.X = -1
	rows := []History{customer, bad, euro, customer}
	var got []string
	for sc, err := range s.All(&Histories{Unit: Week, Rows: rows}) {
		if err != nil {
			var row *ledger.RowError
			if !errors.As(err, &row) {
				t.Errorf("error %v is not a RowError", err)
			}
			got = append(got, err.Error())
			continue
		}
		got = append(got, sc.Value.String())
	}
	value, err := Value(cdnowModel, published, customer, Week, yearly)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{value.String(), `clv: row 2: field "X": value "-1": negative`,
		`clv: row 3: field "Spend": value "EUR 3.00": ` + (&money.CurrencyMismatchError{A: "USD", B: "EUR"}).Error(), value.String()}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, hs := range []*Histories{nil, {Unit: Day, Rows: rows}} {
		if _, err := s.Top(hs, 1); err == nil {
			t.Error("no error for nil histories or another unit")
		}
	}
	ever := newTestScorer(t, ValueOptions{Margin: 0.3}, nil)
	for _, err := range ever.All(&Histories{Unit: Week, Rows: rows[:1]}) {
		if !errors.Is(err, ErrInfinite) {
			t.Errorf("error %v, want ErrInfinite", err)
		}
	}
}

func TestScorerJSON(t *testing.T) {
	hs := simulated(50, 1)
	for _, o := range []*ScorerOptions{
		nil,
		{Location: mustLoad(t, "Europe/Istanbul"), End: day("2025-12-31")},
		{Location: time.FixedZone("", 3*60*60), Granularity: ByInstant},
	} {
		s := newTestScorer(t, yearly, o)
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Scorer
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := json.Marshal(&back)
		if err != nil || !bytes.Equal(text, again) {
			t.Errorf("%s became %s (%v)", text, again, err)
		}
		want, err := s.Top(hs, 50)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := back.Top(hs, 50); err != nil || gocmp.Diff(want, got, exact) != "" {
			t.Errorf("the copy scores differently: %v", err)
		}
		tx := ledger.Transaction{Customer: "a", At: time.Date(2025, 6, 1, 22, 30, 0, 0, time.UTC), Amount: usd("3")}
		a, err := s.Observe(State{}, tx)
		if err != nil {
			t.Fatal(err)
		}
		b, err := back.Observe(State{}, tx)
		if err != nil || !a.AsOf().Equal(b.AsOf()) {
			t.Errorf("the copy sees the day %v (%v), want %v", b.AsOf(), err, a.AsOf())
		}
		other, err := DecodeScorer[BGNBD, GammaGamma](text)
		if err != nil || other.Purchases() != Model(cdnowModel) {
			t.Errorf("decoded %+v, %v", other, err)
		}
	}
}

// Every purchase model of the package can stand in a stored Scorer.
func TestScorerJSONKinds(t *testing.T) {
	check := func(s *Scorer, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Scorer
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(s.Purchases(), back.Purchases()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		want, err := s.Top(simulated(20, 1), 20)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := back.Top(simulated(20, 1), 20); err != nil || gocmp.Diff(want, got, exact) != "" {
			t.Errorf("%s scores differently after JSON (%v)", s.Purchases().Kind(), err)
		}
	}
	gg := estimateOf(published)
	check(NewScorer(estimateOf(cdnowModel), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(MBGNBD{R: 0.52, Alpha: 6.2, A: 0.89, B: 1.6}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(NBD{R: 0.38, Alpha: 12}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(ParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(CorrelatedParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7, M: 5}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(BGCNBD{K: 2, R: 0.5, Alpha: 4.4, A: 0.8, B: 2.4}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(MBGCNBD{K: 3, R: 0.5, Alpha: 4.4, A: 0.8, B: 2.4}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(GGompertzNBD{R: 0.55, Alpha: 10.6, B: 0.05, S: 0.6, Beta: 2}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(PDO{R: 0.55, Alpha: 10.6, A: 0.6, B: 3, Period: 4}), gg, "USD", yearly, nil))
	check(NewScorer(estimateOf(cdnowModel), estimateOf(NormalNormal{Mu: 30, Tau: 10, Sigma: 20}), "USD", yearly, nil))
}

func TestScorerJSONErrors(t *testing.T) {
	good, err := json.Marshal(newTestScorer(t, yearly, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new string }{
		{"scorer/v1", "scorer/v2"}, {"model/bgnbd", "model/mbgnbd2"}, {"model/gammagamma", "model/normal"}, {`"margin":0.3`, `"margin":30`},
		{`"location":"UTC"`, `"location":"Local"`}, {`"location":"UTC"`, `"location":"Nowhere/Land"`}, {`"location":"UTC"`, `"location":"../etc"`},
		{`"currency":"USD"`, `"currency":""`}, {`"unit":"168h0m0s"`, `"unit":"0s"`}, {`"unit":"168h0m0s"`, `"unit":"x"`},
		{`"granularity":"day"`, `"granularity":"hour"`}, {`"currency"`, `"money"`}, {`"r":0.24`, `"r":-0.24`}, {`"rate":0.1`, `"rate":-0.1`},
		{`"purchases":{"schema":"custval/model/bgnbd/v1"`, `"purchases":{"schema":"custval/model/gammagamma/v1"`}, {"}}", "}} 1"},
	} {
		text := strings.Replace(string(good), c.old, c.new, 1)
		if text == string(good) {
			t.Fatalf("%s is not in %s", c.old, good)
		}
		var s Scorer
		if err := json.Unmarshal([]byte(text), &s); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	s := newTestScorer(t, yearly, nil)
	s.loc = time.Local
	if start, end := time.Now().ZoneBounds(); !start.IsZero() || !end.IsZero() {
		if _, err := json.Marshal(s); err == nil {
			t.Error("time.Local was written")
		}
	}
}

func TestScoresTables(t *testing.T) {
	scores := Scores{
		{Customer: "0007", ProbAlive: 0.93456, Purchases: 12.3456, Value: usd("1234.5")},
		{Customer: "a,b\n\"c\"", ProbAlive: 1, Purchases: 0.05, Value: usd("0.7")},
	}
	want := `  customer  P(alive)  purchases        value
      0007     0.935      12.35  USD 1234.50
   a,b "c"     1.000       0.05     USD 0.70`
	if diff := gocmp.Diff(strings.TrimSpace(want), strings.TrimSpace(scores.String())); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
	var b bytes.Buffer
	if err := scores.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	wantCSV := "customer,prob_alive,purchases,value,currency\n0007,0.93456,12.3456,1234.50,USD\n\"a,b\n\"\"c\"\"\",1,0.05,0.70,USD\n"
	if diff := gocmp.Diff(wantCSV, b.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	text, err := json.Marshal(scores[0])
	if want := `{"customer":"0007","prob_alive":0.93456,"purchases":12.3456,"value":{"amount":"1234.50","currency":"USD"}}`; err != nil || string(text) != want {
		t.Errorf("JSON %s, %v, want %s", text, err, want)
	}
	if err := scores.WriteCSV(failingWriter{}); err == nil {
		t.Error("a failing writer gives no error")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("full") }

// FIRST-HOUR 3: the best customers of a shop by expected value.
func ExampleFitScorer() {
	ctx := context.Background()
	log := shop(400)
	end := time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	hs, err := Summarize(ctx, ledger.Transactions(log), end, Week, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := FitScorer(ctx, hs, ValueOptions{Margin: 0.30, Horizon: 52, Discount: Annual(0.10)})
	if err != nil {
		fmt.Println(err)
		return
	}
	top, err := s.Top(hs, 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hs.Report)
	fmt.Println(top)
	// Output:
	// 2058  rows read
	//   2016  purchases
	//    400  customers
	//     39  rows merged with another purchase of the same time
	//      3  rows after the end left out
	//   customer  P(alive)  purchases      value
	//       c135     0.890       4.35  USD 72.29
	//       c271     0.778       6.68  USD 71.41
	//       c047     0.816       6.81  USD 70.73
	//       c055     0.859       5.82  USD 66.53
	//       c131     0.784       5.33  USD 64.30
}

// shop simulates the log of a year: customers of different rhythm, who spend differently and leave after any purchase.
func shop(customers int) []ledger.Transaction {
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	end := start.AddDate(1, 0, 0)
	var log []ledger.Transaction
	for i := range customers {
		rhythm := 4 / r.ExpFloat64() // weeks from purchase to purchase
		mean := 20 * math.Exp(r.NormFloat64()/2)
		for at := start.AddDate(0, 0, r.IntN(250)); at.Before(end); {
			amount, err := money.FromFloat(mean*(0.5+r.Float64()), "USD", money.HalfEven)
			if err != nil {
				panic(err)
			}
			log = append(log, ledger.Transaction{Customer: fmt.Sprintf("c%03d", i), At: at, Amount: amount})
			if r.Float64() < 0.1 {
				break
			}
			at = at.Add(time.Duration(min(rhythm*r.ExpFloat64(), 100) * float64(Week)))
		}
	}
	return log
}

func BenchmarkScore(b *testing.B) {
	for _, c := range []struct {
		name string
		v    ValueOptions
	}{{"horizon", ValueOptions{Horizon: 30, Margin: 0.3, Discount: Annual(0.1)}}, {"forever", ValueOptions{Margin: 0.3, Discount: Annual(0.1)}}} {
		b.Run(c.name, func(b *testing.B) {
			s := newTestScorer(b, c.v, nil)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.score(customer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkScorerAll(b *testing.B) {
	hs := simulated(100_000, 1)
	s := newTestScorer(b, yearly, nil)
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range s.All(hs) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(hs.Rows))*float64(b.N)/b.Elapsed().Seconds(), "customers/s")
}
