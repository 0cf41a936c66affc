package survival

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// Ties says how the partial likelihood treats customers who leave at the same time.
type Ties uint8

// The treatments of ties. Without ties they agree.
const (
	Efron   Ties = iota // averages over the orders in which they may have left; close to exact and as fast as Breslow
	Breslow             // as if each had left with all the others still there; biased to 0 with many ties
	Exact               // time is discrete: conditional logistic likelihood; slow with many ties, no weights
)

var tiesNames = []string{"efron", "breslow", "exact"}

// String returns "efron", "breslow" or "exact".
func (t Ties) String() string { return table.Name(tiesNames, int(t)) }

// MarshalText writes the name.
func (t Ties) MarshalText() ([]byte, error) {
	return table.MarshalName("survival: no treatment of ties", tiesNames, int(t))
}

// UnmarshalText reads a name.
func (t *Ties) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("survival: no treatment of ties", tiesNames, text)
	*t = Ties(i)
	return err
}

var (
	// ErrSeparation means that a covariate orders the customers so well that the likelihood has no maximum: its
	// coefficient would be infinite.
	ErrSeparation = errors.New("separation: the likelihood rises without end as the coefficient grows")
	// ErrCollinear means that a covariate says nothing that the others do not say.
	ErrCollinear = errors.New("collinear")
)

// A CovariateError says which covariate has no estimate and why.
type CovariateError struct {
	Covariate string   // the name of the coefficient
	With      []string // other coefficients that are part of the cause
	Err       error    // wraps ErrSeparation or ErrCollinear
}

// Error returns covariate and reason.
func (e *CovariateError) Error() string {
	if len(e.With) == 0 {
		return fmt.Sprintf("survival: covariate %q: %v", e.Covariate, e.Err)
	}
	quoted := make([]string, len(e.With))
	for i, name := range e.With {
		quoted[i] = strconv.Quote(name)
	}
	return fmt.Sprintf("survival: covariate %q with %s: %v", e.Covariate, strings.Join(quoted, ", "), e.Err)
}

// Unwrap returns the reason.
func (e *CovariateError) Unwrap() error { return e.Err }

// CoxOptions control a Cox regression. The zero value, and a nil pointer, are the defaults. Functions that use a fit and
// the data again take the same options.
type CoxOptions struct {
	Ties   Ties // zero is Efron
	Strata By   // a baseline hazard of its own for each stratum; nil means one for all
	// Cluster asks for the robust (sandwich) covariance of Lin and Wei (1989), in which the rows of one cluster, such as
	// those of one Customer, may depend on each other; nil means the covariance of the model.
	Cluster By
	// Ridge shrinks the coefficients: it subtracts Ridge/2 times the sum of (coefficient times standard deviation of its
	// column)² from the log-likelihood. 0 means no penalty.
	Ridge float64
	// RidgeUnscaled leaves the standard deviation out of the penalty.
	RidgeUnscaled bool
	// Intervals declares that the rows of one customer are successive intervals (Entry, Duration] with covariates that
	// change between them. It is verified: a name for every customer, no overlap, and no end before the last interval.
	Intervals bool
	MaxIter   int // 0 means 50
}

func (o *CoxOptions) resolve() (CoxOptions, error) {
	if o == nil {
		return CoxOptions{MaxIter: 50}, nil
	}
	r := *o
	if r.MaxIter == 0 {
		r.MaxIter = 50
	}
	switch {
	case int(r.Ties) >= len(tiesNames):
		return r, fmt.Errorf("survival: option Ties: no treatment of ties %d", r.Ties)
	case !(r.Ridge >= 0) || math.IsInf(r.Ridge, 1):
		return r, fmt.Errorf("survival: option Ridge: %v is not a number from 0", r.Ridge)
	case r.MaxIter < 0:
		return r, fmt.Errorf("survival: option MaxIter: %d is negative", r.MaxIter)
	case r.Ties == Exact && r.Cluster != nil:
		return r, errors.New("survival: option Cluster: exact ties have no robust covariance; use Efron or Breslow")
	}
	return r, nil
}

// A ChiSquare is a test statistic with its degrees of freedom.
type ChiSquare struct {
	Statistic float64 `json:"statistic"`
	DF        int     `json:"df"`
	P         float64 `json:"p"` // P(chi-squared with DF degrees > Statistic)
}

func newChiSquare(statistic float64, df int) ChiSquare {
	return ChiSquare{statistic, df, chiSquaredP(statistic, df)}
}

// A CoxFit is a fitted Cox regression with its tests that no covariate matters.
type CoxFit struct {
	Estimate        fit.Estimate[Cox] `json:"estimate"`         // LogLik is the partial log-likelihood, the penalty of a ridge not counted
	NullLogLik      float64           `json:"null_log_lik"`     // with all coefficients 0
	Events          float64           `json:"events"`           // sum of the weights of the rows that ended
	LikelihoodRatio ChiSquare         `json:"likelihood_ratio"` // 2 (LogLik - NullLogLik)
	Wald            ChiSquare         `json:"wald"`             // coefficients' inverse of their covariance
	Score           ChiSquare         `json:"score"`            // slope of the likelihood at 0; the log-rank test for one grouping
	RobustScore     *ChiSquare        `json:"robust_score"`     // the same with the variance of clusters; nil without Cluster
	NaiveCov        [][]float64       `json:"naive_cov"`        // covariance of the model where Estimate.Cov is the robust one; else nil
}

// FitCox fits the proportional-hazards regression of Cox: the hazard of a customer with covariates x is
//
//	h(t | x) = h0(t) exp(b'x)
//
// with a baseline hazard h0 that may have any shape, one for each stratum. It maximizes the partial likelihood by Newton's
// method from 0. Entries after 0 leave a customer out of the earlier risk sets; covariates that change with time come as
// several rows of one customer, see CoxOptions.Intervals. A weight multiplies what its row contributes, which for
// Breslow's ties is the same as repeating the row; with Efron's a row of weight w is one customer of weight w who leaves,
// not w tied ones.
//
// FitCox returns the errors of [KaplanMeier] for the tenures, an error if the design has another number of rows or no
// columns, one that wraps [ErrNoEvents] if nobody left, and a [CovariateError] that names a covariate that is constant or
// a combination of others, or that predicts who leaves perfectly, so that its coefficient would be infinite. With a Ridge
// those two have estimates. Exact ties refuse weights. An error that wraps [fit.ErrNotConverged] comes with the best estimate so
// far.
//
// Cox, Journal of the Royal Statistical Society B 34 (1972); Efron, Journal of the American Statistical Association 72
// (1977).
func FitCox(ctx context.Context, tenures []ledger.Tenure, d *Design, o *CoxOptions) (*CoxFit, error) {
	opt, c, err := prepareCox(tenures, d, o)
	if err != nil {
		return nil, err
	}
	if c.p == 0 {
		return nil, errors.New("survival: cox: the design has no covariates")
	}
	n := &coxNewton{data: c, ties: opt.Ties, penalty: c.penalty(d, &opt), maxIter: opt.MaxIter}
	if err := n.run(ctx); err != nil {
		return n.soFar(tenures, d, &opt), err
	}
	return n.result(tenures, d, &opt), nil
}

// prepareCox checks options, tenures and design and orders the rows.
func prepareCox(tenures []ledger.Tenure, d *Design, o *CoxOptions) (CoxOptions, *coxData, error) {
	opt, err := o.resolve()
	if err != nil {
		return opt, nil, err
	}
	s, err := newSample(tenures)
	if err != nil {
		return opt, nil, err
	}
	if err := d.check(len(tenures)); err != nil {
		return opt, nil, err
	}
	if opt.Ties == Exact && s.weight != nil {
		i := slices.IndexFunc(s.weight, func(w float64) bool { return w != 1 })
		return opt, nil, rowError(i, "Weight", formatFloat(s.weight[i]), errors.New("exact ties know no weights; use Efron or Breslow"))
	}
	if opt.Intervals {
		if err := checkIntervals(tenures); err != nil {
			return opt, nil, err
		}
	}
	c, err := newCoxData(tenures, s, d, opt.Strata)
	return opt, c, err
}

// checkIntervals returns a RowError unless the rows of every customer are successive intervals.
func checkIntervals(tenures []ledger.Tenure) error {
	byCustomer := make(map[string][]int)
	for i := range tenures {
		if tenures[i].Customer == "" {
			return rowError(i, "Customer", "", errors.New("intervals need the name of the customer"))
		}
		byCustomer[tenures[i].Customer] = append(byCustomer[tenures[i].Customer], i)
	}
	for i := range tenures { // in the order of the rows, not of the map
		rows := byCustomer[tenures[i].Customer]
		if rows[0] != i || len(rows) == 1 {
			continue
		}
		slices.SortStableFunc(rows, func(a, b int) int {
			if tenures[a].Duration != tenures[b].Duration {
				return compareFloat(tenures[a].Duration, tenures[b].Duration)
			}
			return 0
		})
		for k := 1; k < len(rows); k++ {
			before, after := &tenures[rows[k-1]], &tenures[rows[k]]
			if after.Entry < before.Duration {
				return rowError(rows[k], "Entry", formatFloat(after.Entry),
					fmt.Errorf("overlaps row %d of the same customer", rows[k-1]+1))
			}
			if before.Ended {
				return rowError(rows[k-1], "Ended", "true", fmt.Errorf("row %d of the same customer goes on later", rows[k]+1))
			}
		}
	}
	return nil
}

// penalty returns the weights of the squares of the standardized coefficients, nil without a ridge.
func (c *coxData) penalty(d *Design, o *CoxOptions) []float64 {
	if o.Ridge == 0 {
		return nil
	}
	weights := make([]float64, c.p)
	for j := range weights {
		weights[j] = o.Ridge / (c.scale[j] * c.scale[j])
		if !o.RidgeUnscaled {
			weights[j] *= variance(d.columns[j])
		}
	}
	return weights
}

// variance returns the sample variance, the same for any order of the values.
func variance(values []float64) float64 {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	mean, sum := 0.0, 0.0
	for _, v := range sorted {
		mean += v / float64(len(sorted))
	}
	for _, v := range sorted {
		sum += (v - mean) * (v - mean)
	}
	return sum / float64(len(sorted)-1)
}
