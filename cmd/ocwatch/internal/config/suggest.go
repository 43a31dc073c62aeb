package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// distance is how many letters must be changed, added or left out to make a
// into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// nearest returns the one of known that word most likely meant, or "".
func nearest(word string, known []string) string {
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	best, least := "", 1+len(word)/3
	for _, k := range known {
		d := distance(word, strings.ReplaceAll(k, "-", "_"))
		if len(word) > 2 && (strings.HasPrefix(k, word) || strings.HasPrefix(word, k)) {
			d = 1 // "warning" for warn
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// oneOf lists words for a sentence: "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// meant is the end of a sentence about an unknown word: what was probably
// meant, else everything that is known.
func meant(word string, known []string) string {
	if len(word) > 64 {
		return fmt.Sprintf("; want %s", oneOf(known))
	}
	if near := nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Sprintf("; want %s", oneOf(known))
}

// keysOf returns the keys of a struct type, in the order of its fields. Those
// that are not exported have none, and stand last.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		if f.IsExported() {
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			keys = append(keys, key)
		}
	}
	return keys
}

// Keys returns every key of the file, as paths: "probe.every",
// "failover.pools.<provider>.prefer", "notify.webhooks[].url".
func Keys() []string { return keyPaths(reflect.TypeFor[Config](), "") }

func keyPaths(t reflect.Type, prefix string) []string {
	if _, leaf := parsers[t]; leaf {
		return []string{prefix}
	}
	switch t.Kind() { //nolint:exhaustive // the kinds that hold further keys; all else is a leaf
	case reflect.Struct:
		var paths []string
		for i, key := range keysOf(t) {
			paths = append(paths, keyPaths(t.Field(i).Type, strings.TrimPrefix(prefix+"."+key, "."))...)
		}
		return paths
	case reflect.Map:
		if t.Elem().Kind() == reflect.Float64 {
			return []string{prefix + ".<profile>"}
		}
		return keyPaths(t.Elem(), prefix+".<provider>")
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return keyPaths(t.Elem(), prefix+"[]")
		}
	}
	return []string{prefix}
}

// elsewhere returns the path of a key that was written at the wrong place, or
// "".
func elsewhere(key string) string {
	paths := Keys()
	i := slices.IndexFunc(paths, func(p string) bool { return strings.HasSuffix(p, "."+key) })
	if i < 0 {
		return ""
	}
	return paths[i]
}
