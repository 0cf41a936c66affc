// Package custval is the map of a library of customer-value metrics. It holds no code of its own; import the package
// that answers the question at hand:
//
//	clv           what a customer is worth: purchase and spend models, formulas, scores in money
//	rfm           recency, frequency and monetary value: scores, segments, migration
//	churn         churn, retention and renewal rates, cohorts, lifecycle, survival, risk
//	subscription  recurring revenue: MRR, movements, ARR, NRR, GRR, renewals
//	cac           acquisition cost, payback, return, attribution, budgets, experiments
//
// Three packages are shared by all of them:
//
//	money         exact decimal amounts with their currency
//	ledger        transactions, customers, periods and the readers of CSV and SQL
//	fit           what every estimation has in common: options, estimates, intervals
//
// The five domain packages do not import one another. Money is exact and never a float; ratios are float64 with 1.05
// meaning 105 %; a ratio with a zero base is an error that wraps ledger.ErrUndefined; nothing reads the clock.
package custval
