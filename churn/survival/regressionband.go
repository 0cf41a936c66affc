package survival

import (
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
)

// A BandPoint is the survival at one time as a parametric model predicts it.
type BandPoint struct {
	Time     float64 `json:"time"`
	Survival float64 `json:"survival"`
	StdErr   float64 `json:"std_err"` // by the delta method
	Lower    float64 `json:"lower"`
	Upper    float64 `json:"upper"`
}

// BandPoints are predictions at several times.
type BandPoints []BandPoint

// PredictBand returns the survival that a fitted regression predicts at some times for a customer with the given profile,
// with standard errors and limits on the scale of the options:
//
//	var ln S = g' Cov g,  g the slope of ln S(t | x) in the parameters
//
// It returns an error for a profile that does not fit the model, for times that are not positive, and one that wraps
// [fit.ErrNoCovariance] for an estimate without covariance.
func PredictBand(e *fit.Estimate[Regression], p Profile, times []float64, o *CurveOptions) (BandPoints, error) {
	row, err := e.Model.Terms.Row(p)
	if err != nil {
		return nil, err
	}
	band, level, err := o.resolve()
	if err != nil {
		return nil, err
	}
	if e.Cov == nil {
		return nil, fmt.Errorf("survival: band: %w", fit.ErrNoCovariance)
	}
	m := e.Model
	shapes := m.shapes()
	if len(e.Cov) != 1+len(row)+len(shapes) {
		return nil, fmt.Errorf("survival: band: a covariance of %d parameters for %d", len(e.Cov), 1+len(row)+len(shapes))
	}
	points := make(BandPoints, len(times))
	slope, z := make([]float64, len(e.Cov)), stat.TwoSided(level)
	for k, t := range times {
		if !(t > 0) || math.IsInf(t, 1) {
			return nil, fmt.Errorf("survival: band: time %v is not a positive number", t)
		}
		l := m.Family.at(t, m.LinearPredictor(row), shapes, false)
		slope[0] = l.g[0]
		for j, x := range row {
			slope[1+j] = l.g[0] * x
		}
		for j := range shapes {
			slope[1+len(row)+j] = l.g[1+j]
		}
		sigma, s := math.Sqrt(linalg.Form(e.Cov, slope)), math.Exp(l.v)
		lower, upper := band.limits(s, sigma, z)
		points[k] = BandPoint{t, s, s * sigma, lower, upper}
	}
	return points, nil
}

// shapes returns the parameters beside the linear predictor, in the order of the estimate.
func (m Regression) shapes() []float64 {
	switch m.Family {
	case ExponentialFamily:
		return nil
	case GompertzFamily:
		return []float64{m.Shape}
	case GeneralizedGammaFamily:
		return []float64{m.Scale, m.Shape}
	default:
		return []float64{m.Scale}
	}
}

func (b BandPoints) table() *table.Table {
	t := table.New("time", "survival", "std_err", "lower", "upper")
	for _, p := range b {
		t.Add(p.Time, p.Survival, p.StdErr, p.Lower, p.Upper)
	}
	return t
}

// String returns the points as a table.
func (b BandPoints) String() string { return b.table().String() }

// WriteCSV writes the points with a header.
func (b BandPoints) WriteCSV(w io.Writer) error { return b.table().WriteCSV(w) }

// MarshalJSON writes the points; a number that does not exist is null.
func (b BandPoints) MarshalJSON() ([]byte, error) { return table.Marshal([]BandPoint(b)) }
