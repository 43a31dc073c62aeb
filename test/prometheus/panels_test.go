//go:build prometheus

package prometheus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	dashboard = "../../deploy/grafana/ocwatch.json"
	golden    = "../../internal/metrics/testdata/metrics.txt"
)

// board is as much of a Grafana dashboard as asks Prometheus.
type board struct {
	Templating struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage // an object, but for the choice of a datasource
		}
	}
	Panels []struct {
		Title   string
		Targets []struct{ RefID, Expr, LegendFormat string }
	}
}

// eventful are the queries that find nothing on a watchdog to which nothing has
// happened yet: by panel and query.
var eventful = []string{"Runs dry in A", "Changes of the order A", "Logins A"}

// TestPanels: each query of the dashboard finds something at a running ocwatch,
// or at one to which everything has happened, and has the labels that its legend
// names. So do the variables.
func TestPanels(t *testing.T) {
	t.Parallel()
	live, full := watch(t), history(t)
	p := startPrometheus(t, live, full)
	var b board
	if err := json.Unmarshal([]byte(read(t, dashboard)), &b); err != nil {
		t.Fatal(err)
	}
	for _, panel := range b.Panels {
		for _, q := range panel.Targets {
			onlyLive := strings.Contains(q.Expr, "ocwatch_build_info") // which the file leaves out
			for target, excused := range map[string]bool{
				live: slices.Contains(eventful, panel.Title+" "+q.RefID),
				full: onlyLive,
			} {
				if excused {
					continue
				}
				query := filled(q.Expr, target)
				await(t, fmt.Sprintf("%s, query %s: data for %s", panel.Title, q.RefID, query), func() (string, bool) {
					found, answer := p.series(t, query)
					return answer, len(found) > 0 && (target == live && !onlyLive || legible(q.LegendFormat, found))
				})
			}
		}
	}
	for _, v := range b.Templating.List {
		if v.Type != "query" {
			continue
		}
		var q struct{ Query string }
		if err := json.Unmarshal(v.Query, &q); err != nil {
			t.Fatalf("variable %s: %v", v.Name, err)
		}
		m := labelValues.FindStringSubmatch(q.Query)
		if m == nil {
			t.Fatalf("variable %s: %s", v.Name, q.Query)
		}
		got := p.api(t, "label/"+m[2]+"/values?match[]="+url.QueryEscape(filled(m[1], live)))
		var values []string
		if err := json.Unmarshal(got, &values); err != nil || len(values) == 0 {
			t.Errorf("variable %s has no values: %s", v.Name, got)
		}
	}
}

var (
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	inLegend    = regexp.MustCompile(`\{\{(\w+)\}\}`)
	counted     = regexp.MustCompile(`^(\S+_(?:total|bucket|count|sum)\b\S*) (\S+)$`)
	variable    = regexp.MustCompile(`\$\w+`)
)

// filled is an expression as Grafana asks it: of one instance, and all else.
func filled(expr, instance string) string {
	return variable.ReplaceAllString(strings.ReplaceAll(expr, "$instance", instance), ".+")
}

// legible reports that each label that a legend names is one of some series.
// None has all: the scope of a window is mostly empty.
func legible(legend string, found []map[string]string) bool {
	for _, m := range inLegend.FindAllStringSubmatch(legend, -1) {
		if !slices.ContainsFunc(found, func(labels map[string]string) bool { return labels[m[1]] != "" }) {
			return false
		}
	}
	return true
}

// history is where an ocwatch answers to which everything has happened, and
// happens again and again: the series of a test of internal/metrics, counted up
// with each scrape.
func history(t *testing.T) (address string) {
	t.Helper()
	lines := strings.Split(read(t, golden), "\n")
	var scrapes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		n := float64(scrapes.Add(1))
		for _, line := range lines {
			if m := counted.FindStringSubmatch(line); m != nil {
				v, _ := strconv.ParseFloat(m[2], 64)
				line = fmt.Sprint(m[1], " ", v+n)
			}
			_, _ = fmt.Fprintln(rw, line)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// series are the labels of what a query finds.
func (p prometheusServer) series(t *testing.T, query string) (found []map[string]string, answer string) {
	t.Helper()
	var data struct {
		Result []struct{ Metric map[string]string }
	}
	text := p.api(t, "query?query="+url.QueryEscape(query))
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, string(text)
	}
	for _, r := range data.Result {
		found = append(found, r.Metric)
	}
	return found, string(text)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
