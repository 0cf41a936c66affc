package rfm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// sale is a row; id may be empty.
func sale(customer, at, amount, id string) ledger.Transaction {
	return ledger.Transaction{Customer: customer, At: day(at), Amount: usd(amount), ID: id}
}

func summarize(t testing.TB, log []ledger.Transaction, end string, o *SummaryOptions) *Summary {
	t.Helper()
	s, err := Summarize(context.Background(), ledger.Transactions(log), day(end), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// line is what the summary table tests compare.
func line(r *Record) string {
	return fmt.Sprintf("%s R%d F%d M %s of %s, %s to %s", r.Customer, r.Recency, r.Frequency, r.Monetary, r.Revenue, r.First, r.Last)
}

func TestSummarizeRules(t *testing.T) {
	for _, tt := range []struct {
		name string
		log  []ledger.Transaction
		o    *SummaryOptions
		want []string
		left []string
	}{
		{"recency counts calendar days, the total is M", []ledger.Transaction{
			sale("b", "2025-03-01", "10", ""), sale("a", "2025-03-31", "5", ""), sale("b", "2025-03-11", "2.50", "")}, nil,
			[]string{"a R0 F1 M USD 5.00 of USD 5.00, 2025-03-31 to 2025-03-31", "b R20 F2 M USD 12.50 of USD 12.50, 2025-03-01 to 2025-03-11"}, nil},
		{"a refund lowers money, is no purchase and refreshes nothing", []ledger.Transaction{
			sale("a", "2025-03-01", "100", ""), sale("a", "2025-03-30", "-40", "")}, nil,
			[]string{"a R30 F1 M USD 60.00 of USD 60.00, 2025-03-01 to 2025-03-01"}, nil},
		{"a refund of everything leaves M at zero", []ledger.Transaction{
			sale("a", "2025-03-01", "100", ""), sale("a", "2025-03-30", "-100", "")}, nil,
			[]string{"a R30 F1 M USD 0.00 of USD 0.00, 2025-03-01 to 2025-03-01"}, nil},
		{"refunds may outweigh purchases of the period", []ledger.Transaction{
			sale("a", "2025-03-01", "10", ""), sale("a", "2025-03-02", "-25", "")}, nil,
			[]string{"a R30 F1 M USD -15.00 of USD -15.00, 2025-03-01 to 2025-03-01"}, nil},
		{"only refunds, only free orders: apart", []ledger.Transaction{
			sale("a", "2025-03-01", "-10", ""), sale("b", "2025-03-01", "0", ""), sale("c", "2025-03-01", "1", "")}, nil,
			[]string{"c R30 F1 M USD 1.00 of USD 1.00, 2025-03-01 to 2025-03-01"}, []string{"a USD -10.00 free 0 refunds 1", "b USD 0.00 free 1 refunds 0"}},
		{"a free order is a purchase of a customer who also paid", []ledger.Transaction{
			sale("a", "2025-03-01", "10", ""), sale("a", "2025-03-21", "0", "")}, nil,
			[]string{"a R10 F2 M USD 10.00 of USD 10.00, 2025-03-01 to 2025-03-21"}, nil},
		{"adjacent lines with one ID are one order", []ledger.Transaction{
			sale("a", "2025-03-01", "10", "1"), sale("a", "2025-03-01", "20", "1"), sale("b", "2025-03-01", "1", "1"), sale("a", "2025-03-01", "30", "1"),
			sale("a", "2025-03-02", "1", ""), sale("a", "2025-03-02", "1", "")}, nil,
			[]string{"a R29 F4 M USD 62.00 of USD 62.00, 2025-03-01 to 2025-03-02", "b R30 F1 M USD 1.00 of USD 1.00, 2025-03-01 to 2025-03-01"}, nil},
		{"a discount line lowers its order", []ledger.Transaction{
			sale("a", "2025-03-01", "10", "1"), sale("a", "2025-03-01", "-4", "1")}, nil,
			[]string{"a R30 F1 M USD 6.00 of USD 6.00, 2025-03-01 to 2025-03-01"}, nil},
		{"lines that cancel out are no purchase", []ledger.Transaction{
			sale("a", "2025-03-01", "10", "1"), sale("a", "2025-03-01", "-10", "1"), sale("b", "2025-03-01", "1", "")}, nil,
			[]string{"b R30 F1 M USD 1.00 of USD 1.00, 2025-03-01 to 2025-03-01"}, []string{"a USD 0.00 free 0 refunds 1"}},
		{"days count once", []ledger.Transaction{
			sale("a", "2025-03-01", "10", ""), sale("a", "2025-03-01", "20", ""), sale("a", "2025-03-11", "30", ""), sale("a", "2025-03-20", "-1", "")},
			&SummaryOptions{Count: CountDays}, []string{"a R20 F2 M USD 59.00 of USD 59.00, 2025-03-01 to 2025-03-11"}, nil},
		{"mean", []ledger.Transaction{
			sale("a", "2025-03-01", "10", ""), sale("a", "2025-03-02", "20", ""), sale("a", "2025-03-03", "-10.01", "")},
			&SummaryOptions{Value: Mean}, []string{"a R29 F2 M USD 10.00 of USD 19.99, 2025-03-01 to 2025-03-02"}, nil},
		{"IDs match anywhere, refunds lower the order they name", []ledger.Transaction{
			sale("a", "2025-03-01", "10", "1"), sale("a", "2025-03-05", "50", "2"), sale("a", "2025-03-01", "20", "1"),
			sale("a", "2025-03-20", "-50", "2"), sale("b", "2025-03-01", "7", "1"), sale("b", "2025-03-09", "-2", "9")},
			&SummaryOptions{Count: MatchOrders},
			[]string{"a R30 F1 M USD 30.00 of USD 30.00, 2025-03-01 to 2025-03-01", "b R30 F1 M USD 5.00 of USD 5.00, 2025-03-01 to 2025-03-01"}, nil},
		{"rows outside the period are left out", []ledger.Transaction{
			sale("a", "2025-02-28", "10", ""), sale("a", "2025-03-01", "20", ""), sale("a", "2025-03-31", "30", ""), sale("a", "2025-04-01", "40", ""), sale("b", "2025-04-01", "1", "")},
			&SummaryOptions{Start: day("2025-03-01")}, []string{"a R0 F2 M USD 50.00 of USD 50.00, 2025-03-01 to 2025-03-31"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := summarize(t, tt.log, "2025-03-31", tt.o)
			var got, left []string
			for i := range s.Rows {
				got = append(got, line(&s.Rows[i]))
			}
			for _, u := range s.Unscored {
				left = append(left, fmt.Sprintf("%s %s free %d refunds %d", u.Customer, u.Revenue, u.Free, u.Refunds))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.left, left); diff != "" {
				t.Errorf("unscored (-want +got)\n%s", diff)
			}
		})
	}
}

func TestSummarizeMargin(t *testing.T) {
	row := func(amount, cost string) ledger.Transaction {
		r := sale("a", "2025-03-01", amount, "")
		if cost != "" {
			r.Cost = usd(cost)
		}
		return r
	}
	s := summarize(t, []ledger.Transaction{row("100", "60"), row("-10", ""), row("50", "0")}, "2025-03-31", &SummaryOptions{Value: Margin})
	if want := "a R30 F2 M USD 80.00 of USD 140.00, 2025-03-01 to 2025-03-01"; line(&s.Rows[0]) != want {
		t.Errorf("got %s, want %s", line(&s.Rows[0]), want)
	}
}

func TestSummarizeCalendar(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no zone data")
	}
	at := time.Date(2025, 3, 30, 22, 30, 0, 0, time.UTC) // 31 March, 00:30 in Berlin
	log := []ledger.Transaction{{Customer: "a", At: at, Amount: usd("1")}}
	for _, tt := range []struct {
		end  time.Time
		o    *SummaryOptions
		want int
	}{
		{day("2025-03-31"), nil, 1},
		{time.Date(2025, 3, 31, 23, 0, 0, 0, berlin), nil, 0},
		{day("2025-03-31"), &SummaryOptions{Location: berlin}, 0},
	} {
		s, err := Summarize(context.Background(), ledger.Transactions(log), tt.end, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if s.Rows[0].Recency != tt.want {
			t.Errorf("end %v: recency %d, want %d", tt.end, s.Rows[0].Recency, tt.want)
		}
	}
	c := newCalendar(berlin)
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		at := time.Unix(r.Int64N(4e9)-1e9, 0)
		y, m, d := at.In(berlin).Date()
		if got, want := c.date(at).String(), time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly); got != want {
			t.Fatalf("calendar day of %v: got %s, want %s", at.In(berlin), got, want)
		}
	}
}

func TestSummarizeReport(t *testing.T) {
	s := summarize(t, []ledger.Transaction{
		sale("a", "2025-01-01", "1", ""), sale("a", "2025-03-01", "10", "x"), sale("a", "2025-03-01", "5.55", "x"), sale("a", "2025-03-02", "0", ""),
		sale("b", "2025-03-02", "-3", ""), sale("c", "2025-05-02", "1", "")}, "2025-03-31", &SummaryOptions{Start: day("2025-03-01")})
	want := Report{Rows: 6, Before: 1, After: 1, Lines: 1, Purchases: 2, Free: 1, Refunds: 1, Refunded: usd("-3"), Revenue: usd("12.55")}
	if diff := cmp.Diff(want, s.Report); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Start.String() != "2025-03-01" || s.End.String() != "2025-03-31" || s.Currency != "USD" {
		t.Errorf("period %s to %s in %s", s.Start, s.End, s.Currency)
	}
}

func TestSummarizeErrors(t *testing.T) {
	good := sale("a", "2025-03-01", "1", "")
	with := func(f func(r *ledger.Transaction)) []ledger.Transaction {
		bad := good
		f(&bad)
		return []ledger.Transaction{good, bad}
	}
	for _, tt := range []struct {
		name string
		log  []ledger.Transaction
		o    *SummaryOptions
		want string
	}{
		{"empty", nil, nil, "rfm: the log has no rows"},
		{"all outside", []ledger.Transaction{sale("a", "2025-04-01", "1", "")}, nil,
			"rfm: none of the 1 rows is in the period: 0 before its start, 1 after its end on 2025-03-31"},
		{"no customer", with(func(r *ledger.Transaction) { r.Customer = "" }), nil,
			`rfm: row 2: field "customer": value "": empty; every row needs its customer`},
		{"long customer", with(func(r *ledger.Transaction) { r.Customer = strings.Repeat("x", 2000) }), nil,
			`rfm: row 2: field "customer": value "` + strings.Repeat("x", 80) + `...": longer than 1024 bytes`},
		{"no time", with(func(r *ledger.Transaction) { r.At = time.Time{} }), nil,
			`rfm: row 2: field "at": value "": the zero time; every row needs its time`},
		{"year", with(func(r *ledger.Transaction) { r.At = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), nil,
			`rfm: row 2: field "at": value "10000-01-01T00:00:00Z": outside the years 1 to 9999`},
		{"currency", with(func(r *ledger.Transaction) { r.Amount = money.MustParse("5", "EUR") }), nil,
			`rfm: row 2: field "amount": value "EUR 5.00": mixed currencies: earlier rows are in USD, this one in EUR; convert the log to one currency`},
		{"currency of cost", with(func(r *ledger.Transaction) { r.Cost = money.MustParse("5", "EUR") }), &SummaryOptions{Value: Margin},
			`rfm: row 1: field "cost": value "": not recorded, and the margin needs it; choose the total or fill it in`},
		{"bad count", []ledger.Transaction{good}, &SummaryOptions{Count: 9}, `rfm: count 9: not one of ["orders" "days" "matched orders"]`},
		{"bad value", []ledger.Transaction{good}, &SummaryOptions{Value: 9}, `rfm: value 9: not one of ["total" "mean" "margin"]`},
		{"workers", []ledger.Transaction{good}, &SummaryOptions{Workers: -1}, `rfm: -1 workers: want 0 for all processors or more`},
		{"customers", []ledger.Transaction{good, sale("b", "2025-03-01", "1", "")}, &SummaryOptions{MaxCustomers: 1},
			`rfm: more customers than allowed: MaxCustomers is 1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Summarize(context.Background(), ledger.Transactions(tt.log), day("2025-03-31"), tt.o)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := Summarize(context.Background(), ledger.Transactions(nil), time.Time{}, nil); err == nil || err.Error() != "rfm: end of observation is the zero time" {
		t.Errorf("zero end: %v", err)
	}
	failing := func(yield func(ledger.Transaction, error) bool) {
		_ = yield(good, nil) && yield(ledger.Transaction{}, &ledger.RowError{Row: 2, Field: "amount", Value: "x", Err: errors.New("not a number")})
	}
	_, err := Summarize(context.Background(), failing, day("2025-03-31"), nil)
	var row *ledger.RowError
	if !errors.As(err, &row) || err.Error() != `rfm: row 2: field "amount": value "x": not a number` {
		t.Errorf("error of the stream: %v", err)
	}
}

// randomLog has orders with lines, refunds, free orders and repeated ids; lines of an order stand side by side.
func randomLog(r *rand.Rand, orders, customers int) [][]ledger.Transaction {
	var log [][]ledger.Transaction
	for i := range orders {
		at := day("2025-01-01").Add(time.Duration(r.IntN(364*24)) * time.Hour)
		customer := fmt.Sprintf("c%d", r.IntN(customers))
		var order []ledger.Transaction
		for range 1 + r.IntN(3) {
			cents := int64(r.IntN(9000) - 1500)
			if r.IntN(10) == 0 {
				cents = 0
			}
			a, _ := money.FromMinor(cents, "USD")
			c, _ := money.FromMinor(cents/2, "USD")
			id := ""
			if i%2 == 0 {
				id = fmt.Sprintf("o%d", i)
			}
			order = append(order, ledger.Transaction{Customer: customer, At: at, Amount: a, Cost: c, ID: id})
		}
		log = append(log, order)
	}
	return log
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func shuffled(r *rand.Rand, orders [][]ledger.Transaction) []ledger.Transaction {
	orders = slices.Clone(orders)
	r.Shuffle(len(orders), func(i, j int) { orders[i], orders[j] = orders[j], orders[i] })
	return slices.Concat(orders...)
}

var summaryVariants = map[string]SummaryOptions{
	"orders": {}, "days": {Count: CountDays}, "matched": {Count: MatchOrders}, "margin": {Value: Margin, KeepDays: true},
	"mean, matched, days kept": {Value: Mean, Count: MatchOrders, KeepDays: true}, "start": {Start: day("2025-02-01")},
}

// The same bits for any order of the orders, 1, 2 and 7 workers, several logs, and merged parts, stored or not.
func TestSummaryIsTheSameEitherWay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	orders := randomLog(r, 5000, 800)
	log := slices.Concat(orders...)
	for name, o := range summaryVariants {
		t.Run(name, func(t *testing.T) {
			want := asJSON(t, summarize(t, log, "2025-12-31", &o))
			for _, workers := range []int{1, 2, 7} {
				o.Workers = workers
				if got := asJSON(t, summarize(t, shuffled(r, orders), "2025-12-31", &o)); got != want {
					t.Fatalf("%d workers, shuffled: the summary differs", workers)
				}
				parts, logs := split(r, orders, 5)
				s, err := SummarizeAll(context.Background(), logs, day("2025-12-31"), &o)
				if err != nil {
					t.Fatal(err)
				}
				if got := asJSON(t, s); got != want {
					t.Fatalf("%d workers, five logs: the summary differs", workers)
				}
				checkMerges(t, r, parts, &o, want)
			}
		})
	}
}

func split(r *rand.Rand, orders [][]ledger.Transaction, n int) (parts [][]ledger.Transaction, logs []iter.Seq2[ledger.Transaction, error]) {
	parts = make([][]ledger.Transaction, n)
	for _, o := range orders {
		k := r.IntN(n)
		parts[k] = append(parts[k], o...)
	}
	for _, p := range parts {
		logs = append(logs, ledger.Transactions(p))
	}
	return parts, logs
}

func checkMerges(t *testing.T, r *rand.Rand, parts [][]ledger.Transaction, o *SummaryOptions, want string) {
	t.Helper()
	var bits []byte
	for range 2 {
		ps := make([]*Partial, len(parts))
		for i, part := range parts {
			ps[i] = partial(t, part, o)
			if i%2 == 0 {
				ps[i] = stored(t, ps[i])
			}
		}
		for len(ps) > 1 { // any grouping and order
			i, j := r.IntN(len(ps)), r.IntN(len(ps))
			if i == j {
				continue
			}
			if err := ps[i].Merge(ps[j]); err != nil {
				t.Fatal(err)
			}
			ps = slices.Delete(ps, j, j+1)
		}
		s, err := ps[0].Summary(day("2025-12-31"))
		if err != nil {
			t.Fatal(err)
		}
		if got := asJSON(t, s); got != want {
			t.Fatalf("merged: the summary differs: %s", firstDifference(want, got))
		}
		text, err := ps[0].MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if bits != nil && !bytes.Equal(bits, text) {
			t.Fatal("two ways to merge differ in their bytes")
		}
		bits = text
	}
}

func partial(t testing.TB, log []ledger.Transaction, o *SummaryOptions) *Partial {
	t.Helper()
	p, err := NewPartial(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Add(context.Background(), ledger.Transactions(log)); err != nil {
		t.Fatal(err)
	}
	return p
}

func stored(t testing.TB, p *Partial) *Partial {
	t.Helper()
	text, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	q := new(Partial)
	if err := q.UnmarshalBinary(text); err != nil {
		t.Fatal(err)
	}
	again, err := q.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, again) {
		t.Fatal("a stored summary has other bytes after a round trip")
	}
	return q
}

// Totals to the cent: customers, unscored ones and the report agree with the rows.
func TestSummaryAddsUp(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		log := slices.Concat(randomLog(r, 300, 80)...)
		var want, got money.Sum
		for _, row := range log {
			want.Add(row.Amount)
		}
		s := summarize(t, log, "2025-12-31", nil)
		for i := range s.Rows {
			got.Add(s.Rows[i].Revenue)
		}
		for i := range s.Unscored {
			got.Add(s.Unscored[i].Revenue)
		}
		w, _ := want.Total()
		g, _ := got.Total()
		if !w.Equal(g) || !w.Equal(s.Report.Revenue) {
			t.Fatalf("rows add up to %s, customers to %s, the report says %s", w, g, s.Report.Revenue)
		}
	}
}

func TestPartialDayByDay(t *testing.T) {
	log := []ledger.Transaction{sale("a", "2025-03-01", "10", ""), sale("b", "2025-03-01", "5", "")}
	p := stored(t, partial(t, log, nil))
	today := []ledger.Transaction{sale("a", "2025-03-02", "2.255", ""), sale("c", "2025-03-02", "1", "")}
	if err := p.Add(context.Background(), ledger.Transactions(today)); err != nil {
		t.Fatal(err)
	}
	got, err := p.Summary(day("2025-03-31"))
	if err != nil {
		t.Fatal(err)
	}
	want := summarize(t, slices.Concat(log, today), "2025-03-31", nil)
	if a, b := asJSON(t, want), asJSON(t, got); a != b {
		t.Errorf("got %s\nwant %s", b, a)
	}
	if _, err := p.Summary(day("2025-03-01")); err == nil || err.Error() != "rfm: end of observation on 2025-03-01: rows up to 2025-03-02 were added" {
		t.Errorf("an end before the last row: %v", err)
	}
}

func TestPartialErrors(t *testing.T) {
	usdPart := partial(t, []ledger.Transaction{sale("a", "2025-03-01", "10", "")}, nil)
	eur := partial(t, []ledger.Transaction{{Customer: "a", At: day("2025-03-01"), Amount: money.MustParse("1", "EUR")}}, nil)
	days := partial(t, nil, &SummaryOptions{Count: CountDays})
	mean := partial(t, nil, &SummaryOptions{Value: Mean})
	zone := partial(t, nil, &SummaryOptions{Location: time.FixedZone("X", 3600)})
	start := partial(t, nil, &SummaryOptions{Start: day("2025-01-01")})
	kept := partial(t, nil, &SummaryOptions{KeepDays: true})
	for _, tt := range []struct {
		other *Partial
		want  string
	}{
		{eur, "rfm: merge: one part has amounts in USD, the other in EUR"},
		{days, "rfm: merge: one part counts orders, the other days"},
		{mean, "rfm: merge: M is the total in one part, the mean in the other"},
		{zone, "rfm: merge: one part has the calendar of UTC, the other of X"},
		{start, "rfm: merge: the parts start on different days"},
		{kept, "rfm: merge: one part keeps days, the other does not"},
		{new(Partial), "rfm: the zero Partial has no options: use NewPartial or UnmarshalBinary"},
	} {
		if err := usdPart.Merge(tt.other); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	if _, err := usdPart.Summary(day("2025-03-31")); err != nil {
		t.Errorf("a refused merge spoilt the summary: %v", err)
	}
	if _, err := partial(t, nil, &SummaryOptions{Location: time.Local}).MarshalBinary(); err == nil {
		t.Error("the calendar of time.Local was stored")
	}
	if err := usdPart.Merge(usdPart); err != nil || usdPart.Customers() != 1 {
		t.Errorf("merging with itself: %v, %d customers", err, usdPart.Customers())
	}
}

func TestUnmarshalErrors(t *testing.T) {
	text, err := partial(t, []ledger.Transaction{sale("a", "2025-03-01", "10", "")}, nil).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	later := slices.Clone(text)
	later[4] = 2
	damaged := slices.Clone(text)
	damaged[len(damaged)/2] ^= 1
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "rfm: not a stored summary"},
		{"other data", []byte("customer,at,amount\n"), "rfm: not a stored summary"},
		{"a later version", later, "rfm: stored summary of version 2: this code reads version 1"},
		{"a flipped bit", damaged, "rfm: stored summary: wrong checksum: the data are damaged"},
		{"cut", text[:len(text)-1], "rfm: stored summary: wrong checksum: the data are damaged"},
	} {
		var p Partial
		if err := p.UnmarshalBinary(tt.data); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
}

func FuzzPartialBinary(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, o := range summaryVariants {
		text, err := partial(f, slices.Concat(randomLog(r, 8, 4)...), &o).MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text[5 : len(text)-4])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p Partial
		if err := p.UnmarshalBinary(sealed(body)); err != nil {
			return
		}
		text, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var q Partial
		if err := q.UnmarshalBinary(text); err != nil {
			t.Fatalf("cannot read what it wrote: %v", err)
		}
		_, _ = q.Summary(lastDate.Time())
	})
}

func TestCanceledSummary(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	rows := 0
	endless := func(yield func(ledger.Transaction, error) bool) {
		for {
			if rows++; rows == 100000 {
				cancel()
			}
			if !yield(sale("a", "2025-03-01", "1", ""), nil) {
				return
			}
		}
	}
	_, err := Summarize(ctx, endless, day("2025-03-31"), nil)
	if !errors.Is(err, context.Canceled) || rows > 110000 {
		t.Errorf("after %d rows: %v", rows, err)
	}
}

// What is stored comes back as if it had never been away: zeros keep the currency, digits beyond the minor unit and wide
// amounts their value.
func TestStoredAmounts(t *testing.T) {
	log := []ledger.Transaction{sale("free", "2025-03-01", "0", ""), sale("trailing", "2025-03-01", "2.500", ""),
		sale("parts of a cent", "2025-03-01", "0.105", ""), sale("refund", "2025-03-01", "-7.125", ""),
		sale("wide", "2025-03-01", "123456789012345678901234567890.12", ""), sale("cancels", "2025-03-01", "9", ""), sale("cancels", "2025-03-02", "-9", ""),
		{Customer: "no currency", At: day("2025-03-01")}}
	want, err := partial(t, log, nil).Summary(day("2025-03-31"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := stored(t, partial(t, log, nil)).Summary(day("2025-03-31"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := asJSON(t, want), asJSON(t, got); a != b {
		t.Error(firstDifference(a, b))
	}
	gold := []ledger.Transaction{{Customer: "a", At: day("2025-03-01"), Amount: money.MustParse("1.2345", "XAU")}}
	if _, err := stored(t, partial(t, gold, nil)).Summary(day("2025-03-31")); err != nil {
		t.Errorf("a currency without a minor unit: %v", err)
	}
}
