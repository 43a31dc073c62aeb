// Package loopback tells this machine's own addresses from all others: what
// may carry a credential in the clear, and what may be served without a token.
package loopback

import (
	"net/netip"
	"strings"
)

// Host reports whether host, an address or a name without a port, is this very
// machine. Of names only localhost is; a name that resolves to a loopback
// address now may resolve to another one later.
func Host(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
