package budget

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// A FrontierRow is the best plan of one budget in short.
type FrontierRow struct {
	Budget      money.Amount  `json:"budget"`
	Spend       money.Amount  `json:"spend"`
	Customers   float64       `json:"customers"`
	Value       money.Amount  `json:"value"`
	Profit      money.Amount  `json:"profit"`       // Value - Spend
	AverageCAC  *money.Amount `json:"average_cac"`  // Spend / Customers; nil without customers
	ShadowPrice *float64      `json:"shadow_price"` // Plan.ShadowPrice; nil where it is infinite
	Gap         float64       `json:"gap"`          // Plan.Gap
}

// A FrontierTable shows what more or less budget would bring.
type FrontierTable []FrontierRow

// Frontier allocates several budgets, in the order given, to the same channels. The budget with the greatest profit is
// about where the shadow price crosses 1; [AllocateTarget] finds it exactly. It returns the first error of [Allocate].
func Frontier(ctx context.Context, budgets []money.Amount, channels []Channel, o *Options) (FrontierTable, error) {
	out := make(FrontierTable, 0, len(budgets))
	for _, b := range budgets {
		p, err := Allocate(ctx, b, channels, o)
		if err != nil {
			return nil, err
		}
		out = append(out, FrontierRow{p.Budget, p.Spend, p.Customers, p.Value, p.Profit,
			perCustomer(p.Spend.Float64()/p.Customers, b.Currency()), finite(p.ShadowPrice), p.Gap})
	}
	return out, nil
}

// String returns the rows as aligned text.
func (t FrontierTable) String() string {
	rows := make([][]string, len(t))
	for i, r := range t {
		price := "infinite"
		if r.ShadowPrice != nil {
			price = fmt.Sprintf("%.4f", *r.ShadowPrice)
		}
		rows[i] = []string{r.Budget.String(), r.Spend.String(), fmt.Sprintf("%.2f", r.Customers), r.Value.String(), r.Profit.String(), cell(r.AverageCAC), price}
	}
	return table.Text([]string{"budget", "spend", "customers", "value", "profit", "CAC", "next unit"}, rows, 0)
}

// WriteCSV writes the rows with the header budget,spend,customers,value,profit,average_cac,shadow_price,gap,currency.
func (t FrontierTable) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(t))
	for i, r := range t {
		price := ""
		if r.ShadowPrice != nil {
			price = table.Float(*r.ShadowPrice, nil)
		}
		rows[i] = []string{table.Plain(r.Budget), table.Plain(r.Spend), table.Float(r.Customers, nil), table.Plain(r.Value), table.Plain(r.Profit),
			optional(r.AverageCAC), price, table.Float(r.Gap, nil), string(r.Budget.Currency())}
	}
	return table.CSV(w, strings.Split("budget,spend,customers,value,profit,average_cac,shadow_price,gap,currency", ","), rows)
}
