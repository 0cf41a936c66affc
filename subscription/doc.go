// Package subscription turns a history of subscriptions into recurring revenue that a finance team can reconcile: MRR and
// ARR at any moment, the movements between two moments that close to the minor unit, and the rates made of them.
//
// The input is a table of temporal rows: one item of one subscription, at one price and quantity, from one moment to
// another. A [Book] holds them and answers:
//
//	book, err := subscription.New(subscription.FromRows(ctx, rows, nil))
//	now, err := book.At(end)                                       // MRR, ARR, customers
//	dec, err := book.Period(ledger.Month(2025, time.December, loc)) // movements, NRR, GRR, churn and its reasons
//	year, err := book.RollForward(ctx, ledger.Months(from, to, loc))
//
// # There is no single MRR
//
// Billing systems differ in how a price comes to a month, and in what they do with discounts, tax, trials, pauses,
// overdue payments, cancellations, free plans, usage, currencies and rounding. A [Policy] names these choices; its zero
// value is the documented default, and [Stripe], [ChartMogul] and others approximate the documented rules of known
// systems. [Book.With] reads the same rows by another policy. Every result carries the policy that made it.
//
// # Movements
//
// A balance moves by new business, reactivation, expansion, contraction, churn and exchange rates. In [EventMode] every
// change is a movement; in [PeriodNet] the opening and the closing of each customer are compared. Both close:
//
//	Opening + New + Reactivation + Expansion - Contraction - Churn + FX = Closing
//
// Periods are half-open, so what happens at the end of a period belongs to the next one. Retention is that of the closed
// cohort of customers at the opening by default; see [PeriodResult].
//
// # Money
//
// Amounts are exact fractions inside and are rounded once, at the edge, to the minor unit; figures that belong together
// are rounded so that they add up. No amount passes through a float. Rates are float64, 1.05 meaning 105 %; a rate with a
// zero base is undefined: its Value is an error that wraps ledger.ErrUndefined, it prints as "undefined" and its JSON is
// null.
package subscription
