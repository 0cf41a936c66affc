package subscription

import (
	"time"

	"github.com/custval/custval/ledger"
)

// The calendars of package ledger (Months, Weeks, Days) and those below make the periods of a roll-forward. All are
// half-open, in a location in which a day starts at its first moment: days have 23 or 25 hours where the clocks change.

// Quarters returns the calendar quarters in loc (nil means that of from) from the one that holds from to the one that ends
// at or after to. It is empty if to is not after from.
func Quarters(from, to time.Time, loc *time.Location) []ledger.Period {
	return fiscal(from, to, time.January, 3, loc)
}

// Years returns the calendar years, as [Quarters] does quarters.
func Years(from, to time.Time, loc *time.Location) []ledger.Period {
	return fiscal(from, to, time.January, 12, loc)
}

// FiscalQuarters returns the quarters of a fiscal year that starts with the given month.
func FiscalQuarters(from, to time.Time, start time.Month, loc *time.Location) []ledger.Period {
	return fiscal(from, to, start, 3, loc)
}

// FiscalYears returns the fiscal years that start with the given month.
func FiscalYears(from, to time.Time, start time.Month, loc *time.Location) []ledger.Period {
	return fiscal(from, to, start, 12, loc)
}

func fiscal(from, to time.Time, start time.Month, months int, loc *time.Location) []ledger.Period {
	if loc == nil {
		loc = from.Location()
	}
	from = from.In(loc)
	if !to.After(from) {
		return nil
	}
	back := (int(from.Month()-start)%months + months) % months
	year, m := from.Year(), from.Month()-time.Month(back)
	var ps []ledger.Period
	for {
		p := ledger.Period{Start: ledger.Month(year, m, loc).Start, End: ledger.Month(year, m+time.Month(months), loc).Start}
		if !p.Start.Before(to) {
			return ps
		}
		ps = append(ps, p)
		m += time.Month(months)
	}
}

// Rolling returns n windows of so many calendar days, the last of which ends at the start of end's day in loc (nil means
// that of end), each window step days after the one before: Rolling(end, 30, 1, 90, nil) is the last 30 days as seen on
// each of 90 days, Rolling(end, 30, 30, 12, nil) twelve that adjoin. It is empty unless all three numbers are positive.
func Rolling(end time.Time, days, step, n int, loc *time.Location) []ledger.Period {
	if days < 1 || step < 1 || n < 1 {
		return nil
	}
	last := ledger.Day(end, loc).Start
	ps := make([]ledger.Period, n)
	for i := range ps {
		ps[i] = ledger.Period{Start: dayBefore(last, (n-1-i)*step+days), End: dayBefore(last, (n-1-i)*step)}
	}
	return ps
}

// dayBefore returns the first moment of the day that is n days before t's. Noon is never skipped by the clocks.
func dayBefore(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	return ledger.Day(time.Date(y, m, d-n, 12, 0, 0, 0, t.Location()), nil).Start
}

// Anchored returns n periods that follow the billing interval from an anchor, such as the months from the 31st: the day
// is kept and clamped to the month's last, so none drifts. It is empty for an unknown interval.
func Anchored(anchor time.Time, every Interval, n int) []ledger.Period {
	if !every.Known() || n < 1 {
		return nil
	}
	ps := make([]ledger.Period, n)
	for i := range ps {
		ps[i] = ledger.Period{Start: every.From(anchor, i), End: every.From(anchor, i+1)}
	}
	return ps
}
