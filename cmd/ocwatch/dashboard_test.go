package main

import (
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/web"
)

// TestWriteAccess: whoever sits elsewhere is told how to come, where the
// address alone does not do.
func TestWriteAccess(t *testing.T) {
	for name, tc := range map[string]struct {
		url, ssh, user string
		want           string
	}{
		"at the machine":        {"http://127.0.0.1:18790/owner/", "", "oc", "ssh -L 18790:127.0.0.1:18790 THIS-MACHINE\n"},
		"over ssh":              {"http://127.0.0.1:18790/owner/", "203.0.113.9 50022 192.0.2.4 22", "oc", "ssh -L 18790:127.0.0.1:18790 oc@192.0.2.4\n"},
		"over ssh on a port":    {"http://localhost:8080/owner/", "203.0.113.9 50022 192.0.2.4 2222", "oc", "ssh -L 8080:localhost:8080 -p 2222 oc@192.0.2.4\n"},
		"over IPv6":             {"http://[::1]:18790/owner/", "2001:db8::9 50022 2001:db8::4 22", "oc", "ssh -L 18790:[::1]:18790 oc@2001:db8::4\n"},
		"what is no connection": {"http://127.0.0.1:18790/owner/", "; reboot 1 2 3", "oc", "THIS-MACHINE\n"},
		"an address of its own": {"https://ocwatch.example.com/owner/", "203.0.113.9 50022 192.0.2.4 22", "oc", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			env := map[string]string{"SSH_CONNECTION": tc.ssh, "USER": tc.user}
			err := writeAccess(&out, web.Access{URL: tc.url, User: "owner", Password: "WORD"}, tunnelTo(func(name string) string { return env[name] }))
			text := out.String()
			if err != nil || !strings.HasPrefix(text, "address   "+tc.url+"\nuser      owner\npassword  WORD\n") {
				t.Errorf("%v: %s", err, text)
			}
			if !strings.Contains(text, tc.want) || strings.Contains(text, "ssh") != (tc.want != "") {
				t.Errorf("want %q in: %s", tc.want, text)
			}
		})
	}
}
