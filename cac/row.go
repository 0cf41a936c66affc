package cac

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A Policy is the set of rules that made a figure.
type Policy struct {
	Basis       Basis          `json:"basis"`
	Denominator Denominator    `json:"denominator"`
	Lag         Lag            `json:"lag"`
	Sharing     SharingRule    `json:"sharing"`
	ValueBasis  ValueBasis     `json:"value_basis,omitempty"` // empty if no value was given
	Missing     MissingValue   `json:"missing_value,omitempty"`
	Currency    money.Currency `json:"currency,omitempty"`
}

// MissingValue says what the customers are worth whose value is not known.
type MissingValue string

// The rules for missing values. The empty MissingValue is ValueUndefined.
const (
	ValueUndefined MissingValue = "undefined" // the value of a row that holds such a customer is undefined
	ValueZero      MissingValue = "zero"      // they are worth nothing
	ValueMean      MissingValue = "mean"      // they are worth the mean of the others in the row
)

func (m MissingValue) validate() error {
	switch m {
	case "", ValueUndefined, ValueZero, ValueMean:
		return nil
	}
	return fail("unknown rule %q for missing values", string(m))
}

// A Row is what one group of customers cost and is worth in one period. The fields are sums; the ratios are methods,
// which return an error of type *[PlaceError] where a ratio is undefined.
type Row struct {
	Dimension  string        // "channel", "campaign", "segment"; empty if the row is a total of all groups
	Group      string        // which channel, campaign or segment; empty for customers of none
	Shared     bool          // the row holds costs that belong to no single group and no customers
	Period     ledger.Period // the zero Period if the row is over all periods
	Spend      money.Amount  // the cost under the basis: Direct plus Allocated
	Direct     money.Amount  // of the group's own lines
	Allocated  money.Amount  // its part of shared lines
	New        int           // new customers, counted as Policy.Denominator says
	Value      money.Amount  // sum of the values of those customers whose value is known
	Valued     int           // how many that are
	Credits    bool          // some line is negative
	Incomplete bool          // the lag reaches before the first period, so Spend is not whole; totals leave the row out
	Policy     Policy        // the rules
}

// fail returns the error with the row's place.
func (r Row) fail(err error) error {
	return &PlaceError{r.place(), mismatch(bare(err))}
}

func (r Row) name() string {
	if r.Shared {
		return SharedGroup
	}
	return r.Group
}

// SharedGroup is what tables call the row of costs that belong to no single group.
const SharedGroup = "(shared)"

// CAC returns Spend / New with its rules. It returns a *[PlaceError] that wraps [ErrInsufficientHistory] if the row is
// Incomplete, [ErrNoNewCustomers] if there are no new customers, and [ErrNonPositiveCost] if credits use up the costs.
// A row without any cost is valid and costs 0.
func (r Row) CAC() (Figure, error) {
	switch {
	case r.Incomplete:
		return Figure{}, r.fail(ErrInsufficientHistory)
	case r.New > 0 && (r.Spend.Sign() < 0 || r.Spend.Sign() == 0 && r.Credits):
		return Figure{}, r.fail(fmt.Errorf("%w: %s", ErrNonPositiveCost, r.Spend))
	}
	f, err := NewFigure(r.Spend, r.New, r.Policy.Basis, r.Policy.Denominator)
	if err != nil {
		return Figure{}, r.fail(err)
	}
	f.Of = r.place()
	return f, nil
}

// place names the row's customers.
func (r Row) place() Place {
	if r.Dimension == "" {
		return Place{Period: r.Period}
	}
	return Place{r.Dimension, r.name(), r.Period}
}

// value returns what all customers of the row are worth, exactly, by the policy for missing values.
func (r Row) value() (*big.Rat, error) {
	missing := r.New - r.Valued
	switch {
	case r.Shared:
		return nil, r.fail(ErrNoNewCustomers)
	case r.Policy.ValueBasis == "":
		return nil, r.fail(fmt.Errorf("%w: no values are given", ErrMissingValue))
	case missing == 0 || r.Policy.Missing == ValueZero:
		return rat(r.Value), nil
	case r.Policy.Missing == ValueMean && r.Valued > 0:
		return new(big.Rat).Mul(rat(r.Value), big.NewRat(int64(r.New), int64(r.Valued))), nil
	}
	return nil, r.fail(fmt.Errorf("%w: %d of %d", ErrMissingValue, missing, r.New))
}

// TotalValue returns what all customers of the row are worth, rounded half to even to the minor unit. It returns a
// *[PlaceError] that wraps [ErrMissingValue] if the value of some is not known and Policy.Missing does not say what to
// take for it.
func (r Row) TotalValue() (money.Amount, error) {
	v, err := r.value()
	if err != nil {
		return money.Amount{}, err
	}
	a, err := amountOf(v, r.Value.Currency())
	if err != nil {
		return money.Amount{}, r.fail(err)
	}
	return a, nil
}

// MeanValue returns the value of one customer, rounded half to even to the minor unit, as a value that [Compare] takes.
func (r Row) MeanValue() (Value, error) {
	v, err := r.value()
	if err != nil {
		return Value{}, err
	}
	if r.New == 0 {
		return Value{}, r.fail(ErrNoNewCustomers)
	}
	a, err := amountOf(v.Quo(v, big.NewRat(int64(r.New), 1)), r.Value.Currency())
	if err != nil {
		return Value{}, r.fail(err)
	}
	return Value{Amount: a, Basis: r.Policy.ValueBasis, Of: r.place()}, nil
}

// LTVToCAC returns the value of the row's customers divided by their cost. Besides the errors of [Row.CAC] and
// [Row.TotalValue] it returns one that wraps [ErrZeroBase] if they cost nothing.
func (r Row) LTVToCAC() (float64, error) {
	if _, err := r.CAC(); err != nil {
		return 0, err
	}
	v, err := r.value()
	if err != nil {
		return 0, err
	}
	return r.over(v)
}

// ROI returns
//
//	(value of the customers - spend) / spend
//
// where 2 means 200 %. A spend that won no customers has an ROI of -1. It returns a *[PlaceError] that wraps
// [ErrZeroBase] if nothing was spent, [ErrNonPositiveCost] if credits exceed the costs, [ErrInsufficientHistory] if the
// row is Incomplete and [ErrMissingValue] if a value is not known.
func (r Row) ROI() (float64, error) {
	if r.Incomplete {
		return 0, r.fail(ErrInsufficientHistory)
	}
	v, err := r.value()
	if err != nil {
		return 0, err
	}
	return r.over(v.Sub(v, rat(r.Spend)))
}

func (r Row) over(v *big.Rat) (float64, error) {
	if err := sameCurrency(r.Value, r.Spend); err != nil {
		return 0, r.fail(err)
	}
	switch r.Spend.Sign() {
	case 0:
		return 0, r.fail(ErrZeroBase)
	case -1:
		return 0, r.fail(fmt.Errorf("%w: %s", ErrNonPositiveCost, r.Spend))
	}
	return float(v.Quo(v, rat(r.Spend))), nil
}

type rowJSON struct {
	Dimension  string            `json:"dimension,omitempty"`
	Group      string            `json:"group"`
	Shared     bool              `json:"shared,omitempty"`
	Period     *ledger.Period    `json:"period,omitempty"`
	Spend      money.Amount      `json:"spend"`
	Direct     money.Amount      `json:"direct"`
	Allocated  money.Amount      `json:"allocated"`
	New        int               `json:"new_customers"`
	Value      *money.Amount     `json:"value"`
	Valued     int               `json:"valued"`
	Incomplete bool              `json:"incomplete,omitempty"`
	CAC        *money.Amount     `json:"cac"`
	LTVToCAC   *float64          `json:"ltv_to_cac"`
	ROI        *float64          `json:"roi"`
	Undefined  map[string]string `json:"undefined,omitempty"`
	Basis      string            `json:"basis"`

	Denominator Denominator `json:"denominator"`
}

// MarshalJSON writes the sums and the ratios; a ratio that is undefined is null, and "undefined" says why.
func (r Row) MarshalJSON() ([]byte, error) { return json.Marshal(r.json()) }

func (r Row) json() rowJSON {
	out := rowJSON{Dimension: r.Dimension, Group: r.name(), Shared: r.Shared, Spend: r.Spend, Direct: r.Direct,
		Allocated: r.Allocated, New: r.New, Valued: r.Valued, Incomplete: r.Incomplete,
		Undefined: map[string]string{}, Basis: r.Policy.Basis.name(), Denominator: r.Policy.Denominator}
	if !r.Period.IsZero() {
		out.Period = &r.Period
	}
	if f, err := r.CAC(); err == nil {
		out.CAC = &f.Cost
	} else {
		out.Undefined["cac"] = reason(err)
	}
	if r.Policy.ValueBasis == "" {
		return out
	}
	if v, err := r.TotalValue(); err == nil {
		out.Value = &v
	} else {
		out.Undefined["value"] = reason(err)
	}
	if x, err := r.LTVToCAC(); err == nil {
		out.LTVToCAC = &x
	} else {
		out.Undefined["ltv_to_cac"] = reason(err)
	}
	if x, err := r.ROI(); err == nil {
		out.ROI = &x
	} else {
		out.Undefined["roi"] = reason(err)
	}
	return out
}

// reason returns the text of an error without its place.
func reason(err error) string {
	if place, ok := err.(*PlaceError); ok { //nolint:errorlint // only the outermost layer is meant
		return place.Err.Error()
	}
	return bare(err).Error()
}
