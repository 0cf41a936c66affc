package clv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A tally is one customer's history in constant memory, for rows that come in the order of their times. Later rows need
// no more of it; of earlier ones it tells which it can still take.
type tally struct {
	purchases   int // distinct ones, the first included
	first, last int64
	logGaps     float64      // sum of the logs of the gaps between purchases, in the unit
	firstSpend  money.Amount // everything dated on the first purchase's tick
	restSpend   money.Amount // everything dated otherwise, but for early refunds
	early       []dated      // refunds dated before the first purchase, by tick
}

var (
	errOutOfOrder = errors.New("before an earlier row of the customer: leave Ordered unset")
	errTooLate    = errors.New("between two purchases already seen, of which only the first and the last are known by date")
)

// purchase enters a purchase. It returns errTooLate, and changes nothing, if the tally cannot tell whether the tick is
// one that it has counted.
func (y *tally) purchase(g Granularity, at int64, amount money.Amount, unit time.Duration) (err error) {
	switch {
	case y.purchases == 0:
		y.purchases, y.first, y.last = 1, at, at
		y.firstSpend = amount
		return y.settle()
	case at == y.first:
		y.firstSpend, err = y.firstSpend.Add(amount)
		return err
	case at > y.last:
		y.logGaps += math.Log(elapsed(g, y.last, at, unit))
		y.last = at
	case at == y.last:
		y.restSpend, err = y.restSpend.Add(amount)
		return err
	case at < y.first:
		return y.precede(g, at, amount, unit)
	case y.purchases == 2:
		y.logGaps = math.Log(elapsed(g, y.first, at, unit)) + math.Log(elapsed(g, at, y.last, unit))
	default:
		return errTooLate
	}
	y.purchases++
	y.restSpend, err = y.restSpend.Add(amount)
	return err
}

// precede enters a purchase before the first one known, which becomes a repeat purchase.
func (y *tally) precede(g Granularity, at int64, amount money.Amount, unit time.Duration) (err error) {
	if y.restSpend, err = y.restSpend.Add(y.firstSpend); err != nil {
		return err
	}
	y.logGaps = math.Log(elapsed(g, at, y.first, unit)) + y.logGaps
	y.purchases++
	y.first, y.firstSpend = at, amount
	return y.settle()
}

// settle moves the early refunds that are no longer before the first purchase.
func (y *tally) settle() (err error) {
	for len(y.early) > 0 && err == nil {
		last := y.early[len(y.early)-1]
		if last.tick < y.first {
			break
		}
		if last.tick == y.first {
			y.firstSpend, err = y.firstSpend.Add(last.amount)
		} else {
			y.restSpend, err = y.restSpend.Add(last.amount)
		}
		y.early = y.early[:len(y.early)-1]
	}
	return err
}

// refund enters a refund, of any date.
func (y *tally) refund(at int64, amount money.Amount) (err error) {
	switch {
	case y.purchases == 0 || at < y.first:
		y.early, err = addDated(y.early, at, amount)
	case at == y.first:
		y.firstSpend, err = y.firstSpend.Add(amount)
	default:
		y.restSpend, err = y.restSpend.Add(amount)
	}
	return err
}

// history returns the customer as the models see it at the end.
func (y *tally) history(g Granularity, customer string, end int64, unit time.Duration, zero money.Amount) (History, error) {
	h := History{
		Customer: customer,
		X:        y.purchases - 1,
		TX:       elapsed(g, y.first, y.last, unit),
		T:        elapsed(g, y.first, end, unit),
		LogGaps:  y.logGaps,
		Spend:    zero,
	}
	if h.X == 0 {
		return h, nil
	}
	spend, err := zero.Add(y.restSpend)
	for _, d := range y.early {
		if err == nil {
			spend, err = spend.Add(d.amount)
		}
	}
	if err == nil {
		h.Spend, err = plain(spend)
	}
	return h, err
}

// An orderedTally is a tally that refuses rows out of order. It merges early refunds that no purchase can reach any
// more, so that its memory is constant.
type orderedTally struct {
	tally
	id   string
	seen int64
}

func (y *orderedTally) add(e *entry, g Granularity, unit time.Duration) error {
	if e.tick < y.seen {
		return errOutOfOrder
	}
	y.seen = e.tick
	if e.amount.Sign() >= 0 {
		return y.purchase(g, e.tick, e.amount, unit)
	}
	if err := y.refund(e.tick, e.amount); err != nil {
		return err
	}
	if len(y.early) > 2 {
		sum, err := y.early[0].amount.Add(y.early[1].amount)
		if err != nil {
			return err
		}
		y.early[1].amount = sum
		y.early = slices.Delete(y.early, 0, 1)
	}
	return nil
}

// orderedBytes is about what a customer takes: the tally, its entry in the map and its history.
const orderedBytes = 400

// summarizeOrdered is Summarize for rows in order. The Partial gives its checks and counts; its tables stay empty.
func summarizeOrdered(ctx context.Context, p *Partial, log iter.Seq2[ledger.Transaction, error], end time.Time, unit time.Duration, o SummaryOptions) (*Histories, error) {
	customers := map[string]*orderedTally{}
	err := p.each(ctx, log, o.Progress, func(e *entry, tx *ledger.Transaction) error {
		y := customers[e.id]
		if y == nil {
			y = &orderedTally{id: strings.Clone(e.id), seen: e.tick}
			customers[y.id] = y
			p.memory.Add(orderedBytes + int64(len(y.id)))
			if err := p.withinLimit(); err != nil {
				return err
			}
		}
		err := y.add(e, p.o.Granularity, unit)
		if errors.Is(err, errOutOfOrder) {
			return p.bad("At", tx.At.Format(time.RFC3339), err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	hs := &Histories{Unit: unit, End: end.In(p.o.Location), Report: p.report, Rows: make([]History, 0, len(customers))}
	tick, err := endTick(p.clock, end, unit)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(customers)) {
		y := customers[id]
		if y.purchases == 0 {
			hs.Report.RefundOnly++
			continue
		}
		h, err := y.history(p.o.Granularity, id, tick, unit, p.zero)
		if err != nil {
			return nil, fmt.Errorf("clv: customer %q: %w", id, err)
		}
		hs.Rows = append(hs.Rows, h)
		hs.Report.Customers++
		hs.Report.Purchases += y.purchases
	}
	hs.Report.Merged = hs.Report.Rows - hs.Report.AfterEnd - hs.Report.Refunds - hs.Report.Purchases
	return hs, nil
}
