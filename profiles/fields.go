package profiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// errNotObject is all that is ever said of a malformed document: the errors of
// encoding/json can quote what they met.
var errNotObject = errors.New("not a JSON object")

// entry is one JSON object, whose fields are looked at one by one, so that one
// odd field never hides the others.
type entry map[string]json.RawMessage

// named is one member of a JSON object.
type named struct {
	name  string
	value json.RawMessage
}

// members decodes an object and keeps its order, which is OpenClaw's order of
// profiles. A name that occurs twice keeps its first place and its last value,
// as in JavaScript.
func members(raw json.RawMessage) ([]named, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	var list []named
	at := map[string]int{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errNotObject
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errNotObject
		}
		if i, twice := at[name]; twice {
			list[i].value = value
			continue
		}
		at[name] = len(list)
		list = append(list, named{name, value})
	}
	if _, err := dec.Token(); err != nil {
		return nil, errNotObject
	}
	return list, nil
}

// object is members for where the order does not matter; nil where raw is none.
func object(raw json.RawMessage) entry {
	list, err := members(raw)
	if err != nil {
		return nil
	}
	e := make(entry, len(list))
	for _, m := range list {
		e[m.name] = m.value
	}
	return e
}

// has reports whether the field is there and not null.
func (e entry) has(name string) bool {
	v, ok := e[name]
	return ok && string(v) != "null"
}

// text gives a field's string without the space around it, "" for anything
// that is no string.
func (e entry) text(name string) string {
	var s string
	if json.Unmarshal(e[name], &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// flag gives a field that is literally true.
func (e entry) flag(name string) bool { return string(e[name]) == "true" }

const (
	// maxMillis is where JavaScript's dates end; OpenClaw takes anything later
	// for no date at all.
	maxMillis = 864e13
	// lastMillis is the end of the year 9999, beyond which a time.Time has no
	// JSON. Such a date is the same to everybody: never.
	lastMillis = 253402300799000
)

// millis gives a field of epoch milliseconds; ok is false for what OpenClaw
// takes for no date: another type, zero, negative, too large.
func (e entry) millis(name string) (at time.Time, ok bool) {
	n, ok := e.number(name)
	if !ok || n < 1 || n > maxMillis {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(min(n, lastMillis))).UTC(), true
}

func (e entry) number(name string) (float64, bool) {
	n, err := strconv.ParseFloat(string(e[name]), 64)
	return n, err == nil
}
