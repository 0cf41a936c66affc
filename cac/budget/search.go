package budget

import (
	"container/heap"
	"context"
	"math"
)

// A solution is a division of the budget among the items.
type solution struct {
	x     []float64
	value float64 // the sum of returns
	bound float64 // no division returns more
	price float64 // of the root, a hint
	nodes int     // sub-problems solved
}

// A node is a part of the problem: some spans are narrower than at the root.
type node struct {
	parent *node
	items  []int
	spans  []span
	bound  float64
	price  float64
	x      []float64 // of the relaxed problem
	order  int
}

type queue []*node

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].bound != q[j].bound {
		return q[i].bound > q[j].bound
	}
	return q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(v any)   { *q = append(*q, v.(*node)) }
func (q *queue) Pop() any {
	old := *q
	n := old[len(old)-1]
	*q = old[:len(old)-1]
	return n
}

// A search finds the best division of a total by branch and bound over the envelopes. If all curves are concave the root
// is the answer.
type search struct {
	ctx   context.Context
	items []item
	total float64
	o     Options
	es    []envelope // of the node at hand
	best  solution
	found bool
	nodes int
}

// solve divides total among the items. ok is false if no division keeps to the spans.
func solve(ctx context.Context, items []item, total float64, o Options) (s solution, ok bool, err error) {
	w := &search{ctx: ctx, items: items, total: total, o: o, es: make([]envelope, len(items))}
	root := &node{}
	if !w.relax(root, 0) {
		return w.best, false, nil
	}
	q := queue{root}
	bound, pruned := root.bound, math.Inf(-1)
	for len(q) > 0 {
		if err := ctx.Err(); err != nil {
			return w.best, w.found, err
		}
		n := heap.Pop(&q).(*node)
		bound = n.bound
		if w.closed(n.bound) {
			break
		}
		if w.nodes >= o.Nodes && w.found {
			heap.Push(&q, n)
			break
		}
		for _, child := range w.branch(n) {
			if !w.relax(child, n.price) {
				continue
			}
			if w.closed(child.bound) {
				pruned = max(pruned, child.bound)
				continue
			}
			heap.Push(&q, child)
		}
		if len(q) == 0 {
			bound = pruned
		}
		if w.nodes >= 5*o.Nodes { // no plan found yet that keeps to the entries
			break
		}
	}
	w.best.bound = max(bound, w.best.value)
	if w.closed(w.best.bound) && w.best.bound-w.best.value <= 1e-12*math.Abs(w.best.value) {
		w.best.bound = w.best.value
	}
	w.best.nodes, w.best.price = w.nodes, root.price
	return w.best, w.found, nil
}

// closed reports whether nothing within a bound is better than the best found by more than the gap allowed.
func (w *search) closed(bound float64) bool {
	return w.found && bound-w.best.value <= w.o.Gap*math.Abs(bound)
}

// spans writes the spans of a node into the envelopes at hand.
func (w *search) envelopes(n *node) {
	spans := make([]span, len(w.items))
	for i := range w.items {
		spans[i] = w.items[i].span
	}
	var path []*node
	for p := n; p != nil; p = p.parent {
		path = append(path, p)
	}
	for k := len(path) - 1; k >= 0; k-- {
		for j, i := range path[k].items {
			spans[i] = path[k].spans[j]
		}
	}
	for i := range w.items {
		if w.nodes == 0 || w.es[i].span != spans[i] {
			w.es[i] = envelopeOf(&w.items[i], spans[i])
		}
	}
}

// relax solves a node with the envelopes in place of the curves, and tries to make a plan of the result.
func (w *search) relax(n *node, hint float64) bool {
	w.envelopes(n)
	w.nodes++
	low, high := 0.0, 0.0
	for i := range w.es {
		low += w.es[i].low
		high += w.es[i].high
	}
	slack := 1e-12 * w.total
	if low > w.total+slack || high < w.total-slack {
		return false
	}
	n.x = make([]float64, len(w.items))
	n.price = fill(w.items, w.es, w.total, hint, n.x)
	on := -1
	for i := range w.items {
		n.bound += w.es[i].value(&w.items[i], n.x[i])
		if n.x[i] > w.es[i].low && n.x[i] < w.es[i].touch {
			on = i
		}
	}
	w.try(n.x)
	if on >= 0 && !w.closed(n.bound) {
		w.round(n, on)
	}
	return true
}

// try takes x as the best plan if it keeps to the spans of the problem and returns more.
func (w *search) try(x []float64) {
	value, sum := 0.0, 0.0
	for i := range w.items {
		c := &w.items[i]
		if x[i] < c.span.low || x[i] > c.span.high || c.span.entry > 0 && x[i] > c.span.low && x[i] < c.span.entry {
			return
		}
		value += c.f(x[i])
		sum += x[i]
	}
	if math.Abs(sum-w.total) > 1e-9*math.Max(1, w.total) || w.found && value <= w.best.value || math.IsNaN(value) {
		return
	}
	w.best.x, w.best.value, w.found = append(w.best.x[:0], x...), value, true
}

// round makes plans of a relaxed solution whose item on ends between nothing and the concave part: it is given up, taken
// in, or held in between, while all others stay in their part of their curve.
func (w *search) round(n *node, on int) {
	es := make([]envelope, len(w.items))
	for i := range w.items {
		c, e := &w.items[i], w.es[i]
		s := span{low: e.low, high: e.high}
		switch {
		case e.touch > e.low && n.x[i] <= e.low:
			s.high = e.low
		case e.touch > e.low:
			s.low = min(max(c.bend, e.entry, e.low), e.high)
		}
		es[i] = envelope{span: s, touch: s.low, slope: math.Inf(1), base: c.f(s.low)}
	}
	e := w.es[on]
	x := make([]float64, len(w.items))
	attempt := func(s span) {
		es[on] = envelope{span: s, touch: s.low, slope: math.Inf(1), base: w.items[on].f(s.low)}
		low, high := 0.0, 0.0
		for i := range es {
			low, high = low+es[i].low, high+es[i].high
		}
		if low <= w.total && high >= w.total && w.ctx.Err() == nil {
			fill(w.items, es, w.total, n.price, x)
			w.try(x)
		}
	}
	attempt(span{low: e.low, high: e.low})
	attempt(span{low: min(max(w.items[on].bend, e.entry, e.low), e.high), high: e.high})
	if n.x[on] >= e.entry {
		attempt(span{low: n.x[on], high: n.x[on]})
	}
}

// branch splits a node at the item whose envelope is furthest from its curve. Of interchangeable items an earlier one
// is never given less than a later one, so that a split of one narrows the others too.
func (w *search) branch(n *node) []*node {
	w.envelopes(n)
	on, most := -1, 0.0
	for i := range w.items {
		if g := w.es[i].gap(&w.items[i], n.x[i]); g > most {
			on, most = i, g
		}
	}
	if on < 0 {
		return nil
	}
	at, e := n.x[on], w.es[on]
	if e.entry == 0 { // never so close to an end that a part is hardly narrower
		at = min(max(at, e.low+0.01*(e.high-e.low)), e.high-0.01*(e.high-e.low))
	}
	down := &node{parent: n, order: 2 * w.nodes}
	up := &node{parent: n, order: 2*w.nodes + 1}
	class := w.items[on].class
	for i := range w.items {
		if w.items[i].class != class {
			continue
		}
		s := w.es[i].span
		if i >= on && s.high > at {
			down.items, down.spans = append(down.items, i), append(down.spans, s.lower(at))
		}
		if i <= on && s.low < at {
			up.items, up.spans = append(up.items, i), append(up.spans, s.raise(at))
		}
	}
	for _, s := range down.spans {
		if s.low > s.high {
			return []*node{up}
		}
	}
	for _, s := range up.spans {
		if s.low > s.high {
			return []*node{down}
		}
	}
	return []*node{down, up}
}

// polish moves a plan with S-shaped curves to the exact top of the hill it stands on: all items in the concave part of
// their curve have one marginal return, and one on the rising part is searched along the line.
func polish(items []item, total float64, s *solution) {
	n := len(items)
	es := make([]envelope, n)
	rising := -1
	for i := range items {
		c := &items[i]
		low := c.span.low
		if s.x[i] > low {
			low = max(low, c.span.entry)
		}
		p := span{low: low, high: c.span.high}
		switch {
		case s.x[i] <= c.span.low:
			if c.bend > c.span.low || c.span.entry > 0 {
				p.high = p.low
			}
		case s.x[i] < c.bend:
			rising, p = i, span{low: s.x[i], high: s.x[i]}
		default:
			p.low = min(max(low, c.bend), s.x[i])
		}
		es[i] = envelope{span: p, touch: p.low, slope: math.Inf(1), base: c.f(p.low)}
	}
	x := make([]float64, n)
	evaluate := func() float64 {
		fill(items, es, total, s.price, x)
		value := 0.0
		for i := range items {
			value += items[i].f(x[i])
		}
		if value > s.value {
			s.value = value
			s.x = append(s.x[:0], x...)
		}
		return value
	}
	if rising < 0 {
		evaluate()
		return
	}
	width := 0.02 * s.x[rising]
	a := max(s.x[rising]-width, items[rising].span.low, items[rising].span.entry)
	b := min(s.x[rising]+width, items[rising].bend, items[rising].span.high)
	at := func(v float64) float64 {
		low, high := 0.0, 0.0
		es[rising] = envelope{span: span{low: v, high: v}, touch: v, slope: math.Inf(1), base: items[rising].f(v)}
		for i := range es {
			low, high = low+es[i].low, high+es[i].high
		}
		if low > total || high < total {
			return math.Inf(-1)
		}
		return evaluate()
	}
	const g = 0.3819660112501051
	for range 80 {
		u, v := a+g*(b-a), b-g*(b-a)
		if at(u) < at(v) {
			a = u
		} else {
			b = v
		}
	}
}
