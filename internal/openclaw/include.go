package openclaw

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

const (
	includeKey     = "$include"
	maxIncludes    = 10 // nesting, OpenClaw's own limit
	maxConfigBytes = 2 << 20
	// maxIncludedFiles bounds the work of files that include one another many
	// times over.
	maxIncludedFiles = 200
)

// includer resolves $include: a file, or several merged in order; keys beside
// it win over what was included.
type includer struct {
	roots []string // no file outside these directories is read
	chain []string // the files being read, outermost first
	files *int     // how many were read in all
}

func (i *Install) includer() includer {
	roots := []string{filepath.Dir(i.ConfigPath)}
	for _, dir := range filepath.SplitList(i.getenv("OPENCLAW_INCLUDE_ROOTS")) {
		if dir = expand(dir, i.opts.Home); dir != "" {
			roots = append(roots, dir)
		}
	}
	return includer{roots: roots, chain: []string{i.ConfigPath}, files: new(int)}
}

func (n includer) parse(raw []byte) (any, error) {
	v, err := parseJSON5(raw)
	if err != nil {
		return nil, err
	}
	return n.resolve(v)
}

func (n includer) resolve(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		return n.resolveObject(v)
	case []any:
		for i := range v {
			var err error
			if v[i], err = n.resolve(v[i]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func (n includer) resolveObject(object map[string]any) (any, error) {
	spec, has := object[includeKey]
	delete(object, includeKey)
	for key, v := range object {
		var err error
		if object[key], err = n.resolve(v); err != nil {
			return nil, err
		}
	}
	if !has {
		return object, nil
	}
	included, err := n.load(spec)
	if err != nil || len(object) == 0 {
		return included, err
	}
	if _, ok := included.(map[string]any); !ok {
		return nil, errors.New("keys beside $include need an object to be merged into")
	}
	return merge(included, object), nil
}

func (n includer) load(spec any) (any, error) {
	switch spec := spec.(type) {
	case string:
		return n.loadFile(spec)
	case []any:
		var out any = map[string]any{}
		for _, item := range spec {
			name, ok := item.(string)
			if !ok {
				return nil, errors.New("$include lists something that is no file name")
			}
			v, err := n.loadFile(name)
			if err != nil {
				return nil, err
			}
			out = merge(out, v)
		}
		return out, nil
	default:
		return nil, errors.New("$include is neither a file name nor a list of them")
	}
}

func (n includer) loadFile(name string) (any, error) {
	path, err := n.locate(name)
	if err != nil {
		return nil, err
	}
	if *n.files++; *n.files > maxIncludedFiles {
		return nil, errors.New("too many included files")
	}
	raw, err := readFile(path, maxConfigBytes)
	if err != nil {
		return nil, fmt.Errorf("include %s: %w", name, err)
	}
	v, err := includer{roots: n.roots, chain: append(slices.Clip(n.chain), path), files: n.files}.parse(raw)
	if err != nil {
		return nil, fmt.Errorf("include %s: %w", name, err)
	}
	return v, nil
}

// locate confines includes to the config's directory, symbolic links followed.
func (n includer) locate(name string) (string, error) {
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(n.chain[len(n.chain)-1]), path)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", fmt.Errorf("include %s: %w", name, err)
	}
	if !slices.ContainsFunc(n.roots, func(root string) bool { return inside(root, resolved) }) {
		return "", fmt.Errorf("include %s: outside the config's directory and OPENCLAW_INCLUDE_ROOTS", name)
	}
	if slices.Contains(n.chain, filepath.Clean(path)) {
		return "", fmt.Errorf("include %s: includes itself", name)
	}
	if len(n.chain) > maxIncludes {
		return "", fmt.Errorf("include %s: nested more than %d deep", name, maxIncludes)
	}
	return filepath.Clean(path), nil
}

// inside reports whether the resolved path lies under root.
func inside(root, path string) bool {
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(root, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// merge lays over onto base: objects are merged, arrays joined, all else
// replaced.
func merge(base, over any) any {
	switch over := over.(type) {
	case map[string]any:
		if base, ok := base.(map[string]any); ok {
			for key, v := range over {
				if old, exists := base[key]; exists {
					v = merge(old, v)
				}
				base[key] = v
			}
			return base
		}
	case []any:
		if base, ok := base.([]any); ok {
			return append(slices.Clip(base), over...)
		}
	}
	return over
}
