package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ocwatch/ocwatch/cmd/ocwatch/internal/app"
	"github.com/ocwatch/ocwatch/failover/watchdog"
)

// forged is what a provider, a profile's name or an error may say: it would
// clear the screen, and pass for a line of ours.
const forged = "a\x1b[2J\r\nforged: line\u202e"

// TestNothingForgesTheTerminal: whatever the names are that providers, OpenClaw
// and errors give, a terminal shows them and does nothing else.
func TestNothingForgesTheTerminal(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	var status app.Status
	var why watchdog.Why
	var entry historyEntry
	var report doctorReport
	for _, v := range []any{&status, &why, &entry, &report} {
		fill(reflect.ValueOf(v).Elem())
	}
	var table, examined strings.Builder
	if err := errors.Join(writeTable(&table, status, look{}, now), writeReport(&examined, report, look{})); err != nil {
		t.Fatal(err)
	}
	told := map[string]string{"status": table.String(), "why": whyText(why, usualWidth, now), "doctor": examined.String()}
	for _, columns := range []int{30, 200} {
		var b strings.Builder
		if err := writeTable(&b, status, drawing(columns, false), now); err != nil {
			t.Fatal(err)
		}
		told[fmt.Sprintf("status in %d columns", columns)] = b.String()
	}
	for _, kind := range historyKinds() {
		entry.Kind = kind
		told["history of "+kind] = historyText([]historyEntry{entry}, usualWidth, now)
	}
	for what, text := range told {
		if !strings.Contains(text, "forged") {
			t.Errorf("%s shows nothing: %q", what, text)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "forged") {
				t.Errorf("%s has a line that is not ours: %q", what, line)
			}
		}
		if strings.ContainsFunc(strings.ReplaceAll(text, "\n", ""), func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("%s has what a terminal obeys: %q", what, text)
		}
	}
}

// fill gives every text below v the forged one, and every list one element.
func fill(v reflect.Value) {
	own := v.Kind() == reflect.String && v.Type() != reflect.TypeFor[string]() // words of ours
	if !v.CanSet() || own || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(forged)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(f)
		}
	default:
	}
}
