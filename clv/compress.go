package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
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
	if err := hs.Validate(); err != nil {
		return nil, err
	}
	keys := make([]rowKey, len(hs.Rows))
	for i := range hs.Rows {
		h := &hs.Rows[i]
		if gaps && !finite(h.LogGaps) {
			return nil, fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "LogGaps",
				Value: strconv.FormatFloat(h.LogGaps, 'g', -1, 64), Err: errNotFinite})
		}
		keys[i] = rowKey{newRow(h, i, gaps).hash(), i}
		if i%pause == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	keys = sortKeys(ctx, keys)
	s := &sample{rows: make([]row, 0, len(keys))}
	for i := 0; i < len(keys); {
		from := len(s.rows)
		if from%pause == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for bits := keys[i].bits; i < len(keys) && keys[i].bits == bits; i++ {
			s.merge(from, newRow(&hs.Rows[keys[i].index], keys[i].index, gaps))
		}
		slices.SortFunc(s.rows[from:], row.compare)
	}
	for _, r := range s.rows {
		s.weight += r.weight
		s.repeats += r.weight * float64(r.x)
		s.elapsed += r.weight * r.t
	}
	return s, nil
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
	r := row{x: h.X, tx: h.TX, t: h.T, weight: float64(h.customers()), index: index}
	if gaps {
		r.gaps = h.LogGaps
	}
	return r
}

func (r row) compare(q row) int {
	return cmp.Or(cmp.Compare(r.x, q.x), cmp.Compare(r.tx, q.tx), cmp.Compare(r.t, q.t), cmp.Compare(r.gaps, q.gaps))
}

// hash orders rows by X first, up to 2^16, and by an even spread of the other values within one X.
func (r row) hash() uint64 {
	h := math.Float64bits(r.tx)
	for _, v := range [2]float64{r.t, r.gaps} {
		h = (h ^ h>>32) * 0xd6e8feb86659fd93
		h ^= math.Float64bits(v) * 0x9e3779b97f4a7c15
	}
	h = (h ^ h>>32) * 0xd6e8feb86659fd93
	return uint64(min(r.x, 1<<16-1))<<48 | h>>16
}

// A rowKey is the hash of a row with its place.
type rowKey struct {
	bits  uint64
	index int
}

// sortKeys sorts by bits, equal ones in the order they came, by radix: comparing would take longer than the fit. It stops
// in the middle when the context ends.
func sortKeys(ctx context.Context, keys []rowKey) []rowKey {
	spare := make([]rowKey, len(keys))
	for shift := 0; shift < 64 && ctx.Err() == nil; shift += 8 {
		var starts [256]int
		for i := range keys {
			starts[byte(keys[i].bits>>shift)]++
		}
		at := 0
		for i, n := range starts {
			starts[i], at = at, at+n
		}
		for i := range keys {
			digit := byte(keys[i].bits >> shift)
			spare[starts[digit]] = keys[i]
			starts[digit]++
		}
		keys, spare = spare, keys
	}
	return keys
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
