//go:build packages

package packages

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// entry is a file of an archive.
type entry struct {
	tar.Header
	content []byte
}

func (e entry) String() string {
	return fmt.Sprintf("%s %04o %d:%d %s", string(e.Typeflag), e.Mode, e.Uid, e.Gid, strings.TrimPrefix(e.Name, "."))
}

// untar reads a compressed archive, its files by name without "./".
func untar(t *testing.T, r io.Reader) map[string]entry {
	t.Helper()
	plain, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]entry{}
	for archive := tar.NewReader(plain); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "./")] = entry{*h, content}
	}
}

func tarball(t *testing.T, arch string) map[string]entry {
	t.Helper()
	f, err := os.Open(filepath.Join(built, "ocwatch-"+version+"-linux-"+arch+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	root := "ocwatch-" + version + "-linux-" + arch + "/"
	files := map[string]entry{}
	for name, e := range untar(t, f) {
		if !strings.HasPrefix(name, root) {
			t.Errorf("%s is beside the directory %s", name, root)
		}
		files[strings.TrimPrefix(name, root)] = e
	}
	return files
}

// deb takes a Debian package apart: what dpkg reads, and what it installs.
func deb(t *testing.T, arch string) (control, data map[string]entry) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(built, "ocwatch_"+debian+"_"+arch+".deb"))
	if err != nil {
		t.Fatal(err)
	}
	members := ar(t, raw)
	if string(members["debian-binary"]) != "2.0\n" {
		t.Fatalf("debian-binary is %q", members["debian-binary"])
	}
	return untar(t, bytes.NewReader(members["control.tar.gz"])), untar(t, bytes.NewReader(members["data.tar.gz"]))
}

// ar reads the archive format that a Debian package is: heads of 60 bytes, with
// the name in the first 16 and the size in the 10 from the 48th.
func ar(t *testing.T, raw []byte) map[string][]byte {
	t.Helper()
	raw, ok := bytes.CutPrefix(raw, []byte("!<arch>\n"))
	if !ok {
		t.Fatal("no ar archive")
	}
	members := map[string][]byte{}
	for len(raw) >= 60 {
		size, err := strconv.Atoi(strings.TrimSpace(string(raw[48:58])))
		if err != nil || 60+size > len(raw) {
			t.Fatalf("a head of %q: %v", raw[:60], err)
		}
		members[strings.TrimRight(string(raw[:16]), " /")] = raw[60 : 60+size]
		raw = raw[min(60+size+size%2, len(raw)):]
	}
	return members
}

// gunzip returns what a file of a package is when it is read.
func gunzip(t *testing.T, e entry) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(e.content))
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	if !r.ModTime.IsZero() || r.Name != "" {
		t.Errorf("%s has the time %s and the name %q in it", e.Name, r.ModTime, r.Name)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", e.Name, err)
	}
	return string(text)
}
