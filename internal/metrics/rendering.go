package metrics

import (
	"bytes"
	"sync"

	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// rendering is the text of the pools, made once a round: what is most of an
// answer is then the same at each scrape.
type rendering struct {
	mu    sync.Mutex
	pools []watchdog.PoolStatus // that text shows
	text  []byte
}

// of returns the text of pools, which nobody may change. A round makes new
// pools and changes none that it has shown, so the same slice has the same text.
func (r *rendering) of(pools []watchdog.PoolStatus) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.text == nil || !same(r.pools, pools) {
		var b bytes.Buffer
		b.Grow(len(r.text) + len(r.text)/16)
		writePools(&b, pools)
		r.pools, r.text = pools, b.Bytes()
	}
	return r.text
}

// same reports that two slices are one. Nothing else can come to be at the
// place of pools that are held.
func same(a, b []watchdog.PoolStatus) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
