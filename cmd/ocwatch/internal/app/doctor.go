package app

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/doctor"
	"github.com/ocwatch/ocwatch/internal/doctor/gather"
	"github.com/ocwatch/ocwatch/internal/journal"
	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/web"
	"github.com/ocwatch/ocwatch/probe"
	"github.com/ocwatch/ocwatch/profiles"
)

// World looks at everything that doctor's checks go by, all at once, and changes
// nothing. What does not answer is waited for 10 s or a little more, and told.
// path is that of the config file, "" for none, and loadErr why it cannot be
// used: then o.Config is nil, and only ocwatch's own files are looked at.
func World(ctx context.Context, o Options, path string, loadErr error) doctor.World {
	w := doctor.World{Now: time.Now().UTC(), Config: doctor.Config{Path: path, Err: loadErr}}
	if loadErr != nil {
		w.Files = gather.Files(gather.Own{Config: path, LoadErr: loadErr})
		return w
	}
	cfg := o.Config
	w.Files = gather.Files(gather.Own{Config: path, DataDir: cfg.DataDir, Names: []string{journal.FileName, web.SocketName, "lock", "login.lock", "replace"}})
	w.Config.Budget = restart.Budget{N: cfg.Restart.Budget.Count, Per: cfg.Restart.Budget.Per}

	var looking sync.WaitGroup
	var last Status
	var running, mute bool
	looking.Go(func() { last, running, mute = lastStatus(ctx, cfg) })
	looking.Go(func() {
		w.Notify = &doctor.Notify{
			Told:      len(cfg.Notify.Webhooks)+len(cfg.Notify.Channels) > 0,
			Endpoints: gather.Endpoints(ctx, http.ProxyFromEnvironment, addresses(cfg)),
		}
	})
	looking.Go(func() { w.Service = serviceWorld(ctx, cfg) })
	openClawWorld(ctx, o, &w)
	looking.Wait()
	w.Service.Running, w.Service.Mute = running, mute
	learn(&w, last)
	return w
}

// lastStatus is what a running watchdog knows. One of another version that
// answers in another way runs all the same; one that does not answer is mute.
func lastStatus(ctx context.Context, cfg *config.Config) (s Status, running, mute bool) {
	doc, err := web.NewClient(cfg.DataDir).Status(ctx)
	if err != nil {
		return s, false, errors.Is(err, context.DeadlineExceeded)
	}
	if json.Unmarshal(doc, &s) != nil {
		return Status{}, true, false
	}
	return s, true, false
}

// learn adds what only the watchdog can know: what providers and receivers
// answered.
func learn(w *doctor.World, s Status) {
	for _, p := range s.Pools {
		for _, pr := range p.Profiles {
			if pr.State == failover.Dead {
				w.Dead = append(w.Dead, doctor.Dead{Agent: p.Agent, Profile: pr.ID, Reason: pr.Reason, Fix: pr.Fix})
			}
		}
	}
	for i, e := range w.Notify.Endpoints {
		w.Notify.Endpoints[i].Gone = slices.ContainsFunc(s.Notify, func(n journal.EndpointStatus) bool { return n.Endpoint == e.Name && n.Disabled })
	}
}

// openClawWorld fills in what concerns the install.
func openClawWorld(ctx context.Context, o Options, w *doctor.World) {
	cfg := o.Config
	in, err := findInstall(cfg, o.Log)
	if err != nil {
		w.OpenClaw = &doctor.OpenClaw{Err: err}
		return
	}
	defer in.close()
	w.OpenClaw = installWorld(in, cfg)
	var looking sync.WaitGroup
	defer looking.Wait()
	w.Gateway = &doctor.Gateway{URL: in.gateway.URL()}
	looking.Go(func() { w.Gateway.Health = in.Install.Health(ctx) })
	looking.Go(func() { w.Gateway.Hello, w.Gateway.Err = in.gateway.Hello(ctx) })
	if w.OpenClaw.ConfigErr != nil {
		return // which says why nothing else can be read
	}
	snap, err := in.store.Snapshot(ctx)
	w.Auth = &doctor.Auth{Snapshot: snap, Err: err}
	w.Config.NeverPaid = neverPaid(cfg, snap)
	w.Unmetered = unmetered(cfg, snap)
	w.Clocks = gather.Clocks(ctx, nil, agent(o.Version), sites(cfg, snap))
	w.Sessions = sessionWorld(ctx, in, cfg)
}

func installWorld(in *install, cfg *config.Config) *doctor.OpenClaw {
	oc := &doctor.OpenClaw{StateDir: in.StateDir, Config: in.ConfigPath, Command: in.Command}
	if cfg.OpenClaw.StateDir == "" && in.Default {
		oc.Others = in.Others
	}
	_, missing := exec.LookPath(in.Command)
	oc.NoCommand = missing != nil
	theirs, err := in.Config()
	oc.ConfigErr, oc.SecretRef, oc.Fallbacks = err, theirs.GatewaySecretRef, theirs.Fallbacks
	return oc
}

func sessionWorld(ctx context.Context, in *install, cfg *config.Config) []doctor.Sessions {
	agents := cfg.OpenClaw.Agents
	if len(agents) == 0 {
		var err error
		if agents, err = in.Agents(); err != nil {
			return nil // the snapshot's error says it
		}
	}
	var list []doctor.Sessions
	for _, a := range agents {
		pins, err := in.Pins(ctx, a)
		list = append(list, doctor.Sessions{Agent: a, Pins: pins, Err: err})
	}
	return list
}

func neverPaid(cfg *config.Config, snap profiles.Snapshot) []string {
	var list []string
	for _, p := range snap.Pools {
		if id := quota.Canonical(p.Provider); cfg.Policy(p.Provider).Paid == failover.PaidNever && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// unmetered are the profiles that no usage endpoint tells anything of, as far as
// that can be known without asking.
func unmetered(cfg *config.Config, snap profiles.Snapshot) []doctor.Unmetered {
	types := map[string][]string{}
	for _, k := range probe.Known() {
		types[k.ID] = k.Types
	}
	var list []doctor.Unmetered
	for _, p := range snap.Pools {
		known, ok := types[quota.Canonical(p.Provider)]
		own := cfg.Probe.For(p.Provider).Generic.Probe() != nil
		for _, pr := range p.Profiles {
			u := doctor.Unmetered{Agent: p.Agent, Provider: p.Provider, Profile: pr.ID}
			switch {
			case own:
				continue
			case !ok, !slices.Contains(known, string(pr.Type)):
				u.Why = "ocwatch knows no way to ask " + p.Provider + " what a profile of type " + string(pr.Type) + " has left"
				u.Fix = "describe it under probe.providers." + p.Provider + ".generic in ocwatch's config, if there is one"
			case p.Provider == "anthropic" && pr.Type == profiles.Token && !slices.Contains(cfg.Probe.Live, pr.ID):
				u.Why = "Anthropic lets a setup-token read no usage"
				u.Fix = "name them under probe.live in ocwatch's config: one request of a token in half an hour at most, while the account is in use"
			default:
				continue
			}
			list = append(list, u)
		}
	}
	return list
}

// sites are where the providers of the pools are asked.
func sites(cfg *config.Config, snap profiles.Snapshot) []gather.Site {
	urls := map[string]string{}
	known := probe.Known()
	for _, p := range snap.Pools {
		id := quota.Canonical(p.Provider)
		if own := cfg.Probe.For(p.Provider).URL; own != "" {
			urls[id] = own
			continue
		}
		for _, k := range known {
			if k.ID == id {
				urls[id] = "https://" + k.Hosts[0]
			}
		}
	}
	var list []gather.Site
	for _, id := range slices.Sorted(maps.Keys(urls)) {
		list = append(list, gather.Site{Provider: id, URL: urls[id]})
	}
	return list
}

// addresses are where each endpoint is reached. A chat of OpenClaw's is reached
// through the gateway, which is looked at anyway.
func addresses(cfg *config.Config) []gather.Address {
	var list []gather.Address
	for _, w := range cfg.Notify.Webhooks {
		list = append(list, gather.Address{Name: w.Name, Shown: hostOf(w.URL)})
	}
	for _, c := range cfg.Notify.Channels {
		if c.OpenClaw.Channel != "" {
			continue
		}
		if sender, err := channel(c, nil); err == nil { // Load has refused what is none
			list = append(list, gather.Address{Name: c.Name, Shown: sender.Shown()})
		}
	}
	if !cfg.Heartbeat.URL.Empty() {
		list = append(list, gather.Address{Name: "heartbeat", Shown: hostOf(cfg.Heartbeat.URL.Reveal()), Beat: true})
	}
	return list
}

// hostOf drops what many receivers hide a token in.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func serviceWorld(ctx context.Context, cfg *config.Config) *doctor.Service {
	unit := cfg.Restart.Unit
	if unit == config.Default().Restart.Unit {
		unit = "" // as OpenClaw names it, for a named profile otherwise
	}
	m := gather.Machine{User: restart.DialUser, System: restart.DialSystem, Root: "/", Account: accountName()}
	s := m.Service(ctx, restart.Units(unit, strings.TrimSpace(os.Getenv("OPENCLAW_PROFILE"))))
	return &s
}

func accountName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}
