package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// facts are what several sections need: the log up to the end, its customers, the fitted models and what they say.
type facts struct {
	o        Options
	log      []ledger.Transaction // up to the end
	later    int                  // rows after it, left out
	first    time.Time            // day of the first row
	end      time.Time            // the last day
	after    time.Time            // the moment after it
	currency money.Currency

	histories *clv.Histories
	pasts     clv.Pasts
	earned    earning
	profits   map[string]money.Amount // of each customer so far
	won       []ledger.Customer       // who ever paid, with the channel and the time of the first paid order
	known     []ledger.Customer       // the same of all customers, also those whose orders were all free
	channel   ledger.Key

	model *fitted
	why   error // why there is no model
}

// earning says what of an amount is earned.
type earning struct {
	share float64 // of an amount, for the future and for rows without a cost
	costs bool    // every purchase has its cost
	word  string  // what value is: margin or revenue
}

// fitted is the models and what they say of every customer.
type fitted struct {
	purchases *fit.Estimate[clv.BGNBD]
	spend     *fit.Estimate[clv.GammaGamma]
	value     clv.ValueOptions
	scores    clv.Scores // the highest value first; without limit in time, discounted
	by        map[string]clv.Score
	year      float64 // 52 weeks in the models' unit
}

// gather checks the options and computes the facts.
func gather(ctx context.Context, o Options) (*facts, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	f := &facts{o: o}
	if err := f.cut(); err != nil {
		return nil, err
	}
	var err error
	if f.histories, err = clv.Summarize(ctx, ledger.Transactions(f.log), f.end, o.Unit, nil); err != nil {
		return nil, err
	}
	if len(f.histories.Rows) == 0 {
		return nil, fmt.Errorf("report: no purchase on or before %s", f.end.Format(time.DateOnly))
	}
	f.currency = f.log[slices.IndexFunc(f.log, func(t ledger.Transaction) bool { return t.Amount.Currency() != "" })].Amount.Currency()
	if f.pasts, err = clv.Historic(ctx, ledger.Transactions(f.log), f.after, nil); err != nil {
		return nil, err
	}
	f.pasts = slices.DeleteFunc(f.pasts, func(p clv.Past) bool { return p.Orders == 0 })
	if err := f.earn(); err != nil {
		return nil, err
	}
	if err := f.meet(ctx); err != nil {
		return nil, err
	}
	f.model, err = f.fit(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.why = err
	return f, nil
}

// cut leaves out what is after the end and finds the span of the log. A row without a time or currency is left in: the
// library says which it is.
func (f *facts) cut() error {
	end := f.o.End
	for i, t := range f.o.Log {
		if t.At.IsZero() {
			return fmt.Errorf("report: %w", &ledger.RowError{Row: i + 1, Field: "At", Err: errors.New("no time")})
		}
		if f.o.End.IsZero() && (end.IsZero() || t.At.After(end)) {
			end = t.At
		}
	}
	today := ledger.Day(end, nil)
	f.end, f.after = today.Start, today.End
	for _, t := range f.o.Log {
		if !t.At.Before(f.after) {
			f.later++
			continue
		}
		f.log = append(f.log, t)
		if f.first.IsZero() || t.At.Before(f.first) {
			f.first = t.At
		}
	}
	f.first = ledger.Day(f.first, f.end.Location()).Start
	if !slices.ContainsFunc(f.log, func(t ledger.Transaction) bool { return t.Amount.Currency() != "" }) {
		return fmt.Errorf("report: no purchase on or before %s", f.end.Format(time.DateOnly))
	}
	return nil
}

// earn finds what share of an amount is earned and what each customer has earned the business so far.
func (f *facts) earn() error {
	var sales, costs money.Sum
	f.earned = earning{share: f.o.Margin, costs: true, word: "margin"}
	for _, t := range f.log {
		sales.Add(t.Amount)
		costs.Add(t.Cost)
		if t.Amount.Sign() > 0 && t.Cost.IsZero() {
			f.earned.costs = false
		}
	}
	revenue, err := sales.Total()
	if err != nil {
		return err
	}
	cost, err := costs.Total()
	if err != nil {
		return err
	}
	if f.o.Margin == 0 {
		f.earned.share = 1
		if ratio, err := cost.Ratio(revenue); err == nil && f.earned.costs && ratio < 1 && revenue.Sign() > 0 {
			f.earned.share = min(1, 1-ratio)
		} else if !f.earned.costs {
			f.earned.word = "revenue"
		}
	}
	f.profits = map[string]money.Amount{}
	for _, t := range f.log {
		p, err := f.profit(t)
		if err != nil {
			return err
		}
		if f.profits[t.Customer], err = f.profits[t.Customer].Add(p); err != nil {
			return err
		}
	}
	return nil
}

// profit is what a row earned.
func (f *facts) profit(t ledger.Transaction) (money.Amount, error) {
	if f.earned.costs || f.earned.word == "margin" && !t.Cost.IsZero() {
		return t.Amount.Sub(t.Cost)
	}
	const parts = 1_000_000_000
	return t.Amount.MulRat(int64(math.Round(f.earned.share*parts)), parts, money.HalfEven)
}

// meet finds when and through which channel each customer came: what Options.Customers say, else the first order.
func (f *facts) meet(ctx context.Context) error {
	won, err := cac.Acquire(ctx, ledger.Transactions(f.log), nil)
	if err != nil {
		return err
	}
	told := map[string]ledger.Customer{}
	for i, c := range f.o.Customers {
		if c.ID == "" {
			return fmt.Errorf("report: customers: row %d: no id", i+1)
		}
		if _, ok := told[c.ID]; ok {
			return fmt.Errorf("report: customers: row %d: customer %q is there twice", i+1, c.ID)
		}
		told[c.ID] = c
	}
	f.won = won.Customers()
	paid := map[string]ledger.Customer{}
	for i := range f.won {
		if c := told[f.won[i].ID]; c.Channel != "" {
			f.won[i].Channel = c.Channel
		}
		paid[f.won[i].ID] = f.won[i]
	}
	for _, p := range f.pasts {
		c, ok := paid[p.Customer]
		if !ok {
			c = ledger.Customer{ID: p.Customer, Acquired: p.First, Channel: told[p.Customer].Channel}
		}
		f.known = append(f.known, c)
	}
	f.channel = ledger.By(f.known, "channel")
	return nil
}

// fit fits the models and scores every customer.
func (f *facts) fit(ctx context.Context) (*fitted, error) {
	m := &fitted{year: 52 * float64(clv.Week) / float64(f.o.Unit), by: map[string]clv.Score{},
		value: clv.ValueOptions{Margin: f.earned.share, Discount: clv.Annual(f.o.Discount)}}
	var err error
	if m.purchases, err = clv.FitBGNBD(ctx, f.histories, nil); err != nil {
		return nil, err
	}
	if m.spend, err = clv.FitGammaGamma(ctx, f.histories, nil); err != nil {
		return nil, err
	}
	scorer, err := clv.NewScorer(m.purchases, m.spend, f.currency, m.value, nil)
	if err != nil {
		return nil, err
	}
	if m.scores, err = scorer.Top(f.histories, len(f.histories.Rows)); err != nil {
		return nil, err
	}
	for _, s := range m.scores {
		m.by[s.Customer] = s
	}
	return m, nil
}

// modeled returns the models, or the note that says why there are none.
func (f *facts) modeled() (*fitted, error) {
	if f.why != nil {
		return nil, missingf("The orders do not carry a model of purchases and spend: %v.", f.why)
	}
	return f.model, nil
}

// worth returns what a customer has earned so far and is expected to earn from now on.
func (f *facts) worth(customer string) (past, future, all money.Amount, err error) {
	past = f.profits[customer]
	if f.model != nil {
		future = f.model.by[customer].Value
	}
	all, err = past.Add(future)
	return past, future, all, err
}

// level names the level of intervals.
func (f *facts) level() string { return plain(f.o.Level) }

// interval writes two ends.
func (f *facts) interval(low, high string) string {
	return f.level() + " interval " + low + " to " + high
}

// ends writes an interval in words, or that there is none.
func (f *facts) ends(i clv.Interval) string {
	if i.Low == i.High {
		return "interval not known"
	}
	return f.interval(decimals(i.Low, 0), decimals(i.High, 0))
}

// money writes an amount to the unit, with the currency.
func (f *facts) money(a money.Amount) string { return with(f.currency, whole(a)) }

// people counts customers in words.
func (f *facts) people(n int) string {
	if n == 1 {
		return "1 customer"
	}
	return count(n) + " customers"
}

// base returns the expected purchases of all customers within the next 52 weeks, and their value for ever, with their
// intervals: the parameters' uncertainty by the delta method, that of purchases and spend taken as independent. Where
// that is not known, for lack of a covariance, the intervals are the values alone.
func (f *facts) base(m *fitted) (purchases, value clv.Interval, err error) {
	rows := some(f.histories.Rows)
	total, err := m.scores.Total()
	if err != nil {
		return purchases, value, err
	}
	expected := func(p clv.BGNBD, rows []clv.History) float64 {
		sum := 0.0
		for _, h := range rows {
			sum += p.ExpectedPurchases(h, m.year)
		}
		return sum
	}
	if !m.precise() {
		return around(expected(m.purchases.Model, f.histories.Rows), 0), around(total.Float64(), 0), nil
	}
	if purchases, err = clv.DeltaInterval(m.purchases, func(p clv.BGNBD) float64 { return expected(p, rows) }, fit.Log, f.o.Level); err != nil {
		return purchases, value, err
	}
	delta, err := m.value.Discount.Rate(f.o.Unit)
	if err != nil {
		return purchases, value, err
	}
	worth := func(p clv.BGNBD, s clv.GammaGamma) float64 {
		sum := 0.0
		for _, h := range rows {
			sum += m.value.Margin * s.Mean(h.X, max(0, h.MeanSpend())) * p.DERT(h, delta)
		}
		return sum
	}
	byPurchases, err := clv.DeltaInterval(m.purchases, func(p clv.BGNBD) float64 { return worth(p, m.spend.Model) }, fit.Log, f.o.Level)
	if err != nil {
		return purchases, value, err
	}
	bySpend, err := clv.DeltaInterval(m.spend, func(s clv.GammaGamma) float64 { return worth(m.purchases.Model, s) }, fit.Log, f.o.Level)
	if err != nil {
		return purchases, value, err
	}
	width := math.Hypot(math.Log(byPurchases.High/byPurchases.Value), math.Log(bySpend.High/bySpend.Value))
	return around(expected(m.purchases.Model, f.histories.Rows), math.Log(purchases.High/purchases.Value)), around(total.Float64(), width), nil
}

// precise tells whether the fits say how precise they are.
func (m *fitted) precise() bool { return m.purchases.Cov != nil && m.spend.Cov != nil }

// around is an interval of a positive number that is symmetric on the log scale.
func around(v, width float64) clv.Interval {
	return clv.Interval{Value: v, Low: v * math.Exp(-width), High: v * math.Exp(width)}
}

// representatives is the number of customers who stand for all in what is only needed to see how precise a sum is.
const representatives = 1500

// some returns at most so many customers, evenly spread over all: those of a log with fewer are all there.
func some(rows []clv.History) []clv.History {
	step := (len(rows) + representatives - 1) / representatives
	if step <= 1 {
		return rows
	}
	var out []clv.History
	for i := 0; i < len(rows); i += step {
		out = append(out, rows[i])
	}
	return out
}
