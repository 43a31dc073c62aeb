package restart

import "testing"

func TestInGroup(t *testing.T) {
	const unit = "openclaw-gateway.service"
	for _, tt := range []struct {
		name, groups, unit string
		want               bool
	}{
		{"a unit of the account", "0::/user.slice/user-1500.slice/user@1500.service/app.slice/openclaw-gateway.service\n", unit, true},
		{"a unit of the system", "0::/system.slice/openclaw-gateway.service\n", unit, true},
		{"a group below it", "0::/system.slice/openclaw-gateway.service/tools\n", unit, true},
		{"beside cgroup v1", "12:memory:/\n1:name=systemd:/system.slice/openclaw-gateway.service\n0::/\n", unit, true},
		{"a login", "0::/user.slice/user-1500.slice/session-3.scope\n", unit, false},
		{"another unit", "0::/system.slice/my-openclaw-gateway.service\n", unit, false},
		{"ocwatch's own", "0::/system.slice/ocwatch.service\n", unit, false},
		{"a gateway without a unit", "0::/\n", "", false},
		{"nothing", "", unit, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := inGroup(tt.groups, tt.unit); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
