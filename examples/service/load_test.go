package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// body is a request of the score of one customer.
const body = `{"state":{"schema":"custval/state/v1","customer":"a","unit":"168h0m0s","as_of":"2025-06-02","purchases":3,"first":"2025-01-01",` +
	`"last":"2025-06-02","log_gaps":3.8,"first_spend":{"amount":"29.33","currency":"USD"},"repeat_spend":{"amount":"44.69","currency":"USD"}},"now":"2025-06-30"}`

// send sends n requests from several clients at once and returns how long each took, the shortest first.
func send(url string, n, clients int) ([]time.Duration, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: clients, MaxConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	took := make([]time.Duration, n)
	failed := make([]error, clients)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := c; i < n && failed[c] == nil; i += clients {
				start := time.Now()
				failed[c] = one(client, url)
				took[i] = time.Since(start)
			}
		}()
	}
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(took)
	return took, nil
}

func one(client *http.Client, url string) error {
	res, err := client.Post(url+"/v1/score", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || !strings.Contains(string(text), `"prob_alive"`)) {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	return err
}

// TestLoad holds that thousands of requests at once are all answered. BenchmarkScore says how fast.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("a load test takes a second or more")
	}
	url, _ := start(t, defaultLimits)
	began := time.Now()
	took, err := send(url, 4000, 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%.0f requests/s, 99 %% within %v", 4000/time.Since(began).Seconds(), took[len(took)*99/100])
}

// BenchmarkScore reports requests a second, of which 2,000 are wanted, and the time within which 99 % are answered, over
// loopback from 16 clients in the same process.
func BenchmarkScore(b *testing.B) {
	url, _ := start(b, defaultLimits)
	b.ReportAllocs()
	b.ResetTimer()
	took, err := send(url, b.N, 16)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
