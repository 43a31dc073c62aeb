package probe

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/ocwatch/ocwatch/internal/loopback"
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
func keyURL(endpoint, usage, models string) string {
	u, err := url.Parse(endpoint)
	own, ownErr := url.Parse(usage)
	if endpoint == "" || err != nil || ownErr != nil || u.Host == own.Host {
		return models
	}
	if strings.HasSuffix(u.Path, "/v1/models") {
		return endpoint
	}
	path, query, _ := strings.Cut(models[strings.Index(models, "/v1/"):], "?")
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path, RawQuery: query}).String()
}
