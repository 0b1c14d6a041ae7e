package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is what the build says of itself: a module version, or the commit of a
// build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			if s.Value == "true" {
				dirty = "+changes"
			}
		}
	}
	if revision == "" {
		return "devel"
	}
	return revision + dirty
}

// build names the code to its last change: the version of a release or of a commit, and
// of any other build the hash of the program, for a version number says nothing of what
// was edited since. It is "" where the program cannot be read.
func build() string {
	v := version()
	if v != "unknown" && v != "devel" && !strings.Contains(v, "+") {
		return v
	}
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return fmt.Sprintf("%s %x", v, h.Sum(nil))
}

// versionAnswer is what version -o json prints.
type versionAnswer struct {
	Schema  int    `json:"schema_version"`
	Version string `json:"version"` // of the build: a release, or a commit
	Go      string `json:"go"`      // version of the compiler
	OS      string `json:"os"`      // as Go names it
	Arch    string `json:"arch"`    // as Go names it
}

func newVersion() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  recorder version -o json`,
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			v := versionAnswer{schema, version(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			if output == "json" {
				return printJSON(out, v)
			}
			_, err := fmt.Fprintf(out, "recorder %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)
			return err
		},
	}
	outputFlag(cmd, &output, "table", "json")
	return cmd
}
