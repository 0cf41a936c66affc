// Package survival says how long customers stay and what makes them leave, from tenures of which some have not ended.
//
// Its record is [ledger.Tenure]: a customer was under observation from age Entry to age Duration, in a unit that the caller
// chooses, and either left then (Ended) or was still there (censored). Leaving out those who are still there, or counting
// them as gone, biases every average; the methods of this package use them for what they are: proof of having stayed so
// long. Entry is 0 for customers seen from their start. It is positive for those whose start lies before the first day of
// the data: they count as at risk from that age on only, which corrects for the ones who left unseen (left truncation). At
// time t the customers with Entry < t <= Duration are at risk, and who leaves at t does so before anyone is censored at t.
//
//	curve, err := survival.KaplanMeier(tenures, nil)
//	fmt.Println(curve.Median(), curve.Survival(12))
//
// # Curves
//
// [KaplanMeier], [NelsonAalen] and [FlemingHarrington] estimate a [Curve] without assuming a shape, with standard errors
// and confidence bands on three scales, quantiles with intervals and the restricted mean. [Compare] tests whether groups of
// customers differ: log-rank and weighted tests for two or more groups, stratified, and for trend. [CompareRestrictedMeans]
// says by how much time.
//
// # Covariates
//
// [NewDesign] checks covariates and codes them: [Numeric], [Indicator], [Categorical] with its reference level. [FitCox]
// estimates what they do to the hazard without assuming its shape, with strata, covariates that change with time, a choice
// of how to treat ties, robust covariance for rows that belong together, and a ridge penalty. The fit has residuals
// ([CoxFit.Residuals]), a test of its main assumption ([CoxFit.TestProportionality]) and predicts curves with bands
// ([Cox.Predict]). [ConcordanceOf] and [Brier] score predictions.
//
// # Parametric models
//
// [FitExponential], [FitWeibull], [FitLogNormal], [FitLogLogistic], [FitGompertz] and [FitGeneralizedGamma] estimate
// distributions that reach beyond the data; [FitRegression] gives them covariates. They take tenures or an [Interval], of
// which only the limits of the end are known, as where churn is looked at once a month. Each [Distribution] has survival,
// hazard, density, quantiles and means; [PredictBand] has intervals.
//
// # Reasons
//
// A customer who cancels can no longer fail to pay. [CumulativeIncidence] gives the probability of having left for each
// reason; one minus the Kaplan-Meier curve of one reason overstates it. [ForReason] makes cause-specific hazards of all
// other methods, and [Subdistribution] regressions of the incidence itself.
//
// # Conventions
//
// Every curve has the method Survival(t float64) float64, so that code that needs a survival curve takes it as an interface
// of one method. Weights count customers: a tenure of weight 3 is three tenures (the regression of Cox with Efron's ties is
// the exception that it names). No result depends on the order of the rows or on any draw at random: ties are counted as
// ties. What cannot be computed is NaN in Go and null in JSON, never 0. The tests hold every method against R's survival on
// generated data to 1e-8 or better, except those that it does not have.
package survival
