// Package pipeline summarizes order logs on a distributed engine and fits the models of package clv to what is left: an
// Apache Beam pipeline that runs in one process, and the same program on Flink, Spark or Dataflow.
//
//	orders -> shard of the customer, order -> one Summary a shard -> Table -> Result
//	                                                             -> summaries and scores, one file a shard
//
// A Job is the whole run. Its steps are functions for pipelines that have other sources, sinks or models: ReadOrders,
// SimulateOrders, Summarize, Merge, ReadSummaries, WriteSummaries, Compress, Fit, WriteResult, WriteScores.
//
// # What travels
//
// Summarize is a combine. Its accumulator is a clv.Partial: it takes orders in any order, merges associatively and
// commutatively with exact money, and encodes to some 25 bytes a customer. The engine lifts the combine: each worker
// combines the orders of a bundle, such as a file, where it reads them, and only encoded accumulators are shuffled, at
// most one for each shard and bundle.
//
// The key is a shard, the hash of the customer's id modulo Options.Shards, and not the customer. The Go SDK keeps at most
// 2,000 accumulators before the shuffle and sends a random one on when there are more: keyed by shard a bundle never
// reaches that, keyed by customer nearly every order would travel alone. One accumulator of ten thousand customers also
// shares its tables, its header and the beginnings of its sorted ids, and the shard is a fine grain for files, retries
// and memory. A good number of shards is several times that of the workers, with less than a million customers in each.
//
// Compress counts the customers of each (x, tx, T) in whole days, and of each (x, spend). The Table is what reaches the
// fit, on one worker. Its histories are bounded by the days of the log and not by its size: customers who come over D
// days and buy at most n times again make at most (D+1)(1 + nD/2) of them. Few customers hardly share any, millions share
// most. The spends have at most one row a customer with a repeat purchase, of some four bytes, since amounts seldom agree.
//
// # The same result
//
// Summaries are exact and fits weigh a row with a count as that many customers, so that histories, estimates and scores
// are those of clv.Summarize and clv.FitScorer in memory to the last bit, for any number of files, bundles, shards and
// workers, and for yesterday's summaries with today's orders merged in.
//
// # Failure
//
// A row that cannot be read fails the run with its file, row, column and value. Engines repeat a failing bundle some
// times before they give up. Files are written whole and hold the same bytes when work is repeated.
package pipeline
