package clv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// FuzzState and the property tests send every state through JSON, as a service does.
func stored(t testing.TB, st State) State {
	t.Helper()
	text, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var back State
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return back
}

// Observing a log in order and advancing to the end gives the histories of Summarize to the last bit.
func TestObserveEqualsSummarize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, o := range []ScorerOptions{{}, {Location: mustLoad(t, "America/New_York")}, {Granularity: ByInstant}} {
		s := newTestScorer(t, yearly, &o)
		rows := shopLog(r, 60, 1500)
		end := day("2025-05-15")
		hs := summarize(t, rows, end, Week, &SummaryOptions{Location: s.loc, Granularity: o.Granularity})
		slices.SortStableFunc(rows, func(a, b ledger.Transaction) int { return a.At.Compare(b.At) })
		states := map[string]State{}
		for _, tx := range rows {
			st, err := s.Observe(states[tx.Customer], tx)
			if err != nil {
				t.Fatal(err)
			}
			states[tx.Customer] = stored(t, st)
		}
		all := newPartial(t, &PartialOptions{Location: s.loc, Granularity: o.Granularity}, rows...)
		n := 0
		for st, err := range s.States(all) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			want, _ := json.Marshal(s.Advance(states[st.Customer()], tickTime(s.grain, all.last).Add(6*time.Hour)))
			got, _ := json.Marshal(s.Advance(st, tickTime(s.grain, all.last).Add(6*time.Hour)))
			if !bytes.Equal(want, got) {
				t.Errorf("observed %s\nsummarized %s", want, got)
			}
		}
		if n != len(states) {
			t.Errorf("%d states, want %d", n, len(states))
		}
		for _, want := range hs.Rows {
			st := s.Advance(states[want.Customer], end)
			got, err := s.History(st)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, exact); diff != "" {
				t.Errorf("%+v: (-summarized +observed):\n%s", o, diff)
			}
			score, err := s.Score(st)
			if err != nil {
				t.Fatal(err)
			}
			batch, err := ledger.Collect(s.All(&Histories{Unit: Week, Rows: []History{want}}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(batch[0], score, exact); diff != "" {
				t.Errorf("(-batch +state):\n%s", diff)
			}
		}
	}
}

// A late transaction is entered as if it had come in time, or refused; it never gives a wrong history.
func TestObserveLate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newTestScorer(t, yearly, nil)
	end := day("2025-06-30")
	refused, entered := 0, 0
	for range 2000 {
		var seen []ledger.Transaction
		var st State
		for range 6 {
			tx := shopLog(r, 1, 1)[0]
			next, err := s.Observe(st, tx)
			if err != nil {
				if !strings.Contains(err.Error(), errTooLate.Error()) || cmp.Diff(stored(t, st), stored(t, next), cmp.AllowUnexported(State{}, tally{}, dated{}), exact) != "" {
					t.Fatalf("error %v", err)
				}
				refused++
				continue
			}
			entered++
			st = next
			seen = append(seen, tx)
		}
		hs := summarize(t, seen, end, Week, nil)
		if len(hs.Rows) == 0 {
			continue
		}
		got, err := s.History(s.Advance(stored(t, st), end))
		if err != nil {
			t.Fatal(err)
		}
		want := hs.Rows[0]
		if d := got.LogGaps - want.LogGaps; d > 1e-13 || d < -1e-13 {
			t.Errorf("LogGaps %v, want %v", got.LogGaps, want.LogGaps)
		}
		got.LogGaps = want.LogGaps
		if diff := cmp.Diff(want, got, exact); diff != "" {
			t.Fatalf("%v (-summarized +observed):\n%s", seen, diff)
		}
	}
	if refused == 0 || entered < 5*refused {
		t.Errorf("%d transactions refused, %d entered", refused, entered)
	}
}

func TestStateIsNotModified(t *testing.T) {
	s := newTestScorer(t, yearly, nil)
	st, err := s.Observe(State{}, buy("a", "2025-01-10", "-5"))
	if err != nil {
		t.Fatal(err)
	}
	before, _ := json.Marshal(st)
	for _, tx := range []ledger.Transaction{buy("a", "2025-01-10", "-1"), buy("a", "2025-01-05", "-1"), buy("a", "2025-01-10", "9"), buy("a", "2025-01-02", "9")} {
		if _, err := s.Observe(st, tx); err != nil {
			t.Fatal(err)
		}
		if after, _ := json.Marshal(st); !bytes.Equal(before, after) {
			t.Errorf("%s became %s", before, after)
		}
	}
}

func TestObserveErrors(t *testing.T) {
	s := newTestScorer(t, yearly, nil)
	st := State{}
	for _, date := range []string{"2025-01-01", "2025-02-01", "2025-03-01"} {
		var err error
		if st, err = s.Observe(st, buy("a", date, "10")); err != nil {
			t.Fatal(err)
		}
	}
	euro := buy("a", "2025-04-01", "1")
	euro.Amount = money.MustParse("3", "EUR")
	mismatch := (&money.CurrencyMismatchError{A: "USD", B: "EUR"}).Error()
	for _, c := range []struct {
		st   State
		tx   ledger.Transaction
		want string
	}{
		{st, buy("", "2025-04-01", "1"), "clv: observe: no customer"},
		{st, buy("b", "2025-04-01", "1"), `clv: observe: a transaction of customer "b": of another customer than the state, "a"`},
		{st, euro, `clv: observe: customer "a": EUR 3.00: ` + mismatch},
		{st, ledger.Transaction{Customer: "a"}, `clv: observe: customer "a": time 0001-01-01T00:00:00Z: no time`},
		{st, buy("a", "2025-01-15", "1"),
			`clv: observe: customer "a": USD 1.00 at 2025-01-15T00:00:00Z: between two purchases already seen, of which only the first and the last are known by date`},
	} {
		got, err := s.Observe(c.st, c.tx)
		if err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
		if got.Purchases() != 3 || !got.AsOf().Equal(day("2025-03-01")) {
			t.Errorf("state %+v after an error", got)
		}
	}
	byInstant := newTestScorer(t, yearly, &ScorerOptions{Granularity: ByInstant})
	want := `clv: observe: customer "a": the state was made with another unit of time or granularity: 168h0m0s by day, the scorer has 168h0m0s by instant`
	if _, err := byInstant.Observe(st, buy("a", "2025-04-01", "1")); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := byInstant.Score(st); err == nil {
		t.Error("no error for a state of another granularity")
	}
	refund, err := s.Observe(State{}, buy("a", "2025-01-01", "-10"))
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range []State{{}, refund} {
		want := fmt.Sprintf("clv: customer %q: the state has seen no purchase", st.Customer())
		if _, err := s.Score(st); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestStatesErrors(t *testing.T) {
	s := newTestScorer(t, yearly, nil)
	euros := newPartial(t, nil, ledger.Transaction{Customer: "a", At: day("2025-01-01"), Amount: money.MustParse("3", "EUR")})
	for _, c := range []struct {
		p    *Partial
		want string
	}{
		{nil, "clv: states: no summary"},
		{newPartial(t, &PartialOptions{Granularity: ByInstant}), "clv: states: the summary is by instant, the scorer by day"},
		{newPartial(t, &PartialOptions{Location: time.FixedZone("", 3600)}), "clv: states: the summary has the days of +01:00:00, the scorer those of UTC"},
		{euros, "clv: states: " + (&money.CurrencyMismatchError{A: "USD", B: "EUR"}).Error()},
	} {
		for _, err := range s.States(c.p) {
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		}
	}
}

func TestAdvance(t *testing.T) {
	s := newTestScorer(t, yearly, nil)
	st, err := s.Observe(State{}, buy("a", "2025-01-01", "10"))
	if err != nil {
		t.Fatal(err)
	}
	if st, err = s.Observe(st, buy("a", "2025-01-20", "10")); err != nil {
		t.Fatal(err)
	}
	last := 2.0
	for _, now := range []string{"2025-01-20", "2025-02-20", "2025-06-01", "2026-01-01"} {
		score, err := s.Score(s.Advance(st, day(now)))
		if err != nil || !(score.ProbAlive < last) {
			t.Errorf("%s: P(alive) %v after %v (%v)", now, score.ProbAlive, last, err)
		}
		last = score.ProbAlive
	}
	for _, now := range []time.Time{day("2025-01-19"), {}, time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := s.Advance(st, now); !got.AsOf().Equal(day("2025-01-20")) {
			t.Errorf("advanced to %v gives %v, want the state as it was", now, got.AsOf())
		}
	}
	if got := s.Advance(State{}, day("2025-01-19")); !got.AsOf().IsZero() {
		t.Errorf("the zero state is as of %v", got.AsOf())
	}
}

func TestStateJSON(t *testing.T) {
	s := newTestScorer(t, yearly, nil)
	var st State
	for _, tx := range []ledger.Transaction{buy("a", "2024-12-20", "-3"), buy("a", "2025-01-01", "10"), buy("a", "2025-01-15", "4.50")} {
		var err error
		if st, err = s.Observe(st, tx); err != nil {
			t.Fatal(err)
		}
	}
	want := `{"schema":"custval/state/v1","customer":"a","unit":"168h0m0s","as_of":"2025-01-31","purchases":2,"first":"2025-01-01","last":"2025-01-15",` +
		`"log_gaps":0.6931471805599453,"first_spend":{"amount":"10.00","currency":"USD"},"repeat_spend":{"amount":"4.50","currency":"USD"},` +
		`"early_refunds":[{"at":"2024-12-20","amount":{"amount":"-3.00","currency":"USD"}}]}`
	text, err := json.Marshal(s.Advance(st, day("2025-01-31")))
	if diff := cmp.Diff(want, string(text)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if empty := stored(t, State{}); empty.Customer() != "" || empty.Purchases() != 0 || !empty.AsOf().IsZero() {
		t.Errorf("the zero state became %+v", empty)
	}
	for _, c := range []struct{ old, new, want string }{
		{"state/v1", "scorer/v1", `clv: state: the text is a "custval/scorer/v1", want "custval/state/v1"`},
		{`"customer":"a"`, `"customer":""`, `clv: state of customer "": no customer`},
		{`168h0m0s`, `-1h`, `clv: state of customer "a": unit "-1h": want a positive duration such as 168h0m0s`},
		{`"as_of":"2025-01-31"`, `"as_of":"2025-01-14"`, `clv: state of customer "a": last after as_of`},
		{`"purchases":2`, `"purchases":1`, `clv: state of customer "a": 1 purchases with log_gaps or with a last one later than the first`},
		{`"purchases":2`, `"purchases":20`, `clv: state of customer "a": 20 purchases in too short a time between first and last`},
		{`"purchases":2`, `"purchases":-2`, `clv: state of customer "a": -2 purchases`},
		{`"first":"2025-01-01"`, `"first":"2025-01-16"`, `clv: state of customer "a": last before first`},
		{`"first":"2025-01-01"`, `"first":"2025-01-15"`, `clv: state of customer "a": 2 purchases in too short a time between first and last`},
		{`"first":"2025-01-01"`, `"first":"1.1.2025"`, `clv: state of customer "a": first: "1.1.2025": want the form 2006-01-02`},
		{`"at":"2024-12-20"`, `"at":"2025-01-01"`, `clv: state of customer "a": an early refund that is not before the first purchase`},
		{`"-3.00"`, `"3.00"`, `clv: state of customer "a": early refund USD 3.00: not negative`},
	} {
		var st State
		changed := strings.Replace(want, c.old, c.new, 1)
		if err := json.Unmarshal([]byte(changed), &st); err == nil || err.Error() != c.want {
			t.Errorf("%s\ngives %v, want %s", changed, err, c.want)
		}
	}
	var back State
	for _, bad := range []string{`{}`, `{"schema":"custval/state/v1","extra":1}`, strings.Replace(want, `"10.00","currency":"USD"`, `"10.00","currency":"EUR"`, 1), want + "1"} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

// What a state decodes to encodes to a state that decodes to the same, and scores or gives an error.
func FuzzState(f *testing.F) {
	s := newTestScorer(f, yearly, nil)
	for _, rows := range [][]ledger.Transaction{{buy("a", "2025-01-01", "10")}, {buy("a", "2024-12-20", "-3"), buy("a", "2025-01-01", "10"), buy("a", "2025-01-15", "4.50")}} {
		var st State
		for _, tx := range rows {
			var err error
			if st, err = s.Observe(st, tx); err != nil {
				f.Fatal(err)
			}
		}
		text, err := json.Marshal(st)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"schema":"custval/state/v1","customer":"b","unit":"24h0m0s","as_of":"2025-01-31T10:00:00.5Z","purchases":1,"first":"1700-01-31T10:00:00Z","last":"1700-01-31T10:00:00Z"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var st State
		if json.Unmarshal(text, &st) != nil {
			return
		}
		first, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		second, err := json.Marshal(stored(t, st))
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%s became %s (%v)", first, second, err)
		}
		if h, err := s.History(st); err == nil {
			if err := h.Validate(); err != nil {
				t.Fatalf("%s gives the history %+v: %v", first, h, err)
			}
		}
		_, _ = s.Observe(st, buy(st.Customer()+"x", "2025-02-02", "3"))
		if st.Customer() != "" {
			_, _ = s.Observe(st, buy(st.Customer(), "2025-02-02", "3"))
		}
	})
}

func FuzzScorer(f *testing.F) {
	text, err := json.Marshal(newTestScorer(f, yearly, &ScorerOptions{End: day("2025-01-01")}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Scorer
		if json.Unmarshal(text, &s) != nil {
			return
		}
		first, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var back Scorer
		if err := json.Unmarshal(first, &back); err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		_, _ = s.Top(&Histories{Unit: s.Unit(), Rows: []History{{X: 2, TX: 3, T: 4}}}, 1)
	})
}

// FIRST-HOUR 10: a score in a request handler, without the log.
func ExampleScorer_Observe() {
	s, err := NewScorer(estimateOf(BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}), estimateOf(GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}),
		"USD", ValueOptions{Margin: 0.30, Horizon: 52, Discount: Annual(0.10)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var st State // a new customer's; later read from where the service keeps it
	for _, order := range []struct{ date, amount string }{{"2025-01-01", "29.33"}, {"2025-01-18", "29.73"}, {"2025-08-02", "14.96"}} {
		at, err := time.Parse(time.DateOnly, order.date)
		if err != nil {
			fmt.Println(err)
			return
		}
		st, err = s.Observe(st, ledger.Transaction{Customer: "0001", At: at, Amount: money.MustParse(order.amount, "USD")})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, now := range []time.Time{time.Date(2025, 8, 2, 0, 0, 0, 0, time.UTC), time.Date(2025, 9, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)} {
		sc, err := s.Score(s.Advance(st, now)) // silence lowers P(alive)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: alive with probability %.2f, worth %v\n", now.Format(time.DateOnly), sc.ProbAlive, sc.Value)
	}
	// Output:
	// 2025-08-02: alive with probability 0.81, worth USD 14.70
	// 2025-09-30: alive with probability 0.73, worth USD 11.04
	// 2026-03-31: alive with probability 0.48, worth USD 4.90
}
