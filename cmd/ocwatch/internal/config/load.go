package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	yamlparser "github.com/goccy/go-yaml/parser"
)

// maxSize is far more than any config needs. The parser's time grows with the
// square of the nesting, so that a wrong file could hold it up for long.
const maxSize = 64 << 10

// maxProblems is how many mistakes are told at once.
const maxProblems = 20

// systemFile is where a config for the whole machine stands.
const systemFile = "/etc/ocwatch/config.yaml"

// Find returns the config file to load: explicit where it is given, else the
// user's own, else the machine's. A file that is there and cannot be looked at
// is an error, never passed over. With no file at all, found is false.
func Find(explicit string) (path string, found bool, err error) {
	return find(explicit, os.Getenv, systemFile)
}

func find(explicit string, env func(string) string, system string) (string, bool, error) {
	if explicit != "" {
		if _, err := os.Stat(explicit); err != nil {
			return "", false, fmt.Errorf("config file given by --config: %w", err)
		}
		return explicit, true, nil
	}
	for _, path := range []string{filepath.Join(base(env, "XDG_CONFIG_HOME", ".config"), "ocwatch", "config.yaml"), system} {
		if !filepath.IsAbs(path) {
			continue // no HOME
		}
		_, err := os.Stat(path)
		if err == nil {
			return path, true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", false, fmt.Errorf("config file: %w", err)
		}
	}
	return "", false, nil
}

// base returns an XDG base directory: of the environment where it is absolute,
// else below HOME; "" without HOME.
func base(env func(string) string, name, below string) string {
	if dir := env(name); filepath.IsAbs(dir) {
		return dir
	}
	if home := env("HOME"); home != "" {
		return filepath.Join(home, below)
	}
	return ""
}

// Load reads and checks the file at path; with an empty path it returns the
// defaults. Values may name environment variables, ${NAME}; env looks them up.
// The error lists everything that is wrong, one line each, as file:line: text,
// and holds no secret.
func Load(path string, env func(string) string) (*Config, error) {
	c := Default()
	d := &decoder{env: env, lines: map[string]int{}}
	if path != "" {
		data, err := read(path)
		if err != nil {
			return nil, err
		}
		d.document(data, c)
	}
	// Values that could not be read would only bring up more complaints.
	if len(d.problems) == 0 {
		d.resolve(c, path)
		d.validate(c)
	}
	c.secretEnv = d.secretEnv
	if err := d.result(path); err != nil {
		return nil, err
	}
	return c, nil
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("config file: %s is not a file", path)
	case info.Size() > maxSize:
		return nil, fmt.Errorf("config file: %s is %d bytes; at most %d are read", path, info.Size(), maxSize)
	case info.Mode().Perm()&0o002 != 0:
		return nil, fmt.Errorf("config file: everybody can write %s, and it names a command to run; run `chmod o-w %s`", path, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("config file: %w", err)
	}
	return data, nil
}

// document decodes the file's text into c.
func (d *decoder) document(data []byte, c *Config) {
	root, err := parse(data)
	var positioned yaml.Error
	switch {
	case errors.As(err, &positioned):
		line := positioned.GetToken().Position.Line
		d.fail(line, "not valid YAML: %s%s", strings.ReplaceAll(positioned.GetMessage(), "\t", `\t`), quoteHint(data, line))
	case err != nil:
		d.fail(1, "%v", err)
	case root != nil:
		d.lines[""] = lineOfNode(root, 1)
		d.value(root, reflect.ValueOf(c).Elem(), "")
	}
}

// parse returns the tree of the only document, nil where the file is empty.
func parse(data []byte) (root ast.Node, err error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if bytes.IndexByte(data, 0) >= 0 {
		return nil, errors.New("not a text file")
	}
	// A reload must not end the watchdog, whatever the library meets.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, errors.New("not valid YAML")
		}
	}()
	file, err := yamlparser.ParseBytes(data, 0)
	if err != nil {
		return nil, err // document takes it apart
	}
	for _, doc := range file.Docs {
		switch {
		case doc == nil || doc.Body == nil || doc.Body.Type() == ast.CommentType:
		case root != nil:
			return nil, errors.New("want one document; \"---\" begins another")
		default:
			root = doc.Body
		}
	}
	return root, nil
}

// quoteHint helps with the usual mistakes: a cron expression without quotes,
// and within braces a value that has braces of its own.
func quoteHint(data []byte, line int) string {
	lines := strings.Split(string(data), "\n")
	if line > len(lines) {
		return ""
	}
	text := lines[max(0, line-1)]
	if within := strings.IndexByte(text, '{'); within >= 0 && strings.Contains(text[within+1:], "${") {
		return "; within braces, a value with ${NAME} needs quotes"
	}
	if strings.Contains(text, "{") && strings.Contains(text, ": *") {
		return "; a value that begins with * or @ needs quotes"
	}
	_, value, _ := strings.Cut(text, ":")
	if value = strings.TrimSpace(value); strings.HasPrefix(value, "*") || strings.HasPrefix(value, "@") {
		return "; a value that begins with * or @ needs quotes"
	}
	return ""
}

// result returns the problems as one error, in the order of the file.
func (d *decoder) result(path string) error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b problem) int { return a.line - b.line })
	var lines []string
	for i, p := range d.problems {
		if i == maxProblems {
			p.text = fmt.Sprintf("and %d more mistakes", len(d.problems)-i)
		}
		if path != "" {
			p.text = fmt.Sprintf("%s:%d: %s", path, p.line, p.text)
		}
		lines = append(lines, p.text)
		if i == maxProblems {
			break
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}
