package budget

import "math"

// A Geometric adstock lets the effect of a spend fade by the same share in each period (Broadbent, 1979): a spend x of
// period t works in period t+l with weight Theta^l,
//
//	y(t) = x(t) + Theta y(t-1)
//
// Length above 0 ends the effect after so many periods, that of the spend included. Normalize divides the weights by
// their sum, so that spend is spread over time and not multiplied.
type Geometric struct {
	Theta     float64 `json:"theta"`     // share that is left after a period, 0 <= Theta < 1
	Length    int     `json:"length"`    // periods that a spend works; 0: for ever
	Normalize bool    `json:"normalize"` // weights sum to 1
}

// A Delayed adstock peaks some periods after the spend (Jin, Wang, Sun, Chan and Koehler, 2017): a spend of period t
// works in period t+l with weight
//
//	Alpha^((l - Theta)^2),   l = 0 ... Length-1
type Delayed struct {
	Alpha     float64 `json:"alpha"`     // how fast the effect fades around its peak, 0 < Alpha < 1
	Theta     float64 `json:"theta"`     // periods until the peak, 0 <= Theta <= Length-1
	Length    int     `json:"length"`    // periods that a spend works, at least 1
	Normalize bool    `json:"normalize"` // weights sum to 1
}

// Validate returns an error that names the first parameter out of range.
func (a Geometric) Validate() error {
	switch {
	case !(a.Theta >= 0 && a.Theta < 1):
		return fail("geometric adstock: Theta %v: not at least 0 and below 1", a.Theta)
	case a.Length < 0:
		return fail("geometric adstock: Length %d: negative", a.Length)
	}
	return nil
}

// Validate returns an error that names the first parameter out of range.
func (a Delayed) Validate() error {
	switch {
	case !(a.Alpha > 0 && a.Alpha < 1):
		return fail("delayed adstock: Alpha %v: not between 0 and 1", a.Alpha)
	case a.Length < 1:
		return fail("delayed adstock: Length %d: not at least 1", a.Length)
	case !(a.Theta >= 0 && a.Theta <= float64(a.Length-1)):
		return fail("delayed adstock: Theta %v: not between 0 and Length-1 = %d", a.Theta, a.Length-1)
	}
	return nil
}

// Apply returns the spend that is at work in each of a series of successive periods. Nothing was spent before the first
// one. It returns an error if the adstock is not valid or a spend is negative or not finite.
func (a Geometric) Apply(spend []float64) ([]float64, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if err := checkSeries(spend); err != nil {
		return nil, err
	}
	out := make([]float64, len(spend))
	scale := 1 / a.total()
	if a.Length > 0 && a.Length < len(spend) {
		convolve(out, spend, a.weights(a.Length))
		return out, nil
	}
	y := 0.0
	for t, x := range spend {
		y = x + float64(a.Theta*y)
		out[t] = y * scale
	}
	return out, nil
}

// Apply returns the spend that is at work in each of a series of successive periods, as [Geometric.Apply] does.
func (a Delayed) Apply(spend []float64) ([]float64, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	if err := checkSeries(spend); err != nil {
		return nil, err
	}
	out := make([]float64, len(spend))
	convolve(out, spend, a.weights(min(a.Length, len(spend))))
	return out, nil
}

// Multiplier returns what a steady spend of 1 in each period amounts to at work in the long run: the sum of the weights,
// 1 / (1-Theta) for a geometric adstock without end and 1 for a normalized one. It is NaN if the adstock is not valid.
func (a Geometric) Multiplier() float64 {
	if a.Validate() != nil {
		return math.NaN()
	}
	if a.Normalize {
		return 1
	}
	return a.sum()
}

// Multiplier returns the sum of the weights, as [Geometric.Multiplier] does.
func (a Delayed) Multiplier() float64 {
	if a.Validate() != nil {
		return math.NaN()
	}
	if a.Normalize {
		return 1
	}
	return a.sum()
}

// HalfLife returns the periods after which half of a spend's effect is left, ln 0.5 / ln Theta: 1 for a Theta of 0.5. It
// is 0 for Theta = 0 and NaN if the adstock is not valid.
func (a Geometric) HalfLife() float64 {
	if a.Validate() != nil {
		return math.NaN()
	}
	if a.Theta == 0 {
		return 0
	}
	return -math.Ln2 / math.Log(a.Theta)
}

// GeometricOf returns the geometric adstock of a half-life in periods: Theta = 0.5^(1/halfLife). A half-life of 0 has no
// adstock. It returns an error if the half-life is negative or not finite.
func GeometricOf(halfLife float64) (Geometric, error) {
	if !(halfLife >= 0 && halfLife < math.Inf(1)) {
		return Geometric{}, fail("half-life %v: not a number of periods", halfLife)
	}
	if halfLife == 0 {
		return Geometric{}, nil
	}
	a := Geometric{Theta: math.Exp2(-1 / halfLife)}
	return a, a.Validate()
}

// sum returns the sum of the weights before they are normalized.
func (a Geometric) sum() float64 {
	if a.Length == 0 {
		return 1 / (1 - a.Theta)
	}
	return (1 - math.Pow(a.Theta, float64(a.Length))) / (1 - a.Theta)
}

// total returns what the weights are divided by.
func (a Geometric) total() float64 {
	if a.Normalize {
		return a.sum()
	}
	return 1
}

func (a Geometric) weights(n int) []float64 {
	w := make([]float64, n)
	v := 1 / a.total()
	for l := range w {
		w[l] = v
		v *= a.Theta
	}
	return w
}

// sum returns the sum of the weights before they are normalized; those too small to count are left out.
func (a Delayed) sum() float64 {
	s := 0.0
	for l := range a.Length {
		d := float64(l) - a.Theta
		w := math.Pow(a.Alpha, d*d)
		if s += w; d > 0 && w < 1e-18*s {
			break
		}
	}
	return s
}

func (a Delayed) weights(n int) []float64 {
	w := make([]float64, n)
	scale := 1.0
	if a.Normalize {
		scale = 1 / a.sum()
	}
	for l := range w {
		d := float64(l) - a.Theta
		w[l] = math.Pow(a.Alpha, d*d) * scale
	}
	return w
}

// convolve adds up the spend of each period and those before it by weights. Weights that underflow to 0 are left out.
func convolve(out, spend, weights []float64) {
	for len(weights) > 0 && weights[len(weights)-1] == 0 {
		weights = weights[:len(weights)-1]
	}
	for t := range spend {
		for l := 0; l < len(weights) && l <= t; l++ {
			out[t] += float64(weights[l] * spend[t-l])
		}
	}
}

func checkSeries(spend []float64) error {
	for i, x := range spend {
		if !(x >= 0 && x <= math.MaxFloat64) {
			return fail("period %d: spend %v: not a number of at least 0", i+1, x)
		}
	}
	return nil
}

// Steady is a curve of adstocked spend as a function of what is spent in every period: where a curve was fitted to spend
// at work, Steady turns it into one of the plain spend per period, which a budget is about,
//
//	r(x) = Curve(Carry + Multiplier x)
//
// Multiplier is that of the adstock ([Geometric.Multiplier]). Carry is spend at work from before the plan, such as the
// mean carry-over of the last periods; with it the curve begins above 0.
type Steady struct {
	Curve      Curve
	Multiplier float64 // above 0; 0 means 1
	Carry      float64 // in units of spend at work, at least 0
}

func (s Steady) multiplier() float64 {
	if s.Multiplier == 0 {
		return 1
	}
	return s.Multiplier
}

// Validate returns an error if a field is out of range or the curve is missing or not valid.
func (s Steady) Validate() error {
	switch {
	case s.Curve == nil:
		return fail("steady spend: no curve")
	case !(s.multiplier() > 0 && s.Multiplier <= math.MaxFloat64):
		return fail("steady spend: multiplier %v: not a positive number", s.Multiplier)
	case !(s.Carry >= 0 && s.Carry <= math.MaxFloat64):
		return fail("steady spend: carry-over %v: not a number of at least 0", s.Carry)
	}
	return validate(s.Curve)
}

// Response returns r(spend).
func (s Steady) Response(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return s.Curve.Response(s.Carry + float64(s.multiplier()*spend))
}

// Marginal returns r'(spend).
func (s Steady) Marginal(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return s.multiplier() * s.Curve.Marginal(s.Carry+float64(s.multiplier()*spend))
}

// validate asks a curve that can tell whether it is valid.
func validate(c Curve) error {
	if v, ok := c.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}
