package login

import (
	"errors"
	"strings"

	"github.com/ocwatch/ocwatch/internal/quota"
	"github.com/ocwatch/ocwatch/internal/secret"
)

const (
	setupTokenPrefix = "sk-ant-oat01-"
	// setupTokenLeast is what OpenClaw demands of a setup-token.
	setupTokenLeast = 80
	pastedCap       = 16 << 10
)

// CheckToken looks at a pasted token before OpenClaw gets it, and takes the
// blanks and line ends around it away. Its errors say what is wrong in words,
// and never quote it.
func CheckToken(provider string, v secret.Value) (secret.Value, error) {
	text, err := tidySecret(v, "token")
	if err != nil {
		return secret.Value{}, err
	}
	switch name := quota.Canonical(provider); {
	case name == "anthropic" && strings.HasPrefix(text, "sk-ant-api"):
		return secret.Value{}, errors.New("this is an API key, not a setup-token: paste it as a key, or make a token with claude setup-token")
	case name == "anthropic" && !strings.HasPrefix(text, setupTokenPrefix):
		return secret.Value{}, errors.New("this is no setup-token, which begins with " + setupTokenPrefix + ": make one with claude setup-token")
	case name == "anthropic" && len(text) < setupTokenLeast:
		return secret.Value{}, errors.New("the setup-token is too short: a part of it was not copied")
	case name == "openai" && strings.HasPrefix(text, "sk-"):
		return secret.Value{}, errors.New("this is an API key, not a token: paste it as a key")
	}
	return secret.New(text), nil
}

// CheckKey is CheckToken for an API key.
func CheckKey(provider string, v secret.Value) (secret.Value, error) {
	text, err := tidySecret(v, "key")
	if err != nil {
		return secret.Value{}, err
	}
	switch name := quota.Canonical(provider); {
	case strings.HasPrefix(text, setupTokenPrefix):
		return secret.Value{}, errors.New("this is a setup-token, not an API key: paste it as a token")
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["), jwtLike(text):
		return secret.Value{}, errors.New("this is not an API key but what a login leaves behind: log in instead")
	case name == "openai" && !strings.HasPrefix(text, "sk-"):
		return secret.Value{}, errors.New("this is no OpenAI key, which begins with sk-")
	case name == "openai" && strings.HasPrefix(text, "sk-ant-"), name == "anthropic" && strings.HasPrefix(text, "sk-proj-"):
		return secret.Value{}, errors.New("this is a key of another provider")
	case name == "anthropic" && !strings.HasPrefix(text, "sk-ant-"):
		return secret.Value{}, errors.New("this is no Anthropic key, which begins with sk-ant-")
	}
	return secret.New(text), nil
}

// tidySecret takes away what a clipboard adds around a secret. What it adds
// inside is not guessed at.
func tidySecret(v secret.Value, kind string) (string, error) {
	text := strings.TrimFunc(v.Reveal(), func(r rune) bool {
		return r <= ' ' || strings.ContainsRune("\u00a0\u200b\ufeff", r)
	})
	switch {
	case text == "":
		return "", errors.New("there is no " + kind + ": nothing was given")
	case len(text) > pastedCap:
		return "", errors.New("the " + kind + " is far too long")
	case strings.ContainsAny(text, " \t\r\n"):
		return "", errors.New("the " + kind + " has a blank or a line break inside: copy it again, in one piece")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("the " + kind + " has a character that none has: copy it again")
	}
	return text, nil
}

// jwtLike is the form of OAuth tokens.
func jwtLike(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}
