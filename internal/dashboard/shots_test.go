//go:build !race

package dashboard

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// maxShot is how large a picture of the documentation may be, in bytes.
const maxShot = 150 << 10

// The pictures in the documentation are of the scene, by this test with -update, which takes
// a browser. Without it, it looks at the files alone.
func TestScreenshots(t *testing.T) {
	var tab *tab
	address := ""
	if *update {
		tab = newTab(t)
		address, _, _ = served(t, sceneConfig())
	}
	for _, c := range []struct {
		name, scheme  string
		width, height int
	}{
		{"wide-light", "light", 1280, 1560}, {"wide-dark", "dark", 1280, 1560}, {"phone-light", "light", 390, 1500}, {"phone-dark", "dark", 390, 1500},
	} {
		path := filepath.Join("..", "..", "docs", "dashboard-"+c.name+".png")
		if *update {
			tab.size(c.width, 900)
			tab.scheme(c.scheme)
			tab.open(address + "/")
			tab.until(`document.querySelector("#events table")`)
			shot, err := chromedp.Run(tab.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, small(t, shot, c.height), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shot, err := png.DecodeConfig(bytes.NewReader(file))
		if err != nil || shot.Width != c.width || len(file) > maxShot {
			t.Errorf("%s: %d wide and %d bytes, %v; want %d wide and at most %d bytes; again: go test ./internal/dashboard -run TestScreenshots -update", path, shot.Width, len(file), err, c.width, maxShot)
		}
	}
}

// small is the upper part of a picture in the 256 colours that it has most of: a page is flat,
// and so it takes a fifth of the bytes.
func small(t *testing.T, shot []byte, height int) []byte {
	t.Helper()
	in, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	box := image.Rect(0, 0, in.Bounds().Dx(), min(height, in.Bounds().Dy()))
	n := map[color.RGBA]int{}
	for y := range box.Dy() {
		for x := range box.Dx() {
			n[color.RGBAModel.Convert(in.At(x, y)).(color.RGBA)]++
		}
	}
	var all []color.RGBA
	for c := range n {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b color.RGBA) int {
		return cmp.Or(n[b]-n[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var palette color.Palette
	for _, c := range all {
		// The shades at the edges of letters must not take the place of a colour that means
		// something and is rare.
		near := slices.ContainsFunc(palette, func(o color.Color) bool { return apart(c, o.(color.RGBA)) < 24 })
		if !near && len(palette) < 256 {
			palette = append(palette, c)
		}
	}
	out := image.NewPaletted(box, palette)
	draw.Draw(out, box, in, image.Point{}, draw.Src)
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// apart is how far two colours are from each other.
func apart(a, b color.RGBA) int {
	one := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return one(a.R, b.R) + one(a.G, b.G) + one(a.B, b.B)
}
