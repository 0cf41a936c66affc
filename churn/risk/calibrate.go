package risk

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// Platt turns scores of any kind into probabilities by a logistic curve:
//
//	P(leaves | score) = 1 / (1 + exp(A score + B))
//
// A is negative where higher scores mean a higher risk. It is immutable; [FitPlatt] makes it, and so does a literal.
//
// Source: J. Platt, Probabilistic outputs for support vector machines, Advances in Large Margin Classifiers (1999).
type Platt struct {
	A float64 `json:"a"`
	B float64 `json:"b"`
}

// Kind returns "platt".
func (Platt) Kind() string { return "platt" }

// Validate returns an error unless both numbers are finite.
func (m Platt) Validate() error {
	if math.IsNaN(m.A-m.A) || math.IsNaN(m.B-m.B) {
		return fmt.Errorf("risk: platt: A %v, B %v: not finite numbers", m.A, m.B)
	}
	return nil
}

// MarshalJSON writes the model under the schema "custval/model/platt/v1".
func (m Platt) MarshalJSON() ([]byte, error) {
	type plain Platt
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Platt) UnmarshalJSON(text []byte) error {
	type plain Platt
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Platt(p).Validate(); err != nil {
		return err
	}
	*m = Platt(p)
	return nil
}

// Probability returns P(leaves | score), NaN for NaN.
func (m Platt) Probability(score float64) float64 { return sigmoid(-(m.A*score + m.B)) }

// PlattOptions control FitPlatt. The zero value, and a nil pointer, are the defaults.
type PlattOptions struct {
	Weights []float64 // count customers; nil means 1 each
	// Plain regresses on 1 for those who left and 0 for the others. The default are Platt's targets
	// (n1+1)/(n1+2) and 1/(n0+2) for n1 who left and n0 who stayed, which always have an estimate and do not run to 0 and
	// 1 with few customers.
	Plain   bool
	Workers int // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

// FitPlatt fits the curve to scores of customers of whom it is known who left. They should not be those that the score was
// made from: on these it looks better than it is.
//
// FitPlatt returns the errors of [NewRanking], a [CovariateError] if all scores are equal and, with Plain, if the scores
// separate those who left from the others, and one that wraps [fit.ErrNotConverged].
func FitPlatt(ctx context.Context, scores []float64, left []bool, o *PlattOptions) (Platt, error) {
	var opt PlattOptions
	if o != nil {
		opt = *o
	}
	if opt.Workers < 0 {
		return Platt{}, fmt.Errorf("risk: option Workers: %d is negative", opt.Workers)
	}
	r, err := NewRanking(scores, left, opt.Weights)
	if err != nil {
		return Platt{}, err
	}
	d, err := NewDesign(Numeric("score", r.score))
	if err != nil {
		return Platt{}, err
	}
	b := &binomial{rows: len(r.score), p: 1, x: d.columns[0], w1: r.left, w0: r.stayed, left: r.leavers, stayed: r.stayers, least: 1}
	if !opt.Plain {
		high, low := (r.leavers+1)/(r.leavers+2), 1/(r.stayers+2)
		b.w1, b.w0 = make([]float64, b.rows), make([]float64, b.rows)
		b.left, b.stayed = 0, 0
		for g := range b.w1 {
			b.w1[g] = high*r.left[g] + low*r.stayed[g]
			b.w0[g] = (1-high)*r.left[g] + (1-low)*r.stayed[g]
			b.left, b.stayed = b.left+b.w1[g], b.stayed+b.w0[g]
		}
	}
	for g := range b.w1 {
		b.least = min(b.least, b.w1[g]+b.w0[g])
	}
	if err := b.standardize(d); err != nil {
		return Platt{}, err
	}
	if err := b.separated(d); err != nil {
		return Platt{}, err
	}
	n := &newton{lik: b, names: []string{"Intercept", "score"}, free: 1, least: b.least, mean: (b.left + b.stayed) / float64(b.rows), maxIter: 100, workers: opt.Workers}
	if err := n.run(ctx, []float64{logit(b.left / (b.left + b.stayed)), 0}); err != nil {
		return Platt{}, err
	}
	base, coef := unscaleCoef(n.b, 1, b.mean, b.scale)
	return Platt{A: -coef[0], B: -base[0]}, nil
}

// Isotonic turns scores into probabilities by the rising step function that fits best, whatever its shape:
// Probabilities[i] between the scores Low[i] and High[i], and on a straight line between two steps. Scores below the
// first and above the last step have theirs. It is immutable; [FitIsotonic] makes it, and so does a literal.
//
// Source: B. Zadrozny and C. Elkan, KDD 2002; M. Ayer and others, Annals of Mathematical Statistics 26 (1955).
type Isotonic struct {
	Low           []float64 `json:"low"`
	High          []float64 `json:"high"`
	Probabilities []float64 `json:"probabilities"`
}

// Kind returns "isotonic".
func (Isotonic) Kind() string { return "isotonic" }

// Validate returns an error unless there is a step, all numbers are finite, and scores and probabilities rise.
func (m Isotonic) Validate() error {
	if len(m.Low) == 0 || len(m.High) != len(m.Low) || len(m.Probabilities) != len(m.Low) {
		return fmt.Errorf("risk: isotonic: %d, %d and %d numbers", len(m.Low), len(m.High), len(m.Probabilities))
	}
	score, p := math.Inf(-1), 0.0
	for i := range m.Low {
		if !(m.Low[i] > score && m.High[i] >= m.Low[i] && !math.IsInf(m.High[i], 1) && m.Probabilities[i] >= p && m.Probabilities[i] <= 1) {
			return fmt.Errorf("risk: isotonic: step %d does not rise", i+1)
		}
		score, p = m.High[i], m.Probabilities[i]
	}
	return nil
}

// MarshalJSON writes the model under the schema "custval/model/isotonic/v1".
func (m Isotonic) MarshalJSON() ([]byte, error) {
	type plain Isotonic
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Isotonic) UnmarshalJSON(text []byte) error {
	type plain Isotonic
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Isotonic(p).Validate(); err != nil {
		return err
	}
	*m = Isotonic(p)
	return nil
}

// Probability returns P(leaves | score), NaN for NaN and for a model without steps.
func (m Isotonic) Probability(score float64) float64 {
	n := len(m.Low)
	if n == 0 || len(m.High) != n || len(m.Probabilities) != n || math.IsNaN(score) {
		return math.NaN()
	}
	i := sort.SearchFloat64s(m.High, score) // the first step that does not end below the score
	switch {
	case i == n:
		return m.Probabilities[n-1]
	case i == 0 || score >= m.Low[i]:
		return m.Probabilities[i]
	}
	share := (score - m.High[i-1]) / (m.Low[i] - m.High[i-1])
	return m.Probabilities[i-1] + share*(m.Probabilities[i]-m.Probabilities[i-1])
}

// FitIsotonic fits the steps by least squares, which is also maximum likelihood, with the algorithm of pooled adjacent
// violators. Customers of equal scores are one. Weights count customers; nil means 1 each. As with [FitPlatt] the
// customers should not be those that the score was made from; and it takes more of them, a thousand rather than a hundred.
//
// FitIsotonic returns the errors of [NewRanking], except that everybody may have stayed or left.
func FitIsotonic(scores []float64, left []bool, weights []float64) (Isotonic, error) {
	r, err := newRanking(scores, left, weights)
	if err != nil {
		return Isotonic{}, err
	}
	if len(r.score) == 0 {
		return Isotonic{}, fmt.Errorf("risk: isotonic: no customers: %w", ledger.ErrUndefined)
	}
	type block struct{ low, high, left, n float64 }
	var blocks []block
	for g := len(r.score) - 1; g >= 0; g-- {
		b := block{r.score[g], r.score[g], r.left[g], r.left[g] + r.stayed[g]}
		for len(blocks) > 0 {
			// Blocks of equal rates are pooled too; the product form is exact for whole weights.
			last := blocks[len(blocks)-1]
			if last.left*b.n < b.left*last.n {
				break
			}
			b = block{last.low, b.high, last.left + b.left, last.n + b.n}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	var m Isotonic
	for _, b := range blocks {
		m.Low, m.High = append(m.Low, b.low), append(m.High, b.high)
		p := min(1, b.left/b.n)
		if n := len(m.Probabilities); n > 0 {
			p = max(p, m.Probabilities[n-1])
		}
		m.Probabilities = append(m.Probabilities, p)
	}
	return m, nil
}

// A Calibrator turns a score into a probability: [Platt], [Isotonic], or one of the caller's own.
type Calibrator interface {
	Probability(score float64) float64
}

// Calibrate returns the probabilities of scores. It returns a [ledger.RowError] for a score that is NaN and for one that
// the calibrator gives no probability.
func Calibrate(c Calibrator, scores []float64) ([]float64, error) {
	if c == nil {
		return nil, errors.New("risk: no calibrator")
	}
	out := make([]float64, len(scores))
	for i, s := range scores {
		p := c.Probability(s)
		if !(p >= 0 && p <= 1) {
			return nil, rowError(i, "score", formatFloat(s), errProbability)
		}
		out[i] = p
	}
	return out, nil
}
