// Package rfm scores customers by recency, frequency and monetary value, puts them into segments, and shows how they move
// between segments over time.
//
// One call does the usual work, from an order log to segments:
//
//	t, err := rfm.Analyze(ctx, ledger.Transactions(log), end, nil)
//	fmt.Println(t.Segments())  // customers, revenue, shares, average order, median recency, next action
//	err = t.WriteCSV(w)        // one line a customer
//
// Customers whose recency, frequency and monetary value are known already enter by [FromRecords].
//
// # Definitions
//
//	R  recency    days from the last purchase to the end of observation; fewer are better
//	F  frequency  purchases in the period
//	M  monetary   money in the period: the total, the mean of a purchase, or the margin
//
// The end of observation is an argument: the last calendar day that counts. A purchase is an order; rows side by side
// with the same customer and ID are lines of one order. CountDays counts the days with a purchase instead, and
// MatchOrders finds the lines of an order, and the refunds that name it, anywhere in the log. Refunds lower the money,
// never add to frequency and never refresh recency. An order of zero is a purchase without spend. Customers without a net
// positive order are listed apart, with their money, and have no score. A customer whose refunds outweigh the purchases
// has a zero or negative M and is scored like any other.
//
// # Scores
//
// A [Scorer] turns the values of all customers into a [Scale]: limits between the scores 1 to 5 (or any number), 5 being
// the best. The defaults, [MidRank] for R and [CountBelow] for F and M, give equal values equal scores whatever the order
// of the rows, and depend on ranks alone, so that cents and euros score alike. [Fixed] limits, quantiles as other tools
// take them, and nested scoring are there too. A scale is a plain value: store it and score another period on it.
//
// # Segments
//
// A [Map] gives every combination of scores a segment. It is data: a preset such as [Grid], the default, or one's own.
// [Map.Coverage] reports which cells no rule matches, which are hit more than once, and which segments no customer can
// reach; a map with overlapping rules has to say that the first match counts.
//
// # Further
//
//   - [Compare] and [Migrate]: movement between two periods, on the limits of the first.
//   - [Summary.Micro], [AnalyzeBy] and [Table.Categories]: RFM within any group of customers or orders, and what each
//     segment buys.
//   - [Table.HeatMap], [Table.Histogram], [Table.Pareto]: rows for plots.
//   - [Clumpiness] and [Length]: the C of RFMC and the L of LRFM, scored as further columns.
//   - [Partial]: summaries of parts of a log that merge to the summary of the whole and can be kept on disk.
//   - Package cluster beside this one: k-means on the scaled measures.
//
// Money is exact and of one currency; mixed currencies are an error. Results are the same to the last bit for any row
// order and number of workers.
package rfm
