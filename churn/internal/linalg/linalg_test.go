package linalg

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestByHand factors [[4 2] [2 5]] = L L' with L = [[2 0] [1 2]]; its inverse is [[5 -2] [-2 4]]/16.
func TestByHand(t *testing.T) {
	near := cmpopts.EquateApprox(1e-15, 1e-15)
	a := [][]float64{{4, 2}, {2, 5}}
	l, bad := Cholesky(a, 1e-12)
	if bad != -1 {
		t.Fatalf("row %d depends on those before it", bad)
	}
	if diff := cmp.Diff([][]float64{{2, 0}, {1, 2}}, l, near); diff != "" {
		t.Errorf("factor (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]float64{{5. / 16, -2. / 16}, {-2. / 16, 4. / 16}}, Inverse(l), near); diff != "" {
		t.Errorf("inverse (-want +got):\n%s", diff)
	}
	b := []float64{8, 12}
	if diff := cmp.Diff([]float64{1, 2}, Solve(l, b), near); diff != "" {
		t.Errorf("solution (-want +got):\n%s", diff)
	}
	if q := Quadratic(l, b); math.Abs(q-32) > 1e-13 {
		t.Errorf("b' a^-1 b = %v, want 32", q)
	}
	if f := Form(a, []float64{1, 2}); f != 32 {
		t.Errorf("(1 2) a (1 2)' = %v, want 32", f)
	}
	if diff := cmp.Diff([][]float64{{5}}, Within(a, []int{1})); diff != "" {
		t.Errorf("within (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]float64{12}, Pick(b, []int{1})); diff != "" {
		t.Errorf("pick (-want +got):\n%s", diff)
	}
	if _, bad := Cholesky([][]float64{{1, 2}, {2, 4}}, 1e-12); bad != 1 {
		t.Errorf("the dependent row is %d, want 1", bad)
	}
}
