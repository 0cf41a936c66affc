package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/money"
)

func TestReadCSV(t *testing.T) {
	usd := func(s string) money.Amount { return money.MustParse(s, "USD") }
	utc := func(d int) time.Time { return time.Date(2024, 5, d, 0, 0, 0, 0, time.UTC) }
	full := Transaction{
		Customer: "alice", At: utc(6), Amount: usd("12.34"), ID: "#1", Channel: "web", Campaign: "spring", Product: "P, 1",
		Category: "books", Quantity: 2, Cost: usd("5"), Discount: usd("0.5"),
	}
	for _, tt := range []struct {
		name, text string
		o          *CSVOptions
		want       []Transaction
	}{
		{"the zero options", "customer,at,amount,currency\nalice,2024-05-06,12.34,USD\n", nil, []Transaction{{Customer: "alice", At: utc(6), Amount: usd("12.34")}}},
		{"BOM, CRLF, spaces, case", "\ufeff Customer ,AT,Amount\r\n alice ,2024-05-06\t, 12.34 \r\n", &CSVOptions{Currency: "USD"},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("12.34")}}},
		{"BOM before a quoted header", "\ufeff\"customer\",at,amount\nalice,2024-05-06,12.34", &CSVOptions{Currency: "USD"},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("12.34")}}},
		{"all columns in another order, others between",
			"x,discount,cost,quantity,category,product,campaign,channel,id,currency,amount,at,customer,\xc3\xbc\n" +
				"\xff,0.50,5.00,2,books,\"P, 1\",spring,web,#1,USD,12.34,2024-05-06,alice,\n", nil, []Transaction{full}},
		{"mapped columns", "Who,When,Total,customer\nalice,2024-05-06,12.34,not this\n",
			&CSVOptions{Currency: "USD", Columns: map[string]string{"customer": "who", "at": " When ", "amount": "Total"}},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("12.34")}}},
		{"an exact name before one of another case", "ID,id,customer,at,amount\nA,b,alice,2024-05-06,12.34\n", &CSVOptions{Currency: "USD"},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("12.34"), ID: "b"}}},
		{"the row's currency before the option, which fills gaps", "customer,at,amount,currency\nalice,2024-05-06,5,jpy\nbob,2024-05-07,5,\nbob,2024-05-07,5,JPY\n",
			&CSVOptions{Currency: "USD"}, []Transaction{
				{Customer: "alice", At: utc(6), Amount: money.MustParse("5", "JPY")},
				{Customer: "bob", At: utc(7), Amount: usd("5")},
				{Customer: "bob", At: utc(7), Amount: money.MustParse("5", "JPY")},
			}},
		{"no header line", "alice;2024-05-06;1234\n", &CSVOptions{Currency: "USD", Comma: ';', Minor: true, Header: []string{"customer", "at", "amount"}},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("12.34")}}},
		{"free orders and refunds", "customer,at,amount\nalice,2024-05-06,0\nalice,2024-05-07,-12.34\n", &CSVOptions{Currency: "USD"},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("0")}, {Customer: "alice", At: utc(7), Amount: usd("-12.34")}}},
		{"a separator in an amount, in quotes", "customer,at,amount\nalice,2024-05-06,\"1.234,5\"\n",
			&CSVOptions{Currency: "USD", DecimalMark: ',', Grouping: '.'}, []Transaction{{Customer: "alice", At: utc(6), Amount: usd("1234.50")}}},
		{"quotes with line ends", "customer,product,at,amount\nalice,\"a\r\n\"\"b\"\"\",2024-05-06,1\n", &CSVOptions{Currency: "USD"},
			[]Transaction{{Customer: "alice", At: utc(6), Amount: usd("1"), Product: "a\n\"b\""}}},
	} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(tt.text), "by the byte": iotest.OneByteReader(strings.NewReader(tt.text))} {
			got, err := Collect(ReadCSV(context.Background(), r, tt.o))
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%s, %s: %v (-want +got):\n%s", tt.name, name, err, diff)
			}
		}
	}
}

func TestReadCSVKeepsItsOptions(t *testing.T) {
	o := &CSVOptions{Currency: "USD", Columns: map[string]string{"customer": "Who"}, Layouts: []string{time.DateOnly}}
	seq := ReadCSV(context.Background(), strings.NewReader("Who,at,amount\na,2024-01-01,1\n"), o)
	o.Columns["customer"], o.Layouts[0], o.Currency = "nobody", "02.01.2006", "EUR"
	got, err := Collect(seq)
	if err != nil || len(got) != 1 || got[0].Amount.Currency() != "USD" {
		t.Errorf("%v, %v: the stream changed with the options", got, err)
	}
}

func TestAllocations(t *testing.T) {
	data := logCSV(20_000, "customer,at,amount", bareRow)
	n := testing.AllocsPerRun(2, func() {
		for _, err := range ReadCSV(context.Background(), bytes.NewReader(data), &CSVOptions{Currency: "USD"}) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if perRow := n / 20_000; perRow > 2 {
		t.Errorf("%.2f allocations a row, want at most 2", perRow)
	}
}

// TestRowAccounting damages files at random: rows read and rows reported are always the rows of the file.
func TestRowAccounting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		const rows = 60
		text := string(logCSV(rows, fullHeader, fullRow))
		damaged := damage(r, text, r.IntN(12))
		o := &CSVOptions{Currency: "USD", MaxRow: 400}
		read, errs := readAll(damaged, o)
		// Damage puts no line ends into quoted fields that close, so every line that is not empty is a row.
		want := 0
		for _, line := range strings.Split(damaged, "\n")[1:] {
			if strings.TrimSuffix(line, "\r") != "" {
				want++
			}
		}
		if got := read + len(errs); got != want {
			t.Fatalf("file %d: %d rows read and %d reported, the file has %d\n%s\n%s", i, read, len(errs), want, damaged, strings.Join(errs, "\n"))
		}
		last := 0
		for _, err := range ReadCSV(context.Background(), strings.NewReader(damaged), o) {
			last++
			var bad *RowError
			if err != nil && (!errors.As(err, &bad) || bad.Row != last) {
				t.Fatalf("file %d: error %v at row %d", i, err, last)
			}
		}
	}
}

// damage changes n places of the text behind its header. The quotes that it puts in are not followed by one that would
// close a field across lines, because each is either within a field or followed by text.
func damage(r *rand.Rand, text string, n int) string {
	head := strings.IndexByte(text, '\n') + 1
	b := []byte(text[head:])
	for range n {
		at := r.IntN(len(b))
		switch r.IntN(8) {
		case 0: // another byte, which may be a separator
			b[at] = "x,;\x00\xff -.N"[r.IntN(9)]
		case 1: // a byte lost, which may be a separator or a line end
			b = append(b[:at], b[at+1:]...)
		case 2: // a line end
			b = append(b[:at], append([]byte("\n"), b[at:]...)...)
		case 3: // the end of the file
			if r.IntN(4) == 0 {
				b = b[:at+1]
			}
		case 4: // a quote within a field
			b = append(b[:at], append([]byte(`x"y`), b[at:]...)...)
		case 5: // a quote that is not closed
			line := bytes.LastIndexByte(b[:at], '\n') + 1
			b = append(b[:line], append([]byte(`"x`), b[line:]...)...)
		case 6: // a long field
			b = append(b[:at], append(bytes.Repeat([]byte("z"), 500), b[at:]...)...)
		case 7: // an empty line
			line := bytes.LastIndexByte(b[:at], '\n') + 1
			b = append(b[:line], append([]byte("\r\n"), b[line:]...)...)
		}
	}
	return text[:head] + string(b)
}

// TestWrittenRowsAreRead writes random fields by encoding/csv and reads them back, whatever is in them.
func TestWrittenRowsAreRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b c", ",", ";", `"`, "\n", "ş", "\t.", "1.5", "|"}
	for range 300 {
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.UseCRLF = r.IntN(2) == 0
		if err := w.Write([]string{"name", "customer", "at"}); err != nil {
			t.Fatal(err)
		}
		var want []Event
		for range r.IntN(20) {
			var name, customer strings.Builder
			name.WriteString("n")
			customer.WriteString("c")
			for range r.IntN(6) {
				name.WriteString(pieces[r.IntN(len(pieces))])
				customer.WriteString(pieces[r.IntN(len(pieces))])
			}
			e := Event{Customer: customer.String() + "!", Name: name.String() + "!", At: time.Unix(r.Int64N(2e9), 0).UTC()}
			want = append(want, e)
			if err := w.Write([]string{e.Name, e.Customer, e.At.Format(time.RFC3339)}); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		text := b.String()
		got, err := Collect(ReadEvents(context.Background(), &stepReader{text: text, step: r.IntN(40)}, nil))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("customer,at,amount\na,2024-01-01,1\n\"b\n\",2024-01-01T00:00:00Z,\"1\"\n", "", uint8(0))
	f.Add("\ufeffcustomer;at;amount;currency\na;01.02.2024;1.234,5;eur\n", "02.01.2006", uint8(1))
	f.Add("customer,at,amount\n\",\n\"\"\"\n", "Jan 2, 2006 MST", uint8(2))
	f.Fuzz(func(t *testing.T, text, layout string, kind uint8) {
		o := &CSVOptions{Currency: "USD", MaxRow: 1 + int(kind)}
		if layout != "" {
			o.Layouts = []string{layout}
		}
		if kind%2 == 1 {
			o.Comma, o.DecimalMark, o.Grouping = ';', ',', '.'
		}
		rows := 0
		for tr, err := range ReadCSV(context.Background(), strings.NewReader(text), o) {
			rows++
			if err == nil && (tr.Customer == "" || tr.At.IsZero() || tr.Amount.Currency() == "") {
				t.Fatalf("%q: row %d is %+v without an error", text, rows, tr)
			}
			if err != nil {
				_ = err.Error()
			}
		}
		if rows > 2+strings.Count(text, "\n") {
			t.Fatalf("%d rows of %q", rows, text)
		}
		for _, err := range ReadTenures(context.Background(), strings.NewReader(text), o) {
			_ = err
		}
		for _, err := range ReadCustomers(context.Background(), strings.NewReader(text), o) {
			_ = err
		}
	})
}

func TestReadCustomers(t *testing.T) {
	text := "region,id,acquired,channel,,age\nnorth,1,2024-05-06,web,7,30\n,2,,,,\n"
	got, err := Collect(ReadCustomers(context.Background(), strings.NewReader(text), nil))
	want := []Customer{
		{ID: "1", Acquired: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), Channel: "web", Attributes: map[string]string{"region": "north", "age": "30"}},
		{ID: "2"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	_, err = Collect(ReadCustomers(context.Background(), strings.NewReader("id,x,x\n"), nil))
	if err == nil || err.Error() != `ledger: header: two columns are named "x"` {
		t.Errorf("two attributes of one name: %v", err)
	}
}

func TestReadEvents(t *testing.T) {
	at := time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC)
	text := "customer,at,name,value,score\na,2024-05-06,nps,,9.5\na,2024-05-06,call,12.5,\n"
	got, err := Collect(ReadEvents(context.Background(), strings.NewReader(text), &CSVOptions{Currency: "USD"}))
	want := []Event{{Customer: "a", At: at, Name: "nps", Score: 9.5}, {Customer: "a", At: at, Name: "call", Value: money.MustParse("12.5", "USD")}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = Collect(ReadEvents(context.Background(), strings.NewReader("customer,at,name\na,2024-05-06,visit\n"), nil))
	if err != nil || len(got) != 1 {
		t.Errorf("events without a value need no currency: %v, %v", got, err)
	}
	_, err = Collect(ReadEvents(context.Background(), strings.NewReader(text), nil))
	if want := `ledger: row 2: field "currency": value "": no currency: there is no such column and CSVOptions.Currency is not set`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestReadTenures(t *testing.T) {
	text := "customer,duration,ended,entry,start,reason,weight,plan\n" +
		"a,12.5,true,1,2024-05-06,voluntary,2,gold\nb,3,N,,,,,\n" +
		"c,0,yes,,,,,\nd,3,yes,3,,,,\ne,3,maybe,,,,,\nf,3,1,-1,,,,\ng,3,1,,,,-2,\nh,Inf,0,,,,,\n"
	var got []Tenure
	var errs []string
	for tn, err := range ReadTenures(context.Background(), strings.NewReader(text), nil) {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		got = append(got, tn)
	}
	want := []Tenure{
		{Customer: "a", Duration: 12.5, Ended: true, Entry: 1, Start: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), Reason: "voluntary", Weight: 2,
			Labels: map[string]string{"plan": "gold"}},
		{Customer: "b", Duration: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantErrs := []string{
		`ledger: row 3: field "duration": value "0": not greater than the entry`,
		`ledger: row 4: field "duration": value "3": not greater than the entry`,
		`ledger: row 5: field "ended": value "maybe": neither true nor false`,
		`ledger: row 6: field "entry": value "-1": negative`,
		`ledger: row 7: field "weight": value "-2": negative`,
		`ledger: row 8: field "duration": value "Inf": not a number`,
	}
	if diff := cmp.Diff(wantErrs, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

func TestReadRecords(t *testing.T) {
	reason := errors.New("too old")
	s := Schema{Required: []string{"sku", "price"}, Optional: []string{"stock", "at", "fee", "on"}, Prefix: "shop"}
	type item struct {
		SKU   string
		Price money.Amount
		Stock int64
		Has   bool
	}
	text := "stock,sku,price\n3,A,1.50\n,B,2\nx,,y\n1,C,0\n1,D,1\n1,E,1\n1,F,1\n"
	rows := 0
	var errs []string
	seq := ReadRecords(context.Background(), strings.NewReader(text), &CSVOptions{Currency: "USD"}, s, func(r *Record) (item, error) {
		if rows++; r.Row() != rows {
			t.Errorf("row %d, want %d", r.Row(), rows)
		}
		it := item{SKU: r.Text("sku"), Price: r.Amount("price"), Stock: r.Int("stock"), Has: r.Has("stock")}
		if r.Float("fee") != 0 || r.Bool("on") || !r.Time("at").IsZero() || r.Has("at") || r.Rest() != nil {
			t.Error("fields without a column have values")
		}
		switch it.SKU {
		case "C":
			r.Fail("price", reason)
			r.Fail("sku", reason) // the first counts
			if !errors.Is(r.Err(), reason) {
				t.Errorf("Err is %v", r.Err())
			}
		case "D":
			return it, reason
		case "E":
			return it, fmt.Errorf("inner: %w", &RowError{Field: "sku", Value: "E", Err: reason})
		case "F":
			r.Text("color")
			it.Price = r.AmountIn("price", "EUR")
		}
		return it, nil
	})
	var got []item
	for it, err := range seq {
		if err != nil {
			errs = append(errs, err.Error())
			continue
		}
		got = append(got, it)
	}
	want := []item{{"A", money.MustParse("1.50", "USD"), 3, true}, {"B", money.MustParse("2", "USD"), 0, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantErrs := []string{
		`shop: row 3: field "sku": value "": missing`,
		`shop: row 4: field "price": value "0": too old`,
		`shop: row 5: too old`,
		`shop: inner: row 6: field "sku": value "E": too old`,
		`shop: row 7: field "color": value "": no field of the schema`,
	}
	if diff := cmp.Diff(wantErrs, errs); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

// TestStreamFunctions holds what Slice, Collect, Map and Skip promise.
func TestStreamFunctions(t *testing.T) {
	bad, fatal := &RowError{Row: 2, Field: "f", Err: errors.New("bad")}, errors.New("fatal")
	stream := func(yield func(int, error) bool) {
		_ = yield(1, nil) && yield(0, fmt.Errorf("p: %w", bad)) && yield(3, nil) && yield(0, fatal) && yield(5, nil)
	}
	rows, err := Collect(stream)
	if diff := cmp.Diff([]int{1}, rows); diff != "" || !errors.Is(err, bad) {
		t.Errorf("Collect: %v, %v; want the first row and the first error", rows, err)
	}
	var dropped []*RowError
	rows, err = Collect(Skip(stream, func(e *RowError) { dropped = append(dropped, e) }))
	if diff := cmp.Diff([]int{1, 3}, rows); diff != "" || !errors.Is(err, fatal) || len(dropped) != 1 || dropped[0] != bad {
		t.Errorf("Skip: %v, %v, dropped %v", rows, err, dropped)
	}
	if rows, err = Collect(Skip(stream, nil)); len(rows) != 2 || !errors.Is(err, fatal) {
		t.Errorf("Skip without a report: %v, %v", rows, err)
	}

	var log []string
	sentinel := errors.New("odd")
	f := func(i int) (string, error) {
		switch i {
		case 2:
			return "", fmt.Errorf("q: %w", &RowError{Field: "i", Value: "2", Err: sentinel})
		case 3:
			return "", &RowError{Row: 77, Err: sentinel}
		case 5:
			return "", sentinel
		}
		return fmt.Sprint(i), nil
	}
	for s, err := range Map(Slice([]int{1, 2, 3, 4, 5, 6}), f) {
		if err != nil {
			if !errors.Is(err, sentinel) {
				t.Errorf("%v does not wrap its reason", err)
			}
			s = err.Error()
		}
		log = append(log, s)
	}
	want := []string{"1", `q: row 2: field "i": value "2": odd`, "row 77: odd", "4", "odd"}
	if diff := cmp.Diff(want, log); diff != "" {
		t.Errorf("Map (-want +got):\n%s", diff)
	}
	log = nil
	for s, err := range Map(stream, func(i int) (int, error) { return 10 * i, nil }) {
		log = append(log, fmt.Sprint(s, err))
	}
	if diff := cmp.Diff([]string{"10 <nil>", `0 p: row 2: field "f": value "": bad`, "30 <nil>", "0 fatal"}, log); diff != "" {
		t.Errorf("Map of errors (-want +got):\n%s", diff)
	}
	rows, err = nil, nil
	for i, e := range Filter(stream, func(i int) bool { return i > 1 }) {
		if e != nil {
			err = errors.Join(err, e)
			continue
		}
		rows = append(rows, i)
	}
	if diff := cmp.Diff([]int{3}, rows); diff != "" || !errors.Is(err, bad) || !errors.Is(err, fatal) {
		t.Errorf("Filter: %v, %v", rows, err)
	}
	for _, err := range Filter(stream, func(int) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	for _, err := range Map(stream, f) {
		if err != nil {
			t.Fatal(err)
		}
		break // no panic from a stream that goes on after its consumer stopped
	}
	for _, err := range Skip(stream, nil) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	seq := Transactions([]Transaction{{Customer: "a"}})
	for range 2 {
		if rows, err := Collect(seq); err != nil || len(rows) != 1 {
			t.Errorf("a slice can be read twice: %v, %v", rows, err)
		}
	}
}

func TestBy(t *testing.T) {
	customers := []Customer{
		{ID: "a", Channel: "web", Campaign: "spring", Attributes: map[string]string{"region": "north"}},
		{ID: "b", Channel: "web", Attributes: map[string]string{"channel": "own"}},
		{ID: "a", Channel: "store"},
	}
	for _, tt := range []struct{ attribute, customer, want string }{
		{"channel", "a", "store"}, {"channel", "b", "own"}, {"channel", "c", ""}, {"region", "a", ""}, {"campaign", "b", ""},
	} {
		if got := By(customers, tt.attribute)(tt.customer); got != tt.want {
			t.Errorf("%s of %s is %q, want %q", tt.attribute, tt.customer, got, tt.want)
		}
	}
}
