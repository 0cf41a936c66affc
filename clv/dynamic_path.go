package clv

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Path is the covariates of one customer as time passes: a step function on the customer's own clock, which begins at
// the first purchase and counts in the unit of the histories. A purchase at the very instant of a change belongs to the
// piece that begins there. A covariate that never changes is a path of one piece.
type Path struct {
	Starts []float64   `json:"starts"`        // where each piece begins, ascending; the first begins at 0
	Rows   [][]float64 `json:"rows"`          // the covariates on each piece, one number a column as Terms.Row gives
	End    float64     `json:"end,omitempty"` // until when they are known, End included; 0: the last piece goes on for ever
	// Purchases is the sum of the rows at the times of the repeat purchases. Only the log-likelihood reads it, and it is
	// NaN without.
	Purchases []float64 `json:"purchases,omitempty"`
}

// ConstantPath returns the path of covariates that never change. Where nothing changes, the sum over purchases is X times
// the row; WithPurchases computes it.
func ConstantPath(row []float64) Path {
	return Path{Starts: []float64{0}, Rows: [][]float64{slices.Clone(row)}}
}

var (
	errNoPieces   = errors.New("no pieces, or not as many rows as starts")
	errFirstStart = errors.New("the first piece must begin at 0")
	errAscending  = errors.New("not after the start before it")
	errPathEnd    = errors.New("not after the start of the last piece")
	errPathTimes  = errors.New("want ascending times of repeat purchases, each after 0 and within the path")
)

// Validate returns an error unless the path has a row a piece, all of the same number of finite values, starts that
// ascend from 0, an End that is 0 or after the last of them, and Purchases that are nil or as many as a row's values.
func (p Path) Validate() error {
	if err := p.problem(); err != nil {
		return fmt.Errorf("clv: %w", err)
	}
	return nil
}

// problem is Validate without the package's name.
func (p Path) problem() error {
	if len(p.Starts) == 0 || len(p.Starts) != len(p.Rows) {
		return fmt.Errorf("path with %d starts and %d rows: %w", len(p.Starts), len(p.Rows), errNoPieces)
	}
	for k, start := range p.Starts {
		switch {
		case !finite(start):
			return fmt.Errorf("path: start %d: %v: %w", k+1, start, errNotFinite)
		case k == 0 && start != 0:
			return fmt.Errorf("path: start 1: %v: %w", start, errFirstStart)
		case k > 0 && !(start > p.Starts[k-1]):
			return fmt.Errorf("path: start %d: %v: %w", k+1, start, errAscending)
		case len(p.Rows[k]) != len(p.Rows[0]):
			return fmt.Errorf("path: row %d has %d values, row 1 has %d", k+1, len(p.Rows[k]), len(p.Rows[0]))
		}
		for j, v := range p.Rows[k] {
			if !finite(v) {
				return fmt.Errorf("path: row %d: value %d: %v: %w", k+1, j+1, v, errNotFinite)
			}
		}
	}
	if p.End != 0 && (!(p.End > p.Starts[len(p.Starts)-1]) || math.IsInf(p.End, 1)) {
		return fmt.Errorf("path: end %v: %w", p.End, errPathEnd)
	}
	if p.Purchases != nil && len(p.Purchases) != len(p.Rows[0]) {
		return fmt.Errorf("path: %d sums over purchases for rows of %d values", len(p.Purchases), len(p.Rows[0]))
	}
	for j, v := range p.Purchases {
		if !finite(v) {
			return fmt.Errorf("path: sum %d over purchases: %v: %w", j+1, v, errNotFinite)
		}
	}
	return nil
}

// end returns until when the path is known.
func (p Path) end() float64 {
	if p.End == 0 {
		return math.Inf(1)
	}
	return p.End
}

// pieceAt returns the piece that a time of at least 0 belongs to.
func pieceAt(starts []float64, t float64) int {
	k, found := slices.BinarySearch(starts, t)
	if found {
		return k
	}
	return k - 1
}

// At returns the covariates at a time, those of the piece that begins there if one does; nil before 0 and after End.
func (p Path) At(t float64) []float64 {
	if !(t >= 0 && t <= p.end()) || len(p.Starts) == 0 || len(p.Starts) != len(p.Rows) || p.Starts[0] != 0 {
		return nil
	}
	return slices.Clone(p.Rows[pieceAt(p.Starts, t)])
}

// WithPurchases returns the path with the sum of its rows at the times of the repeat purchases, in ascending order; the
// first purchase, at 0, is not one of them. It returns the error of Validate, and one for times that are not after 0,
// out of order or after End.
func (p Path) WithPurchases(times []float64) (Path, error) {
	p.Purchases = nil
	if err := p.Validate(); err != nil {
		return Path{}, err
	}
	sum, last := make([]float64, len(p.Rows[0])), 0.0
	for i, t := range times {
		if !(t > last && t <= p.end()) {
			return Path{}, fmt.Errorf("clv: path: purchase %d at %v: %w", i+1, t, errPathTimes)
		}
		last = t
		for j, v := range p.Rows[pieceAt(p.Starts, t)] {
			sum[j] += v
		}
	}
	p.Purchases = sum
	return p, nil
}
