// Package churn answers what share of the customers leaves, who will be next, and how long the others stay.
//
// # Rates
//
// A churn rate is a share, and half of all disagreements are about its base. Every rate here has its counts and its
// Basis, and one of an empty base is an error that wraps ledger.ErrUndefined.
//
//	crr, err := churn.RetentionRate(500, 550, 100)      // start, end, new at the end: 0.90
//	lost, err := churn.Rate(500, 50)                    // 10.0 % (50 of 500, at start)
//	low, high, err := lost.Interval(0.95)               // Wilson
//	w, err := churn.Window(ctx, spans, june, nil)       // every basis, value, reasons, from who was a customer when
//	a, err := churn.ByAge(ctx, spans, p, 90*24*time.Hour, end, 0.95)
//
// Renewals counts contracts whose term ends. InactivityRate and ExpectedRate are for customers who do not tell that they
// leave: by a rule of thumb, and by a model's probability of being alive.
//
// # Cohorts
//
// Cohorts is the retention matrix of an order log, RevenueCohorts the same with the money, and CohortsBy that of any
// events: N-day, unbounded or bracketed, by calendar periods or rolling, first-time or recurring. Cells that are not
// over yet are marked and left out of the averages.
//
//	t, err := churn.Cohorts(ctx, ledger.Transactions(log), ledger.Months(from, to, loc))
//	fmt.Println(t)
//
// # Lifecycle
//
// Lifecycle puts every customer into a Stage at the end of each period (new, active, returning, resurrected, at risk,
// dormant, lost) and counts customers and money that moved between them. AtRisk lists who is overdue by the customer's
// own rhythm. Monitor does the same as events arrive, with triggers, and reports each transition once; its state is JSON.
// NPS, CSAT and ByScore turn scores into satisfaction and what it is worth.
//
// # Retention curves
//
// How long will those who renew their contracts stay? The models are plain values with the methods of Curve:
//
//	Geometric        constant churn
//	SBG              constant for each customer, different between customers: beta-geometric
//	BdW              changing with age as well: beta-discrete-Weibull
//	DiscreteWeibull  changing with age, the same for all
//	LatentClass      two kinds of customers
//
// FitSBG and its kin estimate them from cohorts, any number at once; CohortsOf makes cohorts of tenures, and SBGFromRates
// does with rates alone. Project tells
// how many of them will be left, with intervals, Band draws the curve, GoodnessOfFit tests it, and DEL and DERL are what
// new and present customers are worth.
//
// Package churn/survival has survival analysis, churn/risk scores of single customers.
package churn
