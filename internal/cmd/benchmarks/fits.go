package main

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
)

// fits measures the fits, each from the start that it chooses and from its own result.
func (s *suite) fits() error {
	for _, c := range []struct {
		name string
		n    int
		days bool
	}{
		{"CDNOW's 2,357 customers", 2357, true}, {"1e5 customers of whole days", 1e5, true},
		{"1e5 customers, none alike", 1e5, false}, {"1e6 customers, none alike", 1e6, false},
	} {
		if err := measureFit(s, "fit BG/NBD: "+c.name, bg, c.n, c.days, clv.FitBGNBD, bgLikelihood); err != nil {
			return err
		}
	}
	if err := measureFit(s, "fit MBG/NBD: 1e5 customers, none alike", mbg, 1e5, false, clv.FitMBGNBD, mbgLikelihood); err != nil {
		return err
	}
	for _, days := range []bool{true, false} {
		name := "fit Pareto/NBD: 1e5 customers" + map[bool]string{true: " of whole days", false: ", none alike"}[days]
		if err := measureFit(s, name, pareto, 1e5, days, clv.FitParetoNBD, paretoLikelihood); err != nil {
			return err
		}
	}
	return s.spendFit()
}

// measureFit measures a fit; n customers are drawn from the model.
func measureFit[M clv.Model](s *suite, subject string, m M, n int, days bool,
	f func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[M], error), one func(h *times) float64) error {
	if !s.match.MatchString(subject) {
		return nil
	}
	hs := draw(m, n, days)
	return measureFitOf(s, subject, hs, f, newFloor(distinct(hs), one))
}

func measureFitOf[M any](s *suite, subject string, hs *clv.Histories,
	f func(context.Context, *clv.Histories, *fit.Options) (*fit.Estimate[M], error), least *floor) error {
	if !s.match.MatchString(subject) {
		return nil
	}
	var cold, warm *fit.Estimate[M]
	var o fit.Options
	first := func() (err error) {
		cold, err = f(context.Background(), hs, nil)
		return err
	}
	again := func() (err error) {
		warm, err = f(context.Background(), hs, &o)
		return err
	}
	r := result{subject: subject, rows: len(hs.Rows), peak: peak(first)}
	if err := first(); err != nil {
		return fmt.Errorf("%s: %w", subject, err)
	}
	for _, p := range cold.Params {
		o.Start = append(o.Start, p.Value)
	}
	ns, allocs, err := s.nanoseconds(first, again, func() error { least.run(); return nil })
	if err != nil {
		return fmt.Errorf("%s: %w", subject, err)
	}
	r.nanoseconds, r.allocs, r.evaluations = ns[0], allocs, cold.Evaluations
	evaluation := (ns[0] - ns[1]) / float64(cold.Evaluations-warm.Evaluations)
	r.each, r.ratio = evaluation/float64(len(least.rows)), evaluation/ns[2]
	s.results = append(s.results, r, result{subject: subject + ", from its own result", rows: len(hs.Rows), nanoseconds: ns[1],
		evaluations: warm.Evaluations, allocs: -1, peak: -1})
	return nil
}

// distinct keeps one of the customers with the same history: what a likelihood goes through.
func distinct(hs *clv.Histories) *clv.Histories {
	seen := map[times]bool{}
	out := &clv.Histories{Unit: hs.Unit}
	for _, h := range hs.Rows {
		if k := (times{h.X, h.TX, h.T}); !seen[k] {
			seen[k] = true
			out.Rows = append(out.Rows, h)
		}
	}
	return out
}

// spendFit measures gamma-gamma, whose floor is the log of the spend a customer.
func (s *suite) spendFit() error {
	const subject = "fit gamma-gamma: 40,000 repeat customers"
	if !s.match.MatchString(subject) {
		return nil
	}
	all, err := spenders(draw(clv.BGNBD{R: 1.5, Alpha: 8, A: 0.5, B: 5}, 100_000, false))
	if err != nil {
		return err
	}
	hs := repeaters(all, 40_000)
	if len(hs.Rows) < 40_000 {
		return fmt.Errorf("%s: %d customers", subject, len(hs.Rows))
	}
	return measureFitOf(s, subject, hs, clv.FitGammaGamma, newFloor(hs, func(h *times) float64 { return math.Log(spend.Gamma + h.t) }))
}
