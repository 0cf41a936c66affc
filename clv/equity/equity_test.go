package equity_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv/equity"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

// TestFirm adds the cohorts of a firm up one customer-period at a time.
func TestFirm(t *testing.T) {
	f := equity.Firm{Margin: usd("10"), Retention: 0.7, Discount: 0.05, Acquisition: usd("20"), Present: 100, Acquired: []float64{30, 40, 50}}
	w, err := f.Value()
	if err != nil {
		t.Fatal(err)
	}
	life, alive := 0.0, 1.0
	for k := range 500 {
		life += 10 * alive / math.Pow(1.05, float64(k))
		alive *= 0.7
	}
	future := 0.0
	for k, n := range f.Acquired {
		future += n * (life - 20) / math.Pow(1.05, float64(k+1))
	}
	for name, c := range map[string][2]float64{"life": {w.PerCustomer.Float64(), life}, "present": {w.Present.Float64(), 100 * life}, "future": {w.Future.Float64(), future}} {
		if math.Abs(c[0]-c[1]) > 0.005+1e-9 {
			t.Errorf("%s = %v, want %v", name, c[0], c[1])
		}
	}
	if sum, err := w.Present.Add(w.Future); err != nil || !sum.Equal(w.Total) {
		t.Errorf("total %v, parts %v", w.Total, sum)
	}
	// Without growth, a firm that wins a constant number of customers for ever is a perpetuity: n (w-c)/d.
	f.Acquired = make([]float64, 2000)
	for i := range f.Acquired {
		f.Acquired[i] = 10
	}
	if w, err = f.Value(); err != nil || math.Abs(w.Future.Float64()-10*(life-20)/0.05) > 0.01 {
		t.Errorf("perpetuity %v with error %v, want %v", w.Future, err, 10*(life-20)/0.05)
	}
}

func TestLogistic(t *testing.T) {
	l := equity.Logistic{Ceiling: 1000, Location: -2, Slope: 0.3}
	won, err := l.Acquired(3, 50)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for k, n := range won {
		sum += n
		if want := l.Cumulative(float64(k+4)) - l.Cumulative(float64(k+3)); math.Abs(n-want) > 1e-9 {
			t.Errorf("period %d: %v, want %v", k, n, want)
		}
	}
	if !golden.Close(sum, l.Cumulative(53)-l.Cumulative(3), 1e-12) {
		t.Errorf("sum %v", sum)
	}
	if far, err := l.Acquired(1e6, 2); err != nil || far[0] != 0 {
		t.Errorf("far out %v with error %v", far, err)
	}
}

// TestLeverage holds the toy example of the paper: equity 1000 with net assets 1000, none, and a debt of 900.
func TestLeverage(t *testing.T) {
	for _, c := range []struct {
		other, debt string
		want        float64
	}{{"1000", "0", 0.5}, {"0", "0", 1}, {"0", "900", 10}} {
		got, err := equity.Leverage(usd("1000"), usd(c.other), usd(c.debt))
		if err != nil || !golden.Close(got, c.want, 1e-14) {
			t.Errorf("%+v: %v with error %v", c, got, err)
		}
	}
	if _, err := equity.Leverage(usd("1"), usd("0"), usd("2")); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("error %v, want ErrUndefined", err)
	}
}

// TestBlattbergDeighton holds the formula against the definition and the optimum against a grid around it.
func TestBlattbergDeighton(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		b := equity.BlattbergDeighton{Margin: usd("100"), Discount: 0.05 + 0.2*r.Float64(),
			Acquisition: equity.Response{Ceiling: 0.2 + 0.8*r.Float64(), K: 0.01 + 0.2*r.Float64()},
			Retention:   equity.Response{Ceiling: 0.3 + 0.6*r.Float64(), K: 0.005 + 0.2*r.Float64()}}
		best, err := b.Best()
		if err != nil {
			t.Fatal(err)
		}
		a, kept := best.Acquired, best.Retained/(1+b.Discount)
		A, R := best.Acquisition.Float64(), best.Retention.Float64()
		want := a*100 - A
		if kept > 0 {
			want += a * (100 - R/best.Retained) * kept / (1 - kept)
		}
		if math.Abs(best.Equity.Float64()-want) > 0.02 { // the spendings are rounded to cents
			t.Errorf("%+v: equity %v, definition %v", b, best.Equity, want)
		}
		for _, da := range []float64{-5, -0.5, 0, 0.5, 5} {
			for _, dr := range []float64{-5, -0.5, 0, 0.5, 5} {
				if A+da < 0 || R+dr < 0 {
					continue
				}
				other, err := b.At(usd(fmt.Sprintf("%.2f", A+da)), usd(fmt.Sprintf("%.2f", R+dr)))
				if err != nil {
					t.Fatal(err)
				}
				if other.Equity.Float64() > best.Equity.Float64()+0.011 {
					t.Errorf("%+v: %v at (%v, %v) beats %v at (%v, %v)", b, other.Equity, other.Acquisition, other.Retention, best.Equity, A, R)
				}
			}
		}
	}
	response, err := equity.NewResponse(0.4, 0.1, usd("5"))
	if err != nil || !golden.Close(response.Rate(5), 0.1, 1e-14) {
		t.Errorf("response %+v at 5: %v with error %v", response, response.Rate(5), err)
	}
}

func at(customer, day, amount string) ledger.Transaction {
	when, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return ledger.Transaction{Customer: customer, At: when, Amount: usd(amount)}
}

func auditLog() []ledger.Transaction {
	return []ledger.Transaction{
		at("a", "2025-01-05", "10"), at("a", "2025-01-25", "10"), at("a", "2025-03-01", "5"), at("a", "2025-03-02", "-5"),
		at("b", "2025-01-31", "20"), at("c", "2025-02-01", "7"), at("c", "2025-01-31", "-1"),
		at("old", "2024-12-31", "9"), at("old", "2025-01-01", "9"), at("d", "2025-04-01", "9"),
	}
}

func quarter() []ledger.Period {
	return ledger.Months(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC), nil)
}

func TestAudit(t *testing.T) {
	log := auditLog()
	r := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		a, err := equity.NewAudit(context.Background(), ledger.Transactions(log), quarter())
		if err != nil {
			t.Fatal(err)
		}
		if a.Customers != 3 || a.Orders != 5 || a.Repeaters != 1 || !golden.Close(a.RepeatRate, 1.0/3, 1e-14) || !golden.Close(a.PerHead, 5.0/3, 1e-14) || a.Revenue.Number() != "47.00" {
			t.Errorf("audit %+v", a)
		}
		jan := a.Cohorts[0]
		if diff := cmp.Diff([]int{2, 0, 1}, jan.Active); diff != "" || jan.Customers != 2 {
			t.Errorf("%d customers, active (-want +got):\n%s", jan.Customers, diff)
		}
		if diff := cmp.Diff([]int{3, 0, 1}, jan.Orders); diff != "" {
			t.Errorf("orders (-want +got):\n%s", diff)
		}
		if jan.Revenue[2].Sign() != 0 || jan.Revenue[0].Number() != "40.00" || a.Cohorts[1].Revenue[0].Number() != "7.00" {
			t.Errorf("revenue %v", jan.Revenue)
		}
		if !strings.Contains(a.String(), "repeat rate 33.3 %") {
			t.Errorf("text:\n%s", a)
		}
		r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	}
}

func TestErrors(t *testing.T) {
	firm := func(change func(f *equity.Firm)) error {
		f := equity.Firm{Margin: usd("10"), Retention: 0.7, Discount: 0.05, Acquisition: usd("20")}
		change(&f)
		_, err := f.Value()
		return err
	}
	bd := func(change func(b *equity.BlattbergDeighton)) error {
		b := equity.BlattbergDeighton{Margin: usd("10"), Discount: 0.1, Acquisition: equity.Response{Ceiling: 0.5, K: 1}, Retention: equity.Response{Ceiling: 0.5, K: 1}}
		change(&b)
		_, err := b.Best()
		return err
	}
	_, logistic := equity.Logistic{}.Acquired(0, 3)
	_, response := equity.NewResponse(0.4, 0.5, usd("5"))
	_, nobody := equity.NewAudit(context.Background(), ledger.Transactions(nil), quarter())
	_, row := equity.NewAudit(context.Background(), ledger.Transactions([]ledger.Transaction{{At: time.Unix(0, 0)}}), quarter())
	_, gap := equity.NewAudit(context.Background(), ledger.Transactions(nil), []ledger.Period{ledger.Month(2025, 1, nil), ledger.Month(2025, 3, nil)})
	for _, c := range []struct {
		err  error
		want string
	}{
		{firm(func(f *equity.Firm) { f.Retention = 2 }), "equity: clv: formula: retention 2"},
		{firm(func(f *equity.Firm) { f.Retention, f.Discount = 1, 0 }), "infinite"},
		{firm(func(f *equity.Firm) { f.Present = -1 }), "equity: present customers -1"},
		{firm(func(f *equity.Firm) { f.Acquired = []float64{1, math.NaN()} }), "equity: customers acquired in period 2: NaN"},
		{firm(func(f *equity.Firm) { f.Acquisition = money.MustParse("1", "EUR") }), "EUR"},
		{bd(func(b *equity.BlattbergDeighton) { b.Discount = 0 }), "equity: discount 0: want a positive finite number"},
		{bd(func(b *equity.BlattbergDeighton) { b.Margin = usd("0") }), "want a positive amount"},
		{bd(func(b *equity.BlattbergDeighton) { b.Retention.Ceiling = 1.5 }), "equity: retention response"},
		{logistic, "equity: logistic with ceiling 0"},
		{response, "want 0 < rate < ceiling <= 1"},
		{nobody, "equity: audit: no customers: undefined"},
		{row, `equity: row 1: field "Customer"`},
		{gap, "equity: 2025-03 after 2025-01: periods must follow one another"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

func ExampleFirm() {
	f := equity.Firm{Margin: money.MustParse("10", "USD"), Retention: 0.70, Discount: 0.05,
		Acquisition: money.MustParse("20", "USD"), Present: 1000, Acquired: []float64{300, 300, 300}}
	w, err := f.Value()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.PerCustomer, w.Present, w.Total)
	// Output: USD 30.00 USD 30000.00 USD 38169.74
}
