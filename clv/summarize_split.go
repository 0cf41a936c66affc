package clv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Later is what the customers of some Histories did after their end.
type Later struct {
	Duration float64       // from the end of the Histories to the later one, in their unit
	Rows     []LaterOrders // one a customer of the Histories, in the same order
	New      int           // customers whose first purchase came later; they are in neither
}

// LaterOrders are the later orders of one customer.
type LaterOrders struct {
	Purchases int // distinct days, or instants, with a purchase
	// Spend is that of all rows dated later, refunds taken off; 0 if the customer has made no purchase but the first: a
	// refund is one of that.
	Spend money.Amount
}

// SummarizeSplit is Summarize of the rows up to split, and in the same pass what the customers did after that, up to end:
// a calibration and a holdout period. A calendar day is wholly in one of them; rows after end are left out, and
// Histories.Report accounts for the rows up to split only.
//
// It returns an error if end does not come after split, and those of Summarize. Ordered and SpillDir are errors.
func SummarizeSplit(ctx context.Context, log iter.Seq2[ledger.Transaction, error], split, end time.Time, unit time.Duration, o *SummaryOptions) (*Histories, *Later, error) {
	if log == nil {
		return nil, nil, errNoLog
	}
	options, err := o.withDefaults(split)
	if err != nil {
		return nil, nil, err
	}
	if options.Ordered || options.SpillDir != "" {
		return nil, nil, errors.New("clv: SummarizeSplit with Ordered or SpillDir: it needs the purchase days of all customers")
	}
	p, err := options.partial(end)
	if err != nil {
		return nil, nil, err
	}
	if p.split, err = endTick(p.clock, split, unit); err != nil {
		return nil, nil, err
	}
	if _, err := endTick(p.clock, end, unit); err != nil {
		return nil, nil, err
	}
	if p.end <= p.split {
		return nil, nil, fmt.Errorf("clv: split %s and end %s: want a later end", tickText(p.o.Granularity, p.split), tickText(p.o.Granularity, p.end))
	}
	if options.MatchOrders {
		if log, err = p.matchOrders(ctx, log, options.Progress); err != nil {
			return nil, nil, err
		}
	}
	p.late = &Partial{common: p.common, o: p.o, clock: p.clock, seed: p.seed, prefix: p.prefix, last: p.last}
	if err := p.read(ctx, log, options); err != nil {
		return nil, nil, err
	}
	p.report.Rows -= p.late.report.Rows + p.report.AfterEnd
	p.report.AfterEnd = 0
	p.spreadOut() // so that both sides of a customer are in tables of one number
	hs, places, err := p.placed(ctx, split, unit, options.Workers)
	if err != nil {
		return nil, nil, err
	}
	later, err := p.later(ctx, hs, places, options.Workers)
	if err != nil {
		return nil, nil, err
	}
	later.Duration = elapsed(p.o.Granularity, p.split, p.end, unit)
	return hs, later, nil
}

// later finds the late accounts of the customers of the histories, whose accounts are at the places.
func (p *Partial) later(ctx context.Context, hs *Histories, places []sortKey, workers int) (*Later, error) {
	out := &Later{Rows: make([]LaterOrders, len(hs.Rows))}
	var rowOf [tableCount][]int32 // 1 + the row of an account, by table and index
	for i, t := range p.tables {
		if t != nil {
			rowOf[i] = make([]int32, t.len())
		}
	}
	for i, k := range places {
		rowOf[k.table][k.index] = int32(i + 1)
		out.Rows[i].Spend = p.zero
	}
	var fresh atomic.Int64
	err := inPieces(ctx, tableCount, 1, workers, func(n, _ int) error {
		late, known := p.late.tables[n], p.tables[n]
		if late == nil {
			return nil
		}
		for i := range late.len() {
			id, row := late.id(i), int32(0)
			if known != nil {
				if at := known.lookup(id, uint32(p.hash(id))); at >= 0 {
					row = rowOf[n][at]
				}
			}
			purchases := late.purchases(i)
			if row == 0 {
				if purchases > 0 {
					fresh.Add(1)
				}
				continue
			}
			if purchases == 0 && hs.Rows[row-1].X == 0 {
				continue
			}
			spend, err := late.total(i)
			if err != nil {
				return fmt.Errorf("clv: customer %q: %w", id, err)
			}
			out.Rows[row-1] = LaterOrders{purchases, spend}
		}
		return nil
	})
	out.New = int(fresh.Load())
	return out, err
}

// total returns the sum of all amounts of account i.
func (t *table[K]) total(i int) (money.Amount, error) {
	a := t.at(i)
	s := t.sum(a, onFirst)
	err := s.add(t.sum(a, onOther))
	for _, e := range t.early(a) {
		if err == nil {
			err = s.add(e.sum)
		}
	}
	if err != nil {
		return money.Amount{}, err
	}
	return s.plain(t.common.zero)
}
