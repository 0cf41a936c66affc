package survival

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// A Regression is a parametric survival model with covariates. It is immutable; [FitRegression] makes it, and
// [Regression.Predict] gives the distribution of one customer.
type Regression struct {
	Family    Family    `json:"family"`
	Terms     Terms     `json:"terms"`
	Intercept float64   `json:"intercept"`
	Coef      []float64 `json:"coef"`  // in the order of Terms.Columns()
	Scale     float64   `json:"scale"` // 1 for the exponential, 0 for Gompertz's, which has none
	Shape     float64   `json:"shape"` // of Gompertz's and the generalized gamma; else 0
}

// Kind returns "survival-regression" for every family.
func (Regression) Kind() string { return "survival-regression" }

// MarshalJSON writes the model in the envelope of its kind.
func (m Regression) MarshalJSON() ([]byte, error) {
	type plain Regression
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads a model of the same kind. It returns an error if the model does not validate.
func (m *Regression) UnmarshalJSON(text []byte) error {
	type plain Regression
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Regression(p).Validate(); err != nil {
		return err
	}
	*m = Regression(p)
	return nil
}

// Validate returns an error unless the numbers are finite, as many as the terms need and in the domain of the family.
func (m Regression) Validate() error {
	if len(m.Coef) != len(m.Terms.Columns()) {
		return fmt.Errorf("survival: regression: %d coefficients for %d columns", len(m.Coef), len(m.Terms.Columns()))
	}
	for j, b := range m.Coef {
		if !isFinite(b) {
			return fmt.Errorf("survival: regression: coefficient %d is %v", j+1, b)
		}
	}
	return m.at(m.Intercept).Validate()
}

// LinearPredictor returns Intercept + Coef'x of a row of covariates coded as [Terms.Row] and [Design.Row] do. It is NaN for
// a row of another length.
func (m Regression) LinearPredictor(row []float64) float64 {
	if len(row) != len(m.Coef) {
		return math.NaN()
	}
	return m.Intercept + linalg.Dot(m.Coef, row)
}

// Predict returns the distribution of the tenure of a customer with the given profile. It returns an error for a profile
// that does not fit the model.
func (m Regression) Predict(p Profile) (Distribution, error) {
	row, err := m.Terms.Row(p)
	if err != nil {
		return nil, err
	}
	return m.PredictRow(row)
}

// PredictRow is [Regression.Predict] for a row of covariates coded as [Terms.Row] and [Design.Row] do.
func (m Regression) PredictRow(row []float64) (Distribution, error) {
	d := m.at(m.LinearPredictor(row))
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return d, nil
}

// at returns the distribution at a linear predictor.
func (m Regression) at(eta float64) Distribution {
	switch m.Family {
	case ExponentialFamily:
		return Exponential{Rate: math.Exp(-eta)}
	case WeibullFamily:
		return Weibull{Shape: 1 / m.Scale, Scale: math.Exp(eta)}
	case LogNormalFamily:
		return LogNormal{Mu: eta, Sigma: m.Scale}
	case LogLogisticFamily:
		return LogLogistic{Shape: 1 / m.Scale, Scale: math.Exp(eta)}
	case GompertzFamily:
		return Gompertz{Shape: m.Shape, Rate: math.Exp(eta)}
	case GeneralizedGammaFamily:
		return GeneralizedGamma{Mu: eta, Sigma: m.Scale, Q: m.Shape}
	default:
		return GeneralizedGamma{Mu: math.NaN()}
	}
}

// FitRegression fits a parametric survival model with covariates by maximum likelihood. Records are tenures, or intervals
// where only the limits of the end are known; entries after 0 condition on survival up to them; weights count customers.
// A nil design fits the family without covariates.
//
// The parameters of the estimate are Intercept, one for each column of the design, and Scale and Shape where the family has
// them. The log-likelihood is that of the times, not of their logarithms.
//
// FitRegression returns a [ledger.RowError] for a duration, entry, limit or weight that is negative or not a finite number,
// for an entry after the end and for a customer who left at 0, an error if the design has another number of rows, one that
// wraps [ErrNoEvents] if nobody left, a [CovariateError] that names a covariate that is constant or a combination of others,
// or a level without any event, and an error that wraps [fit.ErrNotConverged] or [fit.ErrDiverged] with the best estimate
// so far.
//
// Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data (2002), chapters 2 and 3.
func FitRegression[R Record](ctx context.Context, family Family, records []R, d *Design, o *fit.Options) (*fit.Estimate[Regression], error) {
	if int(family) >= len(familyNames) {
		return nil, fmt.Errorf("survival: no family %d", family)
	}
	rows, err := observations(records)
	if err != nil {
		return nil, err
	}
	if err := d.check(len(rows)); err != nil {
		return nil, err
	}
	p, err := newParametric(family, rows, d)
	if err != nil {
		return nil, err
	}
	return p.fit(ctx, o)
}

// parametric is a regression on standardized covariates and times in units of their mean.
type parametric struct {
	family      Family
	rows        []Interval // in the order of their content, so that the order of the input reaches no bit of the result
	index       []int      // where each row came from
	design      *Design
	p           int
	x           []float64 // rows of p
	mean, scale []float64
	unit        float64 // of time
	exact       float64 // weight of the rows with an exact end
	customers   float64
}

func newParametric(family Family, rows []Interval, d *Design) (*parametric, error) {
	m := &parametric{family: family, design: d, p: d.width(), index: byContent(rows, d)}
	for _, i := range m.index {
		m.rows = append(m.rows, rows[i])
	}
	time := 0.0
	for i := range m.rows {
		r := &m.rows[i]
		m.customers += r.Weight
		time += r.Weight * r.middle()
		if r.Lower == r.Upper {
			m.exact += r.Weight
		}
	}
	m.unit = time / m.customers
	for i := range m.rows {
		r := &m.rows[i]
		r.Entry, r.Lower, r.Upper = r.Entry/m.unit, r.Lower/m.unit, r.Upper/m.unit
	}
	return m, m.standardize()
}

// byContent orders the rows.
func byContent(rows []Interval, d *Design) []int {
	index := make([]int, len(rows))
	for i := range index {
		index[i] = i
	}
	slices.SortFunc(index, func(i, j int) int {
		a, b := &rows[i], &rows[j]
		for _, pair := range [...][2]float64{{a.Lower, b.Lower}, {a.Upper, b.Upper}, {a.Entry, b.Entry}, {a.Weight, b.Weight}} {
			if pair[0] != pair[1] {
				return compareFloat(pair[0], pair[1])
			}
		}
		for k := range d.width() {
			if x, y := d.columns[k][i], d.columns[k][j]; x != y {
				return compareFloat(x, y)
			}
		}
		return i - j
	})
	return index
}

// middle returns a time inside the interval: for scale and start only.
func (r *Interval) middle() float64 {
	if math.IsInf(r.Upper, 1) {
		return r.Lower
	}
	return r.Lower + (r.Upper-r.Lower)/2
}

// standardize centers and scales the covariates and checks that each has an estimate.
func (m *parametric) standardize() error {
	n := len(m.rows)
	m.x, m.mean, m.scale = make([]float64, n*m.p), make([]float64, m.p), make([]float64, m.p)
	for j := range m.p {
		column := m.design.columns[j]
		for i, k := range m.index {
			m.mean[j] += m.rows[i].Weight * column[k] / m.customers
		}
		for i, k := range m.index {
			dx := column[k] - m.mean[j]
			m.scale[j] += m.rows[i].Weight * dx * dx / m.customers
		}
		m.scale[j] = math.Sqrt(m.scale[j])
		if !(m.scale[j] > 1e-12*math.Abs(m.mean[j])) || math.IsInf(m.scale[j], 1) {
			return &CovariateError{Covariate: m.design.Columns()[j],
				Err: fmt.Errorf("%w: it has the value %v in every row", ErrCollinear, table.Number(m.mean[j]))}
		}
		for i, k := range m.index {
			m.x[i*m.p+j] = (column[k] - m.mean[j]) / m.scale[j]
		}
		if err := m.separated(j); err != nil {
			return err
		}
	}
	return m.collinear()
}

// separated returns an error if a column has two values and nobody with one of them left.
func (m *parametric) separated(j int) error {
	column := m.design.columns[j]
	values, events := []float64{column[0]}, []bool{false}
	for i, row := range m.index {
		v := column[row]
		k := slices.Index(values, v)
		if k < 0 {
			if len(values) == 2 {
				return nil
			}
			k, values, events = len(values), append(values, v), append(events, false)
		}
		events[k] = events[k] || !math.IsInf(m.rows[i].Upper, 1)
	}
	for k, e := range events {
		if !e {
			return &CovariateError{Covariate: m.design.Columns()[j],
				Err: fmt.Errorf("%w: nobody with the value %v left; leave it out or merge levels", ErrSeparation, values[k])}
		}
	}
	return nil
}

// collinear returns an error that names a covariate that is a combination of those before it.
func (m *parametric) collinear() error {
	gram := linalg.NewMatrix(m.p)
	for i := range m.rows {
		row := m.x[i*m.p : (i+1)*m.p]
		for j, xj := range row {
			for k, xk := range row[:j+1] {
				gram[j][k] += m.rows[i].Weight * xj * xk
			}
		}
	}
	mirror(gram)
	_, bad := linalg.Cholesky(gram, pivotLeast)
	if bad < 0 {
		return nil
	}
	e := &CovariateError{Covariate: m.design.Columns()[bad],
		Err: fmt.Errorf("%w: it is a linear combination of them; leave one out", ErrCollinear)}
	before := make([]int, bad)
	for j := range before {
		before[j] = j
	}
	if l, b := linalg.Cholesky(linalg.Within(gram, before), pivotLeast); b < 0 {
		for j, w := range linalg.Solve(l, linalg.Pick(gram[bad], before)) {
			if math.Abs(w) > 1e-6 {
				e.With = append(e.With, m.design.Columns()[j])
			}
		}
	}
	return e
}

func (m *parametric) fit(ctx context.Context, o *fit.Options) (*fit.Estimate[Regression], error) {
	shapes, starts := m.family.shapes()
	problem := mle.Problem{Rows: len(m.rows), Weight: m.customers, Sum: m.sum, Second: true}
	add := func(name string, scale fit.Scale) {
		problem.Params = append(problem.Params, mle.Param{Name: name, Scale: scale})
	}
	add("Intercept", fit.Identity)
	for _, name := range m.design.Columns() {
		add(name, fit.Identity)
	}
	for _, s := range shapes {
		add(s.Name, s.Scale)
	}
	start := make([]float64, 1+m.p)
	start[0] = m.start()
	problem.Starts = [][]float64{append(start, starts...)}
	if m.family == GeneralizedGammaFamily {
		for _, q := range []float64{-0.5, 1.5} {
			problem.Starts = append(problem.Starts, append(slices.Clone(start), 1, q))
		}
	}
	options, err := m.options(o, len(problem.Params))
	if err != nil {
		return nil, err
	}
	r, err := mle.Maximize(ctx, problem, options)
	if len(r.Theta) == 0 {
		return nil, m.explain(err)
	}
	e := mle.Estimate(r, problem.Params, Regression{})
	m.unscale(e)
	if err != nil {
		return e, m.explain(err)
	}
	return e, nil
}

// explain adds the package's name to an error of the search, and the row to one of a row.
func (m *parametric) explain(err error) error {
	var bad *mle.BadRow
	if errors.As(err, &bad) {
		return rowError(m.index[bad.Row], "", "", fmt.Errorf("its log-likelihood is %v at the start", bad.Value))
	}
	return fmt.Errorf("survival: %v: %w", m.family, err)
}

// start returns the linear predictor of a constant hazard.
func (m *parametric) start() float64 {
	time, events := 0.0, 0.0
	for i := range m.rows {
		r := &m.rows[i]
		time += r.Weight * (r.middle() - r.Entry)
		if !math.IsInf(r.Upper, 1) {
			events += r.Weight
		}
	}
	mean := math.Log(time / events)
	if m.family == GompertzFamily {
		return -mean
	}
	return mean
}

// options puts a start of the caller on the scale of the search.
func (m *parametric) options(o *fit.Options, params int) (*fit.Options, error) {
	if o == nil || o.Start == nil {
		return o, nil
	}
	if len(o.Start) != params {
		return nil, fmt.Errorf("survival: option Start: %d values for %d parameters", len(o.Start), params)
	}
	scaled := *o
	scaled.Start = slices.Clone(o.Start)
	for j := range m.p {
		scaled.Start[0] += o.Start[1+j] * m.mean[j]
		scaled.Start[1+j] *= m.scale[j]
	}
	if m.family == GompertzFamily {
		scaled.Start[0] += math.Log(m.unit)
		scaled.Start[params-1] *= m.unit
	} else {
		scaled.Start[0] -= math.Log(m.unit)
	}
	return &scaled, nil
}

// sum adds the log-likelihood of some rows with its derivatives.
func (m *parametric) sum(theta []float64, lo, hi int, d *mle.Derivs) {
	k := 1 + m.p
	shapes := theta[k:]
	for i := lo; i < hi; i++ {
		r := &m.rows[i]
		x := m.x[i*m.p : (i+1)*m.p]
		l := r.likelihood(m.family, theta[0]+linalg.Dot(theta[1:k], x), shapes)
		w := r.Weight
		d.Value += w * l.v
		d.Grad[0] += w * l.g[0]
		for j, xj := range x {
			d.Grad[1+j] += w * l.g[0] * xj
		}
		for s := range shapes {
			d.Grad[k+s] += w * l.g[1+s]
		}
		if d.Hess != nil {
			m.second(x, &l, w, len(shapes), d)
		}
	}
}

func (m *parametric) second(x []float64, l *local, w float64, shapes int, d *mle.Derivs) {
	k := 1 + m.p
	h := w * l.h[0][0]
	d.AddHess(0, 0, h)
	for j, xj := range x {
		d.AddHess(0, 1+j, h*xj)
		for i, xi := range x[:j+1] {
			d.AddHess(1+i, 1+j, h*xi*xj)
		}
	}
	for s := range shapes {
		hs := w * l.h[0][1+s]
		d.AddHess(0, k+s, hs)
		for j, xj := range x {
			d.AddHess(1+j, k+s, hs*xj)
		}
		for t := s; t < shapes; t++ {
			d.AddHess(k+s, k+t, w*l.h[1+s][1+t])
		}
	}
}

// unscale puts the estimate on the scale of the times and the covariates: a linear map of the parameters.
func (m *parametric) unscale(e *fit.Estimate[Regression]) {
	n := len(e.Params)
	to := linalg.NewMatrix(n)
	for i := range to {
		to[i][i] = 1
	}
	for j := range m.p {
		to[1+j][1+j] = 1 / m.scale[j]
		to[0][1+j] = -m.mean[j] / m.scale[j]
	}
	shift := math.Log(m.unit)
	if m.family == GompertzFamily {
		to[n-1][n-1] = 1 / m.unit
		shift = -shift
	}
	theta := make([]float64, n)
	for i := range e.Params {
		theta[i] = e.Params[i].Value
	}
	for i := range e.Params {
		e.Params[i].Value = linalg.Dot(to[i], theta)
	}
	e.Params[0].Value += shift
	e.Cov = transform(to, e.Cov)
	for i := range e.Params {
		e.Params[i].StdErr = math.NaN()
		if e.Cov != nil {
			e.Params[i].StdErr = math.Sqrt(e.Cov[i][i])
		}
	}
	e.LogLik -= m.exact * math.Log(m.unit)
	e.Customers = int(math.Round(m.customers))
	e.Model = m.model(e.Params)
}

// transform returns a cov a', nil for a nil covariance.
func transform(a, cov [][]float64) [][]float64 {
	if cov == nil {
		return nil
	}
	n := len(a)
	out := linalg.NewMatrix(n)
	half := make([]float64, len(cov))
	for i := range n {
		for k := range half {
			half[k] = linalg.Dot(a[i], cov[k])
		}
		for j := range i + 1 {
			out[i][j] = linalg.Dot(half, a[j])
		}
	}
	mirror(out)
	return out
}

// model returns the regression of the parameters.
func (m *parametric) model(params []fit.Param) Regression {
	r := Regression{Family: m.family, Terms: m.design.Terms(), Intercept: params[0].Value, Coef: make([]float64, m.p), Scale: 1}
	for j := range r.Coef {
		r.Coef[j] = params[1+j].Value
	}
	shapes := params[1+m.p:]
	switch m.family {
	case ExponentialFamily:
	case GompertzFamily:
		r.Scale, r.Shape = 0, shapes[0].Value
	case GeneralizedGammaFamily:
		r.Scale, r.Shape = shapes[0].Value, shapes[1].Value
	default:
		r.Scale = shapes[0].Value
	}
	return r
}
