package openclaw

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// foreignOwner names the owner of a file that is not this account's. Root is
// refused too: what its CLI writes into another account's install, that
// account can no longer open.
func foreignOwner(info fs.FileInfo) (who string, foreign bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int64(st.Uid) == int64(os.Geteuid()) {
		return "", false
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return "user " + u.Username, true
	}
	return "user id " + id, true
}
