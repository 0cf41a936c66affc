package clv_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/modeltest"
	"github.com/custval/custval/money"
)

// A redrawn is a model to draw customers from and to fit to them.
type redrawn struct {
	name  string
	truth []float64
	size  int // customers of a repetition; 0 for none, where a fit is too long or often ends at a bound
	// draws returns the estimated parameters of so many drawn customers.
	draws func(customers int, seed uint64) ([]fit.Param, error)
}

// TestRedraws draws 20,000 customers of each model, fits the model to them and finds the parameters within four standard
// errors; and it counts over 200 smaller draws how often the intervals of 95 % hold them, which must be 90 to 99 %.
func TestRedraws(t *testing.T) {
	if os.Getenv("CUSTVAL_LONG") == "" {
		t.Skip("CUSTVAL_LONG is not set: 201 fits of each model take minutes")
	}
	for _, c := range redraws() {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			c.large(t)
			if c.size > 0 {
				c.coverage(t)
			}
			t.Logf("%v", time.Since(start).Round(time.Second))
		})
	}
}

func (c redrawn) large(t *testing.T) {
	params, err := c.draws(20_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for i, p := range params {
		z := deviation(p, c.truth[i])
		if !(math.Abs(z) < 4) {
			t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, c.truth[i])
		}
		worst = max(worst, math.Abs(z))
	}
	t.Logf("%s: 20000 customers, the parameters are within %.1f standard errors", c.name, worst)
}

// deviation is that of an estimate from the truth in standard errors, on the scale of its interval.
func deviation(p fit.Param, truth float64) float64 {
	if p.Scale == fit.Log {
		return math.Log(p.Value/truth) / (p.StdErr / p.Value)
	}
	return (p.Value - truth) / p.StdErr
}

func (c redrawn) coverage(t *testing.T) {
	const repetitions = 200
	results := make([][]fit.Param, repetitions)
	var next atomic.Int64
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := int(next.Add(1)) - 1; i < repetitions; i = int(next.Add(1)) - 1 {
				params, err := c.draws(c.size, uint64(100+i))
				if err != nil {
					t.Errorf("repetition %d: %v", i, err)
					continue
				}
				results[i] = params
			}
		}()
	}
	group.Wait()
	held := make([]int, len(c.truth))
	without := 0
	for _, params := range results {
		if params == nil || math.IsNaN(params[0].StdErr) {
			without++
			continue
		}
		for j, p := range params {
			if math.Abs(deviation(p, c.truth[j])) <= 1.959963984540054 {
				held[j]++
			}
		}
	}
	line := ""
	for j, n := range held {
		share := float64(n) / float64(repetitions-without)
		line += fmt.Sprintf(" %.3f", share)
		if share < 0.9 || share > 0.99 {
			t.Errorf("%s: the intervals of parameter %d hold it in %v of the repetitions", c.name, j+1, share)
		}
	}
	t.Logf("%s: %d customers, %d without an interval; shares of intervals that hold the parameters:%s", c.name, c.size, without, line)
	if without > repetitions/20 {
		t.Errorf("%s: %d of %d estimates have no covariance", c.name, without, repetitions)
	}
}

// histories is a redrawn model of a model in continuous time.
func histories[M clv.Model](m M, size int, f func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[M], error), truth ...float64) redrawn {
	return redrawn{m.Kind(), truth, size, func(customers int, seed uint64) ([]fit.Param, error) {
		return estimated(f(context.Background(), modeltest.Draw(m, customers, seed), &fit.Options{Workers: 1}))
	}}
}

// spends is a redrawn model of a model of spend; its customers have 1 to some 30 purchases.
func spends[M interface {
	Kind() string
	Rand(r *rand.Rand, x int) float64
}](m M, size int, f func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[M], error), truth ...float64) redrawn {
	return redrawn{m.Kind(), truth, size, func(customers int, seed uint64) ([]fit.Param, error) {
		r := rand.New(rand.NewPCG(seed, 2))
		hs := &clv.Histories{Unit: clv.Week}
		for range customers {
			x := 1 + int(5*r.ExpFloat64())
			spend, err := money.FromFloat(m.Rand(r, x)*float64(x), "USD", money.HalfEven)
			if err != nil {
				return nil, err
			}
			hs.Rows = append(hs.Rows, clv.History{X: x, TX: 20, T: 30, Spend: spend})
		}
		return estimated(f(context.Background(), hs, &fit.Options{Workers: 1}))
	}}
}

func estimated[M any](e *fit.Estimate[M], err error) ([]fit.Param, error) {
	if err != nil {
		return nil, err
	}
	return e.Params, nil
}

func redraws() []redrawn {
	kin := clv.CorrelatedParetoNBD{R: 1.5, Alpha: 1, S: 1.5, Beta: 2}
	_, high := kin.Bounds()
	kin.M = 0.4 * high
	donors := clv.BGBB{Alpha: 1.2, Beta: 0.75, Gamma: 0.66, Delta: 5}
	return []redrawn{
		histories(clv.NBD{R: 0.8, Alpha: 5}, 1000, clv.FitNBD, 0.8, 5),
		histories(clv.ParetoNBD{R: 1.2, Alpha: 6, S: 0.8, Beta: 20}, 3000, clv.FitParetoNBD, 1.2, 6, 0.8, 20),
		histories(kin, 0, clv.FitCorrelatedParetoNBD, kin.R, kin.Alpha, kin.S, kin.Beta, kin.M),
		histories(clv.GGompertzNBD{R: 1.2, Alpha: 4, B: 0.15, S: 0.8, Beta: 20}, 2000, clv.FitGGompertzNBD, 1.2, 4, 0.15, 0.8, 20),
		histories(clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5}, 3000, clv.FitBGNBD, 0.8, 5, 0.8, 2.5),
		histories(clv.MBGNBD{R: 1.2, Alpha: 6, A: 0.8, B: 2.5}, 4000, clv.FitMBGNBD, 1.2, 6, 0.8, 2.5),
		histories(clv.BGCNBD{K: 2, R: 1.2, Alpha: 2, A: 0.8, B: 2.5}, 3000,
			func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.BGCNBD], error) {
				return clv.FitBGCNBD(ctx, hs, 2, o)
			}, 1.2, 2, 0.8, 2.5),
		histories(clv.MBGCNBD{K: 3, R: 1.2, Alpha: 1.5, A: 0.8, B: 2.5}, 4000,
			func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.MBGCNBD], error) {
				return clv.FitMBGCNBD(ctx, hs, 3, o)
			}, 1.2, 1.5, 0.8, 2.5),
		histories(clv.PDO{R: 1.2, Alpha: 6, A: 0.8, B: 5, Period: 4}, 4000,
			func(ctx context.Context, hs *clv.Histories, o *fit.Options) (*fit.Estimate[clv.PDO], error) {
				return clv.FitPDO(ctx, hs, 4, o)
			}, 1.2, 6, 0.8, 5),
		{"bgbb", []float64{donors.Alpha, donors.Beta, donors.Gamma, donors.Delta}, 20_000, func(customers int, seed uint64) ([]fit.Param, error) {
			return estimated(clv.FitBGBB(context.Background(), discrete(donors, customers, seed), &fit.Options{Workers: 1}))
		}},
		spends(clv.GammaGamma{P: 6, Q: 4, Gamma: 15}, 2000, clv.FitGammaGamma, 6, 4, 15),
		spends(clv.NormalNormal{Mu: 40, Tau: 25, Sigma: 60}, 3000, clv.FitNormalNormal, 40, 25, 60),
	}
}
