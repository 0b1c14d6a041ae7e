package main

import (
	"fmt"

	"ibrecorder/events"

	"github.com/nats-io/nkeys"
	"github.com/spf13/cobra"
)

func newNATS() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nats",
		Short: "Keys for runners that connect over NATS",
		Long: `nats makes the keys of runners: programs that dial the Gateway by themselves, and ask
the recorder over NATS for permits. Nothing listens for them unless nats.listen is set.`,
		Example: `  recorder nats key robo-1`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(newKey())
	return cmd
}

// madeKey is what nats key answers; the seed itself is in the file alone.
type madeKey struct {
	Schema int `json:"schema_version"`
	// Runner is its name.
	Runner string `json:"runner"`
	// Public is the value of nats.runners.NAME.
	Public string `json:"public_key"`
	// Seed is the file that the runner reads.
	Seed string `json:"seed_file"`
}

func newKey() *cobra.Command {
	var path, output string
	cmd := &cobra.Command{
		Use:   "key NAME",
		Short: "Make the key of a runner",
		Long: `key makes a key pair for a runner. The seed goes to a file that only you may read, for
the runner; it is shown to nobody. The public key is printed, for the recorder's
configuration.`,
		Example: `  recorder nats key robo-1
  recorder nats key robo-1 --seed ~/robo/robo-1.nk -o json`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := args[0]
			if events.CheckGatewayName(name) != nil {
				return usage(fmt.Errorf("runner %.40q: want a lower-case letter, then at most 31 of a-z, 0-9 and -; for example: recorder nats key robo-1", name))
			}
			made := madeKey{Schema: schema, Runner: name, Seed: path}
			if path == "" {
				made.Seed = name + ".nk"
			}
			var err error
			if made.Public, err = writeSeed(made.Seed); err != nil {
				return err
			}
			if output == "json" {
				return printJSON(cmd.OutOrStdout(), made)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), `nats:
  listen: 127.0.0.1:4222
  runners:
    %s: %s
`, name, made.Public)
			if err == nil {
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "the seed is in %s, for %s alone\nadd the lines above to the recorder's configuration, then: recorder run\n", made.Seed, name)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&path, "seed", "", "`FILE` for the seed, which must not exist (default NAME.nk)")
	outputFlag(cmd, &output, "table", "json")
	return cmd
}

// writeSeed makes a key pair, writes its seed to a new file, and returns the public key.
func writeSeed(path string) (public string, err error) {
	key, err := nkeys.CreateUser()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	defer key.Wipe()
	seed, err := key.Seed()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	defer clear(seed)
	if public, err = key.PublicKey(); err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	if err := writeNew(path, "seed", string(seed), "--seed FILE"); err != nil {
		return "", err
	}
	return public, nil
}
