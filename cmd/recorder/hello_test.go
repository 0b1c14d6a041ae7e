package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"ibrecorder/internal/wire"
)

// hello is the least trading program: hello ADDRESS [CLIENT [leave]]. It sends a
// hello and, as CLIENT, startAPI, says on a line each what comes back, and stays
// until the other side closes, or with leave until it is ready. It exits 1 if
// nobody listens.
func hello() {
	if err := connect(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func connect(args []string) error {
	nc, err := net.DialTimeout("tcp", args[0], patience)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return errors.New("refused")
	}
	if err != nil {
		return err
	}
	defer nc.Close()
	if err := nc.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		return err
	}
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		return err
	}
	version, heard := 0, 0
	frames := wire.NewScanner(0)
	buf := make([]byte, 4096)
	for {
		n, err := nc.Read(buf)
		for f := range frames.Frames(buf[:n]) {
			if version == 0 {
				reply, err := wire.ParseVersionReply(f)
				if err != nil {
					return err
				}
				version = reply.Version
				fmt.Println("version", version)
				if len(args) > 1 {
					id, err := strconv.Atoi(args[1])
					if err != nil {
						return err
					}
					if _, err := nc.Write(wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: id, HasClientID: true})); err != nil {
						return err
					}
				}
				continue
			}
			m, err := wire.ParseMessage(version, f)
			if err != nil {
				return err
			}
			switch m.ID {
			case wire.IDManagedAccounts, wire.IDNextValidID:
				if heard++; heard == 2 {
					fmt.Println("ready")
					if len(args) > 2 {
						return nil
					}
				}
			case wire.IDError:
				e, err := m.ErrorMessage()
				if err != nil {
					return err
				}
				fmt.Println("error", e.Code, e.Text)
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
			fmt.Println("closed")
			return nil
		case err != nil:
			return err
		}
	}
}
