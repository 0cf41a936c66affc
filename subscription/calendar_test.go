package subscription_test

import (
	"testing"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/subscription"
	"github.com/google/go-cmp/cmp"
)

func dates(ts ...time.Time) []string {
	var out []string
	for _, t := range ts {
		out = append(out, t.Format(time.DateOnly))
	}
	return out
}

func TestAnchors(t *testing.T) {
	for _, tc := range []struct {
		every  subscription.Interval
		anchor string
		want   []string
		why    string
	}{
		{subscription.EveryMonth, "2023-01-31", []string{"2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31"}, "the day is kept and clamped"},
		{subscription.EveryMonth, "2024-01-31", []string{"2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"}, "leap year"},
		{subscription.EveryMonth, "2024-01-30", []string{"2024-02-29", "2024-03-30", "2024-04-30", "2024-05-30"}, ""},
		{subscription.Quarterly, "2024-11-30", []string{"2025-02-28", "2025-05-30", "2025-08-30", "2025-11-30"}, ""},
		{subscription.Yearly, "2024-02-29", []string{"2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"}, "comes back in a leap year"},
		{subscription.Weekly, "2024-12-30", []string{"2025-01-06", "2025-01-13", "2025-01-20", "2025-01-27"}, ""},
		{subscription.Every(10, subscription.Day), "2025-02-20", []string{"2025-03-02", "2025-03-12", "2025-03-22", "2025-04-01"}, ""},
		{0, "2025-02-20", []string{"2025-02-20", "2025-02-20", "2025-02-20", "2025-02-20"}, "an unknown interval does not move"},
	} {
		var got []time.Time
		for n := range 4 {
			got = append(got, tc.every.From(at(tc.anchor), n+1))
		}
		if diff := cmp.Diff(tc.want, dates(got...)); diff != "" {
			t.Errorf("every %s from %s (%s) (-want +got):\n%s", tc.every, tc.anchor, tc.why, diff)
		}
	}
	ps := subscription.Anchored(at("2023-01-31"), subscription.EveryMonth, 3)
	if diff := cmp.Diff([]string{"2023-01-31", "2023-02-28", "2023-03-31"}, dates(ps[0].Start, ps[1].Start, ps[2].Start)); diff != "" {
		t.Errorf("Anchored (-want +got):\n%s", diff)
	}
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]subscription.Interval{
		"month": subscription.EveryMonth, "Monthly": subscription.EveryMonth, " 1 month ": subscription.EveryMonth, "3 months": subscription.Quarterly,
		"3-month": subscription.Quarterly, "quarterly": subscription.Quarterly, "P3M": subscription.Quarterly, "P1Y": subscription.Yearly,
		"p2w": subscription.Biweekly, "annual": subscription.Yearly, "6mo": subscription.HalfYearly, "biannual": subscription.HalfYearly,
		"biennial": subscription.Biennial, "fortnight": subscription.Biweekly, "14 days": subscription.Every(14, subscription.Day),
		"every 2 years": subscription.Biennial, "daily": subscription.Daily, "week": subscription.Weekly, "every month": subscription.EveryMonth,
	} {
		if got, err := subscription.ParseInterval(text); err != nil || got != want {
			t.Errorf("ParseInterval(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0 months", "-1 month", "bimonthly", "semimonthly", "P", "P1", "P0M", "99999999 days", "1.5 months",
		"3", "months 3", "P1Y2M", "99999999999999999999 days"} {
		if got, err := subscription.ParseInterval(text); err == nil || got != 0 {
			t.Errorf("ParseInterval(%q) = %s, want an error", text, got)
		}
	}
	for _, i := range []subscription.Interval{subscription.Daily, subscription.Quarterly, subscription.Every(1048575, subscription.Week), 0} {
		text, _ := i.MarshalText()
		var back subscription.Interval
		if err := back.UnmarshalText(text); err != nil || back != i {
			t.Errorf("%s comes back as %s, %v", text, back, err)
		}
	}
	if subscription.Every(0, subscription.Month) != 0 || subscription.Every(1, 9) != 0 || subscription.Interval(7).Known() {
		t.Error("impossible intervals are known")
	}
}

func TestCalendars(t *testing.T) {
	show := func(ps []ledger.Period) []string {
		var out []string
		for _, p := range ps {
			out = append(out, p.Start.Format(time.DateOnly)+"/"+p.End.Format(time.DateOnly))
		}
		return out
	}
	from, to := at("2025-02-10"), at("2026-02-01")
	for _, tc := range []struct {
		name string
		got  []ledger.Period
		want []string
	}{
		{"quarters", subscription.Quarters(from, at("2025-08-01"), nil), []string{"2025-01-01/2025-04-01", "2025-04-01/2025-07-01", "2025-07-01/2025-10-01"}},
		{"years", subscription.Years(from, to, nil), []string{"2025-01-01/2026-01-01", "2026-01-01/2027-01-01"}},
		{"fiscal years from April", subscription.FiscalYears(from, to, time.April, nil), []string{"2024-04-01/2025-04-01", "2025-04-01/2026-04-01"}},
		{"fiscal quarters from February", subscription.FiscalQuarters(from, at("2025-05-02"), time.February, nil), []string{"2025-02-01/2025-05-01", "2025-05-01/2025-08-01"}},
		{"no time", subscription.Quarters(from, from, nil), nil},
		{"rolling 30 days", subscription.Rolling(at("2025-03-31"), 30, 30, 2, nil), []string{"2025-01-30/2025-03-01", "2025-03-01/2025-03-31"}},
		{"overlapping 30 days", subscription.Rolling(at("2025-03-31 15:00"), 30, 1, 2, nil), []string{"2025-02-28/2025-03-30", "2025-03-01/2025-03-31"}},
		{"no windows", subscription.Rolling(from, 0, 1, 1, nil), nil},
	} {
		if diff := cmp.Diff(tc.want, show(tc.got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// TestDaysOfTheClockChange has the days of 23 and 25 hours in Berlin: each change falls on its local day.
func TestDaysOfTheClockChange(t *testing.T) {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones: ", err)
	}
	for _, tc := range []struct {
		day   string
		hours float64
	}{{"2025-03-30", 23}, {"2025-10-26", 25}, {"2025-06-15", 24}} {
		noon, _ := time.ParseInLocation("2006-01-02 15", tc.day+" 12", loc)
		day := ledger.Day(noon, loc)
		if got := day.Duration().Hours(); got != tc.hours {
			t.Errorf("%s has %v hours, want %v", tc.day, got, tc.hours)
		}
		last := row("a", "10", "2025-01-01", "")
		last.From = day.End.Add(-time.Minute)
		next := row("b", "20", "2025-01-01", "")
		next.From = day.End
		days := ledger.Days(day.Start, day.End.Add(24*time.Hour), loc)
		table := roll(t, book(t, last, next), days)
		if a, b := table.Periods[0].New, table.Periods[1].New; !a.Equal(usd("10")) || !b.Equal(usd("20")) {
			t.Errorf("%s: new on the day %s, on the next %s, want 10 and 20", tc.day, a, b)
		}
	}
	// Monthly anchors keep the local clock over the change.
	anchor := time.Date(2025, 2, 28, 9, 0, 0, 0, loc)
	if got := subscription.EveryMonth.From(anchor, 2); !got.Equal(time.Date(2025, 4, 28, 9, 0, 0, 0, loc)) {
		t.Errorf("two months after %s is %s", anchor, got)
	}
	if got := subscription.Daily.From(time.Date(2025, 3, 29, 9, 0, 0, 0, loc), 1); !got.Equal(time.Date(2025, 3, 30, 9, 0, 0, 0, loc)) {
		t.Errorf("a day after 29 March, 9:00 is %s", got)
	}
}

// TestTimeZone puts the same start into June in one zone and into July in another.
func TestTimeZone(t *testing.T) {
	east := time.FixedZone("east", 3*3600)
	b := book(t, row("a", "10", "2025-06-30 22:00", ""))
	if r := period(t, b, ledger.Month(2025, time.June, time.UTC)); !r.New.Equal(usd("10")) {
		t.Errorf("new in June, UTC: %s", r.New)
	}
	if r := period(t, b, ledger.Month(2025, time.June, east)); !r.New.Equal(usd("0")) {
		t.Errorf("new in June, UTC+3: %s", r.New)
	}
}

// TestIncomplete marks the period that the data do not reach and leaves it out of means.
func TestIncomplete(t *testing.T) {
	b := book(t, row("a", "10", "2025-01-01", "2025-03-10"), row("b", "10", "2025-01-01", "2025-05-10"), row("c", "10", "2025-01-01", "")).
		Until(at("2025-05-20"))
	table := roll(t, b, ledger.Months(at("2025-02-01"), at("2025-06-01"), nil))
	for i, want := range []bool{false, false, false, true} {
		if table.Periods[i].Incomplete != want {
			t.Errorf("%s: Incomplete = %v", table.Periods[i].Period, !want)
		}
	}
	// February 0/3, March 1/3, April 0/2; May, 1/2, is incomplete.
	got, err := table.MeanLogoChurn(0)
	if want := (1.0 / 3) / 3; err != nil || got != want {
		t.Errorf("MeanLogoChurn = %v, %v, want %v", got, err, want)
	}
	ltv, err := table.LTV(0.5, 2) // ARPA 10, mean of March and April 1/6
	if err != nil || !ltv.Equal(usd("30")) {
		t.Errorf("LTV = %s, %v, want 30", ltv, err)
	}
	cmgr, err := table.CMGR() // 30 to 20 in three months: (2/3)^(1/3) - 1
	if want := -0.1264195352637011; err != nil || cmgr/want-1 > 1e-13 || want/cmgr-1 > 1e-13 {
		t.Errorf("CMGR = %.17g, %v, want %v", cmgr, err, want)
	}
}

// TestSumOfDailyRates has the daily sums of the scenario: 0.037388514631 is the published form of the net rate.
func TestSumOfDailyRates(t *testing.T) {
	days := ledger.Days(at("2025-06-01"), at("2025-07-01"), nil)
	table := roll(t, book(t, scenario()...), days)
	got, err := table.SumOfNetChurn()
	if want := 0.037388514631; err != nil || got/want-1 > 1e-11 || want/got-1 > 1e-11 {
		t.Errorf("sum of daily net churn = %.12f, %v, want %v", got, err, want)
	}
	got, err = table.ChurnOverAverage()
	if want := 3 / 7.9; err != nil || got != want {
		t.Errorf("churn over average = %v, %v, want %v", got, err, want)
	}
}
