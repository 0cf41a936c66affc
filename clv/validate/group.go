package validate

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/internal/text"
)

// A Group is customers who were alike at the split, with what was expected of them and what they did.
type Group struct {
	Name      string  `json:"name"`
	Customers int     `json:"customers"`
	Expected  float64 `json:"expected"` // mean purchases a customer
	Actual    float64 `json:"actual"`   // mean purchases a customer
}

// Groups is a table of groups that hold every customer once.
type Groups []Group

func (g Groups) records() [][]string {
	records := [][]string{{"group", "customers", "expected", "actual"}}
	for _, r := range g {
		records = append(records, []string{r.Name, strconv.Itoa(r.Customers), number(r.Expected, 4), number(r.Actual, 4)})
	}
	return records
}

// String returns the table as aligned text.
func (g Groups) String() string { return text.Aligned(g.records()) }

// WriteCSV writes the table with a header.
func (g Groups) WriteCSV(w io.Writer) error { return writeCSV(w, g.records()) }

// grouped adds customers up in n groups; those without customers are left out.
func (h *Holdout) grouped(m Forecaster, names []string, of func(c clv.History) int) (Groups, error) {
	forecast, err := h.Forecast(m)
	if err != nil {
		return nil, err
	}
	groups := make(Groups, len(names))
	for i, c := range h.Calibration.Rows {
		g := &groups[of(c)]
		g.Customers++
		g.Expected += forecast[i]
		g.Actual += float64(h.Rows[i].Purchases)
	}
	for i := range groups {
		groups[i].Name = names[i]
		groups[i].Expected /= float64(groups[i].Customers)
		groups[i].Actual /= float64(groups[i].Customers)
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return g.Customers == 0 }), nil
}

// ByFrequency compares expected and actual purchases by the number of repeat purchases before the split: 0 to most-1,
// and most or more together. It returns an error if most is below 1 and those of Forecast.
func (h *Holdout) ByFrequency(m Forecaster, most int) (Groups, error) {
	if most < 1 {
		return nil, fmt.Errorf("validate: most %d: want 1 or more", most)
	}
	return h.grouped(m, frequencyNames(most), func(c clv.History) int { return min(c.X, most) })
}

func frequencyNames(most int) []string {
	var names []string
	for x := range most {
		names = append(names, strconv.Itoa(x))
	}
	return append(names, strconv.Itoa(most)+"+")
}

// ByRecency compares expected and actual purchases by the time from the last purchase to the split, in bins of the
// given width in the histories' unit; the last bin takes what is older. Customers without a repeat purchase count from
// their first. It returns an error if width or bins is not positive and those of Forecast.
func (h *Holdout) ByRecency(m Forecaster, width float64, bins int) (Groups, error) {
	if !(width > 0) || math.IsInf(width, 1) || bins < 1 {
		return nil, fmt.Errorf("validate: %d bins of %v: want positive numbers", bins, width)
	}
	var names []string
	for b := range bins {
		name := fmt.Sprintf("%g-%g", width*float64(b), width*float64(b+1))
		if b == bins-1 {
			name = fmt.Sprintf("%g+", width*float64(b))
		}
		names = append(names, name)
	}
	return h.grouped(m, names, func(c clv.History) int { return int(min((c.T-c.TX)/width, float64(bins-1))) })
}

// A Decile is a tenth of the customers, the one of highest forecast first.
type Decile struct {
	Decile    int     `json:"decile"` // 1 is the best
	Customers int     `json:"customers"`
	Expected  float64 `json:"expected"` // mean purchases a customer
	Actual    float64 `json:"actual"`   // mean purchases a customer
	Lift      float64 `json:"lift"`     // actual over the mean of all customers; 0 where nobody bought
	Captured  float64 `json:"captured"` // share of all purchases made by this and the better deciles; 0 where nobody bought
}

// Deciles is a table of tenths.
type Deciles []Decile

// Deciles sorts the customers by forecast, ties by customer, and compares it with what happened tenth by tenth. With
// fewer than ten customers there are as many groups as customers.
func (h *Holdout) Deciles(m Forecaster) (Deciles, error) {
	forecast, err := h.Forecast(m)
	if err != nil {
		return nil, err
	}
	order := make([]int, len(forecast))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { // rows are in order of customer
		switch {
		case forecast[a] > forecast[b]:
			return -1
		case forecast[a] < forecast[b]:
			return 1
		}
		return 0
	})
	total := 0.0
	for _, r := range h.Rows {
		total += float64(r.Purchases)
	}
	n := len(order)
	k := min(10, n)
	var deciles Deciles
	seen := 0.0
	for d := range k {
		members := order[n*d/k : n*(d+1)/k]
		row := Decile{Decile: d + 1, Customers: len(members)}
		for _, i := range members {
			row.Expected += forecast[i] / float64(len(members))
			row.Actual += float64(h.Rows[i].Purchases) / float64(len(members))
			seen += float64(h.Rows[i].Purchases)
		}
		if total > 0 {
			row.Lift, row.Captured = row.Actual/(total/float64(n)), seen/total
		}
		deciles = append(deciles, row)
	}
	return deciles, nil
}

func (ds Deciles) records() [][]string {
	records := [][]string{{"decile", "customers", "expected", "actual", "lift", "captured"}}
	for _, d := range ds {
		records = append(records, []string{strconv.Itoa(d.Decile), strconv.Itoa(d.Customers), number(d.Expected, 4),
			number(d.Actual, 4), number(d.Lift, 3), number(d.Captured, 4)})
	}
	return records
}

// String returns the table as aligned text.
func (ds Deciles) String() string { return text.Aligned(ds.records()) }

// WriteCSV writes the table with a header.
func (ds Deciles) WriteCSV(w io.Writer) error { return writeCSV(w, ds.records()) }

// A Frequency is how many customers made n repeat purchases.
type Frequency struct {
	Purchases string  `json:"purchases"` // the number, the last with a plus
	Actual    float64 `json:"actual"`    // customers
	Expected  float64 `json:"expected"`  // customers, by the model's PMF at each one's T
}

// Histogram is a table of frequencies.
type Histogram []Frequency

// A Counter gives the distribution of a new customer's purchases; every model of clv is one.
type Counter interface {
	PMF(n int, t float64) float64
}

// Frequencies compares how many customers made 0, 1, ... most-1 and most or more repeat purchases with what the model
// expects of customers observed for as long. It returns an error if most is below 1, if there are no histories, or if
// the model gives no probability.
func Frequencies(m Counter, hs *clv.Histories, most int) (Histogram, error) {
	if most < 1 {
		return nil, fmt.Errorf("validate: most %d: want 1 or more", most)
	}
	if hs == nil || len(hs.Rows) == 0 {
		return nil, errors.New("validate: no histories")
	}
	table := make(Histogram, most+1)
	for x, name := range frequencyNames(most) {
		table[x].Purchases = name
	}
	times := make(map[float64]float64) // customers observed for each T
	for _, h := range hs.Rows {
		n := float64(max(1, h.Count))
		table[min(h.X, most)].Actual += n
		times[h.T] += n
	}
	ts := make([]float64, 0, len(times))
	for t := range times {
		ts = append(ts, t)
	}
	slices.Sort(ts)
	for _, t := range ts {
		rest := 1.0
		for x := range most {
			p := m.PMF(x, t)
			if !(p >= 0 && p <= 1) {
				return nil, fmt.Errorf("validate: PMF(%d, %v) = %v", x, t, p)
			}
			table[x].Expected += p * times[t]
			rest -= p
		}
		table[most].Expected += max(0, rest) * times[t]
	}
	return table, nil
}

func (hist Histogram) records() [][]string {
	records := [][]string{{"purchases", "actual", "expected"}}
	for _, f := range hist {
		records = append(records, []string{f.Purchases, number(f.Actual, 0), number(f.Expected, 2)})
	}
	return records
}

// String returns the table as aligned text.
func (hist Histogram) String() string { return text.Aligned(hist.records()) }

// WriteCSV writes the table with a header.
func (hist Histogram) WriteCSV(w io.Writer) error { return writeCSV(w, hist.records()) }
