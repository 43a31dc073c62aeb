package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rs/zerolog"
)

const token = "sk-test-abcdef0123456789"

// holder has a Value in each place where a printer may meet one.
type holder struct {
	Exported Value
	Pointer  *Value
	List     []Value
	Map      map[Value]Value
	hidden   Value
}

func newHolder() holder {
	v := New(token)
	return holder{Exported: v, Pointer: &v, List: []Value{v}, Map: map[Value]Value{v: v}, hidden: v}
}

func TestNoFormatShowsTheSecret(t *testing.T) {
	h := newHolder()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p"} {
		for name, x := range map[string]any{"value": h.Exported, "pointer": h.Pointer, "holder": h, "pointer to holder": &h, "list": h.List} {
			if out := fmt.Sprintf(verb, x); leaks(out) {
				t.Errorf("%s of %s: %s", verb, name, out)
			}
		}
	}
}

func TestNoEncoderShowsTheSecret(t *testing.T) {
	h := newHolder()
	doc, err := json.Marshal(h)
	if err != nil || leaks(string(doc)) {
		t.Errorf("json: %s, %v", doc, err)
	}
	if doc, err = yaml.Marshal(h.List); err != nil || leaks(string(doc)) {
		t.Errorf("yaml: %s, %v", doc, err)
	}
	var buf bytes.Buffer
	log := zerolog.New(&buf)
	log.Info().Interface("h", h).Any("v", h.Exported).Stringer("s", h.Exported).Msgf("%v", h)
	slog.New(slog.NewJSONHandler(&buf, nil)).Info("x", "h", h, "v", h.Exported)
	slog.New(slog.NewTextHandler(&buf, nil)).Info("x", "h", h, "v", h.Exported)
	if leaks(buf.String()) {
		t.Errorf("log: %s", buf.String())
	}
	if !strings.Contains(buf.String(), Redacted) {
		t.Errorf("log shows no placeholder: %s", buf.String())
	}
}

// leaks looks for the secret as it is, in hexadecimal, and in part.
func leaks(out string) bool {
	return strings.Contains(out, "abcdef") || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", "abcdef"))
}

func TestValue(t *testing.T) {
	if v := New(token); v.Reveal() != token || v.Empty() || v != New(token) || v == New("other") {
		t.Errorf("value %v", v)
	}
	if v := New(""); v.Reveal() != "" || !v.Empty() || v.String() != "" || v != (Value{}) {
		t.Errorf("empty value %v", v)
	}
}
