// Package attribution shares the credit for conversions between the channels that customers came through.
//
// # Journeys
//
// A [Journey] is the way of a customer through channels, or of many who went the same way, with how many of them
// converted, how many did not, and what the conversions brought. [Build] makes journeys of dated touch-points and
// conversions; [New] and [Collect] take them as they are; [ReadTouchpoints], [ReadConversions] and [ReadJourneys] read
// CSV and have twins over database/sql. Either way the result is a [Journeys], compressed to distinct paths with counts,
// which every model works on:
//
//	js, err := attribution.Build(ctx, touches, conversions, end, &attribution.BuildOptions{
//		Lookback: 30 * 24 * time.Hour,
//		Direct:   "Direct",
//	})
//	credit, err := attribution.Attribute(ctx, js, attribution.Markov{})
//	fmt.Println(credit)
//
// The direct channel is a declared name and no magic word. Journeys that did not convert matter to [Markov] alone, and
// to it very much.
//
// # Models
//
// A [Model] is a plain struct whose zero value is the usual form.
//
//	First, Last, LastNonDirect     all credit to one touch
//	Linear, LinearDistinct         equal credit to touches, or to channels
//	Position                       40/20/40 and other parts for the first, the middle and the last
//	WShaped, FullPath              parts for milestones: first touch, lead, opportunity, close
//	TimeDecay                      half the credit for each half-life before the conversion
//	Custom                         weights of one's own
//	Markov                         removal effects in a chain of any order, by linear solution
//	Shapley                        Shapley value of the conversions that channels make among themselves
//	ByGame                         Shapley value of any other game of the channels
//
// The rules, from First to TimeDecay, have a method Touches with the weights of one journey. [Compare] puts several models
// side by side. [Markov.Removal] and [Markov.Transitions] show what is behind a chain, [SelectOrder] compares chains of
// several orders, and [Bootstrap] says how certain the credits of a model are. [ShapleyExact] and [ShapleySampled]
// evaluate any game of channels, such as a [TableGame].
//
// No model knows what would have happened without a channel: credit is a convention or a description of the journeys
// seen, and an experiment is what tells cause. Attribute with several models, and distrust a budget that follows one.
//
// # Exactness
//
// The credits of a [Result] add up to the conversions exactly, and values to the total to the cent, split by the largest
// remainder. Chains and games are solved and not simulated; what draws at random by its nature, [ShapleySampled],
// [SelectOrder] and [Bootstrap], takes a seed. The order of the input and the number of workers do not change a bit of any
// result.
package attribution
