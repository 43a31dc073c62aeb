package config

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/secret"
)

// providerID is the shape of OpenClaw's provider ids.
var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// agentID is the shape of OpenClaw's agent ids.
var agentID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// unavailable are keys that a config may come to have, and what serves
// meanwhile. Accepting one without doing what it says would leave somebody
// waiting for a message that never comes.
var unavailable = map[string]string{
	"notify.channels": "; webhooks are",
	"heartbeat":       "; alert on the age of a round in `ocwatch status --json`",
}

// later are values of which the same holds.
var later = map[string][]string{
	"failover.strategy": {"most-remaining", "soonest-reset", "sticky"},
	"notify.language":   {"zh"},
}

// validate checks what one value alone does not show to be wrong.
func (d *decoder) validate(c *Config) {
	d.openclaw(c.OpenClaw)
	d.probe(c.Probe)
	d.failover(c.Failover)
	d.restart(c.Restart)
	d.notify(c.Notify)
	d.listen(c.Listen)
	d.choice("log.level", c.Log.Level, "debug", "info", "warn", "error")
	d.choice("log.format", c.Log.Format, "auto", "console", "json")
}

// choice fails unless value is one of those allowed.
func (d *decoder) choice(path, value string, allowed ...string) {
	switch {
	case slices.Contains(allowed, value):
	case slices.Contains(later[path], value):
		d.failAt(path, "%s is not available in this version; %s is", value, oneOf(allowed))
	default:
		d.failAt(path, "unknown value %q%s", short(value), meant(value, allowed))
	}
}

// between fails unless value is from least to most.
func (d *decoder) between(path string, value, least, most time.Duration) {
	if value < least || value > most {
		d.failAt(path, "%s is not between %s and %s", formatDuration(value), formatDuration(least), formatDuration(most))
	}
}

// unique fails for each item of a list that stands there twice.
func unique[T ~string](d *decoder, path string, items []T) {
	for i, item := range items {
		if slices.Contains(items[:i], item) {
			d.failAt(fmt.Sprintf("%s[%d]", path, i), "%q is listed twice", short(string(item)))
		}
	}
}

func (d *decoder) openclaw(o OpenClaw) {
	for i, agent := range o.Agents {
		if !agentID.MatchString(agent) {
			d.failAt(fmt.Sprintf("openclaw.agents[%d]", i), "%q is not an agent id, like main", short(agent))
		}
	}
	unique(d, "openclaw.agents", o.Agents)
	if strings.ContainsAny(o.Command, " \t") && !strings.Contains(o.Command, "/") {
		d.failAt("openclaw.command", "want the command alone, without arguments")
	}
	if o.Gateway.URL != "" {
		d.url("openclaw.gateway.url", o.Gateway.URL, "ws")
	}
}

func (d *decoder) probe(p Probe) {
	d.between("probe.timeout", p.Timeout, time.Second, 2*time.Minute)
	if p.Timeout >= p.Every.Shortest() {
		d.failAt("probe.timeout", "%s is not shorter than probe.every (%s)", formatDuration(p.Timeout), p.Every)
	}
	for _, id := range slices.Sorted(maps.Keys(p.Providers)) {
		provider, path := p.Providers[id], "probe.providers."+id
		if provider.Every != 0 || d.has(path+".every") {
			d.between(path+".every", provider.Every, minEvery, maxEvery)
		}
		if provider.URL != "" {
			d.url(path+".url", provider.URL, "http")
		}
		unique(d, path+".models", provider.Models)
	}
}

func (d *decoder) has(path string) bool {
	_, ok := d.lines[path]
	return ok
}

func (d *decoder) failover(f Failover) {
	d.choice("failover.strategy", f.Strategy, "priority")
	d.choice("failover.paid", f.Paid, "last", "never")
	d.between("failover.min_dwell", f.MinDwell, 0, maxEvery)
	d.thresholds("failover", f.SwitchAt, f.ReturnBelow)
	for _, id := range slices.Sorted(maps.Keys(f.Pools)) {
		d.pool("failover.pools."+id, f.Pools[id], f)
	}
}

func (d *decoder) pool(path string, p Pool, f Failover) {
	if p.Paid != "" {
		d.choice(path+".paid", p.Paid, "last", "never")
	}
	if p.MinDwell != nil {
		d.between(path+".min_dwell", *p.MinDwell, 0, maxEvery)
	}
	if p.SwitchAt != nil || p.ReturnBelow != nil {
		d.thresholds(path, or(p.SwitchAt, f.SwitchAt), or(p.ReturnBelow, f.ReturnBelow))
	}
	for i, profile := range p.Prefer {
		if provider, name, ok := strings.Cut(profile, ":"); !ok || provider == "" || name == "" {
			d.failAt(fmt.Sprintf("%s.prefer[%d]", path, i), "%q is not a profile id, like openai:work; `openclaw models status` lists them", short(profile))
		}
	}
	unique(d, path+".prefer", p.Prefer)
}

// thresholds keeps room between leaving and coming back: without it a profile
// at the threshold would be left and come back to in every round.
func (d *decoder) thresholds(path string, switchAt, returnBelow float64) {
	if switchAt < 1 {
		d.failAt(path+".switch_at", "%g would leave an account that is unused; want 1 to 100", switchAt)
		return
	}
	if returnBelow < switchAt {
		return
	}
	at := path + ".return_below"
	if !d.has(at) {
		at = path + ".switch_at"
	}
	d.failAt(at, "return_below (%g) must be less than switch_at (%g)", returnBelow, switchAt)
}

func (d *decoder) restart(r Restart) {
	d.choice("restart.when", r.When, RestartAuto, RestartIdle, RestartAlways, RestartNever)
	d.choice("restart.via", r.Via, ViaAuto, ViaRPC, ViaSystemd, ViaSystemdUser, ViaSystemdSystem, ViaCLI, ViaCommand)
	d.between("restart.drain", r.Drain, 0, 30*time.Minute)
	if !strings.HasSuffix(r.Unit, ".service") || strings.ContainsAny(r.Unit, " /") {
		d.failAt("restart.unit", "%q is not the name of a unit, like openclaw-gateway.service", short(r.Unit))
	}
	if len(r.Command) > 0 && r.Command[0] == "" {
		d.failAt("restart.command", "the command is empty")
	}
	switch {
	case r.Via == ViaCommand && len(r.Command) == 0:
		d.failAt("restart.via", "restart.command is not set")
	case len(r.Command) > 0 && r.Via != ViaCommand && r.Via != ViaAuto:
		d.failAt("restart.command", "never used with via: %s; want via: auto or command", r.Via)
	}
}

func (d *decoder) notify(n Notify) {
	d.choice("notify.language", n.Language, "en")
	d.between("notify.login_after", n.LoginAfter, 0, 7*24*time.Hour)
	if n.RemindEvery != 0 {
		d.between("notify.remind_every", n.RemindEvery, time.Minute, 7*24*time.Hour)
	}
	seen := map[string]bool{}
	for i, w := range n.Webhooks {
		path := fmt.Sprintf("notify.webhooks[%d]", i)
		d.webhook(path, w)
		if w.Name != "" && seen[w.Name] {
			d.failAt(path+".name", "there is another webhook named %s", short(w.Name))
		}
		seen[w.Name] = true
	}
}

// endpointName is what an endpoint may be called: it becomes part of journal
// keys, metrics and commands.
var endpointName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (d *decoder) webhook(path string, w Webhook) {
	if !endpointName.MatchString(w.Name) {
		d.failAt(path+".name", "%q is not a name; want letters, digits, dots, dashes", short(w.Name))
	}
	unique(d, path+".events", w.Events)
	if w.URL == "" {
		d.failAt(path+".url", "a webhook needs a url")
	} else {
		d.url(path+".url", w.URL, "http")
	}
	key := path + ".secret"
	if d.has(path + ".secret_file") {
		key += "_file"
	}
	d.signingSecret(key, w.Secret)
}

// makeSecret is a command that makes a signing secret.
const makeSecret = "`(printf whsec_; openssl rand -base64 32) > FILE` makes one"

// signingSecret checks the form that Standard Webhooks gives secrets.
func (d *decoder) signingSecret(path string, v secret.Value) {
	if v.Empty() {
		d.failAt(path, "a webhook needs a secret to sign with; %s", makeSecret)
		return
	}
	key, ok := strings.CutPrefix(v.Reveal(), "whsec_")
	raw, err := base64.StdEncoding.DecodeString(key)
	if !ok || err != nil || len(raw) < 24 || len(raw) > 64 {
		d.failAt(path, "want whsec_ and 24 to 64 bytes in base64; %s", makeSecret)
	}
}

// url fails unless text is an absolute URL of that scheme: with TLS, or to this
// machine. Its path may hold a secret, so no message shows more than the host.
func (d *decoder) url(path, text, scheme string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Hostname() == "" {
		d.failAt(path, "want a URL like %ss://example.com/path", scheme)
		return
	}
	switch {
	case u.Scheme != scheme && u.Scheme != scheme+"s":
		d.failAt(path, "%s:// is not %ss://", short(u.Scheme), scheme)
	case u.Scheme == scheme && !loopback(u.Hostname()):
		d.failAt(path, "%s://%s would go over the network in the clear; want %ss://, or a loopback address", scheme, short(u.Host), scheme)
	case u.User != nil:
		d.failAt(path, "a user or password in a URL is not supported")
	case u.Fragment != "":
		d.failAt(path, "a URL to ask has no #fragment")
	}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (d *decoder) listen(address string) {
	if address == "" {
		return
	}
	host, port, err := net.SplitHostPort(address)
	if n, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || n == 0 {
		d.failAt("listen", "%q is not host:port, like 127.0.0.1:18790", short(address))
		return
	}
	if !loopback(host) {
		d.failAt("listen", "%s is reachable from other machines, and this version has no token for it; want a loopback address, like 127.0.0.1:%s", short(address), port)
	}
}

// parseEvent reads an event type.
func parseEvent(text string) (event.Type, error) {
	types := event.Types()
	if slices.Contains(types, event.Type(text)) {
		return event.Type(text), nil
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return "", fmt.Errorf("unknown event %q%s", short(text), meant(text, names))
}

// or returns *p, or otherwise where p is nil.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
