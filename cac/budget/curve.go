package budget

import (
	"encoding/json"
	"math"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/fit"
)

// A Curve is the response of a channel to a spend: usually the customers it wins, as a function of the spend in a period
// in units of the currency. Response must not fall as the spend rises, and Marginal is its derivative.
//
// [Power], [Log], [NegExp], [MichaelisMenten] and [Hill] are curves, and so is any other type with these two methods. A
// type that knows more of itself may say so with the methods of [Shape], which makes plans faster.
type Curve = cac.Curve

// A Shape is what the curves of this package know of themselves. A curve without it is examined at some hundred spends.
type Shape interface {
	// Inflection returns the spend up to which the marginal response rises and beyond which it falls; 0 for a concave curve.
	Inflection() float64
	// Spend returns the spend beyond the inflection at which the marginal response has fallen to the given one: 0 if it is
	// below that from the start, +Inf if it never falls so far.
	Spend(marginal float64) float64
}

// Power is the response of constant elasticity (Cobb and Douglas, 1928),
//
//	r(x) = A x^B          r'(x) = A B x^(B-1)
//
// with A > 0 and 0 < B < 1: one percent more spend gives B percent more response. It never saturates.
//
// Special case: the marginal response of no spend is +Inf.
type Power struct {
	A float64 `json:"a"` // response to a spend of 1
	B float64 `json:"b"` // elasticity
}

// Log is the logarithmic response
//
//	r(x) = A ln(1 + x/C)          r'(x) = A / (C + x)
//
// with A > 0 and C > 0. It has no upper limit, but every doubling of a large spend adds the same.
type Log struct {
	A float64 `json:"a"` // response to an e-fold of the spend, where it is large
	C float64 `json:"c"` // the spend at which the marginal response has halved
}

// NegExp is the negative exponential response
//
//	r(x) = A (1 - e^(-K x))          r'(x) = A K e^(-K x)
//
// with A > 0 and K > 0.
type NegExp struct {
	A float64 `json:"a"` // the limit of the response
	K float64 `json:"k"` // rate of saturation, per unit of spend
}

// MichaelisMenten is the saturating response
//
//	r(x) = A x / (C + x)          r'(x) = A C / (C + x)^2
//
// with A > 0 and C > 0 (Michaelis and Menten, 1913); it is Hill with S = 1.
type MichaelisMenten struct {
	A float64 `json:"a"` // the limit of the response
	C float64 `json:"c"` // the spend with half of it
}

// Hill is the S-shaped response
//
//	r(x) = A x^S / (C^S + x^S)          r'(x) = A S C^S x^(S-1) / (C^S + x^S)^2
//
// with A, C and S > 0 (Hill, 1910). For S > 1 its marginal response rises up to the inflection at
// C ((S-1)/(S+1))^(1/S) and falls beyond it, so that a little spend is wasted; for S <= 1 it is concave.
//
// Special cases: the marginal response of no spend is +Inf for S < 1, A/C for S = 1 and 0 for S > 1.
type Hill struct {
	A float64 `json:"a"` // the limit of the response
	C float64 `json:"c"` // the spend with half of it
	S float64 `json:"s"` // steepness
}

// Validate returns an error that names the first parameter out of range.
func (m Power) Validate() error {
	if !(m.B < 1) {
		return fail("power: B %v: not between 0 and 1", m.B)
	}
	return positive("power", "A", m.A, "B", m.B)
}

// Validate returns an error that names the first parameter out of range.
func (m Log) Validate() error { return positive("log", "A", m.A, "C", m.C) }

// Validate returns an error that names the first parameter out of range.
func (m NegExp) Validate() error { return positive("negative exponential", "A", m.A, "K", m.K) }

// Validate returns an error that names the first parameter out of range.
func (m MichaelisMenten) Validate() error {
	return positive("Michaelis-Menten", "A", m.A, "C", m.C)
}

// Validate returns an error that names the first parameter out of range.
func (m Hill) Validate() error {
	if err := positive("Hill", "A", m.A, "C", m.C); err != nil {
		return err
	}
	return positive("Hill", "S", m.S, "A", m.A)
}

func positive(kind, name1 string, v1 float64, name2 string, v2 float64) error {
	for i, v := range []float64{v1, v2} {
		if !(v > 0 && v <= math.MaxFloat64) {
			return fail("%s: %s %v: not a positive number", kind, []string{name1, name2}[i], v)
		}
	}
	return nil
}

// Kind returns "power".
func (m Power) Kind() string { return "power" }

// Kind returns "log".
func (m Log) Kind() string { return "log" }

// Kind returns "negexp".
func (m NegExp) Kind() string { return "negexp" }

// Kind returns "michaelis-menten".
func (m MichaelisMenten) Kind() string { return "michaelis-menten" }

// Kind returns "hill".
func (m Hill) Kind() string { return "hill" }

// Response returns r(spend), NaN for a negative spend.
func (m Power) Response(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A * math.Pow(spend, m.B)
}

// Marginal returns r'(spend), NaN for a negative spend.
func (m Power) Marginal(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A * m.B * math.Pow(spend, m.B-1)
}

// Inflection returns 0: the curve is concave.
func (m Power) Inflection() float64 { return 0 }

// Spend returns the spend with the given marginal response, (A B / marginal)^(1/(1-B)).
func (m Power) Spend(marginal float64) float64 {
	if !(marginal >= 0) {
		return math.NaN()
	}
	return math.Pow(m.A*m.B/marginal, 1/(1-m.B))
}

// Response returns r(spend), NaN for a negative spend.
func (m Log) Response(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A * math.Log1p(spend/m.C)
}

// Marginal returns r'(spend), NaN for a negative spend.
func (m Log) Marginal(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A / (m.C + spend)
}

// Inflection returns 0: the curve is concave.
func (m Log) Inflection() float64 { return 0 }

// Spend returns the spend with the given marginal response, A/marginal - C, at least 0.
func (m Log) Spend(marginal float64) float64 {
	if !(marginal >= 0) {
		return math.NaN()
	}
	return max(0, m.A/marginal-m.C)
}

// Response returns r(spend), NaN for a negative spend.
func (m NegExp) Response(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return -m.A * math.Expm1(-m.K*spend)
}

// Marginal returns r'(spend), NaN for a negative spend.
func (m NegExp) Marginal(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A * m.K * math.Exp(-m.K*spend)
}

// Inflection returns 0: the curve is concave.
func (m NegExp) Inflection() float64 { return 0 }

// Spend returns the spend with the given marginal response, ln(A K / marginal) / K, at least 0.
func (m NegExp) Spend(marginal float64) float64 {
	if !(marginal >= 0) {
		return math.NaN()
	}
	return max(0, (math.Log(m.A)+math.Log(m.K)-math.Log(marginal))/m.K)
}

// Response returns r(spend), NaN for a negative spend.
func (m MichaelisMenten) Response(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	if spend == 0 {
		return 0
	}
	return m.A / (1 + m.C/spend)
}

// Marginal returns r'(spend), NaN for a negative spend.
func (m MichaelisMenten) Marginal(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A / (m.C + spend) * (m.C / (m.C + spend))
}

// Inflection returns 0: the curve is concave.
func (m MichaelisMenten) Inflection() float64 { return 0 }

// Spend returns the spend with the given marginal response, sqrt(A C / marginal) - C, at least 0.
func (m MichaelisMenten) Spend(marginal float64) float64 {
	if !(marginal >= 0) {
		return math.NaN()
	}
	return max(0, math.Sqrt(m.A/marginal)*math.Sqrt(m.C)-m.C)
}

// Response returns r(spend), NaN for a negative spend.
func (m Hill) Response(spend float64) float64 {
	if !(spend >= 0) {
		return math.NaN()
	}
	return m.A / (1 + math.Pow(m.C/spend, m.S))
}

// Marginal returns r'(spend), NaN for a negative spend.
func (m Hill) Marginal(spend float64) float64 {
	switch {
	case !(spend >= 0):
		return math.NaN()
	case spend > 0:
		z := math.Pow(m.C/spend, m.S)
		if math.IsInf(z, 1) { // so far below C that only the first term counts
			return m.A * m.S / m.C * math.Pow(spend/m.C, m.S-1)
		}
		return m.A * m.S / spend / (1 + z) * (z / (1 + z))
	case m.S < 1:
		return math.Inf(1)
	case m.S == 1:
		return m.A / m.C
	}
	return 0
}

// Inflection returns C ((S-1)/(S+1))^(1/S), and 0 for S <= 1.
func (m Hill) Inflection() float64 {
	if m.S <= 1 {
		return 0
	}
	return m.C * math.Pow((m.S-1)/(m.S+1), 1/m.S)
}

// Spend returns the spend beyond the inflection that has the given marginal response; the inflection itself where the
// marginal response is nowhere so high. It solves
//
//	(1 - 1/S) u - 2 ln(1 + e^u) = ln(marginal C / (A S)),   u = S ln(x/C)
//
// whose left side is concave and falls beyond the inflection, by Newton's method.
func (m Hill) Spend(marginal float64) float64 {
	switch {
	case !(marginal >= 0):
		return math.NaN()
	case marginal == 0:
		return math.Inf(1)
	case math.IsInf(marginal, 1):
		return m.Inflection()
	case m.S == 1:
		return MichaelisMenten{m.A, m.C}.Spend(marginal)
	}
	k := 1 - 1/m.S
	target := math.Log(marginal) + math.Log(m.C) - math.Log(m.A) - math.Log(m.S)
	left := func(u float64) (value, slope float64) {
		e := math.Exp(-math.Abs(u))
		log, share := math.Log1p(e), 1/(1+e)
		if u > 0 {
			return k*u - 2*(u+log), k - 2*share
		}
		return k*u - 2*log, k - 2*e*share
	}
	u := -target / (2 - k) // where the left side is that of large spends; it lies above the curve, to the right of the root
	if m.S > 1 {
		top := math.Log((m.S - 1) / (m.S + 1))
		if v, _ := left(top); v <= target {
			return m.Inflection()
		}
		u = max(u, top)
	} else {
		u = min(u, target/k) // the left side is below that of small spends too
	}
	for range 100 {
		v, d := left(u)
		step := (v - target) / d
		u -= step
		// the second derivative is at most 1/2, so that step^2/4/|slope| bounds the error that is left
		if step*step <= 2e-16*max(1, math.Abs(u))*math.Abs(d) || math.Abs(step) <= 4e-16*max(1, math.Abs(u)) {
			break
		}
	}
	return m.C * math.Exp(u/m.S)
}

type model interface {
	Curve
	Shape
	Kind() string
	Validate() error
}

func marshal[P any](m model, params P) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return fit.MarshalModel(m.Kind(), params)
}

func unmarshal[M model, P any](text []byte, m *M, params *P, back func(P) M) error {
	if err := fit.UnmarshalModel(text, (*m).Kind(), params); err != nil {
		return fail("%w", err)
	}
	read := back(*params)
	if err := read.Validate(); err != nil {
		return err
	}
	*m = read
	return nil
}

type (
	plainPower  Power
	plainLog    Log
	plainNegExp NegExp
	plainMM     MichaelisMenten
	plainHill   Hill
)

// MarshalJSON writes the parameters under the schema "custval/model/power/v1".
func (m Power) MarshalJSON() ([]byte, error) { return marshal(m, plainPower(m)) }

// MarshalJSON writes the parameters under the schema "custval/model/log/v1".
func (m Log) MarshalJSON() ([]byte, error) { return marshal(m, plainLog(m)) }

// MarshalJSON writes the parameters under the schema "custval/model/negexp/v1".
func (m NegExp) MarshalJSON() ([]byte, error) { return marshal(m, plainNegExp(m)) }

// MarshalJSON writes the parameters under the schema "custval/model/michaelis-menten/v1".
func (m MichaelisMenten) MarshalJSON() ([]byte, error) { return marshal(m, plainMM(m)) }

// MarshalJSON writes the parameters under the schema "custval/model/hill/v1".
func (m Hill) MarshalJSON() ([]byte, error) { return marshal(m, plainHill(m)) }

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Power) UnmarshalJSON(text []byte) error {
	return unmarshal(text, m, new(plainPower), func(p plainPower) Power { return Power(p) })
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Log) UnmarshalJSON(text []byte) error {
	return unmarshal(text, m, new(plainLog), func(p plainLog) Log { return Log(p) })
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *NegExp) UnmarshalJSON(text []byte) error {
	return unmarshal(text, m, new(plainNegExp), func(p plainNegExp) NegExp { return NegExp(p) })
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *MichaelisMenten) UnmarshalJSON(text []byte) error {
	return unmarshal(text, m, new(plainMM), func(p plainMM) MichaelisMenten { return MichaelisMenten(p) })
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Hill) UnmarshalJSON(text []byte) error {
	return unmarshal(text, m, new(plainHill), func(p plainHill) Hill { return Hill(p) })
}

// ParseCurve reads the JSON of any curve of this package; the schema in the text says which.
func ParseCurve(text []byte) (Curve, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fail("curve: %w", err)
	}
	switch head.Schema {
	case fit.Schema("model", Power{}.Kind()):
		return read[Power](text)
	case fit.Schema("model", Log{}.Kind()):
		return read[Log](text)
	case fit.Schema("model", NegExp{}.Kind()):
		return read[NegExp](text)
	case fit.Schema("model", MichaelisMenten{}.Kind()):
		return read[MichaelisMenten](text)
	case fit.Schema("model", Hill{}.Kind()):
		return read[Hill](text)
	}
	return nil, fail("curve: unknown schema %q", head.Schema)
}

func read[M Curve](text []byte) (Curve, error) {
	var m M
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	return m, nil
}
