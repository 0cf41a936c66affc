package main

import (
	"math"
	"runtime"
	"sync"

	"github.com/custval/custval/clv"
)

// inParts calls work for equal parts of n rows on as many goroutines as the subjects use, and adds what they return.
func inParts(n int, work func(from, to int) float64) float64 {
	workers := runtime.GOMAXPROCS(0)
	sums := make([]float64, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sums[w] = work(w*n/workers, (w+1)*n/workers)
		}()
	}
	wg.Wait()
	total := 0.0
	for _, s := range sums {
		total += s
	}
	return total
}

// A floor is a loop of logarithms and exponentials over the times of the customers.
type floor struct {
	rows []times
	one  func(h *times) float64
	sum  float64 // of the last run, so that it is not compiled away
}

type times struct {
	x     int
	tx, t float64
}

func newFloor(hs *clv.Histories, one func(h *times) float64) *floor {
	f := &floor{one: one}
	for _, h := range hs.Rows {
		f.rows = append(f.rows, times{h.X, h.TX, h.T})
	}
	return f
}

func (f *floor) run() {
	f.sum = inParts(len(f.rows), func(from, to int) float64 {
		sum := 0.0
		for i := from; i < to; i++ {
			sum += f.one(&f.rows[i])
		}
		return sum
	})
}

// bgLikelihood is what one log-likelihood of BG/NBD names: a log for a customer without a repeat purchase, three and an
// exponential for the others.
func bgLikelihood(h *times) float64 {
	if h.x == 0 {
		return math.Log1p(h.t / bg.Alpha)
	}
	odds := math.Log1p((h.t - h.tx) / (bg.Alpha + h.tx))
	return math.Log1p(h.tx/bg.Alpha) + math.Log1p(math.Exp(-odds))
}

// mbgLikelihood is that of MBG/NBD, in which everyone may have left.
func mbgLikelihood(h *times) float64 {
	odds := math.Log1p((h.t - h.tx) / (mbg.Alpha + h.tx))
	return math.Log1p(h.tx/mbg.Alpha) + math.Log1p(math.Exp(-odds))
}

// paretoLikelihood is that of Pareto/NBD by a rule of eight points: four logs, and a log and an exponential a point.
func paretoLikelihood(h *times) float64 {
	a, b := math.Log1p(h.tx/pareto.Alpha), math.Log1p(h.tx/pareto.Beta)
	c, d := math.Log1p(h.t/pareto.Alpha), math.Log1p(h.t/pareto.Beta)
	for i := range 8 {
		d += math.Exp(-math.Log(1+c*float64(i))) + a
	}
	return a + b + c + d
}

// alive is what P(alive) of BG/NBD and MBG/NBD names: a log and an exponential.
func alive(h *times) float64 {
	return math.Exp(-math.Log1p((h.t - h.tx) / (bg.Alpha + h.tx)))
}

// expected is what the expected purchases of BG/NBD and MBG/NBD name besides a hypergeometric function: twice that.
func expected(h *times) float64 { return alive(h) * math.Exp(-math.Log1p(52/(bg.Alpha+h.t))) }

// paretoAlive is what P(alive) of Pareto/NBD names besides an integral: two logs and an exponential.
func paretoAlive(h *times) float64 {
	return math.Exp(-math.Log1p((h.t-h.tx)/(pareto.Alpha+h.tx)) - math.Log1p((h.t-h.tx)/(pareto.Beta+h.tx)))
}

// paretoExpected is that with the log and the exponential of the future.
func paretoExpected(h *times) float64 {
	return paretoAlive(h) * math.Exp(-math.Log1p(52/(pareto.Beta+h.t)))
}
