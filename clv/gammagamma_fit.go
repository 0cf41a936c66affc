package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// FitGammaGamma estimates the model by maximum likelihood from X, Spend and Count of the customers with a repeat
// purchase and a positive Spend; the mean is the exact Spend/X. The others are left out, and the estimate's Warnings
// say how many. The derivatives are analytic; the estimate's Unit is 0, since the model has no time.
//
// The model holds only if spend has nothing to do with frequency. The Warnings say so where the correlation of the log
// of the mean spend with X over the customers used is 0.2 or more in size and more than three standard errors from 0
// (Fisher's z).
//
// FitGammaGamma returns an error if a history does not validate, if currencies are mixed, if no customer can be used,
// if all have the same mean spend (the likelihood then has no maximum), and, with the best estimate so far, one that
// wraps fit.ErrNotConverged, fit.ErrDiverged or the context's error.
func FitGammaGamma(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[GammaGamma], error) {
	s, err := newSpendSample(ctx, data, o.WithDefaults().Workers)
	if err != nil {
		return nil, err
	}
	if err := s.estimable(); err != nil {
		return nil, fmt.Errorf("clv: fit of gammagamma: %w", err)
	}
	p := mle.Problem{
		Params: []mle.Param{{Name: "P"}, {Name: "Q"}, {Name: "Gamma"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumGammaGamma(s.rows[lo:hi], theta, d) },
		Starts: [][]float64{ // with the mean of the data where the population mean exists
			{6, 4, s.mean / 2}, {1.5, 3, s.mean * 4 / 3}, {30, 10, s.mean * 0.3}, {1, 1, s.mean},
		},
	}
	r, err := mle.Maximize(ctx, p, o)
	if r.Theta == nil {
		return nil, fmt.Errorf("clv: fit of gammagamma: %w", err)
	}
	e := mle.Estimate(r, p.Params, GammaGamma{r.Theta[0], r.Theta[1], r.Theta[2]})
	e.Customers = int(s.weight)
	e.Warnings = append(e.Warnings, s.warnings(e.Model)...)
	if err != nil {
		return e, fmt.Errorf("clv: fit of gammagamma: %w", err)
	}
	return e, nil
}

// A spendRow is what the likelihood reads of a customer.
type spendRow struct {
	x        int
	total    float64 // x times the mean
	logTotal float64
	logMean  float64
	weight   float64
}

// A spendSample is the customers of a fit of spend: equal ones merged, in an order of their values that begins with x.
type spendSample struct {
	rows       []spendRow
	weight     float64 // customers used
	mean       float64 // of their mean spends
	neverAgain int     // customers left out because they have no repeat purchase
	noSpend    int     // customers left out because their Spend is not positive
}

func newSpendSample(ctx context.Context, hs *Histories, workers int) (*spendSample, error) {
	if err := hs.Validate(); err != nil {
		return nil, err
	}
	if _, err := hs.currency(); err != nil {
		return nil, err
	}
	points := make([]spendRow, len(hs.Rows))
	if err := inParallel(ctx, len(points), workers, func(from, to int) error {
		for i := from; i < to; i++ {
			h, p := &hs.Rows[i], &points[i]
			p.x, p.weight = h.X, float64(max(1, h.Count))
			if h.X > 0 && h.Spend.Sign() > 0 {
				mean := h.Spend.Float64() / float64(h.X)
				p.total, p.logMean = float64(h.X)*mean, math.Log(mean)
				p.logTotal = math.Log(p.total)
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	s := &spendSample{}
	keys := make([]rowKey, 0, len(points))
	for i := range points {
		switch p := &points[i]; {
		case p.x == 0:
			s.neverAgain += int(p.weight)
		case p.total == 0:
			s.noSpend += int(p.weight)
		default:
			keys = append(keys, rowKey{row{x: p.x, tx: p.total}.hash(), i})
		}
	}
	keys, low, err := sortKeys(ctx, keys, max(1, workers))
	if err != nil {
		return nil, err
	}
	if s.rows = mergeSpends(ctx, points, keys, low); ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for i := range s.rows {
		s.weight += s.rows[i].weight
	}
	for i := range s.rows { // after merging, so that duplicates give the bits of weights
		s.mean += s.rows[i].weight * (s.rows[i].total / float64(s.rows[i].x))
	}
	s.mean /= s.weight
	return s, nil
}

// mergeSpends returns the points in the order of their keys, which are sorted but for the bits below low, nil when ctx
// ends.
func mergeSpends(ctx context.Context, points []spendRow, keys []rowKey, low int) []spendRow {
	rows := make([]spendRow, 0, len(keys))
	for i, look := 0, 0; i < len(keys); {
		if i >= look {
			if ctx.Err() != nil {
				return nil
			}
			look = i + pause
		}
		to := i + 1
		for to < len(keys) && keys[to].bits>>low == keys[i].bits>>low {
			to++
		}
		if to > i+1 {
			sortFew(keys[i:to])
		}
		from, bits := len(rows), keys[i].bits
		for ; i < len(keys) && keys[i].bits == bits; i++ {
			rows = append(rows, points[keys[i].index])
		}
		if len(rows) == from+1 {
			continue
		}
		slices.SortFunc(rows[from:], func(a, b spendRow) int {
			return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.total, b.total), cmp.Compare(a.logMean, b.logMean))
		})
		n := from
		for k := from + 1; k < len(rows); k++ {
			if w := &rows[k]; w.x == rows[n].x && w.total == rows[n].total {
				rows[n].weight += w.weight
				continue
			}
			n++
			rows[n] = rows[k]
		}
		rows = rows[:n+1]
	}
	return rows
}

// currency returns the currency of the spends, empty if none has one.
func (hs *Histories) currency() (money.Currency, error) {
	var c money.Currency
	for i := range hs.Rows {
		spend := hs.Rows[i].Spend
		switch got := spend.Currency(); {
		case got == c || got == "":
		case c == "":
			c = got
		default:
			return "", fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "Spend", Value: spend.String(),
				Err: &money.CurrencyMismatchError{A: c, B: got}})
		}
	}
	return c, nil
}

var (
	errNoSpend   = errors.New("no customer has repeat purchases with a positive spend")
	errSameSpend = errors.New("the likelihood has no maximum")
)

// estimable returns an error where the data cannot tell the parameters.
func (s *spendSample) estimable() error {
	if len(s.rows) == 0 {
		return errNoSpend
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range s.rows {
		lo, hi = min(lo, s.rows[i].logMean), max(hi, s.rows[i].logMean)
	}
	if hi-lo < 1e-9 {
		return fmt.Errorf("all %v customers have the same mean spend, %.6g, so that %w: %w; value them at that spend",
			s.weight, math.Exp(lo), errSameSpend, fit.ErrDiverged)
	}
	return nil
}

// warnings say what was left out and where the model is in doubt.
func (s *spendSample) warnings(m GammaGamma) []string {
	var out []string
	if s.neverAgain > 0 {
		out = append(out, fmt.Sprintf("%d customers without a repeat purchase are not used", s.neverAgain))
	}
	if s.noSpend > 0 {
		out = append(out, fmt.Sprintf("%d customers whose repeat purchases have no positive spend are not used", s.noSpend))
	}
	if r := s.correlation(); math.Abs(r) >= 0.2 && math.Abs(math.Atanh(r))*math.Sqrt(s.weight-3) > 3 {
		out = append(out, fmt.Sprintf("spend and frequency are correlated (r = %.2f between the log of the mean spend and X): "+
			"the model takes them as independent", r))
	}
	if m.Q <= 1 {
		out = append(out, fmt.Sprintf("Q = %.4g: the mean over customers is infinite, and so is the expected spend of customers with P x + Q <= 1", m.Q))
	}
	return out
}

// correlation returns Pearson's r of ln mean and x over the customers, 0 where one of them does not vary.
func (s *spendSample) correlation() float64 {
	var mx, my float64
	for i := range s.rows {
		w := &s.rows[i]
		mx += w.weight * float64(w.x)
		my += w.weight * w.logMean
	}
	mx, my = mx/s.weight, my/s.weight
	var xx, xy, yy float64
	for i := range s.rows {
		w := &s.rows[i]
		dx, dy := float64(w.x)-mx, w.logMean-my
		xx += w.weight * dx * dx
		xy += w.weight * dx * dy
		yy += w.weight * dy * dy
	}
	if !(xx > 0 && yy > 0) {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}

// sumGammaGamma adds the log-likelihood of the rows, sorted by x, with its first and second derivatives in P, Q, Gamma.
// Rows of one x share a logarithm.
func sumGammaGamma(rows []spendRow, theta []float64, d *mle.Derivs) {
	p, q, gamma := theta[0], theta[1], theta[2]
	for from := 0; from < len(rows); {
		x, to := rows[from].x, from+1
		for to < len(rows) && rows[to].x == x {
			to++
		}
		c := newSpendByX(x, p, q, d.Hess != nil)
		var s spendSums
		s.add(rows[from:to], gamma, &c)
		s.derivs(&c, q, gamma, d)
		from = to
	}
}

// spendSums are sums over rows with the same x, each row with its weight. With u = total/(gamma+total):
type spendSums struct {
	weight       float64
	value        float64 // of the log-densities of the mean, times it
	spent, rest  float64 // ln u and ln(1-u)
	s, ss        float64 // 1/(gamma+total) and its square
	share, bent  float64 // total/(gamma (gamma+total)), and that with 1/gamma + 1/(gamma+total)
	logs, totals float64 // of the mean and the total
}

func (a *spendSums) add(rows []spendRow, gamma float64, c *spendByX) {
	var more logSum
	scale := 1 / gamma
	for i := range rows {
		w := &rows[i]
		s := 1 / (gamma + w.total)
		share := w.weight * w.total * scale * s
		a.weight += w.weight
		a.s += w.weight * s
		a.ss += w.weight * s * s
		a.share += share
		a.bent += share * (scale + s)
		a.logs += w.weight * w.logMean
		if c.accurate {
			a.spent -= w.weight * math.Log1p(gamma/w.total)
			a.rest -= w.weight * math.Log1p(w.total*scale)
			a.value += w.weight * logBetaPrime(c.betaPrime, w.total, gamma)
			continue
		}
		more.add(w.total*scale, w.weight)
		a.totals += w.weight * w.logTotal
	}
	if !c.accurate {
		a.rest = -more.total()
		a.spent = a.totals - a.weight*math.Log(gamma) + a.rest
		a.value = a.weight*c.norm + c.b*a.rest + c.a*a.spent
	}
}

// derivs adds the likelihood of the rows to d.
func (a *spendSums) derivs(c *spendByX, q, gamma float64, d *mle.Derivs) {
	n := float64(c.x)
	d.Value += a.value - a.logs
	d.Grad[0] += n * (a.weight*c.p + a.spent)
	d.Grad[1] += a.weight*c.q + a.rest
	d.Grad[2] += q*a.share - c.a*a.s
	if d.Hess == nil {
		return
	}
	d.AddHess(0, 0, a.weight*c.pp)
	d.AddHess(0, 1, a.weight*c.pq)
	d.AddHess(0, 2, -n*a.s)
	d.AddHess(1, 1, a.weight*c.qq)
	d.AddHess(1, 2, a.share)
	d.AddHess(2, 2, c.a*a.ss-q*a.bent)
}

// spendByX holds what depends on the parameters and x alone.
type spendByX struct {
	betaPrime
	x          int
	accurate   bool // the plain form of the value would lose digits
	p, q       float64
	pp, pq, qq float64
}

func newSpendByX(x int, p, q float64, second bool) spendByX {
	a := p * float64(x)
	c := spendByX{betaPrime: newBetaPrime(a, q), x: x}
	c.accurate = c.large || a+q > 1e4
	c.p, c.q = special.DigammaDiff(a, q), special.DigammaDiff(q, a)
	if second {
		n := float64(x)
		c.pp, c.pq, c.qq = n*n*special.TrigammaDiff(a, q), n*special.Trigamma(a+q), special.TrigammaDiff(q, a)
	}
	return c
}
