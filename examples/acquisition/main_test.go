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
