package rfm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Record is what one customer did up to the end of observation.
type Record struct {
	Customer  string       `json:"customer"`
	Recency   int          `json:"recency_days"` // days from the last purchase to the end; 0 for a purchase on the last day
	Frequency int          `json:"frequency"`    // purchases: orders or days, as SummaryOptions.Count says; never 0
	Monetary  money.Amount `json:"monetary"`     // M, as SummaryOptions.Value says; may be zero or negative after refunds
	Revenue   money.Amount `json:"revenue"`      // everything paid, net of refunds
	First     Date         `json:"first"`        // day of the first purchase
	Last      Date         `json:"last"`         // day of the last purchase
}

// Length returns the days from the first to the last purchase, the L of LRFM.
func (r *Record) Length() int { return int(r.Last - r.First) }

// Gap returns the average number of days between purchases, Length / (Frequency - 1), and false for a customer with a
// single purchase.
func (r *Record) Gap() (float64, bool) {
	if r.Frequency < 2 {
		return 0, false
	}
	return float64(r.Length()) / float64(r.Frequency-1), true
}

// An Unscored customer has no net positive order: only refunds, only free orders, or orders that were canceled. Such
// customers have no score and no segment; they are kept apart so that customers and money add up.
type Unscored struct {
	Customer string       `json:"customer"`
	Revenue  money.Amount `json:"revenue"` // everything paid, net of refunds: zero or negative
	Free     int          `json:"free"`    // free orders
	Refunds  int          `json:"refunds"` // refunds and canceled orders
}

// A Report says what became of the rows of a log.
type Report struct {
	Rows      int          `json:"rows"`      // read
	Before    int          `json:"before"`    // left out: on a day before Start
	After     int          `json:"after"`     // left out: on a day after the end
	Lines     int          `json:"lines"`     // joined to the order of the row before, since they have its ID
	Purchases int          `json:"purchases"` // orders that count, free ones included; with CountDays several may share a day
	Free      int          `json:"free"`      // purchases without spend
	Refunds   int          `json:"refunds"`   // refunds and canceled orders
	Refunded  money.Amount `json:"refunded"`  // what the refunds took, zero or negative; parts of an order that stays positive are not in it
	Revenue   money.Amount `json:"revenue"`   // of all customers, scored or not: the sum of all rows in the period
}

// A Summary is one record a customer, sorted by customer, with what it was made from. It is what the scores are
// computed from.
type Summary struct {
	Start    Date           `json:"start"` // first day of observation, of the first purchase if none was given
	End      Date           `json:"end"`   // last day of observation
	Currency money.Currency `json:"currency"`
	Count    Count          `json:"count"`
	Value    Value          `json:"value"`
	Rows     []Record       `json:"rows"`
	Unscored []Unscored     `json:"unscored"`
	Report   Report         `json:"report"`

	days [][]Date       // beside Rows, if they were kept
	loc  *time.Location // of the days
}

// Days returns the distinct days on which the customer of Rows[i] bought, in order, and false unless the summary was
// made with KeepDays or CountDays. The slice belongs to the summary and must not be modified.
func (s *Summary) Days(i int) ([]Date, bool) {
	if s.days == nil {
		return nil, false
	}
	return s.days[i], true
}

// Summarize reads a log once, in any row order, and returns one record a customer as of the calendar day of end, which
// is the last day that counts. Memory is proportional to the number of customers, not of rows. A nil o means the
// defaults.
//
//   - A purchase is an order with a net amount above zero, or a free order of zero.
//   - A refund (a negative order) lowers Revenue and Monetary, is never counted in Frequency and never refreshes Recency.
//   - A customer without a net positive order is in Unscored.
//   - Rows after end's day and before Start are left out and counted in Report.
//
// It returns an error for a log without rows in the period, and for all that [Partial.Add] lists.
func Summarize(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, o *SummaryOptions) (*Summary, error) {
	return summarizeBy(ctx, log, end, nil, o)
}

// summarizeBy is Summarize with a group before the id of every customer, if by is not nil.
func summarizeBy(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, by func(ledger.Transaction) string, o *SummaryOptions) (*Summary, error) {
	p, err := newUntil(end, o)
	if err != nil {
		return nil, err
	}
	if err := p.addUntil(ctx, log, p.cal.date(end), by); err != nil {
		return nil, err
	}
	return p.summary(ctx, end)
}

// SummarizeAll is Summarize over several logs, such as the files of a partitioned table, of which Workers are read at a
// time, each on a goroutine of its own. Their rows may concern the same customers; the lines of one order have to be in
// one log. Progress is not called. An error names the log by its number, from 1.
func SummarizeAll(ctx context.Context, logs []iter.Seq2[ledger.Transaction, error], end time.Time, o *SummaryOptions) (*Summary, error) {
	p, err := newUntil(end, o)
	if err != nil {
		return nil, err
	}
	p.o.Progress = nil
	if err := p.addAll(ctx, logs, p.cal.date(end)); err != nil {
		return nil, err
	}
	return p.summary(ctx, end)
}

func newUntil(end time.Time, o *SummaryOptions) (*Partial, error) {
	if end.IsZero() {
		return nil, errors.New("rfm: end of observation is the zero time")
	}
	opt := o.orDefaults()
	if opt.Location == nil {
		opt.Location = end.Location()
	}
	return NewPartial(&opt)
}

func (p *Partial) addAll(ctx context.Context, logs []iter.Seq2[ledger.Transaction, error], end Date) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	feeds, errs := make([]*feed, len(logs)), make([]error, len(logs))
	next := make(chan int)
	var readers sync.WaitGroup
	for range min(workers(p.o.Workers), len(logs)) {
		readers.Add(1)
		go func() {
			defer readers.Done()
			for i := range next {
				feeds[i] = newFeed(p, end)
				feeds[i].workers = 1
				if errs[i] = feeds[i].run(ctx, logs[i]); errs[i] != nil {
					cancel()
				}
			}
		}()
	}
	for i := range logs {
		next <- i
	}
	close(next)
	readers.Wait()
	if err := firstFailure(errs); err != nil {
		return err
	}
	for i, f := range feeds {
		if f.currency != "" && p.currency != "" && f.currency != p.currency {
			return fmt.Errorf("rfm: log %d: %w", i+1, mixed(f.currency, p.currency))
		}
		if f.currency != "" {
			p.currency = f.currency
		}
		if f.hasRows && (!p.hasRows || f.latest > p.latest) {
			p.latest, p.hasRows = f.latest, true
		}
		p.counts.add(f.counts)
	}
	return p.check()
}

// firstFailure returns the first error that is not the cancellation which another one caused.
func firstFailure(errs []error) error {
	var stopped error
	for i, err := range errs {
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled):
			stopped = err
		default:
			return fmt.Errorf("rfm: log %d: %w", i+1, unprefixed(err))
		}
	}
	return stopped
}

// unprefixed takes the package's name off an error that gets it again.
func unprefixed(err error) error {
	if strings.HasPrefix(err.Error(), "rfm: ") {
		return inner{err}
	}
	return err
}

type inner struct{ error }

func (e inner) Error() string { return strings.TrimPrefix(e.error.Error(), "rfm: ") }
func (e inner) Unwrap() error { return e.error }

// Summary returns the summary as of the calendar day of end in the Partial's location. It returns an error if the
// Partial holds no rows or rows of days after end: what is added cannot be taken out again. The Partial can be used on.
func (p *Partial) Summary(end time.Time) (*Summary, error) {
	return p.summary(context.Background(), end)
}

func (p *Partial) summary(ctx context.Context, end time.Time) (*Summary, error) {
	if p.err != nil {
		return nil, p.err
	}
	if p.cal == nil {
		return nil, errEmptyPartial
	}
	day := p.cal.date(end)
	switch {
	case !p.hasRows && p.counts.rows == 0:
		return nil, errors.New("rfm: the log has no rows")
	case !p.hasRows:
		return nil, fmt.Errorf("rfm: none of the %d rows is in the period: %d before its start, %d after its end on %s",
			p.counts.rows, p.counts.before, p.counts.after, day)
	case p.latest > day:
		return nil, fmt.Errorf("rfm: end of observation on %s: rows up to %s were added", day, p.latest)
	case p.hasStart && p.start > day:
		return nil, fmt.Errorf("rfm: end of observation on %s: before the start on %s", day, p.start)
	}
	parts := make([]columns, len(p.shards))
	for i := range p.shards {
		parts[i] = p.shards[i].settled(layoutOf(&p.o))
		if parts[i].err != nil {
			return nil, parts[i].err
		}
	}
	return p.table(ctx, parts, day)
}

// table sorts the states and turns them into records.
func (p *Partial) table(ctx context.Context, parts []columns, end Date) (*Summary, error) {
	n := workers(p.o.Workers)
	places := sorted(parts, n, func() bool { return ctx.Err() != nil })
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("rfm: %w", err)
	}
	s := &Summary{Start: p.start, End: end, Currency: p.currency, Count: p.o.Count, Value: p.o.Value, loc: p.o.Location}
	scored, none := make([]place, 0, len(places)), zero(p.currency)
	for _, at := range places {
		if c := &parts[at.shard].states[at.index]; c.positive > 0 {
			scored = append(scored, at)
		} else {
			s.Unscored = append(s.Unscored, Unscored{c.id, known(c.total, none), int(c.purchases), int(c.refunds)})
		}
	}
	s.Rows = make([]Record, len(scored))
	if p.o.KeepDays || p.o.Count == CountDays {
		s.days = make([][]Date, len(scored))
	}
	err := inChunks(len(scored), n, func(from, to int) error {
		for i := from; i < to; i++ {
			if i%canceledRows == 0 && ctx.Err() != nil {
				return fmt.Errorf("rfm: %w", ctx.Err())
			}
			if err := p.record(&s.Rows[i], &parts[scored[i].shard], scored[i].index, end, none); err != nil {
				return err
			}
			if s.days != nil {
				s.days[i] = append([]Date(nil), parts[scored[i].shard].days[scored[i].index]...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !p.hasStart {
		s.Start = firstOf(s.Rows, end)
	}
	return s, p.report(s, parts)
}

func firstOf(rows []Record, first Date) Date {
	for i := range rows {
		first = min(first, rows[i].First)
	}
	return first
}

func (p *Partial) record(r *Record, s *columns, index uint32, end Date, none money.Amount) error {
	c := &s.states[index]
	total := known(c.total, none)
	*r = Record{Customer: c.id, Recency: int(end - c.last), Frequency: int(c.purchases),
		Monetary: total, Revenue: total, First: c.first, Last: c.last}
	if p.o.Count == CountDays {
		r.Frequency = len(s.days[index])
	}
	var err error
	switch p.o.Value {
	case Mean:
		r.Monetary, err = average(total, r.Frequency)
	case Margin:
		r.Monetary, err = total.Sub(s.costs[index])
	}
	if err != nil {
		return fmt.Errorf("rfm: customer %.80q: %s: %w", c.id, p.o.Value, err)
	}
	return nil
}

// known returns none for the zero Amount, so that every amount of a summary names its currency: a zero may have lost it
// on the way through a file.
func known(a, none money.Amount) money.Amount {
	if a.Currency() == "" {
		return none
	}
	return a
}

func (p *Partial) report(s *Summary, parts []columns) error {
	r := Report{Rows: p.counts.rows, Before: p.counts.before, After: p.counts.after, Lines: p.counts.lines}
	var refunded, revenue money.Sum
	refunded.Add(zero(p.currency))
	revenue.Add(zero(p.currency))
	for i := range parts {
		refunded.Add(parts[i].refund)
		for j := range parts[i].states {
			c := &parts[i].states[j]
			r.Purchases += int(c.purchases)
			r.Free += int(c.purchases - c.positive)
			r.Refunds += int(c.refunds)
			revenue.Add(c.total)
		}
	}
	var err error
	if r.Refunded, err = refunded.Total(); err == nil {
		r.Revenue, err = revenue.Total()
	}
	if err != nil {
		return fmt.Errorf("rfm: total of all customers: %w", err)
	}
	s.Report = r
	return nil
}

// average returns a divided by n, rounded to the minor unit, half to even; currencies without one keep 8 decimals.
func average(a money.Amount, n int) (money.Amount, error) {
	if _, ok := a.Currency().Digits(); !ok {
		if a.Currency() == "" {
			return a, nil
		}
		return money.Parse(fmt.Sprintf("%.8f", a.Float64()/float64(n)), a.Currency())
	}
	yen, err := money.FromMinor(int64(n), "JPY") // n as a decimal: a yen has no smaller unit
	if err != nil {
		return money.Amount{}, err
	}
	return a.Div(yen.Decimal(), money.HalfEven)
}

// inChunks calls f on stretches of 0 to n, side by side on up to workers goroutines, and returns the error of the
// earliest stretch that has one.
func inChunks(n, workers int, f func(from, to int) error) error {
	const least = 1 << 12
	workers = max(1, min(workers, n/least, 4*runtime.GOMAXPROCS(0)))
	if workers == 1 {
		return f(0, n)
	}
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			errs[w] = f(n*w/workers, n*(w+1)/workers)
		}()
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// inWorkers calls f for 0 to n-1 on up to workers goroutines and returns the error of the smallest that has one.
func inWorkers(n, workers int, f func(i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var group sync.WaitGroup
	for range min(n, workers) {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range next {
				errs[i] = f(i)
			}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
