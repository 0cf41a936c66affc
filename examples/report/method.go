package report

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/custval/custval/fit"
)

// method says how the figures are made, with the parameters and the literature.
func method(_ context.Context, f *facts) (Section, error) {
	var s Section
	s.Lead = "How the figures are made. Nothing is random: the same data give the same report."
	s.Blocks = []Block{
		Text("Lifetime value is the " + f.earned.word + " of a customer so far (" + f.earning() + ") and the residual value: " + share(f.earned.share) + " of the expected spend of all future orders, discounted by " +
			plain(f.o.Discount) + " a year. Purchases follow the BG/NBD model [1]: customers order at rates of their own until, after some order, they leave for good. What they spend an order follows the gamma-gamma model [2, 3], independent of how often they order. The sum over all future orders is the discounted expected residual transactions [2]."),
		Text("Intervals have a level of " + f.level() + ". Those of rates are Wilson\u2019s [4]. Those of expected purchases and values are the delta method [5]: they tell how well the data determine the parameters, and for the forecast also the chance in what customers do. Those of values by channel and cohort come from the spread between the customers of each."),
		Text(fmt.Sprintf("Active customers bought within the last %.0f days, and churn counts those active before who did not. Segments are cells of recency and frequency scores [6]. Cost of acquisition is fully loaded. Retention counts the customers of a cohort who buy in a period.", f.window().Hours()/24)),
	}
	if f.model != nil {
		t := &Table{Caption: "Fitted parameters", Columns: []Column{{"Model and parameter", false}, {"Estimate", true}, {"Standard error", true}, {f.level() + " interval", true}, {"Meaning", false}}}
		meaning := map[string]string{
			"R": "evenness of the rates of orders: the higher, the more alike customers are", "Alpha": "scale of the rates: R/Alpha orders a " + f.unit() + " on average",
			"A": "with B, the chance of leaving after an order", "B": "A/(A+B) leave after an order on average",
			"P": "evenness of one customer\u2019s orders", "Q": "evenness of customers in what they spend", "Gamma": "scale of the spend",
		}
		if err := parameters(t, "BG/NBD", f.model.purchases, f.o.Level, meaning); err != nil {
			return s, err
		}
		if err := parameters(t, "Gamma-gamma", f.model.spend, f.o.Level, meaning); err != nil {
			return s, err
		}
		m := f.model.purchases.Model
		s.Blocks = append(s.Blocks, t, Text(fmt.Sprintf("While they stay, customers place %s repeat orders a %s on average, and after an order %s leave. The mean order is drawn towards %s, the more so the fewer orders a customer has. Log-likelihoods %s and %s, of %s and of the %s who bought again.",
			decimals(m.R/m.Alpha, 3), f.unit(), share(m.A/(m.A+m.B)), with(f.currency, decimals(f.model.spend.Model.PopulationMean(), 2)),
			decimals(f.model.purchases.LogLik, 1), decimals(f.model.spend.LogLik, 1), f.people(f.model.purchases.Customers), count(f.model.spend.Customers))))
		warnings := append(append([]string(nil), f.model.purchases.Warnings...), f.model.spend.Warnings...)
		for _, w := range warnings {
			s.Blocks = append(s.Blocks, Note("The fit warns: "+w))
		}
	} else {
		_, err := f.modeled()
		s.Blocks = append(s.Blocks, Note(err.Error()))
	}
	for i, c := range []string{
		"P. S. Fader, B. G. S. Hardie, K. L. Lee: \u201cCounting Your Customers\u201d the Easy Way: An Alternative to the Pareto/NBD Model. Marketing Science 24(2), 2005, 275\u2013284.",
		"P. S. Fader, B. G. S. Hardie, K. L. Lee: RFM and CLV: Using Iso-Value Curves for Customer Base Analysis. Journal of Marketing Research 42(4), 2005, 415\u2013430.",
		"R. Colombo, W. Jiang: A Stochastic RFM Model. Journal of Interactive Marketing 13(3), 1999, 2\u201312.",
		"E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. Journal of the American Statistical Association 22(158), 1927, 209\u2013212.",
		"G. W. Oehlert: A Note on the Delta Method. The American Statistician 46(1), 1992, 27\u201329.",
		"A. M. Hughes: Strategic Database Marketing. Probus, 1994.",
	} {
		s.Blocks = append(s.Blocks, Text("["+strconv.Itoa(i+1)+"] "+c))
	}
	return s, nil
}

func (f *facts) unit() string {
	if f.o.Unit == 7*24*60*60*1e9 {
		return "week"
	}
	return "day"
}

// parameters adds the rows of one model.
func parameters[M any](t *Table, model string, e *fit.Estimate[M], level float64, meaning map[string]string) error {
	intervals, err := e.Interval(level)
	if err != nil && e.Cov != nil {
		return err
	}
	for i, p := range e.Params {
		errs, interval := missing(), missing()
		if !math.IsNaN(p.StdErr) {
			errs = Cell{Text: digits(p.StdErr), Number: p.StdErr}
		}
		if intervals != nil {
			interval = Cell{Text: digits(intervals[i][0]) + " to " + digits(intervals[i][1]), Number: intervals[i][0]}
		}
		t.Rows = append(t.Rows, []Cell{text(model + " " + p.Name), {Text: digits(p.Value), Number: p.Value}, errs, interval, text(meaning[p.Name])})
	}
	return nil
}

// digits writes four significant digits.
func digits(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
