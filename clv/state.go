package clv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A State is what a service keeps of one customer between orders: a few hundred bytes of JSON, in place of the log. The
// zero State has seen nothing. Scorer.Observe and Scorer.Advance return new States and never modify one.
type State struct {
	customer string
	tally    tally
	asOf     int64         // the tick up to which everything is known
	unit     time.Duration // of the Scorer that made it; 0 in the zero State
	grain    Granularity
}

// Customer returns the customer, empty for the zero State.
func (st State) Customer() string { return st.customer }

// Purchases returns the number of distinct purchases seen, the first included.
func (st State) Purchases() int { return st.tally.purchases }

// AsOf returns the time up to which the State knows everything: the day, as midnight in UTC, or the instant. It is the
// zero time for the zero State.
func (st State) AsOf() time.Time {
	if st.unit == 0 {
		return time.Time{}
	}
	return tickTime(st.grain, st.asOf)
}

var (
	errOtherCustomer = errors.New("of another customer than the state")
	errOtherScorer   = errors.New("the state was made with another unit of time or granularity")
	errNoPurchase    = errors.New("the state has seen no purchase")
)

// Observe returns the state after a transaction, by the rules of Summarize: a purchase of a day already counted adds to
// its spend, a refund reduces spend and is no purchase. After all of a customer's transactions, and Advance to the end,
// the state is the customer's History of Summarize to the last bit.
//
// Transactions may come late. A refund of any date is entered exactly, and so is a purchase on the day of the first or
// the last one, before the first, and between them as long as there are only two. (After one before the first, the sum of
// the logs of the gaps is right to its last digits only.) A State does not know the other days, so that a purchase
// between more than two is an error.
//
// Observe returns an error, and the state as it was, for a transaction without customer or of another one, without a time
// or with one out of range, in another currency than the Scorer's, for a late purchase that the state cannot take, and
// for a state of another unit or granularity.
func (s *Scorer) Observe(st State, tx ledger.Transaction) (State, error) {
	next, err := s.observe(st, tx)
	if err != nil {
		return st, fmt.Errorf("clv: observe: %w", err)
	}
	return next, nil
}

func (s *Scorer) observe(st State, tx ledger.Transaction) (State, error) {
	if tx.Customer == "" {
		return st, errNoID
	}
	if st.customer != "" && st.customer != tx.Customer {
		return st, fmt.Errorf("a transaction of customer %q: %w, %q", tx.Customer, errOtherCustomer, st.customer)
	}
	if c := tx.Amount.Currency(); c != "" && c != s.currency {
		return st, fmt.Errorf("customer %q: %v: %w", tx.Customer, tx.Amount, &money.CurrencyMismatchError{A: s.currency, B: c})
	}
	tick, err := s.tick(tx.At)
	if err != nil {
		return st, fmt.Errorf("customer %q: time %s: %w", tx.Customer, tx.At.Format(time.RFC3339), err)
	}
	if st.unit == 0 {
		st = State{customer: tx.Customer, asOf: tick, unit: s.unit, grain: s.grain}
	} else if err := s.fits(st); err != nil {
		return st, err
	}
	st.tally.early = slices.Clone(st.tally.early)
	if tx.Amount.Sign() < 0 {
		err = st.tally.refund(tick, tx.Amount)
	} else {
		err = st.tally.purchase(s.grain, tick, tx.Amount, s.unit)
	}
	if err != nil {
		return st, fmt.Errorf("customer %q: %v at %s: %w", tx.Customer, tx.Amount, tx.At.Format(time.RFC3339), err)
	}
	st.asOf = max(st.asOf, tick)
	return st, nil
}

func (s *Scorer) tick(t time.Time) (int64, error) {
	c := clock{grain: s.grain, loc: s.loc}
	return c.tick(t)
}

func (s *Scorer) fits(st State) error {
	if st.unit != s.unit || st.grain != s.grain {
		return fmt.Errorf("customer %q: %w: %v by %v, the scorer has %v by %v", st.customer, errOtherScorer,
			st.unit, st.grain, s.unit, s.grain)
	}
	return nil
}

// Advance returns the state at a later time without a purchase: silence lowers P(alive). Time does not run backwards: if
// now is not after the state's AsOf, or is the zero time or out of range, the state is returned as it is, and so is the
// zero State. A late order that is observed afterwards counts as if it had been known.
func (s *Scorer) Advance(st State, now time.Time) State {
	tick, err := s.tick(now)
	if err != nil || st.unit == 0 || s.fits(st) != nil {
		return st
	}
	st.asOf = max(st.asOf, tick)
	return st
}

// History returns the customer as the models see it at the state's AsOf. It returns an error if the state has seen no
// purchase or was made with another unit or granularity.
func (s *Scorer) History(st State) (History, error) {
	if st.tally.purchases == 0 {
		return History{}, fmt.Errorf("clv: customer %q: %w", st.customer, errNoPurchase)
	}
	if err := s.fits(st); err != nil {
		return History{}, fmt.Errorf("clv: %w", err)
	}
	zero, err := money.FromMinor(0, s.currency)
	if err != nil {
		return History{}, fmt.Errorf("clv: customer %q: %w", st.customer, err)
	}
	h, err := st.tally.history(s.grain, st.customer, st.asOf, s.unit, zero)
	if err != nil {
		return History{}, fmt.Errorf("clv: customer %q: %w", st.customer, err)
	}
	return h, nil
}

// Score returns what the customer is worth at the state's AsOf: Advance it to now first. It returns the errors of
// History, and one that wraps ErrInfinite if the value is infinite.
func (s *Scorer) Score(st State) (Score, error) {
	h, err := s.History(st)
	if err != nil {
		return Score{Customer: st.customer}, err
	}
	v, err := s.score(h)
	if err != nil {
		return Score{Customer: st.customer}, fmt.Errorf("clv: customer %q: %w", st.customer, err)
	}
	return v, nil
}

// States returns the states of all customers of a Partial, sorted by Customer: what Observe would have made of their
// transactions, advanced to the Partial's last row. A service starts with them and goes on with Observe.
//
// The stream ends with an error if the Partial's granularity or location is not the Scorer's, or its currency another.
func (s *Scorer) States(p *Partial) iter.Seq2[State, error] {
	return func(yield func(State, error) bool) {
		keys, err := s.statesOf(p)
		if err != nil {
			yield(State{}, fmt.Errorf("clv: states: %w", err))
			return
		}
		for _, k := range keys {
			t := p.tables[k.table]
			st := State{customer: t.id(int(k.index)), unit: s.unit, grain: s.grain, asOf: p.last}
			st.tally = t.record(int(k.index)).tally(s.grain, s.unit)
			if !yield(st, nil) {
				return
			}
		}
	}
}

func (s *Scorer) statesOf(p *Partial) ([]sortKey, error) {
	if p == nil {
		return nil, errors.New("no summary")
	}
	p.ready()
	if p.o.Granularity != s.grain {
		return nil, fmt.Errorf("the summary is by %v, the scorer by %v", p.o.Granularity, s.grain)
	}
	if a, b := locationName(p.o.Location), locationName(s.loc); s.grain == ByDay && a != b {
		return nil, fmt.Errorf("the summary has the days of %s, the scorer those of %s", a, b)
	}
	if c := p.zero.Currency(); c != "" && c != s.currency {
		return nil, &money.CurrencyMismatchError{A: s.currency, B: c}
	}
	return p.byCustomer(context.Background(), 1)
}

// tally returns the account without the purchase times between the first and the last.
func (r record) tally(g Granularity, unit time.Duration) tally {
	y := tally{purchases: len(r.days), firstSpend: r.first, restSpend: r.rest, early: slices.Clone(r.early)}
	if len(r.days) == 0 {
		return y
	}
	y.first, y.last = r.days[0], r.days[len(r.days)-1]
	for i := 1; i < len(r.days); i++ {
		y.logGaps += math.Log(elapsed(g, r.days[i-1], r.days[i], unit))
	}
	return y
}

const stateSchema = "custval/state/v1"

type stateJSON struct {
	Schema      string        `json:"schema"`
	Customer    string        `json:"customer"`
	Unit        string        `json:"unit"`
	AsOf        string        `json:"as_of"` // a date, or a time in UTC where instants count
	Purchases   int           `json:"purchases"`
	First       string        `json:"first,omitempty"`
	Last        string        `json:"last,omitempty"`
	LogGaps     float64       `json:"log_gaps,omitempty"`
	FirstSpend  *money.Amount `json:"first_spend,omitempty"`
	RepeatSpend *money.Amount `json:"repeat_spend,omitempty"`
	Early       []earlyJSON   `json:"early_refunds,omitempty"`
}

type earlyJSON struct {
	At     string       `json:"at"`
	Amount money.Amount `json:"amount"`
}

// MarshalJSON writes the state under the schema "custval/state/v1".
func (st State) MarshalJSON() ([]byte, error) {
	if st.unit == 0 {
		return json.Marshal(stateJSON{Schema: stateSchema})
	}
	y := &st.tally
	j := stateJSON{Schema: stateSchema, Customer: st.customer, Unit: st.unit.String(), AsOf: tickText(st.grain, st.asOf),
		Purchases: y.purchases}
	if y.purchases > 0 {
		j.First, j.Last, j.LogGaps = tickText(st.grain, y.first), tickText(st.grain, y.last), y.logGaps
		j.FirstSpend, j.RepeatSpend = &y.firstSpend, &y.restSpend
	}
	for _, d := range y.early {
		j.Early = append(j.Early, earlyJSON{tickText(st.grain, d.tick), d.amount})
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote. It returns an error for another schema, an unknown field, and values that
// no sequence of transactions leads to.
func (st *State) UnmarshalJSON(text []byte) error {
	var j stateJSON
	if err := strictJSON(text, &j); err != nil {
		return fmt.Errorf("clv: state: %w", err)
	}
	if j.Schema != stateSchema {
		return fmt.Errorf("clv: state: the text is a %q, want %q", j.Schema, stateSchema)
	}
	out, err := j.state()
	if err != nil {
		return fmt.Errorf("clv: state of customer %q: %w", j.Customer, err)
	}
	*st = out
	return nil
}

// state turns the JSON form into a state and checks it.
func (j *stateJSON) state() (State, error) {
	if j.Unit == "" && j.Customer == "" {
		if j.AsOf != "" || j.Purchases != 0 || j.First != "" || j.Last != "" || j.LogGaps != 0 || j.FirstSpend != nil || j.RepeatSpend != nil || j.Early != nil {
			return State{}, errors.New("values without a customer")
		}
		return State{}, nil
	}
	if j.Customer == "" {
		return State{}, errNoID
	}
	unit, err := time.ParseDuration(j.Unit)
	if err != nil || unit <= 0 {
		return State{}, fmt.Errorf("unit %q: want a positive duration such as 168h0m0s", j.Unit)
	}
	st := State{customer: j.Customer, unit: unit}
	if len(j.AsOf) > len(time.DateOnly) {
		st.grain = ByInstant
	}
	if st.asOf, err = parseTick(st.grain, j.AsOf); err != nil {
		return State{}, fmt.Errorf("as_of: %w", err)
	}
	if err := st.tally.fill(j, st.grain); err != nil {
		return State{}, err
	}
	return st, st.validate()
}

func (y *tally) fill(j *stateJSON, g Granularity) (err error) {
	y.purchases, y.logGaps = j.Purchases, j.LogGaps
	if j.FirstSpend != nil {
		y.firstSpend = *j.FirstSpend
	}
	if j.RepeatSpend != nil {
		y.restSpend = *j.RepeatSpend
	}
	for _, e := range j.Early {
		tick, err := parseTick(g, e.At)
		if err != nil {
			return fmt.Errorf("early_refunds: %w", err)
		}
		y.early = append(y.early, dated{tick, e.Amount})
	}
	if j.Purchases == 0 {
		if j.First != "" || j.Last != "" || j.FirstSpend != nil || j.RepeatSpend != nil {
			return errors.New("first, last or spend without purchases")
		}
		return nil
	}
	if y.first, err = parseTick(g, j.First); err != nil {
		return fmt.Errorf("first: %w", err)
	}
	if y.last, err = parseTick(g, j.Last); err != nil {
		return fmt.Errorf("last: %w", err)
	}
	return nil
}

// validate returns an error for values that no sequence of transactions leads to.
func (st *State) validate() error {
	y := &st.tally
	var sum money.Sum
	sum.Add(y.firstSpend)
	sum.Add(y.restSpend)
	for i, d := range y.early {
		sum.Add(d.amount)
		switch {
		case d.amount.Sign() >= 0:
			return fmt.Errorf("early refund %v: not negative", d.amount)
		case d.tick > st.asOf:
			return errors.New("an early refund after as_of")
		case y.purchases > 0 && d.tick >= y.first:
			return errors.New("an early refund that is not before the first purchase")
		case i > 0 && d.tick <= y.early[i-1].tick:
			return errors.New("early refunds out of order")
		}
	}
	if _, err := sum.Total(); err != nil {
		return err
	}
	switch {
	case y.purchases < 0:
		return fmt.Errorf("%d purchases", y.purchases)
	case !finite(y.logGaps):
		return fmt.Errorf("log_gaps %v: %w", y.logGaps, errNotFinite)
	case y.purchases < 2 && (y.logGaps != 0 || y.first != y.last):
		return fmt.Errorf("%d purchases with log_gaps or with a last one later than the first", y.purchases)
	case y.purchases > 0 && y.last > st.asOf:
		return errors.New("last after as_of")
	case y.purchases > 0 && y.last < y.first:
		return errors.New("last before first")
	case y.purchases > 0 && uint64(y.purchases-1) > uint64(y.last)-uint64(y.first):
		return fmt.Errorf("%d purchases in too short a time between first and last", y.purchases)
	case y.purchases == 0 && len(y.early) == 0:
		return errors.New("neither purchases nor refunds")
	}
	return nil
}

// tickText writes a tick as a date, or as a time in UTC.
func tickText(g Granularity, tick int64) string {
	if g == ByDay {
		return tickTime(g, tick).Format(time.DateOnly)
	}
	return tickTime(g, tick).Format(time.RFC3339Nano)
}

// parseTick reads what tickText writes.
func parseTick(g Granularity, text string) (int64, error) {
	layout := time.DateOnly
	if g == ByInstant {
		layout = time.RFC3339Nano
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return 0, fmt.Errorf("%q: want the form %s", text, layout)
	}
	c := clock{grain: g, loc: time.UTC}
	if t.IsZero() && g == ByDay { // a date is never missing here
		return t.Unix() / secondsPerDay, nil
	}
	return c.tick(t)
}

// strictJSON decodes one JSON value and refuses unknown fields and anything after it.
func strictJSON(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
