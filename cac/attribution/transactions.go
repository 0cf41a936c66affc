package attribution

import (
	"iter"

	"github.com/custval/custval/ledger"
)

// FromTransactions makes conversions of an order log: every order is one, at its net amount. Adjacent rows of one
// customer with the same non-empty ID are one order, at the time of the first. Orders below zero are refunds, which are
// left out.
func FromTransactions(seq iter.Seq2[ledger.Transaction, error]) iter.Seq2[Conversion, error] {
	return func(yield func(Conversion, error) bool) {
		var now Conversion
		var id string
		row := 0
		have := false
		flush := func() bool { return !have || now.Value.Sign() < 0 || yield(now, nil) }
		for t, err := range seq {
			row++
			if err != nil {
				if !yield(Conversion{}, err) {
					return
				}
				continue
			}
			if have && t.ID != "" && t.ID == id && t.Customer == now.Customer {
				sum, err := now.Value.Add(t.Amount)
				if err != nil {
					if !yield(Conversion{}, &ledger.RowError{Row: row, Field: "amount", Value: t.Amount.String(), Err: err}) {
						return
					}
					continue
				}
				now.Value = sum
				continue
			}
			if !flush() {
				return
			}
			have, now, id = true, Conversion{Customer: t.Customer, At: t.At, Value: t.Amount}, t.ID
		}
		flush()
	}
}
