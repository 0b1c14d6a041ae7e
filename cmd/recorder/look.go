package main

import (
	"io"

	"ibrecorder/internal/report"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// schema is the version of every JSON document that a verb prints (docs/cli-json.md).
const schema = report.Schema

// outputFlag adds -o. The first of the formats is the default.
func outputFlag(cmd *cobra.Command, output *string, formats ...string) {
	cmd.Flags().VarP(tty.NewChoice(output, formats...), "output", "o", "what to print: "+tty.Either(formats))
}

// zoneFlag adds --tz, which look reads.
func zoneFlag(cmd *cobra.Command) { cmd.Flags().String("tz", "local", tty.ZoneUsage) }

// colour says whether what a verb writes to w may have colours.
func colour(cmd *cobra.Command, w io.Writer) bool {
	return tty.Colour(w, cmd.Flag("color").Value.String())
}

// look is how the text of a verb looks that has --tz.
func look(cmd *cobra.Command) (report.Style, error) {
	out := cmd.OutOrStdout()
	zone, err := tty.Zone(cmd.Flag("tz").Value.String())
	if err != nil {
		return report.Style{}, usage(err)
	}
	columns, _ := tty.Size(out)
	return report.Style{Zone: zone, Colour: colour(cmd, out), Width: columns}, nil
}
