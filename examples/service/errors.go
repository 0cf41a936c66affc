package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/custval/custval/clv"
	"github.com/custval/custval/fit"
	"github.com/custval/custval/ledger"
	"github.com/custval/custval/money"
)

// A problem is the body of every answer that is not a success, within {"error": ...}.
type problem struct {
	Status  int    `json:"status"`
	Code    string `json:"code"` // for programs
	Message string `json:"message"`
	Field   string `json:"field,omitempty"` // of the request's record, where one is bad
	Value   string `json:"value,omitempty"`
}

// errMalformed is wrapped by the errors of bodies that are not the JSON that is expected.
var errMalformed = errors.New("malformed request")

// problemOf turns an error into a status, as docs/SERVICES.md has it. Faults of the program keep their text to themselves.
func problemOf(err error) problem {
	p := problem{Status: http.StatusInternalServerError, Code: "internal", Message: "internal error"}
	var (
		row      *ledger.RowError
		currency *money.CurrencyMismatchError
		large    *http.MaxBytesError
	)
	set := func(status int, code string) problem {
		p.Status, p.Code, p.Message = status, code, err.Error()
		return p
	}
	switch {
	case errors.Is(err, context.Canceled):
		return set(499, "canceled")
	case errors.As(err, &large):
		set(http.StatusRequestEntityTooLarge, "too_large")
		p.Message = fmt.Sprintf("the body has more than %d bytes", large.Limit)
		return p
	case errors.Is(err, os.ErrDeadlineExceeded): // before the context's error, which is also one of these
		set(http.StatusRequestTimeout, "slow_request")
		p.Message = "the body did not arrive in time"
		return p
	case errors.Is(err, context.DeadlineExceeded):
		return set(http.StatusGatewayTimeout, "timeout")
	case errors.Is(err, errCustomer):
		return set(http.StatusNotFound, "unknown_customer")
	case errors.Is(err, errFull):
		return set(http.StatusInsufficientStorage, "full")
	case errors.Is(err, ledger.ErrConsumed):
		return p
	case errors.As(err, &currency):
		return set(http.StatusBadRequest, "currency_mismatch")
	case errors.Is(err, clv.ErrInfinite), errors.Is(err, ledger.ErrUndefined):
		return set(http.StatusUnprocessableEntity, "undefined")
	case errors.Is(err, fit.ErrNotConverged), errors.Is(err, fit.ErrDiverged):
		return set(http.StatusUnprocessableEntity, "not_identified")
	case errors.As(err, &row):
		set(http.StatusBadRequest, "bad_record")
		p.Field, p.Value = row.Field, row.Value
		return p
	case errors.Is(err, money.ErrSyntax), errors.Is(err, money.ErrCurrency), errors.Is(err, money.ErrRange):
		return set(http.StatusBadRequest, "bad_amount")
	case errors.Is(err, errMalformed):
		return set(http.StatusBadRequest, "malformed")
	case errors.Is(err, errRefused):
		return set(http.StatusBadRequest, "refused")
	}
	return p
}

// errRefused is wrapped by what the scorer says of a state or order that it cannot take.
var errRefused = errors.New("refused")

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":{"status":500,"code":"internal","message":"internal error"}}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // nobody is left to be told
}

// refuse writes a problem.
func refuse(w http.ResponseWriter, p problem) {
	if p.Status == http.StatusRequestTimeout || p.Status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // the rest of the body is not read
	}
	answer(w, p.Status, map[string]problem{"error": p})
}
