package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// buckets are the upper limits, in seconds, of the histogram of durations.
var buckets = [...]float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1}

// metrics counts answers by route and status and their durations by route. There are as many series as routes and statuses,
// whatever is asked for.
type metrics struct {
	mu        sync.Mutex
	answers   map[answerKey]uint64
	durations map[string]*duration
}

type answerKey struct {
	route  string
	status int
}

type duration struct {
	counts [len(buckets) + 1]uint64
	sum    float64
}

func newMetrics() *metrics {
	return &metrics{answers: map[answerKey]uint64{}, durations: map[string]*duration{}}
}

func (m *metrics) count(pattern string, status int, took time.Duration) {
	name, seconds := routeName(pattern), took.Seconds()
	i := 0
	for i < len(buckets) && seconds > buckets[i] {
		i++
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers[answerKey{name, status}]++
	d := m.durations[name]
	if d == nil {
		d = new(duration)
		m.durations[name] = d
	}
	d.counts[i]++
	d.sum += seconds
}

// text returns the metrics in the text format of Prometheus.
func (m *metrics) text(customers, running int) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	b.WriteString("# HELP custval_requests_total Answers by route and status.\n# TYPE custval_requests_total counter\n")
	keys := slices.SortedFunc(maps.Keys(m.answers), func(a, b answerKey) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.status, b.status))
	})
	for _, k := range keys {
		fmt.Fprintf(&b, "custval_requests_total{route=%q,status=\"%d\"} %d\n", k.route, k.status, m.answers[k])
	}
	b.WriteString("# HELP custval_request_seconds Time from a request's header to its answer.\n# TYPE custval_request_seconds histogram\n")
	for _, name := range slices.Sorted(maps.Keys(m.durations)) {
		d := m.durations[name]
		total := uint64(0)
		for i, limit := range buckets {
			total += d.counts[i]
			fmt.Fprintf(&b, "custval_request_seconds_bucket{route=%q,le=\"%g\"} %d\n", name, limit, total)
		}
		total += d.counts[len(buckets)]
		fmt.Fprintf(&b, "custval_request_seconds_bucket{route=%q,le=\"+Inf\"} %d\n", name, total)
		fmt.Fprintf(&b, "custval_request_seconds_sum{route=%q} %g\ncustval_request_seconds_count{route=%q} %d\n", name, d.sum, name, total)
	}
	fmt.Fprintf(&b, "# HELP custval_customers Customers whose state is kept.\n# TYPE custval_customers gauge\ncustval_customers %d\n", customers)
	fmt.Fprintf(&b, "# HELP custval_running Requests being answered.\n# TYPE custval_running gauge\ncustval_running %d\n", running)
	return b.String()
}
