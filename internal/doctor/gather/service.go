package gather

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ocwatch/ocwatch/failover/restart"
	"github.com/ocwatch/ocwatch/internal/doctor"
)

// OwnUnit is the name of ocwatch's own unit.
const OwnUnit = "ocwatch.service"

// Machine is what of the machine Service looks at.
type Machine struct {
	User, System restart.Dial
	Root         string // "/", but for tests
	Account      string // the name of the account whose units the user's are
}

// Service asks both managers for the gateway's units and for ocwatch's own. A
// unit that does not exist is left out.
func (m Machine) Service(ctx context.Context, gateway []string) doctor.Service {
	s := doctor.Service{Account: m.Account, Linger: m.has("var/lib/systemd/linger", m.Account), NoSystemd: !m.has("run/systemd/system")}
	if s.NoSystemd {
		return s // whatever may sit on a bus, it is no systemd
	}
	var asking sync.WaitGroup
	var user, system []doctor.Unit
	var userErr, systemErr error
	asking.Go(func() { user, userErr = units(ctx, m.User, true, gateway) })
	asking.Go(func() { system, systemErr = units(ctx, m.System, false, gateway) })
	asking.Wait()
	s.Units, s.NoUserBus = slices.Concat(user, system), userErr != nil
	for _, err := range []error{userErr, systemErr} {
		if err != nil {
			s.Failed = append(s.Failed, err.Error())
		}
	}
	return s
}

func (m Machine) has(path ...string) bool {
	_, err := os.Stat(filepath.Join(append([]string{m.Root}, path...)...))
	return err == nil
}

func units(ctx context.Context, dial restart.Dial, user bool, gateway []string) (list []doctor.Unit, err error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	manager, done, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	for i, name := range slices.Concat(gateway, []string{OwnUnit}) {
		state, err := manager.State(ctx, name)
		if err != nil {
			return nil, err
		}
		if state.Load == "not-found" {
			continue
		}
		list = append(list, doctor.Unit{Name: name, User: user, Gateway: i < len(gateway), State: state})
	}
	return list, nil
}
