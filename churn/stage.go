package churn

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/custval/custval/internal/stat"
)

// Stage is where a customer stands in the life of the relationship.
type Stage uint8

// The stages. The first four are of customers who are fine, the last three of those who have been silent for too long.
const (
	StageNone        Stage = iota // not yet a customer
	StageNew                      // first activity
	StageActive                   // active again, or silent for no longer than expected
	StageReturning                // active again after having been at risk
	StageResurrected              // active again after having been dormant or lost
	StageAtRisk                   // silent for longer than expected
	StageDormant                  // silent for much longer
	StageLost                     // silent for so long that a return would be a surprise
)

var stageNames = [...]string{"none", "new", "active", "returning", "resurrected", "at risk", "dormant", "lost"}

// Stages returns all stages but StageNone, in order.
func Stages() []Stage {
	return []Stage{StageNew, StageActive, StageReturning, StageResurrected, StageAtRisk, StageDormant, StageLost}
}

// String returns the name, such as "at risk".
func (s Stage) String() string {
	if int(s) < len(stageNames) {
		return stageNames[s]
	}
	return fmt.Sprintf("stage %d", uint8(s))
}

// Silent reports whether the stage is StageAtRisk, StageDormant or StageLost.
func (s Stage) Silent() bool { return s >= StageAtRisk }

// MarshalText writes the name.
func (s Stage) MarshalText() ([]byte, error) {
	if int(s) >= len(stageNames) {
		return nil, fmt.Errorf("churn: unknown stage %d", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the name.
func (s *Stage) UnmarshalText(text []byte) error {
	for i, name := range stageNames {
		if name == string(text) {
			*s = Stage(i)
			return nil
		}
	}
	return fmt.Errorf("churn: unknown stage %q", text)
}

// back returns the stage of a customer who is active again.
func (s Stage) back() Stage {
	switch s {
	case StageNone:
		return StageNew
	case StageAtRisk:
		return StageReturning
	case StageDormant, StageLost:
		return StageResurrected
	}
	return StageActive
}

// A Rhythm judges silence by each customer's own habit. Who has been silent for longer than a quantile of the gaps
// between the own purchases is at risk, for a multiple of that dormant, and lost. The zero value has the defaults.
type Rhythm struct {
	Quantile float64 `json:"quantile"` // of the customer's gaps, Hyndman and Fan's definition 7; 0 means 0.95
	// MinGaps is how many gaps a customer needs for a rhythm of the own; 0 means 3. Those with fewer have Default.
	MinGaps int `json:"min_gaps"`
	// Default is the gap of customers without a rhythm; 0 means the quantile of the gaps of all customers. A Monitor needs
	// it, since it does not know all customers.
	Default time.Duration `json:"default_ns"`
	// Least is the shortest silence that puts anybody at risk, so that one who came three days in a row is not overdue on
	// the fifth; 0 means a day.
	Least   time.Duration `json:"least_ns"`
	Dormant float64       `json:"dormant"` // times the silence at risk; 0 means 2
	Lost    float64       `json:"lost"`    // times the silence at risk; 0 means 4
}

func (r Rhythm) defaults() (Rhythm, error) {
	if r.Quantile == 0 {
		r.Quantile = 0.95
	}
	if r.MinGaps == 0 {
		r.MinGaps = 3
	}
	if r.Least == 0 {
		r.Least = 24 * time.Hour
	}
	if r.Dormant == 0 {
		r.Dormant = 2
	}
	if r.Lost == 0 {
		r.Lost = max(4, r.Dormant)
	}
	switch {
	case !(r.Quantile > 0 && r.Quantile <= 1):
		return r, fmt.Errorf("churn: rhythm: quantile %v: want a number above 0 and at most 1", r.Quantile)
	case r.MinGaps < 0 || r.Default < 0 || r.Least < 0:
		return r, errors.New("churn: rhythm: MinGaps, Default or Least is negative")
	case !(r.Dormant >= 1) || !(r.Lost >= r.Dormant) || math.IsInf(r.Lost, 1):
		return r, fmt.Errorf("churn: rhythm: dormant after %v and lost after %v times the silence at risk: want numbers of at least 1 that do not fall", r.Dormant, r.Lost)
	}
	return r, nil
}

// usual returns the silence that puts a customer with these gaps, sorted and in the unit of fallback and least, at risk,
// and whether it is the customer's own.
func (r Rhythm) usual(gaps []float64, fallback, least float64) (silence float64, own bool) {
	if len(gaps) < r.MinGaps {
		return max(fallback, least), false
	}
	return max(stat.Quantile(gaps, r.Quantile), least), true
}

// stage returns the stage of a silence that is a multiple of the usual one, StageActive if it is within.
func (r Rhythm) stage(overdue float64) Stage {
	switch {
	case overdue > r.Lost:
		return StageLost
	case overdue > r.Dormant:
		return StageDormant
	case overdue > 1:
		return StageAtRisk
	}
	return StageActive
}

// A Silence is a rule of fixed times without activity, the same for all customers. Zero means that there is no such
// stage.
type Silence struct {
	AtRisk  time.Duration `json:"at_risk_ns"`
	Dormant time.Duration `json:"dormant_ns"`
	Lost    time.Duration `json:"lost_ns"`
}

func (s Silence) validate() error {
	return rising("silence", int64(s.AtRisk), int64(s.Dormant), int64(s.Lost))
}

// A PeriodRule is a rule of periods without activity. Zero means that there is no such stage: PeriodRule{Dormant: 1} is
// the lifecycle of product analytics, in which who is not active in a period is dormant at once.
type PeriodRule struct {
	AtRisk  int `json:"at_risk"`
	Dormant int `json:"dormant"`
	Lost    int `json:"lost"`
}

func (r PeriodRule) stage(empty int) Stage {
	switch {
	case r.Lost > 0 && empty >= r.Lost:
		return StageLost
	case r.Dormant > 0 && empty >= r.Dormant:
		return StageDormant
	case r.AtRisk > 0 && empty >= r.AtRisk:
		return StageAtRisk
	}
	return StageActive
}

// rising returns an error unless the numbers that are not 0 are positive and rise.
func rising(what string, values ...int64) error {
	last := int64(0)
	for _, v := range values {
		if v == 0 {
			continue
		}
		if v <= last {
			return fmt.Errorf("churn: %s: at risk, dormant and lost must be positive and rise", what)
		}
		last = v
	}
	if last == 0 {
		return fmt.Errorf("churn: %s: no stage", what)
	}
	return nil
}
