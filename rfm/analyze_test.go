package rfm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func analyze(t testing.TB, log []ledger.Transaction, end string, o *Options) *Table {
	t.Helper()
	table, err := Analyze(context.Background(), ledger.Transactions(log), day(end), o)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

var tableVariants = map[string]*Options{
	"defaults": nil, "nested": {Nested: true}, "ten bins": {Bins: 10}, "ntile": {R: NTile{}, F: NTile{}, M: NTile{}, Nested: true},
	"mean": {SummaryOptions: SummaryOptions{Value: Mean}, Map: RPackage()}, "R x FM": {Map: RxFMTable(), Weights: Weights{3, 2, 1}},
	"fixed":       {R: Fixed{30, 60, 90, 180}, F: Fixed{2, 3, 5, 8}, M: Fixed{10, 50, 100, 300}, Map: PyMC()},
	"other tools": {R: Quantiles{Add: 1}, F: Quantiles{Right: true}, M: EqualWidth{}}, "columns": {Columns: []Column{Length()}},
}

func TestAnalyzeIsOrderFree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	orders := randomLog(r, 3500, 500)
	for name, o := range tableVariants {
		t.Run(name, func(t *testing.T) {
			opt := Options{}
			if o != nil {
				opt = *o
			}
			want := asJSON(t, analyze(t, slices.Concat(orders...), "2025-12-31", &opt))
			for _, workers := range []int{1, 2, 7} {
				opt.Workers = workers
				if got := asJSON(t, analyze(t, shuffled(r, orders), "2025-12-31", &opt)); got != want {
					t.Fatalf("%d workers: the table differs", workers)
				}
			}
		})
	}
}

// The scores of every customer are the same with money in another unit, exactly.
func TestAnalyzeIsUnitFree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	log := slices.Concat(randomLog(r, 3000, 400)...)
	var thousands []ledger.Transaction
	for _, row := range log {
		units, err := money.Parse(scaledDown(plain(row.Amount)), "USD")
		if err != nil {
			t.Fatal(err)
		}
		row.Amount = units
		thousands = append(thousands, row)
	}
	for _, value := range []Value{Total, Mean} {
		for _, nested := range []bool{false, true} {
			o := &Options{SummaryOptions: SummaryOptions{Value: value}, Nested: nested}
			a, b := analyze(t, log, "2025-12-31", o), analyze(t, thousands, "2025-12-31", o)
			for i := range a.Rows {
				x, y := &a.Rows[i], &b.Rows[i]
				if x.Code() != y.Code() || x.Segment != y.Segment {
					t.Fatalf("%s: %s in units, %s in thousands", x.Customer, x.Code(), y.Code())
				}
			}
		}
	}
}

// scaledDown divides the digits of an amount by a thousand.
func scaledDown(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, part, _ := strings.Cut(text, ".")
	whole = strings.Repeat("0", max(0, 4-len(whole))) + whole
	return sign + whole[:len(whole)-3] + "." + whole[len(whole)-3:] + part
}

// A customer who is at least as good in every measure never scores lower; every customer is in one segment of the map.
func TestAnalyzeIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	log := slices.Concat(randomLog(r, 2500, 350)...)
	for name, o := range tableVariants {
		table := analyze(t, log, "2025-12-31", o)
		known := table.Map.Segments()
		for i := range table.Rows {
			a := &table.Rows[i]
			if !slices.Contains(known, a.Segment) {
				t.Fatalf("%s: segment %q", name, a.Segment)
			}
			for j := range table.Rows {
				b := &table.Rows[j]
				if name == "ntile" || name == "nested" {
					continue // within groups only
				}
				if a.Recency < b.Recency && a.R < b.R || a.Frequency > b.Frequency && a.F < b.F ||
					table.Scales.monetary(&a.Record) > table.Scales.monetary(&b.Record) && a.M < b.M {
					t.Fatalf("%s: %+v scores below %+v", name, a, b)
				}
			}
		}
		s := table.Segments()
		customers, sum := 0, money.Sum{}
		for _, row := range s.Rows {
			customers += row.Customers
			sum.Add(row.Revenue)
		}
		total, err := sum.Total()
		if err != nil || customers != len(table.Rows) || !total.Equal(s.Total.Revenue) {
			t.Errorf("%s: %d customers and %s in segments, %d and %s in all", name, customers, total, len(table.Rows), s.Total.Revenue)
		}
		if all, _ := s.Total.Revenue.Add(s.UnscoredRevenue); !all.Equal(table.Report.Revenue) {
			t.Errorf("%s: scored and unscored have %s, the log %s", name, all, table.Report.Revenue)
		}
	}
}

// 25 customers with distinct values of R and F that rise together: independent scores use the cells of the diagonal
// alone, nested ones all 25.
func TestNestedUsesAllCells(t *testing.T) {
	var log []ledger.Transaction
	for c := range 25 {
		for range c + 1 {
			log = append(log, sale(fmt.Sprintf("c%02d", c), day("2025-01-01").AddDate(0, 0, c).Format("2006-01-02"), "1", ""))
		}
	}
	cells := func(o *Options) int {
		seen := make(map[[2]int]bool)
		for _, row := range analyze(t, log, "2025-01-31", o).Rows {
			seen[[2]int{row.R, row.F}] = true
		}
		return len(seen)
	}
	if flat, nested := cells(nil), cells(&Options{Nested: true}); flat != 5 || nested != 25 {
		t.Errorf("independent scores use %d cells, nested %d; want 5 and 25", flat, nested)
	}
}

// Stored scales give the customers they were fitted to the scores they had.
func TestScalesJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	log := slices.Concat(randomLog(r, 1500, 250)...)
	for name, o := range tableVariants {
		if name == "ntile" {
			continue // deals ties, which a scale cannot
		}
		table := analyze(t, log, "2025-12-31", o)
		text, err := json.Marshal(table.Scales)
		if err != nil {
			t.Fatal(err)
		}
		var back Scales
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		opt := Options{Scales: &back}
		if o != nil {
			opt.SummaryOptions, opt.Map, opt.Weights, opt.Columns = o.SummaryOptions, o.Map, o.Weights, o.Columns
		}
		if a, b := asJSON(t, table), asJSON(t, analyze(t, log, "2025-12-31", &opt)); a != b {
			t.Errorf("%s: stored scales give other scores", name)
		}
		for i := range table.Rows {
			row := &table.Rows[i]
			if r, f, m := back.Score(&row.Record); r != row.R || f != row.F || m != row.M {
				t.Fatalf("%s: %s scores %d%d%d, was %s", name, row.Customer, r, f, m, row.Code())
			}
		}
	}
}

func TestAnalyzeErrors(t *testing.T) {
	log := []ledger.Transaction{sale("a", "2025-03-01", "10", ""), sale("b", "2025-03-02", "5", "")}
	nan := Column{Name: "x", Value: func(s *Summary, i int) (float64, bool) { return math.NaN(), i == 1 }}
	usdScales := analyze(t, log, "2025-03-31", nil).Scales
	eur := usdScales
	eur.Currency = "EUR"
	overlapping := Grid()
	overlapping.Rules[0].F = Range{3, 5}
	for _, tt := range []struct {
		name string
		log  []ledger.Transaction
		o    *Options
		want string
	}{
		{"empty", nil, nil, "rfm: the log has no rows"},
		{"only refunds", []ledger.Transaction{sale("a", "2025-03-01", "-1", "")}, nil, "rfm: none of the 1 customers has a net positive order: nobody to score"},
		{"bins", log, &Options{Bins: 1}, "rfm: 1 bins: want 2 to 100"},
		{"overlap", log, &Options{Map: overlapping}, `rfm: map "grid": cell 53 belongs to "Champions" and "Potential Loyalists", one of 1 cells with more than one rule: set Priority to FirstMatch or part them`},
		{"action", log, &Options{Actions: map[string]string{"Champs": "x"}}, `rfm: unknown segment "Champs": want one of "Champions", "Loyal Customers", "Potential Loyalists", "New Customers", "Promising", "Need Attention", "About To Sleep", "Can't Lose Them", "At Risk", "Hibernating"`},
		{"weights", log, &Options{Weights: Weights{R: math.NaN()}}, "rfm: weights NaN, 0, 0: want finite numbers of at least 0"},
		{"scorer", log, &Options{F: Fixed{1}}, "rfm: scorer of F: 1 fixed breaks for 5 bins: want 4"},
		{"NaN in a column", log, &Options{Columns: []Column{nan}}, `rfm: customer "b": row 2: field "x": value "NaN": not a finite number`},
		{"column without a name", log, &Options{Columns: []Column{{}}}, "rfm: column 1: want a name and a value"},
		{"column twice", log, &Options{Columns: []Column{Length(), Length()}}, `rfm: column "length" twice`},
		{"scales without the column", log, &Options{Scales: &usdScales, Columns: []Column{Length()}}, `rfm: column "length": the given scales have none of that name`},
		{"scales of another currency", log, &Options{Scales: &eur}, "rfm: scales in EUR, summary in USD"},
		{"scales of another value", log, &Options{Scales: &usdScales, SummaryOptions: SummaryOptions{Value: Mean}}, "rfm: scales of the total, summary of the mean"},
		{"scales of another count", log, &Options{Scales: &usdScales, SummaryOptions: SummaryOptions{Count: CountDays}}, "rfm: scales of frequency in orders, summary in days"},
		{"empty scales", log, &Options{Scales: &Scales{}}, "rfm: scale of R: 0 bins: want 2 to 100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Analyze(context.Background(), ledger.Transactions(tt.log), day("2025-03-31"), tt.o)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	table := analyze(t, log, "2025-03-31", nil)
	if _, err := table.In("Champs"); !errors.Is(err, ErrUnknownSegment) {
		t.Errorf("In: %v", err)
	}
	if _, err := table.Segments().Segment("Champs"); !errors.Is(err, ErrUnknownSegment) {
		t.Errorf("Segment: %v", err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := summarize(t, log, "2025-03-31", nil).Segment(canceled, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// All customers alike: allowed, the middle score for R, the lowest for F and M.
func TestAllEqual(t *testing.T) {
	var log []ledger.Transaction
	for c := range 40 {
		log = append(log, sale(fmt.Sprint("c", c), "2025-03-01", "10", ""))
	}
	table := analyze(t, log, "2025-03-31", nil)
	for i := range table.Rows {
		if table.Rows[i].Code() != "311" || table.Rows[i].Score != 311 || table.Rows[i].Segment != "About To Sleep" {
			t.Fatalf("%+v", table.Rows[i])
		}
	}
}

func TestTableAccess(t *testing.T) {
	log := []ledger.Transaction{sale("a", "2025-03-01", "10", ""), sale("b", "2025-03-02", "50", ""), sale("b", "2025-03-12", "50", ""),
		sale("c", "2025-03-20", "50.00", ""), sale("d", "2025-03-20", "-5", "")}
	table := analyze(t, log, "2025-03-31", nil)
	if row, ok := table.Row("b"); !ok || row.Frequency != 2 {
		t.Errorf("Row: %+v, %t", row, ok)
	}
	if _, ok := table.Row("d"); ok {
		t.Error("an unscored customer has a row")
	}
	ids := func(rows []Row) (s string) {
		for _, r := range rows {
			s += r.Customer
		}
		return s
	}
	if got := ids(table.Top(2)) + ids(table.Top(0)) + ids(table.Top(-1)) + ids(table.Top(9)); got != "bcbca" {
		t.Errorf("Top: %s", got)
	}
	for share, want := range map[float64]string{0.5: "b", 0.63: "bc", 0.9375: "bc", 0.94: "bca", 1: "bca"} {
		if rows, err := table.HighValue(share); err != nil || ids(rows) != want {
			t.Errorf("HighValue(%v): %s, %v; want %s", share, ids(rows), err, want)
		}
	}
	if _, err := table.HighValue(0); err == nil || err.Error() != "rfm: share 0 of the revenue: want above 0 and at most 1" {
		t.Errorf("HighValue(0): %v", err)
	}
	var b bytes.Buffer
	if err := table.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := `customer,recency_days,frequency,monetary,revenue,currency,first,last,length_days,gap_days,r,f,m,rfm,score,segment
a,30,1,10.00,10.00,USD,2025-03-01,2025-03-01,0,,1,1,1,111,111,Hibernating
b,19,2,100.00,100.00,USD,2025-03-02,2025-03-12,10,10,3,4,4,344,344,Loyal Customers
c,11,1,50.00,50.00,USD,2025-03-20,2025-03-20,0,,5,1,2,512,512,New Customers
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTableJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	table := analyze(t, slices.Concat(randomLog(r, 200, 40)...), "2025-12-31", &Options{Columns: []Column{Length()}})
	var back Table
	if err := json.Unmarshal([]byte(asJSON(t, table)), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(table, &back, cmpopts.IgnoreUnexported(Table{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(asJSON(t, table.Segments()), "NaN") {
		t.Error("NaN in JSON")
	}
}

func TestPlots(t *testing.T) {
	log := []ledger.Transaction{sale("a", "2025-03-01", "10", ""), sale("b", "2025-03-02", "60", ""), sale("b", "2025-03-12", "60", ""),
		sale("c", "2025-03-20", "50", ""), sale("d", "2025-03-31", "20", "")}
	table := analyze(t, log, "2025-03-31", nil)
	p, err := table.Pareto(4)
	if err != nil {
		t.Fatal(err)
	}
	want := `customers   share     revenue  revenue_share
        0    0.0%    USD 0.00           0.0%
        1   25.0%  USD 120.00          60.0%
        2   50.0%  USD 170.00          85.0%
        3   75.0%  USD 190.00          95.0%
        4  100.0%  USD 200.00         100.0%
Gini coefficient 0.450
` // Gini (5 - 2 (120 + 2*50 + 3*20 + 4*10)/200) / 4 = 1.8/4
	if diff := cmp.Diff(want, p.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	h, err := table.Histogram(Monetary, 4)
	if err != nil {
		t.Fatal(err)
	}
	var counts []int
	for _, b := range h.Bars {
		counts = append(counts, b.Customers)
	}
	if diff := cmp.Diff([]int{2, 1, 0, 1}, counts); diff != "" || h.Bars[0].From != 10 || h.Bars[3].To != 120 {
		t.Errorf("bars %+v", h.Bars)
	}
	if one, err := table.Histogram(Frequency, 1); err != nil || one.Bars[0].Customers != 4 {
		t.Errorf("one bar: %+v, %v", one, err)
	}
	for n, want := range map[int]string{0: "rfm: histogram of 0 bars: want 1 to 10000"} {
		if _, err := table.Histogram(Recency, n); err == nil || err.Error() != want {
			t.Errorf("%d bars: %v", n, err)
		}
	}
	m := table.HeatMap()
	customers := 0
	for _, c := range m.Cells {
		customers += c.Customers
	}
	if customers != 4 || len(m.Cells) != 25 || m.Cells[24].R != 5 || m.Cells[1].F != 2 {
		t.Errorf("heat map %+v", m)
	}
	wantMap := `F \ R  1  2  3  4  5
5      0  0  0  0  0
4      0  1  0  0  0
3      0  0  0  0  0
2      0  0  0  0  0
1      1  0  0  1  1
`
	if diff := cmp.Diff(wantMap, m.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var b bytes.Buffer
	if err := errors.Join(m.WriteCSV(&b), h.WriteCSV(&b), p.WriteCSV(&b), Grid().Coverage().WriteCSV(&b), table.Segments().WriteCSV(&b)); err != nil {
		t.Error(err)
	}
}

func TestMicro(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	log := slices.Concat(randomLog(r, 3000, 400)...)
	categories := []string{"books", "music", "tools"}
	for i := range log {
		log[i].Category = categories[r.IntN(3)]
	}
	personas := func(customer string) string { return "persona " + customer[1:2] }
	s := summarize(t, log, "2025-12-31", nil)
	m, err := s.Micro(context.Background(), personas, nil)
	if err != nil {
		t.Fatal(err)
	}
	customers, revenue := 0, money.Sum{}
	for _, g := range m.Groups {
		// A group is scored as if it were the whole log.
		var own []ledger.Transaction
		for _, row := range log {
			if personas(row.Customer) == g.Group {
				own = append(own, row)
			}
		}
		want := analyze(t, own, "2025-12-31", nil)
		if asJSON(t, want.Rows) != asJSON(t, g.Table.Rows) {
			t.Errorf("%s: the group's scores differ from those of its own log", g.Group)
		}
		customers += len(g.Table.Rows) + g.Unscored
		revenue.Add(g.Table.Report.Revenue)
	}
	if total, _ := revenue.Total(); customers != len(s.Rows)+len(s.Unscored) || !total.Equal(s.Report.Revenue) {
		t.Errorf("%d customers and %s in groups, want %d and %s", customers, total, len(s.Rows)+len(s.Unscored), s.Report.Revenue)
	}
	by, err := AnalyzeBy(context.Background(), ledger.Transactions(log), day("2025-12-31"), func(t ledger.Transaction) string { return t.Category }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range by.Groups {
		var own []ledger.Transaction
		for _, row := range log {
			if row.Category == categories[i] {
				own = append(own, row)
			}
		}
		if want := analyze(t, own, "2025-12-31", nil); g.Group != categories[i] || asJSON(t, want.Rows) != asJSON(t, g.Table.Rows) {
			t.Errorf("%s: the category's scores differ from those of its own log", g.Group)
		}
	}
	if _, err := AnalyzeBy(context.Background(), ledger.Transactions(log), day("2025-12-31"), func(ledger.Transaction) string { return "a\x00b" }, nil); err == nil ||
		err.Error() != "rfm: row 1: field \"group\": value \"a\\x00b\": has a zero byte" {
		t.Errorf("a zero byte: %v", err)
	}
	var b bytes.Buffer
	if err := m.WriteCSV(&b); err != nil || strings.Count(b.String(), "\n") != len(m.Rows())+1 || strings.Count(m.String(), "\n") != len(m.Rows())+1 {
		t.Error("the rows of String and WriteCSV")
	}
	key := JoinKeys(" / ", personas, func(string) string { return "north" })
	if key("c12") != "persona 1 / north" {
		t.Errorf("joined key %q", key("c12"))
	}
}

func TestCategories(t *testing.T) {
	row := func(customer, at, amount, category string) ledger.Transaction {
		r := sale(customer, at, amount, "")
		r.Category = category
		return r
	}
	log := []ledger.Transaction{row("a", "2025-03-30", "50", "tea"), row("a", "2025-03-31", "30", "cups"), row("a", "2025-03-31", "20", "tea"),
		row("b", "2025-01-01", "10", "tea"), row("b", "2025-01-02", "-4", "tea"), row("c", "2025-01-02", "6", "cups"), row("d", "2025-01-02", "-1", "cups"),
		row("a", "2025-04-30", "500", "late")}
	table := analyze(t, log, "2025-03-31", nil)
	c, err := table.Categories(context.Background(), ledger.Transactions(log), nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	for _, r := range c.Rows {
		got[r.Segment] = append(got[r.Segment], fmt.Sprintf("%d %s %d customers %d lines %s %s", r.Rank, r.Category, r.Customers, r.Lines, r.Revenue, r.Share.percent()))
	}
	a, _ := table.Row("a")
	b, _ := table.Row("b")
	wantRows := map[string][]string{a.Segment: {"1 tea 1 customers 2 lines USD 70.00 70.0%", "2 cups 1 customers 1 lines USD 30.00 30.0%"}}
	other, _ := table.Row("c")
	if b.Segment == other.Segment {
		wantRows[b.Segment] = []string{"1 cups 1 customers 1 lines USD 6.00 50.0%", "2 tea 1 customers 1 lines USD 6.00 50.0%"}
	} else {
		wantRows[b.Segment], wantRows[other.Segment] = []string{"1 tea 1 customers 1 lines USD 6.00 100.0%"}, []string{"1 cups 1 customers 1 lines USD 6.00 100.0%"}
	}
	if diff := cmp.Diff(wantRows, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := table.Categories(context.Background(), ledger.Transactions(log), nil, 0); err == nil || err.Error() != "rfm: top 0 categories: want at least 1" {
		t.Errorf("top 0: %v", err)
	}
}

func TestPresetsAreFreshAndActionsEditable(t *testing.T) {
	Grid().Rules[0].Segment = "changed"
	Actions()["Champions"] = "changed"
	if Grid().Rules[0].Segment != "Champions" || Actions()["Champions"] == "changed" {
		t.Error("a preset is shared")
	}
	o := &Options{Actions: map[string]string{"Promising": "send tea"}, Map: Grid()}
	before := maps.Clone(o.Actions)
	table := analyze(t, []ledger.Transaction{sale("a", "2025-03-01", "10", "")}, "2025-03-31", o)
	if table.Actions["Promising"] != "send tea" || table.Actions["Champions"] != Actions()["Champions"] {
		t.Errorf("actions %v", table.Actions)
	}
	if diff := cmp.Diff(before, o.Actions); diff != "" {
		t.Errorf("the argument was modified\n%s", diff)
	}
	for _, m := range []*Map{Grid(), RxFMTable(), RxFMGrid(), RPackage(), RPackage02(), PyMC()} {
		for _, s := range m.Segments() {
			if Actions()[s] == "" {
				t.Errorf("%s: no action for %s", m.Name, s)
			}
		}
	}
}
