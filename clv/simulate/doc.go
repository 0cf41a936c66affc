// Package simulate makes order logs and tenures of any size from models, for tests, demonstrations and the checking of
// forecasts: the truth behind the data is known.
//
//	shop := simulate.Shop{
//		Purchases: clv.BGNBD{R: 0.8, Alpha: 6, A: 0.8, B: 2.5},
//		Spend:     clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
//		Unit:      clv.Week, Customers: 1000, Currency: "USD", Seed: 1,
//		Start:     start, End: end,
//	}
//	for order, err := range shop.Orders(ctx) { ... }
//
// The same values and seed give the same rows on every machine. Each customer has a random source of its own, derived
// from the seed and the customer's number, so that customers 1 to 1,000 are the same in a log of a thousand and in one
// of a million, and any range of them can be made apart. Rows stream: memory does not grow with the log.
package simulate
