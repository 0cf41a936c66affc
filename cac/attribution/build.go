package attribution

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Repeat says which touches a customer's second and later conversions can claim.
type Repeat string

// The rules.
const (
	SinceLast Repeat = "since_last" // those after the conversion before; the default
	Reuse     Repeat = "reuse"      // all within the lookback window, also those that an earlier conversion has claimed
	FirstOnly Repeat = "first_only" // only the first conversion counts, as where customers are won; what follows is left out
)

// Open says what becomes of touches at the end of observation that may lead to a conversion yet.
type Open string

// The rules.
const (
	OpenIsNull    Open = "null"           // they are a journey that did not convert; the default
	OpenIsDropped Open = "left_out"       // they are left out if the last of them is within the lookback window of the end
	NullsLeftOut  Open = "nulls_left_out" // all journeys that did not convert are left out
)

// BuildOptions says how [Build] makes journeys of records. The zero value, and nil, are the defaults.
type BuildOptions struct {
	// Direct is the name of the channel of customers who came by themselves, empty if there is none.
	Direct string

	// DirectIfNone makes a conversion without touches a journey of one direct touch. Without it such conversions are
	// counted in [Report.Unattributed] and belong to no journey.
	DirectIfNone bool

	// Lookback is how long before its conversion a touch counts, the limit included; 0 means without limit. Touches that
	// no conversion claims are journeys that did not convert, cut where the gap between two touches is longer than this.
	Lookback time.Duration

	// Session merges touches of a customer that follow each other in less than this time into one, at the time of the
	// first, if they are of one channel (as By names it); a direct touch joins whatever session is running. 0 means that every
	// touch counts.
	Session time.Duration

	Repeat Repeat // empty means SinceLast
	Open   Open   // empty means OpenIsNull

	// By gives the channel of a touch-point; nil means Touchpoint.Channel. By campaign, say:
	// func(t Touchpoint) string { return t.Channel + "/" + t.Campaign }
	By func(Touchpoint) string

	// Milestones are events of the customers, of which those named Lead and Opportunity count; nil means none. The first
	// of each between the conversion before and the conversion marks the last touch at or before it.
	Milestones  iter.Seq2[ledger.Event, error]
	Lead        string // name of the event; empty means "lead"
	Opportunity string // name of the event; empty means "opportunity"
}

// A Report is what [Build] made of the records.
type Report struct {
	Customers           int          `json:"customers"`             // with a touch-point or a conversion
	Touchpoints         int64        `json:"touchpoints"`           // read
	TouchpointsAfterEnd int64        `json:"touchpoints_after_end"` // of them, those after the end of observation, left out
	TouchpointsLeftOut  int64        `json:"touchpoints_left_out"`  // after the first conversion under FirstOnly
	MergedBySession     int64        `json:"merged_by_session"`     // touches that joined the one before
	Conversions         int64        `json:"conversions"`           // read
	ConversionsAfterEnd int64        `json:"conversions_after_end"` // of them, those after the end of observation, left out
	ConversionsLeftOut  int64        `json:"conversions_left_out"`  // later ones under FirstOnly
	Unattributed        int64        `json:"unattributed"`          // conversions without a touch to give credit to, left out
	UnattributedValue   money.Amount `json:"unattributed_value"`    // their value
	OpenLeftOut         int64        `json:"open_left_out"`         // journeys without conversion that Open left out
}

func (o *BuildOptions) defaults() (BuildOptions, error) {
	var d BuildOptions
	if o != nil {
		d = *o
	}
	d.Repeat = cmp.Or(d.Repeat, SinceLast)
	d.Open = cmp.Or(d.Open, OpenIsNull)
	d.Lead = cmp.Or(d.Lead, "lead")
	d.Opportunity = cmp.Or(d.Opportunity, "opportunity")
	if d.By == nil {
		d.By = func(t Touchpoint) string { return t.Channel }
	}
	switch {
	case d.Lookback < 0:
		return d, fail("lookback %v: negative", d.Lookback)
	case d.Session < 0:
		return d, fail("session %v: negative", d.Session)
	case d.Repeat != SinceLast && d.Repeat != Reuse && d.Repeat != FirstOnly:
		return d, fail("repeat %q: not a rule", d.Repeat)
	case d.Open != OpenIsNull && d.Open != OpenIsDropped && d.Open != NullsLeftOut:
		return d, fail("open %q: not a rule", d.Open)
	case d.Open == OpenIsDropped && d.Lookback == 0:
		return d, fail("open %q: needs a lookback", d.Open)
	case d.DirectIfNone && d.Direct == "":
		return d, fail("direct if none: %w", ErrNoDirect)
	case d.Lead == d.Opportunity:
		return d, fail("lead and opportunity: both are %q", d.Lead)
	}
	return d, nil
}

// Build makes journeys of touch-points and conversions up to the end of observation, which is included. Records come in
// any order; touches of a customer at the same moment stay in the order of the input, and a touch at the moment of a
// conversion comes before it. Conversions of one customer at the same moment are one journey that counts them all.
//
// Touches that lead to no conversion are journeys that did not convert, which the Markov model needs: without them every
// channel looks perfect. Build needs 32 bytes a touch-point and 80 a conversion beside the paths.
//
// Build returns an error if the end is the zero time, an option is out of range or there are no journeys, and stops at the
// first error of a stream: a *[ledger.RowError] for a record that is not valid or of another currency than those before.
func Build(ctx context.Context, touches iter.Seq2[Touchpoint, error], conversions iter.Seq2[Conversion, error], end time.Time, o *BuildOptions) (*Journeys, error) {
	options, err := o.defaults()
	if err != nil {
		return nil, err
	}
	if end.IsZero() {
		return nil, fail("end of observation: no time")
	}
	b := &builder{o: options, c: newCollector(), end: end.UnixNano(), ids: map[string]int32{}, direct: -1}
	if end.Year() < 1900 || end.Year() > 2190 {
		return nil, fail("end of observation %s: not in the years 1900 to 2190", end.Format(time.RFC3339))
	}
	b.c.declared = options.Direct
	if options.Direct != "" {
		b.direct = b.c.intern(options.Direct)
	}
	if err := b.read(ctx, touches, conversions); err != nil {
		return nil, err
	}
	if err := b.build(ctx); err != nil {
		return nil, err
	}
	b.report.Customers = len(b.ids)
	b.c.report = b.report
	return b.c.finish(ctx)
}

// A builder gathers the records of all customers.
type builder struct {
	o       BuildOptions
	c       *collector
	end     int64
	direct  int32
	ids     map[string]int32
	touches []touch
	wins    []win
	marks   []mark
	report  Report
	total   money.Amount // of all conversions
	session []touch      // of the customer at hand
	used    []bool       // beside them: claimed by a conversion
	ages    []time.Duration
}

type touch struct {
	customer, channel int32
	at                int64
}

type win struct {
	customer int32
	at       int64
	value    money.Amount
}

type mark struct {
	customer    int32
	opportunity bool
	at          int64
}

func (b *builder) customer(id string) int32 {
	n, ok := b.ids[id]
	if !ok {
		n = int32(len(b.ids))
		b.ids[strings.Clone(id)] = n
	}
	return n
}

// read takes in the streams.
func (b *builder) read(ctx context.Context, touches iter.Seq2[Touchpoint, error], conversions iter.Seq2[Conversion, error]) error {
	err := each(ctx, touches, func(t Touchpoint) error {
		if err := t.Validate(); err != nil {
			return err
		}
		b.report.Touchpoints++
		name := b.o.By(t)
		if name == "" {
			return bad("channel", t.Channel, "By gives it no name")
		}
		at := t.At.UnixNano()
		id := b.customer(t.Customer)
		if at > b.end {
			b.report.TouchpointsAfterEnd++
			return nil
		}
		b.touches = append(b.touches, touch{customer: id, channel: b.c.intern(name), at: at})
		return nil
	})
	if err != nil {
		return err
	}
	err = each(ctx, conversions, func(c Conversion) error {
		if err := c.Validate(); err != nil {
			return err
		}
		b.report.Conversions++
		total, err := b.total.Add(c.Value)
		if err != nil {
			return &ledger.RowError{Field: "value", Value: c.Value.String(), Err: err}
		}
		b.total = total
		id, at := b.customer(c.Customer), c.At.UnixNano()
		if at > b.end {
			b.report.ConversionsAfterEnd++
			return nil
		}
		b.wins = append(b.wins, win{customer: id, at: at, value: c.Value})
		return nil
	})
	if err != nil || b.o.Milestones == nil {
		return err
	}
	return each(ctx, b.o.Milestones, func(e ledger.Event) error {
		if e.Name != b.o.Lead && e.Name != b.o.Opportunity {
			return nil
		}
		if err := validateEvent(e.Customer, e.At); err != nil {
			return err
		}
		if id, ok := b.ids[e.Customer]; ok {
			b.marks = append(b.marks, mark{customer: id, opportunity: e.Name == b.o.Opportunity, at: e.At.UnixNano()})
		}
		return nil
	})
}

// each passes the rows of a stream to f and numbers its errors.
func each[T any](ctx context.Context, seq iter.Seq2[T, error], f func(T) error) error {
	row := 0
	for t, err := range seq {
		row++
		if err != nil {
			return fail("%w", err)
		}
		if row%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := f(t); err != nil {
			return atRow(row, err)
		}
	}
	return ctx.Err()
}

// byCustomer puts records in the order of customers, and within one in the order of time, keeping the order of the input
// where that is the same. It returns where each customer begins.
func byCustomer[T any](ctx context.Context, s []T, customers int, customer func(T) int32, at func(T) int64) ([]T, []int, error) {
	begin := make([]int, customers+1)
	for i := range s {
		begin[customer(s[i])+1]++
	}
	for i := range customers {
		begin[i+1] += begin[i]
	}
	out := make([]T, len(s))
	next := slices.Clone(begin)
	for i := range s {
		c := customer(s[i])
		out[next[c]] = s[i]
		next[c]++
	}
	earlier := func(a, b T) int { return cmp.Compare(at(a), at(b)) }
	for i := range customers {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if part := out[begin[i]:begin[i+1]]; !slices.IsSortedFunc(part, earlier) {
			slices.SortStableFunc(part, earlier)
		}
	}
	return out, begin, nil
}

func (b *builder) build(ctx context.Context) error {
	n := len(b.ids)
	touches, touchesOf, err := byCustomer(ctx, b.touches, n, func(t touch) int32 { return t.customer }, func(t touch) int64 { return t.at })
	if err != nil {
		return err
	}
	b.touches = nil
	wins, winsOf, err := byCustomer(ctx, b.wins, n, func(w win) int32 { return w.customer }, func(w win) int64 { return w.at })
	if err != nil {
		return err
	}
	marks, marksOf, err := byCustomer(ctx, b.marks, n, func(m mark) int32 { return m.customer }, func(m mark) int64 { return m.at })
	if err != nil {
		return err
	}
	for i := range n {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		b.sessions(touches[touchesOf[i]:touchesOf[i+1]])
		if err := b.journeys(ctx, wins[winsOf[i]:winsOf[i+1]], marks[marksOf[i]:marksOf[i+1]]); err != nil {
			return err
		}
	}
	return nil
}

// sessions merges the touches of one customer.
func (b *builder) sessions(touches []touch) {
	b.session = b.session[:0]
	last := int64(0)
	for i, t := range touches {
		if n := len(b.session); b.o.Session > 0 && i > 0 && t.at-last < int64(b.o.Session) &&
			(t.channel == b.session[n-1].channel || t.channel == b.direct) {
			b.report.MergedBySession++
		} else {
			b.session = append(b.session, t)
		}
		last = t.at
	}
	b.used = slices.Grow(b.used[:0], len(b.session))[:len(b.session)]
	clear(b.used)
}

// journeys makes the journeys of one customer of its sessions.
func (b *builder) journeys(ctx context.Context, wins []win, marks []mark) error {
	from := 0 // the first touch after the conversion before
	before := int64(-1 << 63)
	for i := 0; i < len(wins); {
		at := wins[i].at
		to := i
		for to < len(wins) && wins[to].at == at && (to == i || b.o.Repeat != FirstOnly) {
			to++
		}
		until := from + sort.Search(len(b.session)-from, func(k int) bool { return b.session[from+k].at > at })
		begin := from
		if b.o.Repeat == Reuse {
			begin = 0
			before = -1 << 63
		}
		if b.o.Lookback > 0 {
			begin += sort.Search(until-begin, func(k int) bool { return at-b.session[begin+k].at <= int64(b.o.Lookback) })
		}
		if err := b.convert(begin, until, wins[i:to], before, marks); err != nil {
			return err
		}
		if b.o.Repeat == FirstOnly {
			b.report.ConversionsLeftOut += int64(len(wins) - to)
			b.report.TouchpointsLeftOut += int64(len(b.session) - until)
			return b.nulls(0, until, false)
		}
		if b.o.Repeat == SinceLast {
			if err := b.nulls(from, until, false); err != nil {
				return err
			}
		}
		from, before, i = until, at, to
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if b.o.Repeat != Reuse {
		return b.nulls(from, len(b.session), true)
	}
	begin := 0
	for i := range wins { // what no conversion has claimed, between conversions
		until := sort.Search(len(b.session), func(k int) bool { return b.session[k].at > wins[i].at })
		if err := b.nulls(begin, until, false); err != nil {
			return err
		}
		begin = max(begin, until)
	}
	return b.nulls(begin, len(b.session), true)
}

// convert adds the journey of sessions begin to until-1 to its conversions.
func (b *builder) convert(begin, until int, wins []win, before int64, marks []mark) error {
	at := wins[0].at
	var sum money.Sum
	for _, w := range wins {
		sum.Add(w.value)
	}
	value, err := sum.Total()
	if err != nil {
		return fail("%w", err)
	}
	b.ages = b.ages[:0]
	if begin == until && b.o.DirectIfNone {
		b.c.begin(0, 0)
		b.c.touch(b.direct)
		b.ages = append(b.ages, 0)
	} else if begin == until {
		b.report.Unattributed += int64(len(wins))
		if b.report.UnattributedValue, err = b.report.UnattributedValue.Add(value); err != nil {
			return fail("%w", err)
		}
		return nil
	} else {
		b.c.begin(b.milestone(begin, until, before, at, marks, false), b.milestone(begin, until, before, at, marks, true))
		for k := begin; k < until; k++ {
			b.c.touch(b.session[k].channel)
			b.ages = append(b.ages, time.Duration(at-b.session[k].at))
			b.used[k] = true
		}
	}
	if err := b.c.end(b.ages, int64(len(wins)), 0, value); err != nil {
		return fail("%w", err)
	}
	return nil
}

// milestone returns the number of the touch that the first event of its kind after before and up to at marks, counted
// from 1; 0 if there is none.
func (b *builder) milestone(begin, until int, before, at int64, marks []mark, opportunity bool) int {
	for _, m := range marks {
		if m.opportunity == opportunity && m.at > before && m.at <= at {
			return sort.Search(until-begin, func(k int) bool { return b.session[begin+k].at > m.at })
		}
	}
	return 0
}

// nulls adds the touches from begin to until-1 that no conversion has claimed as journeys that did not convert.
func (b *builder) nulls(begin, until int, open bool) error {
	for k := begin; k < until; {
		if b.used[k] {
			k++
			continue
		}
		first := k
		for k++; k < until && !b.used[k] && (b.o.Lookback == 0 || b.session[k].at-b.session[k-1].at <= int64(b.o.Lookback)); k++ {
			continue
		}
		mayConvert := open && b.o.Open == OpenIsDropped && b.end-b.session[k-1].at <= int64(b.o.Lookback)
		if mayConvert || b.o.Open == NullsLeftOut {
			b.report.OpenLeftOut++
			continue
		}
		b.c.begin(0, 0)
		for _, t := range b.session[first:k] {
			b.c.touch(t.channel)
		}
		if err := b.c.end(nil, 0, 1, money.Amount{}); err != nil {
			return fail("%w", err)
		}
	}
	return nil
}
