package clv

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
)

// An Estimable is a model whose likelihood of data of type D can be maximized under conditions, which ProfileIntervals,
// FitMAP and FitPenalized do. For *Histories they are NBD, ParetoNBD, CorrelatedParetoNBD for its Span, GGompertzNBD,
// BGNBD, MBGNBD, BGCNBD and MBGCNBD for their K, PDO for its Period, GammaGamma and NormalNormal; for []DiscreteHistory
// it is BGBB.
type Estimable[D any] interface {
	Validate() error
	Kind() string
	// evidence prepares the likelihood of the data.
	evidence(ctx context.Context, data D) (*evidence, error)
}

// An evidence is the likelihood of some data, without a start.
type evidence struct {
	problem  mle.Problem
	vague    []Density     // the weakly informative prior of each parameter
	unit     time.Duration // of the estimates' time; 0 for models without one
	warnings []string      // what was left out

	// The search may run in other units than the model's: a parameter is shift + factor times what the problem calls
	// it, and the log-likelihood is larger by offset. Nil slices are zeros and ones.
	shift, factor []float64
	offset        float64

	describe func(err error) error           // adds the place in the data to the error of a search; nil means none
	inside   func(theta []float64, held int) // moves a start of the search to where the likelihood exists, but for the parameter held; nil means it does everywhere
}

// place returns shift and factor of parameter j.
func (v *evidence) place(j int) (shift, factor float64) {
	if v.factor == nil {
		return 0, 1
	}
	return v.shift[j], v.factor[j]
}

// natural returns the model's parameters at a point of the search.
func (v *evidence) natural(theta []float64) []float64 {
	out := make([]float64, len(theta))
	for j := range theta {
		shift, factor := v.place(j)
		out[j] = shift + factor*theta[j]
	}
	return out
}

// searched returns the estimated parameters as the search calls them.
func (v *evidence) searched(params []fit.Param) []fit.Param {
	out := slices.Clone(params)
	for j := range out {
		shift, factor := v.place(j)
		out[j].Value, out[j].StdErr = (out[j].Value-shift)/factor, out[j].StdErr/factor
	}
	return out
}

// newEvidence is that of a model of purchases in continuous time.
func newEvidence(ctx context.Context, kind string, data *Histories, gaps bool, names []string, sum func(rows []row, theta []float64, d *mle.Derivs)) (*evidence, *sample, error) {
	s, err := compress(ctx, data, gaps)
	if err != nil {
		return nil, nil, err
	}
	if s.elapsed == 0 {
		return nil, nil, fmt.Errorf("clv: %w", errNoTime)
	}
	e := &evidence{unit: data.Unit, problem: mle.Problem{
		Rows: len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sum(s.rows[lo:hi], theta, d) },
	}, describe: func(err error) error { return fitError(kind, err, s, data) }}
	// Half a purchase more, so that the time between purchases is finite where nobody came again.
	gap, age := s.elapsed/(s.repeats+0.5), s.elapsed/s.weight
	for _, name := range names {
		e.problem.Params = append(e.problem.Params, mle.Param{Name: name})
		vague := LogNormal(1, 1.5)
		switch name {
		case "Alpha":
			vague = LogNormal(gap, 2)
		case "Beta":
			vague = LogNormal(age, 2)
		}
		e.vague = append(e.vague, vague)
	}
	return e, s, nil
}

func (m NBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	e, _, err := newEvidence(ctx, m.Kind(), data, false, []string{"R", "Alpha"}, sumNBD)
	return e, err
}

func (m ParetoNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	e, _, err := newEvidence(ctx, m.Kind(), data, false, []string{"R", "Alpha", "S", "Beta"}, sumParetoNBD)
	return e, err
}

func (m GGompertzNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	e, s, err := newEvidence(ctx, m.Kind(), data, false, []string{"R", "Alpha", "B", "S", "Beta"}, sumGGompertz)
	if err == nil {
		e.vague[2] = LogNormal(s.weight/s.elapsed, 2) // B is a rate of time
		e.vague[4] = LogNormal(1, 2)                  // and Beta has no unit
	}
	return e, err
}

func (m PDO) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	if err := positive("pdo", []param{{"Period", m.Period}}); err != nil {
		return nil, err
	}
	e, s, err := newEvidence(ctx, m.Kind(), data, false, []string{"R", "Alpha", "A", "B"}, func(rows []row, theta []float64, d *mle.Derivs) {
		sumPDO(rows, theta, m.Period, d)
	})
	if err != nil {
		return nil, err
	}
	longest := 0.0
	for i := range s.rows {
		longest = max(longest, s.rows[i].t)
	}
	if longest/m.Period > mostFitOpportunities {
		return nil, fmt.Errorf("clv: pdo: period %v: %.3g opportunities within the longest T: use ParetoNBD or a longer period",
			m.Period, longest/m.Period)
	}
	e.vague[3] = LogNormal(max(1, s.elapsed/s.weight/m.Period), 2) // B counts opportunities
	return e, nil
}

func (m BGNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	e, _, err := newEvidence(ctx, m.Kind(), data, false, []string{"R", "Alpha", "A", "B"}, sumBGNBD)
	return e, err
}

func (m MBGNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	return cnbd{1, 1}.evidence(ctx, m.Kind(), data)
}

func (m BGCNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	return cnbd{m.K, 0}.evidence(ctx, m.Kind(), data)
}

func (m MBGCNBD) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	return cnbd{m.K, 1}.evidence(ctx, m.Kind(), data)
}

func (c cnbd) evidence(ctx context.Context, kind string, data *Histories) (*evidence, error) {
	if c.k < 1 || c.k > maxK {
		return nil, fmt.Errorf("clv: %s: K = %d: %w", kind, c.k, errK)
	}
	e, _, err := newEvidence(ctx, kind, data, c.k > 1, []string{"R", "Alpha", "A", "B"}, c.sum)
	if err == nil && c.k > 1 {
		if err = checkGaps(data); err != nil {
			err = fmt.Errorf("clv: %s: %w", kind, err)
		}
		m := math.Log(e.vague[1].median()) - math.Log(float64(c.k))
		e.vague[1] = LogNormal(math.Exp(m), 2)
	}
	return e, err
}

func (GammaGamma) evidence(ctx context.Context, data *Histories) (*evidence, error) {
	s, err := newSpendSample(ctx, data, 0)
	if err != nil {
		return nil, err
	}
	if len(s.rows) == 0 {
		return nil, fmt.Errorf("clv: gammagamma: %w", errNoSpend)
	}
	return &evidence{
		problem: mle.Problem{
			Params: []mle.Param{{Name: "P"}, {Name: "Q"}, {Name: "Gamma"}},
			Rows:   len(s.rows), Weight: s.weight, Second: true,
			Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumGammaGamma(s.rows[lo:hi], theta, d) },
		},
		vague:    []Density{LogNormal(4, 1.5), LogNormal(4, 1), LogNormal(s.mean, 2)},
		warnings: s.warnings(GammaGamma{1, 2, 1}),
	}, nil
}
