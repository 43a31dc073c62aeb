//go:build systemd

package systemd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/test/lab"
)

// The stories in this file run on machines of root: a real gateway of the
// account's, and ocwatch as its installer makes it a service beside that. What
// ocwatch does to OpenClaw it does from inside its hardened unit.

func TestServiceOfAccount(t *testing.T) { failsOver(t, newDuty(t, false, false)) }

func TestServiceOfSystem(t *testing.T) { failsOver(t, newDuty(t, true, false)) }

func TestServiceOfSystemWithGateway(t *testing.T) { failsOver(t, newDuty(t, true, true)) }

// duty is an OpenClaw with three accounts, and the service that looks after it.
type duty struct {
	*testing.T
	lab     *lab.Lab
	system  bool // ocwatch is a unit of the system
	gateway bool // so is the gateway
	flags   []string
}

// asAccount runs a command as the account, in the environment of its login.
func asAccount(t *testing.T, argv ...string) (string, error) {
	t.Helper()
	runtime := fmt.Sprintf("/run/user/%d", lingererID)
	args := append([]string{
		fmt.Sprintf("--reuid=%d", lingererID), fmt.Sprintf("--regid=%d", lingererID), "--init-groups", "--inh-caps=-all", "--", "env", "-i",
		"HOME=" + lingererDir, "USER=" + lingerer, "LOGNAME=" + lingerer, "XDG_RUNTIME_DIR=" + runtime,
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + runtime + "/bus", "PATH=" + os.Getenv("PATH"),
	}, argv...)
	cmd := exec.CommandContext(t.Context(), "setpriv", args...)
	cmd.Dir = lingererDir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustAsAccount(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := asAccount(t, argv...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return out
}

func newDuty(t *testing.T, system, gateway bool) *duty {
	t.Helper()
	d := &duty{T: t, system: system, gateway: gateway}
	d.lab = lab.New(t, lab.Options{Version: release, Home: lingererDir, Config: func(c map[string]any) {
		delete(c, "logging") // so that it logs where it does by itself
	}})
	hand(t, lingererDir)
	mustAsAccount(t, "openclaw", "gateway", "install", "--port", fmt.Sprint(d.lab.Port), "--json")
	if gateway {
		d.moveGateway()
	}
	until(t, 5*time.Minute, "OpenClaw's gateway to be ready", d.ready)
	if system {
		d.flags = []string{"--system", "--account", lingerer}
	}
	t.Cleanup(func() {
		if t.Failed() {
			out, _ := exec.Command("journalctl", "--no-pager", "-o", "short-iso", "-n", "150", "_UID="+fmt.Sprint(lingererID)).CombinedOutput()
			t.Logf("the journal:\n%s", out)
		}
	})
	return d
}

// moveGateway makes the gateway a unit of the system, as its owner would.
func (d *duty) moveGateway() {
	d.Helper()
	mustAsAccount(d.T, "systemctl", "--user", "disable", "--now", unitName)
	path := filepath.Join(lingererDir, ".config/systemd/user", unitName)
	text, err := os.ReadFile(path)
	if err != nil {
		d.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		d.Fatal(err)
	}
	mustAsAccount(d.T, "systemctl", "--user", "daemon-reload")
	unit := strings.Replace(string(text), "[Service]\n", "[Service]\nUser="+lingerer+"\n", 1)
	put(d.T, "/etc/systemd/system/"+unitName, strings.Replace(unit, "default.target", "multi-user.target", 1))
	systemctl(d.T, "daemon-reload")
	systemctl(d.T, "enable", "--now", unitName)
}

// ready demands JSON: a gateway that still starts may answer with its web page.
func (d *duty) ready() bool {
	ctx, cancel := context.WithTimeout(d.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/readyz", d.lab.Port), http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")
}

// ctl is systemctl for one of the two managers.
func (d *duty) ctl(system bool, args ...string) string {
	d.Helper()
	if system {
		return systemctl(d.T, args...)
	}
	return mustAsAccount(d.T, append([]string{"systemctl", "--user"}, args...)...)
}

func (d *duty) gatewayPID() string {
	return strings.TrimSpace(d.ctl(d.gateway, "show", "--value", "-p", "MainPID", unitName))
}

// configure writes ocwatch's config.
func (d *duty) configure(more string) {
	d.Helper()
	put(d.T, filepath.Join(lingererDir, ".config/ocwatch/config.yaml"), fmt.Sprintf(`listen: ""
log: {level: debug}
failover: {min_dwell: 0s}
probe:
  every: 30s
  providers:
    openai: {every: 30s, url: %s/backend-api/wham/usage}
    anthropic: {url: %s/api/oauth/usage}
%s`, d.lab.Provider.URL, d.lab.Provider.URL, more))
	hand(d.T, filepath.Join(lingererDir, ".config"))
}

// ocwatch runs the installer: as root for a service of the system.
func (d *duty) ocwatch(command string, more ...string) string {
	d.Helper()
	argv := append(append([]string{os.Getenv(binaryEnv), command}, d.flags...), more...)
	if !d.system {
		return mustAsAccount(d.T, argv...)
	}
	out, err := exec.CommandContext(d.Context(), argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		d.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return string(out)
}

// spend makes these accounts the ones that are as good as spent.
func (d *duty) spend(names ...string) {
	for _, name := range []string{"alice", "bob", "carol"} {
		q := lab.Quota{FiveHour: 5, Weekly: 8}
		if slices.Contains(names, name) {
			q.FiveHour = 100
		}
		d.lab.Provider.SetQuota(name, q)
	}
}

// done is an entry of the history.
type done struct {
	Kind, By, Via, To, Error string
	OK                       *bool
}

// history waits for the newest entry of a kind that satisfies ok.
func (d *duty) history(limit time.Duration, kind, what string, ok func(done) bool) done {
	d.Helper()
	var found done
	until(d.T, limit, what, func() bool {
		out, err := asAccount(d.T, os.Getenv(binaryEnv), "history", "--json", "--kind", kind)
		var said struct{ Entries []done }
		if err != nil || json.Unmarshal([]byte(out), &said) != nil || len(said.Entries) == 0 {
			return false
		}
		found = said.Entries[len(said.Entries)-1]
		return ok(found)
	})
	return found
}

// failsOver: an order set over RPC; one set by OpenClaw's command, with the
// gateway restarted over D-Bus because of it.
func failsOver(t *testing.T, d *duty) {
	t.Helper()
	d.spend("alice")
	d.configure("")
	t.Log(d.ocwatch("install"))
	bob := d.lab.ID("bob")
	s := d.history(2*time.Minute, "switch", "a switch to bob", func(e done) bool { return e.To == bob })
	if order := d.lab.StoredOrder(t); s.By != "ocwatch" || s.Via != "rpc" || order[0] != bob {
		t.Errorf("%+v, and the store has %v", s, order)
	}

	// It is not let in any more, so that the command has to do it.
	pid, most := d.gatewayPID(), d.watchNeeds()
	d.spend("bob")
	d.configure("openclaw: {gateway: {token: a-wrong-token}}\nrestart: {when: always, via: systemd}\n")
	d.ctl(d.system, "restart", "ocwatch.service")
	carol := d.lab.ID("carol")
	s = d.history(5*time.Minute, "switch", "a switch to carol", func(e done) bool { return e.To == carol })
	if order := d.lab.StoredOrder(t); s.By != "ocwatch" || s.Via != "cli" || order[0] != carol {
		t.Errorf("%+v, and the store has %v", s, order)
	}
	// It may wait until the gateway is up for a minute.
	r := d.history(6*time.Minute, "restart", "a restart of the gateway", func(done) bool { return true })
	want := "systemd-user"
	if d.gateway {
		want = "systemd-system"
	}
	if r.OK == nil || !*r.OK || r.Via != want {
		t.Errorf("%+v, want one by %s", r, want)
	}
	if now := d.gatewayPID(); now == pid || now == "0" {
		t.Errorf("process %s before, %s after", pid, now)
	}
	until(t, 2*time.Minute, "the gateway to be ready again", d.ready)
	d.staysInside()
	if n := most(); n.memory == 0 || n.memory > memoryHigh || n.tasks > tasksMax {
		t.Errorf("it needed %d MiB and %d tasks, and its unit allows %d and %d", n.memory>>20, n.tasks, memoryHigh>>20, tasksMax)
	} else {
		t.Logf("it needed %d MiB and %d tasks at most", n.memory>>20, n.tasks)
	}
}

// What the unit allows. Where the kernel's memory controller belongs to somebody
// else it is not enforced, so that the need is looked at instead.
const (
	memoryHigh = 1 << 30
	tasksMax   = 256
)

// needs are what all processes of the service took together.
type needs struct{ memory, tasks int }

// watchNeeds looks every 200 ms until the returned function is called, which
// returns the most that was seen.
func (d *duty) watchNeeds() func() needs {
	d.Helper()
	group := strings.TrimSpace(d.ctl(d.system, "show", "--value", "-p", "ControlGroup", "ocwatch.service"))
	stop, ended := make(chan struct{}), make(chan needs)
	go func() {
		var most needs
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				now := needsOf("/sys/fs/cgroup" + group)
				most.memory, most.tasks = max(most.memory, now.memory), max(most.tasks, now.tasks)
			case <-stop:
				ended <- most
				return
			}
		}
	}()
	return func() needs { close(stop); return <-ended }
}

// needsOf counts pages that processes share for each of them: rather too many.
func needsOf(group string) (n needs) {
	pids, _ := os.ReadFile(group + "/cgroup.procs") // gone while the service restarts
	for pid := range strings.FieldsSeq(string(pids)) {
		statm, _ := os.ReadFile("/proc/" + pid + "/statm")
		if f := strings.Fields(string(statm)); len(f) > 1 {
			pages, _ := strconv.Atoi(f[1])
			n.memory += pages * os.Getpagesize()
		}
		threads, _ := os.ReadDir("/proc/" + pid + "/task")
		n.tasks += len(threads)
	}
	return n
}

// refusals are what systemd and the kernel say of a service that wanted more
// than it may have.
var refusals = regexp.MustCompile(`(?i)read-only file system|EROFS|EACCES|permission denied|operation not permitted|out of memory|oom-kill|Result=oom`)

// staysInside holds that nothing that ocwatch or OpenClaw's command wanted was
// refused, and that ocwatch was not restarted.
func (d *duty) staysInside() {
	d.Helper()
	by := "_SYSTEMD_USER_UNIT=ocwatch.service"
	if d.system {
		by = "_SYSTEMD_UNIT=ocwatch.service"
	}
	out, err := exec.CommandContext(d.Context(), "journalctl", "--no-pager", "-o", "cat", by).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "watching") {
		d.Fatalf("%v\n%s", err, out)
	}
	if found := refusals.FindAllString(string(out), -1); len(found) > 0 {
		d.Errorf("refused: %q\n%s", found, out)
	}
	if n := strings.TrimSpace(d.ctl(d.system, "show", "--value", "-p", "NRestarts", "ocwatch.service")); n != "0" {
		d.Errorf("restarted %s times", n)
	}
	d.Log(d.ctl(d.system, "show", "-p", "MemoryCurrent,MemoryHigh,MemoryMax,TasksCurrent,TasksMax,ProtectSystem,PrivateUsers", "ocwatch.service"))
}
