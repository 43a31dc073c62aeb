package login

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

const (
	// addressCap is far above any callback address.
	addressCap = 8 << 10
	// callbackAddress is where OpenClaw's logins by link end. Nobody listens
	// there where the browser is, which is why the address is handed back.
	callbackAddress = "http://localhost:1455/auth/callback"
)

// ValidAddress checks the address that the browser ended on, or the code in
// it, before OpenClaw gets it: OpenClaw allows one try. state is that of the
// link, "" where it has none. It fails with *PasteError, which never quotes the
// address: it holds an authorization code.
func ValidAddress(address, state string) error {
	_, err := callbackCode(address, state)
	return err
}

// callbackCode takes the authorization code out of what was pasted.
func callbackCode(address, state string) (string, error) {
	text, err := tidyAddress(address)
	if err != nil {
		return "", err
	}
	query, err := addressQuery(text)
	if err != nil {
		return "", err
	}
	if query == nil {
		return bareCode(text, state)
	}
	return queryCode(query, state)
}

// tidyAddress takes away what chats, mails and keyboards put around an address
// or into it.
func tidyAddress(address string) (string, error) {
	if len(address) > addressCap {
		return "", &PasteError{"it is far too long"}
	}
	text := strings.Trim(address, " \t\r\n\"'`<>“”‘’«»\u00a0\ufeff\u200b")
	if text == "" {
		return "", &PasteError{"it is empty"}
	}
	if low := strings.ToLower(text); strings.HasPrefix(low, "http%3a") {
		if plain, err := url.QueryUnescape(text); err == nil {
			text = plain
		}
	}
	text = strings.ReplaceAll(text, "&amp;", "&")
	if looksLikeAddress(text) { // no address has a blank, so one is a fold
		text = strings.Join(strings.Fields(text), "")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &PasteError{"there is more than the address: paste it alone"}
	}
	return text, nil
}

func looksLikeAddress(text string) bool {
	low := strings.ToLower(text)
	return strings.HasPrefix(low, "http://") || strings.HasPrefix(low, "https://") || loopbackWithoutScheme(low)
}

// loopbackWithoutScheme is how browsers show the address: without http://.
func loopbackWithoutScheme(low string) bool {
	return strings.HasPrefix(low, "localhost:") || strings.HasPrefix(low, "localhost/") || strings.HasPrefix(low, "127.0.0.1:")
}

// addressQuery gives the query of an address, nil where text is none.
func addressQuery(text string) (url.Values, error) {
	switch {
	case loopbackWithoutScheme(strings.ToLower(text)):
		text = "http://" + text
	case looksLikeAddress(text):
	case strings.Contains(text, "code=") || strings.Contains(text, "error="):
		text = callbackAddress + "?" + strings.TrimLeft(text, "?&")
	case strings.Contains(text, "://"):
		return nil, &PasteError{"it is no address of a browser"}
	default:
		return nil, nil //nolint:nilnil // no address, and no error
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, &PasteError{"it is damaged: copy it again"}
	}
	if !loopbackHost(u.Hostname()) {
		return nil, foreignAddress(u)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, &PasteError{"it is damaged: copy it again"}
	}
	return query, nil
}

func loopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && ip.IsLoopback())
}

func foreignAddress(u *url.URL) error {
	if strings.Contains(u.Path, "/authorize") || strings.Contains(u.Path, "/log-in") {
		return &PasteError{"it is the page to log in at: log in there, and paste the address that begins with " + callbackAddress}
	}
	return &PasteError{"the address that the browser ends on begins with " + callbackAddress}
}

// queryCode checks what the provider answered.
func queryCode(q url.Values, state string) (string, error) {
	code := q.Get("code")
	switch answered := q.Get("state"); {
	case q.Has("error"):
		return "", deniedAddress(q.Get("error"))
	case len(q["code"]) > 1 || len(q["state"]) > 1:
		return "", &PasteError{"there are two addresses in it: paste one"}
	case code == "":
		return "", &PasteError{"there is no code in it: copy the whole address, once the browser has stopped loading"}
	case state != "" && answered == "":
		return "", &PasteError{"its end is missing: copy the whole address"}
	case state != "" && answered != state:
		return "", &PasteError{"it belongs to another login: open the link of this one, and paste the address that it ends on"}
	case !codeShape.MatchString(code):
		return "", &PasteError{"the code in it is damaged: copy it again"}
	}
	return code, nil
}

var (
	codeShape = regexp.MustCompile(`^[!-~]+$`)
	// bareShape is that of a code on its own. A shorter word is none.
	bareShape = regexp.MustCompile(`^[A-Za-z0-9._~+/=-]{12,}$`)
	errorWord = regexp.MustCompile(`^[a-z_]{1,40}$`)
)

func deniedAddress(word string) error {
	switch {
	case word == "access_denied":
		return &PasteError{"the login was denied on the page: open the link again and approve it"}
	case errorWord.MatchString(word):
		return &PasteError{"the provider refused the login (" + word + "): open the link again"}
	default:
		return &PasteError{"the provider refused the login: open the link again"}
	}
}

// bareCode takes a code without its address, as some pages show it. There it
// may come with the state, behind a #.
func bareCode(text, state string) (string, error) {
	code, answered, both := strings.Cut(text, "#")
	switch {
	case strings.HasPrefix(text, "sk-"):
		return "", &PasteError{"it is a key or a token, and this login wants the address that the browser ended on"}
	case !bareShape.MatchString(code):
		return "", &PasteError{"it is neither an address nor a code: paste the address that begins with " + callbackAddress}
	case both && state != "" && answered != state:
		return "", &PasteError{"it belongs to another login: open the link of this one"}
	}
	return code, nil
}

// answerFor is what OpenClaw is given for code: never more of what was pasted,
// which goes to a terminal.
func answerFor(code, state string) string {
	q := url.Values{"code": {code}}
	if state != "" {
		q.Set("state", state)
	}
	return callbackAddress + "?" + q.Encode()
}
