package clv

import (
	"context"
	"iter"
	"time"
	"unsafe"

	"github.com/custval/custval/ledger"
)

// An orderKey names an order: IDs need to be unique within a customer only.
type orderKey struct{ customer, id string }

// matchOrders reads the log and returns the rows up to the end with the time of their order: the earliest time of a
// purchase row of the same customer and ID. Rows without ID, and refunds of orders that the log does not have, keep
// their own. The rows after the end, judged by their own time, are counted in p; the others are counted when they are
// read again.
func (p *Partial) matchOrders(ctx context.Context, log iter.Seq2[ledger.Transaction, error], progress func(int)) (iter.Seq2[ledger.Transaction, error], error) {
	var rows []ledger.Transaction
	placed := map[orderKey]time.Time{}
	first, err := NewPartial(&p.o)
	if err != nil {
		return nil, err
	}
	err = first.each(ctx, log, progress, func(e *entry, tx *ledger.Transaction) error {
		first.memory.Add(int64(unsafe.Sizeof(*tx)))
		rows = append(rows, ledger.Transaction{Customer: tx.Customer, At: tx.At, Amount: tx.Amount, ID: tx.ID})
		if key := (orderKey{tx.Customer, tx.ID}); tx.ID != "" && tx.Amount.Sign() >= 0 {
			if at, ok := placed[key]; !ok || tx.At.Before(at) {
				placed[key] = tx.At
			}
		}
		return first.withinLimit()
	})
	if err != nil {
		return nil, err
	}
	p.report.Rows, p.report.AfterEnd = first.report.AfterEnd, first.report.AfterEnd
	return ledger.Map(ledger.Transactions(rows), func(tx ledger.Transaction) (ledger.Transaction, error) {
		if at, ok := placed[orderKey{tx.Customer, tx.ID}]; ok {
			tx.At = at
		}
		return tx, nil
	}), nil
}
