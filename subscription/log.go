package subscription

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Movement is one movement of one unit of the policy's grain. The fields that name the unit are empty where the grain
// is coarser: at the customer's grain there is no Subscription.
type Movement struct {
	At           time.Time     `json:"at"` // in period-net mode that of the last change
	Period       ledger.Period `json:"period"`
	Parent       string        `json:"parent,omitempty"`
	Customer     string        `json:"customer,omitempty"`
	Subscription string        `json:"subscription,omitempty"`
	Item         string        `json:"item,omitempty"`
	Kind         MovementKind  `json:"kind"`

	// Change is signed. It is the difference of rounded balances, so a unit's changes add up to its rounded MRR; sums over
	// many units differ from a RollForward's lines by the rounding of each, unless the policy rounds items.
	Change money.Amount `json:"change"`
	After  money.Amount `json:"after"` // the balance after it

	DiscountExpiry bool          `json:"discount_expiry,omitempty"` // an expansion that an ended discount makes, in part or whole
	Gap            time.Duration `json:"gap_ns,omitempty"`          // of a reactivation: how long the unit was away
	Reason         Reason        `json:"reason"`                    // of churn
	Code           string        `json:"code,omitempty"`
}

// A MovementLog is the movements of all units in the order of time, and of the units' names at the same moment.
type MovementLog struct {
	Policy    Policy     `json:"policy"`
	Movements []Movement `json:"movements"`
}

// Log returns the movements of every unit within the periods, which must not overlap, in the order of time and of the
// units' names. Under rates that change, each unit has a movement FX at the end of a period for what its other movements
// do not explain. A unit's balance at the first opening plus its changes is its balance at the last closing, to the
// minor unit, where periods adjoin.
//
// Errors are those of [Book.RollForward].
func (b *Book) Log(ctx context.Context, periods []ledger.Period) (*MovementLog, error) {
	cuts, err := spans(periods)
	if err != nil {
		return nil, err
	}
	if len(cuts) == 0 {
		return &MovementLog{Policy: b.policy}, nil
	}
	if len(layers(cuts)) > 1 {
		return nil, fmt.Errorf("subscription: log: the periods overlap")
	}
	order := layers(cuts)[0]
	sorted, named := make([]span, len(order)), make([]ledger.Period, len(order))
	for i, k := range order {
		sorted[i], named[i] = cuts[k], periods[k]
	}
	e, err := b.engine(sorted[0].from, sorted[len(sorted)-1].to)
	if err != nil {
		return nil, err
	}
	var parts []*logger
	err = e.eachUnit(ctx, func() func(*walker, int, int) {
		l := &logger{e: e, cuts: sorted, periods: named}
		parts = append(parts, l)
		return l.unit
	})
	if err != nil {
		return nil, err
	}
	all, err := inOrder(parts)
	if err != nil {
		return nil, err
	}
	return &MovementLog{Policy: b.policy, Movements: all}, nil
}

// place is where a movement is, with what it is sorted by: rows are in the order of the units' names.
type place struct {
	at   int64
	row  int
	part int
	n    int
}

// inOrder puts the movements of all workers in the order of time and of names; those of one unit and moment stay in
// theirs. Movements are large, so each is moved once.
func inOrder(parts []*logger) ([]Movement, error) {
	var places []place
	for i, p := range parts {
		if p.err != nil {
			return nil, p.err
		}
		for n := range p.out {
			places = append(places, place{p.out[n].At.UnixNano(), p.rows[n], i, n})
		}
	}
	slices.SortFunc(places, func(x, y place) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.row, y.row), cmp.Compare(x.n, y.n))
	})
	all := make([]Movement, len(places))
	for i, p := range places {
		all[i] = parts[p.part].out[p.n]
	}
	return all, nil
}

// logger writes down the movements of one worker's units.
type logger struct {
	e       *engine
	cuts    []span
	periods []ledger.Period
	out     []Movement
	rows    []int // the first row of the unit of each
	err     error

	unitRow int
	exact   rational // the balance so far, as the movements explain it
	rounded *big.Int
}

func (l *logger) unit(w *walker, lo, _ int) {
	l.unitRow = lo
	if len(w.steps) == 0 {
		return
	}
	if l.e.constant() {
		w.unitPeriods(l.cuts, func(v visit) { l.visit(w, v) }, func(int, int, int) {})
		return
	}
	for k, cut := range l.cuts {
		before, after := w.stepAt(cut.from-1), w.stepAt(cut.to-1)
		ever := false
		for i := 0; i <= before; i++ {
			ever = ever || w.steps[i].alive
		}
		if after >= 0 {
			l.visit(w, visit{k, before, after, ever})
		}
	}
}

// visit writes down one period of the unit.
func (l *logger) visit(w *walker, v visit) {
	cut := l.cuts[v.period]
	l.exact = w.value(v.before, cut.from)
	l.rounded = l.e.scale.units(l.exact)
	if v.after > v.before {
		w.moves(v, cut.from, func(m *move) { l.add(w, m) })
	}
	if fx := w.value(v.after, cut.to).sub(l.exact); fx.sign() != 0 && !l.e.constant() {
		l.write(Movement{At: l.periods[v.period].End, Period: l.periods[v.period], Kind: FX}, fx)
	}
}

func (l *logger) add(w *walker, m *move) {
	change := m.amount
	if m.kind == Contraction || m.kind == Churn {
		change = change.neg()
	}
	p := l.periods[m.period]
	l.write(Movement{
		At: clock(w.steps[m.after].t).In(p.Start.Location()), Period: p, Kind: m.kind, DiscountExpiry: m.expiry.sign() > 0,
		Gap: time.Duration(m.gap), Reason: m.reason, Code: l.e.data.codes[m.code],
	}, change)
}

func (l *logger) write(m Movement, change rational) {
	l.exact = l.exact.add(change)
	after := l.e.scale.units(l.exact)
	step := new(big.Int).Sub(after, l.rounded)
	l.rounded = after
	var err1, err2 error
	m.Change, err1 = l.e.scale.amount(step)
	m.After, err2 = l.e.scale.amount(after)
	if l.err == nil {
		l.err = cmp.Or(err1, err2)
	}
	if m.Kind != Churn {
		m.Code = ""
	}
	m.Customer, m.Subscription, m.Item, m.Parent = l.e.unit(l.unitRow)
	l.out, l.rows = append(l.out, m), append(l.rows, l.unitRow)
}

// String returns an aligned table.
func (l *MovementLog) String() string {
	rows := [][]string{{"at", "customer", "kind", "change", "after", "reason"}}
	for _, m := range l.Movements {
		who := m.Customer
		if who == "" {
			who = m.Parent
		}
		for _, part := range []string{m.Subscription, m.Item} {
			if part != "" {
				who += "/" + part
			}
		}
		reason := ""
		if m.Kind == Churn {
			reason = m.Reason.String()
		}
		rows = append(rows, []string{m.At.Format("2006-01-02 15:04"), who, m.Kind.String(), plain(m.Change), plain(m.After), reason})
	}
	return table(rows)
}

// WriteCSV writes one record for each movement, with a header.
func (l *MovementLog) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"at", "period_start", "period_end", "parent", "customer", "subscription", "item", "kind", "change", "after",
		"currency", "discount_expiry", "gap_seconds", "reason", "code"}); err != nil {
		return err
	}
	for _, m := range l.Movements {
		if err := c.Write([]string{m.At.Format(time.RFC3339), m.Period.Start.Format(time.RFC3339), m.Period.End.Format(time.RFC3339),
			m.Parent, m.Customer, m.Subscription, m.Item, m.Kind.String(), plain(m.Change), plain(m.After), string(m.After.Currency()),
			strconv.FormatBool(m.DiscountExpiry), strconv.FormatInt(int64(m.Gap/time.Second), 10), m.Reason.String(), m.Code}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}
