package clv

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Granularity says which purchases of one customer are so close together that the models see one.
type Granularity uint8

// The granularities.
const (
	ByDay     Granularity = iota // purchases of one calendar day are one; times are differences of calendar days
	ByInstant                    // purchases of one instant are one; times are exact differences
)

// String returns "day" or "instant".
func (g Granularity) String() string {
	switch g {
	case ByDay:
		return "day"
	case ByInstant:
		return "instant"
	}
	return fmt.Sprintf("Granularity(%d)", uint8(g))
}

// MarshalText writes "day" or "instant".
func (g Granularity) MarshalText() ([]byte, error) {
	if g > ByInstant {
		return nil, fmt.Errorf("clv: unknown granularity %d", uint8(g))
	}
	return []byte(g.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (g *Granularity) UnmarshalText(text []byte) error {
	switch string(text) {
	case "day":
		*g = ByDay
	case "instant":
		*g = ByInstant
	default:
		return fmt.Errorf("clv: granularity %q: want day or instant", text)
	}
	return nil
}

var (
	errZeroTime  = errors.New("no time")
	errYear      = errors.New("outside the years 1 to 9999")
	errEpoch     = errors.New("outside the years 1678 to 2261, the range of instants")
	errNoEnd     = errors.New("clv: no end of observation")
	errNoID      = errors.New("no customer")
	errNoLog     = errors.New("clv: no log")
	errNegAmount = errors.New("negative")
)

const (
	secondsPerDay = 24 * 60 * 60
	firstYear     = -62_135_596_800 // Unix time of 0001-01-01
	endOfYears    = 253_402_300_800 // 10000-01-01
	firstInstant  = -9_214_560_000  // 1678-01-01
	endOfInstants = 9_214_646_400   // 2262-01-01
)

// ticksOf returns the first and the last tick that a clock gives.
func ticksOf(g Granularity) [2]int64 {
	if g == ByInstant {
		return [2]int64{firstInstant * 1e9, endOfInstants*1e9 - 1}
	}
	return [2]int64{firstYear/secondsPerDay - 1, endOfYears / secondsPerDay} // a day more for zones east and west
}

// A clock turns times into ticks, which are calendar days of a location since 1970-01-01 or nanoseconds since then.
// It remembers the zone offsets it has met, so each goroutine needs its own.
type clock struct {
	grain Granularity
	loc   *time.Location
	zones [64]zone
}

// A zone is a stretch of Unix time with one offset from UTC. An empty stretch holds nothing.
type zone struct{ from, to, offset int64 }

// newClock returns the clock of a location, UTC if nil.
func newClock(g Granularity, loc *time.Location) *clock {
	if loc == nil {
		loc = time.UTC
	}
	return &clock{grain: g, loc: loc}
}

// tick returns the tick of t, or the reason why it has none.
func (c *clock) tick(t time.Time) (int64, error) {
	if t.IsZero() {
		return 0, errZeroTime
	}
	sec := t.Unix()
	if c.grain == ByInstant {
		if sec < firstInstant || sec >= endOfInstants {
			return 0, errEpoch
		}
		return t.UnixNano(), nil
	}
	if sec < firstYear || sec >= endOfYears {
		return 0, errYear
	}
	sec += c.offset(t, sec)
	day := sec / secondsPerDay
	if sec%secondsPerDay < 0 {
		day--
	}
	return day, nil
}

// offset returns the seconds east of UTC at t, whose Unix time is sec.
func (c *clock) offset(t time.Time, sec int64) int64 {
	if c.loc == time.UTC {
		return 0
	}
	z := &c.zones[(sec>>22)&63] // 2^22 seconds are 48 days
	if sec >= z.from && sec < z.to {
		return z.offset
	}
	local := t.In(c.loc)
	_, east := local.Zone()
	start, end := local.ZoneBounds()
	*z = zone{from: math.MinInt64, to: math.MaxInt64, offset: int64(east)}
	if !start.IsZero() {
		z.from = start.Unix()
	}
	if !end.IsZero() {
		z.to = end.Unix()
	}
	return z.offset
}

// tickTime returns the start of a tick in UTC: midnight of the day, or the instant.
func tickTime(g Granularity, tick int64) time.Time {
	if g == ByInstant {
		return time.Unix(0, tick).UTC()
	}
	return time.Unix(tick*secondsPerDay, 0).UTC()
}

// elapsed returns the time from one tick to a later one in the unit. The division is the only rounding.
func elapsed(g Granularity, from, to int64, unit time.Duration) float64 {
	ticks := float64(uint64(to) - uint64(from)) // exact for days; instants may be more than an int64 apart
	if g == ByDay {
		ticks *= float64(Day) // exact too: Day is 2^16 times 31 bits and a day number has 22
	}
	return ticks / float64(unit)
}
