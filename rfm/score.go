package rfm

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/custval/custval/ledger"
)

// score returns the scales, fitted or given, and the scores of R, F and M.
func (s *Summary) score(ctx context.Context, o *Options) (*Scales, [3][]uint8, error) {
	var values [3][]float64
	var scores [3][]uint8
	for k := range values {
		values[k], scores[k] = make([]float64, len(s.Rows)), make([]uint8, len(s.Rows))
	}
	for i := range s.Rows {
		c := &s.Rows[i]
		values[0][i], values[1][i], values[2][i] = float64(c.Recency), float64(c.Frequency), monetary(c, s.Value)
	}
	if o.Scales != nil {
		if err := o.Scales.fits(s); err != nil {
			return nil, scores, err
		}
		scales := *o.Scales
		for i := range s.Rows {
			r := scales.R.Score(values[0][i])
			f, m := scales.withinR(r, values[1][i], values[2][i])
			scores[0][i], scores[1][i], scores[2][i] = uint8(r), uint8(f), uint8(m)
		}
		return &scales, scores, nil
	}
	scales := &Scales{Currency: s.Currency, Count: s.Count, Value: s.Value}
	err := s.fit(ctx, o, values, scales, scores)
	if ctx.Err() != nil {
		err = fmt.Errorf("rfm: %w", ctx.Err())
	}
	return scales, scores, err
}

// fit fits the three scales side by side, and the nested ones after them.
func (s *Summary) fit(ctx context.Context, o *Options, values [3][]float64, scales *Scales, scores [3][]uint8) error {
	stop := func() bool { return ctx.Err() != nil }
	to, scorers, names := [3]*Scale{&scales.R, &scales.F, &scales.M}, [3]Scorer{o.R, o.F, o.M}, [3]string{"R", "F", "M"}
	var errs [3]error
	fitOne := func(k int) {
		*to[k], errs[k] = scoreGroup(values[k], nil, k == 0, o.Bins, scorers[k], scores[k], stop)
		if errs[k] != nil {
			errs[k] = fmt.Errorf("rfm: scorer of %s: %w", names[k], unprefixed(errs[k]))
		}
	}
	var group sync.WaitGroup
	for k := range 3 {
		if workers(o.Workers) == 1 {
			fitOne(k)
			continue
		}
		group.Add(1)
		go func() {
			defer group.Done()
			fitOne(k)
		}()
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	if !o.Nested {
		return nil
	}
	return fitNested(o, values, scales, scores, stop)
}

func fitNested(o *Options, values [3][]float64, scales *Scales, scores [3][]uint8, stop func() bool) error {
	scales.FWithin, scales.MWithin = make([]Scale, o.Bins), make([]Scale, o.Bins*o.Bins)
	byR := groups(scores[0], nil, o.Bins)
	for r, members := range byR {
		if len(members) == 0 {
			continue
		}
		var err error
		if scales.FWithin[r], err = scoreGroup(values[1], members, false, o.Bins, o.F, scores[1], stop); err != nil {
			return fmt.Errorf("rfm: scorer of F within R %d: %w", r+1, unprefixed(err))
		}
		for f, inner := range groups(scores[1], members, o.Bins) {
			if len(inner) == 0 {
				continue
			}
			scale, err := scoreGroup(values[2], inner, false, o.Bins, o.M, scores[2], stop)
			if err != nil {
				return fmt.Errorf("rfm: scorer of M within R %d, F %d: %w", r+1, f+1, unprefixed(err))
			}
			scales.MWithin[r*o.Bins+f] = scale
		}
	}
	return nil
}

// groups returns the members, nil meaning all, by score.
func groups(scores []uint8, members []int32, bins int) [][]int32 {
	by := make([][]int32, bins)
	n := len(scores)
	if members != nil {
		n = len(members)
	}
	for i := range n {
		at := member(members, i)
		by[scores[at]-1] = append(by[scores[at]-1], int32(at))
	}
	return by
}

// columns scores the extra columns, on the scales given or on fitted ones.
func (s *Summary) columns(ctx context.Context, o *Options, scales *Scales) ([]ColumnScores, error) {
	var all []ColumnScores
	var fitted []ColumnScale
	for _, c := range o.Columns {
		values, members, err := s.measure(&c)
		if err != nil {
			return nil, err
		}
		scores := make([]uint8, len(s.Rows))
		scale := scales.column(c.Name)
		switch {
		case o.Scales != nil && scale == nil:
			return nil, fmt.Errorf("rfm: column %q: the given scales have none of that name", c.Name)
		case o.Scales != nil:
			for _, i := range members {
				scores[i] = uint8(scale.Score(values[i]))
			}
			fitted = append(fitted, ColumnScale{c.Name, *scale})
		case len(members) > 0:
			scorer := c.Scorer
			if scorer == nil {
				scorer = CountBelow{}
			}
			stop := func() bool { return ctx.Err() != nil }
			scale, err := scoreGroup(values, members, c.LowerIsBetter, o.Bins, scorer, scores, stop)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("rfm: %w", ctx.Err())
			}
			if err != nil {
				return nil, fmt.Errorf("rfm: column %q: %w", c.Name, unprefixed(err))
			}
			fitted = append(fitted, ColumnScale{c.Name, scale})
		}
		out := ColumnScores{Name: c.Name, Scores: make([]int, len(scores))}
		for i, v := range scores {
			out.Scores[i] = int(v)
		}
		all = append(all, out)
	}
	scales.Columns = fitted
	return all, nil
}

func (s *Scales) column(name string) *Scale {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i].Scale
		}
	}
	return nil
}

// measure returns a column's values and the customers who have one.
func (s *Summary) measure(c *Column) ([]float64, []int32, error) {
	values, members := make([]float64, len(s.Rows)), make([]int32, 0, len(s.Rows))
	for i := range s.Rows {
		v, ok := c.Value(s, i)
		if !ok {
			continue
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, fmt.Errorf("rfm: customer %.80q: %w", s.Rows[i].Customer, &ledger.RowError{Row: i + 1,
				Field: c.Name, Value: strconv.FormatFloat(v, 'g', -1, 64), Err: errNaN})
		}
		values[i] = v
		members = append(members, int32(i))
	}
	return values, members, nil
}
