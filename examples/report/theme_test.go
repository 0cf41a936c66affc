package report

import (
	"math"
	"testing"
)

// TestContrast holds WCAG 2.2: 4.5 for text on what is behind it, 3 for lines and bars.
func TestContrast(t *testing.T) {
	if got := contrast("#ffffff", "#000000"); math.Abs(got-21) > 1e-12 {
		t.Errorf("white on black: %v, want 21", got)
	}
	if got := contrast("#767676", "#ffffff"); math.Abs(got-4.54) > 0.005 { // the gray that WCAG's own examples give
		t.Errorf("#767676 on white: %v, want 4.54", got)
	}
	for name, th := range map[string]theme{"light": light, "dark": dark} {
		for _, c := range [][3]string{{"ink", th.ink, th.paper}, {"ink on a panel", th.ink, th.panel}, {"muted", th.muted, th.paper}, {"muted on a panel", th.muted, th.panel},
			{"link", th.link, th.paper}} {
			if got := contrast(c[1], c[2]); !(got >= 4.5) {
				t.Errorf("%s: %s: %.2f", name, c[0], got)
			}
		}
		for i, shade := range th.shades {
			if got := contrast(on(shade), shade); !(got >= 4.5) {
				t.Errorf("%s: text on shade %d: %.2f", name, i+1, got)
			}
			if i > 0 {
				if step := contrast(th.shades[i-1], shade); !(step >= 1.12) {
					t.Errorf("%s: shades %d and %d are too close: %.2f", name, i, i+1, step)
				}
			}
		}
		for i, tone := range th.tones {
			if got := contrast(tone, th.paper); !(got >= 3) {
				t.Errorf("%s: tone %d: %.2f", name, i, got)
			}
		}
	}
}

// The matrices of Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency,
// IEEE Transactions on Visualization and Computer Graphics 15(6), 2009, table of severity 1.0, on linear light.
var deficiencies = map[string][3][3]float64{
	"all cones":    {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// lab is CIELAB of linear light under D65.
func lab(c [3]float64) [3]float64 {
	f := func(v float64) float64 {
		if v > 216.0/24389 {
			return math.Cbrt(v)
		}
		return (24389.0/27*v + 16) / 116
	}
	x := f((0.4124564*c[0] + 0.3575761*c[1] + 0.1804375*c[2]) / 0.95047)
	y := f(0.2126729*c[0] + 0.7151522*c[1] + 0.0721750*c[2])
	z := f((0.0193339*c[0] + 0.1191920*c[1] + 0.9503041*c[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// TestColorBlind holds that the tones stay apart for every kind of color vision: a distance in CIELAB of 2.3 is just seen.
func TestColorBlind(t *testing.T) {
	const least = 12
	for name, th := range map[string]theme{"light": light, "dark": dark} {
		for kind, m := range deficiencies {
			seen := func(color string) [3]float64 {
				c := linear(color)
				var out [3]float64
				for i := range 3 {
					out[i] = max(0, min(1, m[i][0]*c[0]+m[i][1]*c[1]+m[i][2]*c[2]))
				}
				return lab(out)
			}
			for i := range tones {
				for j := range i {
					a, b := seen(th.tones[i]), seen(th.tones[j])
					if d := math.Sqrt(square(a[0]-b[0]) + square(a[1]-b[1]) + square(a[2]-b[2])); d < least {
						t.Errorf("%s, %s: tones %d and %d are %.1f apart", name, kind, j, i, d)
					}
				}
			}
		}
	}
}

// TestScale holds that axes have round ticks that cover the data.
func TestScale(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   []string
	}{
		{[]float64{0, 247}, []string{"0", "50", "100", "150", "200", "250"}},
		{[]float64{-3, 7}, []string{"\u22124", "\u22122", "0", "2", "4", "6", "8"}},
		{[]float64{0, 1e6}, []string{"0", "0.2\u00a0M", "0.4\u00a0M", "0.6\u00a0M", "0.8\u00a0M", "1.0\u00a0M"}},
		{[]float64{0, 3e5}, []string{"0", "100\u00a0k", "200\u00a0k", "300\u00a0k"}},
		{[]float64{0, 4e12}, []string{"0", "1,000\u00a0bn", "2,000\u00a0bn", "3,000\u00a0bn", "4,000\u00a0bn"}},
		{[]float64{0, 0.03}, []string{"0", "0.01", "0.02", "0.03"}},
		{[]float64{0, 0}, []string{"\u22120.6", "\u22120.4", "\u22120.2", "0", "0.2", "0.4", "0.6"}},
	} {
		s := newScale(Axis{}, c.values, 5, true)
		var got []string
		for _, k := range s.ticks {
			got = append(got, k.Label)
		}
		if len(got) != len(c.want) {
			t.Errorf("%v: %q, want %q", c.values, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%v: %q, want %q", c.values, got, c.want)
				break
			}
		}
	}
}

// TestShade holds the ends of the scale of a heat map.
func TestShade(t *testing.T) {
	for _, c := range []struct {
		v, low, high float64
		want         Shade
	}{{0, 0, 1, 1}, {1, 0, 1, Shades}, {0.5, 0, 1, 4}, {-1, 0, 1, 1}, {9, 0, 1, Shades}, {math.NaN(), 0, 1, 0}, {1, 1, 1, 0}} {
		if got := ShadeOf(c.v, c.low, c.high); got != c.want {
			t.Errorf("%v of %v to %v: %d, want %d", c.v, c.low, c.high, got, c.want)
		}
	}
}

// TestFormat holds how numbers are written.
func TestFormat(t *testing.T) {
	for got, want := range map[string]string{
		grouped("1234567.89"): "1,234,567.89", grouped("-1234"): "\u22121,234", grouped("999"): "999", decimals(-0.001, 1): "0.0", share(0.4321): "43.2\u00a0%",
		plain(0.10): "10\u00a0%", plain(0.975): "97.5\u00a0%", list([]string{"a", "b", "c"}): "a, b and c", shorten("a long name of a product that goes on", 20): "a long name of a\u2026",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
