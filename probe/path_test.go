package probe

import (
	"strings"
	"testing"
)

func mustPath(tb testing.TB, text string) Path {
	tb.Helper()
	p, err := ParsePath(text)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestPathsFindWhatTheyName(t *testing.T) {
	t.Parallel()
	o, ok := parseObject([]byte(`{"a":{"b":[{"c":7},[8,9]],"x.y":"dotted","":1,"null":null,"big":1e2},"list":[1],"$":3,"ключ":4,"q\"q":5}`))
	if !ok {
		t.Fatal("not an object")
	}
	for path, want := range map[string]string{
		"a.b[0].c": "7", "a.b[1][1]": "9", `a["x.y"]`: "dotted", `["a"].b[0]["c"]`: "7", "list[0]": "1", "$": "3", "ключ": "4", `["q\"q"]`: "5", "a.big": "1e2",
		"a.missing": "", "a.null": "", "a.b[2]": "", "list.a": "", "list[0].a": "", "a[0]": "", "missing.a[3].b": "",
	} {
		if got := mustPath(t, path).find(o).word(found); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if (Path{}).find(o) != nil {
		t.Error("the path that leads nowhere found something")
	}
}

func TestPathsThatAreNone(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"":                             "the path is empty",
		".a":                           "want a member's name at character 1",
		"a.":                           "want a member's name at character 2",
		"a..b":                         "want a member's name at character 2",
		"a[":                           "want an index from 0, [n] at character 2",
		"a[]":                          "want an index",
		"a[-1]":                        "want an index",
		"a[*]":                         "want an index",
		"a[0]b":                        "want a dot or a bracket at character 5",
		"a]":                           "want a member's name",
		`a["b]`:                        "the quoted name has no end at character 2",
		`a[""]`:                        "want a quoted name",
		`a["b"x]`:                      "want a quoted name",
		"é.[0]":                        "want a member's name at character 2",
		strings.Repeat("a.", 16):       "want a member's name",
		strings.Repeat("a.", 16) + "a": "17 steps; at most 16",
		strings.Repeat("a", 257):       "257 bytes; at most 256",
	} {
		p, err := ParsePath(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v; want %s", path, p, err, want)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, path := range []string{"a.b[0].c", `a["x.y"][3]`, "a..b", "[", `["`, "a[65536]", "[0][0]"} {
		f.Add(path, `{"a":{"b":[{"c":7}]}}`)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		p, err := ParsePath(path)
		if err != nil {
			return
		}
		if p.IsZero() || p.String() != path {
			t.Errorf("%q became %q", path, p)
		}
		if o, ok := parseObject([]byte(body)); ok {
			if value := p.find(o); value != nil && !value.has(found) {
				t.Errorf("%q found %v", path, value)
			}
		}
	})
}
