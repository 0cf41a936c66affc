package risk

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/stat"
)

// Logistic is the logistic regression of who leaves on what is known of the customers:
//
//	P(leaves | x) = 1 / (1 + exp(-(Intercept + Coef'x)))
//
// It is immutable; [FitLogistic] makes it, and so does a literal. A coefficient is the logarithm of an odds ratio: one
// more unit of x multiplies the odds of leaving by exp(coefficient), whatever the other covariates are.
//
// Source: D. R. Cox, The regression analysis of binary sequences, Journal of the Royal Statistical Society B 20 (1958).
type Logistic struct {
	Terms     Terms     `json:"terms"`
	Intercept float64   `json:"intercept"`
	Coef      []float64 `json:"coef"` // in the order of Terms.Columns()
}

// Kind returns "logistic".
func (Logistic) Kind() string { return "logistic" }

// Validate returns an error unless the numbers are finite and as many as the terms need.
func (m Logistic) Validate() error { return validateCoef(m.Kind(), m.Terms, m.Coef, m.Intercept) }

func validateCoef(kind string, terms Terms, coef []float64, others ...float64) error {
	if want := len(terms.Columns()); len(coef) != want {
		return fmt.Errorf("risk: %s: %d coefficients for %d columns", kind, len(coef), want)
	}
	for _, x := range append(others, coef...) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("risk: %s: a coefficient is %v", kind, x)
		}
	}
	seen := map[string]bool{}
	for _, t := range terms {
		if t.Name == "" || seen[t.Name] {
			return fmt.Errorf("risk: %s: a covariate without a name of its own", kind)
		}
		seen[t.Name] = true
	}
	return nil
}

// MarshalJSON writes the model under the schema "custval/model/logistic/v1".
func (m Logistic) MarshalJSON() ([]byte, error) {
	type plain Logistic
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Logistic) UnmarshalJSON(text []byte) error {
	type plain Logistic
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Logistic(p).Validate(); err != nil {
		return err
	}
	*m = Logistic(p)
	return nil
}

// LinearPredictor returns the log-odds Intercept + Coef'x of a row of covariates coded as [Terms.Row] and [Design.Row]
// do. It is NaN for a row of another length.
func (m Logistic) LinearPredictor(row []float64) float64 {
	if len(row) != len(m.Coef) {
		return math.NaN()
	}
	return m.Intercept + linalg.Dot(m.Coef, row)
}

// Probability returns P(leaves) of a row of covariates coded as [Terms.Row] and [Design.Row] do. It is NaN for a row of
// another length.
func (m Logistic) Probability(row []float64) float64 { return sigmoid(m.LinearPredictor(row)) }

// Predict returns P(leaves) of a customer with the given profile. It returns an error for a profile that does not fit the
// model.
func (m Logistic) Predict(p Profile) (float64, error) {
	row, err := m.Terms.Row(p)
	if err != nil {
		return 0, err
	}
	return m.Probability(row), nil
}

// Probabilities returns P(leaves) of every customer of a design. The design must have the covariates of the model, by
// name; levels of its own order or fewer levels than the model knows are fine. It returns an error for a covariate that
// is missing or of another type and for a level that the model does not know.
func (m Logistic) Probabilities(d *Design) ([]float64, error) {
	eta, err := m.Terms.predictor(d, m.Coef, m.Intercept)
	if err != nil {
		return nil, err
	}
	for i, x := range eta {
		eta[i] = sigmoid(x)
	}
	return eta, nil
}

func sigmoid(eta float64) float64 {
	if eta >= 0 {
		return 1 / (1 + math.Exp(-eta))
	}
	z := math.Exp(eta)
	return z / (1 + z)
}

func logit(p float64) float64 { return math.Log(p) - math.Log1p(-p) }

// LogisticOptions control a logistic regression. The zero value, and a nil pointer, are the defaults.
type LogisticOptions struct {
	// Weights count customers, one a row: a row of weight 3 is three rows. Nil means 1 each.
	Weights []float64
	// Ridge shrinks the coefficients, not the intercept: it subtracts Ridge/2 times the sum of (coefficient times standard
	// deviation of its column)² from the log-likelihood (L2 regularization). 0 means no penalty. Standard errors are then
	// those of the penalized information and tell nothing of the bias.
	Ridge float64
	// RidgeUnscaled leaves the standard deviation out of the penalty.
	RidgeUnscaled bool
	// Robust asks for the sandwich covariance (Huber, 1967; White, 1980), which holds where the model does not.
	Robust bool
	// Cluster asks for the sandwich covariance in which the rows of one cluster, such as the months of one customer, may
	// depend on each other; row counts from 0. Nil means that rows are independent. No small-sample factor is applied.
	Cluster func(row int) string
	MaxIter int // most iterations; 0 means 50
	Workers int // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

func (o *LogisticOptions) resolve(rows int) (LogisticOptions, error) {
	var r LogisticOptions
	if o != nil {
		r = *o
	}
	if err := checkSearch(r.Ridge, &r.MaxIter, r.Workers); err != nil {
		return r, err
	}
	return r, checkWeights(r.Weights, rows)
}

// checkSearch checks the options that the regressions share.
func checkSearch(ridge float64, maxIter *int, workers int) error {
	switch {
	case !(ridge >= 0) || math.IsInf(ridge, 1):
		return fmt.Errorf("risk: option Ridge: %v is not a number from 0", ridge)
	case *maxIter < 0:
		return fmt.Errorf("risk: option MaxIter: %d is negative", *maxIter)
	case workers < 0:
		return fmt.Errorf("risk: option Workers: %d is negative", workers)
	case *maxIter == 0:
		*maxIter = 50
	}
	return nil
}

func checkWeights(weights []float64, rows int) error {
	if weights == nil {
		return nil
	}
	if len(weights) != rows {
		return fmt.Errorf("risk: %d weights for %d customers", len(weights), rows)
	}
	for i, w := range weights {
		if !(w > 0) || math.IsInf(w, 1) {
			return rowError(i, "weight", formatFloat(w), errWeight)
		}
	}
	return nil
}

// A LogisticFit is a fitted logistic regression.
type LogisticFit struct {
	Estimate        fit.Estimate[Logistic] `json:"estimate"`         // LogLik does not count the penalty of a ridge
	Left            float64                `json:"left"`             // weight of the customers who left
	NullLogLik      float64                `json:"null_log_lik"`     // of the model without covariates
	LikelihoodRatio fit.LikelihoodRatio    `json:"likelihood_ratio"` // test that no covariate matters; 0 with 0 degrees without any
	ModelCov        [][]float64            `json:"model_cov"`        // covariance of the model where Estimate.Cov is the robust one; else nil
}

// FitLogistic fits the regression of who left, one bool a customer, on a design, by maximum likelihood; a nil design has an
// intercept alone. The parameters of the estimate are Intercept and one for each column of the design. Newton's method
// starts at 0, and every sum is taken in a fixed order, so that neither the order of the rows nor the number of workers
// changes a bit.
//
// FitLogistic returns an error if the design or the weights have another number of rows, if nobody or everybody left, a
// [ledger.RowError] for a weight that is not above 0, and a [CovariateError] that names a covariate that is constant or a
// combination of others, or that separates those who left from those who stayed (alone or with others), so that its
// coefficient would be infinite: a level nobody of which left, a number that is higher for all who left. A Ridge gives all
// of these estimates, except a column that is constant. An error that wraps [fit.ErrNotConverged] comes without estimate.
//
// Separation: Albert and Anderson, Biometrika 71 (1984).
func FitLogistic(ctx context.Context, left []bool, d *Design, o *LogisticOptions) (*LogisticFit, error) {
	opt, err := o.resolve(len(left))
	if err != nil {
		return nil, err
	}
	if err := d.check(len(left)); err != nil {
		return nil, err
	}
	y := make([]float64, len(left))
	for i, l := range left {
		y[i] = float64(b2i(l))
	}
	b, err := newBinomial(ctx, y, opt.Weights, d)
	if err != nil {
		return nil, err
	}
	if b.left == 0 || b.stayed == 0 {
		return nil, fmt.Errorf("risk: logistic regression: %w", oneOutcome(b.left == 0))
	}
	if opt.Ridge == 0 {
		if err := b.separated(d); err != nil {
			return nil, err
		}
	}
	n := &newton{lik: b, names: append([]string{"Intercept"}, d.Columns()...), free: 1, least: b.least, mean: (b.left + b.stayed) / float64(len(left)),
		maxIter: opt.MaxIter, workers: opt.Workers, penalty: ridge(opt.Ridge, opt.RidgeUnscaled, 1, b.scale)}
	start := make([]float64, 1+b.p)
	start[0] = logit(b.left / (b.left + b.stayed))
	if err := n.run(ctx, start); err != nil {
		return nil, err
	}
	return b.result(ctx, n, d, &opt, left)
}

func oneOutcome(nobody bool) error {
	if nobody {
		return errors.New("nobody left")
	}
	return errors.New("everybody left")
}

// ridge returns the penalty of standardized coefficients that come after some free ones.
func ridge(weight float64, unscaled bool, free int, scale []float64) []float64 {
	if weight == 0 {
		return nil
	}
	penalty := make([]float64, free+len(scale))
	for j, s := range scale {
		penalty[free+j] = weight
		if unscaled {
			penalty[free+j] /= s * s
		}
	}
	return penalty
}

// result puts the fit on the scale of the covariates.
func (b *binomial) result(ctx context.Context, n *newton, d *Design, o *LogisticOptions, left []bool) (*LogisticFit, error) {
	cov := linalg.Inverse(n.factor)
	f := &LogisticFit{Left: b.left, NullLogLik: xlogy(b.left, b.left/(b.left+b.stayed)) + xlogy(b.stayed, b.stayed/(b.left+b.stayed))}
	e := &f.Estimate
	if o.Robust || o.Cluster != nil {
		f.ModelCov = unscale(cov, 1, b.mean, b.scale)
		meat, err := b.meat(ctx, n.b, d, o, left)
		if err != nil {
			return nil, err
		}
		cov = sandwich(cov, meat)
	}
	e.Cov = unscale(cov, 1, b.mean, b.scale)
	base, coef := unscaleCoef(n.b, 1, b.mean, b.scale)
	e.Model = Logistic{Terms: d.Terms(), Intercept: base[0], Coef: coef}
	e.LogLik, e.Customers = n.sums.logLik, int(math.Round(b.left+b.stayed))
	e.Iter, e.Evaluations, e.Stop = n.iter, n.evals, fit.Converged
	e.Params = params(n.names, append(base, coef...), e.Cov)
	f.LikelihoodRatio = likelihoodRatio(f.NullLogLik, e.LogLik, b.p)
	return f, nil
}

func params(names []string, values []float64, cov [][]float64) []fit.Param {
	var ps []fit.Param
	for j, name := range names {
		ps = append(ps, fit.Param{Name: name, Value: values[j], StdErr: math.Sqrt(cov[j][j]), Scale: fit.Identity})
	}
	return ps
}

func xlogy(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(y)
}

// Interval returns P(leaves) of a row of covariates with a Wald interval of the given level, symmetric on the scale of the
// log-odds. It says how well the probability of such customers is known, not what one of them will do. It returns an error
// for a level outside (0, 1) and for a row of another length.
func (f *LogisticFit) Interval(row []float64, level float64) (probability, lower, upper float64, err error) {
	m := f.Estimate.Model
	z := stat.TwoSided(level)
	if math.IsNaN(z) {
		return 0, 0, 0, fmt.Errorf("risk: level %v is not between 0 and 1", level)
	}
	if len(row) != len(m.Coef) {
		return 0, 0, 0, fmt.Errorf("risk: a row of %d numbers for %d coefficients", len(row), len(m.Coef))
	}
	if f.Estimate.Cov == nil {
		return 0, 0, 0, fmt.Errorf("risk: interval: %w", fit.ErrNoCovariance)
	}
	eta := m.LinearPredictor(row)
	if math.IsNaN(eta) || math.IsInf(eta, 0) {
		return 0, 0, 0, fmt.Errorf("risk: interval: the row has the log-odds %v", eta)
	}
	se := math.Sqrt(linalg.Form(f.Estimate.Cov, append([]float64{1}, row...)))
	return sigmoid(eta), sigmoid(eta - z*se), sigmoid(eta + z*se), nil
}

// String returns the table of the estimate.
func (f *LogisticFit) String() string { return f.Estimate.String() }
