package config

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/probe"
)

// Generic says how a provider's answer is read, in the owner's words. Load holds
// it to its own sample.
type Generic struct {
	// Types are the profile types that are asked so; empty means all.
	Types []string `yaml:"types,omitempty"`
	// Header carries the token, at {token}.
	Header  string          `yaml:"header,omitempty"`
	Windows []GenericWindow `yaml:"windows,omitempty"`
	Plan    probe.Path      `yaml:"plan,omitzero"`
	Credits GenericCredits  `yaml:"credits,omitzero"`
	// Sample is an answer of the provider, as JSON.
	Sample     Text   `yaml:"sample,omitempty"`
	SampleFile string `yaml:"sample_file,omitempty"`
}

// GenericWindow is one window of the answer.
type GenericWindow struct {
	Name      string     `yaml:"name"`
	Scope     string     `yaml:"scope,omitempty"`
	Used      probe.Path `yaml:"used,omitzero"`
	Remaining probe.Path `yaml:"remaining,omitzero"`
	Limit     probe.Path `yaml:"limit,omitzero"`
	Unit      string     `yaml:"unit,omitempty"` // percent or fraction
	Reset     probe.Path `yaml:"reset,omitzero"`
	ResetUnit string     `yaml:"reset_unit,omitempty"`
	// Want is the used percentage that the sample must read as.
	Want *float64 `yaml:"want,omitempty"`
}

// GenericCredits are prepaid credits.
type GenericCredits struct {
	Balance probe.Path `yaml:"balance,omitzero"`
	Unit    string     `yaml:"unit,omitempty"`
}

// Text is a value of any number of lines.
type Text string

func parseText(text string) (Text, error) { return Text(text), nil }

// Probe returns what a probe.Prober goes by, nil where nothing is set.
func (g Generic) Probe() *probe.Generic {
	if len(g.Windows) == 0 && g.Credits.Balance.IsZero() {
		return nil
	}
	out := &probe.Generic{
		Types: g.Types, Header: g.Header, Plan: g.Plan, Balance: g.Credits.Balance, BalanceUnit: g.Credits.Unit,
	}
	for _, w := range g.Windows {
		out.Windows = append(out.Windows, probe.GenericWindow{
			Name: w.Name, Scope: w.Scope, Used: w.Used, Remaining: w.Remaining, Limit: w.Limit, Unit: probe.ShareUnit(w.Unit),
			Reset: w.Reset, ResetUnit: probe.ResetUnit(w.ResetUnit), Want: w.Want,
		})
	}
	return out
}

// sample fills g.Sample from its file, where one is named.
func (d *decoder) sample(g *Generic, key, dir string) {
	if g.SampleFile == "" {
		return
	}
	if g.Sample != "" {
		d.failAt(key+"_file", "%s is set too; keep one of the two", key)
		return
	}
	d.path(&g.SampleFile, key+"_file", dir)
	text, err := readSample(g.SampleFile)
	if err != nil {
		d.failAt(key+"_file", "%v", err)
		return
	}
	g.Sample = text
}

func readSample(path string) (Text, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err // "stat PATH: why" says it all
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a file", path)
	case info.Size() > maxSize:
		return "", fmt.Errorf("%s is %d bytes; at most %d are read", path, info.Size(), maxSize)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err // "open PATH: why" says it all
	}
	defer f.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err == nil && len(text) == 0 {
		err = fmt.Errorf("%s is empty", path)
	}
	return Text(text), err // "read PATH: why" says it all
}

// generic checks how a provider is read against the answer beside it.
func (d *decoder) generic(path string, p Provider) {
	g := p.Generic
	if g.SampleFile != "" && g.Sample == "" {
		return // it could not be read, which was said
	}
	if p.URL == "" {
		d.failAt(path+".generic", "there is nowhere to ask; set %s.url", path)
	}
	path += ".generic"
	before := len(d.problems)
	for i, t := range g.Types {
		d.choice(fmt.Sprintf("%s.types[%d]", path, i), t, "oauth", "token", "api_key")
	}
	unique(d, path+".types", g.Types)
	for i, w := range g.Windows {
		at := fmt.Sprintf("%s.windows[%d]", path, i)
		if w.Unit != "" {
			d.choice(at+".unit", w.Unit, string(probe.Percent), string(probe.Fraction))
		}
		if w.ResetUnit != "" {
			d.choice(at+".reset_unit", w.ResetUnit, string(probe.RFC3339), string(probe.EpochSeconds), string(probe.EpochMillis), string(probe.SecondsLeft))
		}
	}
	if len(d.problems) > before {
		return
	}
	if g.Credits.Unit != "" && g.Credits.Balance.IsZero() {
		d.failAt(path+".credits.unit", "never used without credits.balance")
	}
	probed := g.Probe()
	if probed == nil {
		probed = &probe.Generic{Header: g.Header}
	}
	for _, fault := range probed.Check([]byte(g.Sample)) {
		at := path + "." + fault.At
		if fault.At == "sample" && g.SampleFile != "" {
			at += "_file"
		}
		d.failAt(at, "%s", fault.What)
	}
}

// live checks the profiles that may be asked with real requests.
func (d *decoder) live(ids []string) {
	known := probe.LiveProviders()
	for i, id := range ids {
		at := fmt.Sprintf("probe.live[%d]", i)
		provider, _, _ := strings.Cut(id, ":")
		switch {
		case !isProfileID(id):
			d.failAt(at, "%q is not a profile id, like anthropic:server; `openclaw models status` lists them", short(id))
		case !slices.Contains(known, quota.Canonical(provider)):
			d.failAt(at, "%s has no live probe; only profiles of %s have", short(provider), oneOf(known))
		}
	}
	unique(d, "probe.live", ids)
}
