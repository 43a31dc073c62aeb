package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestSnapshotSeesEveryKindOfChange(t *testing.T) {
	l := &Lab{StateDir: t.TempDir()}
	file := func(name string) string { return filepath.Join(l.StateDir, name) }
	for _, name := range []string{"same", "rewritten", "touched", "gone", "opened"} {
		must(t, os.WriteFile(file(name), []byte(name), 0o600))
	}
	before := l.SnapshotFiles(t)
	must(t, os.WriteFile(file("rewritten"), []byte("rewritten?"), 0o600))
	must(t, os.Chtimes(file("touched"), time.Now(), time.Now().Add(time.Minute)))
	must(t, os.Remove(file("gone")))
	must(t, os.Chmod(file("opened"), 0o644)) // a change of mode is the case
	must(t, os.WriteFile(file("new"), nil, 0o600))
	got := Changed(before, l.SnapshotFiles(t))
	slices.Sort(got)
	want := []string{"gone (removed)", "new", "opened", "rewritten", "touched"}
	if !slices.Equal(got, want) {
		t.Errorf("changed %v, want %v", got, want)
	}
}

func TestStraysOfALabAreEndedAndNoOthers(t *testing.T) {
	home := t.TempDir()
	start := func(home string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "sleep", "60")
		cmd.Env = []string{"HOME=" + home, "PATH=/usr/bin:/bin"}
		must(t, cmd.Start())
		return cmd
	}
	ours, theirs := start(home), start(home+"-of-another")
	endStrays(t, home)
	if err := ours.Wait(); err == nil {
		t.Error("the stray ended by itself")
	}
	if err := theirs.Process.Kill(); err != nil {
		t.Errorf("another's process was ended: %v", err)
	}
	_ = theirs.Wait() // killed above
}
