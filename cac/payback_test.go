package cac_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/custval/custval/cac"
	"github.com/custval/custval/internal/golden"
	"github.com/custval/custval/money"
)

// shortest is the amount that a number of a golden file shows.
func shortest(t *testing.T, x golden.Float) money.Amount {
	t.Helper()
	return usd(strconv.FormatFloat(float64(x), 'f', -1, 64))
}

func TestChurnAdjustedPaybackComputed(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/payback.json").Rows {
		p, err := cac.ChurnAdjustedPayback(shortest(t, row.Args["cost"]), shortest(t, row.Args["profit"]), float64(row.Args["churn"]))
		if err != nil {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		if whole := row.Want["whole"]; whole < 0 {
			if p.Status != cac.Never || p.Share > 1 {
				t.Errorf("%s: %+v, want never", row.Name, p)
			}
			continue
		}
		row.Check(t, "months", p.Months)
		row.Check(t, "whole", float64(p.Whole))
	}
}

func TestProjectionComputed(t *testing.T) {
	for _, row := range golden.Load(t, "testdata/projection.json").Rows {
		churn := []float64{}
		for range int(row.Args["n"]) {
			churn = append(churn, float64(row.Args["early"]))
		}
		p, err := cac.Projection{Cost: shortest(t, row.Args["cost"]), Profit: shortest(t, row.Args["profit"]),
			Churn: append(churn, float64(row.Args["late"])), Expansion: float64(row.Args["growth"])}.Payback()
		if err != nil || p.Status != cac.PaidBack {
			t.Errorf("%s: %+v, %v", row.Name, p, err)
			continue
		}
		row.Check(t, "months", p.Months)
	}
}

// A dearer customer never pays back earlier, and a longer history only adds to what is known.
func TestPaybackIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		profits := make([]money.Amount, 1+r.IntN(20))
		for i := range profits {
			profits[i] = minor(r.Int64N(5000))
		}
		cost := 1 + r.Int64N(40000)
		a, err1 := cac.CohortPayback(minor(cost), profits)
		b, err2 := cac.CohortPayback(minor(cost+r.Int64N(1000)), profits)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if b.Status == cac.PaidBack && (a.Status != cac.PaidBack || a.Months > b.Months) {
			t.Fatalf("%d: %+v, dearer %+v", cost, a, b)
		}
		short, err := cac.CohortPayback(minor(cost), profits[:len(profits)/2])
		if err != nil || short.Status == cac.PaidBack && (a.Months != short.Months || a.Whole != short.Whole) {
			t.Fatalf("half the months say %+v, all of them %+v (%v)", short, a, err)
		}
		if a.Status == cac.PaidBack && (a.Months > float64(a.Whole) || a.Months <= float64(a.Whole-1)) {
			t.Fatalf("%+v: the fraction is not inside the whole month", a)
		}
	}
}
