//go:build !race

// A browser is a process of its own, and slow: the race detector sees the page in the
// tests without one.

package dashboard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/source/streamtest"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// console collects what stands in the console of a page.
type console struct {
	mu   sync.Mutex // guards the rest
	said []string
	more chan struct{} // is closed and replaced with each line
}

func (b *tab) console() (c *console, stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	c = &console{more: make(chan struct{})}
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			c.mu.Lock()
			c.said = append(c.said, fmt.Sprintf("%s: %s %s", m.Type, m.Text, m.URL))
			close(c.more)
			c.more = make(chan struct{})
			c.mu.Unlock()
		}
	}()
	return c, func() { cancel(); <-done }
}

// empty looks at what was said of pages of url. What a test has provoked must be there, by
// which it is known that the console is heard. Of a port that has ended a browser says more,
// when nobody looks any more.
func (c *console) empty(t *testing.T, url string, provoked ...string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for _, p := range provoked {
		for {
			c.mu.Lock()
			more := c.more
			heard := slices.ContainsFunc(c.said, func(line string) bool { return strings.Contains(line, url) && strings.Contains(line, p) })
			c.mu.Unlock()
			if heard {
				break
			}
			select {
			case <-more:
			case <-late:
				t.Fatalf("the console does not say %q", p)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range c.said {
		if strings.Contains(line, url) && !slices.ContainsFunc(provoked, func(p string) bool { return strings.Contains(line, p) }) {
			t.Errorf("the console has: %s", line)
		}
	}
}

// wideScript is what stands out of the page, and how wide the page is laid out.
const wideScript = `[document.documentElement.scrollWidth > innerWidth ? "the page" : "", ...[...document.body.querySelectorAll("*")]
	.filter(e => !e.closest("svg, .hidden, .skip, thead") && e.getBoundingClientRect().right > innerWidth + .5).map(e => e.tagName + "." + e.className)].filter(Boolean).slice(0, 9)`

func TestInABrowser(t *testing.T) {
	tab := newTab(t)
	c, stop := tab.console()
	defer stop()

	t.Run("it fits a phone and a desk, in both themes", func(t *testing.T) {
		tab := tab.in(t)
		url, live, _ := served(t, sceneConfig())
		pages := []string{"/", "/?span=7d&kinds=restart", "/gateways/live/resume", "/?span=forever"}
		for _, rec := range live.stream.Records() {
			if rec.Kind() == "restart.required" {
				pages = append(pages, fmt.Sprintf("/incidents/live/%d", rec.Seq))
				break
			}
		}
		for _, theme := range []string{"light", "dark"} {
			tab.scheme(theme)
			for _, width := range []int{360, 1280} {
				tab.size(width, 900)
				for _, page := range pages {
					tab.open(url + page)
					if strings.HasPrefix(page, "/incidents") { // its tables scroll in boxes of their own, as its own test has it
						if n := ask[int](tab, "document.documentElement.scrollWidth"); n > width {
							t.Errorf("%s at %d: the page is %d wide", page, width, n)
						}
						continue
					}
					tab.until("document.styleSheets.length === 1 && getComputedStyle(document.body).margin === '0px'")
					if wide := ask[[]string](tab, wideScript); len(wide) > 0 {
						t.Errorf("%s at %d, %s: too wide are %q", page, width, theme, wide)
					}
					if dark := ask[bool](tab, "matchMedia('(prefers-color-scheme: dark)').matches"); dark != (theme == "dark") {
						t.Fatalf("the theme is not %s", theme)
					}
				}
			}
		}
		c.empty(t, url, "status of 400") // of the address that means nothing
	})

	t.Run("what happens is shown without a reload, and what a reader does stays", func(t *testing.T) {
		tab := tab.in(t)
		cfg := sceneConfig()
		cfg.Pace = 10 * time.Millisecond
		url, _, paper := served(t, cfg)
		tab.size(1280, 900)
		tab.open(url + "/")
		tab.until("document.querySelector('#events table')")
		tab.do(chromedp.Click("#d-states > summary"), chromedp.Focus("#events .choice a"))
		ask[bool](tab, "(window.mark = true)")
		seq := 0
		paper.add(func(s *streamtest.Stream) {
			until(s, 7*time.Hour+41*time.Minute).Refused("z1")
			seq = s.Len()
		})
		tab.until(fmt.Sprintf("document.querySelector('#events').textContent.includes('#%d')", seq))
		if !ask[bool](tab, "window.mark === true") {
			t.Error("the page was loaded again")
		}
		if !ask[bool](tab, "document.querySelector('#d-states').open") {
			t.Error("what was opened is closed")
		}
		if focus := ask[string](tab, "document.activeElement.textContent"); focus != "all" {
			t.Errorf("the focus is on %q", focus)
		}
		c.empty(t, url)
	})

	t.Run("title and icon are those of the worst state", func(t *testing.T) {
		tab := tab.in(t)
		cfg := sceneConfig()
		cfg.Pace = 10 * time.Millisecond
		f := newFake("paper", connected())
		url, _ := port(t, run(t, cfg, f), "127.0.0.1:0")
		tab.open(url + "/")
		tab.until("document.title === '● connected - ibrecorder' && document.querySelector('link[rel=icon]').href.endsWith('/ok.svg')")
		f.add(func(s *streamtest.Stream) { s.Silent("z1", 30*time.Second).Stop(1) })
		tab.until("document.title === '✖ paper: RESTART REQUIRED - ibrecorder' && document.querySelector('link[rel=icon]').href.endsWith('/bad.svg')")
		if text := ask[string](tab, "document.querySelector('#state').textContent"); !strings.Contains(text, "needs a manual restart") {
			t.Errorf("the sentence is %q", text)
		}
		c.empty(t, url)
	})

	t.Run("keys reach everything in the order of the page, and the focus is seen", func(t *testing.T) {
		tab := tab.in(t)
		url, _, _ := served(t, sceneConfig())
		tab.open(url + "/")
		tab.until("document.querySelector('#events table')")
		ask[bool](tab, "(document.activeElement.blur(), true)")
		const here = "(e => e.tagName + ' ' + e.textContent.trim())(document.activeElement)"
		want := ask[[]string](tab, "[...document.querySelectorAll('a, button, summary, input, [tabindex]')].map(e => e.tagName + ' ' + e.textContent.trim())")
		if len(want) < 20 || want[0] != "A To the gateways" {
			t.Fatalf("the page has %q", want)
		}
		var got []string
		for range want {
			tab.do(chromedp.KeyEvent(kb.Tab))
			got = append(got, ask[string](tab, here))
			if !ask[bool](tab, "(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))") {
				t.Errorf("the focus on %q is not seen", got[len(got)-1])
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by key (-page +focus):\n%s", diff)
		}
		c.empty(t, url)
	})

	t.Run("an operator resumes by a form", func(t *testing.T) {
		tab := tab.in(t)
		url, live, _ := served(t, sceneConfig())
		tab.open(url + "/")
		tab.until("document.querySelector('.button')")
		tab.do(chromedp.Click(".button"), chromedp.WaitVisible("#token"))
		tab.do(chromedp.SendKeys("#reason", "restarted, 2FA ok"+kb.Tab+"a wrong token"+kb.Enter), chromedp.WaitVisible(".wrong"))
		if wrong := ask[string](tab, "document.querySelector('.wrong').textContent"); !strings.Contains(wrong, "not one that this recorder knows") {
			t.Errorf("a wrong token is answered %q", wrong)
		}
		if reason := ask[string](tab, "document.querySelector('#reason').value"); reason != "restarted, 2FA ok" {
			t.Errorf("the reason has become %q", reason)
		}
		tab.do(chromedp.SendKeys("#token", "operate-token-of-kim"+kb.Enter), chromedp.WaitVisible(".sentence.ok"))
		if h1 := ask[string](tab, "document.querySelector('h1').textContent"); h1 != "live is released" {
			t.Errorf("it is answered %q", h1)
		}
		if want := []httpapi.Claim{{By: "kim", Reason: "restarted, 2FA ok"}}; !slices.Equal(live.claims, want) {
			t.Errorf("it is claimed %+v, want %+v", live.claims, want)
		}
		c.empty(t, url, "status of 403") // of the wrong token
	})
}

func TestAPageThatHearsNothingSaysSo(t *testing.T) {
	tab := newTab(t)
	cfg := sceneConfig()
	cfg.Beat = time.Second // and so it is stale after three, which a busy machine needs to be told in time
	b := run(t, cfg, newFake("main", connected()))
	url, stop := port(t, b, "127.0.0.1:0")
	tab.open(url + "/")
	tab.until("document.querySelector('#stale').hidden && document.title === '● connected - ibrecorder'")
	stop()
	tab.until("!document.querySelector('#stale').hidden && document.body.classList.contains('stale')")
	if text := ask[string](tab, "document.querySelector('#stale').textContent"); !strings.Contains(text, "STALE") || !strings.Contains(text, "13:41:58") {
		t.Errorf("it says %q", text)
	}
	tab.until("document.title.startsWith('✖ stale - ') && document.querySelector('link[rel=icon]').href.endsWith('/stale.svg')")
	port(t, b, strings.TrimPrefix(url, "http://"))
	tab.until("document.querySelector('#stale').hidden && document.title === '● connected - ibrecorder'")
}

func TestWithoutScripts(t *testing.T) {
	tab := newTab(t)
	url, _, _ := served(t, sceneConfig())
	if _, err := chromedp.Call(tab.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	tab.open(url + "/?kinds=restart")
	for what, expression := range map[string]string{
		"it renews itself":              "document.querySelector('meta[http-equiv=refresh]').content === '30'",
		"it has the cards":              "document.querySelectorAll('.card').length === 3",
		"it shows the kinds asked for":  "[...document.querySelectorAll('.tail tbody th')].every(e => /^(restart|retry|rule|operator)\\./.test(e.textContent))",
		"it has the chosen kind marked": "document.querySelector('#events [aria-current]').textContent === 'restart'",
	} {
		if !ask[bool](tab, expression) {
			t.Errorf("without scripts not so: %s", what)
		}
	}
}

func TestLessMotionIsNone(t *testing.T) {
	tab := newTab(t)
	url, _, _ := served(t, sceneConfig())
	for value, want := range map[string]string{"reduce": "0s", "no-preference": "0.4s"} {
		_, err := chromedp.Call(tab.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: value}}})
		if err != nil {
			t.Fatal(err)
		}
		tab.open(url + "/")
		got := ask[string](tab, "(document.body.classList.add('stale'), getComputedStyle(document.querySelector('main')).transitionDuration)")
		if got != want {
			t.Errorf("with %s it moves for %s, want %s", value, got, want)
		}
	}
}
