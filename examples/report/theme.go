package report

import (
	"fmt"
	"math"
	"strings"
)

// A theme is the colors of the page on one kind of ground, as #rrggbb.
type theme struct {
	paper  string         // behind everything
	panel  string         // behind figures and notes
	ink    string         // text
	muted  string         // text that may be read second
	line   string         // rules between rows
	grid   string         // lines behind a chart
	link   string         // text that leads somewhere
	tones  [tones]string  // of lines and bars, by Tone
	shades [Shades]string // of heat maps, from low to high
}

// The two themes. What a test holds of them: text has a contrast of at least 4.5 to what is behind it, lines and bars of at
// least 3, and the tones stay apart for the color-blind.
var (
	light = theme{
		paper: "#ffffff", panel: "#f5f6f8", ink: "#1a1f26", muted: "#59626e", line: "#dde1e6", grid: "#e9ecef", link: "#00578a",
		tones:  [tones]string{"#0069a8", "#c2520a", "#008a68", "#8b2361", "#737c87"},
		shades: [Shades]string{"#eef4fa", "#d3e4f3", "#abcfe8", "#78b1d9", "#3f87c0", "#1c5f9f", "#0b3f76"},
	}
	dark = theme{
		paper: "#12161c", panel: "#1b212a", ink: "#e8ebef", muted: "#a3adb9", line: "#303843", grid: "#262d37", link: "#7cc0ee",
		tones:  [tones]string{"#58b4ec", "#f0883e", "#3ccf9f", "#f7dee8", "#98a2ae"},
		shades: [Shades]string{"#1a2a3a", "#1d3b57", "#215078", "#2b6a9c", "#4a8fc4", "#82b7e0", "#bfdcf3"},
	}
)

// on returns the color of text on a ground: whichever of nearly black and white stands out more.
func on(ground string) string {
	const black, white = "#0b0f14", "#ffffff"
	if contrast(black, ground) >= contrast(white, ground) {
		return black
	}
	return white
}

// contrast is the contrast ratio of two colors as WCAG 2.2 defines it, from 1 to 21.
func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(color string) float64 {
	c := linear(color)
	return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2]
}

// linear returns the linear light of a color's red, green and blue, from 0 to 1.
func linear(color string) (c [3]float64) {
	var rgb [3]uint8
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		return [3]float64{math.NaN(), math.NaN(), math.NaN()}
	}
	for i, v := range rgb {
		s := float64(v) / 255
		if c[i] = s / 12.92; s > 0.04045 {
			c[i] = math.Pow((s+0.055)/1.055, 2.4)
		}
	}
	return c
}

// variables returns the theme as declarations of CSS variables.
func (t theme) variables() string {
	var b strings.Builder
	for _, v := range [][2]string{{"paper", t.paper}, {"panel", t.panel}, {"ink", t.ink}, {"muted", t.muted}, {"line", t.line}, {"grid", t.grid}, {"link", t.link}} {
		fmt.Fprintf(&b, "--%s:%s;", v[0], v[1])
	}
	for i, c := range t.tones {
		fmt.Fprintf(&b, "--t%d:%s;", i, c)
	}
	for i, c := range t.shades {
		fmt.Fprintf(&b, "--h%d:%s;--i%d:%s;", i+1, c, i+1, on(c))
	}
	return b.String()
}
