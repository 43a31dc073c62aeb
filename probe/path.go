package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Path leads to one value in a JSON answer: member names joined by dots, and
// [n] for an element of an array, counted from 0: "limits[0].used". A name with
// a dot, a bracket or a quote in it is written ["a.b"]. The zero Path leads
// nowhere.
type Path struct {
	text  string
	steps []step
}

// step is one member name, or an index where name is "" and at is not negative.
type step struct {
	name string
	at   int
}

// A path longer than these is a mistake, and each step costs a read of what is
// left of the answer.
const (
	maxPath  = 256
	maxSteps = 16
)

// ParsePath reads a path. Its errors say what is wrong and at which character,
// counted from 1.
func ParsePath(text string) (Path, error) {
	p := Path{text: text}
	if text == "" {
		return Path{}, errors.New("the path is empty; want one like limits[0].used")
	}
	if len(text) > maxPath {
		return Path{}, fmt.Errorf("the path has %d bytes; at most %d are read", len(text), maxPath)
	}
	for rest := text; rest != ""; {
		s, left, err := nextStep(rest, len(p.steps) == 0)
		if err != nil {
			return Path{}, fmt.Errorf("%w at character %d of %q", err, 1+len([]rune(text))-len([]rune(rest)), text)
		}
		p.steps = append(p.steps, s)
		rest = left
	}
	if len(p.steps) > maxSteps {
		return Path{}, fmt.Errorf("the path has %d steps; at most %d are followed", len(p.steps), maxSteps)
	}
	return p, nil
}

// nextStep takes one step off the front of text.
func nextStep(text string, first bool) (s step, rest string, err error) {
	if inner, ok := strings.CutPrefix(text, "["); ok {
		return bracketed(inner)
	}
	name := text
	if !first {
		var dotted bool
		if name, dotted = strings.CutPrefix(text, "."); !dotted {
			return step{}, "", errors.New("want a dot or a bracket")
		}
	}
	end := strings.IndexAny(name, ".[")
	if end < 0 {
		end = len(name)
	}
	name, rest = name[:end], name[end:]
	if name == "" || strings.ContainsAny(name, "]\"") {
		return step{}, "", errors.New("want a member's name")
	}
	return step{name: name, at: -1}, rest, nil
}

// bracketed reads what follows an opening bracket: an index or a quoted name.
func bracketed(inner string) (s step, rest string, err error) {
	if strings.HasPrefix(inner, `"`) {
		quoted, err := strconv.QuotedPrefix(inner)
		if err != nil {
			return step{}, "", errors.New("the quoted name has no end")
		}
		name, err := strconv.Unquote(quoted)
		rest, closed := strings.CutPrefix(inner[len(quoted):], "]")
		if err != nil || !closed || name == "" {
			return step{}, "", errors.New(`want a quoted name, ["a.b"]`)
		}
		return step{name: name, at: -1}, rest, nil
	}
	index, rest, closed := strings.Cut(inner, "]")
	at, err := strconv.ParseUint(index, 10, 16)
	if err != nil || !closed {
		return step{}, "", errors.New("want an index from 0, [n]")
	}
	return step{at: int(at)}, rest, nil
}

// IsZero reports the path that leads nowhere.
func (p Path) IsZero() bool { return len(p.steps) == 0 }

// String returns the path as ParsePath reads it.
func (p Path) String() string { return p.text }

// MarshalText returns String.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// head is the member of the answer that the path begins with.
func (p Path) head() string {
	if p.IsZero() {
		return ""
	}
	return p.steps[0].name
}

// found is the member under which find hands over what it found.
const found = "found"

// find follows p into o. What it finds is returned as the only member of an
// object, found, to be read as loosely as any other; nil where nothing is there,
// or null.
func (p Path) find(o object) object {
	var at json.RawMessage
	for i, s := range p.steps {
		if i > 0 {
			o, _ = parseObject(at)
		}
		if s.name != "" {
			at = o[s.name]
			continue
		}
		var elements []json.RawMessage
		if json.Unmarshal(at, &elements) != nil || s.at >= len(elements) {
			return nil
		}
		at = elements[s.at]
	}
	if value := (object{found: at}); value.has(found) {
		return value
	}
	return nil
}
