package budget

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// An envelope is the concave envelope of an item's return over a span: a straight line from (low, f(low)) to
// (touch, f(touch)), and the curve itself from there on.
type envelope struct {
	span
	touch, slope, base float64 // touch = low: no line
}

// envelopeOf returns the concave envelope of c over s.
func envelopeOf(c *item, s span) envelope {
	e := envelope{span: s, touch: s.low, slope: math.Inf(1), base: c.f(s.low)}
	if s.high <= s.low {
		return e
	}
	if c.bend > s.low {
		e.touch = tangent(c, s)
	}
	if s.entry > 0 {
		e.touch = max(e.touch, s.entry)
	}
	if e.touch > s.low {
		e.slope = (c.f(e.touch) - e.base) / (e.touch - s.low)
	}
	return e
}

// tangent returns the spend at which the line from (low, f(low)) touches the concave part, or high if that is beyond.
func tangent(c *item, s span) float64 {
	if c.bend >= s.high || c.value == 0 {
		return s.high
	}
	base := c.curve.Response(s.low)
	excess := func(x float64) float64 {
		return float64(c.curve.Marginal(x)*(x-s.low)) - (c.curve.Response(x) - base)
	}
	if excess(s.high) >= 0 {
		return s.high
	}
	return root(excess, max(c.bend, s.low), s.high)
}

// value returns the envelope at x.
func (e *envelope) value(c *item, x float64) float64 {
	if x <= e.low {
		return e.base
	}
	if x < e.touch {
		return e.base + float64(e.slope*(x-e.low))
	}
	return c.f(x)
}

// demand returns what the envelope takes at a price: the spend whose last unit returns it.
func (e *envelope) demand(c *item, price float64) float64 {
	if e.high <= e.low || price >= e.slope {
		return e.low
	}
	return c.at(price, e.touch, e.high)
}

// gap reports by how much the envelope exceeds what is attainable at x.
func (e *envelope) gap(c *item, x float64) float64 {
	if x <= e.low || x >= e.touch {
		return 0
	}
	if x < e.entry {
		return max(e.value(c, x)-e.base, math.SmallestNonzeroFloat64)
	}
	return max(e.value(c, x)-c.f(x), 0)
}

// fill spends total over the envelopes so that the return is greatest (the conditions of Karush, Kuhn and Tucker): all
// channels have one marginal return, the price, but those at a bound. It bisects the price on a logarithmic scale with
// regula falsi between the halvings. hint is a price to begin from, 0 for none. At most one channel ends on the line of
// its envelope.
func fill(items []item, es []envelope, total, hint float64, x []float64) (price float64) {
	demand := func(price float64) float64 {
		demands(items, es, price, x)
		sum := 0.0
		for _, v := range x {
			sum += v
		}
		return sum - total
	}
	if hint <= 0 || math.IsInf(hint, 0) || math.IsNaN(hint) {
		hint = firstPrice(items, es, total)
	}
	low, high, over, under := bracketPrice(demand, hint)
	tolerance := 1e-15 * total
	if low > 0 && !math.IsInf(high, 1) {
		a, b := math.Log(low), math.Log(high)
		fa, fb, width, side := over, under, b-a, 0 // of regula falsi: halved where one end does not move (Illinois)
		for k := 0; over > tolerance && under < -tolerance && b-a > 2e-16*max(1, math.Abs(a)) && k < 400; k++ {
			mid := a + (b-a)*fa/(fa-fb)
			if k%3 == 2 {
				if b-a > 0.3*width {
					mid = a + (b-a)/2
				}
				width = b - a
			}
			if mid <= a || mid >= b {
				mid = a + (b-a)/2
			}
			if mid <= a || mid >= b {
				break
			}
			price := math.Exp(mid)
			if d := demand(price); d >= 0 {
				a, fa, over, low = mid, d, d, price
				if side > 0 {
					fb /= 2
				}
				side = 1
			} else {
				b, fb, under, high = mid, d, d, price
				if side < 0 {
					fa /= 2
				}
				side = -1
			}
		}
	}
	if over <= tolerance {
		demand(low)
		top(items, es, total, x)
		return low
	}
	demand(high)
	missing := total
	for i := range items {
		missing -= x[i]
	}
	for _, line := range []bool{false, true} { // what is missing goes to channels in order, lines last and one after the other
		for i := range items {
			e := &es[i]
			if onLine := e.touch > e.low && x[i] < e.touch; onLine != line || missing <= 0 {
				continue
			}
			more := min(missing, max(0, e.demand(&items[i], low)-x[i]))
			x[i] += more
			missing -= more
		}
	}
	top(items, es, total, x)
	return low
}

// demands fills x with what each envelope takes at a price. Many are shared between goroutines; each x is computed alone,
// so their number does not matter.
func demands(items []item, es []envelope, price float64, x []float64) {
	const few = 250
	workers := min(runtime.GOMAXPROCS(0), len(items)/few)
	if workers < 2 {
		for i := range items {
			x[i] = es[i].demand(&items[i], price)
		}
		return
	}
	var wg sync.WaitGroup
	var panicked atomic.Value
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer func() {
				if r := recover(); r != nil {
					panicked.CompareAndSwap(nil, fmt.Sprint(r))
				}
			}()
			for i := len(items) * w / workers; i < len(items)*(w+1)/workers; i++ {
				x[i] = es[i].demand(&items[i], price)
			}
		}()
	}
	wg.Wait()
	if r := panicked.Load(); r != nil {
		panic(r) // a curve of the caller's: on the caller's goroutine, where it can be recovered from
	}
}

// top makes rounding errors good, so that x adds up to total as nearly as float64 can say. The largest spends take them,
// whose marginal return they change least.
func top(items []item, es []envelope, total float64, x []float64) {
	for range 4 {
		missing, on := total, -1
		for i := range items {
			missing -= x[i]
		}
		if missing == 0 {
			return
		}
		for i := range items {
			e := &es[i]
			next := x[i] + missing
			if x[i] > max(e.low, e.touch) && next >= max(e.low, e.touch) && next <= e.high && (on < 0 || x[i] > x[on]) {
				on = i
			}
		}
		if on < 0 {
			return
		}
		x[on] += missing
	}
}

// firstPrice returns the mean marginal return of an even split.
func firstPrice(items []item, es []envelope, total float64) float64 {
	each := total / float64(len(items))
	sum, n := 0.0, 0.0
	for i := range items {
		if m := items[i].slope(max(es[i].low, min(each, es[i].high))); m > 0 && m <= math.MaxFloat64 {
			sum, n = sum+m, n+1
		}
	}
	if n == 0 {
		return 1
	}
	return sum / n
}

// bracketPrice returns two prices at which the demand is too high and too low. The low one may be 0.
func bracketPrice(demand func(float64) float64, hint float64) (low, high, over, under float64) {
	d := demand(hint)
	low, high, over, under = hint, hint, d, d
	for factor := 1.5; over < 0; factor *= factor {
		high, under = low, over
		if low /= factor; low < 1e-300 {
			low = 0
		}
		if over = demand(low); low == 0 {
			break
		}
	}
	for factor := 1.5; under > 0; factor *= factor {
		low, over = high, under
		if high *= factor; high > 1e300 {
			high = math.Inf(1)
		}
		if under = demand(high); math.IsInf(high, 1) {
			break
		}
	}
	return low, high, over, under
}

// root returns where f, which is positive at a and negative at b, changes its sign, by regula falsi in the variant of
// Illinois with bisection where that is slow.
func root(f func(float64) float64, a, b float64) float64 {
	fa, fb := f(a), f(b)
	if math.IsInf(fa, 1) {
		fa = math.MaxFloat64
	}
	if !(fa > 0) {
		return a
	}
	if !(fb < 0) {
		return b
	}
	width, side := b-a, 0
	for k := range 200 {
		x := (a*fb - b*fa) / (fb - fa)
		if k%3 == 2 {
			if b-a > 0.3*width {
				x = a + (b-a)/2
			}
			width = b - a
		}
		if !(x > a && x < b) {
			x = a + (b-a)/2
		}
		fx := f(x)
		switch {
		case fx == 0 || x <= a || x >= b || math.IsNaN(fx):
			return x
		case fx > 0:
			if a, fa = x, fx; side > 0 {
				fb /= 2
			}
			side = 1
		default:
			if b, fb = x, fx; side < 0 {
				fa /= 2
			}
			side = -1
		}
		if b-a <= 4e-16*max(math.Abs(a), math.Abs(b)) {
			break
		}
	}
	return a + (b-a)/2
}
