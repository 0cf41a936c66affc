package attribution

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/money"
)

// BootstrapOptions says how [Bootstrap] resamples. The zero value, and nil, are the defaults.
type BootstrapOptions struct {
	Replicates int            // sets of journeys to draw, 2 or more; 0 means 1000
	Level      float64        // of the intervals; 0 means 0.95
	Seed       uint64         // the same seed gives the same result
	Workers    int            // goroutines; 0 means GOMAXPROCS. The result does not depend on it
	Progress   func(done int) // called on the caller's goroutine after each round of replicates; may be nil
}

func (o *BootstrapOptions) defaults() (BootstrapOptions, error) {
	var d BootstrapOptions
	if o != nil {
		d = *o
	}
	d.Replicates = cmp.Or(d.Replicates, 1000)
	d.Level = cmp.Or(d.Level, 0.95)
	switch {
	case d.Replicates < 2 || d.Replicates > 10_000_000:
		return d, fail("bootstrap: %d replicates: not between 2 and 10,000,000", d.Replicates)
	case !(d.Level > 0 && d.Level < 1):
		return d, fail("bootstrap: level %v: not between 0 and 1", d.Level)
	case d.Workers < 0:
		return d, fail("bootstrap: %d workers: negative", d.Workers)
	}
	return d, nil
}

// An Interval is a point estimate with its uncertainty.
type Interval struct {
	Value  float64 `json:"value"`
	StdErr float64 `json:"std_err"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// A BootstrapRow is how certain the credit of one channel is.
type BootstrapRow struct {
	Channel     string   `json:"channel"`
	Conversions Interval `json:"conversions"`
	Share       Interval `json:"share"` // of the conversions
	Value       Interval `json:"value"` // in units of the currency
}

// Intervals are the credits of a model with percentile intervals.
type Intervals struct {
	Model      string         `json:"model"`
	Rows       []BootstrapRow `json:"rows"` // by channel
	Currency   money.Currency `json:"currency"`
	Level      float64        `json:"level"`
	Replicates int            `json:"replicates"` // that count
	Failed     int            `json:"failed"`     // that drew no conversion, or on which the model failed
	Seed       uint64         `json:"seed"`
}

// Bootstrap draws as many journeys as there are, with replacement, many times over, gives each set to the model and
// returns the percentile intervals and standard errors of the credits (Efron and Tibshirani, An Introduction to the
// Bootstrap, 1993, chapter 13). A conversion is drawn with its path, ages and value; conversions that came as one row
// with a common value have the mean value each. Intervals answer how much luck is in these journeys; they do not make a
// model causal.
//
// Bootstrap returns an error for options out of range, the errors of [Attribute] on the journeys themselves, that of the
// context within a replicate's time, and an error if fewer than two replicates worked.
func Bootstrap(ctx context.Context, js *Journeys, m Model, o *BootstrapOptions) (*Intervals, error) {
	d, err := o.defaults()
	if err != nil {
		return nil, err
	}
	if mk, ok := m.(Markov); ok && mk.Workers == 0 {
		mk.Workers = 1 // replicates run side by side
		m = mk
	}
	w, err := weigh(ctx, js, m)
	if err != nil {
		return nil, err
	}
	n := len(js.channels)
	draws, failed, err := replicate(ctx, js, m, d)
	if err != nil {
		return nil, err
	}
	out := &Intervals{Model: m.Name(), Currency: js.totals.Value.Currency(), Level: d.Level, Replicates: d.Replicates - failed, Failed: failed, Seed: d.Seed}
	if out.Replicates < 2 {
		return nil, fail("bootstrap of %s: %d of %d replicates failed: %w", m.Name(), failed, d.Replicates, ErrNoConversions)
	}
	conversions := proportions(w.Conversions, float64(js.totals.Conversions))
	shares := proportions(w.Conversions, 1)
	value := make([]float64, n)
	if js.totals.Value.Sign() > 0 {
		value = proportions(w.Value, js.totals.Value.Float64())
	}
	column := make([]float64, 0, len(draws))
	interval := func(point float64, at int) Interval {
		column = column[:0]
		for _, row := range draws {
			if row != nil {
				column = append(column, row[at])
			}
		}
		return percentile(point, column, d.Level)
	}
	for i, c := range js.channels {
		out.Rows = append(out.Rows, BootstrapRow{Channel: c, Conversions: interval(conversions[i], i), Share: interval(shares[i], n+i), Value: interval(value[i], 2*n+i)})
	}
	return out, nil
}

// replicate returns the conversions, shares and values of every channel for each replicate, nil for those that failed.
func replicate(ctx context.Context, js *Journeys, m Model, o BootstrapOptions) (draws [][]float64, failed int, err error) {
	draws = make([][]float64, o.Replicates)
	round := o.Replicates
	if o.Progress != nil {
		round = 64
	}
	for done := 0; done < o.Replicates; done += round {
		count := min(round, o.Replicates-done)
		err := parallel(ctx, o.Workers, count, func(ctx context.Context, i int) error {
			row, err := oneReplicate(ctx, js, m, o.Seed, done+i)
			draws[done+i] = row
			return err
		})
		if err != nil {
			return nil, 0, err
		}
		if o.Progress != nil {
			o.Progress(done + count)
		}
	}
	for _, row := range draws {
		if row == nil {
			failed++
		}
	}
	return draws, failed, nil
}

func oneReplicate(ctx context.Context, js *Journeys, m Model, seed uint64, number int) ([]float64, error) {
	sample, err := js.resample(ctx, rand.New(rand.NewPCG(seed, uint64(number))))
	if err != nil {
		return nil, err
	}
	w, err := weigh(ctx, sample, m)
	if err != nil {
		return nil, ctx.Err() // the end of the context is an error, a sample that the model cannot use a failure
	}
	n := len(js.channels)
	row := make([]float64, 3*n)
	copy(row, proportions(w.Conversions, float64(sample.totals.Conversions)))
	copy(row[n:], proportions(w.Conversions, 1))
	if total := sample.floatValue(); total > 0 {
		copy(row[2*n:], proportions(w.Value, total))
	}
	return row, nil
}

// floatValue returns the value of all conversions.
func (js *Journeys) floatValue() float64 {
	var sum kahan
	for i := range js.paths {
		sum.add(js.paths[i].value)
	}
	return sum.value()
}

// resample draws as many journeys as there are, with replacement. The paths of the result share memory with js.
func (js *Journeys) resample(ctx context.Context, r *rand.Rand) (*Journeys, error) {
	out := &Journeys{channels: js.channels, direct: js.direct, declared: js.declared, paths: slices.Clone(js.paths), atoms: slices.Clone(js.atoms)}
	left, weight := float64(js.totals.Journeys), float64(js.totals.Journeys)
	draw := func(n float64) float64 {
		k := binomial(r, left, n/weight)
		left -= k
		weight -= n
		return k
	}
	var conversions, nulls float64
	for i := range out.paths {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p := &out.paths[i]
		p.conversions, p.value, p.exact = 0, 0, money.Amount{}
		p.nulls = draw(p.nulls)
		nulls += p.nulls
	}
	for i := range out.atoms {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		a := &out.atoms[i]
		k := draw(a.count)
		a.count, a.value = k, a.value*(k/a.count)
		p := &out.paths[a.path]
		p.conversions += k
		p.value += a.value
		conversions += k
	}
	out.totals = js.totals
	out.totals.Conversions, out.totals.Nulls = int64(conversions), int64(nulls)
	if out.floatValue() == 0 {
		out.totals.Value = money.Amount{}
	}
	return out, nil
}

// percentile returns the standard deviation and the percentile interval of draws, which it sorts.
func percentile(point float64, draws []float64, level float64) Interval {
	var sum, squares kahan
	for _, x := range draws {
		sum.add(x)
	}
	mean := sum.value() / float64(len(draws))
	for _, x := range draws {
		squares.add((x - mean) * (x - mean))
	}
	slices.Sort(draws)
	return Interval{Value: point, StdErr: math.Sqrt(squares.value() / float64(len(draws)-1)),
		Low: stat.Quantile(draws, (1-level)/2), High: stat.Quantile(draws, (1+level)/2)}
}

// String returns the credits with their intervals as an aligned table.
func (s *Intervals) String() string {
	percent := table.Percent(s.Level, nil)
	rows := make([][]string, len(s.Rows))
	valued := false
	for i, r := range s.Rows {
		rows[i] = []string{r.Channel, table.Fixed(r.Conversions.Value, 2, nil), table.Fixed(r.Conversions.StdErr, 2, nil), span(r.Conversions, 2),
			table.Percent(r.Share.Value, nil), table.Percent(r.Share.Low, nil) + " to " + table.Percent(r.Share.High, nil),
			table.Fixed(r.Value.Value, 2, nil), span(r.Value, 2)}
		valued = valued || r.Value.Value != 0
	}
	header := []string{"channel", "conversions", "std err", "interval", "share", "interval", "value", "interval"}
	if !valued {
		header = header[:6]
		for i := range rows {
			rows[i] = rows[i][:6]
		}
	}
	return fmt.Sprintf("%s, %s intervals of %d replicates\n", s.Model, percent, s.Replicates) + table.Text(header, rows, 1)
}

func span(i Interval, decimals int) string {
	return table.Fixed(i.Low, decimals, nil) + " to " + table.Fixed(i.High, decimals, nil)
}

// WriteCSV writes a row per channel and quantity with the columns model, channel, quantity (conversions, share or value),
// value, std_err, low, high and level.
func (s *Intervals) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, r := range s.Rows {
		for _, q := range []struct {
			name string
			Interval
		}{{"conversions", r.Conversions}, {"share", r.Share}, {"value", r.Value}} {
			rows = append(rows, []string{s.Model, r.Channel, q.name, table.Float(q.Value, nil), table.Float(q.StdErr, nil), table.Float(q.Low, nil), table.Float(q.High, nil), table.Float(s.Level, nil)})
		}
	}
	return table.CSV(w, []string{"model", "channel", "quantity", "value", "std_err", "low", "high", "level"}, rows)
}
