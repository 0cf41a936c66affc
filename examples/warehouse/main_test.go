package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/examples/internal/story/storytest"
)

// byDefault is what the flags say if none is given.
func byDefault(out string) config {
	return config{table: "orders", unit: "week", zone: "UTC", currency: "USD", out: out}
}

func TestStory(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), byDefault(dir), &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"orders.parquet", "scores.parquet"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(text) < 10_000 || !bytes.HasPrefix(text, []byte("PAR1")) || !bytes.HasSuffix(text, []byte("PAR1")) {
			t.Errorf("%s is no Parquet file: %d bytes", name, len(text))
		}
	}
}
