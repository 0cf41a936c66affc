package attribution

import (
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/custval/custval/cac/internal/table"
)

// A Criterion says which order of a chain is best.
type Criterion string

// The criteria.
const (
	ByBIC Criterion = "bic" // least BIC; the default
	ByAIC Criterion = "aic" // least AIC
	ByAUC Criterion = "auc" // lowest order whose cross-validated AUC is within a standard error of the greatest
)

// OrderOptions says how [SelectOrder] compares orders. The zero value, and nil, are the defaults.
type OrderOptions struct {
	Max         int       // the highest order; 0 means 4
	Criterion   Criterion // empty means ByBIC
	Folds       int       // of the cross-validation, 2 or more; 0 means 5
	Seed        uint64    // of the assignment of journeys to folds
	KeepRepeats bool      // as in [Markov]
}

func (o *OrderOptions) defaults() (OrderOptions, error) {
	var d OrderOptions
	if o != nil {
		d = *o
	}
	d.Max = cmp.Or(d.Max, 4)
	d.Criterion = cmp.Or(d.Criterion, ByBIC)
	d.Folds = cmp.Or(d.Folds, 5)
	switch {
	case d.Max < 1 || d.Max > 64:
		return d, fail("highest order %d: not between 1 and 64", d.Max)
	case d.Criterion != ByBIC && d.Criterion != ByAIC && d.Criterion != ByAUC:
		return d, fail("criterion %q: unknown", d.Criterion)
	case d.Folds < 2 || d.Folds > 1000:
		return d, fail("%d folds: not between 2 and 1000", d.Folds)
	}
	return d, nil
}

// An OrderFit is how well the chain of one order describes the journeys.
type OrderFit struct {
	Order      int      `json:"order"`
	States     int      `json:"states"`
	Parameters int      `json:"parameters"` // free ones: steps seen from each state less one, the start counted as a state
	LogLik     float64  `json:"log_lik"`    // of the journeys with their ends
	AIC        float64  `json:"aic"`        // 2 Parameters - 2 LogLik
	BIC        float64  `json:"bic"`        // Parameters ln(journeys) - 2 LogLik
	AUC        *float64 `json:"auc"`        // cross-validated; nil if a fold lacks journeys of either kind
	AUCStdErr  *float64 `json:"auc_std_err"`
}

// Orders compares chains of several orders.
type Orders struct {
	Fits      []OrderFit `json:"fits"` // by order, from 1
	Best      int        `json:"best"` // the order chosen
	Criterion Criterion  `json:"criterion"`
	Folds     int        `json:"folds"`
}

// SelectOrder compares Markov chains of orders 1 to Max on how well they describe the journeys and foretell conversion:
//
//	ln L = Σ count(s -> t) ln(count(s -> t) / count(s))    over all steps, beginnings and ends included
//
// Every order gives each journey its probability, so that the likelihoods are comparable. AUC is the probability that of
// two journeys, one that converted and one that did not, the chain gives the former the higher chance to convert from
// its last state, ties counting one half; chances are those of the other folds, from as many of the last channels as
// they have seen. Journeys are dealt to the folds at random, by the seed.
//
// SelectOrder returns an error for options out of range, and one that wraps [ErrNoConversions] if there are none. If AUC
// is the criterion and is undefined, the error wraps [ledger.ErrUndefined].
func SelectOrder(ctx context.Context, js *Journeys, o *OrderOptions) (*Orders, error) {
	d, err := o.defaults()
	if err != nil {
		return nil, err
	}
	if js == nil || js.totals.Conversions == 0 {
		return nil, fail("orders: %w", ErrNoConversions)
	}
	out := &Orders{Criterion: d.Criterion, Folds: d.Folds, Fits: make([]OrderFit, d.Max)}
	for k := range d.Max {
		if out.Fits[k], err = fitOrder(ctx, js, Markov{Order: k + 1, KeepRepeats: d.KeepRepeats}); err != nil {
			return nil, err
		}
	}
	if err := crossValidate(ctx, js, d, out.Fits); err != nil {
		return nil, err
	}
	out.Best, err = choose(out.Fits, d.Criterion)
	return out, err
}

func choose(fits []OrderFit, by Criterion) (int, error) {
	if by != ByAUC {
		value := func(f OrderFit) float64 {
			if by == ByAIC {
				return f.AIC
			}
			return f.BIC
		}
		return slices.MinFunc(fits, func(a, b OrderFit) int { return cmp.Compare(value(a), value(b)) }).Order, nil
	}
	var best *OrderFit
	for i, f := range fits {
		if f.AUC == nil {
			return 0, fail("orders: %w: a fold lacks journeys that converted or that did not", undefined("AUC"))
		}
		if best == nil || *f.AUC > *best.AUC {
			best = &fits[i]
		}
	}
	for _, f := range fits {
		if *f.AUC >= *best.AUC-*best.AUCStdErr {
			return f.Order, nil
		}
	}
	return best.Order, nil
}

// fitOrder returns the likelihood of one order.
func fitOrder(ctx context.Context, js *Journeys, m Markov) (OrderFit, error) {
	b := newChainBuilder(js, m)
	if err := b.addAll(ctx, js, m); err != nil {
		return OrderFit{}, err
	}
	c := b.c
	var sum kahan
	steps := make([]int, len(c.states))
	term := func(n, of float64) int {
		if n == 0 {
			return 0
		}
		sum.add(n * math.Log(n/of))
		return 1
	}
	begun, begins := 0.0, 0
	for _, n := range c.start {
		begun += n
	}
	for s := range c.states {
		begins += term(c.start[s], begun)
		steps[s] += term(c.conv[s], c.visits[s]) + term(c.null[s], c.visits[s])
	}
	for _, e := range b.edges {
		steps[e.from] += term(e.count, c.visits[e.from])
	}
	f := OrderFit{Order: m.Order, States: len(c.states), Parameters: begins - 1, LogLik: sum.value()}
	for _, n := range steps {
		f.Parameters += n - 1
	}
	p := float64(f.Parameters)
	f.AIC = 2*p - 2*f.LogLik
	f.BIC = p*math.Log(begun) - 2*f.LogLik
	return f, nil
}

// A fold counts the ends of journeys in one fold.
type fold struct{ conversions, nulls float64 }

// crossValidate fills in the AUC of every order.
func crossValidate(ctx context.Context, js *Journeys, o OrderOptions, fits []OrderFit) error {
	ends := make([][]int32, o.Max+1) // by order, then path: the number of the last state
	counts := make([][]fold, o.Max+1)
	folds, err := spread(ctx, js, o)
	if err != nil {
		return err
	}
	b := newChainBuilder(js, Markov{})
	var key []byte
	for k := range ends {
		ids := map[string]int32{}
		ends[k] = make([]int32, len(js.paths))
		for i := range js.paths {
			if i%4096 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			walk := js.paths[i].channels
			if !o.KeepRepeats {
				walk = b.compact(walk)
			}
			key = key[:0]
			for _, c := range walk[max(0, len(walk)-k):] {
				key = binary.AppendUvarint(key, uint64(c))
			}
			id, ok := ids[string(key)]
			if !ok {
				id = int32(len(ids))
				ids[string(key)] = id
			}
			ends[k][i] = id
		}
		counts[k] = make([]fold, len(ids)*o.Folds)
		for i, id := range ends[k] {
			if i%65536 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			for f := range o.Folds {
				counts[k][int(id)*o.Folds+f].conversions += folds[i*o.Folds+f].conversions
				counts[k][int(id)*o.Folds+f].nulls += folds[i*o.Folds+f].nulls
			}
		}
	}
	for i := range fits {
		if err := validateOrder(ctx, js, o, &fits[i], ends, counts, folds); err != nil {
			return err
		}
	}
	return nil
}

// spread deals the journeys of each path to the folds at random. Dealing them evenly would be wrong: the other folds
// would then know the rate of each path in the one left out.
func spread(ctx context.Context, js *Journeys, o OrderOptions) ([]fold, error) {
	r := rand.New(rand.NewPCG(o.Seed, 0))
	out := make([]fold, len(js.paths)*o.Folds)
	for i := range js.paths {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		conversions, nulls := js.paths[i].conversions, js.paths[i].nulls
		row := out[i*o.Folds : (i+1)*o.Folds]
		for f := range row {
			p := 1 / float64(o.Folds-f)
			row[f] = fold{binomial(r, conversions, p), binomial(r, nulls, p)}
			conversions -= row[f].conversions
			nulls -= row[f].nulls
		}
	}
	return out, nil
}

// validateOrder fills in the AUC of one order.
func validateOrder(ctx context.Context, js *Journeys, o OrderOptions, fit *OrderFit, ends [][]int32, counts [][]fold, folds []fold) error {
	train := make([][]fold, fit.Order+1) // over all folds, by order and state
	for k := range train {
		train[k] = make([]fold, len(counts[k])/o.Folds)
		for i, f := range counts[k] {
			train[k][i/o.Folds].conversions += f.conversions
			train[k][i/o.Folds].nulls += f.nulls
		}
	}
	scored := make([]scoredEnd, 0, len(js.paths))
	var sum, squares float64
	for f := range o.Folds {
		scored = scored[:0]
		for i := range js.paths {
			if i%65536 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			test := folds[i*o.Folds+f]
			if test.conversions+test.nulls == 0 {
				continue
			}
			score := 0.0
			for k := fit.Order; k >= 0; k-- {
				id := ends[k][i]
				held := counts[k][int(id)*o.Folds+f]
				conv, null := train[k][id].conversions-held.conversions, train[k][id].nulls-held.nulls
				if conv+null > 0 {
					score = conv / (conv + null)
					break
				}
			}
			scored = append(scored, scoredEnd{score, test})
		}
		auc, err := areaUnderCurve(ctx, scored)
		if err != nil {
			return err
		}
		if math.IsNaN(auc) {
			return nil
		}
		sum += auc
		squares += auc * auc
	}
	n := float64(o.Folds)
	mean := sum / n
	se := math.Sqrt(max(0, squares/n-mean*mean) / (n - 1))
	fit.AUC, fit.AUCStdErr = &mean, &se
	return nil
}

type scoredEnd struct {
	score float64
	fold
}

// areaUnderCurve returns the probability that a conversion scores higher than a null, ties counting one half; NaN
// without either.
func areaUnderCurve(ctx context.Context, s []scoredEnd) (float64, error) {
	if err := sortWithin(ctx, s, func(a, b scoredEnd) int { return cmp.Compare(a.score, b.score) }); err != nil {
		return 0, err
	}
	var wins, nulls, conversions float64
	for i := 0; i < len(s); {
		var tie fold
		j := i
		for ; j < len(s) && s[j].score == s[i].score; j++ {
			tie.conversions += s[j].conversions
			tie.nulls += s[j].nulls
		}
		wins += tie.conversions * (nulls + tie.nulls/2)
		nulls += tie.nulls
		conversions += tie.conversions
		i = j
	}
	return wins / (nulls * conversions), nil
}

// String returns the orders as an aligned table; the best one has a star.
func (o *Orders) String() string {
	rows := make([][]string, len(o.Fits))
	for i, f := range o.Fits {
		auc := table.Undefined
		if f.AUC != nil {
			auc = table.Fixed(*f.AUC, 4, nil)
		}
		name := strconv.Itoa(f.Order)
		if f.Order == o.Best {
			name += "*"
		}
		rows[i] = []string{name, strconv.Itoa(f.States), strconv.Itoa(f.Parameters), table.Fixed(f.LogLik, 2, nil), table.Fixed(f.AIC, 2, nil), table.Fixed(f.BIC, 2, nil), auc}
	}
	return table.Text([]string{"order", "states", "parameters", "log-lik", "AIC", "BIC", "AUC"}, rows, 1)
}

// WriteCSV writes the orders with the columns order, states, parameters, log_lik, aic, bic, auc, auc_std_err and best.
func (o *Orders) WriteCSV(w io.Writer) error {
	rows := make([][]string, len(o.Fits))
	for i, f := range o.Fits {
		auc, se := "", ""
		if f.AUC != nil {
			auc, se = table.Float(*f.AUC, nil), table.Float(*f.AUCStdErr, nil)
		}
		rows[i] = []string{strconv.Itoa(f.Order), strconv.Itoa(f.States), strconv.Itoa(f.Parameters), table.Float(f.LogLik, nil),
			table.Float(f.AIC, nil), table.Float(f.BIC, nil), auc, se, strconv.FormatBool(f.Order == o.Best)}
	}
	return table.CSV(w, []string{"order", "states", "parameters", "log_lik", "aic", "bic", "auc", "auc_std_err", "best"}, rows)
}
