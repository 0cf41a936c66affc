package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme holds the first program of README.md against this one, and what README.md says it prints against what it
// prints.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```go\n")
	code, rest, _ := strings.Cut(rest, "```")
	if diff := cmp.Diff(string(program), code); diff != "" {
		t.Errorf("README.md has another program (-main.go +README):\n%s", diff)
	}
	_, rest, _ = strings.Cut(rest, "```text\n")
	want, _, _ := strings.Cut(rest, "```")

	shop, err := os.Open("../sample/shop.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shop.Close() }() // it was only read
	cmd := exec.Command("go", "run", ".")
	cmd.Stdin = shop
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("README.md shows another output (-want +got):\n%s", diff)
	}
}
