package survival

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/churn/internal/table"
	"github.com/custval/custval/internal/radix"
	"github.com/custval/custval/ledger"
)

// A Weighting says how much each time counts in a comparison of survival curves. With n at risk and S the pooled
// Kaplan-Meier estimate just before the time, the weights are
//
//	LogRank            1                      best against proportional hazards
//	GehanWilcoxon      n                      early differences; depends on the censoring
//	TaroneWare         sqrt(n)                between the two
//	PetoPeto           S                      early differences; R's rho = 1
//	FlemingHarrington  S^Rho (1-S)^Gamma      any stretch; LogRank for 0, 0 and PetoPeto for 1, 0
type Weighting uint8

// The weightings. The name of the last is short because [FlemingHarrington] is a curve.
const (
	LogRank Weighting = iota
	GehanWilcoxon
	TaroneWare
	PetoPeto
	RhoGamma // Fleming and Harrington's
)

var weightingNames = []string{"log-rank", "gehan-wilcoxon", "tarone-ware", "peto-peto", "fleming-harrington"}

// String returns the usual name of the test.
func (w Weighting) String() string { return table.Name(weightingNames, int(w)) }

// MarshalText writes the name of the test.
func (w Weighting) MarshalText() ([]byte, error) {
	return table.MarshalName("survival: no weighting", weightingNames, int(w))
}

// UnmarshalText reads the name of a test.
func (w *Weighting) UnmarshalText(text []byte) error {
	i, err := table.UnmarshalName("survival: no weighting", weightingNames, text)
	*w = Weighting(i)
	return err
}

// TestOptions control a comparison. The zero value, and a nil pointer, are the defaults.
type TestOptions struct {
	Weighting  Weighting // zero is LogRank
	Rho, Gamma float64   // powers for RhoGamma; not negative
	Strata     By        // compares within strata and adds up; nil means one stratum
}

func (o *TestOptions) validate() error {
	switch {
	case o == nil:
		return nil
	case int(o.Weighting) >= len(weightingNames):
		return fmt.Errorf("survival: option Weighting: no weighting %d", o.Weighting)
	case !(o.Rho >= 0) || math.IsInf(o.Rho, 1):
		return fmt.Errorf("survival: option Rho: %v is not a number from 0", o.Rho)
	case !(o.Gamma >= 0) || math.IsInf(o.Gamma, 1):
		return fmt.Errorf("survival: option Gamma: %v is not a number from 0", o.Gamma)
	case o.Weighting != RhoGamma && (o.Rho != 0 || o.Gamma != 0):
		return fmt.Errorf("survival: options Rho and Gamma need Weighting RhoGamma, not %v", o.Weighting)
	}
	return nil
}

// A Comparison is the test that several groups have the same survival.
type Comparison struct {
	Weighting Weighting    `json:"weighting"`
	Rho       float64      `json:"rho"`
	Gamma     float64      `json:"gamma"`
	Groups    []GroupCount `json:"groups"` // in the order of their names
	Score     []float64    `json:"score"`  // weighted observed less expected events of each group; they sum to 0
	Cov       [][]float64  `json:"cov"`    // of Score
	ChiSquare float64      `json:"chi_square"`
	DF        int          `json:"df"` // groups with any risk of an event, less one
	P         float64      `json:"p"`
}

// A GroupCount is one group of a [Comparison].
type GroupCount struct {
	Group     string  `json:"group"`
	Customers float64 `json:"customers"`
	Observed  float64 `json:"observed"` // events
	Expected  float64 `json:"expected"` // events if all groups had the hazard of all customers
}

// Compare tests whether groups of customers have the same survival, with the log-rank test or a weighted one. At each
// time with d events among n at risk, n_g of them in group g,
//
//	score_g  += W (d_g - n_g d/n)
//	cov_gh   += W² d (n-d)/(n-1) n_g/n ([g=h] - n_h/n)
//
// and chi-square is score' cov^-1 score without one group. Entries after 0 leave the customers out of the earlier risk
// sets. Weights count customers.
//
// Compare returns the errors of [KaplanMeier] for the tenures, one that wraps [ErrNoEvents] if nobody left, and one that
// wraps [ledger.ErrUndefined] if there are fewer than two groups or no event that could tell them apart.
//
// Mantel, Cancer Chemotherapy Reports 50 (1966); Peto and Peto, Journal of the Royal Statistical Society A 135 (1972);
// Tarone and Ware, Biometrika 64 (1977); Harrington and Fleming, Biometrika 69 (1982).
func Compare(tenures []ledger.Tenure, by By, o *TestOptions) (*Comparison, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s, err := newSample(tenures)
	if err != nil {
		return nil, err
	}
	if s.events() == 0 {
		return nil, fmt.Errorf("survival: comparison: %w", ErrNoEvents)
	}
	if o == nil {
		o = &TestOptions{}
	}
	group, names := groups(tenures, by)
	if len(names) < 2 {
		return nil, undefined(fmt.Sprintf("comparison: %d group", len(names)))
	}
	c := &Comparison{Weighting: o.Weighting, Rho: o.Rho, Gamma: o.Gamma, Score: make([]float64, len(names)),
		Cov: linalg.NewMatrix(len(names)), Groups: make([]GroupCount, len(names))}
	for g, name := range names {
		c.Groups[g].Group = name
	}
	stratum, strata := groups(tenures, o.Strata)
	rows := make([][]int32, len(strata))
	for i, h := range stratum {
		rows[h] = append(rows[h], int32(i))
	}
	for h := range strata {
		c.addStratum(s, rows[h], group)
	}
	if err := c.test(); err != nil {
		return nil, err
	}
	return c, nil
}

// addStratum adds what one stratum says.
func (c *Comparison) addStratum(s *sample, rows, group []int32) {
	k := len(c.Groups)
	points, _ := tally(s, rows)
	survival := make([]float64, len(points)) // pooled, just before each point
	for i, last := 0, 1.0; i < len(points); i++ {
		survival[i] = last
		if p := &points[i]; p.Events > 0 {
			last *= (p.AtRisk - p.Events) / p.AtRisk
		}
	}
	exits := s.ordered(s.time, rows)
	var entries []radix.Keyed
	if s.entry != nil {
		entries = s.ordered(s.entry, rows)
	}
	atRisk, died := make([]float64, k), make([]float64, k)
	inside, outside := make([]float64, k), make([]float64, k)
	for i := len(points) - 1; i >= 0; i-- {
		p := &points[i]
		clear(died)
		for ; len(exits) > 0 && s.time[exits[len(exits)-1].Row] == p.Time; exits = exits[:len(exits)-1] {
			r := int(exits[len(exits)-1].Row)
			w, g := s.weightOf(r), group[r]
			inside[g] += w
			c.Groups[g].Customers += w
			if s.event[r] {
				died[g] += w
			}
		}
		for ; len(entries) > 0 && s.enters(int(entries[len(entries)-1].Row)) >= p.Time; entries = entries[:len(entries)-1] {
			r := int(entries[len(entries)-1].Row)
			outside[group[r]] += s.weightOf(r)
		}
		if p.Events == 0 {
			continue
		}
		for g := range atRisk {
			atRisk[g] = inside[g] - outside[g]
		}
		c.addTime(p, atRisk, died, c.weight(p.AtRisk, survival[i]))
	}
}

func (c *Comparison) weight(n, survival float64) float64 {
	switch c.Weighting {
	case GehanWilcoxon:
		return n
	case TaroneWare:
		return math.Sqrt(n)
	case PetoPeto:
		return survival
	case RhoGamma:
		return math.Pow(survival, c.Rho) * math.Pow(1-survival, c.Gamma)
	default:
		return 1
	}
}

// addTime adds one time with events.
func (c *Comparison) addTime(p *Point, atRisk, died []float64, weight float64) {
	d, n := p.Events, p.AtRisk
	scale := 0.0
	if n > 1 {
		scale = weight * weight * d * (n - d) / (n - 1)
	}
	for g := range c.Groups {
		share := atRisk[g] / n
		c.Groups[g].Observed += died[g]
		c.Groups[g].Expected += d * share
		c.Score[g] += weight * (died[g] - d*share)
		if share == 0 {
			continue
		}
		for h := range c.Groups {
			c.Cov[g][h] -= scale * share * atRisk[h] / n
		}
		c.Cov[g][g] += scale * share
	}
}

// test fills in the chi-square. Groups never at risk at an event, and one more, are left out.
func (c *Comparison) test() error {
	var index []int
	for g := range c.Groups {
		if c.Groups[g].Expected > 0 {
			index = append(index, g)
		}
	}
	if len(index) < 2 {
		return undefined("comparison: no event while two groups were at risk")
	}
	index = index[:len(index)-1]
	l, bad := linalg.Cholesky(linalg.Within(c.Cov, index), 1e-12)
	if bad >= 0 {
		return undefined(fmt.Sprintf("comparison: no event that could tell group %q from the others",
			c.Groups[index[bad]].Group))
	}
	c.DF = len(index)
	c.ChiSquare = linalg.Quadratic(l, linalg.Pick(c.Score, index))
	c.P = chiSquaredP(c.ChiSquare, c.DF)
	return nil
}

// A Trend is the test of a tendency over ordered groups.
type Trend struct {
	ChiSquare float64 `json:"chi_square"` // with one degree of freedom
	Z         float64 `json:"z"`          // positive if more events than expected go with higher scores
	P         float64 `json:"p"`          // two-sided
}

// Trend tests whether the hazard rises or falls with a number given to each group, such as its price:
//
//	z = sum a_g score_g / sqrt(a' cov a)
//
// It returns an error unless every group of the comparison has a finite number, and one that wraps
// [ledger.ErrUndefined] if the numbers are all equal.
//
// Tarone, Biometrika 62 (1975).
func (c *Comparison) Trend(numbers map[string]float64) (Trend, error) {
	a := make([]float64, len(c.Groups))
	for g := range c.Groups {
		x, ok := numbers[c.Groups[g].Group]
		if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
			return Trend{}, fmt.Errorf("survival: trend: group %s has no finite number", strconv.Quote(c.Groups[g].Group))
		}
		a[g] = x
	}
	mean := 0.0
	for _, x := range a {
		mean += x / float64(len(a))
	}
	spread := 0.0
	for g := range a {
		a[g] -= mean
		spread = math.Max(spread, math.Abs(a[g]))
	}
	variance := linalg.Form(c.Cov, a)
	if !(variance > 1e-12*spread*spread*c.Cov[0][0]) {
		return Trend{}, undefined("trend: the numbers of the groups do not differ")
	}
	z := linalg.Dot(a, c.Score) / math.Sqrt(variance)
	return Trend{ChiSquare: z * z, Z: z, P: twoSidedP(z)}, nil
}

// String returns the groups and the test as a table.
func (c *Comparison) String() string {
	t := c.table()
	return fmt.Sprintf("%s%v test: chi-square %s, df %d, p %s\n", t, c.Weighting, table.Number(c.ChiSquare), c.DF,
		table.Number(c.P))
}

func (c *Comparison) table() *table.Table {
	t := table.New("group", "customers", "observed", "expected")
	for _, g := range c.Groups {
		t.Add(g.Group, g.Customers, g.Observed, g.Expected)
	}
	return t
}

// WriteCSV writes the groups with a header.
func (c *Comparison) WriteCSV(w io.Writer) error { return c.table().WriteCSV(w) }
