package clv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/money"
)

// The density is the normal one, written out; the mean is the weighted one of the prior and the data.
func TestNormalNormalValues(t *testing.T) {
	m := NormalNormal{30, 10, 20}
	check(t, []checked{
		{"variance 200 at its mean", m.LogLikelihood(4, 30), -0.5 * math.Log(2*math.Pi*200), 1e-14},
		{"off by 20", m.LogLikelihood(4, 50), -0.5*math.Log(2*math.Pi*200) - 1, 1e-14},
		{"refunds", m.LogLikelihood(1, -20), -0.5*math.Log(2*math.Pi*500) - 2.5, 1e-14},
		{"half own, half all", m.Mean(4, 50), 40, 1e-14},
		{"one of five parts own", m.Mean(1, -20), 20, 1e-14},
		{"new customer", m.Mean(0, math.NaN()), 30, 1e-15},
		{"population", m.PopulationMean(), 30, 1e-15},
		{"many purchases", m.Mean(4e9, 50), 50, 1e-8},
		{"far apart", NormalNormal{1, 1e-200, 1e200}.Mean(3, 5), 1, 1e-15},
	})
	for name, v := range map[string]float64{
		"no purchase": m.LogLikelihood(0, 1), "infinite": m.LogLikelihood(1, math.Inf(1)), "negative x": m.Mean(-1, 1), "mean NaN": m.Mean(1, math.NaN()),
		"invalid": NormalNormal{1, 0, 1}.Mean(1, 1), "invalid Mu": NormalNormal{math.NaN(), 1, 1}.LogLikelihood(1, 1), "Rand": m.Rand(rand.New(rand.NewPCG(1, 2)), 0),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s: %v, want NaN", name, v)
		}
	}
	for _, c := range []struct {
		m    NormalNormal
		want string
	}{
		{NormalNormal{math.Inf(1), 1, 1}, "clv: normalnormal: Mu = +Inf: not a finite number"},
		{NormalNormal{-5, 0, 1}, "clv: normalnormal: Tau = 0: want a positive finite number"},
		{NormalNormal{-5, 1, -1}, "clv: normalnormal: Sigma = -1: want a positive finite number"},
	} {
		if err := c.m.Validate(); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestNormalNormalJSON(t *testing.T) {
	m := NormalNormal{-3.5, 10, 20}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back NormalNormal
	if err := json.Unmarshal(text, &back); err != nil || back != m {
		t.Errorf("%s reads as %+v (%v)", text, back, err)
	}
	if err := json.Unmarshal([]byte(`{"schema":"custval/model/gammagamma/v1","p":1,"q":1,"gamma":1}`), &back); err == nil {
		t.Error("reads a gamma-gamma model")
	}
	if _, err := json.Marshal(NormalNormal{}); err == nil {
		t.Error("writes an invalid model")
	}
}

func TestNormalNormalDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		theta := []float64{r.NormFloat64(), math.Exp(r.NormFloat64()), math.Exp(r.NormFloat64())}
		x, mean := 1+r.IntN(20), 3*r.NormFloat64()
		at := func(theta []float64) mle.Derivs {
			d := mle.Derivs{Grad: make([]float64, 3), Hess: make([]float64, 9)}
			sumNormalNormal([]normalRow{{float64(x), mean, 2}}, theta, &d)
			return d
		}
		d := at(theta)
		if want := 2 * (NormalNormal{theta[0], theta[1], theta[2]}).LogLikelihood(x, mean); !golden.Close(d.Value, want, 1e-12) {
			t.Errorf("%v: sum %v, want %v", theta, d.Value, want)
		}
		for i := range theta {
			up, down := slices.Clone(theta), slices.Clone(theta)
			up[i], down[i] = up[i]+1e-5, down[i]-1e-5
			high, low := at(up), at(down)
			size := 1e-6 * max(1, math.Abs(d.Value)) / (theta[1] * theta[1])
			if want := (high.Value - low.Value) / (up[i] - down[i]); math.Abs(d.Grad[i]-want) > size*10 {
				t.Errorf("%v: gradient %d is %v, difference %v", theta, i, d.Grad[i], want)
			}
			for j := range theta {
				want := (high.Grad[j] - low.Grad[j]) / (up[i] - down[i])
				if got := d.Hess[min(i, j)*3+max(i, j)]; math.Abs(got-want) > 1e-6*max(1, math.Abs(want))+1e-4*size {
					t.Errorf("%v: Hessian %d, %d is %v, difference %v", theta, i, j, got, want)
				}
			}
		}
	}
}

// refunding draws customers whose repeat purchases may sum to less than nothing.
func refunding(t *testing.T, m NormalNormal, n int) *Histories {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	hs := &Histories{Unit: Week}
	for i := range n {
		h := History{Customer: fmt.Sprint(i), X: r.IntN(12), T: 50}
		if h.X > 0 {
			h.TX = 40
			total := 0.0
			for _, v := range m.RandSpends(r, h.X) {
				total += v
			}
			spend, err := money.FromFloat(total, "USD", money.HalfEven)
			if err != nil {
				t.Fatal(err)
			}
			h.Spend = spend
		}
		hs.Rows = append(hs.Rows, h)
	}
	return hs
}

func TestFitNormalNormal(t *testing.T) {
	want := NormalNormal{12, 15, 40}
	hs := refunding(t, want, 5000)
	e, err := FitNormalNormal(context.Background(), hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []float64{want.Mu, want.Tau, want.Sigma} {
		if p := e.Params[i]; !(math.Abs(p.Value-v) < 4*p.StdErr) {
			t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, v)
		}
	}
	sum, used := 0.0, 0
	for _, h := range hs.Rows {
		if h.X > 0 {
			sum, used = sum+e.Model.LogLikelihood(h.X, h.MeanSpend()), used+1
		}
	}
	if !golden.Close(e.LogLik, sum, 1e-12) || e.Customers != used || len(e.Warnings) != 1 || e.Unit != 0 {
		t.Errorf("log-likelihood %v, the histories sum to %v; %d customers, %q", e.LogLik, sum, e.Customers, e.Warnings)
	}
	// The likelihood equations: the gradient vanishes, and Mu is the mean weighted by 1/v.
	var top, bottom float64
	for _, h := range hs.Rows {
		if h.X > 0 {
			w := 1 / (e.Model.Tau*e.Model.Tau + e.Model.Sigma*e.Model.Sigma/float64(h.X))
			top, bottom = top+w*h.MeanSpend(), bottom+w
		}
	}
	if !golden.Close(e.Model.Mu, top/bottom, 1e-9) || !golden.Close(e.Params[0].StdErr, 1/math.Sqrt(bottom), 1e-2) {
		t.Errorf("Mu = %v +- %v, weighted mean %v +- %v", e.Model.Mu, e.Params[0].StdErr, top/bottom, 1/math.Sqrt(bottom))
	}
	// Any order and any number of workers give the same bits, another currency unit the same model.
	shuffled := *hs
	shuffled.Rows = slices.Clone(hs.Rows)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(hs.Rows), func(i, j int) {
		shuffled.Rows[i], shuffled.Rows[j] = shuffled.Rows[j], shuffled.Rows[i]
	})
	again, err := FitNormalNormal(context.Background(), &shuffled, &fit.Options{Workers: 3, Start: []float64{10, 10, 10}})
	if err != nil || !golden.Close(again.Model.Mu, e.Model.Mu, 1e-9) || !golden.Close(again.Model.Sigma, e.Model.Sigma, 1e-9) {
		t.Errorf("shuffled: %v (%v), want %v", again, err, e)
	}
	same, err := FitNormalNormal(context.Background(), &shuffled, nil)
	if err != nil || same.Model != e.Model || same.LogLik != e.LogLik {
		t.Errorf("shuffled: %v (%v), want %v", same, err, e)
	}
}

func TestFitNormalNormalErrors(t *testing.T) {
	usd := func(v string) money.Amount { return money.MustParse(v, "USD") }
	row := func(x int, spend string) History {
		return History{X: x, TX: min(1, float64(x)), T: 5, Spend: usd(spend)}
	}
	for _, c := range []struct {
		rows     []History
		want     string
		diverged bool
	}{
		{nil, "clv: no histories", false},
		{[]History{{T: 5}, {T: 4}}, "clv: fit of normalnormal: no customer has a repeat purchase", false},
		{[]History{row(1, "5"), row(2, "10")}, "clv: fit of normalnormal: all 2 customers have the same mean spend, 5, so that the likelihood has no maximum: diverged; value them at that spend", true},
		{[]History{row(2, "5"), row(2, "-10"), row(2, "1")}, "clv: fit of normalnormal: all 3 customers have X = 2, so that the variance between customers cannot be told from that between a customer's purchases: diverged", true},
		{[]History{row(1, "5"), {X: 1, TX: 1, T: 2, Spend: money.MustParse("1", "EUR")}}, `clv: row 2: field "Spend": value "EUR 1.00": money: currencies differ: USD and EUR`, false},
		{[]History{row(1, "5"), row(-1, "5")}, "", false},
	} {
		e, err := FitNormalNormal(context.Background(), &Histories{Unit: Week, Rows: c.rows}, nil)
		if err == nil || e != nil || errors.Is(err, fit.ErrDiverged) != c.diverged || c.want != "" && err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	// Means that vary the same for any X leave nothing to Sigma.
	var rows []History
	for i := range 200 {
		x := 1 + i%2*99
		rows = append(rows, row(x, fmt.Sprint((i/2%10)*x)))
	}
	e, err := FitNormalNormal(context.Background(), &Histories{Unit: Week, Rows: rows}, nil)
	if !errors.Is(err, fit.ErrDiverged) || e == nil || !(e.Model.Tau > 2) {
		t.Errorf("no Sigma: %v, %v", e, err)
	} else {
		t.Log(err)
	}
}

// TestNormalNormalScorer values customers of refunds by a stored scorer.
func TestNormalNormalScorer(t *testing.T) {
	hs := refunding(t, NormalNormal{12, 15, 40}, 200)
	spend := estimateOf(NormalNormal{12, 15, 40})
	s, err := NewScorer(estimateOf(cdnowModel), spend, "USD", yearly, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Scorer
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	one, err := s.Top(hs, 20)
	if err != nil {
		t.Fatal(err)
	}
	two, err := back.Top(hs, 20)
	if err != nil || fmt.Sprint(one) != fmt.Sprint(two) || !(one[0].Value.Float64() > 0) {
		t.Errorf("%v after JSON (%v), want %v", two, err, one)
	}
}
