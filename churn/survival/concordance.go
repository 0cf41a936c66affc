package survival

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/custval/custval/churn/internal/linalg"
	"github.com/custval/custval/internal/radix"
	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/ledger"
)

// A PairWeight says how much the pairs of one time count in a concordance. With G the Kaplan-Meier estimate of still being
// observed and S that of survival, both just before the time, and n the customers at risk, a pair counts
//
//	HarrellPairs    1          all comparable pairs alike
//	UnoPairs        1/G²       as if nobody were censored: the estimate of Uno et al. (2011)
//	SchemperPairs   S/(n G) x total   weights of Schemper et al. (2009)
//	SurvivalPairs   S/n x total       of Peto and Wilcoxon's kind
type PairWeight uint8

// The weights of pairs.
const (
	HarrellPairs PairWeight = iota
	UnoPairs
	SchemperPairs
	SurvivalPairs
)

// ConcordanceOptions control a concordance. The zero value, and a nil pointer, are the defaults.
type ConcordanceOptions struct {
	Pairs   PairWeight // zero is HarrellPairs; the others need tenures without entries
	Strata  By         // compares within strata only; nil means one stratum
	Cluster By         // rows that depend on each other, for the standard error; nil means none do
	Level   float64    // of the interval; 0 means 0.95
}

// A Concordance is the probability that of two customers the one with the higher score leaves first.
type Concordance struct {
	Value      float64 `json:"value"` // (Concordant + TiedScore/2) / (Concordant + Discordant + TiedScore)
	StdErr     float64 `json:"std_err"`
	Lower      float64 `json:"lower"`
	Upper      float64 `json:"upper"`
	Level      float64 `json:"level"`
	Concordant float64 `json:"concordant"` // weighted pairs in which the higher score left first
	Discordant float64 `json:"discordant"`
	TiedScore  float64 `json:"tied_score"` // pairs with equal scores
}

// ConcordanceOf returns how well scores order the customers by the time they leave, 1/2 for chance and 1 for perfection:
// Harrell's C, or Uno's. A pair is comparable if one of the two left while the other was still at risk after it; of two who
// left at the same time none left first. The higher score stands for the higher risk, as [Cox.Scores] gives it. The
// standard error is the infinitesimal jackknife.
//
// ConcordanceOf returns the errors of [KaplanMeier] for the tenures, an error if there is not one score a tenure, a
// [ledger.RowError] for a score that is NaN, and one that wraps [ledger.ErrUndefined] if no pair is comparable.
//
// Harrell, Lee and Mark, Statistics in Medicine 15 (1996); Uno et al., Statistics in Medicine 30 (2011).
func ConcordanceOf(tenures []ledger.Tenure, scores []float64, o *ConcordanceOptions) (Concordance, error) {
	if o == nil {
		o = &ConcordanceOptions{}
	}
	level, err := resolveLevel(o.Level)
	if err != nil {
		return Concordance{}, err
	}
	if o.Pairs > SurvivalPairs {
		return Concordance{}, fmt.Errorf("survival: option Pairs: no weight of pairs %d", o.Pairs)
	}
	s, err := newSample(tenures)
	if err != nil {
		return Concordance{}, err
	}
	if len(scores) != len(tenures) {
		return Concordance{}, fmt.Errorf("survival: concordance: %d scores for %d tenures", len(scores), len(tenures))
	}
	for i, x := range scores {
		if math.IsNaN(x) {
			return Concordance{}, rowError(i, "score", "NaN", errors.New("missing value"))
		}
	}
	if o.Pairs != HarrellPairs && s.entry != nil {
		return Concordance{}, fmt.Errorf("survival: option Pairs: tenures with entries need HarrellPairs")
	}
	p := &pairing{sample: s, score: scores, weights: o.Pairs, gain: make([]float64, len(scores)), pairs: make([]float64, len(scores)),
		rank: make([]int32, len(scores))}
	stratum, names := groups(tenures, o.Strata)
	rows := make([][]int32, len(names))
	for i, h := range stratum {
		rows[h] = append(rows[h], int32(i))
	}
	for h := range names {
		p.compare(rows[h])
	}
	return p.result(tenures, o, level)
}

// pairing counts comparable pairs. For each row, gain is the weighted pairs it is part of times 1 for concordant and 1/2
// for tied ones, and pairs is the weighted pairs.
type pairing struct {
	sample                       *sample
	score                        []float64
	weights                      PairWeight
	concordant, discordant, tied float64
	gain, pairs                  []float64
	rank                         []int32 // of the score within the stratum
}

// compare adds the pairs of one stratum. Time runs backwards; the tree holds the weights of those at risk by the rank of
// their score. A row that is at risk meets every event in between; what it gains there is the difference of two running
// sums by rank, taken when it enters the tree and when it leaves.
func (p *pairing) compare(rows []int32) {
	s := p.sample
	size, rank := p.ranks(rows), p.rank
	exits := s.ordered(s.time, rows)
	var entries []radix.Keyed
	if s.entry != nil {
		entries = s.ordered(s.entry, rows)
	}
	here := newTree(size)   // weights at risk after the time
	events := newTree(size) // weights of the events so far, times their pair weight
	timeWeight := p.timeWeights(rows)
	enter := func(r int32, sign float64) {
		w, k := s.weightOf(int(r)), rank[r]
		here.add(k, sign*w)
		below, equal, above := events.around(k)
		p.gain[r] -= sign * w * (above + equal/2)
		p.pairs[r] -= sign * w * (below + equal + above)
	}
	for len(exits) > 0 {
		t := s.time[exits[len(exits)-1].Row]
		first := len(exits)
		for first > 0 && s.time[exits[first-1].Row] == t {
			first--
		}
		group := exits[first:]
		exits = exits[:first]
		for ; len(entries) > 0 && s.enters(int(entries[len(entries)-1].Row)) >= t; entries = entries[:len(entries)-1] {
			enter(entries[len(entries)-1].Row, -1)
		}
		for _, g := range group { // those last seen at t are still at risk after the events at t
			if !s.event[g.Row] {
				enter(g.Row, 1)
			}
		}
		wt := timeWeight(t)
		for _, g := range group {
			if s.event[g.Row] {
				p.event(g.Row, rank[g.Row], here, wt)
			}
		}
		for _, g := range group {
			if s.event[g.Row] {
				events.add(rank[g.Row], wt*s.weightOf(int(g.Row)))
			}
		}
		for _, g := range group {
			if s.event[g.Row] {
				enter(g.Row, 1)
			}
		}
	}
	for _, r := range rows { // those still in the tree leave it at the start of time
		if s.entry == nil || s.entry[r] == 0 {
			enter(r, -1)
		}
	}
}

// event adds the pairs of a customer who left with those at risk after it.
func (p *pairing) event(r int32, k int32, here *tree, weight float64) {
	below, equal, above := here.around(k)
	w := weight * p.sample.weightOf(int(r))
	p.concordant += w * below
	p.discordant += w * above
	p.tied += w * equal
	p.gain[r] += w * (below + equal/2)
	p.pairs[r] += w * (below + equal + above)
}

// ranks numbers the distinct scores of the rows in ascending order and returns how many there are.
func (p *pairing) ranks(rows []int32) (size int) {
	ordered := make([]radix.Keyed, len(rows))
	for i, r := range rows {
		ordered[i] = radix.Keyed{Key: radix.Key(p.score[r]), Row: r}
	}
	ordered = radix.Sort(ordered)
	for i, k := range ordered {
		if i == 0 || k.Key != ordered[i-1].Key {
			size++
		}
		p.rank[k.Row] = int32(size - 1)
	}
	return size
}

// timeWeights returns the weight of a pair whose event is at a time.
func (p *pairing) timeWeights(rows []int32) func(t float64) float64 {
	if p.weights == HarrellPairs {
		return func(float64) float64 { return 1 }
	}
	points, _ := tally(p.sample, rows)
	survival, observed, total := 1.0, 1.0, 0.0
	weights := make([]float64, len(points))
	for i := range points {
		q := &points[i]
		total += q.Events + q.Censored
		switch p.weights {
		case UnoPairs:
			weights[i] = 1 / (observed * observed)
		case SchemperPairs:
			weights[i] = survival / (observed * q.AtRisk)
		default:
			weights[i] = survival / q.AtRisk
		}
		survival *= (q.AtRisk - q.Events) / q.AtRisk
		if q.Censored > 0 {
			observed *= (q.AtRisk - q.Events - q.Censored) / (q.AtRisk - q.Events)
		}
	}
	if p.weights != UnoPairs {
		for i := range weights {
			weights[i] *= total
		}
	}
	return func(t float64) float64 {
		i, _ := slices.BinarySearchFunc(points, t, func(q Point, t float64) int {
			if q.Time == t {
				return 0
			}
			return compareFloat(q.Time, t)
		})
		return weights[i]
	}
}

func (p *pairing) result(tenures []ledger.Tenure, o *ConcordanceOptions, level float64) (Concordance, error) {
	total := p.concordant + p.discordant + p.tied
	if !(total > 0) {
		return Concordance{}, undefined("concordance: no comparable pair")
	}
	c := Concordance{Value: (p.concordant + p.tied/2) / total, Level: level, Concordant: p.concordant,
		Discordant: p.discordant, TiedScore: p.tied}
	cluster, names := make([]int32, len(tenures)), make([]string, 0)
	if o.Cluster != nil {
		cluster, names = groups(tenures, o.Cluster)
	}
	moves := make([]float64, max(len(names), len(tenures)))
	for i := range tenures {
		k := i
		if o.Cluster != nil {
			k = int(cluster[i])
		}
		moves[k] += (p.gain[i] - c.Value*p.pairs[i]) / total
	}
	c.StdErr = math.Sqrt(linalg.Dot(moves, moves))
	z := stat.TwoSided(level)
	c.Lower, c.Upper = math.Max(0, c.Value-z*c.StdErr), math.Min(1, c.Value+z*c.StdErr)
	return c, nil
}

// A tree holds weights by rank and gives their sums below and above one in logarithmic time (Fenwick, Software: Practice
// and Experience 24, 1994).
type tree struct {
	sums, each []float64
	total      float64
}

func newTree(size int) *tree {
	return &tree{sums: make([]float64, size+1), each: make([]float64, size)}
}

func (t *tree) add(k int32, w float64) {
	t.each[k] += w
	t.total += w
	for i := int(k) + 1; i < len(t.sums); i += i & -i {
		t.sums[i] += w
	}
}

// around returns the weights of lower, equal and higher ranks.
func (t *tree) around(k int32) (below, equal, above float64) {
	for i := int(k); i > 0; i -= i & -i {
		below += t.sums[i]
	}
	equal = t.each[k]
	return below, equal, t.total - below - equal
}
