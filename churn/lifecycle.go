package churn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// LifecycleOptions say how stages are told. The zero value, and nil, take a customer as at risk after one calendar period
// without a purchase, dormant after two and lost after six.
type LifecycleOptions struct {
	Periods PeriodRule // by periods without a purchase; zero means the defaults above
	Rhythm  *Rhythm    // by each customer's own rhythm instead; points to a zero Rhythm for its defaults
	// Value gives what a customer is worth, such as a CLV, in one currency; nil means the net spend so far.
	Value   func(customer string) money.Amount
	NoValue bool      // leave the money out; needed for a log of several currencies
	End     time.Time // the data are complete up to here; the zero time means the end of the last period
}

// A LifecycleTable is the stages of all customers at the end of each period and the moves between them.
type LifecycleTable struct {
	Rule string            `json:"rule"` // how stages were told
	Rows []LifecyclePeriod `json:"rows"`
}

// A LifecyclePeriod is one period of a LifecycleTable.
type LifecyclePeriod struct {
	Period    ledger.Period `json:"period"`
	Complete  bool          `json:"complete"`  // the period has ended by LifecycleOptions.End
	Purchased int           `json:"purchased"` // customers with a purchase in the period
	Stages    []StageCount  `json:"stages"`    // all seven, in order, at the end of the period
	Flows     []Flow        `json:"flows"`     // who was where a period before, without the empty ones
}

// A StageCount is the customers of one stage with their value.
type StageCount struct {
	Stage     Stage        `json:"stage"`
	Customers int          `json:"customers"`
	Value     money.Amount `json:"value,omitzero"`
}

// A Flow is the customers who were in one stage at the end of the period before and are in another now, or in the same.
type Flow struct {
	From      Stage        `json:"from"` // StageNone for those who were no customers yet
	To        Stage        `json:"to"`
	Customers int          `json:"customers"`
	Value     money.Amount `json:"value,omitzero"`
}

// Lifecycle puts every customer into a stage at the end of each period and counts the moves. The periods are adjacent;
// purchases before the first one count for the stages. A customer with a purchase in the period is
//
//	new          if it has the first purchase ever
//	resurrected  if dormant or lost at the end of the period before
//	returning    if at risk then
//	active       otherwise
//
// and one without is active, at risk, dormant or lost by the rule. By Rhythm, silence is counted in days up to the
// period's last, against the gaps before. Refunds are no purchases. Rows may come in any order; memory is for customers and
// their days with purchases.
//
// With PeriodRule{Dormant: 1} active is what product analytics calls returning, and the flow into dormant its dormant.
//
// Lifecycle returns an error of the stream, one with the row for a transaction without customer or time or of another
// currency, and one for periods that are not adjacent and options out of range.
func Lifecycle(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period, o *LifecycleOptions) (*LifecycleTable, error) {
	l, err := newLifecycle(periods, o)
	if err != nil {
		return nil, err
	}
	key := func(t time.Time) int64 { return int64(max(0, periodOf(periods, t))) }
	if l.o.NoValue || l.o.Value != nil {
		key = nil
	}
	end := periods[len(periods)-1].End
	all, err := buyers(ctx, log, l.loc, dayNumber(end.Add(-1), l.loc), key)
	if err != nil {
		return nil, err
	}
	if l.rhythm != nil {
		if l.usual, err = l.rhythm.fallback(all); err != nil {
			return nil, err
		}
	}
	for _, customer := range slices.Sorted(maps.Keys(all)) {
		if err := ctx.Err(); err != nil {
			return nil, streamError(err)
		}
		if err := l.add(customer, all[customer]); err != nil {
			return nil, err
		}
	}
	return l.table()
}

type flowKey struct{ from, to Stage }

// A flowSum counts customers and their value.
type flowSum struct {
	n     int
	value money.Sum
}

type lifecycle struct {
	o       LifecycleOptions
	rhythm  *Rhythm
	periods []ledger.Period
	loc     *time.Location
	ends    []int32 // first day after each period
	usual   float64 // days, of customers without a rhythm
	bought  []int
	flows   []map[flowKey]*flowSum
}

func newLifecycle(periods []ledger.Period, o *LifecycleOptions) (*lifecycle, error) {
	if err := checkPeriods(periods); err != nil {
		return nil, err
	}
	l := &lifecycle{periods: periods, loc: periods[0].Start.Location(), bought: make([]int, len(periods))}
	if o != nil {
		l.o = *o
	}
	if l.o.Periods == (PeriodRule{}) {
		l.o.Periods = PeriodRule{AtRisk: 1, Dormant: 2, Lost: 6}
	}
	if err := rising("period rule", int64(l.o.Periods.AtRisk), int64(l.o.Periods.Dormant), int64(l.o.Periods.Lost)); err != nil {
		return nil, err
	}
	if l.o.Rhythm != nil {
		r, err := l.o.Rhythm.defaults()
		if err != nil {
			return nil, err
		}
		l.rhythm = &r
	}
	if l.o.End.IsZero() {
		l.o.End = periods[len(periods)-1].End
	}
	for _, p := range periods {
		if day := ledger.Day(p.Start, l.loc); !day.Start.Equal(p.Start) {
			return nil, fmt.Errorf("churn: lifecycle: period %s does not begin with a calendar day of %s", p, l.loc)
		}
		l.ends = append(l.ends, dayNumber(p.End.Add(-1), l.loc)+1)
		l.flows = append(l.flows, map[flowKey]*flowSum{})
	}
	return l, nil
}

// add follows one customer through the periods.
func (l *lifecycle) add(customer string, b *buyer) error {
	var value money.Amount
	if l.o.Value != nil {
		value = l.o.Value(customer)
	}
	stage, last := StageNone, -1 // of the period before; the period of the last purchase, -1 before the first
	begin := dayNumber(l.periods[0].Start, l.loc)
	next, paid := 0, 0
	var gaps []float64 // sorted, of the days so far
	follow := func(until int32) bool {
		bought := false
		for ; next < len(b.days) && b.days[next] < until; next++ {
			bought = true
			if l.rhythm != nil && next > 0 {
				gap := float64(b.days[next] - b.days[next-1])
				i, _ := slices.BinarySearch(gaps, gap)
				gaps = slices.Insert(gaps, i, gap)
			}
		}
		return bought
	}
	if follow(begin) {
		stage = l.silent(b.days[next-1], begin, gaps, l.emptyBefore(b.days[next-1]))
		last = -1 - l.emptyBefore(b.days[next-1])
	}
	for t := range l.periods {
		bought := follow(l.ends[t])
		if next == 0 {
			continue
		}
		for ; paid < len(b.paid) && b.paid[paid].key <= int64(t); paid++ {
			sum, err := value.Add(b.paid[paid].amount)
			if err != nil {
				return fmt.Errorf("churn: lifecycle: customer %s: %w", customer, errors.Join(err, errConvert))
			}
			value = sum
		}
		var to Stage
		if bought {
			to = stage.back()
			last = t
			l.bought[t]++
		} else {
			to = l.silent(b.days[next-1], l.ends[t], gaps, t-last)
		}
		f := l.flows[t][flowKey{stage, to}]
		if f == nil {
			f = &flowSum{}
			l.flows[t][flowKey{stage, to}] = f
		}
		f.n++
		f.value.Add(value)
		stage = to
	}
	return nil
}

// emptyBefore returns how many periods as long as the first lie between a day before it and its start.
func (l *lifecycle) emptyBefore(day int32) int {
	length := l.ends[0] - dayNumber(l.periods[0].Start, l.loc)
	return int((dayNumber(l.periods[0].Start, l.loc) - 1 - day) / max(1, length))
}

// silent returns the stage of a customer without a purchase in the period that ends before the day end.
func (l *lifecycle) silent(last, end int32, gaps []float64, empty int) Stage {
	if l.rhythm == nil {
		return l.o.Periods.stage(empty)
	}
	usual, _ := l.rhythm.usual(gaps, l.usual, days(l.rhythm.Least))
	return l.rhythm.stage(float64(end-1-last) / usual)
}

func (l *lifecycle) table() (*LifecycleTable, error) {
	t := &LifecycleTable{Rule: fmt.Sprintf("periods without a purchase: at risk %d, dormant %d, lost %d",
		l.o.Periods.AtRisk, l.o.Periods.Dormant, l.o.Periods.Lost)}
	if r := l.rhythm; r != nil {
		t.Rule = fmt.Sprintf("own rhythm: quantile %v of at least %d gaps, else %.4g days; dormant at %v, lost at %v times",
			r.Quantile, r.MinGaps, l.usual, r.Dormant, r.Lost)
	}
	for i, p := range l.periods {
		row := LifecyclePeriod{Period: p, Complete: !p.End.After(l.o.End), Purchased: l.bought[i]}
		stages := map[Stage]*flowSum{}
		for _, s := range Stages() {
			stages[s] = &flowSum{}
		}
		for k, f := range l.flows[i] {
			value, err := f.value.Total()
			if err != nil {
				return nil, fmt.Errorf("churn: lifecycle: value of %s: %w", p, err)
			}
			row.Flows = append(row.Flows, Flow{k.from, k.to, f.n, value})
			stages[k.to].n += f.n
			stages[k.to].value.Merge(f.value)
		}
		slices.SortFunc(row.Flows, func(a, b Flow) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
		for _, s := range Stages() {
			value, err := stages[s].value.Total()
			if err != nil {
				return nil, fmt.Errorf("churn: lifecycle: value of %s: %w", p, err)
			}
			row.Stages = append(row.Stages, StageCount{s, stages[s].n, value})
		}
		t.Rows = append(t.Rows, row)
	}
	return t, nil
}

// Stage returns the customers of a stage at the end of the period.
func (p *LifecyclePeriod) Stage(s Stage) StageCount {
	for _, c := range p.Stages {
		if c.Stage == s {
			return c
		}
	}
	return StageCount{Stage: s}
}

// Lost returns the customers who moved in the period from a stage that is fine to a silent one, or to one further on, and
// what they are worth: the sum of the flows into to from earlier stages. StageAtRisk gives those who became at risk,
// StageLost those who were given up.
func (p *LifecyclePeriod) Lost(to Stage) (StageCount, error) {
	return p.sum(to, func(f Flow) bool { return to.Silent() && f.To == to && f.From < to && f.From != StageNone })
}

// WonBack returns the customers who came back in the period from a silent stage, and what they are worth.
func (p *LifecyclePeriod) WonBack(from Stage) (StageCount, error) {
	return p.sum(from, func(f Flow) bool { return from.Silent() && f.From == from && !f.To.Silent() })
}

func (p *LifecyclePeriod) sum(s Stage, which func(Flow) bool) (StageCount, error) {
	c := StageCount{Stage: s}
	var value money.Sum
	for _, f := range p.Flows {
		if which(f) {
			c.Customers += f.Customers
			value.Add(f.Value)
		}
	}
	total, err := value.Total()
	if err != nil {
		return StageCount{}, fmt.Errorf("churn: lifecycle: %w", err)
	}
	c.Value = total
	return c, nil
}

// String returns the customers by period and stage as a table. A star marks a period that is not over.
func (t *LifecycleTable) String() string {
	header := []string{"period"}
	for _, s := range Stages() {
		header = append(header, s.String())
	}
	var rows [][]string
	for _, p := range t.Rows {
		row := []string{p.Period.String()}
		if !p.Complete {
			row[0] += "*"
		}
		for _, s := range p.Stages {
			row = append(row, strconv.Itoa(s.Customers))
		}
		rows = append(rows, row)
	}
	return textTable(header, rows, 1)
}

// WriteCSV writes one line a flow with a header: what each period did to whom.
func (t *LifecycleTable) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, p := range t.Rows {
		for _, f := range p.Flows {
			rows = append(rows, []string{timeText(p.Period.Start), timeText(p.Period.End), strconv.FormatBool(p.Complete), f.From.String(), f.To.String(),
				strconv.Itoa(f.Customers), amountText(f.Value), currencyOf(f.Value)})
		}
	}
	return writeCSV(w, []string{"start", "end", "complete", "from", "to", "customers", "value", "currency"}, rows)
}
