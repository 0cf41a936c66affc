package cohort_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv/cohort"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

func row(name string, customers int, values ...string) cohort.Row {
	r := cohort.Row{Cohort: name, Customers: customers}
	for _, v := range values {
		r.Cumulative = append(r.Cumulative, usd(v))
	}
	return r
}

// taylorAshe reads the triangle of Mack (1993), or skips the test where the data are absent.
func taylorAshe(t *testing.T) *cohort.Triangle {
	t.Helper()
	dir := os.Getenv("CUSTVAL_DATA")
	if dir == "" {
		t.Skip("CUSTVAL_DATA does not name the directory of the public data sets")
	}
	text, err := os.ReadFile(filepath.Join(dir, "taylor_ashe.csv"))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	records, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tri := &cohort.Triangle{}
	for i, record := range records {
		var values []string
		for _, cell := range record {
			if cell != "" {
				values = append(values, cell)
			}
		}
		tri.Rows = append(tri.Rows, row(fmt.Sprint(i), 0, values...))
	}
	return tri
}

// TestMack holds the projection against table 3 of Mack (1993) for the data of Taylor and Ashe, and the totals to the
// cent against an independent computation.
func TestMack(t *testing.T) {
	p, err := cohort.ChainLadder(taylorAshe(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("18680855.61 2447094.86", p.Total.Future.Number()+" "+p.Total.StdErr.Number()); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
	for i, want := range []float64{3.49061, 1.74733, 1.45741, 1.17385, 1.10382, 1.08627, 1.05387, 1.07656, 1.01772} {
		if !golden.Close(p.Factors[i], want, 1e-5) {
			t.Errorf("factor %d = %v, want %v", i, p.Factors[i], want)
		}
	}
	reserves := []float64{0, 94634, 469511, 709638, 984889, 1419459, 2177641, 3920301, 4278972, 4625811}
	errs := []float64{0, 75535, 121699, 133549, 261406, 411010, 558317, 875328, 971258, 1363155}
	for i, r := range p.Rows {
		if math.Abs(r.Future.Float64()-reserves[i]) > 0.5 || math.Abs(r.StdErr.Float64()-errs[i]) > 0.5 {
			t.Errorf("row %d: %v +- %v, want %v +- %v", i, r.Future, r.StdErr, reserves[i], errs[i])
		}
	}
}

// TestProportionalCohortsAreExact lets cohorts of any size follow one pattern: the projection is the pattern's and its
// standard error 0.
func TestProportionalCohortsAreExact(t *testing.T) {
	pattern := []int64{100, 150, 180, 190}
	tri := &cohort.Triangle{}
	want := []string{}
	for i, size := range []int64{3, 7, 2, 11} {
		r := cohort.Row{Cohort: fmt.Sprint(i), Customers: int(size)}
		for _, v := range pattern[:4-i] {
			amount, err := money.FromMinor(v*size, "USD")
			if err != nil {
				t.Fatal(err)
			}
			r.Cumulative = append(r.Cumulative, amount)
		}
		tri.Rows = append(tri.Rows, r)
		want = append(want, fmt.Sprintf("%.2f", float64(190*size)/100))
	}
	p, err := cohort.ChainLadder(tri, nil)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := cohort.CapeCod(tri, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range p.Rows {
		if r.Ultimate.Number() != want[i] || r.StdErr.Sign() != 0 || r.PerHead.Number() != "1.90" {
			t.Errorf("row %d: %+v, want %s", i, r, want[i])
		}
		if !heads.Rows[i].Ultimate.Equal(r.Ultimate) {
			t.Errorf("row %d: Cape Cod %v, chain ladder %v", i, heads.Rows[i].Ultimate, r.Ultimate)
		}
		if m := float64(pattern[3-i]) / 190; !golden.Close(r.Mature, m, 1e-14) {
			t.Errorf("row %d: mature %v, want %v", i, r.Mature, m)
		}
	}
	if p.Total.Ultimate.Number() != "43.70" || p.Total.Customers != 23 {
		t.Errorf("total %+v", p.Total)
	}
}

// TestBornhuetterFerguson computes by hand: the young cohort shows 100 and is 1/2 mature; of the expected 300 half is
// to come.
func TestBornhuetterFerguson(t *testing.T) {
	tri := &cohort.Triangle{Rows: []cohort.Row{row("old", 2, "100", "200"), row("young", 2, "100")}}
	p, err := cohort.BornhuetterFerguson(tri, []money.Amount{usd("999"), usd("300")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Rows[0].Ultimate.Number() + " " + p.Rows[1].Ultimate.Number(); got != "200.00 250.00" {
		t.Errorf("ultimates %s", got)
	}
	// With the chain ladder's own ultimate as expectation both agree, tail included.
	ladder, err := cohort.ChainLadder(tri, &cohort.Options{Tail: 1.25})
	if err != nil {
		t.Fatal(err)
	}
	p, err = cohort.BornhuetterFerguson(tri, []money.Amount{ladder.Rows[0].Ultimate, ladder.Rows[1].Ultimate}, &cohort.Options{Tail: 1.25})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Rows[0].Ultimate.Number() + " " + p.Rows[1].Ultimate.Number(); got != "250.00 250.00" {
		t.Errorf("ultimates with tail %s", got)
	}
}

func purchase(customer, at, amount string) ledger.Transaction {
	day, err := time.Parse(time.DateOnly, at)
	if err != nil {
		panic(err)
	}
	return ledger.Transaction{Customer: customer, At: day, Amount: usd(amount)}
}

func months(t *testing.T) []ledger.Period {
	t.Helper()
	return ledger.Months(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC), nil)
}

func log() []ledger.Transaction {
	return []ledger.Transaction{
		purchase("a", "2025-01-05", "10"), purchase("a", "2025-02-05", "5"), purchase("a", "2025-03-05", "-3"),
		purchase("b", "2025-01-31", "20"), purchase("b", "2025-03-31", "1.50"),
		purchase("c", "2025-02-01", "8"), purchase("c", "2025-03-01", "2"),
		purchase("d", "2025-03-15", "0"),
		purchase("e", "2024-12-31", "70"), purchase("e", "2025-01-01", "70"), // came before the first period
		purchase("f", "2025-02-10", "-4"), // a refund alone makes no customer
		purchase("g", "2025-04-01", "9"),  // comes after the last period
	}
}

func TestFromLog(t *testing.T) {
	ctx := context.Background()
	want := &cohort.Triangle{Rows: []cohort.Row{
		row("2025-01", 2, "30", "35", "33.50"), row("2025-02", 1, "8", "10"), row("2025-03", 1, "0"),
	}}
	r := rand.New(rand.NewPCG(1, 2))
	rows := log()
	for range 20 {
		got, err := cohort.FromLog(ctx, ledger.Transactions(rows), months(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
	// March is not complete on the 20th.
	got, err := cohort.FromLog(ctx, ledger.Transactions(rows), months(t), &cohort.LogOptions{End: time.Date(2025, 3, 20, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := got.WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("cohort,customers,age_0,age_1\n2025-01,2,30.00,35.00\n2025-02,1,8.00,\n", table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Margin instead of revenue.
	got, err = cohort.FromLog(ctx, ledger.Transactions(rows), months(t), &cohort.LogOptions{
		Value: func(t ledger.Transaction) (money.Amount, error) { return t.Amount.MulRat(1, 2, money.HalfEven) }})
	if err != nil {
		t.Fatal(err)
	}
	if half := got.Rows[0].Cumulative[2].Number(); half != "16.75" {
		t.Errorf("half of the value is %s", half)
	}
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	bad := func(change func(rows []ledger.Transaction)) error {
		rows := log()
		change(rows)
		_, err := cohort.FromLog(ctx, ledger.Transactions(rows), months(t), nil)
		return err
	}
	ladder := func(rows ...cohort.Row) error {
		_, err := cohort.ChainLadder(&cohort.Triangle{Rows: rows}, nil)
		return err
	}
	gap := []ledger.Period{ledger.Month(2025, 1, nil), ledger.Month(2025, 3, nil)}
	_, gapErr := cohort.FromLog(ctx, ledger.Transactions(nil), gap, nil)
	_, noPeriods := cohort.FromLog(ctx, ledger.Transactions(nil), nil, nil)
	good := &cohort.Triangle{Rows: []cohort.Row{row("old", 0, "100", "200"), row("young", 0, "100")}}
	_, tail := cohort.ChainLadder(good, &cohort.Options{Tail: -1})
	_, count := cohort.BornhuetterFerguson(good, nil, nil)
	_, currency := cohort.BornhuetterFerguson(good, []money.Amount{usd("1"), money.MustParse("1", "EUR")}, nil)
	_, heads := cohort.CapeCod(good, nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{bad(func(rows []ledger.Transaction) { rows[2].Customer = "" }), `cohort: row 3: field "Customer": value "": empty`},
		{bad(func(rows []ledger.Transaction) { rows[1].At = time.Time{} }), "no time"},
		{bad(func(rows []ledger.Transaction) { rows[3].Amount = money.MustParse("1", "EUR") }), "EUR"},
		{gapErr, "cohort: 2025-03 after 2025-01: periods must follow one another without overlap"},
		{noPeriods, "cohort: no periods"},
		{ladder(), "cohort: no cohorts"},
		{ladder(row("a", 0)), "cohort: a: no cell: a cohort needs at least its first period"},
		{ladder(row("a", 0, "1"), row("b", 0, "1", "2")), "cohort: b: 2 ages: longer than the row of an older cohort"},
		{ladder(row("a", -1, "1")), "cohort: a: customers -1: negative"},
		{ladder(row("a", 0, "0", "2"), row("b", 0, "0")), "cohort: growth from age 0 to 1: from a value of 0 to 2: undefined"},
		{tail, "cohort: tail factor -1: want a positive finite number, 1 for no growth"},
		{count, "cohort: 0 expected values for 2 cohorts"},
		{currency, "cohort: young: expected value in EUR, the triangle is in USD"},
		{heads, "cohort: value a customer: no customers: undefined"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
	if !errors.Is(heads, ledger.ErrUndefined) {
		t.Error("the ratio without a base is not ErrUndefined")
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	many := make([]ledger.Transaction, 5000)
	for i := range many {
		many[i] = purchase("a", "2025-01-05", "10")
	}
	if _, err := cohort.FromLog(canceled, ledger.Transactions(many), months(t), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// TestTablesAndJSON prints a projection and stores it.
func TestTablesAndJSON(t *testing.T) {
	p, err := cohort.ChainLadder(&cohort.Triangle{Rows: []cohort.Row{row("old", 2, "100", "200"), row("young", 4, "100")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "cohort,customers,latest,mature,ultimate,future,std_err,per_head\n" +
		"old,2,200.00,1.0000,200.00,0.00,0.00,100.00\nyoung,4,100.00,0.5000,200.00,100.00,0.00,50.00\ntotal,6,300.00,0.7500,400.00,100.00,0.00,66.67\n"
	var table bytes.Buffer
	if err := p.WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, table.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back cohort.Projection
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back.String() != p.String() {
		t.Errorf("after JSON:\n%s", &back)
	}
}

func ExampleChainLadder() {
	triangle := &cohort.Triangle{Rows: []cohort.Row{
		row("2025-01", 100, "1000", "1500", "1650"),
		row("2025-02", 120, "1300", "1900"),
		row("2025-03", 80, "900"),
	}}
	p, err := cohort.ChainLadder(triangle, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range p.Rows {
		fmt.Printf("%s: %s so far, %s in the end, %s a customer\n", r.Cohort, r.Latest, r.Ultimate, r.PerHead)
	}
	// Output:
	// 2025-01: USD 1650.00 so far, USD 1650.00 in the end, USD 16.50 a customer
	// 2025-02: USD 1900.00 so far, USD 2090.00 in the end, USD 17.42 a customer
	// 2025-03: USD 900.00 so far, USD 1463.48 in the end, USD 18.29 a customer
}
