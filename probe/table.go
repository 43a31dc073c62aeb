package probe

import (
	"cmp"
	"slices"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// provider is a row of the table: all that is known of one provider outside of
// its own file.
type provider struct {
	// name is what people call it.
	name string
	ask  Func
	// types are the profile types (oauth, token, api_key) that can be asked.
	types []string
	// hosts are where its credentials may go: those it is asked at, unless the
	// owner names another.
	hosts []string
	// budget is how many questions an hour the provider is known to allow for
	// one account, 0: nobody knows.
	budget int
	// pace is for logins and keyPace for API keys; the zero Pace is otherPace.
	pace, keyPace Pace
}

// providers is the table, by OpenClaw's provider id.
var providers = map[string]provider{
	"anthropic": {
		name: "Anthropic", ask: anthropic, types: []string{oauthType, tokenType, keyType}, hosts: []string{"api.anthropic.com"},
		budget: 28, pace: anthropicPace, keyPace: anthropicPace,
	},
	"deepseek": {
		name: "DeepSeek", ask: deepSeek, types: []string{keyType, tokenType}, hosts: []string{"api.deepseek.com"},
	},
	"github-copilot": {
		// GitHub allows one person 5,000 requests an hour, for everything they run.
		name: "GitHub Copilot", ask: copilot, types: []string{oauthType, tokenType}, hosts: []string{"api.github.com", "api.<tenant>.ghe.com"},
		budget: 5000,
	},
	"google": {
		name: "Google AI Studio", ask: google, types: []string{keyType}, hosts: []string{googleHost},
	},
	"google-antigravity": {
		name: "Google Antigravity", ask: antigravity, types: []string{oauthType}, hosts: []string{codeAssistHost},
	},
	"google-gemini-cli": {
		name: "Gemini CLI", ask: geminiCLI, types: []string{oauthType}, hosts: []string{codeAssistHost},
	},
	"kimi": {
		name: "Kimi Code", ask: kimi, types: []string{tokenType, keyType}, hosts: []string{"api.kimi.com"},
	},
	"minimax": {
		name: "MiniMax", ask: minimax, types: []string{oauthType, tokenType, keyType}, hosts: []string{"api.minimax.io", "api.minimaxi.com"},
	},
	"minimax-portal": {
		name: "MiniMax", ask: minimax, types: []string{oauthType, tokenType, keyType}, hosts: []string{"api.minimax.io", "api.minimaxi.com"},
	},
	"moonshot": {
		name: "Moonshot", ask: moonshot, types: []string{keyType, tokenType}, hosts: []string{"api.moonshot.ai", "api.moonshot.cn"},
	},
	"openai": {
		name: "OpenAI", ask: openAI, types: []string{oauthType, tokenType, keyType}, hosts: []string{"chatgpt.com", "api.openai.com"},
		budget: 60, pace: openAIPace,
	},
	"openrouter": {
		name: "OpenRouter", ask: openRouter, types: []string{keyType, tokenType}, hosts: []string{"openrouter.ai"},
	},
	"xai": {
		name: "xAI", ask: xai, types: []string{oauthType}, hosts: []string{"cli-chat-proxy.grok.com"},
	},
	"zai": {
		name: "Z.AI", ask: zai, types: []string{tokenType, keyType}, hosts: []string{"api.z.ai", "open.bigmodel.cn"},
		pace: zaiPace, keyPace: zaiPace,
	},
}

// The profile types, as OpenClaw spells them.
const (
	oauthType = "oauth"
	tokenType = "token"
	keyType   = "api_key"
)

// Table returns the providers that can be probed, by OpenClaw's provider id.
func Table() map[string]Func {
	table := make(map[string]Func, len(providers))
	for id, p := range providers {
		table[id] = p.ask
	}
	return table
}

// Info is what is known of a provider, for documentation and advice.
type Info struct {
	ID, Name string
	Types    []string // the profile types that can be asked
	Hosts    []string // where its credentials go
	Budget   int      // questions an hour that the provider is known to allow, 0: nobody knows
	Pace     Pace     // of logins
	KeyPace  Pace     // of API keys
}

// Known lists the providers that can be probed, sorted by id.
func Known() []Info {
	known := make([]Info, 0, len(providers))
	for id, p := range providers {
		known = append(known, Info{
			ID: id, Name: p.name, Types: slices.Clone(p.types), Hosts: slices.Clone(p.hosts), Budget: p.budget,
			Pace: PaceOf(id, oauthType), KeyPace: PaceOf(id, keyType),
		})
	}
	slices.SortFunc(known, func(a, b Info) int { return cmp.Compare(a.ID, b.ID) })
	return known
}

// PaceOf returns the default pace for a provider and a profile type. A key that
// is only asked for its validity is asked slowly: that changes rarely.
func PaceOf(id, profileType string) Pace {
	p := providers[quota.Canonical(id)]
	pace := p.pace
	if profileType == keyType {
		pace = p.keyPace
	}
	if pace == (Pace{}) {
		return otherPace
	}
	return pace
}
