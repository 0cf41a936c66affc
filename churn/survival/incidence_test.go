package survival

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func TestIncidenceAgreesWithR(t *testing.T) {
	fits := map[string]*Incidence{}
	for _, row := range golden.Load(t, "testdata/incidence.json").Rows {
		set, _, _ := strings.Cut(row.Name, "/")
		inc := fits[set]
		if inc == nil {
			var err error
			if inc, err = CumulativeIncidence(readTenures(t, "testdata/tenures.csv", set), nil); err != nil {
				t.Fatal(err)
			}
			fits[set] = inc
		}
		got := map[string]float64{}
		for k := range inc.Causes {
			p := inc.Causes[k].At(float64(row.Args["time"]))
			got["survival"] = p.Survival
			got[fmt.Sprint("incidence", k)], got[fmt.Sprint("std_err", k)] = p.Incidence, p.StdErr
			got[fmt.Sprint("lower", k)], got[fmt.Sprint("upper", k)] = p.Lower, p.Upper
		}
		checkAll(t, row, got)
	}
}

// causes makes tenures of times and causes, 0 for censored.
func causes(times, cause []int) []ledger.Tenure {
	ts := make([]ledger.Tenure, len(times))
	for i := range ts {
		ts[i] = ledger.Tenure{Duration: float64(times[i]), Ended: cause[i] > 0, Reason: []string{"", "1", "2"}[cause[i]]}
	}
	return ts
}

func TestPrintedIncidence(t *testing.T) {
	// Checked against SAS by the authors of lifelines.
	inc, err := CumulativeIncidence(causes([]int{1, 2, 3, 4, 5, 6}, []int{0, 1, 1, 2, 2, 0}), &CurveOptions{Band: LogLogBand})
	if err != nil {
		t.Fatal(err)
	}
	two := inc.Cause("2")
	for i, w := range []struct{ f, v, lo, hi, s float64 }{{s: 1}, {s: .8}, {s: .6}, {.2, .032, .008369039907, .5818530260, .4},
		{.4, .048, .051975750377, .7528157914, .2}, {.4, .048, .051975750377, .7528157914, .2}} {
		p := two.At(float64(i + 1))
		digits(t, "incidence", p.Incidence, w.f, 12)
		digits(t, "variance", p.StdErr*p.StdErr, w.v, 12)
		digits(t, "lower", p.Lower, w.lo, 10)
		digits(t, "upper", p.Upper, w.hi, 10)
		digits(t, "survival", p.Survival, w.s, 12)
	}
	// A sample with ties between the causes; R's survival.
	toy := causes([]int{1, 1, 2, 2, 3, 3, 3, 4, 5, 5, 6, 6}, []int{1, 2, 1, 1, 2, 0, 1, 0, 2, 1, 0, 0})
	inc, _ = CumulativeIncidence(toy, nil)
	naive, _ := KaplanMeier(ForReason(toy, "1"), nil)
	for i, w := range []struct{ t, s, vol, invol, se, km float64 }{{1, .833333, .083333, .083333, .0797855923, .083333},
		{2, .666667, .25, .083333, .125, .266667}, {3, .5, .333333, .166667, .1360827635, .358333},
		{5, .25, .458333, .291667, .1568276360, .518750}} {
		p := inc.Cause("1").At(w.t)
		digits(t, fmt.Sprint("survival ", i), p.Survival, w.s, 6)
		digits(t, "voluntary", p.Incidence, w.vol, 6)
		digits(t, "its std err", p.StdErr, w.se, 10)
		digits(t, "involuntary", inc.Cause("2").Incidence(w.t), w.invol, 6)
		digits(t, "1-KM", 1-naive.Survival(w.t), w.km, 6)
	}
}

func TestIncidenceInvariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		ts := randomTenures(r, 40, r.IntN(2) == 0, r.IntN(2) == 0)
		for i := range ts {
			if ts[i].Ended {
				ts[i].Reason = []string{"", "voluntary", "involuntary"}[r.IntN(3)]
			}
		}
		inc, err := CumulativeIncidence(ts, nil)
		if err != nil {
			t.Fatal(err)
		}
		km, _ := KaplanMeier(ts, nil)
		alone := map[string]*Curve{}
		for _, c := range inc.Causes {
			reason := c.Cause
			if reason == UnknownReason {
				reason = ""
			}
			alone[c.Cause], _ = KaplanMeier(ForReason(ts, reason), nil)
		}
		for i := range inc.Causes[0].Points {
			x := inc.Causes[0].Points[i].Time
			sum := km.Survival(x)
			for k := range inc.Causes {
				c := &inc.Causes[k]
				sum += c.Incidence(x)
				if one := alone[c.Cause]; c.Incidence(x) > 1-one.Survival(x)+1e-12 {
					t.Fatalf("incidence %v above 1-KM %v", c.Incidence(x), 1-one.Survival(x))
				}
			}
			near(t, "S + sum F", sum, 1, 1e-12)
		}
	}
}

func TestIncidenceErrors(t *testing.T) {
	if _, err := CumulativeIncidence([]ledger.Tenure{{Duration: 1}}, nil); !errors.Is(err, ErrNoEvents) {
		t.Errorf("got %v", err)
	}
	inc, _ := CumulativeIncidence([]ledger.Tenure{{Duration: 1, Ended: true}, {Duration: 3}}, nil)
	if inc.Cause("voluntary") != nil || inc.Cause(UnknownReason).Incidence(2) != 0.5 ||
		!math.IsNaN(inc.Cause(UnknownReason).Incidence(math.NaN())) || inc.Cause(UnknownReason).Incidence(0) != 0 {
		t.Error("special cases")
	}
	var b bytes.Buffer
	if err := inc.WriteCSV(&b); err != nil || !strings.Contains(b.String(), "\nunknown,1,2,1,0.5,0.5,") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestBrier(t *testing.T) {
	ts := parseTenures(remission)
	km, _ := KaplanMeier(ts, nil)
	scores, err := Brier(ts, func(int) Survivor { return km }, []float64{6, 12, 20})
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range []float64{.2038994169, .2462661580, .2218820345} {
		digits(t, "brier", scores[i].Score, w, 10)
		near(t, "reference", scores[i].Reference, scores[i].Score, 1e-15)
	}
	got, err := scores.Integrated()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "integrated", got, ((scores[0].Score+scores[1].Score)/2*6+(scores[1].Score+scores[2].Score)/2*8)/14, 1e-14)
}

func TestBrierErrors(t *testing.T) {
	ts := parseTenures(leukemia)
	km, _ := KaplanMeier(ts, nil)
	same := func(int) Survivor { return km }
	_, err := Brier(ts, same, []float64{5, 4})
	wantText(t, err, "survival: brier: time 2 is 4: want positive times in ascending order")
	_, err = Brier(ts, same, []float64{200})
	wantText(t, err, "survival: brier: nobody was observed after time 200: undefined")
	_, err = Brier(ts, func(int) Survivor { return wrong{} }, []float64{5})
	wantText(t, err, `survival: row 12: field "prediction": value "2": not a probability (at time 5)`)
	ts[3].Entry = 1
	_, err = Brier(ts, same, []float64{5})
	wantText(t, err, `survival: row 4: field "Entry": value "1": entries are not supported here`)
	if _, err = (BrierScores{}).Integrated(); !errors.Is(err, ledger.ErrUndefined) {
		t.Errorf("got %v", err)
	}
}

type wrong struct{}

func (wrong) Survival(float64) float64 { return 2 }

func TestIncidenceByGroup(t *testing.T) {
	ts := readTenures(t, "testdata/tenures.csv", "both")
	byPlan, err := CumulativeIncidenceBy(ts, Label("plan"), nil)
	must(t, err)
	for g, name := range []string{"basic", "pro", "team"} {
		var own []ledger.Tenure
		for _, x := range ts {
			if x.Labels["plan"] == name {
				own = append(own, x)
			}
		}
		want, err := CumulativeIncidence(own, nil)
		must(t, err)
		want.Group = name
		equal(t, byPlan[g], want)
	}
}
