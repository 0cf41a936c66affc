package clv

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/internal/mle"
)

// The sum is that of the customers' log-likelihoods, its gradient that of differences of the sum, its Hessian that of
// differences of the gradient: at random parameters, with a coefficient that stands for both processes, and covariates
// that act on one of them only.
func TestDynamicDerivatives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		hs, d := randomDynamic(t, r, 8)
		o := []*CovOptions{nil, {Equal: []string{"b"}}, {On: map[string][]string{"Alpha": {"b"}, "Beta": {"a", "b"}}}}[round%3]
		m, err := newDynamic(d, orDefaults(o))
		if err != nil {
			t.Fatal(err)
		}
		c, err := newDynamicProblem(context.Background(), hs, d, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		n := len(c.params)
		theta := make([]float64, n)
		for i := range theta {
			if theta[i] = 0.5 * r.NormFloat64(); i < 4 {
				theta[i] = math.Exp(3 * theta[i])
			}
		}
		at := func(theta []float64, second bool) mle.Derivs {
			d := mle.Derivs{Grad: make([]float64, n)}
			if second {
				d.Hess = make([]float64, n*n)
			}
			c.sum(c.rows, theta, &d)
			return d
		}
		got := at(theta, true)

		res := mle.Result{Theta: append([]float64{}, theta...)}
		c.unscale(&res)
		model, want := m.withParams(res.Theta), 0.0
		for i := range hs.Rows {
			want += float64(hs.Rows[i].customers()) * model.Along(d.Path(i)).LogLikelihood(hs.Rows[i])
		}
		if !golden.Close(got.Value, want, 1e-11) {
			t.Errorf("round %d: sum %.15g, want %.15g", round, got.Value, want)
		}
		if bare := at(theta, false); !golden.Close(bare.Value, got.Value, 1e-14) || !golden.Close(bare.Grad[n-1], got.Grad[n-1], 1e-9) {
			t.Errorf("round %d: without second derivatives %v %v, with them %v %v", round, bare.Value, bare.Grad, got.Value, got.Grad)
		}
		size := func(i int) float64 { // of a derivative
			if i < 4 {
				return 1 / theta[i]
			}
			return 1
		}
		for i := range theta {
			step := 1e-5 / size(i)
			up, down := append([]float64{}, theta...), append([]float64{}, theta...)
			up[i], down[i] = up[i]+step, down[i]-step
			high, low := at(up, true), at(down, true)
			if want := (high.Value - low.Value) / (up[i] - down[i]); math.Abs(got.Grad[i]-want) > 1e-8*size(i)*max(1, math.Abs(got.Value)) {
				t.Errorf("round %d: gradient in %s is %.12g, difference %.12g", round, c.params[i].Name, got.Grad[i], want)
			}
			for j := range theta {
				want := (high.Grad[j] - low.Grad[j]) / (up[i] - down[i])
				if h := got.Hess[min(i, j)*n+max(i, j)]; math.Abs(h-want) > 1e-8*size(i)*size(j)*max(1, math.Abs(got.Value)) {
					t.Errorf("round %d: second derivative in %s and %s is %.12g, difference %.12g", round, c.params[i].Name, c.params[j].Name, h, want)
				}
			}
		}
	}
}

func orDefaults(o *CovOptions) *CovOptions {
	if o == nil {
		return &CovOptions{}
	}
	return o
}

// randomDynamic draws histories and paths of two covariates, and the times of the purchases.
func randomDynamic(t *testing.T, r *rand.Rand, n int) (*Histories, *DynamicDesign) {
	t.Helper()
	hs := &Histories{Unit: Week}
	var paths []Path
	for range n {
		var p Path
		at := 0.0
		for range 1 + r.IntN(40) {
			p.Starts, p.Rows = append(p.Starts, at), append(p.Rows, []float64{5 + r.NormFloat64(), float64(r.IntN(2))})
			at += 3 * r.Float64()
		}
		h, last := History{T: 60 * r.Float64(), Count: 1 + r.IntN(3)}, 0.0
		var times []float64
		for range r.IntN(30) {
			if last += 4 * r.Float64(); last < h.T {
				times = append(times, last)
			}
		}
		if h.X = len(times); h.X > 0 {
			h.TX = times[h.X-1]
		}
		p, err := p.WithPurchases(times)
		if err != nil {
			t.Fatal(err)
		}
		hs.Rows, paths = append(hs.Rows, h), append(paths, p)
	}
	d, err := NewDynamicDesign(hs, Terms{{Name: "a"}, {Name: "b"}}, paths)
	if err != nil {
		t.Fatal(err)
	}
	return hs, d
}
