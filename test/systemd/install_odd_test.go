//go:build systemd

package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Names with all that a unit takes for something else reach the service as they
// are.
func TestSystemUnitOfOddNames(t *testing.T) {
	i := newInstallation(t)
	bin := "/opt/my tools/100%n $HOME ${USER}; #/ocwatch"
	data := lingererDir + "/my data; 50%h"
	config := lingererDir + "/my config %i.yaml"
	content, err := os.ReadFile(os.Getenv(binaryEnv))
	if err != nil {
		t.Fatal(err)
	}
	put(t, bin, string(content))
	for _, dir := range []string{filepath.Dir(bin), filepath.Dir(filepath.Dir(bin)), bin} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	put(t, config, "data_dir: '"+data+"'\nlisten: \"\"\nprobe: {every: 30s}\n")
	hand(t, lingererDir)
	out, err := exec.CommandContext(t.Context(), bin, append([]string{"--config", config, "install"}, i.args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, journal(t, i.unit))
	}
	i.watches()
	if _, err := os.Stat(data + "/journal.db"); err != nil {
		t.Error(err)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", managed("verify", "--man=no", i.file)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// A program that the account may not run would be a service that never starts.
func TestSystemUnitOfAHiddenProgram(t *testing.T) {
	i := newInstallation(t)
	content, err := os.ReadFile(os.Getenv(binaryEnv))
	if err != nil {
		t.Fatal(err)
	}
	bin := "/root/hidden/ocwatch"
	put(t, bin, string(content))
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), bin, append([]string{"install"}, i.args...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "ocw may not run "+bin) {
		t.Errorf("%v\n%s", err, out)
	}
}

// Where the kernel lets no account have namespaces, a service of the account
// goes without a view of its own, which is said, and works all the same. With
// them, the next install confines it.
func TestSystemUnitsAccountWithoutNamespaces(t *testing.T) {
	newInstallation(t)
	manager := "user@1500.service"
	dropIn := "/etc/systemd/system/" + manager + ".d/no-namespaces.conf"
	again := func() {
		t.Helper()
		systemctl(t, "daemon-reload")
		systemctl(t, "restart", manager)
	}
	defer func() { // no Cleanup, which has no context for a command any more
		mustAsAccount(t, os.Getenv(binaryEnv), "uninstall")
		_ = os.RemoveAll(filepath.Dir(dropIn))
	}()
	// As a kernel does it with user.max_user_namespaces=0.
	put(t, dropIn, "[Service]\nRestrictNamespaces=~user\n")
	again()
	ocwatch := os.Getenv(binaryEnv)
	if said := mustAsAccount(t, ocwatch, "install"); !strings.Contains(said, "this kernel lets no account confine a service's view") {
		t.Errorf("it is not said:\n%s", said)
	}
	show := func() string {
		return mustAsAccount(t, "systemctl", "--user", "show", "-p", "ActiveState,StatusText,ProtectSystem,NoNewPrivileges,PrivateUsers", "ocwatch.service")
	}
	watches := func(protect string) {
		t.Helper()
		until(t, 20*time.Second, "a first round with ProtectSystem="+protect, func() bool {
			s := show()
			return strings.Contains(s, "ActiveState=active") && strings.Contains(s, "openai") && strings.Contains(s, "ProtectSystem="+protect+"\n") && strings.Contains(s, "NoNewPrivileges=yes")
		})
	}
	watches("no")
	if err := os.Remove(dropIn); err != nil {
		t.Fatal(err)
	}
	again()
	if said := mustAsAccount(t, ocwatch, "install"); !strings.Contains(said, "restart ocwatch.service") {
		t.Errorf("it is not confined:\n%s", said)
	}
	watches("strict")
}
