package attribution

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// tableGame has three players whose value is known in fractions.
func tableGame(t *testing.T) Game {
	t.Helper()
	g, err := TableGame([]string{"O", "F", "D"}, map[string]float64{"O": 7, "F": 6, "D": 4, "F+O": 15, "O+D": 7, "D+F": 9, "O+F+D": 19})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestShapleyExact(t *testing.T) {
	js := journeysA1(t)
	tests := []struct {
		name string
		game Game
		want map[string]string
	}{
		{"table", tableGame(t), map[string]string{"O": "23/3", "F": "49/6", "D": "19/6"}},
		{"conversions", ConversionGame(js), map[string]string{ps: "21/2", display: "13/2", email: "17/2", direct: "21/2"}},
		{"conversions without the short cut", Game{Players: js.Channels(), Worth: ConversionGame(js).Worth}, map[string]string{ps: "21/2", display: "13/2", email: "17/2", direct: "21/2"}},
		{"rate of exact sets", RateGame(js), map[string]string{ps: "1/15", display: "0", email: "1/20", direct: "2/15"}},
		{"rate without the short cut", Game{Players: js.Channels(), Worth: RateGame(js).Worth}, map[string]string{ps: "1/15", display: "0", email: "1/20", direct: "2/15"}},
	}
	for _, test := range tests {
		v, err := ShapleyExact(context.Background(), test.game)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, x := range v.Values {
			sum += x.Value
			want := float(rat(test.want[x.Player]))
			if !near(x.Value, want, 1e-14) && !(want == 0 && math.Abs(x.Value) < 1e-16) || x.StdErr != 0 {
				t.Errorf("%s: %s: got %v, want %v", test.name, x.Player, x.Value, want)
			}
		}
		if !near(sum, v.Total, 1e-14) {
			t.Errorf("%s: sum %v, total %v", test.name, sum, v.Total)
		}
	}
}

// randomGame has random worths of coalitions, with nobody's not zero.
func randomGame(r *rand.Rand, n int) Game {
	v := make([]float64, 1<<n)
	for i := range v {
		v[i] = r.NormFloat64()
	}
	players := strings.Split("abcdefghijklmnopqrst"[:n], "")
	return Game{Players: players, Worth: func(c Coalition) float64 {
		if len(c.words) == 0 {
			return v[0]
		}
		return v[c.words[0]]
	}}
}

// Efficiency, symmetry, the null player and additivity determine the Shapley value.
func TestShapleyAxioms(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	ctx := context.Background()
	exact := func(g Game) []Value {
		v, err := ShapleyExact(ctx, g)
		if err != nil {
			t.Fatal(err)
		}
		return v.Values
	}
	const eps = 1e-13
	for range 50 {
		n := 3 + r.IntN(6)
		g, h := randomGame(r, n), randomGame(r, n)
		players := g.Players

		total := 0.0
		vg, vh := exact(g), exact(h)
		for _, x := range vg {
			total += x.Value
		}
		if v, _ := ShapleyExact(ctx, g); math.Abs(total-v.Total) > eps {
			t.Errorf("efficiency: %v, want %v", total, v.Total)
		}

		both := exact(Game{Players: players, Worth: func(c Coalition) float64 { return 2*g.Worth(c) - 3*h.Worth(c) }})
		for i := range both {
			if want := 2*vg[i].Value - 3*vh[i].Value; math.Abs(both[i].Value-want) > eps {
				t.Errorf("additivity: %v, want %v", both[i].Value, want)
			}
		}

		// Player 0 brings a constant to whatever coalition it joins; its value is that constant, and zero where it brings nothing.
		without := func(c Coalition, i int) Coalition { return Coalition{[]uint64{c.words[0] &^ (1 << i)}} }
		for _, gift := range []float64{0, 2.5} {
			v := exact(Game{Players: players, Worth: func(c Coalition) float64 {
				w := g.Worth(without(c, 0))
				if c.Has(0) {
					w += gift
				}
				return w
			}})
			if math.Abs(v[0].Value-gift) > eps {
				t.Errorf("dummy player: %v, want %v", v[0].Value, gift)
			}
		}

		// Players 0 and 1 are the same to every coalition.
		v := exact(Game{Players: players, Worth: func(c Coalition) float64 {
			if c.Has(1) && !c.Has(0) {
				return g.Worth(Coalition{[]uint64{c.words[0]&^2 | 1}})
			}
			return g.Worth(c)
		}})
		if math.Abs(v[0].Value-v[1].Value) > eps {
			t.Errorf("symmetry: %v and %v", v[0].Value, v[1].Value)
		}
	}
}

func TestShapleySampled(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 2))
	g := randomGame(r, 9)
	exact, err := ShapleyExact(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	var first *Values
	for _, workers := range []int{1, 3} {
		v, err := ShapleySampled(ctx, g, SampleOptions{Permutations: 20000, Seed: 7, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = v
		}
		sum := 0.0
		for i, x := range v.Values {
			sum += x.Value
			if x != first.Values[i] {
				t.Errorf("%d workers: got %v, want %v", workers, x, first.Values[i])
			}
			if z := (x.Value - exact.Values[i].Value) / x.StdErr; !(math.Abs(z) < 4) || x.StdErr > 0.02 {
				t.Errorf("%s: %v with standard error %v, exactly %v", x.Player, x.Value, x.StdErr, exact.Values[i].Value)
			}
		}
		if math.Abs(sum-exact.Total) > 1e-12 {
			t.Errorf("sum %v, want %v", sum, exact.Total)
		}
	}
}

// A game of 100 players with a closed form: the worth is the square of the sum of the players' sizes, the value of a
// player its size times the sum of all.
func TestShapleySampledMany(t *testing.T) {
	const n = 100
	players := make([]string, n)
	for i := range players {
		players[i] = string(rune('A' + i))
	}
	g := Game{Players: players, Worth: func(c Coalition) float64 {
		sum := 0.0
		for i := range n {
			if c.Has(i) {
				sum += float64(i + 1)
			}
		}
		return sum * sum
	}}
	if _, err := ShapleyExact(context.Background(), g); !errors.Is(err, ErrTooManyPlayers) {
		t.Errorf("exactly: %v", err)
	}
	v, err := ShapleySampled(context.Background(), g, SampleOptions{Permutations: 500})
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range v.Values {
		// An order and its reverse together give each player exactly its value in this game.
		if want := float64(i+1) * 5050; !near(x.Value, want, 1e-12) {
			t.Errorf("%d: got %v ± %v, want %v", i, x.Value, x.StdErr, want)
		}
	}
}

// The conversion game by coalitions, exact or sampled, gives the credits of the closed form.
func TestByGame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, channels := range []int{2, 7, 25} {
		js, err := New(randomJourneys(r, channels, 300, 6), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := mustAttribute(t, js, Shapley{})
		got := mustAttribute(t, js, ByGame{Game: ConversionGame, Sample: SampleOptions{Permutations: 4000, Seed: 1}})
		tolerance := 1e-12
		if channels > exactPlayers {
			tolerance = 0.1
		}
		for i, c := range got.Credits {
			if w := want.Credits[i].Conversions; !near(c.Conversions, w, tolerance) {
				t.Errorf("%d channels: %s: got %v, want %v", channels, c.Channel, c.Conversions, w)
			}
		}
	}
}
