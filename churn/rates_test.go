package churn

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !golden.Close(got, want, tolerance) {
		t.Errorf("%s = %.15g, want %.15g (relative %g)", name, got, want, tolerance)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func TestPlainRates(t *testing.T) {
	crr, err := RetentionRate(500, 550, 100)
	if err != nil || crr != 0.9 || crr < IdealRetention {
		t.Errorf("RetentionRate = %v, %v", crr, err)
	}
	lost, err := Rate(500, 50)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Loss{Lost: 50, Base: 500, Value: 0.10, Basis: AtStart}, lost); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := lost.Retained() + lost.Value; got != 1 {
		t.Errorf("churn and retention add up to %v", got)
	}
	// The Wilson interval of 50 in 500: (p + z^2/2n -+ z sqrt(p q/n + z^2/4n^2))/(1 + z^2/n) with z = 1.959963984540054,
	// worked out with 20 digits.
	low, high, err := lost.Interval(0.95)
	if err != nil {
		t.Fatal(err)
	}
	z, n, p := 1.959963984540054, 500.0, 0.1
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	near(t, "low", low, (p+z*z/(2*n)-half)/(1+z*z/n), 1e-12)
	near(t, "high", high, (p+z*z/(2*n)+half)/(1+z*z/n), 1e-12)
	renewed, err := RenewalRate(45, 50)
	if err != nil || renewed.Value != 0.9 {
		t.Errorf("RenewalRate = %v, %v", renewed, err)
	}
	e, err := ExpectedRate([]string{"a", "b", "c"}, func(c string) float64 { return map[string]float64{"a": 1, "b": 0.5, "c": 0.25}[c] })
	if err != nil || e.Lost != 1.25 || e.Base != 3 {
		t.Errorf("ExpectedRate = %+v, %v", e, err)
	}
	near(t, "standard error", e.StdErr, math.Sqrt(0.25+0.1875)/3, 1e-15)
	for _, b := range Benchmarks() {
		if b.Source == "" || b.Name == "" {
			t.Errorf("benchmark %+v has no name or no source", b)
		}
	}
}

func TestRateErrors(t *testing.T) {
	for _, c := range []struct {
		name      string
		err       error
		text      string
		undefined bool
	}{
		{"no base", second(Rate(0, 0)), "churn: rate, at start: no customers in the base: undefined", true},
		{"negative", second(Rate(5, -1)), "churn: rate: -1 lost of 5: a count is negative", false},
		{"too many", second(Rate(5, 6)), "churn: rate: 6 lost of 5: more than there were; customers who joined later are not in the base", false},
		{"start 0", second(RetentionRate(0, 5, 5)), "churn: retention: nothing in the base: undefined", true},
		{"new only of the period", second(RetentionRate(500, 550, 20)), "churn: retention: 550 at the end without 20 new are 530, more than the 500 at the start: " +
			"new must count everybody at the end who was not there at the start, customers who came back included", false},
		{"all who joined", second(RetentionRate(500, 550, 600)), "churn: retention: 600 new of 550 at the end: new counts only customers who are there at the end, not all who joined in the window", false},
		{"negative", second(RetentionRate(500, -1, 0)), "churn: retention: start 500, end -1, new 0: a count is negative", false},
		{"renewal", second(RenewalRate(51, 50)), "churn: renewal rate: 51 renewed of 50 due", false},
		{"nothing due", second(RenewalRate(0, 0)), "churn: renewal rate: nothing in the base: undefined", true},
		{"probability", second(ExpectedRate([]string{"a", "b"}, func(string) float64 { return math.NaN() })), `churn: row 1: field "alive": value "a: NaN": want a probability between 0 and 1`, false},
		{"nobody", second(ExpectedRate(nil, nil)), "churn: rate, probability: no customers in the base: undefined", true},
		{"level", third(Loss{Lost: 1, Base: 2}.Interval(1)), "churn: level 1: want a number between 0 and 1", false},
		{"basis", third(Loss{1, 2, .5, DailySum}.Interval(.95)), "churn: rate, daily sum: not a share of independent customers, so it has no Wilson interval", false},
	} {
		if c.err == nil || c.err.Error() != c.text || errors.Is(c.err, ledger.ErrUndefined) != c.undefined {
			t.Errorf("%s: error %q (undefined %v), want %q", c.name, c.err, errors.Is(c.err, ledger.ErrUndefined), c.text)
		}
	}
}

func second[T any](_ T, err error) error      { return err }
func third[T, U any](_ T, _ U, e error) error { return e }

// juneSpans is a scenario whose rates follow by hand, as recurring values of customers A to J; K is on trial and no
// customer.
func juneSpans() []Span {
	at := func(m time.Month, d int) time.Time { return day(2025, m, d) }
	s := func(c string, from, to time.Time, v, reason string) Span { return Span{c, from, to, reason, usd(v)} }
	var open time.Time
	return []Span{
		s("A", at(1, 5), open, "100", ""),
		s("B", at(1, 10), at(6, 10), "100", ""), s("B", at(6, 10), open, "150", ""),
		s("C", at(2, 1), open, "200", ""),
		s("D", at(3, 20), at(6, 20), "80", "payment_failed"),
		s("E", at(1, 15), at(2, 15), "60", "switched"), s("E", at(6, 12), open, "60", ""),
		s("F", at(6, 3), at(6, 25), "40", "switched"),
		s("G", at(6, 8), open, "30", ""),
		s("H", at(1, 10), at(6, 10), "70", "switched"), s("H", at(6, 22), open, "70", ""),
		s("I", at(4, 1), open, "20", ""), s("I", at(4, 1), at(6, 18), "30", ""),
		s("J", at(6, 15), open, "25", ""),
	}
}

func TestWindow(t *testing.T) {
	june := ledger.Month(2025, time.June, nil)
	spans := juneSpans()
	want, err := Window(context.Background(), ledger.Slice(spans), june, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]int{"opening": {want.Opening, 6}, "closing": {want.Closing, 8}, "lost": {want.Lost, 1},
		"new": {want.New, 2}, "returned": {want.Returned, 1}, "departed": {want.Departed, 3}, "first ever": {want.FirstEver, 3}} {
		if c[0] != c[1] {
			t.Errorf("%s = %d, want %d", name, c[0], c[1])
		}
	}
	for b, v := range map[Basis]float64{AtStart: 1.0 / 6, EventsPerStart: 3.0 / 6, StartPlusNew: 3.0 / 9, DailyAverage: 3 / 7.9} {
		near(t, string(b), must(want.Rate(b)).Value, v, 1e-15)
	}
	if s := must(want.Retention()); s.Part != 5 || s.Base != 6 {
		t.Errorf("retention %v", s)
	}
	near(t, "gross", must(want.RevenueChurn(false)), 110.0/600, 1e-15)
	if net := must(want.RevenueChurn(true)); net != 60.0/600 {
		t.Errorf("net = %v", net) // returned value is not that of customers at the start
	}
	total := 0.0
	for _, c := range []Choice{Voluntary, Involuntary, Unknown} {
		total += must(want.Choice(c)).Lost
	}
	if total != float64(want.Lost) || must(want.Choice(Involuntary)).Lost != 1 {
		t.Errorf("choices add up to %v of %d", total, want.Lost)
	}
	if diff := cmp.Diff([]ReasonRow{{"payment_failed", Involuntary, 1, usd("80")}}, want.Reasons); diff != "" {
		t.Errorf("reasons (-want +got)\n%s", diff)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		got := must(Window(context.Background(), ledger.Slice(spans), june, nil))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order of rows (-want +got)\n%s", diff)
		}
	}
}

// TestWindowDailySum has the sum of daily rates by hand: B leaves on day 1 of 2, of 4; C and D on day 2 of 3.
func TestWindowDailySum(t *testing.T) {
	p := ledger.Period{Start: day(2025, 6, 1), End: day(2025, 6, 4)}
	from := day(2025, 1, 1)
	spans := []Span{{Customer: "A", From: from}, {Customer: "B", From: from, To: day(2025, 6, 1).Add(time.Hour)},
		{Customer: "C", From: from, To: day(2025, 6, 2).Add(time.Hour)}, {Customer: "D", From: from, To: day(2025, 6, 3)}}
	w := must(Window(context.Background(), ledger.Slice(spans), p, nil))
	near(t, "daily sum", must(w.Rate(DailySum)).Value, 1.0/4+2.0/3, 1e-15)
	near(t, "daily average", must(w.Rate(DailyAverage)).Value, 3/((3+2+1)/3.0), 1e-15)
	if w.CustomerDays != 6 || w.Days != 3 {
		t.Errorf("%d customer-days over %d days", w.CustomerDays, w.Days)
	}
}

// TestWindowProperties holds random spans to the identities of the type's doc and to a count by brute force.
func TestWindowProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	p := ledger.Period{Start: day(2025, 2, 1), End: day(2025, 3, 1)}
	for range 200 {
		var spans []Span
		for c := range 8 {
			for range r.IntN(4) {
				s := Span{Customer: string(rune('a' + c)), From: day(2025, 1, 1+r.IntN(80)), Value: must(money.FromMinor(r.Int64N(5000), "USD"))}
				if r.IntN(3) > 0 {
					s.To = s.From.AddDate(0, 0, 1+r.IntN(40))
				}
				spans = append(spans, s)
			}
		}
		w := must(Window(context.Background(), ledger.Slice(spans), p, nil))
		present := func(c string, at time.Time) bool {
			return slices.ContainsFunc(spans, func(s Span) bool { return s.Customer == c && s.at(at) })
		}
		opening, closing, kept := 0, 0, 0
		for c := range 8 {
			a, b := present(string(rune('a'+c)), p.Start), present(string(rune('a'+c)), p.End)
			opening += count(a)
			closing += count(b)
			kept += count(a && b)
		}
		if w.Opening != opening || w.Closing != closing || w.Kept != kept || w.Lost != opening-kept || w.New+w.Returned != closing-kept {
			t.Fatalf("counts %+v, want %d %d %d", w, opening, closing, kept)
		}
		sum := must(money.Total(w.OpeningValue, w.NewValue, w.ReturnedValue, w.Expansion, w.Contraction.Neg(), w.LostValue.Neg()))
		if !sum.Equal(w.ClosingValue) {
			t.Fatalf("values add up to %v, want %v", sum, w.ClosingValue)
		}
		lost := 0
		for _, row := range w.Reasons {
			lost += row.Lost
		}
		if lost != w.Lost {
			t.Fatalf("reasons of %d, lost %d", lost, w.Lost)
		}
		if opening > 0 {
			if crr, err := RetentionRate(w.Opening, w.Closing, w.New+w.Returned); err != nil || crr != must(w.Retention()).Value {
				t.Fatalf("RetentionRate = %v, %v, want %v", crr, err, must(w.Retention()))
			}
		} else if _, err := w.Retention(); !errors.Is(err, ledger.ErrUndefined) {
			t.Fatalf("retention of nobody: %v", err)
		}
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestByAge(t *testing.T) {
	// The renewal cohort 1000, 631, 468, 382, 326 as tenures in days of 1 to 4 "years" of 10 days: without censoring before
	// the age, Kaplan-Meier is the share left and Greenwood's standard error that of a binomial. Values by R's survival.
	var spans []Span
	from, end := day(2025, 1, 1), day(2025, 3, 1)
	id := func(i int) string { return "c" + strings.Repeat("x", i%7) + time.Duration(i).String() }
	n := 0
	for k, lost := range []int{369, 163, 86, 56} {
		for range lost {
			spans = append(spans, Span{Customer: id(n), From: from, To: from.AddDate(0, 0, 10*(k+1))})
			n++
		}
	}
	for n < 1000 {
		spans = append(spans, Span{Customer: id(n), From: from})
		n++
	}
	for k, want := range [][2]float64{{.631, .015259063}, {.468, .015778973}, {.382, .015364765}, {.326, .014823090}} {
		a := must(ByAge(context.Background(), ledger.Slice(spans), ledger.Period{}, time.Duration(k+1)*240*time.Hour, end, 0.95))
		near(t, "Kaplan-Meier", 1-a.KaplanMeier.Value, want[0], 1e-12)
		near(t, "standard error", a.KaplanMeier.StdErr, want[1], 1e-7)
		near(t, "complete", a.Complete.Value, 1-want[0], 1e-12)
		if a.Young != 0 {
			t.Errorf("%d young", a.Young)
		}
	}
	// 6-MP of Freireich et al. 1963 as printed by R's survival: S(10) = .752941176, se .0963496530, log-log interval
	// .503199511 to .889361835. A customer is censored by starting later.
	spans = nil
	for i, d := range []int{6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35} {
		s := Span{Customer: id(i), From: end.Add(-100 * time.Hour)}
		if d > 0 {
			s.To = s.From.Add(time.Duration(d) * time.Hour)
		} else {
			s.From = end.Add(time.Duration(d) * time.Hour)
		}
		spans = append(spans, s)
	}
	a := must(ByAge(context.Background(), ledger.Slice(spans), ledger.Period{}, 10*time.Hour, end, 0.95))
	near(t, "S(10)", 1-a.KaplanMeier.Value, .752941176, 1e-9)
	near(t, "se", a.KaplanMeier.StdErr, .0963496530, 1e-9)
	near(t, "low", a.KaplanMeier.Low, 1-.889361835, 1e-8)
	near(t, "high", a.KaplanMeier.High, 1-.503199511, 1e-8)
	if a.Young != 2 || a.Complete.Base != 19 || a.Complete.Lost != 5 {
		t.Errorf("complete %v, %d young", a.Complete, a.Young)
	}
	// Nobody is old enough: no complete rate, and no estimate beyond what was seen.
	a = must(ByAge(context.Background(), ledger.Slice([]Span{{Customer: "a", From: end.Add(-time.Hour)}}), ledger.Period{}, 10*time.Hour, end, 0.95))
	if a.Complete != nil || a.KaplanMeier != nil || a.Young != 1 {
		t.Errorf("of the young: %+v", a)
	}
}

func TestInactivityRate(t *testing.T) {
	buy := func(c string, d int) ledger.Transaction {
		return ledger.Transaction{Customer: c, At: day(2025, 1, 1).AddDate(0, 0, d), Amount: usd("1")}
	}
	log := []ledger.Transaction{buy("a", 20), buy("a", 50), buy("b", 25), buy("c", 0), buy("d", 40), buy("b", 61)}
	p := ledger.Period{Start: day(2025, 1, 1).AddDate(0, 0, 30), End: day(2025, 1, 1).AddDate(0, 0, 60)}
	// Within 20 days of day 30: a (20) and b (25); of these only a has one within 20 days before day 60.
	got := must(InactivityRate(context.Background(), ledger.Transactions(log), p, 20*24*time.Hour))
	if diff := cmp.Diff(Loss{1, 2, 0.5, Inactivity}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRenewals(t *testing.T) {
	// Ten contracts of USD 1,000: six on time, one early, two late within 30 days, one lost.
	p := ledger.Month(2025, time.June, nil)
	due := day(2025, 6, 10)
	var cs []Renewal
	for i, at := range []int{0, 0, 0, 0, 0, 0, -20, 5, 30, 99} {
		c := Renewal{Customer: string(rune('a' + i)), Due: due, Expiring: usd("1000"), Renewed: usd("1200")}
		if at != 99 {
			c.At = due.AddDate(0, 0, at)
		}
		cs = append(cs, c)
	}
	got := must(Renewals(cs, p, 30*24*time.Hour, day(2025, 12, 1)))
	if got.Due != 10 || got.Early != 1 || got.OnTime != 6 || got.Late != 2 || got.Lost != 1 || got.Pending != 0 {
		t.Errorf("counts %+v", got)
	}
	if s := must(got.Rate()); s.Value != 0.9 {
		t.Errorf("rate %v", s)
	}
	if s := must(got.InTime()); s.Value != 0.7 {
		t.Errorf("in time %v", s)
	}
	near(t, "gross", must(got.Gross()), 0.9, 1e-15)
	near(t, "net", must(got.Net()), 1.08, 1e-15)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var cs []Renewal
		for range 30 {
			c := Renewal{Customer: "x", Due: day(2025, 5, 20+r.IntN(50)), Expiring: must(money.FromMinor(r.Int64N(1e5), "EUR")), Renewed: must(money.FromMinor(r.Int64N(1e5), "EUR"))}
			if r.IntN(3) > 0 {
				c.At = c.Due.AddDate(0, 0, r.IntN(80)-30)
			}
			cs = append(cs, c)
		}
		got := must(Renewals(cs, p, time.Duration(r.IntN(40))*24*time.Hour, day(2025, 6, 1+r.IntN(60))))
		if got.Due != got.Early+got.OnTime+got.Late+got.Lost+got.Pending {
			t.Fatalf("classes do not add up: %+v", got)
		}
		if g, err := got.Gross(); err == nil && !(g >= 0 && g <= 1) {
			t.Fatalf("gross %v", g)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	ctx := context.Background()
	p := ledger.Month(2025, time.June, nil)
	window := func(s Span) error {
		return second(Window(ctx, ledger.Slice([]Span{{Customer: "ok", From: day(2025, 1, 1)}, s}), p, nil))
	}
	log := func(f func([]ledger.Transaction) error, tx ledger.Transaction) error {
		return f([]ledger.Transaction{tx})
	}
	cohorts := func(ts []ledger.Transaction) error {
		return second(Cohorts(ctx, ledger.Transactions(ts), []ledger.Period{p}))
	}
	risk := func(ts []ledger.Transaction) error { return second(AtRisk(ctx, ledger.Transactions(ts), p.End, nil)) }
	for _, c := range []struct {
		name string
		err  error
		text string
	}{
		{"span without customer", window(Span{From: p.Start}), `churn: row 2: field "customer": value "": no customer`},
		{"span without start", window(Span{Customer: "a"}), `churn: row 2: field "from": value "": no time`},
		{"span backwards", window(Span{Customer: "a", From: p.End, To: p.Start}), `churn: row 2: field "to": value "2025-06-01T00:00:00Z": not after the start`},
		{"negative value", window(Span{Customer: "a", From: p.End, Value: usd("-1")}), `churn: row 2: field "value": value "USD -1.00": negative`},
		{"cohort without customer", log(cohorts, ledger.Transaction{At: p.Start}), `churn: row 1: field "customer": value "": no customer`},
		{"cohort without time", log(cohorts, ledger.Transaction{Customer: "a"}), `churn: row 1: field "at": value "": no time`},
		{"no gaps", log(risk, ledger.Transaction{Customer: "a", At: p.Start}), "churn: rhythm: no customer has purchased on two days, so there is no gap to judge silence by: set Rhythm.Default"},
		{"no periods", second(Cohorts(ctx, ledger.Transactions(nil), nil)), "churn: no periods"},
		{"gap between periods", second(Cohorts(ctx, ledger.Transactions(nil), []ledger.Period{p, ledger.Month(2025, time.August, nil)})),
			"churn: period 2, 2025-08, does not begin where period 1, 2025-06, ends"},
		{"age", second(ByAge(ctx, ledger.Slice[Span](nil), ledger.Period{}, 0, p.End, .95)), "churn: age 0s: want a positive duration"},
	} {
		if c.err == nil || c.err.Error() != c.text {
			t.Errorf("%s: error %q, want %q", c.name, c.err, c.text)
		}
	}
	broken := errors.New("broken pipe")
	seq := func(yield func(ledger.Transaction, error) bool) { yield(ledger.Transaction{}, broken) }
	if _, err := Cohorts(ctx, seq, []ledger.Period{p}); !errors.Is(err, broken) {
		t.Errorf("error of the stream: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Lifecycle(canceled, ledger.Transactions(nil), []ledger.Period{p}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
