package clv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func order(customer, day, id, amount, cost, discount, category string) ledger.Transaction {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	t := ledger.Transaction{Customer: customer, At: at, ID: id, Amount: dollars(amount), Category: category}
	if cost != "" {
		t.Cost = dollars(cost)
	}
	if discount != "" {
		t.Discount = dollars(discount)
	}
	return t
}

// shopLog has line items, a refund, a discount on one item of an order, and a customer with a refund alone.
func shopLog() []ledger.Transaction {
	return []ledger.Transaction{
		order("a", "2025-01-01", "1", "30", "10", "", "shoes"), order("a", "2025-01-01", "1", "20", "5", "2", "hats"),
		order("a", "2025-01-20", "2", "50", "20", "", "shoes"), order("a", "2025-01-25", "2", "-50", "-20", "", "shoes"),
		order("a", "2025-06-01", "3", "100", "", "", "hats"),
		order("b", "2025-02-01", "", "10", "4", "", "hats"), order("b", "2025-02-01", "", "15", "6", "", "hats"),
		order("c", "2025-03-01", "", "-5", "", "", "shoes"),
		order("b", "2026-01-01", "", "1000", "", "", "hats"), // after the end
	}
}

var shopEnd = time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)

func historic(t *testing.T) clv.Pasts {
	t.Helper()
	ps, err := clv.Historic(context.Background(), ledger.Transactions(shopLog()), shopEnd, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestHistoric(t *testing.T) {
	var table bytes.Buffer
	if err := historic(t).WriteCSV(&table); err != nil {
		t.Fatal(err)
	}
	want := `customer,first,last,orders,full_price,returns,revenue,refunds,cost,margin,compounded
a,2025-01-01,2025-06-01,3,2,1,200.00,50.00,15.00,135.00,135.00
b,2025-02-01,2025-02-01,2,2,0,25.00,0.00,10.00,15.00,15.00
c,,,0,0,1,0.00,5.00,0.00,-5.00,-5.00
`
	if diff := cmp.Diff(strings.ReplaceAll(want, ",0.00", ",0"), strings.ReplaceAll(table.String(), ",0.00", ",0")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHistoricRates(t *testing.T) {
	ps := historic(t)
	repeat, err := ps.RepeatRate()
	if err != nil || repeat != (clv.Share{Count: 2, Of: 2, Value: 1}) {
		t.Errorf("repeat rate %+v with error %v", repeat, err)
	}
	returns, err := ps.ReturnRate()
	if err != nil || returns != (clv.Share{Count: 2, Of: 5, Value: 0.4}) {
		t.Errorf("return rate %+v with error %v", returns, err)
	}
	byValue, err := ps.ReturnRateByValue()
	if err != nil || !golden.Close(byValue, 55.0/225, 1e-14) {
		t.Errorf("return rate by value %v with error %v", byValue, err)
	}
	average, err := ps[0].AverageOrder()
	if err != nil || average.String() != "USD 66.67" {
		t.Errorf("average order %v with error %v", average, err)
	}
	for name, f := range map[string]func() error{
		"repeat":  func() error { _, err := clv.Pasts{}.RepeatRate(); return err },
		"return":  func() error { _, err := clv.Pasts{}.ReturnRate(); return err },
		"value":   func() error { _, err := clv.Pasts{}.ReturnRateByValue(); return err },
		"average": func() error { _, err := ps[2].AverageOrder(); return err },
	} {
		if err := f(); !errors.Is(err, ledger.ErrUndefined) {
			t.Errorf("%s: error %v, want ErrUndefined", name, err)
		}
	}
}

// TestCompounding grows 100 of margin for a Julian year at 10 %.
func TestCompounding(t *testing.T) {
	end := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(clv.Year)
	log := []ledger.Transaction{order("a", "2025-01-01", "", "120", "20", "", "")}
	ps, err := clv.Historic(context.Background(), ledger.Transactions(log), end, &clv.HistoricOptions{Compound: clv.Annual(0.10)})
	if err != nil {
		t.Fatal(err)
	}
	if ps[0].Compounded.String() != "USD 110.00" {
		t.Errorf("compounded %v, want USD 110.00", ps[0].Compounded)
	}
}

// TestGroupsAddUp holds totals by attribute, cohort and category of random logs against the whole to the cent, and the
// order of the rows against the result.
func TestGroupsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ctx := context.Background()
	for range 30 {
		var log []ledger.Transaction
		var customers []ledger.Customer
		for c := range 20 {
			id := fmt.Sprint("c", c)
			customers = append(customers, ledger.Customer{ID: id, Channel: fmt.Sprint("channel", r.IntN(3))})
			for range r.IntN(6) {
				day := fmt.Sprintf("2025-%02d-%02d", 1+r.IntN(12), 1+r.IntN(28))
				log = append(log, order(id, day, "", fmt.Sprintf("%.2f", 100*r.NormFloat64()+60), fmt.Sprintf("%.2f", 20*r.Float64()), "", fmt.Sprint("cat", r.IntN(4))))
			}
		}
		ps, err := clv.Historic(ctx, ledger.Transactions(log), shopEnd, nil)
		if err != nil {
			t.Fatal(err)
		}
		total, err := ps.Total()
		if err != nil {
			t.Fatal(err)
		}
		months := ledger.Months(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), shopEnd, nil)
		for name, key := range map[string]ledger.Key{"channel": ledger.By(customers, "channel"), "cohort": ps.ByCohort(months)} {
			table, err := clv.Groups(ps, key)
			if err != nil {
				t.Fatal(err)
			}
			var sum money.Sum
			n := 0
			for _, g := range table {
				sum.Add(g.Total)
				n += g.Customers
			}
			if got, err := sum.Total(); err != nil || !got.Equal(total) || n != len(ps) {
				t.Errorf("%s: %v of %d customers with error %v, want %v of %d", name, got, n, err, total, len(ps))
			}
		}
		byCategory, err := clv.ByOrder(ctx, ledger.Transactions(log), shopEnd, func(t ledger.Transaction) string { return t.Category })
		if err != nil {
			t.Fatal(err)
		}
		var sum money.Sum
		for _, g := range byCategory {
			sum.Add(g.Margin)
		}
		if got, err := sum.Total(); err != nil || !got.Equal(total) {
			t.Errorf("category: %v with error %v, want %v", got, err, total)
		}
		r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
		again, err := clv.Historic(ctx, ledger.Transactions(log), shopEnd, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ps.String(), again.String()); diff != "" {
			t.Fatalf("shuffled rows (-want +got):\n%s", diff)
		}
	}
}

func TestHighValue(t *testing.T) {
	ps := historic(t)
	for _, c := range []struct {
		rule clv.HighValue
		want []bool
	}{
		{clv.HighValue{}, []bool{true, true, false}},
		{clv.HighValue{FullPrice: 0.7}, []bool{false, true, false}},                  // a has two of three at full price
		{clv.HighValue{Orders: 3}, []bool{true, false, false}},                       // over all time
		{clv.HighValue{Orders: 2, Window: 15 * clv.Day}, []bool{false, true, false}}, // a waits for 19 days
		{clv.HighValue{Orders: 2, Window: 19 * clv.Day}, []bool{true, true, false}},
		{clv.HighValue{AboveMedian: true}, []bool{true, false, false}}, // 66.67 against 12.50
	} {
		got, err := ps.HighValue(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.rule, diff)
		}
	}
	key := func(customer string) string {
		return map[string]string{"a": "north", "b": "south", "c": "south"}[customer]
	}
	table, err := ps.HighValueBy(clv.HighValue{Orders: 3}, key)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(clv.HighValueTable{{"north", 1, 1, 1, 3}, {"south", 2, 0, 0, 0}}, table); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := ps.HighValue(clv.HighValue{FullPrice: 2}); err == nil {
		t.Error("a share of 2 is no error")
	}
}

// TestConcentration computes by hand: values 0, 10, 30, 60.
func TestConcentration(t *testing.T) {
	var scores []clv.Score
	for i, v := range []string{"30", "0", "60", "10"} {
		scores = append(scores, clv.Score{Customer: fmt.Sprint(i), Value: dollars(v)})
	}
	c, err := clv.Concentrate(scores)
	if err != nil {
		t.Fatal(err)
	}
	// Lorenz shares 0, 0, 0.1, 0.4, 1: area by trapezoids (0 + 0.05 + 0.25 + 0.7)/4.
	if !golden.Close(c.Gini, 1-2*(0.05+0.25+0.7)/4, 1e-14) || !golden.Close(c.TopDecile, 0.4*0.6, 1e-14) || !golden.Close(c.TopFifth, 0.8*0.6, 1e-14) {
		t.Errorf("concentration %+v", c)
	}
	if diff := cmp.Diff([]clv.LorenzPoint{{0, 0}, {0.25, 0}, {0.5, 0.1}, {0.75, 0.4}, {1, 1}}, c.Lorenz); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := clv.Concentrate([]clv.Score(nil)); err == nil {
		t.Error("nobody is no error")
	}
	if _, err := clv.Concentrate([]clv.Score{{Value: dollars("0")}}); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("nothing: error %v, want ErrUndefined", err)
	}
	if _, err := clv.Concentrate([]clv.Score{{Value: dollars("-1")}}); err == nil {
		t.Error("a negative value is no error")
	}
}

func TestProfile(t *testing.T) {
	ps := historic(t)
	p, err := clv.NewProfile(ps[0], clv.Score{Customer: "a", ProbAlive: 0.75, Purchases: 2.5, Value: dollars("80")}, shopEnd, map[string]string{"rfm": "Champions"})
	if err != nil {
		t.Fatal(err)
	}
	// Three orders in 364 days.
	if !golden.Close(p.Frequency, 3/(364/365.25), 1e-12) || p.Average.String() != "USD 66.67" {
		t.Errorf("profile %+v", p)
	}
	if text, err := json.Marshal(p); err != nil || !strings.Contains(string(text), `"segments":{"rfm":"Champions"}`) {
		t.Errorf("JSON %s with error %v", text, err)
	}
	if !strings.Contains(p.String(), "Champions") {
		t.Errorf("text:\n%s", p)
	}
	if _, err := clv.NewProfile(ps[0], clv.Score{Customer: "b"}, shopEnd, nil); err == nil {
		t.Error("two customers make one profile")
	}
}

func TestHistoricErrors(t *testing.T) {
	ctx := context.Background()
	bad := func(change func(rows []ledger.Transaction)) error {
		rows := shopLog()
		change(rows)
		_, err := clv.Historic(ctx, ledger.Transactions(rows), shopEnd, nil)
		return err
	}
	_, rate := clv.Historic(ctx, ledger.Transactions(nil), shopEnd, &clv.HistoricOptions{Compound: clv.Annual(-1)})
	for _, c := range []struct {
		err  error
		want string
	}{
		{bad(func(rows []ledger.Transaction) { rows[3].Customer = "" }), `clv: row 4: field "Customer": value "": empty`},
		{bad(func(rows []ledger.Transaction) { rows[4].At = time.Time{} }), "clv: row 5: field \"At\""},
		{bad(func(rows []ledger.Transaction) { rows[4].Amount = money.MustParse("1", "EUR") }), "EUR"},
		{bad(func(rows []ledger.Transaction) { rows[0].Cost = money.MustParse("1", "EUR") }), "EUR"},
		{bad(func(rows []ledger.Transaction) {
			for i := range rows {
				if rows[i].Customer == "b" {
					rows[i].Amount, rows[i].Cost = money.MustParse("1", "EUR"), money.Amount{}
				}
			}
		}), "EUR"},
		{rate, "clv: discount rate -1"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

func ExampleHistoric() {
	pasts, err := clv.Historic(context.Background(), ledger.Transactions(shopLog()), shopEnd, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range pasts {
		fmt.Println(p.Customer, p.Orders, p.Margin)
	}
	// Output:
	// a 3 USD 135.00
	// b 2 USD 15.00
	// c 0 USD -5.00
}

func ExampleGroups() {
	scores := []clv.Score{{Customer: "a", Value: money.MustParse("30", "USD")}, {Customer: "b", Value: money.MustParse("50", "USD")},
		{Customer: "c", Value: money.MustParse("20", "USD")}}
	customers := []ledger.Customer{{ID: "a", Attributes: map[string]string{"region": "north"}},
		{ID: "b", Attributes: map[string]string{"region": "south"}}, {ID: "c", Attributes: map[string]string{"region": "north"}}}
	g, err := clv.Groups(scores, ledger.By(customers, "region"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	// Output:
	//   group  customers  total   mean   share
	//   north          2  50.00  25.00  0.5000
	//   south          1  50.00  50.00  0.5000
}
