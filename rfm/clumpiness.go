package rfm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Clumpiness returns how far the events of a customer come in bursts: 0 if they are evenly spread, towards 1 if they
// come together. Days are the distinct days of the events, rising, from 1 to n, the number of days observed. With the k+1
// gaps that the k events leave,
//
//	d = (t_1, t_2 - t_1, ..., n+1 - t_k) / (n+1)
//	H = 1 + sum d ln d / ln(k+1)
//
// It is the entropy measure H_p of Zhang, Bradlow and Small, New measures of clumpiness for incidence data, Journal of
// Applied Statistics 2013, and the C of RFMC in their Predicting Customer Value Using Clumpiness, Marketing Science 2015.
//
// It returns an error for no events, for which the measure is undefined (it wraps ledger.ErrUndefined), and for days
// that do not rise within 1 to n.
func Clumpiness(days []int, n int) (float64, error) {
	if len(days) == 0 {
		return 0, fmt.Errorf("rfm: clumpiness of no events: %w", errUndefined)
	}
	before, sum := 0, 0.0
	for i, d := range days {
		if d <= before || d > n {
			return 0, fmt.Errorf("rfm: clumpiness: day %d, number %d: want days that rise within 1 to %d", d, i+1, n)
		}
		sum += entropy(d-before, n+1)
		before = d
	}
	sum += entropy(n+1-before, n+1)
	return clumpy(sum, len(days)), nil
}

// entropy returns d ln d for d = gap/whole.
func entropy(gap, whole int) float64 {
	d := float64(gap) / float64(whole)
	return d * math.Log(d)
}

func clumpy(sum float64, events int) float64 {
	return max(0, 1+sum/math.Log(float64(events+1)))
}

// CriticalOptions say how a critical value is found. Nil and the zero value are the defaults.
type CriticalOptions struct {
	Draws int    // of the simulation where counting takes too long; 0 means 100,000
	Seed  uint64 // of the simulation
	// Exact is the number of gap patterns up to which the value is counted and not simulated; 0 means 200,000, a
	// negative number that it is always simulated.
	Exact int
}

// A Critical value of clumpiness.
type Critical struct {
	Value float64 `json:"value"` // a customer above it is clumpy at the level
	Level float64 `json:"level"` // chance of a value above it if all placements of the events are equally likely
	Exact bool    `json:"exact"` // counted over all placements, not simulated
}

// CriticalClumpiness returns the (1 - alpha) quantile of clumpiness for the given number of events placed at random on n
// days: the least value h with P(H <= h) >= 1 - alpha. Clumpiness depends on the gaps alone and not on their order, so
// all placements are counted by their gap patterns, of which there are few; where there are too many the value is
// simulated with the seed. It returns an error unless 0 < alpha < 1 and 1 <= events <= n, and stops when ctx is done.
func CriticalClumpiness(ctx context.Context, events, n int, alpha float64, o *CriticalOptions) (Critical, error) {
	var opt CriticalOptions
	if o != nil {
		opt = *o
	}
	if opt.Draws == 0 {
		opt.Draws = 100000
	}
	if opt.Exact == 0 {
		opt.Exact = 200000
	}
	switch {
	case !(alpha > 0 && alpha < 1):
		return Critical{}, fmt.Errorf("rfm: critical clumpiness at level %v: want above 0 and below 1", alpha)
	case events < 1 || events > n:
		return Critical{}, fmt.Errorf("rfm: critical clumpiness of %d events on %d days: want 1 to %d events", events, n, n)
	case n > 100000:
		return Critical{}, fmt.Errorf("rfm: critical clumpiness on %d days: want at most 100000", n)
	case opt.Draws < 1 || opt.Draws > 100000000:
		return Critical{}, fmt.Errorf("rfm: critical clumpiness with %d draws: want 1 to 100000000", opt.Draws)
	}
	if patterns(n+1, events+1, opt.Exact) <= opt.Exact {
		h, w, err := allPatterns(ctx, events, n)
		return Critical{quantileOf(h, w, 1-alpha), alpha, true}, err
	}
	h, err := simulated(ctx, events, n, opt)
	return Critical{quantileOf(h, nil, 1-alpha), alpha, false}, err
}

// patterns returns the number of ways to write whole as a sum of parts positive integers, order apart, or a number above
// most.
func patterns(whole, parts, most int) int {
	if most < 0 || int64(whole)*int64(parts) > 50000000 {
		return math.MaxInt
	}
	// p(w, k) = p(w-1, k-1) + p(w-k, k), a column of k at a time
	before, now := make([]int, whole+1), make([]int, whole+1)
	before[0] = 1
	for k := 1; k <= parts; k++ {
		clear(now)
		for w := k; w <= whole; w++ {
			now[w] = min(before[w-1]+now[w-k], math.MaxInt/4)
		}
		before, now = now, before
	}
	return before[whole]
}

// allPatterns returns the clumpiness of every gap pattern with its share of the placements, in logarithms up to a
// constant: (k+1)! / prod m_i! for multiplicities m_i.
func allPatterns(ctx context.Context, events, n int) (h, logWeight []float64, err error) {
	parts, whole := events+1, n+1
	term := make([]float64, whole+1)
	for g := 1; g <= whole; g++ {
		term[g] = entropy(g, whole)
	}
	seen := 0
	var walk func(left, parts, least, run int, sum, weight float64)
	walk = func(left, parts, least, run int, sum, weight float64) {
		if err != nil {
			return
		}
		if parts == 1 { // the last gap takes the rest, which is at least least
			if left == least {
				weight -= math.Log(float64(run + 1))
			}
			h, logWeight = append(h, clumpy(sum+term[left], events)), append(logWeight, weight)
			if seen++; seen%(1<<14) == 0 && ctx.Err() != nil {
				err = fmt.Errorf("rfm: %w", ctx.Err())
			}
			return
		}
		for g := least; g*parts <= left; g++ {
			r, w := 1, weight
			if g == least {
				r = run + 1
				w -= math.Log(float64(r)) // divides by the multiplicity's factorial, a factor at a time
			}
			walk(left-g, parts-1, g, r, sum+term[g], w)
		}
	}
	walk(whole, parts, 1, 0, 0, 0)
	return h, logWeight, err
}

// simulated returns the clumpiness of random placements.
func simulated(ctx context.Context, events, n int, o CriticalOptions) ([]float64, error) {
	r := rand.New(rand.NewPCG(o.Seed, 0x5eed))
	h := make([]float64, 0, o.Draws)
	taken := make(map[int]bool, events)
	days := make([]int, 0, events)
	for i := range o.Draws {
		if i%256 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("rfm: stopped after %d draws: %w", i, ctx.Err())
		}
		clear(taken)
		days = days[:0]
		for j := n - events + 1; j <= n; j++ { // Floyd's sampling without replacement
			d := 1 + r.IntN(j)
			if taken[d] {
				d = j
			}
			taken[d] = true
			days = append(days, d)
		}
		slices.Sort(days)
		v, err := Clumpiness(days, n)
		if err != nil {
			return nil, err
		}
		h = append(h, v)
	}
	return h, nil
}

// quantileOf returns the least value whose share of the weights, with all values below it, reaches p. Values that differ
// by rounding alone count as one.
func quantileOf(h, logWeight []float64, p float64) float64 {
	if len(h) == 0 {
		return math.NaN()
	}
	order := make([]int, len(h))
	weight := make([]float64, len(h))
	most, total := math.Inf(-1), 0.0
	for i := range order {
		order[i] = i
		if logWeight != nil {
			most = max(most, logWeight[i])
		}
	}
	for i := range weight {
		weight[i] = 1
		if logWeight != nil {
			weight[i] = math.Exp(logWeight[i] - most)
		}
		total += weight[i]
	}
	sort.Slice(order, func(a, b int) bool { return h[order[a]] < h[order[b]] })
	sum := 0.0
	for _, i := range order {
		sum += weight[i]
		if sum >= p*total*(1-1e-12) {
			return h[i]
		}
	}
	return h[order[len(order)-1]]
}

// ClumpOptions say what counts as an event and as the time observed. Nil and the zero value are the defaults.
type ClumpOptions struct {
	// KeepFirst counts the first purchase as an event and observes all customers from Summary.Start on. By default a
	// customer is observed from the day after the first purchase, which is left out.
	KeepFirst bool
	// LeastEvents is the number of events below which a customer has no clumpiness; 0 means 1.
	LeastEvents int
}

// Clumpiness returns the clumpiness of the customer Rows[i], with the number of events and of days observed, and false
// for a customer with too few events. It needs a summary made with KeepDays or CountDays, and is false for all without.
// Purchases of one day are one event.
func (s *Summary) Clumpiness(i int, o *ClumpOptions) (h float64, events, n int, ok bool) {
	var opt ClumpOptions
	if o != nil {
		opt = *o
	}
	dates, ok := s.Days(i)
	if !ok || len(dates) == 0 {
		return 0, 0, 0, false
	}
	before := s.Start - 1 // the first day is number 1
	if !opt.KeepFirst {
		before, dates = dates[0], dates[1:]
	}
	days := make([]int, len(dates))
	for k, d := range dates {
		days[k] = int(d - before)
	}
	n = int(s.End - before)
	if len(days) < max(1, opt.LeastEvents) {
		return 0, len(days), n, false
	}
	h, err := Clumpiness(days, n)
	return h, len(days), n, err == nil
}

// Clump returns the column "clumpiness": the C of RFMC. It needs SummaryOptions.KeepDays or CountDays; without them no
// customer has a score. A higher score means clumpier, which the authors found to go with more future purchases.
func Clump(o *ClumpOptions) Column {
	return Column{Name: "clumpiness", Value: func(s *Summary, i int) (float64, bool) {
		h, _, _, ok := s.Clumpiness(i, o)
		return h, ok
	}}
}

// ClumpyShare is the share of customers whose clumpiness is above the critical value for their own number of events.
type ClumpyShare struct {
	Customers int     `json:"customers"` // with a clumpiness
	Clumpy    int     `json:"clumpy"`
	Share     Number  `json:"share"` // undefined without customers
	Level     float64 `json:"level"` // share expected if purchases fell at random
}

// Clumpy tests every customer's clumpiness at the level alpha against the critical value for the same number of events
// and days, and returns how many are above. Critical values are computed once for each pair of events and days; with
// KeepFirst, where all customers have the same days, there are few. It returns an error for a summary without days and
// what [CriticalClumpiness] reports.
func (s *Summary) Clumpy(ctx context.Context, alpha float64, o *ClumpOptions, c *CriticalOptions) (ClumpyShare, error) {
	if s.days == nil {
		return ClumpyShare{}, errors.New("rfm: the summary has no days: summarize with KeepDays")
	}
	out := ClumpyShare{Level: alpha}
	values := make(map[[2]int]float64)
	for i := range s.Rows {
		h, events, n, ok := s.Clumpiness(i, o)
		if !ok {
			continue
		}
		critical, known := values[[2]int{events, n}]
		if !known {
			v, err := CriticalClumpiness(ctx, events, n, alpha, c)
			if err != nil {
				return ClumpyShare{}, err
			}
			critical = v.Value
			values[[2]int{events, n}] = critical
		}
		out.Customers++
		if h > critical+1e-12 {
			out.Clumpy++
		}
	}
	out.Share = ratio(float64(out.Clumpy), float64(out.Customers))
	return out, nil
}
