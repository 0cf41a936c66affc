package clv

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

func (m BGBB) evidence(_ context.Context, data []DiscreteHistory) (*evidence, error) {
	s, err := compressDiscrete(data)
	if err != nil {
		return nil, err
	}
	if s.opportunities == 0 {
		return nil, fmt.Errorf("clv: bgbb: %w", errNoOpportunities)
	}
	return &evidence{
		problem: mle.Problem{
			Params: []mle.Param{{Name: "Alpha"}, {Name: "Beta"}, {Name: "Gamma"}, {Name: "Delta"}},
			Rows:   len(s.rows), Weight: s.weight, Second: true,
			Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumBGBB(s.rows[lo:hi], theta, d) },
		},
		vague:    []Density{LogNormal(1, 1.5), LogNormal(1, 1.5), LogNormal(1, 1.5), LogNormal(max(1, s.opportunities/s.weight), 2)},
		describe: func(err error) error { return discreteError(err, s, data) },
	}, nil
}

// BootstrapBGBB is Bootstrap for discrete opportunities: it resamples the customers with replacement and refits BGBB to
// each sample. The draws depend on the seed and the customers, but not on their order and the number of workers.
//
// BootstrapBGBB returns an error if there are no histories or one does not validate, if an option is out of range, if
// fewer than two refits succeed, and the context's error.
func BootstrapBGBB(ctx context.Context, e *fit.Estimate[BGBB], data []DiscreteHistory, o *BootstrapOptions) (*Draws[BGBB], error) {
	if e == nil {
		return nil, errNoEstimate
	}
	if len(data) == 0 {
		return nil, errNoDiscrete
	}
	for i := range data {
		if bad := data[i].problem(); bad != nil {
			bad.Row = i + 1
			return nil, fmt.Errorf("clv: %w", bad)
		}
	}
	rows := slices.Clone(data)
	slices.SortStableFunc(rows, func(a, b DiscreteHistory) int {
		return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.X, b.X), cmp.Compare(a.TX, b.TX), cmp.Compare(a.customers(), b.customers()))
	})
	weights := make([]int, len(rows))
	for i := range rows {
		weights[i] = rows[i].customers()
	}
	return resample(ctx, e, weights, o, func(ctx context.Context, counts []int, o *fit.Options) (*fit.Estimate[BGBB], error) {
		var sample []DiscreteHistory
		for i, n := range counts {
			if n > 0 {
				h := rows[i]
				h.Count = n
				sample = append(sample, h)
			}
		}
		return FitBGBB(ctx, sample, o)
	})
}
