package cac

import (
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/money"
)

// CAC returns the cost of acquiring one customer,
//
//	cost / new customers
//
// rounded half to even to the minor unit. A cost of zero with customers is valid and costs nothing: they came by
// themselves. [NewFigure] keeps the unrounded quotient and the rule that made the cost.
//
// CAC returns an error that wraps [ErrNoNewCustomers] if there are no new customers, [ErrNonPositiveCost] if credits
// exceed the costs, and an error if the count is negative.
func CAC(cost money.Amount, newCustomers int) (money.Amount, error) {
	f, err := NewFigure(cost, newCustomers, Basis{}, NewAll)
	return f.Cost, err
}

// A Figure is an acquisition cost together with what was divided by what, so that two figures made by different rules
// are not compared by accident.
type Figure struct {
	Cost        money.Amount `json:"cost"`        // per customer, rounded half to even to the minor unit
	Unrounded   float64      `json:"unrounded"`   // per customer in units of the currency, the float64 nearest to the exact quotient
	Spend       money.Amount `json:"spend"`       // the numerator
	Customers   int          `json:"customers"`   // the denominator
	Basis       Basis        `json:"basis"`       // which costs are in Spend
	Denominator Denominator  `json:"denominator"` // which customers are in Customers
	Of          Place        `json:"of,omitzero"` // whose they are; the zero Place for all customers
}

// NewFigure divides a spend that was collected under a basis by customers that were counted as the denominator says;
// an empty Denominator means the usual one of the basis. The errors are those of [CAC].
func NewFigure(spend money.Amount, customers int, b Basis, d Denominator) (Figure, error) {
	if err := d.validate(); err != nil {
		return Figure{}, err
	}
	if err := b.Validate(); err != nil {
		return Figure{}, err
	}
	if d == "" {
		d = b.usual()
	}
	b.Name = b.name()
	f := Figure{Spend: spend, Customers: customers, Basis: b, Denominator: d}
	switch {
	case customers < 0:
		return Figure{}, fail("%d new customers: negative", customers)
	case customers == 0:
		return Figure{}, prefixed(ErrNoNewCustomers)
	case spend.Sign() < 0:
		return Figure{}, fail("%w: %s", ErrNonPositiveCost, spend)
	}
	var err error
	f.Cost, f.Unrounded, err = perUnit(spend, int64(customers))
	if err != nil {
		return Figure{}, err
	}
	return f, nil
}

// Rounded returns the cost per customer rounded to the minor unit in another way than half to even.
func (f Figure) Rounded(r money.Rounding) (money.Amount, error) {
	if f.Customers <= 0 {
		return money.Amount{}, prefixed(ErrNoNewCustomers)
	}
	if f.Spend.Sign() == 0 {
		return f.Spend, nil
	}
	a, err := f.Spend.MulRat(1, int64(f.Customers), r)
	return a, prefixed(err)
}

// String returns the cost with the rule that made it, such as
// "USD 500.00 (fully loaded, new_customers: USD 120000.00 / 240)".
func (f Figure) String() string {
	return fmt.Sprintf("%s (%s, %s: %s / %d)", f.Cost, f.Basis, f.Denominator, f.Spend, f.Customers)
}

// comparable returns a *PlaceError that wraps ErrBasisMismatch or ErrCurrencyMismatch if the two were made by different
// rules.
func (f Figure) comparable(g Figure) error {
	var err error
	switch {
	case !f.Basis.Equal(g.Basis):
		err = fmt.Errorf("%w: %s and %s", ErrBasisMismatch, f.Basis, g.Basis)
	case f.Denominator != g.Denominator:
		err = fmt.Errorf("%w: denominators %s and %s", ErrBasisMismatch, f.Denominator, g.Denominator)
	default:
		err = sameCurrency(f.Spend, g.Spend)
	}
	if err != nil {
		return &PlaceError{g.Of, err}
	}
	return nil
}

// Change returns how much the cost per customer changed from one figure to a later one, relative to the first: 0.10 is
// ten percent dearer. It returns a *[PlaceError] that wraps [ErrBasisMismatch] if basis or denominator differ,
// [ErrCurrencyMismatch] if the currencies do, and [ErrNoNewCustomers] or [ErrZeroBase] if there is no first cost to
// compare with.
func Change(from, to Figure) (float64, error) {
	if err := from.comparable(to); err != nil {
		return 0, err
	}
	for _, f := range []Figure{from, to} {
		if f.Customers <= 0 {
			return 0, &PlaceError{f.Of, ErrNoNewCustomers}
		}
	}
	a := new(big.Rat).Quo(rat(from.Spend), big.NewRat(int64(from.Customers), 1))
	b := new(big.Rat).Quo(rat(to.Spend), big.NewRat(int64(to.Customers), 1))
	if a.Sign() == 0 {
		return 0, &PlaceError{from.Of, ErrZeroBase}
	}
	return float(b.Sub(b, a).Quo(b, a)), nil
}

// Combine returns the figure of several groups taken together, which is the ratio of the sums and never the mean of the
// ratios. It returns an error if there are none or if they were made by different rules.
func Combine(figures ...Figure) (Figure, error) {
	if len(figures) == 0 {
		return Figure{}, prefixed(ErrNoNewCustomers)
	}
	var spend money.Sum
	customers := 0
	for _, f := range figures {
		if err := figures[0].comparable(f); err != nil {
			return Figure{}, err
		}
		spend.Add(f.Spend)
		customers += f.Customers
	}
	sum, err := spend.Total()
	if err != nil {
		return Figure{}, prefixed(err)
	}
	return NewFigure(sum, customers, figures[0].Basis, figures[0].Denominator)
}

// Attributed is the cost per customer of one channel where customers are credited in parts.
type Attributed struct {
	Channel   string       `json:"channel"`
	Spend     money.Amount `json:"spend"`
	Credit    float64      `json:"credit"`    // customers credited to the channel, a fraction being part of one
	Cost      money.Amount `json:"cost"`      // per customer, rounded half to even to the minor unit
	Unrounded float64      `json:"unrounded"` // per customer in units of the currency
}

// AttributedCAC divides a channel's spend by the customers that an attribution model credits to it, which need not be a
// whole number. The errors are those of [CAC]; a credit that is negative or not finite is an error.
func AttributedCAC(spend money.Amount, credit float64) (Attributed, error) {
	switch {
	case finite("credit", credit) != nil || credit < 0:
		return Attributed{}, fail("credit %v: not a number of customers", credit)
	case credit == 0:
		return Attributed{}, prefixed(ErrNoNewCustomers)
	case spend.Sign() < 0:
		return Attributed{}, fail("%w: %s", ErrNonPositiveCost, spend)
	}
	q := new(big.Rat).Quo(rat(spend), number(credit))
	cost, err := amountOf(q, spend.Currency())
	if err != nil {
		return Attributed{}, err
	}
	return Attributed{Spend: spend, Credit: credit, Cost: cost, Unrounded: float(q)}, nil
}

// AttributedTable is the attributed cost of several channels, sorted by channel.
type AttributedTable []Attributed

// AttributeCAC returns the attributed cost of every channel that has a spend or a credit. A channel that costs nothing is
// listed at zero; one that has a spend and no credit is an error of type *[PlaceError] that wraps [ErrNoNewCustomers].
func AttributeCAC(spend map[string]money.Amount, credit map[string]float64) (AttributedTable, error) {
	channels := slices.Collect(maps.Keys(spend))
	for c := range credit {
		if _, ok := spend[c]; !ok {
			channels = append(channels, c)
		}
	}
	slices.Sort(channels)
	rows := make(AttributedTable, 0, len(channels))
	var currency money.Amount
	for _, c := range channels {
		currency = like(currency, spend[c])
	}
	for _, c := range channels {
		row, err := AttributedCAC(like(spend[c], currency), credit[c])
		if err != nil {
			return nil, &PlaceError{Place{Dimension: "channel", Group: c}, bare(err)}
		}
		row.Channel = c
		rows = append(rows, row)
	}
	return rows, nil
}

// String returns the channels as an aligned table.
func (t AttributedTable) String() string {
	rows := make([][]string, len(t))
	for i, r := range t {
		rows[i] = []string{r.Channel, table.Minor(r.Spend), table.Fixed(r.Credit, 4, nil), r.Cost.String()}
	}
	return table.Text([]string{"channel", "spend", "credit", "CAC"}, rows, 1)
}

// WriteCSV writes the channels with the header channel,currency,spend,credit,cac.
func (t AttributedTable) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(t))
	for i, r := range t {
		rows[i] = []string{r.Channel, string(r.Spend.Currency()), plain(r.Spend), table.Float(r.Credit, nil), plain(r.Cost)}
	}
	return table.CSV(w, []string{"channel", "currency", "spend", "credit", "cac"}, rows)
}
