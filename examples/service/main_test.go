package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/custval/custval/clv"
)

var fitted = sync.OnceValues(func() (*clv.Scorer, error) {
	s, _, err := load(context.Background(), config{currency: "USD"})
	return s, err
})

// start runs a service on a port of its own until the test ends.
func start(t testing.TB, by limits) (url string, s *server) {
	t.Helper()
	scorer, err := fitted()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s = newServer(scorer, newStore(scorer, 100))
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, s, by) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String(), s
}

// call sends a body, if there is one, and returns the status and the answer.
func call(t testing.TB, method, url, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%s %s: %v in %s", method, url, err, text)
	}
	return res.StatusCode, out
}

func order(customer, at, amount string) string {
	return `{"customer":"` + customer + `","at":"` + at + `","amount":{"amount":"` + amount + `","currency":"USD"}}`
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRoad goes from the first order of a customer to a score: with the state on the caller's side, and on the service's.
func TestRoad(t *testing.T) {
	url, _ := start(t, defaultLimits)
	state := ""
	var last map[string]any
	for _, o := range []string{order("a", "2025-01-01", "29.33"), order("a", "2025-01-18", "29.73"), order("a", "2025-06-02", "14.96")} {
		status, own := call(t, "POST", url+"/v1/observe", `{"order":`+o+`}`)
		if status != http.StatusOK {
			t.Fatal(status, own)
		}
		body := `{"order":` + o + state + `}`
		if state == "" {
			body = `{"order":` + o + `,"state":{"schema":"custval/state/v1"}}`
		}
		status, out := call(t, "POST", url+"/v1/observe", body)
		if status != http.StatusOK {
			t.Fatal(status, out)
		}
		if a, b := encode(t, own), encode(t, out); a != b {
			t.Errorf("the service's state %s\nthe caller's %s", a, b)
		}
		state, last = `,"state":`+encode(t, out["state"]), out
	}
	scorer, err := fitted()
	if err != nil {
		t.Fatal(err)
	}
	var st clv.State
	if err := json.Unmarshal([]byte(encode(t, last["state"])), &st); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2025, time.December, 31, 0, 0, 0, 0, time.UTC)
	want, err := scorer.Score(scorer.Advance(st, now))
	if err != nil {
		t.Fatal(err)
	}
	status, out := call(t, "POST", url+"/v1/score", `{"now":"2025-12-31"`+state+`}`)
	if got := encode(t, out["score"]); status != http.StatusOK || !equalJSON(t, got, encode(t, want)) {
		t.Errorf("%d score %s, want %s", status, got, encode(t, want))
	}
	status, out = call(t, "GET", url+"/v1/customers/a?now=2025-12-31T00:00:00Z", "")
	if got := encode(t, out["score"]); status != http.StatusOK || !equalJSON(t, got, encode(t, want)) || out["customer"] != "a" {
		t.Errorf("%d profile %v, want score %s", status, out, encode(t, want))
	}
}

func equalJSON(t testing.TB, a, b string) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		t.Fatalf("no JSON: %s, %s", a, b)
	}
	return encode(t, x) == encode(t, y)
}

func TestRefusals(t *testing.T) {
	url, s := start(t, defaultLimits)
	s.customers.limit = 1
	if status, out := call(t, "POST", url+"/v1/observe", `{"order":`+order("a", "2025-01-01", "10")+`}`); status != http.StatusOK {
		t.Fatal(status, out)
	}
	tests := []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"no JSON", "POST", "/v1/score", `{`, 400, "malformed"},
		{"empty body", "POST", "/v1/score", ``, 400, "malformed"},
		{"two values", "POST", "/v1/score", `{} {}`, 400, "malformed"},
		{"unknown member", "POST", "/v1/score", `{"stat":{}}`, 400, "malformed"},
		{"state without a purchase", "POST", "/v1/score", `{}`, 400, "refused"},
		{"state of another schema", "POST", "/v1/score", `{"state":{"schema":"x"}}`, 400, "malformed"},
		{"now", "POST", "/v1/score", `{"now":"soon"}`, 400, "malformed"},
		{"deep JSON", "POST", "/v1/score", strings.Repeat("[", 30_000), 400, "malformed"},
		{"too large", "POST", "/v1/score", `{"now":"` + strings.Repeat("x", maxBody) + `"}`, 413, "too_large"},
		{"no customer", "POST", "/v1/observe", `{"order":` + order("", "2025-01-01", "10") + `}`, 400, "refused"},
		{"long customer", "POST", "/v1/observe", `{"order":` + order(strings.Repeat("x", maxName+1), "2025-01-01", "10") + `}`, 400, "malformed"},
		{"no date", "POST", "/v1/observe", `{"order":{"customer":"a","amount":{"amount":"1","currency":"USD"}}}`, 400, "malformed"},
		{"amount", "POST", "/v1/observe", `{"order":` + order("a", "2025-01-02", "ten") + `}`, 400, "bad_amount"},
		{"currency", "POST", "/v1/observe", strings.ReplaceAll(`{"order":`+order("a", "2025-01-02", "10")+`}`, "USD", "EUR"), 400, "currency_mismatch"},
		{"full", "POST", "/v1/observe", `{"order":` + order("b", "2025-01-01", "10") + `}`, 507, "full"},
		{"unknown customer", "GET", "/v1/customers/b", "", 404, "unknown_customer"},
		{"unknown route", "GET", "/v2/score", "", 404, "unknown_route"},
		{"slashes", "GET", "/v1/customers/a/b", "", 404, "unknown_route"},
		{"method", "GET", "/v1/score", "", 405, "method"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, out := call(t, test.method, url+test.path, test.body)
			p, _ := out["error"].(map[string]any)
			if status != test.status || p["code"] != test.code || p["message"] == "" || p["status"] != float64(status) {
				t.Errorf("%d %v, want %d %s", status, out, test.status, test.code)
			}
		})
	}
	if status, out := call(t, "GET", url+"/v1/customers/a", ""); status != http.StatusOK {
		t.Errorf("after all that: %d %v", status, out)
	}
}

// TestRefundFirst holds that a refund without a purchase is kept and has no score.
func TestRefundFirst(t *testing.T) {
	url, _ := start(t, defaultLimits)
	status, out := call(t, "POST", url+"/v1/observe", `{"order":`+order("a", "2025-01-01", "-10")+`}`)
	if score, has := out["score"]; status != http.StatusOK || !has || score != nil || out["state"] == nil {
		t.Errorf("%d %v, want a state and a score of null", status, out)
	}
}

// TestSlow sends a header and half a body, and waits.
func TestSlow(t *testing.T) {
	by := defaultLimits
	by.header, by.read = 200*time.Millisecond, 200*time.Millisecond
	url, _ := start(t, by)
	send := func(text string) string {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	got := send("POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
	if !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, `"code":"slow_request"`) {
		t.Errorf("half a body: %q", got)
	}
	if got := send("POST /v1/score HTTP/1.1\r\nHost:"); strings.Contains(got, "200") {
		t.Errorf("half a header: %q", got)
	}
	if status, out := call(t, "GET", url+"/healthz", ""); status != http.StatusOK {
		t.Errorf("after all that: %d %v", status, out)
	}
}

func TestBusyAndFault(t *testing.T) {
	scorer, err := fitted()
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(scorer, newStore(scorer, 1))
	s.running = make(chan struct{}, 1)
	s.running <- struct{}{}
	h := s.handler()
	w := httptest.NewRecorder()
	r, err := http.NewRequest(http.MethodGet, "/healthz", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("busy: %d %v", w.Code, w.Header())
	}
	<-s.running
	w = httptest.NewRecorder()
	s.guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("fault of a test") })).ServeHTTP(w, r)
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fault") || len(s.running) != 0 {
		t.Errorf("fault: %d %s", w.Code, w.Body.String())
	}
}

// TestStop tells the service to stop while a request is running: it is answered, and then nothing listens any more.
func TestStop(t *testing.T) {
	scorer, err := fitted()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := newServer(scorer, newStore(scorer, 100))
	done := make(chan error, 1)
	go func() { done <- serve(ctx, l, s, defaultLimits) }()
	body, feed := io.Pipe()
	answered := make(chan int, 1)
	go func() {
		res, err := http.Post("http://"+l.Addr().String()+"/v1/observe", "application/json", body)
		if err != nil {
			answered <- 0
			return
		}
		_ = res.Body.Close()
		answered <- res.StatusCode
	}()
	if _, err := io.WriteString(feed, `{"order":`); err != nil {
		t.Fatal(err)
	}
	for len(s.running) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	for { // until nobody listens
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break
		}
		_ = c.Close()
		time.Sleep(time.Millisecond)
	}
	if _, err := io.WriteString(feed, order("a", "2025-01-01", "10")+`}`); err != nil {
		t.Fatal(err)
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the running request got %d, want 200", status)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestOpenAPI holds that the document names every route, and nothing else, and that its references lead somewhere.
func TestOpenAPI(t *testing.T) {
	var doc struct {
		OpenAPI    string                                `json:"openapi"`
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("version %s", doc.OpenAPI)
	}
	routes := (&server{}).routes()
	named := 0
	for _, methods := range doc.Paths {
		named += len(methods)
	}
	for _, r := range routes {
		if _, ok := doc.Paths[r.path][strings.ToLower(r.method)]; !ok {
			t.Errorf("%s %s is not in the document", r.method, r.path)
		}
	}
	if named != len(routes) {
		t.Errorf("the document has %d operations, want %d", named, len(routes))
	}
	for i, part := range strings.Split(string(openAPI), `"$ref": "#/components/schemas/`) {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := doc.Components.Schemas[name]; i > 0 && !ok {
			t.Errorf("no schema %s", name)
		}
	}
	url, _ := start(t, defaultLimits)
	if status, out := call(t, "GET", url+"/openapi.json", ""); status != http.StatusOK || out["openapi"] != doc.OpenAPI {
		t.Errorf("%d %v", status, out["openapi"])
	}
}

func TestMetrics(t *testing.T) {
	url, _ := start(t, defaultLimits)
	call(t, "POST", url+"/v1/score", `{`)
	call(t, "GET", url+"/v1/customers/nobody", "")
	call(t, "GET", url+"/nowhere", "")
	res, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`custval_requests_total{route="/v1/score",status="400"} 1`,
		`custval_requests_total{route="/v1/customers/{id}",status="404"} 1`,
		`custval_requests_total{route="other",status="404"} 1`,
		`custval_request_seconds_count{route="/v1/score"} 1`,
		`custval_request_seconds_bucket{route="/v1/score",le="+Inf"} 1`,
		`custval_customers 0`,
		`custval_running 1`,
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

// TestRun fits, saves, stops, and starts again from the file.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "scorer.json")
	for i, c := range []config{{addr: "127.0.0.1:0", currency: "USD", save: file}, {addr: "127.0.0.1:0", scorer: file}} {
		ctx, cancel := context.WithCancel(context.Background())
		out := listening(cancel) // stops as soon as it listens
		if err := run(ctx, c, out); err != nil {
			t.Error(err)
		}
		cancel()
		if want := []string{"1200 customers; listening on http://127.0.0.1:", "0 customers; listening"}[i]; !strings.HasPrefix(out.text.String(), want) {
			t.Errorf("printed %q, want %q", out.text.String(), want)
		}
	}
	bad := filepath.Join(dir, "bad.csv")
	if err := os.WriteFile(bad, []byte("customer,at,amount\na,2025-01-01,1\nb,2025-01-41,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		c    config
		want string
	}{
		{config{scorer: filepath.Join(dir, "none")}, "no such file"},
		{config{scorer: bad}, "bad.csv: "},
		{config{csv: bad, currency: "USD", save: filepath.Join(dir, "x")}, "bad.csv: ledger: row 2"},
		{config{scorer: file, save: file}, "-save is for a scorer that is fitted"},
		{config{addr: "nowhere:x", scorer: file}, "listen"},
	} {
		err := run(context.Background(), test.c, io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want one line with %q", test.c, err, test.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); !os.IsNotExist(err) {
		t.Error("a file was written in spite of the error")
	}
}

type listener struct {
	text bytes.Buffer
	stop func()
}

func listening(stop func()) *listener { return &listener{stop: stop} }

func (l *listener) Write(b []byte) (int, error) {
	l.stop()
	return l.text.Write(b)
}
