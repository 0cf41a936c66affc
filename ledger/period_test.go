package ledger

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
)

// zones have clocks that skip or repeat midnight, jump by half an hour, or leave out a whole day.
var zones = []string{
	"UTC", "Europe/Istanbul", "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Africa/Cairo",
	"Australia/Lord_Howe", "Pacific/Apia", "Asia/Tehran", "America/St_Johns", "Asia/Kathmandu", "Atlantic/Azores", "Asia/Gaza",
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestDayBeginsAtItsFirstMoment(t *testing.T) {
	tests := []struct {
		zone       string
		y          int
		m          time.Month
		d          int
		start, end string // RFC 3339
		reason     string
	}{
		{"America/Sao_Paulo", 2017, 10, 15, "2017-10-15T01:00:00-02:00", "2017-10-16T00:00:00-02:00", "midnight was skipped"},
		{"America/Sao_Paulo", 2017, 10, 14, "2017-10-14T00:00:00-03:00", "2017-10-15T01:00:00-02:00", "the day before it"},
		{"America/Sao_Paulo", 2018, 2, 17, "2018-02-17T00:00:00-02:00", "2018-02-18T00:00:00-03:00", "the last hour came twice"},
		{"America/Havana", 2024, 3, 10, "2024-03-10T01:00:00-04:00", "2024-03-11T00:00:00-04:00", "midnight was skipped"},
		{"America/Havana", 2024, 11, 3, "2024-11-03T00:00:00-04:00", "2024-11-04T00:00:00-05:00", "midnight came twice"},
		{"Asia/Beirut", 2024, 3, 31, "2024-03-31T01:00:00+03:00", "2024-04-01T00:00:00+03:00", "midnight was skipped"},
		{"Asia/Beirut", 2024, 10, 27, "2024-10-27T00:00:00+02:00", "2024-10-28T00:00:00+02:00", "the hour before midnight came twice"},
		{"America/New_York", 2024, 3, 10, "2024-03-10T00:00:00-05:00", "2024-03-11T00:00:00-04:00", "23 hours"},
		{"Australia/Lord_Howe", 2024, 4, 7, "2024-04-07T00:00:00+11:00", "2024-04-08T00:00:00+10:30", "half an hour more"},
	}
	for _, tt := range tests {
		loc := zone(t, tt.zone)
		noon := time.Date(tt.y, tt.m, tt.d, 12, 0, 0, 0, loc)
		p := Day(noon, nil)
		if s, e := p.Start.Format(time.RFC3339), p.End.Format(time.RFC3339); s != tt.start || e != tt.end {
			t.Errorf("%s, %s: %s to %s, want %s to %s", tt.zone, tt.reason, s, e, tt.start, tt.end)
		}
	}
}

// TestDaysTileTime walks every day of many years in each zone.
func TestDaysTileTime(t *testing.T) {
	for _, name := range zones {
		loc := zone(t, name)
		for y := 2005; y < 2026; y++ {
			p := Year(y, loc)
			days := Days(p.Start, p.End, nil)
			if name != "Pacific/Apia" && len(days) != time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() {
				t.Errorf("%s: %d has %d days", name, y, len(days))
			}
			tiles(t, name, p, days, func(at time.Time) any { return at.Format(time.DateOnly) })
		}
	}
}

// TestPeriodsTileTime cuts random stretches into days, weeks and months.
func TestPeriodsTileTime(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, name := range zones {
		loc := zone(t, name)
		for range 15 {
			from := time.Unix(631152000+r.Int64N(35*365*86400), r.Int64N(1e9)).In(loc)
			to := from.Add(time.Duration(r.Int64N(int64(400 * 24 * time.Hour))))
			first := time.Weekday(r.IntN(7))
			whole := Period{from, to}
			tiles(t, name+" days", whole, Days(from, to, nil), func(at time.Time) any { return at.Format(time.DateOnly) })
			tiles(t, name+" months", whole, Months(from, to, nil), func(at time.Time) any { return at.Format("2006-01") })
			tiles(t, name+" weeks", whole, Weeks(from, to, first, nil), func(at time.Time) any {
				y, m, d := at.Date()
				return time.Date(y, m, d-int(at.Weekday()-first+7)%7, 0, 0, 0, 0, time.UTC)
			})
			for _, p := range Weeks(from, to, first, nil) {
				if p.Start.Weekday() != first && name != "Pacific/Apia" { // its 30 December 2011 does not exist
					t.Fatalf("%s: week %v begins on %v, want %v", name, p, p.Start.Weekday(), first)
				}
			}
		}
	}
}

// tiles holds that the periods cover the whole without gap, overlap or excess and that each is one unit of the calendar.
func tiles(t *testing.T, name string, whole Period, ps []Period, unit func(time.Time) any) {
	t.Helper()
	if len(ps) == 0 || !ps[0].Contains(whole.Start) || ps[len(ps)-1].End.Before(whole.End) || !ps[len(ps)-1].Start.Before(whole.End) {
		t.Fatalf("%s: %v is not covered by %v", name, whole, ps)
	}
	for i, p := range ps {
		if err := p.Validate(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if i > 0 && !ps[i-1].End.Equal(p.Start) {
			t.Fatalf("%s: %v does not begin where %v ends", name, p, ps[i-1])
		}
		before, start, last := p.Start.Add(-1), p.Start, p.End.Add(-1)
		if unit(start) != unit(last) || unit(before) == unit(start) || unit(p.End) == unit(start) {
			t.Fatalf("%s: %s to %s is not one unit of the calendar", name, start, p.End)
		}
	}
}

func TestMonths(t *testing.T) {
	day := func(m time.Month, d int) time.Time { return time.Date(2025, m, d, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		from, to time.Time
		want     []string
		reason   string
	}{
		{day(1, 1), day(4, 1), []string{"2025-01", "2025-02", "2025-03"}, "to is outside"},
		{day(1, 31), day(3, 1), []string{"2025-01", "2025-02"}, "the 31st skips no month"},
		{day(1, 31), day(3, 2), []string{"2025-01", "2025-02", "2025-03"}, "the month that holds the end"},
		{day(2, 1), day(2, 2), []string{"2025-02"}, "one day"},
		{day(2, 2), day(2, 2), nil, "nothing"},
		{day(2, 20), day(2, 2), nil, "the wrong way round"},
		{day(2, 20), day(2, 2).AddDate(-1, 0, 0), nil, "the wrong way round by a year"},
		{day(12, 1), day(12, 1).AddDate(0, 2, 0), []string{"2025-12", "2026-01"}, "across the year"},
	} {
		var got []string
		for _, p := range Months(tt.from, tt.to, nil) {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
	tokyo := zone(t, "Asia/Tokyo")
	ps := Months(time.Date(2025, 1, 31, 20, 0, 0, 0, time.UTC), day(3, 1), tokyo)
	if len(ps) != 2 || ps[0] != Month(2025, 2, tokyo) {
		t.Errorf("31 January 20:00 UTC is in February in Tokyo: %v", ps)
	}
}

func TestPeriodString(t *testing.T) {
	havana, paulo := zone(t, "America/Havana"), zone(t, "America/Sao_Paulo")
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		p    Period
		want string
	}{
		{Month(2025, 12, nil), "2025-12"},
		{Month(2025, 13, nil), "2026-01"},
		{Month(2017, 10, paulo), "2017-10"},
		{Year(2025, nil), "2025"},
		{Year(2025, havana), "2025"},
		{Quarter(2025, 4, nil), "2025-10-01/2025-12-31"},
		{Week(time.Date(2025, 1, 1, 5, 0, 0, 0, time.UTC), time.Monday, nil), "2024-12-30/2025-01-05"},
		{Day(time.Date(2017, 10, 15, 12, 0, 0, 0, paulo), nil), "2017-10-15"},
		{Day(time.Date(2017, 10, 14, 12, 0, 0, 0, paulo), nil), "2017-10-14"},
		{Period{date(2017, 10, 15, paulo), date(2017, 10, 17, paulo)}, "2017-10-15/2017-10-16"},
		{Day(time.Date(2024, 11, 3, 12, 0, 0, 0, havana), nil), "2024-11-03"},
		{Period{at("2025-01-01T00:00:00Z"), at("2025-01-02T12:30:00Z")}, "2025-01-01T00:00:00Z/2025-01-02T12:30:00Z"},
		{Period{at("2025-01-01T00:00:00Z"), at("2025-02-01T03:00:00+03:00")}, "2025-01"},
		{Period{}, "0001-01-01T00:00:00Z/0001-01-01T00:00:00Z"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestPeriodMethods(t *testing.T) {
	p := Month(2025, 2, nil)
	for _, tt := range []struct {
		at   time.Time
		want bool
	}{
		{p.Start, true}, {p.Start.Add(-1), false}, {p.End.Add(-1), true}, {p.End, false},
		{p.End.In(time.FixedZone("", 7200)), false},
	} {
		if p.Contains(tt.at) != tt.want {
			t.Errorf("Contains(%v) = %v, want %v", tt.at, !tt.want, tt.want)
		}
	}
	if p.IsZero() || !(Period{}).IsZero() {
		t.Error("IsZero")
	}
	if got := p.Duration(); got != 28*24*time.Hour {
		t.Errorf("February 2025 lasts %v", got)
	}
	err := (Period{p.End, p.Start}).Validate()
	want := "ledger: period from 2025-03-01T00:00:00Z to 2025-02-01T00:00:00Z: the end is not after the start"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if (Period{p.Start, p.Start}).Validate() == nil {
		t.Error("an empty period is valid")
	}
}

func TestCalendarPeriods(t *testing.T) {
	if got, want := Quarter(2025, 1, nil), (Period{Month(2025, 1, nil).Start, Month(2025, 3, nil).End}); got != want {
		t.Errorf("first quarter %v, want %v", got, want)
	}
	if got := Year(2024, nil).Duration(); got != 366*24*time.Hour {
		t.Errorf("2024 lasts %v", got)
	}
	for first := time.Sunday; first <= time.Saturday; first++ {
		for d := range 14 {
			at := time.Date(2025, 3, 1+d, 23, 59, 59, 0, time.UTC)
			w := Week(at, first, nil)
			if !w.Contains(at) || w.Start.Weekday() != first || w.Duration() != 7*24*time.Hour {
				t.Errorf("week of %v from %v: %v", at, first, w)
			}
		}
	}
}

func TestAddMonths(t *testing.T) {
	for _, tt := range []struct {
		anchor string
		n      int
		want   string
	}{
		{"2025-01-31", 1, "2025-02-28"},
		{"2024-01-31", 1, "2024-02-29"},
		{"2025-01-31", 2, "2025-03-31"},
		{"2025-01-31", 3, "2025-04-30"},
		{"2025-01-31", 12, "2026-01-31"},
		{"2024-02-29", 12, "2025-02-28"},
		{"2024-02-29", 48, "2028-02-29"},
		{"2025-03-31", -1, "2025-02-28"},
		{"2025-01-15", -1, "2024-12-15"},
		{"2025-12-31", 2, "2026-02-28"},
		{"2025-05-31", -14, "2024-03-31"},
		{"2025-05-31", 0, "2025-05-31"},
	} {
		anchor, err := time.Parse(time.DateOnly, tt.anchor)
		if err != nil {
			t.Fatal(err)
		}
		anchor = anchor.Add(13*time.Hour + 5*time.Minute + 7)
		got := AddMonths(anchor, tt.n)
		if got.Format(time.DateOnly) != tt.want || got.Sub(got.Truncate(24*time.Hour)) != 13*time.Hour+5*time.Minute+7 {
			t.Errorf("%s + %d months = %v, want %s", tt.anchor, tt.n, got, tt.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		anchor := time.Unix(r.Int64N(2e9), 0).UTC()
		n := r.IntN(400) - 200
		got := AddMonths(anchor, n)
		months := (got.Year()-anchor.Year())*12 + int(got.Month()-anchor.Month())
		if months != n || got.Day() > anchor.Day() || got.Day() < anchor.Day() && got.AddDate(0, 0, 1).Day() != 1 {
			t.Fatalf("%v + %d months = %v", anchor, n, got)
		}
	}
}

// TestAddMonthsKeepsTheDay holds that an anchor at midnight stays on its day where midnight is skipped.
func TestAddMonthsKeepsTheDay(t *testing.T) {
	paulo := zone(t, "America/Sao_Paulo")
	got := AddMonths(time.Date(2017, 9, 15, 0, 0, 0, 0, paulo), 1)
	if want := date(2017, 10, 15, paulo); !got.Equal(want) {
		t.Errorf("15 September 2017 + 1 month = %v, want %v, the first moment of 15 October", got, want)
	}
	havana := zone(t, "America/Havana")
	got = AddMonths(time.Date(2024, 10, 3, 0, 0, 0, 0, havana), 1)
	if want := date(2024, 11, 3, havana); !got.Equal(want) {
		t.Errorf("3 October 2024 + 1 month = %v, want %v, the first of two midnights", got, want)
	}
}

func FuzzPeriods(f *testing.F) {
	f.Add(int64(1508036400), int64(86400*40), uint8(3), 1)
	f.Add(int64(0), int64(-5), uint8(0), 100)
	f.Add(int64(-62135596800), int64(1), uint8(8), -1)
	f.Fuzz(func(t *testing.T, from, length int64, where uint8, n int) {
		const century = 100 * 366 * 86400
		from, length, n = from%(30*century), length%(2*366*86400), n%5000
		loc := zone(t, zones[int(where)%len(zones)])
		start := time.Unix(from, 0).In(loc)
		end := start.Add(time.Duration(length) * time.Second)
		for _, ps := range [][]Period{Days(start, end, nil), Weeks(start, end, time.Weekday(where%7), loc), Months(start, end, loc)} {
			if (len(ps) == 0) != (length <= 0) {
				t.Fatalf("%v to %v: %d periods", start, end, len(ps))
			}
			for i, p := range ps {
				_ = p.String()
				if p.Validate() != nil || i > 0 && p.Start != ps[i-1].End {
					t.Fatalf("%v after %v", p, ps[max(i-1, 0)])
				}
			}
			if len(ps) > 0 && (!ps[0].Contains(start) || ps[len(ps)-1].End.Before(end)) {
				t.Fatalf("%v to %v is not covered by %v", start, end, ps)
			}
		}
		if got := AddMonths(start, n); got.Day() > start.Day() && got.Hour() != 0 {
			t.Fatalf("%v + %d months = %v", start, n, got)
		}
	})
}
