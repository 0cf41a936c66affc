// Package fit holds what every estimation of the library has in common: the options of a fit, the estimate that it
// returns and the comparison of several.
//
// A fit is a named function of the package that owns the model, such as clv.FitBGNBD. It returns an *Estimate of that
// model: the model itself, ready to predict, each parameter with its standard error, the covariance matrix, the
// log-likelihood and the reason the search stopped. An Estimate holds no data; it prints as a table and is stored as
// JSON whose schema names the model, so that one model's estimate cannot be read as another's.
//
//	e, err := clv.FitBGNBD(ctx, histories, nil)
//	fmt.Println(e)                 // the table
//	band, err := e.Interval(0.95)  // one interval a parameter
//	p := e.Model.ProbAlive(h)      // a model is a plain value
//
// A search that stops before it has converged returns the best estimate so far and an error that wraps
// ErrNotConverged or ErrDiverged and says what to try.
package fit
