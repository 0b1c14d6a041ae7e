package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"ibrecorder/internal/access"
	"ibrecorder/internal/config"

	"github.com/spf13/cobra"
)

func newToken() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Tokens for the HTTP API",
		Long: `token makes the tokens by which programs and people may do more over HTTP than read:
runners report and ask for permits, operators resume and take notes. The socket in the
data folder needs none.`,
		Example: `  recorder token new robo-1 --scope ingest`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(newTokenNew())
	return cmd
}

// madeToken is what token new answers; the token itself is in the file alone.
type madeToken struct {
	Schema int    `json:"schema_version"`
	Name   string `json:"name"`       // who has it
	Scope  string `json:"scope"`      // what it is for
	SHA256 string `json:"sha256"`     // of the token, 64 hexadecimal digits, for the configuration
	File   string `json:"token_file"` // where the token is
}

func newTokenNew() *cobra.Command {
	var path, scope, output string
	cmd := &cobra.Command{
		Use:   "new NAME --scope SCOPE",
		Short: "Make a token",
		Long: `new makes a token of 256 random bits. It goes to a file that only you may read, for
whoever is to use it; it is shown to nobody. Its SHA-256 is printed, for the recorder's
configuration. Who has a token of scope ingest is the runner /runner/NAME.`,
		Example: `  recorder token new robo-1 --scope ingest     reports, and asks for permits
  recorder token new ann --scope operate       resumes, disconnects, takes notes
  recorder token new grafana --scope read      looks, also where reading needs a token
  recorder token new robo-2 --scope ingest --file ~/robo/robo-2.token -o json`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			made := madeToken{Schema: schema, Name: args[0], Scope: scope, File: path}
			if err := config.CheckToken(made.Name); err != nil {
				return usage(fmt.Errorf("%w; for example: recorder token new robo-1 --scope ingest", err))
			}
			if !slices.Contains(access.Scopes, access.Scope(scope)) {
				return usage(fmt.Errorf("--scope %q: want ingest, read or operate: recorder token new %s --scope ingest", scope, made.Name))
			}
			if path == "" {
				made.File = made.Name + ".token"
			}
			secret := access.NewSecret()
			if err := writeNew(made.File, "token", secret, "--file FILE"); err != nil {
				return err
			}
			made.SHA256 = access.SumOf(secret).String()
			if output == "json" {
				return printJSON(cmd.OutOrStdout(), made)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), `http:
  tokens:
    - name: %s
      scope: %s
      sha256: %s
`, made.Name, made.Scope, made.SHA256)
			if err == nil {
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "the token is in %s, for %s alone\nadd the lines above to the recorder's configuration, then: recorder config reload, or recorder run\n", made.File, made.Name)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&scope, "scope", "", "`SCOPE`: ingest, read or operate")
	cmd.Flags().StringVar(&path, "file", "", "`FILE` for the token, which must not exist (default NAME.token)")
	outputFlag(cmd, &output, "table", "json")
	return cmd
}

// writeNew writes a secret and a newline to a new file of its owner's alone. Flag is how
// one names another file.
func writeNew(path, what, secret, flag string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usage(fmt.Errorf("%s is there already and is not replaced; choose another file: %s", path, flag))
	}
	if err != nil {
		return fmt.Errorf("write the %s: %w", what, err)
	}
	_, err = strings.NewReader(secret + "\n").WriteTo(f)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the %s: %w", what, errors.Join(err, os.Remove(path)))
	}
	return nil
}
