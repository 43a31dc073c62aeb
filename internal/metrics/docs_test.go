package metrics

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// family is what the documentation says of a metric.
type family struct{ kind, labels string }

// documented are the rows of docs/metrics.md: name, type, unit, labels.
var documented = regexp.MustCompile("(?m)^\\| `(ocwatch_[a-z_]+)` \\| ([a-z]+) \\| [^|]+ \\|([^|]*)\\|")

// registered are ocwatch's own metrics as the registry has them.
func registered(t *testing.T) map[string]family {
	t.Helper()
	families, err := busy().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]family{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "ocwatch_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		out[f.GetName()] = family{kind: strings.ToLower(f.GetType().String()), labels: strings.Join(labels, ", ")}
	}
	return out
}

// TestEveryMetricIsDocumented with its type and labels, and none that is not.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	doc := read(t, "../../docs/metrics.md")
	got := map[string]family{}
	for _, row := range documented.FindAllStringSubmatch(doc, -1) {
		got[row[1]] = family{kind: row[2], labels: strings.TrimSpace(row[3])}
	}
	want := registered(t)
	for name, f := range want {
		if got[name] != f {
			t.Errorf("%s is %+v, documented as %+v", name, f, got[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is documented and does not exist", name)
		}
	}
	for _, r := range Reasons() {
		if !strings.Contains(doc, "`"+string(r)+"`") {
			t.Errorf("the reason %s is not documented", r)
		}
	}
}

// used are the metrics that a rule or a panel names.
var used = regexp.MustCompile(`\bocwatch_[a-z_]+`)

// TestRulesAndPanels: they name only metrics that exist, and all that can be
// alerted on is tested.
func TestRulesAndPanels(t *testing.T) {
	t.Parallel()
	exist := registered(t)
	for _, file := range []string{"prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/ocwatch.json"} {
		names := used.FindAllString(read(t, "../../deploy/"+file), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics", file, len(names))
		}
		for _, name := range names {
			if _, ok := exist[strings.TrimSuffix(name, "_bucket")]; !ok {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
	}
}

// TestEveryAlertIsTested: there is a case in which it fires, and one in which
// it does not.
func TestEveryAlertIsTested(t *testing.T) {
	t.Parallel()
	var rules struct {
		Groups []struct{ Rules []struct{ Alert string } }
	}
	var cases struct {
		Tests []struct {
			Cases []struct {
				Alert  string           `yaml:"alertname"`
				Alerts []map[string]any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	for file, into := range map[string]any{"alerts.yml": &rules, "alerts_test.yml": &cases} {
		if err := yaml.Unmarshal([]byte(read(t, "../../deploy/prometheus/"+file)), into); err != nil {
			t.Fatal(err)
		}
	}
	fires := map[string]bool{}
	for _, group := range cases.Tests {
		for _, c := range group.Cases {
			fires[c.Alert] = fires[c.Alert] || len(c.Alerts) > 0
		}
	}
	alerts := map[string]bool{}
	for _, group := range rules.Groups {
		for _, r := range group.Rules {
			alerts[r.Alert] = true
			if !fires[r.Alert] {
				t.Errorf("no case fires %s", r.Alert)
			}
		}
	}
	if len(alerts) < 10 {
		t.Errorf("%d alerts found: %v", len(alerts), slices.Sorted(maps.Keys(alerts)))
	}
}

// TestDashboard: it can be imported into any Grafana, whatever its Prometheus
// is called there.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var board struct {
		UID    string
		Panels []struct {
			ID         int
			Title      string
			Datasource struct{ UID string }
			Targets    []struct {
				Expr       string
				Datasource struct{ UID string }
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../../deploy/grafana/ocwatch.json")), &board); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d, %q: %d targets", p.ID, p.Title, len(p.Targets))
		}
		ids[p.ID] = true
		for _, q := range p.Targets {
			if q.Datasource.UID != "${datasource}" || !strings.Contains(q.Expr, `instance=~"$instance"`) {
				t.Errorf("panel %q asks %s for %s", p.Title, q.Datasource.UID, q.Expr)
			}
		}
	}
	if board.UID != "ocwatch" || len(ids) < 10 {
		t.Errorf("%s has %d panels", board.UID, len(ids))
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
