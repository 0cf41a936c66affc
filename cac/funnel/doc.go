// Package funnel follows customers through ordered steps: opened, clicked, visited, ordered.
//
//	steps := funnel.Steps("visit", "cart", "order")
//	r, err := funnel.Analyze(ctx, funnel.Events(log), steps, &funnel.Options{Window: 7 * 24 * time.Hour})
//	fmt.Print(r)                                     // how many reached each step, rates with intervals, times, drop-off
//	cost, err := r.Total.Cost(usd("20000"), nil)     // what each stage costs
//
// # What counts
//
// An attempt begins with an event of the first step and takes, for each step after it, the earliest event that comes
// later than the one before. The steps are in order; other events between them do not matter unless Options.Strict is
// set, which allows none. All steps must fall within Options.Window of the first. [Reentry] says what happens to a
// customer who enters more than once: by default the attempt that gets furthest is the customer's, and each customer is
// counted once.
//
// Events at the same moment are taken in the order of the steps they match, so that the order of the input has no
// effect on the result.
//
// Conversion is of a step relative to the one before; its interval is Wilson's. Customers whose window is still open at
// Options.End are counted as open in the last step they reached: they may convert yet.
//
// [Count] makes the same report of counts per platform, for those who have no events.
package funnel
