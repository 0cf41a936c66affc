package clv

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
)

// Cov is a model whose parameters depend on covariates of the customer, which do not change with time. M is a plain model;
// For makes it for one customer, and so everything that a plain model predicts can be asked:
//
//	e, err := clv.FitCovBGNBD(ctx, hs, design, nil)
//	p := e.Model.For(design.Row(0)).ProbAlive(hs.Rows[0])
//
// With a customer's covariates x and a vector of coefficients g for each of the parameters they act on,
//
//	NBD           alpha exp(-g'x)
//	ParetoNBD     alpha exp(-g1'x), beta exp(-g2'x)
//	GGompertzNBD  alpha exp(-g1'x), beta exp(-g2'x)
//	BGNBD         alpha exp(-g1'x), a exp(g2'x), b exp(g3'x)
//	MBGNBD        alpha exp(-g1'x), a exp(g2'x), b exp(g3'x)
//	GammaGamma    gamma exp(g'x)
//
// so that a positive coefficient of Alpha means more purchases, one of Beta or A customers who leave sooner, and one of
// Gamma customers who spend more: exp(g) times as often, for the mean rates, or as much, for each unit of x. The
// coefficients of A and B are apart because with a single one the mean probability of leaving, A/(A+B), could not depend
// on x.
//
// Source: P. Fader, B. Hardie, Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD models, 2007.
type Cov[M Linked] struct {
	Base    M        `json:"base"`            // the model of a customer all of whose covariates are 0
	Terms   Terms    `json:"terms"`           // the covariates
	Effects []Effect `json:"effects"`         // one for each parameter that covariates may act on
	Equal   []int    `json:"equal,omitempty"` // columns with one coefficient for all parameters they act on
}

// CovNBD is NBD with covariates on Alpha.
type CovNBD = Cov[NBD]

// CovParetoNBD is ParetoNBD with covariates on Alpha and Beta.
type CovParetoNBD = Cov[ParetoNBD]

// CovGGompertzNBD is GGompertzNBD with covariates on Alpha and Beta.
type CovGGompertzNBD = Cov[GGompertzNBD]

// CovBGNBD is BGNBD with covariates on Alpha, A and B.
type CovBGNBD = Cov[BGNBD]

// CovMBGNBD is MBGNBD with covariates on Alpha, A and B.
type CovMBGNBD = Cov[MBGNBD]

// CovGammaGamma is GammaGamma with covariates on Gamma.
type CovGammaGamma = Cov[GammaGamma]

// An Effect is what covariates do to one parameter.
type Effect struct {
	Param        string    `json:"param"`             // the field of the plain model
	Coefficients []float64 `json:"coefficients"`      // one a column of Terms; 0 for those that do not act
	Columns      []int     `json:"columns,omitempty"` // the columns that act, nil for all
}

// acts reports whether a column acts on the parameter.
func (e *Effect) acts(column int) bool { return e.Columns == nil || slices.Contains(e.Columns, column) }

// Linked is a plain model whose parameters may depend on covariates.
type Linked interface {
	Validate() error
	Kind() string
	links() []link
}

// A link is a parameter that covariates act on: its value for a customer is exp(sign g'x) times that of the base.
type link struct {
	name string
	sign float64
}

func (NBD) links() []link          { return []link{{"Alpha", -1}} }
func (ParetoNBD) links() []link    { return []link{{"Alpha", -1}, {"Beta", -1}} }
func (GGompertzNBD) links() []link { return []link{{"Alpha", -1}, {"Beta", -1}} }
func (BGNBD) links() []link        { return []link{{"Alpha", -1}, {"A", 1}, {"B", 1}} }
func (MBGNBD) links() []link       { return []link{{"Alpha", -1}, {"A", 1}, {"B", 1}} }
func (GammaGamma) links() []link   { return []link{{"Gamma", 1}} }

// Kind returns "cov" with the plain model's kind, such as "covbgnbd".
func (m Cov[M]) Kind() string { return "cov" + m.Base.Kind() }

var errShape = errors.New("want one effect for each parameter that covariates act on, in the order of the fields, with one finite coefficient a column")

// Validate returns an error unless the base validates, the effects are those of the model, and each has one finite
// coefficient a column.
func (m Cov[M]) Validate() error {
	if err := m.Base.Validate(); err != nil {
		return err
	}
	width := 0
	for _, t := range m.Terms {
		width += t.width()
	}
	links := m.Base.links()
	ok := len(m.Effects) == len(links)
	for i := range m.Effects {
		e := &m.Effects[i]
		ok = ok && e.Param == links[i].name && len(e.Coefficients) == width && within(e.Columns, width)
		for _, g := range e.Coefficients {
			ok = ok && finite(g)
		}
	}
	if !ok || !within(m.Equal, width) {
		return fmt.Errorf("clv: %s: %w", m.Kind(), errShape)
	}
	return nil
}

func within(columns []int, width int) bool {
	for _, c := range columns {
		if c < 0 || c >= width {
			return false
		}
	}
	return true
}

// MarshalJSON writes the model under the schema of its kind, such as "custval/model/covbgnbd/v1".
func (m Cov[M]) MarshalJSON() ([]byte, error) {
	type plain Cov[M]
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *Cov[M]) UnmarshalJSON(text []byte) error {
	type plain Cov[M]
	return unmarshalModel(text, m, (*plain)(m))
}

// For returns the plain model of a customer with the given covariates, coded as Design.Row and Terms.Row do. For a row of
// another length it is a model that does not validate and predicts NaN.
func (m Cov[M]) For(row []float64) M {
	base := m.Base
	v := reflect.ValueOf(&base).Elem()
	for i, l := range m.Base.links() {
		eta := math.NaN()
		if i < len(m.Effects) && len(m.Effects[i].Coefficients) == len(row) {
			eta = 0
			for c, g := range m.Effects[i].Coefficients {
				if g != 0 {
					eta += g * row[c]
				}
			}
		}
		f := v.FieldByName(l.name)
		f.SetFloat(f.Float() * math.Exp(l.sign*eta))
	}
	return base
}

// A slot is where a coefficient stands: of an effect and a column, the parameter of that number.
type slot struct{ effect, column, param int }

// slots lists the coefficients that are estimated, the first of them being parameter from.
func (m Cov[M]) slots(from int) []slot {
	var out []slot
	width := 0
	for _, t := range m.Terms {
		width += t.width()
	}
	shared := make([]int, width)
	for e := range m.Effects {
		for c := range width {
			if !m.Effects[e].acts(c) {
				continue
			}
			if slices.Contains(m.Equal, c) && shared[c] > 0 {
				out = append(out, slot{e, c, shared[c]})
				continue
			}
			out = append(out, slot{e, c, from})
			shared[c] = from
			from++
		}
	}
	return out
}

// names returns the parameters: those of the base, then the coefficients, such as Alpha.age, or Alpha+Beta.age where one
// stands for both.
func (m Cov[M]) names(base []string) []string {
	names := slices.Clone(base)
	columns := m.Terms.Columns()
	of := map[int]string{}
	for _, s := range m.slots(len(base)) {
		param := m.Effects[s.effect].Param
		if s.param < len(names) {
			param = of[s.param] + "+" + param
			names[s.param] = param + "." + columns[s.column]
		} else {
			names = append(names, param+"."+columns[s.column])
		}
		of[s.param] = param
	}
	return names
}

// withParams returns the model with the values of its parameters in the order of names.
func (m Cov[M]) withParams(theta []float64) Cov[M] {
	base := baseParams(m.Base)
	v := reflect.ValueOf(&m.Base).Elem()
	for i, name := range base {
		v.FieldByName(name).SetFloat(theta[i])
	}
	effects := make([]Effect, len(m.Effects))
	for i, e := range m.Effects {
		effects[i] = Effect{e.Param, make([]float64, len(e.Coefficients)), e.Columns}
	}
	m.Effects = effects
	for _, s := range m.slots(len(base)) {
		m.Effects[s.effect].Coefficients[s.column] = theta[s.param]
	}
	return m
}

// baseParams returns the names of a model's parameters, its float64 fields.
func baseParams(m any) []string {
	t := reflect.TypeOf(m)
	var names []string
	for i := range t.NumField() {
		if f := t.Field(i); f.Type.Kind() == reflect.Float64 {
			names = append(names, f.Name)
		}
	}
	return names
}
