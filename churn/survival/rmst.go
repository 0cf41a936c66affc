package survival

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/stat"
)

// A RestrictedMean is the mean tenure within a horizon: the area under a survival curve from 0 to Horizon.
type RestrictedMean struct {
	Horizon float64 `json:"horizon"`
	Mean    float64 `json:"mean"`
	StdErr  float64 `json:"std_err"` // NaN for the curve of a regression
	Lower   float64 `json:"lower"`   // Mean - z StdErr
	Upper   float64 `json:"upper"`
	Level   float64 `json:"level"`
}

// MarshalJSON writes the mean; a number that does not exist is null.
func (r RestrictedMean) MarshalJSON() ([]byte, error) { return table.Marshal(r) }

// RestrictedMean returns the restricted mean survival time
//
//	integral of S(t) from 0 to horizon
//
// with the standard error
//
//	se² = sum over t_i <= horizon of A_i² d_i/(n_i (n_i-d_i)),  A_i = integral of S from t_i to horizon
//
// for a Kaplan-Meier curve; the curves of a cumulative hazard have its variance steps in place of d/(n(n-d)). The level
// of the interval is that of the curve.
//
// RestrictedMean returns an error if horizon is not positive, or after End while the curve is not yet 0 there: the data
// say nothing of the area beyond.
func (c *Curve) RestrictedMean(horizon float64) (RestrictedMean, error) {
	if !(horizon > 0) || math.IsInf(horizon, 1) {
		return RestrictedMean{}, fmt.Errorf("survival: restricted mean: horizon %v is not a positive number", horizon)
	}
	if horizon > c.End() && c.Survival(c.End()) > 0 {
		return RestrictedMean{}, fmt.Errorf("survival: restricted mean: horizon %v is after the last observed time %v; "+
			"choose one within it or extrapolate with a parametric model", horizon, c.End())
	}
	r := RestrictedMean{Horizon: horizon, Level: c.Level}
	end, variance := horizon, 0.0
	last := c.at(horizon)
	for i := last; i >= 0; i-- {
		p := &c.Points[i]
		r.Mean += p.Survival * (end - p.Time)
		end = p.Time
		if p.Events == 0 || r.Mean == 0 {
			continue
		}
		step := p.Events / (p.AtRisk * (p.AtRisk - p.Events))
		if c.Method != methodNames[productLimit] {
			step = p.CumHazardStdErr * p.CumHazardStdErr
			if i > 0 {
				step -= c.Points[i-1].CumHazardStdErr * c.Points[i-1].CumHazardStdErr
			}
		}
		variance += r.Mean * r.Mean * step
	}
	r.Mean += end
	r.StdErr = math.Sqrt(variance)
	if c.Method == "cox" {
		r.StdErr = math.NaN()
	}
	z := stat.TwoSided(c.Level)
	r.Lower, r.Upper = r.Mean-z*r.StdErr, r.Mean+z*r.StdErr
	return r, nil
}

// A MeanDifference compares the restricted means of two curves.
type MeanDifference struct {
	Horizon    float64 `json:"horizon"`
	Difference float64 `json:"difference"` // mean of the first curve less that of the second
	StdErr     float64 `json:"std_err"`
	Lower      float64 `json:"lower"`
	Upper      float64 `json:"upper"`
	Level      float64 `json:"level"`
	Z          float64 `json:"z"` // Difference/StdErr
	P          float64 `json:"p"` // two-sided
}

// CompareRestrictedMeans returns the difference of the restricted means of two independent curves up to horizon, with
// the normal test that it is 0. The level of the interval is that of the first curve.
//
// It returns the errors of [Curve.RestrictedMean] and, where neither curve has any variance, one that wraps
// [ledger.ErrUndefined].
func CompareRestrictedMeans(a, b *Curve, horizon float64) (MeanDifference, error) {
	ra, err := a.RestrictedMean(horizon)
	if err != nil {
		return MeanDifference{}, err
	}
	rb, err := b.RestrictedMean(horizon)
	if err != nil {
		return MeanDifference{}, err
	}
	d := MeanDifference{Horizon: horizon, Difference: ra.Mean - rb.Mean, StdErr: math.Hypot(ra.StdErr, rb.StdErr),
		Level: a.Level}
	if math.IsNaN(d.StdErr) {
		return MeanDifference{}, errors.New("survival: difference of restricted means: the curve of a regression has no standard error")
	}
	if d.StdErr == 0 {
		return MeanDifference{}, undefined("difference of restricted means: no customer left before the horizon")
	}
	z := stat.TwoSided(a.Level)
	d.Lower, d.Upper = d.Difference-z*d.StdErr, d.Difference+z*d.StdErr
	d.Z = d.Difference / d.StdErr
	d.P = twoSidedP(d.Z)
	return d, nil
}
