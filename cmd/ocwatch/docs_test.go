package main

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/config"
	"github.com/ocwatch/ocwatch/failover/watchdog"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// TestStatusDocument: every field of the status is documented.
func TestStatusDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range jsonFields(reflect.TypeFor[app.Status]()) {
		if !strings.Contains(string(doc), "`"+field+"`") {
			t.Errorf("docs/status.md does not mention %q", field)
		}
	}
}

// TestDoctorDocument: every field of the report is documented.
func TestDoctorDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/doctor.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range jsonFields(reflect.TypeFor[doctorReport]()) {
		if !strings.Contains(string(doc), "`"+field+"`") || !strings.Contains(string(doc), `"`+field+`":`) {
			t.Errorf("docs/doctor.md does not describe %q and show it", field)
		}
	}
}

// TestWhyDocument: every field of the explanation is documented.
func TestWhyDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/why.md")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("../../docs/status.md") // of the windows
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range jsonFields(reflect.TypeFor[watchdog.Why]()) {
		if all := string(doc) + string(status); !strings.Contains(all, "`"+field+"`") && !strings.Contains(all, "."+field+"`") {
			t.Errorf("docs/why.md does not mention %q", field)
		}
	}
}

// TestHistoryDocument: every field, kind and value of the history is documented.
func TestHistoryDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/history.md")
	if err != nil {
		t.Fatal(err)
	}
	words := slices.Concat(jsonFields(reflect.TypeFor[history]()), historyKinds(), []string{
		journal.ByOcwatch, journal.ByOpenClaw, journal.ByPerson, journal.ByOther, string(journal.EpisodeDepleted), string(journal.EpisodeBlind),
		string(journal.LoginCompleted), string(journal.LoginFailed), string(journal.LoginExpired), string(journal.LoginCancelled),
	})
	newHistoryCommand(&global{}).LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Shorthand != "" {
			words = append(words, "-"+f.Shorthand)
			return
		}
		words = append(words, "--"+f.Name)
	})
	for _, word := range words {
		if !strings.Contains(string(doc), "`"+word+"`") {
			t.Errorf("docs/history.md does not mention %q", word)
		}
	}
}

// jsonFields lists the JSON names below a type, once for each place.
func jsonFields(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return jsonFields(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	if t.PkgPath() == "time" {
		return nil
	}
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name != "" {
			names = append(names, name)
		}
		names = append(names, jsonFields(f.Type)...)
	}
	return names
}

// TestReadme: every command is in the README, and its config file loads.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range newRoot().Commands() {
		if cmd.Name() != "help" && cmd.Name() != "completion" && !strings.Contains(string(readme), "`ocwatch "+cmd.Name()) {
			t.Errorf("README.md does not mention ocwatch %s", cmd.Name())
		}
	}
	home := t.TempDir()
	dir := filepath.Join(home, ".config", "ocwatch")
	secretFile := filepath.Join(dir, "hook.secret")
	if err := errors.Join(
		os.MkdirAll(dir, 0o700),
		os.WriteFile(secretFile, []byte("whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32))), 0o600),
		os.WriteFile(filepath.Join(dir, "telegram.url"), []byte("telegram://123456:token@telegram?chats=42"), 0o600),
		os.WriteFile(filepath.Join(dir, "heartbeat.url"), []byte("https://example.com/ping/1"), 0o600),
		os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(fenced(t, string(readme), "yaml")), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(filepath.Join(dir, "config.yaml"), func(name string) string {
		if name == "HOME" {
			return home
		}
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Policy("openai").Prefer; len(got) != 2 || len(cfg.Notify.Webhooks) != 1 || len(cfg.Notify.Channels) != 2 {
		t.Errorf("the README's config means prefer %v, %d webhooks and %d channels", got, len(cfg.Notify.Webhooks), len(cfg.Notify.Channels))
	}
}

// fenced returns the first code block of a language.
func fenced(t *testing.T, doc, lang string) string {
	t.Helper()
	_, rest, ok := strings.Cut(doc, "```"+lang+"\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("no %s block", lang)
	}
	return block
}
