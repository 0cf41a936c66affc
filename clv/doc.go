// Package clv computes what customers are worth: from an order log to each customer's expected value in money.
//
// # From a log to values
//
// Three calls lead from the orders that a shop has to the customers that matter most to it:
//
//	hs, err := clv.Summarize(ctx, ledger.Transactions(log), end, clv.Week, nil)
//	s, err := clv.FitScorer(ctx, hs, clv.ValueOptions{Margin: 0.30, Horizon: 52, Discount: clv.Annual(0.10)})
//	top, err := s.Top(hs, 20)
//
// Summarize reduces the log to one History a customer: how many repeat purchases, when the last, observed for how long,
// how much spent. Rows may come in any order, purchases of one day count as one, refunds never count as purchases, and
// Histories.Report says what became of every row. FitScorer fits a purchase model and a spend model. The Scorer turns
// both into values, and is stored as one JSON file.
//
// Where one number is enough, Simple is the formula of the textbooks: order value times orders a year times years times
// margin.
//
// # Models
//
// A purchase model describes customers who buy at random times and leave without saying so. It answers how likely it is
// that a silent customer is still one (ProbAlive), how many purchases to expect of one customer (ExpectedPurchases) or
// of a new one (NewCustomerPurchases, PMF), and how many for ever when later ones count less (DERT).
//
//	model              type          buys                 leaves
//	NBD                NBD           at random            never
//	Pareto/NBD         ParetoNBD     at random            at any time
//	BG/NBD             BGNBD         at random            after a repeat purchase
//	MBG/NBD            MBGNBD        at random            after any purchase
//	BG/CNBD-k          BGCNBD        with some regularity after a repeat purchase
//	MBG/CNBD-k         MBGCNBD       with some regularity after any purchase
//	GGompertz/NBD      GGompertzNBD  at random            at any time, with a risk that grows
//	PDO                PDO           at random            at periodic opportunities
//	BG/BB              BGBB          at opportunities     before an opportunity
//	gamma-gamma        GammaGamma    (what a purchase is worth)
//
// CorrelatedParetoNBD is Pareto/NBD in which those who buy more often may stay longer, or shorter. CovBGNBD and its kin let
// covariates of the customer, such as the channel, move the parameters; DynamicParetoNBD takes covariates that change with
// time, such as seasons and mailings, from a Calendar.
//
// Models are plain structs of their parameters, named as in the papers, ready to use as literals. BG/NBD is a good first
// choice; fit.Compare ranks several by what they say of the data, and clv/validate by what they say of a holdout.
//
//	e, err := clv.FitBGNBD(ctx, hs, nil) // *fit.Estimate[clv.BGNBD]: model, standard errors, log-likelihood
//	fmt.Println(e)
//	p := e.Model.ProbAlive(hs.Rows[0])
//
// Predict applies a fitted model to many customers, in parallel and in order; ProbAliveAll, ExpectedPurchasesAll,
// DiscountedPurchasesAll and DERTAll fill a slice with one answer of each. Value and the Scorer put purchases, spend,
// margin and discount together:
//
//	value = Margin * expected spend a purchase * discounted expected purchases
//
// # How sure one can be
//
// Every estimate has standard errors; its Interval is of the parameters. Intervals of predictions come by the delta method
// (ProbAliveInterval, ExpectedPurchasesInterval, DERTInterval, ValueInterval, DeltaInterval), from draws of the parameters
// (DrawParams) or from refits to resampled customers (Bootstrap). ProfileIntervals are right where the likelihood is not
// symmetric. FitMAP takes priors for small samples, FitPenalized a penalty. EstimateFor is the plain estimate of a customer
// with covariates, for every interval above.
//
// # Time and money
//
// Model time is a float64 in a unit that histories and estimates carry, Day or Week: a week of three days is 3/7. Where
// an estimate meets histories of another unit it is an error. Nothing reads the clock: the end of observation is an
// argument.
//
// A discount rate says what it is a rate of (Annual, PerUnit, and both continuous), so that a weekly model cannot take an
// annual rate for a weekly one. Money is exact and carries its currency; it enters the models as float64 and leaves
// them rounded as ValueOptions say. An infinite value is an error that wraps ErrInfinite, never a number.
//
// # Serving
//
// A service does not need the log. It keeps a State a customer, a few hundred bytes of JSON; Observe takes an order,
// Advance lets time pass, Score answers:
//
//	st, err = s.Observe(st, ledger.Transaction{Customer: id, At: at, Amount: amount})
//	sc, err := s.Score(s.Advance(st, now))
//
// # Large logs
//
// Summarize reads on one goroutine and enters rows on several; SummarizeAll reads several files or partitions at once.
// Memory grows with customers and their distinct purchase days and not with rows. A Partial is a summary that can be
// stored, merged in any order and brought up to date day by day, with the same result to the last bit as a summary of all
// rows. MaxBytes bounds the memory of a summary; with a SpillDir it goes on beyond that on disk.
//
// # Sub-packages
//
//	clv/validate   holdout, tracking, scorecards and backtests of models
//	clv/simulate   logs of any size from any model
//	clv/cohort     value by cohort, chain ladder
//	clv/migration  customers as Markov chains of states
//	clv/equity     the value of a customer base, and of a company by its customers
package clv
