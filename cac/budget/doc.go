// Package budget moves money to where the next unit earns most.
//
// A response curve says how many customers a channel wins with a spend; a customer's value makes that money. A plan
// divides a budget so that the sum over channels is greatest:
//
//	channels := []budget.Channel{
//		{Name: "Search", Curve: budget.MichaelisMenten{A: 900, C: 40000}, Value: usd("320")},
//		{Name: "Social", Curve: budget.Hill{A: 700, C: 25000, S: 1.8}, Value: usd("190"), Max: usd("50000")},
//	}
//	plan, err := budget.Allocate(ctx, usd("100000"), channels, nil)
//	fmt.Print(plan)                                  // spend, customers, value, CAC by channel, and what one more dollar returns
//
// [AllocateTarget] finds the budget itself, up to the spend whose last unit returns a target or whose last customer costs
// one; [Evaluate] shows what a given division is worth; [Frontier] shows plans of many budgets side by side.
//
// # Curves
//
// [Power], [Log], [NegExp] and [MichaelisMenten] are concave: each further unit of spend returns less. [Hill] with S > 1 is
// S-shaped: a little spend is wasted. They answer to Response, Marginal and, for the inverse, Spend; cac.CurveCAC gives the
// average and the marginal cost of a customer on any of them. Spend that goes on working is turned into spend at work by
// an adstock, [Geometric] or [Delayed], and [Steady] puts a curve of spend at work back into terms of spend per period.
//
// [FitPower] and its like estimate a curve from points of spend and response by least squares, with intervals.
//
// # What a fitted curve cannot say
//
// Past spends were rarely set at random: more was spent when demand was high, channels were raised and cut together, and
// whoever searched for the brand would have come anyway. A curve fitted to such points describes them; it does not say
// what a change of spend would cause, and its intervals do not contain that error. Curves from experiments, in which
// spend was varied at random over regions or weeks, do (package experiment), and a plan beyond the spends that were
// observed is a guess. [Caution] travels with every fit.
//
// # Optimal means optimal
//
// With concave curves the plan is exact. With S-shaped ones, or entry amounts, many solvers stop where all channels
// return the same, which may be the worst split of all. Here the concave envelope of every curve bounds what any plan can
// reach, a branch and bound search narrows it, and Plan.Gap says how much is left: 1e-9 or less unless the search was
// stopped.
package budget
