package fit

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Summary is an Estimate without its model, so that fits of several models stand in one table.
type Summary struct {
	Kind        string        // the model's Kind, or its Go type where it has none
	Params      []Param       // as in the Estimate
	LogLik      float64       // as in the Estimate
	Customers   int           // as in the Estimate
	Unit        time.Duration // as in the Estimate
	Iter        int           // as in the Estimate
	Evaluations int           // as in the Estimate
	Stop        Stop          // as in the Estimate
	Warnings    []string      // as in the Estimate
}

// Summary returns the estimate without its model and covariance.
func (e *Estimate[M]) Summary() Summary {
	return Summary{Kind: kind(e.Model), Params: slices.Clone(e.Params), LogLik: e.LogLik, Customers: e.Customers,
		Unit: e.Unit, Iter: e.Iter, Evaluations: e.Evaluations, Stop: e.Stop, Warnings: slices.Clone(e.Warnings)}
}

// kind returns the model's name in tables and schemas.
func kind(model any) string {
	if k, ok := model.(interface{ Kind() string }); ok {
		return k.Kind()
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", model), "*"))
}

// AIC returns Akaike's information criterion, 2k - 2 ln L with k parameters.
func (s Summary) AIC() float64 { return aic(s.LogLik, len(s.Params)) }

// BIC returns Schwarz's criterion, k ln n - 2 ln L with k parameters and n customers.
func (s Summary) BIC() float64 { return bic(s.LogLik, len(s.Params), s.Customers) }

// String returns a table of the parameters with standard errors and 95 % intervals, and the facts of the fit below it.
func (e *Estimate[M]) String() string { return e.Summary().String() }

// String returns a table of the parameters with standard errors and 95 % intervals, and the facts of the fit below it.
func (s Summary) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\testimate\tstd. error\t95%% low\t95%% high\t\n", s.Kind)
	z := distuv.UnitNormal.Quantile(0.975)
	for _, p := range s.Params {
		if math.IsNaN(p.StdErr) {
			fmt.Fprintf(w, "%s\t%.6g\t-\t-\t-\t\n", p.Name, p.Value)
			continue
		}
		band := p.interval(z)
		fmt.Fprintf(w, "%s\t%.6g\t%.6g\t%.6g\t%.6g\t\n", p.Name, p.Value, p.StdErr, band[0], band[1])
	}
	_ = w.Flush() // a strings.Builder does not fail
	fmt.Fprintf(&b, "log-likelihood %.4f, AIC %.2f, BIC %.2f, %d customers\n", s.LogLik, s.AIC(), s.BIC(), s.Customers)
	if s.Unit > 0 {
		fmt.Fprintf(&b, "unit of time %v; ", s.Unit)
	}
	fmt.Fprintf(&b, "%s after %d iterations and %d evaluations\n", s.Stop, s.Iter, s.Evaluations)
	for _, warning := range s.Warnings {
		fmt.Fprintf(&b, "note: %s\n", warning)
	}
	return b.String()
}

// A Comparison is a table of fits to the same customers, best AIC first.
type Comparison []Summary

// Compare sorts the fits by AIC. It returns an error if there are none, if they were made from different numbers of
// customers or with different units of time, since their likelihoods are then not comparable, or if one is not a
// converged fit.
func Compare(fits ...Summary) (Comparison, error) {
	if len(fits) == 0 {
		return nil, fmt.Errorf("fit: nothing to compare")
	}
	for _, s := range fits {
		switch {
		case s.Customers != fits[0].Customers:
			return nil, fmt.Errorf("fit: %s was fitted to %d customers and %s to %d: their likelihoods are not comparable",
				fits[0].Kind, fits[0].Customers, s.Kind, s.Customers)
		case s.Unit != fits[0].Unit:
			return nil, fmt.Errorf("fit: %s was fitted in units of %v and %s of %v: their likelihoods are not comparable",
				fits[0].Kind, fits[0].Unit, s.Kind, s.Unit)
		case s.Stop != Converged:
			return nil, fmt.Errorf("fit: %s: %w: %s", s.Kind, ErrNotConverged, s.Stop)
		}
	}
	c := Comparison(slices.Clone(fits))
	slices.SortStableFunc(c, func(a, b Summary) int {
		switch {
		case a.AIC() < b.AIC():
			return -1
		case a.AIC() > b.AIC():
			return 1
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	return c, nil
}

// Weights returns the Akaike weights in the order of the table: the relative support exp(-difference/2), summing to 1.
func (c Comparison) Weights() []float64 {
	w, total := make([]float64, len(c)), 0.0
	for i, s := range c {
		w[i] = math.Exp((c[0].AIC() - s.AIC()) / 2)
		total += w[i]
	}
	for i := range w {
		w[i] /= total
	}
	return w
}

func (c Comparison) rows() [][]string {
	rows := [][]string{{"model", "parameters", "log_lik", "aic", "bic", "delta_aic", "weight"}}
	weights := c.Weights()
	for i, s := range c {
		rows = append(rows, []string{s.Kind, strconv.Itoa(len(s.Params)), fixed(s.LogLik, 4), fixed(s.AIC(), 2),
			fixed(s.BIC(), 2), fixed(s.AIC()-c[0].AIC(), 2), fixed(weights[i], 4)})
	}
	return rows
}

func fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// String returns the table as aligned text.
func (c Comparison) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range c.rows() {
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	_ = w.Flush() // a strings.Builder does not fail
	return b.String()
}

// WriteCSV writes the table with a header.
func (c Comparison) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(c.rows()) }

// A LikelihoodRatio is the test of a model against one nested in it.
type LikelihoodRatio struct {
	Statistic float64 `json:"statistic"` // 2 (ln L of the full model - ln L of the nested one), not negative
	DF        int     `json:"df"`        // parameters that the full model has more
	P         float64 `json:"p"`         // P(chi-squared with DF degrees > Statistic)
}

// Test returns the likelihood-ratio test of the nested model against the full one (Wilks, 1938). Where the nested
// value lies on the edge of the full model's parameter space the true P is smaller, so the test is conservative.
//
// Test returns an error if the fits cannot be compared, if the full model does not have more parameters, or if its
// log-likelihood is below the nested one's, which means that its search stopped too early: the statistic is never
// made positive.
func Test(nested, full Summary) (LikelihoodRatio, error) {
	if _, err := Compare(nested, full); err != nil {
		return LikelihoodRatio{}, err
	}
	df := len(full.Params) - len(nested.Params)
	if df < 1 {
		return LikelihoodRatio{}, fmt.Errorf("fit: %s has %d parameters and %s has %d: the first is not nested in the second",
			nested.Kind, len(nested.Params), full.Kind, len(full.Params))
	}
	statistic := 2 * (full.LogLik - nested.LogLik)
	if statistic < 0 {
		if statistic < -1e-6*math.Max(1, math.Abs(nested.LogLik)) {
			return LikelihoodRatio{}, fmt.Errorf("fit: the log-likelihood of %s, %v, is below that of %s nested in it, %v: %w",
				full.Kind, full.LogLik, nested.Kind, nested.LogLik, ErrNotConverged)
		}
		statistic = 0
	}
	return LikelihoodRatio{statistic, df, distuv.ChiSquared{K: float64(df)}.Survival(statistic)}, nil
}
