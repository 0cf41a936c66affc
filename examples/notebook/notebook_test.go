package notebook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A cell is what the notebook keeps of one.
type cell struct {
	Type    string   `json:"cell_type"`
	Source  []string `json:"source"`
	Outputs []struct {
		Type string                     `json:"output_type"`
		Name string                     `json:"name"`
		Text []string                   `json:"text"`
		Data map[string]json.RawMessage `json:"data"`
	} `json:"outputs"`
}

func readCells(t *testing.T) []cell {
	text, err := os.ReadFile("quickstart.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	var book struct {
		Cells    []cell `json:"cells"`
		Metadata struct {
			Kernel struct {
				Name string `json:"name"`
			} `json:"kernelspec"`
		} `json:"metadata"`
		Format int `json:"nbformat"`
	}
	if err := json.Unmarshal(text, &book); err != nil {
		t.Fatal(err)
	}
	if book.Metadata.Kernel.Name != "gonb" || book.Format != 4 {
		t.Fatalf("kernel %q of format %d", book.Metadata.Kernel.Name, book.Format)
	}
	return book.Cells
}

// program joins the cells as the kernel does: declarations stay, what follows %% is the main of its cell. Each main prints
// its number on a line of its own before it begins.
func program(cells []cell) string {
	var imports, declarations, mains, calls strings.Builder
	for i, c := range cells {
		if c.Type != "code" {
			continue
		}
		into, open := &declarations, false
		for _, line := range append(c.Source, "\n") {
			line = strings.TrimSuffix(line, "\n") + "\n"
			switch {
			case strings.HasPrefix(line, "!"): // of the shell
			case line == "%%\n":
				fmt.Fprintf(&mains, "func cell%d() {\n", i)
				fmt.Fprintf(&calls, "\tfmt.Println(\"cell %d\")\n\tcell%d()\n", i, i)
				into, open = &mains, true
			case line == "import (\n":
				into = &imports
				into.WriteString(line)
			case into == &imports && line == ")\n":
				into.WriteString(line)
				into = &declarations
			default:
				into.WriteString(line)
			}
		}
		if open {
			mains.WriteString("}\n")
		}
	}
	return "package main\n\n" + imports.String() + declarations.String() + mains.String() + "func main() {\n" + calls.String() + "}\n"
}

// TestQuickstartRuns holds that every cell compiles and prints what the notebook shows below it.
func TestQuickstartRuns(t *testing.T) {
	cells := readCells(t)
	dir := t.TempDir()
	source, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(source, []byte(program(cells)), 0o600); err != nil {
		t.Fatal(err)
	}
	virtual, err := filepath.Abs(filepath.Join("cells", "main.go")) // a place in the module that exists for the compiler only
	if err != nil {
		t.Fatal(err)
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{virtual: source}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "-overlay", overlay, virtual)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var want strings.Builder
	for i, c := range cells {
		if c.Type == "code" && strings.Contains(strings.Join(c.Source, ""), "%%\n") {
			fmt.Fprintf(&want, "cell %d\n", i)
			for _, o := range c.Outputs {
				if o.Type == "stream" && o.Name == "stdout" {
					want.WriteString(strings.Join(o.Text, ""))
				}
			}
		}
	}
	if diff := cmp.Diff(want.String(), string(out)); diff != "" {
		t.Errorf("the notebook shows something else (-shown +printed)\n%s", diff)
	}
}

// TestQuickstartIsWhole holds that the notebook was run to its end: no cell shows an error, and each that draws has its
// picture.
func TestQuickstartIsWhole(t *testing.T) {
	pictures := 0
	for i, c := range readCells(t) {
		source, shown := strings.Join(c.Source, ""), 0
		for _, o := range c.Outputs {
			if o.Type == "error" || o.Name == "stderr" {
				t.Errorf("cell %d shows an error: %q", i, o.Text)
			}
			if _, ok := o.Data["image/png"]; ok {
				shown++
			}
		}
		if draws := strings.Contains(source, "notebook.Show("); draws != (shown == 1) {
			t.Errorf("cell %d has %d pictures", i, shown)
		}
		pictures += shown
	}
	if pictures == 0 {
		t.Error("no pictures")
	}
}
