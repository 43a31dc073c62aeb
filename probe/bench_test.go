package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// BenchmarkRound1000 is one round over 1,000 accounts whose endpoint takes
// 50 ms to answer. Peak memory is the whole test process's, the server's side
// included.
func BenchmarkRound1000(b *testing.B) {
	body, err := os.ReadFile("testdata/openai/weekly-only.json")
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(50 * time.Millisecond) // the latency under test
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}))
	b.Cleanup(server.Close)
	p := New(Options{})
	b.Cleanup(p.Close)
	accounts := make([]Account, 1000)
	for i := range accounts {
		accounts[i] = account("openai", "oauth")
		accounts[i].Key, accounts[i].Endpoint = fmt.Sprint("acct-", i), server.URL
	}
	for b.Loop() {
		for _, r := range p.ProbeAll(b.Context(), accounts, 0) {
			if r.Verdict != quota.OK {
				b.Fatalf("%+v", r)
			}
		}
	}
	b.ReportMetric(peakMB(), "peak-MB")
}

// peakMB is the highest resident size of this process so far, 0 where the
// system does not tell.
func peakMB() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), " kB"))
	if err != nil {
		return 0
	}
	return float64(kb) / 1024
}

func BenchmarkParseOpenAI(b *testing.B) {
	body, err := os.ReadFile("testdata/openai/weekly-only.json")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		o, _ := parseObject(body)
		if r := parseOpenAI(o, "acct-alice", clock{now: noon}); r.Verdict != quota.OK {
			b.Fatal(r)
		}
	}
}
