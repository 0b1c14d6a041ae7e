package watch

import (
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ibrecorder/events"
)

// homeEnv holds an address that a child gives to its own network namespace before it
// listens there.
const homeEnv = "IBRECORDER_TEST_HOME"

// home makes an address one of this namespace's, beside that of its loopback device.
func home(address string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	for _, device := range []string{"lo", "lo:1"} {
		dev, err := unix.NewIfreq(device)
		if err != nil {
			return err
		}
		if device != "lo" {
			ip := netip.MustParseAddr(address).As4()
			if err := dev.SetInet4Addr(ip[:]); err != nil {
				return err
			}
			if err := unix.IoctlIfreq(s, unix.SIOCSIFADDR, dev); err != nil {
				return err
			}
		}
		dev.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, dev); err != nil {
			return err
		}
	}
	return nil
}

// inNamespace lets a program run in a network namespace of its own, in which address is
// at home.
func inNamespace(address string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, homeEnv+"="+address)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if uid := os.Getuid(); uid != 0 { // whoever is root of a user namespace may make one
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		}
	}
}

// needsNamespaces skips where none can be made, and says why.
func needsNamespaces(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	inNamespace("198.51.100.1")(cmd)
	if err := cmd.Run(); err != nil {
		t.Skip("no network namespace can be made here: ", err)
	}
}

func TestAGatewayInAnotherNamespaceIsRead(t *testing.T) {
	needsNamespaces(t)
	const host = "198.51.100.7" // of nobody: RFC 5737
	address, stop := program(t, "java", host+":0", inNamespace(host))
	l := &Listener{Address: address}
	if why := l.Blind(t.Context()); why != "" {
		t.Fatalf("nothing can be read, it says: %s", why)
	}
	seen := l.Observe(t.Context())
	if seen.Listening != events.ListeningYes || seen.Owner != events.OwnerGateway || seen.Process != "java" || seen.PID == 0 || seen.StartedMS == 0 || seen.Socket == "" {
		t.Errorf("observed %+v", seen)
	}
	if seen.QueueSockets == nil || *seen.QueueSockets != 0 || seen.UnacceptedSockets == nil {
		t.Errorf("its queue was not read: %+v", seen)
	}
	port := address[strings.LastIndex(address, ":"):]
	if other := (&Listener{Address: "127.0.0.1" + port}).Observe(t.Context()); other.Listening != events.ListeningNo {
		t.Errorf("a listener in another namespace is taken for one here: %+v", other)
	}
	if other := (&Listener{Address: "198.51.100.8" + port}).Observe(t.Context()); other.Listening != events.ListeningUnknown || other.Text != elsewhere {
		t.Errorf("an address that is nowhere: %+v", other)
	}
	stop()
	if gone := l.Observe(t.Context()); gone.Listening != events.ListeningUnknown || gone.Text != elsewhere {
		t.Errorf("observed %+v after the namespace has ended with its Gateway", gone)
	}
	l.looked = l.looked.Add(-2 * lookAgain)
	program(t, "java", address, inNamespace(host))
	if again := l.Observe(t.Context()); again.Owner != events.OwnerGateway || again.PID == seen.PID || !changed(seen, again) {
		t.Errorf("observed %+v after a restart of %+v", again, seen)
	}
}

func TestAnAddressInTwoNamespacesIsNobodys(t *testing.T) {
	needsNamespaces(t)
	const host = "198.51.100.9"
	address, _ := program(t, "java", host+":0", inNamespace(host))
	program(t, "java", address, inNamespace(host))
	if seen := (&Listener{Address: address}).Observe(t.Context()); seen.Listening != events.ListeningUnknown || seen.Text == "" || seen.Text == elsewhere {
		t.Errorf("observed %+v", seen)
	}
}

func TestASearchForANamespaceInVainIsNotRepeatedAtOnce(t *testing.T) {
	l := &Listener{Address: "192.0.2.1:4001"}
	l.Observe(t.Context())
	first := l.looked
	if first.IsZero() {
		t.Fatal("nobody looked")
	}
	l.Observe(t.Context())
	if l.looked != first {
		t.Error("it was searched for again at once")
	}
	l.looked = first.Add(-2 * lookAgain)
	l.Observe(t.Context())
	if !l.looked.After(first.Add(-lookAgain)) {
		t.Error("it was not searched for again after a while")
	}
}

// Whoever may not look into the Gateway's process still sees its port and its queue, and
// says what is missing.
func TestWhoeverMayNotSeeTheOwnerSaysSo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	const nobody = 65534
	asNobody := func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	for _, c := range []struct {
		name, text string
		at         func(t *testing.T) string
	}{
		{"a Gateway of another user", "the owner belongs to another user, or to another namespace", func(t *testing.T) string {
			address, _ := program(t, "java", "127.0.0.1:0")
			return address
		}},
		{"in another namespace", "the owner belongs to another user, or to another namespace", func(t *testing.T) string {
			needsNamespaces(t)
			address, _ := program(t, "java", "198.51.100.11:0", inNamespace("198.51.100.11"))
			return address
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := observed(t, c.at(t), asNobody)
			if seen.Listening != events.ListeningYes || seen.Owner != events.OwnerUnknown || seen.PID != 0 || seen.Text != c.text || seen.QueueSockets == nil {
				t.Errorf("observed %+v, want a listener whose owner is unknown, because %s", seen, c.text)
			}
		})
	}
}

func TestAnAddressIsFoundInTheKernelsLists(t *testing.T) {
	trie := []byte("Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 172.18.0.0\n        /16 link UNICAST\n     |-- 172.18.0.2\n        /32 host LOCAL\n     |-- 172.18.255.255\n        /32 link BROADCAST\n")
	list := []byte("fd000000000000000000000000000002 0e 40 00 80     eth0\n")
	for _, c := range []struct {
		address string
		want    bool
	}{
		{"172.18.0.2", true}, {"172.18.0.0", false}, {"172.18.255.255", false}, {"172.18.0.20", false}, {"0.0.0.0", false},
		{"fd00::2", true}, {"fd00::3", false},
	} {
		addr := netip.MustParseAddr(c.address)
		got := inTrie(trie, addr)
		if addr.Is6() {
			got = inList(list, addr)
		}
		if got != c.want {
			t.Errorf("%s is at home: %t", addr, got)
		}
	}
	if !hasAddress(ownTables, netip.MustParseAddr("127.0.0.1")) {
		t.Error("127.0.0.1 is not at home here")
	}
}

func BenchmarkNamespace(b *testing.B) {
	at, err := parsePlace("192.0.2.1:4001")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		findNamespace(b.Context(), at)
	}
}
