//go:build unix

package notebook

import (
	"bytes"
	"encoding/gob"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/custval/custval/examples/charts"
)

// TestShow reads from the named pipe what the kernel would.
func TestShow(t *testing.T) {
	chart, err := charts.Bars(charts.Labels{Title: "Customers", X: "plan", Y: "customers"}, []charts.Bar{{Name: "pro", Value: 2}})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GONB_PIPE", "")
	if err := Show(chart); err != nil {
		t.Errorf("outside a notebook: %v", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	t.Setenv("GONB_PIPE", pipe)
	if err := Show(chart); err == nil || !strings.HasPrefix(err.Error(), "notebook: open ") {
		t.Errorf("without a pipe: %v", err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here:", err)
	}
	done := make(chan error, 1)
	go func() { done <- Show(chart, chart) }()
	r, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	in := gob.NewDecoder(r)
	for range 2 {
		var m message
		if err := in.Decode(&m); err != nil {
			t.Fatal(err)
		}
		picture, _ := m.Data["image/png"].([]byte)
		if _, err := png.Decode(bytes.NewReader(picture)); err != nil {
			t.Errorf("the picture: %v", err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
