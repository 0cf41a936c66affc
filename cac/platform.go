package cac

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Traffic is what one platform, a shop, an app, a marketplace, a social network, was visited and did.
type Traffic struct {
	Platform    string       // its name
	Visits      int          // visits or clicks, as Conversions counts them
	Conversions int          // visits that ended in what is counted, at most Visits
	Spend       money.Amount // what was spent on it; the zero Amount if nothing
}

// A ConversionRate is the rate of one platform with its interval.
type ConversionRate struct {
	Platform    string        `json:"platform"`
	Visits      int           `json:"visits"`
	Conversions int           `json:"conversions"`
	Rate        float64       `json:"rate"` // Conversions / Visits
	Low         float64       `json:"low"`  // of Wilson's score interval
	High        float64       `json:"high"`
	Share       float64       `json:"share"` // of all conversions; 0 if there are none
	Spend       money.Amount  `json:"spend"`
	Cost        *money.Amount `json:"cost_per_conversion"` // Spend / Conversions, half to even; nil without conversions
}

// Conversions are the conversion rates of several platforms.
type Conversions struct {
	Denominator string           `json:"denominator"` // what Visits counts: "visits", "clicks", "sessions"
	Level       float64          `json:"level"`       // of the intervals
	Rows        []ConversionRate `json:"rows"`        // by platform
	Total       ConversionRate   `json:"total"`       // the ratio of the sums
}

// ConversionRates returns the conversion rate of each platform with Wilson's score interval (Wilson, JASA 1927) of the
// level; 0 means 0.95. The denominator names what was counted as a visit and is part of the result. Rows of one platform
// are added up.
//
// It returns an error if the denominator has no name, the level is not between 0 and 1, a count is negative or there are
// more conversions than visits; one that wraps ledger.ErrUndefined for a platform without visits; and
// [ErrCurrencyMismatch].
func ConversionRates(traffic []Traffic, denominator string, level float64) (*Conversions, error) {
	if level == 0 {
		level = 0.95
	}
	if denominator == "" {
		return nil, fail("conversion rates need the name of their denominator, such as visits or clicks")
	}
	if !(level > 0 && level < 1) {
		return nil, fail("level %v: not between 0 and 1", level)
	}
	sums, all := map[string]Traffic{}, Traffic{}
	for i, t := range traffic {
		if t.Visits < 0 || t.Conversions < 0 || t.Conversions > t.Visits {
			return nil, fail("%w", &ledger.RowError{Row: i + 1, Field: "conversions", Value: fmt.Sprint(t.Conversions), Err: fmt.Errorf("of %d %s", t.Visits, denominator)})
		}
		if t.Spend.Sign() < 0 {
			return nil, fail("%w", &ledger.RowError{Row: i + 1, Field: "spend", Value: t.Spend.String(), Err: ErrNonPositiveCost})
		}
		sum, err := sums[t.Platform].add(t)
		if err == nil {
			all, err = all.add(t)
		}
		if err != nil {
			return nil, fail("%w", &ledger.RowError{Row: i + 1, Field: "spend", Value: t.Spend.String(), Err: bare(err)})
		}
		sum.Platform = t.Platform
		sums[t.Platform] = sum
	}
	out := &Conversions{Denominator: denominator, Level: level}
	for _, t := range sums {
		t.Spend = like(t.Spend, all.Spend)
		row, err := t.rate(all.Conversions, level)
		if err != nil {
			return nil, fail("platform %q: %w", t.Platform, err)
		}
		out.Rows = append(out.Rows, row)
	}
	slices.SortFunc(out.Rows, func(a, b ConversionRate) int { return strings.Compare(a.Platform, b.Platform) })
	total, err := all.rate(all.Conversions, level)
	if err != nil {
		return nil, prefixed(err)
	}
	out.Total = total
	return out, nil
}

func (t Traffic) add(o Traffic) (Traffic, error) {
	t.Visits += o.Visits
	t.Conversions += o.Conversions
	var err error
	t.Spend, err = total(t.Spend, o.Spend)
	return t, err
}

func (t Traffic) rate(all int, level float64) (ConversionRate, error) {
	r := ConversionRate{Platform: t.Platform, Visits: t.Visits, Conversions: t.Conversions, Spend: t.Spend}
	if t.Visits == 0 {
		return r, fmt.Errorf("%w: nothing was counted in the denominator", ErrZeroBase)
	}
	r.Rate = float64(t.Conversions) / float64(t.Visits)
	r.Low, r.High = stat.Wilson(float64(t.Conversions), float64(t.Visits), level)
	if all > 0 {
		r.Share = float64(t.Conversions) / float64(all)
	}
	if t.Conversions > 0 {
		each, _, err := perUnit(t.Spend, int64(t.Conversions))
		if err != nil {
			return r, err
		}
		r.Cost = &each
	}
	return r, nil
}

// String returns the rates as an aligned table with the total at the end.
func (c *Conversions) String() string {
	var rows [][]string
	for _, r := range append(slices.Clone(c.Rows), c.Total) {
		if r.Platform == "" {
			r.Platform = "(none)"
		}
		cost := table.Undefined
		if r.Cost != nil {
			cost = r.Cost.String()
		}
		rows = append(rows, []string{r.Platform, fmt.Sprint(r.Visits), fmt.Sprint(r.Conversions), percent2(r.Rate), percent2(r.Low) + " - " + percent2(r.High), table.Percent(r.Share, nil), table.Minor(r.Spend), cost})
	}
	rows[len(rows)-1][0] = "(total)"
	interval := fmt.Sprintf("%g%% interval", 100*c.Level)
	return table.Text([]string{"platform", c.Denominator, "conversions", "rate", interval, "share", "spend", "cost"}, rows, 1)
}

func percent2(x float64) string { return table.Fixed(100*x, 2, nil) + "%" }

// WriteCSV writes the platforms with the header
// platform,visits,conversions,rate,low,high,share,spend,cost_per_conversion,currency.
func (c *Conversions) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(c.Rows))
	for i, r := range c.Rows {
		cost := ""
		if r.Cost != nil {
			cost = plain(*r.Cost)
		}
		rows[i] = []string{r.Platform, fmt.Sprint(r.Visits), fmt.Sprint(r.Conversions), table.Float(r.Rate, nil), table.Float(r.Low, nil),
			table.Float(r.High, nil), table.Float(r.Share, nil), plain(r.Spend), cost, string(r.Spend.Currency())}
	}
	return table.CSV(w, []string{"platform", "visits", "conversions", "rate", "low", "high", "share", "spend", "cost_per_conversion", "currency"}, rows)
}
