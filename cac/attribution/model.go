package attribution

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// A Model shares the credit for conversions between channels. The models of this package are plain structs whose zero
// value is the usual form; others can be written by implementing the interface or with [Custom].
type Model interface {
	// Name says which model it is, with its parameters.
	Name() string
	// Weigh returns what each channel deserves. Only the proportions matter: [Attribute] brings them to the totals.
	Weigh(ctx context.Context, js *Journeys) (Weights, error)
}

// Weights is what channels deserve, in the order of [Journeys.Channels]: finite and not negative.
type Weights struct {
	Conversions []float64 // for conversions
	Value       []float64 // for their value
}

// A Credit is what one channel gets.
type Credit struct {
	Channel     string       `json:"channel"`
	Conversions float64      `json:"conversions"` // a fraction being part of one
	Share       float64      `json:"share"`       // of all conversions, 0.25 meaning 25 %
	Value       money.Amount `json:"value"`       // of the value of the conversions
}

// A Result is the credit of all channels by one model. Conversions added up in the order of the rows, and values in any
// order, give the totals exactly.
type Result struct {
	Model       string       `json:"model"`       // its Name
	Credits     []Credit     `json:"credits"`     // every channel in alphabetical order
	Conversions int64        `json:"conversions"` // in total
	Value       money.Amount `json:"value"`       // in total
}

// Attribute shares the conversions of the journeys, and their value, between the channels by a model:
//
//	conversions(c) = conversions * w(c) / Σ w
//	value(c)       = value * v(c) / Σ v
//
// where w and v are the model's weights. Values are split to the minor unit by the largest remainder; among equal
// remainders the first channel of the alphabet gets the unit.
//
// Attribute returns an error that wraps [ErrNoConversions] if there are none, [ErrWeights] if the model's weights are
// negative, not finite or all zero, [money.ErrNoMinorUnit] if the value's currency has no minor unit, and the errors of
// the model.
func Attribute(ctx context.Context, js *Journeys, m Model) (*Result, error) {
	w, err := weigh(ctx, js, m)
	if err != nil {
		return nil, err
	}
	r := &Result{Model: m.Name(), Conversions: js.totals.Conversions, Value: js.totals.Value, Credits: make([]Credit, len(js.channels))}
	conversions := proportions(w.Conversions, float64(r.Conversions))
	shares := proportions(w.Conversions, 1)
	values, err := allocate(r.Value, w.Value)
	if err != nil {
		return nil, fail("%s: %w", r.Model, err)
	}
	for i, c := range js.channels {
		r.Credits[i] = Credit{Channel: c, Conversions: conversions[i], Share: shares[i], Value: values[i]}
	}
	return r, nil
}

// weigh returns the checked weights of a model.
func weigh(ctx context.Context, js *Journeys, m Model) (Weights, error) {
	switch {
	case js == nil || len(js.paths) == 0:
		return Weights{}, fail("no journeys")
	case m == nil:
		return Weights{}, fail("no model")
	case js.totals.Conversions == 0:
		return Weights{}, fail("%s: %w", m.Name(), ErrNoConversions)
	}
	w, err := m.Weigh(ctx, js)
	if err != nil {
		return Weights{}, err
	}
	if err := checkWeights(w.Conversions, len(js.channels), true); err != nil {
		return Weights{}, fail("%s: conversions: %w", m.Name(), err)
	}
	if err := checkWeights(w.Value, len(js.channels), js.totals.Value.Sign() != 0); err != nil {
		return Weights{}, fail("%s: value: %w", m.Name(), err)
	}
	return w, nil
}

func checkWeights(w []float64, n int, some bool) error {
	if len(w) != n {
		return fmt.Errorf("%w: %d for %d channels", ErrWeights, len(w), n)
	}
	sum := 0.0
	for i, x := range w {
		if !(x >= 0) || math.IsInf(x, 1) {
			return fmt.Errorf("%w: number %d is %v", ErrWeights, i+1, x)
		}
		sum += x
	}
	if some && sum == 0 {
		return fmt.Errorf("%w: all are zero", ErrWeights)
	}
	if math.IsInf(sum, 1) {
		return fmt.Errorf("%w: their sum overflows", ErrWeights)
	}
	return nil
}

// proportions scales weights so that they add up to total, in their order, exactly. What rounding leaves goes to the
// largest, so that small ones keep their digits.
func proportions(w []float64, total float64) []float64 {
	out := make([]float64, len(w))
	var sum kahan
	order := make([]int, len(w))
	for i, x := range w {
		sum.add(x)
		order[i] = i
	}
	for i, x := range w {
		out[i] = x / sum.value() * total
		if x == sum.value() {
			out[i] = total
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(w[j], w[i]) })
	if settle(out, order[0], total) {
		return out
	}
	// Ties between two floats can make the sum jump over the total. One step of another term moves the tie.
	for _, i := range order[1:] {
		for _, towards := range []float64{math.Inf(1), 0} {
			if x := out[i]; x > 0 {
				if out[i] = math.Nextafter(x, towards); settle(out, order[0], total) {
					return out
				}
				out[i] = x
			}
		}
	}
	grid(out, order[0], total)
	return out
}

// settle moves the largest term by single steps until the terms add up to total. It reports false where they skip it.
func settle(out []float64, largest int, total float64) bool {
	before := 0
	for range 1024 {
		s := 0.0
		for _, x := range out {
			s += x
		}
		sign := cmp.Compare(total, s)
		switch {
		case sign == 0:
			return true
		case sign == -before:
			return false
		case sign > 0:
			out[largest] = math.Nextafter(out[largest], math.Inf(1))
		default:
			out[largest] = math.Nextafter(out[largest], 0)
		}
		before = sign
	}
	return false
}

// grid rounds the terms to multiples of the last digit of total, so that every partial sum is exact, and gives the
// difference to the largest.
func grid(out []float64, largest int, total float64) {
	step := math.Nextafter(total, math.Inf(1)) - total
	others := 0.0
	for i, x := range out {
		if i != largest {
			out[i] = math.Round(x/step) * step
			others += out[i]
		}
	}
	out[largest] = total - others
}

// allocate splits an amount by weights; nothing is split into nothings.
func allocate(total money.Amount, w []float64) ([]money.Amount, error) {
	if total.Sign() == 0 {
		parts := make([]money.Amount, len(w))
		for i := range parts {
			parts[i] = total
		}
		return parts, nil
	}
	return total.AllocateBy(w)
}

// kahan is a sum that carries its rounding error along (Neumaier, ZAMM 1974).
type kahan struct{ sum, carry float64 }

func (k *kahan) add(x float64) {
	t := k.sum + x
	if math.Abs(k.sum) >= math.Abs(x) {
		k.carry += (k.sum - t) + x
	} else {
		k.carry += (x - t) + k.sum
	}
	k.sum = t
}

func (k *kahan) value() float64 { return k.sum + k.carry }

func values(sums []kahan) []float64 {
	out := make([]float64, len(sums))
	for i := range sums {
		out[i] = sums[i].value()
	}
	return out
}

// Credit returns the credit of a channel; ok is false if no journey has it.
func (r *Result) Credit(channel string) (c Credit, ok bool) {
	for _, c := range r.Credits {
		if c.Channel == channel {
			return c, true
		}
	}
	return Credit{}, false
}

// ByChannel returns the conversions credited to each channel, as the cost per customer by channel takes them.
func (r *Result) ByChannel() map[string]float64 {
	out := make(map[string]float64, len(r.Credits))
	for _, c := range r.Credits {
		out[c.Channel] = c.Conversions
	}
	return out
}

// Allocate splits any amount, such as a margin or a shared cost, in proportion to the credited conversions. The parts
// are in the order of Credits and add up to the amount exactly.
//
// It returns the errors of [money.Amount.AllocateBy].
func (r *Result) Allocate(total money.Amount) ([]money.Amount, error) {
	w := make([]float64, len(r.Credits))
	for i, c := range r.Credits {
		w[i] = c.Share
	}
	parts, err := allocate(total, w)
	if err != nil {
		return nil, fail("%s: %w", r.Model, err)
	}
	return parts, nil
}

// String returns the credits as an aligned table under the name of the model.
func (r *Result) String() string {
	rows := make([][]string, 0, len(r.Credits)+1)
	for _, c := range r.Credits {
		rows = append(rows, []string{c.Channel, table.Fixed(c.Conversions, 2, nil), table.Percent(c.Share, nil), c.Value.String()})
	}
	rows = append(rows, []string{"(total)", table.Fixed(float64(r.Conversions), 2, nil), "100.0%", r.Value.String()})
	return r.Model + "\n" + table.Text([]string{"channel", "conversions", "share", "value"}, rows, 1)
}

// WriteCSV writes the credits with the columns model, channel, conversions, share, value and currency.
func (r *Result) WriteCSV(w io.Writer) error {
	return table.CSV(w, creditHeader(), r.csvRows())
}

func creditHeader() []string {
	return []string{"model", "channel", "conversions", "share", "value", "currency"}
}

func (r *Result) csvRows() [][]string {
	rows := make([][]string, len(r.Credits))
	for i, c := range r.Credits {
		rows[i] = []string{r.Model, c.Channel, table.Float(c.Conversions, nil), table.Float(c.Share, nil), table.Plain(c.Value), string(c.Value.Currency())}
	}
	return rows
}
