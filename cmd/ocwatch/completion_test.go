package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/web"
)

// TestCompletionDoesNotHang where a watchdog takes the question and never
// answers.
func TestCompletionDoesNotHang(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("OPENCLAW_STATE_DIR", filepath.Join(dir, "none"))
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, web.SocketName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	config := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(config, []byte("data_dir: "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), completeWithin)
	defer cancel()
	begun := time.Now()
	if known := (&global{configPath: config}).known(ctx); known != nil {
		t.Errorf("%+v", known)
	}
	if took := time.Since(begun); took < completeWithin/2 {
		t.Errorf("the watchdog was not asked: %s", took)
	}
}
