package cac

import (
	"fmt"
	"io"
	"math"
	"math/big"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// CPM returns the cost of a thousand impressions, spend * 1000 / impressions, rounded half to even to the minor unit. It
// returns an error that wraps [ErrZeroBase] for no impressions, and [ErrNonPositiveCost] for a negative spend.
func CPM(spend money.Amount, impressions int64) (money.Amount, error) {
	thousand, err := timesInt(spend, 1000)
	if err != nil {
		return money.Amount{}, err
	}
	return costPer("impressions", thousand, impressions)
}

// CPC returns the cost of a click, as [CPM] does of a thousand impressions.
func CPC(spend money.Amount, clicks int64) (money.Amount, error) {
	return costPer("clicks", spend, clicks)
}

// CPL returns the cost of a lead.
func CPL(spend money.Amount, leads int64) (money.Amount, error) {
	return costPer("leads", spend, leads)
}

// CPO returns the cost of a sales opportunity.
func CPO(spend money.Amount, opportunities int64) (money.Amount, error) {
	return costPer("opportunities", spend, opportunities)
}

// CPA returns the cost of an action, whatever action is counted. It is no CAC unless the action is the first payment of
// a new customer.
func CPA(spend money.Amount, actions int64) (money.Amount, error) {
	return costPer("actions", spend, actions)
}

func costPer(what string, spend money.Amount, n int64) (money.Amount, error) {
	switch {
	case n < 0:
		return money.Amount{}, fail("%d %s: negative", n, what)
	case n == 0:
		return money.Amount{}, fail("%w: no %s", ErrZeroBase, what)
	case spend.Sign() < 0:
		return money.Amount{}, fail("%w: %s", ErrNonPositiveCost, spend)
	}
	a, _, err := perUnit(spend, n)
	return a, err
}

// FunnelCAC returns the cost of a customer from the cost of a click and the conversion rates of the stages between them,
//
//	CPC / (rate1 * rate2 * ...)
//
// rounded half to even to the minor unit. Every rate is above 0 and at most 1; a rate of 0 is an error that wraps
// [ErrNoNewCustomers].
func FunnelCAC(cpc money.Amount, rates ...float64) (money.Amount, error) {
	if cpc.Sign() < 0 {
		return money.Amount{}, fail("%w: %s", ErrNonPositiveCost, cpc)
	}
	product := big.NewRat(1, 1)
	for i, r := range rates {
		if err := within(fmt.Sprintf("rate %d", i+1), r, 0, 1); err != nil {
			return money.Amount{}, err
		}
		if r == 0 {
			return money.Amount{}, fail("%w: rate %d is 0", ErrNoNewCustomers, i+1)
		}
		product.Mul(product, number(r))
	}
	return amountOf(product.Quo(rat(cpc), product), cpc.Currency())
}

// A Stage is one step of a sales funnel with what it costs.
type Stage struct {
	Name  string       `json:"name"`  // "lead", "opportunity", "win"
	Count int64        `json:"count"` // how many reached it
	Each  money.Amount `json:"each"`  // what each of them costs there: a call, a demonstration, a commission; may be zero
}

// A StageCost is a [Stage] with its rates and costs.
type StageCost struct {
	Stage
	Rate     float64      `json:"rate"`      // Count / count of the stage before; 1 at the first
	Spend    money.Amount `json:"spend"`     // Count * Each
	CostPer  money.Amount `json:"cost_per"`  // media and the costs of this stage and those before, per Count; half to even
	PerFinal money.Amount `json:"per_final"` // Spend per one who reached the last stage; half to even
}

// Stacked is the cost of a customer built up along a funnel.
type Stacked struct {
	Media  money.Amount `json:"media"`  // what filled the funnel
	Stages []StageCost  `json:"stages"` // in order
	Cost   Figure       `json:"cost"`   // all costs per one who reached the last stage
}

// StackedCost returns what a customer costs when every stage of the funnel has costs of its own:
//
//	(media + sum of count * each) / count of the last stage
//
// which is the sum of the costs of each stage divided by the product of the conversion rates below it. It returns an
// error that wraps [ErrNoNewCustomers] if nobody reached the last stage, [ErrCurrencyMismatch] and [ErrNonPositiveCost];
// and an error if there are no stages, a count is negative, or more reach a stage than the one before.
func StackedCost(media money.Amount, stages ...Stage) (Stacked, error) {
	if len(stages) == 0 {
		return Stacked{}, fail("a funnel without stages")
	}
	out := Stacked{Media: media, Stages: make([]StageCost, len(stages))}
	final := stages[len(stages)-1].Count
	spent := media
	nothing, err := timesInt(media, 0)
	if err != nil {
		return Stacked{}, err
	}
	for i, s := range stages {
		if err := checkStage(media, stages, i); err != nil {
			return Stacked{}, err
		}
		row := StageCost{Stage: s, Rate: 1}
		if row.Each, err = total(nothing, s.Each); err != nil { // gives a stage that costs nothing the currency
			return Stacked{}, err
		}
		if final == 0 {
			return Stacked{}, fail("stage %q: %w", stages[len(stages)-1].Name, ErrNoNewCustomers)
		}
		if i > 0 {
			row.Rate = float64(s.Count) / float64(stages[i-1].Count)
		}
		if row.Spend, err = timesInt(row.Each, s.Count); err != nil {
			return Stacked{}, err
		}
		if spent, err = total(spent, row.Spend); err != nil {
			return Stacked{}, err
		}
		if row.CostPer, _, err = perUnit(spent, s.Count); err != nil {
			return Stacked{}, err
		}
		if row.PerFinal, _, err = perUnit(row.Spend, final); err != nil {
			return Stacked{}, err
		}
		out.Stages[i] = row
	}
	out.Cost, err = NewFigure(spent, int(final), FullyLoaded(), NewAll)
	return out, err
}

func checkStage(media money.Amount, stages []Stage, i int) error {
	s := stages[i]
	switch {
	case s.Count < 0:
		return fail("stage %q: count %d: negative", s.Name, s.Count)
	case s.Count > math.MaxInt:
		return fail("stage %q: count %d: too large", s.Name, s.Count)
	case i > 0 && s.Count > stages[i-1].Count:
		return fail("stage %q: count %d: more than the %d of stage %q", s.Name, s.Count, stages[i-1].Count, stages[i-1].Name)
	case s.Each.Sign() < 0:
		return fail("stage %q: %w: %s", s.Name, ErrNonPositiveCost, s.Each)
	}
	if err := sameCurrency(media, s.Each); err != nil {
		return fail("stage %q: %w", s.Name, err)
	}
	return nil
}

func (s Stacked) cells(show func(money.Amount) string) [][]string {
	rows := make([][]string, len(s.Stages))
	for i, r := range s.Stages {
		rows[i] = []string{r.Name, fmt.Sprint(r.Count), table.Float(r.Rate, nil), show(r.Each), show(r.Spend), show(r.CostPer), show(r.PerFinal)}
	}
	return rows
}

// String returns the stages as an aligned table, and the cost of a customer below.
func (s Stacked) String() string {
	rows := s.cells(money.Amount.String)
	for i, r := range s.Stages {
		rows[i][2] = table.Percent(r.Rate, nil)
	}
	return table.Text([]string{"stage", "count", "rate", "each", "spend", "cost per", "per customer"}, rows, 1) +
		fmt.Sprintf("media: %s\ncost of a customer: %s\n", s.Media, s.Cost.Cost)
}

// WriteCSV writes the stages with the header stage,count,rate,each,spend,cost_per,per_final,currency.
func (s Stacked) WriteCSV(w io.Writer) error {
	rows := s.cells(table.Plain)
	for i := range rows {
		rows[i] = append(rows[i], string(s.Cost.Spend.Currency()))
	}
	return table.CSV(w, []string{"stage", "count", "rate", "each", "spend", "cost_per", "per_final", "currency"}, rows)
}
