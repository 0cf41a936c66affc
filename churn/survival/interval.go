package survival

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/ledger"
)

var (
	errAtZero = errors.New("a customer who left at 0 has no likelihood under a continuous model; leave the row out or use the middle of its period")
	errOrder  = errors.New("before Lower")
)

// An Interval is a tenure of which only the limits of its end are known: the customer left after Lower and by Upper. It is
// the record of churn that is looked at once a month.
type Interval struct {
	Customer string  // whose; may be empty
	Entry    float64 // age at which observation began; 0 for observation from the start
	Lower    float64 // last age at which the customer was known to be there; 0 if never
	Upper    float64 // first age at which the customer was known to be gone; equal to Lower for an exact end, +Inf if still there
	Weight   float64 // how many customers the row stands for; 0 means 1
}

// A Record is what the parametric models are fitted to: tenures whose ends are exact or censored, or intervals.
type Record interface{ ledger.Tenure | Interval }

// observations turns records into checked intervals with a weight.
func observations[R Record](records []R) ([]Interval, error) {
	if len(records) == 0 {
		return nil, fmt.Errorf("survival: %w", errEmpty)
	}
	out := make([]Interval, len(records))
	events := false
	for i := range records {
		var err error
		switch r := any(&records[i]).(type) {
		case *ledger.Tenure:
			out[i], err = fromTenure(r, i)
		case *Interval:
			out[i], err = *r, r.check(i)
		}
		if err != nil {
			return nil, err
		}
		if out[i].Weight == 0 {
			out[i].Weight = 1
		}
		events = events || !math.IsInf(out[i].Upper, 1)
	}
	if !events {
		return nil, fmt.Errorf("survival: %w", ErrNoEvents)
	}
	return out, nil
}

func fromTenure(t *ledger.Tenure, i int) (Interval, error) {
	if err := checkTenure(t, i); err != nil {
		return Interval{}, err
	}
	r := Interval{t.Customer, t.Entry, t.Duration, math.Inf(1), t.Weight}
	if t.Ended {
		if t.Duration == 0 {
			return r, rowError(i, "Duration", "0", errAtZero)
		}
		r.Upper = t.Duration
	}
	return r, nil
}

// check returns a RowError for an interval that cannot be analyzed.
func (r *Interval) check(i int) error {
	for _, f := range []struct {
		name  string
		value float64
	}{{"Entry", r.Entry}, {"Lower", r.Lower}, {"Weight", r.Weight}} {
		if !isFinite(f.value) {
			return rowError(i, f.name, formatFloat(f.value), errFinite)
		}
		if f.value < 0 {
			return rowError(i, f.name, formatFloat(f.value), errNegative)
		}
	}
	switch {
	case outside(r.Weight):
		return rowError(i, "Weight", formatFloat(r.Weight), errWeight)
	case math.IsNaN(r.Upper):
		return rowError(i, "Upper", "NaN", errFinite)
	case r.Upper < r.Lower:
		return rowError(i, "Upper", formatFloat(r.Upper), fmt.Errorf("%w (Lower is %s)", errOrder, formatFloat(r.Lower)))
	case r.Upper == 0:
		return rowError(i, "Upper", "0", errAtZero)
	case r.Entry > r.Lower || r.Entry > 0 && r.Entry == r.Upper:
		return rowError(i, "Entry", formatFloat(r.Entry), fmt.Errorf("after Lower (which is %s): entry after exit", formatFloat(r.Lower)))
	}
	return nil
}

// likelihood returns the log-likelihood of the row at a linear predictor and shapes, given survival to the entry.
func (r *Interval) likelihood(f Family, eta float64, shapes []float64) local {
	var l local
	switch {
	case r.Upper == r.Lower:
		l = f.at(r.Lower, eta, shapes, true)
	case math.IsInf(r.Upper, 1):
		if r.Lower > 0 {
			l = f.at(r.Lower, eta, shapes, false)
		}
	default:
		l = between(f, r.Lower, r.Upper, eta, shapes)
	}
	if r.Entry > 0 {
		before := f.at(r.Entry, eta, shapes, false)
		l.add(&before, -1)
	}
	return l
}

// between returns ln(S(lower) - S(upper)). With a = S(lower)/(S(lower)-S(upper)) and b = a - 1 its derivatives are those of
// the logarithms of the two, weighted by a and -b.
func between(f Family, lower, upper, eta float64, shapes []float64) local {
	var lo local
	if lower > 0 {
		lo = f.at(lower, eta, shapes, false)
	}
	up := f.at(upper, eta, shapes, false)
	gap := up.v - lo.v // not positive
	b := 1 / math.Expm1(-gap)
	a := 1 + b
	var l local
	l.v = lo.v + math.Log(-math.Expm1(gap))
	for i := range l.g {
		l.g[i] = a*lo.g[i] - b*up.g[i]
	}
	for i := range l.g {
		for j := i; j < len(l.g); j++ {
			l.h[i][j] = a*(lo.h[i][j]+lo.g[i]*lo.g[j]) - b*(up.h[i][j]+up.g[i]*up.g[j]) - l.g[i]*l.g[j]
		}
	}
	return l
}
