package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/probe"
)

// parsers read the types that are one scalar in the file. The library's own
// decoder would lose the line of a value that a type refuses, stop at the first
// mistake, and print the lines around it, secrets included; so its parser
// reads the file, and the walk over the tree is ours.
var parsers = map[reflect.Type]func(string) (any, error){
	reflect.TypeFor[string]():        parser(parsePlain),
	reflect.TypeFor[float64]():       parser(parsePercent),
	reflect.TypeFor[time.Duration](): parser(parseDuration),
	reflect.TypeFor[Schedule]():      parser(ParseSchedule),
	reflect.TypeFor[Budget]():        parser(ParseBudget),
	reflect.TypeFor[Argv]():          parser(ParseArgv),
	reflect.TypeFor[event.Type]():    parser(parseEvent),
	reflect.TypeFor[secret.Value]():  parser(parseSecret),
	reflect.TypeFor[probe.Path]():    parser(probe.ParsePath),
	reflect.TypeFor[Text]():          parser(parseText),
}

func parser[T any](parse func(string) (T, error)) func(string) (any, error) {
	return func(text string) (any, error) { return parse(text) }
}

// decoder walks the tree of one file and collects everything that is wrong
// with it.
type decoder struct {
	env     func(string) string
	lines   map[string]int // of every key path that the file sets
	inPlace []string       // key paths of secrets that stand in the file itself
	// secretEnv are the variables that secrets came from.
	secretEnv []string
	problems  []problem
}

// problem is one thing that is wrong, and where.
type problem struct {
	line int
	text string
}

func (d *decoder) fail(line int, format string, args ...any) {
	d.problems = append(d.problems, problem{line: line, text: fmt.Sprintf(format, args...)})
}

// failAt is fail on the line that sets path, or on that of the nearest parent
// which the file has.
func (d *decoder) failAt(path, format string, args ...any) {
	where := ""
	if path != "" {
		where = short(path) + ": "
	}
	d.fail(d.lineOf(path), "%s%s", where, fmt.Sprintf(format, args...))
}

func (d *decoder) lineOf(path string) int {
	for path != "" {
		if line, ok := d.lines[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return max(1, d.lines[""])
}

// value decodes node into v. An empty mapping or list leaves v as it is.
func (d *decoder) value(node ast.Node, v reflect.Value, path string) {
	switch n := node.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		d.failAt(path, "anchors (&) and aliases (*) are not supported; a value that begins with * needs quotes")
		return
	case *ast.TagNode:
		d.failAt(path, "tags (%s) are not supported", n.Start.Value)
		return
	}
	t := v.Type()
	if parse, leaf := parsers[t]; leaf {
		d.leaf(node, v, path, parse)
		return
	}
	if t.Kind() == reflect.Pointer {
		v.Set(reflect.New(t.Elem()))
		d.value(node, v.Elem(), path)
		return
	}
	if _, empty := node.(*ast.NullNode); empty {
		return
	}
	switch t.Kind() { //nolint:exhaustive // what a Config is made of
	case reflect.Struct:
		d.structure(node, v, path)
	case reflect.Map:
		d.mapping(node, v, path)
	case reflect.Slice:
		d.list(node, v, path)
	}
}

// structure decodes a mapping whose keys are known.
func (d *decoder) structure(node ast.Node, v reflect.Value, path string) {
	known := keysOf(v.Type())
	d.each(node, path, func(key, at string, line int, value ast.Node) {
		if i := slices.Index(known, key); i >= 0 {
			d.value(value, v.Field(i), at)
			return
		}
		d.unknown(key, at, line, known)
	})
}

// unknown says what was probably meant by a key that does not exist.
func (d *decoder) unknown(key, at string, line int, known []string) {
	if nearest(key, known) == "" {
		if path := elsewhere(key); path != "" {
			d.fail(line, "unknown key %s; did you mean %s?", at, path)
			return
		}
	}
	d.fail(line, "unknown key %s%s", short(at), meant(key, known))
}

// mapping decodes settings by provider id, or numbers by profile id. What a
// provider has by default stays where the file does not change it.
func (d *decoder) mapping(node ast.Node, v reflect.Value, path string) {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	d.each(node, path, func(key, at string, line int, value ast.Node) {
		switch byProfile := v.Type().Elem().Kind() == reflect.Float64; {
		case byProfile && !isProfileID(key):
			d.fail(line, "%s: not a profile id, like openai:work (within braces: \"openai:work\"); `openclaw models status` lists them", short(at))
			return
		case !byProfile && !providerID.MatchString(key):
			d.fail(line, "%s: not a provider id, like openai or anthropic", short(at))
			return
		}
		entry := reflect.New(v.Type().Elem()).Elem()
		if had := v.MapIndex(reflect.ValueOf(key)); had.IsValid() {
			entry.Set(had)
		}
		d.value(value, entry, at)
		v.SetMapIndex(reflect.ValueOf(key), entry)
	})
}

// each calls f for each key of a mapping, and records its line.
func (d *decoder) each(node ast.Node, path string, f func(key, at string, line int, value ast.Node)) {
	m, ok := node.(ast.MapNode)
	if !ok {
		d.failAt(path, "want a mapping (key: value), not %s", kindOf(node))
		return
	}
	for pairs := m.MapRange(); pairs.Next(); {
		key, ok := pairs.Key().(*ast.StringNode)
		line := pairs.Key().GetToken().Position.Line
		if !ok {
			d.fail(line, "%s: want a plain word as the key", strings.TrimPrefix(path+".?", "."))
			continue
		}
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		d.lines[at] = line
		f(key.Value, at, line, pairs.Value())
	}
}

func (d *decoder) list(node ast.Node, v reflect.Value, path string) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		d.failAt(path, "want a list ([a, b]), not %s", kindOf(node))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values))
	for i, item := range sequence.Values {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = lineOfNode(item, d.lineOf(path))
		d.value(item, out.Index(i), at)
	}
	v.Set(out)
}
