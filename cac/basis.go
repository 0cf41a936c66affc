package cac

import (
	"fmt"
	"maps"
	"slices"
)

// A Category is what a cost was for.
type Category string

// The categories. A cost of none of them is [Other] with a label of its own.
const (
	PaidMedia  Category = "paid_media"    // what media and platforms are paid for reach and clicks
	Payroll    Category = "payroll"       // salaries, by accrual
	Benefits   Category = "benefits"      // social security, insurance, bonuses
	Commission Category = "commission"    // paid on the deal, on its date
	Travel     Category = "travel"        // travel and events away from home
	Tools      Category = "tools"         // software and data
	Agency     Category = "agency"        // agencies and freelancers
	Content    Category = "content_seo"   // content, creative, search engine optimisation
	Executive  Category = "executive_pay" // the part of executives' pay that goes to sales and marketing
	Other      Category = "other"         // anything else, named by Cost.Label
)

// Categories returns all categories in the order of their declaration.
func Categories() []Category {
	return []Category{PaidMedia, Payroll, Benefits, Commission, Travel, Tools, Agency, Content, Executive, Other}
}

// A Function is the department that a cost belongs to.
type Function string

// The two functions. The empty Function means marketing.
const (
	Marketing Function = "marketing"
	Sales     Function = "sales"
)

// A Basis is the rule that says which cost lines enter an acquisition cost, and with what share. The zero Basis is
// [FullyLoaded]: every line counts in full. Sources use one word for several rules ("blended" is marketing only for some
// and everything for others), so each figure carries its Basis. A share of a line is exact and may have more digits than
// the minor unit.
type Basis struct {
	Name       string               `json:"name"`                         // what the figure is called
	Functions  []Function           `json:"functions,omitempty"`          // the functions that count; empty for both
	Categories []Category           `json:"categories,omitempty"`         // the categories that count; empty for all
	Shares     map[Category]float64 `json:"shares,omitempty"`             // the part of a category that counts, 0 to 1; a category that is absent counts in full
	NewShare   float64              `json:"new_business_share,omitempty"` // the part of everything that wins new customers, 0 to 1; 0 means 1
}

// Paid is paid media only. Its usual denominator is the customers of paid channels, [NewPaid].
func Paid() Basis { return Basis{Name: "paid", Categories: []Category{PaidMedia}} }

// PaidWithAgency is paid media and the agencies that place it.
func PaidWithAgency() Basis {
	return Basis{Name: "paid with agency", Categories: []Category{PaidMedia, Agency}}
}

// Blended is all of marketing and no sales, over customers from any source. Where "blended" is to mean all of sales and
// marketing, use [FullyLoaded].
func Blended() Basis { return Basis{Name: "blended", Functions: []Function{Marketing}} }

// FullyLoaded is every line: sales and marketing with payroll, tools and overhead.
func FullyLoaded() Basis { return Basis{Name: "fully loaded"} }

// NewLogo is the share of the fully loaded cost that is spent on winning new customers rather than on expanding the
// ones there are. The share is a rule of the business and should be constant over time; it is above 0 and at most 1.
func NewLogo(share float64) Basis { return Basis{Name: "new logo", NewShare: share} }

// String returns the basis' name.
func (b Basis) String() string { return b.name() }

func (b Basis) name() string {
	switch {
	case b.Name != "":
		return b.Name
	case len(b.Functions)+len(b.Categories)+len(b.Shares) == 0 && (b.NewShare == 0 || b.NewShare == 1):
		return FullyLoaded().Name
	default:
		return "custom"
	}
}

// Validate returns an error if a function or category is unknown or a share is not between 0 and 1.
func (b Basis) Validate() error {
	for _, f := range b.Functions {
		if err := f.validate(); err != nil {
			return fail("basis %q: %w", b.name(), err)
		}
	}
	for _, c := range append(slices.Clone(b.Categories), slices.Sorted(maps.Keys(b.Shares))...) {
		if !slices.Contains(Categories(), c) {
			return fail("basis %q: unknown category %q", b.name(), string(c))
		}
	}
	for _, c := range slices.Sorted(maps.Keys(b.Shares)) {
		if s := b.Shares[c]; !(s >= 0 && s <= 1) {
			return fail("basis %q: share %v of %s: not between 0 and 1", b.name(), s, c)
		}
	}
	if !(b.NewShare >= 0 && b.NewShare <= 1) {
		return fail("basis %q: new-business share %v: not between 0 and 1", b.name(), b.NewShare)
	}
	return nil
}

// Equal reports whether two bases count the same lines with the same shares, whatever their names.
func (b Basis) Equal(o Basis) bool {
	for _, f := range []Function{Marketing, Sales} {
		for _, c := range Categories() {
			if b.Share(c, f) != o.Share(c, f) {
				return false
			}
		}
	}
	return b.newShare() == o.newShare()
}

// Share returns the part of a line of that category and function that counts, before the new-business share: 0 for a
// line that does not.
func (b Basis) Share(c Category, f Function) float64 {
	if c == "" {
		c = Other
	}
	if f == "" {
		f = Marketing
	}
	if len(b.Functions) > 0 && !slices.Contains(b.Functions, f) && (f != Marketing || !slices.Contains(b.Functions, "")) {
		return 0
	}
	if len(b.Categories) > 0 && !slices.Contains(b.Categories, c) {
		return 0
	}
	if s, ok := b.Shares[c]; ok {
		return s
	}
	return 1
}

func (b Basis) newShare() float64 {
	if b.NewShare == 0 {
		return 1
	}
	return b.NewShare
}

// usual returns the denominator that goes with the basis where none is named.
func (b Basis) usual() Denominator {
	for _, c := range Categories() {
		if c != PaidMedia && c != Agency && (b.Share(c, Marketing) > 0 || b.Share(c, Sales) > 0) {
			return NewAll
		}
	}
	return NewPaid
}

func (f Function) validate() error {
	if f != "" && f != Marketing && f != Sales {
		return fmt.Errorf("unknown function %q", string(f))
	}
	return nil
}

// A Denominator says which new customers a cost is divided by. A new customer is one whose first paid order falls in
// the period: a trial is none until its first payment, and one who comes back is not new.
type Denominator string

// The denominators. In options the empty Denominator means the one that is usual for the basis: NewPaid for paid
// media (with agencies or without), NewAll for everything else.
const (
	NewAll  Denominator = "new_customers"      // all new customers, from whatever source
	NewPaid Denominator = "new_customers_paid" // new customers of paid channels only
	NetNew  Denominator = "net_new_customers"  // new customers who are still valid after the refund window
)

func (d Denominator) validate() error {
	switch d {
	case "", NewAll, NewPaid, NetNew:
		return nil
	}
	return fail("unknown denominator %q", string(d))
}

func (b Basis) clone() Basis {
	b.Name = b.name()
	b.Functions, b.Categories, b.Shares = slices.Clone(b.Functions), slices.Clone(b.Categories), maps.Clone(b.Shares)
	return b
}
