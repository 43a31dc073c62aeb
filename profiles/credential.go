package profiles

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// fencePrefix opens what OpenClaw puts in place of both tokens while it
// refreshes them. Whatever comes after it, such a string is no token.
const fencePrefix = "openclaw-oauth-refresh-fence:"

type fence int

const (
	noFence fence = iota
	pendingFence
	failedFence
)

// credential is one entry of OpenClaw's profile document. Refresh tokens are
// looked at and not kept: ocwatch has no use for them.
type credential struct {
	id       string
	provider string
	kind     Type
	// token is the access token, token or key; never nil. It is a pointer
	// because fmt asks no unexported field how it wants to be printed.
	token    *secret.Value
	fence    fence
	ref      string // why the token is elsewhere, "" where it is not
	inactive bool   // a saved sign-in that a set-up is replacing
	refresh  bool   // there is a refresh token
	// ignored says why OpenClaw itself does not see this entry, "" where it
	// does.
	ignored string
	// revision changes when the credential does.
	revision uint64

	expires   time.Time
	expiry    expiry
	email     string
	accountID string
	plan      string
	project   string // Google's
	// site is the service's own host as the login named it, a URL or a bare
	// name; "" where it did not.
	site string
}

type expiry int

const (
	noExpiry expiry = iota
	validExpiry
	invalidExpiry // there is a field, and it is no date
)

var (
	errVersion  = errors.New("the profile document has a version that ocwatch does not know")
	errProfiles = errors.New("profiles is not a JSON object")
)

// decodeCredentials reads one profile document, in its order. Every entry comes
// back, understood or not. An error says that the document as a whole makes no
// sense; it never quotes it.
func decodeCredentials(raw json.RawMessage) ([]credential, error) {
	doc := object(raw)
	if doc == nil {
		return nil, errNotObject
	}
	if doc.has("version") && string(doc["version"]) != "1" {
		return nil, errVersion
	}
	if !doc.has("profiles") {
		return nil, nil
	}
	list, err := members(doc["profiles"])
	if err != nil {
		return nil, errProfiles
	}
	out := make([]credential, len(list))
	for i, m := range list {
		out[i] = decodeCredential(m.name, m.value)
	}
	return out, nil
}

func decodeCredential(id string, raw json.RawMessage) credential {
	c := credential{id: id, token: &secret.Value{}}
	e := object(raw)
	c.provider = normalProvider(e.text("provider"))
	c.kind = credentialType(e)
	switch {
	case e == nil:
		c.ignored = "the entry is not a JSON object"
	case c.kind == "":
		c.ignored = "the entry has no type that OpenClaw knows"
	case c.provider == "":
		c.ignored = "the entry names no provider"
	}
	if c.provider == "" {
		c.provider = providerOfID(id)
	}
	c.email, c.accountID, c.plan = e.text("email"), e.text("accountId"), e.text("chatgptPlanType")
	c.project = e.text("projectId")
	c.site = cmp.Or(e.text("enterpriseUrl"), e.text("resourceUrl"))
	c.inactive = object(e["setup"]).flag("replacement")
	c.expires, c.expiry = expiryOf(e)
	c.revision = revisionOf(e)
	c.readToken(e)
	return c
}

// credentialType spells the type out; OpenClaw takes the names of its config
// too.
func credentialType(e entry) Type {
	t := e.text("type")
	if _, there := e["type"]; !there {
		t = e.text("mode")
	}
	switch t {
	case string(OAuth), string(Token), string(APIKey):
		return Type(t)
	case "apiKey":
		return APIKey
	default:
		return ""
	}
}

// providerOfID is the provider that an id of OpenClaw's making begins with, so
// that an entry that is not understood still shows up in its pool.
func providerOfID(id string) string {
	provider, _, _ := strings.Cut(id, ":")
	if provider = normalProvider(provider); provider != "" {
		return provider
	}
	return "unknown"
}

func expiryOf(e entry) (time.Time, expiry) {
	if _, there := e["expires"]; !there {
		return time.Time{}, noExpiry
	}
	at, ok := e.millis("expires")
	if !ok {
		return time.Time{}, invalidExpiry
	}
	return at, validExpiry
}

// readToken takes the token from the field that the type calls for.
func (c *credential) readToken(e entry) {
	field, alias := "access", ""
	switch c.kind {
	case OAuth:
	case Token:
		field = "token"
	case APIKey:
		field, alias = "key", "apiKey"
	default:
		return
	}
	if _, there := e[field]; !there && alias != "" {
		field = alias
	}
	token, refresh := e.text(field), e.text("refresh")
	c.fence = max(fenceOf(token), fenceOf(refresh))
	c.refresh = refresh != "" && c.fence == noFence
	c.ref = reference(e, c.kind, token, e[field])
	if c.fence == noFence && c.ref == "" {
		v := secret.New(token)
		c.token = &v
	}
}

func fenceOf(token string) fence {
	switch {
	case !strings.HasPrefix(token, fencePrefix):
		return noFence
	case strings.Contains(token, ":failed:"):
		return failedFence
	default:
		return pendingFence
	}
}

// inPlaceRef matches the strings that OpenClaw takes for the name of a secret.
var inPlaceRef = regexp.MustCompile(`^(\$\{?[A-Z][A-Z0-9_]{0,127}\}?|secretref-env:.*|__env__:.*|secretref-managed)$`)

// reference says where the token is if it is not in the store. OpenClaw lets a
// reference win over a token beside it.
func reference(e entry, kind Type, token string, raw json.RawMessage) string {
	switch {
	case kind == APIKey && e.has("keyRef"), kind == Token && e.has("tokenRef"):
		return "the secret is kept elsewhere (SecretRef); only OpenClaw can read it"
	case kind == OAuth && e.has("oauthRef") && token == "":
		return "the tokens are in a sealed file beside the store (oauthRef); only OpenClaw can read them"
	case inPlaceRef.MatchString(token), len(raw) > 0 && raw[0] == '{':
		return "the secret is kept elsewhere (SecretRef); only OpenClaw can read it"
	default:
		return ""
	}
}

// sendable reports whether a token can stand in a header at all.
func sendable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })
}
