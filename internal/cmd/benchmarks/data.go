package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// The models that customers are drawn from, in weeks.
var (
	bg     = clv.BGNBD{R: 0.25, Alpha: 4.4, A: 0.8, B: 2.4}
	mbg    = clv.MBGNBD{R: 0.5, Alpha: 6.2, A: 0.9, B: 1.6}
	pareto = clv.ParetoNBD{R: 0.55, Alpha: 10.6, S: 0.6, Beta: 11.7}
	spend  = clv.GammaGamma{P: 6.25, Q: 3.74, Gamma: 15.44}
)

var end = time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC)

// draw returns customers who came in the first of one and a half years. With days, times are whole days, as in a
// summary by day, and customers share histories; without, no two are alike.
func draw(m clv.Model, n int, days bool) *clv.Histories {
	r := rand.New(rand.NewPCG(1, 2))
	hs := &clv.Histories{Unit: clv.Week, End: end, Rows: make([]clv.History, n)}
	for i := range hs.Rows {
		h := m.Rand(r, 26+52*r.Float64())
		if days {
			h.T = math.Ceil(7*h.T) / 7
			h.TX = math.Ceil(7*h.TX) / 7
			h.X = min(h.X, int(math.Round(7*h.TX))) // at most one purchase a day
		}
		h.Customer = fmt.Sprintf("c%07d", i)
		hs.Rows[i] = h
	}
	return hs
}

// spenders gives the customers of draw what their repeat purchases cost.
func spenders(hs *clv.Histories) (*clv.Histories, error) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range hs.Rows {
		h := &hs.Rows[i]
		total := 0.0
		if h.X > 0 {
			total = float64(h.X) * spend.Rand(r, h.X)
		}
		var err error
		if h.Spend, err = money.FromFloat(total, "USD", money.HalfEven); err != nil {
			return nil, err
		}
	}
	return hs, nil
}

// repeaters keeps the first n customers with a repeat purchase.
func repeaters(hs *clv.Histories, n int) *clv.Histories {
	out := &clv.Histories{Unit: hs.Unit, End: hs.End}
	for _, h := range hs.Rows {
		if h.X > 0 && len(out.Rows) < n {
			out.Rows = append(out.Rows, h)
		}
	}
	return out
}

// orders is a shuffled log of a year with ten rows a customer, each with an id of its own memory, as readers give them.
func orders(customers int) ([]ledger.Transaction, error) {
	r := rand.New(rand.NewPCG(1, 2))
	ids := make([]string, customers)
	for i := range ids {
		ids[i] = fmt.Sprintf("c%08d", i)
	}
	start := end.AddDate(-1, 0, 1)
	rows := make([]ledger.Transaction, 10*customers)
	for i := range rows {
		amount, err := money.FromMinor(r.Int64N(20_000), "USD")
		if err != nil {
			return nil, err
		}
		rows[i] = ledger.Transaction{Customer: strings.Clone(ids[r.IntN(customers)]),
			At: start.Add(time.Duration(r.Int64N(365*24*60)) * time.Minute), Amount: amount}
	}
	return rows, nil
}
