package cohort

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/custval/custval/internal/text"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// Options of a projection. The zero value, and a nil pointer, are the defaults.
type Options struct {
	Tail     float64        // growth from the oldest age to the ultimate value, such as 1.05; 0 means 1: none
	Rounding money.Rounding // of the projected amounts to the minor unit; half to even if zero
}

func (o *Options) withDefaults() (Options, error) {
	r := Options{Tail: 1}
	if o != nil {
		r = *o
		if r.Tail == 0 {
			r.Tail = 1
		}
	}
	if !(r.Tail > 0) || math.IsInf(r.Tail, 1) {
		return r, fmt.Errorf("cohort: tail factor %v: want a positive finite number, 1 for no growth", r.Tail)
	}
	return r, nil
}

// A Projection is what each cohort is expected to be worth in the end.
type Projection struct {
	Method  string    `json:"method"`  // chain_ladder, bornhuetter_ferguson or cape_cod
	Factors []float64 `json:"factors"` // growth from age j to j+1
	Sigma   []float64 `json:"sigma"`   // Mack's sigma of each factor; 0 where one cohort alone shows it and no other says more
	Tail    float64   `json:"tail"`    // growth beyond the oldest age
	Rows    []Future  `json:"rows"`    // one a cohort
	Total   Future    `json:"total"`   // of all cohorts
}

// A Future is one cohort's projection.
type Future struct {
	Cohort    string       `json:"cohort"`
	Customers int          `json:"customers,omitempty"`
	Latest    money.Amount `json:"latest"`            // value so far
	Ultimate  money.Amount `json:"ultimate"`          // value in the end
	Future    money.Amount `json:"future"`            // ultimate less latest
	StdErr    money.Amount `json:"std_err"`           // Mack's standard error of Future; zero for methods without one
	Mature    float64      `json:"mature"`            // latest as a share of the ultimate by the factors alone
	PerHead   money.Amount `json:"per_head,omitzero"` // ultimate a customer; the zero Amount if Customers is 0
}

// ladder is the arithmetic that the methods share.
type ladder struct {
	cells  [][]float64 // observed
	full   [][]float64 // completed by the factors
	factor []float64
	sigma2 []float64
	volume []float64 // sum of the cells that factor j divides by
	tail   float64
}

// ChainLadder completes the triangle with volume-weighted factors:
//
//	f_j = sum of C_i,j+1 / sum of C_i,j        over the cohorts i that show both ages
//	ultimate of i = latest of i * f_k * ... * f_(n-2) * tail
//
// with the standard errors of Mack, Distribution-free calculation of the standard error of chain ladder reserve
// estimates, ASTIN Bulletin 23(2), 1993: for a cohort its theorem 3, for the total its corollary, the last variance
// extrapolated as there. The tail factor is taken as known.
//
// ChainLadder returns an error if the triangle does not validate and one that wraps ledger.ErrUndefined if the cohorts
// that show two ages have no positive value at one of them.
func ChainLadder(t *Triangle, o *Options) (*Projection, error) {
	options, l, err := climb(t, o)
	if err != nil {
		return nil, err
	}
	ultimates := make([]float64, len(l.full))
	for i, row := range l.full {
		ultimates[i] = row[len(row)-1] * l.tail
	}
	p, err := l.projection(t, "chain_ladder", ultimates, options)
	if err != nil {
		return nil, err
	}
	return p, l.mack(t, p, options)
}

func climb(t *Triangle, o *Options) (Options, *ladder, error) {
	options, err := o.withDefaults()
	if err != nil {
		return options, nil, err
	}
	if err := t.Validate(); err != nil {
		return options, nil, err
	}
	l := &ladder{cells: t.floats(), tail: options.Tail}
	for j := range t.ages() - 1 {
		var now, next float64
		for _, row := range l.cells {
			if len(row) > j+1 {
				now, next = now+row[j], next+row[j+1]
			}
		}
		if !(now > 0 && next > 0) {
			return options, nil, fmt.Errorf("cohort: growth from age %d to %d: from a value of %v to %v: %w", j, j+1, now, next, ledger.ErrUndefined)
		}
		l.factor, l.volume = append(l.factor, next/now), append(l.volume, now)
	}
	l.variances()
	for _, row := range l.cells {
		full := append([]float64(nil), row...)
		for j := len(row) - 1; j < len(l.factor); j++ {
			full = append(full, full[j]*l.factor[j])
		}
		l.full = append(l.full, full)
	}
	return options, l, nil
}

// variances estimates Mack's sigma^2 of each factor from the cohorts with a positive value; one that rests on a single
// cohort is extrapolated from the two before it.
func (l *ladder) variances() {
	for j, f := range l.factor {
		sum, n := 0.0, -1.0
		for _, row := range l.cells {
			if len(row) > j+1 && row[j] > 0 {
				d := row[j+1] - f*row[j]
				sum, n = sum+d*d/row[j], n+1
			}
		}
		switch {
		case n > 0:
			l.sigma2 = append(l.sigma2, sum/n)
		case j >= 2 && l.sigma2[j-2] > 0:
			a, b := l.sigma2[j-2], l.sigma2[j-1]
			l.sigma2 = append(l.sigma2, min(b*b/a, a, b))
		default:
			l.sigma2 = append(l.sigma2, 0)
		}
	}
}

// projection turns ultimates into money.
func (l *ladder) projection(t *Triangle, method string, ultimates []float64, o Options) (*Projection, error) {
	p := &Projection{Method: method, Factors: l.factor, Tail: o.Tail}
	for _, s := range l.sigma2 {
		p.Sigma = append(p.Sigma, math.Sqrt(s))
	}
	parts, err := amounts(ultimates, t.currency(), o.Rounding)
	if err != nil {
		return nil, fmt.Errorf("cohort: %w", err)
	}
	var latest, ultimate, future money.Sum
	var shown, developed float64
	for i, r := range t.Rows {
		f := Future{Cohort: r.Cohort, Customers: r.Customers, Latest: r.Cumulative[len(r.Cumulative)-1], Ultimate: parts[i]}
		if f.Future, err = f.Ultimate.Sub(f.Latest); err != nil {
			return nil, fmt.Errorf("cohort: %s: %w", r.Cohort, err)
		}
		if r.Customers > 0 {
			if f.PerHead, err = f.Ultimate.MulRat(1, int64(r.Customers), o.Rounding); err != nil {
				return nil, fmt.Errorf("cohort: %s: %w", r.Cohort, err)
			}
		}
		f.Mature = 1 / (l.growth(len(r.Cumulative)-1) * l.tail)
		shown += l.cells[i][len(l.cells[i])-1]
		developed += l.cells[i][len(l.cells[i])-1] / f.Mature
		latest.Add(f.Latest)
		ultimate.Add(f.Ultimate)
		future.Add(f.Future)
		p.Total.Customers += r.Customers
		p.Rows = append(p.Rows, f)
	}
	p.Total.Cohort = "total"
	if developed > 0 {
		p.Total.Mature = shown / developed
	}
	var errs [4]error
	p.Total.Latest, errs[0] = latest.Total()
	p.Total.Ultimate, errs[1] = ultimate.Total()
	p.Total.Future, errs[2] = future.Total()
	if p.Total.Customers > 0 && errs[1] == nil {
		p.Total.PerHead, errs[3] = p.Total.Ultimate.MulRat(1, int64(p.Total.Customers), o.Rounding)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("cohort: %w", err)
	}
	return p, nil
}

// growth returns the product of the factors from an age on, without the tail.
func (l *ladder) growth(age int) float64 {
	g := 1.0
	for _, f := range l.factor[age:] {
		g *= f
	}
	return g
}

// amounts rounds the total of the values to money and gives each its part, so that the parts add up and none is more
// than one minor unit away from its value. Where one is negative each is rounded for itself.
func amounts(values []float64, c money.Currency, r money.Rounding) ([]money.Amount, error) {
	total := 0.0
	for _, v := range values {
		total += v
	}
	sum, err := toMoney(total, c, r)
	if err != nil {
		return nil, err
	}
	if total > 0 && slices.Min(values) >= 0 {
		return sum.AllocateBy(values)
	}
	parts := make([]money.Amount, len(values))
	for i, v := range values {
		if parts[i], err = toMoney(v, c, r); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// toMoney rounds a projected value; a triangle of zero Amounts has no currency and stays so.
func toMoney(v float64, c money.Currency, r money.Rounding) (money.Amount, error) {
	if c == "" && v == 0 {
		return money.Amount{}, nil
	}
	return money.FromFloat(v, c, r)
}

// mack fills the standard errors.
func (l *ladder) mack(t *Triangle, p *Projection, o Options) error {
	total, younger := 0.0, 0.0 // younger is the sum of the ultimates of the cohorts after i
	for i := len(l.cells) - 1; i >= 0; i-- {
		last := len(l.cells[i]) - 1
		ultimate := l.full[i][len(l.full[i])-1]
		var own, shared float64
		for j := last; j < len(l.factor); j++ {
			if l.full[i][j] <= 0 || l.factor[j] == 0 {
				continue
			}
			v := l.sigma2[j] / (l.factor[j] * l.factor[j])
			own += v * (1/l.full[i][j] + 1/l.volume[j])
			shared += 2 * v / l.volume[j]
		}
		mse := ultimate * ultimate * own
		total += mse + ultimate*younger*shared
		younger += ultimate
		var err error
		if p.Rows[i].StdErr, err = toMoney(l.tail*math.Sqrt(mse), t.currency(), o.Rounding); err != nil {
			return fmt.Errorf("cohort: %s: %w", p.Rows[i].Cohort, err)
		}
	}
	var err error
	p.Total.StdErr, err = toMoney(l.tail*math.Sqrt(max(0, total)), t.currency(), o.Rounding)
	return err
}

// BornhuetterFerguson adds to the latest value of each cohort the part of an expected ultimate value that the factors
// say is still to come:
//
//	ultimate of i = latest of i + (1 - mature_i) * expected_i
//
// Expected has one amount a cohort, in the triangle's order. Source: R. Bornhuetter, R. Ferguson, The actuary and IBNR,
// Proceedings of the Casualty Actuarial Society 59, 1972.
//
// Errors are those of ChainLadder, and one for a wrong number of expected values or another currency.
func BornhuetterFerguson(t *Triangle, expected []money.Amount, o *Options) (*Projection, error) {
	options, l, err := climb(t, o)
	if err != nil {
		return nil, err
	}
	if len(expected) != len(t.Rows) {
		return nil, fmt.Errorf("cohort: %d expected values for %d cohorts", len(expected), len(t.Rows))
	}
	ultimates := make([]float64, len(t.Rows))
	for i, e := range expected {
		if e.Currency() != "" && e.Currency() != t.currency() {
			return nil, fmt.Errorf("cohort: %s: expected value in %s, the triangle is in %s", t.Rows[i].Cohort, e.Currency(), t.currency())
		}
		ultimates[i] = l.leaning(i, e.Float64())
	}
	return l.projection(t, "bornhuetter_ferguson", ultimates, options)
}

// leaning returns the latest value plus the immature part of an expectation.
func (l *ladder) leaning(i int, expected float64) float64 {
	last := len(l.cells[i]) - 1
	return l.cells[i][last] + (1-1/(l.growth(last)*l.tail))*expected
}

// CapeCod is BornhuetterFerguson with an expectation from the triangle itself: every customer is expected to be worth
//
//	sum of latest values / sum of customers * mature
//
// It returns an error that wraps ledger.ErrUndefined if no cohort has customers.
func CapeCod(t *Triangle, o *Options) (*Projection, error) {
	options, l, err := climb(t, o)
	if err != nil {
		return nil, err
	}
	var value, used float64
	for i, r := range t.Rows {
		last := len(l.cells[i]) - 1
		value += l.cells[i][last]
		used += float64(r.Customers) / (l.growth(last) * l.tail)
	}
	if used == 0 {
		return nil, fmt.Errorf("cohort: value a customer: no customers: %w", ledger.ErrUndefined)
	}
	ultimates := make([]float64, len(t.Rows))
	for i, r := range t.Rows {
		ultimates[i] = l.leaning(i, value/used*float64(r.Customers))
	}
	return l.projection(t, "cape_cod", ultimates, options)
}

func (p *Projection) records() [][]string {
	records := [][]string{{"cohort", "customers", "latest", "mature", "ultimate", "future", "std_err", "per_head"}}
	for _, f := range append(append([]Future(nil), p.Rows...), p.Total) {
		records = append(records, []string{f.Cohort, strconv.Itoa(f.Customers), f.Latest.Number(),
			strconv.FormatFloat(f.Mature, 'f', 4, 64), f.Ultimate.Number(), f.Future.Number(), f.StdErr.Number(), f.PerHead.Number()})
	}
	return records
}

// WriteCSV writes one row a cohort and the total.
func (p *Projection) WriteCSV(w io.Writer) error { return csv.NewWriter(w).WriteAll(p.records()) }

// String returns the projection as aligned text.
func (p *Projection) String() string { return text.Aligned(p.records()) }
