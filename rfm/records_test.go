package rfm

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Records taken from a summary, in any order, score as the summary does.
func TestFromRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := summarize(t, slices.Concat(randomLog(r, 800, 120)...), "2025-12-31", nil)
	want, err := s.Segment(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var rows []Record
	for _, row := range s.Rows {
		rows = append(rows, Record{Customer: row.Customer, Recency: row.Recency, Frequency: row.Frequency, Monetary: row.Monetary})
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	given := slices.Clone(rows)
	known, err := FromRecords(day("2025-12-31"), rows)
	if err != nil {
		t.Fatal(err)
	}
	got, err := known.Segment(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Rows {
		a, b := &want.Rows[i], &got.Rows[i]
		if a.Customer != b.Customer || a.Code() != b.Code() || a.Segment != b.Segment || a.Last != b.Last || !a.Revenue.Equal(b.Revenue) {
			t.Fatalf("got %+v, want %+v", b, a)
		}
	}
	if asJSON(t, given) != asJSON(t, rows) {
		t.Error("the records were modified")
	}
}

func TestFromRecordsErrors(t *testing.T) {
	good := Record{Customer: "a", Recency: 3, Frequency: 2, Monetary: usd("5")}
	with := func(f func(r *Record)) []Record {
		bad := good
		bad.Customer = "b"
		f(&bad)
		return []Record{good, bad}
	}
	for _, tt := range []struct {
		name string
		rows []Record
		want string
	}{
		{"none", nil, "rfm: no records"},
		{"no customer", with(func(r *Record) { r.Customer = "" }), `rfm: row 2: field "customer": value "": empty; every row needs its customer`},
		{"customer twice", with(func(r *Record) { r.Customer = "a" }), `rfm: row 2: field "customer": value "a": in row 1 already`},
		{"recency", with(func(r *Record) { r.Recency = -1 }), `rfm: row 2: field "recency": value "-1": negative: the purchase lies after the end`},
		{"frequency", with(func(r *Record) { r.Frequency = 0 }), `rfm: row 2: field "frequency": value "0": below 1: a customer without a purchase cannot be scored`},
		{"first after last", with(func(r *Record) { r.First, r.Last = DateOf(day("2025-03-30")), DateOf(day("2025-03-28")) }),
			`rfm: row 2: field "first": value "2025-03-30": after the last purchase`},
		{"last and recency", with(func(r *Record) { r.First, r.Last = DateOf(day("2025-03-01")), DateOf(day("2025-03-27")) }),
			`rfm: row 2: field "last": value "2025-03-27": 4 days before the end on 2025-03-31, but the recency is 3`},
		{"currency", with(func(r *Record) { r.Monetary = money.MustParse("1", "EUR") }),
			`rfm: row 2: field "monetary": value "EUR 1.00": mixed currencies: earlier rows are in USD, this one in EUR; convert the log to one currency`},
	} {
		if _, err := FromRecords(day("2025-03-31"), tt.rows); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	s := summarize(t, []ledger.Transaction{sale("a", "2025-03-01", "1", "")}, "2025-03-31", nil)
	s.Rows[0].Recency = -5
	if _, err := s.Segment(context.Background(), nil); err == nil || err.Error() != `rfm: row 1: field "recency": value "-5": negative: the purchase lies after the end` {
		t.Errorf("a summary made by hand: %v", err)
	}
}
