package validate_test

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/clv/simulate"
	"github.com/custval/custval/clv/validate"
)

// exampleShop is a shop whose customers follow a BG/NBD model, so that a fit of one should forecast well.
func exampleShop() simulate.Shop {
	return simulate.Shop{
		Purchases: clv.BGNBD{R: 0.8, Alpha: 5, A: 0.8, B: 2.5},
		Spend:     clv.GammaGamma{P: 6, Q: 4, Gamma: 20},
		Unit:      clv.Week, Customers: 2000, Currency: "USD", Seed: 1,
		Start:    time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC),
		Acquired: time.Date(2024, time.July, 1, 0, 0, 0, 0, time.UTC),
		End:      time.Date(2025, time.July, 1, 0, 0, 0, 0, time.UTC),
	}
}

// A forecast is made from what customers did until a day and compared with what they did after it.
func ExampleSplit() {
	ctx := context.Background()
	shop := exampleShop()
	held, err := validate.Split(ctx, shop.Orders(ctx), time.Date(2024, time.December, 31, 0, 0, 0, 0, time.UTC), shop.End, clv.Week, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := clv.FitBGNBD(ctx, held.Calibration, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	card, err := held.Scorecard(e.Model)
	if err != nil {
		fmt.Println(err)
		return
	}
	naive, err := validate.Score(validate.Naive, held.Naive(), held.Actual(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the total is within 10 %:", math.Abs(card.Bias) < 0.10)
	fmt.Println("better than a forecast that all goes on as before:", card.RMSE < naive.RMSE)
	// Output:
	// the total is within 10 %: true
	// better than a forecast that all goes on as before: true
}

// Several models forecast from several days, and the one with the lowest error comes first.
func ExampleDiary_Backtest() {
	ctx := context.Background()
	diary, err := validate.ReadDiary(ctx, exampleShop().Orders(ctx), time.UTC)
	if err != nil {
		fmt.Println(err)
		return
	}
	origins := []time.Time{
		time.Date(2024, time.September, 30, 0, 0, 0, 0, time.UTC),
		time.Date(2024, time.December, 31, 0, 0, 0, 0, time.UTC),
	}
	ranks, err := diary.Backtest(ctx, clv.Week, origins, 13,
		validate.Candidate{Name: "NBD", Fit: func(ctx context.Context, hs *clv.Histories) (validate.Forecaster, error) {
			e, err := clv.FitNBD(ctx, hs, nil)
			if err != nil {
				return nil, err
			}
			return e.Model, nil
		}},
		validate.Candidate{Name: "BG/NBD", Fit: func(ctx context.Context, hs *clv.Histories) (validate.Forecaster, error) {
			e, err := clv.FitBGNBD(ctx, hs, nil)
			if err != nil {
				return nil, err
			}
			return e.Model, nil
		}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range ranks {
		fmt.Printf("%s: best at %d of %d days\n", r.Name, r.Best, len(origins))
	}
	// Output:
	// BG/NBD: best at 2 of 2 days
	// NBD: best at 0 of 2 days
	// same as last period: best at 0 of 2 days
}

// A model should at least describe the customers whom it was fitted to.
func ExampleFrequencies() {
	ctx := context.Background()
	shop := exampleShop()
	histories, err := clv.Summarize(ctx, shop.Orders(ctx), shop.End, clv.Week, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := clv.FitBGNBD(ctx, histories, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	table, err := validate.Frequencies(e.Model, histories, 4)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range table { // three standard deviations of a count
		fmt.Printf("%s: as the model says: %t\n", row.Purchases, math.Abs(row.Actual-row.Expected) < 3*math.Sqrt(row.Expected))
	}
	// Output:
	// 0: as the model says: true
	// 1: as the model says: true
	// 2: as the model says: true
	// 3: as the model says: true
	// 4+: as the model says: true
}
