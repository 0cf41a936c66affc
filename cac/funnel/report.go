package funnel

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Report is how many reached each step of a funnel.
type Report struct {
	Steps  []string // names in order
	Groups []Group  // by name
	Total  Group    // all groups together
	Policy Policy   // the rules
}

// Policy is the rules that made a report.
type Policy struct {
	Window  time.Duration // 0: no limit
	Strict  bool
	Reentry Reentry // empty if the report was made of counts
	End     time.Time
	Level   float64
}

// A Group is the funnel of one platform or segment.
type Group struct {
	Name  string
	Level float64 // of the intervals
	Steps []Result
}

// A Result is what happened at one step of a group.
type Result struct {
	Step    string
	Count   int    // customers who reached the step, or attempts under EveryEntry
	Before  int    // those who reached the step before; 0 at the first step
	Entered int    // those who reached the first step
	Dropped int    // those who reached this step and not the next, and can no more; 0 at the last
	Open    int    // those who reached this step and may reach the next yet
	Time    Timing // from the step before
	Since   Timing // from the first step
}

// A Timing summarizes how long those who took a step needed for it. All are zero if N is.
type Timing struct {
	N      int           `json:"n"`
	Mean   time.Duration `json:"mean_ns"`
	P25    time.Duration `json:"p25_ns"` // quantiles by linear interpolation
	Median time.Duration `json:"median_ns"`
	P75    time.Duration `json:"p75_ns"`
	P90    time.Duration `json:"p90_ns"`
}

// Rate returns the part of those who reached the step before that reached this one. It returns an error that wraps
// [ledger.ErrUndefined] at the first step, which has none before it, and if nobody reached the step before.
func (r Result) Rate() (float64, error) { return r.of(r.Before) }

// Overall returns the part of those who entered the funnel that reached this step, with the same error as Rate.
func (r Result) Overall() (float64, error) { return r.of(r.Entered) }

// DropOff returns the part of those who reached the step that went no further and can no more.
func (r Result) DropOff() (float64, error) {
	return Result{Step: r.Step, Count: r.Dropped}.of(r.Count)
}

func (r Result) of(base int) (float64, error) {
	if base == 0 {
		return 0, fmt.Errorf("funnel: step %q: %w: nobody came so far", r.Step, ledger.ErrUndefined)
	}
	return float64(r.Count) / float64(base), nil
}

// Interval returns Wilson's score interval of Rate at a level such as 0.95, with the error of Rate and one for a level
// that is not between 0 and 1.
func (r Result) Interval(level float64) (low, high float64, err error) {
	if _, err := r.Rate(); err != nil {
		return 0, 0, err
	}
	if !(level > 0 && level < 1) {
		return 0, 0, fmt.Errorf("funnel: level %v: not between 0 and 1", level)
	}
	low, high = stat.Wilson(float64(r.Count), float64(r.Before), level)
	return low, high, nil
}

// builder collects the attempts of one group.
type builder struct {
	count, open []int
	time, since [][]float64
}

func newReporter(steps []Step, o *Options) *reporter {
	r := &reporter{groups: map[string]*builder{}, o: o}
	for _, s := range steps {
		r.steps = append(r.steps, s.Name)
	}
	return r
}

// reporter collects the attempts of all groups.
type reporter struct {
	steps  []string
	groups map[string]*builder
	o      *Options
}

func (b *builder) grow(n int) *builder {
	b.count, b.open = make([]int, n), make([]int, n)
	b.time, b.since = make([][]float64, n), make([][]float64, n)
	return b
}

func (r *reporter) add(a attempt, p *path) {
	name := ""
	if r.o.By != nil {
		name = r.o.By(p.events[a[0]])
	}
	b := r.groups[name]
	if b == nil {
		b = (&builder{}).grow(len(r.steps))
		r.groups[name] = b
	}
	start := p.events[a[0]].At
	for k, i := range a {
		b.count[k]++
		if k > 0 {
			at := p.events[i].At
			b.time[k] = append(b.time[k], float64(at.Sub(p.events[a[k-1]].At)))
			b.since[k] = append(b.since[k], float64(at.Sub(start)))
		}
	}
	if p.open(a) {
		b.open[len(a)-1]++
	}
}

func (r *reporter) report() *Report {
	out := &Report{Steps: r.steps, Policy: Policy{Window: r.o.Window, Strict: r.o.Strict, Reentry: r.o.Reentry, End: r.o.End, Level: r.o.Level}}
	all := (&builder{}).grow(len(r.steps))
	for _, name := range slices.Sorted(maps.Keys(r.groups)) {
		b := r.groups[name]
		out.Groups = append(out.Groups, b.group(name, r.steps, r.o.Level))
		for k := range r.steps {
			all.count[k] += b.count[k]
			all.open[k] += b.open[k]
			all.time[k] = append(all.time[k], b.time[k]...)
			all.since[k] = append(all.since[k], b.since[k]...)
		}
	}
	out.Total = all.group("(total)", r.steps, r.o.Level)
	return out
}

func (b *builder) group(name string, steps []string, level float64) Group {
	g := Group{Name: name, Level: level}
	for k, step := range steps {
		res := Result{Step: step, Count: b.count[k], Entered: b.count[0], Open: b.open[k],
			Time: timing(b.time[k]), Since: timing(b.since[k])}
		if k > 0 {
			res.Before = b.count[k-1]
		}
		if k+1 < len(steps) {
			res.Dropped = b.count[k] - b.count[k+1] - b.open[k]
		}
		g.Steps = append(g.Steps, res)
	}
	return g
}

// timing summarizes durations; it leaves them as they are.
func timing(values []float64) Timing {
	if len(values) == 0 {
		return Timing{}
	}
	sorted := slices.Sorted(slices.Values(values))
	sum := 0.0
	for _, v := range sorted {
		sum += v
	}
	at := func(p float64) time.Duration { return time.Duration(stat.Quantile(sorted, p)) }
	return Timing{N: len(sorted), Mean: time.Duration(sum / float64(len(sorted))), P25: at(0.25), Median: at(0.5), P75: at(0.75), P90: at(0.9)}
}

// Counts are how many reached each step on one platform.
type Counts struct {
	Platform string
	Reached  []int // one number for each step, none greater than the one before
}

// Count makes a report of counts, for those who have no events: opens, clicks, visits, orders by platform. Rows of one
// platform are added up. The level is that of the intervals; 0 means 0.95. It has no times and nobody is open.
//
// It returns a *[ledger.RowError] if a row does not have a number for each step, or one that is negative or greater than
// the one before.
func Count(steps []string, rows []Counts, level float64) (*Report, error) {
	o := &Options{Level: level}
	named := Steps(steps...)
	if err := o.validate(named); err != nil {
		return nil, err
	}
	if o.Level == 0 {
		o.Level = 0.95
	}
	r := newReporter(named, o)
	for i, row := range rows {
		bad := func(field, value, reason string) error {
			return fmt.Errorf("funnel: %w", &ledger.RowError{Row: i + 1, Field: field, Value: value, Err: fmt.Errorf("%s", reason)})
		}
		if len(row.Reached) != len(steps) {
			return nil, bad("reached", fmt.Sprint(row.Reached), fmt.Sprintf("%d numbers for %d steps", len(row.Reached), len(steps)))
		}
		b := r.groups[row.Platform]
		if b == nil {
			b = (&builder{}).grow(len(steps))
			r.groups[row.Platform] = b
		}
		for k, n := range row.Reached {
			if n < 0 || k > 0 && n > row.Reached[k-1] {
				return nil, bad(steps[k], fmt.Sprint(n), "negative, or more than reached the step before")
			}
			b.count[k] += n
		}
	}
	return r.report(), nil
}

// Cost returns what each stage of the group costs: media is what filled the funnel, and each what every customer costs
// who reaches a step, by the name of the step; a step that is absent costs nothing of its own. See [cac.StackedCost] for
// the formulas and errors; a name that is no step is an error.
func (g Group) Cost(media money.Amount, each map[string]money.Amount) (cac.Stacked, error) {
	stages := make([]cac.Stage, len(g.Steps))
	used := 0
	for k, s := range g.Steps {
		a, ok := each[s.Step]
		if ok {
			used++
		}
		stages[k] = cac.Stage{Name: s.Step, Count: int64(s.Count), Each: a}
	}
	if used < len(each) {
		return cac.Stacked{}, fmt.Errorf("funnel: a cost of something that is no step of %v", g.names())
	}
	return cac.StackedCost(media, stages...)
}

func (g Group) names() []string {
	out := make([]string, len(g.Steps))
	for k, s := range g.Steps {
		out[k] = s.Step
	}
	return out
}

// Find returns the group of that name.
func (r *Report) Find(name string) (Group, bool) {
	for _, g := range r.Groups {
		if g.Name == name {
			return g, true
		}
	}
	return Group{}, false
}

type resultJSON struct {
	Step    string   `json:"step"`
	Count   int      `json:"count"`
	Rate    *float64 `json:"rate"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Overall *float64 `json:"overall"`
	Dropped int      `json:"dropped"`
	Open    int      `json:"open"`
	Time    Timing   `json:"time"`
	Since   Timing   `json:"since_entry"`
}

func (r Result) json(level float64) resultJSON {
	out := resultJSON{Step: r.Step, Count: r.Count, Dropped: r.Dropped, Open: r.Open, Time: r.Time, Since: r.Since}
	if x, err := r.Rate(); err == nil {
		out.Rate = &x
	}
	if low, high, err := r.Interval(level); err == nil {
		out.Low, out.High = &low, &high
	}
	if x, err := r.Overall(); err == nil {
		out.Overall = &x
	}
	return out
}

// MarshalJSON writes the steps with their rates; a rate without a base is null.
func (g Group) MarshalJSON() ([]byte, error) {
	steps := make([]resultJSON, len(g.Steps))
	for k, s := range g.Steps {
		steps[k] = s.json(g.Level)
	}
	return json.Marshal(map[string]any{"group": g.Name, "level": g.Level, "steps": steps})
}

// MarshalJSON writes the report with its rules.
func (r *Report) MarshalJSON() ([]byte, error) {
	policy := map[string]any{"window_ns": r.Policy.Window, "strict": r.Policy.Strict, "reentry": r.Policy.Reentry, "level": r.Policy.Level}
	if !r.Policy.End.IsZero() {
		policy["end"] = r.Policy.End
	}
	return json.Marshal(map[string]any{"policy": policy, "steps": r.Steps, "groups": append([]Group{}, r.Groups...), "total": r.Total})
}

// String returns the report as an aligned table: a block of steps for each group if there are several, and the total.
func (r *Report) String() string {
	groups := slices.Clone(r.Groups)
	if len(groups) == 1 {
		groups = nil
	}
	var rows [][]string
	for _, g := range append(groups, r.Total) {
		if g.Name == "" {
			g.Name = "(none)"
		}
		for k, s := range g.Steps {
			line := s.line(g)
			if k == 0 {
				line[3], line[4] = "", "" // the entry has no step before it
			}
			rows = append(rows, line)
		}
	}
	return table.Text([]string{"group", "step", "count", "rate", fmt.Sprintf("%g%% interval", 100*r.Policy.Level), "overall", "dropped", "open", "median time"}, rows, 2)
}

func (r Result) line(g Group) []string {
	rate, err := r.Rate()
	low, high, ierr := r.Interval(g.Level)
	interval := table.Undefined
	if ierr == nil {
		interval = table.Percent(low, nil) + " - " + table.Percent(high, nil)
	}
	median := ""
	if r.Time.N > 0 {
		median = r.Time.Median.Round(time.Second).String()
	}
	overall, oerr := r.Overall()
	return []string{g.Name, r.Step, fmt.Sprint(r.Count), table.Percent(rate, err), interval, table.Percent(overall, oerr), fmt.Sprint(r.Dropped), fmt.Sprint(r.Open), median}
}

// WriteCSV writes one line for each group and step with the header
// group,step,count,before,entered,rate,low,high,overall,dropped,open,mean_seconds,median_seconds,p90_seconds,median_seconds_since_entry.
// A rate without a base is empty.
func (r *Report) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, g := range r.Groups {
		for _, s := range g.Steps {
			rate, err := s.Rate()
			low, high, ierr := s.Interval(g.Level)
			overall, oerr := s.Overall()
			seconds := func(d time.Duration) string {
				if s.Time.N == 0 {
					return ""
				}
				return table.Float(d.Seconds(), nil)
			}
			rows = append(rows, []string{g.Name, s.Step, fmt.Sprint(s.Count), fmt.Sprint(s.Before), fmt.Sprint(s.Entered), table.Float(rate, err),
				table.Float(low, ierr), table.Float(high, ierr), table.Float(overall, oerr), fmt.Sprint(s.Dropped), fmt.Sprint(s.Open),
				seconds(s.Time.Mean), seconds(s.Time.Median), seconds(s.Time.P90), seconds(s.Since.Median)})
		}
	}
	return table.CSV(w, strings.Split("group,step,count,before,entered,rate,low,high,overall,dropped,open,mean_seconds,median_seconds,p90_seconds,median_seconds_since_entry", ","), rows)
}
