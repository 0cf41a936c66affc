package clv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/mle"
	"github.com/custval/custval/ledger"
)

// FitDynamicParetoNBD estimates a Pareto/NBD with covariates that change with time by maximum likelihood: d has one path a
// history, in the order of the histories. The parameters are those of the base and, on fit.Identity, one coefficient for
// each column and parameter it acts on, named Alpha.season, or Alpha+Beta.season where one stands for both. First and
// second derivatives are analytic. The search begins at the fit without covariates, so that its log-likelihood is never
// below that one and fit.Test can compare them.
//
// With a Ridge standard errors are withheld, and Warnings say so; LogLik, AIC and BIC do not count the penalty. The standard
// deviations that the penalty measures covariates in are over customers and time.
//
// FitDynamicParetoNBD returns the errors of FitParetoNBD, and an error if the design has another number of rows than the
// data or paths that end before T, if it does not know when a customer's purchases came, if a covariate is constant over
// customers and time or a combination of others, and if an option names what is not there.
func FitDynamicParetoNBD(ctx context.Context, data *Histories, d *DynamicDesign, o *CovOptions) (*fit.Estimate[DynamicParetoNBD], error) {
	if o == nil {
		o = &CovOptions{}
	}
	if err := data.Validate(); err != nil {
		return nil, err
	}
	if err := d.checkFit(data); err != nil {
		return nil, err
	}
	m, err := newDynamic(d, o)
	if err != nil {
		return nil, err
	}
	without := o.Fit
	without.Start = nil
	base, err := FitParetoNBD(ctx, data, &without)
	if base == nil || ctx.Err() != nil {
		return nil, err
	}
	m.Base = base.Model
	c, err := newDynamicProblem(ctx, data, d, m, o.Fit.Workers)
	if err != nil {
		return nil, err
	}
	return c.fit(ctx, base, m, o)
}

// checkFit is check and looks for the sums over purchases.
func (d *DynamicDesign) checkFit(data *Histories) error {
	if err := d.check(data); err != nil {
		return err
	}
	for i := range data.Rows {
		if h := &data.Rows[i]; h.X > 0 && d.sums[i] == nil {
			return fmt.Errorf("clv: %w", &ledger.RowError{Row: i + 1, Field: "Purchases",
				Err: errors.New("the path has no sum over purchases; WithPurchases gives it")})
		}
	}
	return nil
}

// newDynamic returns the shape of the model that the options ask for, with coefficients of 0.
func newDynamic(d *DynamicDesign, o *CovOptions) (DynamicParetoNBD, error) {
	m, err := newCov[ParetoNBD](&Design{terms: d.terms, columns: make([][]float64, len(d.Columns()))}, o)
	return DynamicParetoNBD(m), err
}

// A dynamicProblem is the likelihood in covariates that are centered and scaled, as covProblem's.
type dynamicProblem struct {
	covProblem
	d      *DynamicDesign
	rows   []dynamicRow
	values []float64 // the scaled rows of all paths, one after the other
	width  int
	alpha  []int // the columns that act
	beta   []int
	place  []int // of each place of a dynamicSum, the parameter
}

func newDynamicProblem(ctx context.Context, data *Histories, d *DynamicDesign, m DynamicParetoNBD, workers int) (*dynamicProblem, error) {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	c := &dynamicProblem{d: d, width: len(m.Effects[0].Coefficients)}
	c.link, _ = CovParetoNBD(m).linkage()
	c.base, c.slots = len(c.link.params), CovParetoNBD(m).slots(len(c.link.params))
	for i, name := range CovParetoNBD(m).names(c.link.params) {
		p := mle.Param{Name: name}
		if i >= c.base {
			p.Scale = fit.Identity
		}
		c.params = append(c.params, p)
	}
	for _, l := range c.link.links {
		c.param, c.sign = append(c.param, l.param), append(c.sign, l.sign)
	}
	for p := range c.base {
		c.place = append(c.place, p)
	}
	for _, s := range c.slots { // those of Alpha come first
		c.place = append(c.place, s.param)
		if s.effect == 0 {
			c.alpha = append(c.alpha, s.column)
		} else {
			c.beta = append(c.beta, s.column)
		}
	}
	if err := c.order(ctx, data, workers); err != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	return c, c.standardize()
}

// order sorts the customers by what they are, so that their order in the data changes nothing, and merges equal ones.
func (c *dynamicProblem) order(ctx context.Context, data *Histories, workers int) error {
	d := c.d
	courses := make([]int, len(d.courses))
	for i := range courses {
		courses[i] = i
	}
	compare := func(i, j int) int {
		a, b := &d.courses[i], &d.courses[j]
		if v := slices.Compare(a.starts, b.starts); v != 0 {
			return v
		}
		for k, row := range a.rows {
			if row != b.rows[k] {
				if v := slices.Compare(d.values[row], d.values[b.rows[k]]); v != 0 {
					return v
				}
			}
		}
		return 0
	}
	sortParallel(ctx, courses, make([]int, len(courses)), compare, workers)
	rank := make([]int, len(courses)) // of a course, the first that equals it
	first := 0
	for k, i := range courses {
		if k == 0 || compare(courses[k-1], i) != 0 {
			first = i
		}
		rank[i] = first
	}
	place := make([]int, len(courses))
	for k, i := range courses {
		place[i] = k
	}
	rows := make([]dynamicRow, len(data.Rows))
	none := make([]float64, c.width)
	for i := range rows {
		h := &data.Rows[i]
		rows[i] = dynamicRow{course: rank[d.of[i]], x: h.X, tx: h.TX, t: h.T, bought: none, weight: float64(h.customers()), index: i}
		if h.X > 0 {
			rows[i].bought = d.sums[i]
		}
	}
	same := func(a, b dynamicRow) int {
		return cmp.Or(cmp.Compare(place[a.course], place[b.course]), cmp.Compare(a.x, b.x), cmp.Compare(a.tx, b.tx), cmp.Compare(a.t, b.t),
			slices.Compare(a.bought, b.bought))
	}
	sortParallel(ctx, rows, make([]dynamicRow, len(rows)), same, workers)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	n := 0
	for _, r := range rows {
		c.weight += r.weight
		if n > 0 && same(rows[n-1], r) == 0 {
			rows[n-1].weight += r.weight
			rows[n-1].index = min(rows[n-1].index, r.index)
			continue
		}
		rows[n] = r
		n++
	}
	c.rows = rows[:n]
	return nil
}

// standardize fills values, mean and scale, by the time that customers were observed under each row, and scales the sums
// over purchases. It returns an error for a column that does not vary or is a combination of those before it.
func (c *dynamicProblem) standardize() error {
	time, total := make([]float64, len(c.d.values)), 0.0
	used := []int{} // in the order of the customers, which does not depend on that of the data
	for _, w := range c.rows {
		course := &c.d.courses[w.course]
		for k, start := range course.starts {
			if start >= w.t {
				break
			}
			until := w.t
			if k+1 < len(course.starts) {
				until = min(until, course.starts[k+1])
			}
			row := course.rows[k]
			if time[row] == 0 {
				used = append(used, int(row))
			}
			time[row] += w.weight * (until - start)
			total += w.weight * (until - start)
		}
	}
	names := c.d.Columns()
	for j, name := range names {
		var mean, square, most float64
		for _, row := range used {
			v := c.d.values[row][j]
			mean += time[row] / total * v
			most = max(most, math.Abs(v))
		}
		for _, row := range used {
			v := c.d.values[row][j] - mean
			square += time[row] / total * v * v
		}
		scale := math.Sqrt(square)
		if !(scale > 1e-10*most) || math.IsInf(scale, 1) {
			return fmt.Errorf("clv: covariate %q: %w", name, errNeverChanges)
		}
		c.mean, c.scale = append(c.mean, mean), append(c.scale, scale)
	}
	c.values = make([]float64, len(c.d.values)*c.width)
	for i, row := range c.d.values {
		for j, v := range row {
			c.values[i*c.width+j] = (v - c.mean[j]) / c.scale[j]
		}
	}
	sums := make([]float64, len(c.rows)*c.width)
	for i := range c.rows {
		w := &c.rows[i]
		scaled := sums[i*c.width : (i+1)*c.width]
		for j, v := range w.bought {
			scaled[j] = (v - float64(w.x)*c.mean[j]) / c.scale[j]
		}
		w.bought = scaled
	}
	return c.independent(names, used, time, total)
}

// independent returns an error for a column that is a combination of those before it, by Cholesky's decomposition of the
// correlations: a pivot is the share of a column that those before it do not explain.
func (c *dynamicProblem) independent(names []string, used []int, time []float64, total float64) error {
	l := make([][]float64, c.width)
	for j := range l {
		l[j] = make([]float64, c.width)
		for k := range j + 1 {
			for _, row := range used {
				l[j][k] += time[row] / total * c.values[row*c.width+j] * c.values[row*c.width+k]
			}
			for q := range k {
				l[j][k] -= l[j][q] * l[k][q]
			}
			if k < j {
				l[j][k] /= l[k][k]
				continue
			}
			if !(l[j][j] > 1e-9) {
				return fmt.Errorf("clv: covariate %q: %w", names[j], errCombination)
			}
			l[j][j] = math.Sqrt(l[j][j])
		}
	}
	return nil
}

// sum adds the log-likelihood of rows with its derivatives. Neighbors that share a path share its track.
func (c *dynamicProblem) sum(rows []dynamicRow, theta []float64, out *mle.Derivs) {
	m := ParetoNBD{theta[0], theta[1], theta[2], theta[3]}
	g := make([]float64, len(c.slots))
	for i, s := range c.slots {
		g[i] = theta[s.param]
	}
	alpha, beta := g[:len(c.alpha)], g[len(c.alpha):]
	second := out.Hess != nil
	a := newDynamicSum(c.alpha, c.beta, second)
	part := mle.Derivs{Grad: make([]float64, a.places)}
	if second {
		part.Hess = make([]float64, a.places*a.places)
	}
	for i := range rows {
		if w := &rows[i]; i == 0 || w.course != rows[i-1].course {
			longest := w.t
			for j := i + 1; j < len(rows) && rows[j].course == w.course; j++ {
				longest = max(longest, rows[j].t)
			}
			course := &c.d.courses[w.course]
			n := pieceAt(course.starts, longest) + 1
			a.track.starts = course.starts[:n]
			a.track.buy.set(course.starts[:n], course.rows, c.values, c.width, c.alpha, alpha, second)
			a.track.leave.set(course.starts[:n], course.rows, c.values, c.width, c.beta, beta, second)
		}
		a.add(&rows[i], m, alpha, &part)
	}
	// A coefficient in two places is one parameter.
	out.Value += part.Value
	for i, p := range c.place {
		out.Grad[p] += part.Grad[i]
	}
	if !second {
		return
	}
	for i, p := range c.place {
		for j := i; j < a.places; j++ {
			q, h := c.place[j], part.Hess[i*a.places+j]
			if i != j && p == q {
				h *= 2
			}
			out.AddHess(min(p, q), max(p, q), h)
		}
	}
}

// fit searches from the fit without covariates, by way of the estimate of one row in sixteen where there are many. Where
// changes in time look to the plain model like customers who are all alike, its fit runs off; the search then begins
// elsewhere.
func (c *dynamicProblem) fit(ctx context.Context, base *fit.Estimate[ParetoNBD], m DynamicParetoNBD, o *CovOptions) (*fit.Estimate[DynamicParetoNBD], error) {
	options := o.Fit
	if options.GradTol == 0 {
		options.GradTol = 1e-6 // the last Newton steps go on to the last digits, which line searches cannot see
	}
	var err error
	if options.Start, err = c.start(o.Fit.Start); err != nil {
		return nil, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	plain := c.without(values(base.Params))
	p := mle.Problem{Params: c.params, Rows: len(c.rows), Weight: c.weight, Second: true,
		Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { c.sum(c.rows[lo:hi], theta, d) }}
	if o.Ridge > 0 {
		p.Prior = func(theta []float64, d *mle.Derivs) { c.penalty(o.Ridge, theta, d) }
		p.Withhold = fmt.Sprintf("the coefficients are shrunken by an L2 penalty of %g", o.Ridge)
	}
	first, others := [][]float64{plain}, c.starts()
	if !identified(base.Cov, values(base.Params)) {
		first, others = others, first
	}
	r, err := c.search(ctx, p, first, options)
	for _, start := range append(others, first...) { // while it ran off, or met another maximum
		if ctx.Err() != nil || (r.Theta != nil && (o.Ridge > 0 || (identified(r.Cov, r.Theta[:c.base]) && r.LogLik >= base.LogLik))) {
			break
		}
		options.Start = nil
		p.Starts = [][]float64{start}
		q, qerr := mle.Maximize(ctx, p, &options)
		if q.Theta != nil && (r.Theta == nil || (q.LogLik > r.LogLik && (qerr == nil || err != nil))) {
			r, err = q, qerr
		}
	}
	if r.Theta == nil {
		return nil, c.located(m.Kind(), err)
	}
	c.unscale(&r)
	e := mle.Estimate(r, c.params, m.withParams(r.Theta))
	e.Customers, e.Unit = int(c.weight), base.Unit
	e.Evaluations += base.Evaluations
	for _, s := range c.slots {
		if p := e.Params[s.param]; p.StdErr*c.scale[s.column] > 2 {
			warning := fmt.Sprintf("%s is identified only in part: its standard error is %.2g", p.Name, p.StdErr)
			if !slices.Contains(e.Warnings, warning) {
				e.Warnings = append(e.Warnings, warning)
			}
		}
	}
	if err != nil {
		return e, fmt.Errorf("clv: fit of %s: %w", m.Kind(), err)
	}
	return e, nil
}

// identified reports whether the data say of each parameter of the base where it is, by the standard error of its log.
func identified(cov [][]float64, base []float64) bool {
	for i, v := range base {
		if cov == nil || !(math.Sqrt(cov[i][i]) <= 2*v) {
			return false
		}
	}
	return true
}

// search maximizes from near the estimate that the starts lead to, and from the starts.
func (c *dynamicProblem) search(ctx context.Context, p mle.Problem, starts [][]float64, options fit.Options) (mle.Result, error) {
	p.Starts = starts
	if options.Start == nil {
		if near := c.near(ctx, p, options); near != nil {
			p.Starts = append([][]float64{near}, starts...)
		}
	}
	return mle.Maximize(ctx, p, &options)
}

// without returns parameters of the base with coefficients of 0.
func (c *dynamicProblem) without(base []float64) []float64 {
	return append(base, make([]float64, len(c.params)-c.base)...)
}

// starts returns those of FitParetoNBD.
func (c *dynamicProblem) starts() [][]float64 {
	var repeats, elapsed float64
	for i := range c.rows {
		w := &c.rows[i]
		repeats += w.weight * float64(w.x)
		elapsed += w.weight * w.t
	}
	rate, age := repeats/elapsed, elapsed/c.weight
	return [][]float64{
		c.without([]float64{0.6, 0.6 / (1.5 * rate), 0.6, 0.4 * age}),
		c.without([]float64{1, 1 / (1.2 * rate), 1, 3 * age}),
		c.without([]float64{3, 3 / (2 * rate), 0.3, 0.1 * age}),
	}
}

// located names the history of a bad row.
func (c *dynamicProblem) located(kind string, err error) error {
	var bad *mle.BadRow
	if errors.As(err, &bad) {
		w := &c.rows[bad.Row]
		err = &ledger.RowError{Row: w.index + 1, Value: fmt.Sprintf("X %d, TX %v, T %v", w.x, w.tx, w.t),
			Err: fmt.Errorf("log-likelihood %v at the start", bad.Value)}
	}
	return fmt.Errorf("clv: fit of %s: %w", kind, err)
}

// near returns a start near the estimate, nil where it finds none: first with the effects on purchases alone, which the data
// tell much of, then with those on leaving, which a search from afar can lose sight of; where there are many rows, from one
// in sixteen.
func (c *dynamicProblem) near(ctx context.Context, p mle.Problem, options fit.Options) []float64 {
	const step, enough = 16, 16_000
	rows := c.rows
	if len(rows) >= enough {
		rows, p.Weight = nil, 0
		for i := 0; i < len(c.rows); i += step {
			rows = append(rows, c.rows[i])
			p.Weight += c.rows[i].weight
		}
		p.Rows = len(rows)
		p.Sum = func(theta []float64, lo, hi int, d *mle.Derivs) { c.sum(rows[lo:hi], theta, d) }
	}
	options.GradTol, options.Progress = 1e-3, nil
	p.Fixed = make([]bool, len(c.params))
	fixed := false
	for i, s := range c.slots {
		first := slices.IndexFunc(c.slots, func(t slot) bool { return t.param == s.param }) == i
		if s.effect == 1 && first {
			p.Fixed[s.param], fixed = true, true
		}
	}
	var start []float64
	if fixed {
		r, err := mle.Maximize(ctx, p, &options)
		if start = r.Theta; err != nil || (p.Withhold == "" && !identified(r.Cov, start[:c.base])) { // it ran off, which the rest may not
			return nil
		}
		p.Starts = [][]float64{start}
	}
	if len(rows) < len(c.rows) {
		p.Fixed = nil
		if r, err := mle.Maximize(ctx, p, &options); err == nil {
			return r.Theta
		}
	}
	return start
}
