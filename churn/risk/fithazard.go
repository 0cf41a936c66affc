package risk

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// HazardOptions control the fit of a discrete-time hazard model. The zero value, and a nil pointer, are the defaults.
type HazardOptions struct {
	Link     Link     // zero is LogitLink
	Baseline Baseline // zero is EachPeriod
	// Cuts group the periods of EachPeriod: 4, 13 makes 1-3, 4-12 and 13+. Nil gives every period of the data a value of
	// its own, which needs somebody who left and somebody who stayed in each; [EventCuts] makes cuts that have them.
	Cuts   []int
	Length float64 // of a period, in the unit of the tenures; 0 means 1
	// Ridge shrinks the coefficients of the covariates, not the baseline, as in [LogisticOptions]; the standard deviation
	// is that over all periods of all customers.
	Ridge         float64
	RidgeUnscaled bool
	// Robust asks for the sandwich covariance in which the periods of one tenure may depend on each other.
	Robust bool
	// Cluster asks for the sandwich covariance in which the tenures of one cluster may, such as several rows of one
	// customer; nil means that tenures are independent.
	Cluster func(t ledger.Tenure) string
	MaxIter int // most iterations; 0 means 50
	Workers int // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

func (o *HazardOptions) resolve() (HazardOptions, error) {
	var r HazardOptions
	if o != nil {
		r = *o
	}
	switch {
	case int(r.Link) >= len(linkNames):
		return r, fmt.Errorf("risk: option Link: no link %d", r.Link)
	case int(r.Baseline) >= len(baselineNames):
		return r, fmt.Errorf("risk: option Baseline: no baseline %d", r.Baseline)
	case r.Baseline != EachPeriod && r.Cuts != nil:
		return r, fmt.Errorf("risk: option Cuts: the baseline %q has no groups of periods", r.Baseline)
	}
	if r.Length == 0 {
		r.Length = 1
	}
	if err := checkCuts(r.Cuts); err != nil {
		return r, err
	}
	return r, checkSearch(r.Ridge, &r.MaxIter, r.Workers)
}

// A HazardFit is a fitted discrete-time hazard model.
type HazardFit struct {
	Estimate        fit.Estimate[Hazard] `json:"estimate"`         // LogLik does not count the penalty of a ridge
	Left            float64              `json:"left"`             // weight of the customers who left
	Periods         float64              `json:"periods"`          // weight of all periods of all customers
	NullLogLik      float64              `json:"null_log_lik"`     // of the baseline alone
	LikelihoodRatio fit.LikelihoodRatio  `json:"likelihood_ratio"` // test that no covariate matters; 0 with 0 degrees without any
	ModelCov        [][]float64          `json:"model_cov"`        // covariance of the model where Estimate.Cov is the robust one; else nil
}

// String returns the table of the estimate.
func (f *HazardFit) String() string { return f.Estimate.String() }

// FitHazard fits the discrete-time hazard model of the tenures on a design with one row a tenure, by maximum likelihood; a
// nil design has no covariates. It is the regression of the zeros and ones of [PersonPeriods] without making them: memory
// is for tenures, not for periods. Features that change over time come as several tenures of one customer, each with the
// Entry and Duration between which its features hold; these must be whole periods, and Cluster makes the standard errors
// honest about it.
//
// The parameters of the estimate are the values of the baseline and one for each column of the design; standard errors
// come from the expected information.
//
// FitHazard returns the errors of [PersonPeriods], an error if the design has another number of rows, if nobody left or
// nobody stayed, a [CovariateError] that names a covariate as [FitLogistic] does, or a period in which nobody or everybody
// left, and one that wraps [fit.ErrNotConverged], which comes without estimate.
func FitHazard(ctx context.Context, tenures []ledger.Tenure, d *Design, o *HazardOptions) (*HazardFit, error) {
	opt, err := o.resolve()
	if err != nil {
		return nil, err
	}
	spans, err := periodSpans(tenures, opt.Length)
	if err != nil {
		return nil, err
	}
	if err := d.check(len(tenures)); err != nil {
		return nil, err
	}
	h, err := newPersonPeriods(ctx, spans, d, &opt)
	if err != nil {
		return nil, err
	}
	if opt.Ridge == 0 {
		if err := h.separated(d); err != nil {
			return nil, err
		}
	}
	n, err := h.search(ctx, d, &opt)
	if err != nil {
		return nil, err
	}
	null := n
	if h.p > 0 {
		plain := opt
		plain.Ridge = 0
		bare, err := newPersonPeriods(ctx, spans, nil, &plain)
		if err != nil {
			return nil, err
		}
		if null, err = bare.search(ctx, nil, &plain); err != nil {
			return nil, err
		}
	}
	f, err := h.result(ctx, n, tenures, d, &opt)
	if err != nil {
		return nil, err
	}
	f.NullLogLik = null.sums.logLik
	f.LikelihoodRatio = likelihoodRatio(f.NullLogLik, f.Estimate.LogLik, h.p)
	return f, nil
}

func (h *personPeriods) separated(d *Design) error {
	w1, w0 := make([]float64, h.rows), make([]float64, h.rows)
	for r := range h.rows {
		h.each(r, func(_ int, stays, left float64) { w1[r], w0[r] = w1[r]+left, w0[r]+stays })
	}
	return separatedAlone(d, h.x, w1, w0)
}

func (h *personPeriods) search(ctx context.Context, d *Design, o *HazardOptions) (*newton, error) {
	n := &newton{lik: h, free: h.groups, least: h.least, mean: h.total / float64(h.rows), maxIter: o.MaxIter, workers: o.Workers}
	if o.Baseline == EachPeriod {
		n.names = groupNames(h.cuts)
	} else {
		n.names = append([]string{"Intercept"}, o.Baseline.names()...)
	}
	n.names = append(n.names, d.Columns()...)
	n.penalty = ridge(o.Ridge, o.RidgeUnscaled, h.groups+h.q, h.scale[h.q:])
	start := make([]float64, h.groups+h.q+h.p)
	copy(start, h.start)
	return n, n.run(ctx, start)
}

// result puts the fit on the scale of the covariates. Standard errors are those of the expected information.
func (h *personPeriods) result(ctx context.Context, n *newton, tenures []ledger.Tenure, d *Design, o *HazardOptions) (*HazardFit, error) {
	expected, err := n.evaluate(ctx, n.b, true)
	if err != nil {
		return nil, err
	}
	factor, bad := linalg.Cholesky(n.penalized(expected.info), pivotLeast)
	if bad >= 0 {
		return nil, n.stuck(nil, fmt.Errorf("risk: %w: the information of the coefficients is singular; set Ridge", fit.ErrNotConverged))
	}
	cov := linalg.Inverse(factor)
	f := &HazardFit{Left: h.gone, Periods: h.total}
	e := &f.Estimate
	if o.Robust || o.Cluster != nil {
		f.ModelCov = unscale(cov, h.groups, h.mean, h.scale)
		// The slope of the score is the observed information.
		meat, err := h.meat(ctx, n.b, tenures, o)
		if err != nil {
			return nil, err
		}
		cov = sandwich(cov, meat)
	}
	e.Cov = unscale(cov, h.groups, h.mean, h.scale)
	base, coef := unscaleCoef(n.b, h.groups, h.mean, h.scale)
	all := append(base, coef...)
	split := h.groups + h.q
	e.Model = Hazard{Link: o.Link, Baseline: o.Baseline, Length: o.Length, Cuts: h.cuts, Base: all[:split:split], Terms: d.Terms(), Coef: all[split:]}
	e.LogLik, e.Iter, e.Evaluations, e.Stop = n.sums.logLik, n.iter, n.evals, fit.Converged
	e.Params = params(n.names, all, e.Cov)
	customers := 0.0
	for _, w := range h.weight {
		customers += w
	}
	e.Customers = int(math.Round(customers))
	return f, nil
}
