package clv

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"time"

	"github.com/custval/custval/ledger"
)

// SummaryOptions say how Summarize reads a log. The zero value, and a nil pointer, are the defaults.
type SummaryOptions struct {
	Location    *time.Location // whose calendar days count; nil means the location of end
	Granularity Granularity    // what counts as one purchase; by day if zero
	// Ordered declares that each customer's rows come in the order of their times, as they do in a log that is in order
	// as a whole. It is verified. Memory is then constant a customer instead of growing by the distinct purchase days.
	Ordered bool
	// MatchOrders gives every row with an order ID the time of the earliest purchase row of the same customer and ID: an
	// order shipped on two days is one purchase, and a refund reduces the order that it names. It keeps all rows up to
	// the end in memory.
	MatchOrders bool
	Workers     int   // goroutines; 0 means GOMAXPROCS. The result does not depend on it
	MaxBytes    int64 // most memory that the customers may take, their Histories included; 0 means no limit
	// SpillDir is a directory in which a summary that reaches MaxBytes keeps parts of itself for the time of the call,
	// instead of ending with an error; "" means none. The result has the same bits. The Histories themselves still have to
	// fit, but not the purchase days that lead to them. Ordered and MatchOrders exclude it.
	SpillDir string
	Progress func(rows int) // called now and then on the caller's goroutine with the rows read; may be nil
}

func (o *SummaryOptions) withDefaults(end time.Time) (SummaryOptions, error) {
	var out SummaryOptions
	if o != nil {
		out = *o
	}
	if out.Location == nil {
		out.Location = end.Location()
	}
	if out.Workers < 0 {
		return out, fmt.Errorf("clv: %d workers: negative", out.Workers)
	}
	if out.Ordered && out.MatchOrders {
		return out, errors.New("clv: Ordered and MatchOrders exclude each other: rows that take the time of their order are not in order")
	}
	if out.SpillDir != "" {
		if out.Ordered || out.MatchOrders {
			return out, errors.New("clv: SpillDir with Ordered or MatchOrders: they do not keep what could be spilled")
		}
		if info, err := os.Stat(out.SpillDir); err != nil {
			return out, fmt.Errorf("clv: SpillDir: %w", err)
		} else if !info.IsDir() {
			return out, fmt.Errorf("clv: SpillDir: %s is no directory", out.SpillDir)
		}
	}
	if out.Workers == 0 {
		out.Workers = runtime.GOMAXPROCS(0)
	}
	return out, nil
}

func (o SummaryOptions) partial(end time.Time) (*Partial, error) {
	return NewPartial(&PartialOptions{Location: o.Location, Granularity: o.Granularity, End: end, MaxBytes: o.MaxBytes})
}

// endTick checks the arguments that every summary shares and returns the tick of the end.
func endTick(c *clock, end time.Time, unit time.Duration) (int64, error) {
	if unit <= 0 {
		return 0, fmt.Errorf("clv: unit %v: want a positive one, such as clv.Week", unit)
	}
	if end.IsZero() {
		return 0, errNoEnd
	}
	tick, err := c.tick(end)
	if err != nil {
		return 0, fmt.Errorf("clv: end %v: %w", end, err)
	}
	return tick, nil
}

// Summarize reduces a log to what the purchase and spend models need to know of each customer at the end of
// observation. Rows may come in any order; the result is sorted by customer, and shuffled rows give the same bits.
//
//	X      purchases after the first; purchases of one calendar day in the Location are one
//	TX, T  calendar days from the first purchase to the last, and to the end, divided by the unit
//	Spend  what was paid for the X repeat purchases, refunds taken off
//
// A row counts if its calendar day is on or before the end's, with ByInstant if its time is not after end; later rows
// are left out and counted. A row with a negative amount is a refund: it is no purchase and changes no time; it
// reduces the spend of the first purchase if it is dated on that day or if there is no other, otherwise Spend, which
// can so become negative. A row with the amount zero is a purchase without spend. Customers with refunds only are left
// out. Histories.Report accounts for every row, and Histories.End is end in the Location.
//
// Summarize returns an error if the stream does, and a *ledger.RowError for a row without customer, without a time or
// with one out of range, and with another currency than the rows before; further if the unit is not positive, if end
// is the zero time, if ctx ends, if the rows are not Ordered as declared, and one that wraps ErrMemory if the
// customers need more than MaxBytes; with a SpillDir, if its files cannot be written or read. A log without customers gives Histories without rows.
func Summarize(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, unit time.Duration, o *SummaryOptions) (*Histories, error) {
	if log == nil {
		return nil, errNoLog
	}
	options, err := o.withDefaults(end)
	if err != nil {
		return nil, err
	}
	p, err := options.partial(end)
	if err != nil {
		return nil, err
	}
	if _, err := endTick(p.clock, end, unit); err != nil {
		return nil, err
	}
	if options.MatchOrders {
		if log, err = p.matchOrders(ctx, log, options.Progress); err != nil {
			return nil, err
		}
	}
	if options.Ordered {
		return summarizeOrdered(ctx, p, log, end, unit, options)
	}
	s := options.spill()
	defer s.close()
	if err := p.readWith(ctx, log, s, options); err != nil {
		return nil, err
	}
	return p.merged(ctx, s, end, unit, options.Workers)
}

// progressEvery is how many rows are read between two looks at the context.
const progressEvery = 1 << 10

// each checks the rows of a log and visits those up to the end.
func (p *Partial) each(ctx context.Context, log iter.Seq2[ledger.Transaction, error], progress func(int), visit func(*entry, *ledger.Transaction) error) error {
	var e entry
	for tx, err := range log {
		if err != nil {
			return fmt.Errorf("%s: reading the log: %w", p.prefix, err)
		}
		if p.report.Rows%progressEvery == 0 {
			if err := p.pause(ctx, progress); err != nil {
				return err
			}
		}
		p.report.Rows++
		keep, err := p.check(&tx, &e)
		if err == nil && keep {
			err = visit(&e, &tx)
		}
		if err != nil {
			return p.located(err)
		}
	}
	return p.pause(ctx, progress)
}

// located adds the prefix, and the row where the error does not tell it.
func (p *Partial) located(err error) error {
	var bad *ledger.RowError
	if errors.As(err, &bad) {
		return fmt.Errorf("%s: %w", p.prefix, err)
	}
	return fmt.Errorf("%s: row %d: %w", p.prefix, p.report.Rows, err)
}

func (p *Partial) pause(ctx context.Context, progress func(int)) error {
	if progress != nil {
		progress(p.report.Rows)
	}
	return ctx.Err()
}
