package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memory is what a process has in RAM, in bytes.
type memory struct {
	Now  int64 // VmRSS
	Peak int64 // VmHWM
}

// memoryOf reads /proc/PID/status; pid "self" is this process.
func memoryOf(pid string) (memory, error) {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return memory{}, err
	}
	return parseStatus(b)
}

func parseStatus(b []byte) (m memory, err error) {
	if m.Now, err = kilobytes(b, "VmRSS:"); err != nil {
		return m, err
	}
	m.Peak, err = kilobytes(b, "VmHWM:")
	return m, err
}

func kilobytes(status []byte, field string) (int64, error) {
	for line := range bytes.Lines(status) {
		if f := strings.Fields(string(line)); len(f) == 3 && f[0] == field && f[2] == "kB" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("the status of the process has no %s", field)
}

// tick is what /proc/PID/stat counts in: USER_HZ, which is 100 wherever Linux
// runs Go.
const tick = 10 * time.Millisecond

// cpuOf is the processor time that a process used, in user and system mode.
func cpuOf(pid string) (time.Duration, error) {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, err
	}
	return parseStat(b)
}

// parseStat counts fields from behind the command's name, which may hold
// spaces and brackets of its own.
func parseStat(b []byte) (time.Duration, error) {
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const user, system = 11, 12
	if len(f) <= system {
		return 0, errors.New("the stat of the process is too short")
	}
	u, err := strconv.ParseInt(f[user], 10, 64)
	s, sErr := strconv.ParseInt(f[system], 10, 64)
	return time.Duration(u+s) * tick, errors.Join(err, sErr)
}

const megabyte = 1e6

func megabytes(n int64) float64 { return float64(n) / megabyte }
