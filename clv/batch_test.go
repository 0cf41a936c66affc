package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
)

// varied draws customers of several lengths of observation, the last of them with many purchases.
func varied(m Model, n int) *Histories {
	r := rand.New(rand.NewPCG(1, 2))
	hs := &Histories{Unit: Week}
	for i := range n {
		h := m.Rand(r, math.Exp(6*r.Float64()-1))
		h.Customer = fmt.Sprint(i)
		hs.Rows = append(hs.Rows, h)
	}
	hs.Rows = append(hs.Rows, History{X: 90, TX: 40, T: 41}, History{X: 101, TX: 40, T: 41}, History{X: 2000, TX: 40, T: 40}, History{})
	return hs
}

// TestBatch holds predictions of many customers against those of one, to the bit, for any number of workers.
func TestBatch(t *testing.T) {
	ctx := context.Background()
	models := append(forecasters(), BGNBD{0.25, 4.4, 0.8, 2.4}, BGNBD{99.5, 300, 0.4, 3}, MBGNBD{0.5, 6, 0.9, 1.6},
		ParetoNBD{0.55, 10.6, 0.6, 11.7}, GGompertzNBD{0.6, 8, 0.05, 0.5, 10}, PDO{0.9, 6, 0.8, 2.5, 4})
	for _, m := range models {
		hs := varied(m, 600)
		for name, f := range map[string]struct {
			all func(o *BatchOptions) ([]float64, error)
			one func(h History) float64
		}{
			"ProbAlive":      {func(o *BatchOptions) ([]float64, error) { return ProbAliveAll(ctx, m, hs, o) }, m.ProbAlive},
			"a short time":   {func(o *BatchOptions) ([]float64, error) { return ExpectedPurchasesAll(ctx, m, hs, 1, o) }, func(h History) float64 { return m.ExpectedPurchases(h, 1) }},
			"a long time":    {func(o *BatchOptions) ([]float64, error) { return ExpectedPurchasesAll(ctx, m, hs, 500, o) }, func(h History) float64 { return m.ExpectedPurchases(h, 500) }},
			"no time":        {func(o *BatchOptions) ([]float64, error) { return ExpectedPurchasesAll(ctx, m, hs, 0, o) }, func(h History) float64 { return m.ExpectedPurchases(h, 0) }},
			"discounted":     {func(o *BatchOptions) ([]float64, error) { return DiscountedPurchasesAll(ctx, m, hs, 52, 0.002, o) }, func(h History) float64 { return DiscountedPurchases(m, h, 52, 0.002) }},
			"not discounted": {func(o *BatchOptions) ([]float64, error) { return DiscountedPurchasesAll(ctx, m, hs, 52, 0, o) }, func(h History) float64 { return DiscountedPurchases(m, h, 52, 0) }},
		} {
			if _, heavy := m.(GGompertzNBD); heavy && name == "discounted" {
				continue // some 0.1 ms each
			}
			one, err := f.all(&BatchOptions{Workers: 1})
			if err != nil {
				t.Fatalf("%s of %+v: %v", name, m, err)
			}
			for i, h := range hs.Rows {
				if want := f.one(h); one[i] != want {
					t.Fatalf("%s of %+v, %+v: %v, want %v", name, m, h, one[i], want)
				}
			}
			many, err := f.all(&BatchOptions{Workers: 7, Into: make([]float64, 3, 1000)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(one, many); diff != "" {
				t.Errorf("%s of %+v with 7 workers (-want +got):\n%s", name, m, diff)
			}
		}
	}
}

func TestDERTAll(t *testing.T) {
	for _, m := range []Model{BGNBD{0.25, 4.4, 0.8, 2.4}, MBGNBD{0.5, 6, 1.9, 1.6}, ParetoNBD{0.55, 10.6, 0.6, 11.7}} {
		hs := varied(m, 60)
		for _, delta := range []float64{0, 0.003, 0.5} {
			all, err := DERTAll(context.Background(), m, hs, delta, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, h := range hs.Rows {
				if want := m.DERT(h, delta); all[i] != want {
					t.Fatalf("%+v, %+v at %v: %v, want %v", m, h, delta, all[i], want)
				}
			}
		}
	}
}

func TestBatchErrors(t *testing.T) {
	ctx, canceled := context.Background(), func() context.Context { c, cancel := context.WithCancel(context.Background()); cancel(); return c }()
	hs := &Histories{Unit: Week, Rows: []History{{T: 3}, {Customer: "bad", X: 1, TX: 4, T: 3}, {T: -4}}}
	message := func(_ []float64, err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for _, c := range []struct{ got, want string }{
		{message(ProbAliveAll(ctx, nil, hs, nil)), "clv: no model"},
		{message(ProbAliveAll(ctx, cdnowModel, nil, nil)), "clv: no histories"},
		{message(ProbAliveAll(ctx, BGNBD{R: 1}, hs, nil)), "clv: bgnbd: Alpha = 0: want a positive finite number"},
		{message(ProbAliveAll(ctx, cdnowModel, hs, &BatchOptions{Workers: -1})), "clv: -1 workers: negative"},
		{message(ProbAliveAll(ctx, cdnowModel, hs, nil)), `clv: row 2: field "TX": value "4": greater than T`},
		{message(ProbAliveAll(canceled, cdnowModel, hs, nil)), "context canceled"},
		{message(ExpectedPurchasesAll(ctx, cdnowModel, hs, -1, nil)), "clv: time -1: want a finite number of units that is not negative"},
		{message(DiscountedPurchasesAll(ctx, cdnowModel, hs, math.Inf(1), 0, nil)), "clv: horizon +Inf at the rate 0: want finite numbers that are not negative"},
		{message(DERTAll(ctx, cdnowModel, hs, math.NaN(), nil)), "clv: discount rate NaN: want a finite number that is not negative"},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	var bad *ledger.RowError
	if _, err := ExpectedPurchasesAll(ctx, cdnowModel, hs, 1, nil); !errors.As(err, &bad) || bad.Row != 2 {
		t.Errorf("error %v, want a row error of row 2", err)
	}
	if v, err := ProbAliveAll(ctx, cdnowModel, &Histories{Unit: Week}, nil); err != nil || len(v) != 0 {
		t.Errorf("no rows give %v and %v", v, err)
	}
}

// TestBatchDoesNotAllocate predicts into a slice that is there: what is allocated does not grow with the customers.
func TestBatchDoesNotAllocate(t *testing.T) {
	hs := varied(cdnowModel, 4000)
	o := &BatchOptions{Into: make([]float64, len(hs.Rows)), Workers: 1}
	if n := testing.AllocsPerRun(3, func() {
		if _, err := ExpectedPurchasesAll(context.Background(), cdnowModel, hs, 52, o); err != nil {
			t.Fatal(err)
		}
	}); n > 500 {
		t.Errorf("%v allocations for %d customers", n, len(hs.Rows))
	}
}

func ExampleExpectedPurchasesAll() {
	m := BGNBD{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426} // in weeks
	hs := &Histories{Unit: Week, Rows: []History{{Customer: "ada", X: 2, TX: 30.43, T: 38.86}, {Customer: "bob", T: 38.86}}}
	ctx := context.Background()
	alive, err := ProbAliveAll(ctx, m, hs, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	year, err := ExpectedPurchasesAll(ctx, m, hs, 52, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, h := range hs.Rows {
		fmt.Printf("%s: alive with probability %.2f, %.2f purchases in 52 weeks\n", h.Customer, alive[i], year[i])
	}
	// Output:
	// ada: alive with probability 0.73, 1.56 purchases in 52 weeks
	// bob: alive with probability 1.00, 0.25 purchases in 52 weeks
}
