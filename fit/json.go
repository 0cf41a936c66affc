package fit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Schema returns the name under which a value of a kind is stored, such as "custval/estimate/bgnbd/v1".
func Schema(family, kind string) string { return "custval/" + family + "/" + kind + "/v1" }

// Number is a float64 whose JSON is null where it is NaN. Infinities are refused.
type Number float64

// MarshalJSON writes the number, or null for NaN.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number, or null as NaN.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

type modelJSON struct {
	Schema string          `json:"schema"`
	Params json.RawMessage `json:"params"`
}

// MarshalModel writes the parameters of a model in an envelope that names its kind, so that models with the same
// fields cannot be read as each other. Params is the model without its methods.
func MarshalModel(kind string, params any) ([]byte, error) {
	text, err := json.Marshal(params)
	if err != nil {
		return nil, fmt.Errorf("fit: %s: %w", kind, err)
	}
	return json.Marshal(modelJSON{Schema("model", kind), text})
}

// UnmarshalModel reads what MarshalModel wrote into params, a pointer. It returns an error for another kind, an unknown
// field and a missing envelope; the caller validates the values.
func UnmarshalModel(text []byte, kind string, params any) error {
	var m modelJSON
	if err := strict(text, &m); err != nil {
		return fmt.Errorf("fit: model %s: %w", kind, err)
	}
	if want := Schema("model", kind); m.Schema != want {
		return fmt.Errorf("fit: the text is a %q, want %q", m.Schema, want)
	}
	if len(m.Params) == 0 {
		return fmt.Errorf("fit: model %s: no params", kind)
	}
	if err := strict(m.Params, params); err != nil {
		return fmt.Errorf("fit: model %s: %w", kind, err)
	}
	return nil
}

// strict decodes one JSON value and refuses unknown fields and anything after it.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

type paramJSON struct {
	Name   string `json:"name"`
	Value  Number `json:"value"`
	StdErr Number `json:"std_err"`
	Scale  Scale  `json:"scale"`
}

type estimateJSON[M any] struct {
	Schema      string      `json:"schema"`
	Model       M           `json:"model"`
	Params      []paramJSON `json:"params"`
	Cov         [][]float64 `json:"cov"`
	LogLik      Number      `json:"log_lik"`
	AIC         Number      `json:"aic"`
	BIC         Number      `json:"bic"`
	Customers   int         `json:"customers"`
	Unit        string      `json:"unit,omitempty"`
	Iter        int         `json:"iterations"`
	Evaluations int         `json:"evaluations"`
	Stop        Stop        `json:"stop"`
	Warnings    []string    `json:"warnings,omitempty"`
}

// MarshalJSON writes the estimate under the schema "custval/estimate/<kind>/v1". A missing covariance and missing
// standard errors are null.
func (e *Estimate[M]) MarshalJSON() ([]byte, error) {
	j := estimateJSON[M]{Schema: Schema("estimate", kind(e.Model)), Model: e.Model, Cov: e.Cov,
		LogLik: Number(e.LogLik), AIC: Number(e.AIC()), BIC: Number(e.BIC()), Customers: e.Customers,
		Iter: e.Iter, Evaluations: e.Evaluations, Stop: e.Stop, Warnings: e.Warnings}
	if e.Unit != 0 {
		j.Unit = e.Unit.String()
	}
	for _, p := range e.Params {
		j.Params = append(j.Params, paramJSON{p.Name, Number(p.Value), Number(p.StdErr), p.Scale})
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads an estimate of the same kind of model. It returns an error for another schema, an unknown field,
// a covariance of the wrong shape, and a model that does not validate.
func (e *Estimate[M]) UnmarshalJSON(text []byte) error {
	var j estimateJSON[M]
	want := Schema("estimate", kind(j.Model))
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return fmt.Errorf("fit: estimate: %w", err)
	}
	if head.Schema != want {
		return fmt.Errorf("fit: the text is a %q, want %q", head.Schema, want)
	}
	if err := strict(text, &j); err != nil {
		return fmt.Errorf("fit: estimate: %w", err)
	}
	r, err := j.estimate()
	if err != nil {
		return err
	}
	*e = r
	return nil
}

func (j estimateJSON[M]) estimate() (Estimate[M], error) {
	e := Estimate[M]{Model: j.Model, Cov: j.Cov, LogLik: float64(j.LogLik), Customers: j.Customers,
		Iter: j.Iter, Evaluations: j.Evaluations, Stop: j.Stop, Warnings: j.Warnings}
	if v, ok := any(j.Model).(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return e, fmt.Errorf("fit: estimate: %w", err)
		}
	}
	if j.Unit != "" {
		unit, err := time.ParseDuration(j.Unit)
		if err != nil || unit <= 0 {
			return e, fmt.Errorf("fit: estimate: unit %q: want a positive duration such as 168h0m0s", j.Unit)
		}
		e.Unit = unit
	}
	if j.Customers < 0 {
		return e, fmt.Errorf("fit: estimate: customers %d: negative", j.Customers)
	}
	for _, p := range j.Params {
		if math.IsNaN(float64(p.Value)) || p.StdErr < 0 {
			return e, fmt.Errorf("fit: estimate: parameter %s: value %v with standard error %v", p.Name, p.Value, p.StdErr)
		}
		e.Params = append(e.Params, Param{p.Name, float64(p.Value), float64(p.StdErr), p.Scale})
	}
	if j.Cov != nil && !square(j.Cov, len(j.Params)) {
		return e, fmt.Errorf("fit: estimate: the covariance is not a %d by %d matrix", len(j.Params), len(j.Params))
	}
	return e, nil
}

func square(m [][]float64, n int) bool {
	if len(m) != n {
		return false
	}
	for _, row := range m {
		if len(row) != n {
			return false
		}
	}
	return true
}
