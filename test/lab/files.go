package lab

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// File is what there is to know of a file without its content.
type File struct {
	Hash     string
	Size     int64
	Modified time.Time
	Mode     fs.FileMode
}

// SnapshotFiles describes every file of OpenClaw's state directory.
func (l *Lab) SnapshotFiles(t *testing.T) map[string]File {
	t.Helper()
	files := map[string]File{}
	err := filepath.WalkDir(l.StateDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return skipGone(err)
		}
		b, err := os.ReadFile(path) //nolint:gosec // the lab made this tree
		if err != nil {
			return skipGone(err)
		}
		info, err := d.Info()
		if err != nil {
			return skipGone(err)
		}
		sum := sha256.Sum256(b)
		name, err := filepath.Rel(l.StateDir, path)
		files[name] = File{hex.EncodeToString(sum[:]), info.Size(), info.ModTime(), info.Mode()}
		return err
	})
	must(t, err)
	return files
}

// skipGone passes over files that OpenClaw removed while they were looked at.
func skipGone(err error) error {
	if os.IsNotExist(err) {
		return nil
	}
	return err
}

// Changed names the files that differ between two snapshots.
func Changed(before, after map[string]File) []string {
	var names []string
	for name, f := range after {
		if before[name] != f {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			names = append(names, name+" (removed)")
		}
	}
	return names
}

// endStrays kills whatever still runs with this lab's home in its environment:
// no other process on the machine has it.
func endStrays(t *testing.T, home string) {
	t.Helper()
	want := []byte("HOME=" + home)
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	must(t, err)
	for _, path := range environs {
		env, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for entry := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(entry, want) {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path))) // the glob allows digits only
				_ = syscall.Kill(pid, syscall.SIGKILL)                    // it may have ended
			}
		}
	}
}

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on.
func FreePort(t *testing.T) int {
	t.Helper()
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	port := ln.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // a tcp listener has no other
	must(t, ln.Close())
	return port
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tail returns the last n lines of a file.
func tail(path string, n int) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// capped keeps the first megabyte of what a command prints.
type capped struct{ bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := 1<<20 - c.Len(); room > 0 {
		c.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
