package clitest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Scripts reads all scripts below a folder, as one text.
func Scripts(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.txtar"))
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		all.Write(text)
		all.WriteByte('\n')
	}
	return all.String(), nil
}

// Untyped are the verbs, and the flags of verbs, that no line of the scripts types. The flags
// that cobra gives every verb (help, version) are typed once for all of them, and so are
// those of the whole program.
func Untyped(root *cobra.Command, names []string, scripts string) []string {
	typed := map[string]bool{}
	for line := range strings.Lines(scripts) {
		for _, words := range commandLines(line, names) {
			cmd, _, err := root.Find(words)
			if err != nil || cmd == nil {
				continue
			}
			typed[cmd.CommandPath()] = true
			for _, f := range flagsIn(cmd, words) {
				typed[f] = true
			}
		}
	}
	var missing []string
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		if cmd != root && !typed[cmd.CommandPath()] {
			missing = append(missing, cmd.CommandPath())
		}
		flags := cmd.LocalNonPersistentFlags()
		flags.AddFlagSet(cmd.PersistentFlags())
		flags.VisitAll(func(f *pflag.Flag) {
			if name := flagName(cmd, f); !typed[name] && f.Name != "help" && f.Name != "version" {
				missing = append(missing, name)
			}
		})
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(root)
	slices.Sort(missing)
	return missing
}

// flagName is where a flag is declared, and its name: one of the whole program counts once.
func flagName(cmd *cobra.Command, f *pflag.Flag) string {
	for c := cmd; c != nil; c = c.Parent() {
		if c.PersistentFlags().Lookup(f.Name) != nil {
			return fmt.Sprintf("%s --%s", c.CommandPath(), f.Name)
		}
	}
	return fmt.Sprintf("%s --%s", cmd.CommandPath(), f.Name)
}

// commandLines are the words behind each of the program's names in a line of a script, up to
// what ends a command in a shell.
func commandLines(line string, names []string) (all [][]string) {
	words := strings.Fields(line)
	for i, w := range words {
		if !slices.Contains(names, strings.Trim(w, `'"(`)) {
			continue
		}
		var cmd []string
		for _, w := range words[i+1:] {
			end := strings.IndexAny(w, "|;&>")
			if end >= 0 {
				w = w[:end]
			}
			if w = strings.Trim(w, `'"`); w != "" {
				cmd = append(cmd, w)
			}
			if end >= 0 {
				break
			}
		}
		all = append(all, cmd)
	}
	return all
}

// flagsIn are the flags of a verb among the words.
func flagsIn(cmd *cobra.Command, words []string) (out []string) {
	for _, w := range words {
		name, _, _ := strings.Cut(strings.TrimPrefix(w, "--"), "=")
		var f *pflag.Flag
		switch {
		case strings.HasPrefix(w, "--"):
			f = cmd.Flag(name)
		case len(w) == 2 && w[0] == '-':
			f = cmd.Flags().ShorthandLookup(w[1:])
		}
		if f != nil {
			out = append(out, flagName(cmd, f))
		}
	}
	return out
}

// Unwanted are the exit codes that no script wants of a program.
func Unwanted(scripts, program string, codes ...int) (missing []int) {
	for _, code := range codes {
		if !strings.Contains(scripts, fmt.Sprintf("exits %d %s ", code, program)) {
			missing = append(missing, code)
		}
	}
	return missing
}
