package churn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// WindowOptions say how Window reads spans. The zero value, and nil, are the defaults.
type WindowOptions struct {
	Gap    time.Duration              // a break between two spans of up to this is no departure; 0: only spans that touch or overlap are one stay
	Choice func(reason string) Choice // who ended it; nil means ChoiceOf
	End    time.Time                  // the data are complete up to here; the zero time means at least to the end of the window
}

// A WindowTable is what happened to the customers between two instants, the start t0 and the end t1 of a period. Who is a
// customer is judged at the two instants: somebody whose span ends at t1 is gone at t1 and has left in the window.
//
//	Opening - Lost = Kept    Closing = Kept + New + Returned
type WindowTable struct {
	Period    ledger.Period `json:"period"`
	Complete  bool          `json:"complete"`   // false if the data end before the window does
	Opening   int           `json:"opening"`    // customers at t0
	Closing   int           `json:"closing"`    // customers at t1
	Kept      int           `json:"kept"`       // at both
	Lost      int           `json:"lost"`       // at t0 and not at t1
	New       int           `json:"new"`        // at t1, and never before t0 or at t0
	Returned  int           `json:"returned"`   // at t1, not at t0, but earlier
	FirstEver int           `json:"first_ever"` // customers whose first start is in (t0, t1], still there at t1 or not
	Departed  int           `json:"departed"`   // departures in (t0, t1], of anybody, each one

	// The value of the customers, from Span.Value at t0 and t1, customer by customer.
	//
	//	OpeningValue + NewValue + ReturnedValue + Expansion - Contraction - LostValue = ClosingValue
	OpeningValue  money.Amount `json:"opening_value,omitzero"`
	ClosingValue  money.Amount `json:"closing_value,omitzero"`
	NewValue      money.Amount `json:"new_value,omitzero"`
	ReturnedValue money.Amount `json:"returned_value,omitzero"`
	Expansion     money.Amount `json:"expansion,omitzero"`   // of those kept
	Contraction   money.Amount `json:"contraction,omitzero"` // of those kept
	LostValue     money.Amount `json:"lost_value,omitzero"`

	Reasons []ReasonRow `json:"reasons"` // the lost ones by reason, most first

	Days         int `json:"days"`          // calendar days that the window touches, in the location of its start
	CustomerDays int `json:"customer_days"` // sum over the days of the customers in the last moment of each
	// DailySum is the sum over the days of departures per customer when the day began; nil if a day with departures began
	// without customers.
	DailySum *float64 `json:"daily_sum"`
}

// A ReasonRow is the customers lost for one reason.
type ReasonRow struct {
	Reason string       `json:"reason"`
	Choice Choice       `json:"choice"`
	Lost   int          `json:"lost"`
	Value  money.Amount `json:"value,omitzero"`
}

// Window returns the churn, retention and value of a window of any length. It reads the spans of all customers, those
// that end before the window included, since they tell new customers from returned ones; rows may come in any order and
// are kept in memory.
//
// It returns an error of the stream, one with the row for a span without customer or start, that does not end after it
// starts or with a negative value, and one for values of several currencies. A window without customers is no error; its
// rates are.
func Window(ctx context.Context, seq iter.Seq2[Span, error], p ledger.Period, o *WindowOptions) (*WindowTable, error) {
	var opts WindowOptions
	if o != nil {
		opts = *o
	}
	if opts.Choice == nil {
		opts.Choice = ChoiceOf
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("churn: window: %w", err)
	}
	if opts.Gap < 0 {
		return nil, fmt.Errorf("churn: window: gap %v: negative", opts.Gap)
	}
	spans, err := collectSpans(ctx, seq)
	if err != nil {
		return nil, err
	}
	t := &WindowTable{Period: p, Complete: opts.End.IsZero() || !opts.End.Before(p.End)}
	w := windowCounter{t: t, gap: opts.Gap, choice: opts.Choice, reasons: map[string]*reasonSum{}, days: ledger.Days(p.Start, p.End, p.Start.Location())}
	w.change, w.left, w.ends = make([]int, len(w.days)+1), make([]int, len(w.days)), make([]int, len(w.days)+1)
	for one := range customers(spans) {
		if err := w.add(one); err != nil {
			return nil, err
		}
	}
	return t, w.finish()
}

type reasonSum struct {
	lost  int
	value money.Sum
}

type windowCounter struct {
	t       *WindowTable
	gap     time.Duration
	choice  func(string) Choice
	days    []ledger.Period
	change  []int // customers at the start of the window, then the net change on each day
	ends    []int // customers at the end of the first day, then the net change to the end of each other day
	left    []int // departures on each day
	sums    [7]money.Sum
	reasons map[string]*reasonSum
}

// add counts one customer.
func (w *windowCounter) add(spans []Span) error {
	t := w.t
	t0, t1 := t.Period.Start, t.Period.End
	all := stays(spans, w.gap)
	var before, after, earlier bool
	reason := ""
	for i := range all {
		s := &all[i]
		w.ends[w.night(s.From)]++
		if !s.To.IsZero() {
			w.ends[w.night(s.To)]--
		}
		before = before || s.at(t0)
		after = after || s.at(t1)
		earlier = earlier || s.From.Before(t0)
		if s.From.After(t0) && !s.From.After(t1) {
			w.change[w.day(s.From)+1]++
			if i == 0 {
				t.FirstEver++
			}
		}
		if !s.To.IsZero() && s.To.After(t0) && !s.To.After(t1) {
			t.Departed++
			d := w.day(s.To)
			w.change[d+1]--
			w.left[d]++
			reason = s.Reason
		}
	}
	v0, v1, err := valuesAt(spans, t0, t1)
	if err != nil {
		return fmt.Errorf("churn: customer %s: %w", spans[0].Customer, err)
	}
	if before {
		t.Opening++
		w.change[0]++
		w.sums[0].Add(v0)
	}
	if after {
		t.Closing++
		w.sums[1].Add(v1)
	}
	switch {
	case before && after:
		t.Kept++
		diff, err := v1.Sub(v0)
		if err != nil {
			return fmt.Errorf("churn: customer %s: %w", spans[0].Customer, err)
		}
		if diff.Sign() > 0 {
			w.sums[4].Add(diff)
		} else {
			w.sums[5].Add(diff.Neg())
		}
	case before:
		t.Lost++
		w.sums[6].Add(v0)
		r := w.reasons[reason]
		if r == nil {
			r = &reasonSum{}
			w.reasons[reason] = r
		}
		r.lost++
		r.value.Add(v0)
	case after && earlier:
		t.Returned++
		w.sums[3].Add(v1)
	case after:
		t.New++
		w.sums[2].Add(v1)
	}
	return nil
}

// day returns the day of the window in which a change at t is seen; a change at midnight belongs to the day that ends.
func (w *windowCounter) day(t time.Time) int {
	i, _ := slices.BinarySearchFunc(w.days, t, func(p ledger.Period, t time.Time) int { return p.End.Compare(t) })
	return min(i, len(w.days)-1)
}

// night returns the first day of the window that ends after t, as many as there are if none does.
func (w *windowCounter) night(t time.Time) int {
	return sort.Search(len(w.days), func(i int) bool { return w.days[i].End.After(t) })
}

// valuesAt returns what the spans are worth at two instants.
func valuesAt(spans []Span, t0, t1 time.Time) (v0, v1 money.Amount, err error) {
	var a, b money.Sum
	for i := range spans {
		if spans[i].at(t0) {
			a.Add(spans[i].Value)
		}
		if spans[i].at(t1) {
			b.Add(spans[i].Value)
		}
	}
	if v0, err = a.Total(); err == nil {
		v1, err = b.Total()
	}
	return v0, v1, err
}

func (w *windowCounter) finish() error {
	t := w.t
	present, atNight, sum, defined := w.change[0], 0, 0.0, true
	for d, left := range w.left {
		if left > 0 && present == 0 {
			defined = false
		} else if left > 0 {
			sum += float64(left) / float64(present)
		}
		present += w.change[d+1]
		atNight += w.ends[d]
		t.CustomerDays += atNight
	}
	if t.Days = len(w.days); defined {
		t.DailySum = &sum
	}
	for i, to := range []*money.Amount{&t.OpeningValue, &t.ClosingValue, &t.NewValue, &t.ReturnedValue, &t.Expansion, &t.Contraction, &t.LostValue} {
		total, err := w.sums[i].Total()
		if err != nil {
			return fmt.Errorf("churn: window: value: %w", err)
		}
		*to = total
	}
	for reason, r := range w.reasons {
		value, err := r.value.Total()
		if err != nil {
			return fmt.Errorf("churn: window: value: %w", err)
		}
		t.Reasons = append(t.Reasons, ReasonRow{reason, w.choice(reason), r.lost, value})
	}
	slices.SortFunc(t.Reasons, func(a, b ReasonRow) int { return cmp.Or(b.Lost-a.Lost, cmp.Compare(a.Reason, b.Reason)) })
	return nil
}

// Rate returns the churn rate on a basis: AtStart, EventsPerStart, StartPlusNew, DailyAverage or DailySum, which give
// different numbers for the same window. Of DailySum, Lost is the departures and Base their equivalent, Lost / Value.
//
// The error wraps ledger.ErrUndefined if the base is empty.
func (t *WindowTable) Rate(b Basis) (Loss, error) {
	switch b {
	case AtStart:
		return loss(float64(t.Lost), float64(t.Opening), b)
	case EventsPerStart:
		return loss(float64(t.Departed), float64(t.Opening), b)
	case StartPlusNew:
		return loss(float64(t.Departed), float64(t.Opening+t.FirstEver), b)
	case DailyAverage:
		if t.Days == 0 {
			return Loss{}, errors.New("churn: rate, daily average: the table was not made by Window")
		}
		return loss(float64(t.Departed), float64(t.CustomerDays)/float64(t.Days), b)
	case DailySum:
		if t.DailySum == nil || t.Opening == 0 && t.Departed == 0 {
			return Loss{}, fmt.Errorf("churn: rate, %s: a day began without customers: %w", b, ledger.ErrUndefined)
		}
		if t.Departed == 0 {
			return loss(0, float64(t.Opening), b)
		}
		return Loss{float64(t.Departed), float64(t.Departed) / *t.DailySum, *t.DailySum, b}, nil
	}
	return Loss{}, fmt.Errorf("churn: a window has no rate on the basis %q", b)
}

// Retention returns Kept of Opening, the customer retention rate: 1 minus the rate on the basis AtStart.
func (t *WindowTable) Retention() (Share, error) {
	return share("retention", float64(t.Kept), float64(t.Opening))
}

// Choice returns the churn of one choice: the three add up to the rate on the basis AtStart.
func (t *WindowTable) Choice(c Choice) (Loss, error) {
	lost := 0
	for _, r := range t.Reasons {
		if r.Choice == c {
			lost += r.Lost
		}
	}
	return loss(float64(lost), float64(t.Opening), AtStart)
}

// RevenueChurn returns the value that was lost of the value at the start. Gross counts customers who left and customers
// who pay less; with net, the growth of the customers kept is subtracted, so that it may be negative. Neither counts
// customers who were not there at the start. 1 - RevenueChurn is gross and net revenue retention.
//
// The error wraps ledger.ErrUndefined if there was no value at the start.
func (t *WindowTable) RevenueChurn(net bool) (float64, error) {
	lost, err := t.LostValue.Add(t.Contraction)
	if err == nil && net {
		lost, err = lost.Sub(t.Expansion)
	}
	if err != nil {
		return 0, fmt.Errorf("churn: revenue churn: %w", err)
	}
	return valueRatio("revenue churn", lost, t.OpeningValue)
}

// String returns counts, rates on every basis and reasons as text.
func (t *WindowTable) String() string {
	lines := [][2]string{{"window", t.Period.String()}}
	if !t.Complete {
		lines = append(lines, [2]string{"incomplete", "the data end before the window does"})
	}
	for _, c := range []struct {
		name string
		n    int
	}{{"opening", t.Opening}, {"lost", t.Lost}, {"new", t.New}, {"returned", t.Returned}, {"closing", t.Closing}} {
		lines = append(lines, [2]string{c.name, strconv.Itoa(c.n)})
	}
	if s, err := t.Retention(); err == nil {
		lines = append(lines, [2]string{"retention", s.String()})
	}
	for _, b := range []Basis{AtStart, EventsPerStart, StartPlusNew, DailyAverage, DailySum} {
		if l, err := t.Rate(b); err == nil {
			lines = append(lines, [2]string{"churn, " + string(b), percent(l.Value)})
		}
	}
	if v, err := t.RevenueChurn(false); err == nil {
		lines = append(lines, [2]string{"revenue churn, gross", percent(v) + " of " + t.OpeningValue.String()})
	}
	if v, err := t.RevenueChurn(true); err == nil {
		lines = append(lines, [2]string{"revenue churn, net", percent(v) + " of " + t.OpeningValue.String()})
	}
	for _, r := range t.Reasons {
		name := cmp.Or(r.Reason, "no reason")
		lines = append(lines, [2]string{"lost: " + name, fmt.Sprintf("%d (%s)", r.Lost, r.Choice)})
	}
	return factTable(lines)
}

// WriteCSV writes the reasons with a header: reason, choice, lost, rate of the customers at the start, value, currency.
func (t *WindowTable) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range t.Reasons {
		rate, err := loss(float64(r.Lost), float64(t.Opening), AtStart)
		if err != nil {
			return err
		}
		rows = append(rows, []string{r.Reason, r.Choice.String(), strconv.Itoa(r.Lost), number(rate.Value), amountText(r.Value), currencyOf(r.Value)})
	}
	return writeCSV(w, []string{"reason", "choice", "lost", "rate", "value", "currency"}, rows)
}
