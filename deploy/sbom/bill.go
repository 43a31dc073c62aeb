package main

import (
	"encoding/base64"
	"encoding/hex"
	"runtime/debug"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// bill lists the program, each module that is linked into it, and Go itself.
// The same program gives the same bill: it has no number of its own.
func bill(info *debug.BuildInfo, version string, on time.Time) *cyclonedx.BOM {
	program := &cyclonedx.Component{
		Type: cyclonedx.ComponentTypeApplication, Name: info.Main.Path, Version: version,
		BOMRef: purl(info.Main.Path, version), PackageURL: purl(info.Main.Path, version),
		Properties: settings(info),
	}
	goVersion := strings.TrimPrefix(info.GoVersion, "go")
	components := []cyclonedx.Component{library("std", goVersion, "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, library(m.Path, m.Version, m.Sum))
	}
	refs := make([]string, len(components))
	for i, c := range components {
		refs[i] = c.BOMRef
	}
	b := cyclonedx.NewBOM()
	b.Metadata = &cyclonedx.Metadata{Timestamp: on.UTC().Format(time.RFC3339), Component: program}
	b.Components = &components
	b.Dependencies = &[]cyclonedx.Dependency{{Ref: program.BOMRef, Dependencies: &refs}}
	return b
}

// settings are how the program was built; those that name the builder's own
// places are not among them with -trimpath.
func settings(info *debug.BuildInfo) *[]cyclonedx.Property {
	list := []cyclonedx.Property{{Name: "go:version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		list = append(list, cyclonedx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	return &list
}

func library(path, version, sum string) cyclonedx.Component {
	c := cyclonedx.Component{
		Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version,
		BOMRef: purl(path, version), PackageURL: purl(path, version), Scope: cyclonedx.ScopeRequired,
	}
	// go.sum's h1 is the SHA-256 of the list of the module's files.
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(raw) > 0 {
		c.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(raw)}}
	}
	return c
}

func purl(path, version string) string {
	u := "pkg:golang/" + path
	if version != "" {
		u += "@" + strings.ReplaceAll(version, "+", "%2B")
	}
	return u
}
