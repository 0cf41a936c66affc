package risk

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/special"
	"github.com/custval/custval/money"
)

// A Campaign is an offer to customers who may leave, with what it costs and what it wins. A customer who is contacted and
// would leave takes the offer with probability gamma and stays; a customer who would stay anyway takes it for certain:
//
//	one who would leave    gamma (Value - Incentive) - Contact
//	one who would stay     -Incentive - Contact
//
// Source: W. Verbeke, K. Dejaeger, D. Martens, J. Hur and B. Baesens, European Journal of Operational Research 218 (2012);
// T. Verbraken, W. Verbeke and B. Baesens, IEEE Transactions on Knowledge and Data Engineering 25 (2013).
type Campaign struct {
	Value     money.Amount `json:"value"`     // what a customer is worth who stays; above Incentive
	Incentive money.Amount `json:"incentive"` // cost of the offer where it is taken
	Contact   money.Amount `json:"contact"`   // cost of making it
}

// TelecomCampaign returns the campaign that Verbraken, Verbeke and Baesens (2013) use for a telecom operator: value 200,
// incentive 10, contact 1, with the distribution of [TelecomAcceptance]. They have it in euros. It returns an error for a code
// that is no currency.
func TelecomCampaign(c money.Currency) (Campaign, error) {
	var amounts [3]money.Amount
	for i, s := range [...]string{"200", "10", "1"} {
		a, err := money.Parse(s, c)
		if err != nil {
			return Campaign{}, fmt.Errorf("risk: campaign: %w", err)
		}
		amounts[i] = a
	}
	return Campaign{amounts[0], amounts[1], amounts[2]}, nil
}

// Acceptance is the beta distribution of the probability that a customer who would leave takes an offer and stays, for
// where it is known only roughly: mean Alpha/(Alpha+Beta).
type Acceptance struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

// TelecomAcceptance returns the distribution that Verbraken, Verbeke and Baesens (2013) use: alpha 6, beta 14, mean 0.3,
// standard deviation 0.1.
func TelecomAcceptance() Acceptance { return Acceptance{Alpha: 6, Beta: 14} }

// campaign is a campaign in floating point.
type campaign struct{ value, incentive, contact float64 }

func (c Campaign) floats() (campaign, money.Currency, error) {
	f := campaign{c.Value.Float64(), c.Incentive.Float64(), c.Contact.Float64()}
	net, err := c.Value.Sub(c.Incentive)
	if err != nil {
		return f, "", fmt.Errorf("risk: campaign: %w", err)
	}
	if _, err := net.Sub(c.Contact); err != nil {
		return f, "", fmt.Errorf("risk: campaign: %w", err)
	}
	switch {
	case c.Incentive.Sign() < 0:
		return f, "", fmt.Errorf("risk: campaign: incentive %v is negative", c.Incentive)
	case c.Contact.Sign() < 0:
		return f, "", fmt.Errorf("risk: campaign: contact %v is negative", c.Contact)
	case net.Sign() <= 0:
		return f, "", fmt.Errorf("risk: campaign: value %v is not above incentive %v", c.Value, c.Incentive)
	case math.IsInf(f.value, 0):
		return f, "", errors.New("risk: campaign: amounts too large to compute with")
	}
	return f, c.Value.Currency(), nil
}

// gain returns the profit per customer of contacting some who would leave and some who would stay, given as shares of all.
func (c campaign) gain(accept, left, stayed float64) float64 {
	return (accept*(c.value-c.incentive)-c.contact)*left - (c.incentive+c.contact)*stayed
}

// A Profit is what a campaign to the customers with the highest scores brings.
type Profit struct {
	PerCustomer float64        `json:"per_customer"` // mean over all customers, contacted or not, in units of Currency
	Currency    money.Currency `json:"currency"`
	Target      float64        `json:"target"`    // share of customers to contact; for the expected maximum, its mean
	Threshold   float64        `json:"threshold"` // contact scores at or above it; NaN where nobody should be, and for the expected maximum
}

// MarshalJSON writes the profit; a missing threshold is null.
func (p Profit) MarshalJSON() ([]byte, error) {
	type plain Profit
	return table.Marshal(plain(p))
}

// Amount returns the profit per customer as money, rounded to the minor unit.
func (p Profit) Amount(r money.Rounding) (money.Amount, error) {
	a, err := money.FromFloat(p.PerCustomer, p.Currency, r)
	if err != nil {
		return a, fmt.Errorf("risk: profit: %w", err)
	}
	return a, nil
}

// String returns a line of text.
func (p Profit) String() string {
	return fmt.Sprintf("%s %s per customer, contacting %s of them", p.Currency, table.Number(p.PerCustomer), table.Number(p.Target))
}

// Profit returns what contacting a share of customers, those with the highest scores, brings per customer where offers are
// taken with probability accept, with ties as in [Ranking.Gain]. It returns the errors of [Ranking.MaxProfit], and one for a
// share outside [0, 1].
func (r *Ranking) Profit(c Campaign, accept, share float64) (Profit, error) {
	f, currency, err := checkProfit(c, accept)
	if err != nil {
		return Profit{}, err
	}
	if !(share >= 0 && share <= 1) {
		return Profit{}, fmt.Errorf("risk: profit: share %v is not between 0 and 1", share)
	}
	all := r.leavers + r.stayers
	left := r.top(share * all)
	p := Profit{PerCustomer: f.gain(accept, left/all, share-left/all), Currency: currency, Target: share, Threshold: math.NaN()}
	at := 0.0
	for g := range r.score {
		if at >= share*all {
			break
		}
		p.Threshold = r.score[g]
		at += r.left[g] + r.stayed[g]
	}
	return p, nil
}

func checkProfit(c Campaign, accept float64) (campaign, money.Currency, error) {
	if !(accept >= 0 && accept <= 1) {
		return campaign{}, "", fmt.Errorf("risk: profit: acceptance %v is not between 0 and 1", accept)
	}
	return c.floats()
}

// MaxProfit returns the best of all targets (the maximum profit criterion, MPC): whom to contact for the largest profit where
// an offer is taken with probability accept by customers who would leave. It is 0, with target 0, where no target pays. Of
// several best targets it returns the smallest.
//
//	max over t of (accept (Value - Incentive) - Contact) L(t) - (Incentive + Contact) S(t)
//
// L(t) and S(t) are the shares of all customers who left, and who stayed, with scores of at least t.
//
// It returns an error for an acceptance outside [0, 1], a negative cost, a value that is not above the incentive, and
// amounts of different currencies.
func (r *Ranking) MaxProfit(c Campaign, accept float64) (Profit, error) {
	f, currency, err := checkProfit(c, accept)
	if err != nil {
		return Profit{}, err
	}
	best := Profit{Currency: currency, Threshold: math.NaN()}
	all := r.leavers + r.stayers
	for _, h := range r.hull()[1:] {
		if p := f.gain(accept, h.left/all, h.stayed/all); p > best.PerCustomer {
			best = Profit{p, currency, (h.left + h.stayed) / all, r.score[h.step]}
		}
	}
	return best, nil
}

// ExpectedMaxProfit returns the maximum profit in the mean over an acceptance that is known by its distribution only (the
// expected maximum profit measure for customer churn, EMPC):
//
//	integral over gamma of MaxProfit(gamma) h(gamma)
//
// It serves to compare scores by money; Target is the mean share of customers to contact. The integral is exact: each corner
// of the ROC curve's convex hull is best in one interval of gamma, where profit is linear in it.
//
// It returns the errors of [Ranking.MaxProfit], and one for parameters of the distribution that are not positive finite
// numbers.
func (r *Ranking) ExpectedMaxProfit(c Campaign, a Acceptance) (Profit, error) {
	f, currency, err := c.floats()
	if err != nil {
		return Profit{}, err
	}
	if !(a.Alpha > 0 && a.Beta > 0 && a.Alpha <= 1e9 && a.Beta <= 1e9) {
		return Profit{}, fmt.Errorf("risk: profit: acceptance alpha %v, beta %v: want positive numbers up to 1e9", a.Alpha, a.Beta)
	}
	result := Profit{Currency: currency, Threshold: math.NaN()}
	all := r.leavers + r.stayers
	mean := a.Alpha / (a.Alpha + a.Beta)
	corners := r.hull()
	from := 0.0 // the least gamma at which this corner is best
	p0, m0 := 0.0, 0.0
	for i, h := range corners {
		to := 1.0
		if i+1 < len(corners) {
			// Here the next corner becomes as good.
			next := corners[i+1]
			left, stayed := next.left-h.left, next.stayed-h.stayed
			if left > 0 {
				to = min(1, (f.contact+(f.incentive+f.contact)*(stayed/left))/(f.value-f.incentive))
			}
		}
		to = max(from, to)
		// Probability and part of the mean below to.
		p1, m1 := special.RegIncBeta(a.Alpha, a.Beta, to), mean*special.RegIncBeta(a.Alpha+1, a.Beta, to)
		p, m := p1-p0, m1-m0
		left, stayed := h.left/all, h.stayed/all
		result.PerCustomer += (f.value-f.incentive)*left*m - (f.contact*left+(f.incentive+f.contact)*stayed)*p
		result.Target += (left + stayed) * p
		from, p0, m0 = to, p1, m1
	}
	return result, nil
}

// A ProfitPoint is what contacting all customers with at least some score brings.
type ProfitPoint struct {
	Threshold   float64 `json:"threshold"`
	Target      float64 `json:"target"`       // share of customers to contact
	PerCustomer float64 `json:"per_customer"` // profit in the currency of the campaign, mean over all customers
}

// ProfitCurve is the profit of every threshold, highest first.
type ProfitCurve []ProfitPoint

// ProfitCurve returns the profit of all thresholds, with the errors of [Ranking.MaxProfit].
func (r *Ranking) ProfitCurve(c Campaign, accept float64) (ProfitCurve, error) {
	f, _, err := checkProfit(c, accept)
	if err != nil {
		return nil, err
	}
	points := make(ProfitCurve, len(r.score))
	all := r.leavers + r.stayers
	var l, s float64
	for g, score := range r.score {
		l, s = l+r.left[g], s+r.stayed[g]
		points[g] = ProfitPoint{score, (l + s) / all, f.gain(accept, l/all, s/all)}
	}
	return points, nil
}

func (c ProfitCurve) table() *table.Table {
	t := table.New("threshold", "target", "per_customer")
	for _, p := range c {
		t.Add(p.Threshold, p.Target, p.PerCustomer)
	}
	return t
}

// String returns an aligned table.
func (c ProfitCurve) String() string { return c.table().String() }

// WriteCSV writes the table with a header.
func (c ProfitCurve) WriteCSV(w io.Writer) error { return c.table().WriteCSV(w) }

// BreakEvenRisk returns the probability of leaving above which contacting a customer pays, NaN where even one who leaves for
// certain does not pay:
//
//	(Incentive + Contact) / (accept (Value - Incentive) + Incentive)
//
// It returns the errors of [Ranking.MaxProfit].
func (c Campaign) BreakEvenRisk(accept float64) (float64, error) {
	f, _, err := checkProfit(c, accept)
	if err != nil {
		return 0, err
	}
	if accept*(f.value-f.incentive) <= f.contact {
		return math.NaN(), nil
	}
	return (f.incentive + f.contact) / (accept*(f.value-f.incentive) + f.incentive), nil
}
