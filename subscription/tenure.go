package subscription

import (
	"context"
	"fmt"
	"time"

	"github.com/custval/custval/ledger"
)

// TenureOptions say what a tenure is. Nil, and the zero value, have the defaults.
type TenureOptions struct {
	Unit time.Duration // of Tenure.Entry and Duration; 0 means 24 hours
	// Observed is when the rows begin to be complete, such as the first day of a warehouse. Tenures that began before it
	// are truncated on the left: they enter at the age that they had then, and those that ended before it are left out.
	// The zero time means that the rows are complete from the start.
	Observed time.Time
	// FirstOnly gives each unit its first tenure only; else every coming back starts another.
	FirstOnly bool
	Label     string // a label of the rows to copy into Tenure.Labels, besides the plan; empty means none
}

// Tenures returns how long each unit of the policy's grain has paid, as survival analysis wants it: a tenure begins when
// the unit starts to count and ends with its churn, or is censored at the end of observation. Pauses and free times are
// within a tenure or end it as the policy says. Reason is that of the churn. Labels has the plan, and the label asked
// for, of the first row of the tenure; Customer is the customer or, at the grain ByParent, the parent. Tenures are in the
// order of the names and of time.
//
// It returns an error if end is not after TenureOptions.Observed, if the policy is not valid, or if ctx is done.
func (b *Book) Tenures(ctx context.Context, end time.Time, o *TenureOptions) ([]ledger.Tenure, error) {
	var opts TenureOptions
	if o != nil {
		opts = *o
	}
	if opts.Unit == 0 {
		opts.Unit = 24 * time.Hour
	}
	to, ok := moment(end)
	from := int64(-open)
	if !opts.Observed.IsZero() {
		var known bool
		from, known = moment(opts.Observed)
		ok = ok && known
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("subscription: tenures to %s: %w", showTime(end), errYear)
	case to <= from:
		return nil, fmt.Errorf("subscription: tenures from %s to %s: the end is not after the start", showTime(opts.Observed), showTime(end))
	case opts.Unit < 0:
		return nil, fmt.Errorf("subscription: tenures: unit %v: negative", opts.Unit)
	}
	e, err := b.engine(to, to)
	if err != nil {
		return nil, err
	}
	var out []ledger.Tenure
	w := &walker{e: e}
	items := e.data.items
	for i, units := 0, 0; i < len(items); units++ {
		if units%512 == 0 && ctx.Err() != nil {
			return nil, fmt.Errorf("subscription: %w", ctx.Err())
		}
		j := i + 1
		for j < len(items) && e.sameUnit(&items[i], &items[j]) {
			j++
		}
		if err := w.path(i, j); err != nil {
			return nil, err
		}
		out = append(out, w.tenures(i, j, span{from, to}, &opts)...)
		i = j
	}
	return out, nil
}

// tenures returns the tenures of the unit of the rows lo to hi.
func (w *walker) tenures(lo, hi int, seen span, o *TenureOptions) []ledger.Tenure {
	var out []ledger.Tenure
	for i := 0; i < len(w.steps); i++ {
		if !w.alive(i) || w.alive(i-1) {
			continue
		}
		start := w.steps[i].t
		left := i + 1
		for left < len(w.steps) && w.alive(left) {
			left++
		}
		t := ledger.Tenure{Start: clock(start)}
		stop := seen.to
		if left < len(w.steps) && w.steps[left].t <= seen.to {
			stop, t.Ended = w.steps[left].t, true
			t.Reason = w.steps[left].reason.String()
			if w.steps[left].reason == Unknown {
				t.Reason = ""
			}
		}
		if start >= seen.to || stop <= seen.from {
			if o.FirstOnly && len(out) == 0 && stop <= seen.from {
				return nil
			}
			continue
		}
		t.Entry = age(start, max(start, seen.from), o.Unit)
		t.Duration = age(start, stop, o.Unit)
		customer, _, _, parent := w.e.unit(lo)
		if t.Customer = customer; customer == "" {
			t.Customer = parent
		}
		t.Labels = w.tenureLabels(lo, hi, start, o.Label)
		out = append(out, t)
		if o.FirstOnly {
			break
		}
	}
	return out
}

// tenureLabels returns the plan, and a label, of the first row that runs at the start.
func (w *walker) tenureLabels(lo, hi int, start int64, label string) map[string]string {
	for i := lo; i < hi; i++ {
		it := &w.e.data.items[i]
		if !w.e.lifetime(it).has(start) {
			continue
		}
		labels := map[string]string{"plan": w.e.data.plans[it.plan]}
		if label != "" && it.more != nil && it.more.labels[label] != "" {
			labels[label] = it.more.labels[label]
		}
		return labels
	}
	return nil
}

func age(from, to int64, unit time.Duration) float64 {
	return float64(to-from) / float64(unit)
}
