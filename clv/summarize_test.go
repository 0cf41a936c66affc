package clv

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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

// buy is a row with a date or a time of RFC 3339.
func buy(customer, at, amount string) ledger.Transaction {
	t, err := time.Parse(time.DateOnly, at)
	if err != nil {
		if t, err = time.Parse(time.RFC3339Nano, at); err != nil {
			panic(err)
		}
	}
	return ledger.Transaction{Customer: customer, At: t, Amount: usd(amount)}
}

var sameMoney = cmp.Comparer(func(a, b money.Amount) bool { return a.Equal(b) && a.Currency() == b.Currency() })

// exact compares to the last bit, with times as instants.
var exact = cmp.Options{sameMoney, cmpopts.EquateEmpty()}

func summarize(t testing.TB, rows []ledger.Transaction, end time.Time, unit time.Duration, o *SummaryOptions) *Histories {
	t.Helper()
	hs, err := Summarize(context.Background(), ledger.Transactions(rows), end, unit, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(hs.Rows) > 0 {
		if err := hs.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	return hs
}

func TestSummarizeRules(t *testing.T) {
	istanbul := mustLoad(t, "Europe/Istanbul")
	none := usd("0")
	tests := []struct {
		reason string
		rows   []ledger.Transaction
		o      *SummaryOptions
		end    time.Time // 2025-01-31 UTC if zero
		want   []History
		report Report
	}{
		{
			reason: "the first purchase is not counted, and its spend neither",
			rows:   []ledger.Transaction{buy("a", "2025-01-01", "10"), buy("a", "2025-01-08", "20"), buy("a", "2025-01-22", "5.50")},
			want:   []History{{Customer: "a", X: 2, TX: 3, T: 30.0 / 7, LogGaps: math.Log(1) + math.Log(2), Spend: usd("25.50")}},
			report: Report{Rows: 3, Purchases: 3, Customers: 1},
		},
		{
			reason: "one calendar day is one purchase, whatever the hour",
			rows: []ledger.Transaction{buy("a", "2025-01-01T00:00:00Z", "10"), buy("a", "2025-01-01T23:59:59Z", "1"),
				buy("a", "2025-01-08T03:00:00Z", "2"), buy("a", "2025-01-08T04:00:00Z", "3")},
			want:   []History{{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("5")}},
			report: Report{Rows: 4, Purchases: 2, Merged: 2, Customers: 1},
		},
		{
			reason: "days are those of the location: 21:30 in London is the next day in Istanbul",
			rows:   []ledger.Transaction{buy("a", "2025-01-01T12:00:00Z", "10"), buy("a", "2025-01-07T21:30:00Z", "2")},
			o:      &SummaryOptions{Location: istanbul},
			want:   []History{{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("2")}},
			report: Report{Rows: 2, Purchases: 2, Customers: 1},
		},
		{
			reason: "the location is that of the end if none is given",
			rows:   []ledger.Transaction{buy("a", "2025-01-01T12:00:00Z", "10"), buy("a", "2025-01-07T21:30:00Z", "2")},
			end:    time.Date(2025, 1, 31, 0, 0, 0, 0, istanbul),
			want:   []History{{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("2")}},
			report: Report{Rows: 2, Purchases: 2, Customers: 1},
		},
		{
			reason: "a row on the end's day counts though its hour is later; the next day does not",
			rows:   []ledger.Transaction{buy("a", "2025-01-31T23:00:00Z", "10"), buy("a", "2025-02-01", "2"), buy("b", "2025-02-02", "2")},
			want:   []History{{Customer: "a", Spend: none}},
			report: Report{Rows: 3, Purchases: 1, AfterEnd: 2, Customers: 1},
		},
		{
			reason: "by instant a row counts if it is not after the end, and times are exact",
			rows: []ledger.Transaction{buy("a", "2025-01-31T00:00:00.000000001Z", "10"), buy("b", "2025-01-30T12:00:00Z", "2"),
				buy("b", "2025-01-31T00:00:00Z", "3"), buy("b", "2025-01-30T12:00:00Z", "4")},
			o:      &SummaryOptions{Granularity: ByInstant},
			want:   []History{{Customer: "b", X: 1, TX: 0.5 / 7, T: 0.5 / 7, LogGaps: math.Log(0.5 / 7), Spend: usd("3")}},
			report: Report{Rows: 4, Purchases: 2, Merged: 1, AfterEnd: 1, Customers: 1},
		},
		{
			reason: "a free order is a purchase that carries no spend",
			rows:   []ledger.Transaction{buy("a", "2025-01-01", "10"), buy("a", "2025-01-08", "0"), buy("a", "2025-01-15", "8")},
			want:   []History{{Customer: "a", X: 2, TX: 2, T: 30.0 / 7, Spend: usd("8")}},
			report: Report{Rows: 3, Purchases: 3, FreeOrders: 1, Customers: 1},
		},
		{
			reason: "a refund dated on the first day reduces the first purchase",
			rows:   []ledger.Transaction{buy("a", "2025-01-01", "-4"), buy("a", "2025-01-01", "10"), buy("a", "2025-01-08", "20")},
			want:   []History{{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("20")}},
			report: Report{Rows: 3, Purchases: 2, Refunds: 1, Customers: 1},
		},
		{
			reason: "a refund of another date reduces the repeat spend and moves no time",
			rows:   []ledger.Transaction{buy("a", "2025-01-01", "10"), buy("a", "2025-01-08", "20"), buy("a", "2025-01-20", "-3")},
			want:   []History{{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("17")}},
			report: Report{Rows: 3, Purchases: 2, Refunds: 1, Customers: 1},
		},
		{
			reason: "a refund where there is no other purchase reduces the first",
			rows:   []ledger.Transaction{buy("a", "2025-01-01", "10"), buy("a", "2025-01-20", "-3")},
			want:   []History{{Customer: "a", T: 30.0 / 7, Spend: none}},
			report: Report{Rows: 2, Purchases: 1, Refunds: 1, Customers: 1},
		},
		{
			reason: "a refund of before the first purchase reduces the repeat spend",
			rows:   []ledger.Transaction{buy("a", "2024-12-20", "-3"), buy("a", "2025-01-01", "10"), buy("a", "2025-01-08", "2")},
			want:   []History{{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("-1")}},
			report: Report{Rows: 3, Purchases: 2, Refunds: 1, Customers: 1},
		},
		{
			reason: "customers with refunds only are left out",
			rows:   []ledger.Transaction{buy("a", "2025-01-01", "-10"), buy("b", "2025-01-31", "1")},
			want:   []History{{Customer: "b", Spend: none}},
			report: Report{Rows: 2, Purchases: 1, Refunds: 1, Customers: 1, RefundOnly: 1},
		},
		{
			reason: "a log without rows",
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			end := tt.end
			if end.IsZero() {
				end = day("2025-01-31")
			}
			for _, order := range []string{"as given", "reversed", "in time"} {
				rows, o := slices.Clone(tt.rows), SummaryOptions{}
				if tt.o != nil {
					o = *tt.o
				}
				switch order {
				case "reversed":
					slices.Reverse(rows)
				case "in time":
					slices.SortStableFunc(rows, func(a, b ledger.Transaction) int { return a.At.Compare(b.At) })
					o.Ordered = true
				}
				hs := summarize(t, rows, end, Week, &o)
				if diff := cmp.Diff(tt.want, hs.Rows, exact); diff != "" {
					t.Errorf("%s: histories (-want +got):\n%s", order, diff)
				}
				if diff := cmp.Diff(tt.report, hs.Report); diff != "" {
					t.Errorf("%s: report (-want +got):\n%s", order, diff)
				}
			}
		})
	}
}

func mustLoad(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zone data: %v", err)
	}
	return loc
}

func TestSummarizeMatchesOrders(t *testing.T) {
	with := func(tx ledger.Transaction, id string) ledger.Transaction { tx.ID = id; return tx }
	rows := []ledger.Transaction{
		with(buy("a", "2025-01-20", "-4"), "1"), // a refund of the first order
		with(buy("a", "2025-01-01", "10"), "1"),
		with(buy("a", "2025-01-08", "5"), "2"),
		with(buy("a", "2025-01-10", "6"), "2"),  // the rest of order 2, shipped later
		with(buy("a", "2025-01-21", "-1"), "2"), // a refund of order 2
		with(buy("a", "2025-01-22", "-2"), "9"), // a refund of an order that the log does not have
		with(buy("b", "2025-01-24", "7"), "1"),  // IDs need to be unique within a customer only
		with(buy("b", "2025-02-03", "7"), "1"),  // after the end by its own date
	}
	want := []History{
		{Customer: "a", X: 1, TX: 1, T: 30.0 / 7, Spend: usd("8")},
		{Customer: "b", T: 1, Spend: usd("0")},
	}
	for range 2 {
		hs := summarize(t, rows, day("2025-01-31"), Week, &SummaryOptions{MatchOrders: true})
		if diff := cmp.Diff(want, hs.Rows, exact); diff != "" {
			t.Errorf("histories (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(Report{Rows: 8, Purchases: 3, Merged: 1, Refunds: 3, AfterEnd: 1, Customers: 2}, hs.Report); diff != "" {
			t.Errorf("report (-want +got):\n%s", diff)
		}
		slices.Reverse(rows)
	}
}

func TestSummarizeErrors(t *testing.T) {
	ok := buy("a", "2025-01-01", "10")
	broken := errors.New("disk gone")
	failing := func(yield func(ledger.Transaction, error) bool) {
		_ = yield(ok, nil) && yield(ledger.Transaction{}, &ledger.RowError{Row: 7, Field: "at", Value: "x", Err: broken})
	}
	rows := func(rows ...ledger.Transaction) iter.Seq2[ledger.Transaction, error] {
		return ledger.Transactions(rows)
	}
	end := day("2025-01-31")
	tests := []struct {
		name string
		log  iter.Seq2[ledger.Transaction, error]
		end  time.Time
		unit time.Duration
		o    *SummaryOptions
		want string
	}{
		{"no customer", rows(ok, buy("", "2025-01-02", "1")), end, Week, nil, `clv: row 2: field "Customer": value "": no customer`},
		{"no time", rows(ledger.Transaction{Customer: "a"}), end, Week, nil, `clv: row 1: field "At": value "0001-01-01T00:00:00Z": no time`},
		{"a time out of range", rows(buy("a", "0001-01-02", "1"), ledger.Transaction{Customer: "a", At: time.Date(12025, 1, 1, 0, 0, 0, 0, time.UTC)}), end, Week, nil,
			`clv: row 2: field "At": value "12025-01-01T00:00:00Z": outside the years 1 to 9999`},
		{"an instant out of range", rows(buy("a", "1600-01-02", "1")), end, Week, &SummaryOptions{Granularity: ByInstant},
			`clv: row 1: field "At": value "1600-01-02T00:00:00Z": outside the years 1678 to 2261, the range of instants`},
		{"a stream that fails", failing, end, Week, nil, `clv: reading the log: row 7: field "at": value "x": disk gone`},
		{"no log", nil, end, Week, nil, `clv: no log`},
		{"no unit", rows(ok), end, 0, nil, `clv: unit 0s: want a positive one, such as clv.Week`},
		{"a negative unit", rows(ok), end, -Day, nil, `clv: unit -24h0m0s: want a positive one, such as clv.Week`},
		{"no end", rows(ok), time.Time{}, Week, nil, `clv: no end of observation`},
		{"an unknown granularity", rows(ok), end, Week, &SummaryOptions{Granularity: 9}, `clv: unknown granularity 9`},
		{"negative workers", rows(ok), end, Week, &SummaryOptions{Workers: -1}, `clv: -1 workers: negative`},
		{"a negative limit", rows(ok), end, Week, &SummaryOptions{MaxBytes: -1}, `clv: memory limit -1: negative`},
		{"two options that exclude each other", rows(ok), end, Week, &SummaryOptions{Ordered: true, MatchOrders: true},
			`clv: Ordered and MatchOrders exclude each other: rows that take the time of their order are not in order`},
		{"rows not in order", rows(buy("a", "2025-01-02", "1"), buy("b", "2025-01-01", "1"), buy("a", "2025-01-01", "1")), end, Week, &SummaryOptions{Ordered: true},
			`clv: row 3: field "At": value "2025-01-01T00:00:00Z": before an earlier row of the customer: leave Ordered unset`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hs, err := Summarize(context.Background(), tt.log, tt.end, tt.unit, tt.o)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if hs != nil {
				t.Errorf("histories %v with an error", hs)
			}
		})
	}
	if _, err := Summarize(context.Background(), failing, end, Week, nil); !errors.Is(err, broken) {
		t.Errorf("the stream's error is lost: %v", err)
	}
}

func TestSummarizeRefusesMixedCurrencies(t *testing.T) {
	euro := ledger.Transaction{Customer: "b", At: day("2025-01-02"), Amount: money.MustParse("3", "EUR")}
	free := ledger.Transaction{Customer: "c", At: day("2025-01-02")} // the zero Amount belongs to every currency
	_, err := Summarize(context.Background(), ledger.Transactions([]ledger.Transaction{free, buy("a", "2025-01-01", "1"), euro}), day("2025-01-31"), Week, nil)
	var bad *ledger.RowError
	if !errors.As(err, &bad) || bad.Row != 3 || bad.Field != "Amount" || bad.Value != "EUR 3.00" {
		t.Fatalf("error %v, want row 3, field Amount, value EUR 3.00", err)
	}
	if text := err.Error(); !strings.Contains(text, "USD") || !strings.Contains(text, "EUR") {
		t.Errorf("error %q does not name both currencies", text)
	}
}

func TestSummarizeStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	endless := func(yield func(ledger.Transaction, error) bool) {
		for i := 0; yield(buy(strconv.Itoa(i%1000), "2025-01-01", "1"), nil); i++ {
			if i == 100_000 {
				cancel()
			}
		}
	}
	for _, ordered := range []bool{false, true} {
		if _, err := Summarize(ctx, endless, day("2025-01-31"), Week, &SummaryOptions{Ordered: ordered}); !errors.Is(err, context.Canceled) {
			t.Errorf("ordered %v: error %v, want context.Canceled", ordered, err)
		}
	}
}

func TestSummarizeKeepsWithinItsMemory(t *testing.T) {
	many := func(yield func(ledger.Transaction, error) bool) {
		for i := 0; yield(buy(strconv.Itoa(i), "2025-01-01", "1"), nil); i++ {
		}
	}
	for _, o := range []SummaryOptions{{Workers: 1}, {Workers: 3}, {Ordered: true}, {MatchOrders: true}} {
		o.MaxBytes = 10 << 20
		if _, err := Summarize(context.Background(), many, day("2025-01-31"), Week, &o); !errors.Is(err, ErrMemory) {
			t.Errorf("%+v: error %v, want ErrMemory", o, err)
		}
	}
}

// shopLog is a random log of every kind of row: several rows a day, free orders, refunds of every date, rows after the end.
func shopLog(r *rand.Rand, customers, rows int) []ledger.Transaction {
	log := make([]ledger.Transaction, rows)
	for i := range log {
		cents := r.Int64N(20_000)
		switch r.IntN(10) {
		case 0:
			cents = 0
		case 1, 2:
			cents = -cents / 3
		}
		amount, err := money.FromMinor(cents, "USD")
		if err != nil {
			panic(err)
		}
		log[i] = ledger.Transaction{
			Customer: fmt.Sprintf("c%d", r.IntN(customers)),
			At:       time.Date(2025, 1, 1, r.IntN(24), r.IntN(60), 0, 0, time.UTC).AddDate(0, 0, r.IntN(120)),
			Amount:   amount,
		}
	}
	return log
}

// slowHistory computes one customer's history from the rules alone.
func slowHistory(customer string, rows []ledger.Transaction, end time.Time) (History, bool) {
	date := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	spend := map[string]money.Sum{}
	var days []string
	for _, tx := range rows {
		if tx.Customer != customer || date(tx.At) > date(end) {
			continue
		}
		sum := spend[date(tx.At)]
		sum.Add(tx.Amount)
		spend[date(tx.At)] = sum
		if tx.Amount.Sign() >= 0 && !slices.Contains(days, date(tx.At)) {
			days = append(days, date(tx.At))
		}
	}
	if len(days) == 0 {
		return History{}, false
	}
	slices.Sort(days)
	var total money.Sum
	total.Add(usd("0"))
	for d, s := range spend {
		if d != days[0] && len(days) > 1 {
			amount, err := s.Total()
			if err != nil {
				panic(err)
			}
			total.Add(amount)
		}
	}
	h := History{Customer: customer, X: len(days) - 1}
	h.Spend, _ = total.Total()
	first, last := day(days[0]), day(days[len(days)-1])
	h.TX = last.Sub(first).Hours() / 24 / 7
	h.T = day(date(end)).Sub(first).Hours() / 24 / 7
	for i := 1; i < len(days); i++ {
		h.LogGaps += math.Log(day(days[i]).Sub(day(days[i-1])).Hours() / 24 / 7)
	}
	return h, true
}

func TestSummarizeEqualsTheRules(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		rows := shopLog(r, 30, 600)
		end := day("2025-03-20")
		hs := summarize(t, rows, end, Week, nil)
		var want []History
		for i := range 30 {
			if h, ok := slowHistory(fmt.Sprintf("c%d", i), rows, end); ok {
				want = append(want, h)
			}
		}
		slices.SortFunc(want, func(a, b History) int { return strings.Compare(a.Customer, b.Customer) })
		if diff := cmp.Diff(want, hs.Rows, exact); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if r := hs.Report; r.Rows != r.Purchases+r.Merged+r.Refunds+r.AfterEnd || r.Rows != len(rows) {
			t.Errorf("the report does not account for every row: %+v", r)
		}
	}
}

func TestSummarizeGivesTheSameBitsForAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rows := shopLog(r, 2000, 25_000)
	for _, grain := range []Granularity{ByDay, ByInstant} {
		want := summarize(t, rows, day("2025-03-20"), Week, &SummaryOptions{Workers: 1, Granularity: grain})
		for _, workers := range []int{1, 2, 7} {
			r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
			got := summarize(t, rows, day("2025-03-20"), Week, &SummaryOptions{Workers: workers, Granularity: grain})
			if diff := cmp.Diff(want, got, exact); diff != "" {
				t.Fatalf("%v, %d workers (-want +got):\n%s", grain, workers, diff)
			}
		}
		slices.SortStableFunc(rows, func(a, b ledger.Transaction) int { return a.At.Compare(b.At) })
		got := summarize(t, rows, day("2025-03-20"), Week, &SummaryOptions{Ordered: true, Granularity: grain})
		if diff := cmp.Diff(want, got, exact); diff != "" {
			t.Fatalf("%v, ordered (-want +got):\n%s", grain, diff)
		}
	}
}

// A customer with very many purchases leaves the short way of keeping them in order.
func TestSummarizeOneBusyCustomer(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 100_000
	start := day("2025-01-01")
	rows := make([]ledger.Transaction, 0, 2*n)
	for i := range n {
		tx := ledger.Transaction{Customer: "house", At: start.Add(time.Duration(i) * time.Minute), Amount: usd("1")}
		rows = append(rows, tx, tx)
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	hs := summarize(t, rows, start.AddDate(1, 0, 0), time.Minute, &SummaryOptions{Granularity: ByInstant})
	want := []History{{Customer: "house", X: n - 1, TX: n - 1, T: 365 * 24 * 60, Spend: usd(strconv.Itoa(2*n - 2))}}
	if diff := cmp.Diff(want, hs.Rows, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if hs.Report.Merged != n {
		t.Errorf("%d rows merged, want %d", hs.Report.Merged, n)
	}
}

func TestSummarizeModifiesNothing(t *testing.T) {
	rows := shopLog(rand.New(rand.NewPCG(1, 2)), 30, 600)
	before := slices.Clone(rows)
	for _, o := range []SummaryOptions{{}, {MatchOrders: true}} {
		summarize(t, rows, day("2025-03-20"), Week, &o)
		if diff := cmp.Diff(before, rows, exact); diff != "" {
			t.Fatalf("rows were modified (-before +after):\n%s", diff)
		}
	}
}

func TestSummarizeReportsProgress(t *testing.T) {
	var last int
	rows := shopLog(rand.New(rand.NewPCG(1, 2)), 30, 50_000)
	summarize(t, rows, day("2025-03-20"), Week, &SummaryOptions{Progress: func(rows int) {
		if rows < last {
			t.Errorf("progress went back from %d to %d", last, rows)
		}
		last = rows
	}})
	if last != len(rows) {
		t.Errorf("the last progress is %d, want %d", last, len(rows))
	}
}

// dataFile opens a public data set, or skips the test where there is none.
func dataFile(t testing.TB, name string) *os.File {
	t.Helper()
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA is unset: no public data sets")
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// cdnow returns the CDNOW log.
func cdnow(t testing.TB) []ledger.Transaction {
	t.Helper()
	records, err := csv.NewReader(dataFile(t, "cdnow.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []ledger.Transaction
	for _, r := range records[1:] {
		rows = append(rows, buy(r[0], r[1], r[3]))
	}
	return rows
}

// The authors' own summary of the log, Fader, Hardie and Lee (2005), has times and mean spend to two decimals.
func TestSummarizeCDNOW(t *testing.T) {
	hs := summarize(t, cdnow(t), day("1997-09-30"), Week, nil)
	records, err := csv.NewReader(dataFile(t, "cdnow_summary_weeks.csv")).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	repeat := 0
	if len(hs.Rows) != 2357 || len(records) != 2358 {
		t.Fatalf("%d customers and %d records, want 2357 of both", len(hs.Rows), len(records)-1)
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for i, h := range hs.Rows {
		r := records[i+1] // both are in the order of the numbers; the log writes them with leading zeros
		mean := 0.0
		if h.X > 0 {
			mean = h.MeanSpend()
			repeat++
		}
		if strings.TrimLeft(h.Customer, "0") != r[0] || float64(h.X) != number(r[1]) {
			t.Fatalf("customer %s with X %d, want %s with %s", h.Customer, h.X, r[0], r[1])
		}
		for _, c := range []struct {
			field string
			got   float64
			want  string
		}{{"TX", h.TX, r[2]}, {"T", h.T, r[3]}, {"mean spend", mean, r[4]}} {
			if math.Abs(c.got-number(c.want)) > 0.005+1e-9 {
				t.Errorf("customer %s: %s %.6f, want %s", h.Customer, c.field, c.got, c.want)
			}
		}
	}
	if repeat != 946 {
		t.Errorf("%d repeat buyers, want 946", repeat)
	}
	t.Logf("\n%s", hs.Report)
}

func TestReportString(t *testing.T) {
	r := Report{Rows: 12000, Purchases: 9000, Merged: 1500, Refunds: 500, AfterEnd: 1000, FreeOrders: 8, Customers: 2357, RefundOnly: 3}
	want := `  12000  rows read
   9000  purchases
   2357  customers
   1500  rows merged with another purchase of the same time
    500  refunds
      8  free orders
   1000  rows after the end left out
      3  customers with refunds only left out`
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClockDays(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Istanbul", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia"} {
		loc := mustLoad(t, name)
		c := newClock(ByDay, loc)
		r := rand.New(rand.NewPCG(1, 2))
		for range 20_000 {
			at := time.Unix(r.Int64N(8e9)-4e9, r.Int64N(1e9))
			y, m, d := at.In(loc).Date()
			want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay
			if got, err := c.tick(at); err != nil || got != want {
				t.Fatalf("%s: day of %v is %d (%v), want %d", name, at.In(loc), got, err, want)
			}
		}
	}
}

func BenchmarkSummarize(b *testing.B) {
	for _, customers := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprintf("customers=%d", customers), func(b *testing.B) {
			rows := benchLog(customers, 10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Summarize(context.Background(), ledger.Transactions(rows), day("2025-12-31"), Week, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkBareMap is the floor of every summary: one look-up a row.
func BenchmarkBareMap(b *testing.B) {
	for _, customers := range []int{1e3, 1e5, 1e6} {
		b.Run(fmt.Sprintf("customers=%d", customers), func(b *testing.B) {
			rows := benchLog(customers, 10)
			for b.Loop() {
				counts := map[string]int{}
				for i := range rows {
					counts[rows[i].Customer]++
				}
				if len(counts) == 0 {
					b.Fatal("no customers")
				}
			}
			b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// benchLog is a shuffled log of a year with about so many rows a customer. Each row has an id of its own memory, as
// rows of a reader have.
func benchLog(customers, each int) []ledger.Transaction {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = fmt.Sprintf("c%08d", i)
	}
	start := day("2025-01-01")
	rows := make([]ledger.Transaction, customers*each)
	for i := range rows {
		amount, err := money.FromMinor(r.Int64N(20_000), "USD")
		if err != nil {
			panic(err)
		}
		rows[i] = ledger.Transaction{Customer: strings.Clone(ids[r.IntN(customers)]), At: start.Add(time.Duration(r.Int64N(365*24*60)) * time.Minute), Amount: amount}
	}
	return rows
}
