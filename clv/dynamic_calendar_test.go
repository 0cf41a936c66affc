package clv_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

func on(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func calendarRows(rows ...clv.CalendarRow) iter.Seq2[clv.CalendarRow, error] {
	return func(yield func(clv.CalendarRow, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// The calendar of the tests: a season for all, prices in two steps, and mailings to ann alone.
var springRows = []clv.CalendarRow{
	{Name: "season", Level: "low"},
	{Name: "season", From: on("2025-03-01"), Level: "spring"},
	{Name: "season", From: on("2025-06-01"), Level: "summer"},
	{Name: "price", From: on("2025-01-01"), Value: 10},
	{Name: "price", From: on("2025-04-01"), Value: 12},
	{Name: "mail", Value: 0},
	{Customer: "ann", Name: "mail", Value: 0},
	{Customer: "ann", Name: "mail", From: on("2025-02-10"), Until: on("2025-02-17"), Value: 1},
	{Customer: "ann", Name: "mail", From: on("2025-02-17"), Value: 0},
}

func spring(t testing.TB, o *clv.CalendarOptions) *clv.Calendar {
	t.Helper()
	c, err := clv.NewCalendar(context.Background(), calendarRows(springRows...), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func buys(customer string, days ...string) []ledger.Transaction {
	var out []ledger.Transaction
	for _, day := range days {
		out = append(out, ledger.Transaction{Customer: customer, At: on(day).Add(15 * time.Hour)})
	}
	return out
}

func TestCalendarPath(t *testing.T) {
	c := spring(t, &clv.CalendarOptions{Until: on("2025-07-01"), References: map[string]string{"season": "low"}})
	if diff := cmp.Diff([]string{"mail", "price", "season=spring", "season=summer"}, c.Columns()); diff != "" {
		t.Error(diff)
	}
	for _, c2 := range []struct {
		customer, start string
		want            clv.Path
	}{
		{"ann", "2025-02-03", clv.Path{Starts: []float64{0, 7, 14, 26, 57, 118},
			Rows: [][]float64{{0, 10, 0, 0}, {1, 10, 0, 0}, {0, 10, 0, 0}, {0, 10, 1, 0}, {0, 12, 1, 0}, {0, 12, 0, 1}}, End: 148}},
		// The day of a change is the first of the new piece.
		{"bob", "2025-04-01", clv.Path{Starts: []float64{0, 61}, Rows: [][]float64{{0, 12, 1, 0}, {0, 12, 0, 1}}, End: 91}},
	} {
		got, err := c.Path(c2.customer, on(c2.start).Add(9*time.Hour), clv.Day)
		if diff := cmp.Diff(c2.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c2.customer, err, diff)
		}
	}
	forever := spring(t, &clv.CalendarOptions{Forever: true})
	if p, err := forever.Path("bob", on("2025-07-01"), clv.Week); err != nil || p.End != 0 || len(p.Starts) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	for _, c2 := range []struct {
		start, want string
		unit        time.Duration
	}{
		{"2024-12-31", `clv: customer "bob": covariate "price" has no value on 2024-12-31`, clv.Day},
		{"2025-07-01", `clv: customer "bob": the covariates are known until 2025-07-01 only, and are needed until 2025-07-01`, clv.Day},
		{"2025-05-01", "clv: unit 0s: want a positive one, such as clv.Week", 0},
	} {
		if _, err := c.Path("bob", on(c2.start), c2.unit); err == nil || err.Error() != c2.want {
			t.Errorf("%v, want %s", err, c2.want)
		}
	}
}

// The histories are those of Summarize, the sums those of the days of purchase, and the order of rows changes nothing.
func TestSummarizeDynamic(t *testing.T) {
	ctx, end := context.Background(), on("2025-06-15")
	log := slices.Concat(
		// Two orders on a day are one purchase; a purchase on the day of a change meets the new value.
		buys("ann", "2025-02-03", "2025-02-10", "2025-02-10", "2025-02-17", "2025-03-01", "2025-06-15"),
		buys("bob", "2025-03-31", "2025-04-01", "2025-06-20"), buys("cyd", "2025-06-15"))
	o := &clv.CalendarOptions{Until: on("2025-07-01"), References: map[string]string{"season": "low"}}
	hs, d, err := clv.SummarizeDynamic(ctx, ledger.Transactions(log), spring(t, o), end, clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := clv.Summarize(ctx, ledger.Transactions(log), end, clv.Day, nil)
	if diff := cmp.Diff(plain, hs); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for i, want := range [][]float64{
		{1, 10 + 10 + 10 + 12, 1, 1}, // the 10th, the 17th, March the 1st, June the 15th
		{0, 12, 1, 0},
		{0, 0, 0, 0},
	} {
		p := d.Path(i)
		if diff := cmp.Diff(want, p.Purchases); diff != "" {
			t.Errorf("customer %d (-want +got):\n%s", i, diff)
		}
		h := hs.Rows[i]
		if got := p.At(h.TX); h.X > 0 && got == nil {
			t.Errorf("customer %d: no covariates at %v", i, h.TX)
		}
		if p.End != h.T+16 {
			t.Errorf("customer %d: known until %v, T %v", i, p.End, h.T)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		rows := slices.Clone(springRows)
		r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
		c, err := clv.NewCalendar(ctx, calendarRows(rows...), o)
		if err != nil {
			t.Fatal(err)
		}
		_, again, err := clv.SummarizeDynamic(ctx, ledger.Transactions(log), c, end, clv.Day, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range d.Len() {
			if diff := cmp.Diff(d.Path(i), again.Path(i)); diff != "" {
				t.Errorf("customer %d (-want +got):\n%s", i, diff)
			}
		}
	}
}

// Another plan for the time after the end changes what comes, and nothing that was.
func TestDynamicContinue(t *testing.T) {
	ctx, end := context.Background(), on("2025-06-15")
	log := slices.Concat(buys("ann", "2025-02-03", "2025-02-10"), buys("bob", "2025-03-31", "2025-04-01"), buys("cyd", "2025-06-15"))
	reference := map[string]string{"season": "low"}
	c := spring(t, &clv.CalendarOptions{Until: on("2025-06-16"), References: reference})
	hs, d, err := clv.SummarizeDynamic(ctx, ledger.Transactions(log), c, end, clv.Day, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := clv.NewCalendar(ctx, calendarRows(
		clv.CalendarRow{Name: "season", Level: "summer"},
		clv.CalendarRow{Name: "price", Value: 12},
		clv.CalendarRow{Name: "mail", Value: 0},
		clv.CalendarRow{Customer: "bob", Name: "mail", Value: 0},
		clv.CalendarRow{Customer: "bob", Name: "mail", From: on("2025-06-25"), Value: 1},
	), &clv.CalendarOptions{Until: on("2025-07-15"), Terms: d.Terms()})
	if err != nil {
		t.Fatal(err)
	}
	next, err := d.Continue(hs, plan)
	if err != nil {
		t.Fatal(err)
	}
	want := []clv.Path{
		{Starts: []float64{0, 7, 14, 26, 57, 118}, End: 162, Purchases: []float64{1, 10, 0, 0},
			Rows: [][]float64{{0, 10, 0, 0}, {1, 10, 0, 0}, {0, 10, 0, 0}, {0, 10, 1, 0}, {0, 12, 1, 0}, {0, 12, 0, 1}}},
		{Starts: []float64{0, 1, 62, 86}, End: 106, Purchases: []float64{0, 12, 1, 0},
			Rows: [][]float64{{0, 10, 1, 0}, {0, 12, 1, 0}, {0, 12, 0, 1}, {1, 12, 0, 1}}},
		{Starts: []float64{0}, Rows: [][]float64{{0, 12, 0, 1}}, End: 30, Purchases: []float64{0, 0, 0, 0}},
	}
	for i, w := range want {
		if diff := cmp.Diff(w, next.Path(i)); diff != "" {
			t.Errorf("customer %d (-want +got):\n%s", i, diff)
		}
	}
	holidays, err := clv.NewCalendar(ctx, calendarRows(clv.CalendarRow{Name: "holiday"},
		clv.CalendarRow{Name: "holiday", From: on("2025-12-25"), Value: 1}), &clv.CalendarOptions{Forever: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    func() (*clv.DynamicDesign, error)
		want string
	}{
		{func() (*clv.DynamicDesign, error) { return d.Continue(hs, nil) }, "clv: a calendar without rows"},
		{func() (*clv.DynamicDesign, error) { return d.Continue(nil, plan) }, "clv: other histories than those of the design"},
		{func() (*clv.DynamicDesign, error) {
			return d.Continue(hs, spring(t, &clv.CalendarOptions{Until: end, References: reference}))
		},
			`clv: customer "ann": the covariates are known until 2025-06-15 only, and are needed until 2025-06-15`},
		{func() (*clv.DynamicDesign, error) { return d.Continue(hs, holidays) },
			`clv: the calendar has the columns ["holiday"], the design ["mail" "price" "season=spring" "season=summer"]`},
	} {
		if _, err := c.f(); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

func TestCalendarErrors(t *testing.T) {
	known := &clv.CalendarOptions{Until: on("2026-01-01")}
	row := func(customer, name, from, until string, value float64) clv.CalendarRow {
		return clv.CalendarRow{Customer: customer, Name: name, From: on(from), Until: on(until), Value: value}
	}
	for _, c := range []struct {
		name string
		rows []clv.CalendarRow
		o    *clv.CalendarOptions
		want string
		bad  bool // a RowError
	}{
		{"none", nil, nil, "clv: a calendar without rows", false},
		{"name", []clv.CalendarRow{{Value: 1}}, known, `clv: row 1: field "Name": value "": a covariate needs a name`, true},
		{"NaN", []clv.CalendarRow{row("", "x", "", "", 1), row("", "x", "2025-01-01", "", math.NaN())}, known,
			`clv: row 2: field "Value": value "NaN": missing value`, true},
		{"Inf", []clv.CalendarRow{row("", "x", "", "", math.Inf(1))}, known, `clv: row 1: field "Value": value "+Inf": not a finite number`, true},
		{"kinds", []clv.CalendarRow{row("", "x", "", "", 1), {Name: "x", From: on("2025-01-01"), Level: "a"}}, known,
			`clv: row 2: field "Level": value "a": covariate "x": a covariate has a level in some rows and none in others`, true},
		{"until", []clv.CalendarRow{row("", "x", "2025-02-01", "2025-02-01", 1)}, known,
			`clv: row 1: field "Until": value "2025-02-01T00:00:00Z": not after From, or after the next row begins`, true},
		{"overlap", []clv.CalendarRow{row("ann", "x", "2025-02-01", "2025-03-01", 1), row("ann", "x", "2025-02-20", "", 2)}, known,
			`clv: row 1: field "Until": value "2025-03-01": covariate "x" of customer "ann": not after From, or after the next row begins`, true},
		{"twice", []clv.CalendarRow{row("", "x", "2025-02-01", "", 1), row("", "x", "2025-02-01", "", 2)}, known,
			`clv: row 2: field "From": value "2025-02-01": covariate "x": a second row for the same customer, name and time`, true},
		{"end", []clv.CalendarRow{row("", "x", "", "", 1), row("", "x", "2025-02-01", "", 2)}, nil,
			`clv: row 2: field "Until": value "": covariate "x": the last row has no Until, and neither have the options, so how long it holds is not known`, true},
		{"constant", []clv.CalendarRow{row("", "x", "", "", 1), row("ann", "x", "2025-02-01", "", 1)}, known,
			`clv: covariate "x": the same at all times and for all customers, so that it has no effect to estimate`, false},
		{"reference", []clv.CalendarRow{{Name: "x", Level: "a"}, {Name: "x", From: on("2025-01-01"), Level: "b"}},
			&clv.CalendarOptions{Forever: true, References: map[string]string{"x": "c"}}, `clv: covariate "x": level "c": the reference level does not occur`, false},
		{"reference of nothing", []clv.CalendarRow{row("", "x", "", "", 1), row("", "x", "2025-01-01", "", 2)},
			&clv.CalendarOptions{Forever: true, References: map[string]string{"x": "c"}},
			`clv: calendar: reference level of "x": no covariate of that name has levels`, false},
		{"both ends", nil, &clv.CalendarOptions{Until: on("2026-01-01"), Forever: true}, "clv: calendar: Until and Forever exclude each other", false},
		{"granularity", nil, &clv.CalendarOptions{Granularity: 7}, "clv: unknown granularity 7", false},
		{"term without rows", []clv.CalendarRow{row("", "x", "", "", 1)}, &clv.CalendarOptions{Forever: true, Terms: clv.Terms{{Name: "y"}}},
			`clv: calendar: covariate "y" has no rows`, false},
		{"not in the model", []clv.CalendarRow{row("", "x", "", "", 1), row("", "y", "", "", 1)},
			&clv.CalendarOptions{Forever: true, Terms: clv.Terms{{Name: "y"}}}, `clv: covariate "x" is not in the model`, false},
		{"unknown level", []clv.CalendarRow{{Name: "x", Level: "c"}},
			&clv.CalendarOptions{Forever: true, Terms: clv.Terms{{Name: "x", Levels: []string{"a", "b"}}}},
			`clv: covariate "x" has the level "c"; the model knows a, b`, false},
	} {
		_, err := clv.NewCalendar(context.Background(), calendarRows(c.rows...), c.o)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		var bad *ledger.RowError
		if errors.As(err, &bad) != c.bad {
			t.Errorf("%s: RowError %v", c.name, bad)
		}
	}
	broken := errors.New("the disk")
	_, err := clv.NewCalendar(context.Background(), func(yield func(clv.CalendarRow, error) bool) { yield(clv.CalendarRow{}, broken) }, nil)
	if !errors.Is(err, broken) {
		t.Errorf("%v, want the error of the stream", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := clv.NewCalendar(ctx, calendarRows(springRows...), known); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}

func TestSummarizeDynamicErrors(t *testing.T) {
	ctx, end := context.Background(), on("2025-06-15")
	log := buys("ann", "2025-02-03", "2025-02-10")
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	holes, err := clv.NewCalendar(ctx, calendarRows(
		clv.CalendarRow{Name: "x", From: on("2025-01-01"), Until: on("2025-04-01"), Value: 1},
		clv.CalendarRow{Name: "x", From: on("2025-05-01"), Until: on("2025-07-01"), Value: 2}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		log  []ledger.Transaction
		c    *clv.Calendar
		end  time.Time
		o    *clv.SummaryOptions
		want string
	}{
		{"hole", log, holes, end, nil, `clv: customer "ann": covariate "x" has no value on 2025-04-01`},
		{"hole at the start", buys("bob", "2025-04-11"), holes, end, nil, `clv: customer "bob": covariate "x" has no value on 2025-04-11`},
		{"before", buys("bob", "2024-12-24"), holes, end, nil, `clv: customer "bob": covariate "x" has no value on 2024-12-24`},
		{"after", buys("bob", "2025-05-11"), holes, on("2025-07-02"), nil, `clv: customer "bob": covariate "x" has no value on 2025-07-01`},
		{"known until", log, spring(t, &clv.CalendarOptions{Until: on("2025-06-01")}), end, nil,
			`clv: customer "ann": the covariates are known until 2025-06-01 only, and are needed until 2025-06-15`},
		{"location", log, holes, end, &clv.SummaryOptions{Location: istanbul},
			"clv: the calendar counts days of UTC, the log days of Europe/Istanbul; set the Location of the options"},
		{"granularity", log, holes, end, &clv.SummaryOptions{Granularity: clv.ByInstant}, "clv: the calendar counts time by day, the log by instant"},
		{"ordered", log, holes, end, &clv.SummaryOptions{Ordered: true}, "clv: SummarizeDynamic with Ordered: it needs the days of all purchases"},
		{"calendar", log, nil, end, nil, "clv: a calendar without rows"},
	} {
		if _, _, err := clv.SummarizeDynamic(ctx, ledger.Transactions(c.log), c.c, c.end, clv.Day, c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	// A hole that nobody was observed in is none.
	if _, _, err := clv.SummarizeDynamic(ctx, ledger.Transactions(buys("bob", "2025-05-11")), holes, end, clv.Day, nil); err != nil {
		t.Error(err)
	}
}

func TestReadCalendar(t *testing.T) {
	ctx := context.Background()
	rows, err := ledger.Collect(clv.ReadCalendar(ctx, strings.NewReader("name,from,until,value,level,customer\n"+
		"mail,2025-01-01,2025-02-01,1.5,,ann\nseason,,,,winter,\n"), nil))
	want := []clv.CalendarRow{
		{Customer: "ann", Name: "mail", From: on("2025-01-01"), Until: on("2025-02-01"), Value: 1.5},
		{Name: "season", Level: "winter"},
	}
	if diff := cmp.Diff(want, rows); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"name,value\n,1\n":          `clv: row 1: field "name": value "": missing`,
		"name,value,level\nx,1,a\n": `clv: row 1: field "level": value "a": a level and a value`,
		"name,value,level\nx,,\n":   `clv: row 1: field "value": value "": missing value`,
		"name,value\nx,one\n":       `clv: row 1: field "value": value "one": not a number`,
		"name,from,value\nx,y,1\n":  `clv: row 1: field "from": value "y": not a date of the layouts 2006-01-02T15:04:05Z07:00, 2006-01-02`,
	} {
		var bad *ledger.RowError
		if _, err := ledger.Collect(clv.ReadCalendar(ctx, strings.NewReader(text), nil)); !errors.As(err, &bad) || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
