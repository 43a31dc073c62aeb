package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// link is an inline link of Markdown, and heading a heading.
var (
	link    = regexp.MustCompile(`\]\(([^()\s]+(?:\([^()\s]*\)[^()\s]*)?)\)`)
	heading = regexp.MustCompile(`(?m)^(#{1,6}) (.+)$`)
)

// documents are the texts for people, by their path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			docs[strings.TrimPrefix(path, root+"/")] = string(body)
		}
	}
	return docs
}

// prose is a document without its code blocks.
func prose(doc string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(doc) {
		if strings.HasPrefix(line, "```") {
			inside = !inside
		} else if !inside {
			b.WriteString(line)
		}
	}
	return b.String()
}

// anchors are what can be linked to in a document, as GitHub names it.
func anchors(doc string) []string {
	var names []string
	seen := map[string]int{}
	for _, h := range heading.FindAllStringSubmatch(prose(doc), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, link.ReplaceAllString(h[2], "]"))
		if n := seen[name]; n > 0 {
			names = append(names, name+"-"+strconv.Itoa(n))
		} else {
			names = append(names, name)
		}
		seen[name]++
	}
	return names
}

// TestLinks: every link within the documents leads somewhere, and every
// document is led to from the README.
func TestLinks(t *testing.T) {
	docs := documents(t)
	leads := map[string][]string{}
	for path, doc := range docs {
		for _, m := range link.FindAllStringSubmatch(prose(doc), -1) {
			if strings.Contains(m[1], ":") {
				continue // elsewhere
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
				continue
			}
			leads[path] = append(leads[path], target)
			if body, known := docs[target]; anchor != "" && known && !slices.Contains(anchors(body), anchor) {
				t.Errorf("%s links to %s, and %s has no such heading", path, m[1], target)
			}
		}
	}
	reached := map[string]bool{"README.md": true}
	for queue := []string{"README.md"}; len(queue) > 0; queue = queue[1:] {
		for _, next := range leads[queue[0]] {
			if !reached[next] {
				reached[next], queue = true, append(queue, next)
			}
		}
	}
	for path := range docs {
		if !reached[path] {
			t.Errorf("nothing that README.md leads to links to %s", path)
		}
		if path != "docs/README.md" && strings.HasPrefix(path, "docs/") && !slices.Contains(leads["docs/README.md"], path) {
			t.Errorf("docs/README.md does not list %s", path)
		}
	}
}

// TestAnchors: headings are named as GitHub names them.
func TestAnchors(t *testing.T) {
	doc := "# `pools[].windows[]`\n## Gemini CLI and Antigravity `google-gemini-cli`\n```\n# no heading\n```\n" +
		"## `heartbeat`: who hears, that it lives\n## Ask [it](x.md)\n## 为什么不用脚本？\n## Ask it\n"
	want := []string{"poolswindows", "gemini-cli-and-antigravity-google-gemini-cli", "heartbeat-who-hears-that-it-lives", "ask-it", "为什么不用脚本", "ask-it-1"}
	if got := anchors(doc); !slices.Equal(got, want) {
		t.Errorf("anchors %q, want %q", got, want)
	}
}

// skeleton is what two languages of a document have in common: the headings'
// levels, the code blocks but for their comments, what is written as code, and
// the links.
func skeleton(doc string) []string {
	parts := []string{}
	for _, b := range blocks(doc) {
		if b[0] == "sh" {
			b[1] = comment.ReplaceAllString(b[1], "")
		}
		parts = append(parts, "block of "+b[0]+":\n"+b[1])
	}
	section := 0
	for line := range strings.SplitSeq(prose(doc), "\n") {
		if h := heading.FindStringSubmatch(line); h != nil {
			section++
			parts = append(parts, h[1]+" section "+strconv.Itoa(section))
			continue
		}
		// A sentence may have them in another order.
		var codes []string
		for _, m := range codeOrLink.FindAllStringSubmatch(line, -1) {
			codes = append(codes, m[1]+m[2])
		}
		slices.Sort(codes)
		for _, c := range codes {
			parts = append(parts, "section "+strconv.Itoa(section)+" has "+c)
		}
	}
	return parts
}

// comment is one behind a command.
var comment = regexp.MustCompile(`(?m) +# .*$`)

var codeOrLink = regexp.MustCompile("`([^`]+)`|" + link.String())

// TestLanguages: the README says the same in both languages.
func TestLanguages(t *testing.T) {
	docs := documents(t)
	const otherLanguage = "[README](README)"
	english := strings.Replace(docs["README.md"], "English | [简体中文](README.zh-CN.md)", otherLanguage, 1)
	chinese := strings.Replace(docs["README.zh-CN.md"], "[English](README.md) | 简体中文", otherLanguage, 1)
	for name, doc := range map[string]string{"README.md": english, "README.zh-CN.md": chinese} {
		if _, head, _ := strings.Cut(doc, "\n"); !strings.HasPrefix(strings.TrimSpace(head), otherLanguage) {
			t.Errorf("%s does not begin with the languages, and the link to the other one", name)
		}
	}
	for _, diff := range differ(skeleton(english), skeleton(chinese)) {
		t.Errorf("README.zh-CN.md %s", diff)
	}
}

// TestLanguagesDiffer: a change in one language alone is noticed.
func TestLanguagesDiffer(t *testing.T) {
	doc := "# a\n\nRun `ocwatch run`, see [this](docs/why.md).\n\n## b\n\n| `x` | y |\n\n```sh\nocwatch check\n```\n"
	for name, change := range map[string][2]string{
		"a heading more":       {"## b", "## b\n## c"},
		"another level":        {"## b", "### b"},
		"a command":            {"`ocwatch run`", "`ocwatch check`"},
		"a command less":       {"`ocwatch run`, ", ""},
		"a link":               {"docs/why.md", "docs/history.md"},
		"a line of a block":    {"ocwatch check\n", "ocwatch check\nocwatch run\n"},
		"the block's language": {"```sh", "```console"},
		"code in a table":      {"`x`", "`z`"},
		"moved elsewhere":      {"## b\n\n| `x`", "`x`\n\n## b\n\n| "},
	} {
		if len(differ(skeleton(doc), skeleton(strings.Replace(doc, change[0], change[1], 1)))) == 0 {
			t.Errorf("%s: no difference", name)
		}
	}
	other := "# 甲\n\n[这里](docs/why.md)说明，运行 `ocwatch run`。\n\n## 乙\n\n| `x` | 丙 |\n\n```sh\nocwatch check\n```\n"
	if diffs := differ(skeleton(doc), skeleton(other)); len(diffs) > 0 {
		t.Errorf("the same in another language differs: %q", diffs)
	}
}

// differ tells what the second list lacks of the first, and has beyond it.
func differ(a, b []string) (diffs []string) {
	count := map[string]int{}
	for _, x := range a {
		count[x]++
	}
	for _, x := range b {
		if count[x]--; count[x] < 0 {
			diffs = append(diffs, "has what README.md has not: "+x)
		}
	}
	for _, x := range a {
		if count[x]--; count[x] >= 0 {
			diffs = append(diffs, "lacks of README.md: "+x)
		}
	}
	return diffs
}

// target is a target of the Makefile with a word on what it does.
var target = regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## (.+)$`)

// phony are the Makefile's commands.
var phony = regexp.MustCompile(`(?m)^\.PHONY: ([a-z0-9-]+)$`)

// TestMakeTargets: make help and CONTRIBUTING.md name every target that does
// something for a person.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	helped := map[string]bool{}
	for _, m := range target.FindAllStringSubmatch(string(makefile), -1) {
		helped[m[1]] = true
	}
	contributing := documents(t)["CONTRIBUTING.md"]
	for name := range helped {
		if !strings.Contains(contributing, "`make "+name+"`") {
			t.Errorf("CONTRIBUTING.md does not name make %s", name)
		}
	}
	inner := []string{"modules"} // a step of others
	for _, m := range phony.FindAllStringSubmatch(string(makefile), -1) {
		if !helped[m[1]] && !slices.Contains(inner, m[1]) {
			t.Errorf("make help does not name make %s: give it a comment after ##", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`make ([a-z0-9-]+)").FindAllStringSubmatch(contributing, -1) {
		if !helped[m[1]] {
			t.Errorf("CONTRIBUTING.md names make %s, which is no target", m[1])
		}
	}
}

// named is a test that a document names: by its package, or by the command that
// runs it.
var (
	named   = regexp.MustCompile("`((?:cmd|deploy|failover|internal|notify|probe|profiles|test)[a-z0-9/]*) ((?:Test|Fuzz)\\w+)`")
	invoked = regexp.MustCompile("`go test (?:-\\w+ (?:[\\w,]+ )?)*((?:\\./\\S+ )+)-run '?([^`' ]+)")
)

// testFunc is a test, fuzz target or benchmark of a Go file.
var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)

// testsIn lists the tests of a package.
func testsIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllStringSubmatch(string(body), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// TestNamedTests: the tests that documents name are there.
func TestNamedTests(t *testing.T) {
	found := 0
	for path, doc := range documents(t) {
		for _, m := range named.FindAllStringSubmatch(doc, -1) {
			found++
			if !slices.Contains(testsIn(t, m[1]), m[2]) {
				t.Errorf("%s names %s in %s, which has no such test", path, m[2], m[1])
			}
		}
		for _, m := range invoked.FindAllStringSubmatch(doc, -1) {
			// Subtests stand behind a slash, perhaps with a choice in brackets.
			run := regexp.MustCompile(`\([^()]*\)`).ReplaceAllString(strings.ReplaceAll(m[2], `\|`, "|"), "")
			for test := range strings.SplitSeq(run, "|") {
				found++
				test, _, _ = strings.Cut(test, "/")
				var there []string
				for dir := range strings.FieldsSeq(m[1]) {
					there = append(there, testsIn(t, dir)...)
				}
				if !slices.ContainsFunc(there, regexp.MustCompile(test).MatchString) {
					t.Errorf("%s runs %s in %s, which has no such test", path, test, m[1])
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("%d tests are named", found)
	}
}

// TestPackagesAreDescribed: docs/architecture.md says of every package what it
// is for.
func TestPackagesAreDescribed(t *testing.T) {
	described := documents(t)["docs/architecture.md"]
	seen := map[string]bool{}
	for _, top := range []string{"cmd", "deploy", "failover", "internal", "notify", "probe", "profiles", "test"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules") {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, ".go") {
				seen[strings.TrimPrefix(filepath.Dir(path), root+"/")] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for pkg := range seen {
		name := strings.TrimPrefix(pkg, "cmd/ocwatch/") // its own stand beside it
		if !strings.Contains(described, "`"+name+"`") {
			t.Errorf("docs/architecture.md does not say what %s is for", pkg)
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d packages found", len(seen))
	}
}
