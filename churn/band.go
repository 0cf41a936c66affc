package churn

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
)

// A CurveBand is a fitted curve with confidence intervals.
type CurveBand struct {
	Model string     `json:"model"`
	Level float64    `json:"level"`
	Rows  []CurveRow `json:"rows"` // t = 0 first
}

// A CurveRow is a fitted curve at one renewal.
type CurveRow struct {
	T             int     `json:"t"`
	Survival      float64 `json:"survival"` // S(t)
	SurvivalLow   float64 `json:"survival_low"`
	SurvivalHigh  float64 `json:"survival_high"`
	Retention     float64 `json:"retention"` // r(t); 1 at t = 0
	RetentionLow  float64 `json:"retention_low"`
	RetentionHigh float64 `json:"retention_high"`
}

// Band returns S(t) and r(t) up to a number of renewals with intervals by the delta method on the logit scale, so that
// they lie between 0 and 1. They are those of the curve, not of the number of customers to be seen: Project has these.
//
// Band returns an error if renewals is negative or level not between 0 and 1, and one that wraps fit.ErrNoCovariance.
func Band[M Fitted[M]](e *fit.Estimate[M], renewals int, level float64) (*CurveBand, error) {
	z := stat.TwoSided(level)
	switch {
	case math.IsNaN(z):
		return nil, fmt.Errorf("churn: level %v: want a number between 0 and 1", level)
	case renewals < 0 || renewals > 1e6:
		return nil, fmt.Errorf("churn: band: %d renewals: want 0 to 1,000,000", renewals)
	case e.Model.Validate() != nil:
		return nil, e.Model.Validate()
	}
	root, err := workingRoot(e)
	if err != nil {
		return nil, err
	}
	b := &CurveBand{Model: e.Model.Kind(), Level: level}
	for t := range renewals + 1 {
		row := CurveRow{T: t, Survival: 1, SurvivalLow: 1, SurvivalHigh: 1, Retention: 1, RetentionLow: 1, RetentionHigh: 1}
		if t > 0 {
			row.Survival, row.Retention = e.Model.Survival(float64(t)), e.Model.Retention(t)
			row.SurvivalLow, row.SurvivalHigh = delta(e, root, z, func(m M) float64 { return m.Survival(float64(t)) })
			row.RetentionLow, row.RetentionHigh = delta(e, root, z, func(m M) float64 { return m.Retention(t) })
		}
		b.Rows = append(b.Rows, row)
	}
	return b, nil
}

// delta returns the interval of a probability, symmetric on the logit scale, by central differences along the columns of
// the root of the covariance.
func delta[M Fitted[M]](e *fit.Estimate[M], root *mat.TriDense, z float64, f func(M) float64) (low, high float64) {
	logit := func(p float64) float64 { return math.Log(p) - math.Log1p(-p) }
	variance := 0.0
	const h = 1e-4 // of a standard deviation
	for k := range e.Params {
		at := func(step float64) float64 {
			theta := make([]float64, len(e.Params))
			for i, p := range e.Params {
				theta[i] = p.Value
				if i >= k {
					theta[i] = moved(p, step*root.At(i, k))
				}
			}
			return logit(f(e.Model.remake(theta)))
		}
		d := (at(h) - at(-h)) / (2 * h)
		variance += d * d
	}
	center, half := logit(f(e.Model)), z*math.Sqrt(variance)
	if math.IsNaN(half) || math.IsInf(center, 0) {
		return f(e.Model), f(e.Model) // 0 or 1 to the last digit
	}
	return 1 / (1 + math.Exp(half-center)), 1 / (1 + math.Exp(-half-center))
}

// String returns the curve as a table.
func (b *CurveBand) String() string {
	var rows [][]string
	for _, r := range b.Rows {
		rows = append(rows, []string{strconv.Itoa(r.T), decimals(r.Survival, 4), decimals(r.SurvivalLow, 4), decimals(r.SurvivalHigh, 4),
			decimals(r.Retention, 4), decimals(r.RetentionLow, 4), decimals(r.RetentionHigh, 4)})
	}
	return textTable([]string{"t", "S(t)", "low", "high", "r(t)", "low", "high"}, rows, 0)
}

// WriteCSV writes one line a renewal with a header.
func (b *CurveBand) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range b.Rows {
		rows = append(rows, []string{strconv.Itoa(r.T), number(r.Survival), number(r.SurvivalLow), number(r.SurvivalHigh),
			number(r.Retention), number(r.RetentionLow), number(r.RetentionHigh)})
	}
	return writeCSV(w, []string{"t", "survival", "survival_low", "survival_high", "retention", "retention_low", "retention_high"}, rows)
}
