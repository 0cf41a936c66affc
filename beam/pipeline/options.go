package pipeline

import (
	"errors"
	"fmt"
	"time"

	"github.com/custval/custval/clv"
)

// Options say how orders become histories. They travel to the workers as JSON.
type Options struct {
	End      time.Time     // end of observation; required. Orders of later days are left out and counted
	Unit     time.Duration // of the models' time; 0 means clv.Week
	Location string        // whose calendar days count, such as "Europe/Istanbul"; empty means UTC
	Shards   int           // into how many parts the customers are divided; 0 means 64, at most 2000
	MaxBytes int64         // most memory that the customers of one shard may take; 0 means no limit
}

// maxShards is how many accumulators the Go SDK keeps before the shuffle: with more keys it would send some early.
const maxShards = 2000

// WithDefaults returns the options with the defaults filled in, or an error that names the field out of range.
func (o Options) WithDefaults() (Options, error) {
	if o.Unit == 0 {
		o.Unit = clv.Week
	}
	if o.Shards == 0 {
		o.Shards = 64
	}
	switch {
	case o.End.IsZero():
		return o, errors.New("pipeline: no end of observation")
	case o.Unit < 0:
		return o, fmt.Errorf("pipeline: unit %v: negative", o.Unit)
	case o.Shards < 0 || o.Shards > maxShards:
		return o, fmt.Errorf("pipeline: %d shards: want 1 to %d", o.Shards, maxShards)
	}
	_, err := o.empty()
	return o, err
}

// empty returns a summary of no orders.
func (o Options) empty() (*clv.Partial, error) {
	loc, err := o.location()
	if err != nil {
		return nil, err
	}
	return clv.NewPartial(&clv.PartialOptions{Location: loc, End: o.End, MaxBytes: o.MaxBytes})
}

// location returns the Location, which every machine must know by its name.
func (o Options) location() (*time.Location, error) {
	if o.Location == "Local" {
		return nil, errors.New("pipeline: location Local: it is another one on every machine; name it, such as Europe/Istanbul")
	}
	loc, err := time.LoadLocation(o.Location)
	if err != nil {
		return nil, fmt.Errorf("pipeline: location %q: %w", o.Location, err)
	}
	return loc, nil
}

// shard returns the number of the customer's shard. It depends on the id alone (FNV-1a), so that summaries of other days
// and machines have the same customers in the same shards.
func (o Options) shard(customer string) int64 {
	h := uint64(14695981039346656037)
	for i := range len(customer) {
		h = (h ^ uint64(customer[i])) * 1099511628211
	}
	return int64(h % uint64(o.Shards))
}
