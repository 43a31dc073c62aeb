package main

import (
	"runtime/debug"
	"testing"
	"time"
)

func TestBill(t *testing.T) {
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8",
		Main:      debug.Module{Path: "example.com/tool", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "example.com/a", Version: "v1.0.0", Sum: "h1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v2.0.0+incompatible"}},
		},
		Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "arm64"}},
	}
	b := bill(info, "v0.1.0", time.Unix(1795383279, 0))
	if b.SerialNumber != "" || b.Metadata.Timestamp != "2026-11-22T21:34:39Z" || b.Metadata.Component.PackageURL != "pkg:golang/example.com/tool@v0.1.0" {
		t.Errorf("%+v, %+v", b, b.Metadata)
	}
	var got []string
	for _, c := range *b.Components {
		got = append(got, c.PackageURL)
	}
	want := []string{"pkg:golang/std@1.26.8", "pkg:golang/example.com/a@v1.0.0", "pkg:golang/example.com/fork@v2.0.0%2Bincompatible"}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s, want %s", got[i], want[i])
		}
	}
	if hash := (*(*b.Components)[1].Hashes)[0].Value; hash != "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" {
		t.Errorf("hash %s", hash)
	}
	if refs := *(*b.Dependencies)[0].Dependencies; len(refs) != 3 {
		t.Errorf("%v", refs)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	for name, args := range map[string][]string{"no program": {"v1"}, "no time": {"v1", "x"}} {
		if err := run(args, t.Output()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1")
	if err := run([]string{"v1", "/bin/sh"}, t.Output()); err == nil {
		t.Error("the bill of a program that is not Go's")
	}
}
