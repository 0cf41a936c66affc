package clv

import (
	"math"
	"sync/atomic"
)

// A sharer gives a model that answers the same questions faster of many customers, because it keeps what some of them
// have in common. Its answers have the same bits, and it is safe for concurrent use.
type sharer interface{ shared() Model }

// shared returns the model for many customers, m itself where there is none.
func shared(m Model) Model {
	if s, ok := m.(sharer); ok {
		return s.shared()
	}
	return m
}

// bgTables keep the coefficients of bgSeries of customers who are alive, by X.
type bgTables struct {
	r, a, b, first float64 // b is first more than that of BG/NBD
	tables         [bgMostShape + 1]atomic.Pointer[[][8]float64]
}

// blocks returns more than n blocks of the coefficients of X, which nobody modifies. Goroutines that meet in the making
// make the same.
func (t *bgTables) blocks(x, n int) [][8]float64 {
	at := &t.tables[x]
	if coef := at.Load(); coef != nil && n < len(*coef) {
		return *coef
	}
	coef := make([][8]float64, max(8, 2*n))
	s := newBGSeries(t.r+float64(x), t.a, t.b+float64(x)+t.first)
	for i := range coef {
		s.next(&coef[i])
	}
	at.Store(&coef)
	return coef
}

// expected is bgExpected of a customer with X.
func (t *bgTables) expected(x int, y float64) float64 {
	r := t.r + float64(x)
	if !(r <= bgMostShape && bgTerms(r, y) <= bgMostTerms) {
		return bgExpected(r, t.a, t.b+float64(x)+t.first, y)
	}
	p := newBGSum(y / (1 + y))
	for n := 0; n < bgMostBlocks; {
		coef := t.blocks(x, n)
		blocks, done := p.add(coef[n:min(len(coef), bgMostBlocks)])
		if done {
			break
		}
		n += blocks
	}
	return p.sum * math.Exp(-r*math.Log1p(y))
}

// aliveWithin is that of a customer with X, who is f at the start.
func (t *bgTables) aliveWithin(x int, f BGNBD, horizon, delta float64) (purchases, discounted float64, ok bool) {
	if !f.fewTerms(horizon, delta) {
		return 0, 0, false
	}
	y := horizon / f.Alpha
	end := newBGSum(y / (1 + y))
	var coef [][8]float64
	n := 0
	for done := false; !done && n < bgFewBlocks; {
		var blocks int
		coef = t.blocks(x, n)
		blocks, done = end.add(coef[n:min(len(coef), bgFewBlocks)])
		n += blocks
	}
	purchases, discounted = f.discount(horizon, delta, end.sum, coef[:n])
	return purchases, discounted, true
}

// A sharedBGNBD is a BGNBD for many customers.
type sharedBGNBD struct {
	BGNBD
	tables *bgTables
}

func (m BGNBD) shared() Model { return sharedBGNBD{m, &bgTables{r: m.R, a: m.A, b: m.B}} }

func (m sharedBGNBD) ExpectedPurchases(h History, t float64) float64 {
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || !validTime(t) {
		return math.NaN()
	}
	return alive * m.tables.expected(h.X, t/(m.Alpha+h.T))
}

func (m sharedBGNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	if purchases, discounted, ok := m.tables.aliveWithin(h.X, m.after(h), horizon, delta); ok && !math.IsNaN(alive) {
		return alive * purchases, alive * discounted
	}
	purchases = m.ExpectedPurchases(h, horizon)
	return purchases, discountedPurchases(m, h, horizon, delta, purchases)
}

// A sharedMBGNBD is an MBGNBD for many customers.
type sharedMBGNBD struct {
	MBGNBD
	tables *bgTables
}

func (m MBGNBD) shared() Model { return sharedMBGNBD{m, &bgTables{r: m.R, a: m.A, b: m.B, first: 1}} }

func (m sharedMBGNBD) ExpectedPurchases(h History, t float64) float64 {
	alive := m.ProbAlive(h)
	if math.IsNaN(alive) || !validTime(t) {
		return math.NaN()
	}
	return alive * m.tables.expected(h.X, t/(m.Alpha+h.T))
}

func (m sharedMBGNBD) withinHorizon(h History, horizon, delta float64) (purchases, discounted float64) {
	alive := m.ProbAlive(h)
	if purchases, discounted, ok := m.tables.aliveWithin(h.X, m.after(h), horizon, delta); ok && !math.IsNaN(alive) {
		return alive * purchases, alive * discounted
	}
	purchases = m.ExpectedPurchases(h, horizon)
	return purchases, discountedPurchases(m, h, horizon, delta, purchases)
}
