package budget

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"gonum.org/v1/gonum/stat/distuv"
)

// Caution is what every fit says about its own worth.
const Caution = "fitted to observed spends: unless these were set at random, the curve describes the past and does not say what a change of spend would cause; beyond the spends observed it is a guess"

// A Point is what was spent on a channel in a period and what came of it.
type Point struct {
	Spend    float64 // in units of the currency, plain or at work (see Geometric.Apply)
	Response float64 // customers won, or what else the curve is to give
	Weight   float64 // inverse of the variance of Response up to a factor; 0 means 1
}

// A Fit is a response curve with what is known of its precision.
type Fit[M Curve] struct {
	Estimate  *fit.Estimate[M] `json:"estimate"`   // the curve, its parameters with standard errors and covariance, AIC and BIC of normal errors; Customers counts points
	Points    int              `json:"points"`     // points used
	DF        int              `json:"df"`         // points less parameters
	RSS       float64          `json:"rss"`        // weighted sum of squared residuals
	Sigma     float64          `json:"sigma"`      // residual standard deviation, sqrt(RSS/DF); 0 without degrees of freedom
	RSquared  float64          `json:"r_squared"`  // 1 - RSS / weighted sum of squares about the mean
	SpendLow  float64          `json:"spend_low"`  // least spend observed
	SpendHigh float64          `json:"spend_high"` // greatest spend observed
	Caution   string           `json:"caution"`    // see Caution
}

// A family is what the fit knows of a curve with parameters theta = (A, shape...).
type family[M Curve] struct {
	names  []string
	scales []fit.Scale
	make   func(theta []float64) M
	grad   func(theta []float64, x float64, g []float64) float64 // value at x; g gets the derivatives by the working parameters
	shapes func(low, high float64) [][]float64                   // shape parameters to begin from, low and high the least positive and the greatest spend
}

// FitPower estimates the curve by non-linear least squares,
//
//	minimize  sum of Weight (Response - r(Spend))^2
//
// by the method of Levenberg and Marquardt from the best points of a grid. The covariance is Sigma^2 times the inverse of
// J'WJ, J the derivatives of the response by the parameters.
//
// FitPower returns a ledger.RowError with the number of a point that is negative or not finite; an error that wraps
// [ErrTooFewPoints]; one that wraps fit.ErrDiverged where the points show no such curve, which for a power means that
// responses rise as fast as the spend; one that wraps fit.ErrNotConverged, each with the best curve so far; and the
// context's error.
func FitPower(ctx context.Context, points []Point, o *fit.Options) (*Fit[Power], error) {
	return estimate(ctx, points, o, family[Power]{
		names: []string{"A", "B"}, scales: []fit.Scale{fit.Log, fit.Logit},
		make: func(v []float64) Power { return Power{v[0], v[1]} },
		grad: func(v []float64, x float64, g []float64) float64 {
			r := Power{v[0], v[1]}.Response(x)
			g[0], g[1] = r, 0
			if x > 0 {
				g[1] = r * math.Log(x) * v[1] * (1 - v[1])
			}
			return r
		},
		shapes: func(float64, float64) [][]float64 {
			var s [][]float64
			for b := 0.025; b < 1; b += 0.025 {
				s = append(s, []float64{b})
			}
			return s
		},
	})
}

// FitLog estimates the curve as [FitPower] does. It diverges where the responses show no bend.
func FitLog(ctx context.Context, points []Point, o *fit.Options) (*Fit[Log], error) {
	return estimate(ctx, points, o, family[Log]{
		names: []string{"A", "C"}, scales: []fit.Scale{fit.Log, fit.Log},
		make: func(v []float64) Log { return Log{v[0], v[1]} },
		grad: func(v []float64, x float64, g []float64) float64 {
			r := Log{v[0], v[1]}.Response(x)
			g[0], g[1] = r, -v[0]*x/(v[1]+x)
			return r
		},
		shapes: scaleGrid(false),
	})
}

// FitNegExp estimates the curve as [FitPower] does. It diverges where the responses show no bend.
func FitNegExp(ctx context.Context, points []Point, o *fit.Options) (*Fit[NegExp], error) {
	return estimate(ctx, points, o, family[NegExp]{
		names: []string{"A", "K"}, scales: []fit.Scale{fit.Log, fit.Log},
		make: func(v []float64) NegExp { return NegExp{v[0], v[1]} },
		grad: func(v []float64, x float64, g []float64) float64 {
			r := NegExp{v[0], v[1]}.Response(x)
			g[0], g[1] = r, v[0]*v[1]*x*math.Exp(-v[1]*x)
			return r
		},
		shapes: scaleGrid(true),
	})
}

// FitMichaelisMenten estimates the curve as [FitPower] does. It diverges where the responses show no bend.
func FitMichaelisMenten(ctx context.Context, points []Point, o *fit.Options) (*Fit[MichaelisMenten], error) {
	return estimate(ctx, points, o, family[MichaelisMenten]{
		names: []string{"A", "C"}, scales: []fit.Scale{fit.Log, fit.Log},
		make: func(v []float64) MichaelisMenten { return MichaelisMenten{v[0], v[1]} },
		grad: func(v []float64, x float64, g []float64) float64 {
			r := MichaelisMenten{v[0], v[1]}.Response(x)
			g[0], g[1] = r, -r*v[1]/(v[1]+x)
			return r
		},
		shapes: scaleGrid(false),
	})
}

// FitHill estimates the curve as [FitPower] does. It needs spends on both sides of the bend.
func FitHill(ctx context.Context, points []Point, o *fit.Options) (*Fit[Hill], error) {
	return estimate(ctx, points, o, family[Hill]{
		names: []string{"A", "C", "S"}, scales: []fit.Scale{fit.Log, fit.Log, fit.Log},
		make: func(v []float64) Hill { return Hill{v[0], v[1], v[2]} },
		grad: func(v []float64, x float64, g []float64) float64 {
			r := Hill{v[0], v[1], v[2]}.Response(x)
			g[0], g[1], g[2] = r, 0, 0
			if x > 0 {
				rest := 1 / (1 + math.Pow(x/v[1], v[2]))
				g[1], g[2] = -r*rest*v[2], r*rest*v[2]*math.Log(x/v[1])
			}
			return r
		},
		shapes: func(low, high float64) [][]float64 {
			var s [][]float64
			for _, c := range scaleGrid(false)(low, high) {
				for k := -4; k <= 12; k++ {
					s = append(s, []float64{c[0], math.Exp2(float64(k) / 4)})
				}
			}
			return s
		},
	})
}

// scaleGrid returns spends around those observed, or their inverse.
func scaleGrid(inverse bool) func(low, high float64) [][]float64 {
	return func(low, high float64) [][]float64 {
		var s [][]float64
		a, b := math.Log(low/20), math.Log(high*20)
		for k := range 41 {
			c := math.Exp(a + (b-a)*float64(k)/40)
			if inverse {
				c = 1 / c
			}
			s = append(s, []float64{c})
		}
		return s
	}
}

func estimate[M Curve](ctx context.Context, points []Point, o *fit.Options, f family[M]) (*Fit[M], error) {
	if err := o.Validate(); err != nil {
		return nil, fail("%w", err)
	}
	opt := o.WithDefaults()
	k := len(f.names)
	low, high, err := checkPoints(points, k)
	if err != nil {
		return nil, err
	}
	starts, err := startsOf(points, opt, f, low, high)
	if err != nil {
		return nil, err
	}
	out := &Fit[M]{Points: len(points), DF: len(points) - k, SpendLow: math.Inf(1), SpendHigh: high, Caution: Caution}
	for _, p := range points {
		out.SpendLow = min(out.SpendLow, p.Spend)
	}
	var best lsq
	evaluations := 0
	for i, start := range starts {
		s := newLSQ(points, f.scales, f.grad)
		reason := s.run(ctx, start, opt, i)
		evaluations += s.evaluations
		if i == 0 || s.rss < best.rss*(1-1e-12) || best.stop != fit.Converged && s.stop == fit.Converged && s.rss <= best.rss*(1+1e-9) {
			best = *s
		}
		if reason != nil {
			best.stop = fit.Canceled
			break
		}
	}
	best.bounds(low, high, f.names)
	out.finish(points, best, f, evaluations)
	switch best.stop {
	case fit.Canceled:
		return out, fail("%w", ctx.Err())
	case fit.Diverged:
		return out, fail("%w: %s; the points show no %s curve: try another curve or a wider range of spends", fit.ErrDiverged, best.reason, kindOf(out.Estimate.Model))
	case fit.Converged:
		return out, nil
	}
	return out, fail("%w after %d iterations (%s): give other starts or more iterations", fit.ErrNotConverged, best.iter, best.stop)
}

func kindOf(m any) string {
	if k, ok := m.(interface{ Kind() string }); ok {
		return k.Kind()
	}
	return ""
}

func checkPoints(points []Point, params int) (low, high float64, err error) {
	low = math.Inf(1)
	spends := map[float64]bool{}
	some := false
	for i, p := range points {
		for _, v := range []struct {
			name  string
			value float64
			ok    bool
		}{
			{"spend", p.Spend, p.Spend >= 0 && p.Spend <= math.MaxFloat64},
			{"response", p.Response, math.Abs(p.Response) <= math.MaxFloat64},
			{"weight", p.Weight, p.Weight >= 0 && p.Weight <= math.MaxFloat64},
		} {
			if !v.ok {
				why := errors.New("not a finite number of at least 0")
				if v.name == "response" {
					why = errors.New("not a finite number")
				}
				return 0, 0, fail("%w", &ledger.RowError{Row: i + 1, Field: v.name, Value: fmt.Sprint(v.value), Err: why})
			}
		}
		if p.Spend > 0 {
			low, high = min(low, p.Spend), max(high, p.Spend)
			spends[p.Spend] = true
			some = some || p.Response > 0
		}
	}
	if len(spends) < params {
		return 0, 0, fail("%w: %d different spends above 0, %d parameters", ErrTooFewPoints, len(spends), params)
	}
	if !some {
		return 0, 0, fail("no point has a response above 0")
	}
	return low, high, nil
}

// startsOf returns the best shapes of the grid, each with the A that suits it best.
func startsOf[M Curve](points []Point, o fit.Options, f family[M], low, high float64) ([][]float64, error) {
	if o.Start != nil {
		if len(o.Start) != len(f.names) {
			return nil, fail("start: %d values, the curve has %d parameters", len(o.Start), len(f.names))
		}
		if v, ok := any(f.make(o.Start)).(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				return nil, fmt.Errorf("%w (in the start)", err)
			}
		}
		return [][]float64{o.Start}, nil
	}
	type candidate struct {
		theta []float64
		rss   float64
	}
	var all []candidate
	g := make([]float64, len(f.names))
	for _, shape := range f.shapes(low, high) {
		theta := append([]float64{1}, shape...)
		cross, square, rss := 0.0, 0.0, 0.0
		for _, p := range points {
			r := f.grad(theta, p.Spend, g)
			cross += p.weight() * r * p.Response
			square += p.weight() * r * r
		}
		if theta[0] = cross / square; !(theta[0] > 0 && theta[0] <= math.MaxFloat64) {
			continue
		}
		for _, p := range points {
			d := p.Response - f.grad(theta, p.Spend, g)
			rss += p.weight() * d * d
		}
		all = append(all, candidate{theta, rss})
	}
	if len(all) == 0 {
		return nil, fail("the responses do not rise with the spend at all")
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		switch {
		case a.rss < b.rss:
			return -1
		case a.rss > b.rss:
			return 1
		}
		return 0
	})
	var starts [][]float64
	for i := 0; i < len(all) && i < 4; i++ {
		starts = append(starts, all[i].theta)
	}
	return starts, nil
}

func (p Point) weight() float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

// finish turns the end of a search into a Fit.
func (out *Fit[M]) finish(points []Point, s lsq, f family[M], evaluations int) {
	k := len(f.names)
	e := &fit.Estimate[M]{Model: f.make(s.theta), Customers: len(points), Iter: s.iter, Evaluations: evaluations, Stop: s.stop}
	out.RSS = s.rss
	mean, weight, tss, logWeights := 0.0, 0.0, 0.0, 0.0
	for _, p := range points {
		mean += p.weight() * p.Response
		weight += p.weight()
		logWeights += math.Log(p.weight())
	}
	mean /= weight
	for _, p := range points {
		tss += p.weight() * (p.Response - mean) * (p.Response - mean)
	}
	if tss > 0 {
		out.RSquared = 1 - s.rss/tss
	}
	n := float64(len(points))
	floor := 1e-30 * (tss + s.rss)
	if s.rss <= floor {
		e.Warnings = append(e.Warnings, "the curve passes through every point")
	}
	e.LogLik = -n/2*(math.Log(2*math.Pi*max(s.rss, floor, math.SmallestNonzeroFloat64)/n)+1) + logWeights/2
	cov := [][]float64(nil)
	if out.DF > 0 {
		out.Sigma = math.Sqrt(s.rss / float64(out.DF))
		cov = s.covariance(out.Sigma * out.Sigma)
		if cov == nil {
			e.Warnings = append(e.Warnings, "no covariance: the points do not tell the parameters apart")
		}
	} else {
		e.Warnings = append(e.Warnings, "no covariance: as many parameters as points")
	}
	if s.stop != fit.Converged {
		cov = nil
	}
	e.Cov = cov
	for j := range k {
		p := fit.Param{Name: f.names[j], Value: s.theta[j], StdErr: math.NaN(), Scale: f.scales[j]}
		if cov != nil {
			p.StdErr = math.Sqrt(cov[j][j])
		}
		e.Params = append(e.Params, p)
	}
	out.Estimate = e
}

// Interval returns one interval a parameter by Student's t with DF degrees of freedom, symmetric on the parameter's
// Scale as that of the estimate, which uses the normal distribution and is too narrow for few points. It returns an error
// if level is not between 0 and 1, and one that wraps fit.ErrNoCovariance.
func (out *Fit[M]) Interval(level float64) ([][2]float64, error) {
	if !(level > 0 && level < 1) {
		return nil, fail("level %v: not between 0 and 1", level)
	}
	if out.Estimate == nil || out.Estimate.Cov == nil || out.DF < 1 {
		return nil, fail("%w", fit.ErrNoCovariance)
	}
	t := studentQuantile(level, out.DF)
	intervals := make([][2]float64, len(out.Estimate.Params))
	for i, p := range out.Estimate.Params {
		switch p.Scale {
		case fit.Logit:
			d := t * p.StdErr / (p.Value * (1 - p.Value))
			odds := p.Value / (1 - p.Value)
			lo, hi := odds*math.Exp(-d), odds*math.Exp(d)
			intervals[i] = [2]float64{lo / (1 + lo), 1 / (1 + 1/hi)}
		case fit.Log:
			d := t * p.StdErr / p.Value
			intervals[i] = [2]float64{p.Value * math.Exp(-d), p.Value * math.Exp(d)}
		default:
			intervals[i] = [2]float64{p.Value - t*p.StdErr, p.Value + t*p.StdErr}
		}
	}
	return intervals, nil
}

// A Band is the response at a spend with its interval.
type Band struct {
	Spend    float64 `json:"spend"`
	Response float64 `json:"response"`
	Low      float64 `json:"low"`     // of the mean response, at least 0
	High     float64 `json:"high"`    //
	Outside  bool    `json:"outside"` // the spend is beyond those observed
}

// Band returns the mean response at spends with intervals by the delta method and Student's t. It returns the errors of
// Interval, and one if a spend is negative or not finite.
func (out *Fit[M]) Band(level float64, spends ...float64) ([]Band, error) {
	if _, err := out.Interval(level); err != nil {
		return nil, err
	}
	t := studentQuantile(level, out.DF)
	grad, ok := any(out.Estimate.Model).(interface{ gradient(x float64) []float64 })
	if !ok {
		return nil, fail("no derivatives of the curve by its parameters")
	}
	bands := make([]Band, len(spends))
	for i, x := range spends {
		if !(x >= 0 && x <= math.MaxFloat64) {
			return nil, fail("spend %v: not a number of at least 0", x)
		}
		g := grad.gradient(x)
		variance := 0.0
		for a := range g {
			for b := range g {
				variance += g[a] * out.Estimate.Cov[a][b] * g[b]
			}
		}
		r := out.Estimate.Model.Response(x)
		half := t * math.Sqrt(max(0, variance))
		bands[i] = Band{x, r, max(0, r-half), r + half, x < out.SpendLow || x > out.SpendHigh}
	}
	return bands, nil
}

// String returns the estimate's table with the quality of the fit and the caution.
func (out *Fit[M]) String() string {
	return fmt.Sprintf("%sR squared %.4f, residual standard deviation %.6g on %d degrees of freedom, spends from %.6g to %.6g\n%s\n",
		out.Estimate, out.RSquared, out.Sigma, out.DF, out.SpendLow, out.SpendHigh, out.Caution)
}

func studentQuantile(level float64, df int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(df)}.Quantile(0.5 + level/2)
}

func (m Power) gradient(x float64) []float64 {
	if x == 0 {
		return []float64{0, 0}
	}
	p := math.Pow(x, m.B)
	return []float64{p, m.A * p * math.Log(x)}
}

func (m Log) gradient(x float64) []float64 {
	return []float64{math.Log1p(x / m.C), -m.A * x / m.C / (m.C + x)}
}

func (m NegExp) gradient(x float64) []float64 {
	return []float64{-math.Expm1(-m.K * x), m.A * x * math.Exp(-m.K*x)}
}

func (m MichaelisMenten) gradient(x float64) []float64 {
	return []float64{x / (m.C + x), -m.A * x / (m.C + x) / (m.C + x)}
}

func (m Hill) gradient(x float64) []float64 {
	if x == 0 {
		return []float64{0, 0, 0}
	}
	z := math.Pow(m.C/x, m.S)
	r := 1 / (1 + z)
	rest := z / (1 + z)
	return []float64{r, -m.A * r * rest * m.S / m.C, m.A * r * rest * math.Log(x/m.C)}
}
