package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ibrecorder/internal/httpapi"

	"github.com/spf13/cobra"
)

// healthPatience is how long healthcheck waits. Docker gives a check 30 seconds by default,
// and an orchestrator that is told late restarts late.
const healthPatience = 3 * time.Second

func newHealthcheck() *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Say whether the recorder is alive, for containers",
		Long: `healthcheck asks the recorder of the data folder through its socket whether it is alive, as
GET /healthz does, and waits for at most three seconds. It prints one line, and exits 0 if it is and 1 if it
is not, whatever the reason: Docker reserves 2.

It says nothing about the Gateway: a gate that is stopped is healthy, and to restart the
recorder would not mend a Gateway. For that there are recorder check and recorder status.`,
		Example: `  recorder healthcheck
  HEALTHCHECK CMD ["/recorder", "healthcheck"]      in a Dockerfile`,
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := dataFolder(data)
			if err != nil {
				return unhealthy(err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), healthPatience)
			defer cancel()
			client := httpapi.Dial(dir)
			names, err := client.Gateways(ctx)
			if err == nil {
				err = client.Alive(ctx)
			}
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				return unhealthy(fmt.Errorf("the recorder on %s does not answer within %s", dir, healthPatience))
			case err != nil && cmd.Context().Err() == nil:
				return unhealthy(err)
			case err != nil:
				return err
			}
			gateways := "gateways"
			if len(names) == 1 {
				gateways = "gateway"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "healthy: the recorder on %s is alive, %d %s\n", dir, len(names), gateways)
			return err
		},
	}
	dataFlag(cmd, &data)
	return cmd
}

// unhealthy is the one negative answer that healthcheck has.
func unhealthy(err error) error { return &exitError{exitNegative, fmt.Errorf("unhealthy: %w", err)} }
