// Package deploy makes ocwatch a service of systemd, of one account or of the
// system, and undoes it. What is to be done is a list of steps that Install
// and Uninstall decide from what is there; Apply carries them out.
package deploy

import (
	"embed"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

// Unit is the name of ocwatch's unit.
const Unit = "ocwatch.service"

//go:embed systemd/*.tmpl
var templates embed.FS

// Service is what the unit says that differs from one machine to the next.
type Service struct {
	// System makes it a unit of the system, that runs as Account; else it is one
	// of the account's own manager.
	System  bool
	Account string
	// Exec is the command with its arguments, the first an absolute path.
	Exec []string
	// Environment are NAME=value. None may be a secret: everybody can read them.
	Environment []string
	// Credentials are the files that systemd hands over.
	Credentials []Credential
	// Beside are the units that it wants, and starts after.
	Beside []string
	// Restarts is a unit of the system, the gateway's, that the account is to be
	// allowed to restart; "" for none.
	Restarts string
	// Writable are the directories that it may write, absolute; what is not there
	// keeps the service from starting.
	Writable []string
	// StateDirectory is the name below /var/lib of a directory that systemd makes
	// for it; "" for none. Only of the system.
	StateDirectory string
	// Confined hides the rest of the file system behind a read-only view. The
	// account's own manager can do so only where the kernel lets accounts have
	// namespaces; for the system it is always so.
	Confined bool
}

// Credential is a secret in a file, as LoadCredential= takes it.
type Credential struct {
	Name string `json:"name"` // letters, digits, and ._-
	File string `json:"file"` // absolute
}

// credentialName is what systemd takes and what needs no quotes.
var credentialName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// Render returns the text of the unit. It fails where a value cannot be
// written into a unit: a path with a line break, a relative command.
func (s Service) Render() (string, error) {
	if len(s.Exec) == 0 || !filepath.IsAbs(s.Exec[0]) {
		return "", fmt.Errorf("the command %q is not an absolute path", s.Exec)
	}
	for _, c := range s.Credentials {
		if !credentialName.MatchString(c.Name) {
			return "", fmt.Errorf("credential %q: systemd takes letters, digits, '.', '_' and '-'; rename %s", c.Name, c.File)
		}
	}
	for _, dir := range s.Writable {
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("the directory %q is not an absolute path", dir)
		}
	}
	t, err := template.New("ocwatch.service.tmpl").Funcs(template.FuncMap{
		"program": program, "argument": argument, "word": word, "value": value,
	}).ParseFS(templates, "systemd/*.tmpl")
	if err != nil {
		return "", fmt.Errorf("the unit's template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, s); err != nil {
		return "", fmt.Errorf("the unit: %w", err)
	}
	return b.String(), nil
}

// Unit is the name, for the template.
func (s Service) Unit() string { return Unit }

// Systemctl is the command that reaches the manager, for people.
func (s Service) Systemctl() string {
	if s.System {
		return "sudo systemctl"
	}
	return "systemctl --user"
}

// program quotes the first word of a command line. There systemd replaces no
// variables, and takes neither quotes nor backslashes.
func program(path string) (string, error) {
	if strings.ContainsAny(path, `"'\`) {
		return "", fmt.Errorf("systemd runs no program whose path has quotes or a backslash: move %s elsewhere", path)
	}
	return word(path)
}

// argument quotes one word of a command line, in which systemd would replace
// variables too.
func argument(s string) (string, error) {
	return word(strings.ReplaceAll(s, "$", "$$"))
}

// word quotes one word of a list.
func word(s string) (string, error) {
	s, err := value(s)
	if err != nil || s != "" && !strings.ContainsAny(s, " \t'\"\\;") {
		return s, err
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`, nil
}

// value escapes what systemd would replace in a value that is not split into
// words.
func value(s string) (string, error) {
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			return "", fmt.Errorf("%q has a control character, which no unit can hold", s)
		}
	}
	return strings.ReplaceAll(s, "%", "%%"), nil
}
