package validate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
)

// A Track is one period of a tracking curve.
type Track struct {
	Period     ledger.Period `json:"period"`
	Actual     float64       `json:"actual"`   // repeat purchases in the period
	Expected   float64       `json:"expected"` // of them by the model
	Cumulative float64       `json:"cumulative_actual"`
	Total      float64       `json:"cumulative_expected"`
}

// Tracks is a tracking curve: repeat purchases period by period, actual and expected.
type Tracks []Track

// An Expecter expects purchases of new customers; every model of clv is one.
type Expecter interface {
	NewCustomerPurchases(t float64) float64
}

// Track follows the repeat purchases of the customers whose first purchase is on or before the day of split through
// the periods, which are whole days and follow one another from the first purchase or earlier on, beside what the model
// expects of customers who came on these days: NewCustomerPurchases at the age of each at the end of each period. The
// model should be one that was fitted to the purchases up to split.
//
// It returns an error for an empty or broken series of periods, for a unit that is not positive, and if the model gives
// no number.
func (d *Diary) Track(m Expecter, unit time.Duration, periods []ledger.Period, split time.Time) (Tracks, error) {
	if unit <= 0 {
		return nil, fmt.Errorf("validate: unit %v: want a positive one, such as clv.Week", unit)
	}
	ends, err := d.ends(periods)
	if err != nil {
		return nil, err
	}
	came := make(map[int32]float64) // customers by the day of their first purchase
	tracks := make(Tracks, len(periods))
	last := day(split, d.loc)
	for _, own := range d.days {
		if own[0] > last {
			continue
		}
		came[own[0]]++
		for _, at := range own[1:] {
			if i, _ := slices.BinarySearch(ends, at+1); i < len(ends) {
				tracks[i].Actual++
			}
		}
	}
	starts := make([]int32, 0, len(came))
	for s := range came {
		starts = append(starts, s)
	}
	slices.Sort(starts)
	ages := make(map[int32]float64) // expected purchases by age in days
	for i, end := range ends {
		t := &tracks[i]
		t.Period, t.Cumulative = periods[i], t.Actual
		if i > 0 {
			t.Cumulative += tracks[i-1].Cumulative
		}
		for _, s := range starts {
			age := end - 1 - s
			if age <= 0 {
				continue
			}
			v, ok := ages[age]
			if !ok {
				if v = m.NewCustomerPurchases(units(age, unit)); !(v >= 0) || math.IsInf(v, 1) {
					return nil, fmt.Errorf("validate: expected purchases at the age %v: %v", units(age, unit), v)
				}
				ages[age] = v
			}
			t.Total += came[s] * v
		}
		t.Expected = t.Total
		if i > 0 {
			t.Expected -= tracks[i-1].Total
		}
	}
	return tracks, nil
}

// ends returns the first day after each period.
func (d *Diary) ends(periods []ledger.Period) ([]int32, error) {
	if len(periods) == 0 {
		return nil, errors.New("validate: no periods")
	}
	ends := make([]int32, len(periods))
	for i, p := range periods {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("validate: %w", err)
		}
		if i > 0 && !p.Start.Equal(periods[i-1].End) {
			return nil, fmt.Errorf("validate: %s after %s: periods must follow one another", p, periods[i-1])
		}
		ends[i] = day(p.End, d.loc)
	}
	if day(periods[0].Start, d.loc) > d.first {
		return nil, fmt.Errorf("validate: the periods begin with %s, after the first purchase on %s", periods[0], d.date(d.first).Format(time.DateOnly))
	}
	return ends, nil
}

func (ts Tracks) records() [][]string {
	records := [][]string{{"period", "actual", "expected", "cumulative_actual", "cumulative_expected"}}
	for _, t := range ts {
		records = append(records, []string{t.Period.String(), number(t.Actual, 0), number(t.Expected, 2), number(t.Cumulative, 0), number(t.Total, 2)})
	}
	return records
}

// String returns the curve as aligned text.
func (ts Tracks) String() string { return text.Aligned(ts.records()) }

// WriteCSV writes the curve with a header.
func (ts Tracks) WriteCSV(w io.Writer) error { return writeCSV(w, ts.records()) }
