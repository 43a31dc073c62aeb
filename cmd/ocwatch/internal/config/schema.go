package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/failover"
	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/probe"
)

// object is a JSON Schema, or a part of one.
type object map[string]any

// Schema writes the JSON Schema of the config file, for editors. It is made of
// the types that the file is decoded into, so it has every key and no other, and
// of keyDocs, which the documentation is written from too.
// What holds between keys only Load knows.
func Schema(w io.Writer) error {
	root := schemaOf(reflect.TypeFor[Config](), "", reflect.ValueOf(*Default()))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(root)
}

// schemaOf walks as keyPaths does. def is what holds by default, the zero Value
// where there is none.
func schemaOf(t reflect.Type, path string, def reflect.Value) object {
	if _, leaf := parsers[t]; leaf {
		return leafSchema(t, path, def)
	}
	switch t.Kind() { //nolint:exhaustive // what a Config is made of
	case reflect.Pointer:
		return schemaOf(t.Elem(), path, reflect.Value{})
	case reflect.Struct:
		properties := object{}
		for i, key := range keysOf(t) {
			var inner reflect.Value
			if def.IsValid() {
				inner = def.Field(i)
			}
			properties[key] = schemaOf(t.Field(i).Type, strings.TrimPrefix(path+"."+key, "."), inner)
		}
		return described(object{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}, path)
	case reflect.Map:
		name, shape := "<provider>", providerID.String()
		if t.Elem().Kind() == reflect.Float64 {
			name, shape = "<profile>", "^[^:]+:.+$"
		}
		return object{
			"type": []string{"object", "null"}, "propertyNames": object{"pattern": shape},
			"additionalProperties": schemaOf(t.Elem(), path+"."+name, reflect.Value{}),
		}
	default: // a list
		return described(object{"type": []string{"array", "null"}, "items": schemaOf(t.Elem(), path+"[]", reflect.Value{})}, path)
	}
}

// described adds what the documentation says of the key.
func described(s object, path string) object {
	if k, ok := keyDocs[path]; ok {
		s["description"] = k.description(s["default"] != nil)
	}
	return s
}

func leafSchema(t reflect.Type, path string, def reflect.Value) object {
	s := shapeOf(t)
	if words := enums()[path]; words != nil {
		block := object{"type": "string", "pattern": `\$\{|^(` + strings.Join(words, "|") + `)\n$`} // or a literal block
		s = object{"anyOf": []object{{"enum": words}, block}}
	}
	if text := defaultText(def); text != nil {
		s["default"] = text
	}
	if _, least, most, ok := keyDocs[path].bounds(); ok && t == reflect.TypeFor[float64]() {
		percent(s, least, most)
	}
	return described(s, path)
}

// percent narrows a percentage to its own range. Durations are text, of which a
// schema cannot tell how long they are: their descriptions do.
func percent(s object, least, most string) {
	from, _ := strconv.ParseFloat(least, 64) // a test reads them all
	to, _ := strconv.ParseFloat(most, 64)
	s["anyOf"] = []object{{"type": "number", "minimum": from, "maximum": to}, fromEnvironment}
}

// fromEnvironment: any value can be an environment variable's.
var fromEnvironment = object{"type": "string", "pattern": `\$\{`}

const (
	number   = `([0-9]+(\.[0-9]*)?|\.[0-9]+)`
	duration = `([0-9]+d)?(` + number + `(ns|us|µs|ms|s|m|h))*`
)

// shapeOf says how the scalar is written. A number is text too: YAML has no
// quotes around most.
func shapeOf(t reflect.Type) object {
	or := func(s ...object) object { return object{"anyOf": append(s, fromEnvironment)} }
	switch t {
	case reflect.TypeFor[float64]():
		return or(object{"type": "number", "minimum": 0, "maximum": 100})
	case reflect.TypeFor[time.Duration]():
		return or(object{"type": "string", "pattern": "^" + duration + "$", "minLength": 1}, object{"const": 0})
	case reflect.TypeFor[Budget]():
		return or(object{"type": "string", "pattern": "^ *[0-9]+ */ *" + duration + " *$"})
	case reflect.TypeFor[Schedule]():
		return object{"type": "string", "minLength": 2}
	case reflect.TypeFor[Argv]():
		text := []string{"string", "number"}
		return object{"anyOf": []object{{"type": text}, {"type": "array", "items": object{"type": text}}}}
	case reflect.TypeFor[event.Type]():
		return or(object{"enum": event.Types()})
	case reflect.TypeFor[string](), reflect.TypeFor[secret.Value](), reflect.TypeFor[probe.Path](), reflect.TypeFor[Text]():
		return object{"type": []string{"string", "number"}}
	}
	panic(fmt.Sprintf("no schema for a key of type %s", t)) // a test walks them all
}

// defaultText is def as it is written in the file, nil where there is none to
// speak of.
func defaultText(def reflect.Value) any {
	if !def.IsValid() || def.IsZero() {
		return nil
	}
	switch v := def.Interface().(type) {
	case secret.Value:
		return nil
	case time.Duration:
		return formatDuration(v)
	case encoding.TextMarshaler:
		text, err := v.MarshalText()
		if err != nil {
			return nil
		}
		return string(text)
	default:
		return v
	}
}

// enums are the words that a key may have. TestSchemaEnums holds them to what
// Load allows.
func enums() map[string][]string {
	var strategies []string
	for _, s := range failover.Strategies() {
		strategies = append(strategies, string(s))
	}
	paid := []string{string(failover.PaidLast), string(failover.PaidNever)}
	const windows = "probe.providers.<provider>.generic."
	return map[string][]string{
		"failover.strategy": strategies, "failover.pools.<provider>.strategy": strategies,
		"failover.paid": paid, "failover.pools.<provider>.paid": paid,
		"restart.when":    {RestartAuto, RestartIdle, RestartAlways, RestartNever},
		"restart.via":     {ViaAuto, ViaRPC, ViaSystemd, ViaSystemdUser, ViaSystemdSystem, ViaCLI, ViaCommand},
		"notify.language": languages, "notify.webhooks[].language": languages, "notify.channels[].language": languages,
		"log.level": {"debug", "info", "warn", "error"}, "log.format": {"auto", "console", "json"},
		windows + "types[]":              {"oauth", "token", "api_key"},
		windows + "windows[].unit":       {string(probe.Percent), string(probe.Fraction)},
		windows + "windows[].reset_unit": {string(probe.RFC3339), string(probe.EpochSeconds), string(probe.EpochMillis), string(probe.SecondsLeft)},
	}
}
