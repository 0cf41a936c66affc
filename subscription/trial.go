package subscription

import (
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/ledger"
)

// TrialBasis says which trials a conversion rate is of.
type TrialBasis uint8

// The bases of trial conversion.
const (
	TrialsStarted TrialBasis = iota // those that started in the period; later conversions change the past
	TrialsEnded                     // those that ended in the period, by conversion or not
)

// String returns "started" or "ended".
func (b TrialBasis) String() string { return name(b, "started", "ended") }

// MarshalText returns the text of String.
func (b TrialBasis) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the text of String.
func (b *TrialBasis) UnmarshalText(text []byte) (err error) {
	*b, err = value(text, "basis of trials", TrialBasis.String)
	return err
}

// Trials is the conversion of trials to paying subscriptions.
//
//	Rate = Converted / Trials
type Trials struct {
	Period    ledger.Period `json:"period"`
	Basis     TrialBasis    `json:"basis"`
	Policy    Policy        `json:"policy"`
	Trials    int64         `json:"trials"`
	Converted int64         `json:"converted"` // the subscription pays at the trial's end or later
	Lost      int64         `json:"lost"`      // it ended without paying
	Open      int64         `json:"open"`      // still on trial at the end of observation, or not known to have ended
	Rate      CountRate     `json:"rate"`
}

// String returns the counts in one line.
func (t Trials) String() string {
	return fmt.Sprintf("trials %s in %s: %d, converted %d (%s), lost %d, open %d", t.Basis, t.Period, t.Trials, t.Converted, t.Rate, t.Lost, t.Open)
}

// Trials returns the conversion of the trials that started, or ended, in a period. A subscription has one trial: from the
// first start to the last end that its rows say. It is converted if the subscription has MRR at the trial's end or later,
// and not after the end of observation; for trials that ended, within the period only.
//
// Errors are those of [Book.Period].
func (b *Book) Trials(p ledger.Period, basis TrialBasis) (*Trials, error) {
	cuts, err := spans([]ledger.Period{p})
	if err != nil {
		return nil, err
	}
	if basis > TrialsEnded {
		return nil, fmt.Errorf("subscription: trials: basis %d: %w", basis, errPolicy)
	}
	policy := b.policy
	policy.Trials = TrialsExcluded
	e, err := b.With(policy).bySubscription(cuts[0].from, cuts[0].to)
	if err != nil {
		return nil, err
	}
	out := &Trials{Period: p, Basis: basis, Policy: b.policy}
	w := &walker{e: e}
	items := e.data.items
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && e.sameUnit(&items[i], &items[j]) {
			j++
		}
		if trial, ends := e.trial(i, j); trial.from < trial.to {
			if err := w.path(i, j); err != nil {
				return nil, err
			}
			out.add(w, trial, ends, cuts[0])
		}
		i = j
	}
	out.Rate = CountRate{out.Converted, out.Trials}
	return out, nil
}

// trial returns the trial of the subscription of the rows lo to hi, and when its last row ends.
func (e *engine) trial(lo, hi int) (trial span, ends int64) {
	trial, ends = span{open, -open}, -open
	for i := lo; i < hi; i++ {
		it := &e.data.items[i]
		ends = max(ends, it.to)
		if m := it.more; m != nil && m.trial != (span{}) {
			trial.from, trial.to = min(trial.from, m.trial.from), max(trial.to, m.trial.to)
		}
	}
	return trial, ends
}

func (t *Trials) add(w *walker, trial span, ends int64, cut span) {
	stop := min(trial.to, ends) // a trial that is canceled ends with its subscription
	counted := trial.from
	if t.Basis == TrialsEnded {
		counted = stop
	}
	if !cut.has(counted) {
		return
	}
	t.Trials++
	pays := slices.IndexFunc(w.steps, func(s step) bool { return s.alive })
	limit := w.e.observed
	if t.Basis == TrialsEnded && limit > cut.to {
		limit = cut.to - 1
	}
	switch {
	case pays >= 0 && w.steps[pays].t <= limit:
		t.Converted++
	case stop > w.e.observed || stop == math.MaxInt64:
		t.Open++
	default:
		t.Lost++
	}
}
