package profiles

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func TestRevisionChangesWithTheCredentialOnly(t *testing.T) {
	const seed = `{"type":"oauth","provider":"openai","access":"a","refresh":"r","expires":1}`
	for _, tc := range []struct {
		name, entry string
		same        bool
	}{
		{"the same again", seed, true},
		{"its fields in another order", `{"refresh":"r","access":"a","provider":"openai","type":"oauth"}`, true},
		{"what is only known about it", `{"type":"oauth","provider":"openai","access":"a","refresh":"r","expires":2,"chatgptPlanType":"plus","email":"a@example.com"}`, true},
		{"another access token", `{"type":"oauth","provider":"openai","access":"b","refresh":"r"}`, false},
		{"another refresh token", `{"type":"oauth","provider":"openai","access":"a","refresh":"s"}`, false},
		{"a token moved to the other field", `{"type":"oauth","provider":"openai","access":"","refresh":"ar"}`, false},
		{"another kind", `{"type":"token","provider":"openai","access":"a","refresh":"r"}`, false},
		{"the secret kept elsewhere", `{"type":"oauth","provider":"openai","oauthRef":{"id":"x"}}`, false},
		{"not an object", `7`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := decodeCredential("openai:a", json.RawMessage(seed)).revision
			after := decodeCredential("openai:a", json.RawMessage(tc.entry)).revision
			if before == 0 || after == 0 {
				t.Fatal("a revision of 0 stands for nothing read")
			}
			if (before == after) != tc.same {
				t.Errorf("the revisions are equal: %v, want %v", before == after, tc.same)
			}
		})
	}
}

func TestRevisionIsInTheSnapshot(t *testing.T) {
	at := func(access string) uint64 {
		c := content{credentials: []credential{decodeCredential("openai:a", json.RawMessage(fmt.Sprintf(`{"type":"oauth","provider":"openai","access":%q}`, access)))}}
		return c.profile(c.credentials[0], time.Now()).Revision
	}
	first, again, other := at("a"), at("a"), at("b")
	if first != again || first == other {
		t.Error("a profile's revision does not follow its credential")
	}
}
