// Package cohort projects what cohorts of customers will have spent when they are as old as the oldest one: the chain
// ladder of actuaries on triangles of cumulative value, with Mack's standard errors.
//
//	triangle, err := cohort.FromLog(ctx, log, ledger.Months(from, to, loc), nil)
//	fmt.Println(triangle)                    // cumulative value by cohort and age
//	p, err := cohort.ChainLadder(triangle, nil)
//	fmt.Println(p)                           // ultimate and future value of each cohort, with standard errors
//
// A cohort is the customers whose first purchase fell in one period; its age 0 is that period. The method needs no model
// of behavior: it assumes that cohorts grow alike from age to age, whatever their size. BornhuetterFerguson and
// CapeCod lean on an expectation where a cohort is too young for its own value to say much.
package cohort
