package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1":        true,
		"127.8.0.1":        true,
		"::1":              true,
		"::ffff:127.0.0.1": true,
		"localhost":        true,
		"LOCALHOST":        true,
		"localhost.":       false,
		"localhost.evil":   false,
		"127.0.0.1.evil":   false,
		"0.0.0.0":          false,
		"::":               false,
		"10.0.0.1":         false,
		"2130706433":       false,
		"":                 false,
	} {
		if got := Host(host); got != want {
			t.Errorf("Host(%q) = %v", host, got)
		}
	}
}
