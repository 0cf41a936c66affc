// Package cac closes the loop between what a customer costs and what a customer is worth.
//
// It answers four questions of a management meeting: what does a new customer cost (CAC), when is the cost earned back
// (payback), is the customer worth it (LTV:CAC, ROI), and which channel, campaign or product does it best (tables).
//
// # Plain functions
//
// A metric that is one formula is one function: numbers in, a value and an error out.
//
//	cost, err := cac.CAC(usd("100000"), 1000)                    // USD 100.00
//	ratio, err := cac.LTVToCAC(value, cost)                      // 3
//	months, err := cac.PaybackMonths(cost, usd("20"), 0.30)      // 16.7
//	roi, err := cac.ROI(usd("30000"), usd("10000"))              // 2, meaning 200 %
//
// Amounts are rounded half to even to the minor unit, once, from the exact quotient; ratios are the float64 nearest to
// the exact fraction.
//
// # Costs
//
// A [Cost] is a line of a ledger of costs: an amount with its date or the period over which it accrues, what it was for,
// and the channel, campaign and segment it paid for. [ReadCosts] reads them from CSV and [CostsFromRows] from SQL;
// [Convert] brings them to one currency by dated [Rates]. Credits are negative lines. [Acquire] finds out of an order log
// whom each channel won and when.
//
// # Tables
//
// [ByChannel], [ByCampaign], [BySegment] and [ByCohort] divide costs by the customers they won, period by period, beside
// what those customers are worth. [Analyze] is the same with all rules in the open: which costs count ([Basis]), which
// customers ([Denominator]), how shared costs are shared ([Sharing]) and how long a cost takes to work ([Lag]). The rules
// are part of the result. Totals are ratios of sums, never means of ratios, and all parts add up to the minor unit.
//
// # Undefined and impossible
//
// Spend without customers has no CAC: the row keeps the spend, and its CAC is an error that wraps [ErrNoNewCustomers]
// and names channel and period in a [PlaceError]. Customers without spend cost 0, which is valid. Credits that use up
// the costs are [ErrNonPositiveCost]; two currencies without a rate are [ErrCurrencyMismatch]; figures made by different
// rules are [ErrBasisMismatch]; a lag that reaches before the first period is [ErrInsufficientHistory]. A payback
// distinguishes [Never] from [NotYet].
//
// # Return beyond the first sale
//
// [PaybackCurves] follows cohorts until they have earned their cost; [Profitability] finds the products and channels that
// earn most; [CostToServe] takes off what customers cost afterwards; [LoyaltyProgram] and [MatchUplift] say what a loyalty
// program returns, [Referrals] what recommendations do, and [IncrementalCAC] what a campaign caused rather than met.
//
// # Sub-packages
//
// cac/attribution shares the credit for a customer between channels, cac/budget moves money to where it earns most,
// cac/funnel follows customers through ordered steps, cac/experiment tests campaigns.
package cac
