// Service answers over HTTP what customers are worth: it loads a fitted clv.Scorer, keeps one small state a customer, and
// scores, observes orders and describes customers as JSON.
//
//	go run ./examples/service
//	go run ./examples/service -csv orders.csv -save scorer.json
//	go run ./examples/service -scorer scorer.json -addr :8080
//
//	curl -s localhost:8080/v1/customers/customer-0001
//	curl -s localhost:8080/openapi.json
//
// Without -scorer it fits one at the start, to the simulated shop of examples/sample or to the file of -csv, and keeps
// the states of that log's customers. Errors are JSON with the statuses of docs/SERVICES.md. It has no authentication and
// its states are gone when it stops: put it behind what has the one and beside what stores the other.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/examples/charts"
	"github.com/custval/custval/examples/internal/story"
	"github.com/custval/custval/examples/sample"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A config is what the flags say.
type config struct{ addr, scorer, save, csv, currency string }

func main() {
	var c config
	flag.StringVar(&c.addr, "addr", "127.0.0.1:8080", "address to listen on")
	flag.StringVar(&c.scorer, "scorer", "", "JSON of a fitted scorer; fitted at the start if empty")
	flag.StringVar(&c.save, "save", "", "file to write the fitted scorer to")
	flag.StringVar(&c.csv, "csv", "", "order log of the customers to start with; the simulated shop if this and -scorer are empty")
	flag.StringVar(&c.currency, "currency", "USD", "currency of the amounts where no column says it")
	flag.Parse()
	story.Main("service", func(ctx context.Context, out io.Writer) error {
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
		defer stop()
		return run(ctx, c, out)
	})
}

// run serves until the context ends.
func run(ctx context.Context, c config, out io.Writer) error {
	if c.scorer != "" && c.save != "" {
		return errors.New("-save is for a scorer that is fitted: leave out -scorer")
	}
	scorer, log, err := load(ctx, c)
	if err != nil {
		return err
	}
	if c.save != "" {
		text, err := json.Marshal(scorer)
		if err != nil {
			return err
		}
		if err := charts.WriteFile(c.save, bytes.NewBuffer(text)); err != nil {
			return err
		}
	}
	customers := newStore(scorer, maxCustomers)
	for i, tx := range log {
		if _, err := customers.observe(tx); err != nil {
			return fmt.Errorf("order %d: %w", i+1, err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.addr)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%d customers; listening on http://%s\n", customers.len(), listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serve(ctx, listener, newServer(scorer, customers), defaultLimits)
}

// load returns the scorer and the orders, by time, of the customers to start with.
func load(ctx context.Context, c config) (*clv.Scorer, []ledger.Transaction, error) {
	log, err := orders(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	if c.scorer != "" {
		text, err := os.ReadFile(c.scorer)
		if err != nil {
			return nil, nil, err
		}
		s := new(clv.Scorer)
		if err := json.Unmarshal(text, s); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.scorer, err)
		}
		return s, log, nil
	}
	if len(log) == 0 {
		return nil, nil, fmt.Errorf("%s: no rows after the header", c.csv)
	}
	hs, err := clv.Summarize(ctx, ledger.Transactions(log), log[len(log)-1].At, clv.Week, nil)
	if err != nil {
		return nil, nil, err
	}
	s, err := clv.FitScorer(ctx, hs, clv.ValueOptions{Margin: 0.30, Horizon: 52, Discount: clv.Annual(0.10)})
	return s, log, err
}

// orders reads the log of -csv, or the shop up to its end of observation if there is no scorer either.
func orders(ctx context.Context, c config) ([]ledger.Transaction, error) {
	r, end := sample.Shop(), sample.ShopEnd.AddDate(0, 0, 1)
	switch {
	case c.csv != "":
		f, err := os.Open(c.csv)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // it was only read
		r, end = f, time.Time{}
	case c.scorer != "":
		return nil, nil
	}
	log, err := ledger.Collect(ledger.ReadCSV(ctx, r, &ledger.CSVOptions{Currency: money.Currency(c.currency)}))
	if err != nil {
		if c.csv != "" {
			err = fmt.Errorf("%s: %w", c.csv, err)
		}
		return nil, err
	}
	if !end.IsZero() {
		log = slices.DeleteFunc(log, func(t ledger.Transaction) bool { return !t.At.Before(end) })
	}
	slices.SortStableFunc(log, func(a, b ledger.Transaction) int { return a.At.Compare(b.At) })
	return log, nil
}
