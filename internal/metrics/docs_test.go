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

// documentedFamily is what the documentation says of a metric.
type documentedFamily struct{ kind, labels string }

// documented are the rows of docs/metrics.md: name, type, unit, labels.
var documented = regexp.MustCompile("(?m)^\\| `(ocwatch_[a-z_]+)` \\| ([a-z]+) \\| [^|]+ \\|([^|]*)\\|")

// registered are ocwatch's own metrics as the registry has them.
func registered(t *testing.T) map[string]documentedFamily {
	t.Helper()
	families, err := all(busy()).Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]documentedFamily{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "ocwatch_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+l.GetName()+"`")
		}
		out[f.GetName()] = documentedFamily{kind: strings.ToLower(f.GetType().String()), labels: strings.Join(labels, ", ")}
	}
	return out
}

// TestEveryMetricIsDocumented with its type and labels, and none that is not.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	doc := read(t, "../../docs/metrics.md")
	got := map[string]documentedFamily{}
	for _, row := range documented.FindAllStringSubmatch(doc, -1) {
		got[row[1]] = documentedFamily{kind: row[2], labels: strings.TrimSpace(row[3])}
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

// panel is as much of a panel of Grafana's as can be wrong without Grafana.
type panel struct {
	ID         int
	Title      string
	Type       string
	GridPos    struct{ X, Y, W, H int }
	Datasource struct{ UID string }
	Targets    []struct {
		RefID, Expr string
		Datasource  struct{ UID string }
	}
}

// TestDashboard: it can be imported into any Grafana, whatever its Prometheus
// is called there. What its queries find is for test/prometheus.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var board struct {
		UID           string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type string }
		}
		Panels []panel
	}
	if err := json.Unmarshal([]byte(read(t, "../../deploy/grafana/ocwatch.json")), &board); err != nil {
		t.Fatal(err)
	}
	// Grafana 11 writes 39 and later ones migrate it.
	if board.UID != "ocwatch" || board.SchemaVersion != 39 || len(board.Panels) < 10 {
		t.Errorf("%s of version %d has %d panels", board.UID, board.SchemaVersion, len(board.Panels))
	}
	variables := map[string]bool{}
	for _, v := range board.Templating.List {
		variables["$"+v.Name] = true
		if (v.Name == "datasource") != (v.Type == "datasource") {
			t.Errorf("variable %s is a %s", v.Name, v.Type)
		}
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		p.check(t, variables)
		if ids[p.ID] {
			t.Errorf("panel %q: another one is %d too", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other := cells[cell]; other != "" || cell[0] >= 24 {
					t.Fatalf("panel %q lies over %q, or beyond the right edge", p.Title, other)
				}
				cells[cell] = p.Title
			}
		}
	}
}

// check finds what is wrong with a panel by itself.
func (p panel) check(t *testing.T, variables map[string]bool) {
	t.Helper()
	if p.ID == 0 || p.Title == "" || len(p.Targets) == 0 || p.GridPos.W*p.GridPos.H == 0 || p.Datasource.UID != "${datasource}" ||
		!slices.Contains([]string{"stat", "timeseries", "table", "state-timeline"}, p.Type) {
		t.Errorf("panel %+v", p)
	}
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if refs[q.RefID] || q.RefID == "" || q.Datasource.UID != "${datasource}" || !strings.Contains(q.Expr, `instance=~"$instance"`) {
			t.Errorf("panel %q asks %s, as %q, for %s", p.Title, q.Datasource.UID, q.RefID, q.Expr)
		}
		refs[q.RefID] = true
		for _, v := range regexp.MustCompile(`\$\w+`).FindAllString(q.Expr, -1) {
			if !variables[v] {
				t.Errorf("panel %q: there is no variable %s", p.Title, v)
			}
		}
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
