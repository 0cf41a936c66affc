package clv

import (
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/fit"
)

// A param is a model's parameter with its name, for checks.
type param struct {
	name  string
	value float64
}

var errNotPositive = errors.New("want a positive finite number")

// positive returns an error that names the first parameter that is not a positive finite number.
func positive(kind string, ps []param) error {
	for _, p := range ps {
		if !(p.value > 0) || math.IsInf(p.value, 1) {
			return fmt.Errorf("clv: %s: %s = %v: %w", kind, p.name, p.value, errNotPositive)
		}
	}
	return nil
}

// allPositive is positive without the words, for the methods that return NaN.
func allPositive(vs ...float64) bool {
	for _, v := range vs {
		if !(v > 0) || math.IsInf(v, 1) {
			return false
		}
	}
	return true
}

// A named model validates itself and knows its kind.
type named interface {
	Kind() string
	Validate() error
}

// marshalModel writes a valid model; plain is the model without its methods.
func marshalModel(m named, plain any) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return fit.MarshalModel(m.Kind(), plain)
}

// unmarshalModel reads a model of the same kind into plain, which is m without its methods, and validates it.
func unmarshalModel(text []byte, m named, plain any) error {
	if err := fit.UnmarshalModel(text, m.Kind(), plain); err != nil {
		return err
	}
	return m.Validate()
}
