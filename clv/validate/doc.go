// Package validate gives the evidence that a purchase model can be trusted on a shop's own data. Everything is a plain
// table of named numbers that prints, is written as CSV and feeds any plotting package.
//
//	h, err := validate.Split(ctx, log, split, end, clv.Week, nil) // calibration histories and what happened afterwards
//	e, err := clv.FitBGNBD(ctx, h.Calibration, nil)
//	card, err := h.Scorecard(e.Model)        // bias, MAE, RMSE, Spearman, Gini, Brier of "buys again"
//	table, err := h.ByFrequency(e.Model, 7)  // expected and actual purchases by past frequency
//	deciles, err := h.Deciles(e.Model)       // calibration and lift
//	hist, err := validate.Frequencies(e.Model, h.Calibration, 7)
//
//	d, err := validate.ReadDiary(ctx, log, loc)
//	curve, err := d.Track(e.Model, clv.Week, weeks, split) // repeat purchases by period, actual and expected
//	ranks, err := d.Backtest(ctx, clv.Week, origins, 26, candidates...)
//
// Purchases of one calendar day count as one, as in clv.Summarize.
package validate
