package login

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

const (
	goodCode  = "ac_invented-Code.0123456789~x"
	goodState = "0123456789abcdef0123456789abcdef"
	goodQuery = "code=" + goodCode + "&scope=openid+profile&state=" + goodState
	good      = callbackAddress + "?" + goodQuery
)

func TestCallbackCodeFindsTheCode(t *testing.T) {
	for name, pasted := range map[string]string{
		"the address":          good,
		"blanks around":        "  " + good + "\r\n\n",
		"in quotes":            `"` + good + `"`,
		"in angle brackets":    "<" + good + ">",
		"in typographic marks": "“" + good + "”",
		"folded by a mail":     good[:60] + "\n" + good[60:],
		"without http://":      strings.TrimPrefix(good, "http://"),
		"in capitals":          "HTTP://LOCALHOST:1455/auth/callback?" + goodQuery,
		"by number":            "http://127.0.0.1:1455/auth/callback?" + goodQuery,
		"by IPv6 number":       "http://[::1]:1455/auth/callback?" + goodQuery,
		"as HTML":              strings.ReplaceAll(good, "&", "&amp;"),
		"percent-encoded":      url.QueryEscape(good),
		"its query":            goodQuery,
		"its query with mark":  "?" + goodQuery,
		"the code only":        goodCode,
		"code and state":       goodCode + "#" + goodState,
		"with a fragment":      good + "#_=_",
	} {
		t.Run(name, func(t *testing.T) {
			code, err := callbackCode(pasted, goodState)
			if err != nil || code != goodCode {
				t.Errorf("got %q, %v", code, err)
			}
		})
	}
}

func TestValidAddressSaysWhatIsWrong(t *testing.T) {
	for _, tc := range []struct{ name, pasted, want string }{
		{"nothing", "", "empty"},
		{"blanks", " \n\t ", "empty"},
		{"the link itself", "https://auth.openai.com/oauth/authorize?client_id=x&state=" + goodState, "the page to log in at"},
		{"the page to log in", "https://auth.openai.com/log-in", "the page to log in at"},
		{"somewhere else", "https://example.com/?" + goodQuery, "begins with http://localhost:1455/auth/callback"},
		{"a name like it", "http://localhost.example.com/?" + goodQuery, "begins with"},
		{"no address", "ftp://localhost/x", "no address of a browser"},
		{"a word", "yes", "neither an address nor a code"},
		{"a sentence", "the address is " + good, "more than the address"},
		{"two codes", goodCode + " " + goodCode, "more than the address"},
		{"two addresses", good + "&" + goodQuery, "two addresses"},
		{"another login", callbackAddress + "?code=" + goodCode + "&state=ffff", "another login"},
		{"another login's code and state", goodCode + "#ffff", "another login"},
		{"denied", callbackAddress + "?error=access_denied&error_description=no&state=" + goodState, "denied on the page"},
		{"another refusal", "error=login_required&state=" + goodState, "(login_required)"},
		{"a refusal that is no word", callbackAddress + "?error=%1b%5b31m", "refused the login: open"},
		{"no code", callbackAddress + "?state=" + goodState, "no code"},
		{"an empty code", callbackAddress + "?code=&state=" + goodState, "no code"},
		{"not loaded yet", "http://localhost:1455/auth/callback", "no code"},
		{"cut off", callbackAddress + "?code=" + goodCode, "end is missing"},
		{"damaged", callbackAddress + "?code=%zz&state=" + goodState, "damaged"},
		{"a control character in the code", callbackAddress + "?code=a%03b&state=" + goodState, "the code in it is damaged"},
		{"a control character", "http://localhost:1455/\x03auth?" + goodQuery, "more than the address"},
		{"not ASCII", callbackAddress + "?code=ü&state=" + goodState, "more than the address"},
		{"a key", "sk-proj-0123456789abcdef", "a key or a token"},
		{"a setup-token", "sk-ant-oat01-0123456789abcdef", "a key or a token"},
		{"endless", good + strings.Repeat("x", addressCap), "far too long"},
		{"a bad host", "http://[::1/auth/callback?" + goodQuery, "damaged"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := ValidAddress(tc.pasted, goodState)
			var e *PasteError
			if !errors.As(err, &e) || !strings.Contains(e.What, tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
			for _, secret := range []string{goodCode, goodState, "0123456789abcdef"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds what was pasted: %v", err)
				}
			}
		})
	}
}

func TestALinkWithoutStateHasNoneToCheck(t *testing.T) {
	if code, err := callbackCode(callbackAddress+"?code="+goodCode, ""); err != nil || code != goodCode {
		t.Errorf("got %q, %v", code, err)
	}
	if got := answerFor(goodCode, ""); strings.Contains(got, "state") {
		t.Errorf("a state was invented: %s", got)
	}
}

// What OpenClaw gets goes to a terminal: whatever was pasted, it is one line of
// plain characters, and means the same as what was pasted.
func FuzzValidAddress(f *testing.F) {
	for _, seed := range []string{good, goodCode, goodQuery, "", "sk-x", callbackAddress + "?code=%0d%0a", goodCode + "#" + goodState, url.QueryEscape(good), "http://localhost:1455?code=\x1b[31m&state=" + goodState} {
		f.Add(seed, goodState)
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, pasted, state string) {
		code, err := callbackCode(pasted, state)
		if err != nil {
			var e *PasteError
			if !errors.As(err, &e) || e.What == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		answer := answerFor(code, state)
		if strings.ContainsFunc(answer, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("not for a terminal: %q", answer)
		}
		again, err := callbackCode(answer, state)
		if err != nil || again != code {
			t.Fatalf("%q means %q, %v", answer, again, err)
		}
	})
}
