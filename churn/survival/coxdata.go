package survival

import (
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/radix"
	"github.com/custval/custval/ledger"
)

// coxData is the rows that were ever at risk at an event, in the order that the sums are taken in: by stratum, by the
// last event time they were at risk at, those who left then after the others, and by content among equals, so that the
// order of the input does not reach a bit of the result. Events are the distinct times of events of all strata in
// order; a row is at risk at the events lo <= e < hi of its stratum.
type coxData struct {
	n, p   int
	x      []float64 // n rows of p centered and scaled covariates
	lo, hi []int32
	dead   []bool
	weight []float64
	rows   []int32 // where each row came from

	time   []float64 // of each event
	start  []int32   // first row with hi == e+1; one more at the end
	first  []int32   // rows start[e] to first[e] leave the risk set without an event, first[e] to start[e+1] have one
	opens  []bool    // whether the event is the last one of its stratum: where a sum over time starts
	strata []span    // the events of each stratum
	late   []int32   // rows that enter after the first event of their stratum, by lo

	names       []string // of the strata
	stratum     []int32  // of every input row
	columns     []string // of the covariates
	mean, scale []float64
}

// A span is the events from lo to hi-1.
type span struct{ lo, hi int32 }

// newCoxData orders the rows. Center and scale are those of the rows that are at risk.
func newCoxData(tenures []ledger.Tenure, s *sample, d *Design, strata By) (*coxData, error) {
	c := &coxData{p: d.width(), columns: d.Columns()}
	c.stratum, c.names = groups(tenures, strata)
	byTime := s.ordered(s.time, nil)
	byStratum := make([]radix.Keyed, len(byTime))
	for i, r := range byTime {
		byStratum[i] = radix.Keyed{Key: uint64(c.stratum[r.Row]), Row: r.Row}
	}
	byStratum = radix.Sort(byStratum)
	c.findEvents(s, byStratum)
	if len(c.time) == 0 {
		return nil, fmt.Errorf("survival: cox: %w", ErrNoEvents)
	}
	c.order(s, d, byStratum)
	c.fill(s, d)
	return c, c.standardize()
}

func (c *coxData) findEvents(s *sample, rows []radix.Keyed) {
	c.strata = make([]span, len(c.names))
	at := 0
	for h := range c.strata {
		c.strata[h].lo = int32(len(c.time))
		for ; at < len(rows) && int(rows[at].Key) == h; at++ {
			r := rows[at].Row
			n := len(c.time)
			if s.event[r] && (n == int(c.strata[h].lo) || c.time[n-1] != s.time[r]) {
				c.time = append(c.time, s.time[r])
			}
		}
		c.strata[h].hi = int32(len(c.time))
	}
	c.opens = make([]bool, len(c.time))
	for _, sp := range c.strata {
		if sp.hi > sp.lo {
			c.opens[sp.hi-1] = true
		}
	}
}

// order sets rows, lo and hi.
func (c *coxData) order(s *sample, d *Design, rows []radix.Keyed) {
	at := 0
	for h, sp := range c.strata {
		next := sp.lo // events at or before the row's time
		for ; at < len(rows) && int(rows[at].Key) == h; at++ {
			r := rows[at].Row
			for next < sp.hi && c.time[next] <= s.time[r] {
				next++
			}
			lo := sp.lo
			if entry := s.enters(int(r)); entry >= 0 {
				k, found := slices.BinarySearch(c.time[sp.lo:sp.hi], entry)
				lo += int32(k + b2i(found))
			}
			if lo < next {
				c.rows, c.lo, c.hi = append(c.rows, r), append(c.lo, lo), append(c.hi, next)
			}
		}
	}
	c.n = len(c.rows)
	index := make([]int32, c.n)
	for i := range index {
		index[i] = int32(i)
	}
	less := func(a, b int32) int {
		ra, rb := c.rows[a], c.rows[b]
		if s.event[ra] != s.event[rb] {
			return b2i(s.event[ra]) - b2i(s.event[rb])
		}
		if c.lo[a] != c.lo[b] {
			return int(c.lo[a] - c.lo[b])
		}
		if wa, wb := s.weightOf(int(ra)), s.weightOf(int(rb)); wa != wb {
			return compareFloat(wa, wb)
		}
		for j := range c.p {
			if xa, xb := d.columns[j][ra], d.columns[j][rb]; xa != xb {
				return compareFloat(xa, xb)
			}
		}
		return int(ra - rb)
	}
	for i := 0; i < c.n; {
		j := i + 1
		for j < c.n && c.hi[index[j]] == c.hi[index[i]] {
			j++
		}
		if j-i > 1 {
			slices.SortFunc(index[i:j], less)
		}
		i = j
	}
	c.rows, c.lo, c.hi = permute(c.rows, index), permute(c.lo, index), permute(c.hi, index)
}

func compareFloat(a, b float64) int {
	if a < b {
		return -1
	}
	return 1
}

func permute(v, index []int32) []int32 {
	out := make([]int32, len(index))
	for i, k := range index {
		out[i] = v[k]
	}
	return out
}

// fill copies the rows and finds where the events begin among them.
func (c *coxData) fill(s *sample, d *Design) {
	c.x = make([]float64, c.n*c.p)
	c.dead, c.weight = make([]bool, c.n), make([]float64, c.n)
	for i, r := range c.rows {
		c.dead[i], c.weight[i] = s.event[r], s.weightOf(int(r))
	}
	for j := range c.p {
		column := d.columns[j]
		for i, r := range c.rows {
			c.x[i*c.p+j] = column[r]
		}
	}
	c.start, c.first = make([]int32, len(c.time)+1), make([]int32, len(c.time))
	at := int32(0)
	for e := range c.time {
		c.start[e] = at
		for ; int(at) < c.n && c.hi[at] == int32(e+1) && !c.dead[at]; at++ {
		}
		c.first[e] = at
		for ; int(at) < c.n && c.hi[at] == int32(e+1); at++ {
		}
	}
	c.start[len(c.time)] = at
	opening := make(map[int32]bool, len(c.strata))
	for _, sp := range c.strata {
		opening[sp.lo] = true
	}
	var late []radix.Keyed
	for i, lo := range c.lo {
		if !opening[lo] {
			late = append(late, radix.Keyed{Key: uint64(lo), Row: int32(i)})
		}
	}
	for _, k := range radix.Sort(late) {
		c.late = append(c.late, k.Row)
	}
}

// standardize centers and scales the covariates and returns an error that names one that does not vary.
func (c *coxData) standardize() error {
	c.mean, c.scale = make([]float64, c.p), make([]float64, c.p)
	total := 0.0
	for i := range c.n {
		total += c.weight[i]
		for j := range c.p {
			c.mean[j] += c.weight[i] * c.x[i*c.p+j]
		}
	}
	for j := range c.p {
		c.mean[j] /= total
	}
	for i := range c.n {
		row := c.x[i*c.p : (i+1)*c.p]
		for j := range row {
			row[j] -= c.mean[j]
			c.scale[j] += c.weight[i] * row[j] * row[j]
		}
	}
	for j := range c.p {
		c.scale[j] = math.Sqrt(c.scale[j] / total)
		if !(c.scale[j] > 1e-12*math.Abs(c.mean[j])) || math.IsInf(c.scale[j], 1) {
			return &CovariateError{Covariate: c.columns[j], Err: fmt.Errorf("%w: it has the value %v in every row at risk",
				ErrCollinear, table.Number(c.mean[j]))}
		}
	}
	for i := range c.n {
		row := c.x[i*c.p : (i+1)*c.p]
		for j := range row {
			row[j] /= c.scale[j]
		}
	}
	return nil
}

func (c *coxData) row(i int32) []float64 { return c.x[int(i)*c.p : (int(i)+1)*c.p] }
