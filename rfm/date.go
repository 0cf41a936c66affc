package rfm

import (
	"fmt"
	"math"
	"time"
)

// A Date is a calendar day, as the number of days since 1 January 1970. Differences of two dates are days. It is text
// of the form 2006-01-02 in JSON and CSV.
type Date int32

// The dates of the years 1 to 9999; nothing outside is read.
const (
	firstDate Date = -719162
	lastDate  Date = 2932896
)

const secondsPerDay = 86400

// DateOf returns the calendar day of t in its own location.
func DateOf(t time.Time) Date {
	_, offset := t.Zone()
	return dateOfUnix(t.Unix() + int64(offset))
}

func dateOfUnix(seconds int64) Date {
	d := seconds / secondsPerDay
	if seconds%secondsPerDay < 0 {
		d--
	}
	return Date(min(max(d, int64(firstDate)-1), int64(lastDate)+1))
}

// valid reports whether d lies in the years 1 to 9999.
func (d Date) valid() bool { return d >= firstDate && d <= lastDate }

// Time returns midnight UTC of the day.
func (d Date) Time() time.Time { return time.Unix(int64(d)*secondsPerDay, 0).UTC() }

// String returns the day as 2006-01-02.
func (d Date) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText returns the day as 2006-01-02, or an error outside the years 1 to 9999.
func (d Date) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, fmt.Errorf("rfm: date %d: outside the years 1 to 9999", int32(d))
	}
	return d.Time().AppendFormat(nil, time.DateOnly), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		return fmt.Errorf("rfm: date %.20q: not of the form 2006-01-02", text)
	}
	v := DateOf(t)
	if !v.valid() {
		return fmt.Errorf("rfm: date %.20q: outside the years 1 to 9999", text)
	}
	*d = v
	return nil
}

// A calendar turns instants into dates of one location. It remembers the stretches of constant offset that it met, so
// that a row costs a comparison instead of a search in the zone table. It belongs to one goroutine.
type calendar struct {
	loc   *time.Location
	spans []span
	last  int
}

type span struct{ from, to, offset int64 } // of Unix seconds, half-open

// maxSpans bounds the memory of a calendar; two a year are usual.
const maxSpans = 512

func newCalendar(loc *time.Location) *calendar {
	c := &calendar{loc: loc}
	if loc == time.UTC {
		c.spans = []span{{math.MinInt64, math.MaxInt64, 0}}
	}
	return c
}

// date returns the calendar day of t.
func (c *calendar) date(t time.Time) Date {
	s := t.Unix()
	if c.last < len(c.spans) {
		if p := &c.spans[c.last]; s >= p.from && s < p.to {
			return dateOfUnix(s + p.offset)
		}
	}
	for i := range c.spans {
		if p := &c.spans[i]; s >= p.from && s < p.to {
			c.last = i
			return dateOfUnix(s + p.offset)
		}
	}
	return dateOfUnix(s + c.learn(t.In(c.loc)))
}

func (c *calendar) learn(t time.Time) int64 {
	_, offset := t.Zone()
	start, end := t.ZoneBounds()
	p := span{math.MinInt64, math.MaxInt64, int64(offset)}
	if !start.IsZero() {
		p.from = start.Unix()
	}
	if !end.IsZero() {
		p.to = end.Unix()
	}
	if len(c.spans) >= maxSpans {
		c.spans = c.spans[:0]
	}
	c.spans, c.last = append(c.spans, p), len(c.spans)
	return int64(offset)
}
