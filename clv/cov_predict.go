package clv

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/custval/custval/fit"
)

// PredictCov is Predict for a model with covariates: row i of the design is that of row i of the histories, which may be
// others than those of the fit. The design must have the columns of the model, as Design.Pick and NewDesign with the
// same levels give.
//
// The stream ends with the errors of Predict, and one if the design does not fit the histories or the model.
func PredictCov[M interface {
	Linked
	Model
}](ctx context.Context, e *fit.Estimate[Cov[M]], hs *Histories, d *Design, o *PredictOptions) iter.Seq2[Prediction, error] {
	return func(yield func(Prediction, error) bool) {
		p, err := newCovPredictor(e, hs, d, o)
		if err != nil {
			yield(Prediction{}, err)
			return
		}
		of := func(i int) (Prediction, error) {
			q := *p
			q.model = e.Model.For(d.Row(i))
			return q.at(hs, i)
		}
		for v, err := range inOrder(ctx, len(hs.Rows), p.workers, of) {
			if !yield(v, err) {
				return
			}
		}
	}
}

func newCovPredictor[M interface {
	Linked
	Model
}](e *fit.Estimate[Cov[M]], hs *Histories, d *Design, o *PredictOptions) (*predictor, error) {
	if e == nil {
		return nil, errNoEstimate
	}
	if err := e.Model.Validate(); err != nil {
		return nil, err
	}
	p, err := newPredictor(&fit.Estimate[M]{Model: e.Model.Base, Unit: e.Unit}, hs, o)
	if err != nil {
		return nil, err
	}
	if err := d.check(hs); err != nil {
		return nil, err
	}
	want, got := e.Model.Terms.Columns(), d.Columns()
	for j := range max(len(want), len(got)) {
		if j >= len(want) || j >= len(got) || want[j] != got[j] {
			return nil, fmt.Errorf("clv: the design has the columns %q, the model %q", got, want)
		}
	}
	return p, nil
}

// EstimateFor returns the estimate of the plain model of a customer with the given covariates, coded as Design.Row and
// Terms.Row do: Model.For(row) with the covariance of its parameters, J Cov J' with J their derivatives in the parameters
// of e. With it all that takes a plain estimate serves: ProbAliveInterval, ExpectedPurchasesInterval, DERTInterval and
// ValueInterval, Forecaster and DrawParams. LogLik, Customers and the like are those of e.
//
// EstimateFor returns an error if the row does not fit the model or gives one that does not validate. Where e has no
// covariance, the plain estimate has none.
func EstimateFor[M Linked](e *fit.Estimate[Cov[M]], row []float64) (*fit.Estimate[M], error) {
	if e == nil {
		return nil, errNoEstimate
	}
	m := e.Model
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if want := len(m.Terms.Columns()); len(row) != want {
		return nil, fmt.Errorf("clv: %s: a row of %d covariates, want %d", m.Kind(), len(row), want)
	}
	l, _ := m.linkage()
	out := &fit.Estimate[M]{Model: m.For(row), LogLik: e.LogLik, Customers: e.Customers, Unit: e.Unit, Iter: e.Iter,
		Evaluations: e.Evaluations, Stop: e.Stop, Warnings: slices.Clone(e.Warnings)}
	if err := out.Model.Validate(); err != nil {
		return nil, fmt.Errorf("%w, for the covariates %v", err, row)
	}
	base, theta := baseValues(m.Base, l.params), baseValues(out.Model, l.params)
	if e.Cov != nil {
		by, jacobian := make([][]float64, len(theta)), make([][]float64, len(theta))
		for p := range theta {
			by[p], jacobian[p] = make([]float64, len(e.Params)), make([]float64, len(e.Params))
		}
		for _, s := range m.slots(len(theta)) {
			by[l.links[s.effect].param][s.param] += l.links[s.effect].sign * row[s.column]
		}
		l.jacobian(base, theta, by, jacobian)
		out.Cov = sandwich(jacobian, e.Cov)
	}
	for i, name := range l.params {
		p := fit.Param{Name: name, Value: theta[i], StdErr: math.NaN(), Scale: l.scale(i)}
		if out.Cov != nil {
			p.StdErr = math.Sqrt(out.Cov[i][i])
		}
		out.Params = append(out.Params, p)
	}
	return out, nil
}

// A CovFitFunc fits a model with covariates, as FitCovBGNBD does.
type CovFitFunc[M Linked] func(ctx context.Context, data *Histories, d *Design, o *CovOptions) (*fit.Estimate[Cov[M]], error)

// BootstrapCov is Bootstrap for a model with covariates: a customer is drawn with the covariates. covariates are the
// options that the estimate was fitted with; their Fit is not used. The draws depend on the order of the customers. A
// sample without one of the levels is a refit that failed.
func BootstrapCov[M Linked](ctx context.Context, e *fit.Estimate[Cov[M]], data *Histories, d *Design, covariates *CovOptions,
	refit CovFitFunc[M], o *BootstrapOptions) (*Draws[Cov[M]], error) {
	if e == nil || refit == nil {
		return nil, errNoEstimate
	}
	if err := data.Validate(); err != nil {
		return nil, err
	}
	if err := d.check(data); err != nil {
		return nil, err
	}
	if e.Unit != 0 {
		if err := sameUnit(e.Unit, data.Unit); err != nil {
			return nil, err
		}
	}
	return resampleRows(ctx, e, data, d, covariates, refit, o)
}

// resampleRows is resample for histories with a design: a customer is drawn with the row.
func resampleRows[M any, D interface{ Pick(rows []int) (D, error) }](ctx context.Context, e *fit.Estimate[M], data *Histories, d D,
	covariates *CovOptions, refit func(context.Context, *Histories, D, *CovOptions) (*fit.Estimate[M], error), o *BootstrapOptions) (*Draws[M], error) {
	weights := make([]int, len(data.Rows))
	for i := range weights {
		weights[i] = data.Rows[i].customers()
	}
	return resample(ctx, e, weights, o, func(ctx context.Context, counts []int, o *fit.Options) (*fit.Estimate[M], error) {
		sample := &Histories{Unit: data.Unit, End: data.End}
		var picked []int
		for i, n := range counts {
			if n > 0 {
				h := data.Rows[i]
				h.Count = n
				sample.Rows, picked = append(sample.Rows, h), append(picked, i)
			}
		}
		of, err := d.Pick(picked)
		if err != nil {
			return nil, err
		}
		options := CovOptions{}
		if covariates != nil {
			options = *covariates
		}
		options.Fit = *o
		return refit(ctx, sample, of, &options)
	})
}
