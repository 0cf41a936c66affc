package experiment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/custval/custval/internal/stat"
)

// A Statistic is what is computed of the values of two arms. It must not keep or change its arguments, and must be safe
// for concurrent calls.
type Statistic func(control, treatment []float64) float64

// MeanDifference returns the mean of the treatment less that of the control.
func MeanDifference(control, treatment []float64) float64 { return mean(treatment) - mean(control) }

// MeanRatio returns the mean of the treatment relative to that of the control, less 1.
func MeanRatio(control, treatment []float64) float64 { return mean(treatment)/mean(control) - 1 }

// MedianDifference returns the median of the treatment less that of the control.
func MedianDifference(control, treatment []float64) float64 {
	return stat.Median(treatment) - stat.Median(control)
}

// BootstrapOptions are the rules of [Bootstrap]. The zero BootstrapOptions, like nil, are the defaults.
type BootstrapOptions struct {
	Statistic Statistic          // nil: MeanDifference
	Resamples int                // 0: 10,000
	Seed      uint64             // of the random numbers; the same seed gives the same result whatever Workers is
	Level     float64            // of the intervals; 0: 0.95
	Workers   int                // goroutines; 0: GOMAXPROCS
	Progress  func(done, of int) // called now and then on the caller's goroutine; may be nil
}

// A BootstrapResult is a statistic with intervals that suppose no distribution.
type BootstrapResult struct {
	Estimate       float64 `json:"estimate"` // of the arms as they are
	StdErr         float64 `json:"std_err"`  // standard deviation over the resamples
	Bias           float64 `json:"bias"`     // mean over the resamples less Estimate
	Level          float64 `json:"level"`
	PercentileLow  float64 `json:"percentile_low"`
	PercentileHigh float64 `json:"percentile_high"`
	BCaLow         float64 `json:"bca_low"` // bias-corrected and accelerated
	BCaHigh        float64 `json:"bca_high"`
	BiasCorrection float64 `json:"bias_correction"` // z0 of BCa
	Acceleration   float64 `json:"acceleration"`    // a of BCa
	Resamples      int     `json:"resamples"`
	Seed           uint64  `json:"seed"`
}

// String returns the result in a line.
func (r BootstrapResult) String() string {
	return fmt.Sprintf("%+.6g (%.4g%%: BCa %+.6g to %+.6g, percentile %+.6g to %+.6g), %d resamples, seed %d",
		r.Estimate, 100*r.Level, r.BCaLow, r.BCaHigh, r.PercentileLow, r.PercentileHigh, r.Resamples, r.Seed)
}

// Bootstrap draws customers with replacement, as many as each arm has, and computes the statistic of every resample
// (Efron, 1979). The percentile interval cuts off equal tails of the resamples; BCa (Efron, JASA 1987) shifts the tails
// for bias and skewness, which matters for values with a heavy tail, by
//
//	z0 = normal quantile of the part of resamples below the estimate, ties counted half
//	a  = sum of the arms' sums of cubed influences / (6 (sum of their squares)^1.5), by the jackknife
//
// An arm of more than 1,000 customers is cut into 1,000 groups for the jackknife of a statistic of one's own.
//
// Bootstrap returns an error that wraps [ErrTooFew] for fewer than two values in an arm, [ErrNoVariance] if all
// resamples agree; one if a value, or the statistic, is not a number or an option out of range; and the context's error.
func Bootstrap(ctx context.Context, control, treatment []float64, o *BootstrapOptions) (BootstrapResult, error) {
	var opt BootstrapOptions
	if o != nil {
		opt = *o
	}
	level, err := checkLevel(opt.Level)
	if err != nil {
		return BootstrapResult{}, err
	}
	if opt.Resamples == 0 {
		opt.Resamples = 10_000
	}
	if opt.Resamples < 2 || opt.Workers < 0 {
		return BootstrapResult{}, fail("%d resamples, %d workers: out of range", opt.Resamples, opt.Workers)
	}
	for i, values := range [][]float64{control, treatment} {
		if _, err := SampleOf(values); err != nil {
			return BootstrapResult{}, fmt.Errorf("%w (%s)", err, [...]string{"control", "treatment"}[i])
		}
	}
	own := opt.Statistic != nil
	if !own {
		opt.Statistic = MeanDifference
	}
	r := BootstrapResult{Estimate: opt.Statistic(control, treatment), Level: level, Resamples: opt.Resamples, Seed: opt.Seed}
	draws, err := resample(ctx, control, treatment, opt, own)
	if err != nil {
		return r, err
	}
	slices.Sort(draws)
	if !isFinite(r.Estimate) || !isFinite(draws[0]) || !isFinite(draws[len(draws)-1]) {
		return r, fail("the statistic is not a number for the arms or a resample")
	}
	m := mean(draws)
	r.Bias, r.StdErr = m-r.Estimate, math.Sqrt(covariance(draws, draws, m, m))
	if draws[0] == draws[len(draws)-1] {
		return r, fail("%w: all resamples have the statistic %v", ErrNoVariance, draws[0])
	}
	tail := (1 - level) / 2
	r.PercentileLow, r.PercentileHigh = stat.Quantile(draws, tail), stat.Quantile(draws, 1-tail)
	below, ties := 0, 0
	for _, d := range draws {
		if d < r.Estimate {
			below++
		} else if d == r.Estimate {
			ties++
		}
	}
	r.BiasCorrection = normalInverse((float64(below) + float64(ties)/2) / float64(len(draws)))
	if r.Acceleration, err = acceleration(ctx, control, treatment, opt.Statistic, own); err != nil {
		return r, err
	}
	if math.IsInf(r.BiasCorrection, 0) {
		return r, fail("all resamples lie on one side of the estimate: no BCa interval")
	}
	shifted := func(p float64) float64 {
		z := r.BiasCorrection + normalInverse(p)
		return stat.Quantile(draws, normalCDF(r.BiasCorrection+z/(1-r.Acceleration*z)))
	}
	r.BCaLow, r.BCaHigh = shifted(tail), shifted(1-tail)
	return r, nil
}

// resample returns the statistic of every resample. Each has random numbers of its own, seeded by its number.
func resample(ctx context.Context, control, treatment []float64, o BootstrapOptions, own bool) ([]float64, error) {
	draws := make([]float64, o.Resamples)
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const block = 64
	blocks := (o.Resamples + block - 1) / block
	workers = min(workers, blocks)
	next := make(chan int)
	done := make(chan struct{}, blocks)
	var group sync.WaitGroup
	for range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			var c, t []float64
			if own {
				c, t = make([]float64, len(control)), make([]float64, len(treatment))
			}
			for b := range next {
				for k := b * block; k < min((b+1)*block, o.Resamples); k++ {
					if ctx.Err() != nil {
						break
					}
					r := rand.New(rand.NewPCG(o.Seed, uint64(k))) //nolint:gosec // statistics need no secret numbers
					if own {
						draw(r, c, control)
						draw(r, t, treatment)
						draws[k] = o.Statistic(c, t)
						continue
					}
					mc := drawMean(r, control)
					draws[k] = drawMean(r, treatment) - mc
				}
				done <- struct{}{}
			}
		}()
	}
	finished := 0
	for b := 0; b < blocks; {
		select {
		case next <- b:
			b++
		case <-done:
			finished++
			if o.Progress != nil {
				o.Progress(min(finished*block, o.Resamples), o.Resamples)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(next)
	group.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fail("%w", err)
	}
	if o.Progress != nil {
		o.Progress(o.Resamples, o.Resamples)
	}
	return draws, nil
}

func draw(r *rand.Rand, to, from []float64) {
	for i := range to {
		to[i] = from[r.IntN(len(from))]
	}
}

// drawMean returns the mean of a resample. Both halves of each random number are used.
func drawMean(r *rand.Rand, from []float64) float64 {
	n := uint64(len(from))
	sum := 0.0
	if n >= 1<<32 {
		for range from {
			sum += from[r.Uint64N(n)]
		}
		return sum / float64(n)
	}
	for i := uint64(0); i < n; i += 2 {
		u := r.Uint64()
		sum += from[(u>>32)*n>>32]
		if i+1 < n {
			sum += from[(u&math.MaxUint32)*n>>32]
		}
	}
	return sum / float64(n)
}

// acceleration returns a of BCa from the influences of single customers, or of groups of them.
func acceleration(ctx context.Context, control, treatment []float64, s Statistic, own bool) (float64, error) {
	cubes, squares := 0.0, 0.0
	for arm, values := range [][]float64{control, treatment} {
		n := len(values)
		groups := n
		if own {
			groups = min(n, 1000)
		}
		influence := make([]float64, groups)
		if !own { // leaving one out of a mean moves it by (mean - value) / (n-1)
			m := mean(values)
			for i, v := range values {
				influence[i] = v - m
				if arm == 0 {
					influence[i] = m - v
				}
			}
		} else {
			rest := make([]float64, 0, n)
			total := 0.0
			for g := range groups {
				if err := ctx.Err(); err != nil {
					return 0, fail("%w", err)
				}
				rest = append(append(rest[:0], values[:g*n/groups]...), values[(g+1)*n/groups:]...)
				if arm == 0 {
					influence[g] = s(rest, treatment)
				} else {
					influence[g] = s(control, rest)
				}
				total += influence[g]
			}
			for g := range groups {
				influence[g] = float64(groups-1) * (total/float64(groups) - influence[g])
			}
		}
		k := float64(groups)
		for _, u := range influence {
			cubes += u * u * u / (k * k * k)
			squares += u * u / (k * k)
		}
	}
	if squares == 0 || !isFinite(squares) {
		return 0, nil
	}
	return cubes / (6 * math.Pow(squares, 1.5)), nil
}
