package rfm

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/custval/custval/ledger"
)

// MaxBins is the largest number of scores on one scale.
const MaxBins = 100

// A Scale turns a value into a score from 1 to Bins, the best. It is a plain value: it can be stored as JSON and applied
// to the customers of another period, which is how periods are compared.
//
//	score(v) = 1 + number of breaks that v passes
//
// A value passes a break if it is better than At, or equal to it unless the break is Above. Better means higher, or lower
// where LowerIsBetter is set, as it is for recency. Breaks are in the unit of the values and go from the worst to the
// best, at most Bins - 1 of them; fewer leave the top scores unused.
type Scale struct {
	Bins          int     `json:"bins"`
	LowerIsBetter bool    `json:"lower_is_better,omitempty"`
	Breaks        []Break `json:"breaks"`
}

// A Break is a limit between two scores.
type Break struct {
	At    float64 `json:"at"`
	Above bool    `json:"above,omitempty"` // At itself stays below the limit
}

// Score returns the score of a value, 0 for NaN.
func (s *Scale) Score(v float64) int {
	if math.IsNaN(v) {
		return 0
	}
	if len(s.Breaks) > 8 {
		return s.search(v)
	}
	score := 1
	for i := range s.Breaks {
		if !s.passes(v, i) {
			break
		}
		score++
	}
	return score
}

func (s *Scale) passes(v float64, i int) bool {
	b := &s.Breaks[i]
	if s.LowerIsBetter {
		return v < b.At || v == b.At && !b.Above
	}
	return v > b.At || v == b.At && !b.Above
}

func (s *Scale) search(v float64) int {
	low, high := 0, len(s.Breaks) // breaks below low are passed, those from high on are not
	for low < high {
		mid := (low + high) / 2
		if s.passes(v, mid) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low + 1
}

// Validate returns an error unless the scale has 2 to MaxBins bins, at most one break fewer, and its breaks are
// finite and go from the worst to the best.
func (s *Scale) Validate() error {
	if err := checkBins(s.Bins); err != nil {
		return err
	}
	if len(s.Breaks) >= s.Bins {
		return fmt.Errorf("rfm: scale with %d breaks: %d bins have at most %d", len(s.Breaks), s.Bins, s.Bins-1)
	}
	for i, b := range s.Breaks {
		if math.IsNaN(b.At) || math.IsInf(b.At, 0) {
			return fmt.Errorf("rfm: break %d: %v is not a finite number", i+1, b.At)
		}
		if i > 0 && !s.rises(s.Breaks[i-1], b) {
			return fmt.Errorf("rfm: break %d: %v after %v: want breaks from the worst to the best", i+1, b.At, s.Breaks[i-1].At)
		}
	}
	return nil
}

func (s *Scale) rises(a, b Break) bool {
	if a.At == b.At {
		return !a.Above || b.Above
	}
	return (a.At < b.At) != s.LowerIsBetter
}

func checkBins(bins int) error {
	if bins < 2 || bins > MaxBins {
		return fmt.Errorf("rfm: %d bins: want 2 to %d", bins, MaxBins)
	}
	return nil
}

// String returns the limits in words, best first: "5: >= 120, 4: > 80, 1: the rest".
func (s Scale) String() string {
	text := ""
	for i := len(s.Breaks) - 1; i >= 0; i-- {
		b := s.Breaks[i]
		if i+1 < len(s.Breaks) && s.Breaks[i+1] == b {
			continue // an empty bin
		}
		sign := [2][2]string{{">=", ">"}, {"<=", "<"}}[index(s.LowerIsBetter)][index(b.Above)]
		text += strconv.Itoa(i+2) + ": " + sign + " " + strconv.FormatFloat(b.At, 'g', -1, 64) + ", "
	}
	return text + "1: the rest"
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

var (
	errNaN         = errors.New("not a finite number")
	errNotPositive = fmt.Errorf("not positive: %w", ledger.ErrUndefined)
	errUndefined   = ledger.ErrUndefined
	errStopped     = errors.New("stopped") // replaced by the context's error
)
