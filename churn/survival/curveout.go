package survival

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/table"
)

// String returns a table of the times at which customers left, with the median below it. WriteCSV has every time.
func (c *Curve) String() string {
	t := table.New("time", "at_risk", "events", "survival", "std_err", "lower", "upper")
	for i := range c.Points {
		if p := &c.Points[i]; p.Events > 0 {
			t.Add(p.Time, p.AtRisk, p.Events, p.Survival, p.StdErr, p.Lower, p.Upper)
		}
	}
	m := c.Median()
	median := "median not reached"
	if !math.IsNaN(m.Time) {
		median = fmt.Sprintf("median %s (%s to %s)", table.Number(m.Time), limit(m.Lower), limit(m.Upper))
	}
	return fmt.Sprintf("%s%s: %s customers, %s left, %s; %g %% band (%v)\n%s", c.title(), c.Method,
		table.Number(c.Customers), table.Number(c.Events), median, 100*c.Level, c.Band, t.String())
}

func (c *Curve) title() string {
	if c.Group == "" {
		return ""
	}
	return c.Group + ", "
}

// limit writes a confidence limit, which may not have been reached.
func limit(x float64) string {
	if math.IsNaN(x) {
		return "not reached"
	}
	return table.Number(x)
}

// WriteCSV writes every point with a header. A number that does not exist is empty.
func (c *Curve) WriteCSV(w io.Writer) error { return Curves{c}.WriteCSV(w) }

// MarshalJSON writes the curve; a number that does not exist is null.
func (c *Curve) MarshalJSON() ([]byte, error) {
	type plain Curve
	return table.Marshal(plain(*c))
}

// UnmarshalJSON reads a curve that MarshalJSON wrote. It returns an error if the points are not in ascending order or a
// survival is not a probability that never rises.
func (c *Curve) UnmarshalJSON(text []byte) error {
	type plain Curve
	var p plain
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("survival: %w", err)
	}
	last := Point{Time: math.Inf(-1), Survival: 1}
	for i, q := range p.Points {
		if !(q.Time > last.Time) || !(q.Survival >= 0 && q.Survival <= last.Survival) {
			return fmt.Errorf("survival: point %d of a curve: time %v with survival %v does not follow %v with %v",
				i+1, q.Time, q.Survival, last.Time, last.Survival)
		}
		if last = q; q.Survival == 0 {
			nan := math.NaN()
			p.Points[i].StdErr, p.Points[i].Lower, p.Points[i].Upper = nan, nan, nan
		}
	}
	*c = Curve(p)
	return nil
}

// String returns one line a group: customers, events, median with interval.
func (cs Curves) String() string {
	t := table.New("group", "customers", "events", "median", "lower", "upper")
	for _, c := range cs {
		m := c.Median()
		t.Add(c.Group, c.Customers, c.Events, m.Time, m.Lower, m.Upper)
	}
	return t.String()
}

// WriteCSV writes every point of every curve with its group and a header.
func (cs Curves) WriteCSV(w io.Writer) error {
	t := table.New("group", "time", "at_risk", "events", "censored", "survival", "std_err", "lower", "upper", "cum_hazard", "cum_hazard_std_err")
	for _, c := range cs {
		for i := range c.Points {
			p := &c.Points[i]
			t.Add(c.Group, p.Time, p.AtRisk, p.Events, p.Censored, p.Survival, p.StdErr, p.Lower, p.Upper, p.CumHazard,
				p.CumHazardStdErr)
		}
	}
	return t.WriteCSV(w)
}
