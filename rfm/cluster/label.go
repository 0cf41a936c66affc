package cluster

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/custval/custval/internal/stat"
	"github.com/custval/custval/money"
	"github.com/custval/custval/rfm"
)

// LabelOptions say how customers are clustered. Nil and the zero value are the defaults.
type LabelOptions struct {
	Options
	K           int     // clusters; 0 means the k from Least to Most with the greatest silhouette
	Least, Most int     // 0 means 2 and 8
	Scaling     Scaling // the zero value is LogStandard
}

// A Customer is one labeled customer.
type Customer struct {
	Customer string `json:"customer"`
	Cluster  int    `json:"cluster"` // 1 is the cluster with the greatest monetary value
}

// A Cluster sums up the customers of one label.
type Cluster struct {
	Cluster         int          `json:"cluster"`
	Customers       int          `json:"customers"`
	Share           float64      `json:"share"` // of the scored customers
	Revenue         money.Amount `json:"revenue"`
	MedianRecency   float64      `json:"median_recency"`   // days
	MedianFrequency float64      `json:"median_frequency"` // purchases
	MedianMonetary  float64      `json:"median_monetary"`  // currency units
}

// Labels are the clusters of a table's customers.
type Labels struct {
	Customers []Customer `json:"customers"` // sorted by customer
	Clusters  []Cluster  `json:"clusters"`
	Choices   []Choice   `json:"choices,omitempty"` // what was seen for each k, where k was chosen
	Scaling   Scaling    `json:"scaling"`
	Seed      uint64     `json:"seed"`
}

// Label clusters the scored customers of a table by recency, frequency and monetary value. A nil o means the defaults:
// logarithms scaled to one deviation, ten starts with seed 0, and the number of clusters from 2 to 8 with the greatest
// silhouette. Since a table is sorted by customer, the result does not depend on the order of the log.
//
// It returns an error for a table without rows, and for what [KMeans], [Choose] and [Scale] report.
func Label(ctx context.Context, t *rfm.Table, o *LabelOptions) (*Labels, error) {
	var opt LabelOptions
	if o != nil {
		opt = *o
	}
	if len(t.Rows) == 0 {
		return nil, errors.New("cluster: the table has no rows")
	}
	points := make([][]float64, len(t.Rows))
	for i := range t.Rows {
		r := &t.Rows[i]
		points[i] = []float64{float64(r.Recency), float64(r.Frequency), r.Monetary.Float64()}
	}
	scaled, err := Scale(points, opt.Scaling)
	if err != nil {
		return nil, err
	}
	l := &Labels{Scaling: opt.Scaling, Seed: opt.Seed, Customers: make([]Customer, len(t.Rows))}
	var r *Result
	if opt.K == 0 {
		least, most := opt.Least, opt.Most
		if least == 0 {
			least = 2
		}
		if most == 0 {
			most = max(8, least)
			most = max(least, min(most, distinct(scaled, most)))
		}
		r, l.Choices, err = Choose(ctx, scaled, least, most, &opt.Options)
	} else {
		r, err = KMeans(ctx, scaled, opt.K, &opt.Options)
	}
	if err != nil {
		return nil, err
	}
	for i := range t.Rows {
		l.Customers[i] = Customer{t.Rows[i].Customer, r.Labels[i] + 1}
	}
	l.Clusters, err = sumUp(t, r, points)
	return l, err
}

func sumUp(t *rfm.Table, r *Result, points [][]float64) ([]Cluster, error) {
	clusters := make([]Cluster, len(r.Sizes))
	for k := range clusters {
		c := &clusters[k]
		var values [3][]float64
		var revenue money.Sum
		for i, label := range r.Labels {
			if label != k {
				continue
			}
			revenue.Add(t.Rows[i].Revenue)
			for j := range values {
				values[j] = append(values[j], points[i][j])
			}
		}
		var err error
		if c.Revenue, err = revenue.Total(); err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
		c.Cluster, c.Customers, c.Share = k+1, r.Sizes[k], float64(r.Sizes[k])/float64(len(t.Rows))
		for j, to := range []*float64{&c.MedianRecency, &c.MedianFrequency, &c.MedianMonetary} {
			slices.Sort(values[j])
			*to = stat.Quantile(values[j], 0.5)
		}
	}
	return clusters, nil
}

// Map returns the labels by customer as text, such as "cluster 1", for rfm.Transitions.
func (l *Labels) Map() map[string]string {
	m := make(map[string]string, len(l.Customers))
	for _, c := range l.Customers {
		m[c.Customer] = "cluster " + strconv.Itoa(c.Cluster)
	}
	return m
}

// String returns the clusters as a text table.
func (l *Labels) String() string {
	rows := [][]string{{"cluster", "customers", "share", "revenue", "median recency", "median frequency", "median monetary"}}
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
	for _, c := range l.Clusters {
		rows = append(rows, []string{strconv.Itoa(c.Cluster), strconv.Itoa(c.Customers), strconv.FormatFloat(100*c.Share, 'f', 1, 64) + "%",
			c.Revenue.String(), number(c.MedianRecency), number(c.MedianFrequency), number(c.MedianMonetary)})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + cell)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// WriteCSV writes one line a customer with a header: customer, cluster.
func (l *Labels) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"customer", "cluster"}); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	for _, c := range l.Customers {
		if err := out.Write([]string{c.Customer, strconv.Itoa(c.Cluster)}); err != nil {
			return fmt.Errorf("cluster: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	return nil
}
