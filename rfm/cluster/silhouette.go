package cluster

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// silhouettePoints is the number of points up to which the silhouette looks at all of them.
const silhouettePoints = 3000

// Silhouette returns how well labels part points, from -1 to 1 (Rousseeuw, Journal of Computational and Applied
// Mathematics 1987): the mean over points of
//
//	s = (b - a) / max(a, b)
//
// with a the mean distance to the other points of the cluster and b that to the points of the nearest other cluster; s is
// 0 for a cluster of one point. Above 3,000 points it is taken over a random sample of 3,000, drawn with the seed. It
// returns an error for points that [KMeans] refuses, fewer than two clusters among those looked at, and labels that do not
// fit.
func Silhouette(ctx context.Context, points [][]float64, labels []int, seed uint64) (float64, error) {
	if err := check(points); err != nil {
		return 0, err
	}
	if len(labels) != len(points) {
		return 0, fmt.Errorf("cluster: %d labels for %d points", len(labels), len(points))
	}
	chosen := sample(len(points), seed)
	at := make(map[int]int) // of the labels
	for _, i := range chosen {
		if _, ok := at[labels[i]]; !ok {
			at[labels[i]] = len(at)
		}
	}
	if len(at) < 2 {
		return 0, fmt.Errorf("cluster: silhouette of %d cluster: want at least 2", len(at))
	}
	of, sizes := make([]int, len(chosen)), make([]int, len(at))
	for n, i := range chosen {
		of[n] = at[labels[i]]
		sizes[of[n]]++
	}
	total, sums := 0.0, make([]float64, len(at))
	for n, i := range chosen {
		if n%64 == 0 && ctx.Err() != nil {
			return 0, fmt.Errorf("cluster: %w", ctx.Err())
		}
		clear(sums)
		for m, j := range chosen {
			sums[of[m]] += math.Sqrt(squared(points[i], points[j]))
		}
		total += silhouette(sums, sizes, of[n])
	}
	return total / float64(len(chosen)), nil
}

func silhouette(sums []float64, sizes []int, own int) float64 {
	if sizes[own] == 1 {
		return 0
	}
	a, b := sums[own]/float64(sizes[own]-1), math.Inf(1)
	for k := range sums {
		if k != own {
			b = min(b, sums[k]/float64(sizes[k]))
		}
	}
	if a == 0 && b == 0 {
		return 0
	}
	return (b - a) / max(a, b)
}

// sample returns the places of up to silhouettePoints points, rising.
func sample(n int, seed uint64) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if n <= silhouettePoints {
		return all
	}
	r := rand.New(rand.NewPCG(seed, 0x51))
	for i := range silhouettePoints {
		j := i + r.IntN(n-i)
		all[i], all[j] = all[j], all[i]
	}
	chosen := all[:silhouettePoints]
	slices.Sort(chosen)
	return chosen
}

// A Choice is what Choose saw for one k.
type Choice struct {
	K          int     `json:"k"`
	Silhouette float64 `json:"silhouette"`
	Inertia    float64 `json:"inertia"`
}

// Choose runs k-means for every k from least to most and returns the result with the greatest silhouette, the smaller k
// of equals, and what it saw for each k. It returns an error for what [KMeans] and [Silhouette] report and unless
// 2 <= least <= most.
func Choose(ctx context.Context, points [][]float64, least, most int, o *Options) (*Result, []Choice, error) {
	if least < 2 || most < least || most > 1000 {
		return nil, nil, fmt.Errorf("cluster: choose among %d to %d clusters: want 2 or more, rising, at most 1000", least, most)
	}
	opt, err := o.orDefaults()
	if err != nil {
		return nil, nil, err
	}
	var best *Result
	var choices []Choice
	greatest := math.Inf(-1)
	for k := least; k <= most; k++ {
		r, err := KMeans(ctx, points, k, &opt)
		if err != nil {
			return nil, nil, err
		}
		s, err := Silhouette(ctx, points, r.Labels, opt.Seed)
		if err != nil {
			return nil, nil, err
		}
		choices = append(choices, Choice{k, s, r.Inertia})
		if s > greatest {
			best, greatest = r, s
		}
	}
	return best, choices, nil
}
