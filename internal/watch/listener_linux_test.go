package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"ibrecorder/events"
)

// childEnv holds the address at which a test binary, run under another name, listens
// without ever accepting, until its input ends.
const childEnv = "IBRECORDER_TEST_LISTENER"

// observeEnv holds the address of which a child prints what it observes.
const observeEnv = "IBRECORDER_TEST_OBSERVER"

func TestMain(m *testing.M) {
	if address := os.Getenv(homeEnv); address != "" {
		if err := home(address); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	if address := os.Getenv(observeEnv); address != "" {
		if err := json.NewEncoder(os.Stdout).Encode((&Listener{Address: address}).Observe(context.Background())); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	if address := os.Getenv(childEnv); address != "" {
		l, err := net.Listen("tcp", address)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(l.Addr())
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// observed is what a child sees that differs in what adapt makes of it.
func observed(t *testing.T, address string, adapt func(*exec.Cmd)) (seen events.GatewayObserved) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ibr") // which others may enter, unlike the test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "observer")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, text, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), observeEnv+"="+address)
	adapt(cmd)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &seen); err != nil {
		t.Fatalf("it printed %q: %v", out, err)
	}
	return seen
}

// program runs this test under a name, listening at address.
func program(t testing.TB, name, address string, adapt ...func(*exec.Cmd)) (at string, stop func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), childEnv+"="+address)
	for _, f := range adapt {
		f(cmd)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := true
	stop = func() {
		if running {
			running = false
			in.Close()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(stop)
	line := bufio.NewScanner(out)
	if !line.Scan() {
		t.Fatal("the program ended")
	}
	if _, _, err := net.SplitHostPort(line.Text()); err != nil {
		t.Fatal(line.Text())
	}
	return line.Text(), stop
}

func TestARestartedGatewayIsAnotherProcessAndSocket(t *testing.T) {
	address, stop := program(t, "java", "127.0.0.1:0")
	l := &Listener{Address: address}
	before := l.Observe(t.Context())
	if before.Owner != events.OwnerGateway || before.Process != "java" || before.PID == 0 || before.Text != "" {
		t.Fatalf("observed %+v, want a process named java to be the Gateway's own", before)
	}
	if started := time.UnixMilli(before.StartedMS); time.Since(started).Abs() > time.Minute {
		t.Errorf("it started at %s", started)
	}
	if again := l.Observe(t.Context()); changed(before, again) || again.StartedMS != before.StartedMS {
		t.Errorf("read twice: %+v, then %+v", before, again)
	}
	stop()
	gone := l.Observe(t.Context())
	if gone.Listening != events.ListeningNo || !changed(before, gone) {
		t.Errorf("observed %+v after its end", gone)
	}
	program(t, "java", address)
	after := l.Observe(t.Context())
	if after.Owner != events.OwnerGateway || after.PID == before.PID || after.Socket == before.Socket || !changed(gone, after) || !changed(before, after) {
		t.Errorf("observed %+v after a restart of %+v", after, before)
	}
}

func TestAForwarderIsNotTheGateway(t *testing.T) {
	address, _ := program(t, "socat", "127.0.0.1:0")
	if got := (&Listener{Address: address}).Observe(t.Context()); got.Owner != events.OwnerOther {
		t.Errorf("observed %+v", got)
	}
}

// hello is as long as a client's.
var hello = []byte("API\x00\x00\x00\x00\x09v100..225")

func TestAnAcceptorThatHangsShows(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			at, _ := program(t, "java", address)
			host, port, _ := net.SplitHostPort(at)
			if host == "::" {
				host = "127.0.0.1" // one socket for both families, as Java opens it
			}
			at = net.JoinHostPort(host, port)
			l := &Listener{Address: at}
			want := func(queue, established, closeWait, unaccepted, bytes int64) {
				t.Helper()
				var got [5]int64
				for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() { // the kernel delivers in its own time
					seen := l.Observe(t.Context())
					got = [5]int64{*seen.QueueSockets, *seen.EstablishedSockets, *seen.CloseWaitSockets, *seen.UnacceptedSockets, *seen.UnacceptedBytes}
					if got == [5]int64{queue, established, closeWait, unaccepted, bytes} {
						return
					}
					if time.Now().After(deadline) {
						t.Fatalf("observed %+v: %v", seen, got)
					}
				}
			}
			want(0, 0, 0, 0, 0)
			var clients []net.Conn
			for range 2 {
				c, err := net.Dial("tcp", at)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := c.Write(hello); err != nil {
					t.Fatal(err)
				}
				clients = append(clients, c)
			}
			want(2, 2, 0, 2, 34)
			clients[0].Close()
			want(2, 1, 1, 2, 35)
		})
	}
}

// untilProven is a log of readings that ends a watch once one of them proves something.
type untilProven struct {
	desk
	end func()
}

func (d *untilProven) Observed(ctx context.Context, seen events.GatewayObserved, after string) (bool, error) {
	defer func() {
		if len(proofs(d.all)) > 0 {
			d.end()
		}
	}()
	return d.desk.Observed(ctx, seen, after)
}

func TestAnAcceptorThatHangsIsProvenOfTheGatewayAlone(t *testing.T) {
	const budget = 300 * time.Millisecond
	for _, c := range []struct {
		process string
		patient time.Duration
		proven  bool
	}{
		{"java", time.Minute, true},
		{"socat", 5 * budget, false},
	} {
		t.Run(c.process, func(t *testing.T) {
			at, _ := program(t, c.process, "127.0.0.1:0")
			client, err := net.Dial("tcp", at)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if _, err := client.Write(hello); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), c.patient)
			defer cancel()
			d := &untilProven{end: cancel}
			Periodic{Sensor: &Listener{Address: at}, Desk: d, Every: Interval, Budget: func() time.Duration { return budget }, Logger: slog.New(slog.DiscardHandler)}.Run(ctx)
			got := proofs(d.all)
			if (len(got) > 0) != c.proven {
				t.Fatalf("proven: %+v", got)
			}
			for _, seen := range got {
				if want := int64(client.LocalAddr().(*net.TCPAddr).Port); seen.WedgedPort != want || seen.WedgedBytes != int64(len(hello)) || seen.WedgedState != events.SocketEstablished {
					t.Errorf("observed %+v, want the client at port %d", seen, want)
				}
			}
		})
	}
}

func TestAnAcceptedClientIsNotUnaccepted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	taken, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	got := (&Listener{Address: l.Addr().String()}).Observe(t.Context())
	if *got.QueueSockets != 0 || *got.EstablishedSockets != 1 || *got.UnacceptedSockets != 0 {
		t.Errorf("%d in the queue, %d established, %d not accepted; want 0, 1, 0", *got.QueueSockets, *got.EstablishedSockets, *got.UnacceptedSockets)
	}
}

func TestTwoSocketsOnOnePlaceHaveNoOwner(t *testing.T) {
	// Sharing a port needs an option of the socket, so the table stands for it.
	at := place{port: 4002}
	row := "0: 0100007F:0FA2 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 2 1\n"
	if got := listeners(rows(t, row+row), at); len(got) != 2 {
		t.Errorf("%d listeners", len(got))
	}
}

func TestAnOwnerThatWasNotFoundIsNotSearchedForEachTime(t *testing.T) {
	l := &Listener{Address: "127.0.0.1:1"}
	const nobodys = 1 // an inode that no socket has
	first := l.ownerOf(t.Context(), nobodys)
	if first.pid != 0 || first.text == "" {
		t.Fatalf("found %+v", first)
	}
	if again := l.ownerOf(t.Context(), nobodys); again.looked != first.looked {
		t.Error("it was searched for again at once")
	}
	l.known.looked = l.known.looked.Add(-2 * lookAgain)
	if again := l.ownerOf(t.Context(), nobodys); again.looked == first.looked {
		t.Error("it was not searched for again after a while")
	}
}

func TestASensorOutOfTimeSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if got := (&Listener{Address: l.Addr().String()}).Observe(ctx); got.Listening != events.ListeningUnknown || got.Text == "" {
		t.Errorf("observed %+v", got)
	}
	if got := findOwner(ctx, 1); got.pid != 0 || got.text != "the search for the owner took too long" {
		t.Errorf("found %+v", got)
	}
}

func TestTablesThatCannotBeReadAreSaidSo(t *testing.T) {
	l := &Listener{Address: "127.0.0.1:4002"}
	got, waiting := l.read(t.Context(), place{port: 4002}, filepath.Join(t.TempDir(), "none"))
	if got.Listening != events.ListeningUnknown || got.Owner != events.OwnerUnknown || got.QueueSockets != nil || waiting != nil ||
		got.Text != "the socket table cannot be read: no such file or directory" {
		t.Errorf("observed %+v", got)
	}
}

func BenchmarkObserve(b *testing.B) {
	own, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer own.Close()
	java, _ := program(b, "java", "127.0.0.1:0")
	b.Run("the owner is known", func(b *testing.B) {
		l := &Listener{Address: java}
		l.Observe(b.Context())
		for b.Loop() {
			l.Observe(b.Context())
		}
	})
	for _, c := range []struct{ name, address string }{
		{"it is searched for, and has a Gateway's name", java},
		{"it is searched for, and has any name", own.Addr().String()},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				(&Listener{Address: c.address}).Observe(b.Context())
			}
		})
	}
}
