package config

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// leaf decodes a scalar; an Argv may be a list as well.
func (d *decoder) leaf(node ast.Node, v reflect.Value, path string, parse func(string) (any, error)) {
	if _, isList := node.(*ast.SequenceNode); isList && v.Type() == reflect.TypeFor[Argv]() {
		var args []string
		d.list(node, reflect.ValueOf(&args).Elem(), path)
		v.Set(reflect.ValueOf(Argv(args)))
		return
	}
	raw, ok := scalar(node)
	if !ok {
		d.failAt(path, "want a single value, not %s", kindOf(node))
		return
	}
	if strings.Contains(raw, secret.Redacted) {
		d.failAt(path, "%s stands for a secret that was left out; put the real value", secret.Redacted)
		return
	}
	text, names, err := expand(raw, d.env)
	if err != nil {
		d.failAt(path, "%v", err)
		return
	}
	parsed, err := parse(text)
	switch {
	case err != nil && len(names) > 0:
		// What came from the environment may be a secret at the wrong place.
		d.failAt(path, "the value of %s does not fit here", short(raw))
	case err != nil:
		d.failAt(path, "%v", err)
	default:
		d.set(v, parsed, path, names)
	}
}

func (d *decoder) set(v reflect.Value, parsed any, path string, names []string) {
	if s, isSecret := parsed.(secret.Value); isSecret && !s.Empty() {
		if len(names) == 0 {
			d.inPlace = append(d.inPlace, path)
		}
		d.secretEnv = append(d.secretEnv, names...)
	} else if webhookURL.MatchString(path) {
		d.secretEnv = append(d.secretEnv, names...)
	}
	v.Set(reflect.ValueOf(parsed))
}

// webhookURL are the addresses that are shown without their paths, since many
// receivers hide a token there.
var webhookURL = regexp.MustCompile(`^notify\.webhooks\[\d+\]\.url$`)

// scalar returns a scalar as it was written, without quotes.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimSuffix(n.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	case ast.MapNode:
		return rejoin(n)
	}
	return "", false
}

// rejoin returns "openai:work", which YAML takes for one word, where the
// library took it for a mapping: it does so within braces.
func rejoin(m ast.MapNode) (string, bool) {
	pairs := m.MapRange()
	if !pairs.Next() {
		return "", false
	}
	key, isWord := pairs.Key().(*ast.StringNode)
	value, isScalar := pairs.Value().(ast.ScalarNode)
	if !isWord || !isScalar || pairs.Next() {
		return "", false
	}
	from, to := key.Token, value.GetToken()
	if from.Type != token.StringType || from.Position.Line != to.Position.Line ||
		from.Position.Column+len([]rune(key.Value))+1 != to.Position.Column {
		return "", false
	}
	text, ok := scalar(value)
	return key.Value + ":" + text, ok
}

// kindOf names what a node is.
func kindOf(node ast.Node) string {
	switch node.(type) {
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a mapping"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NanNode, *ast.InfinityNode:
		return "infinity or what is no number"
	}
	return "a single value"
}

func lineOfNode(node ast.Node, otherwise int) int {
	if node == nil || node.GetToken() == nil {
		return otherwise
	}
	return node.GetToken().Position.Line
}

// short keeps a message readable, whatever stands in the file.
func short(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}
