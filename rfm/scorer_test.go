package rfm

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/ledger"
)

var (
	tiedFrequency = []float64{1, 1, 1, 1, 1, 1, 2, 2, 3, 5}
	tiedMoney     = []float64{10, 20, 20, 30, 40, 55, 60, 80, 120, 500}
	topMass       = []float64{1, 2, 3, 9, 9, 9, 9, 9, 9, 9}
)

// The expected scores were worked out by hand from the definitions; those of the quantile rules were seen in the tools
// that they reproduce (R's rfm 0.3.0, pandas 1.5, SQL NTILE).
func TestScorersOnTies(t *testing.T) {
	thousands := make([]float64, len(tiedMoney))
	for i, v := range tiedMoney {
		thousands[i] = v / 1000
	}
	for _, tt := range []struct {
		name   string
		scorer Scorer
		values []float64
		want   string
	}{
		{"share below, ties at the bottom stay 1", CountBelow{}, tiedFrequency, "1111114455"},
		{"share below, money", CountBelow{}, tiedMoney, "1112334455"},
		{"share below, a mass at the top falls", CountBelow{}, topMass, "1122222222"},
		{"share below, all equal", CountBelow{}, []float64{7, 7, 7, 7}, "1111"},
		{"share at most loses the worst score", CountAtMost{}, tiedFrequency, "3333334455"},
		{"share at most, money", CountAtMost{}, tiedMoney, "1222334455"},
		{"mid-rank", MidRank{}, tiedFrequency, "2222224455"},
		{"mid-rank, a mass at the top", MidRank{}, topMass, "1124444444"},
		{"mid-rank, all equal is the middle", MidRank{}, []float64{7, 7, 7}, "333"},
		{"R package skips 2", Quantiles{Add: 1}, tiedFrequency, "1111113345"},
		{"R package, money", Quantiles{Add: 1}, tiedMoney, "1112334455"},
		{"R package, money in thousands: the unit decides", Quantiles{Add: 1}, thousands, "1111111111"},
		{"R package, all equal", Quantiles{Add: 1}, []float64{1, 1, 1}, "111"},
		{"qcut drops to three scores", Quantiles{Right: true}, tiedFrequency, "1111112233"},
		{"qcut, money", Quantiles{Right: true}, tiedMoney, "1112334455"},
		{"ntile splits equal customers", NTile{}, tiedFrequency, "1122334455"},
		{"ntile, money", NTile{}, tiedMoney, "1122334455"},
		{"ntile, first tiles get the rest", NTile{}, []float64{1, 2, 3, 4, 5, 6, 7}, "1122345"},
		{"ntile, fewer values than tiles", NTile{}, []float64{1, 2, 3}, "123"},
		{"fixed", Fixed{2, 3, 5, 10}, []float64{1, 2, 3, 4, 5, 9, 10, 11}, "12334455"},
		{"equal width", EqualWidth{}, []float64{0, 19, 20, 59, 60, 99, 100}, "1123455"},
		{"equal width, all equal", EqualWidth{}, []float64{3, 3}, "11"},
		{"one value", MidRank{}, []float64{3}, "3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Scores(tt.values, 5, tt.scorer)
			if err != nil {
				t.Fatal(err)
			}
			if s := digits(got); s != tt.want {
				t.Errorf("scores of %v: got %s, want %s", tt.values, s, tt.want)
			}
		})
	}
}

func digits(scores []int) string {
	var b strings.Builder
	for _, s := range scores {
		fmt.Fprint(&b, s)
	}
	return b.String()
}

// The definitions are evaluated here as they are written, by counting, for values with many ties and any sizes.
func TestRankScorersAreTheirDefinitions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		n, bins, distinct := 1+r.IntN(60), 2+r.IntN(11), 1+r.IntN(20)
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(r.IntN(distinct)) - 5
		}
		for _, lower := range []bool{false, true} {
			below, atMost, mid := oriented(t, CountBelow{}, values, bins, lower), oriented(t, CountAtMost{}, values, bins, lower), oriented(t, MidRank{}, values, bins, lower)
			for i, x := range values {
				lt, le := 0, 0
				for _, y := range values {
					if y < x && !lower || y > x && lower {
						lt++
					}
					if y <= x && !lower || y >= x && lower {
						le++
					}
				}
				if want := bins*lt/n + 1; below[i] != want {
					t.Fatalf("CountBelow of %v in %v, %d bins: got %d, want %d", x, values, bins, below[i], want)
				}
				if want := (bins*le + n - 1) / n; atMost[i] != want {
					t.Fatalf("CountAtMost of %v in %v, %d bins: got %d, want %d", x, values, bins, atMost[i], want)
				}
				if want := (bins*(lt+le) + 2*n - 1) / (2 * n); mid[i] != want {
					t.Fatalf("MidRank of %v in %v, %d bins: got %d, want %d", x, values, bins, mid[i], want)
				}
			}
		}
	}
}

func oriented(t *testing.T, scorer Scorer, values []float64, bins int, lower bool) []int {
	t.Helper()
	out := make([]uint8, len(values))
	if _, err := scoreGroup(values, nil, lower, bins, scorer, out, nil); err != nil {
		t.Fatal(err)
	}
	scores := make([]int, len(out))
	for i, s := range out {
		scores[i] = int(s)
	}
	return scores
}

var allScorers = map[string]Scorer{"below": CountBelow{}, "at most": CountAtMost{}, "mid": MidRank{}, "quantiles": Quantiles{},
	"qcut": Quantiles{Right: true}, "ntile": NTile{}, "width": EqualWidth{}}

func TestScorerProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n, bins := 1+r.IntN(2000), 2+r.IntN(9)
		values := make([]float64, n)
		for i := range values {
			values[i] = math.Round(math.Exp(r.NormFloat64())*20) / 4
		}
		perm := r.Perm(n)
		shuffled, larger := make([]float64, n), make([]float64, n)
		for i, p := range perm {
			shuffled[i] = values[p]
		}
		for i := range values {
			larger[i] = values[i] * 1024 // another unit, exact in binary
		}
		for name, scorer := range allScorers {
			got := oriented(t, scorer, values, bins, false)
			moved := oriented(t, scorer, shuffled, bins, false)
			for i, p := range perm {
				if name != "ntile" && moved[i] != got[p] {
					t.Fatalf("%s: the score of %v depends on the order of the rows", name, values[p])
				}
			}
			if diff := cmp.Diff(got, oriented(t, scorer, larger, bins, false)); diff != "" {
				t.Fatalf("%s: the scores depend on the unit (-want +got)\n%s", name, diff)
			}
			order := slices.SortedFunc(slices.Values(rangeTo(n)), func(a, b int) int { return cmpFloat(values[a], values[b]) })
			for k := 1; k < n; k++ {
				a, b := order[k-1], order[k]
				if values[a] < values[b] && got[a] > got[b] {
					t.Fatalf("%s: %v scores %d, the better %v scores %d", name, values[a], got[a], values[b], got[b])
				}
			}
			for _, s := range got {
				if s < 1 || s > bins {
					t.Fatalf("%s: score %d outside 1 to %d", name, s, bins)
				}
			}
		}
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func rangeTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Turning the direction round mirrors mid-rank scores where n(lt+le) is no multiple of 2N; on a boundary, and only
// there, both directions round up.
func TestMidRankMirrors(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		n, bins := 1+r.IntN(50), 2+r.IntN(9)
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(r.IntN(12))
		}
		up, down := oriented(t, MidRank{}, values, bins, false), oriented(t, MidRank{}, values, bins, true)
		for i, x := range values {
			ranks := 0
			for _, y := range values {
				if y < x {
					ranks++
				}
				if y <= x {
					ranks++
				}
			}
			want := bins + 1 - up[i]
			if bins*ranks%(2*n) == 0 {
				want--
			}
			if down[i] != max(want, 0) {
				t.Fatalf("%v in %v, %d bins: up %d, down %d, want %d", x, values, bins, up[i], down[i], want)
			}
		}
	}
}

func TestNTileSizes(t *testing.T) {
	for n := 1; n < 40; n++ {
		for bins := 2; bins < 12; bins++ {
			scores := oriented(t, NTile{}, make([]float64, n), bins, false)
			sizes := make([]int, bins)
			for i, s := range scores {
				sizes[s-1]++
				if i > 0 && s < scores[i-1] {
					t.Fatalf("ties are not dealt in order: %v", scores)
				}
			}
			for k, size := range sizes {
				want := n / bins
				if k < n%bins {
					want++
				}
				if size != want {
					t.Fatalf("%d values in %d tiles: sizes %v", n, bins, sizes)
				}
			}
		}
	}
}

func TestScoresErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		values []float64
		bins   int
		scorer Scorer
		want   string
	}{
		{"empty", nil, 5, nil, "rfm: no values to score"},
		{"NaN", []float64{1, math.NaN()}, 5, nil, `rfm: row 2: field "value": value "NaN": not a finite number`},
		{"infinite", []float64{math.Inf(-1)}, 5, nil, `rfm: row 1: field "value": value "-Inf": not a finite number`},
		{"one bin", []float64{1}, 1, nil, "rfm: 1 bins: want 2 to 100"},
		{"too many bins", []float64{1}, 101, nil, "rfm: 101 bins: want 2 to 100"},
		{"breaks and bins", []float64{1}, 5, Fixed{1, 2}, "rfm: 2 fixed breaks for 5 bins: want 4"},
		{"breaks fall", []float64{1}, 3, Fixed{2, 1}, "rfm: fixed breaks [2 1]: want finite numbers that rise"},
		{"NaN break", []float64{1}, 2, Fixed{math.NaN()}, "rfm: fixed breaks [NaN]: want finite numbers that rise"},
		{"NaN added", []float64{1}, 2, Quantiles{Add: math.NaN()}, "rfm: quantiles with NaN added: want a finite number"},
		{"a scorer of one's own with bad breaks", []float64{1}, 3, badScorer{}, "rfm: break 2: 1 after 2: want breaks from the worst to the best"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Scores(tt.values, tt.bins, tt.scorer)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

type badScorer struct{}

func (badScorer) Fit(s Sample) (Scale, error) {
	return Scale{Bins: s.Bins, Breaks: []Break{{At: 2}, {At: 1}}}, nil
}

func FuzzScalesJSON(f *testing.F) {
	for _, o := range []*Options{nil, {Nested: true}, {Bins: 3, Columns: []Column{Length()}}} {
		table := analyze(f, []ledger.Transaction{sale("a", "2025-03-01", "10", ""), sale("b", "2025-03-02", "5", "")}, "2025-03-31", o)
		f.Add([]byte(asJSON(f, table.Scales)))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Scales
		if json.Unmarshal(text, &s) != nil {
			return
		}
		for _, days := range []int{0, 7, 1 << 20} {
			r, fr, m := s.Score(&Record{Recency: days, Frequency: 1 + days, Monetary: usd("-3.5"), Revenue: usd("9")})
			if r < 1 || r > s.R.Bins || fr < 1 || fr > s.F.Bins || m < 1 || m > s.M.Bins {
				t.Fatalf("scores %d, %d, %d outside the bins", r, fr, m)
			}
		}
		var back Scales
		if err := json.Unmarshal([]byte(asJSON(t, s)), &back); err != nil {
			t.Fatalf("cannot read what it wrote: %v", err)
		}
	})
}

func TestScaleScore(t *testing.T) {
	days := Scale{Bins: 5, LowerIsBetter: true, Breaks: []Break{{365, false}, {180, false}, {90, true}, {30, false}}}
	for _, tt := range []struct {
		days float64
		want int
	}{{0, 5}, {30, 5}, {31, 4}, {89, 4}, {90, 3}, {180, 3}, {181, 2}, {365, 2}, {366, 1}, {math.Inf(1), 1}, {math.NaN(), 0}} {
		if got := days.Score(tt.days); got != tt.want {
			t.Errorf("score of %v days = %d, want %d", tt.days, got, tt.want)
		}
	}
	if got, want := days.String(), "5: <= 30, 4: < 90, 3: <= 180, 2: <= 365, 1: the rest"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	many := Scale{Bins: 40}
	for k := 1; k < 40; k++ {
		many.Breaks = append(many.Breaks, Break{At: float64(k), Above: k%2 == 0})
	}
	for v := 0.0; v < 42; v += 0.5 {
		want := 1
		for i := range many.Breaks {
			if many.passes(v, i) {
				want++
			}
		}
		if got := many.Score(v); got != want {
			t.Errorf("score of %v with 39 breaks = %d, want %d", v, got, want)
		}
	}
}
