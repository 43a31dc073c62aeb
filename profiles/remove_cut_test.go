package profiles

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCutProfile(t *testing.T) {
	tests := []struct {
		name, doc, id, want string
		absent, err         bool
	}{
		{name: "the first", doc: `{"version":1,"profiles":{"a":1,"b":2}}`, id: "a", want: `{"version":1,"profiles":{"b":2}}`},
		{name: "the last", doc: `{"version":1,"profiles":{"a":1,"b":2}}`, id: "b", want: `{"version":1,"profiles":{"a":1}}`},
		{name: "one in the middle", doc: `{"profiles":{"a":1, "b":2 ,"c":3}}`, id: "b", want: `{"profiles":{"a":1, "c":3}}`},
		{name: "the only one", doc: "{\n \"profiles\": {\n  \"a\": {}\n }\n}\n", id: "a", want: "{\n \"profiles\": {\n }\n}\n"},
		{name: "indented", doc: "{\n \"profiles\": {\n  \"a\": {},\n  \"b\": {}\n }\n}\n", id: "b", want: "{\n \"profiles\": {\n  \"a\": {}\n }\n}\n"},
		{
			name: "what is not understood stays", doc: `{"x":[{"a":"}{,\""}],"profiles":{"a":7,"b":{"n":1e400,"u":"\u0041"}},"order":{"p":["a","b"]}}`,
			id: "a", want: `{"x":[{"a":"}{,\""}],"profiles":{"b":{"n":1e400,"u":"\u0041"}},"order":{"p":["a","b"]}}`,
		},
		{name: "an id in escapes", doc: `{"profiles":{"\u0061:b":1,"c":2}}`, id: "a:b", want: `{"profiles":{"c":2}}`},
		{name: "twice", doc: `{"profiles":{"a":1,"b":2,"a":3}}`, id: "a", want: `{"profiles":{"b":2}}`},
		{name: "of the same name elsewhere", doc: `{"usageStats":{"a":1},"profiles":{"a":1,"b":2}}`, id: "a", want: `{"usageStats":{"a":1},"profiles":{"b":2}}`},
		{name: "not there", doc: `{"profiles":{"a":1}}`, id: "z", absent: true},
		{name: "no profiles", doc: `{"version":1}`, id: "a", absent: true},
		{name: "half a file", doc: `{"profiles":{"a":1,`, id: "a", err: true},
		{name: "something behind it", doc: `{"profiles":{"a":1}} x`, id: "a", err: true},
		{name: "a list", doc: `["a"]`, id: "a", err: true},
		{name: "profiles is a list", doc: `{"profiles":["a"]}`, id: "a", err: true},
		{name: "profiles twice", doc: `{"profiles":{"a":1},"profiles":{"a":1}}`, id: "a", err: true},
		{name: "empty", err: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, found, err := cutProfile([]byte(tt.doc), tt.id)
			if (err != nil) != tt.err {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				return
			}
			if found == tt.absent {
				t.Errorf("found %v", found)
			}
			want := tt.want
			if tt.absent {
				want = tt.doc
			}
			if string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !sameBut([]byte(tt.doc), got, tt.id) {
				t.Error("more than the profile was changed")
			}
		})
	}
}

// Whatever the document, what is left is the document without the one profile,
// and its other values are the same bytes.
func TestCutProfileLeavesTheRest(t *testing.T) {
	value := rapid.SampledFrom([]string{`{}`, `{"a":{"b":[1,2]}}`, `"}"`, `"\"a\":"`, `1e5`, `null`, ` [ ] `, "{\n\"a\"\t:1}"})
	space := rapid.SampledFrom([]string{"", " ", "\n\t"})
	rapid.Check(t, func(t *rapid.T) {
		var members []string
		for i := range rapid.IntRange(1, 6).Draw(t, "profiles") {
			members = append(members, fmt.Sprintf(`%s"p%d"%s:%s`, space.Draw(t, "s"), i, space.Draw(t, "s"), value.Draw(t, "v")))
		}
		doc := `{"version":1,"profiles":` + space.Draw(t, "s") + "{" + strings.Join(members, ",") + space.Draw(t, "s") + `},"order":` + value.Draw(t, "v") + "}"
		id := fmt.Sprintf("p%d", rapid.IntRange(0, 7).Draw(t, "which"))
		got, found, err := cutProfile([]byte(doc), id)
		if err != nil || !json.Valid(got) {
			t.Fatalf("%v: %s", err, got)
		}
		if !sameBut([]byte(doc), got, id) {
			t.Fatalf("more than %s was changed:\n%s\n%s", id, doc, got)
		}
		var before, after struct{ Profiles map[string]json.RawMessage }
		if json.Unmarshal([]byte(doc), &before) != nil || json.Unmarshal(got, &after) != nil {
			t.Fatal("unreadable")
		}
		_, was := before.Profiles[id]
		_, is := after.Profiles[id]
		if was != found || is {
			t.Fatalf("found %v, was there %v, is there %v", found, was, is)
		}
		for name, raw := range before.Profiles {
			if name != id && string(after.Profiles[name]) != string(raw) {
				t.Fatalf("%s was %s and is %s", name, raw, after.Profiles[name])
			}
		}
	})
}

func FuzzCutProfile(f *testing.F) {
	f.Add([]byte(`{"version":1,"profiles":{"a":{"type":"oauth"},"b":{}}}`), "a")
	f.Add([]byte("{\n  \"profiles\": {\n    \"a\": 1\n  }\n}"), "a")
	f.Add([]byte(`{"profiles":{"\u0061":1,"a":2},"x":"\ud800"}`), "a")
	f.Fuzz(func(t *testing.T, doc []byte, id string) {
		got, found, err := cutProfile(doc, id)
		if err != nil {
			return
		}
		if found != (len(got) < len(doc)) {
			t.Errorf("found %v, and %d of %d bytes are left", found, len(got), len(doc))
		}
		if !sameBut(doc, got, id) {
			t.Errorf("more than %q was changed: %q became %q", id, doc, got)
		}
		if _, again, err := cutProfile(got, id); err != nil || again {
			t.Errorf("after the cut: found %v, %v", again, err)
		}
	})
}
