package clv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
)

var errNoOpportunity = errors.New("no customer was observed for a whole period, so the data do not tell who leaves: use FitNBD or a shorter period")

// mostFitOpportunities bounds the memory of a fit.
const mostFitOpportunities = 100_000

// FitPDO estimates the model of the given period by maximum likelihood from the X, TX, T and Count of the histories. The
// period, in the histories' unit of time, is not estimated and not among the estimate's Params. The derivatives are
// analytic; covariance and standard errors come from the observed information.
//
// FitPDO returns an error if a history does not validate, if no customer has a repeat purchase, if the period is not a
// positive finite number, is longer than every T or shorter than a hundred-thousandth of the longest, and, with the best
// estimate so far, one that wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitPDO(ctx context.Context, data *Histories, period float64, o *fit.Options) (*fit.Estimate[PDO], error) {
	s, err := compress(ctx, data, false)
	if err != nil {
		return nil, err
	}
	if err := positive("fit of pdo", []param{{"period", period}}); err != nil {
		return nil, err
	}
	if err := s.repeating(); err != nil {
		return nil, fmt.Errorf("clv: fit of pdo: %w", err)
	}
	most := 0.0
	for i := range s.rows {
		most = max(most, s.rows[i].t/period)
	}
	switch {
	case most > mostFitOpportunities:
		return nil, fmt.Errorf("clv: fit of pdo: period %v: %.3g opportunities within the longest T: use FitParetoNBD or a longer period", period, most)
	case opportunities(most, 1) < 1:
		return nil, fmt.Errorf("clv: fit of pdo: period %v: %w", period, errNoOpportunity)
	}
	rate, age := s.rate(), s.elapsed/s.weight/period
	p := mle.Problem{
		Params: []mle.Param{{Name: "R"}, {Name: "Alpha"}, {Name: "A"}, {Name: "B"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumPDO(s.rows[lo:hi], theta, period, d) },
		Starts: [][]float64{
			{0.6, 0.6 / (1.5 * rate), 0.6, 0.4*age + 0.5},
			{1, 1 / (1.2 * rate), 1, 3*age + 1},
			{3, 3 / (2 * rate), 0.3, 0.1*age + 0.3},
			{0.1, 0.1 / (4 * rate), 2, 2*age + 1},
		},
	}
	r, err := mle.Maximize(ctx, p, o)
	return fitted(func(t []float64) PDO { return PDO{t[0], t[1], t[2], t[3], period} }, p, r, err, s, data)
}

// A pdoTable is what the likelihood needs of some opportunities in a row, whatever the customer.
type pdoTable []pdoOpportunity

type pdoOpportunity struct {
	at, logAt float64 // alpha + j period
	logStays  float64 // ln of the probability to stay at the first j
	// Sums over the opportunities before j (of 1/(a+b+i) and 1/(b+i)) and of their squares.
	both, b, bothSquares, bSquares float64
}

// fill makes it the table of the opportunities from first to last.
func (table *pdoTable) fill(first, last int, alpha, a, b, period float64) {
	t := slices.Grow((*table)[:0], last-first+1)[:last-first+1]
	*table = t
	var o pdoOpportunity
	if n := float64(first); first > 0 {
		o.logStays = special.LogBetaRatio(a, b, 0, n)
		o.both, o.b = special.DigammaDiff(a+b, n), special.DigammaDiff(b, n)
		o.bothSquares, o.bSquares = -special.TrigammaDiff(a+b, n), -special.TrigammaDiff(b, n)
	}
	for j := range t {
		i := float64(first + j)
		o.at = alpha + i*period
		o.logAt = math.Log(o.at)
		t[j] = o
		// ln (b+i)/(a+b+i) without loss where a is small.
		o.logStays += math.Log1p(-a / (a + b + i))
		both, stay := 1/(a+b+i), 1/(b+i)
		o.both += both
		o.b += stay
		o.bothSquares += both * both
		o.bSquares += stay * stay
	}
}

// sumPDO adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in R, Alpha, A, B. A
// customer's likelihood is a mixture: the gradient of its log is the mean of the gradients of the logs of the parts, and
// the Hessian the mean of their Hessians plus the covariance of their gradients.
func sumPDO(rows []row, theta []float64, period float64, d *mle.Derivs) {
	var table pdoTable
	table.sum(rows, theta, period, d)
}

// sum is sumPDO, which reuses the table's space.
func (table *pdoTable) sum(rows []row, theta []float64, period float64, d *mle.Derivs) {
	r, alpha, a, b := theta[0], theta[1], theta[2], theta[3]
	from, most := math.Inf(1), 0.0
	for i := range rows {
		from = min(from, opportunities(rows[i].tx, period))
		most = max(most, opportunities(rows[i].t, period))
	}
	start := int(from)
	table.fill(start, int(most), alpha, a, b, period)
	t := *table
	logAlpha := math.Log(alpha)
	last := -1
	var value, first, curve float64 // of ln Gamma(r+x)/Gamma(r)
	for i := range rows {
		w := &rows[i]
		x, weight := float64(w.x), w.weight
		if w.x != last {
			last = w.x
			value, first, curve = special.LogGammaRatio(r, x), special.DigammaDiff(r, x), special.TrigammaDiff(r, x)
		}
		n := r + x
		past, end := int(opportunities(w.tx, period)), int(opportunities(w.t, period))
		var m bbPart // here of R, Alpha, A, B
		var top float64
		for j := past + 1; j <= end; j++ {
			before, at := &t[j-1-start], &t[j-start]
			// The probability to leave at j is a/(a+b+j-1) of those who stayed before.
			l := before.logStays - n*at.logAt
			if j == past+1 {
				top = l
			}
			part := math.Exp(l - top)
			if part <= 1e-17*m.total {
				break
			}
			one := 1 / at.at
			g := [4]float64{-at.logAt, -n * one, 1/a - at.both, before.b - at.both}
			m.addPDO(part/(a+b+float64(j-1)), &g, -one, n*one*one,
				[3]float64{at.bothSquares - 1/(a*a), at.bothSquares, at.bothSquares - before.bSquares})
		}
		at := &t[end-start]
		until := alpha + w.t
		logT := math.Log(until)
		sum, alive := mix(at.logStays-n*logT, math.Log(a*m.total)+top)
		g := [4]float64{-logT, -n / until, -at.both, at.b - at.both}
		left := 0.0
		if m.total > 0 {
			left = (1 - alive) / m.total
		}
		for j := range m.first {
			m.first[j] *= left
			for k := j; k < 4; k++ {
				m.second[j][k] *= left
			}
		}
		m.addPDO(alive, &g, -1/until, n/(until*until), [3]float64{at.bothSquares, at.bothSquares, at.bothSquares - at.bSquares})
		mean := &m.first
		d.Value += weight * (value + r*logAlpha + sum)
		d.Grad[0] += weight * (first + logAlpha + mean[0])
		d.Grad[1] += weight * (r/alpha + mean[1])
		d.Grad[2] += weight * mean[2]
		d.Grad[3] += weight * mean[3]
		if d.Hess == nil {
			continue
		}
		for j := range mean {
			for k := j; k < 4; k++ {
				d.AddHess(j, k, weight*(m.second[j][k]-mean[j]*mean[k]))
			}
		}
		d.AddHess(0, 0, weight*curve)
		d.AddHess(0, 1, weight/alpha)
		d.AddHess(1, 1, weight*-r/(alpha*alpha))
	}
}

// addPDO adds a part with the gradient g, the second derivatives in R and Alpha and in Alpha, and those in A and B.
func (m *bbPart) addPDO(weight float64, g *[4]float64, ra, aa float64, ab [3]float64) {
	m.total += weight
	for i := range g {
		v := weight * g[i]
		m.first[i] += v
		for j := i; j < 4; j++ {
			m.second[i][j] += v * g[j]
		}
	}
	m.second[0][1] += weight * ra
	m.second[1][1] += weight * aa
	m.second[2][2] += weight * ab[0]
	m.second[2][3] += weight * ab[1]
	m.second[3][3] += weight * ab[2]
}
