// Package report turns what a business knows of its customers into one page that a manager reads: what they are worth and
// how sure that is, where they come from, what they cost, what they buy, who leaves. The page is a single HTML file without
// anything from the network, light or dark, for any screen and for paper, readable without script and by screen readers;
// the same report is also written as a message for mail.
//
//	r, err := report.New(ctx, &report.Options{Log: log, Costs: costs})
//	if err != nil {
//		return err
//	}
//	err = r.WriteHTML(w)
//
// # Sections
//
// New makes the sections that Options.Sections names, in that order, and all of them by default:
//
//	headline     customers, revenue, repeat rate, churn, expected purchases and residual value, with intervals
//	channels     value of a customer by the channel that won them
//	cohorts      value of a customer by the time of the first order
//	products     what is sold by what it earns, by product or, where none is named, by category
//	conversion   who was reached and who bought, by first channel and by platform; needs Options.Touches
//	customers    the most valuable customers, and how unevenly value is spread
//	segments     the grid of recency and frequency, the segments and what to do about them
//	retention    which part of each cohort bought again, by age
//	forecast     what the model said of the last quarter of the log, and what happened
//	acquisition  cost, CLV:CAC and payback by channel; needs Options.Costs
//	recurring    MRR and what moved it over a year; needs Options.Subscriptions
//	quality      what became of the rows, and what is odd in them
//	method       how everything is computed, fitted parameters with their standard errors, literature
//
// A section whose data are absent is a note that says so, as are those that need a fitted model where the log carries none.
//
// # Reports of one's own
//
// A Report is a plain value: a title and sections, and a section is paragraphs, figures, tables and charts. Change what New
// made, add sections to it, or write a report from the first word; WriteHTML and WriteEML take all alike. See the examples.
//
// # What the figures are
//
// Lifetime value is what a customer has earned the business so far and what all of the customer's future orders are expected
// to earn, discounted; by the BG/NBD and the gamma-gamma model. Intervals of values tell how well the data determine the
// models' parameters. The page's section method says all this in the words of its reader.
//
// Reports are deterministic: nothing reads the clock and nothing is random, so the same data give the same bytes.
package report
