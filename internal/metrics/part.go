package metrics

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// part is a part of the answer: gauges, by family. It writes Prometheus' text
// format itself. The library would copy, check and sort each series at each
// scrape, which for a thousand accounts takes ten times as long as all the rest;
// what it checks, the tests do.
type part struct{ families []*family }

// family adds a family of gauges. Its name, help and labels are a contract.
func (p *part) family(name, help string) *family {
	f := &family{name: name, help: help}
	p.families = append(p.families, f)
	return f
}

// write writes the families that have series.
func (p *part) write(b *bytes.Buffer) {
	for _, f := range p.families {
		if len(f.series) > 0 {
			b.WriteString("# HELP " + f.name + " " + f.help + "\n# TYPE " + f.name + " gauge\n")
			b.Write(f.series)
		}
	}
}

// family is one name with its series, of which no two may have the same labels.
type family struct {
	name, help string
	series     []byte // a line each
}

// gauge shows a value.
func (f *family) gauge(v float64, labels ...label) {
	f.series = append(f.series, f.name...)
	for i, l := range labels {
		f.series = append(f.series, "{,"[min(i, 1)])
		f.series = append(f.series, l.text...)
	}
	if len(labels) > 0 {
		f.series = append(f.series, '}')
	}
	f.series = append(f.series, ' ')
	f.series = strconv.AppendFloat(f.series, v, 'g', -1, 64)
	f.series = append(f.series, '\n')
}

// instant shows a time. One that is not known has no series: 0 would be 1970.
func (f *family) instant(at time.Time, labels ...label) {
	if !at.IsZero() {
		f.gauge(float64(at.UnixMilli())/1000, labels...)
	}
}

// moment is instant of a time that may be nil.
func (f *family) moment(at *time.Time, labels ...label) {
	if at != nil {
		f.instant(*at, labels...)
	}
}

// label is a label with its value, and both as they are written.
type label struct{ value, text string }

// escaped are the characters that a label's value cannot have as they are.
var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`) //nolint:gochecknoglobals // a constant table

// labelled is a label with the value that others named.
func labelled(name, value string) label {
	value = text(value)
	return label{value, name + `="` + escaped.Replace(value) + `"`}
}

// truth is 1 for true.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// age is how long ago a time was, 0 for none. A clock that was set back makes
// nothing younger than now.
func age(now, since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return max(0, now.Sub(since).Seconds())
}

// maxText is how long a label's value may be, in bytes.
const maxText = 128

// text makes a label's value of what others named: of bounded length, and
// UTF-8, without which Prometheus takes none of the answer.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
