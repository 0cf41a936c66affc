package clv

import (
	"fmt"
	"math"
	"reflect"

	"github.com/custval/custval/fit"
)

// toScale maps a number to a scale, NaN outside its domain.
func toScale(s fit.Scale, v float64) float64 {
	switch s {
	case fit.Log:
		if !(v > 0) {
			return math.NaN()
		}
		return math.Log(v)
	case fit.Logit:
		if !(v >= 0 && v <= 1) {
			return math.NaN()
		}
		return math.Log(v) - math.Log1p(-v)
	default:
		return v
	}
}

// fromScale is the inverse of toScale.
func fromScale(s fit.Scale, u float64) float64 {
	switch s {
	case fit.Log:
		return math.Exp(u)
	case fit.Logit:
		return 1 / (1 + math.Exp(-u))
	default:
		return u
	}
}

// slope returns the derivative of fromScale where it gives v.
func slope(s fit.Scale, v float64) float64 {
	switch s {
	case fit.Log:
		return v
	case fit.Logit:
		return v * (1 - v)
	default:
		return 1
	}
}

// values returns the estimates.
func values(params []fit.Param) []float64 {
	theta := make([]float64, len(params))
	for i, p := range params {
		theta[i] = p.Value
	}
	return theta
}

// workingCov maps a covariance to the working scales.
func workingCov(params []fit.Param, cov [][]float64) [][]float64 {
	c := make([][]float64, len(cov))
	for i := range cov {
		c[i] = make([]float64, len(cov))
		for j := range cov {
			c[i][j] = cov[i][j] / (slope(params[i].Scale, params[i].Value) * slope(params[j].Scale, params[j].Value))
		}
	}
	return c
}

// withParams returns the model with other values of its estimated parameters: its fields of their names, what is not
// estimated staying as it is. A model whose parameters are not fields makes itself.
func withParams[M any](m M, params []fit.Param, theta []float64) (M, error) {
	if own, ok := any(m).(interface{ withParams(theta []float64) M }); ok {
		return own.withParams(theta), nil
	}
	v := reflect.ValueOf(&m).Elem()
	for i, p := range params {
		if v.Kind() != reflect.Struct {
			return m, fmt.Errorf("clv: %T is not a struct of its parameters", m)
		}
		f := v.FieldByName(p.Name)
		if !f.IsValid() || !f.CanSet() || f.Kind() != reflect.Float64 {
			return m, fmt.Errorf("clv: %T has no field %s that is a float64", m, p.Name)
		}
		f.SetFloat(theta[i])
	}
	return m, nil
}
