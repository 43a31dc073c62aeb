// Package secret holds credentials in a type that redacts itself.
package secret

import (
	"fmt"
	"log/slog"
	"unique"
)

// Redacted is what every format shows in place of a secret.
const Redacted = "[redacted]"

// Value is a credential. Its content is behind a handle, so that neither a
// conversion nor reflection-based printing can show it, not even where a Value
// is in an unexported field and package fmt may call none of its methods. The
// one way out is Reveal. The zero Value holds nothing. Values of equal content
// are equal.
type Value struct{ h unique.Handle[string] }

// New wraps s.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{h: unique.Make(s)}
}

// Reveal returns the credential itself. Call it only where the credential
// leaves for its own provider.
func (v Value) Reveal() string {
	if v.Empty() {
		return ""
	}
	return v.h.Value()
}

// Empty reports whether v holds nothing.
func (v Value) Empty() bool { return v == Value{} }

// IsZero is Empty, for encoders that leave out what is not there.
func (v Value) IsZero() bool { return v.Empty() }

// String returns the placeholder, or "" for an empty Value.
func (v Value) String() string {
	if v.Empty() {
		return ""
	}
	return Redacted
}

// GoString serves %#v.
func (v Value) GoString() string { return v.String() }

// Format serves every verb of package fmt.
func (v Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// MarshalText serves JSON, YAML and map keys.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// LogValue serves log/slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }
