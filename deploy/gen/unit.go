package gen

import (
	"errors"
	"strings"

	"github.com/ocwatch/ocwatch/deploy"
)

// Binary is where the package puts ocwatch.
const Binary = "/usr/bin/ocwatch"

// unitHead says what the unit of the package is, in place of what the installer
// says of its own.
const unitHead = `# Of the package, for any account: systemctl --user enable --now ocwatch
# "ocwatch install" writes one that knows the places of its account and is
# confined to them, into ~/.config/systemd/user, where it goes before this one.
`

// userUnit is the unit that the package brings. It is made as the installer
// makes its own, of what holds for every account: the places of OpenClaw and of
// the data are not known, so it is not confined to them.
func userUnit() ([]byte, error) {
	text, err := deploy.Service{Exec: []string{Binary, "run"}, Beside: []string{"openclaw-gateway.service"}}.Render()
	if err != nil {
		return nil, err
	}
	at := strings.Index(text, "[Unit]\n")
	if at < 0 {
		return nil, errors.New("the unit has no section [Unit]")
	}
	return []byte(unitHead + text[at:]), nil
}
