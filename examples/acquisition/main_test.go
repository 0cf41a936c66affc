package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/custval/custval/examples/internal/story/storytest"
)

func TestStory(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(context.Background(), dir, &out); err != nil {
		t.Fatal(err)
	}
	storytest.Golden(t, "story", strings.ReplaceAll(out.String(), dir, "DIR"))
	for _, name := range []string{"loaded", "campaigns", "payback", "curves"} {
		for _, format := range []string{".png", ".svg"} {
			if f, err := os.Stat(filepath.Join(dir, name+format)); err != nil || f.Size() < 2000 {
				t.Errorf("%s: %v with error %v", name+format, f, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(context.Background(), filepath.Join(file, "charts"), io.Discard); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a directory inside a file: error %v, want one line", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := run(ctx, t.TempDir(), io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: error %v", err)
	}
}
