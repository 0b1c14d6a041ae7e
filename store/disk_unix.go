//go:build unix

package store

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// freeBytes is what an unprivileged process may still write to the disk of dir.
func freeBytes(dir string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// checkOwner refuses what belongs to somebody else: written to by two users, the
// folder will sooner or later hold a file that one of them cannot read.
func checkOwner(path string, info os.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() {
		return nil
	}
	return &FileError{Path: path, Problem: fmt.Sprintf("belongs to user %d, the recorder runs as %d", st.Uid, os.Geteuid()), Err: fs.ErrPermission,
		Hint: fmt.Sprintf("run the recorder as that user, or: chown %d %s", os.Geteuid(), path)}
}
