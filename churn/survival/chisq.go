package survival

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/custval/custval/ledger"
)

// chiSquaredP returns P(X > x) for a chi-squared X with df degrees of freedom.
func chiSquaredP(x float64, df int) float64 {
	if df <= 0 || math.IsNaN(x) {
		return math.NaN()
	}
	if df == 1 {
		return math.Erfc(math.Sqrt(math.Max(x, 0) / 2))
	}
	return mathext.GammaIncRegComp(float64(df)/2, math.Max(x, 0)/2)
}

// twoSidedP returns P(|Z| > |z|) for a standard normal Z.
func twoSidedP(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

func undefined(what string) error { return fmt.Errorf("survival: %s: %w", what, ledger.ErrUndefined) }
