package ledger

import (
	"fmt"
	"time"
)

// A Period is a half-open stretch of time, [Start, End): what happens at End belongs to the next one.
type Period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Contains reports whether t is at or after Start and before End.
func (p Period) Contains(t time.Time) bool { return !t.Before(p.Start) && t.Before(p.End) }

// IsZero reports whether the period is the zero Period.
func (p Period) IsZero() bool { return p.Start.IsZero() && p.End.IsZero() }

// Duration returns the time from Start to End. A calendar day has 23 or 25 hours where the clocks change.
func (p Period) Duration() time.Duration { return p.End.Sub(p.Start) }

// Validate returns an error unless End is after Start.
func (p Period) Validate() error {
	if !p.End.After(p.Start) {
		return fmt.Errorf("ledger: period from %s to %s: the end is not after the start",
			p.Start.Format(time.RFC3339), p.End.Format(time.RFC3339))
	}
	return nil
}

// String returns a calendar day as 2025-12-24, a calendar month as 2025-12, a calendar year as 2025, other whole days as
// the first and the last one inside, 2025-12-22/2025-12-28, and anything else as Start and End in RFC 3339. Days are
// those of Start's location.
func (p Period) String() string {
	s, e := p.Start, p.End.In(p.Start.Location())
	if !wholeDays(s) || !wholeDays(e) || !e.After(s) {
		return s.Format(time.RFC3339) + "/" + e.Format(time.RFC3339)
	}
	switch loc := s.Location(); {
	case p.equal(Year(s.Year(), loc)):
		return s.Format("2006")
	case p.equal(Month(s.Year(), s.Month(), loc)):
		return s.Format("2006-01")
	case p.equal(Day(s, loc)):
		return s.Format(time.DateOnly)
	}
	return s.Format(time.DateOnly) + "/" + e.Add(-1).Format(time.DateOnly)
}

func (p Period) equal(q Period) bool { return p.Start.Equal(q.Start) && p.End.Equal(q.End) }

// wholeDays reports whether t is the first moment of a day.
func wholeDays(t time.Time) bool {
	y, m, d := t.Date()
	return t.Equal(date(y, m, d, t.Location()))
}

// Day returns the calendar day of t in loc; a nil loc means that of t.
func Day(t time.Time, loc *time.Location) Period {
	t = in(t, loc)
	y, m, d := t.Date()
	return Period{date(y, m, d, t.Location()), date(y, m, d+1, t.Location())}
}

// Week returns the seven calendar days that hold t and begin on the given weekday, in loc; nil means that of t.
func Week(t time.Time, first time.Weekday, loc *time.Location) Period {
	t = in(t, loc)
	y, m, d := t.Date()
	d -= int(t.Weekday()-first+7) % 7
	return Period{date(y, m, d, t.Location()), date(y, m, d+7, t.Location())}
}

// Month returns a calendar month; a nil loc means UTC. A month outside 1 to 12 is normalized as in [time.Date].
func Month(year int, month time.Month, loc *time.Location) Period {
	loc = utc(loc)
	return Period{date(year, month, 1, loc), date(year, month+1, 1, loc)}
}

// Quarter returns a calendar quarter, 1 to 4; a nil loc means UTC.
func Quarter(year, quarter int, loc *time.Location) Period {
	loc = utc(loc)
	first := time.Month(3*quarter - 2)
	return Period{date(year, first, 1, loc), date(year, first+3, 1, loc)}
}

// Year returns a calendar year; a nil loc means UTC.
func Year(year int, loc *time.Location) Period {
	loc = utc(loc)
	return Period{date(year, time.January, 1, loc), date(year+1, time.January, 1, loc)}
}

// Months returns the calendar months in loc (nil means that of from) from the one that holds from to the one that ends
// at or after to; to itself is outside, so Months of 1 January and 1 April are three months. It is empty if to is not
// after from.
func Months(from, to time.Time, loc *time.Location) []Period {
	from = in(from, loc)
	var ps []Period
	for p := Month(from.Year(), from.Month(), from.Location()); p.Start.Before(to) && from.Before(to); {
		ps = append(ps, p)
		p = Month(p.Start.Year(), p.Start.Month()+1, from.Location())
	}
	return ps
}

// Weeks returns the calendar weeks that begin on the given weekday, in loc (nil means that of from), from the one that
// holds from to the one that ends at or after to.
func Weeks(from, to time.Time, first time.Weekday, loc *time.Location) []Period {
	var ps []Period
	for p := Week(from, first, loc); p.Start.Before(to) && from.Before(to); p = Week(p.End, first, p.End.Location()) {
		ps = append(ps, p)
	}
	return ps
}

// Days returns the calendar days in loc (nil means that of from) from the one that holds from to the one that ends at
// or after to.
func Days(from, to time.Time, loc *time.Location) []Period {
	var ps []Period
	for p := Day(from, loc); p.Start.Before(to) && from.Before(to); p = Day(p.End, p.End.Location()) {
		ps = append(ps, p)
	}
	return ps
}

// AddMonths moves an anchor by n calendar months and clamps the day to the month's last: 31 January plus one month is
// 28 or 29 February, plus two is 31 March, because every step counts from the anchor. The clock time is kept; where the
// clocks skip it, it moves by the hour that they skip, and never to another day.
func AddMonths(anchor time.Time, n int) time.Time {
	y, m, d := anchor.Date()
	last := date(y, m+time.Month(n)+1, 0, time.UTC).Day()
	hour, minute, second := anchor.Clock()
	m, d = m+time.Month(n), min(d, last)
	t := time.Date(y, m, d, hour, minute, second, anchor.Nanosecond(), anchor.Location())
	return onDay(t, time.Date(y, m, d, 12, 0, 0, 0, anchor.Location()))
}

// onDay moves a t for which time.Date has chosen the evening before, because the clocks skip it, to the day of noon.
func onDay(t, noon time.Time) time.Time {
	if t.Day() == noon.Day() {
		return t
	}
	_, before := t.Zone()
	_, after := noon.Zone()
	return t.Add(time.Duration(after-before) * time.Second)
}

func in(t time.Time, loc *time.Location) time.Time {
	if loc == nil {
		return t
	}
	return t.In(loc)
}

func utc(loc *time.Location) *time.Location {
	if loc == nil {
		return time.UTC
	}
	return loc
}

// date returns the first moment of a calendar day. Where the clocks skip midnight, time.Date may give the evening before
// and the day starts at the moment of the change; where they repeat it, the day starts at the earlier of the two.
func date(year int, month time.Month, day int, loc *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, loc)
	if moved := onDay(t, time.Date(year, month, day, 12, 0, 0, 0, loc)); !moved.Equal(t) {
		return moved
	}
	if earlier := t.Add(-time.Hour); earlier.Day() == t.Day() {
		return earlier
	}
	return t
}
