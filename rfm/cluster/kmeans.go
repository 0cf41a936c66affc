package cluster

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Options of k-means. Nil and the zero value are the defaults.
type Options struct {
	Seed     uint64 // of the random starts
	Restarts int    // starts of which the best is kept; 0 means 10
	MaxIter  int    // of Lloyd's algorithm a start; 0 means 300
	Workers  int    // goroutines; 0 means GOMAXPROCS. It never changes a result
}

func (o *Options) orDefaults() (Options, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	if opt.Restarts == 0 {
		opt.Restarts = 10
	}
	if opt.MaxIter == 0 {
		opt.MaxIter = 300
	}
	if opt.Workers == 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.Restarts < 1 || opt.MaxIter < 1 || opt.Workers < 1 {
		return opt, fmt.Errorf("cluster: %d restarts, %d iterations, %d workers: want 0 for the defaults or more", opt.Restarts, opt.MaxIter, opt.Workers)
	}
	return opt, nil
}

// A Result of k-means.
type Result struct {
	Labels    []int       `json:"labels"`    // the cluster of every point, 0 to k-1
	Centers   [][]float64 `json:"centers"`   // means of the clusters
	Sizes     []int       `json:"sizes"`     // points of the clusters; 0 can occur only where Converged is false
	Inertia   float64     `json:"inertia"`   // sum of squared distances to the centers
	Iter      int         `json:"iter"`      // of the best start
	Converged bool        `json:"converged"` // false if the best start ran into MaxIter
}

// chunkPoints is the length of the stretches whose sums are added in order, which makes them the same for any number of
// workers.
const chunkPoints = 4096

// KMeans divides points into k clusters so that the sum of squared distances to the cluster means is small: the best of
// several runs of Lloyd's algorithm, each started by k-means++ (Arthur and Vassilvitskii, 2007). Points are rows of
// equal length; they are not scaled here: see [Scaling]. The result depends on the order of the points through the
// random starts; [Label] sorts customers first.
//
// Clusters are numbered by the order of their centers, the greatest last coordinate first.
//
// It returns an error for no points, points of unequal length, a coordinate that is not a finite number, k outside 1 to
// the number of distinct points, and when ctx is done.
func KMeans(ctx context.Context, points [][]float64, k int, o *Options) (*Result, error) {
	opt, err := o.orDefaults()
	if err != nil {
		return nil, err
	}
	if err := check(points); err != nil {
		return nil, err
	}
	if k < 1 {
		return nil, fmt.Errorf("cluster: %d clusters: want at least 1", k)
	}
	if n := distinct(points, k); n < k {
		return nil, fmt.Errorf("cluster: %d clusters of %d distinct points", k, n)
	}
	var best *run
	for start := range opt.Restarts {
		r := newRun(points, k, opt.Workers)
		rng := rand.New(rand.NewPCG(opt.Seed, uint64(start)))
		if err := r.seed(ctx, rng); err != nil {
			return nil, err
		}
		if err := r.lloyd(ctx, opt.MaxIter); err != nil {
			return nil, err
		}
		if best == nil || r.inertia < best.inertia {
			best = r
		}
	}
	return best.result(), nil
}

func check(points [][]float64) error {
	if len(points) == 0 || len(points[0]) == 0 {
		return fmt.Errorf("cluster: no points")
	}
	for i, p := range points {
		if len(p) != len(points[0]) {
			return fmt.Errorf("cluster: point %d has %d coordinates, the first has %d", i+1, len(p), len(points[0]))
		}
		for j, x := range p {
			if math.IsNaN(x) || math.Abs(x) > 1e150 {
				return fmt.Errorf("cluster: point %d: coordinate %d: %v: not a finite number of at most 1e150", i+1, j+1, x)
			}
		}
	}
	return nil
}

// distinct counts distinct points up to most.
func distinct(points [][]float64, most int) int {
	var seen [][]float64
	for _, p := range points {
		if len(seen) >= most {
			break
		}
		if len(seen) > 64 { // past that, sort instead of comparing with all
			sorted := slices.Clone(points)
			slices.SortFunc(sorted, slices.Compare)
			return len(slices.CompactFunc(sorted, slices.Equal))
		}
		if !slices.ContainsFunc(seen, func(q []float64) bool { return slices.Equal(p, q) }) {
			seen = append(seen, p)
		}
	}
	return len(seen)
}

// A run is one start of Lloyd's algorithm.
type run struct {
	points    [][]float64
	k, dim    int
	workers   int
	centers   [][]float64
	labels    []int
	nearest   []float64 // squared distance to the center of the label
	inertia   float64
	iter      int
	converged bool
}

func newRun(points [][]float64, k, workers int) *run {
	return &run{points: points, k: k, dim: len(points[0]), workers: workers,
		labels: make([]int, len(points)), nearest: make([]float64, len(points))}
}

func squared(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		d := x - b[i]
		sum += float64(d * d)
	}
	return sum
}

// chunks calls f for the stretches of the points, side by side, and stops early when ctx is done.
func (r *run) chunks(ctx context.Context, f func(chunk, from, to int)) error {
	n := (len(r.points) + chunkPoints - 1) / chunkPoints
	work := func(w int) {
		for c := w; c < n; c += r.workers {
			if ctx.Err() != nil {
				return
			}
			f(c, c*chunkPoints, min((c+1)*chunkPoints, len(r.points)))
		}
	}
	if r.workers == 1 || n == 1 {
		for w := range r.workers {
			work(w)
		}
	} else {
		var group sync.WaitGroup
		for w := range r.workers {
			group.Add(1)
			go func() {
				defer group.Done()
				work(w)
			}()
		}
		group.Wait()
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}

// seed picks the first centers: a random point, then each with a chance proportional to its squared distance from the
// nearest center so far.
func (r *run) seed(ctx context.Context, rng *rand.Rand) error {
	first := r.points[rng.IntN(len(r.points))]
	r.centers = [][]float64{slices.Clone(first)}
	for i := range r.nearest {
		r.nearest[i] = math.Inf(1)
	}
	sums := make([]float64, (len(r.points)+chunkPoints-1)/chunkPoints)
	for {
		newest := r.centers[len(r.centers)-1]
		err := r.chunks(ctx, func(c, from, to int) {
			sums[c] = 0
			for i := from; i < to; i++ {
				r.nearest[i] = min(r.nearest[i], squared(r.points[i], newest))
				sums[c] += r.nearest[i]
			}
		})
		if err != nil || len(r.centers) == r.k {
			return err
		}
		r.centers = append(r.centers, slices.Clone(r.points[r.draw(rng, sums)]))
	}
}

// draw returns a point with a chance proportional to nearest; it is positive for a point drawn.
func (r *run) draw(rng *rand.Rand, sums []float64) int {
	total := 0.0
	for _, s := range sums {
		total += s
	}
	left := rng.Float64() * total
	last := 0
	for c, s := range sums {
		if left >= s && c < len(sums)-1 {
			left -= s
			continue
		}
		for i := c * chunkPoints; i < min((c+1)*chunkPoints, len(r.points)); i++ {
			if r.nearest[i] > 0 {
				last = i
				if left < r.nearest[i] {
					return i
				}
			}
			left -= r.nearest[i]
		}
	}
	if r.nearest[last] > 0 {
		return last
	}
	// Rounding used up the total before the last distant point: take the farthest.
	far := 0
	for i, d := range r.nearest {
		if d > r.nearest[far] {
			far = i
		}
	}
	return far
}

// sums of one stretch.
type sums struct {
	totals  []float64 // k times dim
	sizes   []int
	inertia float64
	moved   bool
}

func (r *run) lloyd(ctx context.Context, maxIter int) error {
	parts := make([]sums, (len(r.points)+chunkPoints-1)/chunkPoints)
	for i := range parts {
		parts[i] = sums{totals: make([]float64, r.k*r.dim), sizes: make([]int, r.k)}
	}
	for i := range r.labels {
		r.labels[i] = -1
	}
	for r.iter = 1; ; r.iter++ {
		if err := r.assign(ctx, parts); err != nil {
			return err
		}
		moved := r.gather(parts)
		if !moved || r.iter >= maxIter {
			r.converged = !moved
			return nil
		}
	}
}

// assign gives every point its nearest center, the first of equals.
func (r *run) assign(ctx context.Context, parts []sums) error {
	return r.chunks(ctx, func(c, from, to int) {
		s := &parts[c]
		clear(s.totals)
		clear(s.sizes)
		s.inertia, s.moved = 0, false
		for i := from; i < to; i++ {
			p := r.points[i]
			best, at := math.Inf(1), 0
			for k, center := range r.centers {
				if d := squared(p, center); d < best {
					best, at = d, k
				}
			}
			s.moved = s.moved || r.labels[i] != at
			r.labels[i], r.nearest[i] = at, best
			s.sizes[at]++
			s.inertia += best
			for j, x := range p {
				s.totals[at*r.dim+j] += x
			}
		}
	})
}

// gather moves the centers to the means of their points, in the order of the stretches. A center that lost all its
// points goes to the point farthest from its own.
func (r *run) gather(parts []sums) (moved bool) {
	totals, sizes := make([]float64, r.k*r.dim), make([]int, r.k)
	r.inertia = 0
	for i := range parts {
		moved = moved || parts[i].moved
		r.inertia += parts[i].inertia
		for j, x := range parts[i].totals {
			totals[j] += x
		}
		for j, n := range parts[i].sizes {
			sizes[j] += n
		}
	}
	if !moved {
		return false
	}
	for k := range r.centers {
		if sizes[k] == 0 {
			far := 0
			for i, d := range r.nearest {
				if d > r.nearest[far] {
					far = i
				}
			}
			copy(r.centers[k], r.points[far])
			r.nearest[far] = 0
			continue
		}
		for j := range r.dim {
			r.centers[k][j] = totals[k*r.dim+j] / float64(sizes[k])
		}
	}
	return true
}

// result numbers the clusters by their centers.
func (r *run) result() *Result {
	order := make([]int, r.k)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		for j := r.dim - 1; j >= 0; j-- {
			if c := cmp.Compare(r.centers[b][j], r.centers[a][j]); c != 0 {
				return c
			}
		}
		return 0
	})
	place := make([]int, r.k)
	out := &Result{Labels: make([]int, len(r.labels)), Sizes: make([]int, r.k), Inertia: r.inertia, Iter: r.iter, Converged: r.converged}
	for i, k := range order {
		place[k] = i
		out.Centers = append(out.Centers, r.centers[k])
	}
	for i, k := range r.labels {
		out.Labels[i] = place[k]
		out.Sizes[place[k]]++
	}
	return out
}
