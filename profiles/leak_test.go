package profiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// Nothing that the package hands out shows a credential, in any form of print,
// but the token of a token source.
func TestNoCredentialShows(t *testing.T) {
	jwt := access(t, "acct-1", "a@example.com")
	past := `"expires":` + millis(noon.AddDate(-1, 0, 0))
	entries := []string{
		`"openai:a":{"type":"oauth","provider":"openai","access":"` + jwt + `","refresh":"` + refreshed + `"}`,
		`"openai:stale":{"type":"oauth","provider":"openai","access":"` + jwt + `","refresh":"` + refreshed + `",` + past + `}`,
		`"openai:k":{"type":"api_key","provider":"openai","key":"` + apiKey + `"}`,
		`"openai:mismatch":{"type":"api_key","provider":"openai","key":"` + apiKey + `"}`,
		`"anthropic:t":{"type":"token","provider":"anthropic","token":"` + setupToken + `"}`,
		`"anthropic:over":{"type":"token","provider":"anthropic","token":"` + setupToken + `",` + past + `}`,
		`"anthropic:odd":{"type":"passkey","provider":"anthropic","token":"` + setupToken + `"}`,
		`"anthropic:broken":{"type":"token","provider":"anthropic","token":"` + setupToken + `\n"}`,
		`"anthropic:spaced":{"type":"token","provider":"anthropic","token":"` + setupToken + ` x"}`,
		`"anthropic:ref":{"type":"token","provider":"anthropic","token":"` + setupToken + `","tokenRef":{"source":"env","id":"T"}}`,
		`"anthropic:text":"` + setupToken + `"`,
	}
	in := &install{
		agents: []string{"main", "cut"},
		cfg:    openclaw.Config{AuthProfiles: map[string]openclaw.ConfigProfile{"openai:mismatch": {Mode: "oauth"}}},
		docs: map[string]openclaw.Documents{
			"main": documents(openclaw.SharedDatabase, profilesDoc(entries...), ""),
			"cut":  documents(openclaw.JSONFiles, `{"profiles":{"a":{"token":"`+setupToken, ""),
		},
	}
	s := NewStore(in, Options{})
	snap, err := s.Snapshot(t.Context())
	if err != nil || len(snap.Problems) != 1 {
		t.Fatal(err, snap.Problems)
	}
	var out strings.Builder
	log := zerolog.New(&out)
	show := func(v any) {
		_, _ = fmt.Fprintf(&out, "%v %+v %#v %s %q %x\n", v, v, v, v, v, v)
		log.Info().Interface("v", v).Msg("")
		if doc, err := json.Marshal(v); err == nil {
			out.Write(doc)
		}
	}
	show(snap)
	show(s)
	show(NewOrderer(nil, nil, s))
	n := 0
	for _, pool := range snap.Pools {
		for _, p := range pool.Profiles {
			n++
			source := s.TokenSource("main", p.ID)
			show(source)
			var te *TokenError
			_, err := source.Token()
			if errors.As(err, &te) == (p.Status == Usable) {
				t.Errorf("%s is %s, and its source says %v", p.ID, p.Status, err)
			}
			show(err)
		}
	}
	if n != len(entries) {
		t.Errorf("%d profiles of %d entries", n, len(entries))
	}
	c, err := decode(in.docs["main"], in.cfg)
	if err != nil {
		t.Fatal(err)
	}
	show(c)
	show(&c)
	text := out.String()
	for name, s := range map[string]string{"setup-token": setupToken, "API key": apiKey, "refresh token": refreshed, "access token": jwt} {
		for _, form := range []string{s, fmt.Sprintf("%x", s), fmt.Sprintf("%X", s)} {
			if i := strings.Index(text, form); i >= 0 {
				t.Errorf("the %s shows: …%s…", name, text[max(0, i-80):i])
			}
		}
	}
}
