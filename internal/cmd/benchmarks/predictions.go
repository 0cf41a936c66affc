package main

import (
	"context"
	"math/rand/v2"
	"runtime"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

const predicted = 100_000 // customers

// predictions measures what is said of 100,000 customers who are all different.
func (s *suite) predictions() error {
	ctx := context.Background()
	into := &clv.BatchOptions{Into: make([]float64, predicted)}
	for _, c := range []struct {
		name                 string
		m                    clv.Model
		alive, expected, ert func(h *times) float64
	}{
		{"BG/NBD", bg, alive, expected, nil},
		{"MBG/NBD", mbg, alive, expected, nil},
		{"Pareto/NBD", pareto, paretoAlive, paretoExpected, paretoExpected},
	} {
		hs := draw(c.m, predicted, false)
		if err := s.measure("ProbAliveAll "+c.name, predicted, func() error {
			_, err := clv.ProbAliveAll(ctx, c.m, hs, into)
			return err
		}, newFloor(hs, c.alive).run); err != nil {
			return err
		}
		if err := s.measure("ExpectedPurchasesAll "+c.name+": a year", predicted, func() error {
			_, err := clv.ExpectedPurchasesAll(ctx, c.m, hs, 52, into)
			return err
		}, newFloor(hs, c.expected).run); err != nil {
			return err
		}
		if c.ert == nil {
			continue
		}
		if err := s.measure("DERTAll "+c.name, predicted, func() error {
			_, err := clv.DERTAll(ctx, c.m, hs, 0.0027, into)
			return err
		}, newFloor(hs, c.ert).run); err != nil {
			return err
		}
	}
	hs, err := spenders(draw(bg, predicted, false))
	if err != nil {
		return err
	}
	estimate := &fit.Estimate[clv.BGNBD]{Model: bg, Unit: clv.Week}
	if err := s.measure("Predict BG/NBD: a year, as a stream", predicted, func() error {
		for _, err := range clv.Predict(ctx, estimate, hs, nil) {
			if err != nil {
				return err
			}
		}
		return nil
	}, nil); err != nil {
		return err
	}
	for _, v := range []struct {
		name string
		v    clv.ValueOptions
	}{
		{"12 months", clv.ValueOptions{Horizon: 365.25 / 7, Margin: 0.3, Discount: clv.Annual(0.1)}},
		{"12 months, not discounted", clv.ValueOptions{Horizon: 365.25 / 7, Margin: 0.3}},
	} {
		scorer, err := clv.NewScorer(estimate, &fit.Estimate[clv.GammaGamma]{Model: spend}, "USD", v.v, nil)
		if err != nil {
			return err
		}
		if err := s.measure("Scorer.All: value of "+v.name, predicted, func() error {
			for _, err := range scorer.All(hs) {
				if err != nil {
					return err
				}
			}
			return nil
		}, nil); err != nil {
			return err
		}
	}
	return nil
}

// summaries measures Summarize against a bare pass through a map on one goroutine.
func (s *suite) summaries() error {
	sizes := []int{1e4, 1e5}
	if s.large {
		sizes = append(sizes, 1e6)
	}
	for _, customers := range sizes {
		subject := "Summarize: " + count(float64(10*customers)) + " shuffled rows"
		if !s.match.MatchString(subject) {
			continue
		}
		rows, err := orders(customers)
		if err != nil {
			return err
		}
		if err := s.measure(subject, len(rows), func() error {
			_, err := clv.Summarize(context.Background(), ledger.Transactions(rows), end, clv.Week, nil)
			return err
		}, func() {
			counts := map[string]int{}
			for i := range rows {
				counts[rows[i].Customer]++
			}
			runtime.KeepAlive(counts)
		}); err != nil {
			return err
		}
	}
	return nil
}

// scaling measures the fit and the predictions of more and more customers in any order.
func (s *suite) scaling() error {
	for _, n := range s.sizes() {
		fitted, named := "scaling, fit BG/NBD: "+count(float64(n))+" customers", "scaling, Predict BG/NBD: "+count(float64(n))+" customers"
		if !s.match.MatchString(fitted) && !s.match.MatchString(named) {
			continue
		}
		hs := draw(bg, n, false)
		rand.New(rand.NewPCG(5, 6)).Shuffle(n, func(i, j int) { hs.Rows[i], hs.Rows[j] = hs.Rows[j], hs.Rows[i] })
		if err := s.measure(fitted, n, func() error {
			_, err := clv.FitBGNBD(context.Background(), hs, nil)
			return err
		}, nil); err != nil {
			return err
		}
		if err := s.measure(named, n, func() error {
			for _, err := range clv.Predict(context.Background(), &fit.Estimate[clv.BGNBD]{Model: bg, Unit: clv.Week}, hs, nil) {
				if err != nil {
					return err
				}
			}
			return nil
		}, nil); err != nil {
			return err
		}
	}
	return nil
}
