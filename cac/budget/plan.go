package budget

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// A Plan is a division of a budget among channels.
type Plan struct {
	Objective Objective    `json:"objective"`
	Budget    money.Amount `json:"budget"`
	Spend     money.Amount `json:"spend"`   // the sum of the rows; Budget less Unspent
	Unspent   money.Amount `json:"unspent"` // what no channel could take
	Customers float64      `json:"customers"`
	Value     money.Amount `json:"value"`  // the sum of the rows; zero where no values are given
	Profit    money.Amount `json:"profit"` // Value - Spend

	// ShadowPrice is what one more unit of budget would return in the objective, value or customers: the sensitivity of
	// the plan to the budget. Below 1 another unit of value costs more than it brings. +Inf (null in JSON) where a
	// channel's curve rises vertically from nothing.
	ShadowPrice float64 `json:"shadow_price"`
	LastUnit    float64 `json:"last_unit"` // what the last unit of the budget returns; the same as ShadowPrice unless bounds are in the way

	Best  float64 `json:"best"`  // the objective before rounding to the minor unit
	Bound float64 `json:"bound"` // no plan reaches more than this
	Gap   float64 `json:"gap"`   // (Bound - Best) / Bound: 0 for concave curves, where the plan is the best for certain
	Nodes int     `json:"nodes"` // sub-problems solved by the search; 1 for concave curves

	Rows []Row `json:"rows"` // in the order of the channels
}

// A Row is what a plan gives to one channel.
type Row struct {
	Channel     string        `json:"channel"`
	Spend       money.Amount  `json:"spend"`
	Unrounded   float64       `json:"unrounded"`         // the spend before rounding to the minor unit
	Current     *money.Amount `json:"current,omitempty"` // Channel.Current; nil if not known
	Change      *money.Amount `json:"change,omitempty"`  // Spend - Current
	Customers   float64       `json:"customers"`         // also what the plan gains in value if a customer of the channel is worth one unit more
	Value       money.Amount  `json:"value"`             // Customers times Channel.Value, half to even to the minor unit
	Marginal    float64       `json:"marginal"`          // customers won by one more unit of spend; +Inf, null in JSON, where the curve rises vertically
	Return      float64       `json:"return"`            // value won by one more unit of spend, customers with MaxCustomers
	AverageCAC  *money.Amount `json:"average_cac"`       // Spend / Customers; nil without customers
	MarginalCAC *money.Amount `json:"marginal_cac"`      // 1 / Marginal; nil if one more unit wins nobody
	AtMin       bool          `json:"at_min"`            // the minimum holds the spend up: Return is below the price of the plan
	AtMax       bool          `json:"at_max"`            // the maximum holds it down
	BoundPrice  float64       `json:"bound_price"`       // what one more unit of the minimum or the maximum that binds changes the objective by: Return - ShadowPrice; 0 between bounds
}

// newPlan rounds x and fills in what follows from it.
func newPlan(channels []Channel, items []item, x []float64, budget money.Amount, units int64, exact bool, o Options) (*Plan, error) {
	currency := budget.Currency()
	digits, ok := currency.Digits()
	if !ok {
		return nil, fail("currency %q has no minor unit to round a plan to", string(currency))
	}
	parts, err := rounded(items, x, math.Pow10(int(digits)), units, exact)
	if err != nil {
		return nil, err
	}
	p := &Plan{Objective: o.Objective, Budget: budget, Rows: make([]Row, len(channels))}
	for i := range items {
		if p.Rows[items[i].index].Spend, err = money.FromMinor(parts[i], currency); err != nil {
			return nil, &ChannelError{items[i].name, err}
		}
	}
	return p, p.complete(channels, items, x)
}

// complete fills in what follows from the spends of the rows.
func (p *Plan) complete(channels []Channel, items []item, x []float64) error {
	var spend, value money.Sum
	currency := p.Budget.Currency()
	for i := range items {
		c := channels[items[i].index]
		r := &p.Rows[items[i].index]
		r.Channel, r.Unrounded = c.Name, x[i]
		at := r.Spend.Float64()
		if currency == "" {
			currency = r.Spend.Currency()
		}
		r.Customers, r.Marginal = c.Curve.Response(at), c.Curve.Marginal(at)
		if !(r.Customers >= 0 && r.Customers <= math.MaxFloat64) || !(r.Marginal >= 0) {
			return &ChannelError{c.Name, fmt.Errorf("%w: response %v and marginal response %v at a spend of %v", ErrShape, r.Customers, r.Marginal, at)}
		}
		r.Return = r.Marginal
		if items[i].value == 0 {
			r.Return = 0
		} else if p.Objective == MaxValue {
			r.Return *= items[i].value
		}
		var err error
		if c.Value.Currency() != "" {
			if r.Value, err = money.FromFloat(c.Value.Float64()*r.Customers, currency, money.HalfEven); err != nil {
				return &ChannelError{c.Name, err}
			}
		}
		r.AverageCAC, r.MarginalCAC = perCustomer(at/r.Customers, currency), perCustomer(1/r.Marginal, currency)
		if c.Current.Currency() != "" {
			current := c.Current
			change, err := r.Spend.Sub(current)
			if err != nil {
				return &ChannelError{c.Name, err}
			}
			r.Current, r.Change = &current, &change
		}
		p.Customers += r.Customers
	}
	zero, err := money.FromMinor(0, currency)
	if err != nil {
		return fail("%w", err)
	}
	spend.Add(zero)
	value.Add(zero)
	for i := range p.Rows {
		spend.Add(p.Rows[i].Spend)
		value.Add(p.Rows[i].Value)
	}
	if p.Spend, err = spend.Total(); err != nil {
		return fail("%w", err)
	}
	if p.Value, err = value.Total(); err != nil {
		return fail("%w", err)
	}
	if p.Profit, err = p.Value.Sub(p.Spend); err != nil {
		return fail("%w", err)
	}
	if p.Budget.Currency() == "" {
		p.Budget = p.Spend
	}
	if p.Unspent, err = p.Budget.Sub(p.Spend); err != nil {
		return fail("%w", err)
	}
	return nil
}

// perCustomer returns a cost, or nil if it is not an amount.
func perCustomer(cost float64, c money.Currency) *money.Amount {
	a, err := money.FromFloat(cost, c, money.HalfEven)
	if err != nil {
		return nil
	}
	return &a
}

// prices fills in the sensitivities: what the objective gains by one more unit of the budget and of each bound.
func (p *Plan) prices(items []item, x []float64) {
	p.ShadowPrice, p.LastUnit = 0, math.Inf(1)
	spent := false
	for i := range items {
		c := &items[i]
		slack := 1e-9 * max(1, x[i])
		closed := c.span.entry > 0 && x[i] <= c.span.low
		roof := c.span.high
		if !c.capped {
			roof = math.Inf(1) // the limit is the budget's and not the channel's
		}
		if !closed && x[i] < roof-slack {
			p.ShadowPrice = max(p.ShadowPrice, c.slope(x[i]))
		}
		if x[i] > max(c.span.low, c.span.entry)+slack {
			p.LastUnit = min(p.LastUnit, c.slope(x[i]))
			spent = true
		}
	}
	if !spent {
		p.LastUnit = 0
	}
	for i := range items {
		c := &items[i]
		r := &p.Rows[c.index]
		slack := 1e-9 * max(1, x[i])
		switch s := c.slope(x[i]); {
		case x[i] <= c.span.low+slack && c.span.low > 0 && s < p.ShadowPrice:
			r.AtMin = true
			r.BoundPrice = s - p.ShadowPrice
		case x[i] >= c.span.high-slack && c.capped && s > p.ShadowPrice:
			r.AtMax = true
			r.BoundPrice = s - p.ShadowPrice
		}
		if math.IsInf(r.BoundPrice, 0) || math.IsNaN(r.BoundPrice) {
			r.BoundPrice = 0
		}
	}
}

// String returns the plan as a table, with what the next unit of budget would return and how certain the optimum is.
func (p *Plan) String() string {
	header := []string{"channel", "spend", "customers", "value", "CAC", "marginal CAC", "return", "bound"}
	known := false
	for _, r := range p.Rows {
		known = known || r.Current != nil
	}
	if known {
		header = append(header, "change")
	}
	rows := make([][]string, 0, len(p.Rows)+1)
	for _, r := range p.Rows {
		bound := ""
		if r.AtMin {
			bound = "min"
		} else if r.AtMax {
			bound = "max"
		}
		row := []string{r.Channel, r.Spend.String(), fmt.Sprintf("%.2f", r.Customers), r.Value.String(), cell(r.AverageCAC), cell(r.MarginalCAC), fmt.Sprintf("%.4f", r.Return), bound}
		if known {
			row = append(row, cell(r.Change))
		}
		rows = append(rows, row)
	}
	average := table.Undefined
	if a := perCustomer(p.Spend.Float64()/p.Customers, p.Spend.Currency()); a != nil {
		average = a.String()
	}
	rows = append(rows, []string{"total", p.Spend.String(), fmt.Sprintf("%.2f", p.Customers), p.Value.String(), average, "", "", ""})
	if known {
		rows[len(rows)-1] = append(rows[len(rows)-1], "")
	}
	s := table.Text(header, rows, 1)
	if p.Unspent.Sign() != 0 {
		s += fmt.Sprintf("unspent: %s\n", p.Unspent)
	}
	s += fmt.Sprintf("one more %s of budget returns %.4f in %s\n", p.Budget.Currency(), p.ShadowPrice, p.Objective)
	if p.Gap > 0 {
		s += fmt.Sprintf("at most %.2g%% below the best plan possible\n", 100*p.Gap)
	}
	return s
}

func cell(a *money.Amount) string {
	if a == nil {
		return table.Undefined
	}
	return a.String()
}

// WriteCSV writes the rows with the header
// channel,currency,spend,current,change,customers,value,average_cac,marginal_cac,marginal,return,bound,bound_price.
func (p *Plan) WriteCSV(w io.Writer) error {
	rows := make([][]string, 0, len(p.Rows))
	for _, r := range p.Rows {
		bound := ""
		if r.AtMin {
			bound = "min"
		} else if r.AtMax {
			bound = "max"
		}
		rows = append(rows, []string{r.Channel, string(r.Spend.Currency()), table.Plain(r.Spend), optional(r.Current), optional(r.Change),
			table.Float(r.Customers, nil), table.Plain(r.Value), optional(r.AverageCAC), optional(r.MarginalCAC),
			table.Float(r.Marginal, nil), table.Float(r.Return, nil), bound, table.Float(r.BoundPrice, nil)})
	}
	return table.CSV(w, strings.Split("channel,currency,spend,current,change,customers,value,average_cac,marginal_cac,marginal,return,bound,bound_price", ","), rows)
}

func optional(a *money.Amount) string {
	if a == nil {
		return ""
	}
	return table.Plain(*a)
}

// MarshalJSON writes the plan; an infinite shadow price is null.
func (p Plan) MarshalJSON() ([]byte, error) {
	type plain Plan
	return json.Marshal(struct {
		plain
		ShadowPrice *float64 `json:"shadow_price"`
		LastUnit    *float64 `json:"last_unit"`
	}{plain(p), finite(p.ShadowPrice), finite(p.LastUnit)})
}

// MarshalJSON writes the row; an infinite marginal response is null.
func (r Row) MarshalJSON() ([]byte, error) {
	type plain Row
	return json.Marshal(struct {
		plain
		Marginal *float64 `json:"marginal"`
		Return   *float64 `json:"return"`
	}{plain(r), finite(r.Marginal), finite(r.Return)})
}

func finite(x float64) *float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil
	}
	return &x
}
