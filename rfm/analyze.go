package rfm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
)

// Options say how a log is summarized, scored and put into segments. The zero value and nil are the defaults.
type Options struct {
	SummaryOptions

	// Bins is the number of scores on every scale; 0 means 5. A scorer may use fewer.
	Bins int
	// R, F and M are the scorers; nil means MidRank for R and CountBelow for F and M.
	R, F, M Scorer
	// Nested scores F within every score of R, and M within every pair of R and F, for cells of equal size.
	Nested bool
	// Scales, if not nil, are used as they are instead of fitting new ones; Bins, R, F, M and Nested are then ignored.
	Scales *Scales
	// Map gives the segments; nil means Grid.
	Map *Map
	// Weights make the combined score; the zero value means 100, 10 and 1, so that 5, 4 and 1 give 541.
	Weights Weights
	// Columns are scored beside R, F and M; see Length and Clump.
	Columns []Column
	// Actions replace the recommended next action of segments by name. A name that the map does not have is an error.
	Actions map[string]string
}

// Weights of the three scores in the combined score R*r + F*f + M*m. 3, 2, 1 are Miglautsch's.
type Weights struct {
	R float64 `json:"r"`
	F float64 `json:"f"`
	M float64 `json:"m"`
}

// Score returns R*r + F*f + M*m.
func (w Weights) Score(r, f, m int) float64 {
	return float64(w.R*float64(r)) + float64(w.F*float64(f)) + float64(w.M*float64(m))
}

func (w Weights) validate() error {
	for _, x := range []float64{w.R, w.F, w.M} {
		if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
			return fmt.Errorf("rfm: weights %v, %v, %v: want finite numbers of at least 0", w.R, w.F, w.M)
		}
	}
	return nil
}

// A Column is a measure that is scored beside R, F and M, by the same scorers.
type Column struct {
	Name          string
	LowerIsBetter bool
	Scorer        Scorer // nil means CountBelow
	// Value returns the measure of the customer s.Rows[i], and false for one that has none, who gets the score 0.
	Value func(s *Summary, i int) (value float64, ok bool)
}

// Length returns the column "length", the days from the first to the last purchase: the L of LRFM.
func Length() Column {
	return Column{Name: "length", Value: func(s *Summary, i int) (float64, bool) { return float64(s.Rows[i].Length()), true }}
}

// Analyze reads an order log once and returns every customer's recency, frequency, monetary value, scores and segment as
// of end. A nil o means the defaults: total money, orders, five bins, MidRank for R, CountBelow for F and M, and the
// ten-segment grid on R and F. The result is the same for any row order and any number of workers.
//
// It returns an error for what [Summarize] and [Summary.Segment] list.
func Analyze(ctx context.Context, log iter.Seq2[ledger.Transaction, error], end time.Time, o *Options) (*Table, error) {
	opt := o.orDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	s, err := Summarize(ctx, log, end, &opt.SummaryOptions)
	if err != nil {
		return nil, err
	}
	return s.segment(ctx, opt)
}

// Segment scores the customers of a summary and puts them into segments; the summary's own options in o are ignored. It
// returns an error for a summary without scored customers, a bad number of bins, scorer, map or weight, a column that is
// not a finite number, an action for a segment that the map does not have, and Scales of another currency, count or value.
func (s *Summary) Segment(ctx context.Context, o *Options) (*Table, error) {
	opt := o.orDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	return s.segment(ctx, opt)
}

func (o *Options) orDefaults() Options {
	var opt Options
	if o != nil {
		opt = *o
	}
	if opt.Bins == 0 {
		opt.Bins = 5
	}
	if opt.R == nil {
		opt.R = MidRank{}
	}
	if opt.F == nil {
		opt.F = CountBelow{}
	}
	if opt.M == nil {
		opt.M = CountBelow{}
	}
	if opt.Map == nil {
		opt.Map = Grid()
	}
	if opt.Weights == (Weights{}) {
		opt.Weights = Weights{100, 10, 1}
	}
	return opt
}

func (o *Options) validate() error {
	if err := o.SummaryOptions.validate(); err != nil {
		return err
	}
	if o.Scales != nil {
		if err := o.Scales.Validate(); err != nil {
			return err
		}
	}
	if err := checkBins(o.Bins); err != nil {
		return err
	}
	if err := o.Map.Validate(); err != nil {
		return err
	}
	if err := o.Weights.validate(); err != nil {
		return err
	}
	for i, c := range o.Columns {
		if c.Name == "" || c.Value == nil {
			return fmt.Errorf("rfm: column %d: want a name and a value", i+1)
		}
		if slices.ContainsFunc(o.Columns[:i], func(d Column) bool { return d.Name == c.Name }) {
			return fmt.Errorf("rfm: column %q twice", c.Name)
		}
	}
	known := o.Map.Segments()
	for _, segment := range sortedKeys(o.Actions) {
		if !slices.Contains(known, segment) {
			return unknownSegment(segment, known)
		}
	}
	return nil
}

// ErrUnknownSegment is wrapped by the error of a segment that the map does not have.
var ErrUnknownSegment = errors.New("unknown segment")

func unknownSegment(segment string, known []string) error {
	return fmt.Errorf("rfm: %w %.80q: want one of %s", ErrUnknownSegment, segment, strings.Join(quoted(known), ", "))
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *Summary) segment(ctx context.Context, o Options) (*Table, error) {
	if len(s.Rows) == 0 {
		return nil, fmt.Errorf("rfm: none of the %d customers has a net positive order: nobody to score", len(s.Unscored))
	}
	for i := range s.Rows {
		if err := s.Rows[i].check(); err != nil {
			err.Row = i + 1
			return nil, fmt.Errorf("rfm: %w", err)
		}
		if i > 0 && s.Rows[i].Customer <= s.Rows[i-1].Customer {
			return nil, errors.New("rfm: the summary's rows are not sorted by customer, each once")
		}
	}
	scales, scores, err := s.score(ctx, &o)
	if err != nil {
		return nil, err
	}
	t := &Table{Start: s.Start, End: s.End, Currency: s.Currency, Unscored: slices.Clone(s.Unscored), Report: s.Report,
		Scales: *scales, Map: o.Map.clone(), Weights: o.Weights, Actions: o.actions(), loc: s.loc}
	if t.Columns, err = s.columns(ctx, &o, &t.Scales); err != nil {
		return nil, err
	}
	t.Rows = make([]Row, len(s.Rows))
	find := t.Map.compile(scales)
	return t, inChunks(len(t.Rows), workers(o.Workers), func(from, to int) error {
		for i := from; i < to; i++ {
			if i%canceledRows == 0 && ctx.Err() != nil {
				return fmt.Errorf("rfm: %w", ctx.Err())
			}
			r, f, m := int(scores[0][i]), int(scores[1][i]), int(scores[2][i])
			t.Rows[i] = Row{s.Rows[i], r, f, m, o.Weights.Score(r, f, m), find(r, f, m)}
		}
		return nil
	})
}

func (o *Options) actions() map[string]string {
	all := Actions()
	used := make(map[string]string)
	for _, segment := range o.Map.Segments() {
		if a, ok := o.Actions[segment]; ok {
			used[segment] = a
		} else if a, ok := all[segment]; ok {
			used[segment] = a
		}
	}
	return used
}

func (m *Map) clone() Map {
	c := *m
	c.Rules = slices.Clone(m.Rules)
	for i := range c.Rules {
		c.Rules[i].Cells = slices.Clone(c.Rules[i].Cells)
	}
	return c
}

// compile returns the segment of scores on the given scales from a table of all cells.
func (m *Map) compile(s *Scales) func(r, f, mo int) string {
	onMap := func(score, bins int) int { return (score*m.Bins + bins - 1) / bins }
	table := make([]string, m.Bins*m.Bins*m.Bins)
	for r := range m.Bins {
		for f := range m.Bins {
			for mo := range m.Bins {
				table[(r*m.Bins+f)*m.Bins+mo] = m.find(m.cell(r+1, f+1, mo+1))
			}
		}
	}
	return func(r, f, mo int) string {
		r, f, mo = onMap(r, s.R.Bins), onMap(f, s.F.Bins), onMap(mo, s.M.Bins)
		return table[((r-1)*m.Bins+f-1)*m.Bins+mo-1]
	}
}
