// Package migration values customers who move between states period by period, as a Markov chain: how long ago they
// last bought, which segment or plan they are in, or that they have left for good.
//
//	chain := migration.Chain{
//		States:  []string{"recency 1", "recency 2", "former"},
//		P:       [][]float64{{0.3, 0.7, 0}, {0.2, 0, 0.8}, {0, 0, 1}},
//		Rewards: []money.Amount{usd("36"), usd("-4"), usd("0")},
//	}
//	v, err := chain.Value(0.20)          // for ever, at 20 % a period
//	best, err := chain.BestStopping(0.20) // in which states to stop contacting
//
// Source: P. Pfeifer, R. Carraway, Modeling customer relationships as Markov chains, Journal of Interactive Marketing
// 14(2), 2000. The first reward falls in the present period and is not discounted.
package migration
