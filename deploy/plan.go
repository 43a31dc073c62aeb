package deploy

import "path/filepath"

// unitMode: systemd warns of a unit that is marked executable or that others
// may write; that everybody can read it is as it should be.
const unitMode = 0o644

// Machine is what is there before anything is done.
type Machine struct {
	// UnitFile is where the unit belongs, and Unit what stands there now, "" for
	// nothing.
	UnitFile, Unit string
	// DropIns is the directory of the owner's own settings, "" where there is
	// none.
	DropIns string
	// Enabled: it starts at boot. Active: it runs now.
	Enabled, Active bool
	// Outdated: it runs a program other than the one that is to be installed.
	Outdated bool
	// Missing are directories that are to be made.
	Missing []string
	// As is the account that makes them, "" for the one that installs. Root must
	// not do it itself, where that account can put links in its way.
	As string
	// Skill is where the skill stands, "" for nowhere.
	Skill string
	// Rule is what polkit's rule of ours says, "" for none.
	Rule string
}

// Install returns what makes s the service that runs on m; nothing, where it
// does already.
func Install(s Service, m Machine) ([]Step, error) {
	text, err := s.Render()
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, dir := range m.Missing {
		steps = append(steps, makeDirAs(m.As, dir))
	}
	rules, err := s.rule(m)
	if err != nil {
		return nil, err
	}
	steps = append(steps, rules...)
	changed := m.Unit != text
	if changed {
		steps = append(steps, Step{Kind: Write, Path: m.UnitFile, Mode: unitMode, Content: text}, systemctl(s.System, "daemon-reload"))
	}
	if !m.Enabled {
		steps = append(steps, systemctl(s.System, "enable", Unit))
	}
	switch {
	case !m.Active:
		// A unit that used its start limit up would refuse.
		if m.Unit != "" {
			steps = append(steps, resetFailed(s.System))
		}
		steps = append(steps, systemctl(s.System, "start", Unit))
	case changed || m.Outdated:
		steps = append(steps, systemctl(s.System, "restart", Unit))
	}
	return steps, nil
}

// rule returns what makes polkit's rule the one that s needs.
func (s Service) rule(m Machine) ([]Step, error) {
	if s.Restarts == "" {
		if m.Rule == "" {
			return nil, nil
		}
		return []Step{{Kind: Remove, Path: ruleFile}}, nil
	}
	text, err := rule(s.Account, s.Restarts)
	if err != nil || text == m.Rule {
		return nil, err
	}
	return []Step{{Kind: Write, Path: ruleFile, Mode: unitMode, Content: text}}, nil
}

// Uninstall returns what removes the service, its settings and the skill from
// m; nothing, where nothing is there.
func Uninstall(system bool, m Machine) []Step {
	var steps []Step
	if m.Enabled || m.Active || m.Unit != "" {
		steps = append(steps, systemctl(system, "disable", "--now", Unit))
	}
	if m.Unit != "" {
		steps = append(steps, Step{Kind: Remove, Path: m.UnitFile})
	}
	if m.DropIns != "" {
		steps = append(steps, Step{Kind: Remove, Path: m.DropIns})
	}
	if len(steps) > 0 {
		steps = append(steps, systemctl(system, "daemon-reload"), resetFailed(system))
	}
	if m.Rule != "" {
		steps = append(steps, Step{Kind: Remove, Path: ruleFile})
	}
	if m.Skill != "" {
		steps = append(steps, removeAs(m.As, m.Skill))
	}
	return steps
}

// UnitFile is where the unit belongs. config is the account's directory for
// settings, usually ~/.config.
func UnitFile(system bool, config string) string {
	if system {
		return filepath.Join("/etc/systemd/system", Unit)
	}
	return filepath.Join(config, "systemd/user", Unit)
}

func makeDirAs(account, dir string) Step {
	if account == "" {
		return Step{Kind: MakeDir, Path: dir, Mode: 0o700}
	}
	return Step{Kind: Run, Argv: []string{"runuser", "-u", account, "--", "mkdir", "-p", "-m", "700", dir}}
}

func removeAs(account, dir string) Step {
	if account == "" {
		return Step{Kind: Remove, Path: dir}
	}
	return Step{Kind: Run, Argv: []string{"runuser", "-u", account, "--", "rm", "-rf", "--", dir}}
}

func systemctl(system bool, args ...string) Step {
	return Step{Kind: Run, Argv: Systemctl(system, args...)}
}

// resetFailed fails where systemd has nothing to forget.
func resetFailed(system bool) Step {
	step := systemctl(system, "reset-failed", Unit)
	step.MayFail = true
	return step
}

// Systemctl is the command line for the manager of the system or the account.
func Systemctl(system bool, args ...string) []string {
	manager := "--user"
	if system {
		manager = "--system"
	}
	return append([]string{"systemctl", manager}, args...)
}
