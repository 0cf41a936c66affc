package clv

import (
	"fmt"
	"math"
	"slices"
)

// DynamicParetoNBD is the Pareto/NBD model with covariates that change with time: seasons, holidays and prices that are the
// same for all customers, mailings and discounts that are not. While a customer is alive, purchases come at the rate
// lambda exp(g1'x(t)), and the customer leaves with the hazard mu exp(g2'x(t)), where x(t) is a step function of time, the
// customer's Path, and
//
//	lambda    gamma with shape R and rate Alpha
//	mu        gamma with shape S and rate Beta
//
// as in ParetoNBD. A positive coefficient of Alpha means more purchases while its covariate is high, one of Beta customers
// who leave sooner: exp(g) times as often for each unit of x. Covariates that never change give CovParetoNBD, and
// coefficients of 0 ParetoNBD.
//
// Along makes the model of one customer, who may be asked everything that a Model answers:
//
//	e, err := clv.FitDynamicParetoNBD(ctx, hs, design, nil)
//	p := e.Model.Along(design.Path(0)).ExpectedPurchases(hs.Rows[0], 26)
//
// Source: P. Bachmann, M. Meierer, J. Näf, The Role of Time-Varying Contextual Factors in Latent Attrition Models for
// Customer Base Analysis, Marketing Science 40(4), 2021.
type DynamicParetoNBD struct {
	Base    ParetoNBD `json:"base"`            // the model of a customer all of whose covariates are always 0
	Terms   Terms     `json:"terms"`           // the covariates
	Effects []Effect  `json:"effects"`         // of Alpha, then of Beta
	Equal   []int     `json:"equal,omitempty"` // columns with one coefficient for both
}

// Kind returns "dynamicparetonbd".
func (DynamicParetoNBD) Kind() string { return "dynamicparetonbd" }

// Validate returns an error unless the base validates and the effects are those of Alpha and of Beta, with one finite
// coefficient a column each.
func (m DynamicParetoNBD) Validate() error {
	if err := m.Base.Validate(); err != nil {
		return err
	}
	if CovParetoNBD(m).Validate() != nil {
		return fmt.Errorf("clv: %s: %w", m.Kind(), errShape)
	}
	return nil
}

// MarshalJSON writes the model under the schema "custval/model/dynamicparetonbd/v1".
func (m DynamicParetoNBD) MarshalJSON() ([]byte, error) {
	type plain DynamicParetoNBD
	return marshalModel(m, plain(m))
}

// UnmarshalJSON reads what MarshalJSON wrote and validates it.
func (m *DynamicParetoNBD) UnmarshalJSON(text []byte) error {
	type plain DynamicParetoNBD
	return unmarshalModel(text, m, (*plain)(m))
}

// withParams returns the model with the values of its parameters in the order of an estimate's.
func (m DynamicParetoNBD) withParams(theta []float64) DynamicParetoNBD {
	return DynamicParetoNBD(CovParetoNBD(m).withParams(theta))
}

// Along returns the model of one customer whose covariates take the given path. For a path that does not validate, or has
// not the columns of Terms, it is a model that does not validate and predicts NaN.
func (m DynamicParetoNBD) Along(p Path) PathParetoNBD {
	if m.Validate() != nil || p.Validate() != nil || len(p.Rows[0]) != len(m.Effects[0].Coefficients) {
		return PathParetoNBD{}
	}
	w := PathParetoNBD{base: m.Base, starts: slices.Clone(p.Starts), end: p.end(), bought: math.NaN()}
	w.buy, w.leave = make([]float64, len(p.Rows)), make([]float64, len(p.Rows))
	for k, row := range p.Rows {
		w.buy[k] = math.Exp(product(m.Effects[0].Coefficients, row))
		w.leave[k] = math.Exp(product(m.Effects[1].Coefficients, row))
		if !allPositive(w.buy[k], w.leave[k]) {
			return PathParetoNBD{}
		}
	}
	if p.Purchases != nil {
		w.bought = product(m.Effects[0].Coefficients, p.Purchases)
	}
	return w
}

// product returns g'x; a coefficient of 0 takes nothing of its column.
func product(g, x []float64) float64 {
	sum := 0.0
	for i, v := range g {
		if v != 0 {
			sum += v * x[i]
		}
	}
	return sum
}
