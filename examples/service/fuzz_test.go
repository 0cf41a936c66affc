package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzServer holds that no body makes a fault: every answer is JSON, and a success or a refusal of the request.
func FuzzServer(f *testing.F) {
	f.Add("/v1/score", body)
	f.Add("/v1/observe", `{"order":`+order("a", "2025-01-01", "10")+`}`)
	f.Add("/v1/observe", `{"order":`+order("a", "2025-01-01", "-10")+`,"state":{"schema":"custval/state/v1"}}`)
	f.Add("/v1/observe", `{"order":`+order("a", "9999-12-31", "99999999999999999999999999999999999999")+`}`)
	f.Add("/v1/score", `{"state":null,"now":"0000-01-01"}`)
	scorer, err := fitted()
	if err != nil {
		f.Fatal(err)
	}
	s := newServer(scorer, newStore(scorer, 1000))
	h := s.handler()
	f.Fuzz(func(t *testing.T, path, text string) {
		if path != "/v1/score" && path != "/v1/observe" {
			t.Skip("another route")
		}
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(text))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) || w.Code != http.StatusOK && w.Code < 400 || w.Code == http.StatusInternalServerError {
			t.Errorf("%s %q: %d %s", path, text, w.Code, w.Body)
		}
	})
}
