package probe

import (
	"strings"
	"testing"
	"time"
)

func parsed(tb testing.TB, body string) object {
	tb.Helper()
	o, ok := parseObject([]byte(body))
	if !ok {
		tb.Fatalf("%s is not an object", body)
	}
	return o
}

func TestNumbersComeInManySpellings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		want float64
		ok   bool
	}{
		`17`: {17, true}, `17.5`: {17.5, true}, `"17.5"`: {17.5, true}, `" 3 "`: {3, true}, `0`: {0, true}, `"-1e2"`: {-100, true},
		`null`: {}, `""`: {}, `"many"`: {}, `true`: {}, `[1]`: {}, `{}`: {}, `"NaN"`: {}, `"Inf"`: {}, `1e999`: {}, `"0x"`: {},
	}
	for in, want := range tests {
		if got, ok := parsed(t, `{"n":`+in+`}`).number("n"); got != want.want || ok != want.ok {
			t.Errorf("%s: %v %v, want %v %v", in, got, ok, want.want, want.ok)
		}
	}
	if _, ok := parsed(t, `{}`).number("n"); ok {
		t.Error("an absent number is known")
	}
}

func TestFlagsAreYesNoOrUnsaid(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ value, known bool }{
		`true`: {true, true}, `false`: {false, true}, `"true"`: {true, true}, `"False"`: {false, true},
		`null`: {}, `1`: {}, `"yes"`: {}, `[]`: {},
	}
	for in, want := range tests {
		if value, known := parsed(t, `{"f":`+in+`}`).flag("f"); value != want.value || known != want.known {
			t.Errorf("%s: %v %v", in, value, known)
		}
	}
}

func TestInstants(t *testing.T) {
	t.Parallel()
	tests := map[string]time.Time{
		`1800000000`: noon, `"1800000000"`: noon, `1800000000.9`: noon, `1800000000000`: noon,
		`"2027-01-15T08:00:00Z"`: noon, `"2027-01-15T09:00:00.000000+01:00"`: noon,
		`null`: {}, `0`: {}, `-5`: {}, `"soon"`: {}, `1e300`: {}, `"0000-01-01T00:00:00Z"`: {}, `"2027-01-15"`: {},
	}
	for in, want := range tests {
		if got := parsed(t, `{"t":`+in+`}`).instant("t"); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	o := parsed(t, `{"l":[`+strings.Repeat(`1,"x",{"a":1},`, 500)+`null]}`)
	if got := o.list("l"); len(got) != maxEntries {
		t.Errorf("%d entries", len(got))
	}
}

func TestLabelsAreFitToBeShown(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"plus": "plus", " pro ": "pro", "a\x1b[31mb\nc\td": "a[31mbcd", "müße 中文": "müße 中文",
		"a\u202eb\u200bc": "abc", "\xff\xfe": "", strings.Repeat("é", 100): strings.Repeat("é", 64),
	}
	for in, want := range tests {
		if got := label(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
