package churn

import (
	"math"
	"slices"
	"time"

	"github.com/custval/custval/internal/stat"
)

// An observed is the age at which a customer left or was last seen.
type observed struct {
	age   time.Duration
	ended bool
}

// kaplanMeier returns 1 - S(age), nil where nobody was observed for so long and S is not 0.
//
//	S(t)   = product over event times up to t of (1 - d/n)
//	Var S  = S^2 sum d/(n (n-d))
func kaplanMeier(seen []observed, age time.Duration, level float64) *AgeEstimate {
	slices.SortFunc(seen, func(a, b observed) int { return int(max(-1, min(1, a.age-b.age))) })
	s, greenwood := 1.0, 0.0
	n := len(seen)
	for i := 0; i < n && seen[i].age <= age; {
		j, d := i, 0
		for ; j < n && seen[j].age == seen[i].age; j++ {
			if seen[j].ended {
				d++
			}
		}
		if left := float64(n - i - d); d > 0 {
			s *= left / float64(n-i)
			greenwood += float64(d) / (float64(n-i) * left)
		}
		i = j
	}
	if s == 0 {
		return &AgeEstimate{1, 0, 1, 1, level}
	}
	if seen[n-1].age < age {
		return nil
	}
	e := &AgeEstimate{Value: 1 - s, StdErr: s * math.Sqrt(greenwood), Level: level}
	if s < 1 {
		z := stat.TwoSided(level) * math.Sqrt(greenwood) / math.Abs(math.Log(s))
		e.Low, e.High = 1-math.Pow(s, math.Exp(-z)), 1-math.Pow(s, math.Exp(z))
	}
	return e
}
