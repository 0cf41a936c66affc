// Package experiment tests campaigns, offers and pages by what their customers are worth.
//
// Customers are assigned to arms at random; one arm, the control, is left as it is. [AnalyzeValues] compares what each
// customer was worth, those who bought nothing included, and says what the treatment adds in money, per customer and in
// total; [AnalyzeRates] compares who converted.
//
//	arms := []experiment.Arm{{Name: "control", Values: a, Before: a0}, {Name: "voucher", Values: b, Before: b0}}
//	r, err := experiment.AnalyzeValues(ctx, arms, &experiment.Options{Currency: "USD"})
//	fmt.Print(r)                    // uplift per customer and in total with intervals, corrected p-values, warnings
//
// [ArmsFromLog] makes the arms of an order log and a list of who was assigned when.
//
// # Choosing a test
//
//   - Value per customer has many zeros and a heavy tail: [Welch] on all customers, [CUPED] with the value before the
//     experiment where it is known, [Bootstrap] as a check where customers are few. [Winsorize] only at a quantile that
//     was declared before.
//   - Conversion: [Newcombe] for the interval and [PooledZ] for the test; [Beliefs] for the probability to be best and
//     the expected loss of a choice.
//   - Revenue per order, or another ratio whose denominator is not the customer: [CompareRatios].
//   - Looking at the results before the end: [Sequential], whose intervals hold at all times. The others hold once, at a
//     size that was fixed before ([SizeForRates], [SizeForMeans]).
//   - Several arms: a [Correction].
//
// # What to check first
//
// [SampleRatio] compares the sizes of the arms with what was planned; where they differ, no other number can be trusted.
// Adjustment.Balance does the same for the values before.
//
// # What an interval leaves out
//
// Values that a model predicts, such as a CLV of ten years after a month of test, carry the model's error besides that of
// sampling. The intervals of this package contain the sampling error only.
package experiment
