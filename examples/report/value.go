package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A group is customers with what they have earned and are expected to earn.
type group struct {
	name      string
	customers int
	past      money.Amount
	future    money.Amount
	mean      float64 // past and future, a customer
	half      float64 // half the interval of mean, from the spread of the customers' values
}

// groups adds up the customers by a key.
func (f *facts) groups(key ledger.Key) ([]group, error) {
	values := map[string][]float64{}
	by := map[string]*group{}
	for _, c := range f.known {
		past, future, all, err := f.worth(c.ID)
		if err != nil {
			return nil, err
		}
		k := key(c.ID)
		g := by[k]
		if g == nil {
			g = &group{name: k}
			by[k] = g
		}
		g.customers++
		if g.past, err = g.past.Add(past); err != nil {
			return nil, err
		}
		if g.future, err = g.future.Add(future); err != nil {
			return nil, err
		}
		values[k] = append(values[k], all.Float64())
	}
	var out []group
	for k, g := range by {
		n, sum, squares := float64(g.customers), 0.0, 0.0
		for _, v := range values[k] {
			sum += v
		}
		g.mean = sum / n
		for _, v := range values[k] {
			squares += (v - g.mean) * (v - g.mean)
		}
		if g.customers > 1 {
			g.half = normal(f.o.Level) * math.Sqrt(squares/(n-1)/n)
		}
		out = append(out, *g)
	}
	slices.SortFunc(out, func(a, b group) int { return cmp.Compare(a.name, b.name) })
	return out, nil
}

// normal is the quantile of the normal distribution that leaves out half of 1 - level on either side.
func normal(level float64) float64 { return math.Sqrt2 * math.Erfinv(level) }

// groupTable shows groups in their order.
func (f *facts) groupTable(caption, first string, gs []group) (*Table, error) {
	t := &Table{Caption: caption, Columns: []Column{{first, false}, {"Customers", true},
		{"Earned so far (" + string(f.currency) + ")", true}, {"Residual value (" + string(f.currency) + ")", true},
		{"Lifetime value a customer (" + string(f.currency) + ")", true}, {f.level() + " interval (" + string(f.currency) + ")", true}}}
	sum := group{}
	var err error
	for _, g := range gs {
		t.Rows = append(t.Rows, f.groupRow(g))
		sum.customers += g.customers
		if sum.past, err = sum.past.Add(g.past); err != nil {
			return nil, err
		}
		if sum.future, err = sum.future.Add(g.future); err != nil {
			return nil, err
		}
		sum.mean += g.mean * float64(g.customers)
	}
	sum.name = "All"
	sum.mean /= float64(sum.customers)
	all, err := f.groups(func(string) string { return "" })
	if err != nil {
		return nil, err
	}
	if len(all) == 1 && all[0].customers == sum.customers {
		sum.half = all[0].half
	}
	t.Total = f.groupRow(sum)
	return t, nil
}

func (f *facts) groupRow(g group) []Cell {
	places := 2
	if d, ok := f.currency.Digits(); ok {
		places = int(d)
	}
	interval := missing()
	if g.half > 0 {
		interval = Cell{Text: decimals(g.mean-g.half, places) + " to " + decimals(g.mean+g.half, places), Number: g.mean - g.half}
	}
	future := missing()
	if f.model != nil {
		future = total(g.future)
	}
	return []Cell{text(g.name), number(g.customers), total(g.past), future, value(g.mean, places), interval}
}

// perCustomer is the bars of groups: earned so far and still to come, a customer.
func (f *facts) perCustomer(title, says string, gs []group) *BarChart {
	c := &BarChart{Title: title, Says: says, Axis: Axis{Title: "lifetime value a customer (" + string(f.currency) + ")"}}
	if f.model != nil {
		c.Parts = []string{"earned so far", "residual value"}
	}
	for _, g := range gs {
		past, future := g.past.Float64()/float64(g.customers), g.future.Float64()/float64(g.customers)
		b := Bar{Name: g.name, Parts: []float64{past}, Label: decimals(g.mean, 0)}
		if f.model != nil {
			b.Parts = []float64{past, future}
		}
		if g.half > 0 {
			b.Low, b.High = g.mean-g.half, g.mean+g.half
		}
		c.Bars = append(c.Bars, b)
	}
	return c
}

// channels compares the customers by the channel that won them.
func channels(_ context.Context, f *facts) (Section, error) {
	var s Section
	gs, err := f.groups(func(c string) string { return cmp.Or(f.channel(c), "unknown") })
	if err != nil {
		return s, err
	}
	if len(gs) == 1 && gs[0].name == "unknown" {
		return s, missingf("Neither the orders nor the customers name a channel.")
	}
	slices.SortStableFunc(gs, func(a, b group) int { return cmp.Compare(b.mean, a.mean) })
	best, worst := gs[0], gs[len(gs)-1]
	s.Lead = fmt.Sprintf("A customer won through %s is worth %s in all, the most of any channel.", best.name, with(f.currency, decimals(best.mean, 0)))
	if len(gs) > 1 {
		s.Lead = fmt.Sprintf("A customer won through %s is worth %s in all, one won through %s %s.", best.name, with(f.currency, decimals(best.mean, 0)),
			worst.name, with(f.currency, decimals(worst.mean, 0)))
		if math.Hypot(best.half, worst.half) >= best.mean-worst.mean {
			s.Lead += " That difference may be chance: the customers of one channel differ among themselves by more."
		} else {
			s.Lead += " That is more than chance explains."
		}
	}
	t, err := f.groupTable("Customers by the channel that won them", "Channel", gs)
	if err != nil {
		return s, err
	}
	s.Blocks = []Block{f.perCustomer("Lifetime value of a customer by channel", "Each bar is the mean customer of a channel. The thin lines are the "+f.level()+" intervals of the whole bars.", gs), t,
		Note("Lifetime value is what customers have earned the business so far and what they are expected to earn from now on. What it cost to win them is not in it: see acquisition cost.")}
	return s, nil
}

// cohorts compares the customers by the time of their first order.
func cohorts(_ context.Context, f *facts) (Section, error) {
	var s Section
	acquired := map[string]ledger.Period{}
	quarterly := f.after.Sub(f.first).Hours() > 24*190
	name := func(p ledger.Period) string {
		if quarterly {
			return fmt.Sprintf("%d Q%d", p.Start.Year(), 1+int(p.Start.Month()-1)/3)
		}
		return p.Start.Format("2006-01")
	}
	for _, c := range f.known {
		at := c.Acquired.In(f.end.Location())
		acquired[c.ID] = ledger.Month(at.Year(), at.Month(), f.end.Location())
		if quarterly {
			acquired[c.ID] = ledger.Quarter(at.Year(), 1+int(at.Month()-1)/3, f.end.Location())
		}
	}
	gs, err := f.groups(func(c string) string { return name(acquired[c]) })
	if err != nil {
		return s, err
	}
	first, last := gs[0], gs[len(gs)-1]
	s.Lead = fmt.Sprintf("The %s of %s have earned %s each so far", f.people(first.customers), first.name, with(f.currency, decimals(first.past.Float64()/float64(first.customers), 0)))
	if len(gs) > 1 {
		s.Lead += fmt.Sprintf(", the %s of %s %s", f.people(last.customers), last.name, with(f.currency, decimals(last.past.Float64()/float64(last.customers), 0)))
	}
	s.Lead += "."
	if f.model != nil && len(gs) > 1 {
		s.Lead += " Younger cohorts have had less time; what they are expected to bring yet makes the bars comparable."
	}
	shown := gs
	const most = 16
	if len(shown) > most {
		shown = shown[len(shown)-most:]
	}
	t, err := f.groupTable("Customers by the time of their first order", "First order", gs)
	if err != nil {
		return s, err
	}
	s.Blocks = []Block{f.perCustomer("Lifetime value of a customer by cohort", "Each bar is the mean customer of those who came in a period, the oldest first. The thin lines are the "+f.level()+" intervals of the whole bars.", shown), t}
	return s, nil
}
