package survival

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strconv"

	"github.com/custval/custval/ledger"
)

// ErrNoEvents is wrapped by every estimate that needs at least one customer who left and has none.
var ErrNoEvents = errors.New("no events")

var (
	errEmpty     = errors.New("no tenures")
	errFinite    = errors.New("not a finite number")
	errNegative  = errors.New("negative")
	errWeight    = errors.New("not between 1e-90 and 1e90")
	errAfterExit = errors.New("not before Duration: entry after exit")
)

// sample is the columns of checked tenures, in the order of the rows.
type sample struct {
	entry  []float64 // nil if every tenure is observed from its start
	time   []float64
	event  []bool
	weight []float64 // nil if every weight is 1
}

func newSample(tenures []ledger.Tenure) (*sample, error) {
	if len(tenures) == 0 {
		return nil, fmt.Errorf("survival: %w", errEmpty)
	}
	s := &sample{time: make([]float64, len(tenures)), event: make([]bool, len(tenures))}
	for i := range tenures {
		t := &tenures[i]
		if err := checkTenure(t, i); err != nil {
			return nil, err
		}
		s.time[i], s.event[i] = t.Duration+0, t.Ended // +0 turns -0 into 0
		if t.Entry != 0 && s.entry == nil {
			s.entry = make([]float64, len(tenures))
		}
		if t.Entry != 0 {
			s.entry[i] = t.Entry
		}
		if w := t.Weight; w != 0 && w != 1 && s.weight == nil {
			s.weight = make([]float64, len(tenures))
			for j := range s.weight {
				s.weight[j] = 1
			}
		}
		if t.Weight != 0 && s.weight != nil {
			s.weight[i] = t.Weight
		}
	}
	return s, nil
}

// checkTenure returns a RowError for a tenure that cannot be analyzed.
func checkTenure(t *ledger.Tenure, i int) error {
	switch {
	case math.IsNaN(t.Duration) || math.IsInf(t.Duration, 0):
		return rowError(i, "Duration", formatFloat(t.Duration), errFinite)
	case t.Duration < 0:
		return rowError(i, "Duration", formatFloat(t.Duration), errNegative)
	case math.IsNaN(t.Entry) || math.IsInf(t.Entry, 0):
		return rowError(i, "Entry", formatFloat(t.Entry), errFinite)
	case t.Entry < 0:
		return rowError(i, "Entry", formatFloat(t.Entry), errNegative)
	case t.Entry > 0 && t.Entry >= t.Duration:
		return rowError(i, "Entry", formatFloat(t.Entry),
			fmt.Errorf("%w (Duration is %s)", errAfterExit, formatFloat(t.Duration)))
	case math.IsNaN(t.Weight) || math.IsInf(t.Weight, 0):
		return rowError(i, "Weight", formatFloat(t.Weight), errFinite)
	case t.Weight < 0:
		return rowError(i, "Weight", formatFloat(t.Weight), errNegative)
	case outside(t.Weight):
		return rowError(i, "Weight", formatFloat(t.Weight), errWeight)
	}
	return nil
}

// outside tells of weights whose third powers or sums would not be numbers any more.
func outside(weight float64) bool { return weight != 0 && (weight < 1e-90 || weight > 1e90) }

func rowError(i int, field, value string, reason error) error {
	return fmt.Errorf("survival: %w", &ledger.RowError{Row: i + 1, Field: field, Value: value, Err: reason})
}

func formatFloat(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func (s *sample) weightOf(i int) float64 {
	if s.weight == nil {
		return 1
	}
	return s.weight[i]
}

// enters returns the time after which row i is at risk: its entry, or before every time if there is none.
func (s *sample) enters(i int) float64 {
	if s.entry == nil || s.entry[i] == 0 {
		return -1
	}
	return s.entry[i]
}

// events returns the sum of the weights of the rows that ended.
func (s *sample) events() float64 {
	var d float64
	for i, e := range s.event {
		if e {
			d += s.weightOf(i)
		}
	}
	return d
}

// groups numbers the values that by gives to the tenures, in the order of the text.
func groups(tenures []ledger.Tenure, by By) (index []int32, names []string) {
	index = make([]int32, len(tenures))
	if by == nil {
		return index, []string{""}
	}
	seen := make(map[string]int32)
	for i := range tenures {
		name := by(tenures[i])
		g, ok := seen[name]
		if !ok {
			g = int32(len(names))
			seen[name], names = g, append(names, name)
		}
		index[i] = g
	}
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return names[order[a]] < names[order[b]] })
	rank, sorted := make([]int32, len(names)), make([]string, len(names))
	for r, old := range order {
		rank[old], sorted[r] = int32(r), names[old]
	}
	for i := range index {
		index[i] = rank[index[i]]
	}
	return index, sorted
}

// A By gives each tenure the group, the stratum or the cluster that it belongs to.
type By func(t ledger.Tenure) string

// Label returns the By of one label of the tenures, such as "plan". A tenure without the label belongs to "".
func Label(name string) By { return func(t ledger.Tenure) string { return t.Labels[name] } }

// Customer is the By of the customer: the cluster of robust variances.
func Customer(t ledger.Tenure) string { return t.Customer }

// ForReason returns the tenures in which only the endings for the given reasons count: every other ending is censored
// at its time, which makes an estimate from them one of the cause-specific hazard. The tenures given are not modified.
//
// The survival of such a copy, one minus the risk of leaving for that reason if there were no other, is not the
// proportion of customers who leave for it; [CumulativeIncidence] is.
func ForReason(tenures []ledger.Tenure, reasons ...string) []ledger.Tenure {
	kept := make([]ledger.Tenure, len(tenures))
	copy(kept, tenures)
	for i := range kept {
		ours := false
		for _, r := range reasons {
			ours = ours || kept[i].Reason == r
		}
		kept[i].Ended = kept[i].Ended && ours
	}
	return kept
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
