package custval_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exported returns the exported names of every package of the library, by package name: functions, types, constants and
// variables, and methods and fields behind their type.
func exported(t *testing.T) map[string]map[string]bool {
	names := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"examples", "beam", "internal", "testdata", ".git"}, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if names[f.Name.Name] == nil {
			names[f.Name.Name] = map[string]bool{}
		}
		for _, decl := range f.Decls {
			addDecl(names[f.Name.Name], decl)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func addDecl(names map[string]bool, decl ast.Decl) {
	if f, ok := decl.(*ast.FuncDecl); ok {
		if f.Recv == nil {
			names[f.Name.Name] = true
			return
		}
		names[receiver(f.Recv.List[0].Type)+"."+f.Name.Name] = true
		return
	}
	for _, spec := range decl.(*ast.GenDecl).Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names[n.Name] = true
			}
		case *ast.TypeSpec:
			names[s.Name.Name] = true
			if st, ok := s.Type.(*ast.StructType); ok {
				for _, field := range st.Fields.List {
					for _, n := range field.Names {
						names[s.Name.Name+"."+n.Name] = true
					}
				}
			}
		}
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// TestDocsNameWhatExists holds that every package.Name and every Type.Member between backquotes in the guides is one of the
// library.
func TestDocsNameWhatExists(t *testing.T) {
	names := exported(t)
	guides, err := filepath.Glob("docs/*.md")
	if err != nil || len(guides) == 0 {
		t.Fatalf("%v, %d guides", err, len(guides))
	}
	quoted := regexp.MustCompile("`([a-z]+)\\.([A-Z][A-Za-z0-9]*(?:\\.[A-Z][A-Za-z0-9]*)?)`")
	member := regexp.MustCompile("`([A-Z][A-Za-z0-9]*\\.[A-Z][A-Za-z0-9]*)`")
	for _, path := range append(guides, "README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range member.FindAllStringSubmatch(string(text), -1) {
			found := false
			for _, known := range names {
				found = found || known[m[1]]
			}
			if !found {
				t.Errorf("%s names %s, which no package has", path, m[1])
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			if known := names[m[1]]; known != nil && !known[m[2]] {
				t.Errorf("%s names %s.%s, which there is not", path, m[1], m[2])
			}
		}
	}
}

// TestDocsLinksLead holds that links between the guides lead to a file.
func TestDocsLinksLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	guides, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(guides, "README.md", "CONTRIBUTING.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			}
		}
	}
}
