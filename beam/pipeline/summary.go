package pipeline

import (
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

// A Summary is the accumulator of the pipeline: the clv.Partial of some of a shard's orders. Between machines it is the
// binary form of clv.Partial, and it stays in that form until it is worked with.
type Summary struct {
	partial *clv.Partial
	encoded []byte
}

// NewSummary returns the summary of a Partial, which must not be used afterwards.
func NewSummary(p *clv.Partial) Summary { return Summary{partial: p} }

// Partial returns the Partial with the End and the MaxBytes of the options. It returns an error if the summary was made
// in another location or has orders after the End.
func (s Summary) Partial(o Options) (*clv.Partial, error) {
	if s.partial != nil {
		return s.partial, nil
	}
	p, err := o.empty()
	if err == nil && s.encoded != nil {
		err = p.UnmarshalBinary(s.encoded)
	}
	return p, err
}

func encodeSummary(s Summary) ([]byte, error) {
	if s.partial == nil {
		return s.encoded, nil
	}
	return s.partial.MarshalBinary()
}

func decodeSummary(data []byte) Summary { return Summary{encoded: data} }

// Summarize combines a PCollection<Order> to a PCollection<KV<int64, Summary>>, one summary a shard.
//
// The pipeline fails if an order has no customer, no time or a time out of range, if currencies are mixed, or if the
// customers of a shard need more than MaxBytes. Orders come without their place in a file, so what the reader can know it
// refuses itself, with file and row.
func Summarize(s beam.Scope, orders beam.PCollection, o Options) (beam.PCollection, error) {
	s = s.Scope("Summarize")
	o, err := o.WithDefaults()
	if err != nil {
		return beam.PCollection{}, err
	}
	return beam.CombinePerKey(s, &summarizeFn{merger{o}}, beam.ParDo(s, &shardFn{o}, orders)), nil
}

// Merge combines PCollections<KV<int64, Summary>> of the same shards to one: yesterday's summaries and those of today's
// orders are the summaries of all orders.
func Merge(s beam.Scope, o Options, summaries ...beam.PCollection) (beam.PCollection, error) {
	s = s.Scope("Merge")
	o, err := o.WithDefaults()
	if err != nil {
		return beam.PCollection{}, err
	}
	return beam.CombinePerKey(s, &mergeFn{merger{o}}, beam.Flatten(s, summaries...)), nil
}

// shardFn puts the number of its customer's shard before an order.
type shardFn struct{ Options Options }

// ProcessElement returns the shard and the order.
func (fn *shardFn) ProcessElement(order Order) (int64, Order) {
	return fn.Options.shard(order.Customer), order
}

// A merger is what the combiners of summaries share.
type merger struct{ Options Options }

// CreateAccumulator returns the summary of no orders.
func (m *merger) CreateAccumulator() (Summary, error) {
	p, err := m.Options.empty()
	return NewSummary(p), err
}

// MergeAccumulators adds b to a.
func (m *merger) MergeAccumulators(a, b Summary) (Summary, error) {
	p, err := a.Partial(m.Options)
	if err != nil {
		return a, fmt.Errorf("pipeline: %w", err)
	}
	q, err := b.Partial(m.Options)
	if err != nil {
		return a, fmt.Errorf("pipeline: %w", err)
	}
	return NewSummary(p), p.Merge(q)
}

// summarizeFn adds orders to a summary.
type summarizeFn struct{ merger }

// AddInput adds an order.
func (fn *summarizeFn) AddInput(s Summary, order Order) (Summary, error) {
	p, err := s.Partial(fn.Options)
	if err == nil {
		err = p.Add(ledger.Transaction{Customer: order.Customer, At: order.At, Amount: order.Amount})
	}
	if err != nil {
		return s, fmt.Errorf("pipeline: order of customer %q: %w", order.Customer, err)
	}
	return NewSummary(p), nil
}

// mergeFn adds summaries to a summary.
type mergeFn struct{ merger }

// AddInput adds a summary, which stays as it is.
func (fn *mergeFn) AddInput(a, b Summary) (Summary, error) { return fn.MergeAccumulators(a, b) }
