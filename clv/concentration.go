package clv

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A LorenzPoint says which share of the value the customers of lowest value hold, up to a share of the customers.
type LorenzPoint struct {
	Customers float64 `json:"customers"` // share of the customers, the lowest values first
	Value     float64 `json:"value"`     // share of the value
}

// A Concentration says how unevenly value is spread over customers.
type Concentration struct {
	Customers int           `json:"customers"`
	Total     money.Amount  `json:"total"`
	TopDecile float64       `json:"top_decile"` // share of the value held by the tenth of the customers with the highest values
	TopFifth  float64       `json:"top_fifth"`  // likewise by a fifth: 0.80 is the rule of thumb
	Gini      float64       `json:"gini"`       // 0 if all are alike, near 1 if one holds everything
	Lorenz    []LorenzPoint `json:"lorenz"`     // from (0, 0) to (1, 1), at most 101 points
}

// Concentrate returns the concentration of the customers' values. A share that ends within a customer takes the fraction
// of that customer's value. The Gini coefficient is
//
//	1 - sum over i of (C_i + C_(i-1))/n      with C_i the share of the value of the i customers of lowest value
//
// It returns an error if there are no customers or a value is negative, and one that wraps ledger.ErrUndefined if all
// values are 0.
func Concentrate[T Valued](rows []T) (*Concentration, error) {
	if len(rows) == 0 {
		return nil, errors.New("clv: concentration: no customers")
	}
	values := make([]float64, len(rows))
	var sum money.Sum
	for i, r := range rows {
		customer, v := r.CustomerValue()
		if v.Sign() < 0 {
			return nil, fmt.Errorf("clv: concentration: customer %q: value %v: negative", customer, v)
		}
		values[i] = v.Float64()
		sum.Add(v)
	}
	total, err := sum.Total()
	if err != nil {
		return nil, fmt.Errorf("clv: concentration: %w", err)
	}
	if total.IsZero() {
		return nil, fmt.Errorf("clv: concentration: all values are 0: %w", ledger.ErrUndefined)
	}
	slices.Sort(values)
	share := make([]float64, len(values)+1)
	for i, v := range values {
		share[i+1] = share[i] + v
	}
	whole, n := share[len(values)], float64(len(values))
	c := &Concentration{Customers: len(rows), Total: total}
	area := 0.0
	for i := range values {
		area += (share[i+1] + share[i]) / whole / n
	}
	c.Gini = max(0, 1-area)
	at := func(p float64) float64 {
		x := p * n
		i := min(int(x), len(values)-1)
		return (share[i] + (x-float64(i))*values[i]) / whole
	}
	c.TopDecile, c.TopFifth = 1-at(0.9), 1-at(0.8)
	points := min(len(values), 100)
	for k := range points + 1 {
		p := float64(k) / float64(points)
		c.Lorenz = append(c.Lorenz, LorenzPoint{p, math.Min(1, at(p))})
	}
	return c, nil
}

// WriteCSV writes the Lorenz curve with a header.
func (c *Concentration) WriteCSV(w io.Writer) error {
	records := [][]string{{"customers", "value"}}
	for _, p := range c.Lorenz {
		records = append(records, []string{strconv.FormatFloat(p.Customers, 'f', 4, 64), strconv.FormatFloat(p.Value, 'f', 6, 64)})
	}
	return csv.NewWriter(w).WriteAll(records)
}

// String returns the figures in a line.
func (c *Concentration) String() string {
	return fmt.Sprintf("%d customers, %v: the top tenth holds %.1f %%, the top fifth %.1f %%, Gini %.3f",
		c.Customers, c.Total, 100*c.TopDecile, 100*c.TopFifth, c.Gini)
}
