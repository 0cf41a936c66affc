// Package risk says who will leave next, how far that can be believed, and whom it pays to contact.
//
// # Scores
//
// [FitLogistic] regresses who left on what was known of the customers before; [FitHazard] does it period by period from
// tenures of which some have not ended, so that it also says when. [NewDesign] checks the covariates and codes them:
// [Numeric], [Indicator], [Categorical] with its reference level.
//
//	d, err := risk.NewDesign(risk.Numeric("tickets", tickets), risk.Categorical("plan", plans, "basic"))
//	f, err := risk.FitLogistic(ctx, left, d, nil)
//	fmt.Println(f)                                   // the table of coefficients
//	p, err := f.Estimate.Model.Predict(profile)      // P(leaves)
//
// A covariate that has no estimate is an error that names it: one that the others make up, or one that separates those who
// left from those who stayed, whose coefficient other software prints as some large number.
//
// # Probabilities
//
// A score of any kind becomes a probability by [FitPlatt] or [FitIsotonic]. [NewForecast] judges probabilities: [BrierScore]
// with its decomposition, logarithmic loss, the table and the slope of [Calibration], the test of Hosmer and Lemeshow.
//
// # Rankings
//
// [NewRanking] judges the order alone: ROC curve, area with the interval of DeLong, precision and recall, lift and gains,
// the distance of Kolmogorov and Smirnov. Customers of the same score are one step of the order; where a share of customers
// ends among them, they count as the mean over all their orders. No result depends on a draw at random.
//
// # Money
//
// A [Campaign] says what an offer costs and what a customer is worth who stays for it. [Ranking.MaxProfit] finds the share
// of customers to contact, [Ranking.ExpectedMaxProfit] compares scores by what they earn where it is not known how many
// accept (EMPC), and [Contacts] makes the list: for each customer the expected value saved and the expected cost, for as
// long as the first exceeds the second.
//
//	list, err := risk.Contacts(prospects, risk.ContactOptions{Contact: usd("2"), Incentive: usd("10"), Accept: 0.3})
//	fmt.Println(list)
//
// # Conventions
//
// A higher score means a higher risk; left is true for who left. Weights count customers. Sums are taken in fixed chunks
// over rows in an order of their content, so that neither the order of the input nor the number of workers changes a bit.
// Judge scores on customers that they were not made from. What cannot be computed is an error, or NaN in Go and null in
// JSON where it is one number of many, never 0.
package risk
