package login

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func recorded(t *testing.T, release, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "screens", release, name+".screen"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// seen reads a whole recording.
func seen(raw []byte) sight {
	var s screen
	s.write(raw)
	s.write([]byte("\n"))
	return s.sight
}

const (
	devicePage    = "https://auth.openai.com/codex/device"
	authorizePage = "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid+profile+email+offline_access&code_challenge="
)

func TestScreenReadsWhatOpenClawShowed(t *testing.T) {
	for _, release := range []string{"2026.9.6", "2026.6.11", "2026.5.28"} {
		provider := "openai"
		if release == "2026.5.28" {
			provider = "openai-codex"
		}
		for _, tc := range []struct {
			name string
			want sight // URL up to where it differs; Code "?" is any
			err  string
		}{
			{"device-approved", sight{URL: devicePage, Code: "?", Minutes: 15, Approved: true, Restrictions: release == "2026.9.6", Profile: provider + ":dave@example.com"}, ""},
			{"device-denied", sight{URL: devicePage, Code: "?", Minutes: 15}, "it was denied on the page"},
			{"device-expired", sight{URL: devicePage, Code: "?", Minutes: 15}, ErrExpired.Error()},
			{"authorize-approved", sight{URL: authorizePage, Paste: true, Restrictions: release == "2026.9.6", Profile: provider + ":erin"}, ""},
			{"authorize-wrong-state", sight{URL: authorizePage, Paste: true}, "the address of another login"},
			{"authorize-denied", sight{URL: authorizePage, Paste: true}, "an address without a code"},
			{"authorize-bad-code", sight{URL: authorizePage, Paste: true}, "the provider did not take the code"},
			{"anthropic", sight{Menu: true}, ""},
			{"unknown-method", sight{}, errNoCodes.Error()},
			{"unknown-provider", sight{}, ErrNotOffered.Error()},
			{"unknown-agent", sight{}, "no agent of this name"},
		} {
			t.Run(release+" "+tc.name, func(t *testing.T) {
				got := seen(recorded(t, release, tc.name))
				if tc.err != "" {
					if err := failure(got.Last, 1, nil); !strings.Contains(err.Error(), tc.err) {
						t.Errorf("its last words %q mean %v, want %q", got.Last, err, tc.err)
					}
				}
				if got.Code != "" && tc.want.Code == "?" {
					tc.want.Code = got.Code
				}
				if tc.want.URL == authorizePage && linkState(got.URL) != "" && strings.HasPrefix(got.URL, authorizePage) && strings.HasSuffix(got.URL, "&originator=openclaw") {
					tc.want.URL = got.URL
				}
				tc.want.Last = got.Last
				if got != tc.want {
					t.Errorf("got  %+v\nwant %+v", got, tc.want)
				}
			})
		}
	}
}

// What was typed shows up in the older releases' prompts. It must not be taken
// for OpenClaw's own words.
func TestScreenDoesNotTakeTypedTextForWords(t *testing.T) {
	for _, release := range []string{"2026.6.11", "2026.5.28"} {
		raw := recorded(t, release, "authorize-approved")
		if !strings.Contains(string(raw), "code=ac_") {
			t.Fatal("the recording does not show what was typed")
		}
		for i := range raw { // at any moment
			if raw[i] != '\n' {
				continue
			}
			if got := seen(raw[:i]); strings.Contains(got.Last, "ac_") || strings.Contains(got.Question, "ac_") || strings.Contains(got.URL, "ac_") {
				t.Fatalf("%s: %+v", release, got)
			}
		}
	}
}

func TestScreenReadsLines(t *testing.T) {
	long := authorizePage + strings.Repeat("x", 43) + "&state=" + goodState + "&originator=openclaw"
	for _, tc := range []struct {
		name, shown string
		want        sight
	}{
		{"a folded link", long[:80] + "\r\n" + long[80:160] + "\r\n" + long[160:] + "\r\n\r\n", sight{URL: long}},
		{"a link folded in a box", "│  " + long[:70] + "  │\r\n│  " + long[70:] + "  │\r\n│  │\r\n", sight{URL: long}},
		{"a short link is not folded", "https://example.com/device\r\nABCD-1234\r\n", sight{URL: "https://example.com/device"}},
		{"a link within words is none", "See https://docs.example.com/faq for help\r\n", sight{}},
		{"a link in clear text is none", "http://example.com/device\r\n", sight{}},
		{"a link with a password is none", "https://a:b@example.com/device\r\n", sight{}},
		{"a link that is not at its end", "https://example.com/de", sight{URL: "https://example.com/de"}},
		{"a label", "URL: <https://example.com/device>\n", sight{URL: "https://example.com/device"}},
		{"a browser that does not open", "Open manually: https://example.com/device\n", sight{URL: "https://example.com/device"}},
		{"a lower-case code", "code: abcd-1234\n", sight{Code: "abcd-1234"}},
		{"no code", "Code: see the page\nCode expires in 15 minutes.\n", sight{Minutes: 15}},
		{"one minute", "Code expires in 1 minute.", sight{Minutes: 1}},
		{"coloured", "\x1b[36m│\x1b[39m  \x1b[1mCode: ABCD-1234\x1b[22m  \x1b[36m│\x1b[39m\r\n", sight{Code: "ABCD-1234"}},
		{"a title for the window", "\x1b]0;Code: FAKE-0000\x07Code: ABCD-1234\r\n", sight{Code: "ABCD-1234"}},
		{"a progress report", "\x1b]9;4;3;;\x1b\\Code: ABCD-1234\r\n", sight{Code: "ABCD-1234"}},
		{"a sequence that never ends", "\x1b]0;title\nCode: ABCD-1234\r\n", sight{Code: "ABCD-1234"}},
		{"written over", "Code: FAKE-00\rCode: ABCD-1234\r\n", sight{Code: "ABCD-1234"}},
		{"redrawn", "◒  Waiting\x1b[999D\x1b[J◐  Waiting.\x1b[1G\x1b[2KCode: ABCD-1234\x1b[K", sight{Code: "ABCD-1234"}},
		{"a name with a blank", "Auth profile: openai:my work (openai/oauth)\n", sight{Profile: "openai:my work"}},
		{"taken over", "Auth profile: openai:x (openai/oauth, imported)\n", sight{Profile: "openai:x", Imported: true}},
		{"the older prompt", "◆  Paste the redirect URL\n", sight{Paste: true}},
		{"an answered question", "◇  Overwrite it?\n│  Yes\n", sight{}},
		{"a question", "◆  Overwrite it?\n", sight{Question: "Overwrite it?"}},
		{"too long a line", strings.Repeat("x", lineCap) + "\nhttps://example.com/" + strings.Repeat("x", lineCap) + "\n", sight{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := seen([]byte(tc.shown))
			got.Last = ""
			if got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

// A terminal hands over what was written in pieces of any size.
func TestScreenDoesNotDependOnPieces(t *testing.T) {
	raw := recorded(t, "2026.9.6", "device-approved")
	want := seen(raw)
	rapid.Check(t, func(t *rapid.T) {
		var s screen
		for rest := raw; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			s.write(rest[:n])
			rest = rest[n:]
		}
		s.write([]byte("\n"))
		if s.sight != want {
			t.Fatalf("got  %+v\nwant %+v", s.sight, want)
		}
	})
}

// Whatever is shown, what is handed on can be shown to a person.
func FuzzScreen(f *testing.F) {
	// Short ones: the fuzzer changes long ones at the wrong places.
	for _, seed := range []string{
		"◇  OpenAI Codex device code ──╮\r\n│  URL: <https://auth.openai.com/codex/device>  │\r\n│  Code: ABCD-12345  │\r\n│  Code expires in 15 minutes. Never share it.  │\r\n",
		"https://auth.openai.com/oauth/authorize?state=0123456789abcdef0123456789abcdef\r\n&more=1\r\n\r\n◆  Paste the authorization code (or full redirect URL):\r\n│  _\r\n",
		"\x1b[?25h◇  OpenAI device code complete\r\nAuth profile: openai:x (openai/oauth, imported)\r\n◆  Your current model restrictions may hide OpenAI models.",
		"Error: OpenAI Codex OAuth failed (callback_validation_failed): State mismatch\x1b[0m",
	} {
		f.Add([]byte(seed), uint8(7))
	}
	f.Add([]byte("\x1b]0;\x1b[\x1b(\r\r\n\x9bm◆ "), uint8(3))
	f.Fuzz(func(t *testing.T, raw []byte, size uint8) {
		var s screen
		for rest := raw; len(rest) > 0; {
			n := min(len(rest), int(size)+1)
			s.write(rest[:n])
			rest = rest[n:]
			if len(s.line) > lineCap || len(s.link) > lineCap {
				t.Fatalf("it holds %d and %d bytes", len(s.line), len(s.link))
			}
		}
		s.write([]byte("\n"))
		if got := seen(raw); got != s.sight {
			t.Fatalf("in pieces %+v, at once %+v", s.sight, got)
		}
		if s.URL != "" {
			u, err := url.Parse(s.URL)
			if err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsFunc(s.URL, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("link %q", s.URL)
			}
		}
		if strings.ContainsFunc(s.Code, func(r rune) bool { return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) || len(s.Code) > 80 {
			t.Errorf("code %q", s.Code)
		}
		if words := failure(s.Last, 1, []string{"x"}).Error() + inWords(s.Question); strings.ContainsFunc(words, unicode.IsControl) || len(words) > 3*wordsCap {
			t.Errorf("words %q", words)
		}
	})
}
