package budget_test

import (
	"context"
	"fmt"

	"github.com/custval/custval/cac/budget"
	"github.com/custval/custval/money"
)

func shop() []budget.Channel {
	return []budget.Channel{
		{Name: "Search", Curve: budget.MichaelisMenten{A: 900, C: 40000}, Value: usd("320"), Current: usd("60000")},
		{Name: "Social", Curve: budget.Hill{A: 700, C: 25000, S: 1.8}, Value: usd("190"), Max: usd("30000"), Current: usd("30000")},
		{Name: "Events", Curve: budget.Log{A: 60, C: 8000}, Value: usd("900"), Min: usd("5000"), Current: usd("10000")},
	}
}

func ExampleAllocate() {
	plan, err := budget.Allocate(context.Background(), usd("100000"), shop(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(plan)
	// Output:
	// channel          spend  customers          value         CAC  marginal CAC  return  bound         change
	// Search    USD 44516.78     474.05  USD 151695.71   USD 93.91    USD 198.42  1.6127         USD -15483.22
	// Social    USD 30000.00     406.92   USD 77315.05   USD 73.72     USD 97.83  1.9422    max       USD 0.00
	// Events    USD 25483.22      85.90   USD 77306.56  USD 296.67    USD 558.05  1.6127          USD 15483.22
	// total    USD 100000.00     966.87  USD 306317.32  USD 103.43
	// one more USD of budget returns 1.6127 in value
}

func ExampleAllocate_infeasible() {
	channels := []budget.Channel{
		{Name: "Search", Curve: budget.Log{A: 500, C: 100}, Value: usd("10"), Min: usd("600")},
		{Name: "Social", Curve: budget.Log{A: 300, C: 100}, Value: usd("10"), Min: usd("200")},
	}
	_, err := budget.Allocate(context.Background(), usd("700"), channels, nil)
	fmt.Println(err)
	// Output:
	// budget: no plan is possible: the minimum spends add up to USD 800.00, USD 100.00 more than the budget of USD 700.00; the largest is USD 600.00 of "Search"
}

func ExampleAllocateTarget() {
	plan, err := budget.AllocateTarget(context.Background(), shop(), budget.Target{MarginalReturn: 1.2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Budget, plan.Profit)
	plan, err = budget.AllocateTarget(context.Background(), shop(), budget.Target{MarginalCAC: usd("150")}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Budget, plan.Rows[0].MarginalCAC)
	// Output:
	// USD 124979.59 USD 216029.88
	// USD 68484.69 USD 150.00
}

func ExampleEvaluate() {
	now, err := budget.Evaluate(shop(), []money.Amount{usd("60000"), usd("30000"), usd("10000")}, nil)
	fmt.Println(now.Value, err)
	best, err := budget.Allocate(context.Background(), usd("100000"), shop(), nil)
	fmt.Println(best.Value, err)
	// Output:
	// USD 293905.28 <nil>
	// USD 306317.32 <nil>
}

func ExampleFrontier() {
	t, err := budget.Frontier(context.Background(), []money.Amount{usd("50000"), usd("100000"), usd("200000")}, shop(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(t)
	// Output:
	// budget          spend  customers          value         profit         CAC  next unit
	//  USD 50000.00   USD 50000.00     620.56  USD 193385.89  USD 143385.89   USD 80.57     3.0204
	// USD 100000.00  USD 100000.00     966.87  USD 306317.32  USD 206317.32  USD 103.43     1.6127
	// USD 200000.00  USD 200000.00    1179.25  USD 406319.21  USD 206319.21  USD 169.60     0.6423
}

func ExampleFitMichaelisMenten() {
	var points []budget.Point
	for i, spend := range []float64{5, 10, 20, 40, 60, 80, 120, 160} {
		points = append(points, budget.Point{Spend: spend, Response: []float64{21, 35, 58, 85, 97, 112, 121, 131}[i]})
	}
	f, err := budget.FitMichaelisMenten(context.Background(), points, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ci, err := f.Interval(0.95)
	fmt.Printf("limit %.1f (%.1f to %.1f), half of it at %.1f, R squared %.4f %v\n", f.Estimate.Model.A, ci[0][0], ci[0][1], f.Estimate.Model.C, f.RSquared, err)
	// Output:
	// limit 158.0 (151.9 to 164.4), half of it at 34.9, R squared 0.9984 <nil>
}

func ExampleGeometric_Apply() {
	fmt.Println(budget.Geometric{Theta: 0.5}.Apply([]float64{100, 0, 0, 50, 0}))
	// Output: [100 50 25 62.5 31.25] <nil>
}

func ExampleDelayed_Apply() {
	fmt.Println(budget.Delayed{Alpha: 0.5, Theta: 1, Length: 4}.Apply([]float64{100, 0, 0, 0, 0}))
	// Output: [50 100 50 6.25 0] <nil>
}

func ExampleSteady() {
	adstock := budget.Geometric{Theta: 0.6}
	weekly := budget.Steady{Curve: budget.MichaelisMenten{A: 900, C: 40000}, Multiplier: adstock.Multiplier()}
	fmt.Printf("%.1f customers a week of 10,000 each\n", weekly.Response(10000))
	// Output:
	// 346.2 customers a week of 10,000 each
}

func ExampleHill() {
	h := budget.Hill{A: 100, C: 50, S: 3}
	fmt.Printf("%.1f of 100 at a spend of 40, steepest at %.2f\n", h.Response(40), h.Inflection())
	// Output:
	// 33.9 of 100 at a spend of 40, steepest at 39.69
}

func ExampleParseCurve() {
	c, err := budget.ParseCurve([]byte(`{"schema":"custval/model/hill/v1","params":{"a":100,"c":50,"s":3}}`))
	fmt.Println(c, err)
	// Output: {100 50 3} <nil>
}
