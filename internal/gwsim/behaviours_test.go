package gwsim_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/wire"
)

// What a client sees of each behaviour. V stands for the server's version, T for
// the Gateway's clock. "rst" is a close in memory, which looks like a FIN.
var behaviourTests = []struct {
	name  string
	asks  int // how often the client asks for the time once it is ready
	want  []string
	stage gwsim.Stage
	ended gwsim.EndedBy // "" : the client has to
}{
	{"healthy", 2, []string{"version V", "accounts DU1234567", "next id 1", "time T", "time T", "silence"}, gwsim.StageReady, ""},
	{"silent", 0, []string{"silence"}, gwsim.StageHello, ""},
	{"fin-before-version", 0, []string{"fin"}, gwsim.StageHello, gwsim.ByGateway},
	{"rst-before-version", 0, []string{"rst"}, gwsim.StageHello, gwsim.ByGateway},
	{"bad-version", 0, []string{"version 30", "silence"}, gwsim.StageVersion, ""},
	{"garbage-version", 0, []string{"no version", "silence"}, gwsim.StageHello, ""},
	{"foreign", 0, []string{"no frame", "fin"}, gwsim.StageHello, gwsim.ByGateway},
	{"half-frame", 0, []string{"silence"}, gwsim.StageHello, ""},
	{"no-ready", 0, []string{"version V", "silence"}, gwsim.StageStartAPI, ""},
	{"close-after-version", 0, []string{"version V", "fin"}, gwsim.StageVersion, gwsim.ByGateway},
	{"client-id-in-use", 0, []string{"version V", "error -1 326", "fin"}, gwsim.StageStartAPI, gwsim.ByGateway},
	{"disclaimer", 0, []string{"version V", "error -1 10141", "fin"}, gwsim.StageStartAPI, gwsim.ByGateway},
	{"slow", 1, []string{"version V", "accounts DU1234567", "next id 1", "time T", "silence"}, gwsim.StageReady, ""},
	{"farms", 1, []string{"version V", "error -1 2104", "accounts DU1234567", "error -1 2106", "next id 1", "error -1 2158", "time T"}, gwsim.StageReady, ""},
	{"upstream-lost", 1, []string{"version V", "accounts DU1234567", "next id 1", "error -1 1100", "error -1 1102", "time T"}, gwsim.StageReady, ""},
	{"port-reset", 0, []string{"version V", "accounts DU1234567", "next id 1", "error -1 1300", "fin"}, gwsim.StageReady, gwsim.ByGateway},
	{"drop-after-ready", 0, []string{"version V", "accounts DU1234567", "next id 1", "rst"}, gwsim.StageReady, gwsim.ByGateway},
	{"fin-after-ready", 0, []string{"version V", "accounts DU1234567", "next id 1", "fin"}, gwsim.StageReady, gwsim.ByGateway},
	{"mute-after-ready", 2, []string{"version V", "accounts DU1234567", "next id 1", "time T", "silence"}, gwsim.StageReady, ""},
	{"wedged", 1, []string{"version V", "accounts DU1234567", "next id 1", "time T"}, gwsim.StageReady, ""},
}

func TestEveryBehaviourHasATest(t *testing.T) {
	var named, tested []string
	for _, b := range gwsim.Behaviours() {
		named = append(named, b.Name)
	}
	for _, test := range behaviourTests {
		tested = append(tested, test.name)
	}
	if diff := cmp.Diff(named, tested); diff != "" {
		t.Errorf("(-named +tested):\n%s", diff)
	}
}

func TestBehaviours(t *testing.T) {
	clock := time.Unix(1767225600, 0)
	for _, test := range behaviourTests {
		script, err := gwsim.Named(test.name)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []int{176, 203, 213} {
			opts := gwsim.Options{Script: script, Version: version, Now: func() time.Time { return clock }}
			check := func(t *testing.T, g *gwsim.Gateway, c *client, silence time.Duration, memory bool) {
				var want []string
				for _, w := range test.want {
					switch {
					case w == "version V":
						w = fmt.Sprint("version ", version)
					case w == "time T":
						w = fmt.Sprint("time ", clock.Unix())
					case w == "rst" && memory:
						w = "fin"
					}
					want = append(want, w)
				}
				c.expect(t, silence, want...)
				waitFor(t, g, fmt.Sprintf("the stage is %s", test.stage), func(s gwsim.Summary) bool {
					return s.Connects == 1 && s.Connections[0].Stage == test.stage
				})
				by := test.ended
				if got := g.Summary().Connections[0].EndedBy; got != by {
					t.Errorf("ended by %q, want %q", got, by)
				}
				c.close()
				if by == "" {
					by = gwsim.ByClient
				}
				waitFor(t, g, fmt.Sprintf("the %s has ended the connection", by), func(s gwsim.Summary) bool {
					return s.OpenAtEnd == 0 && s.Connections[0].EndedBy == by
				})
			}
			t.Run(fmt.Sprintf("%s/%d/tcp", test.name, version), func(t *testing.T) {
				g, address := serveTCP(t, opts)
				check(t, g, connect(dialTCP(t, address), everyVersion, 7, test.asks), moment, false)
			})
			t.Run(fmt.Sprintf("%s/%d/memory", test.name, version), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := gwsim.New(opts)
					defer g.Close()
					check(t, g, connect(dialMemory(t, g), everyVersion, 7, test.asks), hour, true)
				})
			})
		}
	}
}

func TestHalfAFrame(t *testing.T) {
	script, err := gwsim.Named("half-frame")
	if err != nil {
		t.Fatal(err)
	}
	_, address := serveTCP(t, gwsim.Options{Script: script})
	nc := dialTCP(t, address)
	defer nc.Close()
	if _, err := nc.Write(wire.AppendHello(nil, everyVersion)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 12)
	if _, err := io.ReadFull(nc, got); err != nil {
		t.Fatal(err)
	}
	frames := wire.NewScanner(0)
	for f := range frames.Frames(got) {
		t.Errorf("a frame of %d bytes", f.Length)
	}
	if diff := cmp.Diff("\x00\x00\x00\x1a176\x002026", string(got)); diff != "" || !frames.InFrame() {
		t.Errorf("inside a frame: %v (-want +got):\n%s", frames.InFrame(), diff)
	}
}

func TestSlowSendsAByteEvery5ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script, err := gwsim.Named("slow")
		if err != nil {
			t.Fatal(err)
		}
		g := gwsim.New(gwsim.Options{Script: script})
		defer g.Close()
		c := connect(dialMemory(t, g), everyVersion, 7, 0)
		defer c.close()
		start := time.Now()
		c.expect(t, hour, "version 176")
		reply := wire.AppendVersionReply(nil, wire.VersionReply{Version: 176, ConnectionTime: start.Format("20060102 15:04:05 MST")})
		if got, want := time.Since(start), time.Duration(len(reply))*5*time.Millisecond; got != want {
			t.Errorf("the version reply took %v, its %d bytes should take %v", got, len(reply), want)
		}
	})
}

// A wedged acceptor: the kernel completes the second connect, nobody reads it.
func TestWedge(t *testing.T) {
	script := `
		connection 1:
			wedge
			hello
			wait start-api
			ready
			serve 1
			accept
			serve
		connection 2..:
			play healthy`
	greeting := []string{"version 176", "accounts DU1234567", "next id 1"}
	check := func(t *testing.T, g *gwsim.Gateway, dial func() *client, silence time.Duration) {
		first := dial()
		defer first.close()
		first.expect(t, silence, greeting...)
		second := dial()
		defer second.close()
		second.expect(t, silence, "silence")
		if s := g.Summary(); s.Connects != 1 {
			t.Errorf("%d connects accepted, want 1", s.Connects)
		}
		if _, err := first.nc.Write(wire.AppendReqCurrentTime(nil, 176)); err != nil {
			t.Fatal(err)
		}
		second.expect(t, silence, greeting...)
	}
	t.Run("tcp", func(t *testing.T) {
		g, address := serveTCP(t, gwsim.Options{Script: parse(t, script)})
		id := 0
		check(t, g, func() *client { id++; return connect(dialTCP(t, address), everyVersion, id, 0) }, moment)
	})
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := gwsim.New(gwsim.Options{Script: parse(t, script)})
			defer g.Close()
			id := 0
			check(t, g, func() *client { id++; return connect(dialMemory(t, g), everyVersion, id, 0) }, hour)
		})
	})
}
