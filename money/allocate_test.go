package money

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func minors(parts []Amount) []int64 {
	var units []int64
	for _, p := range parts {
		n, ok := p.Minor()
		if !ok {
			return nil
		}
		units = append(units, n)
	}
	return units
}

// Largest remainder by hand; each row is one that a library of truncation, first-positions or largest-ratio gets wrong
// or may.
func TestAllocateTable(t *testing.T) {
	tests := []struct {
		total         int64
		weights, want []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{101, []int64{50, 25, 25}, []int64{51, 25, 25}},
		{5, []int64{1, 1}, []int64{3, 2}},
		{2, []int64{1, 1, 1}, []int64{1, 1, 0}},
		{10, []int64{1, 98, 1}, []int64{0, 10, 0}},
		{10, []int64{1, 1, 2}, []int64{3, 2, 5}},
		{100, []int64{1, 1, 2}, []int64{25, 25, 50}},
		{1, []int64{0, 1, 1}, []int64{0, 1, 0}},
		{1, []int64{1, 2}, []int64{0, 1}},
		{1003, []int64{0, 50, 50}, []int64{0, 502, 501}},
		{99, []int64{10, 20, 30, 40}, []int64{10, 20, 30, 39}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{-101, []int64{50, 25, 25}, []int64{-51, -25, -25}},
		{7, []int64{3, 3, 1}, []int64{3, 3, 1}},
		{1000, []int64{333, 333, 334}, []int64{333, 333, 334}},
		{100, []int64{30, 30, 40}, []int64{30, 30, 40}},
		{101, []int64{1, 1, 1}, []int64{34, 34, 33}},
		{9999, []int64{6, 1, 1, 1, 6}, []int64{4000, 667, 667, 666, 3999}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{17, []int64{5}, []int64{17}},
		{math.MaxInt64, []int64{1, 1}, []int64{math.MaxInt64/2 + 1, math.MaxInt64 / 2}},
		{math.MinInt64, []int64{1, 1}, []int64{math.MinInt64 / 2, math.MinInt64 / 2}},
		{math.MinInt64, []int64{1}, []int64{math.MinInt64}},
		{100, []int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}, []int64{34, 33, 33}}, // the total of the weights overflows
		{math.MaxInt64, []int64{math.MaxInt64, math.MaxInt64, math.MaxInt64, 0}, []int64{3074457345618258603, 3074457345618258602, 3074457345618258602, 0}},
	}
	for _, tt := range tests {
		total, err := FromMinor(tt.total, "USD")
		if err != nil {
			t.Fatal(err)
		}
		parts, err := total.Allocate(tt.weights...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, minors(parts)); diff != "" {
			t.Errorf("%d by %v (-want +got):\n%s", tt.total, tt.weights, diff)
		}
	}
}

func TestAllocateAgainstFractions(t *testing.T) {
	for _, row := range load(t, "testdata/exact.json").Allocations {
		total, _ := FromMinor(row.Total, "USD")
		parts, err := total.Allocate(row.Weights...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(row.Parts, minors(parts)); diff != "" {
			t.Errorf("%d by %v (-want +got):\n%s", row.Total, row.Weights, diff)
		}
	}
}

func TestAllocateBy(t *testing.T) {
	tests := []struct {
		total   string
		weights []float64
		want    []int64
	}{
		{"1.00", []float64{1, 1, 1}, []int64{34, 33, 33}},
		{"0.10", []float64{0.01, 0.98, 0.01}, []int64{0, 10, 0}},
		{"0.10", []float64{0.1, 0.2, 0.7}, []int64{1, 2, 7}},
		{"99.99", []float64{0.4, 0.2 / 3, 0.2 / 3, 0.2 / 3, 0.4}, []int64{4000, 667, 667, 666, 3999}}, // ties within noise go by index
		{"0.05", []float64{0.1, 0.3, 0.6}, []int64{1, 1, 3}},
		{"-1.01", []float64{0.5, 0.25, 0.25}, []int64{-51, -25, -25}},
		{"1.00", []float64{math.MaxFloat64, math.MaxFloat64, 0}, []int64{50, 50, 0}},
		{"1.00", []float64{5e-324, 5e-324, 1e-323}, []int64{25, 25, 50}},
		{"1.00", []float64{math.MaxFloat64, 5e-324}, []int64{100, 0}},
		{"0.01", []float64{math.Copysign(0, -1), 1e-300}, []int64{0, 1}},
	}
	for _, tt := range tests {
		parts, err := MustParse(tt.total, "USD").AllocateBy(tt.weights)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, minors(parts)); diff != "" {
			t.Errorf("%s by %v (-want +got):\n%s", tt.total, tt.weights, diff)
		}
	}
}

func TestAllocateFinerThanMinorUnit(t *testing.T) {
	parts, err := MustParse("1.005", "USD").Split(2)
	if err != nil {
		t.Fatal(err)
	}
	check(t, parts[0], nil, "USD 0.503")
	check(t, parts[1], nil, "USD 0.502")

	parts, err = MustParse("10000000000000000000000000.000001", "USD").Split(3)
	if err != nil {
		t.Fatal(err)
	}
	check(t, parts[0], nil, "USD 3333333333333333333333333.333334")
	check(t, parts[2], nil, "USD 3333333333333333333333333.333333")

	parts, err = MustParse("92233720368547758.07", "USD").AllocateBy([]float64{0.25, 0.75})
	if err != nil {
		t.Fatal(err)
	}
	check(t, parts[0], nil, "USD 23058430092136939.52")
	check(t, parts[1], nil, "USD 69175290276410818.55")
}

func TestAllocateZero(t *testing.T) {
	parts, err := Amount{}.Allocate(1, 2)
	if err != nil || len(parts) != 2 || parts[0].String() != "0" {
		t.Errorf("zero Amount: %v, %v", parts, err)
	}
	parts, err = MustParse("1000", "JPY").Split(3)
	if err != nil || parts[0].String() != "JPY 334" || parts[2].String() != "JPY 333" {
		t.Errorf("JPY: %v, %v", parts, err)
	}
	parts, err = MustParse("1.01", "USD").Split(3)
	if err != nil || parts[0].String() != "USD 0.34" || parts[1].String() != "USD 0.34" || parts[2].String() != "USD 0.33" {
		t.Errorf("1.01 by 3: %v, %v", parts, err)
	}
}

// The parts add up to the total, none is a unit or more away from its exact share, zero weights get nothing, and the
// order of equal shares is that of the weights.
func TestAllocateProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	jpy, _ := lookup("JPY")
	for range 3000 {
		a := random(r, [...]meta{usd, jpy}[r.IntN(2)])
		weights, floats := make([]int64, 1+r.IntN(30)), []float64(nil)
		top := [...]int64{1, 10, 1 << 40, math.MaxInt64}[r.IntN(4)]
		total := new(big.Int)
		for i := range weights {
			if r.IntN(5) > 0 {
				weights[i] = 1 + r.Int64N(top)
			}
			total.Add(total, big.NewInt(weights[i]))
			floats = append(floats, float64(weights[i])*math.Pi)
		}
		if total.Sign() == 0 {
			continue
		}
		parts, err := a.Allocate(weights...)
		if err != nil {
			t.Fatal(err)
		}
		byFloat, err := a.AllocateBy(floats)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range [][]Amount{parts, byFloat} {
			sum, err := Total(got...)
			if err != nil || !sum.Equal(a) {
				t.Fatalf("%v by %v: sum %v, %v", a, weights, sum, err)
			}
			for i, p := range got {
				wellFormed(t, p)
				if weights[i] == 0 && !p.IsZero() || p.Sign()*a.Sign() < 0 {
					t.Fatalf("%v by %v: part %d is %v", a, weights, i, p)
				}
			}
		}
		unit := new(big.Rat).SetFrac(big.NewInt(1), bigPower(max(a.meta.minor(), a.trim(0).meta.scale())))
		for i, p := range parts {
			share := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(weights[i]), big.NewInt(1)), total)
			share.Mul(share, rat(a))
			if gap := share.Sub(share, rat(p)); gap.Abs(gap).Cmp(unit) >= 0 {
				t.Fatalf("%v by %v: part %d is %v", a, weights, i, p)
			}
			for j := range i {
				if weights[j] == weights[i] && parts[j].Abs().cmp(p.Abs()) < 0 {
					t.Fatalf("%v by %v: part %d is less than %d", a, weights, j, i)
				}
			}
		}
	}
}

// Weights that a float64 holds exactly give the same parts either way.
func TestAllocateByEqualsAllocate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		weights, floats := make([]int64, 1+r.IntN(20)), []float64(nil)
		for i := range weights {
			weights[i] = 1 + r.Int64N(10_000)
			floats = append(floats, float64(weights[i])/1024)
		}
		a := Amount{coef: r.Int64N(1e9) - 5e8, meta: usd.withScale(2)}
		want, err1 := a.Allocate(weights...)
		got, err2 := a.AllocateBy(floats)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%v by %v (-want +got):\n%s", a, weights, diff)
		}
	}
}

func TestAllocateDoesNotChangeWeights(t *testing.T) {
	ints, floats := []int64{3, 1, 2}, []float64{3, 1, 2}
	a := MustParse("1", "USD")
	if _, err := a.Allocate(ints...); err != nil {
		t.Fatal(err)
	}
	if _, err := a.AllocateBy(floats); err != nil {
		t.Fatal(err)
	}
	if !cmp.Equal(ints, []int64{3, 1, 2}) || !cmp.Equal(floats, []float64{3, 1, 2}) {
		t.Errorf("weights changed: %v, %v", ints, floats)
	}
}

func TestAllocateErrors(t *testing.T) {
	a := MustParse("1", "USD")
	tests := []struct {
		name string
		err  func() error
		is   error
		want string
	}{
		{"none", func() error { _, err := a.Allocate(); return err }, ErrArgument, "money: invalid argument: no weights"},
		{"negative", func() error { _, err := a.Allocate(1, -2); return err }, ErrArgument, "money: invalid argument: weight 1: -2 is negative"},
		{"all zero", func() error { _, err := a.Allocate(0, 0); return err }, ErrArgument, "money: invalid argument: all weights are zero"},
		{"no floats", func() error { _, err := a.AllocateBy(nil); return err }, ErrArgument, "money: invalid argument: no weights"},
		{"zero floats", func() error { _, err := a.AllocateBy([]float64{0}); return err }, ErrArgument, "money: invalid argument: all weights are zero"},
		{"NaN", func() error { _, err := a.AllocateBy([]float64{1, math.NaN()}); return err }, ErrArgument, "money: invalid argument: weight 1: NaN is not a finite number"},
		{"Inf", func() error { _, err := a.AllocateBy([]float64{math.Inf(1)}); return err }, ErrArgument, "money: invalid argument: weight 0: +Inf is not a finite number"},
		{"-Inf", func() error { _, err := a.AllocateBy([]float64{math.Inf(-1)}); return err }, ErrArgument, "money: invalid argument: weight 0: -Inf is not a finite number"},
		{"negative float", func() error { _, err := a.AllocateBy([]float64{-0.5}); return err }, ErrArgument, "money: invalid argument: weight 0: -0.5 is negative"},
		{"no parts", func() error { _, err := a.Split(0); return err }, ErrArgument, "money: invalid argument: 0 parts: not between 1 and 1048576"},
		{"too many parts", func() error { _, err := a.Split(1<<20 + 1); return err }, ErrArgument, "money: invalid argument: 1048577 parts: not between 1 and 1048576"},
		{"gold", func() error { _, err := MustParse("1", "XAU").Allocate(1, 2); return err }, ErrNoMinorUnit, "money: currency without a minor unit: XAU"},
	}
	for _, tt := range tests {
		if err := tt.err(); !errors.Is(err, tt.is) || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}
