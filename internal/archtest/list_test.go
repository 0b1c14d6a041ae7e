//go:build !race

// It reads the tree and has one goroutine: nothing of it is for the race detector.

package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package.
const root = "../.."

// module is the module's path and a slash.
const module = "ibrecorder/"

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Dir        string
	Name       string
	Standard   bool
	Export     string // file with the types of what it exports
	GoFiles    []string
	Imports    []string
}

// name is the package's folder below the root.
func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// ours reports whether the package belongs to this module.
func (p listed) ours() bool { return strings.HasPrefix(p.ImportPath, module) }

// list runs go list at the root. It looks at every folder itself as well: go test
// takes a result from its cache unless a file changed that the test, and not a
// command run by it, has opened.
func list(t *testing.T, args ...string) []listed {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Dir,Name,Standard,Export,GoFiles,Imports"}, args...)...)
	cmd.Dir = root
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, complaint.String())
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// folder is the path of a package of ours.
func folder(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
