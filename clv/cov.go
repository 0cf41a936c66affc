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
//	NBD                                   alpha exp(-g'x)
//	ParetoNBD, GGompertzNBD               alpha exp(-g1'x), beta exp(-g2'x)
//	BGNBD, MBGNBD, BGCNBD, MBGCNBD, PDO   alpha exp(-g1'x), a exp(g2'x), b exp(g3'x)
//	BGBB                                  alpha exp(g1'x), beta exp(g2'x), gamma exp(g3'x), delta exp(g4'x)
//	GammaGamma                            gamma exp(g'x)
//	NormalNormal                          mu + g'x
//
// so that a positive coefficient of Alpha means more purchases, one of Beta or A customers who leave sooner, and one of
// Gamma or Mu customers who spend more: exp(g) times as often, for the mean rates, or as much, for each unit of x, and
// for Mu by g more. In BGBB a positive coefficient of Alpha means more purchases, one of Gamma customers who leave sooner.
//
// The coefficients of A and B are apart because with a single one the mean probability of leaving, A/(A+B), could not
// depend on x. In the other form of the models with beta distributions, MeanForm, covariates act on that mean and on the
// polarization index 1/(A+B+1), which is near 0 where customers are alike and near 1 where they are all or nothing:
//
//	BGNBD, MBGNBD, BGCNBD, MBGCNBD, PDO   alpha exp(-g1'x),
//	                                      Mean: logit a/(a+b) + g2'x, Polarization: logit 1/(a+b+1) + g3'x
//	BGBB                                  PurchaseMean and PurchasePolarization of alpha and beta,
//	                                      DropoutMean and DropoutPolarization of gamma and delta
//
// Since logit 1/(a+b+1) = -ln(a+b), the latter is a+b times exp(-g3'x). A positive coefficient of Mean means customers
// who leave sooner, exp(g) being the factor of the odds, one of Polarization customers who differ more among each other.
// The base is in A and B in either form. With an indicator of two groups, or levels of a category, acting on both, the two
// forms are the same model; with numbers they are not.
//
// PDO tends to ParetoNBD as its Period falls, with Beta = B Period: there a coefficient of B is minus that of Beta, and A
// may be left without covariates.
//
// CorrelatedParetoNBD has no covariates: the bounds of its M follow from Alpha and Beta, so that the customer at the edge
// of x would set the correlation that all the others may have.
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

// CovBGCNBD is BGCNBD with covariates on Alpha, A and B.
type CovBGCNBD = Cov[BGCNBD]

// CovMBGCNBD is MBGCNBD with covariates on Alpha, A and B.
type CovMBGCNBD = Cov[MBGCNBD]

// CovPDO is PDO with covariates on Alpha, A and B.
type CovPDO = Cov[PDO]

// CovBGBB is BGBB with covariates on Alpha, Beta, Gamma and Delta.
type CovBGBB = Cov[BGBB]

// CovGammaGamma is GammaGamma with covariates on Gamma.
type CovGammaGamma = Cov[GammaGamma]

// CovNormalNormal is NormalNormal with covariates on Mu.
type CovNormalNormal = Cov[NormalNormal]

// An Effect is what covariates do to one parameter, or to the mean or polarization of a beta distribution.
type Effect struct {
	Param        string    `json:"param"`             // the field of the plain model, or Mean, Polarization and their kin
	Coefficients []float64 `json:"coefficients"`      // one a column of Terms; 0 for those that do not act
	Columns      []int     `json:"columns,omitempty"` // the columns that act, nil for all
}

// acts reports whether a column acts on the parameter.
func (e *Effect) acts(column int) bool { return e.Columns == nil || slices.Contains(e.Columns, column) }

// Kind returns "cov" with the plain model's kind, such as "covbgnbd".
func (m Cov[M]) Kind() string { return "cov" + m.Base.Kind() }

var errShape = errors.New("want one effect for each parameter that covariates act on, in their order, with one finite coefficient a column")

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
	_, ok := m.linkage()
	for i := range m.Effects {
		e := &m.Effects[i]
		ok = ok && len(e.Coefficients) == width && within(e.Columns, width)
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

// linkage returns how the effects act, and whether they are those of one of the model's forms.
func (m Cov[M]) linkage() (linkage, bool) {
	forms := m.Base.linkages()
	for _, l := range forms {
		if slices.EqualFunc(m.Effects, l.links, func(e Effect, k link) bool { return e.Param == k.name }) {
			return l, true
		}
	}
	return forms[0], false
}

// For returns the plain model of a customer with the given covariates, coded as Design.Row and Terms.Row do. For a row of
// another length it is a model that does not validate and predicts NaN.
func (m Cov[M]) For(row []float64) M {
	l, ok := m.linkage()
	by := make([]float64, len(l.params))
	for i, k := range l.links {
		eta := math.NaN()
		if ok && len(m.Effects[i].Coefficients) == len(row) {
			eta = 0
			for c, g := range m.Effects[i].Coefficients {
				if g != 0 {
					eta += g * row[c]
				}
			}
		}
		by[k.param] = k.sign * eta
	}
	theta := make([]float64, len(l.params))
	l.move(baseValues(m.Base, l.params), by, theta)
	return withBase(m.Base, l.params, theta)
}

// baseValues returns the estimated parameters of a plain model.
func baseValues(m any, params []string) []float64 {
	v := reflect.ValueOf(m)
	theta := make([]float64, len(params))
	for i, p := range params {
		theta[i] = v.FieldByName(p).Float()
	}
	return theta
}

// withBase returns the plain model with other values of them.
func withBase[M any](m M, params []string, theta []float64) M {
	v := reflect.ValueOf(&m).Elem()
	for i, p := range params {
		v.FieldByName(p).SetFloat(theta[i])
	}
	return m
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
	l, _ := m.linkage()
	base := l.params
	m.Base = withBase(m.Base, base, theta)
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
