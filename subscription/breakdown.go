package subscription

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Dimension is what MRR is broken down by.
type Dimension struct {
	name   string
	key    func(d *data, it *item) string
	cohort func(first time.Time) string
}

// Plans is the dimension of plans.
func Plans() Dimension {
	return Dimension{name: "plan", key: func(d *data, it *item) string { return d.plans[it.plan] }}
}

// Currencies is the dimension of the currencies of the prices; the amounts are in that of the results.
func Currencies() Dimension {
	return Dimension{name: "currency", key: func(d *data, it *item) string {
		if len(d.currencies) == 0 {
			return ""
		}
		return string(d.currencies[it.currency])
	}}
}

// Parents is the dimension of parent accounts; a customer without a parent is its own.
func Parents() Dimension {
	return Dimension{name: "parent", key: func(d *data, it *item) string { return d.parents[it.parent] }}
}

// Label is the dimension of one of the rows' Labels; rows without it are the group "".
func Label(label string) Dimension {
	return Dimension{name: label, key: func(_ *data, it *item) string {
		if it.more == nil {
			return ""
		}
		return it.more.labels[label]
	}}
}

// Customers is the dimension of any attribute of the customers, as [ledger.By] makes it.
func Customers(name string, key ledger.Key) Dimension {
	return Dimension{name: name, key: func(d *data, it *item) string { return key(d.customers[it.customer]) }}
}

// Cohorts is the dimension of the calendar month in which a customer first paid; nil means UTC. Who comes back stays in
// the first cohort.
func Cohorts(loc *time.Location) Dimension {
	if loc == nil {
		loc = time.UTC
	}
	return Dimension{name: "cohort", cohort: func(first time.Time) string { return first.In(loc).Format("2006-01") }}
}

// A Breakdown is MRR at a moment by groups, which add up to the total to the minor unit.
type Breakdown struct {
	At       time.Time      `json:"at"`
	By       string         `json:"by"`
	Policy   Policy         `json:"policy"`
	Currency money.Currency `json:"currency"`
	Total    money.Amount   `json:"total"`
	Groups   []Group        `json:"groups"` // in the order of their keys
}

// A Group is one group of a Breakdown.
type Group struct {
	Key       string       `json:"key"`
	MRR       money.Amount `json:"mrr"`
	Customers int64        `json:"customers"` // with MRR in this group; one customer may be in several
	Share     MoneyRate    `json:"share"`     // of the total
	ARPA      Mean         `json:"arpa"`
}

type groupSum struct {
	mrr       rational
	customers int64
	last      int32 // the customer counted last, plus 1
}

// By breaks the MRR at a moment down by a dimension. Errors are those of [Book.At].
func (b *Book) By(at time.Time, dim Dimension) (*Breakdown, error) {
	t, ok := moment(at)
	if !ok {
		return nil, fmt.Errorf("subscription: breakdown at %s: %w", showTime(at), errYear)
	}
	if dim.key == nil && dim.cohort == nil {
		return nil, fmt.Errorf("subscription: breakdown by the zero Dimension")
	}
	e, err := b.engine(t, t)
	if err != nil {
		return nil, err
	}
	var parts []map[string]*groupSum
	err = e.eachUnit(context.Background(), func() func(*walker, int, int) {
		groups := map[string]*groupSum{}
		parts = append(parts, groups)
		return func(w *walker, lo, hi int) { w.group(lo, hi, t, dim, groups) }
	})
	if err != nil {
		return nil, err
	}
	total := map[string]*groupSum{}
	for _, part := range parts {
		for k, g := range part {
			if total[k] == nil {
				total[k] = &groupSum{}
			}
			total[k].mrr = total[k].mrr.add(g.mrr)
			total[k].customers += g.customers
		}
	}
	return e.breakdown(at, dim.name, total)
}

// group adds the rows of a unit to their groups.
func (w *walker) group(lo, hi int, t int64, dim Dimension, groups map[string]*groupSum) {
	e := w.e
	for i := lo; i < hi; i++ {
		it := &e.data.items[i]
		if !e.lifetime(it).has(t) {
			continue
		}
		x := w.convertRow(e.worth(it, t).mrr, it, t)
		if x.sign() == 0 {
			continue
		}
		var key string
		if dim.cohort != nil {
			key = dim.cohort(clock(w.first()))
		} else {
			key = dim.key(e.data, it)
		}
		g := groups[key]
		if g == nil {
			g = &groupSum{}
			groups[key] = g
		}
		g.mrr = g.mrr.add(x)
		if g.last != it.customer+1 {
			g.last = it.customer + 1
			g.customers++
		}
	}
}

// first returns when the unit was first alive.
func (w *walker) first() int64 {
	for _, s := range w.steps {
		if s.alive {
			return s.t
		}
	}
	return open
}

func (e *engine) breakdown(at time.Time, name string, sums map[string]*groupSum) (*Breakdown, error) {
	keys := slices.Sorted(maps.Keys(sums))
	parts := make([]rational, len(keys))
	var total rational
	for i, k := range keys {
		parts[i] = sums[k].mrr
		total = total.add(parts[i])
	}
	out := &Breakdown{At: at, By: name, Policy: e.policy, Currency: e.scale.currency, Groups: make([]Group, len(keys))}
	whole := e.scale.units(total)
	units := e.scale.closeTo(whole, parts)
	var err error
	if out.Total, err = e.scale.amount(whole); err != nil {
		return nil, err
	}
	for i, k := range keys {
		if out.Groups[i], err = e.groupOf(k, units[i], sums[k], total); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (e *engine) groupOf(key string, units *big.Int, sum *groupSum, total rational) (Group, error) {
	g := Group{Key: key, Customers: sum.customers}
	var err error
	if g.MRR, err = e.scale.amount(units); err != nil {
		return g, err
	}
	if g.Share, err = e.moneyRate(sum.mrr, total); err != nil {
		return g, err
	}
	g.ARPA, err = e.mean(sum.mrr, sum.customers)
	return g, err
}

// String returns an aligned table of the groups and their total.
func (b *Breakdown) String() string {
	rows := [][]string{{b.By, "MRR", "customers", "share"}}
	for _, g := range b.Groups {
		rows = append(rows, []string{g.Key, plain(g.MRR), strconv.FormatInt(g.Customers, 10), g.Share.String()})
	}
	rows = append(rows, []string{"total", plain(b.Total), "", ""})
	return strings.TrimSpace("MRR in "+string(b.Currency)) + " at " + showTime(b.At) + b.Policy.title() + "\n" + table(rows)
}

// WriteCSV writes one record for each group, with a header.
func (b *Breakdown) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	records := [][]string{{b.By, "currency", "mrr", "customers", "share", "arpa"}}
	for _, g := range b.Groups {
		records = append(records, []string{g.Key, string(b.Currency), plain(g.MRR), strconv.FormatInt(g.Customers, 10), number(g.Share), meanText(g.ARPA)})
	}
	return c.WriteAll(records)
}
