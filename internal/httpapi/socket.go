package httpapi

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// SocketName is the socket's name in the data folder.
const SocketName = "recorder.sock"

// maxPath is the longest path of a unix socket in bytes that every system takes:
// sun_path has 104 on macOS and BSD and 108 on Linux, with the zero at its end.
const maxPath = 103

// ErrPathTooLong is returned for a data folder whose socket would have a path
// longer than the system takes.
var ErrPathTooLong = errors.New("path too long for a socket")

func socketPath(dir string) (string, error) {
	path := filepath.Join(dir, SocketName)
	if len(path) > maxPath {
		return "", fmt.Errorf("%s: %w: %d bytes, at most %d; choose a shorter folder: recorder run --data DIR", path, ErrPathTooLong, len(path), maxPath)
	}
	return path, nil
}

// Listen opens the socket in the data folder dir. The caller holds the folder's
// lock, so a socket that is there belongs to nobody: a recorder that was killed
// left it, and it is replaced.
//
// Between bind and chmod the socket has the rights that the umask leaves. Nobody
// else can reach it even then, because Listen refuses a folder that others may
// enter. Changing the umask instead would change it for every file that another
// goroutine makes at that moment.
func Listen(dir string) (net.Listener, error) {
	path, err := socketPath(dir)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("listen on %s: the folder is open to others (%o); type: chmod 700 %s", path, info.Mode().Perm(), quoted(dir))
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	case info.Mode()&fs.ModeSocket == 0:
		return nil, fmt.Errorf("listen on %s: something that is no socket has that name; move it away", path)
	default:
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("listen on %s: remove the one that was left: %w", path, err)
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %s: %w", path, err), l.Close())
	}
	return l, nil
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.IndexFunc(path, func(r rune) bool {
		return !strings.ContainsRune("/._-+,:@%", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0 {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
