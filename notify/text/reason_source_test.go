package text

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// hole stands in a template for what is only known when the program runs.
const hole = "\x00"

// source says where in a package the clauses of reasons are made.
type source struct {
	dir string
	// fields are what reasons are put into: struct fields and variables.
	fields []string
	// arguments are the functions that are handed a reason.
	arguments []string
	// results are the functions that make one; every text in them counts.
	results []string
	// but is a file whose texts only a terminal shows.
	but string
}

var sources = []source{
	{
		dir: "../../failover", fields: []string{"Reason", "reason"}, arguments: []string{"sayKept"},
		results: []string{"sayKept", "sayWhy", "sayBetter", "sayPinned", "saySecond", "sayDepleted", "sayLogin", "loginFault", "try"},
	},
	{dir: "../../failover/forecast", results: []string{"say"}},
	{
		dir: "../../failover/watchdog", fields: []string{"Reason", "reason", "Held", "errStopped", "errNoTrace"},
		arguments: []string{"alert", "gatewayDown", "announce"},
	},
	{
		dir: "../../probe", fields: []string{"Reason", "reason", "errTooLarge"}, arguments: []string{"refuse", "unsupported"},
		results: []string{"statusReason", "transportReason", "describe", "judge", "explain", "validateURL", "ValidateEndpoint", "Error"},
	},
	{
		dir: "../../profiles", fields: []string{"Reason", "reason", "ignored"},
		results: []string{"examine", "examineExpiry", "mismatch", "reference"},
	},
	{dir: "../../profiles/login", fields: []string{"What", "Fix", "ErrExpired"}, but: "paste.go"},
}

// unsaid are texts at those places that never become a reason of an event.
var unsaid = []*regexp.Regexp{
	regexp.MustCompile(`^openclaw models auth |^mend or remove the entry`), // a fix, which has a field of its own
	regexp.MustCompile(`^set by somebody else$|^OpenClaw put the profile`), // the journal's word for a switch
	regexp.MustCompile(`^; the order could not be set`),                    // the status page's
	regexp.MustCompile(`^spend limit$`),                                    // the name of a window
}

// templates reads the clauses out of the source, each with where it stands.
func templates(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, src := range sources {
		fset := token.NewFileSet()
		files, err := filepath.Glob(filepath.Join(src.dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no source: %v", src.dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || src.but != "" && filepath.Base(file) == src.but {
				continue
			}
			f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			src.read(f, func(e ast.Expr) {
				for _, text := range texts(e) {
					if isClause(text) {
						found[text] = fset.Position(e.Pos()).String()
					}
				}
			})
		}
	}
	return found
}

// severalWords tells a clause from a name.
var severalWords = regexp.MustCompile(`\S [a-z]`)

func isClause(text string) bool {
	return severalWords.MatchString(text) &&
		!slices.ContainsFunc(unsaid, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

// read hands every expression that becomes a reason to keep.
func (src source) read(f *ast.File, keep func(ast.Expr)) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok && slices.Contains(src.fields, id.Name) {
				keep(n.Value)
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if len(n.Rhs) == len(n.Lhs) && slices.Contains(src.fields, nameOf(to)) {
					keep(n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, to := range n.Names {
				if len(n.Values) == len(n.Names) && slices.Contains(src.fields, to.Name) {
					keep(n.Values[i])
				}
			}
		case *ast.CallExpr:
			if slices.Contains(src.arguments, nameOf(n.Fun)) {
				for _, arg := range n.Args {
					keep(arg)
				}
			}
		case *ast.FuncDecl:
			if slices.Contains(src.results, n.Name.Name) {
				eachText(n.Body, keep)
			}
		}
		return true
	})
}

// eachText finds the texts anywhere below n, each as a whole.
func eachText(n ast.Node, keep func(ast.Expr)) {
	ast.Inspect(n, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		if whole := texts(e); len(whole) > 0 && whole[0] != hole {
			keep(e)
			return false
		}
		return true
	})
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

var verb = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]`)

// texts are what e may be, with holes; a hole alone where that is nothing of a
// text.
func texts(e ast.Expr) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return []string{s}
		}
	case *ast.BinaryExpr:
		var both []string
		for _, x := range texts(e.X) {
			for _, y := range texts(e.Y) {
				both = append(both, x+y)
			}
		}
		if e.Op == token.ADD {
			return both
		}
	case *ast.CallExpr:
		return textsOfCall(e)
	}
	return []string{hole}
}

func textsOfCall(e *ast.CallExpr) []string {
	switch nameOf(e.Fun) {
	case "Sprintf", "Errorf", "New":
		if len(e.Args) > 0 {
			format := strings.ReplaceAll(texts(e.Args[0])[0], "%%", "\x01")
			return []string{strings.ReplaceAll(verb.ReplaceAllString(format, hole), "\x01", "%")}
		}
	case "Or":
		var all []string
		for _, arg := range e.Args {
			all = append(all, texts(arg)...)
		}
		return all
	}
	return []string{hole}
}

// like is the expression for what a template may become.
func like(template string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(template), hole, ".*") + "$")
}

// TestEveryReasonIsKnown reads the clauses of reasons out of the source: what
// is said there can be said in Chinese, and nothing else is in the table.
func TestEveryReasonIsKnown(t *testing.T) {
	found := templates(t)
	if len(found) < 80 {
		t.Fatalf("only %d clauses found in the source: is it still read where they are made?", len(found))
	}
	clauses, parts := slices.Clone(samples), slices.Clone(samples)
	for _, s := range samples {
		parts = append(parts, strings.Split(s, "; ")...)
	}
	for _, template := range slices.Sorted(maps.Keys(found)) {
		if !strings.Contains(template, hole) {
			clauses = append(clauses, template)
			if u := understand(template); !u.known {
				t.Errorf("%s: %q is not in the table of reasons: chinese_reasons.go, chinese_logins.go", found[template], template)
			}
			continue
		}
		if !slices.ContainsFunc(parts, like(template).MatchString) {
			t.Errorf("%s: %q is like none of the samples", found[template], strings.ReplaceAll(template, hole, "…"))
		}
	}
	used := map[string]bool{}
	for _, clause := range clauses {
		markUsed(clause, used)
	}
	for _, p := range phrases {
		if !used[p.english] {
			t.Errorf("%q is in the table, and nothing says so", p.english)
		}
	}
}

// markUsed notes the rows that a clause and those within it are looked up in.
func markUsed(clause string, used map[string]bool) {
	for _, m := range matchers() {
		found := m.re.FindStringSubmatch(clause)
		if found == nil {
			continue
		}
		used[m.english] = true
		for i, name := range m.names {
			if inner := found[i+1]; inner != "" && (strings.HasPrefix(name, "{clause") || strings.HasPrefix(name, "{why")) {
				markUsed(inner, used)
			}
		}
		return
	}
	for _, joint := range []string{"; ", ", "} {
		if head, tail, ok := strings.Cut(clause, joint); ok {
			markUsed(head, used)
			markUsed(tail, used)
			return
		}
	}
}
