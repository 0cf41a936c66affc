package ledger

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// timeParser reads times by layouts. It remembers the last date and zone, because the next row mostly has the same.
type timeParser struct {
	layouts []timeLayout
	loc     *time.Location

	year, month, day int // of the last date without a clock
	start            time.Time
}

type timeLayout struct {
	layout string
	tokens []token // nil if the layout needs package time
	least  int     // bytes of the shortest text that package time reads by a layout of tokens
	clock  bool    // the layout has at least an hour
	zoned  bool    // the layout has a zone or an offset
	names  bool    // the layout has a zone by its abbreviation
}

// A token is one fixed-width part of a layout.
type token struct {
	kind  byte // one of the token constants, or 0 for the byte literal
	width int
	lit   byte
}

// Kinds of tokens.
const (
	tokYear = 1 + iota
	tokMonth
	tokDay
	tokHour
	tokMinute
	tokSecond
	tokZoneColon // Z07:00
	tokZone      // -0700
	tokColon     // -07:00
)

var (
	errTime     = errors.New("not a date of the layouts")
	errZeroTime = errors.New("the zero time")
	errZone     = errors.New("the abbreviation of a zone that is not known in CSVOptions.Location")
)

func newTimeParser(layouts []string, loc *time.Location) (timeParser, error) {
	if len(layouts) == 0 {
		layouts = []string{time.RFC3339, time.DateOnly}
	}
	p := timeParser{loc: utc(loc)}
	for _, l := range layouts {
		if l == layoutUnix || l == layoutUnixMilli {
			p.layouts = append(p.layouts, timeLayout{layout: l})
			continue
		}
		noon, other := time.Date(2007, 8, 9, 0, 0, 0, 0, time.UTC), time.Date(2007, 8, 9, 21, 43, 58, 0, time.UTC)
		if noon.Format(l) == noon.AddDate(0, 0, 1).Format(l) {
			return p, fmt.Errorf("CSVOptions.Layouts: %q has no day; write it as in package time, such as 02.01.2006", l)
		}
		zoned := time.Date(2007, 8, 9, 0, 0, 0, 0, time.FixedZone("XYZ", 3600))
		tokens := compile(l)
		p.layouts = append(p.layouts, timeLayout{
			layout: l, tokens: tokens, least: shortest(tokens),
			clock: noon.Format(l) != other.Format(l), zoned: noon.Format(l) != zoned.Format(l), names: strings.Contains(l, "MST"),
		})
	}
	return p, nil
}

// compile cuts a layout of fixed-width numbers into tokens. It returns nil for every other layout.
func compile(layout string) []token {
	parts := []struct {
		text string
		kind byte
	}{
		{"2006", tokYear}, {"Z07:00", tokZoneColon}, {"-07:00", tokColon}, {"-0700", tokZone},
		{"01", tokMonth}, {"02", tokDay}, {"15", tokHour}, {"04", tokMinute}, {"05", tokSecond},
	}
	var tokens []token
	seen := map[byte]bool{}
next:
	for layout != "" {
		for _, p := range parts {
			if strings.HasPrefix(layout, p.text) {
				if seen[p.kind] {
					return nil
				}
				seen[p.kind] = true
				tokens = append(tokens, token{kind: p.kind, width: len(p.text)})
				layout = layout[len(p.text):]
				continue next
			}
		}
		if !strings.ContainsRune(" T-./:", rune(layout[0])) {
			return nil
		}
		tokens = append(tokens, token{lit: layout[0], width: 1})
		layout = layout[1:]
	}
	if !seen[tokYear] || !seen[tokMonth] || !seen[tokDay] {
		return nil
	}
	return tokens
}

// shortest returns the length of the shortest text that package time reads by the tokens: an hour may have one digit
// there, and Z07:00 may be Z.
func shortest(tokens []token) int {
	n := 0
	for _, t := range tokens {
		switch t.kind {
		case tokHour, tokZoneColon:
			n++
		default:
			n += t.width
		}
	}
	return n
}

// parse reads b by the first layout that fits.
func (p *timeParser) parse(b []byte) (time.Time, error) {
	for i := range p.layouts {
		if len(b) < p.layouts[i].least {
			continue
		}
		if t, ok := p.fast(p.layouts[i].tokens, p.layouts[i].clock, b); ok {
			return t, nil
		}
		if t, err := p.slow(&p.layouts[i], b); err == nil {
			return t, nil
		} else if errors.Is(err, errZone) {
			return time.Time{}, err
		}
	}
	var names []string
	for _, l := range p.layouts {
		names = append(names, l.layout)
	}
	return time.Time{}, fmt.Errorf("%w %s", errTime, strings.Join(names, ", "))
}

// fast reads what is written exactly as the tokens say. It refuses what package time may yet accept or explain.
func (p *timeParser) fast(tokens []token, clock bool, b []byte) (time.Time, bool) {
	if tokens == nil {
		return time.Time{}, false
	}
	var v [tokSecond + 1]int
	offset, zoned := 0, false
	for _, t := range tokens {
		switch {
		case t.kind == tokZoneColon && len(b) == 1 && b[0] == 'Z':
			zoned, b = true, b[1:]
			continue
		case len(b) < t.width, t.kind == tokZoneColon && len(b) != t.width:
			return time.Time{}, false
		case t.kind == 0:
			if b[0] != t.lit {
				return time.Time{}, false
			}
		case t.kind <= tokSecond:
			n := 0
			for _, c := range b[:t.width] {
				if c < '0' || c > '9' {
					return time.Time{}, false
				}
				n = 10*n + int(c-'0')
			}
			v[t.kind] = n
		default:
			var ok bool
			if offset, ok = zoneOffset(b[:t.width]); !ok {
				return time.Time{}, false
			}
			zoned = true
		}
		b = b[t.width:]
	}
	if len(b) != 0 || v[tokMonth] < 1 || v[tokMonth] > 12 || v[tokDay] < 1 ||
		v[tokDay] > 28 && v[tokDay] > daysIn(v[tokYear], v[tokMonth]) ||
		v[tokHour] > 23 || v[tokMinute] > 59 || v[tokSecond] > 59 {
		return time.Time{}, false
	}
	if !clock && !zoned {
		return p.date(v[tokYear], v[tokMonth], v[tokDay]), true
	}
	t := time.Date(v[tokYear], time.Month(v[tokMonth]), v[tokDay], v[tokHour], v[tokMinute], v[tokSecond], 0, p.where(zoned))
	if zoned {
		t = t.Add(-time.Duration(offset) * time.Second).In(p.loc)
	}
	return t, true
}

// where is the location in which the clock of a text is read before its offset, if it has one, is taken off.
func (p *timeParser) where(zoned bool) *time.Location {
	if zoned {
		return time.UTC
	}
	return p.loc
}

// zoneOffset reads +hh:mm or +hhmm in seconds.
func zoneOffset(b []byte) (int, bool) {
	digits := [4]byte{b[1], b[2], b[len(b)-2], b[len(b)-1]}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	hours, minutes := int(digits[0]-'0')*10+int(digits[1]-'0'), int(digits[2]-'0')*10+int(digits[3]-'0')
	if len(b) == 6 && b[3] != ':' || hours > 23 || minutes > 59 {
		return 0, false
	}
	seconds := hours*3600 + minutes*60
	switch b[0] {
	case '+':
		return seconds, true
	case '-':
		return -seconds, true
	}
	return 0, false
}

// date returns the first moment of a day in the location.
func (p *timeParser) date(year, month, day int) time.Time {
	if p.loc == time.UTC {
		return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	}
	if day != p.day || month != p.month || year != p.year {
		p.year, p.month, p.day = year, month, day
		p.start = date(year, time.Month(month), day, p.loc)
	}
	return p.start
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// slow reads b by package time.
func (p *timeParser) slow(l *timeLayout, b []byte) (time.Time, error) {
	switch l.layout {
	case layoutUnix:
		n, err := numberFormat{mark: '.'}.integer(nil, b)
		return time.Unix(n, 0).In(p.loc), err
	case layoutUnixMilli:
		n, err := numberFormat{mark: '.'}.integer(nil, b)
		return time.UnixMilli(n).In(p.loc), err
	}
	if len(b) > maxNumber {
		return time.Time{}, errTime
	}
	if !l.clock && !l.zoned {
		t, err := time.Parse(l.layout, string(b))
		if err != nil {
			return time.Time{}, err
		}
		return p.date(t.Year(), int(t.Month()), t.Day()), nil
	}
	t, err := time.ParseInLocation(l.layout, string(b), p.loc)
	if err != nil {
		return time.Time{}, err
	}
	if l.names && unknownZone(t, p.loc) {
		return time.Time{}, errZone
	}
	return t.In(p.loc), nil
}

// unknownZone reports whether package time made up a zone of offset 0 for an abbreviation that it does not know.
func unknownZone(t time.Time, loc *time.Location) bool {
	name, offset := t.Zone()
	if offset != 0 || t.Location() == loc || t.Location() == time.UTC {
		return false
	}
	return name != "" && name != "UTC" && name != "GMT" && name != "WET"
}
