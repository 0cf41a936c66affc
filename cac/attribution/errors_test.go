package attribution

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

func TestErrors(t *testing.T) {
	ctx := context.Background()
	js := journeysA1(t)
	plain, err := New([]Journey{{Channels: []string{"a", "b"}, Conversions: 1, Value: usd("1")}, {Channels: []string{"b"}, Nulls: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	barren, err := New([]Journey{{Channels: []string{"a"}, Nulls: 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	one := func(j Journey) func() error {
		return func() error {
			_, err := New([]Journey{{Channels: []string{"a"}, Nulls: 1}, j}, nil)
			return err
		}
	}
	model := func(js *Journeys, m Model) func() error {
		return func() error { _, err := Attribute(ctx, js, m); return err }
	}
	build := func(o *BuildOptions, touches []Touchpoint, conversions ...Conversion) func() error {
		return func() error {
			_, err := Build(ctx, ledger.Slice(touches), ledger.Slice(conversions), at(31, 0), o)
			return err
		}
	}
	some := []Touchpoint{tp("1", at(1, 0), "a")}
	custom := func(w ...float64) Model {
		return Custom{Label: "mine", Weights: func(Journey) []float64 { return w }}
	}
	game := func(players ...string) Game {
		return Game{Players: players, Worth: func(Coalition) float64 { return 1 }}
	}
	tests := []struct {
		name string
		call func() error
		is   error // nil if none
		want string
	}{
		{"no journeys", func() error { _, err := New(nil, nil); return err }, nil, "attribution: no journeys"},
		{"no touches", one(Journey{Conversions: 1}), nil, `attribution: row 2: field "channels": value "": no touches`},
		{"no name", one(Journey{Channels: []string{"a", ""}, Conversions: 1}), nil, `attribution: row 2: field "channels": value "": a channel without a name`},
		{"negative conversions", one(Journey{Channels: []string{"a"}, Conversions: -1}), nil, `attribution: row 2: field "conversions": value "-1": not between 0 and 2^53`},
		{"negative nulls", one(Journey{Channels: []string{"a"}, Conversions: 1, Nulls: -1}), nil, `attribution: row 2: field "nulls": value "-1": not between 0 and 2^53`},
		{"nothing", one(Journey{Channels: []string{"a"}}), nil, `attribution: row 2: field "conversions": value "0": neither conversions nor nulls`},
		{"negative value", one(Journey{Channels: []string{"a"}, Conversions: 1, Value: usd("-1")}), nil, `attribution: row 2: field "value": value "USD -1.00": negative`},
		{"value of nothing", one(Journey{Channels: []string{"a"}, Nulls: 1, Value: usd("1")}), nil, `attribution: row 2: field "value": value "USD 1.00": value without conversions`},
		{"ages", one(Journey{Channels: []string{"a"}, Nulls: 1, Ages: days(1, 0)}), nil, `attribution: row 2: field "ages": value "2": not one for each of the 1 touches`},
		{"negative age", one(Journey{Channels: []string{"a"}, Nulls: 1, Ages: days(-1)}), nil, `attribution: row 2: field "ages": value "-24h0m0s": negative`},
		{"rising age", one(Journey{Channels: []string{"a", "b"}, Nulls: 1, Ages: days(1, 2)}), nil, `attribution: row 2: field "ages": value "48h0m0s": older than the touch before it`},
		{"lead", one(Journey{Channels: []string{"a"}, Nulls: 1, Lead: 2}), nil, `attribution: row 2: field "lead": value "2": not one of the 1 touches`},
		{"opportunity", one(Journey{Channels: []string{"a"}, Nulls: 1, Opportunity: -1}), nil, `attribution: row 2: field "opportunity": value "-1": not one of the 1 touches`},
		{"too many", one(Journey{Channels: []string{"a"}, Conversions: maxCount}), nil, `attribution: row 2: field "conversions": value "9007199254740992": more than 2^53 journeys in all`},
		{"two currencies", func() error {
			_, err := New([]Journey{{Channels: []string{"a"}, Conversions: 1, Value: usd("1")}, {Channels: []string{"a"}, Conversions: 1, Value: money.MustParse("1", "EUR")}}, nil)
			return err
		}, nil, `attribution: row 2: field "value": value "EUR 1.00": money: currencies differ: USD and EUR`},

		{"nil journeys", model(nil, First{}), nil, "attribution: no journeys"},
		{"nil model", model(js, nil), nil, "attribution: no model"},
		{"no conversions", model(barren, Markov{}), ErrNoConversions, "attribution: Markov 1: no conversions"},
		{"no conversions are undefined", model(barren, First{}), ledger.ErrUndefined, "attribution: first: no conversions"},
		{"no ages", model(plain, TimeDecay{}), ErrNoAges, "attribution: time decay 168h0m0s: path a > b: journeys without ages"},
		{"half-life", model(js, TimeDecay{HalfLife: -1}), nil, "attribution: time decay -1ns: the half-life is negative"},
		{"no direct", model(plain, LastNonDirect{}), ErrNoDirect, "attribution: last non-direct: no direct channel is declared"},
		{"weights above 1", model(js, Position{First: 0.5, Middle: 0.5, Last: 0.5}), ErrWeights, "attribution: position 50/50/50: bad weights: they add up to 1.5, not 1"},
		{"negative weight", model(js, Position{First: -0.5, Middle: 1, Last: 0.5}), ErrWeights, "attribution: position -50/100/50: bad weights: -0.5 is negative or not a number"},
		{"NaN weight", model(js, WShaped{First: math.NaN()}), ErrWeights, "attribution: W-shaped NaN/0/0/0: bad weights: NaN is negative or not a number"},
		{"full path", model(js, FullPath{First: 2}), ErrWeights, "attribution: full path 200/0/0/0/0: bad weights: they add up to 2, not 1"},
		{"two touches", model(js, Position{Two: "x"}), nil, `attribution: position 40/20/40: two touches "x": not a convention`},
		{"no ends", model(js, Position{Middle: 1, Two: Renormalize}), ErrWeights, "attribution: position 0/100/0 renormalized: bad weights: nothing to renormalize for two touches"},
		{"no function", model(js, Custom{}), nil, "attribution: custom: no function of weights"},
		{"custom too few", model(plain, custom(1)), ErrWeights, "attribution: mine: path a > b: bad weights: 1 for 2 channels"},
		{"custom negative", model(plain, custom(1, -1)), ErrWeights, "attribution: mine: path a > b: bad weights: number 2 is -1"},
		{"custom infinite", model(plain, custom(1, math.Inf(1))), ErrWeights, "attribution: mine: path a > b: bad weights: number 2 is +Inf"},
		{"custom zero", model(plain, custom(0, 0)), ErrWeights, "attribution: mine: path a > b: bad weights: all are zero"},
		{"order", model(js, Markov{Order: -1}), nil, "attribution: Markov: order -1: negative"},
		{"workers", model(js, Markov{Workers: -1}), nil, "attribution: Markov 1: -1 workers: negative"},
		{"no minor unit", func() error {
			js, err := New([]Journey{{Channels: []string{"a", "b"}, Conversions: 1, Value: money.MustParse("1", "XAU")}}, nil)
			if err != nil {
				return err
			}
			return model(js, Linear{})()
		}, money.ErrNoMinorUnit, "attribution: linear: money: currency without a minor unit: XAU"},
		{"two models of a name", func() error { _, err := Compare(ctx, js, First{}, First{}); return err }, nil, `attribution: two models are named "first"`},
		{"compare nothing", func() error { _, err := Compare(ctx, nil); return err }, nil, "attribution: no journeys"},
		{"removal of nothing", func() error { _, err := Markov{}.Removal(ctx, barren); return err }, ErrNoConversions, "attribution: Markov 1: no conversions"},
		{"transitions of nothing", func() error { _, err := Markov{}.Transitions(ctx, nil); return err }, nil, "attribution: no journeys"},
		{"ordered Shapley of nothing", func() error { _, err := OrderedShapley(ctx, barren); return err }, ErrNoConversions, "attribution: Shapley ordered: no conversions"},
		{"renamed to nothing", func() error { _, err := js.Relabel(ctx, func(string) string { return "" }); return err }, nil, `attribution: channel "Direct": renamed to nothing`},

		{"one journey without direct", func() error { _, err := LastNonDirect{}.Touches(Journey{Channels: []string{"a"}}); return err }, ErrNoDirect, "attribution: last non-direct: no direct channel is declared"},
		{"one journey without ages", func() error { _, err := TimeDecay{}.Touches(Journey{Channels: []string{"a", "b"}}); return err }, ErrNoAges, "attribution: time decay 168h0m0s: journeys without ages"},
		{"one journey without touches", func() error { _, err := Linear{}.Touches(Journey{}); return err }, nil, "attribution: channels: no touches"},
		{"one journey by bad parts", func() error { _, err := FullPath{Rest: 2}.Touches(Journey{Channels: []string{"a"}}); return err }, ErrWeights, "attribution: full path 0/0/0/0/200: bad weights: they add up to 2, not 1"},
		{"one journey by a bad W", func() error { _, err := WShaped{Rest: 2}.Touches(Journey{Channels: []string{"a"}}); return err }, ErrWeights, "attribution: W-shaped 0/0/0/200: bad weights: they add up to 2, not 1"},
		{"one journey by a bad U", func() error { _, err := Position{Last: 2}.Touches(Journey{Channels: []string{"a"}}); return err }, ErrWeights, "attribution: position 0/0/200: bad weights: they add up to 2, not 1"},
		{"one journey by a bad half-life", func() error { _, err := TimeDecay{HalfLife: -1}.Touches(Journey{Channels: []string{"a"}}); return err }, nil, "attribution: time decay -1ns: the half-life is negative"},
		{"milestones", func() error { _, err := MilestoneWeights(0, nil, nil, 1); return err }, nil, "attribution: milestones: 0 touches"},
		{"milestones beyond", func() error { _, err := MilestoneWeights(2, []int{2}, []float64{1}, 0); return err }, nil, "attribution: milestones: touch 2 of 2"},
		{"milestones unequal", func() error { _, err := MilestoneWeights(2, []int{1}, nil, 1); return err }, nil, "attribution: milestones: 1 touches for 0 weights"},
		{"milestones of 90 %", func() error { _, err := MilestoneWeights(2, []int{1}, []float64{0.9}, 0); return err }, ErrWeights, "attribution: milestones: bad weights: they add up to 0.9, not 1"},

		{"no end", func() error {
			_, err := Build(ctx, ledger.Slice(some), ledger.Slice([]Conversion(nil)), time.Time{}, nil)
			return err
		}, nil, "attribution: end of observation: no time"},
		{"no rows", build(nil, nil), nil, "attribution: no journeys"},
		{"lookback", build(&BuildOptions{Lookback: -1}, some), nil, "attribution: lookback -1ns: negative"},
		{"session", build(&BuildOptions{Session: -1}, some), nil, "attribution: session -1ns: negative"},
		{"repeat", build(&BuildOptions{Repeat: "x"}, some), nil, `attribution: repeat "x": not a rule`},
		{"open", build(&BuildOptions{Open: "x"}, some), nil, `attribution: open "x": not a rule`},
		{"open without lookback", build(&BuildOptions{Open: OpenIsDropped}, some), nil, `attribution: open "left_out": needs a lookback`},
		{"direct if none", build(&BuildOptions{DirectIfNone: true}, some), ErrNoDirect, "attribution: direct if none: no direct channel is declared"},
		{"one name for two milestones", build(&BuildOptions{Lead: "x", Opportunity: "x"}, some), nil, `attribution: lead and opportunity: both are "x"`},
		{"touch without customer", build(nil, []Touchpoint{some[0], tp("", at(1, 0), "a")}), nil, `attribution: row 2: field "customer": value "": empty`},
		{"touch without channel", build(nil, []Touchpoint{tp("1", at(1, 0), "")}), nil, `attribution: row 1: field "channel": value "": empty`},
		{"touch without time", build(nil, []Touchpoint{tp("1", time.Time{}, "a")}), nil, `attribution: row 1: field "at": value "": no time`},
		{"touch of another age", build(nil, []Touchpoint{tp("1", time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC), "a")}), nil, `attribution: row 1: field "at": value "1800-01-01T00:00:00Z": not in the years 1900 to 2190`},
		{"By without a name", build(&BuildOptions{By: func(Touchpoint) string { return "" }}, some), nil, `attribution: row 1: field "channel": value "a": By gives it no name`},
		{"conversion of negative value", build(nil, some, won("1", at(2, 0), "-1")), nil, `attribution: row 1: field "value": value "USD -1.00": negative`},
		{"conversions of two currencies", build(nil, some, won("1", at(2, 0), "1"), Conversion{Customer: "1", At: at(2, 0), Value: money.MustParse("1", "EUR")}), nil,
			`attribution: row 2: field "value": value "EUR 1.00": money: currencies differ: USD and EUR`},

		{"no game", model(js, ByGame{}), nil, "attribution: game: no game"},
		{"other players", model(js, ByGame{Label: "mine", Game: func(*Journeys) Game { return game("a") }}), nil, "attribution: mine: the players are not the channels"},
		{"negative values", func() error {
			js, err := New([]Journey{{Channels: []string{"a"}, Conversions: 9, Nulls: 1}, {Channels: []string{"a", "b"}, Conversions: 1, Nulls: 9}}, nil)
			if err != nil {
				return err
			}
			return model(js, ByGame{Game: RateGame})()
		}, ErrWeights, "attribution: game: conversions: bad weights: number 2 is -0.4"},
		{"no players", func() error { _, err := ShapleyExact(ctx, Game{}); return err }, nil, "attribution: game: no players"},
		{"game of nothing", func() error { _, err := ShapleyExact(ctx, ConversionGame(nil)); return err }, nil, "attribution: game: no players"},
		{"no worth", func() error { _, err := ShapleyExact(ctx, Game{Players: []string{"a"}}); return err }, nil, "attribution: game: no worth"},
		{"player twice", func() error { _, err := ShapleyExact(ctx, game("a", "b", "a")); return err }, nil, "attribution: game: a player is there twice"},
		{"21 players", func() error {
			_, err := ShapleyExact(ctx, game(strings.Split("abcdefghijklmnopqrstu", "")...))
			return err
		}, ErrTooManyPlayers,
			"attribution: game of 21 players: too many players for the exact value"},
		{"table without players", func() error { _, err := TableGame(nil, nil); return err }, nil, "attribution: game: no players"},
		{"table of a stranger", func() error { _, err := TableGame([]string{"a"}, map[string]float64{"a+b": 1}); return err }, nil, `attribution: game: coalition "a+b": "b" is no player or is there twice`},
		{"table of one twice", func() error { _, err := TableGame([]string{"a"}, map[string]float64{"a+a": 1}); return err }, nil, `attribution: game: coalition "a+a": "a" is no player or is there twice`},
		{"table of a coalition twice", func() error {
			_, err := TableGame([]string{"a", "b"}, map[string]float64{"a+b": 1, "b+a": 1})
			return err
		}, nil, `attribution: game: coalition "b+a" is there twice`},
		{"table of NaN", func() error { _, err := TableGame([]string{"a"}, map[string]float64{"a": math.NaN()}); return err }, nil, "attribution: game: the worth of a coalition of 1 players is NaN"},
		{"infinite worth", func() error {
			_, err := ShapleyExact(ctx, Game{Players: []string{"a"}, Worth: func(c Coalition) float64 { return math.Inf(c.Len()) }})
			return err
		}, nil, "attribution: game: the worth of a coalition of 0 players is +Inf"},
		{"no permutations", func() error { _, err := ShapleySampled(ctx, game("a"), SampleOptions{}); return err }, nil, "attribution: game: 0 permutations: not between 4 and 2^30"},

		{"highest order", func() error { _, err := SelectOrder(ctx, js, &OrderOptions{Max: -1}); return err }, nil, "attribution: highest order -1: not between 1 and 64"},
		{"criterion", func() error { _, err := SelectOrder(ctx, js, &OrderOptions{Criterion: "x"}); return err }, nil, `attribution: criterion "x": unknown`},
		{"folds", func() error { _, err := SelectOrder(ctx, js, &OrderOptions{Folds: 1}); return err }, nil, "attribution: 1 folds: not between 2 and 1000"},
		{"orders of nothing", func() error { _, err := SelectOrder(ctx, barren, nil); return err }, ErrNoConversions, "attribution: orders: no conversions"},
		{"replicates", func() error { _, err := Bootstrap(ctx, js, First{}, &BootstrapOptions{Replicates: 1}); return err }, nil, "attribution: bootstrap: 1 replicates: not between 2 and 10,000,000"},
		{"level", func() error { _, err := Bootstrap(ctx, js, First{}, &BootstrapOptions{Level: 1}); return err }, nil, "attribution: bootstrap: level 1: not between 0 and 1"},
		{"bootstrap of nothing", func() error { _, err := Bootstrap(ctx, barren, First{}, nil); return err }, ErrNoConversions, "attribution: first: no conversions"},
	}
	for _, test := range tests {
		err := test.call()
		if err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.name, err, test.want)
			continue
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %v is not %v", test.name, err, test.is)
		}
		var row *ledger.RowError
		if strings.Contains(test.want, "row ") && !errors.As(err, &row) {
			t.Errorf("%s: no RowError", test.name)
		}
	}
}

// Every long call stops when its context has ended.
func TestContextEnds(t *testing.T) {
	js := journeysA1(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for name, call := range map[string]func() error{
		"Build": func() error {
			_, err := Build(ctx, ledger.Slice([]Touchpoint{tp("1", at(1, 0), "a")}), ledger.Slice([]Conversion(nil)), at(2, 0), nil)
			return err
		},
		"Attribute First":     func() error { _, err := Attribute(ctx, js, First{}); return err },
		"Attribute TimeDecay": func() error { _, err := Attribute(ctx, js, TimeDecay{}); return err },
		"Attribute Markov":    func() error { _, err := Attribute(ctx, js, Markov{}); return err },
		"Attribute Shapley":   func() error { _, err := Attribute(ctx, js, Shapley{}); return err },
		"Compare":             func() error { _, err := Compare(ctx, js); return err },
		"Removal":             func() error { _, err := Markov{}.Removal(ctx, js); return err },
		"Transitions":         func() error { _, err := Markov{}.Transitions(ctx, js); return err },
		"OrderedShapley":      func() error { _, err := OrderedShapley(ctx, js); return err },
		"SelectOrder":         func() error { _, err := SelectOrder(ctx, js, nil); return err },
		"Bootstrap":           func() error { _, err := Bootstrap(ctx, js, First{}, nil); return err },
		"ShapleyExact":        func() error { _, err := ShapleyExact(ctx, ConversionGame(js)); return err },
		"ShapleySampled": func() error {
			_, err := ShapleySampled(ctx, ConversionGame(js), SampleOptions{Permutations: 10})
			return err
		},
		"Relabel": func() error { _, err := js.Relabel(ctx, func(c string) string { return c }); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
