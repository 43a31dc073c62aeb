package probe

import (
	"strings"
	"testing"
)

func TestValidateEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // endpoint: part of the error, "" for none
		"https://chatgpt.com/backend-api/wham/usage": "",
		"HTTPS://relay.example.com:8443/x":           "",
		"http://127.0.0.1:8080/usage":                "",
		"http://127.9.9.9/usage":                     "",
		"http://[::1]:8080/usage":                    "",
		"http://localhost:8080/usage":                "",
		"http://LOCALHOST/usage":                     "",
		"http://chatgpt.com/usage":                   "in the clear",
		"http://localhost.example.com/":              "in the clear",
		"http://127.0.0.1.example.com/":              "in the clear",
		"http://10.0.0.1/":                           "in the clear",
		"http://0.0.0.0/":                            "in the clear",
		"ftp://127.0.0.1/":                           "scheme",
		"file:///etc/passwd":                         "no host",
		"https:///usage":                             "no host",
		"https://user:hunter2@example.com/":          "login",
		"chatgpt.com/usage":                          "no host",
		"":                                           "no host",
		"https://example.com:port/":                  "not a url",
		"http://[::1":                                "not a url",
		"https://exa mple.com/":                      "not a url",
	}
	for endpoint, want := range tests {
		err := ValidateEndpoint(endpoint)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", endpoint, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want an error with %q", endpoint, err, want)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%q: the error repeats the password", endpoint)
		}
	}
}

func TestKeysGoWhereTheOwnerSendsUsage(t *testing.T) {
	t.Parallel()
	const relay = "unsupported: openclaw sends this key to a relay, not to its provider, so its usage is not asked for"
	bases := map[string]string{
		"its own base": "https://API.openai.com/v1", "relayed": "https://relay.example.com/v1", "relayed, with a port": "http://127.0.0.1:9/v1",
		"relayed, asked elsewhere": "https://relay.example.com/v1",
	}
	tests := map[string]struct{ endpoint, usage, models, want string }{
		"default":                  {"", openAIUsage, openAIModels, openAIModels},
		"its own base":             {"", openAIUsage, openAIModels, openAIModels},
		"relayed":                  {"", openAIUsage, openAIModels, relay},
		"relayed, with a port":     {"", openAIUsage, openAIModels, relay},
		"relayed, asked elsewhere": {"http://127.0.0.1:9/x/v1/models", openAIUsage, openAIModels, "http://127.0.0.1:9/x/v1/models"},
		"same host":                {openAIUsage + "?x=1", openAIUsage, openAIModels, openAIModels},
		"stand-in":                 {"http://127.0.0.1:9/backend-api/wham/usage", openAIUsage, openAIModels, "http://127.0.0.1:9/v1/models"},
		"stand-in, models":         {"http://127.0.0.1:9/x/v1/models", openAIUsage, openAIModels, "http://127.0.0.1:9/x/v1/models"},
		"anthropic":                {"https://relay.example.com/usage", anthropicUsage, anthropicModels, "https://relay.example.com/v1/models?limit=1"},
		"anthropic's own":          {anthropicUsage, anthropicUsage, anthropicModels, anthropicModels},
	}
	for name, tt := range tests {
		got, err := keyURL(Account{Endpoint: tt.endpoint, BaseURL: bases[name]}, tt.usage, tt.models)
		if err != nil {
			verdict, reason := explain(err)
			got = string(verdict) + ": " + reason
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
