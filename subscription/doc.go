// Package subscription turns a history of subscriptions into recurring revenue that a finance team can reconcile: MRR and
// ARR at any moment, the movements between two moments that close to the minor unit, and the rates made of them.
//
// Plain functions answer what is one formula: [Monthly], [RevenueChurn], [RenewalRate], [NetRetention], [QuickRatio],
// [LTV], [CMGR]. For the rest there is a [Book] of the history:
//
//	book, err := subscription.New(subscription.FromRows(ctx, rows, nil))
//	now, err := book.At(end)                                        // MRR, ARR, customers
//	dec, err := book.Period(ledger.Month(2025, time.December, loc)) // movements, NRR, GRR, churn and its reasons
//	year, err := book.RollForward(ctx, ledger.Months(from, to, loc))
//
// # Ways in
//
// A [Row] is one item of one subscription, at one price and quantity, from one moment to another; a change ends a row and
// starts the next. Every other form becomes rows:
//
//	[Rows], [ReadCSV], [FromRows]   a slice, a CSV file, a SQL query
//	[Join]                          contracts and their items in two tables
//	[Fold]                          a log of events, of a slice or of [ReadEvents]
//	[FromInvoices]                  the lines of invoices, prorated ones too
//
// Where only snapshots of each customer's MRR are left there is [NewBalances]: a type that has no method for what
// snapshots cannot know. [New] refuses rows that cannot be true and says which field of which row; [Book.Issues] lists
// what is odd, such as overlaps and gaps of a second.
//
// # There is no single MRR
//
// Billing systems differ in how a price comes to a month, and in what they do with discounts, tax, trials, pauses,
// overdue payments, cancellations, free plans, usage, currencies and rounding. A [Policy] names these choices; its zero
// value is the documented default, and [Stripe], [ChartMogul], [ProfitWell], [PaddleClassic], [RevenueCat], [Recurly],
// [KillBill], [DBTPlaybook] and [FivetranStripe] approximate the documented rules of those systems. [Book.With] reads the same rows by
// another policy. Every result carries the policy that made it, so that figures made by different rules are not compared
// by mistake.
//
// # Movements
//
// A balance moves by new business, reactivation, expansion, contraction, churn and exchange rates. In [EventMode] every
// change is a movement; in [PeriodNet] the opening and the closing of each customer are compared. Both close:
//
//	Opening + New + Reactivation + Expansion - Contraction - Churn + FX = Closing
//
// The [Grain] says whose balance it is: an item's, a subscription's, a customer's or a parent account's. Periods are
// half-open, so what happens at the end of a period belongs to the next one, and a closing is the next opening. Any
// periods will do: ledger's months, weeks and days, [Quarters], [FiscalYears], [Rolling] days, [Anchored] months.
// [Book.Log] has every movement of every customer, [Book.Segments] a table for each group of them.
//
// # Rates
//
// NRR and GRR are those of the closed cohort of customers at the opening; the flow forms have names of their own. CRR is
// LogoRetention: (E - N) / S with N the customers at the end who were not there at the start. A period that the data do
// not cover is marked once [Book.Until] says where they end, and is left out of means. [Book.Renewals] has renewal rates
// by count and by value, [Book.Upcoming] the revenue at risk, [Book.Trials] conversion, [Book.Cohorts] the MRR of
// cohorts, [Book.Tenures] what survival analysis needs, [Book.Forecast] and [Project] what may come.
//
// # Money
//
// Amounts are exact fractions inside and are rounded once, at the edge, half to even to the minor unit unless the policy
// says otherwise: a thousand prices of a third of a cent are USD 3.33. Figures that belong together are rounded so that
// they add up. No amount passes through a float. Rates are float64, 1.05 meaning 105 %, computed from the exact sums. A
// rate with a zero base is undefined: its Value is an error that wraps ledger.ErrUndefined, it prints as "undefined" and
// its JSON is null.
//
// # Size
//
// A Book holds some 180 bytes for a plain row and what discounts, terms and the like need. Results are made in one pass
// over the rows by all processors and are the same for any number of them and any order of the rows.
package subscription
