package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
)

// providerID is the shape of OpenClaw's provider ids.
var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// agentID is the shape of OpenClaw's agent ids.
var agentID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// mostKept is the largest reserve, in percent: a profile that is kept for the
// better part is no profile of the pool.
const mostKept = 50

// validate checks what one value alone does not show to be wrong.
func (d *decoder) validate(c *Config) {
	d.openclaw(c.OpenClaw)
	d.probe(c.Probe)
	d.failover(c.Failover)
	d.restart(c.Restart)
	d.notify(c.Notify)
	d.heartbeat(c.Heartbeat, c.Probe.Every)
	d.web(c)
	d.choice("log.level", c.Log.Level, "debug", "info", "warn", "error")
	d.choice("log.format", c.Log.Format, "auto", "console", "json")
}

// choice fails unless value is one of those allowed.
func (d *decoder) choice(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
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
		if d.has(path + ".generic") {
			d.generic(path, provider)
		}
	}
	d.live(p.Live)
}

func (d *decoder) has(path string) bool {
	_, ok := d.lines[path]
	return ok
}

func (d *decoder) failover(f Failover) {
	d.strategy("failover.strategy", f.Strategy)
	d.choice("failover.paid", f.Paid, "last", "never")
	d.between("failover.min_dwell", f.MinDwell, 0, maxEvery)
	d.thresholds("failover", f.SwitchAt, f.ReturnBelow)
	for _, id := range slices.Sorted(maps.Keys(f.Pools)) {
		d.pool("failover.pools."+id, f.Pools[id], f)
	}
}

func (d *decoder) strategy(path, value string) {
	var names []string
	for _, s := range failover.Strategies() {
		names = append(names, string(s))
	}
	d.choice(path, value, names...)
}

func (d *decoder) pool(path string, p Pool, f Failover) {
	if p.Strategy != "" {
		d.strategy(path+".strategy", p.Strategy)
	}
	for _, profile := range slices.Sorted(maps.Keys(p.Keep)) {
		if keep := p.Keep[profile]; keep < 1 || keep > mostKept {
			d.failAt(path+".keep."+profile, "%g is not from 1 to %d, the percent that is kept in reserve", keep, mostKept)
		}
	}
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
		if !isProfileID(profile) {
			d.failAt(fmt.Sprintf("%s.prefer[%d]", path, i), "%q is not a profile id, like openai:work; `openclaw models status` lists them", short(profile))
		}
	}
	unique(d, path+".prefer", p.Prefer)
}

func isProfileID(id string) bool {
	provider, name, _ := strings.Cut(id, ":")
	return provider != "" && name != ""
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

// or returns *p, or otherwise where p is nil.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
