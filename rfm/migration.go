package rfm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Entered and Left are the states of a customer who is in one period only.
const (
	Entered = "(entered)" // not scored in the first period
	Left    = "(left)"    // not scored in the second
)

// A Flow is the customers who went from one state to another, with their revenue in each period.
type Flow struct {
	From      string       `json:"from"`
	To        string       `json:"to"`
	Customers int          `json:"customers"`
	Share     Number       `json:"share"`  // of the customers of From; undefined from (entered)
	Before    money.Amount `json:"before"` // their revenue in the first period
	After     money.Amount `json:"after"`  // and in the second
}

// A SegmentChange is the roll-forward of a segment: Opening + In - Out + Entered - Left = Closing.
type SegmentChange struct {
	Segment   string       `json:"segment"`
	Opening   int          `json:"opening"`
	In        int          `json:"in"`  // from other segments
	Out       int          `json:"out"` // to other segments
	Entered   int          `json:"entered"`
	Left      int          `json:"left"`
	Closing   int          `json:"closing"`
	Stability Number       `json:"stability"` // share of Opening that is still in the segment
	Before    money.Amount `json:"before"`    // revenue of the segment's customers in the first period
	After     money.Amount `json:"after"`     // revenue of the segment's customers in the second
}

// A Migration says how customers moved between two periods.
type Migration struct {
	Segments []string        `json:"segments"`
	Flows    []Flow          `json:"flows"` // those with customers, by From and To in the order of Segments, then (entered) and (left)
	Changes  []SegmentChange `json:"changes"`

	Both    int `json:"both"` // customers in both periods
	Stayed  int `json:"stayed"`
	Moved   int `json:"moved"`
	Entered int `json:"entered"`
	Left    int `json:"left"`
	// Stability is the share of the customers of both periods who stayed in their segment; undefined without any.
	Stability Number `json:"stability"`
}

// Count returns the number of customers who went from one state to another; use Entered and Left for those in one
// period only.
func (m *Migration) Count(from, to string) int {
	for i := range m.Flows {
		if m.Flows[i].From == from && m.Flows[i].To == to {
			return m.Flows[i].Customers
		}
	}
	return 0
}

// Matrix returns the counts with a row for every segment and then (entered), a column for every segment and then (left).
func (m *Migration) Matrix() [][]int {
	n := len(m.Segments)
	at := positions(m.Segments)
	at[Entered], at[Left] = n, n
	matrix := make([][]int, n+1)
	for i := range matrix {
		matrix[i] = make([]int, n+1)
	}
	for _, f := range m.Flows {
		matrix[at[f.From]][at[f.To]] = f.Customers
	}
	return matrix
}

// Compare returns how customers moved between the segments of two tables, of which the second has to be scored on the
// scales of the first and put into segments by the same map (Options.Scales and Options.Map): with limits that move,
// migration is an artifact. It returns an error otherwise, and if the second does not end after the first.
func Compare(before, after *Table) (*Migration, error) {
	switch {
	case !sameJSON(before.Scales, after.Scales):
		return nil, errors.New("rfm: the periods are scored on different scales: score the second with Options.Scales of the first")
	case !sameJSON(before.Map, after.Map):
		return nil, errors.New("rfm: the periods have different maps")
	case after.End <= before.End:
		return nil, fmt.Errorf("rfm: the second period ends on %s, not after the first on %s", after.End, before.End)
	case before.Currency != "" && after.Currency != "" && before.Currency != after.Currency:
		return nil, fmt.Errorf("rfm: the first period is in %s, the second in %s", before.Currency, after.Currency)
	}
	b := newMigration(before.segments(), before.Currency)
	for _, s := range after.segments() {
		b.segment(s)
	}
	i, j := 0, 0
	for i < len(before.Rows) || j < len(after.Rows) {
		var x, y *Row
		order := -1
		switch {
		case i == len(before.Rows):
			order = 1
		case j < len(after.Rows):
			order = cmp.Compare(before.Rows[i].Customer, after.Rows[j].Customer)
		}
		if order <= 0 {
			x = &before.Rows[i]
			i++
		}
		if order >= 0 {
			y = &after.Rows[j]
			j++
		}
		b.move(x, y)
	}
	return b.done()
}

// Transitions is Compare for labels of any kind, such as those of clusters or of another tool: the segment of every
// customer before and after. There is no money in it. Segments are in alphabetical order. It returns an error if a
// label is empty or one of Entered and Left.
func Transitions(before, after map[string]string) (*Migration, error) {
	var names []string
	for _, labels := range []map[string]string{before, after} {
		for _, customer := range sortedKeys(labels) {
			s := labels[customer]
			if s == "" || s == Entered || s == Left {
				return nil, fmt.Errorf("rfm: customer %.80q: segment %q: want a name of its own", customer, s)
			}
			names = append(names, s)
		}
	}
	slices.Sort(names)
	b := newMigration(slices.Compact(names), "")
	for customer, from := range before {
		x, y := &Row{Segment: from}, (*Row)(nil)
		if to, ok := after[customer]; ok {
			y = &Row{Segment: to}
		}
		b.move(x, y)
	}
	for customer, to := range after {
		if _, ok := before[customer]; !ok {
			b.move(nil, &Row{Segment: to})
		}
	}
	return b.done()
}

// Migrate analyses a log as of two ends of observation, the second on the scales of the first, and compares them. If
// o.Start is set it is that of the first period, and the second starts as many days later, so that both are equally
// long; otherwise both start with the log. The log is read twice: a stream that can be read only once is an error.
func Migrate(ctx context.Context, log iter.Seq2[ledger.Transaction, error], first, second time.Time, o *Options) (before, after *Table, m *Migration, err error) {
	opt := o.orDefaults()
	if before, err = Analyze(ctx, log, first, &opt); err != nil {
		return nil, nil, nil, err
	}
	opt.Scales = &before.Scales
	if !opt.Start.IsZero() {
		opt.Start = opt.Start.AddDate(0, 0, daysBetween(first, second, opt.Location))
	}
	if opt.Location == nil {
		opt.Location = first.Location()
	}
	if after, err = Analyze(ctx, log, second, &opt); err != nil {
		return nil, nil, nil, err
	}
	if m, err = Compare(before, after); err != nil {
		return nil, nil, nil, err
	}
	return before, after, m, nil
}

func daysBetween(a, b time.Time, loc *time.Location) int {
	if loc == nil {
		loc = a.Location()
	}
	return int(DateOf(b.In(loc)) - DateOf(a.In(loc)))
}

func sameJSON(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// A migrating collects the moves of single customers.
type migrating struct {
	names    []string
	at       map[string]int
	currency money.Currency
	cells    map[[2]int]*moves
}

type moves struct {
	n             int
	before, after money.Sum
}

const outside = -1 // the place of (entered) and (left)

func newMigration(names []string, c money.Currency) *migrating {
	b := &migrating{at: make(map[string]int), currency: c, cells: make(map[[2]int]*moves)}
	for _, n := range names {
		b.segment(n)
	}
	return b
}

func (b *migrating) segment(name string) int {
	i, ok := b.at[name]
	if !ok {
		i = len(b.names)
		b.names = append(b.names, name)
		b.at[name] = i
	}
	return i
}

// move counts a customer's rows of the two periods, nil where there is none.
func (b *migrating) move(x, y *Row) {
	key := [2]int{outside, outside}
	if x != nil {
		key[0] = b.at[x.Segment]
	}
	if y != nil {
		key[1] = b.at[y.Segment]
	}
	c := b.cells[key]
	if c == nil {
		c = &moves{}
		b.cells[key] = c
	}
	c.n++
	if x != nil {
		c.before.Add(x.Revenue)
	}
	if y != nil {
		c.after.Add(y.Revenue)
	}
}

func (b *migrating) done() (*Migration, error) {
	n := len(b.names)
	m := &Migration{Segments: b.names, Changes: make([]SegmentChange, n)}
	before, after := make([]money.Sum, n), make([]money.Sum, n)
	for i := range m.Changes {
		m.Changes[i].Segment = b.names[i]
	}
	keys := make([][2]int, 0, len(b.cells))
	for k := range b.cells {
		keys = append(keys, k)
	}
	last := func(i int) int { return (i + n + 1) % (n + 1) } // outside comes after the segments
	slices.SortFunc(keys, func(x, y [2]int) int {
		return cmp.Or(cmp.Compare(last(x[0]), last(y[0])), cmp.Compare(last(x[1]), last(y[1])))
	})
	for _, k := range keys {
		f, err := b.flow(k)
		if err != nil {
			return nil, err
		}
		m.Flows = append(m.Flows, f)
		m.count(k, f.Customers)
		if k[0] != outside {
			before[k[0]].Add(f.Before)
		}
		if k[1] != outside {
			after[k[1]].Add(f.After)
		}
	}
	for i := range m.Changes {
		c := &m.Changes[i]
		c.Stability = ratio(float64(c.Opening-c.Out-c.Left), float64(c.Opening))
		before[i].Add(zero(b.currency))
		after[i].Add(zero(b.currency))
		c.Before, _ = before[i].Total() // sums of sums that had no error
		c.After, _ = after[i].Total()
	}
	for i := range m.Flows {
		if at, ok := b.at[m.Flows[i].From]; ok {
			m.Flows[i].Share = ratio(float64(m.Flows[i].Customers), float64(m.Changes[at].Opening))
		}
	}
	m.Stability = ratio(float64(m.Stayed), float64(m.Both))
	return m, nil
}

func (b *migrating) flow(k [2]int) (Flow, error) {
	c := b.cells[k]
	f := Flow{From: Entered, To: Left, Customers: c.n, Share: Undefined()}
	if k[0] != outside {
		f.From = b.names[k[0]]
	}
	if k[1] != outside {
		f.To = b.names[k[1]]
	}
	c.before.Add(zero(b.currency))
	c.after.Add(zero(b.currency))
	var err error
	if f.Before, err = c.before.Total(); err == nil {
		f.After, err = c.after.Total()
	}
	if err != nil {
		return Flow{}, fmt.Errorf("rfm: revenue from %s to %s: %w", f.From, f.To, err)
	}
	return f, nil
}

func (m *Migration) count(k [2]int, n int) {
	if k[0] != outside {
		m.Changes[k[0]].Opening += n
	}
	if k[1] != outside {
		m.Changes[k[1]].Closing += n
	}
	switch {
	case k[0] == outside:
		m.Entered += n
		m.Changes[k[1]].Entered += n
	case k[1] == outside:
		m.Left += n
		m.Changes[k[0]].Left += n
	case k[0] == k[1]:
		m.Both += n
		m.Stayed += n
	default:
		m.Both += n
		m.Moved += n
		m.Changes[k[0]].Out += n
		m.Changes[k[1]].In += n
	}
}

// String returns the matrix of customers, from the rows to the columns, and the stability below it.
func (m *Migration) String() string {
	header := append([]string{"from \\ to"}, m.Segments...)
	header = append(header, Left)
	var rows [][]string
	for i, counts := range m.Matrix() {
		row := []string{Entered}
		if i < len(m.Segments) {
			row[0] = m.Segments[i]
		}
		for _, n := range counts {
			row = append(row, strconv.Itoa(n))
		}
		rows = append(rows, row)
	}
	return textTable(header, rows, 1) + fmt.Sprintf("%d of %d customers in both periods stayed (%s); %d entered, %d left\n",
		m.Stayed, m.Both, m.Stability.percent(), m.Entered, m.Left)
}

// WriteCSV writes one line a flow with a header.
func (m *Migration) WriteCSV(w io.Writer) error {
	return writeCSV(w, []string{"from", "to", "customers", "share", "before", "after", "currency"}, func(yield func([]string) bool) {
		for i := range m.Flows {
			f := &m.Flows[i]
			currency := f.Before.Currency()
			if currency == "" {
				currency = f.After.Currency()
			}
			if !yield([]string{f.From, f.To, strconv.Itoa(f.Customers), f.Share.csv(), plain(f.Before), plain(f.After), string(currency)}) {
				return
			}
		}
	})
}
