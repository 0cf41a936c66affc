package attribution

import (
	"context"
	"io"

	"github.com/custval/custval/cac/internal/table"
)

// A Comparison is the credits of several models side by side.
type Comparison struct {
	Channels []string  `json:"channels"`
	Results  []*Result `json:"results"` // one a model, in the order in which they were asked for
}

// DefaultModels returns the models that journeys like these can be given to: first, last, last non-direct if a direct
// channel is declared, linear, position, time decay if all ages are known, Markov of order 1 and Shapley.
func DefaultModels(js *Journeys) []Model {
	models := []Model{First{}, Last{}}
	if js.declared != "" {
		models = append(models, LastNonDirect{})
	}
	models = append(models, Linear{}, Position{})
	aged := true
	for i := range js.atoms {
		if a := &js.atoms[i]; a.ages == nil && len(js.paths[a.path].channels) > 1 {
			aged = false
			break
		}
	}
	if aged {
		models = append(models, TimeDecay{})
	}
	return append(models, Markov{}, Shapley{})
}

// Compare gives the journeys to several models; without any, to the [DefaultModels]. It returns the first error of
// [Attribute], and an error for two models of one name.
func Compare(ctx context.Context, js *Journeys, models ...Model) (*Comparison, error) {
	if js == nil {
		return nil, fail("no journeys")
	}
	if len(models) == 0 {
		models = DefaultModels(js)
	}
	c := &Comparison{Channels: js.Channels()}
	names := map[string]bool{}
	for _, m := range models {
		r, err := Attribute(ctx, js, m)
		if err != nil {
			return nil, err
		}
		if names[r.Model] {
			return nil, fail("two models are named %q", r.Model)
		}
		names[r.Model] = true
		c.Results = append(c.Results, r)
	}
	return c, nil
}

// String returns two aligned tables, conversions and value, with a row per channel and a column per model.
func (c *Comparison) String() string {
	header := []string{"channel"}
	conversions, value := make([][]string, len(c.Channels)+1), make([][]string, len(c.Channels)+1)
	for i, name := range append(append([]string(nil), c.Channels...), "(total)") {
		conversions[i], value[i] = []string{name}, []string{name}
	}
	valued := false
	for _, r := range c.Results {
		header = append(header, r.Model)
		for i, credit := range r.Credits {
			conversions[i] = append(conversions[i], table.Fixed(credit.Conversions, 2, nil))
			value[i] = append(value[i], credit.Value.String())
		}
		n := len(c.Channels)
		conversions[n] = append(conversions[n], table.Fixed(float64(r.Conversions), 2, nil))
		value[n] = append(value[n], r.Value.String())
		valued = valued || r.Value.Sign() != 0
	}
	text := "conversions\n" + table.Text(header, conversions, 1)
	if valued {
		text += "value\n" + table.Text(header, value, 1)
	}
	return text
}

// WriteCSV writes a row per model and channel with the columns model, channel, conversions, share, value and currency.
func (c *Comparison) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range c.Results {
		rows = append(rows, r.csvRows()...)
	}
	return table.CSV(w, creditHeader(), rows)
}
