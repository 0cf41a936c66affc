package risk

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

// worked is the example of eight customers whose values several sources agree on.
func worked() (scores []float64, left []bool) {
	return []float64{.1, .2, .3, .4, .5, .7, .8, .9}, []bool{false, true, false, true, false, true, false, true}
}

func mustRank(t testing.TB, scores []float64, left []bool, weights []float64) *Ranking {
	t.Helper()
	r, err := NewRanking(scores, left, weights)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWorkedExample(t *testing.T) {
	scores, left := worked()
	r := mustRank(t, scores, left, nil)
	loss, err := LogLoss(scores, left)
	if err != nil {
		t.Fatal(err)
	}
	brier, err := Brier(scores, left)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
		tolerance float64 // the last digit printed
	}{
		{"AUC", r.AUC().Value, .625, 1e-15}, {"Brier", brier, .26125, 1e-14}, {"log loss", loss, .71904808, 5e-9}, {"KS", r.KS().Value, .25, 1e-15},
		{"lift of a quarter", r.Lift(.25), 1, 1e-15}, {"lift of an eighth", r.Lift(.125), 2, 1e-15}, {"gain of three eighths", r.Gain(.375), .5, 1e-15},
	} {
		if !near(c.got, c.want, c.tolerance/c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}

func TestRankingAgainstR(t *testing.T) {
	file := golden.Load(t, "testdata/ranking.json")
	c := readCustomers(t)
	for name, s := range map[string][]float64{"score": c.score, "other": c.other, "probability": c.probs} {
		r := mustRank(t, s, c.left, nil)
		a := r.AUC()
		pr := r.PR()
		checkRow(t, goldenRow(t, file, name), map[string]float64{"auc": a.Value, "wilcoxon": a.Value, "se": a.StdErr, "ap": r.AveragePrecision(),
			"ks": r.KS().Value, "top": pr[0].Precision})
	}
	r := mustRank(t, c.score, c.left, nil)
	compared, err := CompareAUC(c.score, c.other, c.left)
	if err != nil {
		t.Fatal(err)
	}
	checkRow(t, goldenRow(t, file, "compare"), map[string]float64{"difference": compared.Difference, "se": compared.StdErr, "z": compared.Z, "p": compared.P})
	for _, row := range file.Rows {
		row.Tolerance = file.Tolerance
		if q, ok := row.Args["share"]; ok {
			checkRow(t, row, map[string]float64{"gain": r.Gain(float64(q)), "lift": r.Lift(float64(q))})
		}
		if x, ok := row.Args["threshold"]; ok {
			at := r.At(float64(x))
			checkRow(t, row, map[string]float64{"precision": at.Precision(), "recall": at.Recall(), "specificity": at.Specificity(),
				"accuracy": at.Accuracy(), "mcc": at.Matthews(), "f1": at.F1()})
		}
	}
	low, high, err := r.AUC().Interval(0.95)
	if err != nil {
		t.Fatal(err)
	}
	if a := r.AUC(); !near(low, a.Value-1.959963984540054*a.StdErr, 1e-14) || !near(high, a.Value+1.959963984540054*a.StdErr, 1e-14) {
		t.Errorf("interval %v, %v", low, high)
	}
}

// randomScores draws scores with many ties.
func randomScores(r *rand.Rand, n int) (scores []float64, left []bool) {
	scores, left = make([]float64, n), make([]bool, n)
	levels := 1 + r.IntN(2*n)
	for i := range scores {
		scores[i] = float64(r.IntN(levels)) - float64(levels)/2
		left[i] = r.Float64() < 1/(1+math.Exp(-scores[i]/float64(levels)))
	}
	left[0], left[1] = true, false
	return scores, left
}

func TestRankingInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n := 2 + r.IntN(60)
		scores, left := randomScores(r, n)
		a := mustRank(t, scores, left, nil)
		// The definition over all pairs.
		pairs, wins := 0.0, 0.0
		for i := range n {
			for j := range n {
				if left[i] && !left[j] {
					pairs++
					switch {
					case scores[i] > scores[j]:
						wins++
					case scores[i] == scores[j]:
						wins += .5
					}
				}
			}
		}
		if got := a.AUC().Value; got != wins/pairs {
			t.Fatalf("area %v, want %v", got, wins/pairs)
		}
		// A rising map changes nothing; the negative turns it over.
		mapped, negative := make([]float64, n), make([]float64, n)
		for i, s := range scores {
			mapped[i], negative[i] = math.Atan(s/7)*1e-3+5, -s
		}
		b, c := mustRank(t, mapped, left, nil), mustRank(t, negative, left, nil)
		if a.AUC().Value != b.AUC().Value || a.KS().Value != b.KS().Value || a.AveragePrecision() != b.AveragePrecision() || a.Lift(.3) != b.Lift(.3) {
			t.Fatal("a rising map of the scores changes a measure")
		}
		if sum := a.AUC().Value + c.AUC().Value; !near(sum, 1, 1e-15) || !near(a.KS().Value, c.KS().Value, 1e-15) {
			t.Fatalf("areas of s and -s add up to %v", sum)
		}
		// The area by trapezoids, that of the hull, the ends of the curve, and gains.
		roc, hull := a.ROC(), a.ConvexHull()
		if got := trapezoids(roc); !near(got, a.AUC().Value, 1e-12) {
			t.Fatalf("trapezoids %v, area %v", got, a.AUC().Value)
		}
		if trapezoids(hull) < a.AUC().Value-1e-12 || hull[len(hull)-1] != roc[len(roc)-1] || roc[len(roc)-1].TruePositive != 1 || roc[len(roc)-1].FalsePositive != 1 {
			t.Fatal("hull below the curve, or other ends")
		}
		for i := 2; i < len(hull); i++ {
			p, q, s := hull[i-2], hull[i-1], hull[i]
			if (q.TruePositive-p.TruePositive)*(s.FalsePositive-q.FalsePositive) <= (s.TruePositive-q.TruePositive)*(q.FalsePositive-p.FalsePositive) {
				t.Fatal("the slopes of the hull do not fall")
			}
		}
		parts := 1 + r.IntN(n)
		g, err := a.Gains(parts)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, row := range g {
			sum += row.Left
			if !near(row.Gain, a.Gain(row.Targeted), 1e-12) || row.Rate < -1e-12 || row.Rate > 1+1e-12 {
				t.Fatalf("gains %v, want %v", row, a.Gain(row.Targeted))
			}
		}
		if _, all := a.Customers(); !near(sum, all, 1e-12) || g[parts-1].Gain != 1 {
			t.Fatalf("gains add up to %v of %v", sum, all)
		}
		// Weights count.
		weights := make([]float64, n)
		var many []float64
		var who []bool
		for i := range weights {
			weights[i] = float64(1 + r.IntN(3))
			for range int(weights[i]) {
				many, who = append(many, scores[i]), append(who, left[i])
			}
		}
		w, m := mustRank(t, scores, left, weights), mustRank(t, many, who, nil)
		if x, y := w.AUC(), m.AUC(); x.Value != y.Value || !(near(x.StdErr, y.StdErr, 1e-12) || math.IsNaN(x.StdErr) && math.IsNaN(y.StdErr)) || w.KS() != m.KS() {
			t.Fatalf("weights %v, copies %v", x, y)
		}
	}
}

func trapezoids(c ROCCurve) float64 {
	sum := 0.0
	for i := 1; i < len(c); i++ {
		sum += (c[i].FalsePositive - c[i-1].FalsePositive) * (c[i].TruePositive + c[i-1].TruePositive) / 2
	}
	return sum
}

// Few-customer forms that can be checked by hand.
func TestRankingEdges(t *testing.T) {
	perfect := mustRank(t, []float64{1, 2, 3, 4}, []bool{false, false, true, true}, nil)
	if a := perfect.AUC(); a.Value != 1 || a.StdErr != 0 {
		t.Errorf("perfect: %v", a)
	}
	if low, high, err := perfect.AUC().Interval(.95); low != 1 || high != 1 || err != nil {
		t.Errorf("perfect: %v %v %v", low, high, err)
	}
	same := mustRank(t, []float64{7, 7, 7, 7, 7}, []bool{false, true, true, false, false}, nil)
	if a := same.AUC(); a.Value != .5 || a.StdErr != 0 {
		t.Errorf("all equal: %v", a)
	}
	if g := same.Gain(.3); !near(g, .3, 1e-15) || !near(same.Lift(.3), 1, 1e-15) || same.KS().Value != 0 || !near(same.AveragePrecision(), .4, 1e-15) {
		t.Errorf("all equal: gain %v", g)
	}
	one := mustRank(t, []float64{1, 2, 3}, []bool{false, true, false}, nil)
	if a := one.AUC(); a.Value != .5 || !math.IsNaN(a.StdErr) {
		t.Errorf("one left: %v", a)
	}
	if _, _, err := one.AUC().Interval(.95); err == nil {
		t.Error("an interval from one customer")
	}
	zero := mustRank(t, []float64{0, math.Copysign(0, -1)}, []bool{true, false}, nil)
	if a := zero.AUC(); a.Value != .5 {
		t.Errorf("0 and -0: %v", a)
	}
	if !math.IsNaN(one.Gain(-.1)) || !math.IsNaN(one.Gain(1.1)) || !math.IsNaN(one.Lift(0)) || one.Gain(0) != 0 || one.Gain(1) != 1 {
		t.Error("gain outside or at the ends")
	}
	at := one.At(99)
	if !math.IsNaN(at.Precision()) || at.Recall() != 0 || !math.IsNaN(at.Matthews()) {
		t.Errorf("nobody is taken for leaving: %+v", at)
	}
}

func TestRankingErrors(t *testing.T) {
	two := []bool{true, false}
	_, err := NewRanking([]float64{1}, two, nil)
	errorText(t, "length", err, "risk: 1 scores for 2 customers")
	_, err = NewRanking([]float64{1, math.NaN()}, two, nil)
	errorText(t, "NaN", err, `risk: row 2: field "score": value "NaN": not a finite number`)
	_, err = NewRanking([]float64{math.Inf(1), 1}, two, nil)
	errorText(t, "Inf", err, `risk: row 1: field "score": value "+Inf": not a finite number`)
	_, err = NewRanking([]float64{1, 2}, two, []float64{1, -1})
	errorText(t, "weight", err, `risk: row 2: field "weight": value "-1": want a finite weight above 0`)
	for name, left := range map[string][]bool{"nobody": {false, false}, "everybody": {true, true}} {
		_, err = AUC([]float64{1, 2}, left)
		errorText(t, name, err, "risk: ranking: "+name+" left: undefined")
		if !errors.Is(err, ledger.ErrUndefined) {
			t.Errorf("%s: %v is not ErrUndefined", name, err)
		}
	}
	_, err = NewRanking(nil, nil, nil)
	errorText(t, "none", err, "risk: ranking: nobody left: undefined")
	r := mustRank(t, []float64{1, 2}, two, nil)
	_, err = r.Gains(3)
	errorText(t, "parts", err, "risk: gains: 3 parts of 2 customers")
	_, _, err = r.AUC().Interval(2)
	errorText(t, "level", err, "risk: level 2 is not between 0 and 1")
	_, err = CompareAUC([]float64{1, 2}, []float64{1, 2}, two)
	errorText(t, "compare", err, "risk: compare areas: one customer who left or stayed: undefined")
	_, err = CompareAUC([]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, []bool{false, false, true, true})
	errorText(t, "compare sure", err, "risk: compare areas: their difference has no variance: undefined")
	c, err := CompareAUC([]float64{1, 2, 3, 4}, []float64{2, 4, 6, 8}, []bool{false, true, false, true})
	if err != nil || c.Difference != 0 || c.P != 1 {
		t.Errorf("equal scores: %+v, %v", c, err)
	}
}
