package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
)

// Draws are models that could as well have been the estimate, as far as the data tell. DrawParams and Bootstrap make
// them. Whatever is computed of a model has an interval: the percentiles of what is computed of the draws.
type Draws[M any] struct {
	Estimate *fit.Estimate[M]
	Models   []M         // in an order that depends on the seed alone
	Params   [][]float64 // of each model, in the order of Estimate.Params
	Failed   int         // refits of a bootstrap that gave no estimate and are left out; many of them make the intervals too narrow
	Failures []string    // why, each reason once, at most ten
}

// Interval returns f of the estimate with the interval from the percentile (1-level)/2 of f of the draws to the one of
// (1+level)/2 (definition 7 of Hyndman and Fan). An end may be infinite where f is. It returns an error if the level is
// not between 0 and 1, if there are no draws, and if f is not a number for one of them.
func (d *Draws[M]) Interval(f func(m M) float64, level float64) (Interval, error) {
	if err := d.check(level); err != nil {
		return Interval{}, err
	}
	vs := make([]float64, len(d.Models))
	for i, m := range d.Models {
		if vs[i] = f(m); math.IsNaN(vs[i]) {
			return Interval{}, fmt.Errorf("clv: draw %d, %+v: %w", i+1, m, errNoNumber)
		}
	}
	return percentiles(f(d.Estimate.Model), vs, level)
}

func (d *Draws[M]) check(level float64) error {
	if err := checkLevel(level); err != nil {
		return err
	}
	if d == nil || len(d.Models) == 0 || d.Estimate == nil {
		return errors.New("clv: no draws")
	}
	return nil
}

func percentiles(value float64, vs []float64, level float64) (Interval, error) {
	if math.IsNaN(value) {
		return Interval{}, fmt.Errorf("clv: at the estimate: %w", errNoNumber)
	}
	slices.Sort(vs)
	at := func(p float64) float64 {
		q := stat.Quantile(vs, p)
		if math.IsNaN(q) { // between a number and an infinite one
			q = vs[int(math.Ceil(p*float64(len(vs)-1)))]
		}
		return q
	}
	return Interval{value, at((1 - level) / 2), at((1 + level) / 2)}, nil
}

// ParamIntervals returns the percentile interval of each parameter.
func (d *Draws[M]) ParamIntervals(level float64) (ParamIntervals, error) {
	if err := d.check(level); err != nil {
		return nil, err
	}
	out := make(ParamIntervals, len(d.Estimate.Params))
	for j, p := range d.Estimate.Params {
		vs := make([]float64, len(d.Params))
		for i := range d.Params {
			vs[i] = d.Params[i][j]
		}
		i, err := percentiles(p.Value, vs, level)
		if err != nil {
			return nil, err
		}
		out[j] = ParamInterval{p.Name, i}
	}
	return out, nil
}

// DrawsValue returns what a customer is expected to be worth, as Value does, with the percentile interval over pairs of
// draws: the first purchase model with the first spend model and so on. There must be as many of one as of the other.
// Draws of DrawParams must not share a seed, or their errors would seem to be related; those of Bootstrap may, and are
// then of the same customers if no refit failed.
//
// Errors are those of Value and Draws.Interval, and one that wraps ErrInfinite where the upper end is infinite.
func DrawsValue[M Model, S SpendModel](purchases *Draws[M], spend *Draws[S], h History, v ValueOptions, level float64) (AmountInterval, error) {
	if err := errors.Join(purchases.check(level), spend.check(level)); err != nil {
		return AmountInterval{}, err
	}
	if len(purchases.Models) != len(spend.Models) {
		return AmountInterval{}, fmt.Errorf("clv: %d draws of the purchase model and %d of the spend model: want as many",
			len(purchases.Models), len(spend.Models))
	}
	unit := purchases.Estimate.Unit
	value, err := Value(purchases.Estimate.Model, spend.Estimate.Model, h, unit, v)
	if err != nil {
		return AmountInterval{}, err
	}
	w := worth{v: v, currency: h.Spend.Currency()}
	if w.delta, err = v.Discount.Rate(unit); err != nil {
		return AmountInterval{}, err
	}
	vs := make([]float64, len(purchases.Models))
	for i := range vs {
		w.purchases, w.spend = purchases.Models[i], spend.Models[i]
		if vs[i] = w.float(h); math.IsNaN(vs[i]) {
			return AmountInterval{}, fmt.Errorf("clv: customer %q: draw %d: %w", h.Customer, i+1, errNoNumber)
		}
	}
	i, err := percentiles(value.Float64(), vs, level)
	if err != nil {
		return AmountInterval{}, err
	}
	return w.amounts(value, i)
}

// DrawParams is the parametric bootstrap: n draws of the parameters from the normal distribution on their working
// scales with the estimate's covariance, to which the estimate's own distribution tends with the number of customers. It
// costs no refit; Bootstrap makes no use of that limit.
//
// DrawParams returns an error if n < 2 and one that wraps fit.ErrNoCovariance where the estimate has none.
func DrawParams[M any](e *fit.Estimate[M], n int, seed uint64) (*Draws[M], error) {
	switch {
	case e == nil:
		return nil, errNoEstimate
	case n < 2:
		return nil, fmt.Errorf("clv: %d draws: want 2 or more", n)
	case e.Cov == nil:
		return nil, fmt.Errorf("clv: draws of the parameters: %w", fit.ErrNoCovariance)
	}
	root, err := squareRoot(workingCov(e.Params, e.Cov))
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(seed, 0))
	d := &Draws[M]{Estimate: e, Models: make([]M, n), Params: make([][]float64, n)}
	z := make([]float64, len(e.Params))
	for i := range n {
		for j := range z {
			z[j] = r.NormFloat64()
		}
		theta := make([]float64, len(z))
		for j, p := range e.Params {
			u := toScale(p.Scale, p.Value)
			for k := range j + 1 {
				u += root[j][k] * z[k]
			}
			theta[j] = fromScale(p.Scale, u)
		}
		d.Params[i] = theta
		if d.Models[i], err = withParams(e.Model, e.Params, theta); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// squareRoot returns the lower triangle L of a covariance L L'. Parameters that are known have zeros.
func squareRoot(c [][]float64) ([][]float64, error) {
	l := make([][]float64, len(c))
	for i := range c {
		l[i] = make([]float64, len(c))
		for j := range i + 1 {
			v := c[i][j]
			for k := range j {
				v -= l[i][k] * l[j][k]
			}
			switch {
			case i == j && (math.IsNaN(v) || v < -1e-12*c[i][i]):
				return nil, fmt.Errorf("clv: the covariance is not positive definite: %w", fit.ErrNoCovariance)
			case i == j:
				l[i][i] = math.Sqrt(max(0, v))
			case l[j][j] > 0:
				l[i][j] = v / l[j][j]
			}
		}
	}
	return l, nil
}

// BootstrapOptions control a bootstrap. The zero value, and a nil pointer, are the defaults.
type BootstrapOptions struct {
	Samples  int                     // resamples of the customers; 0 means 1000
	Seed     uint64                  // the same seed gives the same draws
	Workers  int                     // refits at a time; 0 means GOMAXPROCS. The result does not depend on it
	MaxIter  int                     // most iterations of a refit; 0 means the default of fit.Options
	Progress func(BootstrapProgress) // called after each refit on the caller's goroutine; may be nil
}

// BootstrapProgress tells how far a bootstrap has come.
type BootstrapProgress struct {
	Done    int // refits that have ended
	Failed  int // of which so many failed
	Samples int // refits in all
}

func (o *BootstrapOptions) withDefaults() (BootstrapOptions, error) {
	var r BootstrapOptions
	if o != nil {
		r = *o
	}
	switch {
	case r.Samples < 0 || r.Samples == 1:
		return r, fmt.Errorf("clv: bootstrap of %d samples: want 2 or more", r.Samples)
	case r.Workers < 0:
		return r, fmt.Errorf("clv: bootstrap with %d workers: negative", r.Workers)
	case r.MaxIter < 0:
		return r, fmt.Errorf("clv: bootstrap with MaxIter %d: negative", r.MaxIter)
	}
	if r.Samples == 0 {
		r.Samples = 1000
	}
	if r.Workers == 0 {
		r.Workers = runtime.GOMAXPROCS(0)
	}
	return r, nil
}

// A FitFunc fits a model to histories, as FitBGNBD does; a function around FitBGCNBD gives its k.
type FitFunc[M any] func(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[M], error)

// Bootstrap resamples the customers with replacement and refits the model to each sample (Efron, Annals of Statistics
// 7(1), 1979). It takes nothing for granted but that the customers are independent, so it also tells how much the
// estimate owes to a few of them. e is the estimate that refit gave of data, where the refits start.
//
// A sample is a number of copies of each history, which goes into its Count. The draws depend on the seed and the
// customers, but not on their order and the number of workers. A refit that fails, by an error, by a panic or because a
// parameter ran off, is counted in Failed and left out.
//
// Bootstrap returns an error if a history does not validate, if the estimate has another unit than the data, if an
// option is out of range, if fewer than two refits succeed, and the context's error.
func Bootstrap[M any](ctx context.Context, e *fit.Estimate[M], data *Histories, refit FitFunc[M], o *BootstrapOptions) (*Draws[M], error) {
	if e == nil || refit == nil {
		return nil, errNoEstimate
	}
	if err := data.Validate(); err != nil {
		return nil, err
	}
	if e.Unit != 0 { // models of spend have none
		if err := sameUnit(e.Unit, data.Unit); err != nil {
			return nil, err
		}
	}
	rows := slices.Clone(data.Rows)
	sortParallel(ctx, rows, make([]History, len(rows)), compareHistories, 1)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("clv: bootstrap: %w", err)
	}
	weights := make([]int, len(rows))
	for i := range rows {
		weights[i] = rows[i].customers()
	}
	return resample(ctx, e, weights, o, func(ctx context.Context, counts []int, o *fit.Options) (*fit.Estimate[M], error) {
		sample := &Histories{Unit: data.Unit, End: data.End}
		for i, n := range counts {
			if n > 0 {
				h := rows[i]
				h.Count = n
				sample.Rows = append(sample.Rows, h)
			}
		}
		return refit(ctx, sample, o)
	})
}

// compareHistories orders histories by their values, the name not among them.
func compareHistories(a, b History) int {
	ra, rb := newRow(&a, 0, true), newRow(&b, 0, true)
	if c := ra.compare(rb); c != 0 {
		return c
	}
	if c, err := a.Spend.Cmp(b.Spend); err == nil && c != 0 {
		return c
	}
	return a.customers() - b.customers()
}

// resample refits to samples of rows that stand for the given numbers of customers.
func resample[M any](ctx context.Context, e *fit.Estimate[M], weights []int, o *BootstrapOptions,
	refit func(ctx context.Context, counts []int, o *fit.Options) (*fit.Estimate[M], error)) (*Draws[M], error) {
	options, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		e   *fit.Estimate[M]
		err error
	}
	results := make([]result, options.Samples)
	ended := make(chan int)
	var next atomic.Int64
	var wg sync.WaitGroup
	one := func(counts []int, i int) (r result) {
		defer func() {
			if p := recover(); p != nil {
				r = result{err: fmt.Errorf("panic in the fit: %v", p)}
			}
		}()
		multinomial(counts, weights, rand.NewPCG(options.Seed, uint64(i)+1))
		r.e, r.err = refit(ctx, counts, &fit.Options{Start: values(e.Params), Workers: 1, MaxIter: options.MaxIter})
		if r.err == nil {
			r.err = usableFit(r.e, len(e.Params))
		}
		return r
	}
	for range min(options.Workers, options.Samples) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			counts := make([]int, len(weights))
			for i := int(next.Add(1)) - 1; i < options.Samples && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				results[i] = one(counts, i)
				ended <- i
			}
		}()
	}
	go func() { wg.Wait(); close(ended) }()
	p := BootstrapProgress{Samples: options.Samples}
	for i := range ended {
		p.Done++
		if results[i].err != nil {
			p.Failed++
		}
		if options.Progress != nil && ctx.Err() == nil {
			options.Progress(p)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("clv: bootstrap: %w", err)
	}
	d := &Draws[M]{Estimate: e, Failed: p.Failed}
	for _, r := range results {
		if r.err != nil {
			if why := r.err.Error(); len(d.Failures) < 10 && !slices.Contains(d.Failures, why) {
				d.Failures = append(d.Failures, why)
			}
			continue
		}
		d.Models = append(d.Models, r.e.Model)
		d.Params = append(d.Params, values(r.e.Params))
	}
	if len(d.Models) < 2 {
		return nil, fmt.Errorf("clv: bootstrap: %d of %d refits failed: %s", d.Failed, options.Samples, d.Failures[0])
	}
	return d, nil
}

var errRanOff = errors.New("a parameter ran off")

// usableFit returns an error for an estimate that is none.
func usableFit[M any](e *fit.Estimate[M], params int) error {
	if e == nil || len(e.Params) != params {
		return errNoEstimate
	}
	for _, p := range e.Params {
		if u := toScale(p.Scale, p.Value); !finite(u) || (p.Scale != fit.Identity && math.Abs(u) > 16) {
			return fmt.Errorf("%s: %w", p.Name, errRanOff)
		}
	}
	return nil
}

// multinomial draws as many customers as the weights add up to, with replacement, and sets how often each row was drawn.
func multinomial(counts, weights []int, source *rand.PCG) {
	total := 0
	for _, w := range weights {
		total += w
	}
	if total == len(weights) { // one customer a row
		r := rand.New(source)
		clear(counts)
		for range total {
			counts[r.IntN(total)]++
		}
		return
	}
	left, draws := total, total
	for i, w := range weights {
		switch {
		case draws == 0:
			counts[i] = 0
		case w == left:
			counts[i] = draws
		default:
			counts[i] = int(distuv.Binomial{N: float64(draws), P: float64(w) / float64(left), Src: source}.Rand())
		}
		left -= w
		draws -= counts[i]
	}
}
