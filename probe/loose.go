package probe

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// object is a JSON object read loosely: each member is decoded by itself, so
// that one member of the wrong type costs that member and nothing else. Usage
// endpoints are not documented, and change without notice.
type object map[string]json.RawMessage

// parseObject returns the object in b, and false where b is anything else.
func parseObject(b []byte) (object, bool) {
	var o object
	if err := json.Unmarshal(b, &o); err != nil || o == nil {
		return nil, false
	}
	return o, true
}

// sub returns the object under key, nil where there is none.
func (o object) sub(key string) object {
	s, _ := parseObject(o[key])
	return s
}

// list returns the objects in the array under key, at most maxEntries, and
// drops whatever else stands in it.
func (o object) list(key string) []object {
	var raw []json.RawMessage
	if json.Unmarshal(o[key], &raw) != nil {
		return nil
	}
	var objects []object
	for _, r := range raw {
		if e, ok := parseObject(r); ok && len(objects) < maxEntries {
			objects = append(objects, e)
		}
	}
	return objects
}

// maxEntries bounds what one answer can make us keep.
const maxEntries = 32

// has reports whether key is there and not null.
func (o object) has(key string) bool {
	raw := bytes.TrimSpace(o[key])
	return len(raw) > 0 && !bytes.Equal(raw, []byte("null"))
}

// text returns the string under key, "" where there is none.
func (o object) text(key string) string {
	var s string
	if json.Unmarshal(o[key], &s) != nil {
		return ""
	}
	return s
}

// word returns the string under key, or the number there as it is spelled.
func (o object) word(key string) string {
	if s := o.text(key); s != "" {
		return s
	}
	if _, ok := o.number(key); ok {
		return string(bytes.TrimSpace(o[key]))
	}
	return ""
}

// number returns the finite number under key, which may be spelled as a string.
func (o object) number(key string) (float64, bool) {
	if !o.has(key) {
		return 0, false
	}
	s := o.text(key)
	if s == "" {
		s = string(bytes.TrimSpace(o[key]))
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// first returns the first number in the array under key.
func (o object) first(key string) (float64, bool) {
	var list []json.RawMessage
	if json.Unmarshal(o[key], &list) != nil || len(list) == 0 {
		return 0, false
	}
	return object{"": list[0]}.number("")
}

// flag returns the boolean under key and whether there is one.
func (o object) flag(key string) (value, known bool) {
	s := o.text(key)
	if s == "" {
		s = string(bytes.TrimSpace(o[key]))
	}
	switch strings.ToLower(s) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// instant returns the time under key: RFC 3339, or seconds (or milliseconds)
// since 1970 as a number or a string. Zero where there is none, and where it
// could not be written down again: JSON stops at the year 9999.
func (o object) instant(key string) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, o.text(key)); err == nil {
		return writable(t.UTC())
	}
	seconds, ok := o.number(key)
	if !ok || seconds <= 0 {
		return time.Time{}
	}
	if seconds > 1e11 { // the year 5138 in seconds, 1973 in milliseconds
		seconds /= 1000
	}
	if seconds > 1e12 {
		return time.Time{}
	}
	return writable(time.Unix(int64(seconds), 0).UTC())
}

func writable(t time.Time) time.Time {
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// seconds returns the span under key, which counts seconds, and whether there
// is a believable one: negative and longer than horizon are not.
func (o object) seconds(key string) (time.Duration, bool) {
	s, ok := o.number(key)
	if !ok || s < 0 || s > horizon.Seconds() {
		return 0, false
	}
	return time.Duration(s * float64(time.Second)), true
}

// label makes a provider's word fit to be shown on a terminal, in a log and in
// a chat: printable, one line, at most 64 characters.
func label(s string) string { return clip(s, 64) }

func clip(s string, longest int) string {
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, s)
	if runes := []rune(clean); len(runes) > longest {
		clean = string(runes[:longest])
	}
	return strings.TrimSpace(clean)
}
