package survival

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/internal/radix"
	"github.com/custval/custval/ledger"
)

// CoxResiduals are what a Cox regression leaves unexplained, by row of the tenures and by event. Sums over the rows of one
// customer are residuals of the customer.
type CoxResiduals struct {
	// Martingale is 1 if the row ended, else 0, less the events that the model expected of it. Weighted by the tenures'
	// weights it adds up to 0.
	Martingale []float64 `json:"martingale"`
	// Deviance is the martingale residual made symmetric: sign(M) sqrt(-2 (M + d ln(d - M))), d being 1 if the row ended.
	Deviance []float64 `json:"deviance"`
	// Score is the contribution of each row to the slope of the likelihood, a number per coefficient, weights not counted;
	// nil with exact ties, as are the next three.
	Score [][]float64 `json:"score"`
	// DFBeta is about how much each row with its weight changes the coefficients: weight x Score x covariance.
	DFBeta [][]float64 `json:"df_beta"`
	// DFBetas is DFBeta in standard errors of the coefficients.
	DFBetas [][]float64 `json:"df_betas"`
	// Schoenfeld has the events by stratum and time; events of one time in the order of the rows.
	Schoenfeld []SchoenfeldResidual `json:"schoenfeld"`
}

// A SchoenfeldResidual compares one customer who left with those at risk at that time.
type SchoenfeldResidual struct {
	Row      int       `json:"row"` // of the tenures, from 0
	Time     float64   `json:"time"`
	Stratum  string    `json:"stratum"`
	Residual []float64 `json:"residual"` // covariates of the customer less their weighted mean over the risk set
	Scaled   []float64 `json:"scaled"`   // coefficient + events x covariance x Residual: the coefficient at that time, roughly
}

// Residuals returns the residuals of the fit on the tenures, design and options that it was made from. It returns their
// errors, and one if the design has other columns than the fit.
//
// Therneau, Grambsch and Fleming, Biometrika 77 (1990); Schoenfeld, Biometrika 69 (1982); Grambsch and Therneau, Biometrika
// 81 (1994).
func (f *CoxFit) Residuals(ctx context.Context, tenures []ledger.Tenure, d *Design, o *CoxOptions) (*CoxResiduals, error) {
	c, s, h, err := f.again(ctx, tenures, d, o)
	if err != nil {
		return nil, err
	}
	n := len(tenures)
	r := &CoxResiduals{Martingale: make([]float64, n), Deviance: make([]float64, n)}
	for i, row := range c.rows {
		r.Martingale[row] = -s.expected(c, i)
	}
	for i := range tenures {
		m, event := r.Martingale[i], 0.0
		if tenures[i].Ended {
			event = 1
			m++
			r.Martingale[i] = m
		}
		size := m
		if event == 1 {
			size += math.Log(1 - m)
		}
		r.Deviance[i] = math.Copysign(math.Sqrt(math.Max(0, -2*size)), m)
	}
	if f.Estimate.Model.Ties != Exact {
		f.scores(c, s, h, n, r)
		f.schoenfeld(c, h, r)
	}
	return r, ctx.Err()
}

// naive returns the covariance of the model, robust or not.
func (f *CoxFit) naive() [][]float64 {
	if f.NaiveCov != nil {
		return f.NaiveCov
	}
	return f.Estimate.Cov
}

func (f *CoxFit) scores(c *coxData, s *coxSums, h *coxPath, n int, r *CoxResiduals) {
	cov := f.naive()
	r.Score, r.DFBeta, r.DFBetas = newRows(n, c.p), newRows(n, c.p), newRows(n, c.p)
	for i, row := range c.rows {
		u := r.Score[row]
		c.score(s, h, i, u)
		for j := range u {
			u[j] *= c.scale[j]
		}
		for j := range u {
			r.DFBeta[row][j] = c.weight[i] * linalg.Dot(cov[j], u)
			r.DFBetas[row][j] = r.DFBeta[row][j] / math.Sqrt(cov[j][j])
		}
	}
}

func newRows(n, p int) [][]float64 {
	cells := make([]float64, n*p)
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = cells[i*p : (i+1)*p : (i+1)*p]
	}
	return rows
}

func (f *CoxFit) schoenfeld(c *coxData, h *coxPath, r *CoxResiduals) {
	cov, events := f.naive(), 0
	for _, dead := range c.dead {
		events += b2i(dead)
	}
	for k, sp := range c.strata {
		for e := sp.lo; e < sp.hi; e++ {
			for _, i := range c.byRow(c.first[e], c.start[e+1]) {
				q := SchoenfeldResidual{Row: int(c.rows[i]), Time: c.time[e], Stratum: c.names[k],
					Residual: make([]float64, c.p), Scaled: make([]float64, c.p)}
				for j, x := range c.row(i) {
					q.Residual[j] = (x - h.mean[int(e)*c.p+j]) * c.scale[j]
				}
				for j := range q.Scaled {
					q.Scaled[j] = f.Estimate.Model.Coef[j] + float64(events)*linalg.Dot(cov[j], q.Residual)
				}
				r.Schoenfeld = append(r.Schoenfeld, q)
			}
		}
	}
}

// byRow returns the ordered rows lo to hi-1 in the order of the input.
func (c *coxData) byRow(lo, hi int32) []int32 {
	rows := make([]radix.Keyed, 0, hi-lo)
	for i := lo; i < hi; i++ {
		rows = append(rows, radix.Keyed{Key: uint64(c.rows[i]), Row: i})
	}
	out := make([]int32, 0, hi-lo)
	for _, k := range radix.Sort(rows) {
		out = append(out, k.Row)
	}
	return out
}

// again orders the data of a fit once more and evaluates the likelihood at its coefficients.
func (f *CoxFit) again(ctx context.Context, tenures []ledger.Tenure, d *Design, o *CoxOptions) (*coxData, *coxSums, *coxPath, error) {
	opt, c, err := prepareCox(tenures, d, o)
	if err != nil {
		return nil, nil, nil, err
	}
	m := f.Estimate.Model
	if !slices.Equal(m.Terms.Columns(), d.Columns()) || m.Ties != opt.Ties {
		return nil, nil, nil, errors.New("survival: cox: the design or the ties are not those of the fit")
	}
	b := make([]float64, c.p)
	for j := range b {
		b[j] = m.Coef[j] * c.scale[j]
	}
	s, err := c.evaluate(ctx, opt.Ties, b)
	if err != nil {
		return nil, nil, nil, err
	}
	return c, s, c.newPath(s, opt.Ties), nil
}
