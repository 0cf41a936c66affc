package churn

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Counting says what makes a customer count as retained at an age.
type Counting uint8

// The countings.
const (
	On        Counting = iota // active in the period of exactly that age ("N-day" retention)
	OnOrAfter                 // active in the period of that age or a later one ("unbounded" retention)
)

// String returns "on" or "on or after".
func (c Counting) String() string {
	if c == OnOrAfter {
		return "on or after"
	}
	return "on"
}

// MarshalText writes the name.
func (c Counting) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the name.
func (c *Counting) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on":
		*c = On
	case "on or after":
		*c = OnOrAfter
	default:
		return fmt.Errorf("churn: counting %q: want on, or on or after", text)
	}
	return nil
}

// CohortOptions say how CohortsBy counts. The zero value, and nil, count every event as start and as activity, by the
// calendar periods given.
type CohortOptions struct {
	Start  string // name of the event that makes a customer a member; empty means any event
	Return string // name of the event that counts as activity; empty means any event

	Counting Counting // On if zero
	// Brackets are ranges of ages, both ends included, that become one cell each: {{0, 0}, {1, 2}, {3, 6}}. A customer is
	// retained in a bracket if active in any of its periods. Nil means one cell an age. Only with On.
	Brackets [][2]int

	// Recurring makes a customer a member of the cohort of every period with a start event, not only of the first.
	Recurring bool

	// Born gives the start of a customer whose start is known from elsewhere, such as the first subscription; the zero time
	// leaves the customer out. Nil means the first start event in the stream, also one before the first period: whose
	// first event is earlier belongs to no cohort of the table.
	Born func(customer string) time.Time

	// Every, unless zero, counts ages in rolling intervals of this length since the customer's own start, and the calendar
	// periods group the customers only. The times of all events are then kept in memory.
	Every time.Duration
	// Floor rounds a customer's start down to a multiple of this in a rolling count: with an hour, who starts at 17:59
	// and returns at 17:00 the next day has returned on day 1. Zero means no rounding.
	Floor time.Duration
	// Ages is the number of ages of a rolling count; zero means as many as there are periods.
	Ages int

	// End is the instant up to which the data are complete; the zero time means the end of the last period. Later events
	// are left out, and cells whose period has not ended by then are marked immature.
	End time.Time

	Value bool // sum the Value of events by cohort and age as well, those of every name
}

// A CohortTable is a retention matrix: what became of the customers who started in each period.
type CohortTable struct {
	Counting Counting      `json:"counting"`
	Every    time.Duration `json:"every_ns,omitempty"` // of a rolling count, else 0
	End      time.Time     `json:"end"`                // the data are complete up to here
	Rows     []CohortRow   `json:"rows"`               // one a period, in their order
	Total    []CohortCell  `json:"total"`              // one a column: the sums over the mature cells, whose rate is the average weighted by size
	Before   int           `json:"before"`             // customers left out since they started before the first period
	After    int           `json:"after"`              // customers left out since they started after the last period
	Unborn   int           `json:"unborn"`             // customers left out since they have no start event
	Late     int           `json:"late"`               // events at or after End, left out
}

// A CohortRow is one cohort.
type CohortRow struct {
	Period ledger.Period `json:"period"` // when the customers started
	Size   int           `json:"size"`   // how many
	Cells  []CohortCell  `json:"cells"`  // by age, as many as have begun before End
}

// A CohortCell is a cohort at an age, or in a bracket of ages. Age 0 is the period of the start.
type CohortCell struct {
	From   int `json:"from"`   // age in periods, or intervals
	To     int `json:"to"`     // the last age of a bracket, else From
	Active int `json:"active"` // customers retained
	// Base is the customers of whom Active are a part: the cohort's size; in a rolling count only those for whom the whole
	// interval lies before End, and Active counts them alone.
	Base int `json:"base"`
	// Mature is false if the period has not ended by End: Active may still grow, and the cell is in no total.
	Mature  bool         `json:"mature"`
	Revenue money.Amount `json:"revenue,omitzero"` // with CohortOptions.Value, of all members, mature or not
}

// Rate returns Active of Base. Its error wraps ledger.ErrUndefined for a cohort without customers.
func (c CohortCell) Rate() (Share, error) {
	return share("cohort", float64(c.Active), float64(c.Base))
}

// Of returns the customers retained in cell k as a share of those in cell ref: 0 for the start, k-1 for the period
// before. It returns an error if there is no such cell, and one that wraps ledger.ErrUndefined if nobody was active in
// cell ref. In a rolling count both cells must have the same Base.
func (r CohortRow) Of(k, ref int) (Share, error) {
	if k < 0 || ref < 0 || k >= len(r.Cells) || ref >= len(r.Cells) {
		return Share{}, fmt.Errorf("churn: cohort %s: no cells %d and %d of %d", r.Period, k, ref, len(r.Cells))
	}
	if r.Cells[k].Base != r.Cells[ref].Base {
		return Share{}, fmt.Errorf("churn: cohort %s: cells %d and %d have different bases, %d and %d", r.Period, k, ref, r.Cells[k].Base, r.Cells[ref].Base)
	}
	return share("cohort", float64(r.Cells[k].Active), float64(r.Cells[ref].Active))
}

// Cohorts returns the retention matrix of purchases: customers are grouped by the period of their first purchase, and a
// cell counts those who purchased in the period of that age. A negative amount is a refund and no purchase. The periods
// are adjacent, as those of ledger.Months and ledger.Weeks are; their time zone and first day of the week are those of
// the table. CohortsBy has the other ways to count, RevenueCohorts the money.
//
// The rows may come in any order; memory is for customers, not for rows.
//
// Cohorts returns an error of the stream, one for a row without customer or time, and one if there are no periods or if
// they are not adjacent.
func Cohorts(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period) (*CohortTable, error) {
	return CohortsBy(ctx, Purchases(log), periods, &CohortOptions{Start: Purchase, Return: Purchase})
}

// RevenueCohorts is Cohorts with the money: each cell has what the cohort paid in the period, refunds subtracted when
// they were paid. It returns an error besides if the amounts have several currencies.
func RevenueCohorts(ctx context.Context, log iter.Seq2[ledger.Transaction, error], periods []ledger.Period) (*CohortTable, error) {
	return CohortsBy(ctx, Purchases(log), periods, &CohortOptions{Start: Purchase, Return: Purchase, Value: true})
}

// The names of the events that Purchases makes.
const (
	Purchase = "purchase"
	Refund   = "refund"
)

// Purchases makes events of transactions: a Purchase or, where the amount is negative, a Refund, with the amount as
// their Value.
func Purchases(log iter.Seq2[ledger.Transaction, error]) iter.Seq2[ledger.Event, error] {
	return ledger.Map(log, func(t ledger.Transaction) (ledger.Event, error) {
		name := Purchase
		if t.Amount.Sign() < 0 {
			name = Refund
		}
		return ledger.Event{Customer: t.Customer, At: t.At, Name: name, Value: t.Amount}, nil
	})
}

// CohortsBy returns the retention matrix of events of any kind. Start and return events, calendar or rolling periods,
// single ages, brackets or "on or after", and first-time or recurring cohorts are chosen by the options.
//
// The rows may come in any order. Memory is for customers and the periods in which they were active; a rolling count
// keeps the times of all events.
//
// It returns an error of the stream, one for a row without customer or time, one for options that contradict each other
// and for periods that are not adjacent, and with CohortOptions.Value one for amounts of several currencies.
func CohortsBy(ctx context.Context, events iter.Seq2[ledger.Event, error], periods []ledger.Period, o *CohortOptions) (*CohortTable, error) {
	var opts CohortOptions
	if o != nil {
		opts = *o
	}
	c, err := newCohortCounter(periods, opts)
	if err != nil {
		return nil, err
	}
	row := 0
	for e, err := range events {
		row++
		if err != nil {
			return nil, streamError(err)
		}
		if row%4096 == 0 && ctx.Err() != nil {
			break
		}
		if err := checkWho(row, e.Customer, e.At); err != nil {
			return nil, err
		}
		if err := c.add(row, &e); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, streamError(err)
	}
	return c.table(ctx)
}

// checkPeriods returns an error unless the periods are valid and adjacent.
func checkPeriods(periods []ledger.Period) error {
	if len(periods) == 0 {
		return errors.New("churn: no periods")
	}
	for i, p := range periods {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("churn: period %d: %w", i+1, err)
		}
		if i > 0 && !p.Start.Equal(periods[i-1].End) {
			return fmt.Errorf("churn: period %d, %s, does not begin where period %d, %s, ends", i+1, p, i, periods[i-1])
		}
	}
	return nil
}

func (o *CohortOptions) validate() error {
	switch {
	case o.Counting > OnOrAfter:
		return fmt.Errorf("churn: cohorts: unknown counting %d", o.Counting)
	case o.Brackets != nil && o.Counting == OnOrAfter:
		return errors.New("churn: cohorts: brackets with on-or-after counting")
	case o.Every < 0 || o.Floor < 0 || o.Ages < 0:
		return errors.New("churn: cohorts: a negative Every, Floor or Ages")
	case o.Every == 0 && (o.Floor != 0 || o.Ages != 0):
		return errors.New("churn: cohorts: Floor and Ages are for rolling intervals; set Every")
	case o.Every != 0 && o.Recurring:
		return errors.New("churn: cohorts: recurring cohorts are for calendar periods, not for rolling intervals")
	case o.Recurring && o.Born != nil:
		return errors.New("churn: cohorts: recurring cohorts have no single start; leave Born nil")
	}
	for i, b := range o.Brackets {
		if b[0] < 0 || b[1] < b[0] || (i > 0 && b[0] <= o.Brackets[i-1][1]) {
			return fmt.Errorf("churn: cohorts: bracket %d, %v: want rising ranges of ages without overlap", i+1, b)
		}
	}
	return nil
}
