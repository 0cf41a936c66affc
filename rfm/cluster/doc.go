// Package cluster labels customers by k-means on scaled recency, frequency and monetary value. It stands beside the
// scores of package rfm and does not replace them: clusters follow the data at hand, so their limits move with it, and a
// label means nothing on another day.
//
//	l, err := cluster.Label(ctx, table, nil)   // table from rfm.Analyze; k chosen by silhouette
//	fmt.Println(l)                             // clusters, most valuable first
//
// Three things decide the result and are explicit: the scaling ([Scaling]), the seed of the random starts, and k, which
// [Choose] picks by the silhouette. With the same three, the result is the same for any row order and number of workers.
// Clusters are numbered from the one with the greatest monetary value down, since k-means itself gives them no order.
package cluster
