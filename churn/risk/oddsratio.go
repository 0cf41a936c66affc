package risk

import (
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/stat"
)

// An OddsRatio is what one more unit of a covariate, or a level against the reference, does to the odds of leaving.
type OddsRatio struct {
	Covariate string  `json:"covariate"`
	Ratio     float64 `json:"ratio"` // exp(coefficient)
	Lower     float64 `json:"lower"`
	Upper     float64 `json:"upper"`
	P         float64 `json:"p"` // of the Wald test that the coefficient is 0
}

// OddsRatios are the odds ratios of a logistic regression.
type OddsRatios []OddsRatio

// OddsRatios returns the odds ratios of all covariates, in their order, with Wald intervals of the given level. It returns
// an error for a level outside (0, 1).
func (f *LogisticFit) OddsRatios(level float64) (OddsRatios, error) {
	z := stat.TwoSided(level)
	if math.IsNaN(z) {
		return nil, fmt.Errorf("risk: level %v is not between 0 and 1", level)
	}
	var rows OddsRatios
	for _, p := range f.Estimate.Params[1:] {
		rows = append(rows, OddsRatio{p.Name, math.Exp(p.Value), math.Exp(p.Value - z*p.StdErr), math.Exp(p.Value + z*p.StdErr),
			math.Erfc(math.Abs(p.Value/p.StdErr) / math.Sqrt2)})
	}
	return rows, nil
}

func (rs OddsRatios) table() *table.Table {
	t := table.New("covariate", "ratio", "lower", "upper", "p")
	for _, r := range rs {
		t.Add(r.Covariate, r.Ratio, r.Lower, r.Upper, r.P)
	}
	return t
}

// MarshalJSON writes the rows; what overflows is null.
func (rs OddsRatios) MarshalJSON() ([]byte, error) { return table.Marshal([]OddsRatio(rs)) }

// String returns an aligned table.
func (rs OddsRatios) String() string { return rs.table().String() }

// WriteCSV writes the table with a header.
func (rs OddsRatios) WriteCSV(w io.Writer) error { return rs.table().WriteCSV(w) }
