package risk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// HazardOptions control the fit of a discrete-time hazard model. The zero value, and a nil pointer, are the defaults.
type HazardOptions struct {
	Link     Link     // zero is LogitLink
	Baseline Baseline // zero is EachPeriod
	// Cuts group the periods of EachPeriod: 4, 13 makes 1-3, 4-12 and 13+. Nil gives every period of the data a value of
	// its own, which needs somebody who left and somebody who stayed in each; [EventCuts] makes cuts that have them.
	Cuts   []int
	Length float64 // of a period, in the unit of the tenures; 0 means 1
	// Ridge shrinks the coefficients of the covariates, not the baseline, as in [LogisticOptions]; the standard deviation
	// is that over all periods of all customers.
	Ridge         float64
	RidgeUnscaled bool
	// Robust asks for the sandwich covariance in which the periods of one tenure may depend on each other.
	Robust bool
	// Cluster asks for the sandwich covariance in which the tenures of one cluster may, such as several rows of one
	// customer; nil means that tenures are independent.
	Cluster func(t ledger.Tenure) string
	MaxIter int // most iterations; 0 means 50
	Workers int // goroutines; 0 means GOMAXPROCS. The result does not depend on it
}

func (o *HazardOptions) resolve() (HazardOptions, error) {
	var r HazardOptions
	if o != nil {
		r = *o
	}
	switch {
	case int(r.Link) >= len(linkNames):
		return r, fmt.Errorf("risk: option Link: no link %d", r.Link)
	case int(r.Baseline) >= len(baselineNames):
		return r, fmt.Errorf("risk: option Baseline: no baseline %d", r.Baseline)
	case r.Baseline != EachPeriod && r.Cuts != nil:
		return r, fmt.Errorf("risk: option Cuts: the baseline %q has no groups of periods", r.Baseline)
	}
	if r.Length == 0 {
		r.Length = 1
	}
	if err := checkCuts(r.Cuts); err != nil {
		return r, err
	}
	return r, checkSearch(r.Ridge, &r.MaxIter, r.Workers)
}

// A HazardFit is a fitted discrete-time hazard model.
type HazardFit struct {
	Estimate        fit.Estimate[Hazard] `json:"estimate"`         // LogLik does not count the penalty of a ridge
	Left            float64              `json:"left"`             // weight of the customers who left
	Periods         float64              `json:"periods"`          // weight of all periods of all customers
	NullLogLik      float64              `json:"null_log_lik"`     // of the baseline alone
	LikelihoodRatio fit.LikelihoodRatio  `json:"likelihood_ratio"` // test that no covariate matters; 0 with 0 degrees without any
	ModelCov        [][]float64          `json:"model_cov"`        // covariance of the model where Estimate.Cov is the robust one; else nil
}

// String returns the table of the estimate.
func (f *HazardFit) String() string { return f.Estimate.String() }

// FitHazard fits the discrete-time hazard model of the tenures on a design with one row a tenure, by maximum likelihood; a
// nil design has no covariates. It is the regression of the zeros and ones of [PersonPeriods] without making them: memory
// is for tenures, not for periods. Features that change over time come as several tenures of one customer, each with the
// Entry and Duration between which its features hold; these must be whole periods, and Cluster makes the standard errors
// honest about it.
//
// The parameters of the estimate are the values of the baseline and one for each column of the design; standard errors
// come from the expected information.
//
// FitHazard returns the errors of [PersonPeriods], an error if the design has another number of rows, if nobody left or
// nobody stayed, a [CovariateError] that names a covariate as [FitLogistic] does, or a period in which nobody or everybody
// left, and one that wraps [fit.ErrNotConverged], which comes without estimate.
func FitHazard(ctx context.Context, tenures []ledger.Tenure, d *Design, o *HazardOptions) (*HazardFit, error) {
	opt, err := o.resolve()
	if err != nil {
		return nil, err
	}
	spans, err := periodSpans(tenures, opt.Length)
	if err != nil {
		return nil, err
	}
	if err := d.check(len(tenures)); err != nil {
		return nil, err
	}
	h, err := newPersonPeriods(spans, d, &opt)
	if err != nil {
		return nil, err
	}
	if opt.Ridge == 0 {
		if err := h.separated(d); err != nil {
			return nil, err
		}
	}
	n, err := h.search(ctx, d, &opt)
	if err != nil {
		return nil, err
	}
	null := n
	if h.p > 0 {
		plain := opt
		plain.Ridge = 0
		bare, err := newPersonPeriods(spans, nil, &plain)
		if err != nil {
			return nil, err
		}
		if null, err = bare.search(ctx, nil, &plain); err != nil {
			return nil, err
		}
	}
	f, err := h.result(ctx, n, tenures, d, &opt)
	if err != nil {
		return nil, err
	}
	f.NullLogLik = null.sums.logLik
	f.LikelihoodRatio = likelihoodRatio(f.NullLogLik, f.Estimate.LogLik, h.p)
	return f, nil
}

// personPeriods is the likelihood of a hazard model. The coefficients are those of the groups of periods, of q functions
// of time and of p covariates, the latter two standardized over all periods. Periods in which the baseline is the same are
// one cell.
type personPeriods struct {
	link         Link
	cuts         []int
	groups, q, p int
	rows         int
	x            []float64 // rows of p
	first, last  []int32   // cells
	stays        []int32   // periods in the first cell that the row stayed in; the whole of those between; in the last cell
	ends         []int32
	left         []bool
	weight       []float64
	least        float64
	cellGroup    []int32
	cellLength   []int32
	z            []float64 // rows of q, one a cell
	mean, scale  []float64 // of the functions of time and of the covariates
	start        []float64
	total, gone  float64 // periods, and those who left
	source       []int32 // the row that each tenure is part of, -1 for none
}

const groupsMost = 1000

func newPersonPeriods(spans []span, d *Design, o *HazardOptions) (*personPeriods, error) {
	for _, t := range d.Terms() {
		if len(t.Levels) == 1 {
			return nil, &CovariateError{Covariate: t.Name, Err: fmt.Errorf("%w: every row has the level %q", ErrCollinear, t.Levels[0])}
		}
	}
	left, stayed, err := perPeriod(spans)
	if err != nil {
		return nil, err
	}
	h := &personPeriods{link: o.Link, p: d.width(), least: 1, q: len(o.Baseline.names()), groups: 1}
	if err := h.cells(left, stayed, o); err != nil {
		return nil, err
	}
	h.merge(spans, d)
	return h, h.standardize(d, o)
}

// cells cuts the periods into cells and groups and checks that every group has an estimate.
func (h *personPeriods) cells(left, stayed []float64, o *HazardOptions) error {
	var l, s float64
	for t := range left {
		l, s = l+left[t], s+stayed[t]
	}
	if l == 0 {
		return errors.New("risk: hazard model: nobody left")
	}
	if s == 0 {
		return errors.New("risk: hazard model: everybody left in the first period")
	}
	if o.Baseline != EachPeriod {
		for t := range left {
			if h.q == 0 {
				h.cellGroup, h.cellLength = []int32{0}, []int32{int32(len(left))}
				return nil
			}
			h.cellGroup, h.cellLength = append(h.cellGroup, 0), append(h.cellLength, 1)
			h.z = append(h.z, o.Baseline.terms(t+1)...)
		}
		return nil
	}
	h.cuts = slices.Clone(o.Cuts)
	if h.cuts == nil {
		for t := 2; t <= len(left); t++ {
			h.cuts = append(h.cuts, t)
		}
	}
	h.groups = 1 + len(h.cuts)
	if h.groups > groupsMost {
		return fmt.Errorf("risk: hazard model: %d periods with a value of their own, more than %d: set Cuts or choose a longer period", h.groups, groupsMost)
	}
	names := groupNames(h.cuts)
	for g := range h.groups {
		from, to := 1, len(left)+1
		if g > 0 {
			from = h.cuts[g-1]
		}
		if g < len(h.cuts) {
			to = min(to, h.cuts[g])
		}
		l, s = 0, 0
		for t := from; t < to; t++ {
			l, s = l+left[t-1], s+stayed[t-1]
		}
		who := ""
		switch {
		case l == 0 && s == 0:
			return fmt.Errorf("risk: hazard model: %s: nobody was there; choose other Cuts", names[g])
		case l == 0:
			who = "nobody"
		case s == 0:
			who = "everybody"
		}
		if who != "" {
			return &CovariateError{Covariate: names[g],
				Err: fmt.Errorf("%w: %s left in it; join it with others by Cuts, such as those of EventCuts", ErrSeparation, who)}
		}
		h.cellGroup, h.cellLength = append(h.cellGroup, int32(g)), append(h.cellLength, int32(to-from))
	}
	return nil
}

// of returns the linear predictor of a probability.
func (l Link) of(p float64) float64 {
	if l == CloglogLink {
		return math.Log(-math.Log1p(-p))
	}
	return logit(p)
}

// merge puts tenures with the same covariates and periods together, in an order that depends on their content only.
func (h *personPeriods) merge(spans []span, d *Design) {
	n := len(spans)
	firsts, lasts, weights := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, s := range spans {
		// Whole numbers below 2^53: the last period and whether the tenure ended in it.
		firsts[i], lasts[i], weights[i] = float64(s.first), 2*float64(s.last)+float64(b2i(s.left)), s.weight
	}
	columns := append(d.contents(nil), firsts, lasts)
	h.source = make([]int32, n)
	ends := make([]int, len(h.cellLength)+1) // the last period of the cells before
	for c, l := range h.cellLength {
		ends[c+1] = ends[c] + int(l)
	}
	cellOf := func(t int32) int32 {
		if h.q > 0 {
			return t - 1
		}
		return int32(groupOf(h.cuts, int(t)))
	}
	last := int32(-1)
	for _, k := range contentOrder(n, columns, weights) {
		s := spans[k.row]
		if s.last < s.first {
			h.source[k.row] = -1
			continue
		}
		h.least = min(h.least, s.weight)
		if last >= 0 && compareRows(columns, last, k.row) == 0 {
			h.weight[h.rows-1] += s.weight
			h.source[k.row] = int32(h.rows - 1)
			continue
		}
		last = k.row
		h.source[k.row] = int32(h.rows)
		h.rows++
		a, b := cellOf(s.first), cellOf(s.last)
		h.first, h.last = append(h.first, a), append(h.last, b)
		stays, end := int32(min(int(s.last), ends[a+1]))-s.first+1, int32(0)
		if b > a {
			end = s.last - int32(ends[b])
		}
		h.stays, h.ends = append(h.stays, stays), append(h.ends, end)
		h.left, h.weight = append(h.left, s.left), append(h.weight, s.weight)
		for j := range h.p {
			h.x = append(h.x, d.columns[j][k.row])
		}
	}
	at, gone := make([]float64, h.groups), make([]float64, h.groups)
	for r := range h.rows {
		h.each(r, func(c int, stays, left float64) {
			at[h.cellGroup[c]] += h.weight[r] * (stays + left)
			gone[h.cellGroup[c]] += h.weight[r] * left
		})
	}
	for g := range at {
		h.total, h.gone = h.total+at[g], h.gone+gone[g]
		h.start = append(h.start, h.link.of(gone[g]/at[g]))
	}
}

// each calls f with every cell of a row and the periods in it that the row stayed in and left in.
func (h *personPeriods) each(r int, f func(cell int, stays, left float64)) {
	for c := h.first[r]; c <= h.last[r]; c++ {
		stays, left := h.inCell(r, c)
		f(int(c), stays, left)
	}
}

func (h *personPeriods) inCell(r int, c int32) (stays, left float64) {
	n := h.cellLength[c]
	switch c {
	case h.first[r]:
		n = h.stays[r]
	case h.last[r]:
		n = h.ends[r]
	}
	if h.left[r] && c == h.last[r] {
		return float64(n - 1), 1
	}
	return float64(n), 0
}

// standardize centers and scales the functions of time and the covariates over all periods.
func (h *personPeriods) standardize(d *Design, o *HazardOptions) error {
	h.mean, h.scale = make([]float64, h.q+h.p), make([]float64, h.q+h.p)
	exposure := make([]float64, h.rows)
	byCell := make([]float64, len(h.cellGroup))
	for r := range h.rows {
		h.each(r, func(c int, stays, left float64) {
			exposure[r] += h.weight[r] * (stays + left)
			byCell[c] += h.weight[r] * (stays + left)
		})
	}
	names := append(o.Baseline.names(), d.Columns()...)
	for _, part := range [...]struct {
		x      []float64
		width  int
		first  int
		weight []float64
	}{{h.z, h.q, 0, byCell}, {h.x, h.p, h.q, exposure}} {
		if part.width == 0 {
			continue
		}
		mean, scale := h.mean[part.first:part.first+part.width], h.scale[part.first:part.first+part.width]
		for r, w := range part.weight {
			for j, x := range part.x[r*part.width : (r+1)*part.width] {
				mean[j] += w / h.total * x
			}
		}
		for r, w := range part.weight {
			row := part.x[r*part.width : (r+1)*part.width]
			for j := range row {
				row[j] -= mean[j]
				scale[j] += w / h.total * row[j] * row[j]
			}
		}
		for j := range scale {
			scale[j] = math.Sqrt(scale[j])
			if !(scale[j] > 1e-12*math.Abs(mean[j])) || math.IsInf(scale[j], 1) {
				return constantColumn(names[part.first+j], mean[j], scale[j])
			}
		}
		for r := range part.weight {
			row := part.x[r*part.width : (r+1)*part.width]
			for j := range row {
				row[j] /= scale[j]
			}
		}
	}
	return nil
}

func (h *personPeriods) separated(d *Design) error {
	w1, w0 := make([]float64, h.rows), make([]float64, h.rows)
	for r := range h.rows {
		h.each(r, func(_ int, stays, left float64) { w1[r], w0[r] = w1[r]+left, w0[r]+stays })
	}
	return separatedAlone(d, h.p, h.rows, func(g, j int) float64 { return h.x[g*h.p+j] }, w1, w0)
}

func (h *personPeriods) search(ctx context.Context, d *Design, o *HazardOptions) (*newton, error) {
	n := &newton{lik: h, free: h.groups, least: h.least, mean: h.total / float64(h.rows), maxIter: o.MaxIter, workers: o.Workers}
	if o.Baseline == EachPeriod {
		n.names = groupNames(h.cuts)
	} else {
		n.names = append([]string{"Intercept"}, o.Baseline.names()...)
	}
	n.names = append(n.names, d.Columns()...)
	n.penalty = ridge(o.Ridge, o.RidgeUnscaled, h.groups+h.q, h.scale[h.q:])
	start := make([]float64, h.groups+h.q+h.p)
	copy(start, h.start)
	return n, n.run(ctx, start)
}

// result puts the fit on the scale of the covariates. Standard errors are those of the expected information.
func (h *personPeriods) result(ctx context.Context, n *newton, tenures []ledger.Tenure, d *Design, o *HazardOptions) (*HazardFit, error) {
	expected, err := n.evaluate(ctx, n.b, true)
	if err != nil {
		return nil, err
	}
	factor, bad := cholesky(n.penalized(expected.info), pivotLeast)
	if bad >= 0 {
		return nil, n.stuck(nil, fmt.Errorf("risk: %w: the information of the coefficients is singular; set Ridge", fit.ErrNotConverged))
	}
	cov := inverse(factor)
	f := &HazardFit{Left: h.gone, Periods: h.total}
	e := &f.Estimate
	if o.Robust || o.Cluster != nil {
		f.ModelCov = unscale(cov, h.groups, h.mean, h.scale)
		// The slope of the score is the observed information.
		meat, err := h.meat(n.b, tenures, o)
		if err != nil {
			return nil, err
		}
		cov = sandwich(cov, meat)
	}
	e.Cov = unscale(cov, h.groups, h.mean, h.scale)
	base, coef := unscaleCoef(n.b, h.groups, h.mean, h.scale)
	all := append(base, coef...)
	split := h.groups + h.q
	e.Model = Hazard{Link: o.Link, Baseline: o.Baseline, Length: o.Length, Cuts: h.cuts, Base: all[:split:split], Terms: d.Terms(), Coef: all[split:]}
	e.LogLik, e.Iter, e.Evaluations, e.Stop = n.sums.logLik, n.iter, n.evals, fit.Converged
	e.Params = params(n.names, all, e.Cov)
	customers := 0.0
	for _, w := range h.weight {
		customers += w
	}
	e.Customers = int(math.Round(customers))
	return f, nil
}

// meat returns the sum of the outer products of the scores of tenures or clusters.
func (h *personPeriods) meat(beta []float64, tenures []ledger.Tenure, o *HazardOptions) ([][]float64, error) {
	k, _ := h.size()
	meat := newMatrix(k)
	if o.Cluster == nil {
		score := make([]float64, k)
		for r := range h.rows {
			clear(score)
			h.score(beta, r, 1, score)
			addOuter(meat, score, h.weight[r])
		}
		mirror(meat)
		return meat, nil
	}
	names := make([]string, len(tenures))
	var order []int32
	for i, r := range h.source {
		if r >= 0 {
			names[i] = o.Cluster(tenures[i])
			order = append(order, int32(i))
		}
	}
	weight := func(i int32) float64 {
		if w := tenures[i].Weight; w != 0 {
			return w
		}
		return 1
	}
	slices.SortFunc(order, func(i, j int32) int {
		return cmp.Or(cmp.Compare(names[i], names[j]), cmp.Compare(h.source[i], h.source[j]), cmp.Compare(weight(i), weight(j)))
	})
	if names[order[0]] == names[order[len(order)-1]] {
		return nil, errors.New("risk: option Cluster: all rows are in one cluster, which tells nothing of the spread")
	}
	score := make([]float64, k)
	for at, i := range order {
		if at > 0 && names[i] != names[order[at-1]] {
			addOuter(meat, score, 1)
			clear(score)
		}
		h.score(beta, int(h.source[i]), weight(i), score)
	}
	addOuter(meat, score, 1)
	mirror(meat)
	return meat, nil
}

// score adds the gradient of one row.
func (h *personPeriods) score(beta []float64, r int, weight float64, score []float64) {
	row := h.x[r*h.p : (r+1)*h.p]
	eta := dot(beta[h.groups+h.q:], row)
	sum := 0.0
	h.each(r, func(c int, stays, left float64) {
		_, slope, _ := h.link.derivs(eta+h.base(beta, c), stays, left, false)
		slope *= weight
		score[h.cellGroup[c]] += slope
		for j, z := range h.z[c*h.q : (c+1)*h.q] {
			score[h.groups+j] += slope * z
		}
		sum += slope
	})
	for j, x := range row {
		score[h.groups+h.q+j] += sum * x
	}
}

// derivs returns the log-likelihood of a number of periods at eta, with its slope in eta and its information.
func (l Link) derivs(eta, stays, left float64, expected bool) (value, slope, info float64) {
	if l == LogitLink {
		p, q, lnP, lnQ := split(eta)
		return left*lnP + stays*lnQ, left*q - stays*p, (left + stays) * p * q
	}
	e := math.Exp(min(eta, 700)) // so that 0 times it is 0
	q := 1.0                     // e/(exp(e)-1)
	if e > 0 {
		q = e / math.Expm1(e)
	}
	value, slope = -stays*e, left*q-stays*e
	if left > 0 {
		value += left * math.Log(-math.Expm1(-e))
	}
	if expected {
		return value, slope, (left + stays) * e * q
	}
	bend := e + q - 1
	if e < 1e-3 {
		bend = e/2 + e*e/12
	}
	return value, slope, stays*e + left*q*bend
}

// base returns the baseline of a cell.
func (h *personPeriods) base(beta []float64, c int) float64 {
	base := beta[h.cellGroup[c]]
	for j, z := range h.z[c*h.q : (c+1)*h.q] {
		base += beta[h.groups+j] * z
	}
	return base
}

func (h *personPeriods) size() (k, rows int) { return h.groups + h.q + h.p, h.rows }

func (h *personPeriods) add(beta []float64, lo, hi int, expected bool, s *sums) {
	k, _ := h.size()
	first := h.groups + h.q // of the covariates
	base := make([]float64, len(h.cellGroup))
	for c := range base {
		base[c] = h.base(beta, c)
	}
	byGroup := make([]float64, h.groups) // information of the row
	byTime := make([]float64, h.q)
	for r := lo; r < hi; r++ {
		row := h.x[r*h.p : (r+1)*h.p]
		eta, weight := dot(beta[first:], row), h.weight[r]
		var slope, info float64
		for c := h.first[r]; c <= h.last[r]; c++ {
			stays, left := h.inCell(r, c)
			v, u, w := h.link.derivs(eta+base[c], stays, left, expected)
			v, u, w = v*weight, u*weight, w*weight
			g := int(h.cellGroup[c])
			s.logLik += v
			s.grad[g] += u
			s.info[g*k+g] += w
			byGroup[g] += w
			slope, info = slope+u, info+w
			for i, z := range h.z[int(c)*h.q : (int(c)+1)*h.q] {
				s.grad[h.groups+i] += u * z
				s.info[(h.groups+i)*k+g] += w * z
				byTime[i] += w * z
				for j := range i + 1 {
					s.info[(h.groups+i)*k+h.groups+j] += w * z * h.z[int(c)*h.q+j]
				}
			}
		}
		from, to := h.cellGroup[h.first[r]], h.cellGroup[h.last[r]]
		for j, x := range row {
			cross := s.info[(first+j)*k : (first+j)*k+first]
			for g := from; g <= to; g++ {
				cross[g] += byGroup[g] * x
			}
			for i, w := range byTime {
				cross[h.groups+i] += w * x
			}
		}
		clear(byGroup[from : to+1])
		clear(byTime)
		addRow(s, row, first, k, slope, info, 0)
	}
}

func (h *personPeriods) against(d []float64) (worst, largest float64) {
	for r := range h.rows {
		v := dot(d[h.groups+h.q:], h.x[r*h.p:(r+1)*h.p])
		h.each(r, func(c int, stays, left float64) {
			w := v + h.base(d, c)
			largest = max(largest, math.Abs(w))
			if left > 0 {
				worst = max(worst, -w)
			}
			if stays > 0 {
				worst = max(worst, w)
			}
		})
	}
	return worst, largest
}
