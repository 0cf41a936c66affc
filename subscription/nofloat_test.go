package subscription_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floats lists the functions that may speak of floats, with the reason. Rates leave as floats and never come back;
// margins, curves and factors enter through exactRate, which turns them into the decimal that they print as.
var floats = map[string]string{
	"rational.ratio": "turns an exact rate into a float", "exactRate": "turns a float into an exact decimal",
	"MoneyRate.Value": "rate", "moneyRateJSON": "rate", "CountRate.Value": "rate of counts", "countRateJSON": "rate of counts",
	"RevenueChurn": "rate", "NetRevenueChurn": "rate", "NetRetention": "rate", "GrossRetention": "rate", "QuickRatio": "rate",
	"Growth": "rate", "Attainment": "rate", "CMGR": "rate", "share": "rate", "RenewalRate": "rate of counts",
	"RollForward.MeanLogoChurn": "rate", "RollForward.CMGR": "rate", "RollForward.SumOfNetChurn": "rate",
	"RollForward.SumOfGrossChurn": "rate", "RollForward.SumOfLogoChurn": "rate", "RollForward.sumOf": "rate",
	"RollForward.ChurnOverAverage": "rate", "PeriodResult.record": "rates as text", "number": "rate as text",
	"LTV": "margin and churn go to exactRate", "ltv": "margin goes to exactRate", "PeriodResult.LTV": "margin goes to ltv",
	"RollForward.LTV": "margin goes to ltv",
	"RetentionCurve":  "shares", "survival": "shares go to exactRate", "Assumptions": "rates", "Scenario": "factors",
	"newProjector": "rates and factors go to exactRate", "age": "time",
}

// TestNoFloatTouchesMoney reads the package's source: floats occur only where they are allowed above, and nowhere is an
// amount turned into a float, made of one, or divided by money's own float ratio.
func TestNoFloatTouchesMoney(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			for name, node := range declared(d) {
				ast.Inspect(node, func(n ast.Node) bool {
					switch word := floatWord(n); {
					case word == "" || word == "Float64" && name == "rational.ratio":
					case word == "float64" || word == "float32" || word == "literal" || strings.HasPrefix(word, "math."):
						used[name] = true
						if floats[name] == "" {
							t.Errorf("%s: %s has %s", set.Position(n.Pos()), name, word)
						}
					default:
						t.Errorf("%s: %s calls %s", set.Position(n.Pos()), name, word)
					}
					return true
				})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(floats)) {
		if !used[name] {
			t.Errorf("%s is allowed floats and has none", name)
		}
	}
}

// declared names the functions and types of a declaration.
func declared(d ast.Decl) map[string]ast.Node {
	out := map[string]ast.Node{}
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			typ := d.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			name = typ.(*ast.Ident).Name + "." + name
		}
		out[name] = d
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				out[s.Name.Name] = s
			case *ast.ValueSpec:
				out[s.Names[0].Name] = s
			}
		}
	}
	return out
}

// floatWord returns what of floats a node speaks of, if anything. Methods of big.Rat and package strconv are how rates
// leave and enter.
func floatWord(n ast.Node) string {
	switch n := n.(type) {
	case *ast.Ident:
		if n.Name == "float64" || n.Name == "float32" {
			return n.Name
		}
	case *ast.BasicLit:
		if n.Kind == token.FLOAT {
			return "literal"
		}
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "math" && !strings.HasPrefix(n.Sel.Name, "M") {
			return "math." + n.Sel.Name
		}
		switch n.Sel.Name {
		case "Float64", "Float32", "FromFloat", "NewFromFloat", "InexactFloat64", "SetFloat64", "Ratio", "AllocateBy":
			return n.Sel.Name
		}
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "strconv" && strings.Contains(n.Sel.Name, "Float") && n.Sel.Name != "FormatFloat" {
			return n.Sel.Name
		}
	}
	return ""
}
