package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/ocwatch/ocwatch/internal/secret"
)

// PasswordName is the name of the file in the data directory that holds the
// dashboard's password.
const PasswordName = "dashboard.password"

// user is the name that goes with the password.
const user = "owner"

// LoadPassword returns the password of the dashboard of the watchdog that
// serves dir, and makes one where there is none. With an error it is good for
// as long as the process lives.
func LoadPassword(dir string) (secret.Value, error) {
	path := filepath.Join(dir, PasswordName)
	switch body, err := os.ReadFile(path); {
	case err == nil && len(strings.TrimSpace(string(body))) >= len(rand.Text()):
		if err := os.Chmod(path, 0o600); err != nil {
			return secret.New(rand.Text()), fmt.Errorf("the dashboard's password: %w: give the file to the account that runs ocwatch", err)
		}
		return secret.New(strings.TrimSpace(string(body))), nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return secret.New(rand.Text()), fmt.Errorf("the dashboard's password: %w", err)
	}
	return NewPassword(dir)
}

// NewPassword makes another password in place of the one in dir. With an error
// it is good for as long as the process lives.
func NewPassword(dir string) (secret.Value, error) {
	path, password := filepath.Join(dir, PasswordName), rand.Text() // 130 bits
	// A file that is there may be for others to read. Half of a new one, after a
	// crash, is too short to be taken for one.
	err := os.Remove(path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, []byte(password+"\n"), 0o600)
	}
	if err != nil {
		return secret.New(password), fmt.Errorf("keep the dashboard's password: %w", err)
	}
	return secret.New(password), nil
}

// owners lets in whoever has the password. It is asked for by the browser
// itself, which keeps it for this very address: a cookie would be sent to every
// port of this machine, and those belong to other accounts too.
func (h *dashboard) owners(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		name, password, ok := r.BasicAuth()
		if !ok || !h.server.gate.owner(name, password) {
			challenge(rw, "Sign in with the user and the password that ocwatch dashboard prints.")
			return
		}
		next(rw, r)
	})
}

// equal compares without telling by the time it takes where a guess went wrong.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// formToken is in every form of the owner's page. A page elsewhere can make the
// browser send a form with the password, but cannot know this.
func formToken(password secret.Value) string {
	mac := hmac.New(sha256.New, []byte(password.Reveal()))
	_, _ = mac.Write([]byte("forms of the dashboard")) // a hash takes everything
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
