package budget_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/money"
)

func cents(t testing.TB, x float64) money.Amount {
	t.Helper()
	a, err := money.FromFloat(x, "USD", money.HalfEven)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// randomCurve returns a curve whose response is of the order of its spend.
func randomCurve(r *rand.Rand, bent bool) budget.Curve {
	size := math.Exp(r.Float64()*6 + 2)
	n := 5
	if !bent {
		n = 4
	}
	switch r.IntN(n) {
	case 0:
		return power(size/10, 0.2+0.7*r.Float64())
	case 1:
		return logarithmic(size, size*r.Float64()+1)
	case 2:
		return negExp(size, 1/size)
	case 3:
		return mm(size, size*r.Float64()+1)
	}
	return hill(size, size*(0.2+r.Float64()), 0.7+3*r.Float64())
}

func randomChannels(t testing.TB, r *rand.Rand, n int, bent bool) (channels []budget.Channel, total float64) {
	for i := range n {
		c := budget.Channel{Name: fmt.Sprintf("%03d", i), Curve: randomCurve(r, bent), Value: cents(t, math.Exp(r.Float64()*3))}
		if r.IntN(3) == 0 {
			c.Min = cents(t, r.Float64()*50)
		}
		if r.IntN(3) == 0 {
			c.Max = cents(t, c.Min.Float64()+r.Float64()*500)
		}
		if bent && r.IntN(4) == 0 {
			c.Entry = cents(t, r.Float64()*80)
		}
		least := c.Min.Float64()
		if least > 0 {
			least = max(least, c.Entry.Float64())
		}
		if c.Max.Currency() != "" && least > c.Max.Float64() {
			c.Entry = money.Amount{}
		}
		total += max(c.Min.Float64(), 0)
		if c.Min.Sign() > 0 {
			total += c.Entry.Float64()
		}
		channels = append(channels, c)
	}
	channels[0].Max = money.Amount{} // so that some channel takes the rest
	channels[0].Entry = money.Amount{}
	return channels, total + r.Float64()*500*float64(n)
}

func worth(channels []budget.Channel, x []float64) float64 {
	v := 0.0
	for i, c := range channels {
		v += c.Value.Float64() * c.Curve.Response(x[i])
	}
	return v
}

func allowed(c budget.Channel, x float64) bool {
	if x < c.Min.Float64() || c.Max.Currency() != "" && x > c.Max.Float64() {
		return false
	}
	return x == 0 || x >= c.Entry.Float64()
}

func checkPlan(t *testing.T, r *rand.Rand, channels []budget.Channel, total money.Amount, p *budget.Plan) {
	t.Helper()
	var sum money.Sum
	x := make([]float64, len(channels))
	for i, row := range p.Rows {
		sum.Add(row.Spend)
		if !allowed(channels[i], row.Spend.Float64()) {
			t.Errorf("%s: %s is outside its bounds %s to %s, entry %s", row.Channel, row.Spend, channels[i].Min, channels[i].Max, channels[i].Entry)
		}
		if math.Abs(row.Spend.Float64()-row.Unrounded) > 0.011 {
			t.Errorf("%s: rounded from %v to %s", row.Channel, row.Unrounded, row.Spend)
		}
		x[i] = row.Unrounded
	}
	if got, err := sum.Total(); err != nil || !got.Equal(total) {
		t.Errorf("rows add up to %s, want %s: %v", got, total, err)
	}
	best := worth(channels, x)
	if !relative(best, p.Best, 1e-12) {
		t.Errorf("the plan is worth %v and says %v", best, p.Best)
	}
	if p.Bound < p.Best || !relative(p.Gap, (p.Bound-p.Best)/p.Bound, 1e-9) {
		t.Errorf("best %v, bound %v, gap %v", p.Best, p.Bound, p.Gap)
	}
	y := make([]float64, len(x))
	for range 300 { // random feasible perturbations: transfers between two channels, small and large
		copy(y, x)
		from, to := r.IntN(len(x)), r.IntN(len(x))
		d := y[from] * math.Pow(10, -6*r.Float64())
		if r.IntN(4) == 0 {
			d = y[from] - channels[from].Min.Float64()
		}
		y[from] -= d
		y[to] += d
		if from == to || d <= 0 || !allowed(channels[from], y[from]) || !allowed(channels[to], y[to]) {
			continue
		}
		if other := worth(channels, y); other > p.Bound*(1+1e-12) || other > best*(1+p.Gap)*(1+1e-11) {
			t.Fatalf("moving %v from %d to %d gives %.17g, above %.17g (bound %.17g)", d, from, to, other, best, p.Bound)
		}
	}
}

func TestAllocateConcaveProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		channels, sum := randomChannels(t, r, 1+r.IntN(12), false)
		total := cents(t, sum+1)
		p, err := budget.Allocate(context.Background(), total, channels, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, r, channels, total, p)
		if p.Gap != 0 {
			t.Errorf("gap %v", p.Gap)
		}
		for i, row := range p.Rows { // the conditions of Karush, Kuhn and Tucker
			m := channels[i].Value.Float64() * channels[i].Curve.Marginal(row.Unrounded)
			low, high := channels[i].Min.Float64(), channels[i].Max.Float64()
			if channels[i].Max.Currency() == "" {
				high = math.Inf(1)
			}
			near := 1e-9 * (1 + row.Unrounded)
			if row.Unrounded > low+near && m < p.LastUnit*(1-1e-9) || row.Unrounded > low+near && m < p.ShadowPrice*(1-1e-7) {
				t.Errorf("%s: return %v above its minimum, price %v", row.Channel, m, p.ShadowPrice)
			}
			if row.Unrounded < high-near && m > p.ShadowPrice*(1+1e-9) {
				t.Errorf("%s: return %v below its maximum, price %v", row.Channel, m, p.ShadowPrice)
			}
		}
	}
}

func TestAllocateBentProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	worst, nodes := 0.0, 0
	for range 150 {
		channels, sum := randomChannels(t, r, 2+r.IntN(9), true)
		total := cents(t, sum+1)
		p, err := budget.Allocate(context.Background(), total, channels, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, r, channels, total, p)
		worst, nodes = max(worst, p.Gap), max(nodes, p.Nodes)
	}
	if worst > 1e-6 {
		t.Errorf("gap up to %v", worst)
	}
	t.Logf("worst gap %.2g, most nodes %d", worst, nodes)
}

// Small problems on a grid of whole units, solved by dynamic programming: no plan of the grid is better.
func TestAllocateAgainstGrid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	for range 40 {
		n, total := 2+r.IntN(4), 60+r.IntN(200)
		var channels []budget.Channel
		for i := range n {
			c := budget.Channel{Name: fmt.Sprint(i), Curve: hill(50+100*r.Float64(), 10+60*r.Float64(), 1.5+3*r.Float64()), Value: cents(t, 1+9*r.Float64())}
			if r.IntN(3) == 0 {
				c.Entry = cents(t, float64(5+r.IntN(40)))
			}
			channels = append(channels, c)
		}
		best := make([]float64, total+1)
		for x := range best {
			best[x] = math.Inf(-1)
		}
		best[0] = 0
		for _, c := range channels {
			next := slices.Repeat([]float64{math.Inf(-1)}, total+1)
			for used, v := range best {
				for x := 0; used+x <= total; x++ {
					if allowed(c, float64(x)) {
						next[used+x] = max(next[used+x], v+c.Value.Float64()*c.Curve.Response(float64(x)))
					}
				}
			}
			best = next
		}
		p, err := budget.Allocate(context.Background(), cents(t, float64(total)), channels, nil)
		if err != nil {
			if math.IsInf(best[total], -1) {
				continue
			}
			t.Fatal(err)
		}
		if p.Best < best[total]*(1-1e-9) || p.Bound < best[total] {
			t.Errorf("plan %v, bound %v, grid %v", p.Best, p.Bound, best[total])
		}
		if p.Best > best[total]*1.02 {
			t.Errorf("plan %v, but the grid reaches %v only", p.Best, best[total])
		}
	}
}

func TestAllocateOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for range 20 {
		channels, sum := randomChannels(t, r, 8, true)
		total := cents(t, sum+1)
		p, err := budget.Allocate(context.Background(), total, channels, nil)
		if err != nil {
			t.Fatal(err)
		}
		order := r.Perm(len(channels))
		mixed := make([]budget.Channel, len(channels))
		for i, j := range order {
			mixed[i] = channels[j]
		}
		q, err := budget.Allocate(context.Background(), total, mixed, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, j := range order {
			if math.Float64bits(q.Rows[i].Unrounded) != math.Float64bits(p.Rows[j].Unrounded) || !q.Rows[i].Spend.Equal(p.Rows[j].Spend) {
				t.Fatalf("%s gets %s in one order and %s in another", q.Rows[i].Channel, p.Rows[j].Spend, q.Rows[i].Spend)
			}
		}
	}
}

// Scarce budgets, of which entries take more than there is, end with a plan that is proved to be the best.
func TestAllocateScarceBudgets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 8))
	for _, n := range []int{2, 5, 20, 100} {
		for _, per := range []float64{1, 3, 20, 80} {
			var channels []budget.Channel
			for i := range n {
				c := budget.Channel{Name: fmt.Sprintf("%04d", i), Curve: hill(100+900*r.Float64(), 50+500*r.Float64(), 1.2+2*r.Float64()), Value: usd("3")}
				if i%3 == 0 {
					c.Entry = cents(t, 200*r.Float64())
				}
				channels = append(channels, c)
			}
			total := cents(t, per*float64(n))
			p, err := budget.Allocate(context.Background(), total, channels, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkPlan(t, r, channels, total, p)
			if p.Gap > 1e-9 {
				t.Errorf("%d channels, %v each: gap %v after %d nodes", n, per, p.Gap, p.Nodes)
			}
		}
	}
}
