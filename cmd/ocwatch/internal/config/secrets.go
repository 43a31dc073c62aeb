package config

import "slices"

// SecretEnv returns the names of the environment variables whose values the
// config used for secrets, sorted. A program that is started needs none of
// them.
func (c *Config) SecretEnv() []string {
	return slices.Compact(slices.Sorted(slices.Values(c.secretEnv)))
}
