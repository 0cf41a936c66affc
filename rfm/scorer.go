package rfm

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/ledger"
)

// A Scorer fits a scale to the values of a group of customers. The scorers of this package give equal values the same
// score, whatever the order of the rows, except [NTile], which says why.
type Scorer interface {
	// Fit returns the scale for the values of a sample, of which there is at least one.
	Fit(s Sample) (Scale, error)
}

// A Sample is what a Scorer sees. A Scorer must not modify or keep Sorted.
type Sample struct {
	Sorted        []float64 // values in their own unit, from the worst to the best; none is NaN
	Bins          int       // number of scores wanted
	LowerIsBetter bool      // as for recency: Sorted falls
}

// scale returns a scale with the sample's bins and direction.
func (s *Sample) scale() Scale {
	return Scale{Bins: s.Bins, LowerIsBetter: s.LowerIsBetter, Breaks: make([]Break, 0, s.Bins-1)}
}

// limits adds for every score above 1 the break that a rule gives.
func (s *Sample) limits(rule func(score int) Break) Scale {
	scale := s.scale()
	for k := 2; k <= s.Bins; k++ {
		scale.Breaks = append(scale.Breaks, rule(k))
	}
	return scale
}

// CountBelow scores by the share of values that are worse:
//
//	score = floor(n * #(y < x) / N) + 1
//
// for n bins and N values. Ties share a score; the score depends on the ranks alone, so not on the unit. A mass of equal
// values at the bottom, such as customers with one purchase, stays at 1; a mass at the top falls: 1, 2, 3 and seven
// nines give 1, 1, 2 and seven times 2. It is the default for frequency and monetary value.
type CountBelow struct{}

// Fit implements [Scorer].
func (CountBelow) Fit(s Sample) (Scale, error) {
	n := len(s.Sorted)
	return s.limits(func(k int) Break { // at least ceil((k-1)N/n) values below
		return Break{s.Sorted[((k-1)*n+s.Bins-1)/s.Bins-1], true}
	}), nil
}

// CountAtMost scores by the share of values that are not better:
//
//	score = ceil(n * #(y <= x) / N)
//
// A mass of equal values at the bottom rises, so that the lowest scores may be empty.
type CountAtMost struct{}

// Fit implements [Scorer].
func (CountAtMost) Fit(s Sample) (Scale, error) {
	n := len(s.Sorted)
	return s.limits(func(k int) Break { // more than (k-1)N/n values at or below
		return Break{s.Sorted[(k-1)*n/s.Bins], false}
	}), nil
}

// MidRank scores by the middle of the ranks of a value's ties:
//
//	score = ceil(n * (#(y < x) + #(y <= x)) / (2N))
//
// It is neutral: turning the direction round mirrors the scores, except where a value lies exactly on a boundary, and if
// all values are equal they get the middle score. It is the default for recency.
type MidRank struct{}

// Fit implements [Scorer].
func (MidRank) Fit(s Sample) (Scale, error) {
	n := len(s.Sorted)
	return s.limits(func(k int) Break {
		// The sum of both counts, 2i between two values and a_i + b_i at one with ranks a_i+1 to b_i, has to exceed
		// 2N(k-1)/n, that is reach need.
		need := 2*n*(k-1)/s.Bins + 1
		at := s.Sorted[(need+1)/2-1] // the value at which #(y <= x) reaches need/2
		below, upTo := equalRange(s.Sorted, (need+1)/2-1)
		return Break{at, below+upTo < need}
	}), nil
}

// equalRange returns the numbers of values before and up to the end of the run of equal values around i.
func equalRange(sorted []float64, i int) (below, upTo int) {
	at := sorted[i]
	up := sorted[0] <= sorted[len(sorted)-1]
	order := func(v, target float64) int {
		switch {
		case v == target:
			return 0
		case (v < target) == up:
			return -1
		}
		return 1
	}
	below, _ = slices.BinarySearchFunc(sorted, at, order)
	upTo, _ = slices.BinarySearchFunc(sorted, at, func(v, target float64) int {
		if order(v, target) <= 0 {
			return -1
		}
		return 1
	})
	return below, upTo
}

// Fixed has breaks that the caller sets, in the unit of the values: days for recency, purchases for frequency, currency
// units for money. They rise for every measure; a value on a break gets the better score, so
//
//	Fixed{30, 90, 180, 365}   as R: at most 30 days 5, at most 90 days 4, ... more than 365 days 1
//	Fixed{2, 3, 5, 10}        as F: 1 purchase 1, 2 purchases 2, ... 10 or more 5
//
// The number of bins is one more than the number of breaks.
type Fixed []float64

// Fit implements [Scorer]. It returns an error unless the breaks are finite, rise, and are one fewer than the bins.
func (f Fixed) Fit(s Sample) (Scale, error) {
	if len(f) != s.Bins-1 {
		return Scale{}, fmt.Errorf("rfm: %d fixed breaks for %d bins: want %d", len(f), s.Bins, s.Bins-1)
	}
	for i, at := range f {
		if math.IsNaN(at) || math.IsInf(at, 0) || i > 0 && at <= f[i-1] {
			return Scale{}, fmt.Errorf("rfm: fixed breaks %v: want finite numbers that rise", []float64(f))
		}
	}
	return s.limits(func(k int) Break {
		if s.LowerIsBetter {
			return Break{f[s.Bins-k], false}
		}
		return Break{f[k-2], false}
	}), nil
}

// EqualWidth divides the range of the values into bins of one width. A value on a limit gets the better score. Outliers
// leave most bins empty; it is here for tables made that way.
type EqualWidth struct{}

// Fit implements [Scorer].
func (EqualWidth) Fit(s Sample) (Scale, error) {
	worst, best := s.Sorted[0], s.Sorted[len(s.Sorted)-1]
	if worst == best {
		return s.scale(), nil
	}
	return s.limits(func(k int) Break {
		share := float64(k-1) / float64(s.Bins)
		return Break{worst + (best-worst)*share, false}
	}), nil
}

// Quantiles has its breaks at the quantiles 1/n, 2/n, ... of the values (definition 7 of Hyndman and Fan, the default of
// R and NumPy), as the classic tools do. The breaks are taken in the unit of the values, also for recency.
//
// With the zero value a value v falls into the bin [lo, hi) of the breaks, and Add moves every break. Quantiles{Add: 1}
// is the rule of the R package rfm; it depends on the unit, so that amounts below 1 all get the score 1. With Right the
// bins are (lo, hi] and equal breaks are merged, which leaves fewer scores: pandas.qcut(duplicates="drop").
//
// It is here to reproduce other tools; prefer [CountBelow].
type Quantiles struct {
	Add   float64
	Right bool
}

// Fit implements [Scorer].
func (q Quantiles) Fit(s Sample) (Scale, error) {
	if math.IsNaN(q.Add) || math.IsInf(q.Add, 0) {
		return Scale{}, fmt.Errorf("rfm: quantiles with %v added: want a finite number", q.Add)
	}
	rising := s.Sorted
	if s.LowerIsBetter {
		rising = slices.Clone(s.Sorted)
		slices.Reverse(rising)
	}
	least, most := rising[0], rising[len(rising)-1]
	var cuts []float64
	for k := 1; k < s.Bins; k++ {
		cut := quantile(rising, k, s.Bins) + q.Add
		if q.Right && (cut <= least || cut >= most || len(cuts) > 0 && cut == cuts[len(cuts)-1]) {
			continue
		}
		cuts = append(cuts, cut)
	}
	if s.LowerIsBetter {
		slices.Reverse(cuts)
	}
	scale := s.scale()
	for _, cut := range cuts {
		// Left-closed bins: v = cut is in the higher bin, which is the worse one where lower is better.
		scale.Breaks = append(scale.Breaks, Break{cut, q.Right != s.LowerIsBetter})
	}
	return scale, nil
}

// quantile returns the k/n quantile of rising values. Its place is computed in integers, so that a quantile that falls on
// a value is that value.
func quantile(rising []float64, k, n int) float64 {
	i, part := k*(len(rising)-1)/n, k*(len(rising)-1)%n
	if part == 0 {
		return rising[i]
	}
	return rising[i] + float64((rising[i+1]-rising[i])*(float64(part)/float64(n)))
}

// NTile deals the customers into bins of equal size by rank, as SQL's NTILE does and rank(method="first") before a cut:
// customers with the same value may get different scores. To give the same answer for any row order, ties are dealt by
// customer id, where those tools use the order of the rows. It is here to reproduce other tools; prefer [CountBelow].
//
// Its scale, for other periods, has its breaks at the worst value of each bin, so that there ties share the better score.
type NTile struct{}

// Fit implements [Scorer].
func (NTile) Fit(s Sample) (Scale, error) {
	n := len(s.Sorted)
	scale := s.scale()
	for k := 2; k <= s.Bins; k++ {
		if from := tileStart(k, s.Bins, n); from < n {
			scale.Breaks = append(scale.Breaks, Break{s.Sorted[from], false})
		}
	}
	return scale, nil
}

// tileStart returns how many of n ranks lie before tile k of bins; the first n mod bins tiles have one more.
func tileStart(k, bins, n int) int {
	return (k-1)*(n/bins) + min(k-1, n%bins)
}

// Scores returns the score from 1 to bins of every value, higher values being better; a nil scorer is [CountBelow]. Give
// recency as negative days. NTile deals ties by their place in values. It returns an error for no values, a NaN or an
// infinite value, a bad number of bins, and what the scorer reports.
func Scores(values []float64, bins int, scorer Scorer) ([]int, error) {
	if len(values) == 0 {
		return nil, errors.New("rfm: no values to score")
	}
	if err := checkBins(bins); err != nil {
		return nil, err
	}
	if scorer == nil {
		scorer = CountBelow{}
	}
	if err := checkValues(values, "value"); err != nil {
		return nil, err
	}
	out := make([]uint8, len(values))
	if _, err := scoreGroup(values, nil, false, bins, scorer, out, nil); err != nil {
		return nil, err
	}
	scores := make([]int, len(out))
	for i, s := range out {
		scores[i] = int(s)
	}
	return scores, nil
}

func checkValues(values []float64, field string) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("rfm: %w", &ledger.RowError{Row: i + 1, Field: field,
				Value: strconv.FormatFloat(v, 'g', -1, 64), Err: errNaN})
		}
	}
	return nil
}

// scoreGroup fits a scale to the values of a group, nil meaning all, and writes their scores.
func scoreGroup(values []float64, group []int32, lowerIsBetter bool, bins int, scorer Scorer, out []uint8, stop func() bool) (Scale, error) {
	n := len(values)
	if group != nil {
		n = len(group)
	}
	sorted := make([]float64, n)
	for i := range sorted {
		v := values[member(group, i)]
		if lowerIsBetter {
			v = -v
		}
		sorted[i] = v + 0 // no negative zero
	}
	sortFloats(sorted, stop)
	if lowerIsBetter {
		for i, v := range sorted {
			sorted[i] = 0 - v
		}
	}
	if stop != nil && stop() {
		return Scale{}, errStopped
	}
	scale, err := scorer.Fit(Sample{Sorted: sorted, Bins: bins, LowerIsBetter: lowerIsBetter})
	if err != nil {
		return Scale{}, err
	}
	if err := scale.Validate(); err != nil {
		return Scale{}, err
	}
	if _, ok := scorer.(NTile); ok {
		deal(values, group, lowerIsBetter, bins, out, stop)
		return scale, nil
	}
	for i := range n {
		at := member(group, i)
		out[at] = uint8(scale.Score(values[at]))
	}
	return scale, nil
}

func member(group []int32, i int) int {
	if group == nil {
		return i
	}
	return int(group[i])
}

// deal writes NTile scores; members of a group come in the order of the customers.
func deal(values []float64, group []int32, lowerIsBetter bool, bins int, out []uint8, stop func() bool) {
	n := len(values)
	if group != nil {
		n = len(group)
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(member(group, i))
	}
	radixSort(order, func(i int32) uint64 {
		if lowerIsBetter {
			return floatKey(0 - values[i])
		}
		return floatKey(values[i] + 0)
	}, 1, stop)
	if stop != nil && stop() {
		return
	}
	for k := 1; k <= bins; k++ {
		for i := tileStart(k, bins, n); i < tileStart(k+1, bins, n); i++ {
			out[order[i]] = uint8(k)
		}
	}
}
