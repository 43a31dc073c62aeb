package probe

import (
	"testing"
	"time"
)

func TestWindowNamesComeFromTheLength(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]string{
		0: "window", -time.Hour: "window",
		5 * time.Hour: "5h", 17999 * time.Second: "5h", 5*time.Hour + 2*time.Minute: "5h",
		4 * time.Hour: "4h", 6 * time.Hour: "6h",
		7 * day: "weekly", 7*day - time.Second: "weekly", 6 * day: "6d", 8 * day: "8d",
		28 * day: "monthly", 30 * day: "monthly", 31 * day: "monthly", 32 * day: "32d", 27 * day: "27d",
		day: "24h", 36 * time.Hour: "36h", 2 * day: "2d", 365 * day: "365d",
		90 * time.Minute: "90m", 45 * time.Second: "45s", time.Minute: "1m",
	}
	for length, want := range tests {
		if got := windowName(length); got != want {
			t.Errorf("%s: %q, want %q", length, got, want)
		}
	}
}
