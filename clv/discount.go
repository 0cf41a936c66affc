package clv

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Year is the year that annual rates refer to: the Julian year of 365.25 days.
const Year = 8766 * time.Hour

// A Discount is a discount rate that knows its period and its compounding, so that a weekly model cannot take an annual
// rate for a weekly one. The zero Discount discounts nothing.
//
//	Annual(0.10)            a year from now is worth 1/1.10 today
//	AnnualContinuous(0.10)  a year from now is worth exp(-0.10) today
//	PerUnit(0.10)           one unit of the model from now, such as a week, is worth 1/1.10 today
//	PerUnitContinuous(0.10) likewise exp(-0.10)
//
// A Discount with a rate that is negative or not finite is invalid: whatever takes one returns an error.
type Discount struct {
	rate  float64
	basis basis
}

// A basis says what a rate is a rate of.
type basis uint8

const (
	annual basis = iota
	annualContinuous
	perUnit
	perUnitContinuous
)

var basisNames = [...]string{"annual", "annual_continuous", "per_unit", "per_unit_continuous"}

// Annual returns the discount of an effective rate a year: 0.10 for 10 %.
func Annual(effective float64) Discount { return Discount{effective, annual} }

// AnnualContinuous returns the discount of a continuously compounded rate a year.
func AnnualContinuous(rate float64) Discount { return Discount{rate, annualContinuous} }

// PerUnit returns the discount of an effective rate a unit of the model's time.
func PerUnit(effective float64) Discount { return Discount{effective, perUnit} }

// PerUnitContinuous returns the discount of a continuously compounded rate a unit of the model's time, such as the delta
// of DERT.
func PerUnitContinuous(rate float64) Discount { return Discount{rate, perUnitContinuous} }

var errBasis = errors.New("unknown basis")

// Validate returns an error if the rate is negative or not a finite number.
func (d Discount) Validate() error {
	if d.basis > perUnitContinuous {
		return fmt.Errorf("clv: discount rate %v: %w", d.rate, errBasis)
	}
	if !(d.rate >= 0) || math.IsInf(d.rate, 1) {
		return fmt.Errorf("clv: discount rate %v: want a finite number that is not negative", d.rate)
	}
	return nil
}

// Rate returns the continuous rate a unit of time, the delta of DERT:
//
//	Annual             ln(1+rate) unit/Year
//	AnnualContinuous   rate unit/Year
//	PerUnit            ln(1+rate)
//	PerUnitContinuous  rate
//
// It returns the error of Validate, and one for a unit that is not positive.
func (d Discount) Rate(unit time.Duration) (float64, error) {
	if err := d.Validate(); err != nil {
		return 0, err
	}
	if unit <= 0 {
		return 0, fmt.Errorf("clv: unit %v: want a positive one, such as clv.Week", unit)
	}
	share := float64(unit) / float64(Year)
	switch d.basis {
	case annual:
		return math.Log1p(d.rate) * share, nil
	case annualContinuous:
		return d.rate * share, nil
	case perUnit:
		return math.Log1p(d.rate), nil
	default:
		return d.rate, nil
	}
}

// String returns the rate in words, such as "10% a year" or "0.3% a unit, continuous".
func (d Discount) String() string {
	if d.rate == 0 {
		return "no discount"
	}
	percent := strconv.FormatFloat(math.Round(d.rate*1e8)/1e6, 'f', -1, 64)
	switch d.basis {
	case annual:
		return percent + "% a year"
	case annualContinuous:
		return percent + "% a year, continuous"
	case perUnit:
		return percent + "% a unit"
	case perUnitContinuous:
		return percent + "% a unit, continuous"
	}
	return fmt.Sprintf("Discount(%v, %d)", d.rate, d.basis)
}

type discountJSON struct {
	Rate  *float64 `json:"rate"`
	Basis string   `json:"basis"`
}

// MarshalJSON writes {"rate":0.1,"basis":"annual"}; the bases are annual, annual_continuous, per_unit and
// per_unit_continuous.
func (d Discount) MarshalJSON() ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return json.Marshal(discountJSON{&d.rate, basisNames[d.basis]})
}

// UnmarshalJSON reads what MarshalJSON writes. It returns an error if the rate or the basis is missing or invalid.
func (d *Discount) UnmarshalJSON(text []byte) error {
	var in discountJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("clv: discount: %w", err)
	}
	if in.Rate == nil {
		return errors.New("clv: discount without a rate")
	}
	for b, name := range basisNames {
		if name == in.Basis {
			out := Discount{*in.Rate, basis(b)}
			if err := out.Validate(); err != nil {
				return err
			}
			*d = out
			return nil
		}
	}
	return fmt.Errorf("clv: discount of the basis %q: %w", in.Basis, errBasis)
}
