package churn

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/custval/custval/ledger"
)

// InactivityRate returns the churn of customers who do not tell that they leave, by a rule of thumb: a customer is one
// who has purchased within the stated time. The base is the customers who purchased in [t0 - within, t0) for a window
// from t0 to t1, and those of them without a purchase in [t1 - within, t1) are lost. Refunds are no purchases.
//
// The rule counts slow customers as lost and lost ones as customers for a while; AtRisk uses each customer's own rhythm,
// ExpectedRate a model. Rows may come in any order; memory is for customers.
//
// It returns an error of the stream, one for a row without customer or time, one unless within is positive, and one that
// wraps ledger.ErrUndefined if nobody was a customer at t0.
func InactivityRate(ctx context.Context, log iter.Seq2[ledger.Transaction, error], p ledger.Period, within time.Duration) (Loss, error) {
	if err := p.Validate(); err != nil {
		return Loss{}, fmt.Errorf("churn: inactivity: %w", err)
	}
	if within <= 0 {
		return Loss{}, fmt.Errorf("churn: inactivity: within %v: want a positive duration", within)
	}
	type member struct{ before, after bool }
	members := map[string]*member{}
	first := ledger.Period{Start: p.Start.Add(-within), End: p.Start}
	second := ledger.Period{Start: p.End.Add(-within), End: p.End}
	row := 0
	for t, err := range log {
		row++
		if err != nil {
			return Loss{}, streamError(err)
		}
		if row%4096 == 0 && ctx.Err() != nil {
			break
		}
		if err := checkWho(row, t.Customer, t.At); err != nil {
			return Loss{}, err
		}
		before, after := first.Contains(t.At), second.Contains(t.At)
		if t.Amount.Sign() < 0 || !before && !after {
			continue
		}
		m := members[t.Customer]
		if m == nil {
			m = &member{}
			members[t.Customer] = m
		}
		m.before, m.after = m.before || before, m.after || after
	}
	if err := ctx.Err(); err != nil {
		return Loss{}, streamError(err)
	}
	lost, base := 0, 0
	for _, m := range members {
		if m.before {
			base++
			if !m.after {
				lost++
			}
		}
	}
	return loss(float64(lost), float64(base), Inactivity)
}
