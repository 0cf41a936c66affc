package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// value fits the models and scores every customer.
func value(ctx context.Context, p *story.Printer, c config, hs *clv.Histories) (clv.Scores, error) {
	if len(hs.Rows) == 0 {
		return nil, fmt.Errorf("no purchase on or before %s", hs.End.Format(time.DateOnly))
	}
	scorer, err := clv.FitScorer(ctx, hs, clv.ValueOptions{Margin: 0.30, Horizon: float64(52*clv.Week) / float64(hs.Unit), Discount: clv.Annual(0.10)})
	if err != nil {
		return nil, err
	}
	scores, err := ledger.Collect(scorer.All(hs))
	if err != nil {
		return nil, err
	}
	top, err := scorer.Top(hs, 5)
	if err != nil {
		return nil, err
	}
	total, err := clv.Scores(scores).Total()
	if err != nil {
		return nil, err
	}
	p.Say("BG/NBD and gamma-gamma, fitted to the summary, expect margins of %s over the next 52 weeks from the %d customers:\n"+
		"30 %% of what they spend, discounted by 10 %% a year. The most valuable five:\n\n%s", total, len(scores), top)
	return scores, nil
}

// store writes the scores into the database and adds them up there.
func store(ctx context.Context, p *story.Printer, c config, s *source, end time.Time, scores clv.Scores) error {
	title := c.scores
	if title == "" && s.sample {
		title = "scores"
	}
	if title == "" {
		p.Say("Nothing was written: -scores names a table for the scores.")
		return nil
	}
	d := s.table.dialect
	if err := writeScores(ctx, s.table.db, d, title, end, scores); err != nil {
		return err
	}
	total, err := scores.Total()
	if err != nil {
		return err
	}
	_, minor := d.(sqlite)
	n, stored, err := storedTotal(ctx, s.table.db, title, total.Currency(), minor)
	if err != nil {
		return err
	}
	if n != len(scores) || !stored.Equal(total) {
		return fmt.Errorf("%s: %d scores of %v were stored, not %d of %v", title, n, stored, len(scores), total)
	}
	p.Say("%d scores were written into the table %s in one transaction: others see the old ones until all the new ones are there.\n"+
		"Their sum, by the database, is %s.", n, title, stored)
	return nil
}

// files writes the scores, and the orders of the simulated shop, as Parquet and reads them back.
func files(ctx context.Context, p *story.Printer, c config, s *source, hs *clv.Histories, scores clv.Scores) error {
	if s.sample {
		path := filepath.Join(c.out, "orders.parquet")
		if err := writeOrders(path, s.orders(ctx)); err != nil {
			return err
		}
		f, err := openParquet(path, money.Currency(c.currency), false, hs.End.Location())
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // it was only read
		again, err := clv.Summarize(ctx, f.orders(ctx), hs.End, hs.Unit, nil)
		if err != nil {
			return err
		}
		if err := same(hs, again); err != nil {
			return err
		}
		p.Say("orders.parquet has the %d orders, amounts as DECIMAL(38, 9). Streamed back page by page they give the same summary, again\n"+
			"to the last digit.", f.rows)
	}
	if err := writeScoreFile(filepath.Join(c.out, "scores.parquet"), scores); err != nil {
		return err
	}
	p.Say("scores.parquet has customer, prob_alive, purchases, value (DECIMAL, exact) and currency. The files are in %s", c.out)
	return nil
}
