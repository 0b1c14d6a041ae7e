package dashboard

import (
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// palettes reads the colours of the style sheet, in light and in dark.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	css, err := fs.ReadFile(files, "page/dashboard.css")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	roots := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(roots) != 2 {
		t.Fatalf("the style sheet has %d palettes", len(roots))
	}
	for i, name := range []string{"light", "dark"} {
		out[name] = map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(roots[i][1], -1) {
			out[name][m[1]] = m[2]
		}
	}
	if len(out["light"]) != len(out["dark"]) {
		t.Fatalf("light has %d colours, dark %d", len(out["light"]), len(out["dark"]))
	}
	return out
}

// light is the relative luminance, and contrast the ratio, as WCAG 2.2 defines them.
func light(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatalf("%s: %v", hex, err)
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := light(t, a), light(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestThePalette(t *testing.T) {
	if r := contrast(t, "#000000", "#ffffff"); math.Abs(r-21) > 1e-9 {
		t.Fatalf("black on white is %g to 1, want 21", r)
	}
	for theme, p := range palettes(t) {
		for _, c := range []struct {
			least  float64
			what   string
			front  string
			behind string
		}{
			{4.5, "a text on the page and on a panel", "fg soft link ok wait bad try", "bg panel"},
			{4.5, "a word on its badge or its button", "on", "ok wait bad try soft link"},
			{4.5, "the chosen one of several links", "bg", "fg"},
			{3, "a shape of a picture, or the edge of a field", "ok-band wait-band bad-band try-band none-band edge", "bg panel"},
		} {
			for _, front := range strings.Fields(c.front) {
				for _, behind := range strings.Fields(c.behind) {
					a, b := p[front], p[behind]
					if a == "" || b == "" {
						t.Fatalf("%s: there is no --%s or no --%s", theme, front, behind)
					}
					if r := contrast(t, a, b); r < c.least {
						t.Errorf("%s: %s: --%s on --%s is %.2f to 1, want %g", theme, c.what, front, behind, r, c.least)
					}
				}
			}
		}
	}
}
