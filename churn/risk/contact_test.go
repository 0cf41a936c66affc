package risk

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/money"
)

func contactsOf(t testing.TB, ps []Prospect, o ContactOptions) *ContactList {
	t.Helper()
	l, err := Contacts(ps, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func names(l *ContactList) string {
	s := ""
	for _, r := range l.Rows {
		s += r.Customer
	}
	return s
}

func TestContacts(t *testing.T) {
	half := .5
	ps := []Prospect{
		{Customer: "a", Risk: .8, Value: eur("300")},                // saves 72, costs 2 + .24*10 + .2*10 = 6.40: 65.60
		{Customer: "b", Risk: .9, Value: eur("10")},                 // saves 2.70, costs 2 + 3.70: does not pay
		{Customer: "c", Risk: .01, Value: eur("5000")},              // saves 15, costs 2 + 9.93: 3.07
		{Customer: "d", Risk: .4, Value: eur("300"), Accept: &half}, // saves 60, costs 2 + 8: 50
		{Customer: "e", Risk: .4, Value: eur("300")},                // saves 36, costs 2 + 7.20: 26.80
		{Customer: "f", Risk: 0, Value: eur("9000")},                // nothing to save
		{Customer: "g", Risk: .4, Value: eur("-300")},
	}
	o := ContactOptions{Contact: eur("2"), Incentive: eur("10"), Accept: .3}
	l := contactsOf(t, ps, o)
	var got [][4]string
	for _, r := range l.Rows {
		got = append(got, [4]string{r.Customer, r.Saved.Number(), r.Cost.Number(), r.Gain.Number()})
	}
	want := [][4]string{{"a", "72.00", "6.40", "65.60"}, {"d", "60.00", "10.00", "50.00"}, {"e", "36.00", "9.20", "26.80"}, {"c", "15.00", "11.93", "3.07"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if l.Considered != 7 || l.Paying != 4 || !near(l.Kept, .24+.2+.12+.003, 1e-12) || l.Saved.String() != "EUR 183.00" || l.Cost.String() != "EUR 37.53" ||
		l.Gain.String() != "EUR 145.47" {
		t.Errorf("totals %+v", l)
	}
	for _, c := range []struct {
		name   string
		change func(*ContactOptions)
		want   string
	}{
		{"most", func(o *ContactOptions) { o.Most = 2 }, "ad"},
		{"least gain", func(o *ContactOptions) { o.MinGain = eur("26.80") }, "ad"},
		{"no offer to those who stay", func(o *ContactOptions) { o.Decline = 1 }, "adec"}, // c: costs 2.03, gain 12.97
		{"share of the value", func(o *ContactOptions) { o.IncentiveShare = .1 }, "ade"},  // e: 36 - 2 - .72 (10 + 30) = 5.20, c: 15 - 2 - .993 (10 + 500) < 0
		{"budget", func(o *ContactOptions) { o.Budget = eur("16.50") }, "ad"},
		{"budget that passes one over", func(o *ContactOptions) { o.Budget = eur("16") }, "ae"},
		{"budget and most", func(o *ContactOptions) { o.Budget = eur("100"); o.Most = 1 }, "a"},
	} {
		o := o
		c.change(&o)
		if got := names(contactsOf(t, ps, o)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if l := contactsOf(t, nil, o); len(l.Rows) != 0 || l.Gain.Sign() != 0 {
		t.Errorf("nobody: %+v", l)
	}
	if l := contactsOf(t, []Prospect{{Customer: "x", Risk: 1}}, ContactOptions{Accept: 1}); len(l.Rows) != 0 {
		t.Errorf("no money: %+v", l)
	}
}

// With one value for all, the list is everybody above the break-even risk, and its gain is that of the campaign.
func TestContactsAgreeWithCampaign(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	c := Campaign{eur("200"), eur("10"), eur("1")}
	even, err := c.BreakEvenRisk(.3)
	if err != nil {
		t.Fatal(err)
	}
	if !near(even, 11./67, 1e-15) {
		t.Errorf("break-even %v", even)
	}
	var ps []Prospect
	above := 0
	for i := range 2000 {
		p := Prospect{Customer: strconv.Itoa(i), Risk: r.Float64(), Value: eur("200")}
		if math.Abs(p.Risk-even) < 1e-3 {
			continue
		}
		above += b2i(p.Risk > even)
		ps = append(ps, p)
	}
	l := contactsOf(t, ps, ContactOptions{Contact: c.Contact, Incentive: c.Incentive, Accept: .3})
	if len(l.Rows) != above {
		t.Errorf("%d rows, %d above the break-even risk", len(l.Rows), above)
	}
	f, _, err := c.floats()
	if err != nil {
		t.Fatal(err)
	}
	var sum money.Sum
	for i, row := range l.Rows {
		if row.Rank != i+1 || row.Risk <= even {
			t.Fatalf("row %+v", row)
		}
		want := f.gain(.3, row.Risk, 1-row.Risk)
		if math.Abs(row.Gain.Float64()-want) > .005000001 {
			t.Fatalf("gain %v, want %v", row.Gain, want)
		}
		both, err := row.Gain.Add(row.Cost)
		if err != nil || !both.Equal(row.Saved) {
			t.Fatalf("row does not add up: %+v", row)
		}
		sum.Add(row.Gain)
	}
	if total, err := sum.Total(); err != nil || !total.Equal(l.Gain) {
		t.Errorf("rows sum to %v, total %v", total, l.Gain)
	}
	// Order does not matter.
	given := slices.Clone(ps)
	r.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
	if diff := cmp.Diff(l, contactsOf(t, given, ContactOptions{Contact: c.Contact, Incentive: c.Incentive, Accept: .3})); diff != "" {
		t.Error(diff)
	}
	nan, err := Campaign{eur("20"), eur("10"), eur("4")}.BreakEvenRisk(.4)
	if err != nil || !math.IsNaN(nan) {
		t.Errorf("break-even where nothing pays: %v, %v", nan, err)
	}
}

func TestContactErrors(t *testing.T) {
	two := 2.0
	good := Prospect{Customer: "a", Risk: .5, Value: eur("100")}
	ok := ContactOptions{Contact: eur("1"), Accept: .3}
	for _, c := range []struct {
		name string
		p    Prospect
		o    ContactOptions
		want string
	}{
		{"name", Prospect{Risk: .5}, ok, `risk: row 2: field "customer": value "": no customer`},
		{"twice", good, ok, `risk: row 2: field "customer": value "a": there twice`},
		{"risk", Prospect{Customer: "b", Risk: 1.2}, ok, `risk: row 2: field "risk": value "1.2": want a probability between 0 and 1`},
		{"NaN", Prospect{Customer: "b", Risk: math.NaN()}, ok, `risk: row 2: field "risk": value "NaN": want a probability between 0 and 1`},
		{"accept", Prospect{Customer: "b", Accept: &two}, ok, `risk: row 2: field "accept": value "2": want a probability between 0 and 1`},
		{"currency", Prospect{Customer: "b", Value: money.MustParse("1", "USD")}, ok, `risk: row 2: field "value": value "USD 1.00": money: ...`},
		{"no accept", Prospect{Customer: "b"}, ContactOptions{}, "risk: option Accept: not set, and not every prospect has its own"},
		{"accept option", good, ContactOptions{Accept: 2}, "risk: option Accept: 2 is not between 0 and 1"},
		{"decline", good, ContactOptions{Accept: 1, Decline: -1}, "risk: option Decline: -1 is not between 0 and 1"},
		{"share", good, ContactOptions{Accept: 1, IncentiveShare: math.NaN()}, "risk: option IncentiveShare: NaN is not between 0 and 1"},
		{"most", good, ContactOptions{Accept: 1, Most: -1}, "risk: option Most: -1 is negative"},
		{"contact", good, ContactOptions{Accept: 1, Contact: eur("-1")}, "risk: option Contact: EUR -1.00 is negative"},
		{"mixed", good, ContactOptions{Accept: 1, Contact: eur("1"), Budget: money.MustParse("1", "USD")}, "risk: option Budget: money: ..."},
	} {
		l, err := Contacts([]Prospect{good, c.p}, c.o)
		errorText(t, c.name, err, c.want)
		if l != nil {
			t.Errorf("%s: a list with the error", c.name)
		}
	}
}
