package clv

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/money"
)

// An Interval is a number with the interval in which it lies at some level of confidence. Low is 0 and High +Inf where
// the data set no bound; an infinite end is null in JSON.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

type jsonInterval struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// MarshalJSON writes the three numbers, null for an infinite one. It returns an error for NaN.
func (i Interval) MarshalJSON() ([]byte, error) {
	number := func(v float64) *float64 {
		if math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	if math.IsNaN(i.Value) || math.IsNaN(i.Low) || math.IsNaN(i.High) {
		return nil, fmt.Errorf("clv: interval %v, [%v, %v]: not a number", i.Value, i.Low, i.High)
	}
	return json.Marshal(jsonInterval{number(i.Value), number(i.Low), number(i.High)})
}

// UnmarshalJSON reads what MarshalJSON wrote: a null is -Inf for low and +Inf for the others.
func (i *Interval) UnmarshalJSON(text []byte) error {
	var j jsonInterval
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("clv: interval: %w", err)
	}
	*i = Interval{math.Inf(1), math.Inf(-1), math.Inf(1)}
	for _, p := range []struct{ to, from *float64 }{{&i.Value, j.Value}, {&i.Low, j.Low}, {&i.High, j.High}} {
		if p.from != nil {
			*p.to = *p.from
		}
	}
	return nil
}

// String returns "value [low, high]".
func (i Interval) String() string { return fmt.Sprintf("%.6g [%.6g, %.6g]", i.Value, i.Low, i.High) }

// A ParamInterval is the interval of a parameter.
type ParamInterval struct {
	Name     string   `json:"name"`
	Interval Interval `json:"interval"`
}

// ParamIntervals are the intervals of a model's parameters, in the order of the estimate's.
type ParamIntervals []ParamInterval

// String returns an aligned table.
func (ps ParamIntervals) String() string {
	records := [][]string{{"parameter", "estimate", "low", "high"}}
	for _, p := range ps {
		record := []string{p.Name}
		for _, v := range [3]float64{p.Interval.Value, p.Interval.Low, p.Interval.High} {
			record = append(record, strconv.FormatFloat(v, 'g', 6, 64))
		}
		records = append(records, record)
	}
	return text.Aligned(records)
}

// WriteCSV writes a header and one record a parameter: parameter, estimate, low, high. An infinite end is "+Inf" or "-Inf".
func (ps ParamIntervals) WriteCSV(w io.Writer) error {
	records := [][]string{{"parameter", "estimate", "low", "high"}}
	for _, p := range ps {
		records = append(records, []string{p.Name, short(p.Interval.Value), short(p.Interval.Low), short(p.Interval.High)})
	}
	return csv.NewWriter(w).WriteAll(records)
}

// checkLevel returns an error unless the level of confidence is between 0 and 1.
func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return fmt.Errorf("clv: level %v: want a number between 0 and 1, such as 0.95", level)
	}
	return nil
}

// DeltaInterval returns the interval of any function of an estimated model by the delta method. With u the parameters
// on their working scales, C the covariance there and g the function on the given scale,
//
//	g -+ z sqrt( g'(u) C g'(u) ),    C_ij = Cov_ij/(theta_i theta_j) for positive parameters,
//
// mapped back: fit.Logit is for probabilities, fit.Log for positive numbers, fit.Identity for numbers of any sign. The
// derivatives are central differences of fourth order, with about ten digits.
//
// Special cases: where f does not depend on the parameters the interval is the value alone, and so it is for a
// probability that is 0 or within 1e-9 of 1, whose logit has no digits, and for 0 on the log scale.
//
// DeltaInterval returns an error if the level is not between 0 and 1, if f is not finite or outside the scale at the
// estimate or next to it, and one that wraps fit.ErrNoCovariance where the estimate has none.
func DeltaInterval[M any](e *fit.Estimate[M], f func(m M) float64, scale fit.Scale, level float64) (Interval, error) {
	if e == nil {
		return Interval{}, errNoEstimate
	}
	return deltaInterval([]estimated{parts(e)}, func(theta [][]float64) (float64, error) {
		m, err := withParams(e.Model, e.Params, theta[0])
		if err != nil {
			return 0, err
		}
		return f(m), nil
	}, scale, level)
}

// ProbAliveInterval returns ProbAlive with its interval by the delta method on the logit scale. Errors are those of
// DeltaInterval, and one for a history that does not validate.
func ProbAliveInterval[M Model](e *fit.Estimate[M], h History, level float64) (Interval, error) {
	return historyInterval(e, h, func(m M) float64 { return m.ProbAlive(h) }, fit.Logit, level)
}

// ExpectedPurchasesInterval returns the expected purchases in (T, T+t] with their interval by the delta method on the
// log scale. It is that of the expectation; the purchases themselves vary more: see Forecaster. Errors are those of
// DeltaInterval, and one for a history that does not validate.
func ExpectedPurchasesInterval[M Model](e *fit.Estimate[M], h History, t, level float64) (Interval, error) {
	return historyInterval(e, h, func(m M) float64 { return m.ExpectedPurchases(h, t) }, fit.Log, level)
}

// DERTInterval returns the discounted expected residual purchases with their interval by the delta method on the log
// scale. Errors are those of DeltaInterval, one for a history that does not validate, and one that wraps ErrInfinite
// where DERT is infinite.
func DERTInterval[M Model](e *fit.Estimate[M], h History, delta, level float64) (Interval, error) {
	return historyInterval(e, h, func(m M) float64 { return m.DERT(h, delta) }, fit.Log, level)
}

func historyInterval[M Model](e *fit.Estimate[M], h History, f func(m M) float64, scale fit.Scale, level float64) (Interval, error) {
	if bad := h.problem(); bad != nil {
		return Interval{}, fmt.Errorf("clv: customer %q: %s %s: %w", h.Customer, bad.Field, bad.Value, bad.Err)
	}
	return DeltaInterval(e, f, scale, level)
}

// An AmountInterval is an amount of money with its interval.
type AmountInterval struct {
	Value money.Amount `json:"value"`
	Low   money.Amount `json:"low"`
	High  money.Amount `json:"high"`
}

// String returns "value [low, high]".
func (i AmountInterval) String() string { return fmt.Sprintf("%v [%v, %v]", i.Value, i.Low, i.High) }

// ValueInterval returns what a customer is expected to be worth, as Value does, with the interval by the delta method on
// the log scale, for NormalNormal on that of the value, which may be negative. It counts the errors of both estimates and takes them as independent, as the models are. The unit is
// that of the purchase estimate.
//
// Errors are those of Value and DeltaInterval.
func ValueInterval[M Model, S SpendModel](purchases *fit.Estimate[M], spend *fit.Estimate[S], h History, v ValueOptions, level float64) (AmountInterval, error) {
	if purchases == nil || spend == nil {
		return AmountInterval{}, errNoEstimate
	}
	value, err := Value(purchases.Model, spend.Model, h, purchases.Unit, v)
	if err != nil {
		return AmountInterval{}, err
	}
	w := worth{v: v, currency: h.Spend.Currency()}
	if w.delta, err = v.Discount.Rate(purchases.Unit); err != nil {
		return AmountInterval{}, err
	}
	scale := fit.Log
	if _, ok := any(spend.Model).(NormalNormal); ok {
		scale = fit.Identity // a value may be negative
	}
	i, err := deltaInterval([]estimated{parts(purchases), parts(spend)}, func(theta [][]float64) (float64, error) {
		m, err := withParams(purchases.Model, purchases.Params, theta[0])
		if err != nil {
			return 0, err
		}
		s, err := withParams(spend.Model, spend.Params, theta[1])
		if err != nil {
			return 0, err
		}
		at := w
		at.purchases, at.spend = m, s
		return at.float(h), nil
	}, scale, level)
	if err != nil {
		return AmountInterval{}, fmt.Errorf("clv: customer %q: %w", h.Customer, err)
	}
	return w.amounts(value, i)
}

// float is the value before it is rounded to money.
func (w *worth) float(h History) float64 {
	_, discounted := w.expected(h)
	return w.v.Margin * w.spend.Mean(h.X, w.mean(h)) * discounted
}

// mean returns the mean spend that the spend model is asked about: refunds that exceed the purchases count as 0 for
// GammaGamma and as they are for models that know them.
func (w *worth) mean(h History) float64 {
	if h.X == 0 {
		return 0
	}
	if _, positive := w.spend.(GammaGamma); positive {
		return max(0, h.MeanSpend())
	}
	return h.MeanSpend()
}

func (w *worth) amounts(value money.Amount, i Interval) (AmountInterval, error) {
	if math.IsInf(i.High, 1) {
		return AmountInterval{}, fmt.Errorf("clv: the upper end of the value is %w", ErrInfinite)
	}
	low, err := money.FromFloat(i.Low, w.currency, w.v.Rounding)
	if err != nil {
		return AmountInterval{}, err
	}
	high, err := money.FromFloat(i.High, w.currency, w.v.Rounding)
	return AmountInterval{value, low, high}, err
}

var (
	errNoEstimate = errors.New("clv: no estimate")
	errNotSmooth  = errors.New("not a finite number next to the estimate, so that the delta method does not apply; see DrawParams")
)

// An estimated is what the delta method reads of an estimate.
type estimated struct {
	params []fit.Param
	cov    [][]float64
}

func parts[M any](e *fit.Estimate[M]) estimated { return estimated{e.Params, e.Cov} }

// deltaInterval is DeltaInterval of a function of the parameters of independent estimates.
func deltaInterval(of []estimated, f func(theta [][]float64) (float64, error), scale fit.Scale, level float64) (Interval, error) {
	if err := checkLevel(level); err != nil {
		return Interval{}, err
	}
	theta := make([][]float64, len(of))
	for i, e := range of {
		if e.cov == nil {
			return Interval{}, fmt.Errorf("clv: %w", fit.ErrNoCovariance)
		}
		theta[i] = values(e.params)
	}
	value, err := f(theta)
	switch {
	case err != nil:
		return Interval{}, err
	case math.IsNaN(value):
		return Interval{}, fmt.Errorf("clv: %w", errNoNumber)
	case math.IsInf(value, 0):
		return Interval{}, fmt.Errorf("clv: the value is %w", ErrInfinite)
	}
	if (scale == fit.Logit && (value == 0 || (value <= 1 && 1-value < 1e-9))) || (scale == fit.Log && value == 0) {
		return Interval{value, value, value}, nil
	}
	center := toScale(scale, value)
	if math.IsNaN(center) {
		return Interval{}, fmt.Errorf("clv: %v is outside the %v scale", value, scale)
	}
	variance := 0.0
	for i, e := range of {
		g, err := gradient(theta, i, e.params, f, scale)
		if err != nil {
			return Interval{}, err
		}
		for j, row := range workingCov(e.params, e.cov) {
			for k, c := range row {
				variance += g[j] * c * g[k]
			}
		}
	}
	half := stat.TwoSided(level) * math.Sqrt(max(0, variance))
	if math.IsNaN(half) {
		return Interval{}, fmt.Errorf("clv: %w", errNotSmooth)
	}
	return Interval{value, fromScale(scale, center-half), fromScale(scale, center+half)}, nil
}

// gradient returns the derivatives of f on its scale in the working values of the parameters theta[i].
func gradient(theta [][]float64, i int, params []fit.Param, f func(theta [][]float64) (float64, error), scale fit.Scale) ([]float64, error) {
	const step = 1e-3
	at := make([][]float64, len(theta))
	copy(at, theta)
	g := make([]float64, len(params))
	for j, p := range params {
		at[i] = append([]float64(nil), theta[i]...)
		u := toScale(p.Scale, p.Value)
		h := step
		if p.Scale == fit.Identity && p.StdErr > 0 {
			h = step * p.StdErr * 10
		}
		var v [4]float64
		for k, by := range [4]float64{-2, -1, 1, 2} {
			at[i][j] = fromScale(p.Scale, u+by*h)
			y, err := f(at)
			if err != nil {
				return nil, err
			}
			if v[k] = toScale(scale, y); !finite(v[k]) {
				return nil, fmt.Errorf("clv: derivative in %s: %w", p.Name, errNotSmooth)
			}
		}
		g[j] = (v[0] - 8*v[1] + 8*v[2] - v[3]) / (12 * h)
	}
	return g, nil
}
