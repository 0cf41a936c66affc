package clv

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/internal/golden"
)

// TestCompress holds the compressed rows against those that a map merges, at sizes around which the sort takes other
// ways, for rows that are alike, that differ, and that share a few values.
func TestCompress(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		reason     string
		n, most    int     // rows and the most purchases
		tick, span float64 // times are multiples of tick, up to span
	}{
		{"one row", 1, 0, 1, 1},
		{"few rows", 40, 3, 0.001, 50},
		{"all alike", 5000, 0, 50, 50},
		{"days", 20_000, 8, 1.0 / 7, 60},
		{"days of few", 4096, 2, 1, 9},
		{"all different", 12_000, 40, 1e-9, 60},
		{"more purchases than a digit holds", 6000, 100_000, 0.5, 80},
	} {
		hs := &Histories{Unit: Week}
		for range c.n {
			time := func(most float64) float64 { return c.tick * math.Ceil(most/c.tick*(1-r.Float64())) }
			h := History{T: time(c.span), Count: r.IntN(3)}
			if h.X = r.IntN(c.most + 1); h.X > 0 {
				h.TX = min(h.T, time(h.T))
			}
			hs.Rows = append(hs.Rows, h)
		}
		want := map[[3]float64]row{}
		for i, h := range hs.Rows {
			key := [3]float64{float64(h.X), h.TX, h.T}
			w, seen := want[key]
			if !seen {
				w = row{x: h.X, tx: h.TX, t: h.T, index: i}
			}
			w.weight += float64(max(1, h.Count))
			want[key] = w
		}
		s, err := compressBy(context.Background(), hs, false, 1)
		if err != nil {
			t.Fatalf("%s: %v", c.reason, err)
		}
		if len(s.rows) != len(want) || !slices.IsSortedFunc(s.rows, func(a, b row) int { return a.x - b.x }) {
			t.Errorf("%s: %d rows, want %d sorted by X", c.reason, len(s.rows), len(want))
		}
		weight := 0.0
		for _, got := range s.rows {
			if w := want[[3]float64{float64(got.x), got.tx, got.t}]; got != w {
				t.Fatalf("%s: row %+v, want %+v", c.reason, got, w)
			}
			weight += got.weight
		}
		if s.weight != weight || int(weight) != hs.Customers() {
			t.Errorf("%s: weight %v, rows %v, customers %d", c.reason, s.weight, weight, hs.Customers())
		}
		for _, workers := range []int{2, 7} {
			other, err := compressBy(context.Background(), hs, false, workers)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s, other, cmp.AllowUnexported(sample{}, row{})); diff != "" {
				t.Errorf("%s, %d workers (-want +got):\n%s", c.reason, workers, diff)
			}
		}
		r.Shuffle(len(hs.Rows), func(i, j int) { hs.Rows[i], hs.Rows[j] = hs.Rows[j], hs.Rows[i] })
		other, err := compress(context.Background(), hs, false)
		if err != nil {
			t.Fatal(err)
		}
		for i := range other.rows {
			other.rows[i].index = s.rows[i].index
		}
		if diff := cmp.Diff(s, other, cmp.AllowUnexported(sample{}, row{})); diff != "" {
			t.Errorf("%s, other order (-want +got):\n%s", c.reason, diff)
		}
	}
}

// TestCompressNegativeZero merges the two zeros.
func TestCompressNegativeZero(t *testing.T) {
	minus := math.Copysign(0, -1)
	s, err := compress(context.Background(), &Histories{Unit: Week, Rows: []History{{T: 1}, {TX: minus, T: 1}, {T: minus}, {}}}, false)
	if err != nil || len(s.rows) != 2 || s.weight != 4 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestCompressErrors holds the first bad row of several, whichever worker meets it.
func TestCompressErrors(t *testing.T) {
	rows := make([]History, 30_000)
	for i := range rows {
		rows[i].T = 1
	}
	rows[29_000].T, rows[20_000].X, rows[29_999].Count = math.NaN(), -2, -1
	for _, workers := range []int{1, 2, 7} {
		_, err := compressBy(context.Background(), &Histories{Unit: Week, Rows: rows}, false, workers)
		if want := `clv: row 20001: field "X": value "-2": negative`; err == nil || err.Error() != want {
			t.Errorf("%d workers: %v, want %s", workers, err, want)
		}
	}
	for _, hs := range []*Histories{nil, {}, {Unit: Week}, {Rows: rows[:1]}} {
		if _, err := compress(context.Background(), hs, false); err == nil {
			t.Errorf("no error for %+v", hs)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := compress(ctx, &Histories{Unit: Week, Rows: rows[:9]}, false); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

// TestFits holds the quick check of a history against the one that names the field.
func TestFits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	values := []float64{0, math.Copysign(0, -1), 1, 2, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64}
	for range 20_000 {
		h := History{X: r.IntN(4) - 1, TX: values[r.IntN(len(values))], T: values[r.IntN(len(values))], Count: r.IntN(4) - 1}
		if got, want := h.fits(), h.problem() == nil; got != want {
			t.Fatalf("%+v: %v, want %v", h, got, want)
		}
	}
}

// TestLogSum holds sums of logs that are multiplied against those that are added.
func TestLogSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []float64{1e-18, 1e-9, 1e-3, 1, 1e3, 1e20, 1e55, 1e200} {
		var s logSum
		want, weight := 0.0, 1.0
		for i := range 512 {
			y := size * r.ExpFloat64()
			if i%5 == 4 {
				weight = []float64{2, 3, 4, 2.5, 7}[i%25/5]
			}
			s.add(y, weight)
			want += weight * math.Log1p(y)
			weight = 1
		}
		if got := s.total(); !golden.Close(got, want, 1e-13) {
			t.Errorf("size %v: %v, want %v", size, got, want)
		}
	}
	var s logSum
	s.add(math.NaN(), 1)
	s.add(1, 1)
	if v := s.total(); !math.IsNaN(v) {
		t.Errorf("the sum with NaN is %v", v)
	}
}

// TestBGByX holds what is reached by steps against what is computed at once.
func TestBGByX(t *testing.T) {
	for _, m := range []BGNBD{{0.25, 4, 0.8, 2.4}, {1e-3, 1, 30, 1e-2}, {40, 1, 1e3, 1e5}} {
		var c bgByX
		for _, x := range []int{1, 2, 3, 7, 11, 12, 40, 41, 47, 1000, 1003} {
			c.move(x, m.R, m.A, m.B)
			w := newBGByX(x, m.R, m.A, m.B)
			got := []float64{c.left, c.r, c.a, c.b, c.rr, c.aa, c.ab, c.bb}
			want := []float64{w.left, w.r, w.a, w.b, w.rr, w.aa, w.ab, w.bb}
			for i := range got {
				if !golden.Close(got[i], want[i], 1e-13) {
					t.Errorf("%+v, X = %d: number %d is %v, want %v", m, x, i, got[i], want[i])
				}
			}
			if math.Abs(c.value-w.value) > 1e-13*max(1, math.Abs(w.value)) || c.x != x {
				t.Errorf("%+v, X = %d: value %v, want %v", m, x, c.value, w.value)
			}
		}
	}
}
