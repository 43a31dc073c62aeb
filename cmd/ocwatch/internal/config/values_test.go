package config

import (
	"slices"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		text, shown string
		want        time.Duration
	}{
		{"0", "0s", 0},
		{"90s", "1m30s", 90 * time.Second},
		{"5m", "5m", 5 * time.Minute},
		{"6h", "6h", 6 * time.Hour},
		{"1h0m1s", "1h0m1s", time.Hour + time.Second},
		{"10m10s", "10m10s", 10*time.Minute + 10*time.Second},
		{"3d", "72h", 72 * time.Hour},
		{"1d12h", "36h", 36 * time.Hour},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := parseDuration(c.text)
			if err != nil || got != c.want || formatDuration(got) != c.shown {
				t.Errorf("got %v, shown %q (%v); want %v, shown %q", got, formatDuration(got), err, c.want, c.shown)
			}
		})
	}
	for _, text := range []string{"", "1", "1.5", "-1m", "-1d", "1d-1h", "d", "1x", "1h 5m", "99999999d", "65535d2562047h", "1w", "2d3d"} {
		t.Run("refused "+text, func(t *testing.T) {
			if got, err := parseDuration(text); err == nil {
				t.Errorf("was read as %v", got)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	for _, text := range []string{"3/30m", "1/1m", "20/24h", " 3 / 1d "} {
		t.Run(text, func(t *testing.T) {
			b, err := ParseBudget(text)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := ParseBudget(b.String()); err != nil || again != b {
				t.Errorf("shown as %q, which reads as %v (%v)", b, again, err)
			}
		})
	}
	for _, text := range []string{"", "3", "3/", "/30m", "3/30", "0/30m", "-1/30m", "21/24h", "3/25h", "3/2m", "three/30m", "3/30m/1"} {
		t.Run("refused "+text, func(t *testing.T) {
			if b, err := ParseBudget(text); err == nil {
				t.Errorf("was read as %v", b)
			}
		})
	}
}

func TestArgv(t *testing.T) {
	got, err := ParseArgv("  docker\trestart  openclaw ")
	if want := (Argv{"docker", "restart", "openclaw"}); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	for _, text := range []string{"a; b", "a | b", "a 'b c'", `a "b"`, "a $B", "a *", "~/a", "a\nb", "a > b", "`a`", "a && b", "a # b"} {
		t.Run("refused "+text, func(t *testing.T) {
			if got, err := ParseArgv(text); err == nil {
				t.Errorf("was split into %q", got)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"strategy", "switch_at", "return_below", "min_dwell", "paid", "pools"}
	for word, want := range map[string]string{
		"switchAt": "switch_at", "switch-at": "switch_at", "return_bellow": "return_below", "pool": "pools",
		"Strategy": "strategy", "pad": "paid", "colour": "", "x": "", "": "",
	} {
		if got := nearest(word, keys); got != want {
			t.Errorf("nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
