package churn

import (
	"context"
	"errors"
	"fmt"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// SBGFromRates returns the SBG whose retention curve is nearest to retention rates, r(1) first, with the sum of squared
// differences. It is for rates without the number of customers behind them, such as those of a chart or a filing; with
// the numbers FitSBG is better, since it knows which rates rest on few customers, and has standard errors.
//
//	sum over t of (r(t) - (Beta+t-1)/(Alpha+Beta+t-1))^2
//
// It returns an error with the row for a rate that does not lie between 0 and 1, one for fewer than two rates, and, with
// the best model so far, one that wraps fit.ErrNotConverged or fit.ErrDiverged: rates that do not rise have no nearest
// SBG.
func SBGFromRates(ctx context.Context, rates []float64, o *fit.Options) (m SBG, squares float64, err error) {
	for i, r := range rates {
		if !(r > 0 && r < 1) {
			return SBG{}, 0, rowError(i+1, "rate", exactly(r), errors.New("want a number between 0 and 1"))
		}
	}
	if len(rates) < 2 {
		return SBG{}, 0, fmt.Errorf("churn: sbg from rates: %d rates, want at least 2", len(rates))
	}
	lost := 1 - rates[0]
	p := mle.Problem{
		Params: []mle.Param{{Name: "Alpha"}, {Name: "Beta"}},
		Rows:   len(rates), Weight: 1, Second: true, Withhold: "squares of rates have no likelihood",
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumSquares(rates, theta, lo, hi, d) },
	}
	for _, n := range []float64{2, 10, 0.5, 50} {
		p.Starts = append(p.Starts, []float64{lost * n, (1 - lost) * n})
	}
	r, err := mle.Maximize(ctx, p, o)
	if err != nil {
		err = fmt.Errorf("churn: sbg from rates: %w", err)
	}
	if r.Theta == nil {
		return SBG{}, 0, err
	}
	for _, warning := range r.Warnings[:max(0, len(r.Warnings)-1)] { // the last one is that standard errors are withheld
		err = errors.Join(err, fmt.Errorf("churn: sbg from rates: %w: %s", fit.ErrDiverged, warning))
	}
	return SBG{r.Theta[0], r.Theta[1]}, -r.LogLik / squaresScale, err
}

// squaresScale makes squares of differences of rates about as large as a log-likelihood, for the search's tolerances.
const squaresScale = 1e4

// sumSquares subtracts the squared differences from d, with their derivatives.
func sumSquares(rates, theta []float64, lo, hi int, d *mle.Derivs) {
	a := theta[0]
	for i := lo; i < hi; i++ {
		b := theta[1] + float64(i)
		s := a + b
		e := rates[i] - b/s
		da, db := -b/(s*s), a/(s*s)
		const w = 2 * squaresScale
		d.Value -= squaresScale * e * e
		d.Grad[0] += w * e * da
		d.Grad[1] += w * e * db
		if d.Hess != nil {
			d.AddHess(0, 0, w*(e*2*b/(s*s*s)-da*da))
			d.AddHess(0, 1, w*(e*(b-a)/(s*s*s)-da*db))
			d.AddHess(1, 1, w*(-e*2*a/(s*s*s)-db*db))
		}
	}
}
