package openclaw

import "encoding/json"

// Layout is where an install keeps its auth profiles, recognised by what is on
// disk and never by a version string.
type Layout string

// The layouts.
const (
	// SharedDatabase: <state>/state/openclaw.sqlite for credentials, the
	// agent's own database for its order (2026.9).
	SharedDatabase Layout = "shared-database"
	// AgentDatabase: everything in agents/<id>/agent/openclaw-agent.sqlite
	// (2026.6.5 on).
	AgentDatabase Layout = "agent-database"
	// JSONFiles: auth-profiles.json, and auth-state.json from 2026.4.7 (to
	// 2026.6.1).
	JSONFiles Layout = "json-files"
	// NoStore: OpenClaw is there, and no profile was ever added.
	NoStore Layout = "none"
)

// Documents are the auth documents that hold for one agent, undecoded. A nil
// document does not exist.
type Documents struct {
	Agent  string
	Layout Layout
	// Credentials are the profile documents ({"version":1,"profiles":{…}}),
	// lowest precedence first: the shared ones, then the agent's own.
	Credentials []json.RawMessage
	// State are the documents that may hold order, lastGood and usageStats,
	// merged per key, lowest precedence first.
	State []json.RawMessage
}
