package experiment

import (
	"context"
	"fmt"
	"math"

	"github.com/custval/custval/money"
)

// An Arm is a group of customers who were treated alike, chosen at random.
type Arm struct {
	Name   string    // unique and not empty
	Values []float64 // what each customer was worth, in units of the currency; 0 for those who bought nothing
	Before []float64 // what the same customers were worth before the experiment, for CUPED; nil: not known
}

// Options are the rules of [AnalyzeValues] and [AnalyzeRates]. The zero Options, like nil, are the defaults, but for
// AnalyzeValues, which needs the Currency.
type Options struct {
	Currency   money.Currency // of the values
	Level      float64        // of intervals and tests; 0: 0.95
	Correction Correction     // of the p-values of several treatments; empty: HolmBonferroni
	Shares     []float64      // by which customers were assigned to the arms: checked against their numbers; nil: no check
	Population int            // customers who would be treated, for uplift in total; 0: those of the treatment
	Sequential float64        // above 0: confidence sequences beside the other intervals, for so many customers expected in total
	Resamples  int            // above 0: bootstrap intervals beside the other intervals, of so many resamples (values only)
	Seed       uint64         // of the bootstrap
	Prior      Beta           // of conversion rates; the zero Beta: uniform (rates only)
	Value      money.Amount   // what a conversion is worth, such as the CLV of a new customer; the zero Amount: not known (rates only)
}

func (o *Options) withDefaults(arms int) (Options, error) {
	var r Options
	if o != nil {
		r = *o
	}
	var err error
	if r.Level, err = checkLevel(r.Level); err != nil {
		return r, err
	}
	if r.Correction == "" {
		r.Correction = HolmBonferroni
	}
	if _, err := r.Correction.Adjust(nil); err != nil {
		return r, err
	}
	switch {
	case arms < 2:
		return r, fail("%w: %d arms, at least 2", ErrTooFew, arms)
	case r.Population < 0:
		return r, fail("population %d: negative", r.Population)
	case r.Resamples < 0:
		return r, fail("%d resamples: negative", r.Resamples)
	case !(r.Sequential >= 0) || !isFinite(r.Sequential):
		return r, fail("expected number of customers %v: not a number of at least 0", r.Sequential)
	}
	return r, nil
}

// interval returns the level of each interval: with PlainBonferroni all hold together with the level.
func (o Options) interval(arms int) float64 {
	if o.Correction == PlainBonferroni {
		return 1 - (1-o.Level)/float64(arms-1)
	}
	return o.Level
}

// A Worth is an uplift in money.
type Worth struct {
	PerCustomer money.Amount `json:"per_customer"` // effect per customer, half to even to the minor unit, as all of these
	Low         money.Amount `json:"low"`          // of its interval
	High        money.Amount `json:"high"`
	Population  int          `json:"population"` // customers for the total
	Total       money.Amount `json:"total"`      // effect times population, from the unrounded effect
	TotalLow    money.Amount `json:"total_low"`
	TotalHigh   money.Amount `json:"total_high"`
}

func worthOf(e Effect, scale float64, population int, c money.Currency) (Worth, error) {
	w := Worth{Population: population}
	n := float64(population)
	for _, f := range []struct {
		to    *money.Amount
		value float64
	}{{&w.PerCustomer, e.Estimate}, {&w.Low, e.Low}, {&w.High, e.High}, {&w.Total, e.Estimate * n}, {&w.TotalLow, e.Low * n}, {&w.TotalHigh, e.High * n}} {
		var err error
		if *f.to, err = money.FromFloat(f.value*scale, c, money.HalfEven); err != nil {
			return w, fail("uplift: %w", err)
		}
	}
	return w, nil
}

// An ArmValue is what the customers of an arm were worth.
type ArmValue struct {
	Name      string       `json:"name"`
	Customers int          `json:"customers"`
	Buyers    int          `json:"buyers"` // customers with a value other than 0
	Mean      money.Amount `json:"mean"`   // per customer, half to even to the minor unit
	Sample    Sample       `json:"sample"` // unrounded
}

// An Uplift is what a treatment added to the value of customers.
type Uplift struct {
	Arm         string           `json:"arm"`
	Effect      Effect           `json:"effect"`               // the answer: by CUPED if Before is known, else by Welch's t
	Worth       Worth            `json:"worth"`                // the answer in money
	PAdjusted   float64          `json:"p_adjusted"`           // Effect.P corrected for the number of treatments
	Significant bool             `json:"significant"`          // PAdjusted < 1 - Level
	Relative    *Effect          `json:"relative,omitempty"`   // relative to the control, by the same values as Effect; nil if the control's mean is 0
	CUPED       *Adjustment      `json:"cuped,omitempty"`      // with covariate; nil without one
	Sequential  *Effect          `json:"sequential,omitempty"` // see Sequential, by the same values; nil unless asked for
	Bootstrap   *BootstrapResult `json:"bootstrap,omitempty"`  // of the values as they are, without covariate; nil unless asked for
}

// A ValueReport is an experiment on value.
type ValueReport struct {
	Currency   money.Currency `json:"currency"`
	Level      float64        `json:"level"`
	Correction Correction     `json:"correction"`
	Mismatch   *Mismatch      `json:"mismatch,omitempty"` // sample ratio check; nil if no shares were given
	Arms       []ArmValue     `json:"arms"`               // in the order given; the first is the control
	Uplifts    []Uplift       `json:"uplifts"`            // one for each other arm
	Warnings   []string       `json:"warnings,omitempty"`
}

// AnalyzeValues compares the value per customer of treatments with that of a control, the first arm: by [CUPED] where all
// arms have a covariate, else by [Welch]. It returns the uplift in money, and p-values corrected for the number of
// treatments. Sample ratio mismatches, and covariates that differ before the experiment, are warnings in the report.
//
// It returns an error if the currency is missing, a name is empty or there twice, only some arms have covariates, or an
// option is out of range; those of [Welch] with the arm's name; and the context's error.
func AnalyzeValues(ctx context.Context, arms []Arm, o *Options) (*ValueReport, error) {
	opt, err := o.withDefaults(len(arms))
	if err != nil {
		return nil, err
	}
	if _, ok := opt.Currency.Digits(); !ok {
		return nil, fail("currency %q: a currency with a minor unit is needed", string(opt.Currency))
	}
	r := &ValueReport{Currency: opt.Currency, Level: opt.Level, Correction: opt.Correction}
	sizes := make([]int, len(arms))
	names := make([]string, len(arms))
	paired := true
	for i, a := range arms {
		names[i], sizes[i] = a.Name, len(a.Values)
		paired = paired && a.Before != nil
	}
	if err := checkNames(names); err != nil {
		return nil, err
	}
	for _, a := range arms {
		if a.Before != nil != paired {
			return nil, fail("arm %q: all arms need values from before, or none", a.Name)
		}
		s, err := SampleOf(a.Values)
		if err != nil {
			return nil, fmt.Errorf("%w (arm %q)", err, a.Name)
		}
		v := ArmValue{Name: a.Name, Customers: s.N, Sample: s}
		for _, x := range a.Values {
			if x != 0 {
				v.Buyers++
			}
		}
		if v.Mean, err = money.FromFloat(s.Mean, opt.Currency, money.HalfEven); err != nil {
			return nil, fail("arm %q: %w", a.Name, err)
		}
		r.Arms = append(r.Arms, v)
	}
	if r.Mismatch, r.Warnings, err = mismatch(sizes, opt.Shares); err != nil {
		return nil, err
	}
	for i := 1; i < len(arms); i++ {
		u, err := r.uplift(ctx, arms[0], arms[i], i, paired, opt)
		if err != nil {
			return nil, fmt.Errorf("%w (arm %q)", err, arms[i].Name)
		}
		r.Uplifts = append(r.Uplifts, u)
	}
	p := make([]float64, len(r.Uplifts))
	for i, u := range r.Uplifts {
		p[i] = u.Effect.P
	}
	if p, err = opt.Correction.Adjust(p); err != nil {
		return nil, err
	}
	for i := range r.Uplifts {
		r.Uplifts[i].PAdjusted, r.Uplifts[i].Significant = p[i], p[i] < 1-opt.Level
	}
	return r, nil
}

func (r *ValueReport) uplift(ctx context.Context, control, treatment Arm, i int, paired bool, o Options) (Uplift, error) {
	level := o.interval(len(r.Arms))
	c, t := r.Arms[0].Sample, r.Arms[i].Sample
	u := Uplift{Arm: treatment.Name}
	var err error
	if err := ctx.Err(); err != nil {
		return u, fail("%w", err)
	}
	if paired {
		a, err := CUPED(Paired{control.Values, control.Before}, Paired{treatment.Values, treatment.Before}, level)
		if err != nil {
			return u, err
		}
		u.CUPED, u.Effect = &a, a.Effect
		c, t = a.Control, a.Treatment
		if a.Balance.P < 0.001 {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%q differed from the control before the experiment (p = %.2g): mistrust the assignment", treatment.Name, a.Balance.P))
		}
	} else if u.Effect, err = Welch(c, t, level); err != nil {
		return u, err
	}
	if c.Mean != 0 {
		e, err := WelchRelative(c, t, level)
		if err != nil {
			return u, err
		}
		u.Relative = &e
	}
	if o.Sequential > 0 {
		e, err := Sequential(c, t, o.Sequential, level)
		if err != nil {
			return u, err
		}
		u.Sequential = &e
	}
	if o.Resamples > 0 {
		b, err := Bootstrap(ctx, control.Values, treatment.Values, &BootstrapOptions{Resamples: o.Resamples, Seed: o.Seed, Level: level})
		if err != nil {
			return u, err
		}
		u.Bootstrap = &b
	}
	u.Worth, err = worthOf(u.Effect, 1, population(o, t.N), o.Currency)
	return u, err
}

func population(o Options, treated int) int {
	if o.Population > 0 {
		return o.Population
	}
	return treated
}

func checkNames(names []string) error {
	seen := map[string]bool{}
	for i, n := range names {
		if n == "" || seen[n] {
			return fail("arm %d: name %q is empty or there twice", i+1, n)
		}
		seen[n] = true
	}
	return nil
}

func mismatch(sizes []int, shares []float64) (*Mismatch, []string, error) {
	if shares == nil {
		return nil, nil, nil
	}
	m, err := SampleRatio(sizes, shares)
	if err != nil {
		return nil, nil, err
	}
	if m.Suspect {
		return &m, []string{m.String()}, nil
	}
	return &m, nil, nil
}

// A RateArm is how many customers of an arm converted.
type RateArm struct {
	Name string `json:"name"` // unique and not empty
	Rate
}

// A RateRow is the conversion of one arm with what is believed of it.
type RateRow struct {
	RateArm
	Value  float64 `json:"value"` // the rate
	Low    float64 `json:"low"`   // of its interval (Wilson)
	High   float64 `json:"high"`
	Belief Belief  `json:"belief"`
}

// A RateUplift is what a treatment added to conversion.
type RateUplift struct {
	Arm         string  `json:"arm"`
	Effect      Effect  `json:"effect"`             // difference of rates: Newcombe's interval, pooled z
	Relative    *Effect `json:"relative,omitempty"` // relative to the control by the delta method; nil if nobody of the control converted
	PAdjusted   float64 `json:"p_adjusted"`         // Effect.P corrected for the number of treatments
	Significant bool    `json:"significant"`        // PAdjusted < 1 - Level
	Sequential  *Effect `json:"sequential,omitempty"`
	Worth       *Worth  `json:"worth,omitempty"` // difference times Options.Value; nil without it
}

// A RateReport is an experiment on conversion.
type RateReport struct {
	Level      float64      `json:"level"`
	Correction Correction   `json:"correction"`
	Mismatch   *Mismatch    `json:"mismatch,omitempty"`
	Arms       []RateRow    `json:"arms"` // in the order given; the first is the control
	Uplifts    []RateUplift `json:"uplifts"`
	Warnings   []string     `json:"warnings,omitempty"`
}

// AnalyzeRates compares the conversion of treatments with that of a control, the first arm, by [Newcombe] with corrected
// p-values, and by the probability to be best and the expected loss of [Beliefs]. With Options.Value the uplift is money:
// what a conversion is worth times the difference of rates, per customer and for the population. It returns an error if a
// rate, a name or an option is not valid.
func AnalyzeRates(ctx context.Context, arms []RateArm, o *Options) (*RateReport, error) {
	opt, err := o.withDefaults(len(arms))
	if err != nil {
		return nil, err
	}
	if opt.Value.Currency() != "" && opt.Currency != "" && opt.Value.Currency() != opt.Currency {
		return nil, fail("value %s: not in %s", opt.Value, opt.Currency)
	}
	r := &RateReport{Level: opt.Level, Correction: opt.Correction}
	level := opt.interval(len(arms))
	names, sizes, rates := make([]string, len(arms)), make([]int, len(arms)), make([]Rate, len(arms))
	for i, a := range arms {
		names[i], sizes[i], rates[i] = a.Name, a.Customers, a.Rate
	}
	if err := checkNames(names); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fail("%w", err)
	}
	beliefs, err := Beliefs(opt.Prior, rates...)
	if err != nil {
		return nil, err
	}
	for i, a := range arms {
		row := RateRow{RateArm: a, Value: a.Value(), Belief: beliefs[i]}
		if row.Low, row.High, err = a.Interval(opt.Level); err != nil {
			return nil, err
		}
		r.Arms = append(r.Arms, row)
	}
	if r.Mismatch, r.Warnings, err = mismatch(sizes, opt.Shares); err != nil {
		return nil, err
	}
	var p []float64
	for _, a := range arms[1:] {
		u, err := rateUplift(arms[0], a, level, opt)
		if err != nil {
			return nil, fmt.Errorf("%w (arm %q)", err, a.Name)
		}
		r.Uplifts = append(r.Uplifts, u)
		p = append(p, u.Effect.P)
	}
	if p, err = opt.Correction.Adjust(p); err != nil {
		return nil, err
	}
	for i := range r.Uplifts {
		r.Uplifts[i].PAdjusted, r.Uplifts[i].Significant = p[i], p[i] < 1-opt.Level
	}
	return r, nil
}

func rateUplift(control, treatment RateArm, level float64, o Options) (RateUplift, error) {
	u := RateUplift{Arm: treatment.Name}
	var err error
	if u.Effect, err = Newcombe(control.Rate, treatment.Rate, level); err != nil {
		return u, err
	}
	c, t := control.Sample(), treatment.Sample()
	varies := c.Variance+t.Variance > 0 && c.N > 1 && t.N > 1
	if c.Mean > 0 && varies {
		estimate, variance, err := relative(c, t)
		if err != nil {
			return u, err
		}
		se := math.Sqrt(variance)
		half := normalQuantile(level) * se
		u.Relative = &Effect{Estimate: estimate, StdErr: se, Statistic: estimate / se, P: normalTail(estimate / se), Low: estimate - half, High: estimate + half,
			Level: level, Relative: true, Method: "z, relative by the delta method"}
	}
	if o.Sequential > 0 && varies {
		e, err := Sequential(c, t, o.Sequential, level)
		if err != nil {
			return u, err
		}
		u.Sequential = &e
	}
	if o.Value.Currency() != "" {
		w, err := worthOf(u.Effect, o.Value.Float64(), population(o, treatment.Customers), o.Value.Currency())
		if err != nil {
			return u, err
		}
		u.Worth = &w
	}
	return u, nil
}
