package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover/restart"
)

// restartsNoted is how many restarts by systemd itself are no accident.
const restartsNoted = 3

// service says how systemd runs the gateway and ocwatch.
func service(w World) []Finding {
	if w.Service == nil {
		return nil
	}
	s := *w.Service
	var list []Finding
	ours := false
	for _, u := range s.Units {
		list = append(list, unit(u, w.Config.Budget)...)
		ours = ours || !u.Gateway
	}
	if !s.Linger && needsLinger(s) {
		list = append(list, Finding{
			ID: LingerOff, Severity: Warning, About: s.Account, What: "lingering is off for " + s.Account,
			Why: "systemd ends the account's services when its last session ends, and starts them at a login, not at boot",
			Fix: "loginctl enable-linger " + quote(s.Account),
		})
	}
	if !ours {
		list = append(list, noUnit(s))
	}
	if s.Mute {
		list = append(list, Finding{
			ID: NoAnswer, Severity: Error, What: "a watchdog is there and does not answer",
			Why: "it hangs, so nothing is watched and nobody is told. systemd ends its service when that lasts, and starts it again; nobody else does",
			Fix: restartCommand(s.Units),
		})
	}
	if ours && !s.Running && !s.Mute {
		list = append(list, Finding{
			ID: NotRunning, Severity: Warning, What: "no watchdog is running",
			Why: "nothing is watched and nobody is told", Fix: startCommand(s.Units),
		})
	}
	return list
}

// needsLinger: something runs under the account's own manager, or would and has
// none to run under.
func needsLinger(s Service) bool {
	system := false
	for _, u := range s.Units {
		if u.User && u.used() {
			return true
		}
		system = system || u.Gateway && !u.User
	}
	return s.NoUserBus && !system
}

// used reports whether u is the unit that is meant to run: one that is stopped
// may be left over.
func (u Unit) used() bool { return u.State.Active != "inactive" }

func noUnit(s Service) Finding {
	f := Finding{
		ID: UnitMissing, Severity: Note, What: "ocwatch is no service of systemd",
		Why: "nothing starts it at boot, or again when it ends", Fix: "ocwatch install",
	}
	if !s.Running && !s.Mute {
		f.What += ", and no watchdog is running"
	}
	switch {
	case s.NoSystemd:
		f.What = strings.Replace(f.What, "ocwatch is no service of systemd", "systemd does not run this machine, or this is a container", 1)
		f.Why = "nothing is known here that starts ocwatch at boot, or again when it ends"
		f.Fix = "have what starts OpenClaw start this too: ocwatch run"
	case len(s.Failed) > 0:
		f.What = "whether systemd runs ocwatch could not be seen: " + strings.Join(s.Failed, "; ")
		f.Why = "if it does not, nothing starts ocwatch at boot, or again when it ends"
		f.Fix = "systemctl --user status ocwatch.service, or as root: systemctl status ocwatch.service"
	}
	return f
}

func startCommand(units []Unit) string {
	command := "ocwatch run"
	for _, u := range units {
		switch {
		case u.Gateway:
		case u.User && u.State.File == "disabled":
			// As a package brings it, for whoever wants it: nothing starts it at boot.
			command = "ocwatch install"
		default:
			return systemctl(u) + " start " + u.Name
		}
	}
	return command
}

func restartCommand(units []Unit) string {
	for _, u := range units {
		if !u.Gateway && u.used() {
			return systemctl(u) + " restart " + u.Name
		}
	}
	return "end it with kill, and start it again: ocwatch run"
}

func systemctl(u Unit) string {
	if u.User {
		return "systemctl --user"
	}
	return "systemctl"
}

// logs is how the journal of u is read.
func logs(u Unit) string {
	if u.User {
		return "journalctl --user -u " + u.Name + " -n 50"
	}
	return "journalctl -u " + u.Name + " -n 50"
}

func unit(u Unit, budget restart.Budget) []Finding {
	var list []Finding
	add := func(id ID, s Severity, what, why, fix string) {
		list = append(list, Finding{ID: id, Severity: s, About: u.Name, What: what, Why: why, Fix: fix})
	}
	s, ctl := u.State, systemctl(u)
	switch {
	case s.Result == restart.StartLimitHit:
		add(UnitStartLimit, Error, "systemd refuses to start it: it was started too often in too short a time",
			gone(u)+", until it is reset by hand",
			ctl+" reset-failed "+u.Name+" && "+ctl+" start "+u.Name+", after a look at: "+logs(u))
	case s.Active == "failed":
		add(UnitFailed, Error, "it failed ("+s.Result+")", gone(u),
			logs(u)+"; then: "+ctl+" reset-failed "+u.Name+" && "+ctl+" start "+u.Name)
	case s.Restarts >= restartsNoted:
		add(UnitRestarting, Warning, fmt.Sprintf("systemd had to start it again %d times", s.Restarts),
			"it ends by itself; each time costs a start of those that its limit allows", logs(u))
	}
	if s.File == "disabled" && u.used() {
		add(UnitDisabled, Warning, "it is not enabled", "it is not started at boot", ctl+" enable "+u.Name)
	}
	if starts := most(budget, s.StartInterval); u.Gateway && s.StartBurst > 0 && starts >= s.StartBurst {
		add(UnitTight, Warning,
			fmt.Sprintf("it may be started %d times in %s, and restart.budget allows %d restarts in that time", s.StartBurst, s.StartInterval, starts),
			"a restart by ocwatch counts too: the last one could leave the gateway stopped",
			fmt.Sprintf("set restart.budget in ocwatch's config to less than %d in %s", s.StartBurst, s.StartInterval))
	}
	return list
}

func gone(u Unit) string {
	if u.Gateway {
		return "nothing serves OpenClaw's turns"
	}
	return "nothing is watched and nobody is told"
}

// most is how many restarts the budget allows within a time.
func most(b restart.Budget, within time.Duration) int {
	if b.Per <= 0 || within <= 0 {
		return 0
	}
	periods := (within + b.Per - 1) / b.Per
	return b.N * int(periods)
}
