package cluster_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
	"github.com/custval/custval/rfm"
	"github.com/custval/custval/rfm/cluster"
)

func ExampleKMeans() {
	points := [][]float64{{1, 1}, {1, 2}, {8, 8}, {9, 8}}
	r, err := cluster.KMeans(context.Background(), points, 2, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Labels, r.Centers, r.Inertia)
	// Output: [1 1 0 0] [[8.5 8] [1 1.5]] 1
}

func ExampleLabel() {
	end := time.Date(2025, 6, 30, 0, 0, 0, 0, time.UTC)
	order := func(customer string, daysAgo int, amount string) ledger.Transaction {
		return ledger.Transaction{Customer: customer, At: end.AddDate(0, 0, -daysAgo), Amount: money.MustParse(amount, "USD")}
	}
	orders := []ledger.Transaction{
		order("ada", 3, "120"), order("ada", 20, "95"), order("ada", 41, "130"), order("bob", 200, "15"),
		order("cem", 5, "80"), order("cem", 30, "140"), order("cem", 52, "90"), order("dan", 180, "20"),
	}
	t, err := rfm.Analyze(context.Background(), ledger.Transactions(orders), end, nil)
	if err != nil {
		log.Fatal(err)
	}
	l, err := cluster.Label(context.Background(), t, &cluster.LabelOptions{K: 2})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(l)
	// Output:
	// cluster  customers  share     revenue  median recency  median frequency  median monetary
	//       1          2  50.0%  USD 655.00               4                 3            327.5
	//       2          2  50.0%   USD 35.00             190                 1             17.5
}

func ExampleChoose() {
	points := [][]float64{{1, 1}, {1, 2}, {2, 1}, {8, 8}, {9, 8}, {8, 9}}
	r, choices, err := cluster.Choose(context.Background(), points, 2, 3, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(r.Sizes), "clusters")
	for _, c := range choices {
		fmt.Printf("k=%d silhouette %.3f\n", c.K, c.Silhouette)
	}
	// Output:
	// 2 clusters
	// k=2 silhouette 0.885
	// k=3 silhouette 0.490
}
