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
)

// FitNormalNormal estimates the model by maximum likelihood from X, Spend and Count of the customers with a repeat
// purchase; the mean is the exact Spend/X, of any sign. The others are left out, and the estimate's Warnings say how
// many. The derivatives are analytic; the estimate's Unit is 0, since the model has no time.
//
// A history has the mean of its purchases and not their spread: Sigma is known only from how the means vary less the
// more purchases they are of, so the histories need different X, and many of them.
//
// The model holds only if spend has nothing to do with frequency. The Warnings say so where the correlation of the mean
// spend with X over the customers used is 0.2 or more in size and more than three standard errors from 0 (Fisher's z).
//
// FitNormalNormal returns an error if a history does not validate, if currencies are mixed, and if no customer can be
// used. With an estimate it returns one that wraps fit.ErrDiverged where the means vary as if Sigma or Tau were 0, and
// one that wraps fit.ErrNotConverged or the context's error; without one, fit.ErrDiverged where all have the same X or
// all the same mean.
func FitNormalNormal(ctx context.Context, data *Histories, o *fit.Options) (*fit.Estimate[NormalNormal], error) {
	s, err := newNormalSample(data)
	if err != nil {
		return nil, err
	}
	if err := s.estimable(); err != nil {
		return nil, fmt.Errorf("clv: fit of normalnormal: %w", err)
	}
	p := mle.Problem{
		Params: []mle.Param{{Name: "Mu", Scale: fit.Identity}, {Name: "Tau"}, {Name: "Sigma"}},
		Rows:   len(s.rows), Weight: s.weight, Second: true,
		Sum:    func(theta []float64, lo, hi int, d *mle.Derivs) { sumNormalNormal(s.rows[lo:hi], theta, d) },
		Starts: s.starts(),
	}
	r, err := mle.Maximize(ctx, p, s.options(o))
	if r.Theta == nil {
		return nil, fmt.Errorf("clv: fit of normalnormal: %w", err)
	}
	if errors.Is(err, fit.ErrDiverged) || err == nil && r.Cov == nil {
		if reason := s.boundary(r.Theta); reason != "" {
			r.Stop, r.Warnings = fit.Diverged, nil
			err = fmt.Errorf("%w: %s", fit.ErrDiverged, reason)
		}
	}
	s.restore(&r)
	e := mle.Estimate(r, p.Params, NormalNormal{r.Theta[0], r.Theta[1], r.Theta[2]})
	e.Customers = int(s.weight)
	e.Warnings = append(e.Warnings, s.warnings()...)
	if err != nil {
		return e, fmt.Errorf("clv: fit of normalnormal: %w", err)
	}
	return e, nil
}

// evidence searches in the sample's units.
func (m NormalNormal) evidence(_ context.Context, data *Histories) (*evidence, error) {
	s, err := newNormalSample(data)
	if err != nil {
		return nil, err
	}
	if len(s.rows) == 0 {
		return nil, fmt.Errorf("clv: normalnormal: %w", errNoRepeatSpend)
	}
	if !s.varied() {
		// The prior alone tells the deviations; their scale is the mean's.
		if s.sd = math.Abs(s.mean); s.sd == 0 {
			s.sd = 1
		}
		for i := range s.rows {
			s.rows[i].z = 0
		}
	}
	return &evidence{
		problem: mle.Problem{
			Params: []mle.Param{{Name: "Mu", Scale: fit.Identity}, {Name: "Tau"}, {Name: "Sigma"}},
			Rows:   len(s.rows), Weight: s.weight, Second: true,
			Sum: func(theta []float64, lo, hi int, d *mle.Derivs) { sumNormalNormal(s.rows[lo:hi], theta, d) },
		},
		vague:    []Density{Normal(s.mean, 3*s.sd), LogNormal(s.sd, 1.5), LogNormal(s.sd, 1.5)},
		warnings: s.warnings(),
		shift:    []float64{s.mean, 0, 0},
		factor:   []float64{s.sd, s.sd, s.sd},
		offset:   -s.weight * math.Log(s.sd),
	}, nil
}

// A normalRow is what the likelihood reads of a customer.
type normalRow struct {
	x, z   float64 // purchases, and their mean less that of the sample in its standard deviations
	weight float64
}

// A normalSample is the customers of a fit: equal ones merged, sorted by x and mean, the means standardized, so that
// the search does not depend on the currency.
type normalSample struct {
	rows       []normalRow
	weight     float64 // customers used
	mean, sd   float64 // of the means
	neverAgain int     // customers left out because they have no repeat purchase
}

func newNormalSample(hs *Histories) (*normalSample, error) {
	if err := hs.Validate(); err != nil {
		return nil, err
	}
	if _, err := hs.currency(); err != nil {
		return nil, err
	}
	s := &normalSample{}
	rows := make([]normalRow, 0, len(hs.Rows))
	for i := range hs.Rows {
		h := &hs.Rows[i]
		if h.X == 0 {
			s.neverAgain += h.customers()
			continue
		}
		rows = append(rows, normalRow{float64(h.X), h.MeanSpend(), float64(h.customers())})
	}
	slices.SortFunc(rows, func(a, b normalRow) int {
		return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.z, b.z))
	})
	for _, r := range rows {
		if n := len(s.rows); n > 0 && s.rows[n-1].x == r.x && s.rows[n-1].z == r.z {
			s.rows[n-1].weight += r.weight
		} else {
			s.rows = append(s.rows, r)
		}
	}
	for _, r := range s.rows {
		s.weight += r.weight
		s.mean += r.weight * r.z
	}
	s.mean /= s.weight
	for _, r := range s.rows {
		s.sd += r.weight * (r.z - s.mean) * (r.z - s.mean)
	}
	s.sd = math.Sqrt(s.sd / s.weight)
	for i := range s.rows {
		s.rows[i].z = (s.rows[i].z - s.mean) / s.sd
	}
	return s, nil
}

var errNoRepeatSpend = errors.New("no customer has a repeat purchase")

// varied reports whether the customers' means differ.
func (s *normalSample) varied() bool { return s.sd > 1e-9*math.Abs(s.mean) }

// estimable returns an error where the data cannot tell the parameters.
func (s *normalSample) estimable() error {
	switch {
	case len(s.rows) == 0:
		return errNoRepeatSpend
	case !s.varied():
		return fmt.Errorf("all %v customers have the same mean spend, %.6g, so that %w: %w; value them at that spend",
			s.weight, s.mean, errSameSpend, fit.ErrDiverged)
	case s.rows[0].x == s.rows[len(s.rows)-1].x:
		return fmt.Errorf("all %v customers have X = %v, so that the variance between customers cannot be told from that between a customer's purchases: %w",
			s.weight, s.rows[0].x, fit.ErrDiverged)
	}
	return nil
}

// starts are the moments: the regression of the squared deviation on 1/x, and both extremes.
func (s *normalSample) starts() [][]float64 {
	var mu, mi, uu, ui float64
	for _, r := range s.rows {
		mu += r.weight / r.x
		mi += r.weight * r.z * r.z
	}
	mu, mi = mu/s.weight, mi/s.weight
	for _, r := range s.rows {
		u := 1/r.x - mu
		uu += r.weight * u * u
		ui += r.weight * u * (r.z*r.z - mi)
	}
	within := min(0.95/mu, max(0.05/mu, ui/uu))
	between := max(0.05, 1-within*mu)
	return [][]float64{{0, math.Sqrt(between), math.Sqrt(within)}, {0, 0.9, 0.5}, {0, 0.3, 1}}
}

// options returns the options in the sample's units.
func (s *normalSample) options(o *fit.Options) *fit.Options {
	if o == nil {
		return nil
	}
	c := *o
	if len(o.Start) == 3 {
		c.Start = []float64{(o.Start[0] - s.mean) / s.sd, o.Start[1] / s.sd, o.Start[2] / s.sd}
	}
	if o.Progress != nil {
		c.Progress = func(p fit.Progress) {
			p.LogLik -= s.weight * math.Log(s.sd)
			o.Progress(p)
		}
	}
	return &c
}

// restore puts a result into the currency's unit.
func (s *normalSample) restore(r *mle.Result) {
	r.LogLik -= s.weight * math.Log(s.sd)
	theta := []float64{s.mean + s.sd*r.Theta[0], s.sd * r.Theta[1], s.sd * r.Theta[2]}
	r.Theta = theta
	for i := range r.Cov {
		for j := range r.Cov[i] {
			r.Cov[i][j] *= s.sd * s.sd
		}
	}
}

// boundary says which deviation has fallen to 0, or nothing.
func (s *normalSample) boundary(theta []float64) string {
	const none = 1e-3
	switch {
	case theta[2] < none:
		return "the means vary no more among customers with few purchases than among those with many, so that Sigma falls to 0 and every customer is valued at the own mean"
	case theta[1] < none:
		return fmt.Sprintf("the means vary no more than the purchases of one customer would, so that Tau falls to 0 and every customer is valued at Mu = %.6g",
			s.mean+s.sd*theta[0])
	}
	return ""
}

// warnings say what was left out and where the model is in doubt.
func (s *normalSample) warnings() []string {
	var out []string
	if s.neverAgain > 0 {
		out = append(out, fmt.Sprintf("%d customers without a repeat purchase are not used", s.neverAgain))
	}
	if r := s.correlation(); math.Abs(r) >= 0.2 && math.Abs(math.Atanh(r))*math.Sqrt(s.weight-3) > 3 {
		out = append(out, fmt.Sprintf("spend and frequency are correlated (r = %.2f between the mean spend and X): "+
			"the model takes them as independent", r))
	}
	return out
}

// correlation returns Pearson's r of mean and x over the customers; the means have mean 0 and variance 1.
func (s *normalSample) correlation() float64 {
	mx := 0.0
	for _, r := range s.rows {
		mx += r.weight * r.x
	}
	mx /= s.weight
	var xx, xz float64
	for _, r := range s.rows {
		xx += r.weight * (r.x - mx) * (r.x - mx)
		xz += r.weight * (r.x - mx) * r.z
	}
	return xz / math.Sqrt(xx*s.weight)
}

// sumNormalNormal adds the log-likelihood of the rows with its first and second derivatives in Mu, Tau, Sigma.
func sumNormalNormal(rows []normalRow, theta []float64, d *mle.Derivs) {
	mu, tau, sigma := theta[0], theta[1], theta[2]
	for i := range rows {
		w := &rows[i]
		v := tau*tau + sigma*sigma/w.x
		off := w.z - mu
		z := off / v
		// First and second derivatives in v, and of v.
		fv, fvv := (off*z-1)/(2*v), (0.5-off*z)/(v*v)
		vt, vs := 2*tau, 2*sigma/w.x
		d.Value += w.weight * (-logSqrt2Pi - math.Log(v)/2 - off*z/2)
		d.Grad[0] += w.weight * z
		d.Grad[1] += w.weight * fv * vt
		d.Grad[2] += w.weight * fv * vs
		if d.Hess == nil {
			continue
		}
		d.AddHess(0, 0, -w.weight/v)
		d.AddHess(0, 1, -w.weight*z/v*vt)
		d.AddHess(0, 2, -w.weight*z/v*vs)
		d.AddHess(1, 1, w.weight*(fvv*vt*vt+2*fv))
		d.AddHess(1, 2, w.weight*fvv*vt*vs)
		d.AddHess(2, 2, w.weight*(fvv*vs*vs+2*fv/w.x))
	}
}
