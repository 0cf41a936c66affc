package risk

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/fit"
)

// Link says how the probability of leaving in a period follows from the linear predictor.
type Link uint8

// The links.
const (
	LogitLink   Link = iota // P = 1/(1+exp(-eta)): coefficients are log odds ratios, the proportional-odds model of Cox (1972) for discrete time
	CloglogLink             // P = 1-exp(-exp(eta)): coefficients are log hazard ratios of a proportional-hazards model seen once a period
)

var linkNames = []string{"logit", "cloglog"}

// String returns "logit" or "cloglog".
func (l Link) String() string { return table.Name(linkNames, int(l)) }

// MarshalText writes the name.
func (l Link) MarshalText() ([]byte, error) {
	return table.MarshalName("risk: no link", linkNames, int(l))
}

// UnmarshalText reads a name.
func (l *Link) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("risk: no link", linkNames, text)
	*l = Link(i)
	return err
}

// inverse returns the probability.
func (l Link) inverse(eta float64) float64 {
	if l == CloglogLink {
		return -math.Expm1(-math.Exp(eta))
	}
	return sigmoid(eta)
}

// Baseline says how the hazard depends on age where the covariates are the same.
type Baseline uint8

// The baselines; t is the number of the period, 1 the first.
const (
	EachPeriod   Baseline = iota // a free value for each period, or group of periods
	ConstantAge                  // age does not matter
	LinearAge                    // a + b t
	LogAge                       // a + b ln t, a discrete relative of the Weibull distribution
	QuadraticAge                 // a + b t + c t²
)

var baselineNames = []string{"each period", "constant", "linear", "log", "quadratic"}

// String returns "each period", "constant", "linear", "log" or "quadratic".
func (b Baseline) String() string { return table.Name(baselineNames, int(b)) }

// MarshalText writes the name.
func (b Baseline) MarshalText() ([]byte, error) {
	return table.MarshalName("risk: no baseline", baselineNames, int(b))
}

// UnmarshalText reads a name.
func (b *Baseline) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("risk: no baseline", baselineNames, text)
	*b = Baseline(i)
	return err
}

// terms returns the functions of t besides the constant.
func (b Baseline) terms(t int) []float64 {
	x := float64(t)
	switch b {
	case LinearAge:
		return []float64{x}
	case LogAge:
		return []float64{math.Log(x)}
	case QuadraticAge:
		return []float64{x, x * x}
	default:
		return nil
	}
}

func (b Baseline) names() []string {
	return map[Baseline][]string{LinearAge: {"t"}, LogAge: {"ln t"}, QuadraticAge: {"t", "t²"}}[b]
}

// Hazard is a discrete-time hazard model: the probability of leaving in period t, of a customer with covariates x who is
// still there when it begins, is
//
//	h(t | x) = link⁻¹(a(t) + Coef'x)
//
// with a(t) of the shape of the Baseline. Period t is the time from age t-1 to t, in units of Length. The model is
// immutable; [FitHazard] makes it, and so does a literal.
//
// Sources: D. R. Cox, Journal of the Royal Statistical Society B 34 (1972), section 7; R. Prentice and L. Gloeckler,
// Biometrics 34 (1978), for the link cloglog; J. Singer and J. Willett, Journal of Educational Statistics 18 (1993).
type Hazard struct {
	Link     Link      `json:"link"`
	Baseline Baseline  `json:"baseline"`
	Length   float64   `json:"length"`         // of a period, in the unit of the tenures
	Cuts     []int     `json:"cuts,omitempty"` // of EachPeriod: the first period of each group after the first, rising
	Base     []float64 `json:"base"`           // EachPeriod: one value a group; else the constant, then those of t, ln t or t and t²
	Terms    Terms     `json:"terms"`
	Coef     []float64 `json:"coef"` // in the order of Terms.Columns()
}

// Kind returns "discrete-hazard".
func (Hazard) Kind() string { return "discrete-hazard" }

// Validate returns an error unless the numbers are finite, as many as baseline and terms need, and the cuts rise.
func (m Hazard) Validate() error {
	want := 1 + len(m.Baseline.names())
	if m.Baseline == EachPeriod {
		want = 1 + len(m.Cuts)
	}
	switch {
	case int(m.Link) >= len(linkNames):
		return fmt.Errorf("risk: %s: no link %d", m.Kind(), m.Link)
	case int(m.Baseline) >= len(baselineNames):
		return fmt.Errorf("risk: %s: no baseline %d", m.Kind(), m.Baseline)
	case !(m.Length > 0) || math.IsInf(m.Length, 1):
		return fmt.Errorf("risk: %s: a period of length %v", m.Kind(), m.Length)
	case len(m.Base) != want:
		return fmt.Errorf("risk: %s: %d values of the baseline, want %d", m.Kind(), len(m.Base), want)
	case m.Baseline != EachPeriod && len(m.Cuts) > 0:
		return fmt.Errorf("risk: %s: cuts are for a baseline of each period", m.Kind())
	}
	if err := checkCuts(m.Cuts); err != nil {
		return err
	}
	return validateCoef(m.Kind(), m.Terms, m.Coef, m.Base...)
}

func checkCuts(cuts []int) error {
	last := 1
	for _, c := range cuts {
		if c <= last {
			return fmt.Errorf("risk: cuts: %d does not come after %d", c, last)
		}
		last = c
	}
	return nil
}

// MarshalJSON writes the model under the schema "custval/model/discrete-hazard/v1".
func (m Hazard) MarshalJSON() ([]byte, error) {
	type plain Hazard
	return fit.MarshalModel(m.Kind(), plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Hazard) UnmarshalJSON(text []byte) error {
	type plain Hazard
	var p plain
	if err := fit.UnmarshalModel(text, m.Kind(), &p); err != nil {
		return err
	}
	if err := Hazard(p).Validate(); err != nil {
		return err
	}
	*m = Hazard(p)
	return nil
}

// groupOf returns the group of period t.
func groupOf(cuts []int, t int) int {
	i, found := slices.BinarySearch(cuts, t)
	return i + b2i(found)
}

// groupNames names the groups of periods: "period=1", "period=2-4", "period=5+".
func groupNames(cuts []int) []string {
	names := make([]string, len(cuts)+1)
	first := 1
	for g, next := range cuts {
		names[g] = "period=" + strconv.Itoa(first)
		if next > first+1 {
			names[g] += "-" + strconv.Itoa(next-1)
		}
		first = next
	}
	names[len(cuts)] = "period=" + strconv.Itoa(first) + "+"
	return names
}

// baseline returns a(t).
func (m Hazard) baseline(t int) float64 {
	if m.Baseline == EachPeriod {
		return m.Base[groupOf(m.Cuts, t)]
	}
	return m.Base[0] + linalg.Dot(m.Baseline.terms(t), m.Base[1:])
}

// Hazard returns P(leaves in period t | still there when it begins) for a row of covariates coded as [Terms.Row] and
// [Design.Row] do. With EachPeriod the periods after the last one of the data have the hazard of the last group.
//
// It is NaN for a period before 1, for a row of another length and for a model that does not validate.
func (m Hazard) Hazard(row []float64, t int) float64 {
	if t < 1 || len(row) != len(m.Coef) || m.Validate() != nil {
		return math.NaN()
	}
	return m.Link.inverse(m.baseline(t) + linalg.Dot(m.Coef, row))
}

// Predict returns the prospects of a customer with the given profile. It returns an error for a profile that does not fit
// the model.
func (m Hazard) Predict(p Profile) (Outlook, error) {
	row, err := m.Terms.Row(p)
	if err != nil {
		return Outlook{}, err
	}
	return m.PredictRow(row)
}

// PredictRow is [Hazard.Predict] for a row of covariates coded as [Terms.Row] and [Design.Row] do.
func (m Hazard) PredictRow(row []float64) (Outlook, error) {
	if err := m.Validate(); err != nil {
		return Outlook{}, err
	}
	if len(row) != len(m.Coef) {
		return Outlook{}, fmt.Errorf("risk: a row of %d numbers for %d coefficients", len(row), len(m.Coef))
	}
	eta := linalg.Dot(m.Coef, row)
	if math.IsNaN(eta) || math.IsInf(eta, 0) {
		return Outlook{}, fmt.Errorf("risk: the row has the linear predictor %v", eta)
	}
	return Outlook{model: m, eta: eta}, nil
}

// Probabilities returns, for every customer of a design, the probability of leaving within the next periods, given the
// number of whole periods that each has stayed so far; nil ages are 0. It returns an error for a negative number of
// periods or age, ages of another number, and the errors of [Logistic.Probabilities].
func (m Hazard) Probabilities(d *Design, ages []int, periods int) ([]float64, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	if periods < 0 {
		return nil, fmt.Errorf("risk: %d periods", periods)
	}
	if ages != nil && len(ages) != d.Rows() {
		return nil, fmt.Errorf("risk: %d ages for %d customers", len(ages), d.Rows())
	}
	eta, err := m.Terms.predictor(d, m.Coef, 0)
	if err != nil {
		return nil, err
	}
	for i, x := range eta {
		age := 0
		if ages != nil {
			age = ages[i]
		}
		if age < 0 {
			return nil, rowError(i, "age", strconv.Itoa(age), errors.New("negative"))
		}
		eta[i] = Outlook{model: m, eta: x}.Leaves(age, periods)
	}
	return eta, nil
}

// An Outlook is what a [Hazard] model expects of one customer.
type Outlook struct {
	model Hazard
	eta   float64
}

// Hazard returns P(leaves in period t | still there when it begins), NaN for a period before 1.
func (o Outlook) Hazard(t int) float64 {
	if t < 1 || len(o.model.Base) == 0 {
		return math.NaN()
	}
	return o.model.Link.inverse(o.model.baseline(t) + o.eta)
}

// logStays returns ln(1 - h(t)) without cancellation.
func (o Outlook) logStays(t int) float64 {
	eta := o.model.baseline(t) + o.eta
	if o.model.Link == CloglogLink {
		return -math.Exp(eta)
	}
	_, _, _, lnQ := split(eta)
	return lnQ
}

// logStaysFor returns ln P(still there after n more periods | still there after period from). Where the hazard no longer
// changes, the future costs nothing.
func (o Outlook) logStaysFor(from, n int) float64 {
	constant := math.MaxInt // the period from which on nothing changes
	switch {
	case o.model.Baseline == ConstantAge, o.model.Baseline == EachPeriod && len(o.model.Cuts) == 0:
		constant = 1
	case o.model.Baseline == EachPeriod:
		constant = o.model.Cuts[len(o.model.Cuts)-1]
	}
	sum := 0.0
	for i := range min(n, longest) {
		t := from + 1 + i
		if t >= constant {
			return sum + float64(n-i)*o.logStays(t)
		}
		if sum += o.logStays(t); sum < -800 {
			return sum // nobody is left in float64
		}
	}
	return sum
}

// longest bounds the periods of a product whose hazard may change in every one of them.
const longest = 1_000_000

// Leaves returns P(leaves within the next periods | stayed for age whole periods), NaN for negative arguments:
//
//	1 - product over t = age+1 ... age+periods of (1 - h(t))
//
// Where the hazard changes with every period, the product ends after a million of them.
func (o Outlook) Leaves(age, periods int) float64 {
	if age < 0 || age > math.MaxInt32 || periods < 0 || len(o.model.Base) == 0 {
		return math.NaN()
	}
	return -math.Expm1(o.logStaysFor(age, periods))
}

// Survival returns P(still there at age t), t being in the unit of the tenures that the model was fitted to. It falls at
// the ends of periods only. It is NaN for a negative t.
func (o Outlook) Survival(t float64) float64 {
	if !(t >= 0) || len(o.model.Base) == 0 {
		return math.NaN()
	}
	return math.Exp(o.logStaysFor(0, int(min(math.MaxInt32, wholeDown(t/o.model.Length)))))
}
