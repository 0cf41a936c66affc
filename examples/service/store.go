package main

import (
	"errors"
	"sync"
	"time"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/ledger"
)

// maxCustomers bounds the memory of the states, a few hundred bytes each.
const maxCustomers = 1_000_000

var (
	errFull     = errors.New("no room for another customer")
	errCustomer = errors.New("no such customer")
)

// A store keeps the state of each customer in memory. It is safe for concurrent use.
type store struct {
	scorer *clv.Scorer
	limit  int

	mu     sync.RWMutex
	states map[string]clv.State
	latest time.Time // day of the latest order
}

func newStore(s *clv.Scorer, limit int) *store {
	return &store{scorer: s, limit: limit, states: map[string]clv.State{}}
}

// observe takes an order into the state of its customer and returns the new state. An order that cannot be taken, or that
// leads to a state without a score, changes nothing; a refund before the first purchase is kept, although it has none.
func (s *store) observe(tx ledger.Transaction) (clv.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, known := s.states[tx.Customer]
	st, err := s.scorer.Observe(st, tx)
	if err != nil {
		return st, err
	}
	if !known && len(s.states) >= s.limit {
		return st, errFull
	}
	if st.Purchases() > 0 {
		if _, err := s.scorer.Score(st); err != nil {
			return st, err
		}
	}
	s.states[tx.Customer] = st
	if st.AsOf().After(s.latest) {
		s.latest = st.AsOf()
	}
	return st, nil
}

// state returns what is kept of a customer, as of the day of the store's latest order.
func (s *store) state(customer string) (clv.State, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	st, ok := s.states[customer]
	if !ok {
		return st, errCustomer
	}
	return s.scorer.Advance(st, s.latest), nil
}

func (s *store) len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.states)
}
