package clv

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// The histories of a split are those of the rows before; the rest is counted by the rules alone.
func TestSummarizeSplit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	split, end := day("2025-02-10"), day("2025-03-20")
	for _, n := range []int{0, 3000, 30_000} {
		log := shopLog(r, 400, n)
		for _, workers := range []int{1, 2, 7} {
			hs, later, err := SummarizeSplit(context.Background(), ledger.Transactions(log), split, end, Week, &SummaryOptions{Workers: workers})
			if err != nil {
				t.Fatal(err)
			}
			before := slices.DeleteFunc(slices.Clone(log), func(tx ledger.Transaction) bool { return !tx.At.Before(day("2025-02-11")) })
			if want := summarize(t, before, split, Week, nil); !reflect.DeepEqual(want, hs) {
				t.Errorf("%d rows, %d workers: histories (-before +split):\n%s", n, workers, cmp.Diff(want, hs, exact))
			}
			want, known := Later{Duration: 38. / 7, Rows: make([]LaterOrders, len(hs.Rows))}, map[string]int{}
			for i, h := range hs.Rows {
				known[h.Customer] = i
				want.Rows[i].Spend = usd("0")
			}
			bought, fresh := map[[2]string]bool{}, map[string]bool{}
			for _, tx := range log {
				date := tx.At.Format(time.DateOnly)
				if date <= "2025-02-10" || date > "2025-03-20" {
					continue
				}
				i, ok := known[tx.Customer]
				if purchase := tx.Amount.Sign() >= 0; !ok {
					fresh[tx.Customer] = fresh[tx.Customer] || purchase
					continue
				} else if key := [2]string{tx.Customer, date}; purchase && !bought[key] {
					bought[key] = true
					want.Rows[i].Purchases++
				}
				if want.Rows[i].Spend, err = want.Rows[i].Spend.Add(tx.Amount); err != nil {
					t.Fatal(err)
				}
			}
			for i, h := range hs.Rows {
				if h.X == 0 && want.Rows[i].Purchases == 0 {
					want.Rows[i].Spend = usd("0")
				}
			}
			for _, purchase := range fresh {
				if purchase {
					want.New++
				}
			}
			if diff := cmp.Diff(want, *later, exact); diff != "" {
				t.Errorf("%d rows, %d workers: later (-want +got):\n%s", n, workers, diff)
			}
		}
	}
}

// A refund dated before the split is not one of the later period, though it would count among the repeat spend then.
func TestSummarizeSplitRefunds(t *testing.T) {
	log := []ledger.Transaction{buy("a", "2025-01-01", "10"), buy("a", "2025-01-05", "-4"), buy("a", "2025-02-20", "7"), buy("b", "2025-01-02", "3"), buy("b", "2025-02-21", "-1"),
		buy("c", "2025-01-02", "-3"), buy("c", "2025-02-21", "1"), buy("d", "2025-02-21", "1"), buy("e", "2025-03-21", "1")}
	_, later, err := SummarizeSplit(context.Background(), ledger.Transactions(log), day("2025-01-31"), day("2025-02-28"), Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Later{Duration: 28, Rows: []LaterOrders{{1, usd("7")}, {0, usd("0")}}, New: 2}
	if diff := cmp.Diff(want, later, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSummarizeSplitErrors(t *testing.T) {
	log := ledger.Transactions([]ledger.Transaction{buy("a", "2025-01-01", "10")})
	euros := ledger.Transactions([]ledger.Transaction{buy("a", "2025-01-01", "10"), {Customer: "a", At: day("2025-02-01"), Amount: money.MustParse("3", "EUR")}})
	a, b := day("2025-01-10"), day("2025-02-10")
	_, _, noLog := SummarizeSplit(context.Background(), nil, a, b, Week, nil)
	_, _, reversed := SummarizeSplit(context.Background(), log, b, a, Week, nil)
	_, _, same := SummarizeSplit(context.Background(), log, a, a, Week, nil)
	_, _, ordered := SummarizeSplit(context.Background(), log, a, b, Week, &SummaryOptions{Ordered: true})
	_, _, unit := SummarizeSplit(context.Background(), log, a, b, 0, nil)
	_, _, noSplit := SummarizeSplit(context.Background(), log, time.Time{}, b, Week, nil)
	_, _, mixed := SummarizeSplit(context.Background(), euros, a, b, Week, nil)
	for _, c := range []struct {
		err  error
		want string
	}{
		{noLog, "clv: no log"},
		{reversed, "clv: split 2025-02-10 and end 2025-01-10: want a later end"},
		{same, "clv: split 2025-01-10 and end 2025-01-10: want a later end"},
		{ordered, "clv: SummarizeSplit with Ordered or SpillDir: it needs the purchase days of all customers"},
		{unit, "clv: unit 0s: want a positive one, such as clv.Week"},
		{noSplit, "clv: no end of observation"},
		{mixed, `clv: row 2: field "Amount": value "EUR 3.00": ` + (&money.CurrencyMismatchError{A: "USD", B: "EUR"}).Error()},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("error %v, want %s", c.err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := SummarizeSplit(ctx, log, a, b, Week, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func BenchmarkSummarizeSplit(b *testing.B) {
	for _, customers := range []int{1e3, 1e5, 1e6} {
		if customers > 1e5 && os.Getenv("CUSTVAL_LONG") == "" {
			continue
		}
		b.Run(fmt.Sprintf("customers=%d", customers), func(b *testing.B) {
			rows := benchLog(customers, 10)
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := SummarizeSplit(context.Background(), ledger.Transactions(rows), day("2025-09-30"), day("2025-12-31"), Week, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows))*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func ExampleSummarizeSplit() {
	at := func(date string) time.Time { t, _ := time.Parse(time.DateOnly, date); return t }
	order := func(customer, date, amount string) ledger.Transaction {
		return ledger.Transaction{Customer: customer, At: at(date), Amount: money.MustParse(amount, "USD")}
	}
	log := ledger.Transactions([]ledger.Transaction{
		order("ada", "2025-01-01", "29.33"), order("ada", "2025-01-15", "14.96"), order("ada", "2025-02-05", "20.00"),
		order("bob", "2025-01-05", "12.00"), order("eve", "2025-02-10", "50.00"),
	})
	hs, later, err := SummarizeSplit(context.Background(), log, at("2025-01-31"), at("2025-02-28"), Week, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, h := range hs.Rows {
		fmt.Printf("%s: %d repeat purchases, then %d of %v in %v weeks\n", h.Customer, h.X, later.Rows[i].Purchases, later.Rows[i].Spend, later.Duration)
	}
	fmt.Println("new customers:", later.New)
	// Output:
	// ada: 1 repeat purchases, then 1 of USD 20.00 in 4 weeks
	// bob: 0 repeat purchases, then 0 of USD 0.00 in 4 weeks
	// new customers: 1
}
