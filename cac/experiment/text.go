package experiment

import (
	"fmt"
	"io"
	"strings"

	"github.com/custval/custval/cac/internal/table"
)

func star(significant bool) string {
	if significant {
		return "yes"
	}
	return "no"
}

// String returns the arms, the uplifts in money and the warnings.
func (r *ValueReport) String() string {
	var arms [][]string
	for _, a := range r.Arms {
		arms = append(arms, []string{a.Name, fmt.Sprint(a.Customers), fmt.Sprint(a.Buyers), a.Mean.String()})
	}
	var rows [][]string
	for _, u := range r.Uplifts {
		relative := table.Undefined
		if u.Relative != nil {
			relative = table.Percent(u.Relative.Estimate, nil)
		}
		rows = append(rows, []string{u.Arm, u.Worth.PerCustomer.String(), u.Worth.Low.String(), u.Worth.High.String(), relative,
			fmt.Sprintf("%.4g", u.PAdjusted), star(u.Significant), u.Worth.Total.String()})
	}
	return table.Text([]string{"arm", "customers", "buyers", "value per customer"}, arms, 1) + "\n" +
		table.Text([]string{"uplift of", "per customer", "low", "high", "relative", "p", "significant", "in total"}, rows, 1) + warnings(r.Warnings)
}

// WriteCSV writes one line for each treatment with the header
// arm,customers,currency,per_customer,low,high,level,std_err,p,p_adjusted,significant,method,population,total,total_low,total_high.
func (r *ValueReport) WriteCSV(w io.Writer) error {
	var rows [][]string
	for i, u := range r.Uplifts {
		rows = append(rows, []string{u.Arm, fmt.Sprint(r.Arms[i+1].Customers), string(r.Currency), table.Plain(u.Worth.PerCustomer), table.Plain(u.Worth.Low),
			table.Plain(u.Worth.High), table.Float(u.Effect.Level, nil), table.Float(u.Effect.StdErr, nil), table.Float(u.Effect.P, nil), table.Float(u.PAdjusted, nil),
			fmt.Sprint(u.Significant), u.Effect.Method, fmt.Sprint(u.Worth.Population), table.Plain(u.Worth.Total), table.Plain(u.Worth.TotalLow), table.Plain(u.Worth.TotalHigh)})
	}
	return table.CSV(w, strings.Split("arm,customers,currency,per_customer,low,high,level,std_err,p,p_adjusted,significant,method,population,total,total_low,total_high", ","), rows)
}

// String returns the arms with intervals and beliefs, the uplifts and the warnings.
func (r *RateReport) String() string {
	var arms [][]string
	for _, a := range r.Arms {
		arms = append(arms, []string{a.Name, fmt.Sprint(a.Customers), fmt.Sprint(a.Conversions), percent2(a.Value), percent2(a.Low), percent2(a.High),
			percent2(a.Belief.ProbBest), fmt.Sprintf("%.3g", a.Belief.ExpectedLoss)})
	}
	header := []string{"uplift of", "difference", "low", "high", "relative", "p", "significant"}
	money := false
	for _, u := range r.Uplifts {
		money = money || u.Worth != nil
	}
	if money {
		header = append(header, "per customer", "in total")
	}
	var rows [][]string
	for _, u := range r.Uplifts {
		relative := table.Undefined
		if u.Relative != nil {
			relative = table.Percent(u.Relative.Estimate, nil)
		}
		row := []string{u.Arm, percent2(u.Effect.Estimate), percent2(u.Effect.Low), percent2(u.Effect.High), relative, fmt.Sprintf("%.4g", u.PAdjusted), star(u.Significant)}
		if u.Worth != nil {
			row = append(row, u.Worth.PerCustomer.String(), u.Worth.Total.String())
		}
		rows = append(rows, row)
	}
	return table.Text([]string{"arm", "customers", "conversions", "rate", "low", "high", "best", "expected loss"}, arms, 1) + "\n" +
		table.Text(header, rows, 1) + warnings(r.Warnings)
}

func percent2(x float64) string { return fmt.Sprintf("%.2f%%", 100*x) }

func warnings(list []string) string {
	var b strings.Builder
	for _, w := range list {
		b.WriteString("warning: " + w + "\n")
	}
	return b.String()
}

// WriteCSV writes one line for each arm with the header
// arm,customers,conversions,rate,rate_low,rate_high,prob_best,expected_loss,difference,low,high,p,p_adjusted,significant,per_customer,total,currency;
// the control has no difference.
func (r *RateReport) WriteCSV(w io.Writer) error {
	var rows [][]string
	for i, a := range r.Arms {
		row := []string{a.Name, fmt.Sprint(a.Customers), fmt.Sprint(a.Conversions), table.Float(a.Value, nil), table.Float(a.Low, nil), table.Float(a.High, nil),
			table.Float(a.Belief.ProbBest, nil), table.Float(a.Belief.ExpectedLoss, nil)}
		if i == 0 {
			rows = append(rows, append(row, "", "", "", "", "", "", "", "", ""))
			continue
		}
		u := r.Uplifts[i-1]
		row = append(row, table.Float(u.Effect.Estimate, nil), table.Float(u.Effect.Low, nil), table.Float(u.Effect.High, nil), table.Float(u.Effect.P, nil),
			table.Float(u.PAdjusted, nil), fmt.Sprint(u.Significant))
		if u.Worth != nil {
			row = append(row, table.Plain(u.Worth.PerCustomer), table.Plain(u.Worth.Total), string(u.Worth.Total.Currency()))
		} else {
			row = append(row, "", "", "")
		}
		rows = append(rows, row)
	}
	return table.CSV(w, strings.Split("arm,customers,conversions,rate,rate_low,rate_high,prob_best,expected_loss,difference,low,high,p,p_adjusted,significant,per_customer,total,currency", ","), rows)
}
