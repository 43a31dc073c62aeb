package doctor

import (
	"testing"

	"github.com/ocwatch/ocwatch/failover/restart"
)

// What nothing starts at boot is not to be started by hand for once.
func TestStartCommand(t *testing.T) {
	own := Unit{Name: "ocwatch.service", User: true, State: restart.UnitState{File: "enabled", Active: "inactive"}}
	ofPackage, system, gateway := own, own, own
	ofPackage.State.File = "disabled"
	system.User = false
	gateway.Name, gateway.Gateway = "openclaw-gateway.service", true
	for _, tt := range []struct {
		name  string
		units []Unit
		want  string
	}{
		{"no unit of ocwatch", []Unit{gateway}, "ocwatch run"},
		{"its own, stopped", []Unit{gateway, own}, "systemctl --user start ocwatch.service"},
		{"the system's, stopped", []Unit{system}, "systemctl start ocwatch.service"},
		{"the system's, stopped, beside a package's", []Unit{ofPackage, system}, "systemctl start ocwatch.service"},
		{"a package's, never enabled", []Unit{gateway, ofPackage}, "ocwatch install"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := startCommand(tt.units); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
