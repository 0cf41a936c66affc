package validate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

// A Diary is the purchase days of every customer of a log, read once: enough to follow and to back-test purchase models
// at any date, and nothing of what was spent.
type Diary struct {
	loc       *time.Location
	customers []string // sorted
	days      [][]int32
	first     int32 // the earliest and latest day of all
	last      int32
}

// ReadDiary reads the purchase days in loc; nil means UTC. Rows with a negative amount are refunds and no purchases.
// Rows may come in any order. It returns the stream's errors, one for a row without customer or time, and one for a log
// without purchases.
func ReadDiary(ctx context.Context, log iter.Seq2[ledger.Transaction, error], loc *time.Location) (*Diary, error) {
	if loc == nil {
		loc = time.UTC
	}
	days := make(map[string][]int32)
	row := 0
	for t, err := range log {
		row++
		switch {
		case err != nil:
		case row%1024 == 0:
			err = ctx.Err()
		case t.Customer == "":
			err = &ledger.RowError{Row: row, Field: "Customer", Err: errors.New("empty")}
		case t.At.IsZero():
			err = &ledger.RowError{Row: row, Field: "At", Value: t.At.String(), Err: errors.New("no time")}
		}
		if err != nil {
			return nil, fmt.Errorf("validate: %w", err)
		}
		if t.Amount.Sign() >= 0 {
			days[t.Customer] = append(days[t.Customer], day(t.At, loc))
		}
	}
	if len(days) == 0 {
		return nil, errors.New("validate: the log has no purchase")
	}
	d := &Diary{loc: loc, first: math.MaxInt32, last: math.MinInt32}
	for c := range days {
		d.customers = append(d.customers, c)
	}
	slices.Sort(d.customers)
	for _, c := range d.customers {
		own := days[c]
		slices.Sort(own)
		own = slices.Compact(own)
		d.days = append(d.days, own)
		d.first, d.last = min(d.first, own[0]), max(d.last, own[len(own)-1])
	}
	return d, nil
}

// day numbers the calendar days.
func day(t time.Time, loc *time.Location) int32 {
	y, m, dd := t.In(loc).Date()
	return int32(time.Date(y, m, dd, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// date is the inverse of day.
func (d *Diary) date(n int32) time.Time {
	y, m, dd := time.Unix(int64(n)*86400, 0).UTC().Date()
	return time.Date(y, m, dd, 0, 0, 0, 0, d.loc)
}

// Span returns the days of the first and of the last purchase.
func (d *Diary) Span() (first, last time.Time) { return d.date(d.first), d.date(d.last) }

// Histories returns the customers up to the day of end, as clv.Summarize does but without Spend.
func (d *Diary) Histories(end time.Time, unit time.Duration) (*clv.Histories, error) {
	if unit <= 0 {
		return nil, fmt.Errorf("validate: unit %v: want a positive one, such as clv.Week", unit)
	}
	hs := &clv.Histories{Unit: unit, End: end}
	last := day(end, d.loc)
	for i, own := range d.days {
		n, _ := slices.BinarySearch(own, last+1)
		if n == 0 {
			continue
		}
		h := clv.History{Customer: d.customers[i], X: n - 1, TX: units(own[n-1]-own[0], unit), T: units(last-own[0], unit)}
		for j := 1; j < n; j++ {
			h.LogGaps += math.Log(units(own[j]-own[j-1], unit))
		}
		hs.Rows = append(hs.Rows, h)
	}
	return hs, nil
}

// units turns a difference of days into the unit.
func units(days int32, unit time.Duration) float64 {
	return float64(int64(days)*int64(clv.Day)) / float64(unit)
}
