package watch

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// connections reads the rows about the place out of the socket tables.
func connections(ctx context.Context, at place, local bool) ([]connection, error) {
	sockets, err := readTables(ctx, ownTables, at.port)
	if err != nil {
		return nil, bare(err)
	}
	bound := listeners(sockets, at)
	var rows []connection
	err = eachTable(ownTables, func(r io.Reader) error {
		some, err := scanConnections(ctx, r, at.port)
		rows = append(rows, some...)
		return err
	})
	if err != nil {
		return nil, bare(err)
	}
	return peersOf(rows, at, local, func(a netip.Addr) bool { return belongs(a, bound, at) }), nil
}

// scanConnections reads the established rows with the port at one of their ends: the
// columns are those of parseRow, and the remote address is the 3rd.
func scanConnections(ctx context.Context, r io.Reader, port uint16) (rows []connection, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, maxRow), maxRow)
	for n := 1; in.Scan(); n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		column := bytes.Fields(in.Bytes())
		if len(column) < 10 || string(column[3]) != "01" {
			continue
		}
		local, ok1 := parseAddress(column[1])
		remote, ok2 := parseAddress(column[2])
		inode, err := strconv.ParseUint(string(column[9]), 10, 64)
		if ok1 && ok2 && err == nil && (local.Port() == port || remote.Port() == port) {
			rows = append(rows, connection{local: local, remote: remote, owner: inode})
		}
	}
	return rows, in.Err()
}

// nameOwners fills in whose the connections are, in one pass over the descriptors of
// all processes. Of one that several have, the lowest process id is said.
func nameOwners(ctx context.Context, found []connection, peers []Peer) {
	of := make(map[string][]int) // by how a descriptor reads
	for i, c := range found {
		if c.owner != 0 {
			link := (&owner{inode: c.owner}).link()
			of[link] = append(of[link], i)
		}
	}
	if len(of) == 0 {
		return
	}
	names, _ := readNames("/proc") // without it nobody is known
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		fds, _ := readNames("/proc/" + name + "/fd") // another user's, or it has ended
		for n, fd := range fds {
			if n%1024 == 0 && ctx.Err() != nil {
				return
			}
			link, err := os.Readlink("/proc/" + name + "/fd/" + fd)
			if err != nil || !strings.HasPrefix(link, "socket:") {
				continue
			}
			for _, i := range of[link] {
				if peers[i].PID == 0 || pid < peers[i].PID {
					peers[i].PID, peers[i].Process = pid, processName(pid)
				}
			}
		}
	}
}
