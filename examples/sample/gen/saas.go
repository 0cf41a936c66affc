package main

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"time"
)

// The software business wins 480 accounts from January 2023 to December 2025, more of them every year. Three in four try
// it for two weeks first, and six in ten of these stay. An account on the starter plan leaves with probability 0.050 a
// month, on team 0.026 and on business 0.012; times 1.3 for a small company and 0.7 for a large one, times 0.5 for one
// that took the training, times a factor of its own, log-normal with sigma 0.6. Accounts on annual contracts decide once a
// year. Nine payments in a thousand fail for good and as many again twice are late.
const (
	saasAccounts = 480
	saasSeed     = 2023
)

var (
	saasStart = time.Date(2023, time.January, 1, 0, 0, 0, 0, time.UTC)
	saasEnd   = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	saasStop  = saasEnd.AddDate(0, 5, 0) // what is decided by the end may take effect until here
)

type plan struct {
	name   string
	price  int // dollars a seat and month; a year costs ten months
	hazard float64
}

var plans = [...]plan{{"starter", 15, 0.050}, {"team", 32, 0.026}, {"business", 60, 0.012}}

type span struct{ start, end time.Time }

// A row is one line of the file; see subscription.ReadCSV for the meaning of its fields.
type row struct {
	subscription           string
	plan                   int
	annual                 bool
	quantity               int
	from, to               time.Time
	percent, months        int // a discount of so many per cent for so many months; 0 months means for ever
	discounted             time.Time
	trial, paused, overdue span
	canceled               time.Time
	reason, code           string
	term                   span
	renewed                time.Time
}

// An account is one customer.
type account struct {
	*rand.Rand
	customer, region, size string
	trained                bool
	frailty                float64
	rows                   []row
	term                   int // index of the first row of the running term
}

func (a *account) chance(p float64) bool { return a.Float64() < p }

// hazard is the probability to leave in a month.
func (a *account) hazard(plan int) float64 {
	h := plans[plan].hazard * a.frailty * map[string]float64{"small": 1.3, "medium": 1, "large": 0.7}[a.size]
	if a.trained {
		h /= 2
	}
	return min(0.5, h)
}

// newAccount draws the attributes of account i.
func newAccount(i int) *account {
	a := &account{Rand: rand.New(rand.NewPCG(saasSeed, uint64(i))), customer: fmt.Sprintf("acct-%03d", i+1)}
	a.region = [...]string{"Americas", "Americas", "Europe", "Europe", "Asia"}[a.IntN(5)]
	a.size = [...]string{"small", "small", "small", "medium", "medium", "large"}[a.IntN(6)]
	a.trained = a.chance(0.45)
	a.frailty = math.Exp(0.6*a.NormFloat64() - 0.18)
	return a
}

// run simulates the account: its first subscription and, for one in seven of those who leave, a second one.
func (a *account) run(i int) []row {
	days := saasEnd.Sub(saasStart).Hours() / 24
	start := saasStart.AddDate(0, 0, int(days*math.Pow(float64(i)/saasAccounts, 0.8)))
	left := a.subscribe(a.customer+"-1", start, a.chance(0.75))
	if left.Before(saasEnd) && a.chance(1.0/7) {
		a.subscribe(a.customer+"-2", left.AddDate(0, 2+a.IntN(6), 0), false)
	}
	return a.rows
}

// subscribe simulates one subscription, month by month, and returns when it ended.
func (a *account) subscribe(id string, start time.Time, trial bool) time.Time {
	if start.Day() > 28 {
		start = start.AddDate(0, 0, -3)
	}
	weights := map[string][]int{"small": {0, 0, 0, 1}, "medium": {0, 1, 1, 2}, "large": {1, 2, 2, 2}}[a.size]
	cur := row{subscription: id, plan: weights[a.IntN(4)], from: start, annual: a.chance(0.3)}
	seats := map[string]int{"small": 4, "medium": 14, "large": 40}[a.size]
	cur.quantity = 1 + a.IntN(seats) + seats/3
	at := start
	if trial {
		at = at.AddDate(0, 0, 14)
		if at.Day() > 28 {
			at = at.AddDate(0, 0, 4)
		}
		cur.trial = span{start, at}
		if a.chance(0.4) {
			cur.annual, cur.canceled, cur.reason, cur.code = false, at.AddDate(0, 0, -3), "voluntary", "trial"
			return a.end(cur, at)
		}
	}
	if d := a.IntN(10); d < 2 {
		cur.percent, cur.discounted = 20, at
		if d == 0 {
			cur.months = 3
		}
	}
	if cur.annual {
		cur.term = span{at, at.AddDate(1, 0, 0)}
	}
	a.term = len(a.rows)
	for at.Before(saasStop) {
		var left bool
		if at, left = a.month(&cur, at); left {
			return at
		}
	}
	a.rows = append(a.rows, cur)
	return saasStop
}

// end closes the subscription.
func (a *account) end(cur row, at time.Time) time.Time {
	cur.to = at
	a.rows = append(a.rows, cur)
	return at
}

// split ends the row and begins the next one at the same moment.
func (a *account) split(cur *row, at time.Time) {
	a.end(*cur, at)
	cur.from, cur.to, cur.trial, cur.paused, cur.overdue = at, time.Time{}, span{}, span{}, span{}
}

// month simulates what happens from one billing day to the next, which it returns, and whether the account left then.
func (a *account) month(cur *row, at time.Time) (time.Time, bool) {
	next := at.AddDate(0, 1, 0)
	h := a.hazard(cur.plan)
	reason := func() string {
		return [...]string{"too_expensive", "too_expensive", "missing_features", "unused", "switched"}[a.IntN(5)]
	}
	switch {
	case cur.annual && next.Equal(cur.term.end):
		if a.chance(min(0.7, 8*h)) {
			cur.canceled, cur.reason, cur.code = next.AddDate(0, 0, -5-a.IntN(80)), "voluntary", reason()
			if cur.canceled.Before(cur.from) {
				cur.canceled = cur.from
			}
			return a.end(*cur, next), true
		}
		a.split(cur, next)
		for i := a.term; i < len(a.rows); i++ {
			a.rows[i].renewed = next
		}
		a.term = len(a.rows)
		cur.term = span{next, next.AddDate(1, 0, 0)}
		if a.chance(0.35) {
			cur.quantity += 1 + a.IntN(1+cur.quantity/3)
		}
		return next, false
	case cur.annual:
		if a.chance(0.03) && next.Before(saasEnd) {
			a.split(cur, next)
			cur.quantity += 1 + a.IntN(1+cur.quantity/4)
		}
		return next, false
	case a.chance(h):
		cur.canceled, cur.reason, cur.code = at.AddDate(0, 0, 1+a.IntN(24)), "voluntary", reason()
		return a.end(*cur, next), true
	case a.chance(0.027):
		if !cur.overdue.start.IsZero() {
			a.split(cur, at)
		}
		cur.overdue.start = at
		if a.chance(1.0 / 3) {
			cur.reason, cur.code = "involuntary", [...]string{"card_expired", "card_declined"}[a.IntN(2)]
			return a.end(*cur, at.AddDate(0, 0, 45)), true
		}
		cur.overdue.end = at.AddDate(0, 0, 2+a.IntN(18))
		return next, false
	}
	return a.change(cur, next), false
}

// change lets a monthly subscription change at its billing day and returns from when it goes on.
func (a *account) change(cur *row, next time.Time) time.Time {
	switch u := a.Float64(); {
	case u < 0.055: // seats are added
		a.split(cur, next)
		cur.quantity += 1 + a.IntN(1+cur.quantity/3)
	case u < 0.075: // or given up
		if cur.quantity > 1 {
			a.split(cur, next)
			cur.quantity -= 1 + a.IntN(cur.quantity/2)
		}
	case u < 0.09 && cur.plan < 2:
		a.split(cur, next)
		cur.plan++
	case u < 0.096 && cur.plan > 0:
		a.split(cur, next)
		cur.plan--
	case u < 0.106 && next.Before(saasEnd):
		a.split(cur, next)
		cur.annual, cur.term = true, span{next, next.AddDate(1, 0, 0)}
		a.term = len(a.rows)
	case u < 0.114: // a pause of up to three months
		if !cur.paused.start.IsZero() {
			a.split(cur, next)
		}
		cur.paused = span{next, next.AddDate(0, 1+a.IntN(3), 0)}
		return cur.paused.end
	}
	return next
}

// known returns the row as the business knows it at the end of observation; false means not at all.
func (r row) known() (row, bool) {
	if !r.from.Before(saasEnd) {
		return r, false
	}
	if r.to.After(saasEnd) && (r.canceled.IsZero() || !r.canceled.Before(saasEnd)) {
		r.to, r.canceled, r.reason, r.code = time.Time{}, time.Time{}, "", ""
	}
	for _, s := range []*span{&r.paused, &r.overdue} {
		if !s.start.Before(saasEnd) {
			*s = span{}
		}
		if s.end.After(saasEnd) {
			s.end = time.Time{}
		}
	}
	if r.renewed.After(saasEnd) {
		r.renewed = time.Time{}
	}
	return r, true
}

func writeSaaS(path string) error {
	out := [][]string{{"customer", "subscription", "plan", "price", "interval", "quantity", "start", "end",
		"discount_percent", "discount_duration", "discount_months", "discount_start", "trial_start", "trial_end",
		"paused_from", "paused_to", "past_due_from", "past_due_to", "cancel_requested", "reason", "code",
		"term_start", "term_end", "renewed", "region", "size", "training"}}
	for i := range saasAccounts {
		a := newAccount(i)
		for _, r := range a.run(i) {
			if r, ok := r.known(); ok {
				out = append(out, a.record(r))
			}
		}
	}
	slices.SortStableFunc(out[1:], func(a, b []string) int { return cmp.Or(cmp.Compare(a[6], b[6]), cmp.Compare(a[0], b[0])) })
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := csv.NewWriter(f).WriteAll(out); err != nil {
		return err
	}
	return f.Close()
}

// record returns the fields of a row.
func (a *account) record(r row) []string {
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	price, interval := plans[r.plan].price, "month"
	if r.annual {
		price, interval = 10*price, "year"
	}
	percent, duration, months := "", "", ""
	if r.percent > 0 {
		percent, duration = strconv.Itoa(r.percent), "forever"
		if r.months > 0 {
			duration, months = "repeating", strconv.Itoa(r.months)
		}
	}
	training := "no"
	if a.trained {
		training = "yes"
	}
	return []string{a.customer, r.subscription, plans[r.plan].name, strconv.Itoa(price), interval, strconv.Itoa(r.quantity), day(r.from), day(r.to),
		percent, duration, months, day(r.discounted), day(r.trial.start), day(r.trial.end),
		day(r.paused.start), day(r.paused.end), day(r.overdue.start), day(r.overdue.end), day(r.canceled), r.reason, r.code,
		day(r.term.start), day(r.term.end), day(r.renewed), a.region, a.size, training}
}
