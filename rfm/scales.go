package rfm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/money"
)

// Scales are the fitted scales of R, F and M with what they measure. Store them as JSON and give them to
// Options.Scales, so that later periods are scored on the same limits: migration between periods means nothing if the
// limits move.
type Scales struct {
	R Scale `json:"r"`
	F Scale `json:"f"`
	M Scale `json:"m"`
	// Nested scoring has a scale of F for every score of R, and one of M for every pair. A scale with 0 bins belongs to
	// a group without customers; there the overall scale counts.
	FWithin []Scale `json:"f_within,omitempty"`
	MWithin []Scale `json:"m_within,omitempty"`

	Columns  []ColumnScale  `json:"columns,omitempty"` // of Options.Columns
	Currency money.Currency `json:"currency"`
	Count    Count          `json:"count"`
	Value    Value          `json:"value"`
}

// A ColumnScale is the scale of an extra column.
type ColumnScale struct {
	Name  string `json:"name"`
	Scale Scale  `json:"scale"`
}

// Score returns the three scores of a record.
func (s *Scales) Score(c *Record) (r, f, m int) {
	r = s.R.Score(float64(c.Recency))
	f, m = s.withinR(r, float64(c.Frequency), s.monetary(c))
	return r, f, m
}

func (s *Scales) withinR(r int, frequency, monetary float64) (f, m int) {
	fs, ms := &s.F, &s.M
	if len(s.FWithin) > 0 && s.FWithin[r-1].Bins > 0 {
		fs = &s.FWithin[r-1]
	}
	f = fs.Score(frequency)
	if len(s.MWithin) > 0 {
		if w := &s.MWithin[(r-1)*s.F.Bins+f-1]; w.Bins > 0 {
			ms = w
		}
	}
	return f, ms.Score(monetary)
}

func (s *Scales) monetary(c *Record) float64 { return monetary(c, s.Value) }

// monetary returns M as the float64 that is scored. Money is a decimal coefficient and a power of ten; both are exact
// in float64 up to 2^53, so the one division rounds correctly and equal means are equal whatever the unit.
func monetary(c *Record, v Value) float64 {
	if v != Mean {
		return c.Monetary.Float64()
	}
	d := c.Revenue.Decimal()
	e := d.Exponent()
	if d.NumDigits() <= 15 && e <= 0 && e >= -15 {
		if below := float64(c.Frequency) * math.Pow10(int(-e)); below < 1<<53 {
			return float64(d.CoefficientInt64()) / below
		}
	}
	return c.Revenue.Float64() / float64(c.Frequency)
}

// Validate returns an error unless all scales are valid and fit together.
func (s *Scales) Validate() error {
	for _, x := range []struct {
		name  string
		scale *Scale
		lower bool
	}{{"R", &s.R, true}, {"F", &s.F, false}, {"M", &s.M, false}} {
		if err := x.scale.Validate(); err != nil {
			return fmt.Errorf("rfm: scale of %s: %w", x.name, unprefixed(err))
		}
		if x.scale.LowerIsBetter != x.lower {
			return fmt.Errorf("rfm: scale of %s: lower_is_better is %t", x.name, x.scale.LowerIsBetter)
		}
	}
	if err := s.validateNested(); err != nil {
		return err
	}
	for i := range s.Columns {
		if err := s.Columns[i].Scale.Validate(); err != nil {
			return fmt.Errorf("rfm: scale of column %q: %w", s.Columns[i].Name, unprefixed(err))
		}
	}
	if int(s.Count) >= len(countNames) || int(s.Value) >= len(valueNames) {
		return errors.New("rfm: scales: count or value not known")
	}
	return nil
}

func (s *Scales) validateNested() error {
	if len(s.FWithin) == 0 && len(s.MWithin) == 0 {
		return nil
	}
	if len(s.FWithin) != s.R.Bins || len(s.MWithin) != s.R.Bins*s.F.Bins {
		return fmt.Errorf("rfm: nested scales: %d of F and %d of M: want %d and %d",
			len(s.FWithin), len(s.MWithin), s.R.Bins, s.R.Bins*s.F.Bins)
	}
	check := func(scales []Scale, bins int) error {
		for i := range scales {
			if scales[i].Bins == 0 && len(scales[i].Breaks) == 0 {
				continue
			}
			if err := scales[i].Validate(); err != nil {
				return err
			}
			if scales[i].Bins != bins || scales[i].LowerIsBetter {
				return fmt.Errorf("rfm: nested scale %d: want %d bins, higher values better", i+1, bins)
			}
		}
		return nil
	}
	if err := check(s.FWithin, s.F.Bins); err != nil {
		return err
	}
	return check(s.MWithin, s.M.Bins)
}

// fits returns an error if the summary measures something else than the scales.
func (s *Scales) fits(sum *Summary) error {
	switch {
	case s.Count != sum.Count:
		return fmt.Errorf("rfm: scales of frequency in %s, summary in %s", s.Count, sum.Count)
	case s.Value != sum.Value:
		return fmt.Errorf("rfm: scales of the %s, summary of the %s", s.Value, sum.Value)
	case s.Currency != sum.Currency && s.Currency != "" && sum.Currency != "":
		return fmt.Errorf("rfm: scales in %s, summary in %s", s.Currency, sum.Currency)
	}
	return nil
}

const scalesSchema = "custval/rfm-scales/v1"

type plainScales Scales

// MarshalJSON returns the scales with their schema, "custval/rfm-scales/v1".
func (s Scales) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Schema string `json:"schema"`
		plainScales
	}{scalesSchema, plainScales(s)})
}

// UnmarshalJSON reads what MarshalJSON writes and validates it. Unknown fields are errors.
func (s *Scales) UnmarshalJSON(text []byte) error {
	var v struct {
		Schema string `json:"schema"`
		plainScales
	}
	if err := decodeStrict(text, &v); err != nil {
		return fmt.Errorf("rfm: scales: %w", err)
	}
	if v.Schema != scalesSchema {
		return fmt.Errorf("rfm: scales: schema %.60q: want %q", v.Schema, scalesSchema)
	}
	read := Scales(v.plainScales)
	if err := read.Validate(); err != nil {
		return err
	}
	*s = read
	return nil
}
