package subscription

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/custval/custval/ledger"
)

// A Segment is the roll-forward of a group of customers.
type Segment struct {
	Key   string       `json:"key"`
	Table *RollForward `json:"table"`
}

// Segments returns the roll-forward of each group of customers that the key makes, such as the channels of [ledger.By],
// in the order of the groups. The exact sums of the segments are those of [Book.RollForward], so a rate of the whole is
// the mean of the segments' rates weighted with their openings; each table is rounded by itself and may differ from the
// whole by a unit of the last digit. At the grain ByParent, an account whose customers are in several groups has a part in
// each.
//
// It returns an error for a nil key, and those of [Book.RollForward].
func (b *Book) Segments(ctx context.Context, key ledger.Key, periods []ledger.Period) ([]Segment, error) {
	if key == nil {
		return nil, errors.New("subscription: segments without a key")
	}
	groups := map[string][]item{}
	items := b.data.items
	for i := 0; i < len(items); {
		j := i + 1
		for j < len(items) && items[j].customer == items[i].customer {
			j++
		}
		k := key(b.data.customers[items[i].customer])
		groups[k] = append(groups[k], items[i:j]...)
		i = j
	}
	var out []Segment
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		d := *b.data
		d.items, d.issues = groups[k], nil
		view := *b
		view.data = &d
		table, err := view.RollForward(ctx, periods)
		if err != nil {
			return nil, err
		}
		out = append(out, Segment{Key: k, Table: table})
	}
	return out, nil
}
