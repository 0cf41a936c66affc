package migration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv/migration"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func usd(s string) money.Amount { return money.MustParse(s, "USD") }

// paper is the example of Pfeifer and Carraway (2000): a purchase earns 40, contacting costs 4.
func paper() *migration.Chain {
	return &migration.Chain{
		States: []string{"recency 1", "recency 2", "recency 3", "recency 4", "former"},
		P: [][]float64{{0.3, 0.7, 0, 0, 0}, {0.2, 0, 0.8, 0, 0}, {0.15, 0, 0, 0.85, 0}, {0.05, 0, 0, 0, 0.95},
			{0, 0, 0, 0, 1}},
		Rewards: []money.Amount{usd("36"), usd("-4"), usd("-4"), usd("-4"), usd("0")},
	}
}

// TestPfeiferCarraway holds the paper's example, with the digits of an independent computation.
func TestPfeiferCarraway(t *testing.T) {
	c := paper()
	forever, err := c.Value(0.2)
	if err != nil {
		t.Fatal(err)
	}
	four, err := c.ValueOver(0.2, 4)
	if err != nil {
		t.Fatal(err)
	}
	best, err := c.BestStopping(0.2)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]struct {
		got  *migration.Valuation
		want []float64
	}{
		"for ever": {forever, []float64{52.3196, 5.5538, 1.2508, -1.8200, 0}},
		"T=4":      {four, []float64{50.1150, 4.2199, 0.5921, -1.9801, 0}},
		"stopping": {best.Value, []float64{53.1494, 6.6207, 2.6437, 0, 0}},
	} {
		for i, want := range v.want {
			if math.Abs(v.got.Values[i]-want) > 5e-5 {
				t.Errorf("%s, %s: %v, want %v", name, v.got.States[i], v.got.Values[i], want)
			}
		}
	}
	if diff := cmp.Diff([]bool{false, false, false, true, false}, best.Stop); diff != "" {
		t.Errorf("stopping (-want +got):\n%s", diff)
	}
	amounts, err := forever.Amounts(money.HalfEven)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(amounts); got != "[USD 52.32 USD 5.55 USD 1.25 USD -1.82 USD 0.00]" {
		t.Errorf("amounts %s", got)
	}
}

// TestOneStateIsTheMarginMultiple: with retention r and margin m at the start of each period the value is
// m (1+i)/(1+i-r).
func TestOneStateIsTheMarginMultiple(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		retention, i := r.Float64(), r.Float64()
		c := &migration.Chain{States: []string{"customer", "gone"}, P: [][]float64{{retention, 1 - retention}, {0, 1}},
			Rewards: []money.Amount{usd("100"), usd("0")}}
		v, err := c.Value(i)
		if err != nil {
			t.Fatal(err)
		}
		if want := 100 * (1 + i) / (1 + i - retention); !golden.Close(v.Values[0], want, 1e-12) {
			t.Errorf("r %v, i %v: %v, want %v", retention, i, v.Values[0], want)
		}
	}
}

// TestRandomChains holds the value for ever against a long horizon, and the best policy against its own equation and
// against every other policy of stopping.
func TestRandomChains(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		n := 1 + r.IntN(5)
		c := &migration.Chain{}
		for i := range n {
			row, sum := make([]float64, n), 0.0
			for j := range row {
				row[j] = r.ExpFloat64()
				sum += row[j]
			}
			for j := range row {
				row[j] /= sum
			}
			amount, err := money.FromFloat(20*r.NormFloat64(), "USD", money.HalfEven)
			if err != nil {
				t.Fatal(err)
			}
			c.States, c.P, c.Rewards = append(c.States, fmt.Sprint(i)), append(c.P, row), append(c.Rewards, amount)
		}
		const d = 0.15
		forever, err := c.Value(d)
		if err != nil {
			t.Fatal(err)
		}
		long, err := c.ValueOver(d, 400)
		if err != nil {
			t.Fatal(err)
		}
		best, err := c.BestStopping(d)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range c.P {
			if math.Abs(long.Values[i]-forever.Values[i]) > 1e-9 {
				t.Errorf("400 periods %v, for ever %v", long.Values[i], forever.Values[i])
			}
			goOn := c.Rewards[i].Float64()
			for j, p := range row {
				goOn += p * best.Value.Values[j] / (1 + d)
			}
			if want := max(0, goOn); math.Abs(best.Value.Values[i]-want) > 1e-9 {
				t.Errorf("best value %v, its equation gives %v", best.Value.Values[i], want)
			}
			if best.Value.Values[i] < forever.Values[i]-1e-9 {
				t.Errorf("best value %v below %v of never stopping", best.Value.Values[i], forever.Values[i])
			}
		}
	}
}

// TestStdErr simulates the sampling of the probabilities: the delta method's standard error is that of the values.
func TestStdErr(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	truth := paper()
	const n, repetitions = 4000, 600
	var sum, squares, predicted float64
	for range repetitions {
		counts := make([][]int, 5)
		for i, row := range truth.P {
			counts[i] = make([]int, 5)
			for range n {
				u, j := r.Float64(), 0
				for u > row[j] {
					u -= row[j]
					j++
				}
				counts[i][j]++
			}
		}
		c, err := migration.FromCounts(truth.States, counts, truth.Rewards)
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.Value(0.2)
		if err != nil {
			t.Fatal(err)
		}
		sum, squares = sum+v.Values[0], squares+v.Values[0]*v.Values[0]
		predicted += float64(v.StdErr[0]) / repetitions
	}
	mean := sum / repetitions
	seen := math.Sqrt(squares/repetitions - mean*mean)
	// A standard deviation of 600 draws has a relative standard error of 3 %.
	if math.Abs(predicted/seen-1) > 0.12 {
		t.Errorf("standard error %v, the values scatter by %v", predicted, seen)
	}
	se := truth.StdErr()
	if !math.IsNaN(se[0][0]) {
		t.Errorf("standard error %v of known probabilities", se[0][0])
	}
}

func at(customer, day, amount string) ledger.Transaction {
	when, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return ledger.Transaction{Customer: customer, At: when, Amount: usd(amount)}
}

// TestRecency counts by hand: a buys in months 1, 2 and 4, b in month 1 alone, c from month 3 on.
func TestRecency(t *testing.T) {
	log := []ledger.Transaction{at("a", "2025-01-03", "5"), at("a", "2025-02-03", "5"), at("a", "2025-02-04", "5"), at("a", "2025-04-03", "5"),
		at("b", "2025-01-20", "5"), at("b", "2025-02-20", "-5"), at("c", "2025-03-01", "5"), at("c", "2025-04-30", "5"), at("d", "2024-12-31", "5")}
	months := ledger.Months(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC), nil)
	c, err := migration.Recency(context.Background(), ledger.Transactions(log), months, 2, usd("40"), usd("4"))
	if err != nil {
		t.Fatal(err)
	}
	// Moves from recency 1: a to 1, a to 2, b to 2, c to 1; from recency 2: a to 1, b to former.
	want := &migration.Chain{States: []string{"recency 1", "recency 2", "former"},
		P:       [][]float64{{0.5, 0.5, 0}, {0.5, 0, 0.5}, {0, 0, 1}},
		Rewards: []money.Amount{usd("36"), usd("-4"), usd("0")}, Counts: []float64{4, 2, 0}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if se := c.StdErr()[0][0]; !golden.Close(se, 0.25, 1e-14) {
		t.Errorf("standard error of 2 of 4 is %v, want 0.25", se)
	}
	if _, err := c.Value(0); err != nil {
		t.Errorf("without a discount: %v", err)
	}
}

func TestErrors(t *testing.T) {
	broken := func(change func(c *migration.Chain)) error {
		c := paper()
		change(c)
		_, err := c.Value(0.2)
		return err
	}
	_, rate := paper().Value(-1)
	_, nan := paper().ValueOver(math.NaN(), 3)
	_, periods := paper().ValueOver(0.1, -3)
	never := &migration.Chain{States: []string{"a"}, P: [][]float64{{1}}, Rewards: []money.Amount{usd("1")}}
	_, infinite := never.Value(0)
	_, counts := migration.FromCounts([]string{"a"}, [][]int{{1, 2}}, nil)
	_, negative := migration.FromCounts([]string{"a"}, [][]int{{-1}}, []money.Amount{usd("1")})
	ctx := context.Background()
	_, states := migration.Recency(ctx, ledger.Transactions(nil), nil, 0, usd("1"), usd("1"))
	_, few := migration.Recency(ctx, ledger.Transactions(nil), nil, 1, usd("1"), usd("1"))
	for _, c := range []struct {
		err  error
		want string
	}{
		{broken(func(c *migration.Chain) { c.States = nil }), "migration: no states"},
		{broken(func(c *migration.Chain) { c.P[1][0] = 0.3 }), `migration: state "recency 2": the probabilities sum to 1.1: want 1`},
		{broken(func(c *migration.Chain) { c.P[1][0] = -0.3 }), `migration: from "recency 2" to "recency 1": probability -0.3: want a number from 0 to 1`},
		{broken(func(c *migration.Chain) { c.P[1][0] = math.NaN() }), "probability NaN"},
		{broken(func(c *migration.Chain) { c.P[2] = c.P[2][:3] }), `migration: state "recency 3": 3 probabilities for 5 states`},
		{broken(func(c *migration.Chain) { c.P = c.P[:3] }), "migration: 3 rows of probabilities for 5 states"},
		{broken(func(c *migration.Chain) { c.Rewards = nil }), "migration: 0 rewards for 5 states"},
		{broken(func(c *migration.Chain) { c.States[3] = "recency 1" }), `migration: two states "recency 1"`},
		{broken(func(c *migration.Chain) { c.Rewards[3] = money.MustParse("1", "EUR") }), "migration: rewards: "},
		{broken(func(c *migration.Chain) { c.Counts = []float64{1} }), "migration: 1 counts for 5 states"},
		{rate, "migration: discount rate -1: want a finite number that is not negative"},
		{nan, "migration: discount rate NaN"},
		{periods, "migration: -3 periods: negative"},
		{infinite, "migration: the value for ever at the rate 0 is infinite: some states are never left"},
		{counts, "migration: counts of 1 rows, row 1 of 2, for 1 states"},
		{negative, `migration: from "a" to "a": count -1: negative`},
		{states, "migration: 0 states of recency: want 1 or more"},
		{few, "migration: a move needs two periods"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
	if !errors.Is(infinite, migration.ErrInfinite) {
		t.Error("an infinite value is not ErrInfinite")
	}
}

func TestJSON(t *testing.T) {
	c, err := migration.FromCounts([]string{"a", "b"}, [][]int{{3, 1}, {0, 2}}, []money.Amount{usd("1"), usd("0")})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back migration.Chain
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, &back); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(strings.Replace(string(text), "0.75", "0.8", 1)), &back); err == nil {
		t.Error("a chain that does not validate was read")
	}
	v, err := c.Value(0.1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(v); err != nil {
		t.Error(err)
	}
}

func ExampleChain_Value() {
	c := paper()
	v, err := c.Value(0.20)
	if err != nil {
		fmt.Println(err)
		return
	}
	best, err := c.BestStopping(0.20)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, state := range c.States {
		fmt.Printf("%s: %.2f, with the best policy %.2f (stop: %t)\n", state, v.Values[i], best.Value.Values[i], best.Stop[i])
	}
	// Output:
	// recency 1: 52.32, with the best policy 53.15 (stop: false)
	// recency 2: 5.55, with the best policy 6.62 (stop: false)
	// recency 3: 1.25, with the best policy 2.64 (stop: false)
	// recency 4: -1.82, with the best policy 0.00 (stop: true)
	// former: 0.00, with the best policy 0.00 (stop: false)
}
