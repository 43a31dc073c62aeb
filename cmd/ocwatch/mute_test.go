package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ocwatch/ocwatch/internal/web"
)

// mute takes every connection and says nothing.
type mute struct {
	mu    sync.Mutex
	taken []net.Conn
	seen  int
}

type muteKey struct{}

// muteCmd plays a world that hangs:
//
//	mute       listens at $MUTE, of port $MUTE_PORT, and on the status socket in
//	           data; fills these into every file whose name ends in .in
//	mute seen  waits until a connection was taken since the last time
func muteCmd(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "seen" {
		ts.Fatalf("usage: mute [seen]")
	}
	m, _ := ts.Value(muteKey{}).(*mute)
	if len(args) == 1 {
		until(ts, "a connection", m.more)
		return
	}
	var lc net.ListenConfig
	tcp, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs("data"), 0o700))
	unix, err := lc.Listen(context.Background(), "unix", ts.MkAbs(filepath.Join("data", web.SocketName)))
	ts.Check(err)
	for _, l := range []net.Listener{tcp, unix} {
		go m.take(l)
		ts.Defer(func() { _ = l.Close() })
	}
	ts.Defer(m.end)
	address := tcp.Addr().String()
	_, port, err := net.SplitHostPort(address)
	ts.Check(err)
	fill := strings.NewReplacer("${WORK}", ts.Getenv("WORK"), "${MUTE}", address, "${MUTE_PORT}", port)
	ts.Check(filepath.WalkDir(ts.MkAbs("."), func(path string, e os.DirEntry, err error) error {
		to, ok := strings.CutSuffix(path, ".in")
		if err != nil || !ok || !e.Type().IsRegular() {
			return err
		}
		return os.WriteFile(to, []byte(fill.Replace(ts.ReadFile(path))), 0o600)
	}))
}

// take runs until l is closed.
func (m *mute) take(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.taken = append(m.taken, conn)
		m.mu.Unlock()
	}
}

// more reports whether connections were taken since it last said so.
func (m *mute) more() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	had := m.seen
	m.seen = len(m.taken)
	return m.seen > had
}

func (m *mute) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, conn := range m.taken {
		_ = conn.Close()
	}
}
