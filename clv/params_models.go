package clv

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/internal/mle"
)

// An Estimable is a model whose likelihood can be maximized under conditions, which ProfileIntervals, FitMAP and
// FitPenalized do: NBD, ParetoNBD, BGNBD, MBGNBD, BGCNBD and MBGCNBD for their K, and GammaGamma.
type Estimable interface {
	Validate() error
	Kind() string
	// evidence prepares the likelihood of the histories.
	evidence(ctx context.Context, data *Histories) (*evidence, error)
}

// An evidence is the likelihood of some data, without a start.
type evidence struct {
	problem  mle.Problem
	vague    []Density // the weakly informative prior of each parameter
	sample   *sample   // nil for models of spend
	warnings []string  // what was left out
}

// newEvidence is that of a model of purchases in continuous time.
func newEvidence(data *Histories, gaps bool, names []string, sum func(rows []row, theta []float64, d *mle.Derivs)) (*evidence, error) {
	s, err := compress(context.Background(), data, gaps)
	if err != nil {
		return nil, err
	}
	if s.elapsed == 0 {
		return nil, fmt.Errorf("clv: %w", errNoTime)
	}
	e := &evidence{sample: s, problem: mle.Problem{
		Rows: len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sum(s.rows[lo:hi], theta, d) },
	}}
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
	return e, nil
}

func (NBD) evidence(_ context.Context, data *Histories) (*evidence, error) {
	return newEvidence(data, false, []string{"R", "Alpha"}, sumNBD)
}

func (ParetoNBD) evidence(_ context.Context, data *Histories) (*evidence, error) {
	return newEvidence(data, false, []string{"R", "Alpha", "S", "Beta"}, sumParetoNBD)
}

func (BGNBD) evidence(_ context.Context, data *Histories) (*evidence, error) {
	return newEvidence(data, false, []string{"R", "Alpha", "A", "B"}, sumBGNBD)
}

func (MBGNBD) evidence(_ context.Context, data *Histories) (*evidence, error) {
	return cnbd{1, 1}.evidence("mbgnbd", data)
}

func (m BGCNBD) evidence(_ context.Context, data *Histories) (*evidence, error) {
	return cnbd{m.K, 0}.evidence(m.Kind(), data)
}

func (m MBGCNBD) evidence(_ context.Context, data *Histories) (*evidence, error) {
	return cnbd{m.K, 1}.evidence(m.Kind(), data)
}

func (c cnbd) evidence(kind string, data *Histories) (*evidence, error) {
	if c.k < 1 || c.k > maxK {
		return nil, fmt.Errorf("clv: %s: K = %d: %w", kind, c.k, errK)
	}
	e, err := newEvidence(data, c.k > 1, []string{"R", "Alpha", "A", "B"}, c.sum)
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
