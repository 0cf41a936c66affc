package clv_test

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/custval/custval/clv"
)

// FuzzCalendar reads calendars: whatever the text, there is an error or a calendar, whose terms code it again, and whose
// paths have their columns and times in order.
func FuzzCalendar(f *testing.F) {
	f.Add("name,from,level\nseason,,low\nseason,2025-03-01,spring\n", int64(1735689600), uint8(0), true)
	f.Add("customer,name,from,until,value\n,mail,,,0\nann,mail,2025-02-10,2025-02-17,1\nann,mail,2025-02-17,,0\n", int64(1735689600), uint8(1), true)
	f.Add("name,from,value\nprice,2025-01-01,10\nprice,2025-04-01,12\n", int64(1767225600), uint8(0), false)
	f.Add("name,from,value,level\nprice,2025-01-01,10,x\n", int64(0), uint8(3), false)
	f.Add("name,from,value\nprice,9999-12-31,1e308\nprice,0001-01-01,-1e308\n", int64(-1<<62), uint8(2), true)
	f.Fuzz(func(t *testing.T, text string, start int64, granularity uint8, forever bool) {
		ctx := context.Background()
		o := clv.CalendarOptions{Granularity: clv.Granularity(granularity), Forever: forever}
		if !forever {
			o.Until = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		c, err := clv.NewCalendar(ctx, clv.ReadCalendar(ctx, strings.NewReader(text), nil), &o)
		if err != nil {
			return
		}
		width := len(c.Columns())
		if width == 0 || width > len(text) {
			t.Fatalf("%d columns of %q", width, text)
		}
		o.Terms = c.Terms()
		again, err := clv.NewCalendar(ctx, clv.ReadCalendar(ctx, strings.NewReader(text), nil), &o)
		if err != nil {
			t.Fatalf("by its own terms: %v", err)
		}
		for _, customer := range []string{"", "ann"} {
			p, err := c.Path(customer, time.Unix(start, 0), 7*24*time.Hour)
			q, errAgain := again.Path(customer, time.Unix(start, 0), 7*24*time.Hour)
			if (err == nil) != (errAgain == nil) || len(p.Starts) != len(q.Starts) {
				t.Fatalf("path of %q: %v, by its own terms %v", customer, err, errAgain)
			}
			if err != nil {
				continue
			}
			if err := p.Validate(); err != nil {
				t.Fatalf("path of %q: %v", customer, err)
			}
			if len(p.Rows[0]) != width {
				t.Fatalf("path of %q: %d columns, want %d", customer, len(p.Rows[0]), width)
			}
		}
	})
}

// FuzzCovariateModelJSON decodes models with covariates: what is read validates, survives JSON, and answers for any row.
func FuzzCovariateModelJSON(f *testing.F) {
	terms := clv.Terms{{Name: "price"}, {Name: "season", Levels: []string{"low", "high"}}}
	base := clv.ParetoNBD{R: 0.5, Alpha: 10, S: 0.6, Beta: 12}
	effects := []clv.Effect{{Param: "Alpha", Coefficients: []float64{0.1, -0.2}}, {Param: "Beta", Coefficients: []float64{0, 0.3}, Columns: []int{1}}}
	for _, m := range []any{
		clv.DynamicParetoNBD{Base: base, Terms: terms, Effects: effects},
		clv.CovParetoNBD{Base: base, Terms: terms, Effects: effects, Equal: []int{1}},
		clv.CovBGNBD{Base: clv.BGNBD{R: 0.5, Alpha: 10, A: 0.7, B: 2}, Terms: terms[:1], Effects: []clv.Effect{
			{Param: "Alpha", Coefficients: []float64{0.1}}, {Param: "A", Coefficients: []float64{0.1}}, {Param: "B", Coefficients: []float64{0}}}},
	} {
		text, err := json.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add([]byte(strings.Replace(string(text), "0.1", "1e999", 1)))
		f.Add([]byte(strings.Replace(string(text), `"coefficients":[0.1`, `"columns":[-1,1],"coefficients":[0.1`, 1)))
	}
	f.Add([]byte(`{"schema":"custval/model/dynamicparetonbd/v1","base":{"schema":"custval/model/paretonbd/v1","r":1,"alpha":1,"s":1,"beta":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		h := clv.History{X: 1, TX: 1, T: 2}
		fuzzModel[clv.DynamicParetoNBD](t, text)
		if m, ok := decoded[clv.DynamicParetoNBD](text); ok {
			p := clv.Path{Starts: []float64{0, 1}, Rows: [][]float64{row(m.Effects[0]), row(m.Effects[1])}}
			w := m.Along(p)
			checkAnswers(t, w.Validate() == nil, w.ProbAlive(h), w.ExpectedPurchases(h, 1))
		}
		fuzzModel[clv.CovParetoNBD](t, text)
		if m, ok := decoded[clv.CovParetoNBD](text); ok {
			b := m.For(row(m.Effects[0]))
			checkAnswers(t, b.Validate() == nil, b.ProbAlive(h), 0)
			m.For(nil)
		}
		fuzzModel[clv.CovBGNBD](t, text)
		if m, ok := decoded[clv.CovBGNBD](text); ok {
			b := m.For(row(m.Effects[0]))
			checkAnswers(t, b.Validate() == nil, b.ProbAlive(h), 0)
		}
		fuzzModel[clv.CovPDO](t, text)
		fuzzModel[clv.CovBGBB](t, text)
		fuzzModel[clv.CovGammaGamma](t, text)
		fuzzModel[clv.CovNormalNormal](t, text)
	})
}

// decoded reads a model, false for an error and for null, which leaves a model as it is.
func decoded[M any](text []byte) (m M, ok bool) {
	return m, strings.TrimSpace(string(text)) != "null" && json.Unmarshal(text, &m) == nil
}

// row returns covariates for the coefficients of an effect.
func row(e clv.Effect) []float64 {
	out := make([]float64, len(e.Coefficients))
	for i := range out {
		out[i] = float64(i%3) - 0.5
	}
	return out
}

// checkAnswers holds a probability and a number of a model that may not be valid.
func checkAnswers(t *testing.T, valid bool, alive, purchases float64) {
	t.Helper()
	if !valid && !math.IsNaN(alive) {
		t.Errorf("P(alive) %v of an invalid model", alive)
	}
	if alive < 0 || alive > 1 || purchases < 0 {
		t.Errorf("P(alive) %v, purchases %v", alive, purchases)
	}
}
