package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

//go:embed openapi.json
var openAPI []byte

// limits bound what a request may take.
type limits struct {
	header, read, write, idle time.Duration
	drain                     time.Duration // how long running requests have once the service is told to stop
}

var defaultLimits = limits{header: 2 * time.Second, read: 5 * time.Second, write: 10 * time.Second, idle: time.Minute, drain: 10 * time.Second}

const (
	maxBody    = 64 << 10
	maxHeaders = 16 << 10
	maxRunning = 512 // requests at once; more are told to come back
	maxName    = 256 // bytes of a customer's name
)

// A server has the routes.
type server struct {
	scorer    *clv.Scorer
	customers *store
	metrics   *metrics
	running   chan struct{}
}

type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
}

func newServer(s *clv.Scorer, customers *store) *server {
	return &server{scorer: s, customers: customers, metrics: newMetrics(), running: make(chan struct{}, maxRunning)}
}

func (s *server) routes() []route {
	return []route{
		{"POST", "/v1/score", s.score},
		{"POST", "/v1/observe", s.observe},
		{"GET", "/v1/customers/{id}", s.profile},
		{"GET", "/metrics", s.exposition},
		{"GET", "/healthz", s.health},
		{"GET", "/openapi.json", s.document},
	}
}

// handler returns the routes behind the limits, with JSON for what no route takes.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.HandleFunc(r.method+" "+r.path, func(w http.ResponseWriter, q *http.Request) {
			if err := r.handle(w, q); err != nil {
				refuse(w, problemOf(err))
			}
		})
		allow := r.method
		if allow == "GET" {
			allow = "GET, HEAD"
		}
		mux.HandleFunc(r.path, func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Allow", allow)
			refuse(w, problem{Status: http.StatusMethodNotAllowed, Code: "method", Message: "want " + allow})
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, problem{Status: http.StatusNotFound, Code: "unknown_route", Message: "no such route; see /openapi.json"})
	})
	return s.guard(mux)
}

// guard counts requests, refuses those beyond the limit and keeps serving after a fault.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answered := &recorder{ResponseWriter: w}
		defer func() {
			if fault := recover(); fault != nil {
				fmt.Fprintf(os.Stderr, "service: %s %s: %v\n", r.Method, r.Pattern, fault)
				if answered.status == 0 {
					refuse(answered, problemOf(errors.New("fault")))
				}
			}
			s.metrics.count(r.Pattern, answered.status, time.Since(start))
		}()
		select {
		case s.running <- struct{}{}:
			defer func() { <-s.running }()
		default:
			answered.Header().Set("Retry-After", "1")
			refuse(answered, problem{Status: http.StatusServiceUnavailable, Code: "busy", Message: "too many requests at once"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(answered, r)
	})
}

// read reads one JSON object, strictly: no other members, nothing after it.
func read(r *http.Request, into any) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return fmt.Errorf("%w: want Content-Type application/json", errMalformed)
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			if err = more; err == nil {
				err = errors.New("more than one JSON value")
			}
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	return nil
}

// moment reads a date or an RFC 3339 time of a request's field.
func moment(field, text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: field %q: value %.40q: want a date as 2025-12-31 or an RFC 3339 time", errMalformed, field, text)
}

// scored is a customer's state with its score.
type scored struct {
	State *clv.State `json:"state,omitempty"`
	AsOf  string     `json:"as_of"`
	Score *clv.Score `json:"score"` // null before the first purchase
}

// at scores a state as of now, or of its own last day if now is empty.
func (s *server) at(st clv.State, now string) (clv.State, scored, error) {
	if now != "" {
		t, err := moment("now", now)
		if err != nil {
			return st, scored{}, err
		}
		st = s.scorer.Advance(st, t)
	}
	score, err := s.scorer.Score(st)
	if err != nil {
		return st, scored{}, fmt.Errorf("%w: %w", errRefused, err)
	}
	return st, scored{AsOf: st.AsOf().Format(time.RFC3339), Score: &score}, nil
}

func (s *server) score(w http.ResponseWriter, r *http.Request) error {
	var q struct {
		State clv.State `json:"state"`
		Now   string    `json:"now"`
	}
	if err := read(r, &q); err != nil {
		return err
	}
	_, out, err := s.at(q.State, q.Now)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, out)
	return nil
}

// observe takes an order into the state of the request, or into that of the store if the request has none.
func (s *server) observe(w http.ResponseWriter, r *http.Request) error {
	var q struct {
		State *clv.State `json:"state"`
		Order struct {
			Customer string       `json:"customer"`
			At       string       `json:"at"`
			Amount   money.Amount `json:"amount"`
		} `json:"order"`
	}
	if err := read(r, &q); err != nil {
		return err
	}
	at, err := moment("at", q.Order.At)
	if err != nil {
		return err
	}
	if len(q.Order.Customer) > maxName {
		return fmt.Errorf("%w: field \"customer\": longer than %d bytes", errMalformed, maxName)
	}
	tx := ledger.Transaction{Customer: q.Order.Customer, At: at, Amount: q.Order.Amount}
	var st clv.State
	if q.State != nil {
		st, err = s.scorer.Observe(*q.State, tx)
	} else {
		st, err = s.customers.observe(tx)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	out := scored{AsOf: st.AsOf().Format(time.RFC3339)}
	if st.Purchases() > 0 {
		if st, out, err = s.at(st, ""); err != nil {
			return err
		}
	}
	out.State = &st
	answer(w, http.StatusOK, out)
	return nil
}

// profile describes a customer of the store.
func (s *server) profile(w http.ResponseWriter, r *http.Request) error {
	st, err := s.customers.state(r.PathValue("id"))
	if err != nil {
		return err
	}
	st, out, err := s.at(st, r.URL.Query().Get("now"))
	if err != nil {
		return err
	}
	h, err := s.scorer.History(st)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	out.State = &st
	answer(w, http.StatusOK, struct {
		Customer string      `json:"customer"`
		History  clv.History `json:"history"`
		scored
	}{st.Customer(), h, out})
	return nil
}

func (s *server) exposition(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, s.metrics.text(s.customers.len(), len(s.running))) // nobody is left to be told
	return nil
}

func (s *server) health(w http.ResponseWriter, _ *http.Request) error {
	answer(w, http.StatusOK, map[string]any{"status": "ok", "customers": s.customers.len(), "currency": s.scorer.Currency()})
	return nil
}

func (s *server) document(w http.ResponseWriter, _ *http.Request) error {
	answer(w, http.StatusOK, json.RawMessage(openAPI))
	return nil
}

// serve answers until the context ends, and then lets running requests finish.
func serve(ctx context.Context, l net.Listener, s *server, by limits) error {
	h := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: by.header, ReadTimeout: by.read, WriteTimeout: by.write, IdleTimeout: by.idle,
		MaxHeaderBytes: maxHeaders,
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), by.drain)
	defer cancel()
	if err := h.Shutdown(end); err != nil {
		return errors.Join(fmt.Errorf("stopped with requests running: %w", err), h.Close())
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// routeName is the pattern of a request as a metric names it.
func routeName(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return path
	}
	if pattern == "" || pattern == "/" {
		return "other"
	}
	return pattern
}
