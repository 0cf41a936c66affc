package attribution

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// randomJourneys makes journeys over so many channels; the last one is rare.
func randomJourneys(r *rand.Rand, channels, n, length int) []Journey {
	js := make([]Journey, n)
	for i := range js {
		j := &js[i]
		touches := 1 + r.IntN(length)
		for range touches {
			c := r.IntN(channels)
			if c == channels-1 && r.IntN(10) > 0 {
				c = 0
			}
			j.Channels = append(j.Channels, fmt.Sprintf("c%02d", c))
		}
		j.Conversions, j.Nulls = int64(r.IntN(4)), int64(r.IntN(6))
		if j.Conversions+j.Nulls == 0 {
			j.Nulls = 1
		}
		if j.Conversions > 0 {
			j.Value = usd(fmt.Sprintf("%d.%02d", r.IntN(1000), r.IntN(100)))
		}
		j.Ages = make([]timeDuration, touches)
		for k := touches - 2; k >= 0; k-- {
			j.Ages[k] = j.Ages[k+1] + timeDuration(r.Int64N(int64(10*24*3600e9)))
		}
		if touches > 1 {
			j.Lead = r.IntN(touches + 1)
			j.Opportunity = r.IntN(touches + 1)
		}
	}
	js[0].Conversions, js[0].Value = 1, usd("10.01")
	return js
}

// exactEffects computes removal effects in fractions by the definition: the probabilities of conversion, and the expected
// payments, of the chain with and without each channel, by elimination in the direction of time.
func exactEffects(js []Journey, order int, channels []string) (conv, value []*big.Rat) {
	type ending struct{ n, conv, pay *big.Rat }
	next := map[string]map[string]*big.Rat{}
	ends := map[string]*ending{}
	step := func(from, to string, n int64) {
		if next[from] == nil {
			next[from] = map[string]*big.Rat{}
		}
		if next[from][to] == nil {
			next[from][to] = new(big.Rat)
		}
		next[from][to].Add(next[from][to], big.NewRat(n, 1))
	}
	for _, j := range js {
		path := slices.Compact(slices.Clone(j.Channels))
		n := j.Conversions + j.Nulls
		at := ""
		for i := min(order, len(path)); i <= len(path); i++ {
			to := strings.Join(path[max(0, i-order):i], ",")
			step(at, to, n)
			at = to
		}
		e := ends[at]
		if e == nil {
			e = &ending{new(big.Rat), new(big.Rat), new(big.Rat)}
			ends[at] = e
		}
		e.n.Add(e.n, big.NewRat(n, 1))
		e.conv.Add(e.conv, big.NewRat(j.Conversions, 1))
		cents, _ := j.Value.Minor()
		e.pay.Add(e.pay, big.NewRat(cents, 100))
	}
	states := []string{""}
	for s := range ends {
		states = append(states, s)
	}
	for s := range next {
		if !slices.Contains(states, s) {
			states = append(states, s)
		}
	}
	slices.Sort(states)
	solve := func(removed string, pay bool) *big.Rat {
		n := len(states)
		a := make([][]*big.Rat, n)
		for i, s := range states {
			a[i] = make([]*big.Rat, n+1)
			for k := range a[i] {
				a[i][k] = new(big.Rat)
			}
			a[i][i].SetInt64(1)
			if removed != "" && slices.Contains(strings.Split(s, ","), removed) {
				continue
			}
			out := new(big.Rat)
			for _, w := range next[s] {
				out.Add(out, w)
			}
			if e := ends[s]; e != nil {
				out.Add(out, e.n)
				w := e.conv
				if pay {
					w = e.pay
				}
				a[i][n].Quo(w, out)
			}
			for to, w := range next[s] {
				k := slices.Index(states, to)
				a[i][k].Sub(a[i][k], new(big.Rat).Quo(w, out))
			}
		}
		for k := n - 1; k >= 0; k-- { // the start is state 0
			for i := range k {
				m := new(big.Rat).Quo(a[i][k], a[k][k])
				if m.Sign() == 0 {
					continue
				}
				for l := range n + 1 {
					a[i][l].Sub(a[i][l], new(big.Rat).Mul(m, a[k][l]))
				}
			}
		}
		return new(big.Rat).Quo(a[0][n], a[0][0])
	}
	p, v := solve("", false), solve("", true)
	for _, c := range channels {
		lost := func(all *big.Rat, pay bool) *big.Rat {
			return new(big.Rat).Sub(big.NewRat(1, 1), new(big.Rat).Quo(solve(c, pay), all))
		}
		conv, value = append(conv, lost(p, false)), append(value, lost(v, true))
	}
	return conv, value
}

func TestMarkovAgainstFractions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		in := randomJourneys(r, 3+round%3, 12+round, 6)
		js, err := New(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		for order := 1; order <= 3; order++ {
			conv, value := exactEffects(in, order, js.channels)
			c, err := newChain(context.Background(), js, Markov{Order: order})
			if err != nil {
				t.Fatal(err)
			}
			for name, limit := range map[string]int{"direct": directStates, "iteration": 0} {
				got, err := c.effects(context.Background(), 1, limit)
				if err != nil {
					t.Fatal(err)
				}
				tolerance := 1e-13
				if limit == 0 {
					tolerance = 1e-11
				}
				for i := range got {
					if want := float(conv[i]); !near(got[i].conversions, want, tolerance) {
						t.Errorf("%s, order %d, %s: conversions %v, want %v", name, order, js.channels[i], got[i].conversions, want)
					}
					if want := float(value[i]); !near(got[i].value, want, tolerance) {
						t.Errorf("%s, order %d, %s: value %v, want %v", name, order, js.channels[i], got[i].value, want)
					}
				}
			}
		}
	}
}

// A channel that is almost never there keeps its digits: one journey of many millions.
func TestMarkovTinyChannel(t *testing.T) {
	in := []Journey{
		{Channels: []string{"a", "b"}, Conversions: 1e12, Nulls: 3e12, Value: usd("5")},
		{Channels: []string{"b", "a"}, Conversions: 2e12, Nulls: 5e12},
		{Channels: []string{"a", "rare", "b"}, Conversions: 1, Nulls: 2},
	}
	js, err := New(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	conv, _ := exactEffects(in, 1, []string{"rare"})
	re, err := Markov{}.Removal(context.Background(), js)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := re.Effects[2].Conversions, float(conv[0]); !near(got, want, 1e-14) || want > 1e-11 {
		t.Errorf("got %v, want %v", got, want)
	}
}

// longJourneys almost never end: some 2,000 touches over a ring of channels.
func longJourneys() []Journey {
	r := rand.New(rand.NewPCG(3, 4))
	in := make([]Journey, 40)
	for i := range in {
		at := r.IntN(12)
		for range 2000 {
			in[i].Channels = append(in[i].Channels, fmt.Sprintf("c%02d", at))
			at = (at + 1 + r.IntN(2)) % 12
		}
		in[i].Conversions, in[i].Nulls = int64(i%3), 1
	}
	in[0].Conversions, in[0].Channels = 5, []string{"only"}
	return in
}

func TestSolversAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, test := range map[string]struct {
		in    []Journey
		order int
	}{
		"many states":   {randomJourneys(r, 12, 3000, 8), 2},
		"long journeys": {longJourneys(), 2},
		"few channels":  {randomJourneys(r, 4, 3000, 10), 4},
		"one channel":   {[]Journey{{Channels: []string{"a", "a"}, Conversions: 1, Nulls: 3}}, 2},
	} {
		js, err := New(test.in, nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := newChain(context.Background(), js, Markov{Order: test.order})
		if err != nil {
			t.Fatal(err)
		}
		direct, err := c.effects(context.Background(), 2, directStates)
		if err != nil {
			t.Fatal(err)
		}
		iterated, err := c.effects(context.Background(), 2, 0)
		if err != nil {
			t.Fatal(err)
		}
		general := luEffects(t, c)
		for i := range direct {
			if d := direct[i].conversions; !near(iterated[i].conversions, d, 1e-9) || !near(general[i], d, 1e-9) {
				t.Errorf("%s: %s: direct %v, iteration %v, LU %v", name, js.channels[i], d, iterated[i].conversions, general[i])
			}
			if res := iterated[i].residual; res > tolerance {
				t.Errorf("%s: residual %v", name, res)
			}
		}
	}
}

// luEffects solves the chain in the direction of time with a general LU factorization, one channel at a time.
func luEffects(t *testing.T, c *chain) []float64 {
	t.Helper()
	n := len(c.states)
	out := make([]float64, n)
	for s := range out {
		out[s] = c.conv[s] + c.null[s]
	}
	for s := range n {
		for e := c.first[s]; e < c.first[s+1]; e++ {
			out[c.from[e]] += c.count[e]
		}
	}
	convert := func(removed map[int32]bool) float64 {
		a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
		for s := range n {
			a.Set(s, s, 1)
			if !removed[int32(s)] {
				b.SetVec(s, c.conv[s]/out[s])
			}
		}
		for s := range n {
			for e := c.first[s]; e < c.first[s+1]; e++ {
				if f := c.from[e]; !removed[f] {
					a.Set(int(f), s, a.At(int(f), s)-c.count[e]/out[f])
				}
			}
		}
		var x mat.VecDense
		if err := x.SolveVec(a, b); err != nil {
			t.Fatal(err)
		}
		p := 0.0
		for s := range n {
			p += c.start[s] / c.totals.start * x.AtVec(s)
		}
		return p
	}
	all := convert(nil)
	effects := make([]float64, c.channels)
	for i, states := range c.having() {
		removed := map[int32]bool{}
		for _, s := range states {
			removed[s] = true
		}
		effects[i] = 1 - convert(removed)/all
	}
	return effects
}

// A simulation of the chain, with a channel removed or not, converts as often as the solution says.
func TestMarkovAgainstSimulation(t *testing.T) {
	js := journeysA1(t)
	ts, err := Markov{}.Transitions(context.Background(), js)
	if err != nil {
		t.Fatal(err)
	}
	re, err := Markov{}.Removal(context.Background(), js)
	if err != nil {
		t.Fatal(err)
	}
	next := map[string][]Transition{}
	for _, s := range ts {
		next[s.From[0]] = append(next[s.From[0]], s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	const n = 200_000
	for _, e := range re.Effects {
		converted := 0
		for range n {
			at := StateStart
			for at != e.Channel && at != StateConversion && at != StateNull {
				u := r.Float64()
				for _, s := range next[at] {
					if u -= s.Probability; u < 0 || s.To[0] == next[at][len(next[at])-1].To[0] {
						at = s.To[0]
						break
					}
				}
			}
			if at == StateConversion {
				converted++
			}
		}
		p := re.Conversion * (1 - e.Conversions)
		if z := (float64(converted)/n - p) / math.Sqrt(p*(1-p)/n); math.Abs(z) > 4 {
			t.Errorf("without %s: converted %v, want %v", e.Channel, float64(converted)/n, p)
		}
	}
}
