package risk

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/money"
)

// A Prospect is a customer who may be contacted.
type Prospect struct {
	Customer string       `json:"customer"`
	Risk     float64      `json:"risk"`             // probability of leaving, calibrated
	Value    money.Amount `json:"value"`            // what the customer is worth who stays, and is lost who leaves
	Accept   *float64     `json:"accept,omitempty"` // where it is known for this customer; nil means ContactOptions.Accept
}

// ContactOptions say what an offer costs and does.
type ContactOptions struct {
	Contact   money.Amount // cost of contacting a customer
	Incentive money.Amount // cost of the offer where it is taken
	// IncentiveShare is the cost of an offer that is a share of the customer's value, such as a discount; it adds to
	// Incentive.
	IncentiveShare float64
	// Accept is the probability that a customer who would leave takes the offer and stays. Required unless every prospect
	// has its own.
	Accept float64
	// Decline is the probability that a customer who would stay anyway does not take the offer. 0, as in the literature,
	// means that all of them take it.
	Decline  float64
	Most     int            // most customers to list; 0 means all that pay
	Budget   money.Amount   // most expected cost of all customers listed; 0 means no limit
	MinGain  money.Amount   // list customers with more gain than this only; 0 lists all that pay
	Rounding money.Rounding // of the amounts
}

// A Contact is a customer whom contacting pays.
type Contact struct {
	Rank     int          `json:"rank"`
	Customer string       `json:"customer"`
	Risk     float64      `json:"risk"`
	Value    money.Amount `json:"value"`
	Saved    money.Amount `json:"saved"` // expected value kept: Gain + Cost
	Cost     money.Amount `json:"cost"`  // expected cost of contact and incentive
	Gain     money.Amount `json:"gain"`  // expected value kept less cost, above 0
}

// A ContactList is whom to contact, those with the most gain first.
type ContactList struct {
	Considered int          `json:"considered"` // prospects
	Paying     int          `json:"paying"`     // those whose saved value exceeds the cost, before limits
	Kept       float64      `json:"kept"`       // expected number of customers on the list who stay because of it
	Saved      money.Amount `json:"saved"`      // sums of the rows
	Cost       money.Amount `json:"cost"`
	Gain       money.Amount `json:"gain"`
	Rows       []Contact    `json:"rows"`
}

var errNoCustomer = errors.New("no customer")

// Contacts lists the customers whose expected saved value exceeds the expected cost of contacting them:
//
//	saved = Risk Accept Value
//	cost  = Contact + (Risk Accept + (1 - Risk) (1 - Decline)) incentive    incentive: Incentive + IncentiveShare Value
//	gain  = saved - cost
//
// With a value that is the same for all this is the profit of [Campaign]. A high risk alone is no reason: a customer who
// leaves for certain and is worth little stays off the list, and so does a valuable one who is safe.
//
// Rows come in the order of gain, and of customer where that is equal. With a Budget customers are taken in the order of
// gain per cost as long as they fit, and listed in the order of gain; Most applies to the same order. Gain and Cost are
// rounded to the minor unit, a gain that rounds to 0 is none, and Saved is their sum, so that every row and the totals add
// up.
//
// It returns an error for options out of range, a [ledger.RowError] for a customer without name or there twice, a risk or
// acceptance that is no probability, and an amount of another currency.
func Contacts(prospects []Prospect, o ContactOptions) (*ContactList, error) {
	currency, err := o.check(prospects)
	if err != nil {
		return nil, err
	}
	list := &ContactList{Considered: len(prospects)}
	seen := make(map[string]bool, len(prospects))
	var paying []offer
	for i := range prospects {
		p := &prospects[i]
		if err := checkProspect(i, p, seen, currency, &o); err != nil {
			return nil, err
		}
		c, err := o.offer(p, currency)
		if err != nil {
			return nil, fmt.Errorf("risk: contacts: row %d: %w", i+1, err)
		}
		above, err := c.row.Gain.Cmp(o.MinGain)
		if err != nil {
			return nil, fmt.Errorf("risk: contacts: %w", err)
		}
		if c.row.Gain.Sign() > 0 && above > 0 {
			paying = append(paying, c)
		}
	}
	list.Paying = len(paying)
	paying, err = o.limit(paying)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(paying, byGain)
	return list, list.fill(paying)
}

// An offer is a row with its numbers before rounding.
type offer struct {
	row              Contact
	gain, cost, kept float64
}

func byGain(a, b offer) int {
	return cmp.Or(cmp.Compare(b.gain, a.gain), cmp.Compare(a.row.Customer, b.row.Customer))
}

func (o *ContactOptions) check(prospects []Prospect) (money.Currency, error) {
	for _, f := range [...]struct {
		name  string
		value float64
	}{{"IncentiveShare", o.IncentiveShare}, {"Accept", o.Accept}, {"Decline", o.Decline}} {
		if !(f.value >= 0 && f.value <= 1) {
			return "", fmt.Errorf("risk: option %s: %v is not between 0 and 1", f.name, f.value)
		}
	}
	if o.Most < 0 {
		return "", fmt.Errorf("risk: option Most: %d is negative", o.Most)
	}
	if o.Accept == 0 && slices.ContainsFunc(prospects, func(p Prospect) bool { return p.Accept == nil }) {
		return "", errors.New("risk: option Accept: not set, and not every prospect has its own")
	}
	var currency money.Currency
	for _, f := range [...]struct {
		name  string
		value money.Amount
	}{{"Contact", o.Contact}, {"Incentive", o.Incentive}, {"Budget", o.Budget}, {"MinGain", o.MinGain}} {
		if f.value.Sign() < 0 {
			return "", fmt.Errorf("risk: option %s: %v is negative", f.name, f.value)
		}
		c := f.value.Currency()
		if c != "" && currency != "" && c != currency {
			return "", fmt.Errorf("risk: option %s: %w", f.name, &money.CurrencyMismatchError{A: currency, B: c})
		}
		currency = cmp.Or(currency, c)
	}
	for i := 0; currency == "" && i < len(prospects); i++ {
		currency = prospects[i].Value.Currency()
	}
	return currency, nil
}

func checkProspect(i int, p *Prospect, seen map[string]bool, currency money.Currency, o *ContactOptions) error {
	if p.Customer == "" {
		return rowError(i, "customer", "", errNoCustomer)
	}
	if seen[p.Customer] {
		return rowError(i, "customer", p.Customer, errors.New("there twice"))
	}
	seen[p.Customer] = true
	if !(p.Risk >= 0 && p.Risk <= 1) {
		return rowError(i, "risk", formatFloat(p.Risk), errProbability)
	}
	if p.Accept != nil && !(*p.Accept >= 0 && *p.Accept <= 1) {
		return rowError(i, "accept", formatFloat(*p.Accept), errProbability)
	}
	if c := p.Value.Currency(); c != "" && c != currency {
		return rowError(i, "value", p.Value.String(), &money.CurrencyMismatchError{A: currency, B: c})
	}
	if math.IsInf(p.Value.Float64(), 0) {
		return rowError(i, "value", p.Value.String(), errFinite)
	}
	return nil
}

func (o *ContactOptions) offer(p *Prospect, currency money.Currency) (offer, error) {
	accept, value := o.Accept, p.Value.Float64()
	if p.Accept != nil {
		accept = *p.Accept
	}
	incentive := o.Incentive.Float64() + o.IncentiveShare*max(0, value)
	c := offer{kept: p.Risk * accept}
	c.cost = o.Contact.Float64() + (c.kept+(1-p.Risk)*(1-o.Decline))*incentive
	c.gain = c.kept*value - c.cost
	c.row = Contact{Customer: p.Customer, Risk: p.Risk, Value: p.Value}
	if currency == "" {
		return c, nil // no money anywhere: nothing is gained
	}
	var err error
	if c.row.Gain, err = money.FromFloat(c.gain, currency, o.Rounding); err != nil {
		return c, err
	}
	if c.row.Cost, err = money.FromFloat(c.cost, currency, o.Rounding); err != nil {
		return c, err
	}
	c.row.Saved, err = c.row.Gain.Add(c.row.Cost)
	return c, err
}

// limit returns the offers within Most and Budget.
func (o *ContactOptions) limit(offers []offer) ([]offer, error) {
	if o.Budget.Sign() == 0 {
		if o.Most > 0 && len(offers) > o.Most {
			slices.SortFunc(offers, byGain)
			offers = offers[:o.Most]
		}
		return offers, nil
	}
	slices.SortFunc(offers, func(a, b offer) int {
		// gain/cost, without dividing by a cost of 0
		return cmp.Or(cmp.Compare(b.gain*a.cost, a.gain*b.cost), byGain(a, b))
	})
	var within []offer
	rest := o.Budget
	for _, c := range offers {
		if o.Most > 0 && len(within) == o.Most {
			break
		}
		after, err := rest.Sub(c.row.Cost)
		if err != nil {
			return nil, fmt.Errorf("risk: contacts: %w", err)
		}
		if after.Sign() >= 0 {
			rest, within = after, append(within, c)
		}
	}
	return within, nil
}

func (l *ContactList) fill(offers []offer) error {
	var saved, cost, gain money.Sum
	for i, c := range offers {
		c.row.Rank = i + 1
		l.Rows = append(l.Rows, c.row)
		l.Kept += c.kept
		saved.Add(c.row.Saved)
		cost.Add(c.row.Cost)
		gain.Add(c.row.Gain)
	}
	for _, s := range [...]struct {
		sum  *money.Sum
		into *money.Amount
	}{{&saved, &l.Saved}, {&cost, &l.Cost}, {&gain, &l.Gain}} {
		total, err := s.sum.Total()
		if err != nil {
			return fmt.Errorf("risk: contacts: %w", err)
		}
		*s.into = total
	}
	return nil
}

func (l *ContactList) table() *table.Table {
	t := table.New("rank", "customer", "risk", "value", "saved", "cost", "gain")
	for _, r := range l.Rows {
		t.Rows = append(t.Rows, []string{strconv.Itoa(r.Rank), r.Customer, formatFloat(r.Risk), r.Value.String(), r.Saved.String(), r.Cost.String(), r.Gain.String()})
	}
	return t
}

// String returns an aligned table with the totals below it.
func (l *ContactList) String() string {
	return l.table().String() + fmt.Sprintf("%d of %d customers: saved %v, cost %v, gain %v, %s expected to stay because of it\n",
		len(l.Rows), l.Considered, l.Saved, l.Cost, l.Gain, table.Number(l.Kept))
}

// WriteCSV writes the rows with a header; amounts are numbers in the column currency.
func (l *ContactList) WriteCSV(w io.Writer) error {
	t := table.New("rank", "customer", "risk", "value", "saved", "cost", "gain", "currency")
	for _, r := range l.Rows {
		t.Rows = append(t.Rows, []string{strconv.Itoa(r.Rank), r.Customer, formatFloat(r.Risk), r.Value.Number(), r.Saved.Number(), r.Cost.Number(),
			r.Gain.Number(), string(r.Gain.Currency())})
	}
	return t.WriteCSV(w)
}
