package report

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/validate"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
)

// forecast goes back to three quarters of the log, fits the model to what was known then, and compares what it said of
// the rest with what happened.
func forecast(ctx context.Context, f *facts) (Section, error) {
	var s Section
	if _, err := f.modeled(); err != nil {
		return s, err
	}
	days := int(math.Round(f.after.Sub(f.first).Hours() / 24))
	split := f.first.AddDate(0, 0, days*3/4)
	weeks := int(f.end.Sub(split).Hours()/24) / 7
	if weeks < 4 {
		return s, missingf("The log is too short to hold back a part of it: at least 16 weeks are wanted.")
	}
	held, err := validate.Split(ctx, ledger.Transactions(f.log), split, f.end, f.o.Unit, nil)
	if err != nil {
		return s, err
	}
	e, err := clv.FitBGNBD(ctx, held.Calibration, nil)
	if ctx.Err() != nil {
		return s, ctx.Err()
	}
	if err != nil {
		return s, missingf("The first three quarters of the log do not carry a model: %v.", err)
	}
	card, err := held.Scorecard(e.Model)
	if err != nil {
		return s, err
	}
	naive, err := validate.Score("as before", held.Naive(), held.Actual(), nil)
	if err != nil {
		return s, err
	}
	rows := some(held.Calibration.Rows)
	last, err := f.future(e, card.Customers, rows, held.Duration)
	if err != nil {
		return s, err
	}
	low, high := max(0, card.Expected-last.half), card.Expected+last.half
	s.Lead = fmt.Sprintf("Had this report been made on %s, it would have expected %s further purchases by %s from the %s of that day; %s came.",
		day(split), decimals(card.Expected, 0), day(f.end), f.people(card.Customers), decimals(card.Actual, 0))
	switch {
	case card.Actual >= low && card.Actual <= high:
		s.Lead += fmt.Sprintf(" That is within the %s interval, %s to %s.", f.level(), decimals(low, 0), decimals(high, 0))
	default:
		s.Lead += fmt.Sprintf(" That is outside the %s interval, %s to %s: take the forecasts of this report with care.", f.level(), decimals(low, 0), decimals(high, 0))
	}
	curve, err := f.curve(ctx, e, held, card.Expected, split, weeks)
	if err != nil {
		return s, err
	}
	curve.Says = fmt.Sprintf("Up to %s the model was fitted to what happened; from there on it did not see it. The shaded band is the %s interval of the forecast.", day(split), f.level())
	groups, err := held.ByFrequency(e.Model, 7)
	if err != nil {
		return s, err
	}
	table := &Table{Caption: fmt.Sprintf("Purchases a customer from %s on, by the repeat purchases until then", day(split)), Columns: []Column{
		{"Repeat purchases before", false}, {"Customers", true}, {"Expected", true}, {"Happened", true}}}
	for _, g := range groups {
		table.Rows = append(table.Rows, []Cell{text(g.Name), number(g.Customers), value(g.Expected, 2), value(g.Actual, 2)})
	}
	s.Blocks = []Block{curve, table}
	if !math.IsNaN(card.Bias) && !math.IsNaN(naive.Bias) {
		s.Blocks = append(s.Blocks, Text(fmt.Sprintf("Over all customers the model was %s away, customer by customer %.2f purchases on average; a forecast that everybody goes on as before was %s and %.2f away.",
			signed(card.Bias), card.MAE, signed(naive.Bias), naive.MAE)))
	}
	return s, nil
}

func signed(v float64) string {
	if v > 0 {
		return "+" + share(v)
	}
	return share(v)
}

// An outlook is the purchases expected of known customers and half the interval in which what happens should lie.
type outlook struct{ mean, half float64 }

// future returns the outlook of customers, of whom rows are some, at a time from now. Its variance has two parts that add
// up: what is not known of the parameters, by the delta method and where the fit has a covariance, and the chance in what the customers do, from the
// distribution of each one's purchases.
func (f *facts) future(e *fit.Estimate[clv.BGNBD], customers int, rows []clv.History, after float64) (outlook, error) {
	scale := float64(customers) / float64(len(rows))
	if e.Cov == nil {
		return outlook{scale * expected(e.Model, rows, after), normal(f.o.Level) * math.Sqrt(scale*chance(e.Model, rows, after))}, nil
	}
	i, err := clv.DeltaInterval(e, func(m clv.BGNBD) float64 { return expected(m, rows, after) }, fit.Identity, f.o.Level)
	if err != nil {
		return outlook{}, err
	}
	return outlook{scale * i.Value, math.Hypot(scale*(i.High-i.Low)/2, normal(f.o.Level)*math.Sqrt(scale*chance(e.Model, rows, after)))}, nil
}

func expected(m clv.BGNBD, rows []clv.History, t float64) float64 {
	sum := 0.0
	for _, h := range rows {
		sum += m.ExpectedPurchases(h, t)
	}
	return sum
}

// chance is the variance of the customers' purchases together within t, whose customers are independent.
func chance(m clv.BGNBD, rows []clv.History, t float64) float64 {
	sum := 0.0
	for _, h := range rows {
		mean, square, seen := 0.0, 0.0, 0.0
		for n := 0; n < 10_000 && seen < 1-1e-9; n++ {
			p := m.ConditionalPMF(h, n, t)
			seen += p
			mean += p * float64(n)
			square += p * float64(n) * float64(n)
		}
		sum += square - mean*mean
	}
	return sum
}

// curve follows the cumulative repeat purchases of the customers who were known on the day of split: what happened, what
// the model says of the time before, and its forecast, which reaches total at the end of the holdout.
func (f *facts) curve(ctx context.Context, e *fit.Estimate[clv.BGNBD], held *validate.Holdout, total float64, split time.Time, weeks int) (*LineChart, error) {
	known := map[string]bool{}
	for _, h := range held.Calibration.Rows {
		known[h.Customer] = true
	}
	diary, err := validate.ReadDiary(ctx, ledger.Filter(ledger.Transactions(f.log), func(t ledger.Transaction) bool { return known[t.Customer] }), f.end.Location())
	if err != nil {
		return nil, err
	}
	// Weeks that end with the day of split, as many before it as reach the first day.
	start := split.AddDate(0, 0, 1)
	for start.After(f.first) {
		start = start.AddDate(0, 0, -7)
	}
	until := split.AddDate(0, 0, 1+7*weeks)
	tracks, err := diary.Track(e.Model, f.o.Unit, ledger.Weeks(start, until, start.Weekday(), nil), split)
	if err != nil {
		return nil, err
	}
	happened, fitted := Series{Name: "what happened", Tone: Blue}, Series{Name: "model, fitted to this part", Tone: Orange, Dashed: true}
	said := Series{Name: "forecast with its " + f.level() + " interval", Tone: Orange}
	at := func(t time.Time) float64 { return t.Sub(f.first).Hours() / (24 * 7) }
	base := 0.0
	for _, t := range tracks {
		x := at(t.Period.End)
		happened.Points = append(happened.Points, Point{x, t.Cumulative})
		if !t.Period.End.After(split.AddDate(0, 0, 1)) {
			fitted.Points = append(fitted.Points, Point{x, t.Total})
			base = t.Cumulative
		}
	}
	rows, unit := some(held.Calibration.Rows), float64(clv.Week)/float64(f.o.Unit)
	scale := total / expected(e.Model, rows, held.Duration) // from those who stand for all to all, so that the curve ends at their total
	const knots = 2
	outlooks := []outlook{{}} // at knots from 0 to the end; between them the square of the half-width is interpolated
	for k := 1; k <= knots; k++ {
		o, err := f.future(e, len(held.Calibration.Rows), rows, float64(k)/knots*float64(weeks)*unit)
		if err != nil {
			return nil, err
		}
		outlooks = append(outlooks, o)
	}
	for w := 0; w <= weeks; w++ {
		mean := 0.0
		if w > 0 {
			mean = scale * expected(e.Model, rows, float64(w)*unit)
		}
		place := float64(w) / float64(weeks) * knots
		k := min(int(place), knots-1)
		part := place - float64(k)
		half := math.Sqrt((1-part)*square(outlooks[k].half) + part*square(outlooks[k+1].half))
		said.Points = append(said.Points, Point{at(split.AddDate(0, 0, 1+7*w)), base + mean})
		said.Low, said.High = append(said.Low, base+max(0, mean-half)), append(said.High, base+mean+half)
	}
	c := &LineChart{Title: "Repeat purchases of the customers of " + day(split), X: Axis{Title: "first day of the month"},
		Y: Axis{Title: "cumulative repeat purchases"}, Series: []Series{happened, fitted, said}, Marks: []Mark{{at(split.AddDate(0, 0, 1)), "forecast from here"}}}
	c.X.Ticks = f.dates(at, start, until)
	return c, nil
}

func square(x float64) float64 { return x * x }

// dates are ticks at the firsts of months, six at most and evenly far apart.
func (f *facts) dates(at func(time.Time) float64, from, to time.Time) []Tick {
	months := ledger.Months(from, to, from.Location())
	step := 1
	for _, s := range []int{1, 2, 3, 6, 12, 24, 60, 120} {
		if step = s; len(months)/s <= 7 {
			break
		}
	}
	var ticks []Tick
	for _, m := range months {
		if !m.Start.Before(from) && (12*m.Start.Year()+int(m.Start.Month())-1)%step == 0 {
			ticks = append(ticks, Tick{at(m.Start), m.Start.Format("Jan 2006")})
		}
	}
	return ticks
}
