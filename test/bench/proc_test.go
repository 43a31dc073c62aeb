package main

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		name, status string
		want         memory
		fails        bool
	}{
		{"both", "Name:\tocwatch\nVmHWM:\t   20480 kB\nVmRSS:\t   19140 kB\n", memory{Now: 19140 << 10, Peak: 20480 << 10}, false},
		{"a zombie has none", "Name:\tocwatch\nState:\tZ (zombie)\n", memory{}, true},
		{"one is missing", "VmRSS:\t   19140 kB\n", memory{}, true},
		{"no number", "VmHWM:\t x kB\nVmRSS:\t x kB\n", memory{}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseStatus([]byte(tc.status))
			if (err != nil) != tc.fails || !tc.fails && got != tc.want {
				t.Errorf("got %+v, error %v", got, err)
			}
		})
	}
}

func TestStat(t *testing.T) {
	tail := " S 1 1 1 0 -1 4194560 9 0 0 0 12 30 5 6 20 0 8 0 100\n"
	for _, tc := range []struct {
		name, stat string
		want       time.Duration
		fails      bool
	}{
		{"plain", "77 (ocwatch)" + tail, 420 * time.Millisecond, false},
		{"a name with spaces and brackets", "77 (oc) (watch 1 2)" + tail, 420 * time.Millisecond, false},
		{"cut off", "77 (ocwatch) S 1 1 1 0", 0, true},
		{"no number", "77 (ocwatch) S 1 1 1 0 -1 1 9 0 0 0 a b c\n", 0, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseStat([]byte(tc.stat))
			if (err != nil) != tc.fails || !tc.fails && got != tc.want {
				t.Errorf("got %v, error %v", got, err)
			}
		})
	}
}

// The kernel's own words, so that the table above is not a world of its own.
func TestThisProcess(t *testing.T) {
	pid := strconv.Itoa(os.Getpid())
	m, err := memoryOf(pid)
	if err != nil || m.Now < 1<<20 || m.Peak < m.Now {
		t.Errorf("memory %+v, error %v", m, err)
	}
	before, err := cpuOf(pid)
	check(t, err)
	for burnt := before; burnt-before < 3*tick; {
		if burnt, err = cpuOf(pid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := cpuOf("0"); err == nil {
		t.Error("there is no process 0, and it has used time")
	}
}
