// Package linalg has the small dense linear algebra that the regressions of churn share.
package linalg

import "math"

// NewMatrix returns a zero matrix of n rows and columns in one piece of memory. A symmetric matrix is kept as a full one.
func NewMatrix(n int) [][]float64 {
	cells := make([]float64, n*n)
	m := make([][]float64, n)
	for i := range m {
		m[i] = cells[i*n : (i+1)*n : (i+1)*n]
	}
	return m
}

// Cholesky returns the lower triangle L with a = L L', or the index of the first pivot that is not above the tolerance
// times the diagonal: the first row that depends on those before it. The index is -1 for a positive definite matrix.
func Cholesky(a [][]float64, tolerance float64) (l [][]float64, bad int) {
	l = NewMatrix(len(a))
	for j := range a {
		pivot := a[j][j] - Dot(l[j][:j], l[j][:j])
		if !(pivot > tolerance*a[j][j]) || math.IsInf(pivot, 1) {
			return l, j
		}
		root := math.Sqrt(pivot)
		l[j][j] = root
		for i := j + 1; i < len(a); i++ {
			l[i][j] = (a[i][j] - Dot(l[i][:j], l[j][:j])) / root
		}
	}
	return l, -1
}

// Solve returns x with L L' x = b.
func Solve(l [][]float64, b []float64) []float64 {
	n := len(b)
	x := make([]float64, n)
	for i := range x {
		x[i] = (b[i] - Dot(l[i][:i], x[:i])) / l[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		sum := x[i]
		for k := i + 1; k < n; k++ {
			sum -= l[k][i] * x[k]
		}
		x[i] = sum / l[i][i]
	}
	return x
}

// Inverse returns the inverse of L L', exactly symmetric.
func Inverse(l [][]float64) [][]float64 {
	n := len(l)
	inv := NewMatrix(n)
	unit := make([]float64, n)
	for j := range n {
		unit[j] = 1
		column := Solve(l, unit)
		unit[j] = 0
		for i := range n {
			inv[i][j] = column[i]
		}
	}
	for i := range n {
		for j := range i {
			mean := (inv[i][j] + inv[j][i]) / 2
			inv[i][j], inv[j][i] = mean, mean
		}
	}
	return inv
}

// Quadratic returns b' (L L')^-1 b.
func Quadratic(l [][]float64, b []float64) float64 { return Dot(b, Solve(l, b)) }

// Form returns b' a b.
func Form(a [][]float64, b []float64) float64 {
	var sum float64
	for i := range b {
		sum += b[i] * Dot(a[i], b)
	}
	return sum
}

// Dot returns the sum of the products of the elements of a and b.
func Dot(a, b []float64) float64 {
	var sum float64
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// Within returns the rows and columns of a matrix that are listed.
func Within(a [][]float64, index []int) [][]float64 {
	m := NewMatrix(len(index))
	for i, r := range index {
		for j, c := range index {
			m[i][j] = a[r][c]
		}
	}
	return m
}

// Pick returns the elements of v that index names.
func Pick(v []float64, index []int) []float64 {
	out := make([]float64, len(index))
	for i, k := range index {
		out[i] = v[k]
	}
	return out
}
