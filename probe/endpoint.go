package probe

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/ocwatch/ocwatch/internal/loopback"
	"github.com/ocwatch/ocwatch/internal/quota"
)

// ValidateEndpoint says whether a token may be sent to raw: an https URL, or
// http to this very machine. Anything else would carry a credential in the
// clear, and a login inside the URL would end up in logs. The error never
// repeats raw.
func ValidateEndpoint(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("probe url is not a url; write https://host/path")
	}
	return validateURL(u)
}

func validateURL(u *url.URL) error {
	switch {
	case u.User != nil:
		return errors.New("probe url holds a login; remove everything up to the @")
	case u.Hostname() == "":
		return errors.New("probe url has no host; write https://host/path")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && loopback.Host(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("probe url sends a token to %s in the clear; use https, or a loopback address", label(u.Hostname()))
	}
	return fmt.Errorf("probe url has scheme %q; use https", label(u.Scheme))
}

// keyURL says where a key is validated. An owner who sends usage probes
// elsewhere (a relay, a stand-in) means the keys too, so they follow to that
// host; otherwise they go to the provider's own API.
func keyURL(a Account, usage, models string) (string, error) {
	u, err := url.Parse(a.Endpoint)
	own, ownErr := url.Parse(usage)
	api, apiErr := url.Parse(models)
	if err := errors.Join(ownErr, apiErr); err != nil {
		return "", err
	}
	if a.Endpoint == "" || err != nil || u.Host == own.Host {
		a.Endpoint = ""
		return home(a, map[string]string{"": models, api.Hostname(): models})
	}
	if strings.HasSuffix(u.Path, "/v1/models") {
		return a.Endpoint, nil
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: api.Path, RawQuery: api.RawQuery}).String(), nil
}

// home picks where a is asked: where the owner says, else at the site that
// belongs to the host to which OpenClaw sends the provider's requests, else at
// the provider's usual site. sites has a URL for each such host, and the usual
// one under "". A key for any other host is a relay's: its own provider is not
// ours to guess, so it is sent nowhere.
func home(a Account, sites map[string]string) (string, error) {
	if a.Endpoint != "" {
		return a.Endpoint, nil
	}
	if a.BaseURL == "" {
		return sites[""], nil
	}
	u, err := url.Parse(a.BaseURL)
	if err != nil {
		return "", refuse(quota.Unsupported, "openclaw's base url for this provider is not a url, so nobody knows whose key this is")
	}
	site, ok := sites[strings.ToLower(u.Hostname())]
	if !ok {
		return "", refuse(quota.Unsupported, "openclaw sends this key to a relay, not to its provider, so its usage is not asked for")
	}
	return site, nil
}
