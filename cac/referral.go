package cac

import (
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/custval/custval/cac/internal/table"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// ReferralRate returns the share of new customers who were referred by others, referred / new customers. No new
// customers is an error that wraps [ErrNoNewCustomers].
func ReferralRate(referred, newCustomers int) (float64, error) {
	switch {
	case referred < 0 || newCustomers < referred:
		return 0, fail("%d referred of %d new customers", referred, newCustomers)
	case newCustomers == 0:
		return 0, prefixed(ErrNoNewCustomers)
	}
	return float(big.NewRat(int64(referred), int64(newCustomers))), nil
}

// ViralCoefficient returns how many new customers a customer brings: invitations per customer times the share of them
// that is accepted. Above 1 referrals alone make the number of customers grow. It returns an error unless the
// invitations are at least 0 and the share is between 0 and 1.
func ViralCoefficient(invitations, accepted float64) (float64, error) {
	if err := finite("invitations", invitations); err != nil {
		return 0, err
	}
	if invitations < 0 {
		return 0, fail("invitations %v: negative", invitations)
	}
	if err := within("accepted", accepted, 0, 1); err != nil {
		return 0, err
	}
	return float(new(big.Rat).Mul(number(invitations), number(accepted))), nil
}

// A ReferralGroup is the customers who were referred, or those who were not.
type ReferralGroup struct {
	Customers int           `json:"customers"`
	Valued    int           `json:"valued"`     // customers whose value is known
	Value     money.Amount  `json:"value"`      // sum of the known values
	Mean      *money.Amount `json:"mean_value"` // Value / Valued, half to even to the minor unit; nil if none is known
}

// ReferralReport is what referrals bring.
type ReferralReport struct {
	Customers     int           `json:"customers"`
	Referrers     int           `json:"referrers"`     // customers who referred at least one other
	Participation float64       `json:"participation"` // Referrers / Customers
	Rate          float64       `json:"rate"`          // Referred.Customers / Customers
	PerReferrer   float64       `json:"per_referrer"`  // referred customers per referrer; 0 if nobody referred
	Outside       int           `json:"outside"`       // customers referred by someone who is not in the list
	Referred      ReferralGroup `json:"referred"`
	Others        ReferralGroup `json:"others"`
	Rewards       money.Amount  `json:"rewards"` // reward * referred customers
	Cost          *money.Amount `json:"cost"`    // Rewards / referred customers plus nothing: the CAC of a referral; nil if there are none
	ROI           *float64      `json:"roi"`     // (value of the referred - rewards) / rewards; nil without rewards or with unknown values
	Lift          *float64      `json:"lift"`    // mean value of the referred / mean value of the others - 1; nil if either is unknown
}

// Referrals counts who was referred by whom and compares what the referred are worth with the others. by returns who
// referred a customer, and false for nobody; reward is what is paid for each customer who was referred, to both sides
// together, and may be zero; a nil value leaves the values out.
//
// It returns an error that wraps [ErrNoNewCustomers] for no customers; and one if an ID is empty or a duplicate, a
// customer referred itself or was referred by one who was acquired later (both dates being known), or currencies differ.
func Referrals(customers []ledger.Customer, by func(customer string) (string, bool), value ValueOf, reward money.Amount) (*ReferralReport, error) {
	if len(customers) == 0 {
		return nil, prefixed(ErrNoNewCustomers)
	}
	if reward.Sign() < 0 {
		return nil, fail("%w: reward %s", ErrNonPositiveCost, reward)
	}
	rows := make(map[string]int, len(customers))
	for i, c := range customers {
		if first, ok := rows[c.ID]; c.ID == "" || ok {
			return nil, fail("%w", &ledger.RowError{Row: i + 1, Field: "id", Value: c.ID, Err: fmt.Errorf("empty or a duplicate of row %d", first+1)})
		}
		rows[c.ID] = i
	}
	out := &ReferralReport{Customers: len(customers)}
	referrers := map[string]bool{}
	var sums [2]money.Sum
	for i, c := range customers {
		from, ok := by(c.ID)
		group, sum := &out.Others, &sums[0]
		if ok {
			group, sum = &out.Referred, &sums[1]
			if err := checkReferral(customers, rows, c, from); err != nil {
				return nil, fail("%w", &ledger.RowError{Row: i + 1, Field: "referred by", Value: from, Err: err})
			}
			if _, known := rows[from]; known {
				referrers[from] = true
			} else {
				out.Outside++
			}
		}
		group.Customers++
		if value == nil {
			continue
		}
		if v, known := value(c.ID); known {
			if err := sameCurrency(v, reward); err != nil {
				return nil, fail("%w", &ledger.RowError{Row: i + 1, Field: "value", Value: v.String(), Err: err})
			}
			group.Valued++
			sum.Add(v)
		}
	}
	out.Referrers = len(referrers)
	return out, out.finish(&sums, reward)
}

func checkReferral(customers []ledger.Customer, rows map[string]int, c ledger.Customer, from string) error {
	if from == c.ID || from == "" {
		return errors.New("a customer cannot be referred by itself or by an empty name")
	}
	if i, ok := rows[from]; ok && !c.Acquired.IsZero() && customers[i].Acquired.After(c.Acquired) {
		return errors.New("acquired later than the customer it referred")
	}
	return nil
}

func (r *ReferralReport) finish(sums *[2]money.Sum, reward money.Amount) error {
	n := float64(r.Customers)
	r.Participation, r.Rate = float64(r.Referrers)/n, float64(r.Referred.Customers)/n
	if r.Referrers > 0 {
		r.PerReferrer = float64(r.Referred.Customers-r.Outside) / float64(r.Referrers)
	}
	for i, g := range []*ReferralGroup{&r.Others, &r.Referred} {
		var err error
		if g.Value, err = sums[i].Total(); err != nil {
			return prefixed(err)
		}
		if g.Valued > 0 {
			mean, _, err := perUnit(g.Value, int64(g.Valued))
			if err != nil {
				return err
			}
			g.Mean = &mean
		}
	}
	var err error
	if r.Rewards, err = timesInt(reward, int64(r.Referred.Customers)); err != nil {
		return err
	}
	if r.Referred.Customers > 0 {
		r.Cost = &reward
	}
	if r.Referred.Valued == r.Referred.Customers {
		if roi, err := ROI(r.Referred.Value, r.Rewards); err == nil {
			r.ROI = &roi
		}
	}
	if r.Referred.Valued > 0 && r.Others.Valued > 0 && r.Others.Value.Sign() > 0 {
		a := new(big.Rat).Quo(rat(r.Referred.Value), big.NewRat(int64(r.Referred.Valued), 1))
		b := new(big.Rat).Quo(rat(r.Others.Value), big.NewRat(int64(r.Others.Valued), 1))
		lift := float(a.Sub(a, b).Quo(a, b))
		r.Lift = &lift
	}
	return nil
}

// String returns the report as a short table.
func (r *ReferralReport) String() string {
	rows := [][]string{}
	for _, g := range []struct {
		name string
		ReferralGroup
	}{{"referred", r.Referred}, {"others", r.Others}} {
		mean := table.Undefined
		if g.Mean != nil {
			mean = g.Mean.String()
		}
		rows = append(rows, []string{g.name, fmt.Sprint(g.Customers), g.Value.String(), mean})
	}
	s := table.Text([]string{"group", "customers", "value", "mean"}, rows, 1)
	s += fmt.Sprintf("referral rate %s, %d referrers (%s of customers), %.2f referred by each\n", table.Percent(r.Rate, nil), r.Referrers, table.Percent(r.Participation, nil), r.PerReferrer)
	if r.ROI != nil {
		s += fmt.Sprintf("rewards %s, ROI %s\n", r.Rewards, table.Percent(*r.ROI, nil))
	}
	return s
}

// WriteCSV writes the two groups with the header group,customers,valued,value,mean_value,currency.
func (r *ReferralReport) WriteCSV(w io.Writer) error {
	var rows [][]string
	for _, g := range []struct {
		name string
		ReferralGroup
	}{{"referred", r.Referred}, {"others", r.Others}} {
		mean := ""
		if g.Mean != nil {
			mean = plain(*g.Mean)
		}
		rows = append(rows, []string{g.name, fmt.Sprint(g.Customers), fmt.Sprint(g.Valued), plain(g.Value), mean, string(g.Value.Currency())})
	}
	return table.CSV(w, []string{"group", "customers", "valued", "value", "mean_value", "currency"}, rows)
}
