// Package equity values a whole customer base: customer equity as the worth of present and future customers, how much to
// spend on winning and keeping them, what share of a firm's value the customers are, and the tables of a customer-base
// audit.
//
//	GuptaLehmannStuart   value of present and future cohorts less what it costs to win them
//	BlattbergDeighton    the best spending on acquisition and on retention
//	Leverage             what a change of customer equity does to shareholder value
//	NewAudit             repeat rate, orders a customer and decay by cohort, from a log
//
// Amounts come in and go out as money; the arithmetic between is in float64.
package equity
