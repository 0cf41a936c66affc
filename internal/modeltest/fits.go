package modeltest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/ledger"
)

func itoa(i int) string     { return strconv.Itoa(i) }
func ftoa(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// fits draws customers, fits the model and checks what must not change the result.
func (s Spec[M]) fits(t *testing.T) {
	ctx := context.Background()
	hs := Draw(s.Simulated, s.Customers, 1)
	e, err := s.Fit(ctx, hs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Customers != s.Customers || e.Unit != clv.Week || e.Stop != fit.Converged || e.Cov == nil {
		t.Fatalf("estimate %+v", e)
	}
	s.recovered(t, e)
	s.likelihood(t, e, hs)
	for _, workers := range []int{1, 2, 7} {
		f, err := s.Fit(ctx, hs, &fit.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		same(t, itoa(workers)+" workers", e, f)
	}
	shuffled := *hs
	shuffled.Rows = slices.Clone(hs.Rows)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(shuffled.Rows), func(i, j int) {
		shuffled.Rows[i], shuffled.Rows[j] = shuffled.Rows[j], shuffled.Rows[i]
	})
	f, err := s.Fit(ctx, &shuffled, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "shuffled rows", e, f)
	s.weights(t, hs)
	s.unitOfFit(t, e, hs)
	s.stored(t, e)
	s.concurrent(t, e, hs)
	s.canceled(t)
}

// recovered holds the estimates against the parameters that the customers were drawn from.
func (s Spec[M]) recovered(t *testing.T, e *fit.Estimate[M]) {
	t.Helper()
	got, want := s.Params(e.Model), s.Params(s.Simulated)
	for i, p := range e.Params {
		if p.Value != got[i] {
			t.Errorf("parameter %s is %v, the model has %v", p.Name, p.Value, got[i])
		}
		z := math.Log(got[i]/want[i]) / (p.StdErr / p.Value)
		if p.Scale == fit.Identity {
			z = (got[i] - want[i]) / p.StdErr
		}
		if !(math.Abs(z) < 4) {
			t.Errorf("%s = %v +- %v, drawn from %v", p.Name, p.Value, p.StdErr, want[i])
		}
	}
}

// likelihood holds the sum of the model's LogLikelihood against the one of the fit.
func (s Spec[M]) likelihood(t *testing.T, e *fit.Estimate[M], hs *clv.Histories) {
	t.Helper()
	sum := 0.0
	for _, h := range hs.Rows {
		sum += e.Model.LogLikelihood(h)
	}
	if !golden.Close(sum, e.LogLik, 1e-9) {
		t.Errorf("the histories' log-likelihoods sum to %v, the fit says %v", sum, e.LogLik)
	}
}

func same[M any](t *testing.T, what string, a, b *fit.Estimate[M]) {
	t.Helper()
	one, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	two, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(one), string(two)); diff != "" {
		t.Errorf("%s change the estimate (-want +got):\n%s", what, diff)
	}
}

// weights fits every customer three times and once with a Count of 3.
func (s Spec[M]) weights(t *testing.T, hs *clv.Histories) {
	t.Helper()
	few := &clv.Histories{Unit: hs.Unit, End: hs.End, Rows: hs.Rows[:len(hs.Rows)/2]}
	weighted, repeated := *few, *few
	weighted.Rows = slices.Clone(few.Rows)
	for i := range weighted.Rows {
		weighted.Rows[i].Count = 3
	}
	repeated.Rows = slices.Concat(few.Rows, few.Rows, few.Rows)
	a, err := s.Fit(context.Background(), &weighted, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Fit(context.Background(), &repeated, nil)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "repeated rows instead of weights", a, b)
}

// unitOfFit fits the same customers in days.
func (s Spec[M]) unitOfFit(t *testing.T, e *fit.Estimate[M], hs *clv.Histories) {
	t.Helper()
	days := &clv.Histories{Unit: clv.Day, End: hs.End, Rows: slices.Clone(hs.Rows)}
	repeats := 0.0
	for i := range days.Rows {
		h := &days.Rows[i]
		h.TX, h.T, h.LogGaps = 7*h.TX, 7*h.T, h.LogGaps+float64(h.X)*math.Log(7)
		repeats += float64(h.X)
	}
	d, err := s.Fit(context.Background(), days, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := s.Params(s.Unit(e.Model, 7))
	for i, got := range s.Params(d.Model) {
		if !golden.Close(got, want[i], 1e-5) {
			t.Errorf("%s = %v in days, %v expected", d.Params[i].Name, got, want[i])
		}
	}
	if w := e.LogLik - repeats*math.Log(7); !golden.Close(d.LogLik, w, 1e-9) {
		t.Errorf("log-likelihood %v in days, %v expected", d.LogLik, w)
	}
}

// stored holds the JSON of the estimate and of the model against what comes back from it.
func (s Spec[M]) stored(t *testing.T, e *fit.Estimate[M]) {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back fit.Estimate[M]
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*e, back); diff != "" {
		t.Errorf("estimate after JSON (-want +got):\n%s", diff)
	}
	other := strings.Replace(string(text), "/"+e.Model.Kind()+"/", "/other/", 1)
	if err := json.Unmarshal([]byte(other), &back); err == nil {
		t.Error("the estimate of another model is read without an error")
	}
	invalid, err := json.Marshal(s.Invalid[0])
	if err == nil {
		t.Errorf("an invalid model is stored as %s", invalid)
	}
}

// concurrent uses one model from several goroutines; the race detector judges.
func (s Spec[M]) concurrent(t *testing.T, e *fit.Estimate[M], hs *clv.Histories) {
	t.Helper()
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, h := range hs.Rows[:20] {
				_ = e.Model.ProbAlive(h) + e.Model.ExpectedPurchases(h, 10) + e.Model.DERT(h, 0.1)
			}
		}()
	}
	wg.Wait()
}

// canceled ends the context in the middle of a fit: it returns soon, with the best estimate so far.
func (s Spec[M]) canceled(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	hs := Draw(s.Simulated, 20000, 5)
	done := make(chan error, 1)
	go func() {
		_, err := s.Fit(ctx, hs, &fit.Options{Progress: func(fit.Progress) { cancel() }})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a canceled fit returns %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("a canceled fit does not return")
	}
}

// badData holds the errors of unusable histories against their row and field.
func (s Spec[M]) badData(t *testing.T) {
	good := func() []clv.History {
		return []clv.History{{X: 1, TX: 5, T: 10}, {X: 3, TX: 8, T: 10}, {T: 10}, {X: 1, TX: 2, T: 9}}
	}
	for _, c := range []struct {
		field  string
		change func(h *clv.History)
	}{
		{"TX", func(h *clv.History) { h.TX = 11 }},
		{"TX", func(h *clv.History) { h.TX = 0 }},
		{"TX", func(h *clv.History) { h.TX = math.NaN() }},
		{"TX", func(h *clv.History) { h.TX = -2 }},
		{"T", func(h *clv.History) { h.T = math.Inf(1) }},
		{"T", func(h *clv.History) { h.T = -1 }},
		{"X", func(h *clv.History) { h.X = -1 }},
		{"Count", func(h *clv.History) { h.Count = -1 }},
	} {
		hs := &clv.Histories{Unit: clv.Week, Rows: good()}
		c.change(&hs.Rows[1])
		_, err := s.Fit(context.Background(), hs, nil)
		var bad *ledger.RowError
		if !errors.As(err, &bad) || bad.Row != 2 || bad.Field != c.field {
			t.Errorf("error %v, want row 2 and field %s", err, c.field)
		}
	}
	for name, hs := range map[string]*clv.Histories{
		"nil": nil, "empty": {Unit: clv.Week}, "no unit": {Rows: good()},
		"no repeat purchase": {Unit: clv.Week, Rows: []clv.History{{T: 10}, {T: 20}, {T: 5}}},
		"no time":            {Unit: clv.Week, Rows: []clv.History{{}, {}}},
	} {
		if e, err := s.Fit(context.Background(), hs, nil); err == nil {
			t.Errorf("%s: fitted %+v without an error", name, e)
		}
	}
	// One customer identifies no distribution: an error or a warning, and never a parameter that is not a number.
	e, err := s.Fit(context.Background(), &clv.Histories{Unit: clv.Week, Rows: good()[1:2]}, nil)
	if err == nil && len(e.Warnings) == 0 {
		t.Errorf("one customer fitted without a word: %v", e)
	}
	if e != nil {
		for _, p := range e.Params {
			if math.IsNaN(p.Value) {
				t.Errorf("one customer gives %s = NaN", p.Name)
			}
		}
	}
}
