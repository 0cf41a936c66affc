package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/ledger"
)

// A row is what the continuous-time likelihoods read of a history, with its weight.
type row struct {
	x      int
	tx, t  float64
	gaps   float64 // LogGaps, 0 for models that do not read it
	weight float64
	index  int // of the first history that has these values
}

// A sample is the histories of a fit: identical ones merged into one weighted row, in an order that depends on their
// values alone and begins with X, so that a likelihood computes what depends on X once for each X, and the order of the
// input does not change a bit.
type sample struct {
	rows    []row
	weight  float64 // customers
	repeats float64 // repeat purchases
	elapsed float64 // sum of T over the customers
}

// compress checks the histories and merges identical ones. With gaps, LogGaps is kept and distinguishes histories.
func compress(ctx context.Context, hs *Histories, gaps bool) (*sample, error) {
	return compressBy(ctx, hs, gaps, 0)
}

// compressBy is compress with a number of goroutines, 0 meaning GOMAXPROCS, on which the result does not depend.
func compressBy(ctx context.Context, hs *Histories, gaps bool, workers int) (*sample, error) {
	if hs == nil || len(hs.Rows) == 0 || hs.Unit <= 0 {
		return nil, hs.Validate()
	}
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	keys := make([]rowKey, len(hs.Rows))
	if err := inParallel(ctx, len(keys), workers, func(from, to int) error { return hs.keys(from, gaps, keys[from:to]) }); err != nil {
		return nil, err
	}
	keys, low, err := sortKeys(ctx, keys, workers)
	if err != nil {
		return nil, err
	}
	s := &sample{}
	if s.rows, err = mergeRows(ctx, hs, keys, low, gaps, workers); err != nil {
		return nil, err
	}
	for i := range s.rows {
		r := &s.rows[i]
		s.weight += r.weight
		s.repeats += r.weight * float64(r.x)
		s.elapsed += r.weight * r.t
	}
	return s, nil
}

// keys checks the histories from the given one on and fills their keys.
func (hs *Histories) keys(from int, gaps bool, keys []rowKey) error {
	for k := range keys {
		i := from + k
		h := &hs.Rows[i]
		if !h.fits() {
			return hs.rowError(i)
		}
		if gaps && !finite(h.LogGaps) {
			return fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "LogGaps",
				Value: strconv.FormatFloat(h.LogGaps, 'g', -1, 64), Err: errNotFinite})
		}
		keys[k] = rowKey{newRow(h, i, gaps).hash(), i}
	}
	return nil
}

// mergeRows returns the rows in the order of their keys, which are sorted but for the bits below low. Each worker merges
// a range that ends where those above change.
func mergeRows(ctx context.Context, hs *Histories, keys []rowKey, low int, gaps bool, workers int) ([]row, error) {
	workers = max(1, min(workers, len(keys)/4096))
	starts := make([]int, workers+1)
	starts[workers] = len(keys)
	for i := 1; i < workers; i++ {
		at := max(starts[i-1], i*(len(keys)/workers))
		for at > 0 && at < len(keys) && keys[at].bits>>low == keys[at-1].bits>>low {
			at++
		}
		starts[i] = at
	}
	rows := make([]row, len(keys))
	counts := make([]int, workers)
	err := inPieces(ctx, workers, 1, workers, func(i, _ int) error {
		var err error
		counts[i], err = mergeRange(ctx, hs, keys[starts[i]:starts[i+1]], low, gaps, rows[starts[i]:starts[i]:starts[i+1]])
		return err
	})
	if err != nil {
		return nil, err
	}
	n := counts[0]
	for i := 1; i < workers; i++ {
		n += copy(rows[n:], rows[starts[i]:starts[i]+counts[i]])
	}
	rows = rows[:n]
	for n > 0 && rows[n-1].x >= manyRepeats { // the keys do not tell them apart by X
		n--
	}
	slices.SortFunc(rows[n:], row.compare)
	return rows, nil
}

// mergeRange appends the rows of the keys to rows and returns how many they are.
func mergeRange(ctx context.Context, hs *Histories, keys []rowKey, low int, gaps bool, rows []row) (int, error) {
	s := sample{rows: rows}
	look := 0
	for i := 0; i < len(keys); {
		if i >= look {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			look = i + pause
		}
		to := i + 1
		for to < len(keys) && keys[to].bits>>low == keys[i].bits>>low {
			to++
		}
		if to > i+1 {
			sortFew(keys[i:to])
		}
		for i < to {
			k, from := keys[i], len(s.rows)
			s.rows = append(s.rows, newRow(&hs.Rows[k.index], k.index, gaps))
			for i++; i < to && keys[i].bits == k.bits; i++ {
				s.merge(from, newRow(&hs.Rows[keys[i].index], keys[i].index, gaps))
			}
			if len(s.rows) > from+1 { // different rows with the same hash
				slices.SortFunc(s.rows[from:], row.compare)
			}
		}
	}
	return len(s.rows), nil
}

// pause is how many rows pass between two looks at the context.
const pause = 1 << 16

// merge adds a row to those of its hash, which begin at from.
func (s *sample) merge(from int, r row) {
	for i := from; i < len(s.rows); i++ {
		if q := &s.rows[i]; q.compare(r) == 0 {
			q.weight += r.weight
			return
		}
	}
	s.rows = append(s.rows, r)
}

func newRow(h *History, index int, gaps bool) row {
	r := row{x: h.X, tx: h.TX + 0, t: h.T + 0, weight: float64(max(1, h.Count)), index: index} // no -0
	if gaps {
		r.gaps = h.LogGaps
	}
	return r
}

// fits is usable without a copy of the history.
func (h *History) fits() bool {
	return h.X >= 0 && h.TX >= 0 && h.TX <= h.T && h.T <= math.MaxFloat64 && (h.X == 0) == (h.TX == 0) && h.Count >= 0
}

func (r row) compare(q row) int {
	return cmp.Or(cmp.Compare(r.x, q.x), cmp.Compare(r.tx, q.tx), cmp.Compare(r.t, q.t), cmp.Compare(r.gaps, q.gaps))
}

// manyRepeats is the X from which on rows have keys in no order of X.
const manyRepeats = 1<<16 - 1

// hash orders rows by X first, up to manyRepeats, and by an even spread of the other values within one X.
func (r row) hash() uint64 {
	h := math.Float64bits(r.tx)
	for _, v := range [2]float64{r.t, r.gaps} {
		h = (h ^ h>>32) * 0xd6e8feb86659fd93
		h ^= math.Float64bits(v) * 0x9e3779b97f4a7c15
	}
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return uint64(min(r.x, manyRepeats))<<48 | h>>16
}

// A rowKey is the hash of a row with its place.
type rowKey struct {
	bits  uint64
	index int
}

// digit is the number of bits that a pass of the radix sort orders by.
const digit = 11

// sortKeys sorts by the bits from low up, equal ones in the order they came, by radix: comparing would take longer than
// the fit. After X, some leading bits of the hash tell most rows apart; the others make no difference but by chance.
func sortKeys(ctx context.Context, keys []rowKey, workers int) (sorted []rowKey, low int, err error) {
	digits := 1
	for most := 1 << (digit + 1); digits < 4 && len(keys) > most; most <<= digit {
		digits++
	}
	low = 48 - digits*digit
	spare := make([]rowKey, len(keys))
	for shift := low; shift < 64; shift += digit {
		moved, err := radixPass(ctx, keys, spare, shift, workers)
		if err != nil {
			return nil, 0, err
		}
		if moved {
			keys, spare = spare, keys
		}
	}
	return keys, low, nil
}

// radixPass sorts from into to by the digit at shift. It reports false and leaves to alone where all have the same.
// Each worker moves a range of keys to places that it alone writes to.
func radixPass(ctx context.Context, from, to []rowKey, shift, workers int) (moved bool, err error) {
	workers = max(1, min(workers, len(from)/4096))
	size := max(1, (len(from)+workers-1)/workers)
	at := make([][1 << digit]int, workers)
	each := func(work func(place *[1 << digit]int, keys []rowKey)) error {
		return inPieces(ctx, len(from), size, workers, func(lo, hi int) error {
			place := &at[lo/size]
			for ; lo < hi; lo += pause {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				work(place, from[lo:min(lo+pause, hi)])
			}
			return nil
		})
	}
	if err := each(func(count *[1 << digit]int, keys []rowKey) {
		for i := range keys {
			count[keys[i].bits>>shift%(1<<digit)]++
		}
	}); err != nil {
		return false, err
	}
	next := 0
	for d := range 1 << digit {
		before := next
		for w := range at {
			at[w][d], next = next, next+at[w][d]
		}
		if next-before == len(from) {
			return false, nil
		}
	}
	return true, each(func(place *[1 << digit]int, keys []rowKey) {
		for i := range keys {
			p := &place[keys[i].bits>>shift%(1<<digit)]
			to[*p] = keys[i]
			*p++
		}
	})
}

// sortFew sorts keys that differ in their low bits alone, equal ones by their index.
func sortFew(keys []rowKey) {
	if len(keys) > 32 {
		slices.SortFunc(keys, func(a, b rowKey) int { return cmp.Or(cmp.Compare(a.bits, b.bits), cmp.Compare(a.index, b.index)) })
		return
	}
	for i := 1; i < len(keys); i++ {
		for j := i; j > 0 && keys[j].bits < keys[j-1].bits; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
}

var (
	errNoRepeats = errors.New("no customer has a repeat purchase, so the data do not tell how often customers buy; observe for longer")
	errNoTime    = errors.New("no customer was observed for any time after the first purchase")
)

// repeating returns an error where the rate of purchase cannot be estimated at all.
func (s *sample) repeating() error {
	switch {
	case s.elapsed == 0:
		return errNoTime
	case s.repeats == 0:
		return errNoRepeats
	}
	return nil
}

// rate returns the repeat purchases per customer and unit of time, the scale of every start.
func (s *sample) rate() float64 { return s.repeats / s.elapsed }

// fitted turns the result of a search into an estimate of the histories' unit; hs names the row of a bad history.
func fitted[M Model](model func(theta []float64) M, p mle.Problem, r mle.Result, err error, s *sample, hs *Histories) (*fit.Estimate[M], error) {
	if r.Theta == nil {
		var zero M
		return nil, fitError(zero.Kind(), err, s, hs)
	}
	e := mle.Estimate(r, p.Params, model(r.Theta))
	e.Customers, e.Unit = int(s.weight), hs.Unit
	return e, fitError(e.Model.Kind(), err, s, hs)
}

// fitError adds package and model to the error of a search and turns a bad row into the history it came from.
func fitError(kind string, err error, s *sample, hs *Histories) error {
	if err == nil {
		return nil
	}
	var bad *mle.BadRow
	if errors.As(err, &bad) {
		h := hs.Rows[s.rows[bad.Row].index]
		err = &ledger.RowError{Row: s.rows[bad.Row].index + 1, Value: fmt.Sprintf("X %d, TX %v, T %v", h.X, h.TX, h.T),
			Err: fmt.Errorf("log-likelihood %v at the start", bad.Value)}
	}
	return fmt.Errorf("clv: fit of %s: %w", kind, err)
}
