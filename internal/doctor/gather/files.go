package gather

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ocwatch/ocwatch/internal/doctor"
)

// Own says which files are ocwatch's.
type Own struct {
	Config  string // the config file, "" for none
	LoadErr error  // why it cannot be used
	DataDir string // "" where it is not known
	// Names are what the names of ocwatch's files in DataDir begin with: it may
	// hold others, and they are nobody's business here.
	Names []string
}

// Files looks at ocwatch's own files. What does not exist is left out, and so is
// what is no file, directory or socket.
func Files(o Own) []doctor.File {
	var list []doctor.File
	if o.Config != "" {
		list = append(list, o.configFiles()...)
	}
	if o.DataDir != "" {
		list = append(list, o.dataFiles()...)
	}
	return list
}

// configFiles are the config file and, in a directory of ocwatch's own, what
// stands beside it.
func (o Own) configFiles() []doctor.File {
	paths := []string{o.Config}
	if dir := filepath.Dir(o.Config); filepath.Base(dir) == "ocwatch" {
		paths = []string{dir}
		entries, err := os.ReadDir(dir)
		if err != nil {
			return look(dir, false)
		}
		for _, e := range entries {
			if !e.IsDir() {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
	}
	var list []doctor.File
	for _, p := range paths {
		list = append(list, look(p, o.refused(p))...)
	}
	return list
}

// refused: the config was not loaded because others can read this file. One
// without secrets in it may be read by all.
func (o Own) refused(path string) bool {
	return o.LoadErr != nil && strings.Contains(o.LoadErr.Error(), "others can read "+path+" ")
}

func (o Own) dataFiles() []doctor.File {
	list := look(o.DataDir, true)
	entries, err := os.ReadDir(o.DataDir)
	if err != nil {
		return list
	}
	for _, e := range entries {
		for _, name := range o.Names {
			if strings.HasPrefix(e.Name(), name) {
				list = append(list, look(filepath.Join(o.DataDir, e.Name()), true)...)
				break
			}
		}
	}
	return list
}

// look follows no link: what it leads to is somebody else's.
func look(path string, private bool) []doctor.File {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&(fs.ModeSymlink|fs.ModeDevice|fs.ModeNamedPipe) != 0 {
		return nil
	}
	f := doctor.File{Path: path, Mode: info.Mode(), Own: os.Geteuid(), Owner: os.Geteuid(), Private: private}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		f.Owner = int(stat.Uid)
	}
	return []doctor.File{f}
}

// Mend takes away what others may do with ocwatch's own files, and returns what
// it did as commands.
func Mend(files []doctor.File) (done []string, err error) {
	for _, f := range files {
		if f.Mode.Perm() == f.Want() || f.Owner != f.Own && f.Own != 0 {
			continue
		}
		now := look(f.Path, f.Private)
		if len(now) == 0 || now[0].Mode != f.Mode || now[0].Owner != f.Owner {
			err = errors.Join(err, fmt.Errorf("%s changed meanwhile: run ocwatch doctor again", f.Path))
			continue
		}
		if failed := os.Chmod(f.Path, f.Want()); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		done = append(done, fmt.Sprintf("chmod %04o %s", f.Want(), f.Path))
	}
	return done, err
}
