package subscription

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A PeriodResult is what happened to recurring revenue in one period. The opening is the balance just before the
// period's start and the closing that just before its end, so what happens at the end belongs to the next period. To the
// minor unit,
//
//	Opening + New + Reactivation + Expansion - Contraction - Churn + FX = Closing
//
// All movements are positive; FX may have either sign. See [MovementKind] for what each of them is and [Policy] for the
// rules. With m(c, t) the MRR of customer c, S the customers at the opening t0, t1 the closing, the closed-cohort rates
// are, at the exchange rates of the opening,
//
//	NRR = sum over c in S of m(c, t1) / sum over c in S of m(c, t0)
//	GRR = sum over c in S of min(m(c, t0), m(c, t1)) / sum over c in S of m(c, t0)
//
// They look at two instants only: who came within the period does not enter, and who left and came back is retained. The
// flow rates are made of the movements instead and charge S also with what newer customers do; over more than a month
// that misleads. Every rate is undefined where its base is zero. "Customer" stands for the unit of the policy's grain.
type PeriodResult struct {
	Period   ledger.Period  `json:"period"`
	Policy   Policy         `json:"policy"`
	Currency money.Currency `json:"currency"`
	// Incomplete says that the period ends after the end of observation stated with Book.Until.
	Incomplete bool `json:"incomplete"`

	Opening      money.Amount `json:"opening"`
	New          money.Amount `json:"new"`
	Reactivation money.Amount `json:"reactivation"`
	Expansion    money.Amount `json:"expansion"`
	Contraction  money.Amount `json:"contraction"`
	Churn        money.Amount `json:"churn"`
	FX           money.Amount `json:"fx"`
	Closing      money.Amount `json:"closing"`

	DiscountExpiry money.Amount `json:"discount_expiry"` // the part of Expansion that ended discounts make
	Customers      Counts       `json:"customers"`

	NRR MoneyRate `json:"nrr"` // net revenue retention of the closed cohort
	GRR MoneyRate `json:"grr"` // gross revenue retention of the closed cohort, from 0 to 1

	FlowNRR MoneyRate `json:"flow_nrr"` // (Opening + Expansion + Reactivation - Contraction - Churn) / Opening
	FlowGRR MoneyRate `json:"flow_grr"` // (Opening - Contraction - Churn) / Opening; may be negative

	GrossChurn MoneyRate `json:"gross_churn"`  // (Churn + Contraction) / Opening
	NetChurn   MoneyRate `json:"net_churn"`    // (Churn + Contraction - Expansion - Reactivation) / Opening; may be negative
	NetChurnNR MoneyRate `json:"net_churn_nr"` // the same without Reactivation
	ChurnOnly  MoneyRate `json:"churn_only"`   // Churn / Opening
	Growth     MoneyRate `json:"growth"`       // (Closing - Opening) / Opening

	QuickRatio   MoneyRate `json:"quick_ratio"`    // (New + Reactivation + Expansion) / (Contraction + Churn)
	QuickRatioNR MoneyRate `json:"quick_ratio_nr"` // the same without Reactivation

	LogoChurn     CountRate `json:"logo_churn"`     // by the policy's LogoChurnRule
	LogoRetention CountRate `json:"logo_retention"` // customers at both ends over customers at the opening: CRR

	ARPA Mean `json:"arpa"` // Closing per paying customer at the closing
	ASP  Mean `json:"asp"`  // New per new customer

	Reasons Reasons `json:"reasons"` // the churn by its reason
}

// Counts are customers, or other units of the policy's grain. The numbers of movements close as the amounts do:
//
//	Opening + New + Reactivated - Churned = Closing
type Counts struct {
	Opening     int64 `json:"opening"`
	New         int64 `json:"new"`
	Reactivated int64 `json:"reactivated"`
	Expanded    int64 `json:"expanded"`   // number of expansions; in event mode a customer may have several
	Contracted  int64 `json:"contracted"` // number of contractions
	Churned     int64 `json:"churned"`    // number of churns; in event mode a customer may have several
	Closing     int64 `json:"closing"`

	Lost   int64 `json:"lost"`   // at the opening and not at the closing
	Joined int64 `json:"joined"` // at the closing and not at the opening: the N of CRR = (E - N) / S
	Paying int64 `json:"paying"` // at the closing with a positive MRR: without those who are paused or free
}

// rates fills in the rates.
func (x *figures) rates(r *PeriodResult) {
	s := x.sums
	inn, lost := s[NewBusiness-1].add(s[Expansion-1]), s[Contraction-1].add(s[Churn-1])
	netNR := lost.sub(s[Expansion-1])
	net := netNR.sub(s[Reactivation-1])
	o := x.opening
	r.NRR, r.GRR = x.rate(o.add(x.kept), o), x.rate(o.sub(x.lowered), o)
	r.FlowNRR, r.FlowGRR = x.rate(o.sub(net), o), x.rate(o.sub(lost), o)
	r.GrossChurn, r.NetChurn, r.NetChurnNR = x.rate(lost, o), x.rate(net, o), x.rate(netNR, o)
	r.ChurnOnly, r.Growth = x.rate(s[Churn-1], o), x.rate(x.closing.sub(o), o)
	r.QuickRatio, r.QuickRatioNR = x.rate(inn.add(s[Reactivation-1]), lost), x.rate(inn, lost)
	c := r.Customers
	r.LogoRetention = CountRate{c.Opening - c.Lost, c.Opening}
	r.LogoChurn = c.logoChurn(x.e.policy.LogoChurn)
	r.ARPA, r.ASP = x.mean(x.closing, c.Paying), x.mean(s[NewBusiness-1], c.New)
}

func (c Counts) logoChurn(rule LogoChurnRule) CountRate {
	switch rule {
	case ChurnsOverOpening:
		return CountRate{c.Churned, c.Opening}
	case ChurnsOverOpeningAndNew:
		return CountRate{c.Churned, c.Opening + c.New}
	case ChurnsLessReturns:
		return CountRate{c.Churned - c.Reactivated, c.Opening}
	}
	return CountRate{c.Lost, c.Opening}
}

func (x *figures) rate(part, base rational) MoneyRate {
	r, err := x.e.moneyRate(part, base)
	if err != nil && x.err == nil {
		x.err = err
	}
	return r
}

func (e *engine) moneyRate(part, base rational) (MoneyRate, error) {
	var r MoneyRate
	var err1, err2 error
	r.Part, err1 = e.scale.round(part)
	r.Base, err2 = e.scale.round(base)
	if base.sign() != 0 {
		r.value, r.ok = part.quo(base), true
	}
	if err1 != nil {
		return r, err1
	}
	return r, err2
}

func (x *figures) mean(total rational, count int64) Mean {
	m, err := x.e.mean(total, count)
	if err != nil && x.err == nil {
		x.err = err
	}
	return m
}

// LogoChurnBy returns the logo churn by another definition than that of the policy.
func (r *PeriodResult) LogoChurnBy(rule LogoChurnRule) CountRate { return r.Customers.logoChurn(rule) }

// LTV returns the simple lifetime value of a customer at the rates of this period, rounded to the minor unit half to even:
//
//	LTV = ARPA * margin / LogoChurn
//
// The margin is that of the contribution, from 0 to 1 (exclusive 0). It returns an error that wraps [ledger.ErrUndefined]
// if nobody pays, if logo churn is undefined, or if it is zero, since the formula has no finite value then.
func (r *PeriodResult) LTV(margin float64) (money.Amount, error) {
	if !r.LogoChurn.Defined() {
		return money.Amount{}, fmt.Errorf("subscription: LTV: logo churn of no customers: %w", ledger.ErrUndefined)
	}
	return ltv(r.ARPA, margin, fraction(r.LogoChurn.Part, r.LogoChurn.Base))
}

func ltv(arpa Mean, margin float64, churn rational) (money.Amount, error) {
	m, err := exactRate(margin)
	switch {
	case err != nil || m.sign() <= 0 || m.cmp(whole(1)) > 0:
		return money.Amount{}, fmt.Errorf("subscription: LTV: margin %v: not above 0 and at most 1", margin)
	case arpa.Count == 0:
		return money.Amount{}, fmt.Errorf("subscription: LTV: nobody pays: %w", ledger.ErrUndefined)
	case churn.sign() <= 0:
		return money.Amount{}, fmt.Errorf("subscription: LTV: churn %s is not positive: %w", percent(churn), ledger.ErrUndefined)
	}
	return arpa.scale.round(arpa.exact().mul(m).quo(churn))
}

// A ReasonShare is the churn of one reason and code.
type ReasonShare struct {
	Reason    Reason       `json:"reason"`
	Code      string       `json:"code,omitempty"`
	Customers int64        `json:"customers"` // number of churns
	MRR       money.Amount `json:"mrr"`
}

// Reasons splits a period's churn. Voluntary, involuntary and unknown add up to it, in customers and to the minor unit.
type Reasons []ReasonShare

// Of returns the churn of one reason, whatever its code: the number of churns and their MRR.
func (rs Reasons) Of(reason Reason) (customers int64, mrr money.Amount) {
	var sum money.Sum
	for _, r := range rs {
		if r.Reason == reason {
			customers += r.Customers
			sum.Add(r.MRR)
		}
	}
	mrr, _ = sum.Total() // one currency
	return customers, mrr
}

// String returns the reasons as "voluntary 2 USD 30.00, involuntary (card_expired) 1 USD 10.00", and "none" for none.
func (rs Reasons) String() string {
	if len(rs) == 0 {
		return "none"
	}
	var parts []string
	for _, r := range rs {
		label := r.Reason.String()
		if r.Code != "" {
			label += " (" + r.Code + ")"
		}
		parts = append(parts, fmt.Sprintf("%s %d %s", label, r.Customers, r.MRR))
	}
	return strings.Join(parts, ", ")
}

// String returns the period as a table of one row.
func (r PeriodResult) String() string {
	return (&RollForward{Policy: r.Policy, Periods: []PeriodResult{r}}).String()
}

// String returns an aligned table of amounts, customers and the main rates. A period that is not complete has an
// asterisk.
func (t *RollForward) String() string {
	rows := [][]string{{"period", "opening", "new", "reactivation", "expansion", "contraction", "churn", "fx", "closing",
		"customers", "NRR", "GRR", "logo churn"}}
	for i := range t.Periods {
		r := &t.Periods[i]
		label := r.Period.String()
		if r.Incomplete {
			label += "*"
		}
		row := []string{label}
		for _, a := range r.lines() {
			row = append(row, plain(a))
		}
		rows = append(rows, append(row, strconv.FormatInt(r.Customers.Closing, 10), r.NRR.String(), r.GRR.String(), r.LogoChurn.String()))
	}
	title := "MRR"
	if len(t.Periods) > 0 && t.Periods[0].Currency != "" {
		title += " in " + string(t.Periods[0].Currency)
	}
	return title + t.Policy.title() + "\n" + table(rows)
}

func (p Policy) title() string {
	if p.Name == "" {
		return ""
	}
	return ", policy " + p.Name
}

func (r *PeriodResult) lines() []money.Amount {
	return []money.Amount{r.Opening, r.New, r.Reactivation, r.Expansion, r.Contraction, r.Churn, r.FX, r.Closing}
}

// WriteCSV writes one record for each period, with a header. Times are RFC 3339, amounts plain decimals, rates plain
// numbers and empty where they are undefined.
func (t *RollForward) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	header := []string{"start", "end", "incomplete", "policy", "currency", "opening", "new", "reactivation", "expansion", "contraction",
		"churn", "fx", "closing", "discount_expiry", "customers_opening", "customers_new", "customers_reactivated",
		"customers_expanded", "customers_contracted", "customers_churned", "customers_closing", "customers_lost",
		"customers_joined", "customers_paying", "nrr", "grr", "flow_nrr", "flow_grr", "gross_churn", "net_churn", "growth", "quick_ratio",
		"logo_churn", "logo_retention", "arpa", "asp"}
	if err := c.Write(header); err != nil {
		return err
	}
	for i := range t.Periods {
		if err := c.Write(t.Periods[i].record()); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (r *PeriodResult) record() []string {
	out := []string{r.Period.Start.Format(time.RFC3339), r.Period.End.Format(time.RFC3339), strconv.FormatBool(r.Incomplete),
		r.Policy.Name, string(r.Currency)}
	for _, a := range append(r.lines(), r.DiscountExpiry) {
		out = append(out, plain(a))
	}
	n := r.Customers
	for _, v := range []int64{n.Opening, n.New, n.Reactivated, n.Expanded, n.Contracted, n.Churned, n.Closing, n.Lost, n.Joined, n.Paying} {
		out = append(out, strconv.FormatInt(v, 10))
	}
	for _, v := range []interface{ Value() (float64, error) }{r.NRR, r.GRR, r.FlowNRR, r.FlowGRR, r.GrossChurn, r.NetChurn, r.Growth,
		r.QuickRatio, r.LogoChurn, r.LogoRetention} {
		out = append(out, number(v))
	}
	return append(out, meanText(r.ARPA), meanText(r.ASP))
}

func number(r interface{ Value() (float64, error) }) string {
	v, err := r.Value()
	if err != nil {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func meanText(m Mean) string {
	a, err := m.Value()
	if err != nil {
		return ""
	}
	return plain(a)
}

// plain is the amount without its currency.
func plain(a money.Amount) string { return a.Number() }

// table aligns rows: the first column to the left, the others to the right.
func table(rows [][]string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	width := 0
	for _, row := range rows {
		width = max(width, len([]rune(row[0])))
	}
	for _, row := range rows {
		first := row[0] + strings.Repeat(" ", width-len([]rune(row[0])))
		fmt.Fprintln(w, first+"\t"+strings.Join(row[1:], "\t")+"\t")
	}
	_ = w.Flush() // a strings.Builder never fails
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(line, "  "), " ")
	}
	return strings.Join(lines, "\n")
}
