//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ocwatch/ocwatch/internal/openclaw"
	"github.com/ocwatch/ocwatch/profiles/login"
	"github.com/ocwatch/ocwatch/test/lab"
)

// install is l as ocwatch finds it, with a command that brings l's environment
// along: the test's own is that of three labs at once.
func install(t *testing.T, l *lab.Lab) *openclaw.Install {
	t.Helper()
	dir := t.TempDir()
	preload, command := filepath.Join(dir, "reroute.cjs"), filepath.Join(dir, "openclaw")
	must(t, os.WriteFile(preload, []byte(fmt.Sprintf(reroute, door(t, l))), 0o600))
	var script strings.Builder
	script.WriteString("#!/bin/sh\n")
	for _, kv := range append(l.Env(), "NODE_OPTIONS=--require "+preload) {
		name, value, _ := strings.Cut(kv, "=")
		fmt.Fprintf(&script, "export %s='%s'\n", name, value)
	}
	fmt.Fprintf(&script, "exec '%s' \"$@\"\n", l.Install.CLI())
	must(t, os.WriteFile(command, []byte(script.String()), 0o700))
	i, err := openclaw.Find(openclaw.Options{StateDir: l.StateDir, Home: l.Home, Command: command, Getenv: func(string) string { return "" }})
	must(t, err)
	return i
}

// reroute has Node reach auth.openai.com at a port of this machine: OpenClaw up
// to 2026.6 exchanges the code of a login by link past any proxy. The address
// is a public one, since OpenClaw refuses to send it to others.
const reroute = `const net = require("net"), dns = require("dns").promises, { syncBuiltinESMExports } = require("module");
const host = "auth.openai.com", address = "104.18.41.241", lookup = dns.lookup, connect = net.Socket.prototype.connect;
dns.lookup = async (name, o) => name !== host ? lookup.call(dns, name, o) : o && o.all ? [{ address, family: 4 }] : { address, family: 4 };
net.Socket.prototype.connect = function (...args) {
  const o = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (o && Number(o.port) === 443 && (o.host === host || o.host === address)) { o.host = "127.0.0.1"; o.port = %d; }
  return connect.apply(this, args);
};
syncBuiltinESMExports();
`

// door is a port that leads to l's auth.openai.com.
func door(t *testing.T, l *lab.Lab) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	var proxy string
	for _, kv := range l.Env() {
		if v, ok := strings.CutPrefix(kv, "HTTPS_PROXY=http://"); ok {
			proxy = v
		}
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go tunnel(conn, proxy)
		}
	}()
	return ln.Addr().(*net.TCPAddr).Port
}

// tunnel joins conn to auth.openai.com through proxy. Where it cannot, the
// connection ends, which the test notices.
func tunnel(conn net.Conn, proxy string) {
	defer func() { _ = conn.Close() }()
	out, err := net.Dial("tcp", proxy)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	_, _ = io.WriteString(out, "CONNECT auth.openai.com:443 HTTP/1.1\r\nHost: auth.openai.com:443\r\n\r\n")
	r := bufio.NewReader(out)
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil || resp.StatusCode != http.StatusOK || resp.Body.Close() != nil {
		return
	}
	go func() {
		_, _ = io.Copy(out, conn)
		_ = out.Close()
	}()
	_, _ = io.Copy(conn, r)
}

// noCodes is the command of a release whose help knows no login by code.
type noCodes struct{ login.Command }

// Run implements login.Command.
func (n noCodes) Run(ctx context.Context, stdin io.Reader, args ...string) (openclaw.Output, error) {
	out, err := n.Command.Run(ctx, stdin, args...)
	out.Stdout = bytes.ReplaceAll(out.Stdout, []byte("--device-code"), []byte("--another-one"))
	return out, err
}
