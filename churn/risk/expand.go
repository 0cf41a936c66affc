package risk

import (
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/custval/custval/ledger"
)

// A PersonPeriod is one period in which one customer could have left.
type PersonPeriod struct {
	Row    int     // of the tenure, counted from 0
	Period int     // 1 is the time up to age 1, in units of the length
	Left   bool    // in this period
	Weight float64 // of the tenure
}

// PersonPeriods returns every period in which each customer was seen to leave or to stay, one customer after the other:
// the expansion that makes a hazard model a regression of zeros and ones. Nothing is kept, so a hundred million of them
// need no memory. [FitHazard] does without them; they are for models of the caller's own, such as features that change
// with every period.
//
// A tenure that ended counts in all periods up to the one in which it did, ceil(Duration/length); one that is still there
// counts in the periods that it has completed, floor(Duration/length), since the one that has only begun tells nothing
// about the whole of it. An Entry after 0 leaves out all periods that had begun before it.
//
// PersonPeriods returns an error for a length that is not positive (0 means 1), and a [ledger.RowError] for a tenure with a
// duration, entry or weight that is negative or not a finite number, with an entry after its end, that ended at 0, or
// that has more than two billion periods.
func PersonPeriods(tenures []ledger.Tenure, length float64) (iter.Seq[PersonPeriod], error) {
	spans, err := periodSpans(tenures, length)
	if err != nil {
		return nil, err
	}
	return func(yield func(PersonPeriod) bool) {
		for i, s := range spans {
			for t := s.first; t <= s.last; t++ {
				if !yield(PersonPeriod{i, int(t), s.left && t == s.last, s.weight}) {
					return
				}
			}
		}
	}, nil
}

// A span is the periods of one tenure; none if last < first.
type span struct {
	first, last int32
	left        bool
	weight      float64
}

func periodSpans(tenures []ledger.Tenure, length float64) ([]span, error) {
	if length == 0 {
		length = 1
	}
	if !(length > 0) || math.IsInf(length, 1) {
		return nil, fmt.Errorf("risk: a period of length %v", length)
	}
	spans := make([]span, len(tenures))
	for i := range tenures {
		t := &tenures[i]
		for _, f := range [...]struct {
			name  string
			value float64
		}{{"Duration", t.Duration}, {"Entry", t.Entry}, {"Weight", t.Weight}} {
			if !(f.value >= 0) || math.IsInf(f.value, 1) {
				return nil, rowError(i, f.name, formatFloat(f.value), errors.New("want a finite number from 0"))
			}
		}
		switch {
		case t.Entry > t.Duration:
			return nil, rowError(i, "Entry", formatFloat(t.Entry), fmt.Errorf("after the duration %v", t.Duration))
		case t.Ended && t.Duration == t.Entry:
			return nil, rowError(i, "Duration", formatFloat(t.Duration), errors.New("ended without having been at risk"))
		case t.Duration/length >= math.MaxInt32:
			return nil, rowError(i, "Duration", formatFloat(t.Duration), errors.New("too many periods"))
		}
		s := span{first: int32(wholeUp(t.Entry/length)) + 1, last: int32(wholeDown(t.Duration / length)), left: t.Ended, weight: t.Weight}
		if t.Ended {
			s.last = int32(wholeUp(t.Duration / length))
		}
		if s.weight == 0 {
			s.weight = 1
		}
		spans[i] = s
	}
	return spans, nil
}

// wholeUp and wholeDown round to whole periods and take a number within rounding of one, such as 0.3/0.1, for it.
func wholeUp(x float64) float64 {
	if r := math.Round(x); math.Abs(x-r) <= 1e-9*max(1, r) {
		return r
	}
	return math.Ceil(x)
}

func wholeDown(x float64) float64 {
	if r := math.Round(x); math.Abs(x-r) <= 1e-9*max(1, r) {
		return r
	}
	return math.Floor(x)
}

// EventCuts returns cuts for [HazardOptions] such that in each group of periods the weight of those who left, and of those
// who stayed, is at least least: periods are joined with the following ones until they have enough, and what remains at the
// end joins the last group. It returns the errors of [PersonPeriods], and an error if least is not positive or if all
// periods together have not as many.
func EventCuts(tenures []ledger.Tenure, length, least float64) ([]int, error) {
	if !(least > 0) {
		return nil, fmt.Errorf("risk: cuts: least %v is not positive", least)
	}
	spans, err := periodSpans(tenures, length)
	if err != nil {
		return nil, err
	}
	left, stayed, err := perPeriod(spans)
	if err != nil {
		return nil, err
	}
	var cuts []int
	var l, s float64
	for t := range left {
		l, s = l+left[t], s+stayed[t]
		if l >= least && s >= least {
			cuts, l, s = append(cuts, t+2), 0, 0
		}
	}
	if len(cuts) == 0 {
		return nil, fmt.Errorf("risk: cuts: all periods together have fewer than %v who left, or who stayed", least)
	}
	return cuts[:len(cuts)-1], nil
}

// mostPeriods bounds the table of periods.
const mostPeriods = 1 << 20

// perPeriod returns the weight of those who left and of those who stayed, period 1 first.
func perPeriod(spans []span) (left, stayed []float64, err error) {
	last := int32(0)
	for i, s := range spans {
		if s.last >= s.first {
			last = max(last, s.last)
		}
		if last > mostPeriods {
			return nil, nil, fmt.Errorf("risk: row %d has %d periods, more than %d: choose a longer period", i+1, s.last, mostPeriods)
		}
	}
	left, stayed = make([]float64, last), make([]float64, last+1)
	count := make([]int, last+1) // of those who stayed
	for _, s := range spans {
		if s.last < s.first {
			continue
		}
		// Differences, summed below.
		stayed[s.first-1] += s.weight
		stayed[s.last] -= s.weight
		count[s.first-1]++
		count[s.last]--
		if s.left {
			count[s.last-1]--
			count[s.last]++
			left[s.last-1] += s.weight
		}
	}
	risk, n := 0.0, 0
	for t := range left {
		risk += stayed[t]
		n += count[t]
		stayed[t] = 0
		if n > 0 {
			stayed[t] = max(0, risk-left[t])
		}
	}
	return left, stayed[:last], nil
}
